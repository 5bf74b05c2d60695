"""Run one program of a server as an unprivileged user when we are root, detached if asked.

A script of its own: ``python launcher.py wait|detach UID GID FOLDER LOG COMMAND...`` (UID -1 = keep the
user). ``wait`` becomes the command; ``detach`` leaves it running and prints its pid.

* Detached: a new session, so Ctrl-C in the starter's terminal does not end a server that another
  process uses too; a double fork, so no zombie of ours keeps a stopped server looking alive.
* Unprivileged: what runs as somebody else gets FOLDER, its own, as an open handle with the number 3, since
  it may not walk the folders above; :mod:`.unprivileged` tells the whole story. It keeps nothing of root.

A script and not a ``preexec_fn``: code between fork and exec may not take locks that a thread of the
starter holds, and Dagster has threads. It imports nothing of the package, so it starts in 20 ms.
"""

from __future__ import annotations

import os
import sys

HANDLE = 3


def become(uid: int, gid: int, folder: str) -> None:
    """Open ``folder`` as handle 3 for the command to come, and give up root for ``uid``/``gid`` for good."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    if opened != HANDLE:
        os.dup2(opened, HANDLE)
        os.close(opened)
    os.set_inheritable(HANDLE, True)
    os.chdir("/")  # the present folder may be closed to the user, and programs ask where they are
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def main(arguments: list[str]) -> None:
    mode, uid, gid, folder, log, *command = arguments
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
    os.closerange(HANDLE, 256)
    try:
        if int(uid) >= 0:
            become(int(uid), int(gid), folder)
        os.execv(command[0], command)
    except OSError as error:
        os.write(2, f"cannot run {command[0]}: {error}\n".encode())
    os._exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])
