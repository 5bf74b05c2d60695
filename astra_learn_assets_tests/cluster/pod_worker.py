"""The life of one pod on its node, in a thread of its own, as the kubelet leads it.

Held start → images → volumes → init containers one by one → the containers together, restarted or not as
the pod says → the end: by itself, by deletion (SIGTERM, the grace period, SIGKILL, then the API object), by
eviction or by ``activeDeadlineSeconds``. The API server is told only while the node is online; a worker on a
node that is cut off goes on working, as its containers do.
Not done: liveness probes, lifecycle hooks, restartable init containers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import urllib3
from kubernetes.client.exceptions import ApiException

from astra_learn_assets_tests.cluster import inputs, pod_status, probes
from astra_learn_assets_tests.cluster.container import KILLED, Container, Image, Mount
from astra_learn_assets_tests.cluster.kube import CONFLICT, NOT_FOUND, Kube, Object
from astra_learn_assets_tests.cluster.nodes import GPU
from astra_learn_assets_tests.cluster.pod_status import ContainerState, Phase

_TICK = 0.2
_LONGEST_BACKOFF = 10.0


class Host(Protocol):
    """What a worker asks of its node."""

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


@dataclass
class _Stop(Exception):
    """The pod must not go on; ``reason`` as in its status, or one of deleted, gone, crash."""

    reason: str
    message: str = ""


class PodWorker(threading.Thread):
    """Runs one pod; update, evict, vanish and crash are called from other threads."""

    def __init__(self, host: Host, pod: Object, folder: Path) -> None:
        super().__init__(name=f"pod-{pod['metadata']['name']}", daemon=True)
        self.pod, self.folder = pod, folder
        self._host, self._kube = host, host.kube
        self._spec: Object = pod["spec"]
        self._restart: str = self._spec.get("restartPolicy", "Always")
        self._init = _states(self._spec.get("initContainers", []))
        self._main = _states(self._spec["containers"])
        self._running: dict[str, Container] = {}
        self._started_at, self._clock = pod_status.now(), time.monotonic()
        self._changed = threading.Event()
        self._order: _Stop | None = None
        self._told: Any = None
        self._volumes: dict[str, Path] = {}

    def update(self, pod: Object) -> None:
        """The API server has a newer version of the pod."""
        self.pod = pod
        self._changed.set()

    def evict(self, message: str) -> None:
        """The node runs out of something: end the pod as Failed, reason Evicted."""
        self._give(_Stop("Evicted", message))

    def vanish(self) -> None:
        """The object was deleted by force: end the processes, there is nothing left to report to."""
        self._give(_Stop("gone"))

    def crash(self) -> None:
        """The node lost its power: the processes are gone at once, and nobody reports anything."""
        self._give(_Stop("crash"))

    def log(self, container: str | None = None) -> Path:
        """The file of a container's output; the first container's by default."""
        return self.folder / f"{container or self._main[0].name}.log"

    def run(self) -> None:
        """The whole life."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._publish()
            self._prepare()
            for state, spec in zip(self._init, self._spec.get("initContainers", []), strict=True):
                if not self._initialize(state, spec):
                    return
            self._serve()
        except _Stop as stop:
            self._end(stop)
        finally:
            for container in self._running.values():
                container.kill()

    def _prepare(self) -> None:
        """Images and volumes; waits for what is not there yet."""
        self._until(lambda: self._host.may_start(self.pod))
        for state in (*self._init, *self._main):
            if self._host.image(state.image) is None:
                message = f'Failed to pull image "{state.image}": not found'
                state.wait("ErrImagePull", message)
                self._publish()
                self._event("Failed", message)
                self._pause(_TICK)
                state.wait("ImagePullBackOff", f'Back-off pulling image "{state.image}"')
                self._until(lambda name=state.image: self._host.image(name) is not None)
                state.wait("ContainerCreating")
        self._until(self._mount, report="FailedMount")

    def _mount(self) -> bool:
        self._volumes = inputs.volumes(self._kube, self.pod, self.folder / "volumes")
        return True

    def _initialize(self, state: ContainerState, spec: Object) -> bool:
        """Run one init container to its end; False when the pod failed with it."""
        while state.exit_code != 0:
            self._start(state, spec)
            while self._running[state.name].exit_code is None:
                self._pause(_TICK)
            state.end(self._running.pop(state.name).exit_code or 0)
            if state.exit_code != 0 and self._restart == "Never":
                self._publish(final=True)
                return False
            if state.exit_code != 0:
                self._back_off(state)
        self._publish()
        return True

    def _serve(self) -> None:
        """The main containers, until all have ended for good."""
        specs = {spec["name"]: spec for spec in self._spec["containers"]}
        again: dict[str, float] = dict.fromkeys(specs, 0.0)
        while True:
            for state in self._main:
                if state.name in again and time.monotonic() >= again[state.name]:
                    del again[state.name]
                    self._start(state, specs[state.name])
                running = self._running.get(state.name)
                if running is None:
                    continue
                if (code := running.exit_code) is None:
                    state.ready = probes.passed(specs[state.name], running)
                    continue
                del self._running[state.name]
                state.end(code)
                if self._restart == "Always" or (self._restart == "OnFailure" and code != 0):
                    again[state.name] = time.monotonic() + _backoff(state)
                    state.restarts += 1
                    state.wait("CrashLoopBackOff", f"back-off restarting failed container {state.name}")
            if not again and not self._running:
                self._publish(final=True)
                return
            self._publish()
            self._pause(_TICK)

    def _start(self, state: ContainerState, spec: Object) -> None:
        image: Image | None = None

        def environment() -> bool:
            nonlocal image
            image = self._host.image(state.image)
            base = {**(image or Image()).environment, **self._host.service_environment()}
            base["HOSTNAME"] = self.pod["metadata"]["name"]
            if GPU in spec.get("resources", {}).get("limits", {}):
                base["NVIDIA_VISIBLE_DEVICES"] = f"GPU-{self._host.name}"  # as the device plugin does
            self._values = inputs.environment(self._kube, self.pod, spec, base)
            return image is not None

        self._until(environment, report="CreateContainerConfigError", state=state)
        assert image is not None
        values = self._values
        words = [*(spec.get("command") or image.command), *spec.get("args", [])]
        command = [inputs.expand(word, values) for word in words]
        self._running[state.name] = Container(
            command,
            image=image,
            environment=values,
            mounts=self._mounts(spec),
            folder=self.folder / f"{state.name}.{state.restarts}",
            log=self.folder / f"{state.name}.log",
            directory=spec.get("workingDir"),
            read_only_root=bool(spec.get("securityContext", {}).get("readOnlyRootFilesystem")),
        )
        state.begin()
        self._publish()

    def _mounts(self, spec: Object) -> list[Mount]:
        hosts = self._host.write_hosts(self.pod["metadata"]["namespace"], self.folder / "hosts")
        mounts = [Mount(hosts, "/etc/hosts")]
        for item in sorted(spec.get("volumeMounts", []), key=lambda item: len(item["mountPath"])):
            source = self._volumes[item["name"]]
            if "subPath" in item:
                source /= item["subPath"]
                if not source.exists():
                    source.mkdir(parents=True)
            mounts.append(Mount(source, item["mountPath"], bool(item.get("readOnly"))))
        return mounts

    def _back_off(self, state: ContainerState) -> None:
        seconds = _backoff(state)
        state.restarts += 1
        state.wait("CrashLoopBackOff", f"back-off restarting failed container {state.name}")
        self._publish()
        due = time.monotonic() + seconds
        self._until(lambda: time.monotonic() >= due)

    def _until(
        self,
        done: Callable[[], bool],
        *,
        report: str | None = None,
        state: ContainerState | None = None,
    ) -> None:
        """Wait for ``done``; what it lacks (NotReady) is told once as an event and, with ``state``, there."""
        said = ""
        while True:
            try:
                # A node that is cut off can fetch nothing.
                if self._host.online and done():
                    return
            except inputs.NotReady as lack:
                if str(lack) != said:
                    said = str(lack)
                    self._event(report or lack.reason, said)
                    if state is not None:
                        state.wait(lack.reason, said)
            except (ApiException, urllib3.exceptions.HTTPError):
                said = ""  # the API server's trouble, whatever it is: asked again at the next tick
            self._publish()
            self._pause(_TICK)

    def _pause(self, seconds: float) -> None:
        """Let time pass, then see whether the pod may go on."""
        self._changed.wait(seconds)
        self._changed.clear()
        if self._order is not None:
            raise self._order
        deadline = self._spec.get("activeDeadlineSeconds")
        if deadline is not None and time.monotonic() - self._clock > deadline:
            raise _Stop("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
        if self.pod["metadata"].get("deletionTimestamp"):
            raise _Stop("deleted")

    def _end(self, stop: _Stop) -> None:
        """End the processes and tell what became of the pod."""
        if stop.reason in ("crash", "gone"):
            return  # run() kills what runs
        self._terminate()
        for state in (*self._init, *self._main):
            if state.exit_code is None:
                state.end(KILLED, "ContainerStatusUnknown")
        if stop.reason == "deleted":
            self._publish(final=True)
        else:
            self._event(stop.reason, stop.message)
            self._publish(final=True, forced=stop)

    def _terminate(self) -> None:
        """SIGTERM, the grace period, SIGKILL; the exit codes are kept."""
        meta = self.pod["metadata"]
        grace = meta.get("deletionGracePeriodSeconds", self._spec.get("terminationGracePeriodSeconds", 30))
        for container in self._running.values():
            container.terminate()
        due = time.monotonic() + grace
        while any(container.exit_code is None for container in self._running.values()):
            crashed = self._order is not None and self._order.reason in ("crash", "gone")
            if time.monotonic() >= due or crashed:
                break
            time.sleep(_TICK / 2)
        for state in (*self._init, *self._main):
            if (container := self._running.pop(state.name, None)) is not None:
                container.kill()
                state.end(KILLED if container.exit_code is None else container.exit_code)

    def _publish(self, *, final: bool = False, forced: _Stop | None = None) -> None:
        """Tell the API server, if something changed; ``final``: insist, over a node that is cut off."""
        restarts = self._restart != "Never" and not final
        phase: Phase = pod_status.phase(self._init, self._main, restarts=restarts)
        told = (phase if forced is None else "Failed", [vars(s).copy() for s in (*self._init, *self._main)])
        while told != self._told:
            if self._host.online and self._send(told[0], forced):
                self._told = told
            elif not final or (self._order is not None and self._order.reason in ("crash", "gone")):
                return
            else:
                time.sleep(_TICK)

    def _send(self, phase: Phase, forced: _Stop | None) -> bool:
        meta = self.pod["metadata"]
        body = pod_status.status(
            phase,
            self._init,
            self._main,
            started_at=self._started_at,
            reason=forced.reason if forced else None,
            message=forced.message if forced else None,
        )
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/status"
        try:
            self._kube.patch(path, {"metadata": {"uid": meta["uid"]}, "status": body})
        except ApiException as error:
            return error.status in (NOT_FOUND, CONFLICT)  # gone, or another pod of that name: nobody to tell
        except urllib3.exceptions.HTTPError:
            return False
        return True

    def _event(self, reason: str, message: str) -> None:
        """An Event of the pod, as ``kubectl describe`` shows it."""
        if not self._host.online:
            return
        meta = self.pod["metadata"]
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{meta['name']}.", "namespace": meta["namespace"]},
            "involvedObject": {
                "kind": "Pod",
                "namespace": meta["namespace"],
                "name": meta["name"],
                "uid": meta["uid"],
            },
            "reason": reason,
            "message": message,
            "type": "Warning",
            "source": {"component": "kubelet", "host": self._host.name},
            "firstTimestamp": pod_status.now(),
            "lastTimestamp": pod_status.now(),
            "count": 1,
        }
        try:
            self._kube.create(f"/api/v1/namespaces/{meta['namespace']}/events", body)
        except (ApiException, urllib3.exceptions.HTTPError):
            return  # an event is a courtesy

    def _give(self, order: _Stop) -> None:
        self._order = order
        self._changed.set()


def _states(containers: list[Object]) -> list[ContainerState]:
    return [ContainerState(spec["name"], spec["image"]) for spec in containers]


def _backoff(state: ContainerState) -> float:
    return float(min(2.0**state.restarts, _LONGEST_BACKOFF))
