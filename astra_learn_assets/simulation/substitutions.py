"""The honest opponent of an adapter: a substitution table learned from the very same pairs.

For every stretch of one to three words, with one word of context on each side where that was seen often
enough, the most frequent answer; applied when it was seen twice and is right in more than half of the cases.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from rapidfuzz.distance import Levenshtein

from astra_learn_assets.contracts import Example
from astra_learn_assets.datasets.replay import REPLAY
from astra_learn_assets.evaluation import word_errors

Words = tuple[str, ...]
_LONGEST = 3


def _stretches(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Changed stretches (before start, before end, after start, after end), neighbours joined."""
    found: list[list[int]] = []
    for code in Levenshtein.opcodes(before, after):
        if code.tag == "equal":
            continue
        if found and found[-1][1] == code.src_start and found[-1][3] == code.dest_start:
            found[-1][1], found[-1][3] = code.src_end, code.dest_end
        else:
            found.append([code.src_start, code.src_end, code.dest_start, code.dest_end])
    return [(a, b, c, d) for a, b, c, d in found]


class Table:
    """``entries``: words as transcribed -> as the clerk most often has them."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        answers: defaultdict[Words, Counter[Words]] = defaultdict(Counter)
        sides = [(tuple(b.split()), tuple(a.split())) for b, a in pairs]
        for before, after in sides:
            for low, high, first, last in _stretches(before, after):
                for left, right in ((0, 0), (1, 0), (0, 1), (1, 1)):
                    if low - left < 0 or high + right > len(before) or high - low + left + right > 4:
                        continue
                    source = before[low - left : high + right]
                    if source:
                        answer = (*before[low - left : low], *after[first:last], *before[high : high + right])
                        answers[source][answer] += 1
        seen: Counter[Words] = Counter()
        for before, _ in sides:
            for size in range(1, _LONGEST + 2):
                for at in range(len(before) - size + 1):
                    if before[at : at + size] in answers:
                        seen[before[at : at + size]] += 1
        self.entries: dict[Words, Words] = {}
        for source, found in answers.items():
            answer, count = found.most_common(1)[0]
            if count >= 2 and count > 0.5 * seen[source]:
                self.entries[source] = answer

    def __len__(self) -> int:
        return len(self.entries)

    def apply(self, text: str) -> str:
        """``text`` with every entry put in its place, longest first."""
        words = text.split()
        out: list[str] = []
        at = 0
        while at < len(words):
            for size in range(min(_LONGEST + 1, len(words) - at), 0, -1):
                answer = self.entries.get(tuple(words[at : at + size]))
                if answer is not None:
                    out += answer
                    at += size
                    break
            else:
                out.append(words[at])
                at += 1
        return " ".join(out)


def error_rate(corpus: Iterable[Example], golden: Iterable[Example]) -> float:
    """Word error rate (a share) on ``golden`` of the table that the tenant's own pairs of ``corpus`` make."""
    table = Table((e.input, e.output) for e in corpus if e.meta.tenant_id != REPLAY)
    total = word_errors.NOTHING
    for example in golden:
        total += word_errors.compare(example.output, table.apply(example.input))
    return total.words.rate
