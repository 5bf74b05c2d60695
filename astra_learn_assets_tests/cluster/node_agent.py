"""The kubelet of one node: registers it, keeps its lease, runs the pods that the scheduler binds to it.

It comes with the node's own identity, so the Node authorizer and NodeRestriction decide what it may read: a
Secret only if a pod on this node names it. Faults of a real cluster are its methods: :meth:`NodeAgent.evict`,
:meth:`~NodeAgent.cut_off` (heartbeats stop, processes go on), :meth:`~NodeAgent.crash` (they do not),
:meth:`~NodeAgent.hold_starts`; an image that cannot be pulled is one missing from ``images``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from pathlib import Path

import urllib3
from kubernetes.client.exceptions import ApiException

from astra_learn_assets_tests.cluster import pod_status
from astra_learn_assets_tests.cluster.container import Image
from astra_learn_assets_tests.cluster.control_plane import ControlPlane
from astra_learn_assets_tests.cluster.kube import CONFLICT, NOT_FOUND, Kube, Object
from astra_learn_assets_tests.cluster.log_server import LogServer
from astra_learn_assets_tests.cluster.nodes import NodeSpec, node_object, node_status
from astra_learn_assets_tests.cluster.pod_worker import PodWorker

_HEARTBEAT_SECONDS = 1.0
_WATCH_SECONDS = 30
_ADDRESS = "127.0.0.1"
_TROUBLE = (ApiException, urllib3.exceptions.HTTPError)


class NodeAgent:
    """One node. ``images``: name and tag → what it is; shared, and may be changed while pods run."""

    def __init__(
        self, spec: NodeSpec, plane: ControlPlane, folder: Path, images: MutableMapping[str, Image]
    ) -> None:
        self.spec, self.name = spec, spec.name
        self.kube = Kube(plane.kubeconfig_of(f"system:node:{spec.name}"))
        self._port, self._folder, self._images = plane.port, folder, images
        self._workers: dict[str, PodWorker] = {}
        self._confirmed: set[str] = set()
        self._connected, self._stopping, self._lock = threading.Event(), threading.Event(), threading.RLock()
        self._held: Callable[[Object], bool] | None = None
        self._logs = LogServer(plane.credentials.certificate("kubelet"), self.log)
        self._threads = [
            threading.Thread(target=self._beat, name=f"{spec.name}-heartbeat", daemon=True),
            threading.Thread(target=self._follow, name=f"{spec.name}-pods", daemon=True),
        ]

    # what a test does to a node

    def evict(self, namespace: str, pod: str, message: str = "The node was low on resource: memory.") -> None:
        """Node-pressure eviction: the pod ends as Failed, reason Evicted."""
        self._worker(namespace, pod).evict(message)

    def cut_off(self) -> None:
        """The network is gone: no heartbeat, no word from the API server. Processes go on."""
        self._connected.clear()

    def crash(self) -> None:
        """The power is gone: every process ends at once and nobody says so."""
        self._connected.clear()
        with self._lock:
            workers = list(self._workers.values())
            for worker in workers:
                worker.crash()
            for worker in workers:
                worker.join()

    def recover(self) -> None:
        """The node is back."""
        self._connected.set()

    def hold_starts(self, which: Callable[[Object], bool] = lambda pod: True) -> None:
        """Pods for which ``which`` holds stay in ContainerCreating, until :meth:`release_starts`."""
        self._held = which

    def release_starts(self) -> None:
        """What was held back may start."""
        self._held = None

    def log(self, namespace: str, pod: str, container: str | None = None) -> Path:
        """The file of a container's output.

        Raises:
            KeyError: no such pod was here.
        """
        return self._worker(namespace, pod).log(container)

    def running(self) -> list[str]:
        """Names of the pods whose worker has not ended."""
        with self._lock:
            return [w.pod["metadata"]["name"] for w in self._workers.values() if w.is_alive()]

    # what the harness does with it

    def start(self) -> None:
        """Register and begin to work."""
        self._folder.mkdir(parents=True)
        self._logs.start()
        self._register()
        self._connected.set()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End every pod's processes; the agent's threads end with the API server, see :meth:`join`."""
        self._stopping.set()
        self.crash()
        self._logs.stop()

    def join(self) -> None:
        """Wait for the agent's threads, after the API server has ended."""
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self.kube.close()

    # what a worker asks (pod_worker.Host)

    @property
    def online(self) -> bool:
        """Whether the API server can be reached."""
        return self._connected.is_set()

    def image(self, name: str) -> Image | None:
        """What the image is; None when it cannot be pulled."""
        return self._images.get(name)

    def may_start(self, pod: Object) -> bool:
        """False while a test holds the start of this pod back."""
        held = self._held
        return held is None or not held(pod)

    def service_environment(self) -> dict[str, str]:
        """How a client in the pod finds the API server."""
        return {"KUBERNETES_SERVICE_HOST": _ADDRESS, "KUBERNETES_SERVICE_PORT": str(self._port)}

    def write_hosts(self, namespace: str, path: Path) -> Path:
        """``/etc/hosts`` in the place of cluster DNS: every Service is on this machine, at its pods' port."""
        names = ["localhost", "kubernetes.default.svc"]
        for service in self.kube.get("/api/v1/services")["items"]:
            name, home = service["metadata"]["name"], service["metadata"]["namespace"]
            names += [name] if home == namespace else []
            names += [f"{name}.{home}", f"{name}.{home}.svc", f"{name}.{home}.svc.cluster.local"]
        path.write_text("".join(f"{_ADDRESS} {name}\n" for name in names))
        return path

    # the agent's own work

    def _register(self) -> None:
        body = node_object(self.spec, _ADDRESS, self._logs.port)
        try:
            self.kube.create("/api/v1/nodes", body)
        except ApiException as error:
            if error.status != CONFLICT:
                raise
        self._heartbeat()

    def _heartbeat(self) -> None:
        status = node_status(self.spec, _ADDRESS, self._logs.port)
        now = pod_status.now()
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "agent is ready"}
        status["conditions"] = [{**ready, "lastHeartbeatTime": now, "lastTransitionTime": now}]
        self.kube.patch(f"/api/v1/nodes/{self.name}/status", {"status": status})
        self._renew_lease()

    def _renew_lease(self) -> None:
        collection = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
        spec = {
            "holderIdentity": self.name,
            "leaseDurationSeconds": 40,
            "renewTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        try:
            self.kube.patch(f"{collection}/{self.name}", {"spec": spec})
        except ApiException as error:
            if error.status != NOT_FOUND:
                raise
            kind = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
            self.kube.create(collection, {**kind, "metadata": {"name": self.name}, "spec": spec})

    def _beat(self) -> None:
        failed = False
        while not self._stopping.wait(_HEARTBEAT_SECONDS):
            if not self.online:
                failed = True
                continue
            try:
                if failed:
                    self._heartbeat()  # the node controller had marked the node as unknown
                else:
                    self._renew_lease()
                self._confirm_deletions()
                failed = False
            except _TROUBLE:
                failed = True

    def _follow(self) -> None:
        """List this node's pods, then watch them; begin anew after any trouble."""
        query = {"fieldSelector": f"spec.nodeName={self.name}"}
        while not self._stopping.is_set():
            if not self._connected.wait(timeout=0.5):
                continue
            try:
                listed = self.kube.get("/api/v1/pods", **query)
                self._reconcile(listed["items"])
                version = listed["metadata"]["resourceVersion"]
                for event in self.kube.watch(
                    "/api/v1/pods", _WATCH_SECONDS, resourceVersion=version, **query
                ):
                    if self._stopping.is_set() or not self.online:
                        break
                    self._take(event["type"], event["object"])
            except _TROUBLE:
                time.sleep(0.5)

    def _reconcile(self, pods: list[Object]) -> None:
        """After a time without news: what is gone ends, what is new begins."""
        present = {pod["metadata"]["uid"] for pod in pods}
        with self._lock:
            gone = [worker for uid, worker in self._workers.items() if uid not in present]
        for worker in gone:
            worker.vanish()
        for pod in pods:
            self._take("ADDED", pod)

    def _take(self, kind: str, pod: Object) -> None:
        if kind not in ("ADDED", "MODIFIED", "DELETED"):
            return  # ERROR: the watch ends and begins anew
        with self._lock:
            if self._stopping.is_set() or not self.online:
                return
            worker = self._workers.get(pod["metadata"]["uid"])
            if kind == "DELETED":
                if worker is not None:
                    worker.vanish()
            elif worker is not None:
                worker.update(pod)
            elif pod["status"].get("phase") not in ("Succeeded", "Failed"):
                folder = self._folder / pod["metadata"]["uid"]
                worker = self._workers[pod["metadata"]["uid"]] = PodWorker(self, pod, folder)
                worker.start()

    def _confirm_deletions(self) -> None:
        """A pod that was to be deleted and has ended: its object may go."""
        with self._lock:
            ended = [worker.pod for worker in self._workers.values() if not worker.is_alive()]
        for pod in ended:
            meta = pod["metadata"]
            if "deletionTimestamp" not in meta or meta["uid"] in self._confirmed:
                continue
            path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
            options = {"gracePeriodSeconds": 0, "preconditions": {"uid": meta["uid"]}}
            try:
                self.kube.delete(path, options)
            except ApiException as error:
                if error.status not in (NOT_FOUND, CONFLICT):
                    raise
            self._confirmed.add(meta["uid"])

    def _worker(self, namespace: str, pod: str) -> PodWorker:
        with self._lock:
            for worker in reversed(self._workers.values()):
                meta = worker.pod["metadata"]
                if (meta["namespace"], meta["name"]) == (namespace, pod):
                    return worker
        raise KeyError(f"no pod {namespace}/{pod} on node {self.name}")
