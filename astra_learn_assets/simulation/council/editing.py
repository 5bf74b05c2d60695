"""What word processors do to the XML of a paragraph when a person edits it.

Positions count characters of the visible text outside links, the way :func:`visible_text` gives it.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Literal

from lxml import etree

from astra_learn_assets.simulation.council.package import parse, set_text, text_run, w

Mark = Literal["ins", "del", "moveFrom", "moveTo"]


@dataclass(frozen=True)
class Change:
    """Characters ``start`` to ``end`` become ``new``."""

    start: int
    end: int
    new: str


@dataclass
class Pen:
    """Who edits, and whether change tracking is on; ``when`` is an ISO time."""

    author: str
    when: str
    tracking: bool = False
    _last_id: int = field(default=9000)

    def mark(self, kind: str) -> etree._Element:
        """An empty ``w:ins``, ``w:del``, ``w:moveFrom`` or ``w:moveTo`` of this author."""
        self._last_id += 1
        attributes = {w("id"): str(self._last_id), w("author"): self.author, w("date"): self.when}
        return etree.Element(w(kind), attributes)


def text_runs(paragraph: etree._Element) -> list[tuple[etree._Element, etree._Element]]:
    """Visible runs directly in ``paragraph`` with their ``w:t``: no hidden ids, no links, no marks."""
    found = []
    for run in paragraph.findall(w("r")):
        text = run.find(w("t"))
        if text is not None and run.find(f"{w('rPr')}/{w('vanish')}") is None:
            found.append((run, text))
    return found


def visible_text(paragraph: etree._Element) -> str:
    """The text of :func:`text_runs`."""
    return "".join(text.text or "" for _, text in text_runs(paragraph))


def apply_changes(paragraph: etree._Element, changes: list[Change], pen: Pen) -> None:
    """Make ``changes`` (ascending, not overlapping), as tracked changes when the pen tracks."""
    for change in reversed(changes):
        if pen.tracking:
            _change_tracked(paragraph, change, pen)
        else:
            _change_plain(paragraph, change)


def delete_link(paragraph: etree._Element) -> None:
    """Remove the audio link, as a clerk does who finds it ugly in print."""
    for link in paragraph.findall(w("hyperlink")):
        paragraph.remove(link)


def scatter_runs(paragraph: etree._Element, places: list[int]) -> None:
    """Split runs at ``places`` without changing the text, as Word does for its own bookkeeping."""
    for place in places:
        following = _cut(paragraph, place)
        if following is not None:
            following.set(w("rsidR"), "00A77B3E")
            following.addprevious(etree.Element(w("proofErr"), {w("type"): "spellStart"}))


def split_paragraph(paragraph: etree._Element, place: int, pen: Pen) -> etree._Element:
    """Enter pressed at ``place``: the rest, with the link and the bookmark's end, becomes a new paragraph.

    Word copies the paragraph's properties, so the new one inherits the tab stops that carry the id.
    """
    following = _cut(paragraph, place)
    second = etree.Element(w("p"))
    properties = paragraph.find(w("pPr"))
    if properties is not None:
        second.append(copy.deepcopy(properties))
    while following is not None:
        succeeding = following.getnext()
        second.append(following)
        following = succeeding
    first_text = next((text for _, text in text_runs(second)), None)
    if first_text is not None:
        set_text(first_text, (first_text.text or "").lstrip())
    if pen.tracking:
        mark_paragraph(paragraph, "ins", pen)
    paragraph.addnext(second)
    return second


def join_paragraphs(first: etree._Element, second: etree._Element, pen: Pen, *, keep_first: bool) -> None:
    """Delete pressed at the end of ``first``.

    LibreOffice keeps the first one's properties, Word the second's.
    """
    if pen.tracking:
        # both paragraphs stay in the file; only the mark between them is gone
        mark_paragraph(first, "del", pen)
        return
    if not keep_first:
        ours, theirs = first.find(w("pPr")), second.find(w("pPr"))
        if ours is not None and theirs is not None:
            first.replace(ours, copy.deepcopy(theirs))
    if not visible_text(first).endswith(" "):
        first.append(text_run(" "))
    for child in list(second):
        if child.tag != w("pPr"):
            first.append(child)
    _remove(second)


def move_paragraph(
    paragraph: etree._Element, before: etree._Element, pen: Pen, *, pasted: bool, ghost: bool
) -> None:
    """Cut and paste in front of ``before``.

    ``pasted``: the bookmark comes back as ``NAME_Copy_1``. ``ghost``: the paragraph mark stays behind
    with the carriers of the id, an empty paragraph.
    """
    moved = copy.deepcopy(paragraph)
    before.addprevious(moved)
    if pasted:
        for bookmark in moved.iter(w("bookmarkStart")):
            bookmark.set(w("name"), f"{bookmark.get(w('name'))}_Copy_1")
            bookmark.set(w("id"), str(70_000 + int(bookmark.get(w("id"), "0"))))
        for bookmark in moved.iter(w("bookmarkEnd")):
            bookmark.set(w("id"), str(70_000 + int(bookmark.get(w("id"), "0"))))
    if pen.tracking:
        _wrap_runs(paragraph, "moveFrom", pen)
        mark_paragraph(paragraph, "moveFrom", pen)
        for deletion in moved.findall(w("del")):
            _remove(deletion)  # what was deleted before the move does not move
        _wrap_runs(moved, "moveTo", pen)
        mark_paragraph(moved, "moveTo", pen)
        for bookmark in [*paragraph.iter(w("bookmarkStart")), *paragraph.iter(w("bookmarkEnd"))]:
            _remove(bookmark)
    elif ghost:
        for child in list(paragraph):
            visible = child.tag == w("hyperlink") or any(child is run for run, _ in text_runs(paragraph))
            if visible:
                paragraph.remove(child)
    else:
        _remove(paragraph)


def retype_paragraph(paragraph: etree._Element, text: str, *, keep_properties: bool) -> None:
    """All of the paragraph selected and typed anew: bookmark, hidden id and link die.

    ``keep_properties``: its tab stops live on; otherwise a fresh paragraph was typed in its place.
    """
    for child in list(paragraph):
        if child.tag != w("pPr") or not keep_properties:
            paragraph.remove(child)
    paragraph.append(text_run(text))


def insert_paragraph(after: etree._Element, text: str, pen: Pen, *, inherit: bool) -> None:
    """A new paragraph behind ``after``; ``inherit``: made with Enter, so with the same tab stops."""
    paragraph = etree.Element(w("p"))
    properties = after.find(w("pPr"))
    if inherit and properties is not None:
        paragraph.append(copy.deepcopy(properties))
    run = text_run(text)
    paragraph.append(run)
    if pen.tracking:
        _wrap_runs(paragraph, "ins", pen)
        mark_paragraph(paragraph, "ins", pen)
    after.addnext(paragraph)


def delete_paragraph(paragraph: etree._Element, pen: Pen) -> None:
    """Remove the paragraph, or mark all of it deleted when the pen tracks."""
    if pen.tracking:
        _wrap_runs(paragraph, "del", pen)
        mark_paragraph(paragraph, "del", pen)
    else:
        _remove(paragraph)


def stamp(core: bytes, author: str, when: str) -> bytes:
    """``docProps/core.xml`` as saved by ``author`` at ``when``."""
    root = parse(core)
    for element in root:
        name = etree.QName(element).localname
        if name == "lastModifiedBy":
            element.text = author
        elif name == "modified":
            element.text = when
        elif name == "revision":
            element.text = str(int(element.text or "1") + 1)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def _change_plain(paragraph: etree._Element, change: Change) -> None:
    position, placed = 0, False
    for _, element in text_runs(paragraph):
        text = element.text or ""
        low, high = max(change.start, position), min(change.end, position + len(text))
        if low < high or (change.start == change.end == low == high and not placed):
            new = "" if placed else change.new
            set_text(element, text[: low - position] + new + text[high - position :])
            placed = True
        position += len(text)


def _change_tracked(paragraph: etree._Element, change: Change, pen: Pen) -> None:
    after = _cut(paragraph, change.end)
    first = _cut(paragraph, change.start)
    old: list[etree._Element] = []
    position = 0
    for run, element in text_runs(paragraph):
        if change.start <= position < change.end and element.text:
            old.append(run)
        position += len(element.text or "")
    anchor = old[0] if old else first
    if change.new:
        inserted = pen.mark("ins")
        run = text_run(change.new)
        inserted.append(run)
        if anchor is None:
            paragraph.append(inserted)
        else:
            style = anchor.find(w("rPr"))
            if style is not None:
                run.insert(0, copy.deepcopy(style))
            anchor.addprevious(inserted)
    for run in old:
        deleted = pen.mark("del")
        run.addprevious(deleted)
        _strike(run)
        deleted.append(run)
    assert after is None or after.getparent() is not None


def _cut(paragraph: etree._Element, place: int) -> etree._Element | None:
    """Make a run begin at ``place`` and return it (None at the very end)."""
    position = 0
    for run, element in text_runs(paragraph):
        text = element.text or ""
        if position == place:
            return run
        if position < place < position + len(text):
            second = copy.deepcopy(run)
            set_text(element, text[: place - position])
            copied = second.find(w("t"))
            assert copied is not None
            set_text(copied, text[place - position :])
            run.addnext(second)
            return second
        position += len(text)
    return None


def _wrap_runs(paragraph: etree._Element, kind: Mark, pen: Pen) -> None:
    """Put every run under a mark. What the same author had inserted goes for good, or along."""
    for insertion in paragraph.findall(w("ins")):
        if kind == "moveTo":
            for run in list(insertion):
                insertion.addprevious(run)
        _remove(insertion)
    for parent in [paragraph, *paragraph.findall(w("hyperlink"))]:
        for run in parent.findall(w("r")):
            wrapper = pen.mark(kind)
            run.addprevious(wrapper)
            if kind == "del":
                _strike(run)
            wrapper.append(run)


def _strike(run: etree._Element) -> None:
    for text in run.findall(w("t")):
        text.tag = w("delText")


def mark_paragraph(paragraph: etree._Element, kind: Mark, pen: Pen) -> None:
    """Track what happened to the paragraph mark (``w:pPr/w:rPr``, whose first children are the marks)."""
    properties = paragraph.find(w("pPr"))
    if properties is None:
        properties = etree.Element(w("pPr"))
        paragraph.insert(0, properties)
    style = properties.find(w("rPr"))
    if style is None:
        style = etree.SubElement(properties, w("rPr"))
    style.insert(0, pen.mark(kind))


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    assert parent is not None
    parent.remove(element)
