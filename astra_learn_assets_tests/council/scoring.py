"""How far a delta agrees with the truth of a simulated session."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from dataclasses import dataclass, field
from functools import lru_cache

from astra_learn_assets.comparator.engine import compare
from astra_learn_assets.contracts import Delta
from astra_learn_assets.simulation.council.simulator import Council, SimulatedSession, make_council


@lru_cache(maxsize=64)
def council_of(tenant: str, seed: int) -> Council:
    return make_council(tenant, seed=seed)


@lru_cache(maxsize=256)
def session_of(tenant: str, seed: int, index: int) -> SimulatedSession:
    """Sessions are costly to make and never change: each is made once for all tests."""
    return council_of(tenant, seed).session(index)


@dataclass
class Score:
    """Counts over sessions; ``disagreements`` names session and chunk, never just a number."""

    counts: Counter[str] = field(default_factory=Counter)
    disagreements: list[str] = field(default_factory=list)

    def add(self, name: str, session: SimulatedSession, delta: Delta) -> None:
        truth = session.truth
        blocks = {chunk_id: block for block in delta.blocks for chunk_id in block.chunk_ids}
        for chunk in truth.chunks:
            block = blocks.get(chunk.chunk_id)
            got = (block.op, block.route) if block is not None else None
            self._count("op", name, got, (chunk.op, chunk.route), chunk.before)
        wanted = {(p.route, squeezed(p.before), squeezed(p.after)) for p in truth.pairs}
        learned = {(p.route, squeezed(p.before), squeezed(p.after)) for p in delta.examples}
        self._sets("pair", name, learned, wanted)
        fixes = {(fix.wrong.casefold(), fix.right) for fix in truth.entity_fixes}
        changes = {core_of(change.wrong.casefold(), change.right) for change in delta.entity_changes}
        self._sets("entity", name, changes, fixes)
        inserted = {squeezed(block.after or "") for block in delta.blocks if block.op == "inserted"}
        self._sets("inserted", name, inserted, {squeezed(text) for text in truth.inserted})

    def recall(self, what: str) -> float:
        return self.counts[f"{what} right"] / max(1, self.counts[f"{what} wanted"])

    def precision(self, what: str) -> float:
        return self.counts[f"{what} right"] / max(1, self.counts[f"{what} found"])

    def _count(self, what: str, name: str, got: object, wanted: object, text: str) -> None:
        self.counts[f"{what} wanted"] += 1
        self.counts[f"{what} right"] += got == wanted
        if got != wanted:
            self.disagreements.append(f"{name}: {what} {got} instead of {wanted}: {text}")

    def _sets(self, what: str, name: str, got: Set[object], wanted: Set[object]) -> None:
        self.counts[f"{what} wanted"] += len(wanted)
        self.counts[f"{what} found"] += len(got)
        self.counts[f"{what} right"] += len(got & wanted)
        self.disagreements += [f"{name}: {what} missed: {item}" for item in sorted(wanted - got, key=repr)]
        self.disagreements += [f"{name}: {what} too many: {item}" for item in sorted(got - wanted, key=repr)]


def compare_session(session: SimulatedSession) -> Delta:
    return compare(
        session.draft_docx,
        session.final_docx,
        generated_id=f"{session.document_id}-draft",
        final_id=f"{session.document_id}-final",
        manifest=session.manifest,
    )


def core_of(wrong: str, right: str) -> tuple[str, str]:
    """Without the words both sides share: the engine names "del PODA" where "poda" is a plain word too."""
    old, new = wrong.split(), right.split()
    while min(len(old), len(new)) > 1 and old[0] == new[0].casefold():
        old, new = old[1:], new[1:]
    while min(len(old), len(new)) > 1 and old[-1] == new[-1].casefold():
        old, new = old[:-1], new[:-1]
    return " ".join(old), " ".join(new)


def squeezed(text: str) -> str:
    return " ".join(text.split())
