"""Drafts that went through a real LibreOffice: ids found again, all text read, tracked changes told apart."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from astra_learn_assets.comparator.docx import audio_marks
from astra_learn_assets.comparator.docx.blocks import Block
from astra_learn_assets.comparator.docx.reader import read_document
from astra_learn_assets.simulation.council.simulator import make_council

EDITOR = Path(__file__).with_name("libreoffice_editor.py")
PYTHON = "/usr/bin/python3"
COUNTRIES = ("co", "es", "ec")


@lru_cache(maxsize=1)
def missing() -> str | None:
    """Why these tests cannot run here."""
    if shutil.which("soffice") is None:
        return "LibreOffice (soffice) is not installed"
    if not Path(PYTHON).exists():
        return f"no system Python at {PYTHON}"
    if subprocess.run([PYTHON, "-c", "import uno"], capture_output=True, check=False).returncode:
        return "python3-uno is not installed"
    return None


pytestmark = [
    pytest.mark.skipif(missing() is not None, reason=missing() or ""),
    pytest.mark.timeout(240),
]


def editor(*arguments: object) -> Any:
    """Run the clerk; what it says the document should hold."""
    ran = subprocess.run(
        [PYTHON, str(EDITOR), *map(str, arguments)], capture_output=True, text=True, check=False, timeout=200
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return json.loads(ran.stdout)


def draft(folder: Path, seed: int) -> Path:
    council = make_council(f"pueblo-{seed}", seed=seed, country=COUNTRIES[seed % len(COUNTRIES)])
    path = folder / f"borrador-{seed}.docx"
    path.write_bytes(council.session(seed).draft_docx)
    return path


def paragraphs(path: Path) -> list[Block]:
    """Blocks that stand directly in the body."""
    return [
        block
        for block in read_document(path.read_bytes()).blocks
        if block.location.part == "body" and not block.location.cells and "textbox" not in block.flags
    ]


def plain(text: str) -> str:
    return " ".join(audio_marks.strip_labels(text).split())


def test_a_draft_converted_by_libreoffice_keeps_every_word_and_every_chunk_id(tmp_path: Path) -> None:
    source = draft(tmp_path, 1)
    subprocess.run(
        [
            "soffice",
            "--headless",
            f"-env:UserInstallation=file://{tmp_path}/profile",
            "--convert-to",
            "docx",
            "--outdir",
            str(tmp_path / "out"),
            str(source),
        ],
        capture_output=True,
        check=True,
        timeout=120,
    )
    before = read_document(source.read_bytes())
    after = read_document((tmp_path / "out" / source.name).read_bytes())
    assert after.document_id == before.document_id

    def kept(blocks: Sequence[Block]) -> list[tuple[str, tuple[str, ...]]]:
        """Not the footer: its page number is a field that only LibreOffice fills in."""
        return [(plain(b.text), b.chunk_ids) for b in blocks if b.location.part != "footer"]

    assert kept(after.blocks) == kept(before.blocks)


def test_random_edits_in_libreoffice_leave_the_ids_where_they_belong(tmp_path: Path) -> None:
    count: Counter[str] = Counter()
    for seed in range(4):
        target = tmp_path / f"final-{seed}.docx"
        truth = editor("edit", draft(tmp_path, seed), target, seed, 15)
        wanted = [row for row in truth["paragraphs"] if plain(row["text"])]
        found = paragraphs(target)
        assert [plain(b.text) for b in found] == [plain(row["text"]) for row in wanted]
        for row, block in zip(wanted, found, strict=True):
            ids = set(row["ids"])
            count.update(wanted=len(ids), found=len(block.chunk_ids), right=len(ids & set(block.chunk_ids)))
    assert count["wanted"] > 60
    assert count["right"] >= 0.995 * count["found"]
    assert count["right"] >= 0.99 * count["wanted"]


def test_tracked_changes_of_libreoffice_read_like_the_same_document_with_all_of_them_accepted(
    tmp_path: Path,
) -> None:
    target = tmp_path / "marcado.docx"
    editor("track", draft(tmp_path, 2), target, 2, 12)
    tracked, accepted = paragraphs(target), paragraphs(tmp_path / "marcado.accepted.docx")
    assert any("tracked_changes" in block.flags for block in tracked)
    assert not any("tracked_changes" in block.flags for block in accepted)
    assert [plain(b.text) for b in tracked] == [plain(b.text) for b in accepted]


def test_text_in_every_corner_of_a_libreoffice_document_is_read(tmp_path: Path) -> None:
    target = tmp_path / "todo.docx"
    # a non-breaking hyphen is an element of its own in the file and read as a plain one
    written = [" ".join(text.replace("\u2011", "-").split()) for text in editor("make", target, 7)]
    read = " ".join(" ".join(block.text.split()) for block in read_document(target.read_bytes()).blocks)
    assert len(written) == 38
    # the first page's footer is the general one there and is stored again
    assert [text for text in written if read.count(text) != 1 + text.startswith("Footer")] == []
