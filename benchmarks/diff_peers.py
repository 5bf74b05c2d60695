"""Word-processor comparisons as peers of ``diff.py``: real DOCX in, tracked changes out.

Docxodus (through ``python-redlines[docxodus]``) and LibreOffice (``soffice`` and the system's
``python3-uno``) answer with a redline, so what they take for the same paragraph is read from it: text
that is neither inserted nor deleted belongs to a paragraph of the draft and to one of the final, and so
does text moved under one name. Two paragraphs are a pair when they share a fifth of the shorter one's
characters.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import io
import json
import resource
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from lxml import etree

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
EDITOR = Path(__file__).parents[1] / "astra_learn_assets_tests" / "comparator" / "libreoffice_editor.py"
SYSTEM_PYTHON = "/usr/bin/python3"
SHARED = 0.2

Pairs = set[tuple[int, int]]
Redline = Callable[[bytes, bytes], tuple[bytes, float]]


class Found(NamedTuple):
    """Paragraphs of draft and final as a redline holds them, pairs of places, and the draft's moved ones."""

    draft: list[str]
    final: list[str]
    pairs: Pairs
    moved: set[int]


def paragraphs_of_redline(redline: bytes) -> Found:
    """Both documents of a redline and what it takes for the same paragraph."""
    with zipfile.ZipFile(io.BytesIO(redline)) as archive:
        body = etree.fromstring(archive.read("word/document.xml"))[0]
    draft, final = [""], [""]
    shared: Counter[tuple[int, int]] = Counter()
    moved_from: dict[str, list[int]] = {}
    moved_to: dict[str, list[int]] = {}
    for paragraph in body.iter(f"{W}p"):
        for node in paragraph.iter(f"{W}t", f"{W}delText"):
            text = node.text or ""
            above = {ancestor.tag for ancestor in node.iterancestors()}
            gone = bool(above & {f"{W}del", f"{W}moveFrom"})
            new = bool(above & {f"{W}ins", f"{W}moveTo"})
            if not new:
                draft[-1] += text
            if not gone:
                final[-1] += text
            if not new and not gone:
                shared[len(draft) - 1, len(final) - 1] += len(text)
        mark = paragraph.find(f"{W}pPr/{W}rPr")
        tags = {child.tag for child in mark} if mark is not None else set()
        for kind, moved, side in (("From", moved_from, draft), ("To", moved_to, final)):
            if paragraph.find(f"{W}move{kind}") is not None:
                start = paragraph.find(f"{W}move{kind}RangeStart")
                name = start.get(f"{W}name", "") if start is not None else side[-1]
                moved.setdefault(name, []).append(len(side) - 1)
        if not tags & {f"{W}ins", f"{W}moveTo"}:
            draft.append("")
        if not tags & {f"{W}del", f"{W}moveFrom"}:
            final.append("")
    pairs = {
        (i, j)
        for (i, j), size in shared.items()
        if size >= SHARED * min(len(draft[i]), len(final[j])) and size > 0
    }
    for name in moved_from.keys() & moved_to.keys():
        pairs.update(zip(moved_from[name], moved_to[name], strict=False))
    return Found(draft, final, pairs, {i for places in moved_from.values() for i in places})


def places(found: Sequence[str], true: Sequence[str]) -> dict[int, int]:
    """Where each paragraph of a redline stands in the document itself: LibreOffice may put a deleted
    first paragraph behind its successor."""
    known: dict[int, int] = {}
    for block in difflib.SequenceMatcher(None, found, true, autojunk=False).get_matching_blocks():
        known.update((block.a + k, block.b + k) for k in range(block.size))
    free: dict[str, list[int]] = {}
    for place in sorted(set(range(len(true))) - set(known.values()), reverse=True):
        free.setdefault(true[place], []).append(place)
    for k, text in enumerate(found):
        if k not in known and free.get(text):
            known[k] = free[text].pop()
    return known


@functools.lru_cache(maxsize=1)
def docxodus() -> Redline | str:
    """Docxodus, or why it cannot run here."""
    try:
        engines = importlib.import_module("python_redlines.engines")
    except ImportError:
        return "python-redlines is not installed"
    try:
        engine = engines.DocxodusEngine()
    except ImportError:
        return "python-redlines has no Docxodus engine: install python-redlines[docxodus]"

    def run(before: bytes, after: bytes) -> tuple[bytes, float]:
        start = _children_seconds()
        redline = engine.run_redline("benchmark", before, after, detect_moves=True)[0]
        return redline, _children_seconds() - start

    return run


@functools.lru_cache(maxsize=1)
def libreoffice() -> Redline | str:
    """LibreOffice's comparison, loading and saving not counted, or why it cannot run here."""
    if shutil.which("soffice") is None or not Path(SYSTEM_PYTHON).exists():
        return "soffice is not installed"
    if subprocess.run([SYSTEM_PYTHON, "-c", "import uno"], capture_output=True, check=False).returncode:
        return "python3-uno is not installed"

    def run(before: bytes, after: bytes) -> tuple[bytes, float]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            files = [folder / "draft.docx", folder / "final.docx", folder / "redline.docx"]
            files[0].write_bytes(before)
            files[1].write_bytes(after)
            answer = subprocess.run(
                [SYSTEM_PYTHON, str(EDITOR), "compare", *map(str, files)],
                capture_output=True,
                check=True,
                timeout=900,
            )
            return files[2].read_bytes(), float(json.loads(answer.stdout)["seconds"])

    return run


def wall(redline: Redline, before: bytes, after: bytes) -> float:
    """Wall seconds of one whole call, the start of its process included."""
    start = time.perf_counter()
    redline(before, after)
    return time.perf_counter() - start


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
