"""Two texts as words, and the stretches in which they differ."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from astra_learn_assets.comparator.names.phonetics import likeness, said_aloud, spelled
from astra_learn_assets.spanish.fold import letters
from astra_learn_assets.spanish.lexicon import ABBREVIATIONS

_TOKEN = re.compile(
    r"(?:[^\W\d_]\.)+[^\W\d_](?!\w)\.?"  # P.P.
    r"|[A-ZÑ]{2}\.[A-ZÑ]{2}\.?"  # EE.UU.
    r"|\d+(?:[.,:/]\d+)*"
    r"|[^\W_]+(?:['’·\-][^\W_]+)*"
    r"|[^\w\s]|_"
)
_MAXIMUM_HUNK = 12


class Token(NamedTuple):
    """A word, number or sign; ``initial`` when it opens a sentence."""

    text: str
    start: int
    end: int
    initial: bool

    @property
    def is_word(self) -> bool:
        return self.text[0].isalnum()


class Link(NamedTuple):
    """Tokens ``before[b0:b1]`` became ``after[a0:a1]``; one side may be empty."""

    b0: int
    b1: int
    a0: int
    a1: int


def tokenize(text: str) -> list[Token]:
    """Words and signs of ``text``, whitespace left out."""
    tokens: list[Token] = []
    make = tuple.__new__  # half the cost of calling Token, and there are fifty tokens a paragraph
    initial = True
    last = ""
    for match in _TOKEN.finditer(text):
        piece = match[0]
        start, end = match.span()
        if piece[0].isalnum():
            tokens.append(make(Token, (piece, start, end, initial)))
            initial = False
            last = piece
            continue
        tokens.append(make(Token, (piece, start, end, False)))
        previous, last = last, piece
        if piece in ".?!:…¿¡":
            previous = previous.casefold()
            abbreviated = piece == "." and (previous in ABBREVIATIONS or len(previous) == 1)
            initial = initial if abbreviated else True
    return tokens


class Difference(NamedTuple):
    """Two texts as tokens, and where they differ: costly enough to be found once and handed on."""

    before: list[Token]
    after: list[Token]
    links: list[Link]


def difference(before: str, after: str) -> Difference:
    """The word-level difference of two texts."""
    old, new = tokenize(before), tokenize(after)
    return Difference(old, new, links(old, new))


def links(before: list[Token], after: list[Token]) -> list[Link]:
    """The changes from ``before`` to ``after``, each as small as a name or a word is."""
    codes: dict[str, int] = {}

    def code(tokens: list[Token]) -> list[int]:
        return [codes.setdefault(token.text, len(codes)) for token in tokens]

    found: list[Link] = []
    hunk: Link | None = None
    for op in Levenshtein.opcodes(code(before), code(after)):
        if op.tag == "equal":
            if hunk is not None:
                found.extend(_refine(hunk, before, after))
            hunk = None
        elif hunk is None:
            hunk = Link(op.src_start, op.src_end, op.dest_start, op.dest_end)
        else:
            hunk = Link(hunk.b0, op.src_end, hunk.a0, op.dest_end)
    if hunk is not None:
        found.extend(_refine(hunk, before, after))
    return found


def _refine(hunk: Link, before: list[Token], after: list[Token]) -> list[Link]:
    """Pair the words inside a hunk by likeness: one to one, or up to three to one (joined, split).

    Classic dynamic programme over the two token rows; a token left alone costs 0.6, a pair
    :func:`_price` of its likeness.
    """
    n, m = hunk.b1 - hunk.b0, hunk.a1 - hunk.a0
    if n == 0 or m == 0 or n > _MAXIMUM_HUNK or m > _MAXIMUM_HUNK or (n, m) == (1, 1):
        return [hunk]
    left = [t.text for t in before[hunk.b0 : hunk.b1]]
    right = [t.text for t in after[hunk.a0 : hunk.a1]]
    shapes = ((1, 1), (2, 1), (1, 2), (3, 1), (1, 3), (2, 3), (3, 2), (4, 1))
    best: dict[tuple[int, int], tuple[float, tuple[int, int]]] = {(0, 0): (0.0, (0, 0))}
    for i in range(n + 1):
        for j in range(m + 1):
            if (i, j) == (0, 0):
                continue
            options: list[tuple[float, tuple[int, int]]] = []
            if i:
                options.append((best[i - 1, j][0] + 0.6, (1, 0)))
            if j:
                options.append((best[i, j - 1][0] + 0.6, (0, 1)))
            for di, dj in shapes:
                if i >= di and j >= dj:
                    a, b = left[i - di : i], right[j - dj : j]
                    if (di, dj) != (1, 1) and not all(t[0].isalpha() for t in (*a, *b)):
                        continue
                    same = a[0][0].isalnum() == b[0][0].isalnum()
                    value = likeness("".join(a), "".join(b)) if same else 0.0
                    by_letters = dj == 1 and spelled(tuple(a)) == b[0].casefold()
                    if by_letters:
                        value = 1.0
                    elif dj == 1 and b[0].isupper():
                        value = max(value, likeness("".join(a), said_aloud(b[0])))
                    if (di, dj) != (1, 1) and (value < 0.72 or (not by_letters and _one_alone(a, b, value))):
                        continue
                    options.append((best[i - di, j - dj][0] + _price(value) * max(di, dj), (di, dj)))
            best[i, j] = min(options)
    made: list[Link] = []
    i, j = n, m
    while i or j:
        di, dj = best[i, j][1]
        made.append(Link(hunk.b0 + i - di, hunk.b0 + i, hunk.a0 + j - dj, hunk.a0 + j))
        i, j = i - di, j - dj
    return made[::-1]


def _price(value: float) -> float:
    """1 - likeness, and more below a half: two pairs that have little in common must not come cheaper than
    one that nearly is the same word ("Ledesma ese" for "señor Lesdema")."""
    return 1.0 - (value if value >= 0.5 else 2 * value * value)


def _one_alone(left: list[str], right: list[str], joined: float) -> bool:
    """Whether one word, or one less, is as like: "Bitacura no" is no spelling of "Vitacura", of "Boca Chica
    y" only the first two are one of "Bocachica", and "Ibarra a" sounds like "Ybarra" without its "a"."""
    for mine, other in ((left, right), (right, left)):
        if len(mine) > 2 and any(
            likeness("".join(fewer), "".join(other)) >= joined for fewer in (mine[1:], mine[:-1])
        ):
            return True
    return any(len(a) > 3 and len(b) > 3 and likeness(a, b) >= joined for a in left for b in right)


def is_written_out(before: Sequence[Token], after: Sequence[Token], link: Link) -> bool:
    """Whether one side is the other's abbreviation, a matter of style: "Gral. Mosconi", "General Mosconi".

    One word each, of which the one with a full stop that the other has not begins alike and lacks two letters
    or more.
    """
    if (link.b1 - link.b0, link.a1 - link.a0) != (1, 1):
        return False
    dotted = _has_a_dot(before, link.b1), _has_a_dot(after, link.a1)
    if dotted[0] == dotted[1]:
        return False
    pair = letters(before[link.b0].text), letters(after[link.a0].text)
    short, whole = pair if dotted[0] else pair[::-1]
    rest = iter(whole)
    return short[:1] == whole[:1] and len(short) + 1 < len(whole) and all(letter in rest for letter in short)


def _has_a_dot(tokens: Sequence[Token], position: int) -> bool:
    return 0 < position < len(tokens) and (
        tokens[position].text == "." and tokens[position].start == tokens[position - 1].end
    )
