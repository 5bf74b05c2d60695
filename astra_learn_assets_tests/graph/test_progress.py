"""How far a training is, and that `training` means that a process is alive."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from astra_learn_assets.learning import status
from astra_learn_assets.learning.training import process, progress
from astra_learn_assets.learning.training import run as training_run
from astra_learn_assets.learning.training.run import Step
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import signs, trainings
from astra_learn_assets.store.learning_tables import TrainingProgress
from astra_learn_assets_tests.conftest import MakeTenant

TENANT = "villaverde"


@pytest.fixture
def training(
    platform: Platform, make_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
) -> training_run.Training:
    monkeypatch.setattr(progress, "SIGN_SECONDS", 0.05)
    make_tenant(TENANT)
    with platform.database.session() as session:
        row = trainings.start(session, TENANT, through_seq=30, attempt=1, dagster_run_id=None)
    step = Step(TENANT, "run-1", row.run_id)
    training_run.begin(
        platform, step, through_seq=30, dataset_hash="a" * 64, golden_hash="g" * 64, examples=30
    )
    return training_run.of_step(platform, step)


def shown(platform: Platform) -> status.LearningStatus:
    return status.learning_status(platform, TENANT)


def wait_for(platform: Platform, step: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = shown(platform).progress
        if found is not None and found.step == step:
            return
        time.sleep(0.05)
    raise AssertionError(f"step {step} was never shown")


def test_the_store_shows_step_share_and_time_left_of_the_running_training(
    platform: Platform, training: training_run.Training, tmp_path: Path
) -> None:
    assert (shown(platform).activity, shown(platform).progress is None) == ("training", False)
    log = process.running_log(tmp_path / "adapter")
    log.parent.mkdir()
    with progress.watched(platform, training, "training", log):
        with log.open("w") as file:
            file.write(json.dumps({"step": 47, "loss": 1.0, "steps": 63, "eta_seconds": 12.5}) + "\n{broken")
        wait_for(platform, 47)
        now = shown(platform)
        assert now.progress is not None
        assert now.progress.share == pytest.approx(47 / 63)
        assert now.progress.eta_seconds == 12.5
        assert (now.activity, now.training_now) == ("training", True)
        assert "75 %" in now.message
    with progress.watched(platform, training, "evaluating"):
        pass
    assert shown(platform).activity == "evaluating"
    assert shown(platform).decision.code in ("nothing_pending", "unfinished")


def test_who_waits_for_a_card_is_charged_no_minute_of_it(
    platform: Platform, training: training_run.Training, tmp_path: Path
) -> None:
    def charged() -> float:
        with platform.database.session() as session:
            return trainings.get(session, training.run_id).gpu_seconds

    waits = process.waits(tmp_path / "adapter")
    waits.touch()
    with progress.watched(platform, training, "training", None, waits):
        time.sleep(0.5)
        assert charged() == 0
        waits.unlink()
        deadline = time.monotonic() + 60
        while not charged():
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_row_without_a_process_is_queued_and_not_training(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant(TENANT)
    with platform.database.session() as session:
        trainings.start(session, TENANT, through_seq=30, attempt=1, dagster_run_id=None)
    now = shown(platform)
    assert (now.activity, now.training_now, now.progress) == ("queued", False, None)
    assert "espera su turno" in now.message


def test_a_training_whose_process_gives_no_sign_is_stopped_and_not_training(
    platform: Platform, training: training_run.Training
) -> None:
    with progress.watched(platform, training, "training"):
        pass
    with platform.database.session() as session:
        session.execute(sa.update(TrainingProgress).values(alive_at=datetime.now(UTC) - timedelta(minutes=2)))
    now = shown(platform)
    assert (now.activity, now.training_now) == ("stopped", False)


def test_what_a_training_takes_of_the_card_is_counted_even_when_it_fails(
    platform: Platform, training: training_run.Training
) -> None:
    def breaks() -> None:
        with progress.watched(platform, training, "training"):
            time.sleep(0.2)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        breaks()
    with platform.database.session() as session:
        seconds = trainings.get(session, training.run_id).gpu_seconds
    assert 0.2 <= seconds < 60


def test_time_without_a_step_moves_nothing(platform: Platform, training: training_run.Training) -> None:
    moved = []
    for step in (1, 1, 2):
        with platform.database.session() as session:
            signs.sign(
                session, training.run_id, TENANT, phase="training", step=step, steps=9, eta_seconds=1.0,
                gpu_seconds=0.0,
            )  # fmt: skip
        with platform.database.session() as session:
            row = signs.of_training(session, training.run_id)
            assert row is not None
            moved.append(row.moved_at)
    assert moved[0] == moved[1] < moved[2]


@pytest.mark.parametrize("text", ["", "{", "[1]\n", '{"step": 1}\n', "\x00\n"])
def test_a_log_without_a_whole_line_says_nothing(tmp_path: Path, text: str) -> None:
    log = tmp_path / "log"
    assert progress.newest(log) == (None, None, None)
    log.write_text(text)
    assert progress.newest(log) == (None, None, None)
