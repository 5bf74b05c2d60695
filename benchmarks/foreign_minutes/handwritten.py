"""Turns ``handwritten.txt`` into ``handwritten.jsonl``: ``python -m benchmarks.foreign_minutes.handwritten``.

A piece begins with ``=== country layout``. ``{f3:Juana Soto}`` marks a mention of the piece's third person;
the letter is the kind: f full, s surname, g given, i initials, n nickname, x split by the end of a line.
"""

import json
import re
from collections import Counter
from pathlib import Path

from .minutes import Mention, Minutes, check

SOURCE = Path(__file__).with_name("handwritten.txt")
TARGET = Path(__file__).with_name("handwritten.jsonl")
KIND_OF = {"f": "full", "s": "surname", "g": "given", "i": "initials", "n": "nickname", "x": "split"}
_MARK = re.compile(r"\{([fsginx])(\d+):([^{}]+)\}")


def handwritten() -> list[Minutes]:
    """The pieces of the source, checked. Roles are not told apart: all stand as ``citizen``.

    Raises ValueError for a piece whose head or marks are broken, or that is not 3 to 12 lines long.
    """
    pieces = SOURCE.read_text(encoding="utf-8").split("=== ")[1:]
    return [_piece(piece) for piece in pieces]


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
    if not 3 <= text.count("\n") + 1 <= 12:
        raise ValueError(f"{head}: has {text.count(chr(10)) + 1} lines, and should have 3 to 12")
    minutes = Minutes(text, country, layout, tuple(mentions), ())
    check(minutes)
    return minutes


def main() -> None:
    """Write the lines and print the counts."""
    pieces = handwritten()
    with TARGET.open("w", encoding="utf-8") as target:
        for piece in pieces:
            marks = [[m.start, m.end, m.kind, m.person] for m in piece.mentions]
            record = {"text": piece.text, "country": piece.country, "layout": piece.layout, "mentions": marks}
            target.write(json.dumps(record, ensure_ascii=False) + "\n")
    kinds = Counter(mention.kind for piece in pieces for mention in piece.mentions)
    print(f"{len(pieces)} pieces, {sum(kinds.values())} mentions: {dict(kinds.most_common())}")


if __name__ == "__main__":
    main()
