"""What a judged adapter costs of a card: trainings that load all themselves, and those of a resident base.

    python benchmarks/fleet.py                       # 20 tenants, 8B shape; a card of 80 GB, 15 minutes
    python benchmarks/fleet.py --quick               # 4 tenants, 8 layers
    python benchmarks/fleet.py --folder F --parts fleet     # and later --parts cold, in the same folder

Each tenant has 600 examples and 200 golden ones of its own. *first*: a server whose kernels are not compiled
yet, one tenant. *fleet*: a new server that finds them compiled, or compiles them first where that part was
left out; every tenant's command is started at once and waits its turn. *cold*: the same command without a
queue, for the first tenants, one after the other. Seconds are by the clock, of a card nobody else uses, from
the start of the server or command to the end of the command. The bytes of adapters and answers are compared.

Ends with 1 when bytes differ, a further adapter costs no less than a cold one, or, of the whole shape, the
first adapter came after more than 90 s or one costs more than 30 with its share of the start.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from astra_learn_assets_tests.trainer.examples import line, write  # noqa: E402

EXAMPLES, GOLDEN = 600, 200
FIRST_S, EACH_S = 90, 30
WHOLE_LAYERS = 32
LAPS = ("start", "base", "corpus", "adapter", "identity", "layers", "plan", "steps", "checked", "judged")


def long_line(number: int, tenant: str) -> dict[str, Any]:
    """A paragraph of two sentences."""
    first, second = (line(2 * number + n, tenant=tenant) for n in (0, 1))
    return first | {name: f"{first[name]} {second[name]}" for name in ("input", "output")}


def make_corpora(folder: Path, tenants: int) -> None:
    for number in range(tenants):
        place = folder / f"t{number}"
        place.mkdir(parents=True, exist_ok=True)
        numbers = range(10_000 * number, 10_000 * number + EXAMPLES + GOLDEN)
        lines = [long_line(n, f"t{number}") for n in numbers]
        write(place / "corpus.jsonl", lines[:EXAMPLES])
        write(place / "golden.jsonl", lines[EXAMPLES:])


def command(folder: Path, base: Path, number: int, way: str, *more: str) -> subprocess.Popen[str]:
    place = folder / f"t{number}"
    return subprocess.Popen(
        [sys.executable, "-m", "trainer", "train", "--data", str(place / "corpus.jsonl"), "--base", str(base),
         "--tenant", f"t{number}", "--out", str(place / way), "--judge", str(place / "golden.jsonl"),
         "--answers", str(place / f"{way}.jsonl"), "--require-gpu", *more],
        stdout=subprocess.PIPE, stderr=(place / f"{way}.log").open("w"), text=True, cwd=REPOSITORY,
    )  # fmt: skip


def serve(folder: Path, base: Path) -> subprocess.Popen[bytes]:
    spool = folder / "spool"
    log = (folder / "serve.log").open("ab")
    process = subprocess.Popen(
        [sys.executable, "-m", "trainer", "serve-queue", "--spool", str(spool), "--base", str(base),
         "--require-gpu", "--idle-minutes", "0.05"],
        stdout=log, stderr=log, cwd=REPOSITORY,
    )  # fmt: skip
    from trainer import spool as spools

    while spools.serves(spool) is None:  # it takes work from here on, and imports meanwhile
        if process.poll() is not None:
            raise SystemExit((folder / "serve.log").read_text()[-2000:])
        time.sleep(0.02)
    return process


def queued(folder: Path, base: Path, tenants: int, way: str) -> dict[str, Any]:
    """Seconds from the server's start to each tenant's end, in their order."""
    began = time.perf_counter()
    server = serve(folder, base)
    commands = {n: command(folder, base, n, way, "--queue", str(folder / "spool")) for n in range(tenants)}
    ends: list[float] = []
    reports: list[dict[str, Any]] = []
    while commands:
        for number, process in list(commands.items()):
            if process.poll() is not None:
                ends.append(time.perf_counter() - began)
                print(f"{way}: t{number} after {ends[-1]:.1f} s", file=sys.stderr, flush=True)
                out, _ = process.communicate()
                said = (folder / f"t{number}" / f"{way}.log").read_text()
                if process.returncode != 0 or "trained here" in said:
                    for other in commands.values():
                        other.kill()
                    raise SystemExit(said[-2000:] + (folder / "serve.log").read_text()[-4000:])
                reports.append(json.loads(out))
                del commands[number]
        time.sleep(0.02)
    server.wait()
    return {"ends": ends, "reports": reports, "log": (folder / "serve.log").read_text()[-4000:]}


def cold(folder: Path, base: Path, tenants: int) -> dict[str, Any]:
    seconds: list[float] = []
    reports: list[dict[str, Any]] = []
    for number in range(tenants):
        began = time.perf_counter()
        process = command(folder, base, number, "cold")
        out, _ = process.communicate()
        seconds.append(time.perf_counter() - began)
        if process.returncode != 0:
            raise SystemExit((folder / f"t{number}" / "cold.log").read_text()[-2000:])
        reports.append(json.loads(out))
    return {"seconds": seconds, "reports": reports}


def same_bytes(place: Path, one: str, other: str) -> bool:
    pairs = [
        (place / one / name, place / other / name)
        for name in ("adapter_model.safetensors", "adapter_config.json")
    ]
    pairs.append((place / f"{one}.jsonl", place / f"{other}.jsonl"))
    return all(a.read_bytes() == b.read_bytes() for a, b in pairs)


def broken_bounds(found: dict[str, Any], equal: dict[str, bool], whole: bool) -> list[str]:
    """A sentence for each promise that was not kept; ``whole``: the 8B shape, on a card of its class."""
    said = [f"{name}: not the bytes of the cold run" for name, same in equal.items() if not same]
    ends = found.get("fleet", found.get("first", {})).get("ends", [])
    if "cold" in found and len(ends) > 1:
        one, each = min(found["cold"]["seconds"]), (ends[-1] - ends[0]) / (len(ends) - 1)
        if each >= one:
            said.append(f"a further adapter costs {each:.1f} s, a cold one {one:.1f}")
    if whole and ends and ends[0] > FIRST_S:
        said.append(f"the first adapter came after {ends[0]:.1f} s, {FIRST_S} promised")
    if whole and len(ends) > 1 and ends[-1] / len(ends) > EACH_S:
        said.append(f"an adapter costs {ends[-1] / len(ends):.1f} s with the start, {EACH_S} promised")
    return said


def table(found: dict[str, Any], equal: dict[str, bool]) -> list[str]:
    out = ["| | GPU seconds |", "|---|---:|"]
    if "cold" in found:
        each = found["cold"]["seconds"]
        out.append(f"| cold, each of {len(each)} | {', '.join(f'{s:.1f}' for s in each)} |")
    if "first" in found:
        out.append(
            f"| resident, first start of all: to the first adapter | {found['first']['ends'][0]:.1f} |"
        )
    if "fleet" in found:
        ends = found["fleet"]["ends"]
        between = [b - a for a, b in pairwise(ends)]
        kernels = "compiled before" if "first" in found else "compiled first"
        out.append(f"| resident, kernels {kernels}: to the first adapter | {ends[0]:.1f} |")
        if between:
            middle = sorted(between)[len(between) // 2]
            out.append(
                f"| resident, each further one: mean, median, worst | {sum(between) / len(between):.1f}, "
                f"{middle:.1f}, {max(between):.1f} |"
            )
        out.append(f"| resident, {len(ends)} adapters with the start, each | {ends[-1] / len(ends):.1f} |")
        if "cold" in found:
            each = sum(found["cold"]["seconds"]) / len(found["cold"]["seconds"])
            out.append(f"| cold to resident with the start | {each * len(ends) / ends[-1]:.2f} times |")
    out += [
        "",
        "same bytes (adapter, config, answers) as cold: "
        + (", ".join(f"{n} {v}" for n, v in equal.items()) or "-"),
    ]
    ways = [way for way in ("cold", "first", "fleet") if way in found]
    out += ["", f"| lap | {' | '.join(ways)} |", f"|---|{'---:|' * len(ways)}"]
    for lap in LAPS:
        cells = [f"{found[way]['reports'][-1].get(f'seconds.{lap}', 0):.1f}" for way in ways]
        out.append(f"| {lap} | {' | '.join(cells)} |")
    return out


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tenants", type=int, default=20)
    parser.add_argument("--cold", type=int, default=3, help="tenants that are trained cold too")
    parser.add_argument("--layers", type=int, default=WHOLE_LAYERS)
    parser.add_argument(
        "--parts", nargs="+", default=["first", "fleet", "cold"], choices=("first", "fleet", "cold")
    )
    parser.add_argument("--quick", action="store_true", help="4 tenants, one of them cold, 8 layers")
    parser.add_argument("--base", type=Path, help="a base on disk; default: random weights of an 8B shape")
    parser.add_argument("--folder", type=Path, help="kept, for the parts that follow; default: temporary")
    options = parser.parse_args()
    if options.quick:
        options.tenants, options.cold, options.layers = 4, 1, 8
    with tempfile.TemporaryDirectory() as name:
        folder = (options.folder or Path(name)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        base = options.base or folder / "base"
        if not (base / "config.json").exists():
            # a process of its own, so that this one never holds a part of the card
            make = "import sys, pathlib, benchmarks.lora as m; "
            make += "m.make_base(pathlib.Path(sys.argv[1]), int(sys.argv[2]))"
            subprocess.run(
                [sys.executable, "-c", make, str(base), str(options.layers)], check=True, cwd=REPOSITORY
            )
        make_corpora(folder, options.tenants)
        known = folder / "results.json"
        found = json.loads(known.read_text()) if known.exists() else {}
        for part in options.parts:
            if part == "cold":
                found[part] = cold(folder, base, min(options.cold, options.tenants))
            else:
                found[part] = queued(folder, base, 1 if part == "first" else options.tenants, part)
            known.write_text(json.dumps(found))
        equal = {
            f"t{n}/{way}": same_bytes(folder / f"t{n}", "cold", way)
            for n in range(options.tenants)
            for way in ("first", "fleet")
            if (folder / f"t{n}" / "cold").exists() and (folder / f"t{n}" / way).exists()
        }
        print("\n".join(table(found, equal)))
        print(
            "\n".join(text for text in found.get("fleet", {}).get("log", "").splitlines() if "after" in text)
        )
        broken = broken_bounds(found, equal, options.layers >= WHOLE_LAYERS)
        print("\n".join(f"BROKEN: {sentence}" for sentence in broken) or "every bound kept")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
