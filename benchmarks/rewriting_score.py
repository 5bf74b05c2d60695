"""What a comparison of heavily rewritten minutes got right, for ``rewriting.py``.

A tool answers with pairs of paragraphs (draft, final) and with what it would learn from: sets of draft and
final paragraphs taken for one utterance, corrected. Twins (draft paragraphs with the same words) are told
apart only where the final's paragraph kept its id. A summary of the topic alone ("matter") has no source
that could be read from it: finding it is no merit, missing it no fault.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from astra_learn_assets.contracts import Delta
from benchmarks.heavy_rewriting import Rewriting

Pairs = set[tuple[int, int]]
Lesson = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass
class Answer:
    """A tool's pairs, what it learns, and how sure it was of each pair it made: (probability, i, j)."""

    pairs: Pairs
    lessons: list[Lesson]
    quarantined: bool = False
    beliefs: list[tuple[float, int, int]] = field(default_factory=list)


class Truth:
    """The truth of one case in places instead of ids."""

    def __init__(self, case: Rewriting, *, with_ids: bool) -> None:
        self.case = case
        place = {paragraph.id: i for i, paragraph in enumerate(case.draft)}
        self.group = list(range(len(case.draft)))
        for twins in case.twins:
            for twin in twins:
                self.group[place[twin]] = place[twins[0]]
        self.final = case.final
        self.sources = [{place[s] for s in p.sources} for p in case.final]
        self.exact = [with_ids and p.kept_id for p in case.final]
        self.matter = [any("matter" in o for o in p.operations) for p in case.final]
        self.pairs: Pairs = {(i, j) for j, found in enumerate(self.sources) for i in found}
        self.pieces: dict[int, set[int]] = {}
        for i, j in self.pairs:
            self.pieces.setdefault(i, set()).add(j)

    def same(self, i: int, j: int) -> bool:
        """Whether final paragraph ``j`` says what draft paragraph ``i`` said."""
        if i in self.sources[j]:
            return True
        if self.exact[j]:
            return False
        return any(self.group[i] == self.group[s] for s in self.sources[j])

    def verdict(self, lesson: Lesson) -> str:
        """wrong: a part is not the other side's; partial: a part is missing; content: all parts are there,
        but the clerk did more than correct; right otherwise."""
        before, after = lesson
        if not all(any(self.same(i, j) for j in after) for i in before) or not all(
            any(self.same(i, j) for i in before) for j in after
        ):
            return "wrong"
        sources = {s for j in after for s in self.sources[j]}
        pieces = {j for s in sources for j in self.pieces[s]}
        if len(sources) > len(before) or len(pieces) > len(after):
            return "partial"
        return "right" if all(self.final[j].teaches for j in after) else "content"

    @property
    def corrected_share(self) -> float:
        """Of the words of the draft that did not stay as they were, the share that was only corrected."""
        words = [len(p.text.split()) for p in self.case.draft]
        changed = taught = 0
        kept = {s for j, p in enumerate(self.final) if p.kind == "equal" for s in self.sources[j]}
        good = {s for j, p in enumerate(self.final) if p.teaches for s in self.sources[j]}
        for i, count in enumerate(words):
            if i not in kept:
                changed += count
                taught += count * (i in good)
        return taught / changed if changed else 1.0


def of_delta(case: Rewriting, delta: Delta, chunk_ids: Sequence[str]) -> Answer:
    """The engine's answer in places; the parts of a block are found by their ids and texts."""
    place = {chunk_id: i for i, chunk_id in enumerate(chunk_ids)}
    texts = [" ".join(p.text.split()) for p in case.final]
    answer = Answer(set(), [], delta.quarantined is not None)
    for block in delta.blocks:
        if block.before is None or block.after is None or block.after_index is None:
            continue
        before = tuple(place[c] for c in block.chunk_ids)
        after: list[int] = []
        for part in block.after_parts or (block.after,):
            after.append(texts.index(part, after[-1] + 1 if after else block.after_index))
        pairs = {(i, j) for i in before for j in after}
        answer.pairs |= pairs
        if block.op != "equal" and block.before != block.after:
            answer.beliefs += [(_belief(block), i, j) for i, j in pairs]
        if block.route in (1, 2):
            answer.lessons.append((before, tuple(after)))
    return answer


def _belief(block: object) -> float:
    value = getattr(block, "same_utterance", None)
    return float(value if value is not None else block.confidence)  # type: ignore[attr-defined]


def by_difflib(case: Rewriting) -> Answer:
    """difflib over whole paragraphs; what it replaces is paired in order."""
    before, after = [p.text for p in case.draft], [p.text for p in case.final]
    pairs: Pairs = set()
    for tag, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag in ("equal", "replace"):
            pairs.update(zip(range(a, b), range(c, d), strict=False))
    return _learning_all(before, after, pairs)


def by_rapidfuzz(case: Rewriting) -> Answer:
    """Equal paragraphs in order, then the best partners of a full matrix of the leftovers, moves included."""
    before, after = [p.text for p in case.draft], [p.text for p in case.final]
    codes: dict[str, int] = {}
    left = [codes.setdefault(text, len(codes)) for text in before]
    right = [codes.setdefault(text, len(codes)) for text in after]
    pairs: Pairs = set()
    for op in Levenshtein.opcodes(left, right):
        if op.tag == "equal":
            pairs.update(zip(range(op.src_start, op.src_end), range(op.dest_start, op.dest_end), strict=True))
    rows = sorted(set(range(len(before))) - {i for i, _ in pairs})
    columns = sorted(set(range(len(after))) - {j for _, j in pairs})
    if rows and columns:
        matrix = cdist(
            [before[i] for i in rows],
            [after[j] for j in columns],
            scorer=fuzz.ratio,
            score_cutoff=50,
            dtype=np.uint8,
        )
        used: tuple[set[int], set[int]] = (set(), set())
        for flat in np.argsort(-matrix.astype(np.int16), axis=None, kind="stable").tolist():
            x, y = divmod(flat, len(columns))
            if not matrix[x, y]:
                break
            if x not in used[0] and y not in used[1]:
                used[0].add(x)
                used[1].add(y)
                pairs.add((rows[x], columns[y]))
    return _learning_all(before, after, pairs)


def _learning_all(before: list[str], after: list[str], pairs: Pairs) -> Answer:
    return Answer(pairs, [((i,), (j,)) for i, j in sorted(pairs) if before[i] != after[j]])


class Tally:
    """Counts over many cases; see :meth:`row`."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.held: Counter[str] = Counter()
        self.bins = [[0, 0, 0.0] for _ in range(10)]

    def add(self, truth: Truth, answer: Answer) -> None:
        """Take in one case."""
        counts = self.counts
        counts["cases"] += 1
        true = {pair for pair in truth.pairs if not truth.matter[pair[1]]}
        found = {pair for pair in answer.pairs if not (truth.matter[pair[1]] and truth.same(*pair))}
        good = sum(truth.same(*pair) for pair in found)
        counts.update(
            said=len(found), said_right=good, true=len(true), true_found=_covered(truth, true, found)
        )
        changed = {(i, j) for i, j in true if truth.final[j].kind != "equal"}
        counts.update(changed=len(changed), changed_found=_covered(truth, changed, found))
        for value, i, j in answer.beliefs:
            entry = self.bins[min(9, int(value * 10))]
            entry[0] += 1
            entry[1] += truth.same(i, j)
            entry[2] += value
        teachable = {
            frozenset(truth.pieces[min(truth.sources[j])] | {j})
            for j, p in enumerate(truth.final)
            if p.teaches
        }
        verdicts = Counter(truth.verdict(lesson) for lesson in answer.lessons)
        rightly = truth.corrected_share < 0.5
        self.held.update(heavy=rightly, held=answer.quarantined, rightly=answer.quarantined and rightly)
        counts["teachable"] += len(teachable)
        if answer.quarantined:
            self.held.update({f"held_{key}": n for key, n in verdicts.items()})
        else:
            counts.update(verdicts)
            counts["lessons"] += len(answer.lessons)

    def row(self) -> dict[str, float]:
        """Precision and recall of pairs (recall of changed ones apart), the shares of wrong, partial and
        content lessons among the learned, and the share of the corrections that was learned."""
        c = self.counts
        return {
            "precision": _share(c["said_right"], c["said"]),
            "recall": _share(c["true_found"], c["true"]),
            "changed": _share(c["changed_found"], c["changed"]),
            "lessons": c["lessons"],
            "wrong": _share(c["wrong"], c["lessons"]),
            "partial": _share(c["partial"], c["lessons"]),
            "content": _share(c["content"], c["lessons"]),
            "learned": _share(c["right"], c["teachable"]),
        }


def _covered(truth: Truth, true: Iterable[tuple[int, int]], found: Pairs) -> int:
    """How many true pairs were found, twins counted once for each found pair."""
    by_final: dict[int, set[int]] = {}
    for i, j in found:
        by_final.setdefault(j, set()).add(i)
    covered = 0
    for j in {j for _, j in true}:
        here = by_final.get(j, set())
        wanted = sorted(truth.sources[j])
        exact = [i for i in wanted if i in here]
        covered += len(exact)
        if not truth.exact[j]:
            groups = Counter(truth.group[i] for i in here if i not in exact)
            for i in wanted:
                if i not in exact and groups[truth.group[i]] > 0:
                    groups[truth.group[i]] -= 1
                    covered += 1
    return covered


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
