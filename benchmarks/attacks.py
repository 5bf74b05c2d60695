"""What a file made to cost does cost: processor seconds and memory at n, 2n, 4n, wherever a file comes in.

    python -m benchmarks.attacks            # --quick: 4n of every kind; the other ways in for the worst ones

The kinds are those of the tests (``astra_learn_assets_tests/comparator/attacks.py``), 4n the size there.
*worker* is the process that compares for the API and, one of its own, for the graph's ``document_diffs``:
files go in and a delta comes out just as for a clerk. *api* is the draft and the final over HTTP, in the
API's process and its worker; *graph* the stage over a stored final that nobody has compared. *command line*
is ``astra-learn compare``, with the start of Python and of the program taken off (measured by comparing two
files of one paragraph). Peaks are of the whole process (of the API and the graph of the worker), program
included, and of one file each, though a worker keeps some of what the files before it took. Exit 1 when one
costs more than two seconds of a processor or 300 MB and was not refused, or when 4n costs more than 2.5 times
what 2n does.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from astra_learn_assets.contracts import Manifest
from astra_learn_assets.errors import UploadRefused
from astra_learn_assets.hotpath.comparison_process import Comparison
from astra_learn_assets.hotpath.prepared import RawDraft
from astra_learn_assets.hotpath.workers import CompareWorkers
from astra_learn_assets_tests.comparator.attacks import ATTACKS, Files
from astra_learn_assets_tests.comparator.packages import p, package
from benchmarks.attacks_platform import PATIENCE, House, forget_peak, house

SECONDS, MEGABYTES, GROWTH = 2.0, 300, 2.5
WORST = ("unclosed_fields", "bookmarks_over_paragraphs", "long_paragraph", "row_of_alike_cells")
_TICK = os.sysconf("SC_CLK_TCK")
# in a small process between: a child's peak begins with what its parent had when it forked
_MEASURE = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
"""
_EMPTY = package(p("Se abre la sesión."))


@dataclass(frozen=True)
class Cost:
    """``result``: "compared", or why not."""

    result: str
    seconds: float
    megabytes: int

    @property
    def broken(self) -> bool:
        """Compared, and dearer than promised."""
        return self.result == "compared" and (self.seconds > SECONDS or self.megabytes > MEGABYTES)


def main() -> int:
    """Print the table; 1 when a bound is broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="*", choices=tuple(ATTACKS), default=tuple(ATTACKS))
    given = parser.parse_args()
    broken: list[str] = []
    print(f"{'kind':30}{'size':>8}  {'worker':30}{'api':30}{'graph':30}{'command line':28}")
    with house(_seconds_of, _peak_of) as opened:
        _measure(given.only, given.quick, opened, broken)
    for problem in broken:
        print(f"broken: {problem}", file=sys.stderr)
    return 1 if broken else 0


def _measure(kinds: Sequence[str], quick: bool, opened: House, broken: list[str]) -> None:
    for kind in kinds:
        make, full = ATTACKS[kind]
        before: Cost | None = None
        for factor in (4,) if quick else (1, 2, 4):
            size = full * factor // 4
            files = make(size)
            cost = by_worker(files)
            told = [_say(cost)]
            costs = [cost]
            if not quick or kind in WORST:
                for way in (opened.by_api, opened.by_graph):
                    costs.append(Cost(*way(files)))
                    told.append(_say(costs[-1]))
                # measured anew each time: on a busy machine the start itself costs half as much again
                start = by_command_line((_EMPTY, _EMPTY)).seconds
                line = by_command_line(files)
                line = Cost(line.result, max(0.0, line.seconds - start), line.megabytes)
                told.append(_say(line))
                costs.append(line)
            print(f"{kind:30}{size:>8}  " + "".join(f"{text:30}" for text in told), flush=True)
            broken += [f"{kind} {size}: {_say(one)}" for one in costs if one.broken]
            both = before is not None and cost.result == before.result == "compared"
            if both and cost.seconds > GROWTH * before.seconds + 0.2:  # other work disturbs what is short
                broken.append(f"{kind} {size}: {before.seconds:.2f} s became {cost.seconds:.2f} s")
            before = cost


def _say(cost: Cost) -> str:
    result = "" if cost.result == "compared" else f" {cost.result}"
    return f"{cost.seconds:6.2f} s {cost.megabytes:4} MB{result}"


def by_worker(files: Files) -> Cost:
    """The files through a worker that was started and warmed for them alone."""
    manifest = Manifest(document_id="d", session_id="s", version=1, chunks=())
    with contextlib.closing(CompareWorkers(1, seconds=PATIENCE)) as worker:

        def job(draft: bytes, final: bytes) -> Comparison:
            raw = RawDraft(draft, manifest.model_dump_json().encode())
            return Comparison(raw, final, "g", "f", None, 0.5)

        worker(job(_EMPTY, _EMPTY))
        (pid,) = worker.pids()
        before = _seconds_of(pid)
        forget_peak(pid)
        try:
            worker(job(*files))
            result = "compared"
        except UploadRefused as error:
            result = error.reason
        if pid not in worker.pids():  # it took too long and was ended
            return Cost(result, worker.seconds, 0)
        return Cost(result, _seconds_of(pid) - before, _peak_of(pid))


def by_command_line(files: Files) -> Cost:
    """``astra-learn compare DRAFT FINAL`` in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        names = [str(Path(folder) / name) for name in ("draft.docx", "final.docx")]
        for name, data in zip(names, files, strict=True):
            Path(name).write_bytes(data)
        command = [sys.executable, "-c", "from astra_learn_assets.cli import main; main()", "compare", *names]
        measured = subprocess.run(
            [sys.executable, "-c", _MEASURE, *command, "-o", "json"],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    status, seconds, kilobytes = measured.stdout.split()
    result = {0: "compared", 1: "refused"}.get(int(status), f"exit {status}")
    return Cost(result, float(seconds), int(kilobytes) // 1024)


def _seconds_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def _peak_of(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) // 1024 if found else 0


if __name__ == "__main__":
    sys.exit(main())
