"""Prometheus figures of the learning's stages, read from the database when they are asked for.

Every API pod exports the same ones: they are the platform's and not the pod's, so whoever adds pods up takes
``max by (stage, …)`` first. Nobody needs a key to ask, so all callers together cost one question each
:data:`FRESH_SECONDS`; a database that does not answer leaves the figures out and the others in.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import sqlalchemy as sa
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from astra_learn_assets.errors import AstraError
from astra_learn_assets.store import stage_figures
from astra_learn_assets.store.db import Database

FRESH_SECONDS = 10.0
LABELS = {
    "astra_stage_seconds": ("stage", "result"),
    "astra_waiting": ("stage",),
    "astra_oldest_waiting_seconds": ("stage",),
}


@dataclass(frozen=True)
class _Read:
    tallies: list[stage_figures.Tally] = field(default_factory=list)
    waiting: list[stage_figures.Waiting] = field(default_factory=list)


class LearningFigures(Collector):
    """Names its metrics always, and has figures from :meth:`of` on."""

    def __init__(self) -> None:
        self._database: Database | None = None
        self._lock = threading.Lock()
        self._read: tuple[float, _Read] | None = None

    def of(self, database: Database | None) -> None:
        """Read ``database`` from now on; None: nothing any more."""
        with self._lock:
            self._database, self._read = database, None

    def collect(self) -> Iterator[Metric]:
        read = self._lately()
        name, waits_name, oldest_name = LABELS
        seconds = HistogramMetricFamily(name, "Stages of the learning by how they ended", labels=LABELS[name])
        for tally in read.tallies:
            bounds = ("+Inf" if bound == math.inf else str(bound) for bound in stage_figures.BOUNDS)
            buckets = list(zip(bounds, tally.cumulative, strict=True))
            seconds.add_metric((tally.stage, tally.result), buckets, tally.seconds)
        yield seconds
        labels = LABELS[waits_name]
        waits = GaugeMetricFamily(waits_name, "What waits, by what it waits for", labels=labels)
        oldest = GaugeMetricFamily(oldest_name, "For how long the oldest of it", labels=labels)
        for one in read.waiting:
            waits.add_metric((one.stage,), one.count)
            oldest.add_metric((one.stage,), one.oldest_seconds)
        yield waits
        yield oldest

    def _lately(self) -> _Read:
        with self._lock:
            if self._database is None:
                return _Read()
            if self._read is None or time.monotonic() - self._read[0] > FRESH_SECONDS:
                self._read = (time.monotonic(), _ask(self._database))
            return self._read[1]


def _ask(database: Database) -> _Read:
    try:
        with database.session() as session:
            return _Read(stage_figures.tallies(session), stage_figures.waiting(session))
    except (AstraError, sa.exc.SQLAlchemyError):
        return _Read()
