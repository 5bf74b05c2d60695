"""Paragraphs that were split or merged: a leftover beside a pair may be its other half.

Three steps, at three moments of the ladder: evident halves are kept aside before near texts are
paired, doubtful pairs that turn out to be halves are parted again, and in the end each leftover is
given to the pair beside it whose text it completes.

A placeholder is like nothing, so it takes in a neighbour only where both carry the same id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from astra_learn_assets.comparator.align.pairing import Pairing
from astra_learn_assets.comparator.align.similarity import Unit, Vocabulary, containment, leftover, similarity

_CERTAIN, _EVIDENT, _DOUBTFUL = 0.65, 0.85, 0.75
_PART, _FAR_PART, _KNOWN_PART = 0.45, 0.5, 0.35  # share of a part's words that the whole must hold
_REST = 0.4  # of the words that nobody else explains, half of what a part must explain
_PARTS = 8
_REACH = 3  # paragraphs deleted between two that were joined

Edges = frozenset[tuple[int, int]]


class Pieces:
    """The search for halves over one ``pairing``."""

    def __init__(self, pairing: Pairing, vocabulary: Vocabulary, edges: Edges) -> None:
        self.pairing, self.vocabulary, self.edges = pairing, vocabulary, edges
        self.backwards: Edges = frozenset((j, i) for i, j in edges)

    def reserve(self) -> tuple[set[int], set[int]]:
        """Leftovers of draft and final that evidently complete a pair beside them."""
        state = self.pairing
        free_before, free_after = state.free()
        return (
            self._reserve(free_before, state.before, state.to_after, state.after, self.edges),
            self._reserve(free_after, state.after, state.to_before, state.before, self.backwards),
        )

    def _reserve(
        self,
        free: Sequence[int],
        parts: Sequence[Unit],
        partner: Sequence[int],
        wholes: Sequence[Unit],
        edges: Edges,
    ) -> set[int]:
        kept: set[int] = set()
        for k in free:
            if not parts[k].text:
                continue
            for neighbour in (k + 1, k - 1):
                whole = partner[neighbour] if 0 <= neighbour < len(parts) else -1
                if whole < 0:
                    continue
                if (k, whole) in edges or self._is_half(parts, k, neighbour, wholes[whole], _EVIDENT):
                    kept.add(k)
                    break
        return kept

    def release(self) -> None:
        """Part doubtful pairs of which one side is really the other half of the pair beside it."""
        state = self.pairing
        n, m = len(state.before), len(state.after)
        for j, i in enumerate(state.to_before):
            if i < 0 or state.likeness[i] == 1.0 or state.confidence[i] == 1.0 or i in state.blank:
                continue
            contained = _DOUBTFUL if state.likeness[i] < _CERTAIN else _EVIDENT
            for step in (-1, 1):
                b, a = i + step, j + step
                of_after = state.to_before[a] if 0 <= a < m else -1
                of_before = state.to_after[b] if 0 <= b < n else -1
                inside_draft = of_after >= 0 and self._is_half(
                    state.after, j, a, state.before[of_after], contained
                )
                inside_final = of_before >= 0 and self._is_half(
                    state.before, i, b, state.after[of_before], contained
                )
                if inside_draft or inside_final:
                    state.part(i)
                    break

    def _is_half(
        self, parts: Sequence[Unit], part: int, neighbour: int, whole: Unit, contained: float
    ) -> bool:
        """Whether ``whole`` is ``parts[neighbour]`` and ``parts[part]`` together, clearly."""
        if len(whole.text) < len(parts[neighbour].text) + 0.5 * len(parts[part].text):
            return False
        if len(parts[part].coded) < 3 or containment(parts[part], whole) < contained:
            return False
        joined = self.vocabulary.join([parts[k] for k in sorted((part, neighbour))])
        return similarity(whole, joined) - similarity(whole, parts[neighbour]) > 0.05

    def absorb(self) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
        """Give leftovers to the pairs they complete.

        Returns the paragraphs of the draft merged into one of the final (by its place there) and
        those of the final split from one of the draft (by its place there); no pair is in both.
        """
        state = self.pairing
        blank = state.blank
        merged = self._absorb(
            state.before,
            state.after,
            state.to_after,
            self.edges,
            blank_parts=blank,
            blank_wholes={state.to_after[i] for i in blank},
            taken={},
        )
        split = self._absorb(
            state.after,
            state.before,
            state.to_before,
            self.backwards,
            blank_parts=frozenset(),
            blank_wholes=blank,
            taken={state.to_before[j]: parts for j, parts in merged.items()},
        )
        return merged, split

    def _absorb(
        self,
        parts: Sequence[Unit],
        wholes: Sequence[Unit],
        partner: Sequence[int],
        edges: Edges,
        *,
        blank_parts: frozenset[int],
        blank_wholes: frozenset[int] | set[int],
        taken: Mapping[int, list[int]],
    ) -> dict[int, list[int]]:
        """Upwards and downwards once each, so that chains of pieces are taken in from both ends."""
        grown: dict[int, list[int]] = {}
        owner: dict[int, int] = {}  # absorbed part -> whole
        leftovers = [k for k, whole in enumerate(partner) if whole < 0 and parts[k].coded]
        refused: set[tuple[int, int, int]] = set()
        for order, step in ((leftovers, -1), (leftovers[::-1], 1), (leftovers, 1), (leftovers[::-1], -1)):
            for k in order:
                if k in owner:
                    continue
                beside = self._beside(k, step, partner, owner)
                whole = owner.get(beside, partner[beside]) if beside >= 0 else -1
                if whole < 0 or whole in taken:
                    continue
                if whole not in grown and parts[beside].text == wholes[whole].text:
                    continue  # nothing is missing there
                mine = grown.get(whole) or [beside]
                if len(mine) >= _PARTS or beside != (mine[0] if step > 0 else mine[-1]):
                    continue
                if (k, whole, len(mine)) in refused:
                    continue
                known = (k, whole) in edges
                if k in blank_parts or whole in blank_wholes:
                    fits = known
                else:
                    fits = self._completes(parts, mine, k, wholes[whole], known)
                if fits:
                    grown[whole] = sorted([*mine, k])
                    owner[k] = whole
                else:
                    refused.add((k, whole, len(mine)))
        return grown

    @staticmethod
    def _beside(k: int, step: int, partner: Sequence[int], owner: Mapping[int, int]) -> int:
        """The nearest paragraph on that side that has a place, over what was deleted between; -1 = none."""
        for beside in range(k + step, k + step * (_REACH + 2), step):
            if not 0 <= beside < len(partner):
                return -1
            if partner[beside] >= 0 or beside in owner:
                return beside
        return -1

    def _completes(
        self, parts: Sequence[Unit], mine: Sequence[int], k: int, whole: Unit, known: bool
    ) -> bool:
        """Whether ``parts[k]`` makes ``mine`` more like ``whole``.

        With a shared id it is enough that it covers words of ``whole`` that ``mine`` does not (a pasted
        copy covers none), for the clerk may have written more into it.
        """
        words = len(parts[k].coded)
        needed = _KNOWN_PART if known else _PART if words >= 3 else 1.0
        if containment(parts[k], whole) < needed:
            return False
        now = self.vocabulary.join([parts[m] for m in mine])
        then = self.vocabulary.join([parts[m] for m in sorted([*mine, k])])
        far = not (k == mine[0] - 1 or k == mine[-1] + 1)
        if not known and words >= 3:
            # What ``mine`` says already is no sign of ``k``: look at the words that it leaves over.
            rest = leftover(now, whole)
            share = containment(parts[k], rest)
            if share < (_FAR_PART if far else _PART) or 2 * share * words < _REST * len(rest.coded):
                return False
        if known and len(parts[k].coded) >= 3:
            covered = containment(whole, then) - containment(whole, now)
            return covered * len(whole.coded) >= 0.35 * len(parts[k].coded)
        return similarity(whole, then) - similarity(whole, now) > (0.0 if known else 0.01)
