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

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lxml import etree

from astra_learn_assets.comparator import audio_marks, chunk_ids
from astra_learn_assets.comparator.blocks import Block, Claim, Location, PartKind
from astra_learn_assets.comparator.gate import refuse
from astra_learn_assets.comparator.markup import choice, link_of, local, symbol, tab_positions
from astra_learn_assets.comparator.paragraph import Made, Mark, Paragraph, Piece, Span, visible_pieces
from astra_learn_assets.comparator.styles import Styles, is_on, outline_level

_MAXIMUM_DEPTH = 150  # nested calls; Word itself stops far earlier
_MAXIMUM_PARAGRAPHS = 100_000  # minutes have some thousands
_MAXIMUM_PIECES = 400_000
_BOOKMARK_REACH = 12  # paragraphs; a longer range is a bookmark somebody left unclosed

_WRAPPERS = frozenset(
    {"ins", "moveTo", "smartTag", "customXml", "fldSimple", "dir", "bdo", "ruby", "rubyBase", "rt"}
)
_DEAD = frozenset({"del", "moveFrom"})
_URL_PARTS = re.compile(r"[/?#&=]")


@dataclass
class Story:
    """What the walk of one part needs to know, and the note references it found."""

    kind: PartKind
    styles: Styles
    links: Mapping[str, str]
    comment_ids: Mapping[str, list[str]]
    known_ids: frozenset[str]
    dead_notes: set[str]
    live_refs: dict[str, set[str]] = field(default_factory=dict)
    dead_refs: dict[str, set[str]] = field(default_factory=dict)


def walk(root: etree._Element, story: Story) -> list[Block]:
    """The blocks of one part."""
    walker = _Walker(root, story)
    walker.start(root)
    return walker.finish()


class _Walker:
    def __init__(self, root: etree._Element, story: Story) -> None:
        self.story = story
        self.q = f"{{{etree.QName(root).namespace}}}"
        self.made: list[Made] = []
        self.marks: list[Mark] = []
        self.open: dict[str, Mark] = {}
        self.fields: list[list[str]] = []  # [state "code"|"result", instruction]
        self.cells: tuple[tuple[int, int, int], ...] = ()
        self.tables = 0
        self.serial = 0
        self.pieces = 0
        self.depth = 0
        self.in_box = False
        self.sdt_ids: list[str] = []
        self.headings: list[tuple[int, str]] = []
        self.paragraph: Paragraph | None = None

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
        by_serial = {made.serial: made for made in self.made}
        bookmarks: dict[int, list[Claim]] = {}
        for mark in self.marks:
            covered = mark.covered if mark.closed else [n for n in mark.covered if n == mark.first]
            for serial in covered:
                bookmarks.setdefault(serial, []).append(Claim(mark.chunk_id, "bookmark"))
                if mark.copy and serial in by_serial:
                    by_serial[serial].flags.add("copy")
        return [
            Block(
                text=made.text,
                location=made.location,
                flags=frozenset(made.flags),
                claims=tuple(dict.fromkeys([*bookmarks.get(made.serial, ()), *made.claims])),
            )
            for made in self.made
        ]

    # -- block level ---------------------------------------------------------------------------

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
            elif name in _DEAD:
                self._dead(child)
            elif name == "mc:AlternateContent":
                chosen = choice(child)
                if chosen is not None:
                    self._blocks(chosen)
            elif name in ("bookmarkStart", "bookmarkEnd", "commentRangeStart"):
                self._event(child, name)
            elif name == "r" or name == "hyperlink":  # malformed, but Word shows it
                self.paragraph = self.paragraph or self._new_paragraph()
                self._inline_child(child, name)
            elif name in _WRAPPERS:
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
            elif name in _DEAD:
                self._dead(child)
            elif name in ("bookmarkStart", "bookmarkEnd"):
                self._event(child, name)
            elif name in _WRAPPERS:
                self._rows(child, number, outer, position)
        self.depth -= 1

    def _sdt(self, element: etree._Element, into: Callable[[etree._Element], None]) -> None:
        """A content control; older drafts kept the chunk id in its tag."""
        ids: list[str] = []
        content = None
        for child in element:
            name = local(child.tag)
            if name == "sdtPr":
                for key in ("tag", "alias"):
                    found = child.find(f"{self.q}{key}")
                    if found is not None:
                        ids.extend(self._ids_in(found.get(f"{self.q}val", "")))
            elif name == "sdtContent":
                content = child
        if content is None:
            return
        self.sdt_ids.extend(ids)
        if self.paragraph is not None and into == self._inline:
            self.paragraph.claims.extend(Claim(chunk_id, "sdt") for chunk_id in ids)
        into(content)
        if ids:
            del self.sdt_ids[-len(ids) :]

    # -- paragraphs ----------------------------------------------------------------------------

    def _new_paragraph(self) -> Paragraph:
        paragraph = Paragraph(serial=self.serial)
        self.serial += 1
        if self.serial > _MAXIMUM_PARAGRAPHS:
            refuse("too_complex")
        paragraph.claims.extend(Claim(chunk_id, "sdt") for chunk_id in self.sdt_ids)
        for identifier, mark in list(self.open.items()):
            if paragraph.serial - mark.first > _BOOKMARK_REACH:
                del self.open[identifier]
            else:
                paragraph.marks.append(Span(mark, 0))
        return paragraph

    def _paragraph(self, element: etree._Element) -> None:
        paragraph = self.paragraph or self._new_paragraph()
        self.paragraph = paragraph
        properties = element.find(f"{self.q}pPr")
        mark_deleted = self._properties(paragraph, properties)
        self._inline(element)
        # A field code does not go beyond its paragraph; an unclosed one must not hide the rest.
        self.fields = [f for f in self.fields if f[0] == "result"]
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
                deleted = any(local(mark.tag) in _DEAD for mark in child)
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
        for span in paragraph.marks:
            if any(text.strip() for text in visible[span.start : span.end]):
                span.mark.covered.append(paragraph.serial)
        text, ids = chunk_ids.strip_hidden_tokens("".join(visible))
        paragraph.claims.extend(Claim(chunk_id, "hidden") for chunk_id in ids)
        stripped = audio_marks.strip_labels(text)
        if stripped != text:
            paragraph.flags.add("audio_link")
        text = stripped.strip()
        if text:
            seams = [
                n for n in paragraph.seams if "".join(visible[:n]).strip() and "".join(visible[n:]).strip()
            ]
            if seams:
                paragraph.flags.add("merged")
            if self.in_box:
                paragraph.flags.add("textbox")
            if audio_marks.is_pending(text):
                paragraph.flags.add("audio_pending")
            if paragraph.tab is not None:
                paragraph.claims.append(Claim(paragraph.tab, "tab"))
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
        saved = self.open, self.fields, self.in_box, self.cells
        self.open, self.fields, self.in_box = {}, [], True
        self._container(element)
        self.open, self.fields, self.in_box, self.cells = saved

    # -- inside a paragraph --------------------------------------------------------------------

    def _inline(self, element: etree._Element) -> None:
        self._deeper()
        for child in element:
            self._inline_child(child, local(child.tag))
        self.depth -= 1

    def _inline_child(self, child: etree._Element, name: str) -> None:
        paragraph = self.paragraph
        assert paragraph is not None
        if name == "r":
            self._run(child)
        elif name == "pPr" or name == "proofErr":
            pass
        elif name == "hyperlink":
            self._hyperlink(child)
        elif name in _DEAD:
            paragraph.flags.add("tracked_changes")
            self._dead(child)
        elif name == "sdt":
            self._sdt(child, self._inline)
        elif name == "fldSimple":
            instruction = child.get(f"{self.q}instr", "")
            paragraph.claims.extend(Claim(i, "field") for i in self._ids_in(instruction))
            self._linked(child, link_of(instruction))
        elif name in ("bookmarkStart", "bookmarkEnd", "commentRangeStart"):
            self._event(child, name)
        elif name == "mc:AlternateContent":
            chosen = choice(child)
            if chosen is not None:
                self._inline(chosen)
        elif name == "m:t":
            self._text(child.text or "", hidden=False)
        elif name in _WRAPPERS or name.startswith("m:"):
            if name in ("ins", "moveTo"):
                paragraph.flags.add("tracked_changes")
            self._inline(child)

    def _run(self, run: etree._Element) -> None:
        q = self.q
        paragraph = self.paragraph
        assert paragraph is not None
        hidden = paragraph.hidden
        for child in run:
            name = local(child.tag)
            if name == "t":
                self._text(child.text or "", hidden=hidden)
            elif name == "rPr":
                vanish = child.find(f"{q}vanish")
                if vanish is not None:
                    hidden = is_on(vanish, q)
                else:
                    style = child.find(f"{q}rStyle")
                    said = self.story.styles.get(style.get(f"{q}val")).hidden if style is not None else None
                    hidden = hidden if said is None else said
            else:
                self._run_child(child, name, hidden)

    def _run_child(self, child: etree._Element, name: str, hidden: bool) -> None:
        q = self.q
        paragraph = self.paragraph
        assert paragraph is not None
        if name in ("tab", "ptab"):
            self._text("\t", hidden=hidden)
        elif name in ("br", "cr"):
            self._text("\n", hidden=hidden)
        elif name == "noBreakHyphen":
            self._text("-", hidden=hidden)
        elif name == "sym":
            self._text(symbol(child.get(f"{q}char", "")), hidden=hidden)
        elif name == "fldChar":
            self._field(child.get(f"{q}fldCharType", ""))
        elif name == "instrText":
            if self.fields and self.fields[-1][0] == "code":
                self.fields[-1][1] += child.text or ""
        elif name in ("footnoteReference", "endnoteReference"):
            kind = name.removesuffix("Reference")
            self.story.live_refs.setdefault(kind, set()).add(child.get(f"{q}id", ""))
        elif name == "commentReference":
            paragraph.flags.add("comment_anchored")
        elif name == "mc:AlternateContent":
            chosen = choice(child)
            for inner in chosen if chosen is not None else ():
                inner_name = local(inner.tag)
                if inner_name == "t":
                    self._text(inner.text or "", hidden=hidden)
                else:
                    self._run_child(inner, inner_name, hidden)
        elif name in ("drawing", "pict", "object"):
            self._boxes_in(child, paragraph)
        elif name in _WRAPPERS or name == "r":
            self._inline(child) if name != "r" else self._run(child)

    def _boxes_in(self, element: etree._Element, paragraph: Paragraph) -> None:
        """Text boxes of a drawing, never twice through ``mc:Fallback``."""
        self._deeper()
        for child in element:
            name = local(child.tag)
            if name == "txbxContent":
                paragraph.boxes.append(child)
            elif name == "mc:AlternateContent":
                chosen = choice(child)
                if chosen is not None:
                    self._boxes_in(chosen, paragraph)
            elif name not in _DEAD and len(child):
                self._boxes_in(child, paragraph)
        self.depth -= 1

    def _text(self, text: str, *, hidden: bool) -> None:
        paragraph = self.paragraph
        assert paragraph is not None
        if not text or any(state == "code" for state, _ in self.fields):
            return
        link = len(paragraph.links) - 1 if paragraph.links and paragraph.links[-1] else -1
        if text not in ("\t", "\n"):
            text = text.replace("\n", " ").replace("\r", " ").replace("\t", " ")
        paragraph.pieces.append(Piece(text, hidden, link))
        self.pieces += 1
        if self.pieces > _MAXIMUM_PIECES:
            refuse("too_complex")

    def _hyperlink(self, element: etree._Element) -> None:
        url = ""
        for key, value in element.items():
            if str(key).endswith("}id"):
                url = self.story.links.get(str(value), "") + url
            elif str(key).endswith("}anchor"):
                url += f"#{value!s}"
        self._linked(element, url)

    def _linked(self, element: etree._Element, url: str) -> None:
        paragraph = self.paragraph
        assert paragraph is not None
        audio = audio_marks.is_audio_url(url)
        if audio:
            paragraph.links.append(url)
        pieces = len(paragraph.pieces)
        self._inline(element)
        if len(paragraph.pieces) > pieces:  # the link of a deleted or moved text claims nothing
            self._link_claims(url)
        if audio:
            paragraph.links.append("")

    def _link_claims(self, url: str) -> None:
        if url and self.paragraph is not None:
            self.paragraph.claims.extend(Claim(chunk_id, "link") for chunk_id in self._ids_in(url))

    def _field(self, kind: str) -> None:
        paragraph = self.paragraph
        assert paragraph is not None
        if kind == "begin":
            self.fields.append(["code", ""])
        elif kind in ("separate", "end") and self.fields:
            state, instruction = self.fields[-1]
            if state == "code":
                url = link_of(instruction)
                self._link_claims(url)
                if not url:
                    paragraph.claims.extend(Claim(i, "field") for i in self._ids_in(instruction))
                if kind == "separate" and audio_marks.is_audio_url(url):
                    paragraph.links.append(url)
            if kind == "separate":
                self.fields[-1][0] = "result"
            else:
                if audio_marks.is_audio_url(link_of(instruction)):
                    paragraph.links.append("")
                self.fields.pop()

    # -- marks, deletions, ids -----------------------------------------------------------------

    def _event(self, element: etree._Element, name: str) -> None:
        identifier = element.get(f"{self.q}id", "")
        paragraph = self.paragraph
        if name == "bookmarkStart":
            label = element.get(f"{self.q}name", "")
            chunk_id = chunk_ids.chunk_id_of_bookmark(label) or self._known_bookmark(label)
            if chunk_id is None:
                return
            mark = Mark(
                chunk_id, "_copy_" in label.lower(), self.serial if paragraph is None else paragraph.serial
            )
            self.marks.append(mark)
            self.open[identifier] = mark
            if paragraph is not None:
                paragraph.marks.append(Span(mark, len(paragraph.pieces)))
        elif name == "bookmarkEnd":
            closing = self.open.pop(identifier, None)
            if closing is not None:
                closing.closed = True
                for span in paragraph.marks if paragraph is not None else ():
                    if span.mark is closing and paragraph is not None:
                        span.end = len(paragraph.pieces)
        elif paragraph is not None:
            paragraph.flags.add("comment_anchored")
            ids = self.story.comment_ids.get(identifier, [])
            paragraph.claims.extend(Claim(chunk_id, "comment") for chunk_id in ids)

    def _dead(self, element: etree._Element) -> None:
        """A deleted subtree: only bookmark ends and note references in it matter."""
        for child in element.iter():
            name = local(child.tag)
            if name in ("bookmarkStart", "bookmarkEnd"):
                self._event(child, name)
            elif name in ("footnoteReference", "endnoteReference"):
                kind = name.removesuffix("Reference")
                self.story.dead_refs.setdefault(kind, set()).add(child.get(f"{self.q}id", ""))

    def _ids_in(self, text: str) -> list[str]:
        if not text:
            return []
        known = [part for part in {text.strip(), *_URL_PARTS.split(text)} if part in self.story.known_ids]
        return sorted(known) if known else chunk_ids.find_chunk_ids(text[:4000])

    def _known_bookmark(self, name: str) -> str | None:
        bare = re.sub(r"_Copy_\d+$", "", name)
        for candidate in (bare, bare.removeprefix("_astra_"), bare.removeprefix("_astra")):
            if candidate in self.story.known_ids:
                return candidate
        return None

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > _MAXIMUM_DEPTH:
            refuse("too_complex")
