"""Which leftovers are worth comparing, found without comparing all with all.

Two leftovers are candidates when they share rare words, or when they stand in the same small gap
between paired neighbours. Words are integers here and everything runs over sorted numpy arrays: a
document of 20,000 paragraphs with 5,000 leftovers has 200,000 words to sort, and a full matrix of
25 million comparisons to avoid.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from astra_learn_assets.comparator.align.similarity import Unit

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_RARE_DF = 12  # a word in more leftovers of the final than this finds nobody
_RARE_WORDS = 10
_CANDIDATES = 6
_GAP_PRODUCT = 400
_GAP_REACH = 40
_HARDLY_ANYWHERE = 3
_WORD_BITS = 21  # Unicode
_VOTE = 27_720  # divisible by 1 to 12, so that votes are whole numbers and their sum exact


class Words:
    """Distinct words of some paragraphs: sorted (paragraph, word) keys and where each paragraph's begin."""

    def __init__(self, units: Sequence[Unit], indices: Sequence[int]) -> None:
        coded = [units[k].coded for k in indices]
        lengths = np.fromiter(map(len, coded), dtype=np.int64, count=len(coded))
        words = np.frombuffer("".join(coded).encode("utf-32-le"), dtype=np.uint32).astype(np.int64)
        rows = np.repeat(np.arange(len(coded), dtype=np.int64), lengths)
        keys = distinct((rows << _WORD_BITS) | words)
        self.keys = keys
        self.rows = keys >> _WORD_BITS
        self.words = keys & ((1 << _WORD_BITS) - 1)
        self.starts = np.searchsorted(self.rows, np.arange(len(coded) + 1))
        self.size = len(coded)


def rare_candidates(before: Words, after: Words) -> tuple[Ints, Ints]:
    """For each row of ``before``, the rows of ``after`` that share its rarest words; best six."""
    order = np.argsort(after.words, kind="stable")
    places, words = after.rows[order], after.words[order]
    first = np.searchsorted(words, before.words, side="left")
    count = np.searchsorted(words, before.words, side="right") - first
    useful = np.flatnonzero((count > 0) & (count <= _RARE_DF))
    ranked = useful[np.lexsort((before.words[useful], count[useful], before.rows[useful]))]
    ranked = ranked[_rank_in_row(before.rows[ranked]) < _RARE_WORDS]
    rows, targets = _expand(before.rows[ranked], first[ranked], count[ranked])
    votes = np.repeat(_VOTE // count[ranked], count[ranked]) if ranked.size else rows
    pairs = rows * max(1, after.size) + places[targets]
    order = np.argsort(pairs, kind="stable")
    edges = distinct(pairs)
    total = np.add.reduceat(votes[order], np.searchsorted(pairs[order], edges)) if edges.size else votes
    left, right = np.divmod(edges, max(1, after.size))
    best = np.lexsort((right, -total, left))
    best = best[_rank_in_row(left[best]) < _CANDIDATES]
    return left[best], right[best]


def gap_candidates(to_after: Sequence[int], to_before: Sequence[int], free: Sequence[int]) -> set[int]:
    """Pairs of unpaired paragraphs next to the same paired neighbour, as ``i * len(after) + j``.

    ``free`` are the draft's leftovers in order. Large gaps are left to the words.
    """
    edges: set[int] = set()
    n, m = len(to_after), len(to_before)
    position = 0
    while position < len(free):
        start = end = free[position]
        while position + 1 < len(free) and free[position + 1] == end + 1:
            position += 1
            end += 1
        position += 1
        from_above = to_after[start - 1] + 1 if start else 0
        from_below = to_after[end + 1] - 1 if end + 1 < n else m - 1
        for low, step in ((from_above, 1), (from_below, -1)):
            run: list[int] = []
            j = low
            while 0 <= j < m and to_before[j] < 0 and len(run) < _GAP_REACH:
                run.append(j)
                j += step
            if len(run) * (end - start + 1) <= _GAP_PRODUCT:
                edges.update(i * m + j for i in range(start, end + 1) for j in run)
    return edges


class Rarity:
    """How much the words that two paragraphs share tell, given how common they are in both documents.

    Formulas ("Por el Grupo Parlamentario Popular tiene la palabra …") are alike in common words; a
    paragraph that moved shares its rare ones.
    """

    def __init__(self, before: Words, after: Words, rest: Words) -> None:
        self._before, self._after = before, after
        sides = (before, after, rest)
        words = np.sort(np.concatenate([side.words for side in sides]))
        self._vocabulary = distinct(words)
        self._counts = np.diff(np.append(np.searchsorted(words, self._vocabulary), words.size))
        weights = np.log((1 + sum(side.size for side in sides)) / self._counts)
        self._weights = weights
        self._totals = [
            np.bincount(
                side.rows, weights=weights[np.searchsorted(self._vocabulary, side.words)], minlength=side.size
            )
            for side in (before, after)
        ]

    def judge(self, left: Ints, right: Ints) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
        """For pairs of rows: overlap, weight, and whether some shared word stands in hardly any other.

        A word weighs log(paragraphs / paragraphs with it). The weight is that of the shared words,
        the overlap (0..1) the Dice coefficient of the weighted word sets.
        """
        before, after = self._before, self._after
        pairs, places = _expand(
            np.arange(left.size, dtype=np.int64),
            before.starts[left],
            before.starts[left + 1] - before.starts[left],
        )
        wanted = (right[pairs] << _WORD_BITS) | before.words[places]
        found = np.searchsorted(after.keys, wanted)
        found[found == after.keys.size] = 0
        shared = after.keys[found] == wanted if after.keys.size else np.zeros(wanted.size, dtype=bool)
        pairs, words = pairs[shared], before.words[places][shared]
        known = np.searchsorted(self._vocabulary, words)
        common: Floats = np.bincount(pairs, weights=self._weights[known], minlength=left.size).astype(
            np.float64
        )
        whole = self._totals[0][left] + self._totals[1][right]
        overlap = np.divide(2 * common, whole, out=np.zeros(left.size), where=whole > 0)
        telling = np.zeros(left.size, dtype=bool)
        telling[pairs[self._counts[known] <= _HARDLY_ANYWHERE]] = True
        return overlap, common, telling


def distinct(values: Ints) -> Ints:
    """Sorted values without repeats; ``np.unique`` hashes them first, at five times the cost."""
    ordered = np.sort(values)
    kept: Ints = ordered[np.append(True, ordered[1:] != ordered[:-1])] if ordered.size else ordered
    return kept


def _expand(values: Ints, first: Ints, count: Ints) -> tuple[Ints, Ints]:
    """``values`` repeated ``count`` times each, and the indices ``first``, ``first`` + 1, … beside them."""
    ends = np.cumsum(count)
    total = int(ends[-1]) if ends.size else 0
    steps = np.arange(total, dtype=np.int64) - np.repeat(ends - count, count)
    return np.repeat(values, count), np.repeat(first, count) + steps


def _rank_in_row(rows: Ints) -> Ints:
    """Position of each entry among those of its row; ``rows`` is sorted."""
    if rows.size == 0:
        return rows
    fresh = np.flatnonzero(np.concatenate(([True], rows[1:] != rows[:-1])))
    lengths = np.diff(np.append(fresh, rows.size))
    return np.arange(rows.size, dtype=np.int64) - np.repeat(fresh, lengths)
