"""Which paragraph of the final came from which paragraph of the draft.

The ladder, from certain to likely; each rung only sees what the rungs above left over:

1. unique exact text of some length, so that swapped ids cannot win over the text itself;
2. chunk ids (a duplicated id goes to the paragraph most like the draft's);
3. exact text again: next to a pair already made, in order between two pairs, then the nearest;
4. near text: candidates are paragraphs that share rare words or stand in the same gap; best first;
5. new text where a placeholder stood fills it;
6. a paragraph left over beside a pair may be its other half: split or merged;
7. what is not on the longest increasing chain has moved.

Everything is ordered by score and then by position, so the answer does not depend on hashing.
A full matrix of 20,000 x 20,000 paragraphs is never made.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Indel

from astra_learn_assets.comparator.similarity import Rarity, Unit, Vocabulary, containment, similarity

NEAR = 0.42  # accepted anywhere; the best of a thousand unrelated paragraphs has .34
NEAR_IN_PLACE = 0.30  # accepted between two paired neighbours
_LIKE_IN_PLACE = 0.5  # from here on likeness alone will do
_TELLING, _TELLING_AMONG_IDS, _TELLING_IN_PLACE = 0.35, 0.5, 0.12
_CERTAIN, _EVIDENT = 0.65, 0.85
_EXACT_WORDS = 4
_MOVED_WORDS = 8
_LCS_PRODUCT = 200_000_000
_RARE_DF = 12
_RARE_WORDS = 10
_CANDIDATES = 6
_GAP_PRODUCT = 400
_SAMPLE = 400
_PARTS = 8


@dataclass(frozen=True)
class Group:
    """Paragraphs that belong together: one to one, one to many (split), many to one (merged)."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    similarity: float
    confidence: float
    moved: bool = False


@dataclass(frozen=True)
class Alignment:
    """``groups`` in the order of the final; ``deleted`` and ``inserted`` are indices."""

    groups: tuple[Group, ...]
    deleted: tuple[int, ...]
    inserted: tuple[int, ...]


def align(
    before: Sequence[Unit],
    after: Sequence[Unit],
    before_ids: Sequence[Sequence[str]] | None = None,
    after_ids: Sequence[Sequence[str]] | None = None,
    *,
    vocabulary: Vocabulary,
    placeholders: Collection[int] = (),
) -> Alignment:
    """Align two documents given as units of one ``vocabulary``, in order.

    ``placeholders`` are paragraphs of the draft that stand for text nobody has written yet.
    """
    aligner = _Aligner(before, after, vocabulary)
    id_edges = _id_edges(before_ids or [()] * len(before), after_ids or [()] * len(after))
    aligner.exact_unique(minimum_words=_EXACT_WORDS)
    aligner.by_id(id_edges)
    aligner.exact_in_context()
    aligner.exact_in_gaps()
    aligner.exact_nearest()
    aligner.reserve_pieces(frozenset(id_edges))
    aligner.near(ids_survived=2 * len(id_edges) > len(before))
    aligner.fill(frozenset(placeholders))
    return aligner.finish(frozenset(id_edges))


def _id_edges(before: Sequence[Sequence[str]], after: Sequence[Sequence[str]]) -> list[tuple[int, int]]:
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


class _Aligner:
    def __init__(self, before: Sequence[Unit], after: Sequence[Unit], vocabulary: Vocabulary) -> None:
        self.before, self.after, self.vocabulary = before, after, vocabulary
        self.to_after = [-1] * len(before)
        self.to_before = [-1] * len(after)
        self.score: dict[int, tuple[float, float]] = {}  # before index -> similarity, confidence
        self.reserved: tuple[set[int], set[int]] = (set(), set())  # pieces of split or merged paragraphs

    def pair(self, i: int, j: int, score: float, confidence: float) -> None:
        self.to_after[i], self.to_before[j] = j, i
        self.score[i] = (score, confidence)

    def free(self) -> tuple[list[int], list[int]]:
        return (
            [i for i, j in enumerate(self.to_after) if j < 0 and i not in self.reserved[0]],
            [j for j, i in enumerate(self.to_before) if i < 0 and j not in self.reserved[1]],
        )

    # -- exact ---------------------------------------------------------------------------------

    def exact_unique(self, minimum_words: int) -> None:
        free_before, free_after = self.free()
        left, right = _by_text(self.before, free_before), _by_text(self.after, free_after)
        for text, here in left.items():
            there = right.get(text)
            if (
                there
                and len(here) == len(there) == 1
                and self.before[here[0]].folded.count(" ") >= minimum_words - 1
            ):
                self.pair(here[0], there[0], 1.0, 1.0)

    def exact_in_context(self) -> None:
        """Repeated boilerplate next to a pair: follow the pair in both directions."""
        for step in (1, -1):
            order = range(len(self.before)) if step == 1 else range(len(self.before) - 1, -1, -1)
            for i in order:
                j = self.to_after[i]
                a, b = i + step, j + step
                if j < 0 or not (0 <= a < len(self.before) and 0 <= b < len(self.after)):
                    continue
                if (
                    self.to_after[a] < 0
                    and self.to_before[b] < 0
                    and self.before[a].folded == self.after[b].folded
                ):
                    self.pair(a, b, 1.0, 0.95)

    def exact_in_gaps(self) -> None:
        """Equal texts in order between two paired paragraphs that kept their order."""
        for here, there in self._gaps():
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
        expected = self.expected()
        for text, here in _by_text(self.before, free_before).items():
            there = right.get(text, [])
            if not there or self.before[here[0]].folded.count(" ") < _MOVED_WORDS - 1:
                continue
            options = sorted((abs(j - expected[i]), i, j) for i in here[:200] for j in there[:200])
            for _, i, j in options:
                if self.to_after[i] < 0 and self.to_before[j] < 0:
                    self.pair(i, j, 1.0, 0.8)

    def _gaps(self) -> list[tuple[list[int], list[int]]]:
        """Free paragraphs of both sides between neighbours of the longest chain in order."""
        order = [i for i in self.to_before if i >= 0]
        moved = _moved(order)
        chain = [i for position, i in enumerate(order) if position not in moved]
        gaps: list[tuple[list[int], list[int]]] = []
        last_i = last_j = -1
        for i in [*chain, len(self.before)]:
            j = self.to_after[i] if i < len(self.before) else len(self.after)
            here = [k for k in range(last_i + 1, i) if self.to_after[k] < 0 and self.before[k].folded]
            there = [k for k in range(last_j + 1, j) if self.to_before[k] < 0] if here else []
            if here and there:
                gaps.append((here, there))
            last_i, last_j = i, j
        return gaps

    # -- ids and near text ---------------------------------------------------------------------

    def by_id(self, edges: Sequence[tuple[int, int]]) -> None:
        scored = sorted(
            (-similarity(self.before[i], self.after[j]), abs(i - j), i, j)
            for i, j in edges
            if self.to_after[i] < 0 and self.to_before[j] < 0
        )
        for negative, _, i, j in scored:
            if self.to_after[i] < 0 and self.to_before[j] < 0:
                self.pair(i, j, -negative, 1.0 if negative < -NEAR_IN_PLACE else 0.6)

    def fill(self, placeholders: frozenset[int]) -> None:
        """New text between the neighbours of a placeholder is what it stood for, if the numbers agree."""
        if not placeholders:
            return
        for here, there in self._gaps():
            waiting = [i for i in here if i in placeholders]
            if len(waiting) == len(there):
                for i, j in zip(waiting, there, strict=True):
                    self.pair(i, j, 0.0, 0.6)

    def reserve_pieces(self, id_edges: frozenset[tuple[int, int]]) -> None:
        """Keep evident other halves of pairs from being taken for something else."""
        for j, i in enumerate(self.to_before):
            if i < 0:
                continue
            for step in (-1, 1):
                b, a = i + step, j + step
                if 0 <= b < len(self.before) and self.to_after[b] < 0 and self.before[b].folded:
                    whole = self.after[j]
                    if (b, j) in id_edges or self._is_half(self.before, b, i, whole, _EVIDENT):
                        self.reserved[0].add(b)
                if 0 <= a < len(self.after) and self.to_before[a] < 0 and self.after[a].folded:
                    whole = self.before[i]
                    if (i, a) in id_edges or self._is_half(self.after, a, j, whole, _EVIDENT):
                        self.reserved[1].add(a)

    def near(self, *, ids_survived: bool) -> None:
        """Best candidates first; standing in the expected place counts a little, so that of two
        nearly equal formulas the one in its place wins.

        Where ids survived, what has none is mostly new text, so a move must be better proved.
        """
        telling = _TELLING_AMONG_IDS if ids_survived else _TELLING
        free_before, free_after = self.free()
        if not free_before or not free_after:
            return
        expected = self.expected()
        in_place = self._gap_candidates(free_before)
        edges = in_place | self._rare_candidates(free_before, free_after)
        scored: list[tuple[float, int, int, float]] = []
        for i, j in edges:
            value = similarity(self.before[i], self.after[j])
            place = (i, j) in in_place
            if value < (NEAR_IN_PLACE if place else NEAR):
                continue
            if not place and len(self.before[i].words) < _MOVED_WORDS:
                continue
            bonus = 0.05 * place - 0.03 * min(1.0, abs(j - expected[i]) / 50)
            scored.append((-(value + bonus), i, j, value))
        rarity: Rarity | None = None
        for _, i, j, value in sorted(scored):
            if self.to_after[i] >= 0 or self.to_before[j] >= 0:
                continue
            place = (i, j) in in_place
            if not place or value < _LIKE_IN_PLACE:
                rarity = rarity or self._rarity(free_before, free_after)
                needed = _TELLING_IN_PLACE if place else telling
                if rarity.overlap(self.before[i], self.after[j]) < needed:
                    continue
                proved = place or not ids_survived or rarity.share_a_rare_word(self.before[i], self.after[j])
                if not proved:
                    continue
            self.pair(i, j, value, min(0.99, 0.35 + value))

    def _rarity(self, free_before: list[int], free_after: list[int]) -> Rarity:
        """Word counts of what is in question and of a sample of the rest: all of it would cost too much."""
        free = set(free_after)
        sample = range(0, len(self.after), max(1, len(self.after) // _SAMPLE))
        return Rarity(
            [self.before[i] for i in free_before],
            [self.after[j] for j in sorted(free.union(sample))],
        )

    def _rare_candidates(self, free_before: list[int], free_after: list[int]) -> set[tuple[int, int]]:
        """For each free paragraph of the draft, those of the final that share its rarest words."""
        index: dict[str, list[int]] = defaultdict(list)
        for j in free_after:
            for word in set(self.after[j].coded):
                index[word].append(j)
        rare = {word: places for word, places in index.items() if len(places) <= _RARE_DF}
        edges: set[tuple[int, int]] = set()
        for i in free_before:
            words = sorted((len(rare[word]), word) for word in set(self.before[i].coded) & rare.keys())
            votes: dict[int, float] = defaultdict(float)
            for count, word in words[:_RARE_WORDS]:
                for j in rare[word]:
                    votes[j] += 1 / count
            best = sorted((-weight, j) for j, weight in votes.items())[:_CANDIDATES]
            edges.update((i, j) for _, j in best)
        return edges

    def _gap_candidates(self, free_before: list[int]) -> set[tuple[int, int]]:
        """Free paragraphs between the same two paired neighbours, both sides of a small gap."""
        edges: set[tuple[int, int]] = set()
        n, m = len(self.before), len(self.after)
        position = 0
        while position < len(free_before):
            start = end = free_before[position]
            while position + 1 < len(free_before) and free_before[position + 1] == end + 1:
                position += 1
                end += 1
            position += 1
            from_above = self.to_after[start - 1] + 1 if start else 0
            from_below = self.to_after[end + 1] - 1 if end + 1 < n else m - 1
            for low, step in ((from_above, 1), (from_below, -1)):
                run: list[int] = []
                j = low
                while 0 <= j < m and self.to_before[j] < 0 and len(run) < 40:
                    run.append(j)
                    j += step
                if len(run) * (end - start + 1) <= _GAP_PRODUCT:
                    edges.update((i, j) for i in range(start, end + 1) for j in run)
        return edges

    def expected(self) -> list[float]:
        """Where each paragraph of the draft should stand in the final, by its nearest paired predecessor."""
        places: list[float] = []
        last = -1.0
        for j in self.to_after:
            last = float(j) if j >= 0 else last + 1
            places.append(last)
        return places

    # -- split, merged, moved ------------------------------------------------------------------

    def finish(self, id_edges: frozenset[tuple[int, int]]) -> Alignment:
        self._release_halves()
        groups = [_Growing([i], [j]) for j, i in enumerate(self.to_before) if i >= 0]
        backwards = frozenset((j, i) for i, j in id_edges)
        _absorb(self.after, self.before, [(g.after, g.before) for g in groups], backwards, self.vocabulary)
        _absorb(self.before, self.after, [(g.before, g.after) for g in groups], id_edges, self.vocabulary)
        groups.sort(key=lambda g: g.after[0])
        moved = _moved([g.before[0] for g in groups])
        made = tuple(
            Group(
                tuple(g.before),
                tuple(g.after),
                self._similarity_of(g),
                self.score[g.anchor][1],
                position in moved,
            )
            for position, g in enumerate(groups)
        )
        taken_before = {i for g in groups for i in g.before}
        taken_after = {j for g in groups for j in g.after}
        return Alignment(
            made,
            tuple(i for i in range(len(self.before)) if i not in taken_before),
            tuple(j for j in range(len(self.after)) if j not in taken_after),
        )

    def _release_halves(self) -> None:
        """Part doubtful pairs of which one side is really the other half of the pair beside it."""
        for j, i in enumerate(self.to_before):
            if i < 0 or self.score[i][0] == 1.0 or self.score[i][1] == 1.0:
                continue
            contained = 0.75 if self.score[i][0] < _CERTAIN else _EVIDENT
            for step in (-1, 1):
                b, a = i + step, j + step
                of_after = self.to_before[a] if 0 <= a < len(self.after) else -1
                of_before = self.to_after[b] if 0 <= b < len(self.before) else -1
                if (of_after >= 0 and self._is_half(self.after, j, a, self.before[of_after], contained)) or (
                    of_before >= 0 and self._is_half(self.before, i, b, self.after[of_before], contained)
                ):
                    self.to_before[j] = self.to_after[i] = -1
                    del self.score[i]
                    break

    def _is_half(
        self, parts: Sequence[Unit], part: int, neighbour: int, whole: Unit, contained: float
    ) -> bool:
        """Whether ``whole`` is ``parts[neighbour]`` and ``parts[part]`` together, clearly."""
        if len(whole.folded) < len(parts[neighbour].folded) + 0.5 * len(parts[part].folded):
            return False
        if len(parts[part].words) < 3 or containment(parts[part], whole) < contained:
            return False
        joined = self.vocabulary.join([parts[k] for k in sorted((part, neighbour))])
        gain = similarity(whole, joined) - similarity(whole, parts[neighbour])
        return gain > 0.05

    def _similarity_of(self, group: _Growing) -> float:
        if len(group.before) == len(group.after) == 1:
            return self.score[group.anchor][0]
        return similarity(
            self.vocabulary.join([self.before[i] for i in group.before]),
            self.vocabulary.join([self.after[j] for j in group.after]),
        )


class _Growing:
    """A pair that may still take in its neighbours; ``anchor`` is the draft paragraph it began with."""

    def __init__(self, before: list[int], after: list[int]) -> None:
        self.before, self.after = before, after
        self.anchor = before[0]


def _absorb(
    parts: Sequence[Unit],
    wholes: Sequence[Unit],
    groups: Sequence[tuple[list[int], list[int]]],
    id_edges: frozenset[tuple[int, int]],
    vocabulary: Vocabulary,
) -> None:
    """Give each leftover of ``parts`` to the pair beside it if it is a piece of that pair's whole.

    ``groups`` are (part indices, whole indices) and grow in place; only pairs with one whole do.
    Upwards and downwards once each, so that chains of pieces are taken in from both ends.
    """
    owner = {part: n for n, (mine, _) in enumerate(groups) for part in mine}
    leftovers = [k for k in range(len(parts)) if k not in owner and parts[k].words]
    for order, step in ((leftovers, -1), (leftovers[::-1], 1), (leftovers, 1), (leftovers[::-1], -1)):
        for k in order:
            if k in owner or k + step not in owner:
                continue
            n = owner[k + step]
            mine, whole = groups[n]
            if len(whole) != 1 or len(mine) >= _PARTS:
                continue
            grown = sorted([*mine, k])
            if grown[-1] - grown[0] != len(grown) - 1:
                continue
            known = (k, whole[0]) in id_edges
            if containment(parts[k], wholes[whole[0]]) < _needed(parts[k], known):
                continue
            now = vocabulary.join([parts[m] for m in mine])
            then = vocabulary.join([parts[m] for m in grown])
            gain = similarity(wholes[whole[0]], then) - similarity(wholes[whole[0]], now)
            if gain > (0.0 if known else 0.01):
                mine[:] = grown
                owner[k] = n


def _needed(part: Unit, known: bool) -> float:
    """How much of a piece must occur in its whole; a shared id asks for less proof."""
    return 0.35 if known else 0.6 if len(part.words) >= 3 else 1.0


def _by_text(units: Sequence[Unit], indices: Sequence[int]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for k in indices:
        if units[k].folded:
            groups.setdefault(units[k].folded, []).append(k)
    return groups


def _moved(order: Sequence[int]) -> set[int]:
    """Positions that are not on the longest increasing subsequence (patience, O(n log n))."""
    tails: list[int] = []
    tail_positions: list[int] = []
    previous = [-1] * len(order)
    for position, value in enumerate(order):
        k = bisect_left(tails, value)
        previous[position] = tail_positions[k - 1] if k else -1
        tails[k : k + 1] = [value]
        tail_positions[k : k + 1] = [position]
    moved = set(range(len(order)))
    position = tail_positions[-1] if tail_positions else -1
    while position >= 0:
        moved.discard(position)
        position = previous[position]
    return moved
