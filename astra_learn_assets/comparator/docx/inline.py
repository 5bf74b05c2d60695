"""Inside a paragraph: runs, links, fields, content controls, and the marks that carry chunk ids.

:mod:`walker` opens and ends paragraphs and says which rules decide what is live; here the pieces of the
open paragraph are gathered.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from lxml import etree

from astra_learn_assets.comparator.docx import audio_marks, chunk_ids
from astra_learn_assets.comparator.docx.admission import refuse
from astra_learn_assets.comparator.docx.blocks import Carrier, Claim, PartKind, Unread
from astra_learn_assets.comparator.docx.markup import choice, link_of, local, symbol, unread_of, word_art
from astra_learn_assets.comparator.docx.paragraph import Made, Mark, Paragraph, Piece
from astra_learn_assets.comparator.docx.styles import Styles, is_on

_MAXIMUM_DEPTH = 150  # nested calls; Word itself stops far earlier
_MAXIMUM_PARAGRAPHS = 100_000  # empty ones included; minutes have some thousands
_MAXIMUM_TEXTS = 12_000  # ten hours of session fill some 5,000; a cell of a table is one too
_MAXIMUM_PIECES = 400_000
_MAXIMUM_CLAIMS = 200_000  # a paragraph has one id or a few, on three carriers
_INSTRUCTION = 4_000  # characters of a field's code that are looked at
WRAPPERS = frozenset(
    {"ins", "moveTo", "smartTag", "customXml", "fldSimple", "dir", "bdo", "ruby", "rubyBase", "rt"}
)
DEAD = frozenset({"del", "moveFrom"})
_URL_PARTS = re.compile(r"[/?#&=]")


@dataclass
class Budget:
    """What a whole document may hold; each count goes down, and below zero the document is refused.

    Beyond these numbers nothing is minutes any more, and all that follows costs in proportion to them.
    """

    paragraphs: int = _MAXIMUM_PARAGRAPHS
    texts: int = _MAXIMUM_TEXTS
    pieces: int = _MAXIMUM_PIECES
    claims: int = _MAXIMUM_CLAIMS

    def check(self) -> None:
        """Refuse what has spent too much."""
        if min(self.paragraphs, self.texts, self.pieces, self.claims) < 0:
            refuse("too_complex")


@dataclass
class Story:
    """What the walk of one part needs to know, and the note references it found."""

    kind: PartKind
    styles: Styles
    links: Mapping[str, str]
    comment_ids: Mapping[str, Sequence[str]]
    known_ids: frozenset[str]
    budget: Budget
    dead_notes: set[str]
    live_refs: dict[str, set[str]] = field(default_factory=dict)
    dead_refs: dict[str, set[str]] = field(default_factory=dict)
    unread: Counter[Unread] = field(default_factory=Counter)


class InlineWalker:
    """The state of a walk through one part, and what happens inside its paragraphs."""

    def __init__(self, root: etree._Element, story: Story) -> None:
        self.story = story
        self.q = f"{{{etree.QName(root).namespace}}}"
        self.made: list[Made] = []
        self.marks: list[Mark] = []
        self.open: dict[str, Mark] = {}
        self.open_names: dict[str, str] = {}  # name of an open bookmark -> its key in ``open``
        self.fields: list[list[str]] = []  # [state "code"|"result", instruction]
        self.codes = 0  # fields in state "code": all were opened in this paragraph
        self.field_base = 0  # fields below were there before this paragraph
        self.cells: tuple[tuple[int, int, int], ...] = ()
        self.tables = 0
        self.serial = 0
        self.depth = 0
        self.in_box = False
        self.sdt_ids: list[str] = []
        self.headings: list[tuple[int, str]] = []
        self.paragraph: Paragraph | None = None

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
        elif name in DEAD:
            paragraph.flags.add("tracked_changes")
            self._dead(child)
        elif name == "sdt":
            self._sdt(child, self._inline)
        elif name == "fldSimple":
            instruction = child.get(f"{self.q}instr", "")
            self._claim(paragraph, self._ids_in(instruction), "field")
            self._linked(child, link_of(instruction))
        elif name in ("bookmarkStart", "bookmarkEnd", "commentRangeStart"):
            self._event(child, name)
        elif name == "mc:AlternateContent":
            chosen = choice(child)
            if chosen is not None:
                self._inline(chosen)
        elif name == "m:t":
            self._text(child.text or "", hidden=False)
        elif name in WRAPPERS or name.startswith("m:"):
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
            if self.fields and self.fields[-1][0] == "code" and len(self.fields[-1][1]) < _INSTRUCTION:
                self.fields[-1][1] += (child.text or "")[:_INSTRUCTION]
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
        elif name in WRAPPERS or name == "r":
            self._inline(child) if name != "r" else self._run(child)

    def _boxes_in(self, element: etree._Element, paragraph: Paragraph) -> None:
        """Text boxes of a drawing, never twice through ``mc:Fallback``."""
        self._deeper()
        for child in element:
            name = local(child.tag)
            if not name:
                what = unread_of(child.tag)
                if what is not None:
                    self.story.unread[what] += 1
                elif word_art(child):
                    paragraph.boxes.append(child)
            if name == "txbxContent":
                paragraph.boxes.append(child)
            elif name == "mc:AlternateContent":
                chosen = choice(child)
                if chosen is not None:
                    self._boxes_in(chosen, paragraph)
            elif name not in DEAD and len(child):
                self._boxes_in(child, paragraph)
        self.depth -= 1

    def _text(self, text: str, *, hidden: bool) -> None:
        paragraph = self.paragraph
        assert paragraph is not None
        if not text or self.codes:
            return
        link = len(paragraph.links) - 1 if paragraph.links and paragraph.links[-1] else -1
        if text not in ("\t", "\n"):
            text = text.replace("\n", " ").replace("\r", " ").replace("\t", " ")
        paragraph.pieces.append(Piece(text, hidden, link))
        self.story.budget.pieces -= 1
        if self.story.budget.pieces < 0:
            self.story.budget.check()

    def _claim(self, paragraph: Paragraph, chunk_ids_found: Sequence[str], carrier: Carrier) -> None:
        self.story.budget.claims -= len(chunk_ids_found)
        self.story.budget.check()
        paragraph.claims.extend([Claim(chunk_id, carrier) for chunk_id in chunk_ids_found])

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
            self._claim(self.paragraph, self._ids_in(url), "link")

    def _field(self, kind: str) -> None:
        paragraph = self.paragraph
        assert paragraph is not None
        if kind == "begin":
            self.fields.append(["code", ""])
            self.codes += 1
        elif kind in ("separate", "end") and self.fields:
            state, instruction = self.fields[-1]
            if state == "code":
                url = link_of(instruction)
                self._link_claims(url)
                if not url:
                    self._claim(paragraph, self._ids_in(instruction), "field")
                if kind == "separate" and audio_marks.is_audio_url(url):
                    paragraph.links.append(url)
            self.codes -= state == "code"
            if kind == "separate":
                self.fields[-1][0] = "result"
            else:
                if audio_marks.is_audio_url(link_of(instruction)):
                    paragraph.links.append("")
                self.fields.pop()
                self.field_base = min(self.field_base, len(self.fields))

    def _close_codes(self) -> None:
        """A field code does not go beyond its paragraph; an unclosed one must not hide the rest."""
        if self.codes:
            self.fields[self.field_base :] = [f for f in self.fields[self.field_base :] if f[0] == "result"]
            self.codes = 0
        self.field_base = len(self.fields)

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
            self._claim(self.paragraph, ids, "sdt")
        into(content)
        if ids:
            del self.sdt_ids[-len(ids) :]

    def _event(self, element: etree._Element, name: str) -> None:
        identifier = element.get(f"{self.q}id", "")
        paragraph = self.paragraph
        if name == "bookmarkStart":
            label = element.get(f"{self.q}name", "")
            chunk_id = chunk_ids.chunk_id_of_bookmark(label) or self._known_bookmark(label)
            if chunk_id is None:
                return
            torn = self.open_names.get(label)
            if torn is not None:  # LibreOffice 7.4 starts a bookmark over three paragraphs twice
                self._open_mark(identifier, self._take_mark(torn))
                return
            self.story.budget.claims -= 1
            self.story.budget.check()
            first = self.serial if paragraph is None else paragraph.serial
            mark = Mark(label, chunk_id, first)
            self.marks.append(mark)
            self._open_mark(identifier, mark)
            if paragraph is not None:
                paragraph.cover(mark, len(paragraph.pieces))
        elif name == "bookmarkEnd":
            closing = self._take_mark(identifier)
            if closing is not None:
                closing.closed = True
                span = closing.last
                if paragraph is not None and span is not None and span.serial == paragraph.serial:
                    span.end = len(paragraph.pieces)
        elif paragraph is not None:
            paragraph.flags.add("comment_anchored")
            self._claim(paragraph, self.story.comment_ids.get(identifier, ()), "comment")

    def _open_mark(self, identifier: str, mark: Mark | None) -> None:
        if mark is not None:
            self._take_mark(identifier)  # a second start under one number: the first stays unclosed
            self.open[identifier] = mark
            self.open_names[mark.name] = identifier

    def _take_mark(self, identifier: str) -> Mark | None:
        mark = self.open.pop(identifier, None)
        if mark is not None:
            del self.open_names[mark.name]
        return mark

    def _dead(self, element: etree._Element) -> None:
        """A deleted subtree: only bookmark ends, note references and the marks of fields that are partly
        live matter in it: a deleted "separate" must not leave the live result looking like a code."""
        own = 0
        for child in element.iter():
            name = local(child.tag)
            if name in ("bookmarkStart", "bookmarkEnd"):
                self._event(child, name)
            elif name == "fldChar":
                kind = child.get(f"{self.q}fldCharType", "")
                if kind == "begin":
                    own += 1
                elif own == 0 and self.paragraph is not None:
                    self._field(kind)
                elif kind == "end":
                    own -= 1
            elif name in ("footnoteReference", "endnoteReference"):
                kind = name.removesuffix("Reference")
                self.story.dead_refs.setdefault(kind, set()).add(child.get(f"{self.q}id", ""))
        self.fields.extend(["result", ""] for _ in range(own))

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
