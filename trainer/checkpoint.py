"""Checkpoints of a training that was stopped: complete or not there, and only for the very same training.

``transformers.Trainer`` writes weights, optimizer, schedule and random state into ``checkpoint-STEP``.
What it does not know of (validation, the best adapter, the log) is added, and last of all a seal that
names the training. A folder without its seal, which a kill in the middle leaves behind, or with another
training's seal, is never resumed from.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_SEAL = "complete.json"
_WATCH = "watch.pt"


def identity(data: bytes, **settings: Any) -> str:
    """SHA-256 over the corpus and everything else that decides the adapter's bytes."""
    text = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.sha256(hashlib.sha256(data).digest() + text.encode()).hexdigest()


def seal(folder: Path, training: str, watch: Mapping[str, Any]) -> None:
    """Complete ``folder`` and forget the older checkpoints beside it."""
    import torch

    torch.save(dict(watch), folder / _WATCH)
    for written in folder.iterdir():
        with written.open("rb") as data:
            os.fsync(data.fileno())
    partial = folder / f"{_SEAL}.partial"
    with partial.open("w", encoding="utf-8") as file:
        json.dump({"training": training}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, folder / _SEAL)
    for other in folder.parent.glob("checkpoint-*"):
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)


def newest(parent: Path, training: str) -> tuple[Path, dict[str, Any]] | None:
    """The latest complete checkpoint of ``training`` below ``parent``, with what :func:`seal` was given."""
    import torch

    found = [folder for folder in parent.glob("checkpoint-*") if _sealed_for(folder) == training]
    if not found:
        return None
    latest = max(found, key=lambda folder: int(folder.name.rpartition("-")[2]))
    return latest, torch.load(latest / _WATCH, map_location="cpu", weights_only=True)


def _sealed_for(folder: Path) -> str | None:
    try:
        value = json.loads((folder / _SEAL).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value.get("training") if isinstance(value, dict) else None
