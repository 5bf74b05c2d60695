"""What becomes of a training whose run is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from astra_learn_assets.contracts import Fault
from astra_learn_assets.learning.training.plan import LAUNCH_GRACE, Fate, Unfinished, verdict

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def row(state: str = "training", age: timedelta = timedelta(days=3)) -> Unfinished:
    return Unfinished("villaverde-9-1", "villaverde", state, None, 9, 1, NOW - age)


def test_a_training_whose_run_was_never_launched_is_never_given_up() -> None:
    assert verdict(row("queued", timedelta(days=30)), Fate("unknown"), NOW) is None


def test_a_training_under_way_whose_run_is_gone_is_given_up_after_the_grace_time() -> None:
    assert verdict(row(age=LAUNCH_GRACE), Fate("unknown"), NOW) is None
    end = verdict(row(age=LAUNCH_GRACE + timedelta(seconds=1)), Fate("unknown"), NOW)
    assert end is not None
    assert end.fault == "worker"


@pytest.mark.parametrize("fault", ["examples", "worker", "capacity", "permanent"])
def test_a_failed_run_ends_its_training_at_once_by_its_fault(fault: Fault) -> None:
    end = verdict(row(age=timedelta()), Fate("failed", fault, "why"), NOW)
    assert end is not None
    assert (end.fault, end.reason) == (fault, "why")


def test_a_run_that_materialized_only_a_part_ends_its_training_too() -> None:
    assert verdict(row(age=timedelta()), Fate("succeeded"), NOW) is not None


def test_an_active_run_is_left_alone_however_long_it_takes() -> None:
    assert verdict(row(), Fate("active"), NOW) is None
