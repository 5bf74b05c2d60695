"""A training or an evaluation handed to a serving queue: the caller's side of :mod:`trainer.spool`.

    python -m trainer train … --queue FOLDER                           # or: evaluate … --queue FOLDER
    python -m trainer train … --queue FOLDER --queue-wait-minutes 30   # where there is no card of its own

The command does what it does without ``--queue``: the same files, report, signals and exit statuses. Where
nobody serves the folder, or whoever did has died, it is done here, as it would have been. With a time to wait
it is never done here: it waits until somebody serves, hands in once more what a server that died had begun,
and ends with :class:`~trainer.errors.NobodyServes` when nobody has served for so long. Imports nothing large.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

from trainer import spool, volumes
from trainer.errors import BadUsage, DiskError, Interrupted, NobodyServes, TrainerError
from trainer.options import EvaluateOptions, TrainOptions
from trainer.pipes import Signals
from trainer.spool import Waiting
from trainer.versions import code

log = logging.getLogger("trainer")
_LOOK = 0.1  # seconds
_HANDED_IN = 2  # times, at most: what ends its server would end every one
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Queue:
    """``wait_minutes``: for somebody who serves it, where it cannot be done here; 0 = it is done here."""

    spool: Path
    wait_minutes: float = 0.0


class _Told(TrainerError):
    """How it ended elsewhere; what was said there has been said here."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.exit_status = status


def train_queued(options: TrainOptions, queue: Queue, signals: Signals) -> dict[str, Any] | None:
    """The metrics of a training that the queue's server did; None where it is to be done here.

    Raises:
        BadUsage: another base is served there.
        NobodyServes: nobody has served it for as long as it may wait.
        TrainerError: the training failed there, with its own exit status.
    """
    if options.out.exists():
        raise BadUsage(f"{options.out} exists; an adapter folder is never overwritten")
    if (options.judge is None) != (options.answers is None):
        raise BadUsage("--judge and --answers belong together")
    files = {spool.CORPUS: options.data}
    if options.judge is not None:
        files[spool.GOLDEN] = options.judge
    partial = options.out.with_name(options.out.name + ".partial")

    def begin(waiting: Waiting) -> Callable[[], None]:
        shutil.rmtree(partial, ignore_errors=True)  # what a killed run left behind
        partial.mkdir(parents=True)
        return _Following(waiting, partial / "train_log.jsonl", signals).look

    def take(done: Path) -> None:
        shutil.rmtree(partial)
        shutil.move(done / spool.WORK / spool.ADAPTER, partial)
        os.rename(partial, options.out)
        answers = done / spool.WORK / spool.ANSWERS
        if options.answers is not None and answers.is_file():
            shutil.move(answers, options.answers)
        if options.checkpoints is not None:
            shutil.rmtree(options.checkpoints, ignore_errors=True)
        metrics = json.loads((options.out / "metrics.json").read_text(encoding="utf-8"))
        signals.result({name: value for name, value in metrics.items() if name != "hyperparameters"})

    try:
        return _done_there(queue, _training(options), files, begin, take, waits_of(options.out))
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def evaluate_queued(options: EvaluateOptions, queue: Queue) -> dict[str, Any] | None:
    """The report of an evaluation that the queue's server did; None, and errors, as :func:`train_queued`."""
    names = [name for name in options.adapters if not _NAME.fullmatch(name)]
    if names:
        raise BadUsage(f"--adapter {names[0]!r}: with --queue a name has letters, digits, _, - and . alone")
    files = {spool.GOLDEN: options.data}
    files |= {f"{spool.ADAPTERS}/{name}": folder for name, folder in options.adapters.items()}

    def take(done: Path) -> None:
        shutil.move(done / spool.WORK / spool.ANSWERS, options.out)

    return _done_there(
        queue, _evaluation(options), files, lambda _: lambda: None, take, waits_of(options.out)
    )


def waits_of(out: Path) -> Path:
    """What is there beside ``out`` while nobody works on it yet: that time is nobody's on a card."""
    return out.with_name(f"{out.name}.waits")


def named(base: str) -> str:
    """A base by the folder it is in, wherever that is named from; or by its id."""
    folder = Path(base).expanduser()
    return str(folder.resolve()) if folder.is_dir() else base


def _training(options: TrainOptions) -> dict[str, Any]:
    recipe = options.recipe
    return {
        "do": spool.TRAIN, **_common(options),
        "recipe": asdict(recipe) if is_dataclass(recipe) else dict(recipe),  # type: ignore[call-overload]
        "validation_share": options.validation_share, "skip_too_long": options.skip_too_long,
        "bin": options.bin, "judge": options.judge is not None,
        "checkpoints": str(options.checkpoints.resolve()) if options.checkpoints else None,
        "checkpoint_minutes": options.checkpoint_minutes,
    }  # fmt: skip


def _evaluation(options: EvaluateOptions) -> dict[str, Any]:
    return {
        "do": spool.EVALUATE, **_common(options), "adapters": list(options.adapters),
        "with_base": options.with_base, "max_new_tokens": options.max_new_tokens,
        "batch_size": options.batch_size,
    }  # fmt: skip


def _common(options: TrainOptions | EvaluateOptions) -> dict[str, Any]:
    return {
        "code": code(), "tenant": options.tenant, "base": named(options.base),
        "base_revision": options.base_revision, "device": options.device, "precision": options.precision,
        "require_gpu": options.require_gpu,
    }  # fmt: skip


def _done_there(
    queue: Queue,
    job: Mapping[str, Any],
    files: Mapping[str, Path],
    begin: Callable[[Waiting], Callable[[], None]],
    take: Callable[[Path], None],
    waits: Path,
) -> dict[str, Any] | None:
    """What the server reports of ``job``, done with ``files``; None where it is to be done here.

    ``begin`` gives what is called at each look while it is done; ``take`` moves what was made out of there;
    ``waits`` is there until it is begun.
    """
    try:
        if queue.wait_minutes:  # who serves is on another machine
            volumes.check(queue.spool)
        waits.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(_HANDED_IN):
            waits.touch()
            if not _is_served(queue, job):
                return None
            with spool.hand_in(queue.spool, job, files) as waiting, _asked_to_stop() as stop:
                if _ended(queue, waiting, begin(waiting), stop, waits):
                    result = json.loads((waiting.at("done") / spool.RESULT).read_text(encoding="utf-8"))
                    if result["status"] == 0:
                        sys.stderr.write(result["said"])
                        take(waiting.at("done"))
                        report: dict[str, Any] = result["report"]
                        return report
                    if result["status"] != NobodyServes.exit_status:
                        raise _Told(int(result["status"]), str(result["said"]).rstrip("\n"))
            if not queue.wait_minutes:
                log.warning("who served %s is gone: it is done here", queue.spool)
                return None
            log.warning("who served %s is gone: handed in anew", queue.spool)
    except OSError as error:
        raise DiskError(f"the queue {queue.spool}: {error}") from error
    finally:
        waits.unlink(missing_ok=True)
    raise NobodyServes(f"who served {queue.spool} was gone {_HANDED_IN} times while it was at this")


def _is_served(queue: Queue, job: Mapping[str, Any]) -> bool:
    """Wait until somebody serves what ``job`` asks for; False where it is to be done here instead."""
    latest = time.monotonic() + 60 * queue.wait_minutes
    told = False
    while True:
        served = spool.serves(queue.spool)
        against = _against(served, job)
        if against is None:
            return True
        if not queue.wait_minutes:
            if served is not None and served.get("code") == job["code"]:
                raise BadUsage(f"{queue.spool} {against}: a queue for each base")
            log.warning("%s %s: it is done here", queue.spool, against)
            return False
        if time.monotonic() > latest:
            raise _nobody(queue, against)
        if not told:
            log.info("%s %s: waiting %g minutes for it at most", queue.spool, against, queue.wait_minutes)
            told = True
        time.sleep(_LOOK)


def _against(served: Mapping[str, Any] | None, job: Mapping[str, Any]) -> str | None:
    """What keeps ``job`` from being handed to whoever serves; None: nothing."""
    if served is None:
        return "is served by nobody"
    if served.get("code") != job["code"]:
        return "is served by another version of the trainer"
    if (named(str(served.get("base"))), served.get("base_revision")) != (job["base"], job["base_revision"]):
        return f"serves {served.get('base')}, not {job['base']}"
    return None


def _nobody(queue: Queue, against: str) -> NobodyServes:
    return NobodyServes(
        f"{queue.spool} {against}, for {queue.wait_minutes:g} minutes. Does its server start, and does the "
        "volume keep locks between machines (NFS from version 4 on)?"
    )


def _ended(
    queue: Queue, waiting: Waiting, look: Callable[[], None], stop: Mapping[str, bool], waits: Path
) -> bool:
    """Wait for the end, calling ``look`` meanwhile; False where the server has died and none waited for.

    Raises:
        Interrupted: asked to stop, and nobody is there to stop.
        NobodyServes: nobody has served for as long as it may wait.
    """
    alone: float | None = None
    while not (waiting.at("done") / spool.RESULT).is_file():
        if stop["asked"]:
            _ask_to_stop(waiting)
        look()
        if waits.exists() and not waiting.at("waiting").exists():
            waits.unlink(missing_ok=True)
        if spool.serves(queue.spool) is not None and waiting.is_there():
            alone = None
        elif not waiting.at("done").exists():
            if stop["asked"]:
                raise Interrupted("interrupted while nobody served the queue; nothing was published")
            if not queue.wait_minutes:
                return False
            alone = alone if alone is not None else time.monotonic()
            if time.monotonic() - alone > 60 * queue.wait_minutes:
                raise _nobody(queue, "is served by nobody")
        time.sleep(_LOOK)
    return True


class _Following:
    """Copies the log of a training that runs elsewhere, line by line, and passes its steps on."""

    def __init__(self, waiting: Waiting, log_file: Path, signals: Signals) -> None:
        self._waiting, self._log, self._signals = waiting, log_file, signals
        self._read = 0

    def look(self) -> None:
        work = self._waiting.at("running") / spool.WORK
        for folder in (f"{spool.ADAPTER}.partial", spool.ADAPTER):
            try:
                new = spool.read_plain(work, folder, "train_log.jsonl", at=self._read)
            except OSError:
                continue
            whole = new[: new.rfind(b"\n") + 1]
            self._read += len(whole)
            with self._log.open("ab") as file:
                file.write(whole)
            self._pass_on(whole.splitlines()[-1:])
            return

    def _pass_on(self, lines: list[bytes]) -> None:
        for line in lines:
            with suppress(
                ValueError, KeyError, TypeError
            ):  # a tenant's process wrote it: it may say anything
                self._signals.progress(json.loads(line))


@contextmanager
def _asked_to_stop() -> Iterator[dict[str, bool]]:
    """While the block runs, SIGTERM and SIGINT are passed on, and waited for: it saves its work first."""
    stop = {"asked": False}

    def note(_: int, __: object) -> None:
        stop["asked"] = True

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ask_to_stop(waiting: Waiting) -> None:
    for state in ("waiting", "running"):
        with suppress(OSError):
            (waiting.at(state) / spool.CANCEL).touch()
