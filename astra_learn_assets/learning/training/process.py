"""The trainer seen from the platform: a command line and exit codes, never an import.

A ``Runner`` starts the command and returns when it ended well: the asset passes one that goes
through Dagster Pipes, tests and the command line use :func:`run_directly`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from astra_learn_assets.errors import TrainingFailed
from astra_learn_assets.ids import TenantId
from astra_learn_assets.settings import Settings

Runner = Callable[[Sequence[str]], None]

MEANING = {
    2: "wrong arguments",
    3: "broken training data",
    4: "the base model is missing or broken",
    5: "no GPU where one is demanded",
    6: "the loss or a gradient was not finite",
    7: "out of memory at the smallest pack",
    8: "disk or I/O error",
    9: "a tenant's process cannot be confined on this machine",
    10: "the resident base was changed meanwhile: nothing is believed",
    11: "its process in the queue took too long, died, or left what cannot be believed",
    12: "nobody serves the queue",
    75: "interrupted",
}


def run_directly(command: Sequence[str]) -> None:
    """Run ``command`` and wait.

    Raises:
        TrainingFailed: with the exit code's documented meaning.
    """
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise failure(done.returncode, done.stderr)


def failure(exit_code: int, stderr: str = "") -> TrainingFailed:
    """The typed error of an exit code, with the last line the trainer wrote."""
    meaning = MEANING.get(
        exit_code, "the process was killed" if exit_code in (-9, 137) else "unexpected error"
    )
    last = stderr.strip().splitlines()[-1:] or [""]
    return TrainingFailed(exit_code, f"trainer ended with {exit_code} ({meaning}) {last[0]}".rstrip())


def train_command(
    settings: Settings,
    *,
    tenant_id: TenantId,
    data: Path,
    out: Path,
    hyperparameters: dict[str, float | int],
    checkpoints: Path | None = None,
    also_bin: bool = False,
    judge: tuple[Path, Path] | None = None,
) -> list[str]:
    """``python -m trainer train`` for one corpus; ``hyperparameters`` keys are option names.

    ``checkpoints``: where an interrupted training of this very recipe left off, or will. ``judge``: a golden
    set, and where the new adapter's answers to it go. With a queue in the settings its server does it, if one
    serves, and the command follows it.
    """
    command = [*_trainer(settings), "train", "--tenant", tenant_id, "--data", str(data), "--out", str(out)]
    command += [*_base(settings), "--skip-too-long"]  # one long paragraph must not end a tenant's learning
    for name, value in sorted(hyperparameters.items()):
        command += [f"--{name.replace('_', '-')}", f"{value}"]
    if checkpoints is not None:
        command += ["--checkpoints", str(checkpoints)]
    if also_bin:
        command.append("--bin")
    command += _queue(settings)
    if judge is not None:
        command += ["--judge", str(judge[0]), "--answers", str(judge[1])]
    return command


def running_log(out: Path) -> Path:
    """The log of a training into ``out`` while it runs: the folder gets its name when it is whole."""
    return out.with_name(f"{out.name}.partial") / "train_log.jsonl"


def waits(out: Path) -> Path:
    """What is there while a training into ``out`` waits in the queue, and costs no card anything."""
    return out.with_name(f"{out.name}.waits")


def evaluate_command(
    settings: Settings,
    *,
    tenant_id: TenantId,
    data: Path,
    out: Path,
    adapters: dict[str, Path],
    with_base: bool = True,
) -> list[str]:
    """``python -m trainer evaluate`` of the base (unless its answers are known) and each named adapter.

    A queue of the settings as for :func:`train_command`.
    """
    command = [*_trainer(settings), "evaluate", "--tenant", tenant_id, "--data", str(data), "--out", str(out)]
    command += _base(settings)
    for name, folder in adapters.items():
        command += ["--adapter", f"{name}={folder}"]
    if not with_base:
        command.append("--without-base")
    return command + _queue(settings)


HYPERPARAMETERS: Mapping[str, type[int] | type[float]] = {
    "rank": int, "alpha": int, "learning_rate": float, "epochs": float, "batch_tokens": int, "seed": int,
    "made_share": float, "clean_share": float, "changed_weight": float,
}  # fmt: skip


def hyperparameters(settings: Settings, overrides: dict[str, float | int]) -> dict[str, float | int]:
    """What one training is told: the settings' choices, with what the run's config changes.

    What nobody chose is left to the trainer, which knows the base model's size; ``metrics.json`` says what
    it took.
    """
    chosen: dict[str, float | int | None] = {
        "rank": settings.lora_rank,
        "alpha": settings.lora_alpha,
        "learning_rate": settings.learning_rate,
        "epochs": settings.epochs,
        "batch_tokens": settings.batch_tokens,
        "seed": settings.seed,
    }
    return {name: value for name, value in {**chosen, **overrides}.items() if value is not None}


def _trainer(settings: Settings) -> list[str]:
    return [settings.trainer_python or sys.executable, "-m", "trainer"]


def _queue(settings: Settings) -> list[str]:
    if settings.trainer_queue is None:
        return []
    wait = settings.trainer_queue_wait_minutes
    return ["--queue", str(settings.trainer_queue), *(["--queue-wait-minutes", f"{wait:g}"] if wait else [])]


def _base(settings: Settings) -> list[str]:
    revision = ["--base-revision", settings.base_revision] if settings.base_revision else []
    return ["--base", settings.base_model, *revision]
