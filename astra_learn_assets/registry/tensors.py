"""Read a safetensors file with nothing but numpy: its header, then one tensor at a time.

The format (https://huggingface.co/docs/safetensors): 8 bytes little-endian header length, a JSON object
``{name: {dtype, shape, data_offsets}}``, then the data. The platform does not install the trainer's
libraries, and a gate should not trust a loader with a file it is there to judge. Tensors are mapped, not
read: memory use is that of the largest one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt

from astra_learn_assets.errors import AdapterRefused

_MAX_HEADER_BYTES = 10_000_000
_DTYPES: dict[str, str] = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


@dataclass(frozen=True)
class Tensor:
    """One tensor: name, ``dtype`` (F64, F32, F16 or BF16), shape, and where its bytes are in the file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def read_header(path: Path) -> list[Tensor]:
    """The tensors of a file, in the order of their data.

    Raises:
        AdapterRefused: for a header that is malformed, or data that overlaps, has holes or is cut off, or
            a type that no LoRA has.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(size - 8, _MAX_HEADER_BYTES):
                raise AdapterRefused(f"{path.name}: not a safetensors file, or cut off")
            header = json.loads(file.read(length).decode("utf-8"), object_pairs_hook=_unique)
    except OSError as error:
        raise AdapterRefused(f"{path.name}: {error.strerror or 'cannot be read'}") from None
    except (ValueError, RecursionError):
        raise AdapterRefused(f"{path.name}: the safetensors header is malformed") from None
    if not isinstance(header, dict):
        raise AdapterRefused(f"{path.name}: the safetensors header is malformed")
    header.pop("__metadata__", None)
    base = 8 + length
    tensors = sorted(
        (_tensor(path.name, str(name), entry, base) for name, entry in header.items()),
        key=lambda tensor: (tensor.start, tensor.end),
    )
    position = base
    for tensor in tensors:
        if tensor.start != position:
            raise AdapterRefused(f"{path.name}: the data of {tensor.name!r:.80} overlaps or leaves a hole")
        position = tensor.end
    if position != size:
        raise AdapterRefused(f"{path.name}: {size} bytes, the header describes {position}")
    return tensors


def values(path: Path, tensors: list[Tensor]) -> Iterator[tuple[Tensor, npt.NDArray[np.float64]]]:
    """Each tensor with its numbers as float64, one at a time."""
    for tensor in tensors:
        count = math.prod(tensor.shape)
        if count == 0:
            yield tensor, np.empty(tensor.shape)
            continue
        raw = np.memmap(path, _DTYPES[tensor.dtype], "r", offset=tensor.start, shape=(count,))
        numbers: npt.NDArray[Any] = np.asarray(raw)
        if tensor.dtype == "BF16":  # the upper half of a float32
            numbers = (numbers.astype("<u4") << 16).view("<f4")
        yield tensor, numbers.astype(np.float64).reshape(tensor.shape)


def _tensor(file: str, name: str, entry: object, base: int) -> Tensor:
    if isinstance(entry, dict):
        dtype, shape, offsets = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
        if isinstance(dtype, str) and dtype not in _DTYPES:
            raise AdapterRefused(
                f"{file}: {name!r:.80} is of type {dtype:.10}; a LoRA has {', '.join(_DTYPES)}"
            )
        if isinstance(dtype, str) and _numbers(shape) and _numbers(offsets) and len(offsets) == 2:
            start, end = offsets
            if end - start == math.prod(shape) * np.dtype(_DTYPES[dtype]).itemsize:
                return Tensor(name, dtype, tuple(shape), base + start, base + end)
    raise AdapterRefused(f"{file}: the header entry of {name!r:.80} is malformed")


def _numbers(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 2**48 for item in value)


def _unique(items: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(items)
    if len(record) != len(items):
        raise ValueError("a name appears twice")
    return record
