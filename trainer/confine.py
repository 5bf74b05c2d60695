"""What a tenant's process may touch once it is confined: its folder, and what every process reads.

    confine(Limits([work], [base_folder]))      # before its first thread
    become(60_001)                                            # where there is no Landlock, and we are root

One wall must stand (:func:`wall`):

* Landlock (https://docs.kernel.org/userspace-api/landlock.html), asked of the kernel through ctypes: no
  file beyond those named, no TCP, no signal to and no look into a process that is not confined likewise. From
  its third version on; before it, another's file could be emptied. It holds for the thread that asks and what
  that starts, so it is asked before there is a second one. No capability is left: being root means nothing.
* Else a user of its own, where this process is root: then files are kept apart by their owners. The C library
  changes the user of all threads, so this may come after the card was opened, which other users may not be
  allowed to share.

What a card's driver needs of the machine is named here.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import site
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trainer.errors import ConfinementError

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # system calls, the same numbers on every architecture
_NO_NEW_PRIVILEGES, _DROP_BOUND, _DUMPABLE, _DIE_WITH_PARENT = 38, 24, 4, 1  # of prctl
_SIGKILL = 9
_CAPABILITIES_V3 = 0x20080522
OLDEST_LANDLOCK = 3
Wall = Literal["landlock", "user"]

_EXECUTE, _WRITE, _READ, _LIST = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL = 1 << 14, 1 << 15
_ALL_OF_3 = (1 << 15) - 1
_ON_FILES = _EXECUTE | _WRITE | _READ | _TRUNCATE | _IOCTL
_SEE = _EXECUTE | _READ | _LIST
_IN_ITS_FOLDER = _ALL_OF_3 & ~(1 << 6) & ~(1 << 11)  # no devices

# Programs, libraries and what they ask of the system. Of /etc only what names users and libraries: a pod may
# have secrets beside it.
_SYSTEM = (
    "/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/sys", "/proc", "/etc/ld.so.cache",
    "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/passwd", "/etc/group",
    "/etc/nsswitch.conf", "/etc/alternatives", "/etc/nvidia", "/run/nvidia-persistenced", "/dev/urandom",
    "/dev/random", "/dev/zero",
)  # fmt: skip
# A card's driver names its threads there; of another process nothing lies there.
_WRITTEN = ("/proc/self", "/proc/driver/nvidia")
_DEVICES = ("/dev/null", "/dev/nvidia*", "/dev/nvidia-caps/*")


@dataclass(frozen=True)
class Limits:
    """``folders``: its own, to read and write; ``readable``: what else it reads (the base model)."""

    folders: Sequence[Path]
    readable: Sequence[Path] = ()


class _Ruleset(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int32)]


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def landlock_version() -> int:
    """Which version of Landlock this kernel has; 0 for none."""
    version = int(_libc().syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1)))
    return max(0, version)


def wall() -> Wall | None:
    """What keeps a tenant's process in its folder on this machine; None: nothing can."""
    if landlock_version() >= OLDEST_LANDLOCK:
        return "landlock"
    return "user" if os.geteuid() == 0 else None


def die_with_parent() -> None:
    """End this process when the one that forked it ends."""
    _prctl(_libc(), _DIE_WITH_PARENT, _SIGKILL)


def confine(limits: Limits) -> None:
    """Confine this process, which must have one thread only, for good.

    Without Landlock it only loses what a program could gain by another's rights; :func:`become` follows.

    Raises:
        ConfinementError: the wall that this machine has could not be put up.
    """
    libc = _libc()
    _prctl(libc, _NO_NEW_PRIVILEGES, 1)
    _drop_bounds(libc)
    if wall() != "landlock":
        return
    rules = _rules(libc, limits)
    _drop_capabilities(libc)
    if libc.syscall(_RESTRICT, ctypes.c_int(rules), ctypes.c_uint32(0)):
        raise ConfinementError(f"Landlock did not confine: {os.strerror(ctypes.get_errno())}")
    os.close(rules)


def become(user: int) -> None:
    """Give this process, all its threads, a user and a group of its own; its capabilities go with the old."""
    try:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    except OSError as error:
        raise ConfinementError(f"no user of its own: {error}") from error
    _prctl(_libc(), _DUMPABLE, 1)  # a process that changed its user may not even read its own /proc
    die_with_parent()  # forgotten with the user


def everybody_reads(limits: Limits) -> list[Path]:
    """Files and folders that a confined process reads beside its own."""
    code = Path(__file__).resolve().parent
    python = [sys.prefix, sys.base_prefix, sys.exec_prefix, *site.getsitepackages()]
    # not the folder it was started in, which is first where a module is run: it may hold anything
    paths = [place for place in sys.path[1:] if place and Path(place) not in (Path.cwd(), code.parent)]
    libraries = [place for place in os.environ.get("LD_LIBRARY_PATH", "").split(":") if place]
    named = [Path(place) for place in (*_SYSTEM, *python, *paths, *libraries)]
    named += [code, *_compiler(), *limits.readable]
    return sorted({place.resolve() for place in named if place.exists()})


def _compiler() -> list[Path]:
    """Where the C compiler lies that Triton asks: a machine may have it in a folder of its own."""
    found = [shutil.which(name) for name in (os.environ.get("CC", ""), "gcc", "clang") if name]
    folders = [place for name in found if name for place in (Path(name).parent, Path(name).resolve().parent)]
    return [folder.parent if folder.name == "bin" else folder for folder in folders]


def _rules(libc: ctypes.CDLL, limits: Limits) -> int:
    version = landlock_version()
    asked = _Ruleset(
        files=_ALL_OF_3 | (_IOCTL if version >= 5 else 0),
        net=3 if version >= 4 else 0,  # no TCP port is bound or called
        scoped=3 if version >= 6 else 0,  # nor a signal or an abstract socket of others
    )
    size = 24 if version >= 6 else (16 if version >= 4 else 8)
    rules = int(libc.syscall(_CREATE, ctypes.byref(asked), ctypes.c_size_t(size), ctypes.c_uint32(0)))
    if rules < 0:
        raise ConfinementError(f"Landlock takes no rules: {os.strerror(ctypes.get_errno())}")
    for folder in limits.folders:
        _allow(libc, rules, folder, _IN_ITS_FOLDER, asked.files)
    for place in everybody_reads(limits):
        _allow(libc, rules, place, _SEE, asked.files)
    for pattern in _DEVICES:
        for device in Path("/").glob(pattern.lstrip("/")):
            _allow(libc, rules, device, _READ | _WRITE | _TRUNCATE | _IOCTL, asked.files)
    for written in filter(Path.exists, map(Path, _WRITTEN)):
        _allow(libc, rules, written, _SEE | _WRITE | _TRUNCATE, asked.files)
    return rules


def _allow(libc: ctypes.CDLL, rules: int, place: Path, rights: int, handled: int) -> None:
    rights &= handled if place.is_dir() else handled & _ON_FILES
    opened = os.open(place, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _Beneath(rights, opened)
        if libc.syscall(_ADD, ctypes.c_int(rules), ctypes.c_int(1), ctypes.byref(rule), ctypes.c_uint32(0)):
            raise ConfinementError(f"Landlock takes no rule for {place}: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(opened)


def _prctl(libc: ctypes.CDLL, option: int, value: int) -> None:
    zero = ctypes.c_ulong(0)
    if libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), zero, zero, zero):
        raise ConfinementError(f"prctl {option}: {os.strerror(ctypes.get_errno())}")


def _drop_bounds(libc: ctypes.CDLL) -> None:
    zero = ctypes.c_ulong(0)
    for number in range(64):
        if libc.prctl(ctypes.c_int(_DROP_BOUND), ctypes.c_ulong(number), zero, zero, zero):
            return  # the kernel knows no further one, or we may not: they go with the permitted ones


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    header, nothing = _CapabilityHeader(_CAPABILITIES_V3, 0), (ctypes.c_uint32 * 6)()
    if libc.capset(ctypes.byref(header), ctypes.byref(nothing)):
        raise ConfinementError(f"capset: {os.strerror(ctypes.get_errno())}")
