"""What this machine can do, as one JSON document: the proof that a GPU image and its storage work."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import secrets
import time
from pathlib import Path
from typing import Any

_PACKAGES = ("torch", "transformers", "peft", "bitsandbytes", "liger-kernel", "dagster-pipes")


def smoke(folder: Path) -> dict[str, Any]:
    """Versions, the card with a timed matrix product, and a file written to ``folder`` and read back."""
    import torch

    report: dict[str, Any] = {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "cpus": os.cpu_count(),
        "cuda": torch.cuda.is_available(),
    }
    if torch.cuda.is_available():
        device = torch.cuda.get_device_properties(0)
        report["gpu"] = {
            "name": device.name,
            "memory_bytes": device.total_memory,
            "capability": list(torch.cuda.get_device_capability()),
            "matmul_tflops": _matmul_rate("cuda", 4096),
        }
    else:
        report["matmul_tflops"] = _matmul_rate("cpu", 512)
    report["storage"] = _storage(folder)
    report["ok"] = bool(report["storage"]["ok"])
    return report


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _matmul_rate(device: str, size: int) -> float:
    import torch

    dtype = (
        torch.bfloat16 if device == "cuda" and torch.cuda.get_device_capability()[0] >= 8 else torch.float32
    )
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    left @ right
    if device == "cuda":
        torch.cuda.synchronize()
    began, rounds = time.perf_counter(), 10
    for _ in range(rounds):
        left @ right
    if device == "cuda":
        torch.cuda.synchronize()
    return round(2 * size**3 * rounds / (time.perf_counter() - began) / 1e12, 3)


def _storage(folder: Path) -> dict[str, Any]:
    content, file = secrets.token_bytes(1024), folder / f".smoke-{secrets.token_hex(8)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return {"folder": str(folder), "ok": file.read_bytes() == content}
    except OSError as error:
        return {"folder": str(folder), "ok": False, "error": str(error)}
    finally:
        file.unlink(missing_ok=True)
