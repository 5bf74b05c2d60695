"""Where runs are pods, none works past the queue: there it would have no limits and no place of its own."""

from __future__ import annotations

from collections.abc import Mapping

from astra_learn_assets.errors import BadConfiguration

COMPUTE_TAG = "astra/compute"
K8S_LAUNCHER = "K8sRunLauncher"


def refuse_bypass(launcher: object, tags: Mapping[str, str]) -> None:
    """Refuse a run that did not come through the coordinator where runs are pods.

    ``dagster asset materialize`` runs in the caller's process, past the queue: without limits, without a GPU,
    beside the training that the queue holds back.

    Raises:
        BadConfiguration: it is such a run.
    """
    if type(launcher).__name__ == K8S_LAUNCHER and COMPUTE_TAG not in tags:
        raise BadConfiguration(
            "this run would work in the caller's process, past the queue and its compute profile: where runs "
            "are pods, materialize in the UI or launch a job, not with `dagster asset materialize`"
        )
