"""Where two texts differ, word by word: what poisoning and suspicion both look at."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein


def changed_stretches(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Changed stretches of words, neighbours joined: (before start, before end, after start, after end)."""
    merged: list[list[int]] = []
    for code in Levenshtein.opcodes(before, after):
        if code.tag == "equal":
            continue
        if merged and merged[-1][1] == code.src_start and merged[-1][3] == code.dest_start:
            merged[-1][1], merged[-1][3] = code.src_end, code.dest_end
        else:
            merged.append([code.src_start, code.src_end, code.dest_start, code.dest_end])
    return [(one, two, three, four) for one, two, three, four in merged]
