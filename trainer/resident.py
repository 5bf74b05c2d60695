"""A base model that other processes compute with: its weights in one shared memory, and its skeleton.

    slab, skeleton = freeze(model)        # the owner
    model = thaw(skeleton, slab)          # a process that has mapped the slab: a model of its own, no copy

The slab goes to others as a file that they map for reading: of a card's memory (:mod:`trainer.card_memory`),
or of the processor's. A process that holds it can have it otherwise, so what was written to it all the same
is found by a sum whose key only the owner knows (:func:`keyed_sum`). Rows that :mod:`trainer.fused` computes
together lie together, so a tenant moves nothing.
"""

from __future__ import annotations

import io
import mmap
import os
import pickle
import warnings
from typing import Any

import torch
from torch import nn

from trainer import card_memory
from trainer.errors import BadBase, BaseTooLarge
from trainer.fused import lay_together
from trainer.model import room_on_card

_ALIGNED = 512  # bytes, as torch's own allocator aligns
_WHOLE = 2 << 20  # a card hands on whole pieces of this
_WORDS = 1 << 25  # of four bytes, summed at a time
GIB = 1 << 30


def freeze(model: Any) -> tuple[torch.Tensor, bytes]:
    """(the weights as bytes in one tensor on the model's device, the model without them).

    Raises:
        BaseTooLarge: the card has no room for the base twice, which moving it takes.
        BadBase: a model that cannot be sent to another process.
    """
    lay_together(model)
    found = _Finder(io.BytesIO())
    try:
        found.dump(model)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise BadBase(f"the base model cannot be handed to other processes: {error}") from error
    places: dict[int, int] = {}
    size: Any = 0
    for tensor in found.tensors:
        storage = tensor.untyped_storage()
        if int(storage.nbytes()) and storage.data_ptr() not in places:
            places[storage.data_ptr()] = size
            size += -(-int(storage.nbytes()) // _ALIGNED) * _ALIGNED
    size = max(_WHOLE, -(-size // _WHOLE) * _WHOLE)
    slab = _room(size, next(model.parameters()).device)
    for tensor in found.tensors:
        storage = tensor.untyped_storage()
        if storage.nbytes():
            flat = torch.empty(0, dtype=torch.uint8, device=tensor.device).set_(storage)  # type: ignore[call-overload]
            slab[places[storage.data_ptr()] :][: storage.nbytes()].copy_(flat)
    written = io.BytesIO()
    _Freezer(written, places).dump(model)
    return slab, written.getvalue()


def thaw(skeleton: bytes, slab: torch.Tensor) -> Any:
    """The model, its weights views of ``slab``. Marked ``held``: who would change a weight copies it."""
    global _open
    _open = slab
    try:
        model = pickle.loads(skeleton)
    finally:
        _open = None
    model.held = True
    return model


_open: torch.Tensor | None = None


def _thawed(
    at: int, dtype: torch.dtype, shape: tuple[int, ...], stride: tuple[int, ...], parameter: bool
) -> torch.Tensor:
    assert _open is not None
    width = torch.empty((), dtype=dtype).element_size()
    reach = (1 + sum((n - 1) * step for n, step in zip(shape, stride, strict=True))) * width
    if 0 in shape:
        view = torch.empty(shape, dtype=dtype, device=_open.device)
    else:
        view = _open[at : at + reach].view(dtype).as_strided(shape, stride)
    return nn.Parameter(view, requires_grad=False) if parameter else view


class _Finder(pickle.Pickler):
    """Finds every tensor of a model, wherever it keeps it."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.tensors: list[torch.Tensor] = []

    def reducer_override(self, value: Any) -> Any:
        if not isinstance(value, torch.Tensor):
            return NotImplemented
        self.tensors.append(value)
        return int, ()


class _Freezer(pickle.Pickler):
    def __init__(self, file: io.BytesIO, places: dict[int, int]) -> None:
        super().__init__(file)
        self._places = places

    def reducer_override(self, value: Any) -> Any:
        if not isinstance(value, torch.Tensor):
            return NotImplemented
        at: Any = self._places.get(value.untyped_storage().data_ptr(), 0)
        at += value.storage_offset() * value.element_size()
        parameter = isinstance(value, nn.Parameter)
        return _thawed, (at, value.dtype, tuple(value.shape), value.stride(), parameter)


def _room(size: int, device: torch.device) -> torch.Tensor:
    if device.type == "cpu":
        memory = os.memfd_create("astra-base")
        os.ftruncate(memory, size)
        return _handed_on(_map_file(memory, writable=True), memory)
    try:
        slab, memory = card_memory.create(size)
    except torch.OutOfMemoryError as error:
        raise BaseTooLarge(
            f"the base's {size / GIB:.1f} GiB are not twice in the {room_on_card()}, which a "
            "resident base takes; train without a queue, or with a larger card"
        ) from error
    return _handed_on(slab, memory)


def _handed_on(slab: torch.Tensor, memory: int) -> torch.Tensor:
    handed: Any = slab
    handed.memory = memory
    return slab


def open_slab(device: str, memory: int, size: int) -> torch.Tensor:
    """The slab that its owner's ``slab.memory`` hands on, mapped for reading."""
    return _map_file(memory) if device == "cpu" else card_memory.open_shared(memory, size)


def _map_file(memory: int, *, writable: bool = False) -> torch.Tensor:
    rights = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
    mapped = mmap.mmap(memory, 0, mmap.MAP_SHARED, rights)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that it cannot be written to is the point
        return torch.frombuffer(mapped, dtype=torch.uint8)


def keyed_sum(slab: torch.Tensor, key: int) -> int:
    """Σ rᵢ wᵢ mod 2⁶⁴ over the slab's words of 32 bits, rᵢ of 64 random bits each, drawn from ``key``.

    A multilinear hash (https://arxiv.org/abs/1202.4961): who does not know the key changes the words without
    changing the sum once in 2³³ tries at best, however cleverly; a plain sum would not see two changes that
    cancel.
    """
    draw = torch.Generator(slab.device).manual_seed(key)
    total = torch.zeros((), dtype=torch.int64, device=slab.device)
    least = torch.iinfo(torch.int64).min
    words = slab.view(torch.int32)
    for first in range(0, len(words), _WORDS):
        part = words[first : first + _WORDS]
        weights = torch.empty(len(part), dtype=torch.int64, device=slab.device)
        weights.random_(least, None, generator=draw)
        total += weights.mul_(part).sum()
    found = int(total)
    if slab.is_cuda:
        del part, weights
        torch.cuda.empty_cache()  # a tenant is to have it
    return found


def own_weights(model: Any) -> None:
    """Give every layer with an adapter its own copy of the frozen weight: no merge may reach the slab."""
    with torch.no_grad():
        for module in model.modules():
            weight = getattr(getattr(module, "base_layer", None), "weight", None)
            if isinstance(weight, torch.Tensor):
                weight.data = weight.data.clone()
