"""``python -m astra_learn_assets.simulation.council OUTDIR --tenant villaverde --seed 7 --sessions 5``

Writes ``{n}-{session}-v{version}/`` with ``draft.docx``, ``draft.json``, ``final.docx`` and ``truth.json``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from astra_learn_assets.errors import AstraError
from astra_learn_assets.ids import TenantId
from astra_learn_assets.simulation.council.simulator import SimulatedSession, make_council
from astra_learn_assets.simulation.council.towns import COUNTRIES


def main(arguments: Sequence[str] | None = None) -> int:
    """Write sessions of a simulated council; 1 on bad input, 2 on wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m astra_learn_assets.simulation.council", description=__doc__
    )
    parser.add_argument("outdir", type=Path, help="folder to write into; made when it does not exist")
    parser.add_argument("--tenant", default="villaverde", help="tenant id (default: villaverde)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--first", type=int, default=0, help="number of the first session, from 0")
    parser.add_argument("--sessions", type=int, default=5, help="how many (default: 5)")
    parser.add_argument("--country", choices=sorted(COUNTRIES), help="default: the tenant's own")
    options = parser.parse_args(arguments)
    if options.first < 0 or options.sessions < 1:
        parser.error("--first must be 0 or more, --sessions 1 or more")
    try:
        council = make_council(TenantId(options.tenant), seed=options.seed, country=options.country)
        for index in range(options.first, options.first + options.sessions):
            folder = write_session(options.outdir, index, council.session(index))
            sys.stdout.write(f"{folder}\n")
    except (AstraError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def write_session(outdir: Path, index: int, session: SimulatedSession) -> Path:
    """Write one session's four files, each whole or not at all; returns their folder."""
    folder = outdir / f"{index:04d}-{session.session_id}-v{session.version}"
    folder.mkdir(parents=True, exist_ok=True)
    manifest = session.manifest.model_dump_json(indent=2).encode()
    for name, content in (
        ("draft.docx", session.draft_docx),
        ("draft.json", manifest),
        ("final.docx", session.final_docx),
    ):
        partial = folder / f"{name}.partial"
        partial.write_bytes(content)
        os.replace(partial, folder / name)
    session.truth.write_truth(folder / "truth.json")
    return folder


if __name__ == "__main__":
    sys.exit(main())
