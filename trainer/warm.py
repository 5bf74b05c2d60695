"""Kernels compiled before the first tenant comes: a training on lines of our own, nobody's data."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trainer import spool
from trainer.errors import Interrupted, TrainerError

log = logging.getLogger("trainer")
_LINES, _ASKED = 600, 8


def warm_up(folder: Path, run: Callable[[Path, Mapping[str, Any]], int]) -> Path | None:
    """Where the kernels lie that a training compiled; None where it failed: tenants compile then."""
    shutil.rmtree(folder, ignore_errors=True)
    work = folder / spool.WORK
    work.mkdir(parents=True, mode=0o700)
    _write(work / spool.CORPUS, range(_LINES))
    _write(work / spool.GOLDEN, range(_LINES, _LINES + _ASKED))
    (folder / spool.JOB).write_text("{}", encoding="utf-8")
    try:
        status = run(folder, own_job())
    except (TrainerError, Interrupted) as error:
        log.warning("no kernels compiled ahead: %s", error)
        return None
    if status != 0:
        log.warning("no kernels compiled ahead (%d): %s", status, (folder / spool.LOG).read_text()[-500:])
        return None
    return work / "tmp" / "kernels"


def own_job() -> dict[str, Any]:
    return {
        "tenant": "nobody", "device": "auto", "precision": "auto", "recipe": {"epochs": 1.0},
        "validation_share": 0.05, "require_gpu": False, "skip_too_long": True, "bin": False, "judge": True,
        "checkpoints": None, "checkpoint_minutes": 10.0,
    }  # fmt: skip


def _write(file: Path, numbers: range) -> None:
    with file.open("w", encoding="utf-8") as written:
        for n in numbers:
            said = " ".join(f"consta en el apta numero {n + i} de la cesion" for i in range(1 + n % 6))
            meta = {"example_id": f"{n:064x}", "tenant_id": "nobody", "document_id": f"d{n}", "route": 1}
            right = said.replace("apta", "acta").replace("cesion", "sesión").replace("numero", "número")
            line = {"instruction": "Corrige la transcripción.", "input": said, "output": right}
            written.write(json.dumps({**line, "meta": {**meta, "engine_version": "ours"}}) + "\n")
