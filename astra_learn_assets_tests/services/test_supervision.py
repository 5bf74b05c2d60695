"""What dies is started again; what dies for ever is given up with a sentence."""

from __future__ import annotations

import pytest

from astra_learn_assets.errors import Unavailable
from astra_learn_assets.services.supervision import RESTARTS, WINDOW_SECONDS, Part, Supervisor


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Thing:
    """A part that can be killed, and may refuse to start."""

    def __init__(self) -> None:
        self.runs, self.starts, self.refuses = True, 0, False

    def start(self) -> None:
        self.starts += 1
        if self.refuses:
            raise Unavailable("disk full")
        self.runs = True

    def part(self, name: str = "daemon") -> Part:
        return Part(name, lambda: self.runs, self.start, "/logs/daemon.log")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def watched(clock: Clock, *things: Thing) -> Supervisor:
    supervisor = Supervisor(clock)
    for number, thing in enumerate(things):
        supervisor.add(thing.part(f"part-{number}"))
    return supervisor


def test_what_runs_is_left_alone(clock: Clock) -> None:
    thing = Thing()
    assert watched(clock, thing).look() == []
    assert thing.starts == 0


def test_what_died_is_started_at_once_and_told_of(clock: Clock) -> None:
    first, second = Thing(), Thing()
    supervisor = watched(clock, first, second)
    second.runs = False
    assert supervisor.look() == ["part-1 ended; started again", "part-1 runs again"]
    assert (first.starts, second.starts) == (0, 1)
    assert supervisor.look() == []


def test_what_dies_again_waits_longer_each_time_and_is_given_up_in_the_end(clock: Clock) -> None:
    thing = Thing()
    supervisor = watched(clock, thing)
    waits = []
    for _ in range(RESTARTS):
        thing.runs = False
        began = clock.now
        while not thing.runs:
            supervisor.look()
            clock.now += 1
        waits.append(clock.now - began - 1)
    assert waits == [0, 2, 4, 8, 16]
    thing.runs = False
    with pytest.raises(Unavailable, match=r"part-0 ended 6 times within 10 minutes .* /logs/daemon.log"):
        supervisor.look()


def test_an_end_a_day_is_no_reason_to_give_up(clock: Clock) -> None:
    thing = Thing()
    supervisor = watched(clock, thing)
    for _ in range(30):
        thing.runs = False
        assert supervisor.look()[-1] == "part-0 runs again"
        clock.now += WINDOW_SECONDS


def test_a_start_that_fails_is_tried_again_and_counts(clock: Clock) -> None:
    thing = Thing()
    supervisor = watched(clock, thing)
    thing.runs, thing.refuses = False, True
    told = supervisor.look()
    assert told[0] == "part-0 ended; started again"
    assert "did not start again (disk full)" in told[1]
    for wait in (2, 4, 8):
        clock.now += wait
        supervisor.look()
    clock.now += 16
    with pytest.raises(Unavailable, match="6 times"):
        supervisor.look()
    assert thing.starts == RESTARTS


def test_a_part_that_cannot_start_does_not_keep_the_others_down(clock: Clock) -> None:
    broken, well = Thing(), Thing()
    supervisor = watched(clock, broken, well)
    broken.runs, broken.refuses, well.runs = False, True, False
    supervisor.look()
    assert well.runs
