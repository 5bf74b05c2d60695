"""Failures of the trainer. Each has its own exit status, so that the caller can tell them apart.

====  ===========================================================
0     done
2     usage
3     bad data: broken line, foreign tenant, example too long
4     base model missing or broken, adapter that does not fit it
5     no GPU although one is demanded
6     loss or gradient not finite
7     out of memory at the smallest pack
8     disk or file error
9     serve-queue: a tenant's process cannot be confined on this machine
10    serve-queue: the resident base was changed while the tenant's process ran; nothing of it is believed
11    serve-queue: the tenant's process took longer than it may, died, or left what cannot be believed
12    nobody serves the queue, and it cannot be done here; the same call may go well later
75    interrupted (SIGTERM, SIGINT); nothing is published
====  ===========================================================
"""

from __future__ import annotations


class TrainerError(Exception):
    """Base of all; the message says what is wrong and what to do."""

    exit_status = 1


class BadUsage(TrainerError):
    exit_status = 2


class BadData(TrainerError):
    exit_status = 3

    def __init__(self, message: str, *, file: str = "", line: int | None = None) -> None:
        where = f"{file}, line {line}: " if line is not None else (f"{file}: " if file else "")
        super().__init__(where + message)
        self.line = line


class BadBase(TrainerError):
    exit_status = 4


class NoGpu(TrainerError):
    exit_status = 5


class NotFinite(TrainerError):
    exit_status = 6


class OutOfMemory(TrainerError):
    exit_status = 7


class BaseTooLarge(OutOfMemory):
    """Not even the frozen base fits; smaller packs or batches do not help."""


class DiskError(TrainerError):
    exit_status = 8


class ConfinementError(TrainerError):
    exit_status = 9


class BaseChanged(TrainerError):
    exit_status = 10


class NotBelieved(TrainerError):
    exit_status = 11


class NobodyServes(TrainerError):
    exit_status = 12


class Interrupted(BaseException):
    """Raised by a signal, wherever the process is. No ``Exception``, as KeyboardInterrupt is none: a library
    that wraps what fails beneath it (torch, while it opens a card) would make another error of it."""

    exit_status = 75
