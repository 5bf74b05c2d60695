"""The corpus of one training: a tenant's fit examples and a fixed share of replay, as one hashed file.

Steps, each of which only ever takes away: other tenants' examples are an error; golden documents and
text that the golden set holds go; :mod:`quality`, :mod:`suspicion` and :mod:`poisoning` leave out; the same
pair is kept once; one input with several outputs keeps the output most documents agree on; the newest
``cap`` stay; then replay is added until it is ``replay_share`` of the *total*.

The file does not depend on the order of its input beyond "newest first" (which decides only what ``cap``
cuts off): lines are sorted by a hash that mixes replay and tenant examples evenly. Building it again from
the same examples gives the same bytes and so the same ``dataset_hash``.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from astra_learn_assets.contracts import Example
from astra_learn_assets.datasets import jsonl, poisoning, quality, suspicion
from astra_learn_assets.datasets.golden import UNCHANGED, GoldenSet
from astra_learn_assets.datasets.leakage import GoldenIndex
from astra_learn_assets.datasets.replay import REPLAY
from astra_learn_assets.errors import BadConfiguration, ForeignTenant
from astra_learn_assets.ids import TenantId


@dataclass(frozen=True)
class Corpus:
    """``data`` is canonical JSONL, ``dataset_hash`` its SHA-256; counts are lines."""

    tenant_id: TenantId
    data: bytes
    dataset_hash: str
    tenant_examples: int
    replay_examples: int
    left_out: dict[str, int] = field(default_factory=dict)
    """Reason -> number of examples that did not come in."""
    hostile_documents: dict[str, str] = field(default_factory=dict)
    """Document -> why nothing of it was learned."""

    @classmethod
    def read(cls, tenant_id: TenantId, data: bytes) -> Corpus:
        """The corpus stored as ``data`` (without what was left out of it).

        Raises:
            BadJsonl: naming the broken line.
        """
        examples = jsonl.load(data)
        replay = sum(example.meta.tenant_id == REPLAY for example in examples)
        return cls(tenant_id, data, jsonl.digest(data), len(examples) - replay, replay)


def build_corpus(
    *,
    tenant_id: TenantId,
    examples: Sequence[Example],
    replay: Sequence[Example],
    golden: GoldenSet | Sequence[Example],
    cap: int,
    replay_share: float,
    contributors: Mapping[str, str] | None = None,
    released: Collection[str] = (),
) -> Corpus:
    """Build the corpus of ``tenant_id`` from its examples, newest first.

    ``golden`` is the set it must not have seen; ``cap`` bounds the tenant's examples; ``contributors``
    maps document to editor, where known; ``released`` are documents whose risky changes a person approved.
    When there is less replay than the share asks for, the oldest
    tenant examples go (``replay_too_small``) rather than the share.

    Raises:
        ForeignTenant: when an example is of another tenant.
        BadConfiguration: when ``replay_share`` is not in 0..1 or there is no replay to take it from.
    """
    if not 0 <= replay_share < 1:
        raise BadConfiguration(
            f"replay share {replay_share}: use a number from 0 to below 1, for example 0.2"
        )
    for example in examples:
        if example.meta.tenant_id != tenant_id:
            raise ForeignTenant(
                f"example {example.meta.example_id:.12} belongs to {example.meta.tenant_id!r:.70}, "
                f"not to {tenant_id!r}; a corpus holds one municipality's examples"
            )
    unseen = GoldenIndex(golden.examples if isinstance(golden, GoldenSet) else golden)
    reasons: Counter[str] = Counter()

    fit: dict[str, Example] = {}
    for example in examples:
        reason = unseen.leak(example) or quality.assess(example) or _only_tests(example)
        if reason:
            reasons[reason] += 1
        else:
            fit.setdefault(example.meta.example_id, example)
    believed, suspected = _believed(list(fit.values()), contributors, released, reasons)
    screened = poisoning.screen(believed, contributors=contributors)
    reasons.update(screened.left_out.values())
    single = _one_answer_per_input(screened.kept, reasons)

    pool = _replay_pool(replay, unseen, tenant_id)
    affordable = len(single)
    if replay_share > 0:
        affordable = int(len(pool) * (1 - replay_share) / replay_share + 1e-9)
        if single and not affordable:
            raise BadConfiguration(
                f"a replay share of {replay_share:.0%} needs replay examples and {len(pool)} are usable; "
                "set ASTRA_REPLAY_FILE, or ASTRA_REPLAY_SHARE=0"
            )
    newest = single[: max(cap, 0)]
    reasons["over_cap"] += len(single) - len(newest)
    reasons["replay_too_small"] += max(len(newest) - affordable, 0)
    hostile = {**suspected, **screened.documents}
    chosen = _settle(newest[:affordable], contributors, reasons, hostile)
    added = pool[: round(len(chosen) * replay_share / (1 - replay_share))]

    data = jsonl.dump(sorted((*chosen, *added), key=lambda item: _hash("line", item.meta.example_id)))
    return Corpus(
        tenant_id=tenant_id,
        data=data,
        dataset_hash=jsonl.digest(data),
        tenant_examples=len(chosen),
        replay_examples=len(added),
        left_out={reason: count for reason, count in sorted(reasons.items()) if count},
        hostile_documents=hostile,
    )


def _believed(
    examples: list[Example],
    contributors: Mapping[str, str] | None,
    released: Collection[str],
    reasons: Counter[str],
) -> tuple[list[Example], dict[str, str]]:
    """What is left when changes that nobody confirms, and documents full of them, are left out."""
    found = {
        example.meta.example_id: reason
        for example in examples
        if (reason := suspicion.never(example)) is not None
    }
    of = {example.meta.example_id: example.meta.document_id for example in examples}
    alone = suspicion.unconfirmed(examples, contributors)
    found = {**{one: reason for one, reason in alone.items() if of[one] not in released}, **found}
    documents = suspicion.suspects(examples, found)
    kept = []
    for example in examples:
        reason = found.get(example.meta.example_id)
        if reason is None and example.meta.document_id in documents:
            reason = "suspected_document"
        if reason is None:
            kept.append(example)
        else:
            reasons[reason] += 1
    return kept, documents


def _only_tests(example: Example) -> str | None:
    return "unchanged" if example.meta.route == UNCHANGED else None


def _settle(
    examples: Sequence[Example],
    contributors: Mapping[str, str] | None,
    reasons: Counter[str],
    hostile: dict[str, str],
) -> Sequence[Example]:
    """Leave out until nothing more is found: what went changes what is normal for the rest."""
    while True:
        screened = poisoning.screen(examples, contributors=contributors)
        trimmed = poisoning.trim_shares(screened.kept, contributors=contributors)
        if not screened.left_out and not trimmed.left_out:
            return examples
        hostile.update(screened.documents)
        reasons.update(screened.left_out.values())
        reasons.update(trimmed.left_out.values())
        examples = trimmed.kept


def _one_answer_per_input(examples: Sequence[Example], reasons: Counter[str]) -> list[Example]:
    """One example per input: the output that most documents give, ties broken by hash; order kept."""
    by_input: defaultdict[str, list[Example]] = defaultdict(list)
    for example in examples:
        by_input[example.input].append(example)
    kept: list[Example] = []
    for group in by_input.values():
        documents = {
            output: len({item.meta.document_id for item in group if item.output == output})
            for output in {item.output for item in group}
        }
        answer = max(sorted(documents), key=lambda output: documents[output])
        same = [item for item in group if item.output == answer]
        reasons["duplicate"] += len(same) - 1
        reasons["contradicted"] += len(group) - len(same)
        kept.append(min(same, key=lambda item: item.meta.example_id))
    return kept


def _replay_pool(replay: Sequence[Example], unseen: GoldenIndex, tenant_id: TenantId) -> list[Example]:
    """Usable replay examples in an order of the tenant's own, so tenants do not all learn the same ones."""
    pool: dict[str, Example] = {}
    for example in replay:
        if example.meta.tenant_id != REPLAY:
            raise ForeignTenant(
                f"example {example.meta.example_id:.12} is offered as replay but belongs to "
                f"{example.meta.tenant_id!r:.70}"
            )
        if unseen.leak(example) is None:
            pool.setdefault(example.meta.example_id, example)
    return sorted(pool.values(), key=lambda item: _hash(tenant_id, item.meta.example_id))


def _hash(kind: str, value: str) -> bytes:
    return hashlib.sha256(f"corpus:{kind}:{value}".encode()).digest()
