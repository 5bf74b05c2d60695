"""A whole cluster for a test: the control plane, its three nodes, and what a test wants to see and do.

Call::

    with Cluster(tmp_path / "cluster") as cluster:
        cluster.images["busybox:1"] = Image()
        cluster.apply(job("hello", command=["echo", "hello"]))
        cluster.wait_for("/api/v1/namespaces/default/pods", lambda pod: phase(pod) == "Succeeded")
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from astra_learn_assets_tests.cluster.container import Image
from astra_learn_assets_tests.cluster.control_plane import ControlPlane
from astra_learn_assets_tests.cluster.kube import Kube, Object
from astra_learn_assets_tests.cluster.node_agent import NodeAgent
from astra_learn_assets_tests.cluster.nodes import NODES, NodeSpec

_SECONDS = 60.0


class Cluster:
    """``plane``, ``nodes`` by name, ``images`` that can be pulled, ``kube`` as the administrator."""

    def __init__(self, folder: Path, nodes: tuple[NodeSpec, ...] = NODES) -> None:
        self.folder = folder
        self.plane = ControlPlane(folder / "control-plane", nodes=tuple(spec.name for spec in nodes))
        self.images: dict[str, Image] = {}
        self.nodes: dict[str, NodeAgent] = {}
        self._specs = nodes

    def __enter__(self) -> Self:
        self.plane.__enter__()
        try:
            self.kube = Kube(self.plane.kubeconfig)
            for spec in self._specs:
                agent = NodeAgent(spec, self.plane, self.folder / "nodes" / spec.name, self.images)
                self.nodes[spec.name] = agent
                agent.start()
            for spec in self._specs:
                self.until(lambda name=spec.name: self.ready(name), f"node {spec.name} is ready")
            # Pods are refused until the controller manager has made the namespace's account.
            self.until(
                lambda: self.kube.find("/api/v1/namespaces/default/serviceaccounts/default"),
                "the default service account is there",
            )
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End every pod, agent and control plane process."""
        for agent in self.nodes.values():
            agent.stop()
        self.plane.stop()
        for agent in self.nodes.values():
            agent.join()
        self.nodes.clear()

    def heal(self) -> None:
        """Undo what a test did to the nodes."""
        for name, agent in self.nodes.items():
            agent.release_starts()
            agent.recover()
            self.until(lambda name=name: self.ready(name), f"node {name} is ready again")

    def apply(self, *objects: Object) -> None:
        """``kubectl apply``."""
        self.plane.apply(*objects)

    def ready(self, node: str) -> bool:
        """Whether a node is Ready and neither unreachable nor not-ready by taint."""
        found = self.kube.get(f"/api/v1/nodes/{node}")
        taints = {taint["key"] for taint in found["spec"].get("taints", [])}
        conditions = {item["type"]: item["status"] for item in found["status"].get("conditions", [])}
        trouble = {"node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"}
        return conditions.get("Ready") == "True" and not taints & trouble

    def pods(self, namespace: str = "default", selector: str = "") -> list[Object]:
        """The pods of a namespace, oldest first."""
        items = self.kube.get(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector)["items"]
        return sorted(items, key=lambda pod: pod["metadata"]["creationTimestamp"])

    def pod(self, name: str, namespace: str = "default") -> Object:
        """One pod."""
        return self.kube.get(f"/api/v1/namespaces/{namespace}/pods/{name}")

    def events(self, reason: str, namespace: str = "default") -> list[str]:
        """The messages of the events with ``reason``."""
        items = self.kube.get(f"/api/v1/namespaces/{namespace}/events")["items"]
        return [item["message"] for item in items if item["reason"] == reason]

    def until(self, holds: Callable[[], Any], what: str, seconds: float = _SECONDS) -> Any:
        """Wait until ``holds`` answers something true, and return that.

        Raises:
            AssertionError: it did not within ``seconds``.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if answer := holds():
                return answer
            time.sleep(0.1)
        raise AssertionError(f"within {seconds:.0f} s it did not come true that {what}")


def phase(pod: Object) -> str:
    """Its phase."""
    return str(pod["status"].get("phase"))


def waiting_reason(pod: Object) -> str | None:
    """Why its first container waits, if it does."""
    for state in pod["status"].get("containerStatuses", []):
        if "waiting" in state["state"]:
            return str(state["state"]["waiting"]["reason"])
    return None
