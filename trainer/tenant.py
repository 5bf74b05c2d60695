"""A tenant's training or evaluation in a process of its own, on another's base (:mod:`trainer.serve`).

It is forked from one that has imported everything and seen no tenant; it closes what it inherited, is
confined to its folder (:mod:`trainer.confine`), opens the base, and does
what ``python -m trainer train``, or ``evaluate``, does. Its kernels are compiled into a copy of the server's,
which goes with it: what one tenant compiles no other runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from trainer import clock, confine, spool
from trainer.errors import BadUsage, ConfinementError, Interrupted, TrainerError
from trainer.model import HELD, Placement, use_threads
from trainer.options import EvaluateOptions, TrainOptions
from trainer.owner import Base, Wanted
from trainer.pipes import Signals

HIDDEN = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Given:
    """What a tenant's process is given. ``job``: as its caller wrote it; ``card``: the cards it sees, which
    the server hides while it imports; ``user``: of its own, where there is no Landlock."""

    work: Path
    job: Mapping[str, Any]
    wanted: Wanted
    base: Base
    kernels: Path
    card: str | None
    user: int
    confined: bool
    threads: int


def begin(given: Given, log: int) -> int:
    """Fork the tenant's process; its id. ``log`` takes what it says."""
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process == 0:
        _live(given, log)
    return process


def _live(given: Given, log: int) -> NoReturn:
    status = 1
    try:
        status = _inside(given, log)
    finally:
        if sys.exc_info()[0] is not None:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _inside(given: Given, log: int) -> int:
    os.setsid()
    confine.die_with_parent()
    clock.forked()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    _keep_nothing(given, log)
    try:
        _settle_in(given)
        _confined_with_the_base(given)
        if given.job.get("do") == spool.EVALUATE:
            report = answers(asked_answers(given), given.threads)
        else:
            report = work(asked(given), given.threads)
        (given.work / spool.REPORT).write_text(json.dumps(report), encoding="utf-8")
    except (TrainerError, Interrupted) as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    return 0


def _confined_with_the_base(given: Given) -> None:
    import torch

    from trainer.card import has_kernels

    if given.confined:
        confine.confine(confine.Limits([given.work, *_checkpoints(given)], [*_base_folder(given)]))
    _open_base(given)
    if given.confined and confine.wall() == "user":
        confine.become(given.user)
        for file in (__file__, os.__file__, torch.__file__):
            if not os.access(file, os.R_OK):
                raise ConfinementError(f"a user of its own cannot read {file}: this machine needs Landlock")
    # a training without them rounds otherwise: it would not be the cold one's bytes
    if given.base.kernels and not has_kernels():
        raise ConfinementError("Triton's kernels run on this card, but not in a confined process")


def work(options: TrainOptions, threads: int) -> dict[str, Any]:
    """The training itself; from here on the tenant's data is read."""
    from trainer.train_lora import train

    use_threads(threads)
    return train(options, Signals())


def answers(options: EvaluateOptions, threads: int) -> dict[str, Any]:
    """The evaluation itself; from here on the tenant's data is read."""
    from trainer.evaluate import evaluate

    use_threads(threads)
    return evaluate(options)


def asked(given: Given) -> TrainOptions:
    """The caller's options, with the places of this process in them.

    Raises:
        BadUsage: it does not fit the base that is served.
    """
    job, folder, placement = given.job, given.work, _placed(given)
    judged = bool(job.get("judge"))
    checkpoints = job.get("checkpoints")
    return TrainOptions(
        data=folder / spool.CORPUS,
        base=given.wanted.base,
        base_revision=given.wanted.base_revision,
        tenant=job["tenant"],
        out=folder / spool.ADAPTER,
        recipe=job["recipe"],
        validation_share=job["validation_share"],
        device=placement.device,
        precision=placement.precision,  # by name: where it does not fit, nobody else is loaded beside it
        require_gpu=job["require_gpu"],
        skip_too_long=job["skip_too_long"],
        bin=job["bin"],
        checkpoints=Path(checkpoints) if checkpoints else None,
        checkpoint_minutes=job["checkpoint_minutes"],
        judge=folder / spool.GOLDEN if judged else None,
        answers=folder / spool.ANSWERS if judged else None,
    )


def asked_answers(given: Given) -> EvaluateOptions:
    """The same of an evaluation. Raises as :func:`asked`."""
    job, folder, placement = given.job, given.work, _placed(given)
    names = [str(name) for name in job["adapters"]]
    if any(Path(name).name != name for name in names):
        raise BadUsage("an adapter's name in the queue is the name of a folder")
    return EvaluateOptions(
        data=folder / spool.GOLDEN,
        base=given.wanted.base,
        base_revision=given.wanted.base_revision,
        tenant=job["tenant"],
        out=folder / spool.ANSWERS,
        adapters={name: folder / spool.ADAPTERS / name for name in names},
        with_base=job["with_base"],
        max_new_tokens=job["max_new_tokens"],
        batch_size=job["batch_size"],
        device=placement.device,
        precision=placement.precision,
        require_gpu=job["require_gpu"],
    )


def _placed(given: Given) -> Placement:
    job, placement = given.job, given.base.placement
    if job.get("device") not in ("auto", placement.device):
        raise BadUsage(f"this queue serves a base on {placement.device}, not on {job.get('device')}")
    if job.get("precision") not in ("auto", placement.precision):
        raise BadUsage(f"this queue serves a base in {placement.precision}, not in {job.get('precision')}")
    return placement


def _keep_nothing(given: Given, log: int) -> None:
    """No file of the server's but the log and the base stays open, and no dump is left behind."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) != given.base.memory:
            with contextlib.suppress(OSError):  # the one that listed them
                os.close(int(name))


def _settle_in(given: Given) -> None:
    """Folders of its own for what is written on the way; a copy of the known kernels is in one of them."""
    own = given.work / "tmp"
    own.mkdir(mode=0o700)
    _copy_kernels(given.kernels, own / "kernels")
    os.environ.update(
        HOME=str(own), TMPDIR=str(own), TRITON_CACHE_DIR=str(own / "kernels"),
        CUDA_CACHE_PATH=str(own / "cuda"), TORCHINDUCTOR_CACHE_DIR=str(own / "inductor"),
    )  # fmt: skip
    if given.card is None:
        os.environ.pop(HIDDEN, None)
    else:
        os.environ[HIDDEN] = given.card
    tempfile.tempdir = None
    os.chdir(given.work)
    if given.confined and confine.wall() == "user":
        for place in (given.work, *given.work.rglob("*")):
            os.chown(place, given.user, given.user, follow_symlinks=False)


def _copy_kernels(known: Path, own: Path) -> None:
    """Triton's folder, whose lists name files by whole paths: what was moved it would not find."""
    shutil.copytree(known, own)
    for listed in own.glob("*/__grp__*.json"):
        files = json.loads(listed.read_text(encoding="utf-8")).get("child_paths") or {}
        here = {name: str(listed.parent / Path(path).name) for name, path in files.items()}
        listed.write_text(json.dumps({"child_paths": here}), encoding="utf-8")


def _checkpoints(given: Given) -> list[Path]:
    """The folder of the tenant's checkpoints, made where it is missing: it may not be later."""
    folder = given.job.get("checkpoints")
    if not folder:
        return []
    Path(folder).mkdir(parents=True, exist_ok=True)
    return [Path(folder)]


def _base_folder(given: Given) -> list[Path]:
    folder = Path(given.wanted.base).expanduser()
    if folder.is_dir():
        return [folder]
    from huggingface_hub.constants import HF_HUB_CACHE  # a base by its id lies there, and nothing of a tenant

    return [Path(HF_HUB_CACHE)]


def _open_base(given: Given) -> None:
    from trainer.resident import open_slab, thaw

    base = given.base
    slab = open_slab(base.placement.device, base.memory, base.size)
    HELD[given.wanted.base, given.wanted.base_revision, base.placement] = lambda: thaw(base.skeleton, slab)


def _interrupt(number: int, _: FrameType | None) -> None:
    raise Interrupted(f"interrupted by {signal.Signals(number).name}; nothing was published")
