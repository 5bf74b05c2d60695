"""How much processor a piece of work took, here and in Postgres: the same whatever else the machine does.

Linux only, for a server on this machine: what its processes took is read from ``/proc``.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import sqlalchemy as sa

_CLIENTS = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT, _OWN, _ENDED = 1, slice(11, 13), slice(13, 15)  # fields of a stat line, from the state on


def of_work(engine: sa.Engine) -> float:
    """Seconds so far: of this process, and of the server's processes that answer clients."""
    with engine.connect() as connection:
        pids = connection.execute(sa.text(_CLIENTS)).scalars().all()
    return time.process_time() + sum(_seconds(pid, _OWN) for pid in pids)


def of_everything(engine: sa.Engine) -> float:
    """Seconds so far of this process, of its children that ended, and of the whole server."""
    with engine.connect() as connection:
        asked = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
    server = int(_stat(asked)[_PARENT])
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    used = sum(_seconds(int(pid), _OWN) for pid in (server, *children)) + _seconds(server, _ENDED)
    mine = os.times()
    return used + mine.user + mine.system + mine.children_user + mine.children_system


def _seconds(pid: int, which: slice) -> float:
    return sum(int(value) for value in _stat(pid)[which]) / _TICKS


def _stat(pid: int) -> list[str]:
    """The fields after the name, which may hold blanks; of a process that has just ended, zeros."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ["0"] * 50
