"""Dagster's default launcher, with an answer to the question whether a run's worker still lives.

Without one, run monitoring does nothing for a run whose worker was killed: it stays STARTED for ever, holds
its lane and its slot, and every later training of the tenant waits behind it. With it the run fails within
the monitor's interval, also when the worker died while the platform was down, and is retried as any lost
worker's. How a worker shows its life: :mod:`astra_learn_assets.resources.worker_mark`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time

from dagster import DagsterRun, DagsterRunStatus, DefaultRunLauncher
from dagster._core.errors import DagsterUserCodeProcessError, DagsterUserCodeUnreachableError
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus

from astra_learn_assets.resources import worker_mark

# from the start of a run to the mark of its worker: it makes its resources in between, slowly when busy.
# A worker whose mark was seen and is held no more gets none of it: it was killed.
MARK_SECONDS = 300.0


class WatchedRunLauncher(DefaultRunLauncher):
    """A :class:`DefaultRunLauncher` whose runs are failed when their worker is gone."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Asked by the run monitoring of the daemon."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """RUNNING while the worker holds its mark, or may still be on its way to it."""
        if worker_mark.living(run.run_id) is not None:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        record = self._instance.get_run_record_by_id(run.run_id)
        if record is None or record.dagster_run.status != DagsterRunStatus.STARTED:
            return CheckRunHealthResult(WorkerStatus.RUNNING)  # it ended between two questions
        started = record.start_time
        young = started is not None and time.time() - started < MARK_SECONDS
        if young and not worker_mark.was_killed(run.run_id):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        worker_mark.forget(run.run_id)
        return CheckRunHealthResult(WorkerStatus.FAILED, "the process of this run is gone")

    def terminate(self, run_id: str) -> bool:
        """End a run by whatever still knows of it: the code server, its own process, or nobody any more."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        pid = worker_mark.living(run_id)
        if pid is None and run.status == DagsterRunStatus.STARTED:
            self._instance.report_run_canceling(run)
            self._instance.report_run_canceled(run, message="cancelled; its process was gone already")
            worker_mark.forget(run_id)
            return True
        try:
            if super().terminate(run_id):  # type: ignore[no-untyped-call]  # Dagster's own has no hints
                return True
        except (DagsterUserCodeUnreachableError, DagsterUserCodeProcessError) as error:
            self._instance.report_engine_event(f"the code server does not answer: {error}", run)
        if pid is None:
            return False
        # the code server that launched it is not the one that runs now
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        return True
