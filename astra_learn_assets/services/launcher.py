"""Run one program of a server as an unprivileged user when we are root, detached if asked.

A script of its own: ``python launcher.py wait|detach UID GID LOG COMMAND...`` (UID -1 = keep the user).
``wait`` becomes the command; ``detach`` leaves it running and prints its pid.

* Detached: a new session, so Ctrl-C in the starter's terminal does not end a server that another
  process uses too; a double fork, so no zombie of ours keeps a stopped server looking alive.
* Unprivileged: Postgres refuses to run as root. Its files may lie under a folder that only root can
  enter (``/root``, 0700). Instead of opening that folder to everybody, the server keeps one Linux
  capability, CAP_DAC_READ_SEARCH: it can walk and read, and write only what is its own. Where that
  capability is not to be had, the server simply runs without it.

A script and not a ``preexec_fn``: code between fork and exec may not take locks that a thread of the
starter holds, and Dagster has threads. It imports nothing of the package, so it starts in 20 ms.
"""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_READ_SEARCH = 2
_CAPABILITY_VERSION_3 = 0x20080522


class _CapHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapData(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def become(uid: int, gid: int) -> None:
    """Give up root for ``uid``/``gid`` for good, keeping CAP_DAC_READ_SEARCH over exec where possible."""
    linux = sys.platform == "linux"
    libc = ctypes.CDLL(None, use_errno=True)
    if linux:
        libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if not linux:
        return
    mask = 1 << _CAP_DAC_READ_SEARCH
    header = _CapHeader(_CAPABILITY_VERSION_3, 0)
    data = (_CapData * 2)(_CapData(mask, mask, mask), _CapData(0, 0, 0))
    if libc.capset(ctypes.byref(header), data) == 0:
        libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_READ_SEARCH, 0, 0)


def main(arguments: list[str]) -> None:
    mode, uid, gid, log, *command = arguments
    if mode == "detach":
        child = os.fork()
        if child:
            sys.stdout.write(f"{child}\n")
            return
        os.setsid()
    log_file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log_file, 1)
    os.dup2(log_file, 2)
    os.closerange(3, 256)
    try:
        if int(uid) >= 0:
            become(int(uid), int(gid))
        os.execv(command[0], command)
    except OSError as error:
        os.write(2, f"cannot run {command[0]}: {error}\n".encode())
    os._exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])
