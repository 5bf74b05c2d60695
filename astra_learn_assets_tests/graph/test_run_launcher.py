"""Whether a run's worker lives, and what becomes of the run when it does not."""

from __future__ import annotations

import multiprocessing
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.launcher.base import WorkerStatus
from dagster._core.test_utils import create_run_for_test, environ, instance_for_test

from astra_learn_assets.automation import run_launcher
from astra_learn_assets.automation.run_launcher import WatchedRunLauncher
from astra_learn_assets.resources import worker_mark
from astra_learn_assets.settings import REPOSITORY, get_settings

# As a run's worker does: where the tests themselves were started with interrupts ignored, their
# children would ignore them too.
_WORKER = """
import signal, sys, time
from astra_learn_assets.resources import worker_mark
signal.signal(signal.SIGINT, signal.default_int_handler)
worker_mark.hold(sys.argv[1])
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    launcher = {"module": "astra_learn_assets.automation.run_launcher", "class": "WatchedRunLauncher"}
    overrides = {"run_launcher": launcher, "run_monitoring": {"enabled": True}}
    with environ({"ASTRA_HOME": str(tmp_path)}):
        get_settings.cache_clear()
        with instance_for_test(overrides=overrides) as made:
            yield made
    get_settings.cache_clear()


def worker(run_id: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _WORKER, run_id], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def started(instance: dg.DagsterInstance) -> dg.DagsterRun:
    run = create_run_for_test(instance, status=dg.DagsterRunStatus.STARTING)
    event = dg.DagsterEvent(dg.DagsterEventType.PIPELINE_START.value, job_name=run.job_name)
    instance.report_dagster_event(event, run_id=run.run_id)
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    assert found.status == dg.DagsterRunStatus.STARTED
    return found


def health(instance: dg.DagsterInstance, run: dg.DagsterRun) -> WorkerStatus:
    launcher = instance.run_launcher
    assert isinstance(launcher, WatchedRunLauncher)
    assert launcher.supports_check_run_worker_health
    return launcher.check_run_worker_health(run).status


def test_a_worker_that_was_killed_is_found_at_once_and_a_living_one_is_left_alone(
    instance: dg.DagsterInstance,
) -> None:
    run = started(instance)
    process = worker(run.run_id)
    assert worker_mark.living(run.run_id) == process.pid
    assert health(instance, run) == WorkerStatus.RUNNING
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert worker_mark.living(run.run_id) is None
    assert health(instance, run) == WorkerStatus.FAILED


def test_a_worker_on_its_way_to_its_mark_has_time_for_that(instance: dg.DagsterInstance) -> None:
    assert health(instance, started(instance)) == WorkerStatus.RUNNING


def test_a_run_that_never_had_a_worker_is_failed_after_that_time(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started(instance)
    monkeypatch.setattr(run_launcher, "MARK_SECONDS", 0.0)
    time.sleep(0.01)
    assert health(instance, run) == WorkerStatus.FAILED


def test_a_run_whose_worker_is_gone_can_be_cancelled(instance: dg.DagsterInstance) -> None:
    run = started(instance)
    assert instance.run_launcher.terminate(run.run_id)
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    assert found.status == dg.DagsterRunStatus.CANCELED
    assert not instance.run_launcher.terminate(run.run_id), "it is over"


def test_a_worker_that_no_code_server_knows_any_more_is_interrupted(instance: dg.DagsterInstance) -> None:
    run = started(instance)
    process = worker(run.run_id)
    assert instance.run_launcher.terminate(run.run_id)
    assert process.wait(timeout=60) != 0


def test_a_mark_lasts_to_the_end_of_its_process_and_goes_with_one_that_ends_in_order(tmp_path: Path) -> None:
    with environ({"ASTRA_HOME": str(tmp_path)}):
        get_settings.cache_clear()
        child = multiprocessing.get_context("spawn").Process(target=worker_mark.hold, args=("run-1",))
        child.start()
        child.join()
        assert child.exitcode == 0
        assert not worker_mark.was_killed("run-1")
        killed = worker("run-1")
        assert worker_mark.living("run-1") == killed.pid
        assert not worker_mark.was_killed("run-1")
        killed.kill()
        killed.wait()
        assert worker_mark.was_killed("run-1")
        second = worker("run-1")
        assert worker_mark.living("run-1") == second.pid
        second.send_signal(signal.SIGINT)
        second.wait()
        assert not worker_mark.was_killed("run-1")
    get_settings.cache_clear()
