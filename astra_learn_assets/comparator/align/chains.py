"""What kept its order and what moved: the longest increasing subsequence."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise


def moved_positions(order: Sequence[int]) -> set[int]:
    """Positions that are not on the longest increasing subsequence (patience, O(n log n)).

    ``order`` holds distinct numbers: the draft's places, read in the order of the final.
    """
    if all(a < b for a, b in pairwise(order)):
        return set()
    tails: list[int] = []
    tail_positions: list[int] = []
    previous = [-1] * len(order)
    for position, value in enumerate(order):
        if not tails or value > tails[-1]:
            if tails:
                previous[position] = tail_positions[-1]
            tails.append(value)
            tail_positions.append(position)
            continue
        k = bisect_left(tails, value)
        if k:
            previous[position] = tail_positions[k - 1]
        tails[k] = value
        tail_positions[k] = position
    moved = set(range(len(order)))
    position = tail_positions[-1]
    while position >= 0:
        moved.discard(position)
        position = previous[position]
    return moved
