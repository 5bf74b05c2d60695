"""A training handed to a serving queue: the caller's side of :mod:`trainer.spool`. Imports nothing large.

    python -m trainer train … --queue FOLDER

The command does what it does without ``--queue``: the same files, report, signals and exit statuses. Where
nobody serves the folder, or whoever did has died, it trains here, as it would have.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from trainer import spool
from trainer.errors import BadUsage, DiskError, TrainerError
from trainer.options import TrainOptions
from trainer.pipes import Signals
from trainer.spool import Waiting

log = logging.getLogger("trainer")
_LOOK = 0.1  # seconds


class _Told(TrainerError):
    """How it ended elsewhere; what was said there has been said here."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.exit_status = status


def train_queued(options: TrainOptions, queue: Path, signals: Signals) -> dict[str, Any] | None:
    """The metrics of a training that the queue's server did; None where nobody serves it.

    Raises:
        BadUsage: another base is served there.
        TrainerError: the training failed there, with its own exit status.
    """
    if options.out.exists():
        raise BadUsage(f"{options.out} exists; an adapter folder is never overwritten")
    if (options.judge is None) != (options.answers is None):
        raise BadUsage("--judge and --answers belong together")
    served = spool.serves(queue)
    if served is None:
        log.warning("nobody serves %s: trained here", queue)
        return None
    asked = (named(options.base), options.base_revision)
    if (named(str(served.get("base"))), served.get("base_revision")) != asked:
        raise BadUsage(f"{queue} serves {served.get('base')}, not {options.base}: a queue for each base")
    files = {spool.CORPUS: options.data}
    if options.judge is not None:
        files[spool.GOLDEN] = options.judge
    try:
        with (
            spool.hand_in(queue, _job(options, str(served["base"])), files) as waiting,
            _asked_to_stop() as stop,
        ):
            return _followed(waiting, options, signals, stop)
    except OSError as error:
        raise DiskError(f"the queue {queue}: {error}") from error


def named(base: str) -> str:
    """A base by the folder it is in, wherever that is named from; or by its id."""
    folder = Path(base).expanduser()
    return str(folder.resolve()) if folder.is_dir() else base


def _job(options: TrainOptions, base: str) -> dict[str, Any]:
    recipe = options.recipe
    return {
        "tenant": options.tenant, "base": base, "base_revision": options.base_revision,
        "device": options.device, "precision": options.precision, "require_gpu": options.require_gpu,
        "recipe": asdict(recipe) if is_dataclass(recipe) else dict(recipe),  # type: ignore[call-overload]
        "validation_share": options.validation_share, "skip_too_long": options.skip_too_long,
        "bin": options.bin, "judge": options.judge is not None,
        "checkpoints": str(options.checkpoints.resolve()) if options.checkpoints else None,
        "checkpoint_minutes": options.checkpoint_minutes,
    }  # fmt: skip


def _followed(
    waiting: Waiting, options: TrainOptions, signals: Signals, stop: Mapping[str, bool]
) -> dict[str, Any] | None:
    """Wait for the end, passing on how far it is; None where the server died."""
    partial = options.out.with_name(options.out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)  # what a killed run left behind
    partial.mkdir(parents=True)
    try:
        following = _Following(waiting, partial / "train_log.jsonl", signals)
        while not (waiting.at("done") / spool.RESULT).is_file():
            if stop["asked"]:
                _ask_to_stop(waiting)
            following.look()
            if spool.serves(waiting.spool) is None and not waiting.at("done").exists():
                log.warning("who served %s is gone: trained here", waiting.spool)
                return None
            time.sleep(_LOOK)
        return _taken(waiting.at("done"), options, signals, partial)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _taken(done: Path, options: TrainOptions, signals: Signals, partial: Path) -> dict[str, Any]:
    result = json.loads((done / spool.RESULT).read_text(encoding="utf-8"))
    if result["status"] != 0:
        raise _Told(int(result["status"]), str(result["said"]).rstrip("\n"))
    sys.stderr.write(result["said"])
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
    report: dict[str, Any] = result["report"]
    return report


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
