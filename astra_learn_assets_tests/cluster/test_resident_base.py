"""The resident base's Job on a real API server, made by the daemon's own account with the chart's rights.

What its pod does is told elsewhere (``trainer/test_serve_queue.py``, ``trainer/test_queued.py``); here it
is what Kubernetes does: two launchers at once, a Job that left, one that fails, one that is on its way out.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.launcher.base import WorkerStatus
from dagster._core.test_utils import environ, instance_for_test
from kubernetes.client.exceptions import ApiException

from astra_learn_assets.automation import resident
from astra_learn_assets.automation.served_launcher import ServedRunLauncher
from astra_learn_assets.definitions import defs
from astra_learn_assets.resources.queue_guard import COMPUTE_TAG
from astra_learn_assets.settings import get_settings
from astra_learn_assets_tests.cluster.cluster import Cluster
from astra_learn_assets_tests.cluster.kube import FORBIDDEN, Object
from astra_learn_assets_tests.deploy.chart import NAME, NAMESPACE, VALUES, named, profiles, render
from astra_learn_assets_tests.deploy.test_resident_base import ON

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]
LANE, JOB = "gpu", f"{NAME}-resident-gpu"


_WAITS = {"restartPolicy": "Never", "containers": [{"name": "run", "image": "none", "command": ["true"]}]}


class Daemon:
    """A launcher with the daemon's account, and the administrator's eyes."""

    def __init__(self, cluster: Cluster, namespace: str, instance: dg.DagsterInstance) -> None:
        self.cluster, self.namespace, self.instance = cluster, namespace, instance
        launcher = instance.run_launcher
        assert isinstance(launcher, ServedRunLauncher)
        self.launcher = launcher
        self.path = f"/apis/batch/v1/namespaces/{namespace}/jobs/{JOB}"

    def run(self, *, lane: str = LANE) -> dg.DagsterRun:
        job = defs.resolve_implicit_global_asset_job_def()
        chosen = frozenset({dg.AssetKey("lora_adapter")})
        return self.instance.create_run_for_job(
            job_def=job.get_subset(asset_selection=chosen),
            asset_selection=chosen,
            tags={COMPUTE_TAG: lane},
            status=dg.DagsterRunStatus.STARTED,
        )

    def look(self, run: dg.DagsterRun) -> None:
        self.launcher._look_after(run)

    def job(self) -> Object | None:
        return self.cluster.kube.find(self.path)

    def said(self, run: dg.DagsterRun) -> list[str]:
        return [
            entry.message.partition(f"{JOB}: ")[2]
            for entry in self.instance.all_logs(run.run_id)
            if JOB in entry.message
        ]


@pytest.fixture
def daemon(cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[Daemon]:
    objects = render(VALUES["minimal"], ON)
    wanted = [named(objects, "ServiceAccount", f"{NAME}-{name}") for name in ("daemon", "resident")]
    wanted += [named(objects, kind, f"{NAME}-daemon") for kind in ("Role", "RoleBinding")]
    wanted += [named(objects, "PriorityClass", f"{NAME}-training")]
    here = json.loads(
        json.dumps(wanted).replace(f'"namespace": "{NAMESPACE}"', f'"namespace": "{namespace}"')
    )
    for item in here:
        if item["kind"] != "PriorityClass":
            item["metadata"]["namespace"] = namespace
    cluster.apply(*here)
    policy = tmp_path / "profiles.json"
    policy.write_text(json.dumps(profiles(objects)))
    config = {
        "service_account_name": f"{NAME}-preparation", "instance_config_map": "x", "dagster_home": "/x",
        "job_namespace": namespace, "load_incluster_config": False,
        "kubeconfig_file": str(cluster.plane.kubeconfig_of_account(namespace, f"{NAME}-daemon")),
    }  # fmt: skip
    launcher = {"module": ServedRunLauncher.__module__, "class": "ServedRunLauncher", "config": config}
    with environ({"ASTRA_COMPUTE_PROFILES": str(policy), "ASTRA_HOME": str(tmp_path)}):
        get_settings.cache_clear()
        with instance_for_test(overrides={"run_launcher": launcher}) as instance:
            yield Daemon(cluster, namespace, instance)
    get_settings.cache_clear()


def test_many_looks_at_once_make_one_job(daemon: Daemon) -> None:
    """Two launchers, and the looks of four runs: the API server takes one of them."""
    runs = [daemon.run() for _ in range(4)]
    threads = [threading.Thread(target=daemon.look, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [said for run in runs for said in daemon.said(run)] == ["made, since there is none"]
    made = daemon.job()
    assert made is not None
    assert made["metadata"]["annotations"][resident.FAILED_ANNOTATION] == "0"
    daemon.look(runs[0])
    again = daemon.job()
    assert again is not None
    assert again["metadata"]["uid"] == made["metadata"]["uid"]


def test_whoever_asks_whether_a_run_lives_looks_after_its_base(daemon: Daemon) -> None:
    """As the daemon does every half minute; one whose own Job is over has no need of it."""
    run = daemon.run()
    own = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"dagster-run-{run.run_id}", "namespace": daemon.namespace},
        "spec": {"suspend": True, "template": {"spec": _WAITS}},
    }
    daemon.cluster.apply(own)
    assert daemon.launcher.check_run_worker_health(run).status == WorkerStatus.RUNNING
    assert daemon.said(run) == ["made, since there is none"]
    assert daemon.job() is not None


def test_a_job_that_left_is_made_anew_by_the_next_look(daemon: Daemon) -> None:
    """As the server does that was idle for long: it ends well, and its Job is complete."""
    run = daemon.run()
    daemon.look(run)
    left = _over(daemon, "Complete")
    daemon.look(run)
    made = daemon.job()
    assert made is not None
    assert made["metadata"]["uid"] != left["metadata"]["uid"]
    assert daemon.said(run) == ["made, since there is none", "made, since it had left"]


def test_one_that_failed_waits_and_its_run_is_told_why(daemon: Daemon) -> None:
    run = daemon.run()
    daemon.look(run)
    failed = _over(daemon, "Failed")
    daemon.look(run)
    (_, said) = daemon.said(run)
    assert "1 in a row; tried again 1 minutes after" in said
    still = daemon.job()
    assert still is not None
    assert still["metadata"]["uid"] == failed["metadata"]["uid"]


def test_a_name_that_is_still_taken_is_left_alone(daemon: Daemon) -> None:
    run = daemon.run()
    daemon.look(run)
    daemon.cluster.kube.patch(daemon.path, {"metadata": {"finalizers": ["example.org/slow"]}})
    daemon.cluster.kube.delete(daemon.path, {"propagationPolicy": "Background"})
    daemon.look(run)
    assert daemon.said(run)[-1] == "the last one is being deleted"
    daemon.cluster.kube.patch(
        daemon.path, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.org/slow"]}}
    )
    daemon.cluster.until(lambda: daemon.job() is None, "it is gone")
    daemon.look(run)
    assert daemon.job() is not None


def test_another_job_of_its_name_is_not_deleted_in_place_of_the_one_that_was_seen(daemon: Daemon) -> None:
    run = daemon.run()
    daemon.look(run)
    daemon.launcher._delete(JOB, "00000000-0000-0000-0000-000000000000")
    assert daemon.job() is not None


def test_a_run_of_another_lane_or_without_work_for_a_card_makes_none(daemon: Daemon) -> None:
    daemon.look(daemon.run(lane="cpu"))
    job = defs.resolve_implicit_global_asset_job_def()
    chosen = frozenset({dg.AssetKey("training_corpus")})
    daemon.look(
        daemon.instance.create_run_for_job(
            job_def=job.get_subset(asset_selection=chosen), asset_selection=chosen, tags={COMPUTE_TAG: LANE}
        )
    )
    assert daemon.job() is None


def test_a_look_that_is_refused_changes_nothing_for_the_run(daemon: Daemon) -> None:
    run = daemon.run()
    role = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{daemon.namespace}/rolebindings/{NAME}-daemon"
    daemon.cluster.kube.delete(role)

    def refused() -> bool:
        try:
            daemon.launcher._job(JOB)
        except ApiException as error:
            return bool(error.status == FORBIDDEN)
        return False

    daemon.cluster.until(refused, "the right is gone")
    daemon.look(run)
    assert daemon.said(run) == ["could not be seen to: Forbidden"]
    assert daemon.launcher.check_run_worker_health(run).status == WorkerStatus.UNKNOWN


def _over(daemon: Daemon, kind: str) -> Object:
    """The Job with its pod ended by hand, as its own process would have ended it."""
    pods = f"/api/v1/namespaces/{daemon.namespace}/pods"

    def pod() -> Any:
        items = daemon.cluster.kube.get(pods, labelSelector=f"job-name={JOB}")["items"]
        return items[0] if items else None

    found = daemon.cluster.until(pod, "it has its pod")
    name = found["metadata"]["name"]
    daemon.cluster.kube.patch(
        f"{pods}/{name}/status", {"status": {"phase": "Succeeded" if kind == "Complete" else "Failed"}}
    )

    def over() -> Any:
        job = daemon.job()
        conditions = [] if job is None else job.get("status", {}).get("conditions", [])
        return job if any(c["type"] == kind and c["status"] == "True" for c in conditions) else None

    return dict(daemon.cluster.until(over, f"it is {kind}"))
