"""Comparing in processes of their own: all cores are used, and no document can stop the service.

A comparison is a tenth of a second of pure Python, so in one process sixteen clerks would wait for one
another. A worker that takes longer than ``seconds`` or more memory than ``memory_bytes`` for a document
gives up on it, and the clerk is told; a worker that dies is replaced.
"""

from __future__ import annotations

import resource
import signal
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from types import FrameType

from astra_learn_assets.comparator import engine
from astra_learn_assets.contracts import Delta, Manifest
from astra_learn_assets.errors import AstraError, BadManifest, Unavailable, UploadRefused

_TOO_COMPLEX = (
    "El documento es demasiado complejo para compararlo. Divídalo o quite tablas y formatos "
    "innecesarios y súbalo de nuevo."
)


@dataclass(frozen=True)
class Comparison:
    """Everything :func:`engine.compare` needs, ready to travel to a worker."""

    generated: bytes
    final: bytes
    generated_id: str
    final_id: str
    manifest: Manifest
    base_replaced: bool
    dictionary: Mapping[str, str] | None
    confidence_minimum: float


@dataclass(frozen=True)
class _Refused:
    """A refusal on its way back; exceptions with arguments of their own do not survive pickling."""

    kind: str
    reason: str
    message: str


Compare = Callable[[Comparison], Delta]


def compare_here(job: Comparison) -> Delta:
    """Compare in this process.

    Raises:
        UploadRefused, BadManifest.
    """
    return engine.compare(
        job.generated,
        job.final,
        generated_id=job.generated_id,
        final_id=job.final_id,
        manifest=job.manifest,
        base_id=job.generated_id,
        base_replaced=job.base_replaced,
        dictionary=job.dictionary,
        confidence_minimum=job.confidence_minimum,
    )


class CompareWorkers:
    """A pool of ``processes`` workers, started at the first comparison; call it like a function."""

    def __init__(self, processes: int, *, seconds: float = 30.0, memory_bytes: int = 3_000_000_000) -> None:
        self._processes = processes
        self._seconds = seconds
        self._memory_bytes = memory_bytes
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None

    def __call__(self, job: Comparison) -> Delta:
        """Compare in a worker.

        Raises:
            UploadRefused: also when the document takes too long or too much memory.
            BadManifest.
            Unavailable: the worker died.
        """
        pool = self._ready()
        try:
            answer = pool.submit(_work, job, self._seconds).result()
        except BrokenProcessPool as error:
            with self._lock:
                if self._pool is pool:
                    self._pool = None
            pool.shutdown(wait=False)
            raise Unavailable("a comparison worker died; it is replaced: try again") from error
        if isinstance(answer, Delta):
            return answer
        raise _error(answer)

    def close(self) -> None:
        """End the workers."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)

    def _ready(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._pool is None:
                context = get_context("forkserver")
                context.set_forkserver_preload([__name__])
                self._pool = ProcessPoolExecutor(
                    self._processes,
                    mp_context=context,
                    initializer=_prepare,
                    initargs=(self._memory_bytes,),
                )
            return self._pool


class _TooSlow(BaseException):
    """Raised by the alarm; not an Exception, so that no handler below takes it for its own."""


def _prepare(memory_bytes: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the service, which ends us
    signal.signal(signal.SIGALRM, _ring)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def _ring(_number: int, _frame: FrameType | None) -> None:
    raise _TooSlow


def _work(job: Comparison, seconds: float) -> Delta | _Refused:
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return compare_here(job)
    except UploadRefused as error:
        return _Refused("upload", error.reason, str(error))
    except BadManifest as error:
        return _Refused("manifest", "", str(error))
    except (_TooSlow, MemoryError, RecursionError):
        return _Refused("upload", "too_complex", _TOO_COMPLEX)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _error(refused: _Refused) -> AstraError:
    if refused.kind == "manifest":
        return BadManifest(refused.message)
    return UploadRefused(refused.reason, refused.message)
