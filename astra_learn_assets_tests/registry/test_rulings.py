"""No way round the gate: what is not signed, not of today, or was rejected since, is never served."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from astra_learn_assets.contracts import AdapterManifest, GateVerdict, NewModelAvailable
from astra_learn_assets.errors import AdapterRevoked, GateRefused, NotFound, SealBroken
from astra_learn_assets.learning import announcing, promoter, rulings
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry import seals
from astra_learn_assets.store import erasure, paths, promotions, verdicts
from astra_learn_assets.store.tables import Adapter, Verdict
from astra_learn_assets_tests.registry.builders import OTHER_KEY
from astra_learn_assets_tests.registry.test_promoter import (
    TENANT,
    _announced,
    _current,
    _judge,
    _promoted,
    _publish,
)
from astra_learn_assets_tests.serving.real_adapters import store_of


def _promote(platform: Platform, row: Adapter) -> None:
    promoter.promote(platform, TENANT, row.adapter_id, promoted_by="test")


def _newest(platform: Platform, gate: str, row: Adapter) -> GateVerdict:
    with platform.database.session() as session:
        found = verdicts.latest(session, TENANT, gate, row.digest)
    assert found is not None
    return found


@pytest.mark.parametrize("gate", ["adapter_gate", "wer_gate"])
def test_a_verdict_that_somebody_inserted_promotes_nothing(town: Platform, tmp_path: Path, gate: str) -> None:
    row = _publish(town, tmp_path)
    _judge(town, row)
    forged = _newest(town, gate, row)
    foreign = seals.seal(OTHER_KEY, "verdict", forged.model_dump(mode="json"))
    for signature in (None, "00" * 64, "nonsense", foreign):
        with town.database.session() as session:
            verdicts.record(session, forged, signature=signature)
        with pytest.raises(SealBroken, match=gate):
            _promote(town, row)
    assert _current(town) is None


def test_a_signature_of_another_verdict_is_none(town: Platform, tmp_path: Path) -> None:
    row, other = _publish(town, tmp_path, 1), _publish(town, tmp_path, 2)
    _judge(town, row)
    _judge(town, other, wer=False)
    with town.database.session() as session:
        stolen = verdicts.signature_of_latest(session, TENANT, "wer_gate", row.digest)
        passed = _newest(town, "wer_gate", row).model_copy(update={"digest": other.digest})
        verdicts.record(session, passed, signature=stolen)
    with pytest.raises(SealBroken):
        _promote(town, other)


def test_a_verdict_cannot_be_edited_in_the_table(town: Platform, tmp_path: Path) -> None:
    row = _publish(town, tmp_path)
    _judge(town, row)
    edited = _newest(town, "wer_gate", row)
    with town.database.session() as session:
        signature = verdicts.signature_of_latest(session, TENANT, "wer_gate", row.digest)
        changed = edited.model_copy(update={"details": {**edited.details, "champion_digest": "f" * 64}})
        verdicts.record(session, changed, signature=signature)
    with pytest.raises(SealBroken):
        _promote(town, row)


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ({"gate_version": 1}, "by another version of the gate"),
        ({"dataset_hash": "e" * 64}, "as trained on another corpus"),
        ({"base": "base-es@other"}, "on another base model"),
        ({"champion_digest": "e" * 64}, "against another champion"),
        ({"best_digest": "e" * 64}, "against another best adapter"),
        ({"golden_hash": "e" * 64}, "on a golden set that is not stored"),
    ],
)
def test_a_verdict_counts_only_for_what_it_was_reached_with(
    town: Platform,
    tmp_path: Path,
    details: dict[str, object],
    words: str,
) -> None:
    row = _publish(town, tmp_path)
    _judge(town, row, **details)
    with pytest.raises(GateRefused, match=words):
        _promote(town, row)
    assert _current(town) is None


def test_a_later_rejection_revokes_and_what_served_before_comes_back(
    town: Platform,
    tmp_path: Path,
) -> None:
    first, second = (_promoted(town, tmp_path, seed) for seed in (1, 2))
    assert promoter.withdraw_revoked(town, TENANT, by="test") is None
    _judge(town, second, wer=False)
    withdrawn = promoter.withdraw_revoked(town, TENANT, by="wer_gate")
    assert withdrawn is not None
    assert _current(town) == first.adapter_id
    assert store_of(town, tmp_path / "core").current(TENANT).adapter_id == first.adapter_id
    with pytest.raises(AdapterRevoked):
        promoter.rollback(town, TENANT, by="ana", to=second.adapter_id)
    with pytest.raises(GateRefused):
        _promote(town, second)


def test_when_everything_is_revoked_the_base_model_serves(town: Platform, tmp_path: Path) -> None:
    row = _promoted(town, tmp_path, 1)
    core = store_of(town, tmp_path / "core")
    assert core.current(TENANT).adapter_id == row.adapter_id
    _judge(town, row, adapter=False)
    promoter.withdraw_revoked(town, TENANT, by="adapter_gate")
    assert _current(town) is None
    said = _announced(town)
    assert said is not None
    assert said.adapter_id == ""
    with pytest.raises(NotFound, match="use the base model"):
        core.current(TENANT)
    assert announcing.republish(town) == 0
    with pytest.raises(AdapterRevoked):
        promoter.rollback(town, TENANT, by="ana", to=row.adapter_id)


def test_a_person_can_go_back_to_the_base_model_and_forward_again(town: Platform, tmp_path: Path) -> None:
    row = _promoted(town, tmp_path, 1)
    gone = promoter.rollback(town, TENANT, by="ana", to="base")
    assert (gone.kind, gone.previous_adapter_id) == ("base", row.adapter_id)
    assert _current(town) is None
    promoter.rollback(town, TENANT, by="ana", to=row.adapter_id)
    assert _current(town) == row.adapter_id
    with town.database.session() as session:
        assert [item.adapter_id for item in promotions.history(session, TENANT)] == [row.adapter_id] * 2


def test_a_set_that_is_too_small_revokes_nothing(town: Platform, tmp_path: Path) -> None:
    row = _promoted(town, tmp_path, 1)
    _judge(town, row, wer=False, outcome="hold")
    with town.database.session() as session:
        assert rulings.revocation(session, row) is None
    assert promoter.withdraw_revoked(town, TENANT, by="test") is None
    assert _current(town) == row.adapter_id


def test_a_rejection_that_lands_between_check_and_commit_is_seen(
    town: Platform,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = _publish(town, tmp_path)
    _judge(town, row)
    read: Callable[[Platform, str, str], AdapterManifest] = promoter.fetch_verified

    def rejected_meanwhile(platform: Platform, tenant_id: str, adapter_id: str) -> AdapterManifest:
        _judge(platform, row, wer=False)
        return read(platform, tenant_id, adapter_id)

    monkeypatch.setattr(promoter, "fetch_verified", rejected_meanwhile)
    with pytest.raises(GateRefused, match="wer_gate refused"):
        _promote(town, row)
    assert _current(town) is None
    assert _announced(town) is None


def test_an_adapter_put_into_the_table_by_hand_is_announced_and_not_more(
    town: Platform,
    tmp_path: Path,
) -> None:
    """Whoever can write the promotions and has no key brings nothing to CORE."""
    served, never = _promoted(town, tmp_path, 1), _publish(town, tmp_path, 2)
    forged = NewModelAvailable(
        tenant_id=TENANT, adapter_id=never.adapter_id, sha256=never.digest, base_model=never.base_model,
        promoted_at=_announced(town).promoted_at,  # type: ignore[union-attr]
    )  # fmt: skip
    core = store_of(town, tmp_path / "core")
    assert core.current(TENANT).adapter_id == served.adapter_id
    town.redis.set(announcing.redis_key(TENANT), forged.model_dump_json())
    assert core.current(TENANT).adapter_id == served.adapter_id
    assert store_of(town, tmp_path / "core").current(TENANT).adapter_id == served.adapter_id
    assert announcing.republish(town) == 1


def test_the_record_of_a_tenant_that_was_erased_says_that_nothing_serves(
    town: Platform,
    tmp_path: Path,
) -> None:
    _promoted(town, tmp_path, 1)
    core = store_of(town, tmp_path / "core")
    core.current(TENANT)
    with town.database.session() as session:
        erasure.erase_rows(session, TENANT, actor="test")
    for prefix in paths.tenant_prefixes(TENANT):
        town.objects.delete_prefix(prefix)
    announcing.republish(town)
    for one in (core, store_of(town, tmp_path / "core")):
        with pytest.raises(NotFound):
            one.current(TENANT)
    assert not (tmp_path / "core" / TENANT).exists()
    assert not town.objects.exists(paths.promotion_record(TENANT))


def test_numbers_keep_their_signature_through_the_database(town: Platform, tmp_path: Path) -> None:
    row = _publish(town, tmp_path)
    _judge(town, row, one=1, half=0.5, tiny=1e-12, whole=2.0, huge=-1e9, none=None, yes=True)
    with town.database.session() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Verdict)) == 2
        assert rulings.require_passed(town, session, TENANT, "wer_gate", row.digest).passed
