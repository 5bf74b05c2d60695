"""The control plane and the node agent do what a cluster does: the ground on which the other tests stand."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from kubernetes.client.exceptions import ApiException

from astra_learn_assets_tests.cluster import programs
from astra_learn_assets_tests.cluster.cluster import Cluster, phase, waiting_reason
from astra_learn_assets_tests.cluster.container import Image
from astra_learn_assets_tests.cluster.kube import FORBIDDEN, Kube, Object
from astra_learn_assets_tests.cluster.nodes import GPU, INFERENCE_TAINT, POOL_LABEL
from astra_learn_assets_tests.cluster.objects import (
    IMAGE,
    config,
    gpu_container,
    job,
    pod,
    training_placement,
)

pytestmark = pytest.mark.cluster


def ended(cluster: Cluster, namespace: str, name: str) -> Object:
    """The pod, once it is over."""
    return cluster.until(
        lambda: (found := cluster.pod(name, namespace)) and phase(found) in ("Succeeded", "Failed") and found,
        f"pod {name} is over",
    )


def output(cluster: Cluster, namespace: str, name: str) -> str:
    """What the pod wrote, asked of the API server, which asks the node."""
    return cluster.plane.kubectl("logs", name, "-n", namespace)


def exit_code(pod: Object) -> int:
    return int(pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"])


def test_the_versions_are_those_that_go_mod_names(cluster: Cluster) -> None:
    found = json.loads(cluster.plane.kubectl("version", "-o", "json"))
    assert found["serverVersion"]["gitVersion"] == programs.version()
    assert found["clientVersion"]["gitVersion"] == programs.version()


def test_helm_installs_into_the_cluster(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text(
        "apiVersion: v2\nname: smallest\nversion: 1.0.0\nkubeVersion: '>=1.29'\n"
    )
    (tmp_path / "templates").mkdir()
    job_file = tmp_path / "templates" / "job.json"
    job_file.write_text(json.dumps(job("installed", namespace, "echo hello")))
    cluster.plane.helm("install", "smallest", str(tmp_path), "-n", namespace, "--wait-for-jobs", "--wait")
    (only,) = cluster.pods(namespace)
    assert phase(only) == "Succeeded"


def test_the_three_nodes_are_ready_and_only_two_have_a_card(cluster: Cluster) -> None:
    nodes = {item["metadata"]["name"]: item for item in cluster.kube.get("/api/v1/nodes")["items"]}
    assert set(nodes) == {"gpu-train", "gpu-infer", "cpu"}
    assert all(cluster.ready(name) for name in nodes)
    cards = {name: node["status"]["allocatable"].get(GPU, "0") for name, node in nodes.items()}
    assert cards == {"gpu-train": "1", "gpu-infer": "1", "cpu": "0"}


def test_a_jobs_pod_sees_its_environment_secrets_and_files_and_nothing_of_this_process(
    cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASTRA_MASTER_KEY", "of-the-test-process")
    cluster.apply(
        config("Secret", "keys", namespace, {"PASSWORD": "s3cret", "signing.pem": "PEM"}),
        config("ConfigMap", "knobs", namespace, {"COLOUR": "azul", "unused": "x"}),
        job(
            "env",
            namespace,
            'echo "$PASSWORD $COLOUR $ONE $POD on $NODE in $PWD, master: ${ASTRA_MASTER_KEY:-none}"; '
            "cat /etc/astra/key.pem /var/run/secrets/kubernetes.io/serviceaccount/namespace; "
            "cat /exchange/shared; echo over > /usr/bin/true",
            initContainers=[
                {
                    "name": "first",
                    "image": IMAGE,
                    "command": ["/bin/sh", "-c", "echo handed-on > /exchange/shared"],
                    "volumeMounts": [{"name": "scratch", "mountPath": "/exchange"}],
                }
            ],
            container={
                "workingDir": "/exchange",
                "envFrom": [{"configMapRef": {"name": "knobs"}}],
                "env": [
                    {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "PASSWORD"}}},
                    {"name": "ONE", "value": "1-$(COLOUR)-$(NOBODY)"},
                    {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
                    {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
                ],
                "volumeMounts": [
                    {"name": "scratch", "mountPath": "/exchange"},
                    {"name": "keys", "mountPath": "/etc/astra", "readOnly": True},
                ],
            },
            volumes=[
                {"name": "scratch", "emptyDir": {}},
                {
                    "name": "keys",
                    "secret": {
                        "secretName": "keys",
                        "items": [{"key": "signing.pem", "path": "key.pem"}],
                    },
                },
            ],
        ),
    )
    cluster.plane.kubectl("wait", "job/env", "-n", namespace, "--for=condition=Complete", "--timeout=60s")
    (only,) = cluster.pods(namespace)
    assert output(cluster, namespace, only["metadata"]["name"]) == (
        f"s3cret azul 1-azul-$(NOBODY) {namespace} on cpu in /exchange, master: none\n"
        f"PEM{namespace}handed-on\n"
    )
    assert Path("/usr/bin/true").read_bytes() != b"over\n"


def test_a_pod_waits_for_a_secret_that_does_not_exist_yet(cluster: Cluster, namespace: str) -> None:
    cluster.apply(
        pod("early", namespace, "echo $KEY", container={"envFrom": [{"secretRef": {"name": "late"}}]})
    )
    cluster.until(
        lambda: waiting_reason(cluster.pod("early", namespace)) == "CreateContainerConfigError", "it waits"
    )
    cluster.apply(config("Secret", "late", namespace, {"KEY": "here"}))
    assert phase(ended(cluster, namespace, "early")) == "Succeeded"
    assert output(cluster, namespace, "early") == "here\n"


def test_a_node_may_not_read_a_secret_that_none_of_its_pods_names(cluster: Cluster, namespace: str) -> None:
    cluster.apply(config("Secret", "private", namespace, {"KEY": "x"}))
    node = Kube(cluster.plane.kubeconfig_of("system:node:cpu"))
    with pytest.raises(ApiException) as refused:
        node.get(f"/api/v1/namespaces/{namespace}/secrets/private")
    assert refused.value.status == FORBIDDEN


def test_a_training_pod_cannot_be_scheduled_on_an_inference_node(cluster: Cluster, namespace: str) -> None:
    wrong = {**training_placement(), "nodeSelector": {POOL_LABEL: "inference"}}
    cluster.apply(pod("wrong", namespace, "true", container=gpu_container(), **wrong))
    (message,) = cluster.until(lambda: cluster.events("FailedScheduling", namespace), "the scheduler speaks")
    assert "1 node(s) had untolerated taint(s)" in message or INFERENCE_TAINT in message
    assert "nodeName" not in cluster.pod("wrong", namespace)["spec"]


def test_a_second_training_pod_waits_for_the_card_and_then_gets_it(cluster: Cluster, namespace: str) -> None:
    placement = training_placement()
    cluster.apply(pod("first", namespace, "sleep 600", container=gpu_container(), **placement))
    cluster.until(lambda: phase(cluster.pod("first", namespace)) == "Running", "the first runs")
    script = "echo $NVIDIA_VISIBLE_DEVICES"
    cluster.apply(pod("second", namespace, script, container=gpu_container(), **placement))
    (message, *_) = cluster.until(
        lambda: cluster.events("FailedScheduling", namespace), "it cannot be placed"
    )
    assert f"Insufficient {GPU}" in message
    cluster.kube.delete(f"/api/v1/namespaces/{namespace}/pods/first")
    assert phase(ended(cluster, namespace, "second")) == "Succeeded"
    assert output(cluster, namespace, "second") == "GPU-gpu-train\n"


def test_a_pod_over_the_quota_is_refused_by_the_api_server(cluster: Cluster, namespace: str) -> None:
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "cards", "namespace": namespace},
            "spec": {"hard": {f"requests.{GPU}": "1"}},
        }
    )
    quota = f"/api/v1/namespaces/{namespace}/resourcequotas/cards"
    cluster.until(lambda: cluster.kube.get(quota).get("status", {}).get("used"), "the quota is counted")
    cluster.apply(pod("first", namespace, "sleep 600", container=gpu_container(), **training_placement()))
    with pytest.raises(AssertionError, match="exceeded quota: cards"):
        cluster.apply(pod("second", namespace, "true", container=gpu_container(), **training_placement()))
    cluster.apply(job("third", namespace, "true", container=gpu_container(), **training_placement()))
    (message, *_) = cluster.until(
        lambda: cluster.events("FailedCreate", namespace), "the job cannot make a pod"
    )
    assert "exceeded quota: cards" in message


def test_an_evicted_pod_fails_and_what_it_started_is_gone(cluster: Cluster, namespace: str) -> None:
    cluster.apply(pod("victim", namespace, "trap 'exit 7' TERM; sleep 600 & sleep 599 & wait"))
    cluster.until(lambda: _processes("sleep 599"), "it runs")
    cluster.nodes["cpu"].evict(namespace, "victim")
    found = ended(cluster, namespace, "victim")
    assert (phase(found), found["status"]["reason"], exit_code(found)) == ("Failed", "Evicted", 7)
    assert not _processes("sleep 599")


def test_a_deleted_pod_that_ignores_sigterm_is_killed_after_its_grace(
    cluster: Cluster, namespace: str
) -> None:
    cluster.apply(pod("deaf", namespace, "trap '' TERM; while :; do sleep 0.1; done"))
    cluster.until(lambda: phase(cluster.pod("deaf", namespace)) == "Running", "it runs")
    cluster.kube.delete(f"/api/v1/namespaces/{namespace}/pods/deaf", {"gracePeriodSeconds": 1})
    cluster.until(lambda: not cluster.pods(namespace), "it is gone")


def test_a_pod_past_its_active_deadline_fails(cluster: Cluster, namespace: str) -> None:
    cluster.apply(pod("slow", namespace, "sleep 600", activeDeadlineSeconds=1))
    found = ended(cluster, namespace, "slow")
    assert (phase(found), found["status"]["reason"]) == ("Failed", "DeadlineExceeded")


def test_a_pod_of_an_image_that_cannot_be_pulled_waits_until_it_can(cluster: Cluster, namespace: str) -> None:
    cluster.apply(pod("unknown", namespace, "true", container={"image": "nobody:v9"}))
    cluster.until(
        lambda: waiting_reason(cluster.pod("unknown", namespace)) == "ImagePullBackOff",
        "the pull is given up",
    )
    assert phase(cluster.pod("unknown", namespace)) == "Pending"
    assert cluster.events("Failed", namespace) == ['Failed to pull image "nobody:v9": not found']
    cluster.images["nobody:v9"] = cluster.images[IMAGE]
    assert phase(ended(cluster, namespace, "unknown")) == "Succeeded"


def test_a_job_that_does_not_start_in_time_fails_and_its_pod_never_runs(
    cluster: Cluster, namespace: str
) -> None:
    cluster.nodes["cpu"].hold_starts()
    cluster.apply(job("late", namespace, "echo ran", job_spec={"activeDeadlineSeconds": 2}))
    cluster.plane.kubectl("wait", "job/late", "-n", namespace, "--for=condition=Failed", "--timeout=60s")
    cluster.nodes["cpu"].release_starts()
    cluster.until(lambda: not cluster.pods(namespace), "the job's pod is gone")


@pytest.mark.parametrize("lost_by", ["crash", "cut_off"])
def test_a_lost_nodes_pod_is_replaced_elsewhere_only_once(
    cluster: Cluster, namespace: str, tmp_path: Path, lost_by: str
) -> None:
    placed = {
        "affinity": {
            "nodeAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "weight": 100,
                        "preference": {
                            "matchExpressions": [
                                {"key": POOL_LABEL, "operator": "In", "values": ["platform"]}
                            ]
                        },
                    }
                ]
            }
        },
        "tolerations": training_placement()["tolerations"],
        "volumes": [{"name": "seen", "hostPath": {"path": str(tmp_path)}}],
    }
    mounted = {"volumeMounts": [{"name": "seen", "mountPath": "/seen"}]}
    script = 'while :; do touch "/seen/$(hostname)"; sleep 0.2; done'
    cluster.apply(job("moving", namespace, script, job_spec={"backoffLimit": 1}, container=mounted, **placed))
    first = cluster.until(lambda: [p for p in cluster.pods(namespace) if phase(p) == "Running"], "it runs")[0]
    assert first["spec"]["nodeName"] == "cpu"
    mark = tmp_path / first["metadata"]["name"]
    cluster.until(mark.exists, "the first one works")
    getattr(cluster.nodes["cpu"], lost_by)()
    cluster.until(lambda: not cluster.ready("cpu"), "the node is seen to be lost")
    second = cluster.until(
        lambda: [p for p in cluster.pods(namespace) if p["spec"].get("nodeName") == "gpu-train"],
        "it is replaced",
    )[0]
    cluster.until(lambda: (tmp_path / second["metadata"]["name"]).exists(), "the second one works")

    mark.unlink()
    if lost_by == "cut_off":
        cluster.until(mark.exists, "the first one works beside it: nobody can tell it to stop")
    cluster.nodes["cpu"].recover()
    cluster.until(lambda: cluster.ready("cpu"), "the node is back")
    cluster.until(lambda: len(cluster.pods(namespace)) == 1, "the first pod's object is gone")
    mark.unlink(missing_ok=True)
    cluster.until(lambda: cluster.nodes["cpu"].running() == [], "its process has ended")
    assert not mark.exists()


def test_nothing_is_left_when_the_cluster_ends(tmp_path: Path) -> None:
    reason = programs.why_not()
    if reason is not None:
        pytest.skip(reason)
    with Cluster(tmp_path / "second") as second:
        second.images[IMAGE] = Image()
        pids = [*second.plane.pids().values(), os.getpid()]
        second.apply(pod("left", "default", "sleep 601 & sleep 602"))
        second.until(lambda: phase(second.pod("left")) == "Running", "it runs")
        second.until(lambda: _processes("sleep 602"), "its process can be seen")
        assert len(pids) == 5
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == [os.getpid()]
    assert not _processes("sleep 601")
    assert not _processes("sleep 602")


def _processes(command: str) -> list[int]:
    """Ids of the processes with exactly this command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")[:-1]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if b" ".join(words).decode(errors="replace") == command:
                found.append(int(entry.name))
    return found
