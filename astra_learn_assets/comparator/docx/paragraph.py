"""A paragraph while it is being read, and what of it is visible in the end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from lxml import etree

from astra_learn_assets.comparator.docx import audio_marks, chunk_ids
from astra_learn_assets.comparator.docx.blocks import Claim, Flag, Location
from astra_learn_assets.comparator.docx.styles import Style


@dataclass(slots=True)
class Piece:
    text: str
    hidden: bool
    link: int  # index into Paragraph.links, -1 = none


@dataclass(slots=True)
class Mark:
    """A bookmark that carries a chunk id, and the visible pieces it covers in each paragraph."""

    name: str
    chunk_id: str
    first: int
    covered: dict[int, frozenset[int]] = field(default_factory=dict)
    closed: bool = False

    @property
    def copy(self) -> bool:
        """Whether it is a pasted duplicate."""
        return "_copy_" in self.name.lower()


@dataclass(slots=True)
class Span:
    """Where a bookmark lies in a paragraph, in pieces; ``end`` None = to the paragraph's end."""

    mark: Mark
    start: int
    end: int | None = None


@dataclass(slots=True)
class Paragraph:
    serial: int
    pieces: list[Piece] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    marks: list[Span] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    tab: str | None = None
    flags: set[Flag] = field(default_factory=set)
    style: Style = field(default_factory=Style)
    hidden: bool = False
    list_level: int | None = None
    heading_level: int | None = None
    seams: list[int] = field(default_factory=list)  # piece index of each deleted paragraph mark
    boxes: list[etree._Element] = field(default_factory=list)


@dataclass(slots=True)
class Made:
    """A block in the making: bookmarks may still add claims."""

    serial: int
    text: str
    location: Location
    flags: set[Flag]
    claims: list[Claim]


def visible_pieces(paragraph: Paragraph) -> list[str]:
    """The visible text of each piece; records what was hidden and the ids found in it."""
    visible = [piece.text for piece in paragraph.pieces]
    n = len(visible)
    i = 0
    while i < n:
        piece = paragraph.pieces[i]
        if not piece.hidden and piece.link < 0:
            i += 1
            continue
        j = i
        while j < n and (
            paragraph.pieces[j].hidden if piece.hidden else paragraph.pieces[j].link == piece.link
        ):
            j += 1
        text = "".join(visible[i:j])
        for k in range(i, j):
            visible[k] = ""
        visible[i] = _unhide(paragraph, text) if piece.hidden else audio_marks.strip_link_label(text)
        if not piece.hidden:
            paragraph.flags.add("audio_link")
        i = j
    return visible


def _unhide(paragraph: Paragraph, text: str) -> str:
    """What of a stretch of hidden text counts: text typed into the run that carries the id."""
    rest, ids = chunk_ids.strip_hidden_tokens(text)
    if not ids:
        ids = chunk_ids.find_chunk_ids(text)
        for chunk_id in ids:
            rest = re.sub(rf"[\[{{(#:<\s]*{chunk_id}[\]}})>\s]*", "", rest, flags=re.IGNORECASE)
    paragraph.claims.extend(Claim(chunk_id, "hidden") for chunk_id in ids)
    if not rest.strip():
        return ""
    paragraph.flags.add("hidden_inherited" if ids else "hidden_dropped")
    return rest if ids else ""


def bookmark_claims(marks: Sequence[Mark]) -> dict[int, list[Claim]]:
    """What bookmarks claim, by paragraph; an unclosed one holds for its first paragraph only.

    A bookmark over several paragraphs (split ones, as a rule) claims weakly, as ``span``, those it
    passes through, and those where all it covers is covered by bookmarks of that paragraph alone: they
    were pasted into it.
    """
    inner: dict[int, set[int]] = {}
    for mark in marks:
        if len(mark.covered) == 1:
            for serial, pieces in mark.covered.items():
                inner.setdefault(serial, set()).update(pieces)
    claims: dict[int, list[Claim]] = {}
    for mark in marks:
        serials = list(mark.covered) if mark.closed else [n for n in mark.covered if n == mark.first]
        for serial in serials:
            through = serial not in (serials[0], serials[-1])
            foreign = len(serials) > 1 and mark.covered[serial] <= inner.get(serial, set())
            claims.setdefault(serial, []).append(
                Claim(mark.chunk_id, "span" if through or foreign else "bookmark")
            )
    return claims
