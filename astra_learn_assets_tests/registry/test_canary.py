"""A new adapter tried with a share of the sessions: told, attributed, finished or taken back by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from astra_learn_assets.automation import sensors
from astra_learn_assets.contracts import NewModelAvailable
from astra_learn_assets.errors import AdapterRevoked, BadInput, ForeignTenant, InvalidId, NotFound
from astra_learn_assets.hotpath import drafts
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import announcing, promoter, status, trials
from astra_learn_assets.platform import Platform
from astra_learn_assets.serving.session_share import is_chosen
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import artifacts, canaries, erasure, promotions, subscriptions, tenants
from astra_learn_assets.store.learning_tables import Canary
from astra_learn_assets.store.tables import Adapter, Artifact, Document, Outbox
from astra_learn_assets_tests.registry.test_promoter import _judge, _publish
from astra_learn_assets_tests.serving.real_adapters import store_of

TENANT = TenantId("villaverde")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"mlflow_tracking_uri": None, "canary_share": 0.25})


def _promote(platform: Platform, where: Path, seed: int) -> Adapter:
    row = _publish(platform, where, seed)
    _judge(platform, row)
    promoter.promote(platform, TENANT, row.adapter_id, promoted_by="test")
    return row


def _told(platform: Platform) -> NewModelAvailable:
    return NewModelAvailable.model_validate_json(str(platform.redis.get(announcing.redis_key(TENANT))))


def _serving(platform: Platform) -> str | None:
    with platform.database.session() as session:
        row = promotions.current(session, TENANT)
        return row.adapter_id if row else None


def _corrected(platform: Platform, adapter: str, rates: Sequence[float], *, state: str = "compared") -> None:
    """A drafted, corrected and compared session for each share of corrected words."""
    with platform.database.session() as session:
        first = session.scalar(sa.select(sa.func.count()).select_from(Artifact)) or 0
        for number, rate in enumerate(rates, start=first):
            place = {"session_id": f"pleno-{number}", "version": 1}
            artifacts.register_session(session, TENANT, **place)
            made = []
            for kind in ("generated", "final"):
                digest = hashlib.sha256(f"{kind}-{number}".encode()).hexdigest()
                row, _ = artifacts.add_artifact(
                    session,
                    TENANT,
                    kind=kind,
                    uri=f"x/{digest}",
                    sha256=digest,
                    adapter_id=adapter if kind == "generated" else None,
                    **place,
                )
                made.append(row)
            made[1].base_id = made[0].artifact_id
            session.add(
                Document(
                    tenant_id=TENANT,
                    document_id=made[1].artifact_id,
                    artifact_id=made[1].artifact_id,
                    state=state,
                    metrics={"wer": rate, "confidence": 1.0},
                )
            )
            session.flush()


def test_the_announcement_names_the_share_and_what_the_others_keep(town: Platform, tmp_path: Path) -> None:
    first, second = (_promote(town, tmp_path, seed) for seed in (1, 2))
    said = _told(town)
    assert said.adapter_id == second.adapter_id
    assert said.canary is not None
    # the first one never proved itself either, so the others keep what the first trial left them: the base
    assert (said.canary.share, said.canary.stable_adapter_id) == (0.25, "")
    assert first.adapter_id != second.adapter_id
    store = store_of(town, tmp_path / "core")
    chosen = {name for name in map(str, range(200)) if is_chosen(name, second.adapter_id, 0.25)}
    assert 30 <= len(chosen) <= 70
    for name in map(str, range(20)):
        if name in chosen:
            assert store.current(TENANT, name).adapter_id == second.adapter_id
        else:
            with pytest.raises(NotFound, match="base model"):
                store.current(TENANT, name)
    assert store.current(TENANT).adapter_id == second.adapter_id


def test_one_that_is_as_good_gets_every_session(town: Platform, tmp_path: Path) -> None:
    row = _promote(town, tmp_path, 1)
    with town.database.session() as session:
        champion = status.status_in(session, town.settings, TENANT).champion
    assert champion is not None
    assert champion.canary_share == 0.25
    _corrected(town, promotions.BASE, [0.09, 0.1, 0.11, 0.1, 0.09])
    _corrected(town, row.adapter_id, [0.05, 0.06, 0.05, 0.04])
    assert trials.judge_all(town) == 0
    _corrected(town, row.adapter_id, [0.05])
    told = sensors.follow(town, None)
    assert "1 trials of adapters ended" in str(told.skip_reason)
    assert _told(town).canary is None
    assert _told(town).adapter_id == row.adapter_id
    with town.database.session() as session:
        (ended,) = session.scalars(sa.select(Canary))
        assert ended.outcome == "finished"
        assert ended.details["points"] == pytest.approx(-4.8)
        assert canaries.current(session, TENANT) is None
    assert trials.judge_all(town) == 0


def test_one_that_is_worse_is_taken_back_and_never_promoted_again(town: Platform, tmp_path: Path) -> None:
    good = _promote(town, tmp_path, 1)
    assert trials.judge_all(town, datetime.now(UTC) + timedelta(days=60)) == 1  # nobody spoke against it
    bad = _promote(town, tmp_path, 2)
    said = _told(town)
    assert said.canary is not None
    assert said.canary.stable_adapter_id == good.adapter_id
    _corrected(town, good.adapter_id, [0.05, 0.06, 0.05])
    _corrected(town, bad.adapter_id, [0.15, 0.16, 0.15])
    _corrected(town, bad.adapter_id, [0.0] * 9, state="quarantined")  # doubtful comparisons say nothing
    sensors.follow(town, None)
    assert _serving(town) == good.adapter_id
    assert (_told(town).adapter_id, _told(town).canary) == (good.adapter_id, None)
    with pytest.raises(AdapterRevoked):
        promoter.rollback(town, TENANT, by="ana", to=bad.adapter_id)


def test_a_rejection_whose_process_ended_before_the_withdrawal_is_finished_by_the_next_tick(
    town: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = _promote(town, tmp_path, 1)
    _corrected(town, promotions.BASE, [0.05, 0.06, 0.05])
    _corrected(town, bad.adapter_id, [0.15, 0.16, 0.15])
    with monkeypatch.context() as patched:
        patched.setattr(promoter, "withdraw_revoked", _killed)
        with pytest.raises(SystemExit):
            trials.judge_all(town)
    assert _serving(town) == bad.adapter_id
    sensors.follow(town, None)
    assert _serving(town) is None
    assert _told(town).adapter_id == ""


def _killed(*_args: object, **_more: object) -> None:
    raise SystemExit(9)


def test_another_promotion_or_a_rollback_ends_a_trial(town: Platform, tmp_path: Path) -> None:
    first = _promote(town, tmp_path, 1)
    trials.judge_all(town, datetime.now(UTC) + timedelta(days=60))
    second = _promote(town, tmp_path, 2)
    third = _promote(town, tmp_path, 3)
    said = _told(town)
    assert said.canary is not None
    assert (said.adapter_id, said.canary.stable_adapter_id) == (third.adapter_id, first.adapter_id)
    _corrected(town, first.adapter_id, [0.05, 0.06, 0.05])
    _corrected(town, second.adapter_id, [0.5, 0.5, 0.5])  # whose trial is over
    assert trials.judge_all(town) == 0
    promoter.rollback(town, TENANT, by="ana", to=first.adapter_id)
    assert _told(town).canary is None
    assert trials.judge_all(town, datetime.now(UTC) + timedelta(days=60)) == 0


def test_what_is_to_be_forgotten_serves_no_share_either(town: Platform, tmp_path: Path) -> None:
    first = _promote(town, tmp_path, 1)
    trials.judge_all(town, datetime.now(UTC) + timedelta(days=60))
    _promote(town, tmp_path, 2)
    with town.database.session() as session:
        served = promotions.served(session, TENANT)[TENANT]
    assert served.stable is not None
    assert served.stable.adapter_id == first.adapter_id
    said = announcing._shared(promotions.Served(**{**vars(served), "forgotten": (first.adapter_id,)}))
    assert said is not None
    assert said.stable_adapter_id == ""


def test_a_municipality_has_its_own_share_and_none_means_all_at_once(town: Platform, tmp_path: Path) -> None:
    for share, told in ((0.5, 0.5), (1.0, None), (0.0, None), (None, 0.25)):
        with town.database.session() as session:
            tenants.allow(session, TENANT, canary_share=share)
        _promote(town, tmp_path, int(10 * (share or 0)) + (share is None) + 20)
        trial = _told(town).canary
        assert (trial.share if trial else None) == told
    with town.database.session() as session, pytest.raises(BadInput, match="0 to 1"):
        tenants.allow(session, TENANT, canary_share=1.5)


def test_an_erased_municipality_has_no_trial(town: Platform, tmp_path: Path) -> None:
    _promote(town, tmp_path, 1)
    with town.database.session() as session:
        erasure.erase_rows(session, TENANT, actor="cli")
    with town.database.session() as session:
        assert canaries.trials(session) == []
    assert trials.judge_all(town) == 0


@pytest.mark.parametrize(
    ("adapter", "error"),
    [
        ("otra-villa--0123456789abcdef", ForeignTenant),
        ("villaverde--0123456789abcdef", NotFound),
        ("../x", InvalidId),
    ],
)
def test_a_draft_by_an_adapter_that_is_not_the_municipalitys_is_refused(
    town: Platform, adapter: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        drafts.register_draft(
            town,
            tenant_id=TENANT,
            session_id="pleno-1",
            version=1,
            docx=b"never looked at",
            manifest=b"{}",
            adapter_id=adapter,
        )


def test_one_that_fails_its_trial_is_told_as_a_rollback_and_not_as_a_rejection(
    town: Platform, tmp_path: Path
) -> None:
    with town.database.session() as session:
        subscriptions.add(
            session,
            TENANT,
            kind="email",
            address="secretaria@villaverde.example",
            events=subscriptions.EVENTS,
            subscription_id=subscriptions.new_id(),
            sealed_secret=None,
        )
    bad = _promote(town, tmp_path, 1)
    _corrected(town, promotions.BASE, [0.05, 0.06, 0.05])
    _corrected(town, bad.adapter_id, [0.15, 0.16, 0.15])
    sensors.follow(town, None)
    with town.database.session() as session:
        told = sa.select(Outbox.channel, Outbox.payload).where(Outbox.subscription_id.is_not(None))
        rows = list(session.execute(told.order_by(Outbox.event_id)))
    assert [row.channel for row in rows] == ["promotion", "rollback"]
    assert rows[1].payload["before"] == bad.adapter_id
