"""Where trainings wait for the process that serves them: a folder, its renames, and two locks.

    SPOOL/serving.json               what is served; its server holds a lock on it while it lives
    SPOOL/waiting|running|done/ID/   one training: its caller holds a lock on ``job.json`` while it wants it
        job.json                     what was asked for
        cancel                       the caller has been asked to stop
        log                          what the tenant's process said
        result.json                  how it ended: written by the server, after everything was checked
        work/                        all that the tenant's process sees: corpus, golden set, adapter, answers

A rename takes a training from hand to hand, so it is in one at a time; a lock ends with its holder, so nobody
waits for the dead. What lies in ``work`` a tenant's process wrote: it is opened without following links.

Callers and server may be on several machines if the volume keeps ``flock`` between them: NFS from version 4
on (and not mounted with ``local_lock``; flock(2), nfs(5)), CephFS. There the lock of a machine that is gone
ends with its lease, 90 s by a Linux server's default, and what another renames is seen when cached folders
are looked at anew: mount with ``actimeo=1``. Who asks for an exclusive lock has opened for writing, who asks
for a shared one for reading, as NFS demands. Where locks stay on their machine nobody is seen to serve, and
what waits is nobody's: callers end with exit status 12.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.errors import BadUsage, NotBelieved

STATES = ("waiting", "running", "done")
SERVING, JOB, CANCEL, LOG, RESULT, WORK = "serving.json", "job.json", "cancel", "log", "result.json", "work"
TRAIN, EVALUATE = "train", "evaluate"  # what a job asks for
CORPUS, GOLDEN, ADAPTER, ADAPTERS, ANSWERS, REPORT = (
    "corpus.jsonl", "golden.jsonl", "adapter", "adapters", "answers.jsonl", "report.json"
)  # fmt: skip
_LARGEST_REPORT = 1 << 20
_TRIES, _BETWEEN = 20, 0.05  # for a lock, seconds


@dataclass(frozen=True)
class Waiting:
    """A training in the spool, by its id."""

    spool: Path
    name: str

    def at(self, state: str) -> Path:
        return self.spool / state / self.name

    def move(self, before: str, after: str) -> bool:
        """Whether it was ours to move: of two who try, one does."""
        try:
            self.at(before).rename(self.at(after))
        except OSError:
            return False
        return True

    def is_there(self) -> bool:
        """Whether it lies in one of the states; looked for in the order that it goes through them."""
        return any(self.at(state).exists() for state in STATES)


def prepare(spool: Path) -> None:
    """The folders; nobody but their owner looks into them."""
    for folder in (spool, *(spool / state for state in STATES)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


@contextmanager
def serving(spool: Path, what: Mapping[str, Any]) -> Iterator[None]:
    """Be the one who serves ``spool``, and say what is served.

    Raises:
        BadUsage: another process serves it: two bases, or two servers of one, need a folder each.
    """
    file = (spool / SERVING).open("a+", encoding="utf-8")
    try:
        if not _locked_in_time(file.fileno()):
            raise BadUsage(
                f"{spool} is served already, with {(serves(spool) or {}).get('base')}; "
                "a base needs a folder of its own"
            )
        file.truncate(0)
        file.write(json.dumps(dict(what)))
        file.flush()
        yield
    finally:
        file.close()


def serves(spool: Path) -> dict[str, Any] | None:
    """What is served there; None where nobody does now."""
    try:
        with (spool / SERVING).open(encoding="utf-8") as file:
            if _locked(file.fileno(), shared=True):
                return None
            said = json.loads(file.read() or "{}")
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) else None


@contextmanager
def hand_in(spool: Path, job: Mapping[str, Any], files: Mapping[str, Path]) -> Iterator[Waiting]:
    """Put a training or an evaluation into the spool, with copies of ``files``, some of which may be folders,
    in its own folder; it is gone with the block."""
    waiting = Waiting(spool, uuid.uuid4().hex)
    folder = spool / f".{waiting.name}"
    try:
        (folder / WORK).mkdir(mode=0o700, parents=True)
        for name, file in files.items():
            copy = shutil.copytree if file.is_dir() else shutil.copyfile
            copy(file, folder / WORK / name)
        with (folder / JOB).open("w", encoding="utf-8") as written:
            written.write(json.dumps(dict(job)))
            written.flush()
            _locked(written.fileno())
            folder.rename(waiting.at("waiting"))
            yield waiting
    finally:
        for place in (folder, *(waiting.at(state) for state in STATES)):
            shutil.rmtree(place, ignore_errors=True)


def claim(spool: Path) -> Waiting | None:
    """The longest waiting training that is still wanted, now running; the unwanted are swept away."""
    with suppress(FileNotFoundError):
        ages = {entry.name: entry.stat().st_mtime_ns for entry in os.scandir(spool / "waiting")}
        for name in sorted(ages, key=lambda name: ages[name]):
            waiting = Waiting(spool, name)
            if not is_wanted(waiting.at("waiting")):
                shutil.rmtree(waiting.at("waiting"), ignore_errors=True)
            elif waiting.move("waiting", "running"):
                return waiting
    return None


def sweep(spool: Path) -> None:
    """Forget what callers that are gone have left."""
    for state in STATES:
        for folder in (spool / state).iterdir():
            if not is_wanted(folder):
                shutil.rmtree(folder, ignore_errors=True)


def give_back(spool: Path, result: Mapping[str, Any]) -> None:
    """Tell the callers of what lies in ``running`` that it ended with ``result``: who took it is gone.

    For a server that begins: what another has begun it does not go on with.
    """
    for folder in list((spool / "running").iterdir()):
        end(Waiting(spool, folder.name), result)


def is_wanted(folder: Path) -> bool:
    """Whether the caller of this training is alive and waits for it."""
    try:
        with (folder / JOB).open(encoding="utf-8") as file:
            return not _locked(file.fileno(), shared=True)
    except OSError:
        return False


def asked(folder: Path) -> dict[str, Any]:
    """What ``job.json`` says."""
    said = json.loads((folder / JOB).read_text(encoding="utf-8"))
    if not isinstance(said, dict):
        raise BadUsage("a training in the queue is no JSON object")
    return said


def end(waiting: Waiting, result: Mapping[str, Any]) -> None:
    """Tell the caller how it ended."""
    folder = waiting.at("running")
    with suppress(FileNotFoundError):  # the caller has gone and taken it along
        partial = folder / f"{RESULT}.partial"
        partial.write_text(json.dumps(dict(result), ensure_ascii=False), encoding="utf-8")
        partial.rename(folder / RESULT)
        waiting.move("running", "done")


def believed(work: Path, *, trained: bool = True) -> dict[str, Any]:
    """The report of a process that says it has ended well, once what it left was looked at.

    An adapter folder of plain files and nothing else where it ``trained``, answers likewise: the caller, not
    confined, would follow a link to another's files.

    Raises:
        NotBelieved: it left something else.
    """
    adapter, answers = work / ADAPTER, work / ANSWERS
    if trained and not _is(adapter, stat.S_ISDIR):
        raise NotBelieved("the tenant's process left no adapter folder")
    if not trained and not _is(answers, stat.S_ISREG):
        raise NotBelieved("the tenant's process left no file of answers")
    left = [*adapter.iterdir()] if trained else []
    for file in [*left, *([answers] if answers.is_symlink() or answers.exists() else [])]:
        if not _is(file, stat.S_ISREG) or file.lstat().st_nlink != 1:
            raise NotBelieved(f"the tenant's process left {file.name}, which is no plain file of its own")
    try:
        report = json.loads(read_plain(work, REPORT, most=_LARGEST_REPORT))
    except (OSError, ValueError) as error:
        raise NotBelieved(f"the tenant's process left no report: {error}") from error
    if not isinstance(report, dict):
        raise NotBelieved("the report of the tenant's process is no JSON object")
    return report


def read_plain(folder: Path, *parts: str, at: int = 0, most: int = 1 << 20) -> bytes:
    """Bytes of a plain file below ``folder``, no link followed on the way.

    Raises:
        OSError: it is missing, a link, or no plain file.
    """
    inside = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=inside)
            os.close(inside)
            inside = inner
        # not to wait for a writer, should it be a pipe
        opened = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=inside)
        with os.fdopen(opened, "rb") as file:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                raise OSError(f"{parts[-1]} is no plain file")
            file.seek(at)
            return file.read(most)
    finally:
        os.close(inside)


def _is(place: Path, kind: Any) -> bool:
    try:
        return bool(kind(place.lstat().st_mode))
    except OSError:
        return False


def _locked_in_time(file: int) -> bool:
    """Whether the lock was free for a moment: who only looks at it holds it, too, that long."""
    for _ in range(_TRIES):
        if _locked(file):
            return True
        time.sleep(_BETWEEN)
    return False


def _locked(file: int, *, shared: bool = False) -> bool:
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
