"""Which mentions are one person, over both sides of a pair.

"Lucía Ortega Prado", "la concejala Ortega" and "Lucía" get one placeholder; so does "Lusia Hortega"
where the clerk put "Lucía Ortega" in its place. Mentions are compared as sets of folded words; a
shorter mention joins the nearest earlier person whose words contain its own.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter

from astra_learn_assets.privacy.people.persons import PARTICLES, WORD, is_name_word, is_ordinary
from astra_learn_assets.spanish.fold import fold_chars

SIMILAR = 60.0


@dataclass(frozen=True)
class Mention:
    """A masked span: ``side`` 0 (before) or 1 (after), offsets in that side's cleaned text."""

    side: int
    start: int
    end: int
    kind: str
    text: str


def key_words(text: str) -> tuple[str, ...]:
    """The words that make a name, folded: no particles, "Mª" spelled out."""
    words = [fold_chars(w).replace("mª", "maria") for w in WORD.findall(text)]
    return tuple(w for w in words if w not in PARTICLES and w not in ("y", "e")) or tuple(words)


def compact(text: str) -> str:
    """An identifier without separators, for comparing spellings of the same number."""
    return re.sub(r"[\W_]", "", fold_chars(text))


def group(mentions: Sequence[Mention], fixes: Sequence[tuple[Mention, Mention]]) -> list[int]:
    """Per mention the number of its entity (by first appearance of the longest form).

    ``fixes`` are mentions at the same aligned position of the two sides: a correction of one name.
    """
    parent = list(range(len(mentions)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    def join(a: int, b: int) -> None:
        a, b = root(a), root(b)
        parent[max(a, b)] = min(a, b)

    index = {id(m): i for i, m in enumerate(mentions)}
    same: dict[tuple[str, str], int] = {}
    for i, mention in enumerate(mentions):
        person = mention.kind == "PERSONA"
        value = " ".join(key_words(mention.text)) if person else compact(mention.text)
        join(same.setdefault((mention.kind, value), i), i)
    persons = [i for i, m in enumerate(mentions) if m.kind == "PERSONA"]
    keys = {i: key_words(mentions[i].text) for i in persons}
    bearers: dict[tuple[str, ...], list[int]] = {}
    for i in persons:
        bearers.setdefault(keys[i], []).append(i)
    wider_keys = _wider(bearers)
    for i in persons:
        wider = wider_keys.get(keys[i], ())
        if not wider:
            continue
        heads = [bearers[key][0] for key in wider]
        if len({root(j) for j in heads}) == 1:
            join(min(heads), i)
            continue
        before = [j for key in wider if (j := _last_before(bearers[key], mentions, i)) is not None]
        join(max(before) if before else min(heads), i)
    for left, right in fixes:
        join(index[id(left)], index[id(right)])
    numbers: dict[int, int] = {}
    return [numbers.setdefault(root(i), len(numbers)) for i in range(len(mentions))]


def _wider(keys: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], list[tuple[str, ...]]]:
    """Per name the longer names that hold all its words; sought among those that share its rarest word."""
    by_word: dict[str, list[tuple[str, ...]]] = {}
    by_letter: dict[str, list[tuple[str, ...]]] = {}
    for key in keys:
        for word in set(key):
            by_word.setdefault(word, []).append(key)
        for letter in {word[0] for word in key}:
            by_letter.setdefault(letter, []).append(key)
    out = {}
    for key in keys:
        whole = [by_word[word] for word in key if len(word) > 1]
        near = min(whole, key=len) if whole else by_letter[key[0][0]]
        found = [other for other in near if len(other) > len(key) and _part_of(key, other)]
        if found:
            out[key] = found
    return out


def _last_before(indices: Sequence[int], mentions: Sequence[Mention], i: int) -> int | None:
    """The last of ``indices`` (in order of side and place) that stands before mention ``i`` on its side."""
    at = bisect_left(
        indices, (mentions[i].side, mentions[i].start), key=lambda j: (mentions[j].side, mentions[j].start)
    )
    return indices[at - 1] if at and mentions[indices[at - 1]].side == mentions[i].side else None


def _part_of(small: tuple[str, ...], large: tuple[str, ...]) -> bool:
    """Whether every word (or initial) of ``small`` is one of ``large``'s."""
    return all(any(w == v or (len(w) == 1 and v.startswith(w)) for v in large) for w in small)


Word = tuple[int, int, str]
_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Alignment:
    """Blocks of words of the two sides that stand for one another: (tag, before range, after range)."""

    before: tuple[Word, ...]
    after: tuple[Word, ...]
    blocks: tuple[tuple[str, int, int, int, int], ...]


def align(before: str, after: str) -> Alignment:
    """Word alignment of the two sides (Levenshtein opcodes over folded words)."""
    from rapidfuzz.distance import Levenshtein

    left, right = _words(before), _words(after)
    codes = Levenshtein.opcodes([w for _, _, w in left], [w for _, _, w in right])
    blocks: list[tuple[str, int, int, int, int]] = []
    for code in codes:
        tag = "equal" if code.tag == "equal" else "change"
        if tag == "change" and blocks and blocks[-1][0] == "change":
            _, a, _, b, _ = blocks[-1]
            blocks[-1] = (tag, a, code.src_end, b, code.dest_end)
        else:
            blocks.append((tag, code.src_start, code.src_end, code.dest_start, code.dest_end))
    return Alignment(tuple(left), tuple(right), tuple(blocks))


def _words(text: str) -> list[Word]:
    folded = fold_chars(text)
    return [(m.start(), m.end(), m[0]) for m in _TOKEN.finditer(folded)]


def project(alignment: Alignment, span: tuple[int, int], *, forward: bool) -> tuple[int, int] | None:
    """The span of the other side that stands where ``span`` stands; None where nothing does.

    Equal words map one to one; inside a changed block the run of words most like the span's is taken.
    """
    own, other = (alignment.before, alignment.after) if forward else (alignment.after, alignment.before)
    ends: list[int] = []
    for tag, a, b, c, d in alignment.blocks:
        own_start, own_end, other_start, other_end = (a, b, c, d) if forward else (c, d, a, b)
        first = bisect_right(own, span[0], own_start, own_end, key=itemgetter(1))
        touched = range(first, bisect_left(own, span[1], first, own_end, key=itemgetter(0)))
        if not touched:
            continue
        if tag == "equal":
            ends += [other_start + i - own_start for i in touched]
            continue
        said = " ".join(own[i][2] for i in touched)
        low, high = _window(said, len(touched), [w for _, _, w in other[other_start:other_end]])
        ends += range(other_start + low, other_start + high)
    if not ends:
        return None
    return other[min(ends)][0], other[max(ends)][1]


def _window(said: str, count: int, words: Sequence[str]) -> tuple[int, int]:
    """The run of ``words`` that reads most like ``said`` (of ``count`` words), as a half-open range."""
    from rapidfuzz import fuzz

    best, found = -1.0, (0, len(words))
    for size in range(max(1, count - 1), count + 3):
        for first in range(max(0, min(len(words), 64) - size + 1)):
            score = fuzz.ratio(said, " ".join(words[first : first + size])) - abs(size - count)
            if score > best:
                best, found = score, (first, first + size)
    return found


def unexplained(alignment: Alignment) -> list[tuple[int, int]] | None:
    """Spans of the draft's words that the final says nothing about and that could be names.

    Words both sides share are judged on the final's side. A changed word is explained when it is
    everyday Spanish, or stands where the final has everyday words ("ovras" for "obras"). None when
    the sides differ too much to tell.
    """
    spans: list[tuple[int, int]] = []
    changed = 0
    for tag, a, b, c, d in alignment.blocks:
        if tag == "equal":
            continue
        changed += b - a
        written = [w for _, _, w in alignment.after[c:d] if w[:1].isalpha()]
        plain = bool(written) and all(is_ordinary(w) and not is_name_word(w) for w in written)
        if plain and abs((b - a) - (d - c)) <= 1 and b - a <= 3:
            continue
        for start, end, word in alignment.before[a:b]:
            if len(word) > 1 and (word.isdigit() or not is_ordinary(word) or is_name_word(word)):
                spans.append((start, end))
    return spans if changed * 2 <= len(alignment.before) else None
