"""Comparing in processes of their own: all cores are used, and no document can stop the service.

A comparison is a tenth of a second of pure Python, so in one process sixteen clerks would wait for one
another. A worker that takes longer than ``seconds`` for a document, or too much memory, gives up on
it and the clerk is told; a worker that dies is replaced. Workers are plain subprocesses: nothing of the
service's own start-up is repeated in them, whatever it was started with.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import deque
from concurrent.futures import Future

from astra_learn_assets.errors import Unavailable
from astra_learn_assets.hotpath.comparison_process import (
    TOO_COMPLEX,
    Compared,
    Comparison,
    Refused,
    receive,
    send,
)

Worker = subprocess.Popen[bytes]


class CompareWorkers:
    """``processes`` workers; call it like a function. :meth:`start` saves the first caller a second."""

    def __init__(self, processes: int, *, seconds: float = 30.0, memory_bytes: int = 3_000_000_000) -> None:
        self.seconds = seconds
        self._processes = processes
        self._memory_bytes = memory_bytes
        self._lock = threading.Lock()
        self._idle = _Line([None] * processes)  # None: a place whose worker is not started
        self._alive: set[Worker] = set()

    def start(self) -> None:
        """Start every worker; they load while the caller goes on."""
        for place in [self._idle.take(self.seconds) for _ in range(self._processes)]:
            self._idle.give(place or self._spawn())

    def __call__(self, job: Comparison) -> Compared:
        """Compare in the next worker that is free.

        Raises:
            UploadRefused: also when the document takes too long or too much memory.
            BadManifest.
            Unavailable: the worker died, or none is free for too long.
        """
        try:
            worker = self._idle.take(2 * self.seconds)
        except TimeoutError:
            raise Unavailable("every comparison worker is busy: try again") from None
        place: Worker | None = None
        try:
            worker = worker if worker is not None and worker.poll() is None else self._spawn()
            answer = self._ask(worker, job)
            if worker.poll() is None:
                place = worker
        finally:
            self._idle.give(place)
        if isinstance(answer, Refused):
            raise answer.error()
        return answer

    def close(self) -> None:
        """End every worker."""
        with self._lock:
            alive, self._alive = self._alive, set()
        for worker in alive:
            self._end(worker)

    def pids(self) -> list[int]:
        """The process ids of the workers that run."""
        with self._lock:
            return sorted(worker.pid for worker in self._alive)

    def _ask(self, worker: Worker, job: Comparison) -> Compared | Refused:
        assert worker.stdin is not None
        assert worker.stdout is not None
        late = threading.Event()

        def give_up() -> None:
            late.set()
            worker.kill()

        timer = threading.Timer(self.seconds, give_up)
        timer.daemon = True
        timer.start()
        try:
            send(worker.stdin, job)
            answer = receive(worker.stdout)
        except (EOFError, OSError) as error:
            self._forget(worker)
            if late.is_set():
                return TOO_COMPLEX
            raise Unavailable("a comparison worker died; it is replaced: try again") from error
        finally:
            timer.cancel()
        assert isinstance(answer, Compared | Refused)
        return answer

    def _spawn(self) -> Worker:
        worker = subprocess.Popen(
            [sys.executable, "-m", "astra_learn_assets.hotpath.comparison_process", str(self._memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the service, which ends us
        )
        with self._lock:
            self._alive.add(worker)
        return worker

    def _forget(self, worker: Worker) -> None:
        with self._lock:
            self._alive.discard(worker)
        self._end(worker)

    @staticmethod
    def _end(worker: Worker) -> None:
        worker.kill()
        worker.wait()
        for stream in (worker.stdin, worker.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue  # half a job was still in the buffer


class _Line:
    """Places, each given to whoever has waited longest.

    What is put into a ``queue.Queue`` for somebody who waits, a newcomer may take: with more clerks than
    workers the slowest answers took three times as long as the median.
    """

    def __init__(self, free: list[Worker | None]) -> None:
        self._free = free
        self._waiting: deque[Future[Worker | None]] = deque()
        self._lock = threading.Lock()

    def take(self, seconds: float) -> Worker | None:
        """The next place.

        Raises:
            TimeoutError: none was free for so long.
        """
        with self._lock:
            if self._free:
                return self._free.pop()
            turn: Future[Worker | None] = Future()
            self._waiting.append(turn)
        try:
            return turn.result(seconds)
        except TimeoutError:
            with self._lock:
                if not turn.done():
                    self._waiting.remove(turn)
                    raise
            return turn.result()  # it came at the last moment, and nobody else would give it back

    def give(self, place: Worker | None) -> None:
        """Hand a place on."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set_result(place)
            else:
                self._free.append(place)
