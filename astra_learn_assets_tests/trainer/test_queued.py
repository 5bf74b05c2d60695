"""A caller without a card waits for who serves: real folders and locks, servers that come, leave and die."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from astra_learn_assets_tests.trainer.examples import line, write
from trainer import spool
from trainer.__main__ import main
from trainer.errors import BadUsage, Interrupted, NobodyServes
from trainer.options import EvaluateOptions
from trainer.queued import Queue, evaluate_queued, named, waits_of
from trainer.spool import Waiting
from trainer.versions import code

pytestmark = pytest.mark.timeout(60)


class Server:
    """Who serves, as far as a folder shows it: the lock, claims, results. ``dies`` at its first claim."""

    def __init__(self, folder: Path, base: str, **other: str) -> None:
        self.folder = folder
        self.what = {"base": base, "base_revision": None, "code": code(), **other}

    def one(self, *, dies: bool = False, leaves: bool = False) -> Mapping[str, Any] | None:
        """Serve one job, and tell which; ``leaves``: as soon as one waits, without taking it."""
        spool.prepare(self.folder)
        with spool.serving(self.folder, self.what):
            spool.sweep(self.folder)
            spool.give_back(self.folder, {"status": 12, "said": ""})
            if leaves:
                self._until(lambda: any((self.folder / "waiting").iterdir()))
                return None
            claimed: Waiting = self._until(lambda: spool.claim(self.folder))
            if dies:
                return None
            job = spool.asked(claimed.at("running"))
            answers = claimed.at("running") / spool.WORK / spool.ANSWERS
            answers.write_text("answered")
            spool.end(claimed, {"status": 0, "report": {"examples": 1}, "said": ""})
            self._until(lambda: not claimed.is_there())
            return job

    @staticmethod
    def _until(found: Any) -> Any:
        latest = time.monotonic() + 30
        while not (value := found()):
            assert time.monotonic() < latest
            time.sleep(0.02)
        return value


@contextmanager
def beside(*steps: Any) -> Iterator[list[Any]]:
    """Run the steps one after the other in a thread of their own; what they returned."""
    found: list[Any] = []

    def run() -> None:
        for step in steps:
            found.append(step())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield found
    finally:
        thread.join()


@pytest.fixture
def asked(tmp_path: Path) -> EvaluateOptions:
    base = tmp_path / "base"
    base.mkdir()
    data = write(tmp_path / "golden.jsonl", [line(1)])
    return EvaluateOptions(
        data=data, base=str(base), tenant="alfa", out=tmp_path / "answers.jsonl", adapters={}
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "queue" / "gpu-t4"


@pytest.fixture
def server(folder: Path, asked: EvaluateOptions) -> Server:
    return Server(folder, named(asked.base))


def test_what_waits_is_taken_by_who_comes_later(asked: EvaluateOptions, server: Server) -> None:
    """The pod of the server starts minutes after the pod of its caller."""
    with beside(lambda: time.sleep(0.5), server.one) as found:
        assert evaluate_queued(asked, Queue(server.folder, 0.5)) == {"examples": 1}
    assert asked.out.read_text() == "answered"
    assert found[1]["do"] == spool.EVALUATE
    assert not any(any((server.folder / state).iterdir()) for state in spool.STATES)


def test_while_it_waits_a_file_says_so_and_the_platform_looks_at_that_very_file(
    asked: EvaluateOptions, server: Server
) -> None:
    from astra_learn_assets.learning.training.process import waits

    mark = waits(asked.out)
    assert mark == waits_of(asked.out)
    seen: list[bool] = []

    def serves() -> None:
        time.sleep(0.3)
        seen.append(mark.exists())  # nobody serves yet
        with spool.serving(server.folder, server.what):
            claimed = Server._until(lambda: spool.claim(server.folder))
            Server._until(lambda: not mark.exists())
            (claimed.at("running") / spool.WORK / spool.ANSWERS).write_text("answered")
            spool.end(claimed, {"status": 0, "report": {}, "said": ""})
            Server._until(lambda: not claimed.is_there())

    spool.prepare(server.folder)
    with beside(serves):
        assert evaluate_queued(asked, Queue(server.folder, 0.5)) == {}
    assert seen == [True]
    assert not mark.exists()


def test_a_server_that_leaves_as_work_is_put_down_costs_nothing(
    asked: EvaluateOptions, server: Server
) -> None:
    """Idle for long, it looked, saw nothing and left, while its caller was copying a corpus there."""
    with beside(lambda: server.one(leaves=True), lambda: time.sleep(0.5), server.one):
        assert evaluate_queued(asked, Queue(server.folder, 0.5)) == {"examples": 1}


def test_what_a_server_had_begun_when_it_died_is_handed_in_anew(
    asked: EvaluateOptions, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with beside(lambda: server.one(dies=True), server.one):
        assert evaluate_queued(asked, Queue(server.folder, 0.5)) == {"examples": 1}
    assert "handed in anew" in caplog.text


def test_what_ends_every_server_ends_at_the_second(asked: EvaluateOptions, server: Server) -> None:
    def begins_after_it() -> None:
        with spool.serving(server.folder, server.what):
            spool.give_back(server.folder, {"status": 12, "said": ""})
            time.sleep(0.5)

    with (
        beside(lambda: server.one(dies=True), lambda: server.one(dies=True), begins_after_it),
        pytest.raises(NobodyServes, match="was gone 2 times"),
    ):
        evaluate_queued(asked, Queue(server.folder, 0.5))
    assert not asked.out.exists()


def test_where_nobody_comes_it_ends_with_a_status_that_may_be_tried_again(
    asked: EvaluateOptions, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["evaluate", "--data", str(asked.data), "--base", asked.base, "--tenant", "alfa"]
    arguments += ["--out", str(asked.out), "--queue", str(folder), "--queue-wait-minutes", "0.005"]
    assert main(arguments) == 12
    said = capsys.readouterr().err
    assert "is served by nobody, for 0.005 minutes" in said
    assert "NFS from version 4" in said
    assert not asked.out.exists()


def test_where_nobody_comes_back_what_was_put_down_is_taken_along(
    asked: EvaluateOptions, server: Server
) -> None:
    with (
        beside(lambda: server.one(leaves=True)),
        pytest.raises(NobodyServes, match="served by nobody"),
    ):
        evaluate_queued(asked, Queue(server.folder, 0.01))
    assert not any(any((server.folder / state).iterdir()) for state in spool.STATES)


@pytest.mark.parametrize("other", [{"code": "f" * 64}, {"base": "/another"}])
def test_the_server_of_another_image_or_base_is_waited_out(
    asked: EvaluateOptions, server: Server, other: dict[str, str]
) -> None:
    """While a new image is rolled out the old server still serves: it gets nothing from the new callers."""

    def stays() -> None:
        with spool.serving(server.folder, {**server.what, **other}):
            time.sleep(0.6)
            assert not any((server.folder / "waiting").iterdir())

    spool.prepare(server.folder)
    with beside(stays, server.one):
        time.sleep(0.2)
        assert evaluate_queued(asked, Queue(server.folder, 0.5)) == {"examples": 1}


def test_without_a_time_to_wait_it_is_done_here(
    asked: EvaluateOptions, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    assert evaluate_queued(asked, Queue(server.folder)) is None
    spool.prepare(server.folder)
    with spool.serving(server.folder, {**server.what, "code": "f" * 64}):
        assert evaluate_queued(asked, Queue(server.folder)) is None
    assert "another version of the trainer: it is done here" in caplog.text
    with (
        spool.serving(server.folder, {**server.what, "base": "/another"}),
        pytest.raises(BadUsage, match="a queue for each base"),
    ):
        evaluate_queued(asked, Queue(server.folder))
    with beside(lambda: server.one(dies=True)):
        time.sleep(0.3)
        assert evaluate_queued(asked, Queue(server.folder)) is None


def test_who_is_asked_to_stop_while_nobody_serves_ends_as_interrupted(
    asked: EvaluateOptions, server: Server
) -> None:
    def stop() -> None:
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGTERM)

    with beside(lambda: server.one(leaves=True), stop), pytest.raises(Interrupted):
        evaluate_queued(asked, Queue(server.folder, 5))
    assert not any(any((server.folder / state).iterdir()) for state in spool.STATES)


def test_what_is_swept_away_beneath_its_caller_ends_it(asked: EvaluateOptions, server: Server) -> None:
    """Where a lock was lost with its lease, a server takes the training for nobody's."""
    import shutil

    def sweeps() -> None:
        with spool.serving(server.folder, server.what):
            claimed = Server._until(lambda: spool.claim(server.folder))
            shutil.rmtree(claimed.at("running"))
            time.sleep(1.5)

    spool.prepare(server.folder)
    with ExitStack() as stack:
        stack.enter_context(beside(sweeps))
        stack.enter_context(pytest.raises(NobodyServes))
        evaluate_queued(asked, Queue(server.folder, 0.01))


@pytest.mark.parametrize("name", ["../champion", "a/b", "", ".hidden"])
def test_an_adapters_name_in_the_queue_is_no_path(asked: EvaluateOptions, server: Server, name: str) -> None:
    from dataclasses import replace

    with pytest.raises(BadUsage, match="letters, digits"):
        evaluate_queued(replace(asked, adapters={name: asked.data.parent}), Queue(server.folder))


@pytest.mark.parametrize("minutes", ["-1", "nan", "inf"])
def test_a_time_to_wait_is_a_number_of_minutes(asked: EvaluateOptions, folder: Path, minutes: str) -> None:
    arguments = ["evaluate", "--data", str(asked.data), "--base", asked.base, "--tenant", "alfa"]
    arguments += ["--out", str(asked.out), "--queue", str(folder), f"--queue-wait-minutes={minutes}"]
    assert main(arguments) == 2


def test_the_codes_name_is_the_same_in_every_process(tmp_path: Path) -> None:
    import subprocess
    import sys

    said = subprocess.run(
        [sys.executable, "-c", "import trainer.versions, json; print(json.dumps(trainer.versions.code()))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(said.stdout) == code()
