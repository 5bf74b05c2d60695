"""Automation at a thousand municipalities: what a tick costs, what a kill loses, who waits how long.

    python -m benchmarks.scale            # 1,000,000 examples, 200 rounds of killing
    python -m benchmarks.scale --quick    # the same bounds in at most 5 minutes on two cores, 15 rounds

Everything runs on a real Postgres (embedded, in a temporary folder) with Dagster's storage in the same
server. A tick is the sensor's whole function: our statements, Dagster's, and making the requests. What is
bounded is the processor's time, the sensor's and that of Postgres' processes for its connections, because a
clock shows as well what else the machine does; the clock's time is shown beside it. The peer asks the same
questions one municipality at a time. Exit code 1 when a bound is broken.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import dagster as dg
import sqlalchemy as sa

from astra_learn_assets.automation.sensors import feedback, follow, training
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import anonymize
from astra_learn_assets.learning.training import plan
from astra_learn_assets.partitions import tenant_partitions
from astra_learn_assets.platform import Platform
from astra_learn_assets.services.embedded import embedded
from astra_learn_assets.services.stack import environment
from astra_learn_assets.settings import Settings, get_settings
from astra_learn_assets.store import looks, tiers
from astra_learn_assets.store.tables import Tenant
from benchmarks import scale_capacity, scale_processor, scale_rounds
from benchmarks.scale_load import World

BUSY = 20
TICK_SECONDS, STATEMENTS = 1.0, 5  # of a processor; ours, beside Dagster's
FLAT_FACTOR, FLAT_SLACK = 1.6, 500  # pages: an index of a hundred times the rows is a level deeper
RSS_MEGABYTES = 8.0


@dataclass
class Cost:
    """What a tick cost: seconds by the clock and of a processor; statements are ours and Dagster's."""

    seconds: float
    processor: float
    pages: int
    ours: int
    dagsters: int
    requests: int


@dataclass
class Report:
    """Tables on standard output; bounds that were broken."""

    broken: list[str] = field(default_factory=list)

    def table(self, title: str, head: tuple[str, ...], rows: list[list[str]]) -> None:
        print(f"\n{title}\n")
        print("| " + " | ".join(head) + " |")
        print("|" + "---|" * len(head))
        for row in rows:
            print("| " + " | ".join(row) + " |", flush=True)

    def require(self, holds: bool, sentence: str) -> None:
        print(f"  {'holds ' if holds else 'BROKEN'}  {sentence}", flush=True)
        if not holds:
            self.broken.append(sentence)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--tenants", type=int, default=1_000)
    parser.add_argument("--examples", type=int, default=1_000_000)
    options = parser.parse_args()
    began, report = time.monotonic(), Report()
    _capacity(report, options.quick)
    with _world(options.tenants) as (world, make_instance):
        with make_instance() as instance:
            instance.add_dynamic_partitions(str(tenant_partitions.name), [str(n) for n in world.names])
            _ticks(report, world, instance, options.examples, 3 if options.quick else 5)
            _memory(report, world, instance, 150 if options.quick else 1_000)
            _latency(report, world, instance, 15 if options.quick else 50)
            _all_at_once(report, world, instance)
        _rounds(report, world, make_instance, 15 if options.quick else 200)
        processor = scale_processor.of_everything(world.platform.database.engine)
    print(
        f"\n{time.monotonic() - began:.0f} s in all, {processor:.0f} s of a processor; "
        f"{len(report.broken)} bounds broken"
    )
    for sentence in report.broken:
        print(f"BROKEN: {sentence}")
    sys.exit(1 if report.broken else 0)


@contextmanager
def _world(tenants: int) -> Iterator[tuple[World, Callable[[], dg.DagsterInstance]]]:
    with tempfile.TemporaryDirectory(prefix="astra-scale-") as folder:
        bare = Settings(home=Path(folder, "home"), _env_file=None)  # type: ignore[call-arg]
        with embedded(bare, durable=False) as settings:
            os.environ.update(environment(settings))
            get_settings.cache_clear()
            with Platform.open(settings) as platform:
                yield World(platform, tenants), dg.DagsterInstance.get


def _pages(platform: Platform) -> int:
    """Pages that Postgres has touched for our database so far; the same whatever else the machine does."""
    with platform.database.session() as session:
        session.execute(sa.text("SELECT pg_stat_force_next_flush()"))
    with platform.database.session() as session:
        query = "SELECT blks_hit + blks_read FROM pg_stat_database WHERE datname = current_database()"
        return int(session.scalar(sa.text(query)) or 0)


def _measured(platform: Platform, work: Callable[[], Any]) -> Cost:
    before = _pages(platform)
    counts = {"ours": 0, "dagsters": 0}

    def note(connection: sa.Connection, *_rest: object) -> None:
        counts["ours" if connection.engine is platform.database.engine else "dagsters"] += 1

    sa.event.listen(sa.engine.Engine, "before_cursor_execute", note)
    engine = platform.database.engine
    try:
        used, began = scale_processor.of_work(engine), time.perf_counter()
        counts.update(ours=0, dagsters=0)
        result = work()
        seconds = time.perf_counter() - began
    finally:
        sa.event.remove(sa.engine.Engine, "before_cursor_execute", note)
    processor = scale_processor.of_work(engine) - used
    pages = _pages(platform) - before
    return Cost(seconds, processor, pages, counts["ours"], counts["dagsters"], len(result.run_requests or []))


def _sensors(world: World, instance: dg.DagsterInstance) -> dict[str, Callable[[], dg.SensorResult]]:
    cursor: list[str | None] = [None]

    def outbox() -> dg.SensorResult:
        result = follow(world.platform, cursor[0])
        cursor[0] = result.cursor
        return result

    return {
        "feedback": lambda: feedback(instance, world.platform),
        "training": lambda: training(instance, world.platform, cron=False),
        "outbox": outbox,
    }


def _ticks(report: Report, world: World, instance: dg.DagsterInstance, examples: int, repeats: int) -> None:
    sensors = _sensors(world, instance)
    rows, best = [], {}
    for history in (examples // 100, examples // 10, examples):
        world.grow_to(history)
        _settle(sensors)
        costs: dict[str, list[Cost]] = {name: [] for name in sensors}
        for _ in range(repeats):
            world.give_work(BUSY)
            for name, tick in sensors.items():
                costs[name].append(_measured(world.platform, tick))
            world.work_is_done()
            _settle(sensors)
        for name, measured in costs.items():
            least = min(measured, key=lambda cost: cost.processor)
            best[name, history] = min(cost.pages for cost in measured)
            most = max(cost.ours for cost in measured)
            shown = (str(most), str(least.dagsters), str(least.requests))
            pages = f"{best[name, history]:,}"
            times = (f"{least.processor * 1000:.0f}", f"{least.seconds * 1000:.0f}")
            rows.append([f"{history:,}", name, *times, pages, *shown])
            report.require(
                least.processor <= TICK_SECONDS, f"{name} at {history:,}: {least.processor:.2f} s <= 1 s"
            )
            report.require(most <= STATEMENTS, f"{name} at {history:,}: {most} statements <= {STATEMENTS}")
            if name != "outbox":
                report.require(
                    least.requests == BUSY, f"{name} at {history:,} asks for {least.requests} runs"
                )
    for name in sensors:
        small, large = best[name, examples // 100], best[name, examples]
        flat = large <= max(FLAT_FACTOR * small, small + FLAT_SLACK)
        report.require(flat, f"{name} is flat in history: {small:,} -> {large:,} pages")
    rows.append(_peer(world, examples))
    report.table(
        f"One tick, {len(world.names):,} municipalities, {BUSY} with work",
        (
            "examples",
            "sensor",
            "ms of a processor",
            "ms by the clock",
            "pages",
            "our statements",
            "Dagster's",
            "requests",
        ),
        rows,
    )
    _plan_of(report, world)


def _peer(world: World, examples: int) -> list[str]:
    """The same questions one municipality at a time, for a tenth of them."""
    some = world.names[:: max(1, len(world.names) // 100)]

    def ask() -> dg.SensorResult:
        for name in some:
            plan.explain(world.platform, name)
            anonymize.outstanding(world.platform, name)
        return dg.SensorResult()

    cost, factor = _measured(world.platform, ask), len(world.names) / len(some)
    times = (cost.processor * factor * 1000, cost.seconds * factor * 1000)
    shown = (*times, cost.pages * factor, cost.ours * factor)
    return [f"{examples:,}", "one at a time (peer)", *(f"{value:,.0f}" for value in shown), "0", "0"]


def _plan_of(report: Report, world: World) -> None:
    """Postgres' plan of the largest question reads no table of history whole."""
    captured: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, text: str, values: Any, *_rest: object) -> None:
        captured.append((text, values))

    engine = world.platform.database.engine
    with world.platform.database.session() as session:
        sa.event.listen(engine, "before_cursor_execute", note)
        looks.training_facts(
            session, dict.fromkeys(world.names[:BUSY], "p"), week=world.now(), month=world.now()
        )
        sa.event.remove(engine, "before_cursor_execute", note)
        text, values = captured[-1]
        lines = (
            session.connection().exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS) {text}", values).scalars().all()
        )
    whole = [
        line.strip() for line in lines if "Seq Scan on examples" in line or "Seq Scan on documents" in line
    ]
    used = sorted({line.split(" using ")[1].split(" ")[0] for line in lines if " using " in line})
    print(f"\nThe question of the training sensor uses {', '.join(used)}; {lines[-1].strip()}")
    report.require(not whole, "no plan reads all examples or documents")


def _settle(sensors: dict[str, Callable[[], dg.SensorResult]]) -> None:
    """Tick until every municipality has been looked at."""
    for _ in range(2 + 1_000 // plan.LOOK_LIMIT):
        for name in ("feedback", "training"):
            sensors[name]()
    sensors["outbox"]()


def _memory(report: Report, world: World, instance: dg.DagsterInstance, ticks: int) -> None:
    sensors = _sensors(world, instance)

    def some(count: int) -> None:
        for number in range(count):
            if number % 25 == 0:
                world.give_work(5)
            for tick in sensors.values():
                tick()
            if number % 25 == 5:
                world.work_is_done()

    some(max(30, ticks // 5))
    before = _rss()
    some(ticks)
    grown = _rss() - before
    print(f"\nMemory of a process over {ticks} ticks of each sensor: {before:.0f} MB, {grown:+.1f} MB")
    report.require(grown <= RSS_MEGABYTES, f"memory is flat: {grown:+.1f} MB over {ticks} ticks")


def _rss() -> float:
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) / 1024


def _latency(report: Report, world: World, instance: dg.DagsterInstance, trials: int) -> None:
    times = []
    for name in Random(3).sample(world.names, trials):
        world.add([name], world.threshold - 1)
        training(instance, world.platform, cron=False)
        world.add([name], 1)
        began = time.perf_counter()
        requests = training(instance, world.platform, cron=False).run_requests or []
        times.append(time.perf_counter() - began)
        report.broken += (
            [] if name in {one.partition_key for one in requests} else [f"{name} was not asked for"]
        )
        world.work_is_done()
    times.sort()
    interval = world.platform.settings.sensor_interval_seconds
    print(
        f"\nFrom the N-th example to the request: tick p50 {1000 * times[len(times) // 2]:.0f} ms, "
        f"max {1000 * times[-1]:.0f} ms, and up to {interval} s until the sensor ticks"
    )


def _all_at_once(report: Report, world: World, instance: dg.DagsterInstance) -> None:
    world.add(world.names, world.threshold)
    asked: list[str] = []
    newest: list[dg.RunRequest] = []
    costs: list[Cost] = []

    def tick() -> dg.SensorResult:
        result = training(instance, world.platform, cron=False)
        newest[:] = result.run_requests or []
        asked.extend(str(request.run_key) for request in newest)
        report.broken += [] if len(newest) <= plan.REQUEST_LIMIT else [f"a tick asked for {len(newest)}"]
        return result

    while len(asked) < len(world.names) and len(costs) < 100:
        costs.append(_measured(world.platform, tick))
        world.pretend_runs_exist(instance, newest)
    slowest = max(costs, key=lambda cost: cost.processor)
    clock = sorted(cost.seconds for cost in costs)
    print(
        f"\nAll {len(world.names):,} cross at once: asked for in {len(costs)} ticks, the longest "
        f"{slowest.processor:.2f} s of a processor, {slowest.pages:,} pages, {slowest.ours} statements and "
        f"{slowest.dagsters} of Dagster's; by the clock median {clock[len(clock) // 2]:.2f} s, at most "
        f"{clock[-1]:.2f} s"
    )
    report.require(len(set(asked)) == len(world.names), f"each is asked for: {len(set(asked)):,}")
    most = max(cost.ours for cost in costs)
    report.require(most <= STATEMENTS, f"these ticks: {most} statements <= {STATEMENTS}")
    sentence = f"the longest of these ticks: {slowest.processor:.2f} s of a processor <= 1 s"
    report.require(slowest.processor <= TICK_SECONDS, sentence)
    world.work_is_done()
    _settle(_sensors(world, instance))


def _rounds(
    report: Report, world: World, make_instance: Callable[[], dg.DagsterInstance], rounds: int
) -> None:
    names = [TenantId(f"round-{n}") for n in range(4)]
    world.make(names)
    with world.platform.database.session() as session:  # a week's quota would end the play after two rounds
        tiers.put(session, "unbounded", weekly_quota=1_000)
        session.execute(sa.update(Tenant).where(Tenant.tenant_id.in_(names)).values(tier="unbounded"))
    settings = world.platform.settings.model_copy(update={"train_threshold": 10})
    with make_instance() as instance:
        instance.add_dynamic_partitions(str(tenant_partitions.name), [str(name) for name in names])
    world.platform.database.dispose()
    tally = scale_rounds.play(settings, make_instance, names, rounds)
    shown = {name: f"{value:,}" for name, value in vars(tally).items()}
    report.table(
        f"{scale_rounds.WRITERS} writers and {scale_rounds.DAEMONS} daemons killed at random",
        tuple(name.replace("_", " ") for name in shown),
        [list(shown.values())],
    )
    report.require(tally.lost == 0, "nothing is lost")
    report.require(tally.twice == 0, "no watermark is trained twice")
    report.require(tally.attempts_spent == 0, "a tick that is lost spends no attempt")


def _capacity(report: Report, quick: bool) -> None:
    rows = []
    few, many = [(1_000, 3), (1_000, 4)], [(100, 1), (1_000, 3), (1_000, 4), (3_000, 12), (10_000, 40)]
    cases = few if quick else many
    for tenants, gpus in cases:
        burst = scale_capacity.at_once(tenants, Random(5))
        week = scale_capacity.steady(tenants, 7, 7.0, Random(6))
        for load, wishes in (("at once", burst), ("7 a week", week)):
            for queue, order in scale_capacity.ORDERS.items():
                outcome = scale_capacity.simulate(wishes, gpus, order)
                rows.append(scale_capacity.row(load, tenants, gpus, queue, outcome))
            late = scale_capacity.starved(wishes, gpus)
            report.require(late == 0, f"{tenants:,} {load} on {gpus} cards: nobody waits past its bound")
    report.table("Waiting and cost, simulated durations", scale_capacity.HEAD, rows)


if __name__ == "__main__":
    main()
