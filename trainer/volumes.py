"""Whether a folder's volume keeps locks between machines, as far as its mount says.

What is known not to is refused by name; of what is not known here nothing is said, and locks that stay on
their machine show as nobody serving (:mod:`trainer.spool`).
"""

from __future__ import annotations

import re
from pathlib import Path

from trainer.errors import NobodyServes

_MOUNTS = Path("/proc/self/mountinfo")
_MANDATORY = ("cifs", "smb3")  # its locks keep others from reading, too
_LOCAL = ("nolock", "local_lock=flock", "local_lock=all")


def check(place: Path) -> None:
    """Refuse a folder on a volume whose locks are of no use between machines.

    Raises:
        NobodyServes: it is on one.
    """
    against = against_locks(_MOUNTS.read_text(encoding="utf-8"), place.resolve())
    if against is not None:
        raise NobodyServes(
            f"{place} is on {against}: who serves and who waits would not see each other's locks"
        )


def against_locks(mounts: str, place: Path) -> str | None:
    """What speaks against ``place`` by a table like ``/proc/self/mountinfo``, proc(5); None: nothing."""
    found: tuple[int, str, str] | None = None
    for line in mounts.splitlines():
        mount, _, volume = line.partition(" - ")
        point = Path(_plain(mount.split()[4]))
        kind, *_, options = volume.split()
        if place.is_relative_to(point) and (found is None or len(point.parts) >= found[0]):
            found = len(point.parts), kind, options  # of two on one folder the later hides the earlier
    if found is None:
        return None
    _, kind, options = found
    if kind in _MANDATORY:
        return f"{kind}, whose locks keep others from reading"
    local = [option for option in options.split(",") if option in _LOCAL]
    if kind.startswith("nfs") and local:
        return f"{kind} mounted with {local[0]}"
    return None


def _plain(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
