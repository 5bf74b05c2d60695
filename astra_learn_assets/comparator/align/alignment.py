"""Which paragraph of the final came from which paragraph of the draft.

The ladder, from certain to likely; each rung only sees what the rungs above left over:

1. unique exact text of some length, so that swapped ids cannot win over the text itself;
2. chunk ids (a duplicated id goes to the paragraph most like the draft's);
3. exact text again: next to a pair already made, then in order between two pairs;
4. near text: what differs by a few letters and stands in its place, exact repeats that left theirs,
   short rows that changed places (1 to 4 so far: :mod:`pairing`), then candidates that share rare
   words or stand in the same gap (:mod:`candidates`), best first;
5. new text where a placeholder stood fills it; likeness never pairs a placeholder, for it is like
   nothing;
6. a paragraph left over beside a pair may be its other half: split or merged (:mod:`pieces`);
7. what is not on the longest increasing chain has moved.

Everything is ordered by score and then by position, so the answer does not depend on hashing.
A full matrix of 20,000 x 20,000 paragraphs is never made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from astra_learn_assets.comparator.align.candidates import (
    Rarity,
    Words,
    distinct,
    gap_candidates,
    rare_candidates,
)
from astra_learn_assets.comparator.align.chains import moved_positions
from astra_learn_assets.comparator.align.pairing import NEAR_IN_PLACE, Pairing, id_edges
from astra_learn_assets.comparator.align.pieces import Pieces
from astra_learn_assets.comparator.align.similarity import Unit, Vocabulary, similarities, similarity

NEAR = 0.42
"""Likeness accepted anywhere; the best of a thousand unrelated paragraphs has .34."""
_LIKE_IN_PLACE = 0.5  # from here on likeness alone will do
_TELLING, _TELLING_AMONG_IDS, _TELLING_IN_PLACE = 0.35, 0.5, 0.12
_PROOF, _LIKE, _WEIGHT = 0.3, 0.65, 35.0  # of a move: likeness x overlap, and likeness or mass
_MOVED_WORDS, _FORMULA_WORDS = 11, 14
_SHORT_WORDS, _SHORT_LIKE = 7, 0.55
"""Rows of a roll call ("Ana Ruiz: presente") are half alike whoever they name."""
_SAMPLE = 150
_IN_PLACE_BONUS, _FAR_MALUS, _FAR = 0.05, 0.03, 50


class Group(NamedTuple):
    """Paragraphs that belong together: one to one, one to many (split), many to one (merged)."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    similarity: float
    confidence: float
    moved: bool = False


class Alignment(NamedTuple):
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

    ``placeholders`` are paragraphs of the draft that stand for text nobody has written yet and hold
    no other text.
    """
    edges = id_edges(before_ids or (), after_ids or ())
    pairing = Pairing(before, after, placeholders)
    pairing.exact_unique()
    pairing.by_id(edges)
    pairing.exact_in_context()
    pairing.exact_in_gaps()
    pairing.near_in_place()
    pairing.exact_nearest()
    pairing.near_rows()
    pieces = Pieces(pairing, vocabulary, frozenset(edges))
    _near(pairing, pieces.reserve(), ids_survived=2 * len(edges) > len(before))
    pairing.fill()
    pieces.release()
    return _finish(pairing, *pieces.absorb(), vocabulary)


def _near(pairing: Pairing, reserved: tuple[set[int], set[int]], *, ids_survived: bool) -> None:
    """Best candidates first; standing in the expected place counts a little, so that of two nearly
    equal formulas the one in its place wins.

    Where ids survived, what has none is mostly new text, so a move must be better proved.
    """
    before, after = pairing.before, pairing.after
    all_before, all_after = pairing.free()
    free_before = [i for i in all_before if i not in reserved[0] and i not in pairing.blank]
    free_after = [j for j in all_after if j not in reserved[1]]
    if not free_before or not free_after:
        return
    rows, columns = np.array(free_before), np.array(free_after)
    here, there = Words(before, free_before), Words(after, free_after)
    left, right = rare_candidates(here, there)
    m = len(after)
    in_gaps = gap_candidates(pairing.to_after, pairing.to_before, free_before)
    gap_keys = np.fromiter(sorted(in_gaps), dtype=np.int64, count=len(in_gaps))
    gap_keys = gap_keys[np.isin(gap_keys % m, columns)]
    keys = distinct(np.concatenate([rows[left] * m + columns[right], gap_keys]))
    i, j = np.divmod(keys, m)
    in_place = np.isin(keys, gap_keys)

    value = similarities([before[k] for k in i.tolist()], [after[k] for k in j.tolist()], NEAR_IN_PLACE)
    formulas = {text for text, count in Counter([u.text for u in before]).items() if count > 1}
    movable = np.fromiter(
        (
            len(before[a].coded) >= (_FORMULA_WORDS if before[a].text in formulas else _MOVED_WORDS)
            and len(after[b].coded) >= _MOVED_WORDS
            and after[b].text not in formulas
            for a, b in zip(i.tolist(), j.tolist(), strict=True)
        ),
        dtype=bool,
        count=i.size,
    )
    short = np.fromiter(
        (
            max(len(before[a].coded), len(after[b].coded)) <= _SHORT_WORDS
            for a, b in zip(i.tolist(), j.tolist(), strict=True)
        ),
        dtype=bool,
        count=i.size,
    )
    needed_here = np.where(short, _SHORT_LIKE, NEAR_IN_PLACE)
    kept = np.where(in_place, value >= needed_here, (value >= NEAR) & movable)
    i, j, value, in_place = i[kept], j[kept], value[kept], in_place[kept]

    doubtful = np.flatnonzero(~in_place | (value < _LIKE_IN_PLACE))
    free = set(free_after)
    sample = [k for k in range(0, m, max(1, m // _SAMPLE)) if k not in free]
    overlap, weight, telling = Rarity(here, there, Words(after, sample)).judge(
        np.searchsorted(rows, i[doubtful]), np.searchsorted(columns, j[doubtful])
    )
    needed = np.where(in_place[doubtful], _TELLING_IN_PLACE, _TELLING_AMONG_IDS if ids_survived else _TELLING)
    proved = overlap >= needed
    moving, alike = ~in_place[doubtful], value[doubtful]
    proved &= ~moving | ((alike * overlap >= _PROOF) & ((alike >= _LIKE) | (weight >= _WEIGHT)))
    if ids_survived:
        proved &= in_place[doubtful] | telling
    accepted = np.ones(i.size, dtype=bool)
    accepted[doubtful] = proved
    i, j, value, in_place = i[accepted], j[accepted], value[accepted], in_place[accepted]

    distance = np.abs(j - np.array(pairing.expected())[i])
    score = value + _IN_PLACE_BONUS * in_place - _FAR_MALUS * np.minimum(1.0, distance / _FAR)
    order = np.lexsort((j, i, -score))
    for a, b, alike in zip(i[order].tolist(), j[order].tolist(), value[order].tolist(), strict=True):
        if pairing.to_after[a] < 0 and pairing.to_before[b] < 0:
            pairing.pair(a, b, alike, min(0.99, 0.35 + alike))


def _finish(
    pairing: Pairing, merged: dict[int, list[int]], split: dict[int, list[int]], vocabulary: Vocabulary
) -> Alignment:
    """Pairs and the pieces they took in, as groups in the order of the final."""
    groups: list[Group] = []
    anchors = [i for i in pairing.to_before if i >= 0]
    here = [tuple(merged.get(pairing.to_after[i], (i,))) for i in anchors]
    there = [tuple(split.get(i, (pairing.to_after[i],))) for i in anchors]
    moved = moved_positions([parts[0] for parts in here])
    for position, anchor in enumerate(anchors):
        old, new, likeness = here[position], there[position], pairing.likeness[anchor]
        if len(old) > 1 or len(new) > 1:
            likeness = similarity(
                vocabulary.join([pairing.before[i] for i in old]),
                vocabulary.join([pairing.after[j] for j in new]),
            )
        groups.append(Group(old, new, likeness, pairing.confidence[anchor], position in moved))
    taken_before = {i for parts in merged.values() for i in parts}
    taken_after = {j for parts in split.values() for j in parts}
    free_before, free_after = pairing.free()
    return Alignment(
        tuple(groups),
        tuple(i for i in free_before if i not in taken_before),
        tuple(j for j in free_after if j not in taken_after),
    )
