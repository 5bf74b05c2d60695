"""The little of ``styles.xml`` that decides what is text: hidden styles, headings, list levels."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

_HEADING = re.compile(r"(?:heading|t[ií]tulo|encabezado|überschrift|titre)\s*([1-9])", re.IGNORECASE)
_OFF = frozenset({"0", "false", "off"})


@dataclass(frozen=True)
class Style:
    """``None`` = says nothing of its own."""

    based_on: str | None = None
    heading_level: int | None = None
    list_level: int | None = None
    hidden: bool | None = None


class Styles:
    """Style id -> what it means, its ancestors considered."""

    def __init__(self, styles: dict[str, Style]) -> None:
        self._resolved: dict[str, Style] = {}
        for style_id in styles:
            chain: list[str] = []
            seen: set[str] = set()
            current: str | None = style_id
            while current in styles and current not in self._resolved and current not in seen:
                seen.add(current)
                chain.append(current)
                current = styles[current].based_on
            # What ends a chain: a style known already, an unknown one, or the chain itself in a circle.
            above = self.get(current)
            for name in reversed(chain):
                own = styles[name]
                above = Style(
                    None,
                    above.heading_level if own.heading_level is None else own.heading_level,
                    above.list_level if own.list_level is None else own.list_level,
                    above.hidden if own.hidden is None else own.hidden,
                )
                self._resolved[name] = above

    def get(self, style_id: str | None) -> Style:
        """What ``style_id`` means; an unknown id means nothing."""
        return self._resolved.get(style_id or "", _NOTHING)


_NOTHING = Style()


def is_on(element: etree._Element, q: str) -> bool:
    """Whether a toggle such as ``w:vanish`` is on."""
    return element.get(f"{q}val", "1").lower() not in _OFF


def parse_styles(root: etree._Element) -> Styles:
    """Read ``w:styles``, transitional or strict."""
    q = f"{{{etree.QName(root).namespace}}}"
    styles: dict[str, Style] = {}
    for element in root.iterchildren(f"{q}style"):
        style_id = element.get(f"{q}styleId")
        if style_id is None:
            continue
        name = element.find(f"{q}name")
        based_on = element.find(f"{q}basedOn")
        outline = element.find(f"{q}pPr/{q}outlineLvl")
        level = element.find(f"{q}pPr/{q}numPr/{q}ilvl")
        numbered = element.find(f"{q}pPr/{q}numPr")
        vanish = element.find(f"{q}rPr/{q}vanish")
        heading = _HEADING.match(name.get(f"{q}val", "")) if name is not None else None
        styles[style_id] = Style(
            based_on=based_on.get(f"{q}val") if based_on is not None else None,
            heading_level=int(heading.group(1)) if heading else outline_level(outline, q),
            list_level=_number(level, q) if level is not None else (0 if numbered is not None else None),
            hidden=is_on(vanish, q) if vanish is not None else None,
        )
    return Styles(styles)


def outline_level(element: etree._Element | None, q: str) -> int | None:
    """1..9 of ``w:outlineLvl``; 9 in the file means body text."""
    value = _number(element, q) if element is not None else None
    return value + 1 if value is not None and 0 <= value < 9 else None


def _number(element: etree._Element, q: str) -> int | None:
    value = element.get(f"{q}val", "")
    return int(value) if value.isdecimal() and len(value) < 4 else None
