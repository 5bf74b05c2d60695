"""golden_set and training_corpus: which examples test, which teach, and the gate between them.

Only files with a passing ``pii_gate`` verdict for their exact digest are read. Documents are split
by hash into golden and teaching ones, so no document is ever both. The corpus takes the examples
up to ``through_seq`` of the training it belongs to: what arrives later waits for the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from astra_learn_assets.contracts import Example, GateVerdict
from astra_learn_assets.datasets import corpus as corpora
from astra_learn_assets.datasets import gate, golden, jsonl, replay
from astra_learn_assets.errors import GateRefused
from astra_learn_assets.platform import Platform
from astra_learn_assets.stages import anonymize, training_run
from astra_learn_assets.store import documents, examples, paths, verdicts
from astra_learn_assets.store.tables import Document


@dataclass(frozen=True)
class GoldenResult:
    """The frozen test of a tenant; ``golden_hash`` names its file."""

    golden_hash: str
    examples: int
    words: int
    documents: int


@dataclass(frozen=True)
class CorpusResult:
    """A written corpus; ``dataset_hash`` is the SHA-256 of its canonical JSONL and names its file."""

    dataset_hash: str
    golden_hash: str
    training_id: str
    through_seq: int
    tenant_examples: int
    replay_examples: int
    by_route: dict[int, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    hostile_documents: dict[str, str] = field(default_factory=dict)
    preview: tuple[Example, ...] = ()


def build_golden_set(platform: Platform, tenant_id: str) -> GoldenResult:
    """Write the golden set of all golden documents that passed the privacy gate."""
    chosen = _golden(platform, tenant_id)
    platform.vault.write(tenant_id, paths.golden(tenant_id, chosen.golden_hash), chosen.data)
    return GoldenResult(
        golden_hash=chosen.golden_hash,
        examples=len(chosen.examples),
        words=chosen.words,
        documents=len(chosen.documents),
    )


def build_training_corpus(
    platform: Platform, tenant_id: str, *, training_id: str | None, dagster_run_id: str
) -> CorpusResult:
    """Write the corpus of one training and tie it to its row.

    Raises:
        GateRefused: when the tenant has no usable example that passed the privacy gate.
    """
    through_seq = training_run.through_seq(platform, tenant_id, training_id)
    with platform.database.session() as session:
        wanted = {row.example_id: row.seq for row in examples.usable(session, tenant_id, through_seq)}
    if not wanted:
        raise GateRefused(
            f"tenant {tenant_id} has no usable example that passed pii_gate: "
            "materialize document_diffs and anonymized_pairs first"
        )
    taught = [
        example
        for row in approved_documents(platform, tenant_id, of_golden=False)
        for example in _load(platform, tenant_id, row)
        if example.meta.example_id in wanted
    ]
    taught.sort(key=lambda example: wanted[example.meta.example_id], reverse=True)
    test = _golden(platform, tenant_id)
    platform.vault.write(tenant_id, paths.golden(tenant_id, test.golden_hash), test.data)
    settings = platform.settings
    built = corpora.build_corpus(
        tenant_id=tenant_id,
        examples=taught,
        replay=replay.load_replay(settings.replay_file),
        golden=test,
        cap=settings.corpus_cap,
        replay_share=settings.replay_share,
    )
    platform.vault.write(tenant_id, paths.corpus(tenant_id, built.dataset_hash), built.data)
    row = training_run.begin(
        platform,
        tenant_id,
        training_id=training_id,
        dagster_run_id=dagster_run_id,
        through_seq=through_seq,
        dataset_hash=built.dataset_hash,
        golden_hash=test.golden_hash,
        examples=built.tenant_examples,
    )
    routes = [example.meta.route for example in taught]
    return CorpusResult(
        dataset_hash=built.dataset_hash,
        golden_hash=test.golden_hash,
        training_id=row.run_id,
        through_seq=through_seq,
        tenant_examples=built.tenant_examples,
        replay_examples=built.replay_examples,
        by_route={route: routes.count(route) for route in sorted(set(routes))},
        left_out=built.left_out,
        hostile_documents=built.hostile_documents,
        preview=tuple(taught[:10]),
    )


def judge(platform: Platform, tenant_id: str, *, dagster_run_id: str | None = None) -> GateVerdict:
    """corpus_gate: judge the corpus of the tenant's newest training from the stored bytes; record it."""
    row = training_run.newest(platform, tenant_id)
    data = platform.vault.read(tenant_id, paths.corpus(tenant_id, row.dataset_hash))
    test = platform.vault.read(tenant_id, paths.golden(tenant_id, row.golden_hash))
    settings = platform.settings
    verdict = gate.corpus_gate(
        corpora.Corpus.read(tenant_id, data),
        golden.GoldenSet.read(test),
        replay_share=settings.replay_share,
        minimum=settings.corpus_minimum,
        golden_share=settings.golden_share,
    )
    if verdict.digest != row.dataset_hash:
        verdict = verdict.model_copy(
            update={
                "passed": False,
                "reason": "the stored corpus is not the one recorded",
                "digest": row.dataset_hash,
            }
        )
    with platform.database.session() as session:
        verdicts.record(session, verdict, dagster_run_id=dagster_run_id)
    if not verdict.passed:
        training_run.end(platform, row, state="failed", reason=f"corpus_gate: {verdict.reason}")
    return verdict


def approved_documents(platform: Platform, tenant_id: str, *, of_golden: bool) -> list[Document]:
    """Documents with a passing pii verdict for the exact bytes and policy, golden or teaching ones."""
    share = platform.settings.golden_share
    with platform.database.session() as session:
        approved = []
        for row in documents.listing(session, tenant_id, state="anonymized"):
            verdict = verdicts.latest(session, tenant_id, "pii_gate", anonymize.gate_digest(row))
            if (
                verdict is not None
                and verdict.passed
                and golden.is_golden(row.document_id, share) is of_golden
            ):
                approved.append(row)
    return approved


def _golden(platform: Platform, tenant_id: str) -> golden.GoldenSet:
    """The golden set; the teaching examples are its context, so a hostile golden document stands out."""
    test, context = (
        [
            example
            for row in approved_documents(platform, tenant_id, of_golden=of_golden)
            for example in _load(platform, tenant_id, row)
        ]
        for of_golden in (True, False)
    )
    return golden.build_golden(test, platform.settings.golden_maximum_examples, context=context)


def _load(platform: Platform, tenant_id: str, row: Document) -> list[Example]:
    return jsonl.load(platform.vault.read(tenant_id, paths.pairs(tenant_id, row.document_id)))
