"""What a piece of minutes is, the check of its marks, and its written forms."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace

_NAME = re.compile(r"[^\W\d_](?s:.*)(?:[^\W_]|\b[^\W\d_]\.)")
KINDS = frozenset({"full", "surname", "given", "initials", "nickname", "split"})
ROLES = frozenset({"official", "citizen", "staff"})


@dataclass(frozen=True)
class Mention:
    """One mention of a person: ``text[start:end]``. ``person`` is unique within the minutes."""

    start: int
    end: int
    kind: str
    person: str
    role: str


@dataclass(frozen=True)
class Minutes:
    """A piece of minutes. Offsets count characters of ``text``; ``country`` is a lower-case ISO 3166 code."""

    text: str
    country: str
    layout: str
    mentions: tuple[Mention, ...]
    protected: tuple[tuple[int, int], ...]


def check(minutes: Minutes) -> None:
    """Raise ValueError, naming the place, where a mark does not lie where a name or a word lies."""
    last = 0
    for mention in minutes.mentions:
        seen = minutes.text[mention.start : mention.end]
        where = f"{minutes.country}/{minutes.layout} at {mention.start}: {seen!r}"
        if mention.kind not in KINDS or mention.role not in ROLES:
            raise ValueError(f"{where}: kind {mention.kind!r} or role {mention.role!r} is unknown")
        if mention.start < last or mention.end <= mention.start or mention.end > len(minutes.text):
            raise ValueError(f"{where}: overlaps the mention before it, is empty or leaves the text")
        if not _NAME.fullmatch(seen):
            raise ValueError(f"{where}: does not begin and end as a name does")
        if _inside_a_word(minutes.text, mention.start, mention.end):
            raise ValueError(f"{where}: begins or ends within a word")
        if mention.kind == "split" and not any(c.isspace() for c in seen):
            raise ValueError(f"{where}: is said to be split, and is in one piece")
        last = mention.end
    for start, end in minutes.protected:
        if not 0 <= start < end <= len(minutes.text):
            raise ValueError(f"{minutes.country}/{minutes.layout}: protected {start}:{end} leaves the text")
        for mention in minutes.mentions:
            if start < mention.end and mention.start < end:
                raise ValueError(
                    f"{minutes.country}/{minutes.layout}: {minutes.text[start:end]!r} is both protected"
                    f" and part of the name {minutes.text[mention.start : mention.end]!r}"
                )


def _inside_a_word(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return (before.isalnum() and text[start].isalnum()) or (after.isalpha() and text[end - 1].isalpha())


def share_without_people(minutes: Minutes) -> float:
    """Share, 0 to 1, of the characters that stand in lines and sentences without any mention."""
    bare, start = 0, 0
    for piece in _sentences(minutes.text):
        end = start + len(piece)
        if not any(start < m.end and m.start < end for m in minutes.mentions):
            bare += len(piece)
        start = end
    return bare / max(1, len(minutes.text))


def _sentences(text: str) -> Iterable[str]:
    piece = ""
    for position, char in enumerate(text):
        piece += char
        following = text[position + 1 : position + 3]
        if char == "\n" or (char == "." and following[:1] == " " and following[1:].isupper()):
            yield piece
            piece = ""
    if piece:
        yield piece


def variants(minutes: Minutes) -> dict[str, Minutes]:
    """The minutes as printed, in capitals, in lower case and as a speech recogniser would write them.

    Capitals and lower case keep every offset: a character whose other case is not exactly one character
    (``ß``, for one) stays as it is. ``asr`` has neither punctuation nor line breaks; its marks move.
    """
    return {
        "printed": minutes,
        "capitals": replace(minutes, text="".join(_one(c, c.upper()) for c in minutes.text)),
        "lower": replace(minutes, text="".join(_one(c, c.lower()) for c in minutes.text)),
        "asr": _as_recognised(minutes),
    }


def _one(char: str, other: str) -> str:
    return other if len(other) == 1 else char


def _as_recognised(minutes: Minutes) -> Minutes:
    text: list[str] = []
    place: list[int] = []
    for position, char in enumerate(minutes.text):
        place.append(len(text))
        if char.isalnum() and char not in "ªº":
            text.append(_one(char, char.lower()))
        elif _drops_without_a_gap(minutes.text, position):
            continue
        elif text and text[-1] != " ":
            text.append(" ")
    place.append(len(text))
    joined = "".join(text)
    mentions = []
    for mention in minutes.mentions:
        start, end = _trim(joined, place[mention.start], place[mention.end])
        if start < end:
            mentions.append(replace(mention, start=start, end=end))
    spans = [_trim(joined, place[start], place[end]) for start, end in minutes.protected]
    return replace(
        minutes,
        text=joined,
        mentions=tuple(mentions),
        protected=tuple((start, end) for start, end in spans if start < end),
    )


def _drops_without_a_gap(text: str, position: int) -> bool:
    """Apostrophes, combining marks, the dot of ``l·l`` and a hyphen at a line's end leave no gap."""
    char, rest = text[position], text[position + 1 : position + 2]
    before = text[position - 1 : position]
    if char in "'’·":
        return before.isalpha() and rest.isalpha()
    if char in "ªº" or unicodedata.combining(char):
        return True
    if char == "-" and rest == "\n":
        return before.isalpha()
    return char == "\n" and before == "-" and text[position - 2 : position - 1].isalpha()


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] == " ":
        start += 1
    while end > start and text[end - 1] == " ":
        end -= 1
    return start, end
