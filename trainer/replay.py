"""Replay examples in a base model's own words, so that an adapter of any base keeps what that base can do.

    python -m trainer replay --base BASE --data TEXTS.jsonl --tenant replay --out replay.jsonl

The shipped replay examples are right answers of the shipped base's kind; another base writes otherwise, and
to be taught them is to be changed by them. What protects a model from forgetting are its own answers to
general texts (J. Huang et al., "Mitigating Catastrophic Forgetting in Large Language Models with
Self-Synthesized Rehearsal", ACL 2024). So each line's output becomes what the base answers. An answer that is
no correction (nothing, a text half or twice as long) is left out, and when most are, the base does not
understand the task: nothing is written.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from trainer.data import REPLAY_TENANT
from trainer.errors import BadBase, BadUsage, DiskError
from trainer.evaluate import BASE, evaluate, write_lines
from trainer.options import EvaluateOptions

LEAST_KEPT = 0.5  # of the answers; below it the base does something else than correcting
_SHORTEST, _LONGEST = 0.5, 2.0  # words of an answer to those of its text


def write_replay(options: EvaluateOptions) -> dict[str, Any]:
    """Write ``options.data`` with the base's own answers to ``options.out``; how many were kept.

    Raises:
        BadUsage: the examples are to be a municipality's, or adapters are named.
        BadData: a line that is no example.
        BadBase: it cannot be loaded, or most of its answers are no corrections.
        DiskError: the file cannot be written; nothing half-written is left.
    """
    if options.tenant != REPLAY_TENANT:
        raise BadUsage(f"replay examples are nobody's: use --tenant {REPLAY_TENANT}")
    if options.adapters:
        raise BadUsage("replay examples are the base model's own answers: name no --adapter")
    try:
        with tempfile.TemporaryDirectory(dir=options.out.parent, prefix=".replay-") as work:
            answers = Path(work, "answers.jsonl")
            report = evaluate(replace(options, out=answers))
            kept, count = _answered(options.data, answers)
    except OSError as error:
        raise DiskError(f"the base's answers cannot be kept: {error}") from error
    if len(kept) < LEAST_KEPT * count:
        raise BadBase(
            f"{count - len(kept)} of {count} answers of {options.base} are no corrections: it needs "
            "another prompt, or has not learned to follow instructions; nothing was written"
        )
    write_lines(options.out, kept, what="the replay examples")
    return {**report, "kept": len(kept), "left_out": count - len(kept)}


def _answered(data: Path, answers: Path) -> tuple[list[dict[str, Any]], int]:
    """The lines of ``data`` whose answers are corrections, with these as output; and how many there were."""
    said = {row["example_id"]: row["predictions"][BASE] for row in _lines(answers)}
    kept, count = [], 0
    for line in _lines(data):
        count += 1
        answer = said[line["meta"]["example_id"]]
        words = len(answer["text"].split()) / max(1, len(line["input"].split()))
        answered = answer["tokens"] > 0  # a text that did not fit is nobody's answer
        if answered and _SHORTEST <= words <= _LONGEST:
            kept.append({**line, "output": answer["text"]})
    return kept, count


def _lines(file: Path) -> list[dict[str, Any]]:
    text = file.read_text(encoding="utf-8-sig")
    return [json.loads(line) for line in text.split("\n") if line.strip()]
