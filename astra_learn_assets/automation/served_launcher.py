"""Dagster's Kubernetes launcher, which also sees to it that somebody serves the runs that ask for no card.

Whoever launches runs may make Jobs already, and the daemon asks it every half minute whether the worker of
each run lives: so both looks at the resident base's Job (:mod:`astra_learn_assets.automation.resident`) are
here, and no other process gets a right it did not have. A look that the API server refuses, or does not
answer, is said in the run's events and changes nothing for the run: the next one follows.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from dagster import DagsterRun
from dagster._core.launcher import LaunchRunContext
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster_k8s import K8sRunLauncher
from kubernetes.client import ApiClient, V1DeleteOptions, V1Preconditions  # type: ignore[import-untyped]
from kubernetes.client.exceptions import ApiException  # type: ignore[import-untyped]
from urllib3.exceptions import HTTPError

from astra_learn_assets.automation import compute, resident
from astra_learn_assets.automation.compute import ResidentBase
from astra_learn_assets.automation.run_coordinator import GPU_POOL
from astra_learn_assets.resources.queue_guard import COMPUTE_TAG
from astra_learn_assets.settings import get_settings

_NOT_FOUND, _CONFLICT = 404, 409
_SECONDS = 10  # for an answer of the API server


class ServedRunLauncher(K8sRunLauncher):
    """A :class:`K8sRunLauncher` that makes the Job of a run's resident base while the run has need of it."""

    def launch_run(self, context: LaunchRunContext) -> None:
        """Look after who will serve the run, then launch its pod: both start beside each other.

        In this order, so that what a look may raise leaves no pod of a run that counts as not launched.
        """
        self._look_after(context.dagster_run)
        super().launch_run(context)

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """As Dagster's; and while the run lives, who serves it is looked after."""
        found: CheckRunHealthResult = super().check_run_worker_health(run)
        if found.status == WorkerStatus.RUNNING:
            self._look_after(run)
        return found

    def _look_after(self, run: DagsterRun) -> None:
        lane = run.tags.get(COMPUTE_TAG, "")
        served = self._resident.get(lane)
        if served is None or not self._needs_a_card(run):
            return
        try:
            said = self._see_to_it(lane, served)
        except (ApiException, HTTPError) as error:
            reason = error.reason if isinstance(error, ApiException) else type(error).__name__
            said = f"could not be seen to: {reason}"
        if said is not None:
            self._instance.report_engine_event(f"Resident base {served.job_name}: {said}", run)

    def _see_to_it(self, lane: str, served: ResidentBase) -> str | None:
        """One look; what a person should know of it, if anything."""
        decision = resident.decide(self._job(served.job_name), datetime.now(UTC))
        if decision.move == "keep":
            return None
        if decision.move == "wait":
            return decision.reason
        if decision.uid is not None:
            self._delete(served.job_name, decision.uid)
        body = resident.manifest(
            lane,
            served,
            namespace=self.job_namespace,
            pull_policy=self.image_pull_policy,
            pull_secrets=tuple(str(secret["name"]) for secret in self.image_pull_secrets),
            failures=decision.failures,
        )
        try:
            self._batch.create_namespaced_job(self.job_namespace, body, _request_timeout=_SECONDS)
        except ApiException as error:
            if error.status != _CONFLICT:
                raise
            return None  # another look was faster, or the last one is not quite gone
        return f"made, since {decision.reason}"

    def _job(self, name: str) -> dict[str, Any] | None:
        try:
            found = self._batch.read_namespaced_job(name, self.job_namespace, _request_timeout=_SECONDS)
        except ApiException as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        shown: dict[str, Any] = ApiClient().sanitize_for_serialization(found)
        return shown

    def _delete(self, name: str, uid: str) -> None:
        """Delete the very Job that was looked at: another of its name may be there by now."""
        options = V1DeleteOptions(propagation_policy="Background", preconditions=V1Preconditions(uid=uid))
        try:
            self._batch.delete_namespaced_job(
                name, self.job_namespace, body=options, _request_timeout=_SECONDS
            )
        except ApiException as error:
            if error.status not in (_NOT_FOUND, _CONFLICT):
                raise

    def _needs_a_card(self, run: DagsterRun) -> bool:
        if run.execution_plan_snapshot_id is None:
            return False
        plan = self._instance.get_execution_plan_snapshot(run.execution_plan_snapshot_id)
        chosen = set(plan.step_keys_to_execute)
        pools = {step.key: step.pool for step in plan.steps if step.key in chosen}
        ended = {step.step_key for step in self._instance.get_run_step_stats(run.run_id) if step.end_time}
        return resident.is_needed(pools, ended, GPU_POOL)

    @property
    def _batch(self) -> Any:
        return self._api_client.batch_api

    @cached_property
    def _resident(self) -> dict[str, ResidentBase]:
        path = get_settings().compute_profiles
        return {} if path is None else compute.load(path).resident
