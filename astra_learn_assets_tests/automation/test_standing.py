"""Who is stuck."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from astra_learn_assets.learning.standing import Standing, standing, stuck
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import trainings
from astra_learn_assets_tests.conftest import MakeTenant

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def row(what: str, code: str, hours: float, **more: object) -> Standing:
    return replace(Standing("villaverde", what, code, NOW - timedelta(hours=hours), "why"), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (row("learn", "threshold", 0.9), None),
        (row("learn", "threshold", 1.1), "is to start and does not"),
        (row("learn", "age", 1.1), "is to start and does not"),
        (row("learn", "attempts", 0), "until a person has looked"),
        (row("learn", "permanent", 0), "until a person has looked"),
        (row("prepare", "waiting", 23), None),
        (row("prepare", "waiting", 25), "are not prepared"),
        (row("training", "queued", 47), None),
        (row("training", "queued", 49), "waits in the queue"),
        (row("training", "queued", 9, patience_hours=4.0), "waits in the queue"),
        (row("training", "training", 30, alive_at=NOW - timedelta(minutes=29)), None),
        (row("training", "training", 30, alive_at=NOW - timedelta(minutes=31)), "no sign of life"),
        (row("training", "evaluating", 1), "no sign of life"),
        (row("change", "learn", 0.2), None),
        (row("change", "prepare", 0.3), "is the daemon running?"),
    ],
)
def test_a_tenant_is_stuck_when_nothing_moves_it_any_more(known: Standing, said: str | None) -> None:
    found = stuck([known], NOW)
    assert bool(found) is (said is not None)
    if said is not None:
        assert said in found[0].what
        assert found[0].tenant_id == "villaverde"


def test_the_longest_waiting_comes_first() -> None:
    rows = [row("learn", "attempts", 1), row("learn", "attempts", 5), row("learn", "attempts", 3)]
    assert [(NOW - one.since).total_seconds() / 3600 for one in stuck(rows, NOW)] == [5, 3, 1]


def test_what_the_store_holds_is_asked_in_one_statement(platform: Platform, make_tenant: MakeTenant) -> None:
    make_tenant("villaverde")
    make_tenant("rio-claro")
    with platform.database.session() as session:
        trainings.start(session, "villaverde", through_seq=5, attempt=1, dagster_run_id=None)
        found = standing(session)
        assert {(one.tenant_id, one.what) for one in found} == {
            ("villaverde", "training"),
            ("villaverde", "change"),
            ("rio-claro", "change"),
        }
        assert not stuck(found, datetime.now(UTC))
        assert len(stuck(found, datetime.now(UTC) + timedelta(days=3))) == 5
        session.execute(sa.text("UPDATE tenants SET paused_at = now() WHERE tenant_id = 'villaverde'"))
        assert "training" not in {one.what for one in standing(session)}
