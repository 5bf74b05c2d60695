"""Stamps every run on its way into the queue.

Tags of a job reach only runs of that job: assets materialized in the UI and backfills lose them.
The coordinator sees every run, so the lane, the priority and the pod are set here:

- ``astra/lane``: ``{tenant}:learn`` or ``{tenant}:prepare``; the instance runs one of each at a time;
- ``dagster/priority``: backfills go behind a clerk's feedback and behind everybody's training of these weeks;
- ``astra/training_id`` names a row, which is given to the run here: a second run of one training is refused;
- ``astra/gpu``: on runs that use an asset of the pool ``gpu``; the instance runs one of them at a time. A
  pool does not hold back whole runs until its limit was set by hand, and two trainings on one card end both;
- ``dagster-k8s/config`` and ``astra/compute``: what its pod is and the profile's name, from the policy in
  :mod:`~astra_learn_assets.automation.compute` (where runs are pods). ``astra/own_pod`` keeps what the run
  brought: a retry inherits the tags of its parent, and must be stamped from that and from the policy of its
  own day, not refused for what the parent was stamped with.

Which assets need a GPU is said by the assets (``pool=GPU_POOL``): Dagster puts the pool of each step into the
run's plan, and a run without a selection of assets has a plan too. A lane, a priority and a GPU count that
the run brings itself win; a pod that it brings is merged, and a run that would weaken its profile fails with
the reason instead of waiting.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property

from dagster import DagsterRun, QueuedRunCoordinator, SubmitRunContext

from astra_learn_assets.automation import compute
from astra_learn_assets.automation.compute import ComputePolicy
from astra_learn_assets.errors import AstraError, BadConfiguration, Superseded
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning.training.policy import backfill_priority
from astra_learn_assets.learning.training.run import TAG as TRAINING_TAG
from astra_learn_assets.resources.queue_guard import COMPUTE_TAG, K8S_LAUNCHERS
from astra_learn_assets.services.embedded import attach
from astra_learn_assets.settings import get_settings
from astra_learn_assets.store import tenants, trainings
from astra_learn_assets.store.db import Database

GPU_POOL = "gpu"
LANE_TAG = "astra/lane"
GPU_TAG = "astra/gpu"
K8S_TAG = "dagster-k8s/config"
OWN_POD_TAG = "astra/own_pod"
_PREPARING = ("document_diffs", "anonymized_pairs")  # and their checks


def tags_for(*, tags: Mapping[str, str], steps: Iterable[str], gpu: bool) -> dict[str, str]:
    """Lane, priority and GPU count of a run with ``tags`` and these ``steps``; none it already has."""
    added: dict[str, str] = {}
    tenant = tags.get("dagster/partition")
    if tenant is not None:
        preparing = all(step.startswith(_PREPARING) for step in steps)
        added[LANE_TAG] = f"{tenant}:{'prepare' if preparing else 'learn'}"
    if "dagster/backfill" in tags:
        added["dagster/priority"] = str(backfill_priority(datetime.now(UTC)))
    if gpu:
        added[GPU_TAG] = "1"
    return {name: value for name, value in added.items() if name not in tags}


def compute_tags(*, tags: Mapping[str, str], gpu: bool, policy: ComputePolicy, tier: str) -> dict[str, str]:
    """The pod of a run, whatever it brings.

    Raises:
        BadConfiguration: its own tag is no JSON object or would weaken the profile.
    """
    name = policy.name_for("training" if gpu else "default", tier)
    # Stamped before: what is in the tag is the policy's of that day. Whoever sets COMPUTE_TAG by hand gets
    # the profile, like everybody.
    brought = tags.get(OWN_POD_TAG if COMPUTE_TAG in tags else K8S_TAG, "{}")
    try:
        own: object = json.loads(brought)
    except json.JSONDecodeError as error:
        raise BadConfiguration(f"the run's own tag {K8S_TAG} is not JSON: {error}") from error
    if not isinstance(own, dict):
        raise BadConfiguration(f"the run's own tag {K8S_TAG} must be a JSON object")
    config = compute.merged(policy.profiles[name], own)
    kept = {OWN_POD_TAG: brought} if own else {}
    return {K8S_TAG: json.dumps(config, sort_keys=True), COMPUTE_TAG: name, **kept}


class TaggingRunCoordinator(QueuedRunCoordinator):  # type: ignore[type-arg]
    """A :class:`QueuedRunCoordinator` that stamps each run it queues, and fails those it must not queue."""

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        """Stamp the run, then queue it; a run that may not have what it asks for ends with the reason."""
        run = context.dagster_run
        try:
            added = self._stamp(run)
            self._claim(run)
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

    def _claim(self, run: DagsterRun) -> None:
        """Give the training that the run names to this run.

        Raises:
            Superseded: it has another one.
            Unavailable: nobody can say now.
        """
        training = run.tags.get(TRAINING_TAG)
        if training is None:
            return
        ancestors = [name for name in (run.parent_run_id, run.root_run_id) if name is not None]
        with self._database.session() as session:
            if not trainings.claim_run(session, training, run.run_id, ancestors):
                raise Superseded(f"training {training} has another run already, or is none")

    @cached_property
    def _database(self) -> Database:
        settings = get_settings()
        return Database(settings.database_url or attach(settings).database_url or "", pool_size=1)

    @cached_property
    def _policy(self) -> ComputePolicy | None:
        """The compute policy; None where runs are processes of this machine.

        Raises:
            BadConfiguration: runs are pods and nothing says how large, or the policy is not sound.
        """
        path = get_settings().compute_profiles
        if path is not None:
            return compute.load(path)
        if type(self._instance.run_launcher).__name__ in K8S_LAUNCHERS:
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

    def _tier(self, tenant: str | None, policy: ComputePolicy, gpu: bool) -> str:
        """The municipality's tier, asked of the database only where it makes a difference."""
        if tenant is None or not policy.by_tier("training" if gpu else "default"):
            return compute.STANDARD
        with self._database.session() as session:
            return tenants.get(session, TenantId(tenant)).tier
