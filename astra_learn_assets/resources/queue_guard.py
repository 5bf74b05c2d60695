"""Where runs are pods, none works past the queue: there it would have no limits and no place of its own."""

from __future__ import annotations

from collections.abc import Mapping

from dagster import DagsterInstance

from astra_learn_assets.errors import BadConfiguration

COMPUTE_TAG = "astra/compute"
K8S_LAUNCHERS = ("K8sRunLauncher", "ServedRunLauncher")  # Dagster's, and ours on top of it


def refuse_bypass(instance: DagsterInstance, tags: Mapping[str, str]) -> None:
    """Refuse a run that did not come through the coordinator where runs are pods.

    ``dagster asset materialize`` runs in the caller's process, past the queue: without limits, without a GPU,
    beside the training that the queue holds back. The launcher is only named, never made: that would ask for
    access to the cluster, which a run's pod has no need of and may not have.

    Raises:
        BadConfiguration: it is such a run.
    """
    if COMPUTE_TAG in tags or instance.is_ephemeral:
        return
    launcher = instance.get_ref().run_launcher_data
    if launcher is not None and launcher.class_name in K8S_LAUNCHERS:
        raise BadConfiguration(
            "this run would work in the caller's process, past the queue and its compute profile: where runs "
            "are pods, materialize in the UI or launch a job, not with `dagster asset materialize`"
        )
