"""golden_set and training_corpus: which examples test, which teach, and the gate between them.

Only files with a passing ``pii_gate`` verdict, made under today's privacy policy, are read, and only
as the very bytes that were judged; of those only examples that the index holds as usable. Documents are
split by hash into golden and teaching ones, so no document is ever both. The corpus takes the examples
up to ``through_seq`` of the training it belongs to: what arrives later waits for the next one.

``corpus_gate`` asks once more, for each line of the finished file, whether its document still is
approved: a name may have entered the blocklist since. What a person sees of examples comes from here as
well (:func:`preview`), never from a file that no gate has passed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from astra_learn_assets.contracts import Example, GateVerdict
from astra_learn_assets.datasets import corpus, corpus_gate, golden, jsonl, replay
from astra_learn_assets.datasets.golden import GoldenSet
from astra_learn_assets.errors import GateRefused
from astra_learn_assets.hotpath import stored_file
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import anonymize, curated, masking, measured
from astra_learn_assets.learning.training import run as training_run
from astra_learn_assets.learning.training.run import Step
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import artifacts, documents, examples, pages, paths, verdicts
from astra_learn_assets.store.tables import Document

_PREVIEW = 10
_LOOKED_AT = 50  # documents; a long history is not read for ten examples


@dataclass(frozen=True)
class GoldenResult:
    """The frozen test of a tenant; ``golden_hash`` names its file."""

    golden_hash: str
    examples: int
    words: int
    documents: int
    unchanged_words: int = 0
    warnings: tuple[str, ...] = ()


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


def build_golden_set(platform: Platform, tenant_id: TenantId) -> GoldenResult:
    """Write the golden set of all golden documents that passed the privacy gate."""
    chosen = _golden(platform, tenant_id)
    rows = approved_documents(platform, tenant_id, of_golden=True)
    newest = max((row.created_at for row in rows), default=None)
    platform.vault.write(tenant_id, paths.golden(tenant_id, chosen.golden_hash), chosen.data)
    return GoldenResult(
        golden_hash=chosen.golden_hash,
        examples=len(chosen.examples),
        words=chosen.words,
        documents=len(chosen.documents),
        unchanged_words=GoldenSet.of(_unchanged(chosen)).words,
        warnings=tuple(golden_warnings(chosen, newest, platform.settings)),
    )


def golden_warnings(chosen: GoldenSet, newest: datetime | None, settings: Settings) -> Iterator[str]:
    """What a person should know of a golden set: too small, too old, or blind to something."""
    words, documents = settings.golden_recommended_words, settings.golden_recommended_documents
    if chosen.words < words:
        yield f"{chosen.words} words; {words} are recommended, so that a rise of 2 points is seen"
    if len(chosen.documents) < documents:
        yield f"{len(chosen.documents)} documents; {documents} are recommended"
    if newest is not None:
        age = (datetime.now(UTC) - newest).days
        if age > settings.golden_maximum_age_days:
            yield f"the newest document is {age} days old: the council may speak of other things by now"
    if chosen.examples and not _unchanged(chosen):
        yield "no unchanged paragraph: damage to correct text would not be seen"
    if chosen.examples and len(_unchanged(chosen)) == len(chosen.examples):
        yield "no corrected paragraph: an improvement would not be seen"


def _unchanged(chosen: GoldenSet) -> list[Example]:
    return [example for example in chosen.examples if example.meta.route == golden.UNCHANGED]


def has_examples(platform: Platform, tenant_id: TenantId) -> bool:
    """Whether the tenant has anything at all to learn from."""
    with platform.database.session() as session:
        return examples.counts(session, tenant_id)["usable"] > 0


@training_run.stage("training_corpus")
def build_training_corpus(platform: Platform, step: Step) -> CorpusResult:
    """Write the corpus of one training and tie it to its row.

    Raises:
        GateRefused: when the tenant has no usable example that passed the privacy gate, or an example
            file is not the one that was judged.
    """
    tenant_id = step.tenant_id
    through_seq = training_run.through_seq(platform, step)
    with platform.database.session() as session:
        wanted = {row.example_id: row.seq for row in examples.usable(session, tenant_id, through_seq)}
    if not wanted:
        raise GateRefused(
            f"tenant {tenant_id} has no usable example that passed pii_gate: "
            "materialize document_diffs and anonymized_pairs first"
        )
    approved = approved_documents(platform, tenant_id, of_golden=False)
    released = {row.document_id for row in approved if row.review == documents.RELEASED}
    taught = [
        example
        for row in approved
        for example in examples_of(platform, tenant_id, row)
        if example.meta.example_id in wanted
    ]
    if not taught:
        raise GateRefused(
            f"none of the {len(wanted)} examples of tenant {tenant_id} was passed by pii_gate under today's "
            "privacy policy: materialize anonymized_pairs first"
        )
    taught.sort(key=lambda example: wanted[example.meta.example_id], reverse=True)
    test = _golden(platform, tenant_id)
    platform.vault.write(tenant_id, paths.golden(tenant_id, test.golden_hash), test.data)
    with platform.database.session() as session:
        uploaders = artifacts.uploaders(session, tenant_id)
    settings = platform.settings
    built = corpus.build_corpus(
        tenant_id=tenant_id,
        examples=taught,
        replay=replay.load_replay(settings.replay_file),
        golden=[*test.examples, *replay.generic_set().examples],
        cap=settings.corpus_cap,
        replay_share=settings.replay_share,
        contributors=uploaders,
        released=released,
    )
    platform.vault.write(tenant_id, paths.corpus(tenant_id, built.dataset_hash), built.data)
    row = training_run.begin(
        platform,
        step,
        through_seq=through_seq,
        dataset_hash=built.dataset_hash,
        golden_hash=test.golden_hash,
        examples=built.tenant_examples,
    )
    learned = [example for example in jsonl.load(built.data) if example.meta.example_id in wanted]
    routes = [example.meta.route for example in learned]
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
    )


@training_run.stage("corpus_gate", measured.of_verdict)
def judge(platform: Platform, step: Step) -> GateVerdict:
    """corpus_gate: judge the corpus of the step's training from the stored bytes; record it."""
    tenant_id = step.tenant_id
    row = training_run.of_step(platform, step)
    data = platform.vault.read(tenant_id, paths.corpus(tenant_id, row.dataset_hash))
    test = platform.vault.read(tenant_id, paths.golden(tenant_id, row.golden_hash))
    settings = platform.settings
    golden_set = golden.GoldenSet.read(test)
    with platform.database.session() as session:
        uploaders = artifacts.uploaders(session, tenant_id)
    verdict = corpus_gate.corpus_gate(
        corpus.Corpus.read(tenant_id, data),
        golden_set,
        replay_share=settings.replay_share,
        minimum=settings.corpus_minimum,
        golden_share=settings.golden_share,
        contributors=uploaders,
    )
    if verdict.digest != row.dataset_hash or golden_set.golden_hash != row.golden_hash:
        verdict = verdict.model_copy(
            update={
                "passed": False,
                "reason": "the stored corpus or golden set is not the one recorded",
                "digest": row.dataset_hash,
            }
        )
    elif unapproved := _unapproved(platform, tenant_id, (*jsonl.load(data), *golden_set.examples)):
        reasons = [verdict.reason] if not verdict.passed else []
        reasons.append(
            f"{unapproved} examples are of documents that pii_gate has not passed under today's privacy "
            "policy: materialize anonymized_pairs, then training_corpus"
        )
        verdict = verdict.model_copy(
            update={
                "passed": False,
                "reason": "; ".join(reasons),
                "details": {**verdict.details, "unapproved": unapproved},
            }
        )
    with platform.database.session() as session:
        verdicts.record(session, verdict, dagster_run_id=step.dagster_run_id)
    if not verdict.passed:
        training_run.end(platform, row, state="failed", reason=f"corpus_gate: {verdict.reason}")
    return verdict


def preview(platform: Platform, tenant_id: TenantId) -> tuple[Example, ...]:
    """A few of the newest teaching examples, each from a file that pii_gate passed under today's policy.

    A file that is not the one that was judged is passed over: to look at examples changes nothing.
    """
    policy, share = masking.policy_of(platform, tenant_id), platform.settings.golden_share
    with platform.database.session() as session:
        newest = pages.newest_approved(session, tenant_id, policy=policy.fingerprint, limit=_LOOKED_AT)
    shown: list[Example] = []
    for row in newest:
        if golden.is_golden(row.document_id, share):
            continue
        key = paths.pairs(tenant_id, row.document_id)
        try:
            data = stored_file.sealed(platform, tenant_id, key, row.pairs_sha256, what="el fichero")
        except stored_file.Unreadable:
            continue
        shown += jsonl.load(data)[:2]
        if len(shown) >= _PREVIEW:
            break
    return tuple(shown[:_PREVIEW])


def approved_documents(platform: Platform, tenant_id: TenantId, *, of_golden: bool) -> list[Document]:
    """Documents made under today's policy whose exact bytes pii_gate passed, golden or teaching ones."""
    policy = masking.policy_of(platform, tenant_id)
    share = platform.settings.golden_share
    with platform.database.session() as session:
        return [
            row
            for row in documents.listing(session, tenant_id, state="anonymized")
            if golden.is_golden(row.document_id, share) is of_golden and anonymize.is_approved(row, policy)
        ]


def _golden(platform: Platform, tenant_id: TenantId) -> golden.GoldenSet:
    """The golden set; the teaching examples are its context, so a hostile golden document stands out."""
    test, context = (
        [
            example
            for row in approved_documents(platform, tenant_id, of_golden=of_golden)
            for example in _usable(platform, tenant_id, row)
        ]
        for of_golden in (True, False)
    )
    test += curated.examples(platform, tenant_id)
    return golden.build_golden(test, platform.settings.golden_maximum_examples, context=context)


def _usable(platform: Platform, tenant_id: TenantId, row: Document) -> list[Example]:
    """The document's examples that the index holds as usable."""
    with platform.database.session() as session:
        indexed = examples.of_document(session, tenant_id, row.document_id)
    usable = {known.example_id for known in indexed if known.usable}
    return [example for example in examples_of(platform, tenant_id, row) if example.meta.example_id in usable]


def examples_of(platform: Platform, tenant_id: TenantId, row: Document) -> list[Example]:
    """The examples of an approved document.

    Raises:
        GateRefused: the stored file is not the one pii_gate judged; it will be made anew.
    """
    try:
        return jsonl.load(anonymize.read_pairs(platform, tenant_id, row))
    except stored_file.Unreadable as error:
        raise GateRefused(
            f"the example file of {row.document_id} is not the one pii_gate judged: materialize "
            "anonymized_pairs, which makes it anew"
        ) from error


def read_approved(platform: Platform, tenant_id: TenantId, dataset_hash: str) -> bytes:
    """The bytes of a corpus, at the moment they are to be trained on.

    Raises:
        GateRefused: they are not the recorded ones, or hold an example of a document that pii_gate has
            not passed under today's policy: a name may have come to the blocklist since corpus_gate.
    """
    data = platform.vault.read(tenant_id, paths.corpus(tenant_id, dataset_hash))
    if jsonl.digest(data) != dataset_hash:
        raise GateRefused(f"tenant {tenant_id}: the stored corpus is not the one recorded")
    if unapproved := _unapproved(platform, tenant_id, jsonl.load(data)):
        raise GateRefused(
            f"tenant {tenant_id}: the privacy policy has changed for {unapproved} examples meanwhile: "
            "materialize anonymized_pairs, then training_corpus"
        )
    return data


def _unapproved(platform: Platform, tenant_id: TenantId, lines: Sequence[Example]) -> int:
    """How many of ``lines`` are the tenant's own, of documents that are not approved now."""
    approved = {
        row.document_id
        for of_golden in (True, False)
        for row in approved_documents(platform, tenant_id, of_golden=of_golden)
    }
    own = [example for example in lines if example.meta.tenant_id == tenant_id]
    return sum(
        example.meta.document_id not in approved and not curated.is_curated(example.meta.document_id)
        for example in own
    )
