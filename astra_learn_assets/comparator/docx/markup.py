"""Small readings of the XML: names, branches, symbols, field codes. None of them knows a paragraph."""

from __future__ import annotations

import re

from lxml import etree

from astra_learn_assets.comparator.docx import chunk_ids
from astra_learn_assets.comparator.docx.blocks import Unread

_MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"
_MATH = (
    "http://schemas.openxmlformats.org/officeDocument/2006/math",
    "http://purl.oclc.org/ooxml/officeDocument/math",
)
_FIELD_LINK = re.compile(r'HYPERLINK\s+(?:\\l\s+)?"([^"]{1,2000})"', re.IGNORECASE)

_LOCAL: dict[object, str] = {}


def local(tag: object) -> str:
    """Local name of a WordprocessingML, markup-compatibility or math element, "" for anything else."""
    name = _LOCAL.get(tag)
    if name is None:
        name = ""
        if isinstance(tag, str):
            qualified = etree.QName(tag)
            if qualified.namespace in (chunk_ids.W, chunk_ids.W_STRICT):
                name = qualified.localname
            elif qualified.namespace == _MC:
                name = f"mc:{qualified.localname}"
            elif qualified.namespace in _MATH:
                name = f"m:{qualified.localname}"
            if len(_LOCAL) < 10_000:  # names come from strangers
                _LOCAL[tag] = name
    return name


def choice(element: etree._Element) -> etree._Element | None:
    """The branch of ``mc:AlternateContent`` that is shown."""
    fallback = None
    for child in element:
        name = local(child.tag)
        if name == "mc:Choice":
            return child
        if name == "mc:Fallback":
            fallback = child
    return fallback


def symbol(code: str) -> str:
    """``w:sym``: symbol fonts live at U+F000; below that the character stands for itself."""
    if not re.fullmatch(r"[0-9A-Fa-f]{1,6}", code):
        return ""
    value = int(code, 16)
    return chr(value) if 32 <= value < 0x110000 and not 0xD800 <= value < 0xE000 else ""


_FOREIGN: dict[tuple[str, str], Unread] = {
    ("chart", "chart"): "chart",
    ("chartex", "chart"): "chart",
    ("diagram", "relIds"): "smartart",
    ("office:office", "OLEObject"): "embedded",
}


def unread_of(tag: object) -> Unread | None:
    """What is drawn by another part or program than the text's: charts, SmartArt, embedded objects."""
    if not isinstance(tag, str):
        return None
    qualified = etree.QName(tag)
    space = (qualified.namespace or "").rpartition("/")[2].rpartition("-com:")[2]
    return _FOREIGN.get((space, qualified.localname))


def word_art(element: etree._Element) -> str:
    """What WordArt of older documents says: it stands in an attribute (watermarks do, too)."""
    tag = element.tag
    if isinstance(tag, str) and tag.endswith("}textpath") and "vml" in tag:
        return element.get("string", "")
    return ""


def tab_positions(tabs: etree._Element, q: str) -> list[int]:
    """Tab stops in twips; a stop that a style set and the paragraph cleared is none."""
    where, what = f"{q}pos", f"{q}val"
    stops = [tab.get(where, "").partition(".")[0] for tab in tabs if tab.get(what) != "clear"]
    return [int(position) for position in stops if position.isdecimal() and len(position) < 7]


def link_of(instruction: str) -> str:
    """Target of a HYPERLINK field, or ""."""
    match = _FIELD_LINK.search(instruction)
    return match.group(1) if match else ""
