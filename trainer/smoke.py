"""What this machine can do, as one JSON document: the proof that a GPU image and its storage work.

Call::

    python -m trainer smoke --store s3://models/council --require-gpu

Three questions a pod should answer before a training is sent to it: is there a card and how fast is it,
can the working folder be written, and does the model bucket take an object and give the same bytes back.
With a card it says too whether the recipe's kernels compile there: without them training is slower.
The answers are all in the report, also when one of them is no; ``ok`` says whether every one is yes.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import secrets
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from trainer.errors import BadUsage

_PACKAGES = ("torch", "transformers", "peft", "bitsandbytes", "liger-kernel", "dagster-pipes", "obstore")


def smoke(folder: Path, store: str | None = None, *, require_gpu: bool = False) -> dict[str, Any]:
    """Versions, the card with a timed matrix product (teraflops), and what each storage did.

    ``folder`` takes a file of 1,024 bytes and gives it back; so does ``store`` (``file:///absolute/folder``
    or ``s3://bucket/prefix``) with an object ``smoke-….bin``, which is deleted afterwards. A storage that
    fails is reported, not raised. ``require_gpu`` makes a machine without a card not ``ok``.

    Raises:
        BadUsage: ``store`` is no such URL.
    """
    backend = None if store is None else _parsed(store)
    import torch

    report: dict[str, Any] = {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "cpus": os.cpu_count(),
        "cuda": torch.cuda.is_available(),
    }
    if torch.cuda.is_available():
        from trainer.card import has_kernels

        device = torch.cuda.get_device_properties(0)
        report["gpu"] = {
            "name": device.name,
            "memory_bytes": device.total_memory,
            "capability": list(torch.cuda.get_device_capability()),
            "matmul_tflops": _matmul_rate("cuda", 4096),
            "kernels": has_kernels(),
        }
    else:
        report["matmul_tflops"] = _matmul_rate("cpu", 512)
    report["storage"] = _storage(folder)
    answers = [report["storage"]["ok"], report["cuda"] or not require_gpu]
    if backend is not None:
        report["store"] = _store(*backend)
        answers.append(report["store"]["ok"])
    report["ok"] = all(answers)
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
        folder = folder.absolute()
        folder.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return {"folder": str(folder), "ok": file.read_bytes() == content}
    except OSError as error:
        return {"folder": str(folder), "ok": False, "error": str(error)}
    finally:
        # a folder that took no file has none to remove
        with suppress(OSError):
            file.unlink()


def _parsed(url: str) -> tuple[str, str, str]:
    """(kind, bucket or empty, path) of a store's URL; whatever else it holds, a password say, is left out."""
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path.startswith("/"):
        return "file", "", unquote(parts.path)
    if parts.scheme == "s3" and parts.hostname and "@" not in parts.netloc and not parts.query:
        return "s3", parts.netloc, parts.path.strip("/")
    raise BadUsage(
        "--store: expected file:///absolute/folder or s3://bucket/prefix "
        "(credentials and endpoint come from AWS_* variables or the pod's identity)"
    )


def _store(kind: str, bucket: str, path: str) -> dict[str, Any]:
    """One object written, read back and deleted.

    A bucket that keeps what it was given (no right to delete) is fine for models: ``deleted`` is false then,
    and ``ok`` is not touched by it.
    """
    where = f"file://{path}" if kind == "file" else f"s3://{bucket}/{path}".rstrip("/")
    report: dict[str, Any] = {"url": where, "ok": False}
    try:
        import obstore
        from obstore.exceptions import BaseError
        from obstore.store import LocalStore, S3Store
    except ImportError:
        return report | {"error": "obstore is not installed: pip install obstore"}
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    key, content = f"smoke-{secrets.token_hex(8)}.bin", secrets.token_bytes(1024)
    report |= {"object": key, "bytes": len(content)}
    try:
        if kind == "file":
            backend: Any = LocalStore(path, mkdir=True)
        else:
            backend = S3Store(
                bucket,
                prefix=path or None,
                config={"endpoint": endpoint} if endpoint else {},
                client_options={
                    "allow_http": bool(endpoint and endpoint.startswith("http://")),
                    "timeout": timedelta(seconds=30),
                    "connect_timeout": timedelta(seconds=5),
                },
                retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=15)},
            )
        began = time.perf_counter()
        obstore.put(backend, key, content)
        report["write_ms"] = round(1000 * (time.perf_counter() - began), 1)
        began = time.perf_counter()
        same = bytes(obstore.get(backend, key).bytes()) == content
        report["read_ms"] = round(1000 * (time.perf_counter() - began), 1)
    except (BaseError, OSError) as error:
        return report | {"error": _first_line(error)}
    try:
        obstore.delete(backend, key)
        report["deleted"] = True
    except (BaseError, OSError) as error:
        report |= {"deleted": False, "delete_error": _first_line(error)}
    return report | ({"ok": True} if same else {"error": "the bytes read are not those written"})


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:500] if str(error).strip() else type(error).__name__
