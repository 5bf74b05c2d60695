"""The process that holds the resident base: it loads it, hands it out, says if it is unchanged.

It sees no tenant's data and does nothing else, so nothing of a tenant can be in its memory. Who serves the
queue forks it and never touches the card: a process that has may not fork others that do.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import secrets
import signal
import sys
import time
import traceback
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle, send_handle
from typing import Any

from trainer.errors import OutOfMemory, TrainerError
from trainer.model import (
    Placement,
    base_identity,
    digests,
    hash_ahead,
    load_base,
    place,
    release,
    remember,
    room_on_card,
)

log = logging.getLogger("trainer")
_LOADS_WITHIN, _SUMS_WITHIN = 1800.0, 120.0  # seconds
GIB = 1 << 30


@dataclass(frozen=True)
class Wanted:
    """Which base, and where it is to lie; as in :class:`trainer.train_lora.TrainOptions`."""

    base: str
    base_revision: str | None
    device: Any = "auto"
    precision: Any = "auto"
    require_gpu: bool = False


@dataclass(frozen=True)
class Base:
    """A base that is held. ``memory``: the file of its ``size`` bytes, on a card or not."""

    placement: Placement
    identity: tuple[str, str | None]
    skeleton: bytes
    memory: int
    size: int
    kernels: bool  # whether Triton's run in the owner, which is not confined


class Owner:
    """The owner's process, seen from the one that serves."""

    def __init__(self, wanted: Wanted) -> None:
        self._line, theirs = multiprocessing.Pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.process = os.fork()
        if self.process == 0:
            self._line.close()
            _own(theirs, wanted)
        theirs.close()
        self.base = self._loaded()

    def _loaded(self) -> Base:
        said = self._hear(_LOADS_WITHIN)
        if isinstance(said, TrainerError):
            self.leave()
            raise said
        if said is None:
            self.leave()
            raise TrainerError("the process that loads the base died")
        known, base = said
        remember(known)
        found: Base = replace(base, memory=recv_handle(self._line))
        return found

    def unchanged(self) -> bool:
        """Whether every byte of the base is what was loaded; False also where the owner cannot say."""
        try:
            self._line.send("sum")
        except OSError:
            return False
        return self._hear(_SUMS_WITHIN) is True

    def leave(self) -> None:
        """End it, and with it the base."""
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        self._line.close()
        if getattr(self, "base", None) is not None:
            os.close(self.base.memory)

    def _hear(self, seconds: float) -> Any:
        try:
            return self._line.recv() if self._line.poll(seconds) else None
        except (EOFError, OSError):
            return None


class Digests:
    """The digests of a base's files, from a process of their own: 16 GB take as long as the imports."""

    def __init__(self, base: str) -> None:
        self._line, theirs = multiprocessing.Pipe(duplex=False)
        self._process = os.fork()
        if self._process == 0:
            status = 1
            try:
                theirs.send(digests(base))
                status = 0
            except (TrainerError, OSError):
                pass  # whoever loads the base meets it again, and says so
            finally:
                os._exit(status)
        theirs.close()

    def remember(self) -> None:
        """Wait for them; where they could not be had, they are asked for again later."""
        with contextlib.suppress(EOFError, OSError):
            remember(self._line.recv())
        self._line.close()
        os.waitpid(self._process, 0)


def _own(line: Connection, wanted: Wanted) -> None:
    """The owner's whole life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # who serves ends it last
    status = 1
    try:
        _hold(line, wanted)
        status = 0
    except TrainerError as error:
        line.send(error)
    except (EOFError, OSError):
        status = 0  # who serves is gone
    finally:
        if status and not isinstance(sys.exc_info()[1], TrainerError | None):
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(status)


def _hold(line: Connection, wanted: Wanted) -> None:
    from trainer.card import has_kernels
    from trainer.resident import freeze, keyed_sum

    began = time.monotonic()
    hash_ahead(wanted.base)
    placement = place(wanted.device, wanted.precision, require_gpu=wanted.require_gpu)
    model = load_base(wanted.base, wanted.base_revision, placement, packed=True)
    loaded = time.monotonic()
    slab, skeleton = freeze(model)
    del model
    release()
    if placement.device == "cuda":
        _check_room(slab.numel())
    key = secrets.randbits(63)
    moved = time.monotonic()
    whole = keyed_sum(slab, key)
    summed = time.monotonic()
    base = Base(
        placement=placement,
        identity=base_identity(wanted.base, wanted.base_revision),
        skeleton=skeleton,
        memory=-1,
        size=slab.numel(),
        kernels=placement.device == "cuda" and has_kernels(),
    )
    known = digests(wanted.base)
    log.info(
        "base of %.1f GiB: loaded in %.1f s, moved in %.1f, summed in %.2f, its files read after %.1f",
        slab.numel() / GIB, loaded - began, moved - loaded, summed - moved, time.monotonic() - began,
    )  # fmt: skip
    line.send((known, base))
    handed_on: Any = slab
    send_handle(line, handed_on.memory, None)
    while line.recv() == "sum":
        line.send(keyed_sum(slab, key) == whole)


def _check_room(size: int) -> None:
    """Beside the base a tenant needs as much again: an adapter is judged merged into a copy.

    Raises:
        OutOfMemory: the card has not got it, with the numbers.
    """
    import torch

    free, total = torch.cuda.mem_get_info()
    if free < size:
        raise OutOfMemory(
            f"the resident base holds {size / GIB:.1f} GiB of the card and leaves {free / GIB:.1f} of "
            f"{total / GIB:.1f} GiB ({room_on_card()}); a tenant needs {size / GIB:.1f} GiB to be judged and "
            "more to train: train without a queue, where four-bit weights may do, or with a larger card"
        )
