"""Who is paired with whom so far, and the rungs of the ladder that need no likeness of texts.

See :mod:`alignment` for the ladder. Most paragraphs of a corrected document are untouched, so
whatever looks at every paragraph is kept to a few cheap steps and the rest walks the leftovers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Sequence

from rapidfuzz.distance import Indel

from astra_learn_assets.comparator.align.chains import moved_positions
from astra_learn_assets.comparator.align.similarity import Unit, letters_alike, similarity

NEAR_IN_PLACE = 0.30
"""Likeness accepted between two paired neighbours."""
_EVIDENT_IN_PLACE = 0.8
_SMALL_GAP = 36
_EXACT_WORDS = 4
_MOVED_WORDS = 12
_LCS_PRODUCT = 200_000_000
_NEAREST = 8
_ROW_WORDS, _ROW_REACH = 10, 30
_ROW_ALIKE, _ROW_CLEARLY = 0.75, 0.06


class Pairing:
    """Pairs of paragraphs, one to one; -1 = free. ``blank`` ones of the draft hold nothing but the
    placeholder of text nobody has written yet, so their likeness to anything means nothing."""

    def __init__(self, before: Sequence[Unit], after: Sequence[Unit], blank: Collection[int] = ()) -> None:
        self.before, self.after = before, after
        self.blank = frozenset(blank)
        self.to_after = [-1] * len(before)
        self.to_before = [-1] * len(after)
        self.likeness = [0.0] * len(before)
        self.confidence = [0.0] * len(before)

    def pair(self, i: int, j: int, likeness: float, confidence: float) -> None:
        self.to_after[i], self.to_before[j] = j, i
        self.likeness[i], self.confidence[i] = likeness, confidence

    def part(self, i: int) -> None:
        """Undo the pair of draft paragraph ``i``."""
        self.to_before[self.to_after[i]] = -1
        self.to_after[i] = -1

    def free(self) -> tuple[list[int], list[int]]:
        """Unpaired paragraphs of draft and final."""
        return (
            [i for i, j in enumerate(self.to_after) if j < 0],
            [j for j, i in enumerate(self.to_before) if i < 0],
        )

    # -- exact text ----------------------------------------------------------------------------

    def exact_unique(self) -> None:
        """Texts of some length that occur once on either side: as written first, then without capitals."""
        for folded in (False, True):
            free_before, free_after = self.free()
            left = _once(self.before, free_before, folded=folded)
            right = _once(self.after, free_after, folded=folded)
            for text, i in left.items():
                j = right.get(text, -1)
                if i >= 0 and j >= 0 and text.count(" ") >= _EXACT_WORDS - 1:
                    self.pair(i, j, 1.0, 1.0)

    def exact_in_context(self) -> None:
        """Repeated boilerplate next to a pair: follow the pair in both directions."""
        n, m = len(self.before), len(self.after)
        free = [i for i, j in enumerate(self.to_after) if j < 0]
        for step, order in ((1, free), (-1, free[::-1])):
            for a in order:
                if self.to_after[a] >= 0 or not 0 <= a - step < n:
                    continue
                j = self.to_after[a - step]
                b = j + step
                if j < 0 or not 0 <= b < m or self.to_before[b] >= 0:
                    continue
                if self.before[a].folded == self.after[b].folded:
                    self.pair(a, b, 1.0, 0.95)

    def exact_in_gaps(self) -> None:
        """Equal texts in order between two paired paragraphs that kept their order."""
        for here, there in self.gaps():
            if len(here) * len(there) > _LCS_PRODUCT:
                continue
            left = [self.before[i].folded for i in here]
            right = [self.after[j].folded for j in there]
            if set(left).isdisjoint(right):
                continue
            for op in Indel.opcodes(left, right):
                if op.tag == "equal":
                    for k in range(op.src_end - op.src_start):
                        self.pair(here[op.src_start + k], there[op.dest_start + k], 1.0, 0.9)

    def exact_nearest(self) -> None:
        """Longer texts that repeat and left their gap: the occurrence nearest to where it should be.

        Short ones ("Votos a favor: 12.") are left alone: gone here and new there is no move.
        """
        free_before, free_after = self.free()
        right = _by_text(self.after, free_after)
        expected: list[int] | None = None
        for text, here in _by_text(self.before, free_before).items():
            there = right.get(text, [])
            if not there or text.count(" ") < _MOVED_WORDS - 1:
                continue
            expected = expected or self.expected()
            options = []
            for i in here:
                place = bisect_left(there, expected[i])
                near = there[max(0, place - _NEAREST) : place + _NEAREST]
                options += [(abs(j - expected[i]), i, j) for j in near]
            options.sort()
            for _, i, j in options:
                if self.to_after[i] < 0 and self.to_before[j] < 0:
                    self.pair(i, j, 1.0, 0.8)

    # -- near text in its place ----------------------------------------------------------------

    def near_in_place(self) -> None:
        """Paragraphs of one gap that differ by a few letters; best first where the gap is small, those
        opposite each other where it is not. Most corrections are such, and need no words, no search."""
        options: list[tuple[int, int]] = []
        for here, there in self.gaps():
            here = [i for i in here if i not in self.blank]
            if len(here) * len(there) <= _SMALL_GAP:
                options += [(i, j) for i in here for j in there]
            elif len(here) == len(there):
                options += zip(here, there, strict=True)
        alike = letters_alike(
            [self.before[i] for i, _ in options], [self.after[j] for _, j in options], _EVIDENT_IN_PLACE
        )
        found = sorted((-value, i, j) for value, (i, j) in zip(alike, options, strict=True) if value)
        for negative, i, j in found:
            if self.to_after[i] < 0 and self.to_before[j] < 0:
                self.pair(i, j, -negative, min(0.99, 0.35 - negative))

    def near_rows(self) -> None:
        """Short rows of a list that changed places ("Lurdes Jiménez: presente"): each other's best by
        letters, clearly, and not far away."""
        free_before, free_after = self.free()
        here = [i for i in free_before if _is_short(self.before[i]) and i not in self.blank]
        there = [j for j in free_after if _is_short(self.after[j])]
        if not here or not there:
            return
        expected = self.expected()
        options: list[tuple[int, int]] = []
        for i in here:
            place = bisect_left(there, expected[i])
            near = there[max(0, place - _ROW_REACH) : place + _ROW_REACH]
            options += [(i, j) for j in near]
        alike = letters_alike([self.before[i] for i, _ in options], [self.after[j] for _, j in options], 0.5)
        best = ([0.0] * len(self.before), [0.0] * len(self.after))
        second = ([0.0] * len(self.before), [0.0] * len(self.after))
        for value, pair in zip(alike, options, strict=True):
            if value:
                for first, next_best, k in zip(best, second, pair, strict=True):
                    if value > first[k]:
                        first[k], next_best[k] = value, first[k]
                    elif value > next_best[k]:
                        next_best[k] = value
        for value, (i, j) in zip(alike, options, strict=True):
            if value == 1.0 and not (_is_row(self.before, i) and _is_row(self.after, j)):
                continue  # a formula gone here and new there is no move
            if value < _ROW_ALIKE or self.to_after[i] >= 0 or self.to_before[j] >= 0:
                continue
            clearly = value - _ROW_CLEARLY
            if best[0][i] <= value >= best[1][j] and second[0][i] <= clearly and second[1][j] <= clearly:
                self.pair(i, j, similarity(self.before[i], self.after[j]), min(0.99, 0.1 + value))

    # -- ids and placeholders ------------------------------------------------------------------

    def by_id(self, edges: Sequence[tuple[int, int]]) -> None:
        """Pairs that share an id, the most alike first; a placeholder's are taken in order."""
        scored = []
        for i, j in edges:
            if self.to_after[i] < 0 and self.to_before[j] < 0:
                alike = 0.0 if i in self.blank else similarity(self.before[i], self.after[j])
                scored.append((-alike, abs(i - j) if i not in self.blank else 0, i, j))
        for negative, _, i, j in sorted(scored):
            if self.to_after[i] < 0 and self.to_before[j] < 0:
                sure = i in self.blank or negative < -NEAR_IN_PLACE
                self.pair(i, j, -negative, 1.0 if sure else 0.6)

    def fill(self) -> None:
        """New text between the neighbours of a placeholder is what it stood for, if the numbers agree."""
        if not self.blank:
            return
        for here, there in self.gaps():
            waiting = [i for i in here if i in self.blank]
            if len(waiting) == len(there):
                for i, j in zip(waiting, there, strict=True):
                    self.pair(i, j, 0.0, 0.6)

    # -- places --------------------------------------------------------------------------------

    def gaps(self) -> list[tuple[list[int], list[int]]]:
        """Free paragraphs of both sides between neighbours of the longest chain in order."""
        order = [i for i in self.to_before if i >= 0]
        moved = moved_positions(order)
        chain = [i for position, i in enumerate(order) if position not in moved] if moved else order
        gaps: list[tuple[list[int], list[int]]] = []
        last_i = last_j = -1
        for i in [*chain, len(self.before)]:
            j = self.to_after[i] if i < len(self.before) else len(self.after)
            if i - last_i > 1 and j - last_j > 1:
                here = [k for k in range(last_i + 1, i) if self.to_after[k] < 0 and self.before[k].text]
                there = [k for k in range(last_j + 1, j) if self.to_before[k] < 0] if here else []
                if here and there:
                    gaps.append((here, there))
            last_i, last_j = i, j
        return gaps

    def expected(self) -> list[int]:
        """Where each paragraph of the draft should stand in the final, by its nearest paired predecessor."""
        places: list[int] = []
        last = -1
        for j in self.to_after:
            last = j if j >= 0 else last + 1
            places.append(last)
        return places


def id_edges(before: Sequence[Sequence[str]], after: Sequence[Sequence[str]]) -> list[tuple[int, int]]:
    """Pairs of blocks that share an id. An id on several draft blocks says nothing: the draft is ours."""
    owner: dict[str, int] = {}
    shared: set[str] = set()
    for i, ids in enumerate(before):
        for chunk_id in ids:
            if owner.setdefault(chunk_id, i) != i:
                shared.add(chunk_id)
    return sorted(
        {
            (owner[chunk_id], j)
            for j, ids in enumerate(after)
            for chunk_id in ids
            if chunk_id in owner and chunk_id not in shared
        }
    )


def _once(units: Sequence[Unit], indices: Sequence[int], *, folded: bool) -> dict[str, int]:
    """Text -> its place, -1 for a text that occurs more than once."""
    texts = [units[k].folded for k in indices] if folded else [units[k].text for k in indices]
    places = dict(zip(texts, indices, strict=True))
    if len(places) < len(texts):
        for text, count in Counter(texts).items():
            if count > 1:
                places[text] = -1
    return places


def _is_short(unit: Unit) -> bool:
    return 2 <= unit.text.count(" ") + 1 <= _ROW_WORDS


def _is_row(units: Sequence[Unit], k: int) -> bool:
    """Whether a short paragraph ends like the one above or below it, as the rows of a list do."""
    ending = units[k].coded[-1:]
    return any(
        0 <= n < len(units) and _is_short(units[n]) and units[n].coded[-1:] == ending for n in (k - 1, k + 1)
    )


def _by_text(units: Sequence[Unit], indices: Sequence[int]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for k in indices:
        if units[k].text:
            groups.setdefault(units[k].folded, []).append(k)
    return groups
