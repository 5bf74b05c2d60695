"""What the trainer's images install: one set of versions; what only a card can use, only where a card is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from astra_learn_assets_tests.trainer.examples import line, write

REPOSITORY = Path(__file__).parents[2]

# As if the package were not installed: ``import`` raises ModuleNotFoundError, ``find_spec`` gives None.
_WITHOUT = """
import sys
sys.modules["bitsandbytes"] = None
from trainer.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def _pinned(file: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z][\w.-]*)==(\S+)", file.read_text(encoding="utf-8"), re.MULTILINE))


def test_only_a_card_gets_four_bit_weights_and_in_the_version_the_platform_has() -> None:
    card = _pinned(REPOSITORY / "trainer" / "requirements-cuda.lock")
    processor = _pinned(REPOSITORY / "trainer" / "requirements.lock")
    platform = _pinned(REPOSITORY / "requirements.lock")
    assert "bitsandbytes" in card
    assert not card.keys() & processor.keys()
    both = card | processor
    assert {name: both[name] for name in both.keys() & platform.keys()} == {
        name: platform[name] for name in both.keys() & platform.keys()
    }
    assert {"bitsandbytes", "peft", "transformers"} <= both.keys() & platform.keys()


def test_a_processor_trains_and_evaluates_without_bitsandbytes(tmp_path: Path, base: str) -> None:
    data = write(tmp_path / "corpus.jsonl", [line(i) for i in range(4)])
    out = tmp_path / "adapter"
    common = ("--data", str(data), "--base", base, "--tenant", "alfa", "--device", "cpu", "--threads", "1")

    def run(*arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "-c", _WITHOUT, *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    run("train", *common, "--out", str(out), "--epochs", "1")
    run("evaluate", *common, "--adapter", f"candidate={out}", "--out", str(tmp_path / "answers.jsonl"))
    assert (out / "adapter_model.safetensors").is_file()
    assert (tmp_path / "answers.jsonl").stat().st_size > 0
