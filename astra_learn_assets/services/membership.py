"""Who uses the servers of a home folder, and which servers run: reference counting by kernel locks.

Every user holds a *shared* ``flock`` on ``users.lock`` for as long as it lives. Who leaves tries for
the *exclusive* lock: getting it means that nobody else is left, so the servers are stopped. The kernel
drops the lock of a process that is killed, so no list of pids can go stale. All decisions are made
under ``services.lock``; that is what makes two starts at once, or a start during a stop, safe.

A killed user cannot stop anything. The guardian, a small process started with the servers, looks every
two seconds whether anybody is left, and stops them if not. If it was killed too, the next user to leave
does it.

Run ``python -m astra_learn_assets.services.membership HOME`` to be the guardian.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from astra_learn_assets.services.servers import Server, stop

_WATCH_SECONDS = 2.0
_STOP_ORDER = ("guardian", "redis", "postgres")


@contextmanager
def exclusive(home: Path) -> Iterator[None]:
    """Hold ``services.lock``: nobody else starts, stops, joins or leaves meanwhile."""
    handle = _open(home / "services.lock")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def join(home: Path) -> int:
    """Become a user (call under :func:`exclusive`); returns the handle to give to :func:`leave`."""
    handle = _open(home / "users.lock")
    fcntl.flock(handle, fcntl.LOCK_SH)
    return handle


def leave(home: Path, handle: int) -> None:
    """Stop being a user, and stop the servers if that was the last one."""
    with exclusive(home):
        # Unlock before closing: a forked child may hold a copy of the handle, and with it the lock.
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)
        stop_if_unused(home)


def stop_if_unused(home: Path) -> bool:
    """Stop every server unless somebody uses them (call under :func:`exclusive`); True when stopped."""
    if _anybody_left(home):
        return False
    running = servers(home)
    for name in _STOP_ORDER:
        if name in running and running[name].pid != os.getpid():
            stop(running[name], postgres=name == "postgres")
    return True


def servers(home: Path) -> dict[str, Server]:
    """The servers that run now, by name; empty when none does."""
    return {name: server for name, server in last_known(home).items() if server.alive()}


def last_known(home: Path) -> dict[str, Server]:
    """The servers as last written down, alive or not (their ports are tried first next time)."""
    try:
        written = json.loads((home / "services.json").read_text(encoding="utf-8"))
        return {name: Server(**fields) for name, fields in written.items()}
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return {}  # never started, or a disk that was full: the servers are found dead and started anew


def write_down(home: Path, running: dict[str, Server]) -> None:
    """Note the servers (call under :func:`exclusive`)."""
    partial = home / "services.json.partial"
    partial.write_text(json.dumps({name: asdict(server) for name, server in running.items()}), "utf-8")
    partial.rename(home / "services.json")


def watch(home: Path) -> None:
    """The guardian's life: stop the servers once nobody uses them, then end."""
    while home.exists():
        handle = _open(home / "services.lock")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if stop_if_unused(home):
                return
        except BlockingIOError:
            pass  # somebody is joining or leaving: look again later
        finally:
            os.close(handle)
        time.sleep(_WATCH_SECONDS)


def _anybody_left(home: Path) -> bool:
    handle = _open(home / "users.lock")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


if __name__ == "__main__":
    watch(Path(sys.argv[1]))
