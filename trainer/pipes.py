"""Signals to the orchestrator: Dagster Pipes messages when it started us, silence otherwise.

Nothing else of the trainer knows Dagster. The session opens only when ``DAGSTER_PIPES_CONTEXT`` is
set and ``dagster_pipes`` (a small package without dependencies) is installed.
"""

from __future__ import annotations

import os
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


@contextmanager
def signals() -> Iterator[Signals]:
    """Signals for the life of one command."""
    if not os.environ.get("DAGSTER_PIPES_CONTEXT"):
        yield Signals()
        return
    try:
        from dagster_pipes import open_dagster_pipes
    except ImportError:
        yield Signals()
        return
    with open_dagster_pipes() as context:
        yield PipesSignals(context)
