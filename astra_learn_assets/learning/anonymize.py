"""anonymized_pairs: pairs of compared documents become anonymized examples, one JSONL per document.

The rule, in order, for each document whose examples are missing or were made under another policy:

1. pseudonymize both sides of every pair with one map, and with the names that any paragraph of draft or
   final leaves no doubt about; a pair that thereby becomes identical taught only a name, which the
   dictionary has already: it is left out;
2. leave out what the quality rules refuse (poisoning is judged when a corpus is built, across documents);
3. of a golden document the paragraphs that the clerk left alone come in as well, to test and never to teach;
4. scan the finished bytes with a second, different detector; a hit leaves out that example alone;
5. write the JSONL, then index its examples.

The *policy* is everything that decides what is masked: the tenant's country and blocklist, the
rosters, the detectors' versions and the data they know names from. Its fingerprint is kept with the
document, so a name that enters the blocklist today, or a detector that is better tomorrow, anonymizes
yesterday's documents anew. Until that has happened such a document is *stale*: no gate passes it, no
corpus and no golden set takes it (:func:`is_approved`).

``pii_gate`` judges the finished file again, and nothing is trained on a file without its passing
verdict. A document whose diff cannot be read is kept out and compared again by the next run; one whose
example file is not the one recorded has it made anew. Neither holds up the others.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import orm

from astra_learn_assets import tracing
from astra_learn_assets.comparator import diff_file
from astra_learn_assets.contracts import Delta, Example, GateVerdict, Pair
from astra_learn_assets.datasets import golden, instruct, jsonl, quality
from astra_learn_assets.errors import BadInput
from astra_learn_assets.hotpath import stored_file
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import measured, review
from astra_learn_assets.learning.masking import Policy, policy_of
from astra_learn_assets.platform import Platform
from astra_learn_assets.privacy.pseudonymizer import Pseudonymizer
from astra_learn_assets.privacy.scan.pii_gate import batch_canary, pii_gate
from astra_learn_assets.privacy.scan.residual import ResidualScanner
from astra_learn_assets.store import (
    artifacts,
    documents,
    examples,
    paths,
    verdicts,
)
from astra_learn_assets.store.tables import Document

_UNCHANGED_WORDS = 3  # a shorter paragraph is a heading or a name in the list of those present
SUPERSEDED = "superseded by another privacy policy"


@dataclass(frozen=True)
class AnonymizeResult:
    """What one pass made; ``digest`` and ``total_…`` are of every example file of the tenant."""

    digest: str
    documents: int
    total_documents: int
    total_examples: int
    examples: int
    left_out: dict[str, int] = field(default_factory=dict)
    entities: dict[str, int] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()
    """Documents whose diff could not be read; the next run compares them again."""
    refused: tuple[str, ...] = ()
    """Documents of which no examples can be made; their rows say why."""


def anonymize_documents(platform: Platform, tenant_id: TenantId) -> AnonymizeResult:
    """Anonymize what is new or was made under another policy; leave the rest untouched."""
    settings = platform.settings
    policy = policy_of(platform, tenant_id)
    with platform.database.session() as session:
        rows = documents.listing(session, tenant_id)
    stale = [row for row in rows if _is_stale(row, policy)]
    left_out: Counter[str] = Counter()
    entities: Counter[str] = Counter()
    unreadable: list[str] = []
    refused: list[str] = []
    made = 0
    if stale:
        first, second = policy.pseudonymizer(), policy.scanner()
        with platform.database.session() as session:
            traces = artifacts.traces(session, tenant_id, [row.document_id for row in stale])
        for row in stale:
            with (
                measured.stage(platform, "anonymized_pairs") as seen,
                tracing.span(
                    settings, "anonymized_pairs", parent=traces.get(row.document_id), tenant_id=tenant_id
                ),
            ):
                try:
                    delta = _delta(platform, tenant_id, row)
                    is_golden = golden.is_golden(row.document_id, platform.settings.golden_share)
                    unchanged = _unchanged(delta) if is_golden else ()
                    kept = _examples(tenant_id, row.document_id, delta, first, second, left_out, unchanged)
                except stored_file.Unreadable as error:
                    _keep_out(platform, tenant_id, row, str(error), again=True)
                    unreadable.append(row.document_id)
                    seen.result = "unreadable"
                    continue
                except BadInput as error:
                    reason = f"no se pueden hacer ejemplos de este documento ({error})"
                    _keep_out(platform, tenant_id, row, reason, again=False)
                    refused.append(row.document_id)
                    seen.result = "quarantined"
                    continue
                _store(platform, tenant_id, row, policy, kept)
                seen.result = "anonymized"
            made += len(kept)
            for example in kept:
                entities.update({_kind(name): count for name, count in example.meta.entities.items()})
    tracing.flush(settings)
    with platform.database.session() as session:
        rows = documents.listing(session, tenant_id)
    with_file = [row for row in rows if row.pairs_sha256 is not None]
    return AnonymizeResult(
        digest=pairs_digest(rows),
        documents=len(stale) - len(unreadable) - len(refused),
        total_documents=len(with_file),
        total_examples=sum(int(row.metrics.get("examples", 0)) for row in with_file),
        examples=made,
        left_out=dict(left_out),
        entities=dict(entities),
        unreadable=tuple(unreadable),
        refused=tuple(refused),
    )


def outstanding(platform: Platform, tenant_id: TenantId) -> documents.Outstanding:
    """The documents of ``tenant_id`` that a preparing run would still change under today's policy."""
    policy = policy_of(platform, tenant_id).fingerprint
    with platform.database.session() as session:
        return documents.outstanding(session, tenant_id, policy=policy)


def judge(platform: Platform, tenant_id: TenantId, *, dagster_run_id: str | None = None) -> list[GateVerdict]:
    """pii_gate: judge every example file that has no verdict under the present policy; record each.

    Returns one verdict per example file of the tenant, old ones included, so that the caller sees
    the state of the whole partition. A stale document, or one whose file is not the one recorded, has a
    refusal here that is not recorded: it speaks of no digest, and the file is about to be made anew.
    """
    policy = policy_of(platform, tenant_id)
    with platform.database.session() as session:
        rows = [row for row in documents.listing(session, tenant_id) if row.pairs_sha256]
        known = {
            row.document_id: verdicts.latest(session, tenant_id, "pii_gate", gate_digest(row)) for row in rows
        }
    results: list[GateVerdict] = []
    waiting: list[tuple[Document, bytes]] = []
    for row in rows:
        verdict = known[row.document_id]
        if _is_stale(row, policy):
            results.append(_refusal(row, "made under another privacy policy: materialize anonymized_pairs"))
        elif verdict is not None:
            if row.approved is not verdict.passed:  # the same file under the same policy, made once more
                with platform.database.session() as session:
                    _note(session, row, verdict)
            results.append(verdict)
        else:
            try:
                waiting.append((row, read_pairs(platform, tenant_id, row)))
            except stored_file.Unreadable as error:
                results.append(_refusal(row, f"{error}; anonymized_pairs makes it anew"))
    if not waiting:
        return results
    first, second = policy.pseudonymizer(), policy.scanner()
    canary = batch_canary([data for _, data in waiting], pseudonymizer=first, scanner=second)
    for row, data in waiting:
        with measured.stage(platform, "pii_gate") as seen:
            verdict = pii_gate(
                data,
                scanner=second,
                pseudonymizer=first,
                tenant_id=tenant_id,
                digest=gate_digest(row),
                canary=canary,
            )
            with platform.database.session() as session:
                verdicts.record(session, verdict, dagster_run_id=dagster_run_id)
                _note(session, row, verdict)
            seen.result = measured.of_verdict(verdict)
        results.append(verdict)
    return results


def is_approved(row: Document, policy: Policy) -> bool:
    """Whether the examples of ``row`` were made under ``policy`` and passed pii_gate."""
    return row.state == "anonymized" and row.approved is True and row.pii_policy == policy.fingerprint


def read_pairs(platform: Platform, tenant_id: TenantId, row: Document) -> bytes:
    """The example file that ``row`` records. One that is not it is given up, to be made anew.

    Raises:
        Unreadable: the file is missing, damaged, or has other content.
    """
    key = paths.pairs(tenant_id, row.document_id)
    what = f"el fichero de ejemplos de {row.document_id}"
    try:
        return stored_file.sealed(platform, tenant_id, key, row.pairs_sha256, what=what)
    except stored_file.Unreadable:
        with platform.database.session() as session:
            documents.reopen(session, tenant_id, row.document_id, pairs_sha256=str(row.pairs_sha256))
        raise


def gate_digest(row: Document) -> str:
    """The digest a pii verdict is bound to: the example file *and* the policy it was made under."""
    return hashlib.sha256(f"{row.pairs_sha256} {row.pii_policy}".encode()).hexdigest()


def pairs_digest(rows: Sequence[Document]) -> str:
    """SHA-256 over the ids and hashes of all example files, independent of the order of ``rows``."""
    lines = sorted(f"{row.document_id} {row.pairs_sha256}" for row in rows if row.pairs_sha256)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _is_stale(row: Document, policy: Policy) -> bool:
    if row.state == "quarantined" or row.diff_sha256 is None:
        return False
    return row.pii_policy != policy.fingerprint


def _note(session: orm.Session, row: Document, verdict: GateVerdict) -> None:
    """The verdict is the evidence, the document's ``approved`` what every later step reads."""
    documents.judged(
        session,
        row.tenant_id,
        row.document_id,
        pairs_sha256=str(row.pairs_sha256),
        pii_policy=str(row.pii_policy),
        approved=verdict.passed,
    )


def _delta(platform: Platform, tenant_id: TenantId, row: Document) -> Delta:
    with platform.database.session() as session:
        final = artifacts.get_artifact(session, tenant_id, row.artifact_id)
    key = paths.diff(tenant_id, row.document_id, final.comparison)
    what = f"la comparación de {row.document_id}"
    data = stored_file.sealed(platform, tenant_id, key, row.diff_sha256, what=what)
    try:
        delta = diff_file.decode(data)
    except BadInput as error:
        raise stored_file.Unreadable(f"{what} no se puede leer") from error
    return review.of_released(delta) if row.review == documents.RELEASED else delta


def _keep_out(platform: Platform, tenant_id: TenantId, row: Document, reason: str, *, again: bool) -> None:
    """Keep a document out, for good or until it is compared ``again``.

    What it taught under another policy no longer teaches.
    """
    with platform.database.session() as session:
        known = examples.of_document(session, tenant_id, row.document_id)
        examples.exclude(session, tenant_id, [old.example_id for old in known if old.usable], SUPERSEDED)
        documents.record(
            session,
            tenant_id,
            document_id=row.document_id,
            artifact_id=row.artifact_id,
            state="quarantined",
            reason=reason,
            unreadable=again,
        )


def _refusal(row: Document, reason: str) -> GateVerdict:
    return GateVerdict(
        gate="pii_gate",
        tenant_id=row.tenant_id,
        digest=gate_digest(row),
        passed=False,
        reason=f"{row.document_id}: {reason}",
    )


def _examples(
    tenant_id: TenantId,
    document_id: str,
    delta: Delta,
    first: Pseudonymizer,
    second: ResidualScanner,
    left_out: Counter[str],
    unchanged: Sequence[Pair] = (),
) -> list[Example]:
    pairs = (*delta.examples, *unchanged)
    masked = first.pairs(
        [(pair.before, pair.after, f"{document_id}/{pair.chunk_id}/{n}") for n, pair in enumerate(pairs)],
        first.names([text for block in delta.blocks for text in (block.before, block.after) if text]),
    )
    made: list[Example] = []
    for number, (pair, both) in enumerate(zip(pairs, masked, strict=True)):
        is_unchanged = number >= len(delta.examples)
        example = instruct.make_example(
            pair=pair,
            before=both.before,
            after=both.after,
            entities=both.entities,
            tenant_id=tenant_id,
            document_id=document_id,
            engine_version=delta.engine_version,
            unchanged=is_unchanged,
        )
        only_a_name = both.before == both.after and not is_unchanged
        reason = "only_a_name" if only_a_name else quality.assess(example)
        if reason is None:
            made.append(example)
        else:
            left_out[reason] += 1
    report = second.scan_jsonl(jsonl.dump(made))
    residual = {hit.line for hit in report.hits}
    if residual:
        left_out["residual"] += len(residual)
    return [example for line, example in enumerate(made, start=1) if line not in residual]


def _unchanged(delta: Delta) -> tuple[Pair, ...]:
    """What was transcribed and left as it was, as pairs of equal sides, each text once.

    Where any paragraph names its audio, one that names none is the template's and was never transcribed.
    """
    found: dict[str, Pair] = {}
    has_ids = any(block.chunk_ids for block in delta.blocks)
    for block in delta.blocks:
        text = block.after or ""
        if has_ids and not block.chunk_ids:
            continue
        if block.op == "equal" and block.before == block.after and len(text.split()) >= _UNCHANGED_WORDS:
            chunk = block.chunk_ids[0] if block.chunk_ids else None
            found.setdefault(text, Pair(chunk_id=chunk, route=1, before=text, after=text))
    return tuple(found.values())


def _store(
    platform: Platform, tenant_id: TenantId, row: Document, policy: Policy, kept: Sequence[Example]
) -> None:
    """File first, then rows: an index entry never points at text that is not there."""
    data = jsonl.dump(kept)
    platform.vault.write(tenant_id, paths.pairs(tenant_id, row.document_id), data, overwrite=True)
    is_golden = golden.is_golden(row.document_id, platform.settings.golden_share)
    ids = {example.meta.example_id for example in kept}
    with platform.database.session() as session:
        known = examples.of_document(session, tenant_id, row.document_id)
        superseded = [old.example_id for old in known if old.usable and old.example_id not in ids]
        examples.exclude(session, tenant_id, superseded, SUPERSEDED)
        examples.add(
            session,
            tenant_id,
            [
                examples.NewExample(
                    example_id=example.meta.example_id,
                    document_id=row.document_id,
                    route=example.meta.route,
                    golden=is_golden,
                    usable=True,
                    reason=None,
                )
                for example in kept
            ],
            revive=SUPERSEDED,
        )
        documents.record(
            session,
            tenant_id,
            document_id=row.document_id,
            artifact_id=row.artifact_id,
            state="anonymized",
            diff_sha256=row.diff_sha256,
            pairs_sha256=hashlib.sha256(data).hexdigest(),
            pii_policy=policy.fingerprint,
            metrics={**row.metrics, "examples": len(kept)},
        )


def _kind(placeholder: str) -> str:
    """``<PERSONA_1>`` -> ``PERSONA``."""
    return placeholder.strip("<>").rsplit("_", 1)[0]
