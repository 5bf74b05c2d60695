"""Which trainer this is: code and the packages that decide bytes. A light import.

An adapter is signed as made by the code of its caller; so one version's server does nothing for another's
callers, as while a new image is rolled out.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("torch", "triton", "transformers", "peft", "safetensors", "tokenizers")


@lru_cache(maxsize=1)
def code() -> str:
    """SHA-256 over the trainer's own files and the versions of the packages that compute for it."""
    total = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        total.update(f"{file.name}\0".encode())
        total.update(hashlib.sha256(file.read_bytes()).digest())
    for name in _PACKAGES:
        total.update(f"{name} {_version(name)}\0".encode())
    return total.hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
