"""Figures of the learning's stages: what is counted, what waits, and that nobody's id is in them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from astra_learn_assets.platform import Platform
from astra_learn_assets.store import stage_figures, subscriptions, tenants
from astra_learn_assets.store.db import PLATFORM_SCOPE, Database
from astra_learn_assets.store.learning_tables import LearningState
from astra_learn_assets.store.stage_figures import BOUNDS, RESULTS
from astra_learn_assets.store.tables import Artifact, Document, Outbox, Session, TrainingRun
from astra_learn_assets_tests.conftest import MakeTenant

TENANT = "villaverde"


def _note(platform: Platform, *ends: tuple[str, str, float]) -> None:
    with platform.database.session() as session:
        for end in ends:
            stage_figures.note(session, *end)


def test_ends_are_counted_by_stage_and_result_in_buckets_that_hold_what_is_below_them(
    platform: Platform, api: Database
) -> None:
    _note(
        platform, ("lora_adapter", "done", 0.1), ("lora_adapter", "done", 0.11),
        ("lora_adapter", "done", 1e9),
        ("lora_adapter", "failed", -3.0), ("document_diffs", "compared", 2.0),
    )  # fmt: skip
    with api.session() as session:
        found = stage_figures.tallies(session)
    assert [(one.stage, one.result) for one in found] == [
        ("document_diffs", "compared"), ("lora_adapter", "done"), ("lora_adapter", "failed"),
    ]  # fmt: skip
    done = found[1]
    assert done.cumulative == (1, *[2] * (len(BOUNDS) - 2), 3)
    assert done.seconds == pytest.approx(1e9 + 0.21)
    assert (found[2].cumulative[0], found[2].seconds) == (1, 0.0), "a clock put back takes no time"


def test_a_result_that_is_none_of_the_list_is_refused_so_labels_stay_few(platform: Platform) -> None:
    for stage, result in (("lora_adapter", "villaverde"), ("swap", "failed")):
        with pytest.raises(ValueError, match="does not end as"):
            _note(platform, (stage, result, 1.0))
    with pytest.raises(KeyError):
        _note(platform, ("somewhere", "done", 1.0))


def test_many_processes_add_to_the_same_rows(platform: Platform) -> None:
    with platform.database.session() as one, platform.database.session() as other:
        stage_figures.note(one, "pii_gate", "passed", 1.0)
        stage_figures.note(other, "wer_gate", "passed", 1.0)
        one.commit()
        stage_figures.note(other, "pii_gate", "passed", 1.0)
    with platform.database.session() as session:
        assert [one.cumulative[-1] for one in stage_figures.tallies(session)] == [2, 1]


def test_names_fit_their_columns() -> None:
    for stage, results in RESULTS.items():
        assert len(stage) <= 20
        assert all(len(result) <= 12 for result in results)
    assert BOUNDS[-1] == math.inf


@pytest.fixture
def busy(platform: Platform, make_tenant: MakeTenant) -> None:
    """Of one municipality something that waits for each, an hour old, and of one that is gone the same."""
    ago = datetime.now(UTC) - timedelta(hours=1)
    for tenant in (TENANT, "gone"):
        make_tenant(tenant)
        of: dict[str, Any] = {"tenant_id": tenant, "created_at": ago}
        with platform.database.session() as session:
            session.add(Session(tenant_id=tenant, session_id="s", version=1))
            session.flush()
            for name in ("a", "b", "c", "d", "e"):
                final = {"session_id": "s", "version": 1, "kind": "final", "uri": "x", "sha256": name * 64}
                session.add(Artifact(**of, **final, artifact_id=name))
            session.flush()
            rows: list[dict[str, Any]] = [
                {"state": "compared"},
                {"state": "anonymized", "pairs_sha256": "b" * 64, "pii_policy": "p"},
                {"state": "quarantined"},
                {"state": "quarantined", "review": "dropped"},
            ]
            for name, row in zip("bcde", rows, strict=True):
                session.add(Document(**of, document_id=name, artifact_id=name, **row))
            for number, state in enumerate(("queued", "training")):
                run = {"run_id": f"{tenant}-{number}", "attempt": 1, "through_seq": number, "state": state}
                session.add(TrainingRun(**of, **run))
            session.add(
                LearningState(
                    tenant_id=tenant, lane="learn", code="below", reason="x", rules="r",
                    facts={"pending": 7, "oldest": ago.isoformat()},
                )
            )  # fmt: skip
            session.add(Outbox(**of, channel="x", payload={}))
            subscriptions.add(
                session, tenant, kind="webhook", address="https://x.example/", events=["hold"],  # type: ignore[arg-type]
                subscription_id="sub-1", sealed_secret=None,
            )  # fmt: skip
            subscriptions.tell(session, tenant, "hold", {})  # type: ignore[arg-type]
            session.flush()
            session.execute(sa.update(Outbox).values(created_at=ago))
    with platform.database.session() as session:
        tenants.retire(session, "gone", now=datetime.now(UTC))  # type: ignore[arg-type]


@pytest.mark.usefixtures("busy")
def test_what_waits_is_counted_for_those_that_stand_and_told_to_the_api(
    api: Database, platform: Platform
) -> None:
    with api.session() as session:
        found = {one.stage: one for one in stage_figures.waiting(session)}
    assert {name: one.count for name, one in found.items()} == {
        "document_diffs": 1, "anonymized_pairs": 1, "pii_gate": 1, "review": 1, "training_corpus": 7,
        "lora_adapter": 1, "event": 2, "notice": 2,
    }  # fmt: skip
    assert all(3_500 < one.oldest_seconds < 3_800 for one in found.values())
    with platform.database.session() as session:
        tenants.pause(session, TENANT, "x", datetime.now(UTC))  # type: ignore[arg-type]
    with api.session() as session:
        assert {one.stage: one.count for one in stage_figures.waiting(session)}["lora_adapter"] == 0


def test_where_nothing_waits_every_figure_is_nought(api: Database) -> None:
    with api.session() as session:
        found = stage_figures.waiting(session)
    assert [(one.count, one.oldest_seconds) for one in found] == [(0, 0.0)] * len(stage_figures.WAITING)


@pytest.mark.usefixtures("busy")
def test_the_api_reads_numbers_alone_and_not_the_table_they_lie_in(api: Database) -> None:
    for scope in (TENANT, PLATFORM_SCOPE, ""):
        for statement in (
            "SELECT * FROM stage_tallies",
            "INSERT INTO stage_tallies (stage, result, le) VALUES ('x', 'x', 1)",
        ):
            with pytest.raises(sa.exc.ProgrammingError), api.of(scope).session() as session:
                session.execute(sa.text(statement))
    with api.session() as session:
        for name in ("astra_stage_figures", "astra_stages_waiting"):
            for row in session.execute(sa.text(f"SELECT * FROM {name}()")):
                assert TENANT not in str(row)


def test_a_table_of_the_callers_own_is_not_read_in_place_of_ours(platform: Platform) -> None:
    with platform.database.session() as session:
        session.execute(sa.text("CREATE TEMP TABLE stage_tallies (stage text, result text, le float8)"))
        session.execute(sa.text("CREATE TEMP TABLE documents (state text)"))
        assert stage_figures.tallies(session) == []
        assert stage_figures.waiting(session)[0].count == 0
        session.rollback()
