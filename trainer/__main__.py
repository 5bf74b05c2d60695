"""``python -m trainer train | evaluate | replay | serve-queue | smoke``; exit statuses: ``errors.py``."""

from __future__ import annotations

import argparse
import json
import math
import signal
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from types import FrameType
from typing import Any

from trainer.errors import BadUsage, Interrupted, TrainerError
from trainer.model import hash_ahead, use_threads
from trainer.options import EvaluateOptions, Recipe, TrainOptions
from trainer.pipes import quiet_libraries, say_lines

MAY_BE_ZERO = ("patience", "seed", "made_share", "clean_share")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m trainer", description="LoRA training and evaluation.")
    commands = parser.add_subparsers(dest="command", required=True)

    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--data", type=Path, required=True, help="JSONL of examples")
    common.add_argument("--base", required=True, help="Hugging Face id or folder")
    common.add_argument("--base-revision")
    common.add_argument("--tenant", required=True)
    common.add_argument("--out", type=Path, required=True)
    common.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    common.add_argument("--precision", choices=("auto", "fp32", "bf16", "fp16", "nf4"), default="auto")
    common.add_argument("--require-gpu", action="store_true")
    common.add_argument(
        "--threads", type=int, default=0, help="CPU threads; 0 = OMP_NUM_THREADS, else all cores"
    )

    queueing = argparse.ArgumentParser(add_help=False)
    queueing.add_argument(
        "--queue", type=Path, help="folder of a serve-queue that does it; else it is done here"
    )
    queueing.add_argument(
        "--queue-wait-minutes",
        type=float,
        default=0.0,
        help="wait so long for who serves it, and never do it here: there is no card",
    )

    train = commands.add_parser("train", parents=[common, queueing], help="corpus -> adapter folder")
    train.add_argument("--validation-share", type=float, default=0.05)
    train.add_argument("--rank", type=int)
    train.add_argument("--alpha", type=int)
    train.add_argument("--learning-rate", type=float)
    train.add_argument("--epochs", type=float)
    train.add_argument("--batch-tokens", type=int, help="tokens per optimizer step")
    train.add_argument("--pack-tokens", type=int, help="most tokens held at once")
    train.add_argument("--longest-example", type=int, help="tokens; a longer one is bad data")
    train.add_argument("--skip-too-long", action="store_true", help="leave it out, counted, instead")
    train.add_argument("--bin", action="store_true", help="also write adapter_model.bin")
    train.add_argument("--target-modules", help="all-linear, or names separated by commas")
    train.add_argument(
        "--patience", type=int, help="validations without improvement before stopping; 0 = never"
    )
    train.add_argument("--seed", type=int)
    train.add_argument("--made-share", type=float, help="self-made pairs, in multiples of the council's own")
    train.add_argument("--clean-share", type=float, help="pairs of finished text on both sides, likewise")
    train.add_argument("--changed-weight", type=float, help="of corrected tokens in the loss; copied ones: 1")
    train.add_argument(
        "--checkpoints",
        type=Path,
        help="folder to resume from and to write to on SIGTERM; kept until published",
    )
    train.add_argument("--checkpoint-minutes", type=float, default=10.0, help="and this often")
    train.add_argument("--judge", type=Path, help="golden set that the adapter answers once it is published")
    train.add_argument("--answers", type=Path, help="where its answers go, as evaluate would write them")

    answering = argparse.ArgumentParser(add_help=False)
    answering.add_argument("--max-new-tokens", type=int, default=2048)
    answering.add_argument("--batch-size", type=int, help="prompts at once; 128 on a GPU, 32 on a CPU")
    answering.set_defaults(adapter=[], without_base=False)

    evaluate = commands.add_parser(
        "evaluate", parents=[common, answering, queueing], help="golden set -> predictions.jsonl"
    )
    evaluate.add_argument("--adapter", action="append", default=[], metavar="NAME=DIR")
    evaluate.add_argument("--without-base", action="store_true", help="the base has answered before")

    commands.add_parser(
        "replay", parents=[common, answering], help="general texts -> replay examples in the base's own words"
    )

    serve = commands.add_parser("serve-queue", help="one resident base, a process for each waiting training")
    serve.add_argument(
        "--spool", type=Path, required=True, help="folder that trainings are handed in through"
    )
    serve.add_argument(
        "--base",
        default=str(Path(__file__).parent / "base_model"),
        help="Hugging Face id or folder; default: the one that comes with the trainer",
    )
    serve.add_argument("--base-revision")
    serve.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    serve.add_argument("--precision", choices=("auto", "fp32", "bf16", "fp16"), default="auto")
    serve.add_argument("--require-gpu", action="store_true")
    serve.add_argument("--threads", type=int, default=0, help="CPU threads of each training; 0 = all cores")
    serve.add_argument("--idle-minutes", type=float, default=10.0, help="without work, then it leaves")
    serve.add_argument("--job-minutes", type=float, default=240.0, help="that one training may take")
    serve.add_argument("--grace-seconds", type=float, default=60.0, help="from a request to stop to the end")
    serve.add_argument(
        "--unconfined", action="store_true", help="serve also where nothing keeps tenants' processes apart"
    )

    smoke = commands.add_parser("smoke", help="report of this machine as JSON")
    smoke.add_argument("--folder", type=Path, default=Path(), help="storage to try; default: where it runs")
    smoke.add_argument(
        "--store", metavar="URL", help="and the model bucket: file:///folder, s3://bucket/prefix"
    )
    smoke.add_argument("--require-gpu", action="store_true", help="not ok without a CUDA card")
    return parser


def _interrupt(number: int, _: FrameType | None) -> None:
    raise Interrupted(f"interrupted by {signal.Signals(number).name}; nothing was published")


def _train(options: argparse.Namespace) -> dict[str, Any]:
    from trainer.pipes import signals

    asked = _train_options(options)
    with signals() as sender:
        if options.queue is not None:
            from trainer.queued import train_queued

            say_lines()
            done = train_queued(asked, _queue(options), sender)
            if done is not None:
                return done
        hash_ahead(options.base)  # beside the imports that follow
        quiet_libraries()
        use_threads(options.threads)
        from trainer.train_lora import train

        return train(asked, sender)


def _queue(options: argparse.Namespace) -> Any:
    from trainer.queued import Queue

    if not math.isfinite(options.queue_wait_minutes) or options.queue_wait_minutes < 0:
        raise BadUsage("--queue-wait-minutes must be a number of minutes, or 0")
    return Queue(options.queue, options.queue_wait_minutes)


def _train_options(options: argparse.Namespace) -> TrainOptions:
    chosen = {
        field.name: getattr(options, field.name)
        for field in fields(Recipe)
        if getattr(options, field.name, None) is not None
    }
    for name, value in chosen.items():
        if isinstance(value, int | float) and (
            not math.isfinite(value) or value < 0 or (value == 0 and name not in MAY_BE_ZERO)
        ):
            raise BadUsage(f"--{name.replace('_', '-')} must be a positive number")
    if not 0 <= options.validation_share < 0.5:
        raise BadUsage("--validation-share must be at least 0 and below 0.5")
    return TrainOptions(
        data=options.data,
        base=options.base,
        base_revision=options.base_revision,
        tenant=options.tenant,
        out=options.out,
        recipe=chosen,
        validation_share=options.validation_share,
        device=options.device,
        precision=options.precision,
        require_gpu=options.require_gpu,
        skip_too_long=options.skip_too_long,
        bin=options.bin,
        checkpoints=options.checkpoints,
        checkpoint_minutes=options.checkpoint_minutes,
        judge=options.judge,
        answers=options.answers,
    )


def _serve(options: argparse.Namespace) -> dict[str, Any]:
    from trainer.owner import Wanted
    from trainer.queued import named
    from trainer.serve import ServeOptions, serve

    say_lines()
    if min(options.idle_minutes, options.job_minutes, options.grace_seconds) < 0 or not options.job_minutes:
        raise BadUsage("--idle-minutes, --job-minutes and --grace-seconds must be positive")
    return serve(
        ServeOptions(
            spool=options.spool.resolve(),
            wanted=Wanted(
                base=named(options.base),
                base_revision=options.base_revision,
                device=options.device,
                precision=options.precision,
                require_gpu=options.require_gpu,
            ),
            idle_minutes=options.idle_minutes,
            job_minutes=options.job_minutes,
            grace_seconds=options.grace_seconds,
            threads=options.threads,
            unconfined=options.unconfined,
        )
    )


def _answer(options: argparse.Namespace) -> dict[str, Any]:
    asked = _evaluate_options(options)
    if options.command == "evaluate" and options.queue is not None:
        from trainer.queued import evaluate_queued

        say_lines()
        done = evaluate_queued(asked, _queue(options))
        if done is not None:
            return done
    hash_ahead(options.base)  # beside the imports that follow
    quiet_libraries()
    use_threads(options.threads)
    from trainer.evaluate import evaluate
    from trainer.replay import write_replay

    return (write_replay if options.command == "replay" else evaluate)(asked)


def _evaluate_options(options: argparse.Namespace) -> EvaluateOptions:
    adapters: dict[str, Path] = {}
    for entry in options.adapter:
        name, separator, folder = entry.partition("=")
        if not separator or not name or name in adapters:
            raise BadUsage(f"--adapter {entry!r}: use NAME=DIR, each name once")
        adapters[name] = Path(folder)
    if options.without_base and not adapters:
        raise BadUsage("--without-base needs an --adapter")
    if options.max_new_tokens < 1 or (options.batch_size is not None and options.batch_size < 1):
        raise BadUsage("--max-new-tokens and --batch-size must be positive")
    return EvaluateOptions(
        data=options.data,
        base=options.base,
        base_revision=options.base_revision,
        tenant=options.tenant,
        out=options.out,
        adapters=adapters,
        with_base=not options.without_base,
        max_new_tokens=options.max_new_tokens,
        batch_size=options.batch_size,
        device=options.device,
        precision=options.precision,
        require_gpu=options.require_gpu,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the report is one JSON document on stdout, everything else goes to stderr."""
    options = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)
    try:
        if options.command == "smoke":
            from trainer.smoke import smoke

            report = smoke(options.folder, options.store, require_gpu=options.require_gpu)
        elif options.command == "serve-queue":
            report = _serve(options)
        elif options.command == "train":
            report = _train(options)
        else:
            report = _answer(options)
    except (TrainerError, Interrupted) as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    sys.stdout.write(json.dumps(report, ensure_ascii=False, indent=2, sort_keys=True) + "\n")
    return 0 if report.get("ok", True) else 1


if __name__ == "__main__":
    sys.exit(main())
