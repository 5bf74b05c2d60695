"""A piece of a card's memory that other processes map, by a file descriptor, for reading alone.

CUDA's older way (``cudaIpcOpenMemHandle``) is for processes that may look into each other, which a confined
one may not, and knows no read-only. The driver's virtual memory
(https://docs.nvidia.com/cuda/cuda-driver-api/group__CUDA__VA.html) hands a piece on as a file, which a child
inherits, and asks at each mapping for what. Who holds the file can ask for writing, too: it guards against
mistakes, and against intent there is the sum (:func:`trainer.resident.keyed_sum`).
"""

from __future__ import annotations

import ctypes
import logging
from functools import cache
from typing import Any

import torch

from trainer.errors import TrainerError

log = logging.getLogger("trainer")
_PINNED, _POSIX_FILE, _ON_DEVICE = 1, 1, 1
_READ, _READ_AND_WRITE = 1, 3
_OUT_OF_MEMORY = 2


class _Location(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("id", ctypes.c_int)]


class _Properties(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int), ("handles", ctypes.c_int), ("location", _Location),
        ("windows", ctypes.c_void_p), ("flags", ctypes.c_ubyte * 8),
    ]  # fmt: skip


class _Access(ctypes.Structure):
    _fields_ = [("location", _Location), ("flags", ctypes.c_int)]


class _Piece:
    """What torch takes a tensor from without a copy."""

    def __init__(self, address: int, size: int) -> None:
        self.__cuda_array_interface__ = {
            "shape": (size,), "typestr": "|u1", "data": (address, False), "version": 3
        }  # fmt: skip


def create(size: int) -> tuple[torch.Tensor, int]:
    """(``size`` bytes, a multiple of 2 MiB, of this card; the file that hands them on).

    Raises:
        torch.OutOfMemoryError: the card has not got them.
        TrainerError: the driver will not.
    """
    driver, handle, shared = _driver(), ctypes.c_uint64(), ctypes.c_int()
    wanted = _Properties(_PINNED, _POSIX_FILE, _here(), None)
    found = driver.cuMemCreate(
        ctypes.byref(handle), ctypes.c_size_t(size), ctypes.byref(wanted), ctypes.c_uint64(0)
    )
    if found == _OUT_OF_MEMORY:
        raise torch.OutOfMemoryError(f"no {size} bytes")
    _check(found, "cuMemCreate")
    _check(
        driver.cuMemExportToShareableHandle(
            ctypes.byref(shared), handle, ctypes.c_int(_POSIX_FILE), ctypes.c_uint64(0)
        ),
        "cuMemExportToShareableHandle",
    )
    return _mapped(handle, size, [_READ_AND_WRITE]), shared.value


def open_shared(file: int, size: int) -> torch.Tensor:
    """What :func:`create` made, mapped for reading, where the driver can tell it from writing."""
    handle = ctypes.c_uint64()
    _check(
        _driver().cuMemImportFromShareableHandle(
            ctypes.byref(handle), ctypes.c_void_p(file), ctypes.c_int(_POSIX_FILE)
        ),
        "cuMemImportFromShareableHandle",
    )
    return _mapped(handle, size, [_READ, _READ_AND_WRITE])


def _mapped(handle: ctypes.c_uint64, size: int, rights: list[int]) -> torch.Tensor:
    driver, at = _driver(), ctypes.c_uint64()
    length, none = ctypes.c_size_t(size), ctypes.c_uint64(0)
    _check(
        driver.cuMemAddressReserve(ctypes.byref(at), length, ctypes.c_size_t(0), none, none),
        "cuMemAddressReserve",
    )
    _check(driver.cuMemMap(at, length, ctypes.c_size_t(0), handle, none), "cuMemMap")
    found = -1
    for right in rights:
        access = _Access(_here(), right)
        found = driver.cuMemSetAccess(at, length, ctypes.byref(access), ctypes.c_size_t(1))
        if found == 0:
            break
        log.info("the driver does not map this memory for reading alone")
    _check(found, "cuMemSetAccess")
    return torch.as_tensor(_Piece(at.value, size), device="cuda")


def _here() -> _Location:
    return _Location(_ON_DEVICE, torch.cuda.current_device())


@cache
def _driver() -> Any:
    torch.cuda.synchronize()  # so that there is a context for what follows
    return ctypes.CDLL("libcuda.so.1")


def _check(found: int, what: str) -> None:
    if found != 0:
        raise TrainerError(f"the card's driver does not share memory: {what} gives error {found}")
