"""Back to what served before: which adapter that is, who may not come back, and what is left then.

Promotions are written straight into the table where only what follows them is asked about.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from astra_learn_assets.errors import (
    AdapterRevoked,
    Conflict,
    ForeignTenant,
    NeverServed,
    NotFound,
    TenantErased,
    Unavailable,
    UnknownTenant,
)
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import announcing, model_versions, promoter
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import canaries, promotions, tenants
from astra_learn_assets.store.learning_tables import Canary
from astra_learn_assets.store.tables import Adapter, Promotion
from astra_learn_assets_tests.registry.test_announcing import _serve, _shown, _stored
from astra_learn_assets_tests.registry.test_promoter import _judge

TENANT, OTHER = TenantId("villaverde"), TenantId("otra-villa")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"mlflow_tracking_uri": None})


@pytest.fixture
def three(town: Platform, tmp_path: Path) -> list[Adapter]:
    """Three adapters that served one after the other; the last one serves."""
    rows = [_stored(town, tmp_path, seed) for seed in (1, 2, 3)]
    for row in rows:
        _serve(town, row)
    return rows


def _newest(platform: Platform) -> Promotion:
    with platform.database.session() as session:
        row = promotions.newest(session, TENANT)
    assert row is not None
    return row


def _rejected(platform: Platform, rows: Iterable[Adapter]) -> None:
    for row in rows:
        _judge(platform, row, wer=False)


def _promoted(platform: Platform, where: Path, seed: int) -> Promotion:
    row = _stored(platform, where, seed)
    _judge(platform, row)
    return promoter.promote(platform, TENANT, row.adapter_id, promoted_by="test")


def _shares(platform: Platform, share: float | None) -> None:
    with platform.database.session() as session:
        tenants.allow(session, TENANT, canary_share=share)


def _on_trial(platform: Platform) -> Canary | None:
    with platform.database.session() as session:
        return canaries.current(session, TENANT)


def test_without_a_name_the_one_before_comes_back_and_its_row_says_who(
    town: Platform, three: list[Adapter]
) -> None:
    back = promoter.rollback(town, TENANT, by="ana")
    assert (back.adapter_id, back.kind, back.promoted_by) == (three[1].adapter_id, "rollback", "ana")
    assert back.previous_adapter_id == three[2].adapter_id
    said = _shown(town)
    assert said is not None
    assert said.adapter_id == three[1].adapter_id


def test_rejected_ones_are_passed_over(town: Platform, three: list[Adapter]) -> None:
    _rejected(town, [three[1]])
    assert promoter.rollback(town, TENANT, by="ana").adapter_id == three[0].adapter_id


def test_with_no_older_one_left_standing_the_base_model_serves(town: Platform, three: list[Adapter]) -> None:
    _rejected(town, three[:2])
    back = promoter.rollback(town, TENANT, by="ana")
    assert (back.adapter_id, back.kind, back.promoted_by) == (None, "base", "ana")
    said = _shown(town)
    assert said is not None
    assert said.adapter_id == ""


def test_an_only_adapter_has_nothing_before_it_unless_it_was_rejected(town: Platform, tmp_path: Path) -> None:
    row = _stored(town, tmp_path)
    _serve(town, row)
    sentence = rf"^tenant {TENANT}: no older adapter to roll back to; 'base' is the base model$"
    with pytest.raises(Conflict, match=sentence):
        promoter.rollback(town, TENANT, by="ana")
    _rejected(town, [row])
    assert promoter.rollback(town, TENANT, by="ana").kind == "base"
    with pytest.raises(Conflict, match=sentence):
        promoter.rollback(town, TENANT, by="ana")


def test_an_adapter_that_came_back_is_older_than_what_followed_it(
    town: Platform, three: list[Adapter]
) -> None:
    """One, two, three, one again: before one there is nothing, as its first place counts."""
    promoter.rollback(town, TENANT, by="ana", to=three[0].adapter_id)
    with pytest.raises(Conflict):
        promoter.rollback(town, TENANT, by="ana")


def test_by_name_only_what_served_and_stands_comes_back(
    town: Platform, three: list[Adapter], tmp_path: Path
) -> None:
    _rejected(town, [three[0]])
    with pytest.raises(AdapterRevoked):
        promoter.rollback(town, TENANT, by="ana", to=three[0].adapter_id)
    never = _stored(town, tmp_path, 4)
    sentence = rf"^{never.adapter_id} was never in service: a rollback goes to one that was, or to the base$"
    with pytest.raises(NeverServed, match=sentence):
        promoter.rollback(town, TENANT, by="ana", to=never.adapter_id)
    with pytest.raises(ForeignTenant):
        promoter.rollback(town, OTHER, by="ana", to=three[1].adapter_id)
    with pytest.raises(NotFound):
        promoter.rollback(town, TENANT, by="ana", to=f"{TENANT}--0123456789abcdef")
    with pytest.raises(UnknownTenant):
        promoter.rollback(town, TenantId("nadie"), by="ana")
    assert _newest(town).adapter_id == three[2].adapter_id


def test_the_base_model_by_name_is_announced_and_refused_to_the_erased(
    town: Platform, three: list[Adapter]
) -> None:
    gone = promoter.rollback(town, TENANT, by="ana", to=promoter.BASE_MODEL)
    assert (gone.adapter_id, gone.kind, gone.promoted_by) == (None, "base", "ana")
    assert gone.previous_adapter_id == three[2].adapter_id
    said = _shown(town)
    assert said is not None
    assert said.adapter_id == ""
    town.vault.erase_tenant(TENANT)
    with pytest.raises(TenantErased):
        promoter.rollback(town, TENANT, by="ana", to=promoter.BASE_MODEL)


def test_a_champion_that_stands_is_not_withdrawn(town: Platform, three: list[Adapter]) -> None:
    assert promoter.withdraw_revoked(town, OTHER, by="gate") is None
    assert promoter.withdraw_revoked(town, TENANT, by="gate") is None
    assert _newest(town).adapter_id == three[2].adapter_id


def test_a_rejected_champion_goes_and_it_is_said_why(town: Platform, three: list[Adapter]) -> None:
    _rejected(town, [three[2]])
    with capture_logs() as logs:
        back = promoter.withdraw_revoked(town, TENANT, by="gate")
    assert back is not None
    assert (back.adapter_id, back.promoted_by, back.kind) == (three[1].adapter_id, "gate", "rollback")
    (line,) = [line for line in logs if line["event"] == "the champion was rejected"]
    assert (line["tenant_id"], line["adapter_id"], line["reason"], line["log_level"]) == (
        TENANT, three[2].adapter_id, "wer_gate: test", "warning",
    )  # fmt: skip


def test_a_withdrawal_goes_where_it_is_sent_or_past_what_was_rejected_too(
    town: Platform, three: list[Adapter]
) -> None:
    _rejected(town, [three[2]])
    back = promoter.withdraw_revoked(town, TENANT, by="gate", to=three[0].adapter_id)
    assert back is not None
    assert back.adapter_id == three[0].adapter_id


def test_a_withdrawal_sent_to_what_was_rejected_too_finds_its_own_way(
    town: Platform, three: list[Adapter]
) -> None:
    _rejected(town, [three[2], three[0]])
    back = promoter.withdraw_revoked(town, TENANT, by="gate", to=three[0].adapter_id)
    assert back is not None
    assert (back.adapter_id, back.promoted_by) == (three[1].adapter_id, "gate")


def test_a_withdrawal_with_a_promotion_in_between_still_ends_at_the_base_model(
    town: Platform, three: list[Adapter], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else happens, the rejected one does not go on serving."""
    _rejected(town, [three[2]])

    def overtaken(*_args: object, **_more: object) -> Promotion:
        raise Conflict("another promotion came in between")

    monkeypatch.setattr(promoter, "rollback", overtaken)
    back = promoter.withdraw_revoked(town, TENANT, by="gate")
    assert back is not None
    assert (back.kind, back.promoted_by, back.tenant_id) == ("base", "gate", TENANT)


def test_what_cannot_be_read_is_passed_over_on_the_way_back(town: Platform, three: list[Adapter]) -> None:
    first, second, third = (row.adapter_id for row in three)
    assert promoter.fall_back(town, OTHER, unsound=[third], by="verify") is None
    assert promoter.fall_back(town, TENANT, unsound=[first, second], by="verify") is None
    back = promoter.fall_back(town, TENANT, unsound=[second, third], by="verify")
    assert back is not None
    assert (back.adapter_id, back.promoted_by, back.kind) == (first, "verify", "rollback")


def test_where_nothing_sound_is_left_the_base_model_serves(town: Platform, three: list[Adapter]) -> None:
    back = promoter.fall_back(town, TENANT, unsound=[row.adapter_id for row in three], by="verify")
    assert back is not None
    assert (back.kind, back.promoted_by) == ("base", "verify")


def test_an_only_adapter_that_cannot_be_read_leaves_the_base_model(town: Platform, tmp_path: Path) -> None:
    row = _stored(town, tmp_path)
    _serve(town, row)
    back = promoter.fall_back(town, TENANT, unsound=[row.adapter_id], by="verify")
    assert back is not None
    assert back.kind == "base"


def test_a_share_of_all_or_of_none_is_no_trial(town: Platform, tmp_path: Path) -> None:
    for seed, share in ((1, 1.0), (2, 0.0)):
        _shares(town, share)
        _promoted(town, tmp_path, seed)
        assert _on_trial(town) is None


def test_a_trial_leaves_the_others_what_served_before_it_unless_that_was_rejected(
    town: Platform, three: list[Adapter], tmp_path: Path
) -> None:
    _shares(town, 0.25)
    promoted = _promoted(town, tmp_path, 4)
    trial = _on_trial(town)
    assert trial is not None
    assert (trial.share, trial.stable_adapter_id) == (0.25, three[2].adapter_id)
    assert promoted.adapter_id is not None
    again = promoter.promote(town, TENANT, promoted.adapter_id, promoted_by="test")
    assert again.promotion_id == promoted.promotion_id, "one that is on trial already begins no other"
    _promoted(town, tmp_path, 5)
    trial = _on_trial(town)
    assert trial is not None
    assert trial.stable_adapter_id == three[2].adapter_id, "what is on trial has not proved itself"
    _rejected(town, [three[2]])
    _promoted(town, tmp_path, 6)
    trial = _on_trial(town)
    assert trial is not None
    assert trial.stable_adapter_id is None


def test_one_that_comes_back_from_under_a_trial_is_no_trial_of_itself(
    town: Platform, three: list[Adapter], tmp_path: Path
) -> None:
    _shares(town, 0.25)
    _promoted(town, tmp_path, 4)
    _judge(town, three[2])
    promoter.promote(town, TENANT, three[2].adapter_id, promoted_by="test")
    assert _on_trial(town) is None


def test_a_rollback_begins_no_trial(town: Platform, three: list[Adapter]) -> None:
    _shares(town, 0.25)
    promoter.rollback(town, TENANT, by="ana")
    assert _on_trial(town) is None


def test_an_adapter_after_the_base_model_is_tried_beside_the_base_model(
    town: Platform, tmp_path: Path
) -> None:
    _shares(town, 0.25)
    _promoted(town, tmp_path, 1)
    trial = _on_trial(town)
    assert trial is not None
    assert (trial.share, trial.stable_adapter_id) == (0.25, None)


def test_the_alias_is_asked_for_only_where_an_adapter_serves_and_is_not_shown_yet(
    town: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = {
        TENANT: _serve(town, _stored(town, tmp_path)),
        OTHER: _serve(town, _stored(town, tmp_path, 2, OTHER)),
    }
    asked: list[TenantId] = []
    monkeypatch.setattr(model_versions, "set_alias", lambda _platform, tenant_id: asked.append(tenant_id))
    assert promoter.repair_aliases(town, {}) == numbers
    assert sorted(asked) == sorted(numbers)
    asked.clear()
    assert promoter.repair_aliases(town, {str(TENANT): numbers[TENANT], OTHER: 0}) == numbers
    assert asked == [OTHER]
    asked.clear()
    with town.database.session() as session:
        promotions.add_base(session, OTHER, promoted_by="test")
        served = promotions.served(session)
    assert promoter.repair_aliases(town, {}, served) == {TENANT: numbers[TENANT]}
    assert promoter.repair_aliases(town, {}, {}) == {}
    assert asked == [TENANT]


def test_the_third_alias_that_fails_ends_the_round_and_each_is_logged(
    town: Platform, tmp_path: Path, make_tenant: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(make_tenant)
    names = [TenantId(f"pueblo-{number}") for number in range(5)]
    numbers = {}
    for seed, name in enumerate(names, start=1):
        make_tenant(str(name))
        numbers[name] = _serve(town, _stored(town, tmp_path, seed, name))
    asked: list[TenantId] = []

    def away(_platform: Platform, tenant_id: TenantId) -> None:
        asked.append(tenant_id)
        raise Unavailable("MLflow does not answer")

    monkeypatch.setattr(model_versions, "set_alias", away)
    with capture_logs() as logs:
        assert promoter.repair_aliases(town, {names[0]: numbers[names[0]]}) == {names[0]: numbers[names[0]]}
    assert len(asked) == 3
    assert [(line["event"], line["tenant_id"], line["error"]) for line in logs] == [
        ("alias not set; it will be later", name, "MLflow does not answer") for name in asked
    ]
    orders = set()
    for _ in range(30):
        asked.clear()
        promoter.repair_aliases(town, {})
        orders.add(tuple(asked))
    assert len({name for order in orders for name in order}) == 5, "not always the same few are tried"


def test_a_follower_that_is_away_is_logged_and_holds_back_no_rollback(
    town: Platform, three: list[Adapter], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_platform: Platform, _tenant_id: TenantId) -> None:
        raise Unavailable("it does not answer")

    monkeypatch.setattr(announcing, "announce", away)
    with capture_logs() as logs:
        assert promoter.rollback(town, TENANT, by="ana").adapter_id == three[1].adapter_id
    (line,) = logs
    assert (line["event"], line["tenant_id"], line["error"], line["log_level"]) == (
        "promoted; a follower is away and will be set later", TENANT, "it does not answer", "warning",
    )  # fmt: skip
