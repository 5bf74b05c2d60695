"""What a pod's worker asks of its node, and a container made from a pod's specification on that node."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from astra_learn_assets_tests.cluster import inputs
from astra_learn_assets_tests.cluster.container import Container, Image, Mount
from astra_learn_assets_tests.cluster.kube import Kube, Object
from astra_learn_assets_tests.cluster.nodes import GPU


class Host(Protocol):
    """A node, as its pods' workers see it."""

    name: str
    kube: Kube

    @property
    def online(self) -> bool:
        """Whether the API server can be reached."""

    def image(self, name: str) -> Image | None:
        """What the image is; None when it cannot be pulled."""

    def may_start(self, pod: Object) -> bool:
        """False while a test holds the start of this pod back."""

    def service_environment(self) -> dict[str, str]:
        """How a client in the pod finds the API server."""

    def write_hosts(self, namespace: str, path: Path) -> Path:
        """An ``/etc/hosts`` that knows the Services; returns ``path``."""


def start(
    host: Host, pod: Object, spec: Object, volumes: dict[str, Path], folder: Path, *, restarts: int
) -> Container:
    """The container ``spec`` of ``pod``, started; its output goes to ``<name>.log`` in ``folder``.

    Raises:
        NotReady: its image, or something its environment names, is not there.
    """
    image = host.image(spec["image"])
    if image is None:
        raise inputs.NotReady("ErrImageNeverPull", f'image "{spec["image"]}" is not there any more')
    base = {**image.environment, **host.service_environment(), "HOSTNAME": pod["metadata"]["name"]}
    if GPU in spec.get("resources", {}).get("limits", {}):
        base["NVIDIA_VISIBLE_DEVICES"] = f"GPU-{host.name}"  # as the device plugin does
    values = inputs.environment(host.kube, pod, spec, base)
    words = [*spec.get("command", []), *spec.get("args", [])] or image.command
    hosts = host.write_hosts(pod["metadata"]["namespace"], folder / "hosts")
    return Container(
        [inputs.expand(word, values) for word in words],
        image=image,
        environment=values,
        mounts=[Mount(hosts, "/etc/hosts"), *_mounts(spec, volumes)],
        folder=folder / f"{spec['name']}.{restarts}",
        log=folder / f"{spec['name']}.log",
        directory=spec.get("workingDir"),
        read_only_root=bool(spec.get("securityContext", {}).get("readOnlyRootFilesystem")),
    )


def _mounts(spec: Object, volumes: dict[str, Path]) -> list[Mount]:
    """Outer folders first, so that an inner one is not hidden by them."""
    mounts = []
    for item in sorted(spec.get("volumeMounts", []), key=lambda item: len(item["mountPath"])):
        source = volumes[item["name"]]
        if "subPath" in item:
            source /= item["subPath"]
            if not source.exists():
                source.mkdir(parents=True)
        mounts.append(Mount(source, item["mountPath"], bool(item.get("readOnly"))))
    return mounts
