"""How a run's worker shows that it lives, on one machine: it holds a lock on a file named like the run.

The kernel drops the lock of a process that ends, however it ends. So neither a reused pid nor a daemon that
was started anew can take a dead worker for a living one, or the other way round. The file holds the pid.

The mark is held to the end of the process and not of the run: between the two the run's last event is
written, and a worker without a mark would be taken for dead meanwhile. A process that ends in order takes its
file away; a file that nobody holds was left by one that was killed.
"""

from __future__ import annotations

import fcntl
import os
from multiprocessing.util import Finalize
from pathlib import Path

from dagster import DagsterInstance

from astra_learn_assets.settings import get_settings

LAUNCHER = "WatchedRunLauncher"


def _file(run_id: str) -> Path:
    return get_settings().home_path / "dagster" / "workers" / run_id


def is_asked_for(instance: DagsterInstance) -> bool:
    """Whether the launcher of ``instance`` looks for marks; of a pod Kubernetes knows whether it lives."""
    if instance.is_ephemeral:
        return False
    launcher = instance.get_ref().run_launcher_data
    return launcher is not None and launcher.class_name == LAUNCHER


def hold(run_id: str) -> None:
    """Mark this process as the worker of ``run_id`` until it ends."""
    path = _file(run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    os.ftruncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode("ascii"), 0)
    # a code server's children end by os._exit, which knows nothing of atexit
    Finalize(None, path.unlink, kwargs={"missing_ok": True}, exitpriority=0)


def was_killed(run_id: str) -> bool:
    """Whether a worker of ``run_id`` had its mark and ended without taking it away."""
    return living(run_id) is None and _file(run_id).exists()


def living(run_id: str) -> int | None:
    """The pid of the worker of ``run_id``; None when none lives."""
    try:
        handle = os.open(_file(run_id), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        written = os.pread(handle, 20, 0)
        return int(written) if written.isdigit() else None
    else:
        return None
    finally:
        os.close(handle)


def forget(run_id: str) -> None:
    """Remove what a dead worker left."""
    _file(run_id).unlink(missing_ok=True)
