"""Kubernetes objects for the tests, as short as they can be."""

from __future__ import annotations

from astra_learn_assets_tests.cluster.kube import Object
from astra_learn_assets_tests.cluster.nodes import GPU, POOL_LABEL

IMAGE = "astra-test:v1"


def pod_spec(script: str, **spec: object) -> Object:
    """A pod that runs a shell script once; ``spec`` goes over it, ``container`` over its container."""
    container = {"name": "main", "image": IMAGE, "command": ["/bin/sh", "-c", script]}
    container |= dict(spec.pop("container", {}))  # type: ignore[call-overload]
    return {"restartPolicy": "Never", "terminationGracePeriodSeconds": 5, "containers": [container], **spec}


def pod(name: str, namespace: str, script: str, **spec: object) -> Object:
    """A Pod of :func:`pod_spec`."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": pod_spec(script, **spec),
    }


def job(name: str, namespace: str, script: str, *, job_spec: Object | None = None, **spec: object) -> Object:
    """A Job that starts one pod of :func:`pod_spec` and no second one."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"backoffLimit": 0, "template": {"spec": pod_spec(script, **spec)}, **(job_spec or {})},
    }


def gpu_container(**more: object) -> Object:
    """A container that asks for one card."""
    return {"resources": {"limits": {GPU: "1"}}, **more}


def training_placement() -> Object:
    """Selector and toleration of a training pod."""
    return {
        "nodeSelector": {POOL_LABEL: "training"},
        "tolerations": [{"key": GPU, "operator": "Exists", "effect": "NoSchedule"}],
    }


def config(kind: str, name: str, namespace: str, data: dict[str, str]) -> Object:
    """A Secret or ConfigMap."""
    field = "stringData" if kind == "Secret" else "data"
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        field: data,
    }
