"""A lane's resident base as a Kubernetes Job: what it is, and when one is made. Pure: knows no Dagster.

Trainings of a profile with a resident base ask for no card; they wait in a folder of a shared volume for the
one pod that has it (docs/decisions/0022). That pod is a Job with a fixed name, so there is one of it, whoever
asks: the API server refuses a second. It ends by itself when nothing has waited for long, and is made anew
while a run is under way that a card has still to work for. There is no controller: who launches runs looks at
each launch, and again whenever Dagster asks whether a run's worker lives; a look that comes to nothing is
followed by the next.

=================  =========================================================================================
the Job            what a look does
=================  =========================================================================================
is not there       makes it
runs, or waits     nothing
is being deleted   nothing: its name is taken until it is gone
has left           deletes it and makes it anew: work was put down as it left, or another run has begun
has failed         the same after a pause, which doubles with each failure in a row, 1 minute to half an hour;
                   one that had served for longer than that is the first in its row
=================  =========================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from astra_learn_assets.automation.compute import EnvVar, ResidentBase

Move = Literal["make", "keep", "remake", "wait"]
FAILED_ANNOTATION = "astra-learn/failures-in-a-row"
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(minutes=30)
_LEAVING_SECONDS = 30  # beyond the grace of a training, for the owner of the base


@dataclass(frozen=True)
class Decision:
    """``failures``: in a row, for the next Job; ``uid``: of the Job that is to be deleted first."""

    move: Move
    reason: str
    failures: int = 0
    uid: str | None = None


def is_needed(pools: Mapping[str, str | None], ended: set[str], gpu_pool: str) -> bool:
    """Whether a run whose steps have these ``pools`` has work left for a card."""
    return any(pool == gpu_pool and step not in ended for step, pool in pools.items())


def decide(job: Mapping[str, Any] | None, now: datetime) -> Decision:
    """What to do about the Job of that name as the API shows it; None: there is none."""
    if job is None:
        return Decision("make", "there is none")
    meta = job["metadata"]
    if meta.get("deletionTimestamp"):
        return Decision("wait", "the last one is being deleted")
    over = {
        condition["type"]: condition
        for condition in job.get("status", {}).get("conditions") or ()
        if condition["status"] == "True"
    }
    if "Complete" in over:
        return Decision("remake", "it had left", uid=meta["uid"])
    if "Failed" not in over:
        return Decision("keep", "it serves, or is about to")
    failed = over["Failed"]
    ended = _time(failed["lastTransitionTime"])
    began = job["status"].get("startTime")
    long = began is not None and ended - _time(began) > _LONGEST_PAUSE  # it has served: evicted, say
    failures = 1 if long else _failures(meta) + 1
    pause = min(_FIRST_PAUSE * 2 ** min(failures - 1, 10), _LONGEST_PAUSE)
    why = f"it failed ({failed.get('reason', 'no reason given')}), {failures} in a row"
    if now - ended < pause:
        return Decision("wait", f"{why}; tried again {pause.total_seconds() / 60:g} minutes after", failures)
    return Decision("remake", why, failures, meta["uid"])


def manifest(
    lane: str,
    resident: ResidentBase,
    *,
    namespace: str,
    pull_policy: str = "IfNotPresent",
    pull_secrets: tuple[str, ...] = (),
    failures: int = 0,
) -> dict[str, Any]:
    """The Job that serves ``lane``, as the API takes it."""
    pod = resident.pod
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "serviceAccountName": pod.service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": resident.grace_seconds + _LEAVING_SECONDS,
        "securityContext": pod.pod_security_context,
        "nodeSelector": pod.node_selector,
        "tolerations": list(pod.tolerations),
        "volumes": list(pod.volumes),
        "containers": [
            {
                "name": "resident",
                "image": pod.image,
                "imagePullPolicy": pull_policy,
                "command": command(resident),
                "env": [_variable(variable) for variable in pod.env],
                "resources": pod.resources(),
                "securityContext": pod.security_context,
                "volumeMounts": list(pod.volume_mounts),
            }
        ],
    }
    if pod.priority_class is not None:
        spec["priorityClassName"] = pod.priority_class
    if pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in pull_secrets]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": resident.job_name,
            "namespace": namespace,
            "labels": dict(pod.labels),
            "annotations": {"astra-learn/lane": lane, FAILED_ANNOTATION: str(failures)},
        },
        "spec": {
            "backoffLimit": 0,  # what failed is made anew after a pause, and not by its Job
            "activeDeadlineSeconds": pod.active_deadline_seconds,
            "ttlSecondsAfterFinished": pod.ttl_seconds,
            "template": {"metadata": {"labels": dict(pod.labels)}, "spec": spec},
        },
    }


def command(resident: ResidentBase) -> list[str]:
    """What its container runs; without a card it would serve nobody in time."""
    words = ["python", "-m", "trainer", "serve-queue", "--spool", resident.queue, "--require-gpu"]
    words += ["--idle-minutes", f"{resident.idle_minutes:g}", "--job-minutes", f"{resident.job_minutes:g}"]
    words += ["--grace-seconds", f"{resident.grace_seconds}"]
    if resident.base is not None:
        words += ["--base", resident.base]
    if resident.base_revision is not None:
        words += ["--base-revision", resident.base_revision]
    return words


def _variable(variable: EnvVar) -> dict[str, Any]:
    if variable.secretKeyRef is None:
        return {"name": variable.name, "value": variable.value}
    return {"name": variable.name, "valueFrom": {"secretKeyRef": variable.secretKeyRef.model_dump()}}


def _failures(meta: Mapping[str, Any]) -> int:
    said = str((meta.get("annotations") or {}).get(FAILED_ANNOTATION, "0"))
    return int(said) if said.isdigit() else 0


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
