"""A pod's status from the states of its containers: the kubelet's rules, as pure functions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from astra_learn_assets_tests.cluster.kube import Object

Phase = Literal["Pending", "Running", "Succeeded", "Failed"]


@dataclass
class ContainerState:
    """One container: waiting until ``started_at``, running until ``exit_code``."""

    name: str
    image: str
    waiting: str = "ContainerCreating"
    message: str = ""
    started_at: str | None = None
    finished_at: str | None = None
    exit_code: int | None = None
    end_reason: str | None = None
    restarts: int = 0
    ready: bool = False
    last: Object = field(default_factory=dict)

    def begin(self) -> None:
        """It runs."""
        self.started_at, self.finished_at, self.exit_code, self.end_reason = now(), None, None, None

    def end(self, exit_code: int, reason: str | None = None) -> None:
        """It ended."""
        self.exit_code, self.finished_at, self.ready = exit_code, now(), False
        self.end_reason = reason or ("Completed" if exit_code == 0 else "Error")

    def wait(self, reason: str, message: str = "") -> None:
        """It cannot run, or not yet."""
        if self.exit_code is not None:
            self.last = self.as_object()["state"]
        self.waiting, self.message = reason, message
        self.started_at = self.finished_at = self.exit_code = self.end_reason = None
        self.ready = False

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.started_at is not None and self.exit_code is None

    def as_object(self) -> Object:
        """The entry of ``containerStatuses``."""
        if self.exit_code is not None:
            state: Object = {
                "terminated": {
                    "exitCode": self.exit_code,
                    "reason": self.end_reason,
                    "startedAt": self.started_at,
                    "finishedAt": self.finished_at,
                }
            }
        elif self.started_at is not None:
            state = {"running": {"startedAt": self.started_at}}
        else:
            state = {"waiting": {"reason": self.waiting, "message": self.message}}
        return {
            "name": self.name,
            "image": self.image,
            "imageID": f"test://{self.image}",
            "containerID": f"test://{self.name}-{self.restarts}" if self.started_at else "",
            "ready": self.ready,
            "started": self.running,
            "restartCount": self.restarts,
            "state": state,
            "lastState": self.last,
        }


def phase(init: list[ContainerState], main: list[ContainerState], *, restarts: bool) -> Phase:
    """By the init containers until all are done, then by the main ones; ``restarts``: an end is not final."""
    if any(state.exit_code not in (None, 0) for state in init) and not restarts:
        return "Failed"
    if any(state.exit_code != 0 for state in init):
        return "Pending"
    if all(state.exit_code is not None for state in main) and not restarts:
        return "Succeeded" if all(state.exit_code == 0 for state in main) else "Failed"
    return "Running" if any(state.started_at or state.last for state in main) else "Pending"


def status(
    phase_: Phase,
    init: list[ContainerState],
    main: list[ContainerState],
    *,
    started_at: str,
    reason: str | None = None,
    message: str | None = None,
) -> Object:
    """The pod's whole ``status``."""
    over = phase_ in ("Succeeded", "Failed")
    ready = not over and all(state.ready for state in main)
    initialized = all(state.exit_code == 0 for state in init)
    return {
        "phase": phase_,
        "reason": reason,
        "message": message,
        "hostIP": "127.0.0.1",
        "podIP": "127.0.0.1",
        "podIPs": [{"ip": "127.0.0.1"}],
        "startTime": started_at,
        "conditions": [
            _condition("Initialized", initialized),
            _condition("ContainersReady", ready),
            _condition("Ready", ready),
        ],
        "initContainerStatuses": [state.as_object() for state in init],
        "containerStatuses": [state.as_object() for state in main],
    }


def now() -> str:
    """The time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _condition(kind: str, true: bool) -> Object:
    return {"type": kind, "status": "True" if true else "False", "lastTransitionTime": now()}
