"""Whole files: anonymize a JSONL to a JSONL, scan one. Streams, so files may be larger than memory.

Lines are examples (``instruction``, ``input``, ``output``, ``meta``), bare ``{"input", "output"}`` or
``{"text"}``. Every other string of a line is masked too (:mod:`privacy.record`), with the numbers that the
same people have in its sides. The output appears under its name only when complete.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from astra_learn_assets.errors import BadInput, BadJsonl
from astra_learn_assets.privacy import record
from astra_learn_assets.privacy.pseudonymizer import PseudonymizedPair, Pseudonymizer, count_placeholders
from astra_learn_assets.privacy.scan.residual import ResidualScanner, ScanReport, parse_line
from astra_learn_assets.spanish.placeholder import PLACEHOLDER

BATCH_LINES = 128
BATCH_CHARACTERS = 400_000
MOST_PLACES = 1_000
MOST_PLAIN = 20_000  # strings remembered to hold nobody: an instruction is the same on every line
SEAM = "\n\n\u2042\n\n"  # nothing that is one person's stands on both sides of it
Progress = Callable[[int, int], None]
Batch = list[tuple[int, dict[str, Any]]]


@dataclass(frozen=True)
class AnonymizeReport:
    """What happened: ``masked`` counts placeholders by kind; ``second_pass`` those only the residual
    scanner found; ``dropped_identical`` pairs in which nothing was left to learn; ``quarantined`` line
    numbers left out because something could not be masked."""

    lines: int
    written: int
    masked: dict[str, int] = field(default_factory=dict)
    second_pass: int = 0
    dropped_identical: int = 0
    quarantined: tuple[int, ...] = ()


def anonymize_file(
    in_path: Path,
    out_path: Path,
    *,
    pseudonymizer: Pseudonymizer,
    scanner: ResidualScanner | None = None,
    drop_identical: bool = False,
    progress: Progress | None = None,
    processes: int = 1,
) -> AnonymizeReport:
    """Write ``in_path`` masked to ``out_path``.

    With a ``scanner``, what it still finds is masked as well, and a line it still flags is left out.
    ``progress`` is called with bytes read and bytes in all. ``processes`` above 1 spreads batches over
    so many worker processes (for backfills; each loads the model); the output is the same.

    Raises:
        BadInput: the input does not exist or is the output.
        BadJsonl: a broken line, with its number; no output is left behind.
    """
    if not in_path.is_file():
        raise BadInput(f"no file {str(in_path)!r}: name an existing JSONL file")
    if out_path.exists() and out_path.samefile(in_path):
        raise BadInput("input and output are the same file: name another output")
    if out_path.is_dir() or not out_path.parent.is_dir():
        raise BadInput(f"cannot write {str(out_path)!r}: name a file in an existing folder")
    partial = out_path.with_name(f".{out_path.name}.{os.getpid()}.partial")
    size = in_path.stat().st_size
    totals: list[AnonymizeReport] = []
    try:
        with open(partial, "wb") as out:
            for lines, report, read in _results(
                in_path, _Work(pseudonymizer, scanner, drop_identical), processes
            ):
                out.writelines(lines)
                totals.append(report)
                if progress:
                    progress(read, size)
            out.flush()
            os.fsync(out.fileno())
        os.replace(partial, out_path)
    finally:
        partial.unlink(missing_ok=True)
    return _sum(totals)


Done = tuple[list[bytes], AnonymizeReport]


def _results(path: Path, work: _Work, processes: int) -> Iterator[tuple[list[bytes], AnonymizeReport, int]]:
    """Batches worked off in order, here or in worker processes that never run far ahead."""
    if processes <= 1:
        for batch, read in _batches(path):
            yield *work.run(batch), read
        return
    from collections import deque
    from concurrent.futures import Future, ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(processes, get_context("spawn"), _start_worker, (work,)) as pool:
        waiting: deque[tuple[Future[Done], int]] = deque()
        for batch, read in _batches(path):
            waiting.append((pool.submit(_in_worker, batch), read))
            if len(waiting) > 2 * processes:
                done, at = waiting.popleft()
                yield *done.result(), at
        for done, at in waiting:
            yield *done.result(), at


_WORKER: list[_Work] = []


def _start_worker(work: _Work) -> None:
    _WORKER[:] = [work]


def _in_worker(batch: Batch) -> Done:
    return _WORKER[0].run(batch)


def _sum(reports: list[AnonymizeReport]) -> AnonymizeReport:
    masked: Counter[str] = Counter()
    for report in reports:
        masked.update(report.masked)
    return AnonymizeReport(
        lines=sum(r.lines for r in reports),
        written=sum(r.written for r in reports),
        masked=dict(sorted(masked.items())),
        second_pass=sum(r.second_pass for r in reports),
        dropped_identical=sum(r.dropped_identical for r in reports),
        quarantined=tuple(n for r in reports for n in r.quarantined),
    )


def scan_file(
    path: Path,
    *,
    scanner: ResidualScanner,
    progress: Progress | None = None,
    places: int = MOST_PLACES,
) -> ScanReport:
    """Scan a JSONL file of any size; the report counts all and names the first ``places``.

    Raises:
        BadInput: there is no such file.
        BadJsonl: a broken line, with its number.
    """
    if not path.is_file():
        raise BadInput(f"no file {str(path)!r}: name an existing JSONL file")
    size = path.stat().st_size

    def lines() -> Iterator[bytes]:
        read = 0
        with open(path, "rb") as file:
            for number, line in enumerate(file):
                read += len(line)
                if progress and number % BATCH_LINES == 0:
                    progress(read, size)
                yield line
        if progress:
            progress(size, size)

    return scanner.report(lines(), places=places)


def _batches(path: Path) -> Iterator[tuple[Batch, int]]:
    batch: Batch = []
    read = characters = 0
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            read += len(line)
            if not line.strip():
                continue
            batch.append((number, _checked(number, parse_line(number, line))))
            characters += len(line)
            if len(batch) >= BATCH_LINES or characters >= BATCH_CHARACTERS:
                yield batch, read
                batch, characters = [], 0
    if batch:
        yield batch, read


def _checked(number: int, values: dict[str, Any]) -> dict[str, Any]:
    fields = [name for name in ("input", "output", "text") if name in values]
    if not fields:
        raise BadJsonl(number, "neither 'input' and 'output' nor 'text': nothing to anonymize")
    for name in fields:
        if not isinstance(values[name], str):
            raise BadJsonl(number, f"'{name}' is not a string")
    return values


class _Work:
    """What is done with a batch; picklable, so that a worker process can have one."""

    def __init__(self, pseudonymizer: Pseudonymizer, scanner: ResidualScanner | None, drop: bool) -> None:
        self._pseudonymizer = pseudonymizer
        self._scanner = scanner
        self._drop = drop
        self._plain: set[str] = set()
        self._reset()

    def _reset(self) -> None:
        self._masked: Counter[str] = Counter()
        self._lines = self._written = self._second = self._identical = 0
        self._quarantined: list[int] = []

    def run(self, batch: Batch) -> Done:
        """The lines to write for ``batch``, and what happened to it."""
        self._reset()
        return list(self.batch(batch)), self.report()

    def batch(self, batch: Batch) -> Iterator[bytes]:
        others = [self._others(values) for _, values in batch]
        items = [
            (*_with_others(_sides(values), texts), _seed(values))
            for (_, values), texts in zip(batch, others, strict=True)
        ]
        results = self._pseudonymizer.pairs(items)
        for (number, values), texts, result in zip(batch, others, results, strict=True):
            self._lines += 1
            line = _filled(values, self._again(result, _seed(values)), texts)
            if line is None:
                self._quarantined.append(number)
                continue
            pair = _sides(line)
            if (
                self._drop
                and pair[0] == pair[1]
                and "output" in values
                and values["input"] != values["output"]
            ):
                self._identical += 1
                continue
            if self._scanner and self._scanner.scan_values(number, line):
                self._quarantined.append(number)
                continue
            if isinstance(line.get("meta"), dict) and "entities" in line["meta"]:
                line["meta"] = {**line["meta"], "entities": count_placeholders(*pair)}
            counted = count_placeholders(*(text for _, text in record.strings(line)))
            for placeholder, count in counted.items():
                match = PLACEHOLDER.fullmatch(placeholder)
                self._masked[match[1] if match else placeholder] += count
            self._written += 1
            yield json.dumps(line, ensure_ascii=False, separators=(", ", ": ")).encode() + b"\n"

    def _others(self, values: dict[str, Any]) -> dict[record.Place, str]:
        """The strings beside the sides in which something would be masked; mostly there is none."""
        beside = {
            place: text
            for place, text in record.strings(values)
            if len(place) > 1 or place[0] not in _pair(values)
        }
        texts = [text for text in beside.values() if text not in self._plain]
        for text, found in zip(texts, self._pseudonymizer.findings_of(texts), strict=True):
            if not found and not (self._scanner and self._scanner.scan_text(text)):
                self._plain.add(text)
        if len(self._plain) > MOST_PLAIN:
            self._plain.clear()
        return {place: text for place, text in beside.items() if text not in self._plain}

    def _again(self, result: PseudonymizedPair, seed: str) -> PseudonymizedPair:
        """Mask what only the scanner sees, the same words alike on both sides."""
        if self._scanner is None:
            return result
        sides = [result.before, result.after]
        words = [sides[i][s:e] for i in (0, 1) for s, e, _, _ in self._scanner.scan_text(sides[i])]
        if not words:
            return result
        self._second += len(words)
        return self._pseudonymizer.mask_spans(
            result, [[(s, e, k) for s, e, k, _ in self._scanner.scan_text(side)] for side in sides], seed
        )

    def report(self) -> AnonymizeReport:
        return AnonymizeReport(
            self._lines,
            self._written,
            dict(sorted(self._masked.items())),
            self._second,
            self._identical,
            tuple(self._quarantined),
        )


def _pair(values: dict[str, Any]) -> tuple[str, ...]:
    """The fields that are masked as a pair."""
    return ("input", "output") if "input" in values or "output" in values else ("text",)


def _sides(values: dict[str, Any]) -> tuple[str, str]:
    before, after = (*(values.get(name, "") for name in _pair(values)), "")[:2]
    return before, after


def _with_others(sides: tuple[str, str], others: dict[record.Place, str]) -> tuple[str, str]:
    """The sides with the other strings in front of both, so that one map numbers the people of all."""
    head = "".join(f"{text}{SEAM}" for text in others.values())
    return head + sides[0], head + sides[1]


def _filled(
    values: dict[str, Any], result: PseudonymizedPair, others: dict[record.Place, str]
) -> dict[str, Any] | None:
    """The line with what was masked in its places; None when a seam between two strings is gone."""
    left, right = result.before.split(SEAM), result.after.split(SEAM)
    if len(left) != len(others) + 1 or left[:-1] != right[:-1]:
        return None
    masked: dict[record.Place, str] = dict(zip(others, left, strict=False))
    masked |= {
        (name,): side
        for name, side in zip(_pair(values), (left[-1], right[-1]), strict=False)
        if name in values
    }
    try:
        return record.replaced(values, lambda place, text: masked.get(place, text))
    except ValueError:
        return None


def _seed(values: dict[str, Any]) -> str:
    meta = values.get("meta")
    if isinstance(meta, dict) and isinstance(meta.get("example_id"), str):
        return str(meta["example_id"])
    return _digest("\0".join(_sides(values)))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
