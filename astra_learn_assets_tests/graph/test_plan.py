"""What becomes of a training whose run is gone."""

from __future__ import annotations

from datetime import timedelta

from astra_learn_assets.learning.training.plan import LAUNCH_GRACE, verdict_on_unfinished


def test_a_training_whose_run_was_never_launched_is_given_up_after_the_grace_time() -> None:
    assert verdict_on_unfinished("unknown", LAUNCH_GRACE) is None
    assert "no run was launched" in (
        verdict_on_unfinished("unknown", LAUNCH_GRACE + timedelta(seconds=1)) or ""
    )


def test_a_failed_run_ends_its_training_at_once() -> None:
    assert verdict_on_unfinished("failed", timedelta()) is not None


def test_a_run_that_materialized_only_a_part_ends_its_training_too() -> None:
    assert verdict_on_unfinished("succeeded", timedelta()) is not None


def test_an_active_run_is_left_alone_however_long_it_takes() -> None:
    assert verdict_on_unfinished("active", timedelta(days=3)) is None
