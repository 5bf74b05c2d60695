"""How far a running training is: a thread beside the trainer reads its log and writes it into the store.

Call::

    with watched(platform, training, "training", running_log(out)):
        run(command)

Every few seconds the row gets a sign of life, with the trainer's newest step when there is one, the new lines
of its log are kept with it, and what
the training has taken of the card so far: a worker that is killed has its minutes counted too. A store that
does not answer costs the training nothing; the next sign goes through or nobody asks.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import structlog

from astra_learn_assets.errors import AstraError
from astra_learn_assets.learning.training.run import Training
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import signs
from astra_learn_assets.store.learning_tables import TrainingProgress

Phase = Literal["training", "evaluating"]
SIGN_SECONDS = 5.0
OF_THE_MOMENT = ("steps", "eta_seconds")  # of a log's entry: what nobody asks for once it is over
_LOG_BYTES = 1_000_000
ALIVE_WITHIN = timedelta(seconds=60)
_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far a training is. ``share`` is 0 to 1; ``alive``: its process gave a sign within a minute."""

    phase: str
    step: int | None
    steps: int | None
    share: float | None
    eta_seconds: float | None
    moved_at: datetime
    alive: bool


@contextmanager
def watched(
    platform: Platform,
    training: Training | None,
    phase: Phase,
    log: Path | None = None,
    waits: Path | None = None,
) -> Iterator[None]:
    """Sign for ``training`` while the block runs; None: nobody's training, nothing is signed.

    ``waits``: a file that is there while it only waits for a card, which is then not counted.
    """
    if training is None or training.ended:
        yield
        return
    ending = threading.Event()
    thread = threading.Thread(
        target=_sign,
        args=(platform, training, phase, log, waits, ending),
        name="training-progress",
        daemon=True,
    )
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(timeout=SIGN_SECONDS + 10)


def _sign(
    platform: Platform,
    training: Training,
    phase: Phase,
    log: Path | None,
    waits: Path | None,
    ending: threading.Event,
) -> None:
    counted = time.monotonic()
    read = 0
    while True:
        done = ending.wait(SIGN_SECONDS)
        now = time.monotonic()
        try:
            with platform.database.session() as session:
                step, steps, left = newest(log) if log is not None else (None, None, None)
                signs.sign(
                    session,
                    training.run_id,
                    training.tenant_id,
                    phase=phase,
                    step=step,
                    steps=steps,
                    eta_seconds=left,
                    gpu_seconds=0.0 if waits is not None and waits.exists() else now - counted,
                )
                entries, reached = lines_of(log, read) if log is not None else ([], read)
                signs.add_lines(session, training.run_id, training.tenant_id, entries)
        except AstraError as error:
            _LOG.warning("no sign of life written", training=training.run_id, error=str(error))
        else:
            counted, read = now, reached
        if done:
            return


def newest(log: Path) -> tuple[int | None, int | None, float | None]:
    """Step, steps and seconds left of the newest whole line of the trainer's log; None each before it."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4_096))
            lines = file.read().split(b"\n")[:-1]
    except FileNotFoundError:
        return None, None, None
    for line in reversed(lines):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and "steps" in entry:
            return int(entry["step"]), int(entry["steps"]), float(entry["eta_seconds"])
    return None, None, None


def lines_of(log: Path, read: int) -> tuple[list[dict[str, float]], int]:
    """The whole lines of the trainer's log behind byte ``read``, figures alone, and where they end."""
    try:
        with log.open("rb") as file:
            file.seek(read)
            data = file.read(_LOG_BYTES)
    except FileNotFoundError:
        return [], read
    end = data.rfind(b"\n") + 1
    found: list[dict[str, float]] = []
    for line in data[:end].splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("step"), int):
            figures = {name: value for name, value in entry.items() if _is_figure(value)}
            found.append(figures)
    return found, read + end


def _is_figure(value: object) -> bool:
    """Whether Postgres and JSON can hold it: of a loss that is not finite the training's reason tells."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def shown(row: TrainingProgress | None, now: datetime | None = None) -> Progress | None:
    """``row`` for people."""
    if row is None:
        return None
    now = now or datetime.now(UTC)
    share = min(row.step / row.steps, 1.0) if row.step is not None and row.steps else None
    return Progress(
        phase=row.phase,
        step=row.step,
        steps=row.steps,
        share=share,
        eta_seconds=row.eta_seconds,
        moved_at=row.moved_at,
        alive=now - row.alive_at <= ALIVE_WITHIN,
    )
