"""Who a server runs as when we are root, and how that user gets at files below folders closed to it.

Postgres refuses to run as root, so as root both servers run as ``postgres`` or ``nobody``. The project and
its home may lie where that user may not go: ``/root``, a folder with mode 700. Nobody's folder is opened for
that, and the server is given no right of root's. (A Linux capability to walk everywhere would not do:
Docker takes it away by default, and access(2), by which Postgres looks for its own programs, ignores it.)

* **Data** stays in the home. The launcher, still root, hands the server its own folder as an open handle,
  and the server's paths go through it: ``/proc/self/fd/3/data``. The kernel follows that link without asking
  about the folders above. Linux only; elsewhere the home must lie where the user can go.
* **Programs**: Postgres resolves the path it was started by, folder by folder, so a handle does not help.
  Where the user cannot run them in place they are run from a copy below ``/var/cache/astra-learn``, which
  only root can write and whose name is the digest of what is in it. It may be deleted while nothing runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from astra_learn_assets.errors import BadConfiguration
from astra_learn_assets.services.launcher import HANDLE

LAUNCHER = Path(__file__).with_name("launcher.py")
COPIES = Path("/var/cache/astra-learn")


@dataclass(frozen=True)
class Owner:
    """The user a server runs as; ``uid`` None = the present one."""

    uid: int | None
    gid: int | None

    def give(self, path: Path) -> None:
        """Make this user the owner of ``path``."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def sees(self, folder: Path) -> Path:
        """``folder``, the server's own, by the name under which the server can reach it."""
        handed_over = self.uid is not None and sys.platform == "linux"
        return Path(f"/proc/self/fd/{HANDLE}") if handed_over else folder


def owner_of(folder: Path) -> Owner:
    """Who runs the server whose files are in ``folder``.

    An ordinary user: himself. Root: whoever owns the files already, else ``postgres`` or ``nobody``.

    Raises:
        BadConfiguration: root, and the machine has neither user; or the files belong to somebody else.
    """
    existing = folder.stat() if folder.exists() else None
    if os.geteuid() != 0:
        if existing is not None and existing.st_uid != os.geteuid():
            raise BadConfiguration(
                f"{folder} belongs to another user (uid {existing.st_uid}), perhaps from a run as root: "
                "run as that user, remove the folder, or set ASTRA_HOME to another one"
            )
        return Owner(None, None)
    if existing is not None and existing.st_uid != 0:
        return Owner(existing.st_uid, existing.st_gid)
    import pwd

    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Owner(entry.pw_uid, entry.pw_gid)
    raise BadConfiguration(
        "Postgres refuses to run as root and this machine has no user 'postgres' or 'nobody': "
        "run as an ordinary user or set ASTRA_DATABASE_URL"
    )


def launch(mode: str, owner: Owner, folder: Path, log: Path, command: Sequence[str]) -> list[str]:
    """The command line that runs ``command`` as ``owner``, whose ``folder`` it is; see :mod:`.launcher`."""
    uid, gid = (-1 if value is None else value for value in (owner.uid, owner.gid))
    # -I -S: no site-packages, no PYTHON* variables: the launcher needs neither, and starts faster
    python = [sys.executable, "-I", "-S", str(LAUNCHER)]
    return [*python, mode, str(uid), str(gid), str(folder), str(log), *command]


def runnable(owner: Owner, root: Path, parts: Sequence[str], program: str) -> Path:
    """The path from which ``owner`` can run ``program``; it answers to ``--version``.

    ``parts`` are the files and folders that it needs; they and ``program`` are relative to ``root``.

    Raises:
        BadConfiguration: the user can run neither the program in its place nor a copy of it.
    """
    if owner.uid is None or _can_run(owner, root / program):
        return root / program
    hint = (
        "run as an ordinary user, move the project to a folder that others may enter, "
        "or set ASTRA_DATABASE_URL and ASTRA_REDIS_URL"
    )
    try:
        copied = _copy(root, parts, Path(program).name) / program
    except OSError as error:
        raise BadConfiguration(
            f"{root / program} cannot be run by uid {owner.uid}, as which the server must run, "
            f"and no copy can be made in {COPIES} ({error}): {hint}"
        ) from error
    if not _can_run(owner, copied):
        raise BadConfiguration(
            f"uid {owner.uid}, as which the server must run, can run neither {root / program} nor its copy "
            f"{copied} (is {COPIES} mounted noexec?): {hint}"
        )
    return copied


def _can_run(owner: Owner, program: Path) -> bool:
    """By trying: permissions alone do not tell (access lists, mount options)."""
    null = Path(os.devnull)
    command = launch("wait", owner, Path("/"), null, [str(program), "--version"])
    return subprocess.run(command, check=False, timeout=60).returncode == 0


def _copy(root: Path, parts: Sequence[str], name: str) -> Path:
    """A copy of ``parts`` that everybody may read and run and only root may write; made once."""
    files = sorted(path for part in parts for path in _files(root / part))
    place = COPIES.parent.resolve() / COPIES.name
    _make_safe(place)
    target = place / f"{name}-{_digest(root, files)}"
    with _locked(place / "lock"):
        if target.is_dir():
            return target
        partial = place / f"{target.name}.partial"
        shutil.rmtree(partial, ignore_errors=True)  # of a start that was killed
        for path in files:
            copied = partial / path.relative_to(root)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copied)
            copied.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
        for folder in (partial, *(path for path in partial.rglob("*") if path.is_dir())):
            folder.chmod(0o755)  # whatever the umask
        partial.rename(target)
    return target


def _files(path: Path) -> Iterator[Path]:
    return (found for found in path.rglob("*") if found.is_file()) if path.is_dir() else iter([path])


def _digest(root: Path, files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(root)} {path.stat().st_mode & stat.S_IXUSR} {content}\n".encode())
    return digest.hexdigest()[:16]


def _make_safe(place: Path) -> None:
    """Make ``place`` unless it exists; refuse one in which another user could put or swap a program.

    Raises:
        OSError: saying which folder is the trouble.
    """
    for folder in reversed((place, *place.parents)):
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            folder.chmod(0o755)
        found = folder.lstat()
        swappable = found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or swappable:
            raise OSError(f"{folder} is not a folder that only root can change")
    if place.lstat().st_mode & 0o022:
        raise OSError(f"{place} is not a folder that only root can change")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
