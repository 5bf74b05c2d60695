"""Do the tests hold the rules? Small faults are put into the code, one by one; a test must fail for each.

    make mutants                                              every module of pyproject.toml
    make mutants ARGS="evaluation/interval.py"               some of them

``[tool.astra-learn.mutants]`` in pyproject.toml names the modules that decide something, cheapest first,
and the test files that judge each. A mutant that no test notices *survives*: either a rule that nothing
pins, or a change that no one could tell. The second kind is listed in ``mutants_explained.txt``, one a line,
with the reason. Exit 1 when a tenth of a module's mutants or more survive, or one that is not explained.

The mutants are made and run by mutmut, in a copy of the tree below ``build/mutants``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from astra_learn_assets.services.embedded import embedded
from astra_learn_assets.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "mutants"
EXPLAINED = Path(__file__).with_name("mutants_explained.txt")
PACKAGE = "astra_learn_assets"
_MOST_SURVIVORS = 0.10
_CAUGHT = {1, 2, 3, 24, -24, 36, 152, 255, -11}
"""A test failed, the tests could not be read, pytest or the interpreter fell over, time ran out."""
_COPIED = (PACKAGE, f"{PACKAGE}_tests")


@dataclass(frozen=True)
class Outcome:
    """What became of one module's mutants; ``survivors`` as they stand in ``mutants_explained.txt``."""

    module: str
    mutants: int
    survivors: tuple[str, ...]

    @property
    def share(self) -> float:
        """Survivors among the mutants, 0 to 1."""
        return len(self.survivors) / max(self.mutants, 1)


def explanations() -> dict[str, str]:
    """Survivor -> why no test can or need notice it.

    Raises:
        SystemExit: a line without a reason.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(EXPLAINED.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        survivor, mark, reason = line.partition(" ## ")
        if not mark or not reason.strip():
            raise SystemExit(
                f"{EXPLAINED.name}, line {number}: write 'module function: old => new ## reason'"
            )
        found[survivor.strip()] = reason.strip()
    return found


def run(module: str, tests: list[str], workers: int) -> Outcome:
    """Make and judge the mutants of one module.

    Raises:
        SystemExit: mutmut could not run, or the tests fail on the code as it is.
    """
    place = WORK / module.replace("/", ".")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name in _COPIED:
        (place / name).symlink_to(ROOT / name)
    own = [f"only_mutate = {json.dumps([f'{PACKAGE}/{module}'])}"]
    own.append(f"pytest_add_cli_args_test_selection = {json.dumps([f'{PACKAGE}_tests/{t}' for t in tests])}")
    settings = (ROOT / "pyproject.toml").read_text("utf-8")
    (place / "pyproject.toml").write_text(
        settings.replace("[tool.mutmut]\n", "\n".join(["[tool.mutmut]", *own, ""])), "utf-8"
    )
    log = place / "log.txt"
    with _servers(workers) as homes, log.open("wb") as file:
        done = subprocess.run(
            [sys.executable, "-m", "mutmut", "run", "--max-children", str(workers)],
            cwd=place, stdout=file, stderr=subprocess.STDOUT, check=False,
            env={**os.environ, "TEST_HOMES": homes},
        )  # fmt: skip
    results = place / "mutants" / PACKAGE / f"{module}.meta"
    if done.returncode or not results.exists():
        raise SystemExit(f"{module}: mutmut stopped; the end of {log}:\n{log.read_text('utf-8')[-3000:]}")
    codes: dict[str, int | None] = json.loads(results.read_bytes())["exit_code_by_key"]
    alive = [name for name, code in codes.items() if code not in _CAUGHT]
    return Outcome(module, len(codes), _described(place, module, alive))


@contextmanager
def _servers(count: int) -> Iterator[str]:
    """Homes with Postgres and Redis for so many test sessions at once: each would start its own otherwise."""
    with ExitStack() as stack:
        homes = []
        for _ in range(count):
            home = stack.enter_context(tempfile.TemporaryDirectory(prefix="astra-mutants-"))
            stack.enter_context(embedded(Settings(home=Path(home)), durable=False))
            homes.append(home)
        yield os.pathsep.join(homes)


_SHOW = """
import json, sys
from mutmut.mutation.diff_apply import get_diff_for_mutant
json.dump([get_diff_for_mutant(name, path=sys.argv[1]) for name in sys.argv[2:]], sys.stdout)
"""


def _described(place: Path, module: str, mutants: list[str]) -> tuple[str, ...]:
    """``module function: old => new`` of each: does not change when code above the mutant does."""
    shown = subprocess.run(
        [sys.executable, "-c", _SHOW, f"{PACKAGE}/{module}", *mutants],
        cwd=place, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    lines: list[str] = []
    for mutant, diff in zip(mutants, json.loads(shown), strict=True):
        sides = {"-": "", "+": ""}
        for line in diff.splitlines():
            if line[:1] in sides and not line.startswith(("---", "+++")):
                sides[line[0]] += " " + line[1:].strip()
        function = re.sub(r"__mutmut_\d+$", "", mutant.rsplit(".", 1)[-1])
        function = function.removeprefix("x").removeprefix("_").strip("ǁ").replace("ǁ", ".")
        lines.append(f"{module} {function}: {sides['-'].strip()} => {sides['+'].strip()}")
    return tuple(lines)


def main() -> None:
    """Run, print the table, and say which survivors are not explained."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", help="as in pyproject.toml; all when none is named")
    parser.add_argument("--workers", type=int, default=2, help="mutants judged at once")
    options = parser.parse_args()
    judged: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"][
        "astra-learn"
    ]["mutants"]
    if unknown := set(options.modules) - judged.keys():
        raise SystemExit(f"not in [tool.astra-learn.mutants] of pyproject.toml: {', '.join(sorted(unknown))}")
    known = explanations()
    outcomes: list[Outcome] = []
    for module in options.modules or judged:
        outcomes.append(run(module, judged[module], options.workers))
        print(f"{module}: {len(outcomes[-1].survivors)} of {outcomes[-1].mutants} survive", flush=True)
    print(f"\n{'module':<34} {'mutants':>8} {'killed':>8} {'survived':>9} {'%':>6}")
    for outcome in outcomes:
        alive = len(outcome.survivors)
        row = f"{outcome.module:<34} {outcome.mutants:>8} {outcome.mutants - alive:>8} {alive:>9}"
        print(f"{row} {outcome.share:>6.1%}")
    unexplained = [line for outcome in outcomes for line in outcome.survivors if line not in known]
    if unexplained:
        print(f"\nno test fails for these, and {EXPLAINED.name} does not say why:")
        print("\n".join(unexplained))
    seen = {line for outcome in outcomes for line in outcome.survivors}
    modules = {outcome.module for outcome in outcomes}
    for line in sorted(known.keys() - seen):
        if line.split(" ", 1)[0] in modules:
            print(f"explained, but killed or gone: {line}")
    raise SystemExit(bool(unexplained) or any(outcome.share >= _MOST_SURVIVORS for outcome in outcomes))


if __name__ == "__main__":
    main()
