"""The clerk: listens to the audio, puts the draft right in a word processor, and sends it back.

Decides what to do with every chunk, does it to the XML with :mod:`editing`, and notes the truth.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from lxml import etree

from astra_learn_assets.contracts import BlockOp, Route
from astra_learn_assets.simulation.council import editing
from astra_learn_assets.simulation.council.draft import Chunk, Draft
from astra_learn_assets.simulation.council.editing import Change, Pen
from astra_learn_assets.simulation.council.minutes import PENDING_TEXT, Minutes
from astra_learn_assets.simulation.council.package import parse, read_parts, serialize, w, write_parts
from astra_learn_assets.simulation.council.people import Citizen
from astra_learn_assets.simulation.council.truth import ChunkTruth, EntityFix, PairTruth, Truth

_OVERLOOKED = {"style": 0.0, "entity": 0.015, "mark": 0.05}
_OVERLOOKED_ELSE = 0.035
_WRONG = 0.04  # of what is put right, put into another wrong word
_LINK_DELETED = 0.08
_TRACKING = 0.25


@dataclass
class _Work:
    """One chunk on the clerk's desk. ``changes`` are relative to the chunk's own text."""

    chunk: Chunk
    paragraph: etree._Element
    after: str
    changes: list[Change]
    fixes: tuple[EntityFix, ...]
    route: Route | None
    role: str = ""
    split_at: int | None = None
    merged_with: int | None = None
    link_deleted: bool = False

    @property
    def before(self) -> str:
        return self.chunk.block.heard


def correct(draft: Draft, minutes: Minutes, rng: random.Random, *, clerk: str) -> tuple[bytes, Truth]:
    """The final a careful clerk makes of ``draft``, and what a perfect comparison finds in it."""
    parts = read_parts(draft.docx)
    root = parse(parts["word/document.xml"])
    saved = datetime.combine(minutes.session_date, time(9, 30)) + timedelta(days=rng.randint(1, 9))
    pen = Pen(clerk, f"{saved.isoformat()}Z", tracking=rng.random() < _TRACKING)
    desk = [_correct_text(chunk, paragraph, rng) for chunk, paragraph in find_chunks(root, draft)]
    _plan(desk, rng)
    inserted = _edit(desk, minutes, pen, rng)
    parts["word/document.xml"] = serialize(root)
    parts["docProps/core.xml"] = editing.stamp(parts["docProps/core.xml"], clerk, pen.when)
    return write_parts(parts), _truth(draft, desk, inserted, pen)


def find_chunks(root: etree._Element, draft: Draft) -> list[tuple[Chunk, etree._Element]]:
    """The draft's chunks with their paragraphs."""
    paragraphs = {
        str(bookmark.get(w("name"))): bookmark.getparent() for bookmark in root.iter(w("bookmarkStart"))
    }
    found = []
    for chunk in draft.chunks:
        paragraph = paragraphs[f"_astra_{chunk.chunk_id}"]
        assert paragraph is not None
        found.append((chunk, paragraph))
    return found


def _correct_text(chunk: Chunk, paragraph: etree._Element, rng: random.Random) -> _Work:
    """Decide the words; what the clerk overlooks stays wrong in ``after``."""
    block = chunk.block
    if block.hearing == "pending":
        typed = rng.random() < 0.85
        changes = [Change(0, len(PENDING_TEXT), block.clean)] if typed else []
        text = block.clean if typed else PENDING_TEXT
        return _Work(chunk, paragraph, text, changes, (), 3 if typed else None)
    after: list[str] = []
    edits: list[Change] = []
    fixes: list[EntityFix] = []
    other = False
    position = 0
    for piece in block.pieces:
        text = piece.heard
        if piece.cause is not None and rng.random() >= _OVERLOOKED.get(piece.cause, _OVERLOOKED_ELSE):
            text = piece.clean
            if piece.kind is not None:
                fixes.append(EntityFix(piece.heard, piece.clean, piece.kind, chunk.chunk_id))
            else:
                other = True
                if piece.slip is not None and rng.random() < _WRONG:
                    text = piece.slip
        after.append(text)
        end = position + len(piece.heard)
        if text != piece.heard:
            change = Change(position, end, text)
            if edits and edits[-1].end == position:  # two changes side by side are typed as one
                before = edits.pop()
                change = Change(before.start, end, before.new + text)
            edits.append(change)
        position = end
    return _Work(chunk, paragraph, "".join(after), edits, tuple(fixes), 1 if other else 2 if fixes else None)


def _plan(desk: Sequence[_Work], rng: random.Random) -> None:
    """Choose which chunks are split, joined, moved, deleted, retyped; no chunk gets two of these."""
    free = [place for place in range(1, len(desk) - 1) if desk[place].chunk.block.hearing != "pending"]

    def take(role: str, probability: float, candidates: list[int]) -> int | None:
        open_places = [place for place in candidates if desk[place].role == ""]
        if rng.random() >= probability or not open_places:
            return None
        place = rng.choice(open_places)
        desk[place].role = role
        return place

    boundaries = {place: found for place in free if (found := _boundaries(desk[place]))}
    if (split := take("split", 0.6, sorted(boundaries))) is not None:
        desk[split].split_at = rng.choice(boundaries[split])
    neighbours = [
        place
        for place in free
        if place + 1 in free
        and desk[place + 1].role == ""
        and desk[place].chunk.index + 1 == desk[place + 1].chunk.index
        and {desk[place].chunk.block.kind, desk[place + 1].chunk.block.kind} == {"paragraph"}
    ]
    if (merge := take("merge", 0.5, neighbours)) is not None:
        desk[merge].merged_with = merge + 1
        desk[merge + 1].role = "merged"
    take("move", 0.55, free)
    take("delete", 0.35, free)
    take("retype", 0.35, free)
    for work in desk:
        work.link_deleted = work.role in ("", "move") and rng.random() < _LINK_DELETED


def _boundaries(work: _Work) -> list[int]:
    """Spaces of the draft's text that lie between two sentences of at least five words each."""
    found = []
    for match in re.finditer(r"(?<=\.) (?=[^\W\d_])", work.before):
        place = match.start()
        untouched = all(not change.start < place + 1 <= change.end for change in work.changes)
        parts = work.before[:place], work.before[place:]
        if untouched and work.before[place + 1].isupper() and min(len(p.split()) for p in parts) >= 5:
            found.append(place)
    return found


def _edit(desk: Sequence[_Work], minutes: Minutes, pen: Pen, rng: random.Random) -> tuple[str, ...]:
    """Do it all to the XML; returns the new paragraphs' texts in order."""
    for work in desk:
        if work.role == "retype":
            # whoever retypes a paragraph does not track every letter of it
            editing.retype_paragraph(work.paragraph, work.after, keep_properties=rng.random() < 0.6)
            continue
        offset = editing.visible_text(work.paragraph).index(work.before)
        if work.split_at is not None:
            _split(work, work.split_at, offset, pen)
            continue
        editing.apply_changes(work.paragraph, _shifted(work.changes, offset), pen)
        if not pen.tracking and rng.random() < 0.15:
            length = len(editing.visible_text(work.paragraph))
            editing.scatter_runs(work.paragraph, sorted(rng.sample(range(1, length), 2), reverse=True))
        if work.link_deleted:
            editing.delete_link(work.paragraph)
    for work in desk:
        if work.merged_with is not None:
            second = desk[work.merged_with].paragraph
            editing.join_paragraphs(work.paragraph, second, pen, keep_first=rng.random() < 0.5)
    for place, work in enumerate(desk):
        if work.role == "move":
            editing.move_paragraph(
                work.paragraph,
                desk[_destination(desk, place, rng)].paragraph,
                pen,
                pasted=rng.random() < 0.4,
                ghost=rng.random() < 0.3,
            )
    anchors = [work for work in desk[:-1] if work.role == ""]
    chosen = sorted(rng.sample(range(len(anchors)), min(rng.choice((0, 1, 1, 2)), len(anchors))))
    inserted = minutes.remarks[: len(chosen)]
    for place, text in zip(chosen, inserted, strict=True):
        editing.insert_paragraph(anchors[place].paragraph, text, pen, inherit=rng.random() < 0.5)
    for work in desk:
        if work.role == "delete":
            editing.delete_paragraph(work.paragraph, pen)
    return inserted


def _split(work: _Work, place: int, offset: int, pen: Pen) -> None:
    """Split first, then correct either half; the space at ``place`` goes."""
    second = editing.split_paragraph(work.paragraph, place + offset, pen)
    early = [change for change in work.changes if change.start < place]
    late = [change for change in work.changes if change.start > place]
    editing.apply_changes(work.paragraph, _shifted(early, offset), pen)
    editing.apply_changes(second, _shifted(late, -place - 1), pen)


def _shifted(changes: Sequence[Change], offset: int) -> list[Change]:
    return [Change(change.start + offset, change.end + offset, change.new) for change in changes]


def _destination(desk: Sequence[_Work], place: int, rng: random.Random) -> int:
    """A chunk at least four away to paste in front of, so that it is clear which one moved."""
    far = [other for other, work in enumerate(desk) if work.role == "" and abs(other - place) > 4]
    return rng.choice(far) if far else len(desk) - 1


def _truth(draft: Draft, desk: Sequence[_Work], inserted: tuple[str, ...], pen: Pen) -> Truth:
    chunks: list[ChunkTruth] = []
    pairs: list[PairTruth] = []
    for work in desk:
        if work.role == "merged":
            continue
        group = [work] if work.merged_with is None else [work, desk[work.merged_with]]
        before = " ".join(member.before for member in group)
        after = " ".join(member.after for member in group)
        routes = [member.route for member in group if member.route is not None]
        route = None if work.role == "delete" or not routes else 1 if 1 in routes else routes[0]
        for member in group:
            chunks.append(
                ChunkTruth(
                    member.chunk.chunk_id,
                    _op(work),
                    member.before,
                    None if work.role == "delete" else after,
                    _parts(work),
                    route,
                    work.role == "retype",
                    work.link_deleted,
                )
            )
        if route in (1, 3):
            heard = "" if route == 3 else before  # nothing was recognized where audio was pending
            pairs.append(PairTruth(tuple(m.chunk.chunk_id for m in group), route, heard, after))
    pieces = [
        piece
        for chunk in draft.chunks
        if any(piece.cause is not None for piece in chunk.block.pieces)
        for piece in chunk.block.pieces
        if piece.clean.strip(" ,.;:")
    ]
    return Truth(
        session_id=draft.origin.session_id,
        version=draft.origin.version,
        editor="clerk",
        chunks=tuple(chunks),
        inserted=inserted,
        entity_fixes=tuple(fix for work in desk if work.role != "delete" for fix in work.fixes),
        pairs=tuple(pairs),
        citizens=citizens_of(draft),
        tracked_changes=pen.tracking,
        draft_word_errors=sum(piece.cause is not None for piece in pieces),
        draft_words=sum(len(piece.clean.split()) for piece in pieces),
    )


def citizens_of(draft: Draft) -> tuple[Citizen, ...]:
    """The citizens named in the draft, each once."""
    return tuple(dict.fromkeys(citizen for chunk in draft.chunks for citizen in chunk.block.citizens))


def _op(work: _Work) -> BlockOp:
    named: dict[str, BlockOp] = {"split": "split", "merge": "merged", "move": "moved", "delete": "deleted"}
    return named.get(work.role, "modified" if work.after != work.before else "equal")


def _parts(work: _Work) -> tuple[str, ...]:
    if work.split_at is None:
        return ()
    grown = sum(len(c.new) - (c.end - c.start) for c in work.changes if c.start < work.split_at)
    place = work.split_at + grown
    return work.after[:place].strip(), work.after[place:].strip()
