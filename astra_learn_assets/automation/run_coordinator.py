"""Stamps every run on its way into the queue.

Tags of a job reach only runs of that job: assets materialized in the UI and backfills lose them.
The coordinator sees every run, so the lane, the priority and the pod are set here:

- ``astra/lane``: ``{tenant}:learn`` or ``{tenant}:prepare``; the instance runs one of each at a time;
- ``dagster/priority``: -10 for backfills, so that a clerk's feedback never waits behind one;
- ``astra/gpu``: on runs that use an asset of the pool ``gpu``; the instance runs one of them at a time. A
  pool does not hold back whole runs until its limit was set by hand, and two trainings on one card end both;
- ``dagster-k8s/config`` and ``astra/compute``: what its pod is and the profile's name, from the policy in
  :mod:`~astra_learn_assets.automation.compute` (where runs are pods).

Which assets need a GPU is said by the assets (``pool=GPU_POOL``): Dagster puts the pool of each step into the
run's plan, and a run without a selection of assets has a plan too. A lane, a priority and a GPU count that
the run brings itself win; a pod that it brings is merged, and a run that would weaken its profile fails with
the reason instead of waiting.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cached_property

from dagster import DagsterRun, QueuedRunCoordinator, SubmitRunContext

from astra_learn_assets.automation import compute
from astra_learn_assets.automation.compute import ComputePolicy
from astra_learn_assets.errors import AstraError, BadConfiguration
from astra_learn_assets.ids import TenantId
from astra_learn_assets.resources.queue_guard import COMPUTE_TAG, K8S_LAUNCHER
from astra_learn_assets.settings import get_settings

GPU_POOL = "gpu"
LANE_TAG = "astra/lane"
GPU_TAG = "astra/gpu"
K8S_TAG = "dagster-k8s/config"
_PREPARING = ("document_diffs", "anonymized_pairs")  # and their checks


def tags_for(*, tags: Mapping[str, str], steps: Iterable[str], gpu: bool) -> dict[str, str]:
    """Lane, priority and GPU count of a run with ``tags`` and these ``steps``; none it already has."""
    added: dict[str, str] = {}
    tenant = tags.get("dagster/partition")
    if tenant is not None:
        preparing = all(step.startswith(_PREPARING) for step in steps)
        added[LANE_TAG] = f"{tenant}:{'prepare' if preparing else 'learn'}"
    if "dagster/backfill" in tags:
        added["dagster/priority"] = "-10"
    if gpu:
        added[GPU_TAG] = "1"
    return {name: value for name, value in added.items() if name not in tags}


def compute_tags(*, tags: Mapping[str, str], gpu: bool, policy: ComputePolicy, tier: str) -> dict[str, str]:
    """The pod of a run, whatever it brings.

    Raises:
        BadConfiguration: its own tag is no JSON object or would weaken the profile.
    """
    name = policy.name_for("training" if gpu else "default", tier)
    own: object = {}
    if K8S_TAG in tags:
        try:
            own = json.loads(tags[K8S_TAG])
        except json.JSONDecodeError as error:
            raise BadConfiguration(f"the run's own tag {K8S_TAG} is not JSON: {error}") from error
    if not isinstance(own, dict):
        raise BadConfiguration(f"the run's own tag {K8S_TAG} must be a JSON object")
    config = compute.merged(policy.profiles[name], own)
    return {K8S_TAG: json.dumps(config, sort_keys=True), COMPUTE_TAG: name}


class TaggingRunCoordinator(QueuedRunCoordinator):  # type: ignore[type-arg]
    """A :class:`QueuedRunCoordinator` that stamps each run it queues, and fails those it must not queue."""

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        """Stamp the run, then queue it; a run that may not have what it asks for ends with the reason."""
        run = context.dagster_run
        try:
            added = self._stamp(run)
        except AstraError as error:
            self._instance.report_run_failed(run, message=f"not queued: {error}")
            refused = self._instance.get_run_by_id(run.run_id)
            assert refused is not None  # it was there a moment ago
            return refused
        if added:
            self._instance.add_run_tags(run.run_id, added)
        return super().submit_run(context)

    def _stamp(self, run: DagsterRun) -> dict[str, str]:
        steps = self._steps_of(run)
        gpu = GPU_POOL in steps.values()
        added = tags_for(tags=run.tags, steps=steps, gpu=gpu)
        policy = self._policy
        if policy is not None:
            tier = self._tier(run.tags.get("dagster/partition"), policy, gpu)
            added |= compute_tags(tags=run.tags, gpu=gpu, policy=policy, tier=tier)
        return added

    @cached_property
    def _policy(self) -> ComputePolicy | None:
        """The compute policy; None where runs are processes of this machine.

        Raises:
            BadConfiguration: runs are pods and nothing says how large, or the policy is not sound.
        """
        path = get_settings().compute_profiles
        if path is not None:
            return compute.load(path)
        if type(self._instance.run_launcher).__name__ == K8S_LAUNCHER:
            raise BadConfiguration(
                "runs are pods (K8sRunLauncher) and ASTRA_COMPUTE_PROFILES is not set: a pod without limits "
                "could starve its node; set it to the file of profiles (the Helm chart writes one)"
            )
        return None

    def _steps_of(self, run: DagsterRun) -> dict[str, str | None]:
        """What a run will do: each step and the pool of its asset, from the run's own plan.

        A run of a whole job has no selection of assets, but a plan it always has.

        Raises:
            BadConfiguration: it has none: nobody can say what it would need.
        """
        if run.execution_plan_snapshot_id is None:
            raise BadConfiguration(f"run {run.run_id} has no execution plan: launch it anew")
        plan = self._instance.get_execution_plan_snapshot(run.execution_plan_snapshot_id)
        chosen = set(plan.step_keys_to_execute)
        return {step.key: step.pool for step in plan.steps if step.key in chosen}

    @staticmethod
    def _tier(tenant: str | None, policy: ComputePolicy, gpu: bool) -> str:
        """The municipality's tier, asked of the database only where it makes a difference."""
        if tenant is None or not policy.by_tier("training" if gpu else "default"):
            return compute.STANDARD
        from astra_learn_assets.platform import Platform
        from astra_learn_assets.store import tenants

        with Platform.open(get_settings()) as platform, platform.database.session() as session:
            return tenants.get(session, TenantId(tenant)).tier
