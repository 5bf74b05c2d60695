"""Many tenants on one resident base, one after the other, each in a process of its own.

    python -m trainer serve-queue --spool FOLDER --base FOLDER      # then: train|evaluate … --queue FOLDER

This process imports everything once and never touches the card. Its child, the owner (:mod:`trainer.owner`),
holds the base; each training or evaluation that waits in the folder (:mod:`trainer.spool`) is a fork of this
process (:mod:`trainer.tenant`). For each: the base's sum; the tenant's process, confined, for so long at
most; every process that it leaves is ended; the sum again. Only then is what it wrote looked at and handed to
its caller. A base that has changed costs that tenant its adapter; it is loaded anew and the next one goes on.
After an idle while the server leaves, and the card is free.
"""

from __future__ import annotations

import ctypes
import logging
import os
import shutil
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from trainer import confine, spool, tenant
from trainer.errors import (
    BadUsage,
    BaseChanged,
    ConfinementError,
    DiskError,
    Interrupted,
    NobodyServes,
    NotBelieved,
    TrainerError,
)
from trainer.owner import Digests, Owner, Wanted
from trainer.pipes import quiet_libraries
from trainer.spool import Waiting
from trainer.versions import code
from trainer.warm import warm_up

log = logging.getLogger("trainer")
_LOOK = 0.1  # seconds between two looks at the folder
_SUBREAPER = 36  # of prctl
_FIRST_USER = 61_000  # of the users that tenants' processes are, where there is no Landlock
_SAID = 16_384  # bytes of a tenant's log that its caller gets


@dataclass(frozen=True)
class ServeOptions:
    """``idle_minutes``: without work after which it leaves; ``job_minutes``: that a tenant may take;
    ``grace_seconds``: from the request to stop to the end; ``unconfined``: serve although nothing keeps a
    tenant's process from the others' files here."""

    spool: Path
    wanted: Wanted
    idle_minutes: float = 10.0
    job_minutes: float = 240.0
    grace_seconds: float = 60.0
    threads: int = 0
    unconfined: bool = False


class Server:
    """Serves one spool with one base until it is told to stop or has been idle."""

    def __init__(self, options: ServeOptions) -> None:
        self.options = options
        self.stopping = False
        self.counts = {"believed": 0, "failed": 0, "base_changed": 0}
        self._kernels = options.spool / f"kernels-{code()[:16]}"
        self._card = os.environ.get(tenant.HIDDEN)
        self._owner: Owner | None = None
        self._number = 0

    def serve(self) -> dict[str, Any]:
        """Raises a :class:`TrainerError` where it cannot begin; how a training ends its caller is told."""
        options, wanted = self.options, self.options.wanted
        began = time.monotonic()
        spool.prepare(options.spool)
        self._check_walls()
        what = {"base": wanted.base, "base_revision": wanted.base_revision, "code": code()}
        with spool.serving(options.spool, what):
            spool.sweep(options.spool)
            spool.give_back(
                options.spool, {"status": NobodyServes.exit_status, "said": "who served it is gone\n"}
            )
            _adopt_orphans()
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._stop)
            files = Digests(wanted.base)  # beside the imports
            _import_all(self._card)
            files.remember()
            try:
                self._owner = Owner(wanted)
                self._warm()
                log.info(
                    "serving %s in %s, ready after %.1f s; tenants are kept apart by %s",
                    self._owner.base.identity[0], self._owner.base.placement.precision,
                    time.monotonic() - began, self._apart_by(),
                )  # fmt: skip
                self._go_on()
            finally:
                if self._owner is not None:
                    self._owner.leave()
        return {**self.counts, "seconds": round(time.monotonic() - began, 1)}

    def _go_on(self) -> None:
        idle = time.monotonic()
        while not self.stopping:
            waiting = spool.claim(self.options.spool)
            if waiting is not None:
                self._take(waiting)
                idle = time.monotonic()
            elif time.monotonic() - idle > 60 * self.options.idle_minutes:
                log.info("nothing has waited for %.1f minutes: leaving", self.options.idle_minutes)
                return
            else:
                time.sleep(_LOOK)

    def _take(self, waiting: Waiting) -> None:
        folder = waiting.at("running")
        began = time.monotonic()
        try:
            report = self._believed(waiting)
            result: dict[str, Any] = {"status": 0, "report": report, "said": _said(folder)}
            self.counts["believed"] += 1
        except (TrainerError, Interrupted) as error:
            result = {"status": error.exit_status, "said": f"{_said(folder)}{error}\n"}
            self.counts["base_changed" if isinstance(error, BaseChanged) else "failed"] += 1
        except OSError as error:  # the caller took its folder along, say, or the disk is full
            result = {"status": DiskError.exit_status, "said": f"the queue's folder: {error}\n"}
            self.counts["failed"] += 1
        log.info("%s: %s after %.1f s", waiting.name[:8], result["status"], time.monotonic() - began)
        spool.end(waiting, result)
        spool.sweep(self.options.spool)

    def _believed(self, waiting: Waiting) -> dict[str, Any]:
        folder = waiting.at("running")
        job = self._checked(folder)
        if not self._base_is_whole():
            log.error("the base had changed with no tenant at it: loaded anew")
        status = self._run(folder, job)
        if not self._base_is_whole():
            raise BaseChanged("the base was changed while this training ran: nothing of it is believed")
        if status != 0:
            raise _Ended(status)
        return spool.believed(folder / spool.WORK, trained=job.get("do") != spool.EVALUATE)

    def _checked(self, folder: Path) -> Mapping[str, Any]:
        try:
            job = spool.asked(folder)
        except (OSError, ValueError) as error:
            raise BadUsage(f"a training in the queue cannot be read: {error}") from error
        wanted = self.options.wanted
        if (job.get("base"), job.get("base_revision")) != (wanted.base, wanted.base_revision):
            raise BadUsage(f"this queue serves {wanted.base}, not {job.get('base')}: a queue for each base")
        if job.get("code") != code():
            raise NobodyServes("who serves this queue runs another version of the trainer than its caller")
        return job

    def _base_is_whole(self) -> bool:
        """Whether it is; where not, it is loaded anew."""
        if self._owner is not None and self._owner.unchanged():
            return True
        if self._owner is not None:
            self._owner.leave()
        self._owner = None
        self._owner = Owner(self.options.wanted)
        return False

    def _run(self, folder: Path, job: Mapping[str, Any], *, awaited: bool = True) -> int:
        """The exit status of the tenant's process, all that it started ended. ``awaited``: by a caller."""
        assert self._owner is not None
        self._number += 1
        given = tenant.Given(
            work=folder / spool.WORK,
            job=job,
            wanted=self.options.wanted,
            base=self._owner.base,
            kernels=self._kernels,
            card=self._card,
            user=_FIRST_USER + self._number % 1000,
            confined=confine.wall() is not None,
            threads=self.options.threads,
        )
        with (folder / spool.LOG).open("wb") as said:
            process = tenant.begin(given, said.fileno())
        try:
            return self._wait(process, folder if awaited else None)
        finally:
            _end_all_but(self._owner.process)

    def _wait(self, process: int, folder: Path | None) -> int:
        """Wait for the tenant's process: till it ends, its time is over, or nobody wants it any more."""
        latest = time.monotonic() + 60 * self.options.job_minutes
        ending: float | None = None
        while True:
            found, status = os.waitpid(process, os.WNOHANG)
            if found:
                return os.waitstatus_to_exitcode(status)
            now = time.monotonic()
            if now > latest:
                raise NotBelieved(f"it took longer than the {self.options.job_minutes:g} minutes it may take")
            if ending is None and (self.stopping or (folder is not None and _cancelled(folder))):
                ending = now + self.options.grace_seconds
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGTERM)  # it saves a checkpoint, where it was told where
            if ending is not None and now > ending:
                raise Interrupted("interrupted, and did not end in time; nothing was published")
            time.sleep(_LOOK / 2)

    def _warm(self) -> None:
        """Where there are no kernels yet: compile them with a corpus of our own, before any tenant."""
        if self._kernels.is_dir():
            return
        for older in self.options.spool.glob("*kernels*"):
            shutil.rmtree(older, ignore_errors=True)  # of another version, or half made
        fresh = self._kernels.with_name(".kernels")
        fresh.mkdir(exist_ok=True)
        self._kernels, named = fresh, self._kernels
        assert self._owner is not None
        if self._owner.base.placement.device == "cuda":
            compiled = warm_up(self.options.spool / ".warm", partial(self._run, awaited=False))
            fresh = compiled if compiled is not None else fresh
        self._kernels = named
        fresh.rename(named)

    def _check_walls(self) -> None:
        if confine.wall() is None and not self.options.unconfined:
            raise ConfinementError(
                f"nothing keeps tenants' processes apart here: no Landlock (version "
                f"{confine.OLDEST_LANDLOCK}, Linux 6.2), and no root to give each a user of its own; "
                "--unconfined serves all the same"
            )
        place = self.options.spool.resolve()
        for readable in confine.everybody_reads(confine.Limits([], [])):
            if place.is_relative_to(readable):
                raise BadUsage(
                    f"{place} lies in {readable}, which every tenant's process reads: take another"
                )
        if confine.wall() == "user":  # its user passes through, and sees nothing on the way
            for folder in (self.options.spool, self.options.spool / "running"):
                folder.chmod(0o711)

    def _apart_by(self) -> str:
        wall = confine.wall()
        return "nothing" if wall is None else {"landlock": "Landlock", "user": "users of their own"}[wall]

    def _stop(self, _: int, __: FrameType | None) -> None:
        self.stopping = True


class _Ended(TrainerError):
    """A tenant's process ended with this status, and has said why."""

    def __init__(self, status: int) -> None:
        super().__init__("" if status > 0 else f"the tenant's process was ended by signal {-status}")
        self.exit_status = status if status > 0 else NotBelieved.exit_status


def serve(options: ServeOptions) -> dict[str, Any]:
    """Serve until told to stop, or idle for long; what was done."""
    return Server(options).serve()


def _import_all(card: str | None) -> None:
    """Import what a training needs, without touching the card: a process that has may fork none that do.

    Some packages look for a card while they are imported; they are shown none, and by way of the driver's
    management library: the runtime would remember for good that it saw none.

    Raises:
        TrainerError: one of them has touched it all the same.
    """
    os.environ.update({tenant.HIDDEN: "", "PYTORCH_NVML_BASED_CUDA_CHECK": "1"})
    import torch
    import transformers.utils.import_utils as known

    import trainer.attention_kernels
    import trainer.judge
    import trainer.kernels
    import trainer.resident
    import trainer.train_lora  # noqa: F401

    quiet_libraries()

    for name in dir(known):  # what was answered while no card was to be seen is asked again
        forget = getattr(getattr(known, name), "cache_clear", None)
        if forget is not None and "available" in name:
            forget()
    if card is None:
        del os.environ[tenant.HIDDEN]
    else:
        os.environ[tenant.HIDDEN] = card
    touched: Any = torch.cuda.is_initialized
    if touched():
        raise TrainerError(
            "a package touched the card while it was imported: no process can be forked for it"
        )


def _adopt_orphans() -> None:
    """Whose parent dies becomes our child, and not init's: so it can be found and ended."""
    zero = ctypes.c_ulong(0)
    ctypes.CDLL(None).prctl(ctypes.c_int(_SUBREAPER), ctypes.c_ulong(1), zero, zero, zero)


def _end_all_but(owner: int) -> None:
    """End every child but the owner, and those who become ours as their parents die, until there is none."""
    while left := [child for child in _children() if child != owner]:
        for child in left:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        for child in left:
            with suppress(ChildProcessError):
                os.waitpid(child, 0)


def _children() -> list[int]:
    own, found = os.getpid(), []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with suppress(OSError, IndexError):  # it ended meanwhile
                fields = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == own:
                    found.append(int(entry.name))
    return found


def _cancelled(folder: Path) -> bool:
    return (folder / spool.CANCEL).exists() or not spool.is_wanted(folder)


def _said(folder: Path) -> str:
    try:
        size = (folder / spool.LOG).stat().st_size
        return spool.read_plain(folder, spool.LOG, at=max(0, size - _SAID)).decode(errors="replace")
    except OSError:
        return ""
