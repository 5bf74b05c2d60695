"""Tags every run on its way into the queue.

Tags of a job reach only runs of that job: assets materialized in the UI and backfills lose them.
The coordinator sees every run, so the lane, the priority and the GPU request are set here:

- ``astra/lane``: ``{tenant}:learn`` or ``{tenant}:prepare``; the instance runs one of each at a time;
- ``dagster/priority``: -10 for backfills, so that a clerk's feedback never waits behind one;
- ``astra/gpu``: on runs that train or evaluate; the instance runs one of them at a time. A pool does not
  hold back whole runs until its limit was set by hand, and two trainings on one card end both;
- ``dagster-k8s/config``: a GPU and its node pool for runs that train or evaluate, when
  ``ASTRA_GPU_TAGS`` holds it as JSON (Kubernetes only).

A tag the run brings itself always wins.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from dagster import DagsterRun, QueuedRunCoordinator, SubmitRunContext

from astra_learn_assets.errors import BadConfiguration
from astra_learn_assets.settings import get_settings

GPU_POOL = "gpu"
LANE_TAG = "astra/lane"
GPU_TAG = "astra/gpu"
_LEARNING = frozenset(
    {"training_corpus", "golden_set", "lora_adapter", "evaluation_report", "promoted_adapter"}
)
_GPU = frozenset({"lora_adapter", "evaluation_report"})
_JOB_ASSETS = {
    "train_adapter": _LEARNING,
    "evaluate_adapter": frozenset({"evaluation_report", "promoted_adapter"}),
}


def tags_for(
    *, tags: Mapping[str, str], assets: Iterable[str], gpu_config: str | None = None
) -> dict[str, str]:
    """The tags to add to a run with ``tags`` that materializes ``assets``; none it already has.

    Raises:
        BadConfiguration: when ``gpu_config`` is not a JSON object.
    """
    names = set(assets)
    added: dict[str, str] = {}
    tenant = tags.get("dagster/partition")
    if tenant is not None:
        added[LANE_TAG] = f"{tenant}:{'learn' if names & _LEARNING else 'prepare'}"
    if "dagster/backfill" in tags:
        added["dagster/priority"] = "-10"
    if names & _GPU:
        added[GPU_TAG] = "1"
    if gpu_config and names & _GPU:
        try:
            parsed = json.loads(gpu_config)
        except json.JSONDecodeError as error:
            raise BadConfiguration(f"ASTRA_GPU_TAGS is not JSON: {error}") from error
        if not isinstance(parsed, dict):
            raise BadConfiguration("ASTRA_GPU_TAGS must be a JSON object as for the tag dagster-k8s/config")
        added["dagster-k8s/config"] = gpu_config
    return {name: value for name, value in added.items() if name not in tags}


class TaggingRunCoordinator(QueuedRunCoordinator):  # type: ignore[type-arg]
    """A :class:`QueuedRunCoordinator` that adds :func:`tags_for` to each run it queues."""

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        """Tag the run, then queue it."""
        run = context.dagster_run
        added = tags_for(
            tags=run.tags,
            assets=_assets_of(run),
            gpu_config=get_settings().gpu_tags,
        )
        if added:
            self._instance.add_run_tags(run.run_id, added)
        return super().submit_run(context)


def _assets_of(run: DagsterRun) -> Iterable[str]:
    """The assets a run materializes; a run of a whole job names only its job."""
    if run.asset_selection:
        return [key.to_user_string() for key in run.asset_selection]
    return _JOB_ASSETS.get(run.job_name, ())
