"""Text as the detectors should see it, with the way back to the original offsets.

A zero-width space inside a name, a Cyrillic ``е`` in it, a combining accent, ``&iacute;`` or a ``<b>``
must not hide it. :func:`clean` undoes these for detection only; a span found in the cleaned text is
mapped back, and everything outside the spans stays as it was, byte for byte.
"""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass

from astra_learn_assets.spanish.placeholder import PLACEHOLDER

_BREAKING_TAGS = frozenset(["br", "p", "div", "li", "tr", "td", "th", "h1", "h2", "h3"])
INLINE_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]{0,9}\s*/?>")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});")
_INVISIBLE = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e0fff\U0001d173-\U0001d17a"
)
_SPECIAL = re.compile(
    rf"[{_INVISIBLE}\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u0370-\u04ff"
    r"\u0530-\u058f\u1e00-\u1eff\u13a0-\u13ff\u1d00-\u1d7f\u1f00-\u1fff\u2000-\u200a\u2010-\u2015"
    r"\u2028\u2029\u202f\u205f\u2100-\u214f\u2460-\u24ff\u3000\ua4d0-\ua4ff\ufb00-\ufb06\uff01-\uffee"
    r"\U0001d400-\U0001d7ff\U0001f100-\U0001f1ff\u00a0<&]"
)
_SPECIAL_LATIN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\xa0<&]".encode("latin-1")
)  # of these, Latin-1's
_INVISIBLE_CHAR = re.compile(rf"[{_INVISIBLE}]")
# Letters of other scripts that print like Latin ones (from Unicode's confusables, the common part).
_CONFUSABLE = dict(
    zip(
        "АВЕЗІЈКМНОРСТУХЅԌԚԜаеоорсухіјѕԁһӏɡԛԝвкмнтёЁïЇґΑΒΕΖΗΙΚΜΝΟΡΤΥΧαονρυικτγϲ",
        "ABE3IJKMHOPCTYXSGQWaeoopcyxijsdhlgqwbkmhteEiIrABEZHIKMNOPTYXaovpuiktyc",
        strict=True,
    )
)
_CONFUSABLE.update(zip("ӧӦӓӒάέίόύΆΈΊΌΎіıɑⅼ", "oOaAaeiouAEIOYiial", strict=True))


_DASHES_AND_SPACES = "\u2010\u2011\u2012\u2013\u2014\u2015\u00a0\u202f"
_PLAIN = str.maketrans(_DASHES_AND_SPACES, "------  ")


@dataclass(frozen=True)
class Cleaned:
    """``text`` for detectors; character ``i`` came from ``original[starts[i]:ends[i]]``.

    ``starts`` is None when the text needed no change and offsets are the same.
    """

    original: str
    text: str
    starts: tuple[int, ...] | None = None
    ends: tuple[int, ...] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original span of a non-empty cleaned span."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def clean(text: str) -> Cleaned:
    """The detectors' view of ``text``; constant time per character, identity for ordinary text."""
    if _is_plain(text):
        return Cleaned(text, text)
    plain = text.translate(_PLAIN)
    if _SPECIAL.search(PLACEHOLDER.sub("", plain) if "<" in plain else plain) is None:
        return Cleaned(text, plain)
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at, size = 0, len(text)
    while at < size:
        end, value = _next(text, at)
        if value and unicodedata.combining(value[0]) and characters:
            composed = unicodedata.normalize("NFC", characters[-1] + value)
            characters[-1] = composed if len(composed) == 1 else characters[-1]
            ends[-1] = end
        else:
            for character in value:
                characters.append(character)
                starts.append(at)
                ends.append(end)
        at = end
    return Cleaned(text, _latin(characters), tuple(starts), tuple(ends))


def _is_plain(text: str) -> bool:
    """Whether nothing in ``text`` is special, nor changed by :data:`_PLAIN` (all of them special)."""
    try:
        return _SPECIAL_LATIN.search(text.encode("latin-1")) is None  # most texts, in a tenth of the time
    except UnicodeEncodeError:
        return _SPECIAL.search(text) is None


def _next(text: str, at: int) -> tuple[int, str]:
    """The end of the next unit and what the detectors see for it."""
    character = text[at]
    if character == "<":
        placeholder = PLACEHOLDER.match(text, at)
        if placeholder:
            return at + 1, character
        tag = INLINE_TAG.match(text, at)
        if tag:
            name = tag[0].strip("</> ").lower()
            return tag.end(), "\n" if name in _BREAKING_TAGS else ""
    elif character == "&":
        entity = _ENTITY.match(text, at)
        if entity:
            value = html.unescape(entity[0])
            if len(value) == 1 and value != "&":
                return entity.end(), _plain(value)
    return at + 1, _plain(character)


def _plain(character: str) -> str:
    if character < "\x7f":
        return "" if _INVISIBLE_CHAR.match(character) else character
    if _INVISIBLE_CHAR.match(character):
        return ""
    if character in "\u2010\u2011\u2012\u2013\u2014\u2015":
        return "-"
    if character in "\u2028\u2029":
        return "\n"
    if unicodedata.category(character) == "Zs":
        return " "
    if "ª" <= character <= "º":
        return character
    compatible = unicodedata.normalize("NFKC", character)
    return compatible if len(compatible) <= 3 else character


def _latin(characters: list[str]) -> str:
    """Join, with look-alikes replaced in words that mix scripts or hold nothing but look-alikes."""
    text = "".join(characters)
    if not any(c in _CONFUSABLE for c in text):
        return text

    def word(match: re.Match[str]) -> str:
        value = match[0]
        foreign = [c for c in value if c in _CONFUSABLE]
        others = [c for c in value if c.isalpha() and c not in _CONFUSABLE]
        if foreign and all(unicodedata.name(c, "").startswith("LATIN") for c in others):
            return "".join(_CONFUSABLE.get(c, c) for c in value)
        return value

    return re.sub(r"\w+", word, text)
