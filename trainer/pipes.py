"""Signals to whoever started us: Dagster Pipes messages, a progress bar in a terminal, silence otherwise.

Nothing else of the trainer knows Dagster. The session opens only when ``DAGSTER_PIPES_CONTEXT`` is
set and ``dagster_pipes`` (a small package without dependencies) is installed.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class Signals:
    """What the trainer tells its caller. This base class tells nobody."""

    def progress(self, values: Mapping[str, Any]) -> None:
        """A training step: step, steps, loss, learning_rate, tokens_per_second, eta_seconds."""

    def result(self, values: Mapping[str, Any]) -> None:
        """The final metrics."""


class PipesSignals(Signals):
    """Sends custom messages ``{"kind": "progress" | "result", ...}`` and a readable log line now and then."""

    def __init__(self, context: Any) -> None:
        self.context = context

    def progress(self, values: Mapping[str, Any]) -> None:
        self.context.report_custom_message({"kind": "progress", **values})
        self.context.log.info(
            "step %s/%s  loss %.4f  %.0f tokens/s  %.0f s left",
            values["step"], values["steps"], values["loss"], values["tokens_per_second"],
            values["eta_seconds"],
        )  # fmt: skip

    def result(self, values: Mapping[str, Any]) -> None:
        self.context.report_custom_message({"kind": "result", **values})


class TerminalSignals(Signals):
    """A progress bar on stderr, for the person who started the training by hand."""

    def __init__(self) -> None:
        self._bar: Any = None

    def progress(self, values: Mapping[str, Any]) -> None:
        if self._bar is None:
            from tqdm import tqdm  # transformers brings it

            width = shutil.get_terminal_size().columns
            self._bar = tqdm(
                total=values["steps"], file=sys.stderr, bar_format=_BAR, ncols=width, disable=False
            )  # the libraries' own bars are off, and that switch is one for all
        self._bar.total = values["steps"]  # another after a try that ran out of memory
        left = max(0, round(values["eta_seconds"]))
        self._bar.set_postfix_str(
            f"loss {values['loss']:.4f}, {values['tokens_per_second']:,.0f} tokens/s, "
            f"{left // 60}:{left % 60:02} left",
            refresh=False,
        )
        self._bar.update(values["step"] - self._bar.n)
        self._bar.refresh()

    def close(self) -> None:
        """Leave the bar as it stands and go to the next line."""
        if self._bar is not None:
            self._bar.close()


def say_lines() -> None:
    """Our own lines go to stderr, as they are."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)


def quiet_libraries() -> None:
    """Errors and our own lines only: progress bars of libraries do not belong in a run's log."""
    say_lines()
    for name in ("transformers", "peft", "accelerate", "httpx", "torch"):
        logging.getLogger(name).setLevel(logging.ERROR)
    from transformers.utils import logging as library

    transformers_logging: Any = library
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()


_BAR = "step {n_fmt}/{total_fmt} |{bar}| {postfix}"


@contextmanager
def _on_terminal() -> Iterator[Signals]:
    if not sys.stderr.isatty():
        yield Signals()
        return
    terminal = TerminalSignals()
    try:
        yield terminal
    finally:
        terminal.close()


@contextmanager
def signals() -> Iterator[Signals]:
    """Signals for the life of one command: to Dagster, to a terminal, or to nobody."""
    if not os.environ.get("DAGSTER_PIPES_CONTEXT"):
        with _on_terminal() as terminal:
            yield terminal
        return
    try:
        from dagster_pipes import open_dagster_pipes
    except ImportError:
        yield Signals()
        return
    with open_dagster_pipes() as context:
        yield PipesSignals(context)
