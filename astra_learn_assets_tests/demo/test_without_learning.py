"""The demo whose adapters do nothing: they answer with the draft, so the dictionary alone is judged."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TRAINER = """#!{python}
import json, pathlib, subprocess, sys
arguments = sys.argv[1:]
status = subprocess.run([sys.executable, *arguments]).returncode
if status == 0 and "evaluate" in arguments:
    out = pathlib.Path(arguments[arguments.index("--out") + 1])
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        row["predictions"]["candidate"]["text"] = row["input"]
    out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\\n" for row in rows), encoding="utf-8")
sys.exit(status)
"""


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_demo_whose_adapters_are_the_dictionary_alone_ends_with_1_and_says_so(tmp_path: Path) -> None:
    trainer = tmp_path / "trainer"
    trainer.write_text(TRAINER.format(python=sys.executable), encoding="utf-8")
    trainer.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", "from astra_learn_assets.cli import main; main()", "demo", "--exit",
         "--sessions", "10", "--home", str(tmp_path / "home")],
        env={**os.environ, "ASTRA_TRAINER_PYTHON": str(trainer), "COLUMNS": "400"},
        capture_output=True, text=True, check=False, timeout=3500,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout[-4000:] + done.stderr[-4000:]
    said = " ".join(done.stdout.split())
    assert "not better than the dictionary alone" in said
    assert "Not every promise held" in said
    assert "none promoted" in said
