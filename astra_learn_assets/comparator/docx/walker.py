"""One part of a DOCX, walked once in document order; out come blocks with unarbitrated claims.

What is live and what is not:

* tracked insertions and move targets are, deletions and move sources are not (LibreOffice 7.4 puts
  plain ``w:t`` into ``w:moveFrom``, so the wrapper decides, not the element); a paragraph whose mark
  is deleted flows into the next one; deleted table rows and cells are gone with all they hold;
* of ``mc:AlternateContent`` the first choice, else the fallback, never both;
* field results are, field codes are not;
* hidden text is not, unless it was typed inside the hidden run that carries a chunk id;
* labels of audio links are not (see :mod:`audio_marks`).
"""

from __future__ import annotations

from bisect import bisect_left

from lxml import etree

from astra_learn_assets.comparator.docx import audio_marks, chunk_ids
from astra_learn_assets.comparator.docx.blocks import Block, Claim, Location
from astra_learn_assets.comparator.docx.inline import DEAD, WRAPPERS, InlineWalker, Story
from astra_learn_assets.comparator.docx.markup import choice, local, tab_positions, word_art
from astra_learn_assets.comparator.docx.paragraph import (
    Made,
    Paragraph,
    bookmark_claims,
    visible_pieces,
)
from astra_learn_assets.comparator.docx.styles import outline_level

_BOOKMARK_REACH = 12  # paragraphs; a longer range is a bookmark somebody left unclosed


def walk(root: etree._Element, story: Story) -> list[Block]:
    """The blocks of one part."""
    walker = _Walker(root, story)
    walker.start(root)
    return walker.finish()


class _Walker(InlineWalker):
    def start(self, root: etree._Element) -> None:
        name = local(root.tag)
        if name == "document":
            for child in root:
                if local(child.tag) == "body":
                    self._container(child)
        elif name in ("footnotes", "endnotes", "comments"):
            for note in root:
                separator = note.get(f"{self.q}type") in ("separator", "continuationSeparator")
                if not separator and note.get(f"{self.q}id") not in self.story.dead_notes:
                    self._container(note)
        else:
            self._container(root)

    def finish(self) -> list[Block]:
        bookmarks = bookmark_claims(self.marks)
        copies = {serial for mark in self.marks if mark.copy for serial in mark.covered}
        return [
            Block(
                text=made.text,
                location=made.location,
                flags=frozenset(made.flags | {"copy"} if made.serial in copies else made.flags),
                claims=tuple(dict.fromkeys([*bookmarks.get(made.serial, ()), *made.claims])),
            )
            for made in self.made
        ]

    def _container(self, element: etree._Element) -> None:
        """Paragraphs and tables of a body, cell, note, header or text box."""
        self._deeper()
        outer, self.paragraph = self.paragraph, None
        self._blocks(element)
        self._flush()
        self.paragraph = outer
        self.depth -= 1

    def _blocks(self, element: etree._Element) -> None:
        self._deeper()
        for child in element:
            name = local(child.tag)
            if name == "p":
                self._paragraph(child)
            elif name == "tbl":
                self._flush()
                self._table(child)
            elif name == "sdt":
                self._sdt(child, self._blocks)
            elif name in DEAD:
                self._dead(child)
            elif name == "mc:AlternateContent":
                chosen = choice(child)
                if chosen is not None:
                    self._blocks(chosen)
            elif name in ("bookmarkStart", "bookmarkEnd", "commentRangeStart"):
                self._event(child, name)
            elif name in ("r", "hyperlink") or name.startswith("m:"):  # malformed, but Word shows it
                self.paragraph = self.paragraph or self._new_paragraph()
                self._inline_child(child, name)
            elif name in ("altChunk", "subDoc"):
                self.story.unread["altchunk" if name == "altChunk" else "subdocument"] += 1
            elif name in WRAPPERS:
                self._blocks(child)
        self.depth -= 1

    def _table(self, table: etree._Element) -> None:
        number, outer = self.tables, self.cells
        self.tables += 1
        position = [-1, -1]
        self._rows(table, number, outer, position)
        self.cells = outer

    def _rows(
        self,
        element: etree._Element,
        number: int,
        outer: tuple[tuple[int, int, int], ...],
        position: list[int],
    ) -> None:
        self._deeper()
        for child in element:
            name = local(child.tag)
            if name == "tr":
                if child.find(f"{self.q}trPr/{self.q}del") is not None:
                    self._dead(child)
                    continue
                position[0] += 1
                position[1] = -1
                self._rows(child, number, outer, position)
            elif name == "tc":
                position[1] += 1
                if child.find(f"{self.q}tcPr/{self.q}cellDel") is not None:
                    self._dead(child)
                    continue
                self.cells = (*outer, (number, position[0], position[1]))
                self._container(child)
            elif name == "sdt":
                self._sdt(child, lambda content: self._rows(content, number, outer, position))
            elif name in DEAD:
                self._dead(child)
            elif name in ("bookmarkStart", "bookmarkEnd"):
                self._event(child, name)
            elif name == "mc:AlternateContent":
                chosen = choice(child)
                if chosen is not None:
                    self._rows(chosen, number, outer, position)
            elif name == "p":  # malformed: a row without a cell
                self._paragraph(child)
            elif name in WRAPPERS:
                self._rows(child, number, outer, position)
        self.depth -= 1

    def _new_paragraph(self) -> Paragraph:
        paragraph = Paragraph(serial=self.serial)
        self.serial += 1
        budget = self.story.budget
        budget.paragraphs -= 1
        budget.claims -= len(self.open)
        budget.check()
        if self.sdt_ids:
            self._claim(paragraph, self.sdt_ids, "sdt")
        for identifier, mark in list(self.open.items()):
            if paragraph.serial - mark.first > _BOOKMARK_REACH:
                self._take_mark(identifier)
            else:
                paragraph.cover(mark, 0)
        return paragraph

    def _paragraph(self, element: etree._Element) -> None:
        paragraph = self.paragraph or self._new_paragraph()
        self.paragraph = paragraph
        properties = element.find(f"{self.q}pPr")
        mark_deleted = self._properties(paragraph, properties)
        self._inline(element)
        self._close_codes()
        if mark_deleted:
            paragraph.flags.add("tracked_changes")
            paragraph.seams.append(len(paragraph.pieces))
        else:
            self._flush()

    def _properties(self, paragraph: Paragraph, properties: etree._Element | None) -> bool:
        """Take over style, level and tab stops; True when the paragraph mark is deleted."""
        paragraph.tab = None
        paragraph.style = self.story.styles.get(None)
        paragraph.list_level = paragraph.heading_level = None
        if properties is None:
            paragraph.hidden = False
            return False
        deleted = False
        q = self.q
        style_id: str | None = None
        outline: int | None = None
        for child in properties:
            name = local(child.tag)
            if name == "pStyle":
                style_id = child.get(f"{q}val")
            elif name == "tabs":
                if len(child) >= chunk_ids.TAB_COUNT:
                    paragraph.tab = chunk_ids.chunk_id_of_tabs(tab_positions(child, q))
            elif name == "numPr":
                level = child.find(f"{q}ilvl")
                value = level.get(f"{q}val", "0") if level is not None else "0"
                paragraph.list_level = int(value) if value.isdecimal() and len(value) < 4 else 0
            elif name == "outlineLvl":
                outline = outline_level(child, q)
            elif name == "rPr":
                deleted = any(local(mark.tag) in DEAD for mark in child)
        paragraph.style = self.story.styles.get(style_id)
        paragraph.heading_level = outline if outline is not None else paragraph.style.heading_level
        if paragraph.list_level is None:
            paragraph.list_level = paragraph.style.list_level
        paragraph.hidden = bool(paragraph.style.hidden)
        return deleted

    def _flush(self) -> None:
        """End the current paragraph: a block if it has text, then the text boxes anchored in it."""
        paragraph, self.paragraph = self.paragraph, None
        if paragraph is None:
            return
        visible = visible_pieces(paragraph)
        shown = (
            [n for n, piece in enumerate(visible) if piece.strip()]
            if paragraph.marks or paragraph.seams
            else []
        )
        for span in paragraph.marks:
            start = bisect_left(shown, span.start)
            end = len(shown) if span.end is None else bisect_left(shown, span.end)
            if start < end:
                span.mark.covered[paragraph.serial] = (start, end)
        text, ids = chunk_ids.strip_hidden_tokens("".join(visible))
        paragraph.claims.extend(Claim(chunk_id, "hidden") for chunk_id in ids)
        stripped = audio_marks.strip_labels(text)
        if stripped != text:
            paragraph.flags.add("audio_link")
        text = stripped.strip()
        if text:
            if any(shown[0] < n <= shown[-1] for n in paragraph.seams if shown):
                paragraph.flags.add("merged")
            if self.in_box:
                paragraph.flags.add("textbox")
            if audio_marks.is_pending(text):
                paragraph.flags.add("audio_pending")
            if paragraph.tab is not None:
                paragraph.claims.append(Claim(paragraph.tab, "tab"))
            self.story.budget.texts -= 1
            self.story.budget.check()
            location = self._locate(paragraph, text)
            self.made.append(Made(paragraph.serial, text, location, paragraph.flags, paragraph.claims))
        for box in paragraph.boxes:
            self._box(box)

    def _locate(self, paragraph: Paragraph, text: str) -> Location:
        level = paragraph.heading_level
        path = tuple(title for _, title in self.headings)
        if level is not None and self.story.kind == "body" and not self.in_box:
            self.headings = [(n, title) for n, title in self.headings if n < level]
            path = tuple(title for _, title in self.headings)
            self.headings.append((level, text[:200]))
        return Location(self.story.kind, self.cells, paragraph.list_level, level, path)

    def _box(self, element: etree._Element) -> None:
        saved = self.open, self.open_names, self.fields, self.codes, self.field_base, self.in_box, self.cells
        self.open, self.open_names, self.fields, self.codes, self.field_base = {}, {}, [], 0, 0
        self.in_box = True
        written = word_art(element)
        if written:
            self.paragraph = self._new_paragraph()
            self._text(written, hidden=False)
            self._flush()
        else:
            self._container(element)
        self.open, self.open_names, self.fields, self.codes, self.field_base, self.in_box, self.cells = saved
