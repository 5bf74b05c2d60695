"""Turns each ``handwritten*.txt`` into ``.jsonl``: ``python -m benchmarks.foreign_minutes.handwritten``.

A piece begins with ``=== country layout``. ``{f3:Juana Soto}`` marks a mention of the piece's third person;
the letter is the kind: f full, s surname, g given, i initials, n nickname, x split by the end of a line.
"""

import json
import re
from collections import Counter
from pathlib import Path

from .minutes import Mention, Minutes, check

SOURCE = Path(__file__).with_name("handwritten.txt")
SOURCE_2 = Path(__file__).with_name("handwritten_2.txt")
SOURCE_3 = Path(__file__).with_name("handwritten_3.txt")
SOURCE_4 = Path(__file__).with_name("handwritten_4.txt")
SOURCE_5 = Path(__file__).with_name("handwritten_5.txt")
KIND_OF = {"f": "full", "s": "surname", "g": "given", "i": "initials", "n": "nickname", "x": "split"}
_MARK = re.compile(r"\{([fsginx])(\d+):([^{}]+)\}")


def handwritten(source: Path = SOURCE) -> list[Minutes]:
    """The pieces of the source, checked. Roles are not told apart: all stand as ``citizen``.

    Raises ValueError for a piece whose head or marks are broken, or that has not the length of its file: 3 to
    12 lines in the first, 600 to 1,800 characters in the others. There no layout may come twice either.
    """
    pieces = [_piece(piece) for piece in source.read_text(encoding="utf-8").split("=== ")[1:]]
    if source == SOURCE:
        _check_first(pieces)
    else:
        _check_later(pieces)
    return pieces


def _check_first(pieces: list[Minutes]) -> None:
    for piece in pieces:
        lines = piece.text.count("\n") + 1
        if not 3 <= lines <= 12:
            raise ValueError(f"{piece.layout}: has {lines} lines, and should have 3 to 12")


def _check_later(pieces: list[Minutes]) -> None:
    for layout, times in Counter(piece.layout for piece in pieces).items():
        if times > 1:
            raise ValueError(f"{layout}: comes {times} times")
    for piece in pieces:
        if not 600 <= len(piece.text) <= 1_800:
            raise ValueError(
                f"{piece.layout}: has {len(piece.text)} characters, and should have 600 to 1,800"
            )
        for mention in piece.mentions:
            name = piece.text[mention.start : mention.end]
            if name != name.strip() or (mention.kind == "split") != ("\n" in name):
                raise ValueError(f"{piece.layout}: {name!r} is marked as {mention.kind}")


def _piece(piece: str) -> Minutes:
    head, _, body = piece.strip("\n").partition("\n")
    country, _, layout = head.partition(" ")
    text, last = "", 0
    mentions = []
    for mark in _MARK.finditer(body):
        text += body[last : mark.start()]
        mentions.append(
            Mention(len(text), len(text) + len(mark[3]), KIND_OF[mark[1]], f"p{mark[2]}", "citizen")
        )
        text += mark[3]
        last = mark.end()
    text += body[last:]
    if "{" in text or "}" in text:
        raise ValueError(f"{head}: a mark is broken near {text[max(0, text.find('{')) :][:40]!r}")
    minutes = Minutes(text, country, layout, tuple(mentions), ())
    check(minutes)
    return minutes


def main() -> None:
    """Write the lines of each file and print the counts."""
    for source in (SOURCE, SOURCE_2, SOURCE_3, SOURCE_4, SOURCE_5):
        pieces = handwritten(source)
        target = source.with_suffix(".jsonl")
        with target.open("w", encoding="utf-8") as lines:
            for piece in pieces:
                marks = [[m.start, m.end, m.kind, m.person] for m in piece.mentions]
                record = {
                    "text": piece.text,
                    "country": piece.country,
                    "layout": piece.layout,
                    "mentions": marks,
                }
                lines.write(json.dumps(record, ensure_ascii=False) + "\n")
        kinds = Counter(mention.kind for piece in pieces for mention in piece.mentions)
        countries = Counter(piece.country for piece in pieces)
        print(f"{target.name}: {len(pieces)} pieces, {sum(kinds.values())} mentions")
        print(f"  kinds: {dict(kinds.most_common())}")
        print(f"  countries: {dict(countries.most_common())}")


if __name__ == "__main__":
    main()
