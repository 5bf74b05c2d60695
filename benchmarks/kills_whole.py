"""Kill -9 of a whole platform in the middle of a training, and a new ``dev`` on the same home.

    python -m benchmarks.kills_whole            # 3 rounds

What README tells one to do after a power cut. In each round a clerk's finals cross the threshold; when the
training's process is alive, ``astra-learn dev``, everything it started, Postgres and Redis are killed at
once, and ``dev`` is started again. The training has to end with a verdict without a hand. Exit code 1 when
one does not, or when a watermark is trained twice.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from astra_learn_assets.errors import AstraError
from astra_learn_assets.platform import Platform
from astra_learn_assets.services import membership
from astra_learn_assets.services.embedded import embedded
from astra_learn_assets.services.stack import free_port
from astra_learn_assets.settings import get_settings, remember
from astra_learn_assets.simulation.council.simulator import make_council
from astra_learn_assets.store import examples, tenants, trainings
from astra_learn_assets.store.tables import TrainingRun
from benchmarks.kills import SESSIONS_A_LOOP, SMALL, TENANT, submit


def main() -> None:
    """Print a line a round; exit 1 when one did not end right."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=1_800.0, help="seconds a round may take")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="astra-kills-") as folder:
        home = Path(folder, "home")
        os.environ |= {
            "ASTRA_HOME": str(home),
            "ASTRA_API_PORT": str(free_port(8700)),
            "ASTRA_DAGSTER_PORT": str(free_port(3700)),
        }
        remember(home, SMALL)
        get_settings.cache_clear()
        dev = _start()
        try:
            broken = False
            for number in range(given.rounds):
                dev, sentence, right = _round(dev, home, number, given.limit)
                print(f"round {number + 1}: {sentence}", flush=True)
                broken |= not right
        finally:
            _kill(dev, home)
    sys.exit(1 if broken else 0)


def _round(
    dev: subprocess.Popen[bytes], home: Path, number: int, limit: float
) -> tuple[subprocess.Popen[bytes], str, bool]:
    began = time.monotonic()
    with _platform() as platform:
        if number == 0:
            _make_tenant(platform)
        sessions = range(number * SESSIONS_A_LOOP, (number + 1) * SESSIONS_A_LOOP)
        submit(platform, make_council(TENANT, seed=7), lambda: None, sessions)
    deadline = began + limit
    if not _until(lambda rows: any(row.state == "training" for row in rows), deadline):
        return dev, "no training began", False
    killed = _kill(dev, home)
    at = time.monotonic()
    dev = _start()
    finished = _until(lambda rows: sum(row.state in examples.FINISHED for row in rows) > number, deadline)
    with _platform() as platform:
        rows = _rows(platform)
    ends = [row.through_seq for row in rows if row.state in examples.FINISHED]
    sentence = (
        f"{killed} processes killed {at - began:.0f} s after the finals; "
        f"a verdict {time.monotonic() - at:.0f} s later, {len(rows)} attempts in all"
    )
    return dev, sentence if finished else "no verdict", finished and len(ends) == len(set(ends))


def _start() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from astra_learn_assets.cli import main; main()", "dev"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)


def _kill(dev: subprocess.Popen[bytes], home: Path) -> int:
    """All at once: ``dev``, what descends from it, and the servers, which stand apart; how many it was."""
    victims = [dev.pid, *_descendants(dev.pid), *(server.pid for server in membership.servers(home).values())]
    for pid in victims:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    dev.wait()
    return len(victims)


def _descendants(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            children = (task / "children").read_text().split()
        except OSError:  # it has just ended
            continue
        for child in map(int, children):
            yield from _descendants(child)
            yield child


def _until(holds: Callable[[list[TrainingRun]], bool], deadline: float) -> bool:
    while time.monotonic() < deadline:
        try:
            with _platform() as platform:
                while time.monotonic() < deadline:
                    if holds(_rows(platform)):
                        return True
                    time.sleep(1)
        except AstraError:
            time.sleep(1)  # the servers are being started
    return False


def _rows(platform: Platform) -> list[TrainingRun]:
    with platform.database.session() as session:
        return trainings.listing(session, TENANT, limit=200)


@contextmanager
def _platform() -> Iterator[Platform]:
    with embedded(get_settings()) as settings, Platform.open(settings) as platform:
        yield platform


def _make_tenant(platform: Platform) -> None:
    with platform.database.session() as session:
        tenants.create(
            session,
            TENANT,
            display_name="Villaverde",
            country="es",
            wrapped_key=platform.vault.new_tenant_key(),
        )
        tenants.allow(session, TENANT, weekly_quota=1_000)


if __name__ == "__main__":
    main()
