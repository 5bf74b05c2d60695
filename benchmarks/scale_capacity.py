"""How long municipalities wait for their adapters: a simulated day or week on a number of GPUs. Pure.

The order is the platform's own (:func:`policy.deadline`, :func:`policy.priority`), the durations are drawn:
a training with its evaluation takes a median of 140 s on a card (measured on one H200: 61 s and 78 s), with
a long tail, and 60 s until its pod runs. Peers in the same table: first come first served, and strict
tiers.
"""

from __future__ import annotations

import heapq
import math
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from astra_learn_assets.learning.training import policy

START = datetime(2026, 3, 2, tzinfo=UTC)
MEDIAN_SECONDS, SPREAD, LAUNCH_SECONDS = 139.0, 0.6, 60.0
PREMIUM_SHARE = 0.1
PATIENCE_HOURS = {"premium": 4.0, "standard": 24.0}
DOLLARS_PER_GPU_HOUR = 0.80  # an L4 on demand


@dataclass(frozen=True)
class Wish:
    """A training that somebody asks for."""

    tenant: int
    tier: str
    at: datetime
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """Waits in seconds by tier, the cards' utilisation until the last start, hours of cards, hours in all."""

    waits: dict[str, list[float]]
    utilisation: float
    gpu_hours: float
    hours: float

    @property
    def trainings(self) -> int:
        return sum(map(len, self.waits.values()))


Order = Callable[[Wish], tuple[float, ...]]


def by_deadline(wish: Wish) -> tuple[float, ...]:
    """As the platform queues."""
    due = policy.deadline(wish.at, PATIENCE_HOURS[wish.tier])
    return (-policy.priority(due), wish.at.timestamp())


def first_come(wish: Wish) -> tuple[float, ...]:
    return (wish.at.timestamp(),)


def strict_tiers(wish: Wish) -> tuple[float, ...]:
    return (float(wish.tier != "premium"), wish.at.timestamp())


ORDERS: dict[str, Order] = {
    "deadline": by_deadline,
    "first come": first_come,
    "strict tiers": strict_tiers,
}


def at_once(tenants: int, rng: random.Random) -> list[Wish]:
    """Everybody crosses the threshold in the same minute."""
    return [_wish(n, START + timedelta(seconds=60 * rng.random()), rng) for n in range(tenants)]


def steady(tenants: int, days: float, per_week: float, rng: random.Random) -> list[Wish]:
    """Each municipality at its own rate, more by day than by night."""
    wishes = []
    for tenant in range(tenants):
        at = 0.0
        while True:
            at += rng.expovariate(per_week / 7)
            if at >= days:
                break
            hour = 8 + 10 * rng.random() if rng.random() < 0.8 else 24 * rng.random()
            wishes.append(_wish(tenant, START + timedelta(days=int(at), hours=hour), rng))
    return wishes


def _wish(tenant: int, at: datetime, rng: random.Random) -> Wish:
    tier = "premium" if (tenant * 7919) % 100 < 100 * PREMIUM_SHARE else "standard"
    return Wish(tenant, tier, at, rng.lognormvariate(math.log(MEDIAN_SECONDS), SPREAD) + LAUNCH_SECONDS)


def simulate(wishes: Sequence[Wish], gpus: int, order: Order) -> Outcome:
    """Each card takes the first in ``order`` of those that have been asked for."""
    arrivals = sorted(wishes, key=lambda wish: wish.at)
    free = [START.timestamp()] * gpus
    heapq.heapify(free)
    queue: list[tuple[tuple[float, ...], int, Wish]] = []
    waits: dict[str, list[float]] = {"premium": [], "standard": []}
    busy, last_start, end, coming = 0.0, START.timestamp(), START.timestamp(), 0
    while coming < len(arrivals) or queue:
        now = heapq.heappop(free)
        if not queue and coming < len(arrivals):
            now = max(now, arrivals[coming].at.timestamp())
        while coming < len(arrivals) and arrivals[coming].at.timestamp() <= now:
            heapq.heappush(queue, (order(arrivals[coming]), coming, arrivals[coming]))
            coming += 1
        _, _, wish = heapq.heappop(queue)
        waits[wish.tier].append(now - wish.at.timestamp())
        busy, last_start, end = busy + wish.seconds, max(last_start, now), max(end, now + wish.seconds)
        heapq.heappush(free, now + wish.seconds)
    hours = (end - START.timestamp()) / 3600
    return Outcome(waits, busy / (gpus * max(end - START.timestamp(), 1)), busy / 3600, hours)


def row(name: str, tenants: int, gpus: int, queue: str, outcome: Outcome) -> list[str]:
    """One line of the table."""
    waits = []
    for tier in ("premium", "standard"):
        values = sorted(outcome.waits[tier]) or [0.0]
        p95 = values[min(len(values) - 1, int(0.95 * len(values)))]
        waits += [f"{statistics.median(values) / 60:.0f}", f"{p95 / 60:.0f}", f"{values[-1] / 60:.0f}"]
    cost = outcome.gpu_hours / max(outcome.utilisation, 1e-9) * DOLLARS_PER_GPU_HOUR
    return [
        name, f"{tenants:,}", str(gpus), queue, f"{outcome.trainings / outcome.hours * 24:,.0f}", *waits,
        f"{100 * outcome.utilisation:.0f}", f"{cost / max(outcome.trainings, 1):.3f}",
    ]  # fmt: skip


HEAD = (
    "load", "tenants", "GPUs", "queue", "adapters a day", "premium p50 min", "p95", "max",
    "standard p50 min", "p95", "max", "GPU use %", "$ an adapter",
)  # fmt: skip


def starved(wishes: Sequence[Wish], gpus: int) -> int:
    """How many waited past their bound: the longest wait without tiers and the patience's difference."""
    outcome = simulate(wishes, gpus, by_deadline)
    allowed = (PATIENCE_HOURS["standard"] - PATIENCE_HOURS["premium"]) * 3600
    fair = simulate(wishes, gpus, first_come)
    bound = max(max(fair.waits["standard"] or [0.0]), max(fair.waits["premium"] or [0.0])) + allowed
    return sum(wait > bound for wait in outcome.waits["standard"] + outcome.waits["premium"])
