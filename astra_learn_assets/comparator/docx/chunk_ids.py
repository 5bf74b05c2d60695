"""Chunk ids: how a paragraph of a Word file remembers which stretch of audio it came from.

An id is 13 characters, ``c`` + 12 of Crockford's base 32, holding 60 bits::

    index in the draft (20) | tag of the document_id (25) | checksum over both (15)

so an id found in a file can be checked without asking anyone: a damaged one fails the checksum,
one pasted from another document fails the tag. Ids are untrusted input all the same.

Editors throw hidden things away, so the id travels on three carriers at once, each of which
survives what kills another (measured through LibreOffice 7.4 and 25.2 and Word):

* a bookmark ``_astra_<id>`` around the paragraph's content; dies when the paragraph is retyped,
  comes back as ``_astra_<id>_Copy_1`` when pasted;
* six tab stops right of any page, whose positions spell the id; they belong to the paragraph, so
  they survive retyping, but a new paragraph made with Enter inherits them;
* a hidden run ``[#<id>]`` at the start; one at the end would make text typed after it hidden.

Which carrier is believed when they disagree is decided in ``arbitration``, not here.
"""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Iterable
from functools import lru_cache
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

from lxml import etree

from astra_learn_assets.errors import InvalidId

if TYPE_CHECKING:
    from docx.document import Document as DocxDocument

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
W_STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
BOOKMARK_PREFIX = "_astra_"
DOCUMENT_PROPERTY = "astra_document_id"
MAXIMUM_INDEX = (1 << 20) - 1

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_BASE_32 = str.maketrans(_ALPHABET, f"{string.digits}{string.ascii_lowercase}"[:32])  # as int() reads it
_TAG_BITS, _CHECK_BITS = 25, 15
_LENGTH = 12
_CHUNK_ID = re.compile(rf"c[{_ALPHABET}]{{{_LENGTH}}}")
_ANYWHERE = re.compile(rf"(?<![0-9a-z])c[{_ALPHABET}]{{{_LENGTH}}}(?![0-9a-z])", re.IGNORECASE)
_HIDDEN = re.compile(rf"\[#(c[{_ALPHABET}]{{{_LENGTH}}})\]")
_OPENING, _CLOSING = f"[{{(#:<{string.whitespace}", f"]}})>{string.whitespace}"
_BOOKMARK = re.compile(rf"_astra_?(c[{_ALPHABET}]{{{_LENGTH}}})", re.IGNORECASE)

# Word allows tab stops up to 31,680 twips (22 inches); the text area of A3 landscape ends before
# 20,000 measured from its margin. LibreOffice rounds through 1/100 mm: one twip either way.
TAB_COUNT = 6
_TAB_FIRST, _TAB_LAST, _TAB_STEP = 20_000, 31_680, 3
_TAB_SLOTS = (_TAB_LAST - _TAB_FIRST) // _TAB_STEP + 1

_CUSTOM = "http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"
_VT = "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"
_CUSTOM_TYPE = "application/vnd.openxmlformats-officedocument.custom-properties+xml"
_CUSTOM_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/custom-properties"
_PROPERTY_FMTID = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"


def mint_chunk_id(document_id: str, index: int) -> str:
    """The id of chunk number ``index`` (from 0) of ``document_id``; a pure function of both.

    Raises:
        InvalidId: when ``index`` is outside 0..1,048,575.
    """
    if isinstance(index, bool) or not 0 <= index <= MAXIMUM_INDEX:
        raise InvalidId(f"invalid chunk index {index!r:.20}: expected 0 to {MAXIMUM_INDEX}")
    payload = (index << _TAG_BITS) | _document_tag(document_id)
    return _encode((payload << _CHECK_BITS) | _checksum(payload))


def is_chunk_id(value: str) -> bool:
    """Whether ``value`` has the form of a chunk id and its checksum holds."""
    return bool(_CHUNK_ID.fullmatch(value)) and _valid(_decode(value))


def find_chunk_ids(text: str) -> list[str]:
    """Every valid id in ``text`` in order: SDT tags, link URLs, comments, fields of older drafts."""
    return [found for found in (m.group().lower() for m in _ANYWHERE.finditer(text)) if is_chunk_id(found)]


def strip_chunk_ids(text: str) -> tuple[str, list[str]]:
    """``text`` without bare ids and the brackets and spaces around them, and the ids, each once."""
    kept: list[str] = []
    found: dict[str, None] = {}
    last = 0
    for match in _ANYWHERE.finditer(text):
        chunk_id = match.group().lower()
        if not is_chunk_id(chunk_id):
            continue
        kept.append(_between(text[last : match.start()], opened=bool(found)).rstrip(_OPENING))
        found[chunk_id] = None
        last = match.end()
    kept.append(_between(text[last:], opened=bool(found)))
    return "".join(kept), list(found)


def _between(text: str, *, opened: bool) -> str:
    return text.lstrip(_CLOSING) if opened else text


def chunk_id_of_bookmark(name: str) -> str | None:
    """The id a bookmark carries; ``_Copy_1`` and other suffixes of pasted duplicates are ignored."""
    match = _BOOKMARK.match(name)
    found = match.group(1).lower() if match else None
    return found if found is not None and is_chunk_id(found) else None


def strip_hidden_tokens(text: str) -> tuple[str, list[str]]:
    """``text`` without ``[#id]`` tokens, and the ids; tokens with a broken checksum stay as text.

    "Clear formatting" makes a hidden token visible, so this runs over visible text as well.
    """
    if "[#c" not in text:
        return text, []
    found: list[str] = []

    def take(match: re.Match[str]) -> str:
        if not is_chunk_id(match.group(1)):
            return match.group()
        found.append(match.group(1))
        return ""

    return _HIDDEN.sub(take, text), found


def tab_positions(chunk_id: str) -> tuple[int, ...]:
    """Six ascending positions in twips that spell ``chunk_id`` (combinatorial number system).

    Editors sort tab stops, so a code by order would be lost; a set of six slots out of 3,894 has
    no order to lose and still holds 62 bits (Knuth, TAOCP 4A, 7.2.1.3, combinadics).

    Raises:
        InvalidId: when ``chunk_id`` is not valid.
    """
    if not is_chunk_id(chunk_id):
        raise InvalidId(f"invalid chunk id {chunk_id!r:.40}")
    rest = _decode(chunk_id)
    slots: list[int] = []
    high = _TAB_SLOTS
    for size in range(TAB_COUNT, 0, -1):
        low, top = size - 1, high
        while top - low > 1:  # largest slot with comb(slot, size) <= rest
            middle = (low + top) // 2
            low, top = (middle, top) if comb(middle, size) <= rest else (low, middle)
        slots.append(low)
        rest -= comb(low, size)
        high = low
    return tuple(_TAB_FIRST + _TAB_STEP * slot for slot in reversed(slots))


def chunk_id_of_tabs(positions: Iterable[int]) -> str | None:
    """The id spelled by a paragraph's tab stops, or None. Stops on the page are ignored.

    A style may add an off-page stop or two of its own: up to eight are searched for the six
    whose checksum holds; two answers are no answer.
    """
    slots = sorted(
        {
            round((position - _TAB_FIRST) / _TAB_STEP)
            for position in positions
            if _TAB_FIRST - 1 <= position <= _TAB_LAST + 1
        }
    )
    if not TAB_COUNT <= len(slots) <= TAB_COUNT + 2:
        return None
    found = set()
    for chosen in combinations(slots, TAB_COUNT):
        value = sum(comb(slot, size) for size, slot in enumerate(chosen, start=1))
        if value >> 60 == 0 and _valid(value):
            found.add(_encode(value))
    return found.pop() if len(found) == 1 else None


def write_chunk_id(paragraph: etree._Element, chunk_id: str, *, bookmark_id: int) -> None:
    """Put ``chunk_id`` on a ``w:p`` element by all three carriers.

    Call it last, when the paragraph has its properties and text. ``bookmark_id`` must be unique
    in the document. A paragraph that holds a tab character gets no tab stops, since they would
    draw its text off the page. An audio link belongs at the paragraph's start: text after a
    deleted link at the end would become part of it in LibreOffice.

    Raises:
        InvalidId: when ``chunk_id`` is not valid or ``paragraph`` is no paragraph.
    """
    positions = tab_positions(chunk_id)
    name = etree.QName(paragraph)
    if name.localname != "p" or name.namespace not in (W, W_STRICT):
        raise InvalidId("a chunk id can only be written on a w:p element")
    q = f"{{{name.namespace}}}"
    properties = paragraph.find(f"{q}pPr")
    if properties is None:
        properties = etree.Element(f"{q}pPr")
        paragraph.insert(0, properties)
    if paragraph.find(f".//{q}r/{q}tab") is None:
        tabs = properties.find(f"{q}tabs")
        if tabs is None:
            tabs = etree.Element(f"{q}tabs")
            properties.insert(_place_of_tabs(properties, q), tabs)
        for position in positions:
            etree.SubElement(tabs, f"{q}tab", {f"{q}val": "left", f"{q}pos": str(position)})
    start = etree.Element(
        f"{q}bookmarkStart", {f"{q}id": str(bookmark_id), f"{q}name": BOOKMARK_PREFIX + chunk_id}
    )
    hidden = etree.Element(f"{q}r")
    run_properties = etree.SubElement(hidden, f"{q}rPr")
    etree.SubElement(run_properties, f"{q}noProof")
    etree.SubElement(run_properties, f"{q}vanish")
    etree.SubElement(hidden, f"{q}t").text = f"[#{chunk_id}]"
    after = paragraph.index(properties) + 1
    paragraph.insert(after, start)
    paragraph.insert(after + 1, hidden)
    paragraph.append(etree.Element(f"{q}bookmarkEnd", {f"{q}id": str(bookmark_id)}))


def write_document_id(document: DocxDocument, document_id: str) -> None:
    """Store ``document_id`` in ``docProps/custom.xml`` of a python-docx document, replacing one there."""
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part

    package = document.part.package
    assert package is not None
    part = next((r.target_part for r in package.rels.values() if r.reltype == _CUSTOM_RELATION), None)
    if part is None:
        part = Part(PackURI("/docProps/custom.xml"), _CUSTOM_TYPE, b"", package)
        package.relate_to(part, _CUSTOM_RELATION)
        root = etree.fromstring(f'<Properties xmlns="{_CUSTOM}" xmlns:vt="{_VT}"/>')
    else:
        root = etree.fromstring(part.blob, etree.XMLParser(resolve_entities=False, no_network=True))
        for old in [e for e in root if e.get("name") == DOCUMENT_PROPERTY]:
            root.remove(old)
    used = [int(e.get("pid", "1")) for e in root if e.get("pid", "").isdigit()]
    entry = etree.SubElement(
        root,
        f"{{{_CUSTOM}}}property",
        {"fmtid": _PROPERTY_FMTID, "pid": str(max([1, *used]) + 1), "name": DOCUMENT_PROPERTY},
    )
    etree.SubElement(entry, f"{{{_VT}}}lpwstr").text = document_id
    part._blob = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def _place_of_tabs(properties: etree._Element, q: str) -> int:
    """``w:tabs`` has its fixed place in the schema's sequence of ``w:pPr``."""
    before = {
        f"{q}{name}"
        for name in (
            "pStyle",
            "keepNext",
            "keepLines",
            "pageBreakBefore",
            "framePr",
            "widowControl",
            "numPr",
            "suppressLineNumbers",
            "pBdr",
            "shd",
        )
    }
    place = 0
    for position, child in enumerate(properties):
        if child.tag in before:
            place = position + 1
    return place


@lru_cache(maxsize=4096)
def _document_tag(document_id: str) -> int:
    digest = hashlib.sha256(b"astra-document:" + document_id.encode()).digest()
    return int.from_bytes(digest[:4], "big") >> (32 - _TAG_BITS)


def _checksum(payload: int) -> int:
    digest = hashlib.sha256(b"astra-chunk:" + payload.to_bytes(8, "big")).digest()
    return int.from_bytes(digest[:2], "big") >> (16 - _CHECK_BITS)


@lru_cache(maxsize=16_384)  # an id comes on three carriers, in the draft and in each final
def _valid(value: int) -> bool:
    return _checksum(value >> _CHECK_BITS) == value & ((1 << _CHECK_BITS) - 1)


def _encode(value: int) -> str:
    return "c" + "".join(_ALPHABET[(value >> shift) & 31] for shift in range(5 * (_LENGTH - 1), -1, -5))


def _decode(chunk_id: str) -> int:
    return int(chunk_id[1:].translate(_BASE_32), 32)
