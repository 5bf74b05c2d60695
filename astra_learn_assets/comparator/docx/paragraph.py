"""A paragraph while it is being read, and what of it is visible in the end."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from lxml import etree

from astra_learn_assets.comparator.docx import audio_marks, chunk_ids
from astra_learn_assets.comparator.docx.blocks import Claim, Flag, Location
from astra_learn_assets.comparator.docx.styles import Style

Stretch = tuple[int, int]
"""Visible pieces of a paragraph that are not blank, counted from 0: from, up to."""


@dataclass(slots=True)
class Piece:
    text: str
    hidden: bool
    link: int  # index into Paragraph.links, -1 = none


@dataclass(slots=True)
class Mark:
    """A bookmark that carries a chunk id, and what it covers of the visible text of each paragraph."""

    name: str
    chunk_id: str
    first: int
    covered: dict[int, Stretch] = field(default_factory=dict)
    closed: bool = False
    last: Span | None = None  # where it lies in the last paragraph it reached

    @property
    def copy(self) -> bool:
        """Whether it is a pasted duplicate."""
        return "_copy_" in self.name.lower()


@dataclass(slots=True)
class Span:
    """Where a bookmark lies in a paragraph, in pieces; ``end`` None = to the paragraph's end."""

    mark: Mark
    serial: int  # of the paragraph
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

    def cover(self, mark: Mark, start: int) -> None:
        """``mark`` lies over this paragraph from piece ``start`` on."""
        mark.last = Span(mark, self.serial, start)
        self.marks.append(mark.last)


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
        rest, ids = chunk_ids.strip_chunk_ids(text)
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
    alone: dict[int, list[Stretch]] = {}
    for mark in marks:
        if len(mark.covered) == 1:
            for serial, stretch in mark.covered.items():
                alone.setdefault(serial, []).append(stretch)
    inner = {serial: _union(stretches) for serial, stretches in alone.items()}
    claims: dict[int, list[Claim]] = {}
    for mark in marks:
        serials = list(mark.covered) if mark.closed else [n for n in mark.covered if n == mark.first]
        for serial in serials:
            through = serial not in (serials[0], serials[-1])
            foreign = len(serials) > 1 and _lies_in(mark.covered[serial], inner.get(serial, []))
            claims.setdefault(serial, []).append(
                Claim(mark.chunk_id, "span" if through or foreign else "bookmark")
            )
    return claims


def _union(stretches: Sequence[Stretch]) -> list[Stretch]:
    """The same pieces as stretches in order that do not touch one another."""
    joined: list[Stretch] = []
    for start, end in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _lies_in(stretch: Stretch, union: Sequence[Stretch]) -> bool:
    place = bisect_right(union, stretch[0], key=lambda known: known[0]) - 1
    return place >= 0 and stretch[1] <= union[place][1]
