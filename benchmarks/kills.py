"""Kill -9 at random while the loop runs: does everything end right without a hand?

    python -m benchmarks.kills                                    # 20 closed loops
    python -m benchmarks.kills --loops 2 --municipalities 1       # a look

A platform as ``astra-learn dev`` starts it, in a temporary home, and simulated councils, each with its loops
one after another. In each loop a clerk sends finals until the threshold is crossed, and a training has to
end with a verdict; meanwhile the daemon, the code server, the webserver, the API, a run's worker, Postgres
and Redis are killed, never two before the first runs and a sensor has ticked again, and none so often that
the platform rightly gives up. Exit code 1 when a loop does not end, when a watermark is trained twice, or
when something stays down.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from astra_learn_assets.errors import AstraError, UploadRefused
from astra_learn_assets.hotpath import intake
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning.training import plan
from astra_learn_assets.platform import Platform
from astra_learn_assets.resources import worker_mark
from astra_learn_assets.services import membership
from astra_learn_assets.services.embedded import stands
from astra_learn_assets.services.stack import LEARNING_NICENESS, Stack, free_port, running_stack
from astra_learn_assets.services.supervision import RESTARTS, WINDOW_SECONDS
from astra_learn_assets.settings import get_settings, remember
from astra_learn_assets.simulation.council.simulator import Council, make_council
from astra_learn_assets.store import examples, tenants, trainings
from astra_learn_assets.store.db import normalise_url
from astra_learn_assets.store.tables import TrainingRun

TENANT = TenantId("villaverde")
NEIGHBOURS = ("rio-claro", "valdemora", "puente-nuevo", "san-telmo")
VICTIMS = ("daemon", "code-server", "webserver", "api", "worker", "postgres", "redis")
SMALL: dict[str, int | float] = {
    "golden_minimum_words": 40,
    "golden_share": 0.3,
    "corpus_minimum": 10,
    "train_threshold": 30,
    "train_minimum": 10,
    "epochs": 1.0,
    "golden_maximum_examples": 20,
    "sensor_interval_seconds": 5,
    "train_backoff_minutes": 1,
    "train_settle_minutes": 0.2,
}
SESSIONS_A_LOOP = 5
_PATIENCE = 20.0  # seconds after which a clerk whose finals gave too few examples sends one more


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--loops", type=int, default=20, help="of all municipalities together")
    parser.add_argument(
        "--municipalities", type=int, default=4, choices=range(1, len(NEIGHBOURS) + 2), help="at once"
    )
    parser.add_argument("--every", type=float, default=40.0, help="seconds between two kills")
    parser.add_argument("--victims", default=",".join(VICTIMS), help="what may be killed")
    parser.add_argument(
        "--niceness", type=int, default=LEARNING_NICENESS,
        help="of what learns; 0 where other work on the machine would take all of it",
    )  # fmt: skip
    parser.add_argument("--limit", type=float, default=2_700.0, help="seconds a loop may take")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="astra-kills-") as folder:
        home = Path(folder, "home")
        os.environ["ASTRA_HOME"] = str(home)
        remember(home, SMALL)
        get_settings.cache_clear()
        bare = get_settings().model_copy(
            update={"api_port": free_port(8700), "dagster_port": free_port(3700)}
        )
        with running_stack(bare, learning_niceness=options.niceness) as stack:
            sys.exit(_play(stack, options))


@dataclass
class _Town:
    """One municipality: how many of its loops have begun, and since when the last one has not ended."""

    council: Council
    loops: int
    begun: int = 0
    since: float | None = None
    kills: int = 0
    sent: int = 0
    sent_at: float = 0.0

    @property
    def tenant_id(self) -> TenantId:
        return self.council.tenant_id


def _play(stack: Stack, options: argparse.Namespace) -> int:
    names = [TENANT, *map(TenantId, NEIGHBOURS)][: options.municipalities]
    towns = [
        _Town(make_council(name, seed=7), len(range(index, options.loops, len(names))))
        for index, name in enumerate(names)
    ]
    killer = Killer(stack, options.every, options.victims.split(","))
    broken: list[str] = []
    with Platform.open(stack.settings) as platform:
        for town in towns:
            with platform.database.session() as session:
                tenants.create(
                    session, town.tenant_id, display_name=town.council.display_name,
                    country=town.council.country, wrapped_key=platform.vault.new_tenant_key(),
                )  # fmt: skip
                tenants.allow(session, town.tenant_id, weekly_quota=1_000)
        while not broken and any(town.since or town.begun < town.loops for town in towns):
            for town in towns:
                if town.since is None and town.begun < town.loops:
                    town.since, town.kills = time.monotonic(), killer.count
                    _send(platform, town, killer, SESSIONS_A_LOOP)
                    town.begun += 1
                killer.look()
                broken += _ended(platform, town, killer, options.limit)
            time.sleep(1)
        killer.rest()
        with platform.database.session() as session:
            rows = list(session.scalars(sa.select(TrainingRun)))
    finished = [(row.tenant_id, row.through_seq) for row in rows if row.state in examples.FINISHED]
    if len(finished) != len(set(finished)):
        broken.append("a watermark was trained twice")
    charged = sum(row.fault == "examples" for row in rows)
    print(
        f"\n{len(rows)} trainings, {len(finished)} with a verdict, {charged} failures charged to the examples"
    )
    print("\n| killed | times | runs after s, median | longest | a tick after s, median | longest |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, times in sorted(killer.back.items()):
        figures = [
            f"{value:.1f}" for one in zip(*times, strict=True) for value in (statistics.median(one), max(one))
        ]
        print(f"| {name} | {len(times)} | " + " | ".join(figures) + " |")
    for sentence in broken:
        print(f"BROKEN: {sentence}")
    return 1 if broken else 0


_TICKED = sa.text(
    "SELECT count(*) FROM job_ticks WHERE type = 'SENSOR' AND status IN ('SKIPPED', 'SUCCESS') "
    "AND timestamp > :moment"
)


@dataclass
class _Down:
    """What was killed: when, by both clocks, and since when it runs again."""

    name: str
    since: float
    at: datetime
    lived: float | None = None


class Killer:
    """Kills one thing after another, and watches the stack mend it."""

    def __init__(self, stack: Stack, every: float, victims: Sequence[str]) -> None:
        self._stack, self._every, self._victims = stack, every, victims
        self._rng = random.Random(3)
        self._next = time.monotonic() + every
        self._down: _Down | None = None
        self._kills: list[tuple[str, float]] = []
        self._dagster = sa.create_engine(
            normalise_url(stack.settings.dagster_database_url or ""), poolclass=sa.NullPool
        )
        self.back: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self.count = 0

    def look(self) -> None:
        """To be called every second: mends, and kills when it is time."""
        for told in self._stack.mend():
            print(f"    {told}", flush=True)
        down, now = self._down, time.monotonic()
        if down is not None:
            if down.lived is None and self._lives(down.name):
                down.lived = now
            if down.lived is not None and self._ticked_since(down.at):
                self.back[down.name].append((down.lived - down.since, now - down.since))
                print(f"    ticks again after {now - down.since:.0f} s", flush=True)
                self._down = None
                self._next = now + self._every * self._rng.uniform(0.5, 1.5)
        elif now > self._next:
            lately = [name for name, at in self._kills if now - at < WINDOW_SECONDS]
            spared = [name for name in self._victims if lately.count(name) < RESTARTS]
            if spared:
                self._kill(self._rng.choice(spared))

    def rest(self) -> None:
        """Wait until what was killed last is back."""
        while self._down is not None:
            self.look()
            time.sleep(0.2)

    def _kill(self, name: str) -> None:
        pid = self._pid(name)
        if pid is None:
            return
        print(f"    kill -9 {name}", flush=True)
        os.kill(pid, signal.SIGKILL)
        self.count += 1
        now = time.monotonic()
        if name == "worker":
            self.back[name].append((0.0, 0.0))  # what comes back is the training, which the loop waits for
            self._next = now + self._every
        else:
            self._kills.append((name, now))
            self._down = _Down(name, now, datetime.now(UTC))
            time.sleep(0.1)

    def _pid(self, name: str) -> int | None:
        if name in self._stack.processes:
            return self._stack.processes[name].pid
        if name == "worker":
            marks = self._stack.settings.home_path / "dagster" / "workers"
            pids = [worker_mark.living(mark.name) for mark in marks.glob("*")] if marks.exists() else []
            return next((pid for pid in pids if pid is not None), None)
        return membership.servers(self._stack.settings.home_path)[name].pid

    def _ticked_since(self, moment: datetime) -> bool:
        try:
            with self._dagster.connect() as connection:
                return bool(connection.scalar(_TICKED, {"moment": moment.replace(tzinfo=None)}))
        except sa.exc.OperationalError:
            return False

    def _lives(self, name: str) -> bool:
        if name in self._stack.processes:
            return self._stack.processes[name].poll() is None
        return stands(self._stack.settings.home_path, name)


def _send(platform: Platform, town: _Town, killer: Killer, count: int) -> None:
    """The clerk's next finals."""
    submit(platform, town.council, killer.look, range(town.sent, town.sent + count))
    town.sent += count
    town.sent_at = time.monotonic()


def submit(platform: Platform, council: Council, look: Callable[[], None], sessions: Iterable[int]) -> None:
    """A clerk who tries again until each final is in, as a browser's user would; ``look`` before each try."""
    for index in sessions:
        simulated = council.session(index)
        place = {
            "tenant_id": council.tenant_id,
            "session_id": simulated.session_id,
            "version": simulated.version,
        }
        while True:
            look()
            try:
                intake.register_draft(
                    platform, **place, docx=simulated.draft_docx,
                    manifest=simulated.manifest.model_dump_json().encode(),
                    cloned_from=simulated.cloned_from, roster=council.roster,
                )  # fmt: skip
                intake.submit_final(
                    platform, **place, data=simulated.final_docx, uploaded_by=f"clerk {index % 2}"
                )
            except UploadRefused:
                break  # a hostile one
            except AstraError as error:
                print(f"    tried again: {error}", flush=True)
                time.sleep(1)
            else:
                break


def _ended(platform: Platform, town: _Town, killer: Killer, limit: float) -> list[str]:
    """Whether the town's loop has a verdict now; what is wrong when it takes too long."""
    if town.since is None:
        return []
    lasted = time.monotonic() - town.since
    try:
        with platform.database.session() as session:
            rows = trainings.listing(session, town.tenant_id, limit=200)
            decision, facts, _ = plan.explain_in(
                session, platform.settings, town.tenant_id, now=datetime.now(UTC)
            )
    except AstraError:
        return []  # the database was killed
    few = decision.code in ("below_threshold", "below_minimum", "nothing_pending")
    lacking = few or (rows and rows[0].fault == "examples")
    if (
        lacking
        and not facts.preparing
        and not facts.unfinished
        and time.monotonic() - town.sent_at > _PATIENCE
    ):
        _send(platform, town, killer, 1)
    finished = [row.state for row in rows if row.state in examples.FINISHED]
    name = f"{town.tenant_id}, loop {town.begun}"
    if len(finished) >= town.begun:
        killed, failed = killer.count - town.kills, len(rows) - len(finished)
        print(
            f"{name}: {finished[0]} after {lasted:.0f} s, {killed} killed meanwhile, "
            f"{failed} of its trainings lost so far", flush=True,
        )  # fmt: skip
        town.since = None
    elif lasted > limit:
        stands = rows[0].state if rows else "nothing"
        return [f"{name}: {stands}, {decision.reason}; not ended within {limit:.0f} s"]
    return []


if __name__ == "__main__":
    main()
