"""How the demo looks in a terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console, Group
from rich.spinner import Spinner
from rich.table import Table

from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning.training import progress
from astra_learn_assets.simulation.demo.desk import Tally
from astra_learn_assets.simulation.demo.figures import CouncilFigures, Promise


@dataclass(frozen=True)
class CouncilState:
    """One council while the loop runs."""

    tenant_id: TenantId
    sessions: int
    tally: Tally
    anonymized: int
    quarantined: int
    waiting: int
    pending: int
    threshold: int
    training: str | None
    moved_at: datetime | None
    reason: str
    finished: bool


def words(state: str, sign: progress.Progress | None) -> str:
    """A training's state for the screen: how far it is while its process lives."""
    if state not in ("training", "evaluating") or sign is None:
        return state
    if not sign.alive:
        return "stopped"
    return state if sign.share is None else f"{sign.phase} {sign.step}/{sign.steps}"


class Progress:
    """The live table; without a terminal it prints a line whenever a training changes state."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()
        self._said: dict[str, str] = {}
        self._spinner = Spinner("dots")

    def table(self, states: Sequence[CouncilState]) -> Group:
        """The table for ``states`` as of now."""
        elapsed = time.monotonic() - self._started
        table = Table(title=f"The loop runs by itself · {elapsed:.0f} s", title_justify="left")
        for name in ("council", "finals", "names", "kept out", "anonymized", "examples", "training"):
            left = name in ("council", "training")
            table.add_column(name, justify="left" if left else "right", no_wrap=left)
        for state in states:
            training = state.training or ("waiting" if state.tally.done else "–")
            table.add_row(
                state.tenant_id,
                f"{state.tally.uploaded}/{state.sessions}",
                str(state.tally.name_fixes),
                str(state.tally.hostile_kept_out + state.tally.good_kept_out),
                str(state.anonymized),
                f"{state.pending}/{state.threshold}",
                training,
            )
            state_alone = training.partition(" ")[0]
            if not self._console.is_terminal and self._said.get(state.tenant_id) != state_alone:
                self._said[state.tenant_id] = state_alone
                self._console.print(
                    f"[{elapsed:4.0f} s] {state.tenant_id}: {state.tally.uploaded}/{state.sessions} finals, "
                    f"{state.anonymized} anonymized, {state.pending} examples pending, training {training}",
                    soft_wrap=True,
                )
        return Group(table, self._spinner)


def closing_table(figures: Sequence[CouncilFigures], kept: Sequence[Promise], *, seconds: float) -> Group:
    """Councils first, then every promise with its figure."""
    councils = Table(title="Councils", title_justify="left")
    for name in (
        "council",
        "finals",
        "examples",
        "draft WER",
        "dictionary",
        "table",
        "base",
        "adapter",
        "clean text loses",
        "training",
    ):
        councils.add_column(name)
    for council in figures:
        councils.add_row(
            council.tenant_id,
            str(council.tally.uploaded),
            str(council.examples),
            *map(
                _percent,
                (*council.opponents.values(), council.adapter_wer, council.clean_wer),
            ),
            council.state if council.promoted else f"{council.state}: {council.reason}",
        )
    table = Table(title=f"What was promised · {seconds:.0f} s in all", title_justify="left")
    table.add_column("promise")
    table.add_column("kept")
    table.add_column("figure")
    for promise in kept:
        table.add_row(promise.text, "yes" if promise.kept else "[bold red]NO[/]", promise.figure)
    return Group(councils, table)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
