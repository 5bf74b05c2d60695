"""anonymized_pairs: pairs of compared documents become anonymized examples, one JSONL per document.

The rule, in order, for each document whose examples are missing or were made under another policy:

1. pseudonymize both sides of every pair with one map; a pair that thereby becomes identical taught
   only a name, which the dictionary has already: it is left out;
2. leave out what the quality rules refuse (poisoning is judged when a corpus is built, across documents);
3. scan the finished bytes with a second, different detector; a hit leaves out that example alone;
4. write the JSONL, then index its examples.

The *policy* is everything that decides what is masked: the tenant's country and blocklist, the
rosters, the detectors' versions. Its fingerprint is kept with the document, so a name that enters
the blocklist today anonymizes yesterday's documents anew. ``pii_gate`` judges the finished file
again, and nothing is trained on a file without its passing verdict.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from astra_learn_assets.contracts import Delta, Example, GateVerdict
from astra_learn_assets.datasets import golden, instruct, jsonl, quality
from astra_learn_assets.platform import Platform
from astra_learn_assets.privacy.gate import batch_canary, pii_gate
from astra_learn_assets.privacy.pseudonymizer import Pseudonymizer
from astra_learn_assets.privacy.residual import ResidualScanner
from astra_learn_assets.stages import diff_file
from astra_learn_assets.store import artifacts, blocklist, documents, examples, paths, tenants, verdicts
from astra_learn_assets.store.tables import Document

SUPERSEDED = "superseded by another privacy policy"


@dataclass(frozen=True)
class Policy:
    """What is masked for one tenant; equal fingerprints mask alike."""

    country: str
    mask_terms: tuple[str, ...]
    allow_terms: tuple[str, ...]
    model: str | None

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over every field."""
        content = json.dumps([self.country, sorted(self.mask_terms), sorted(self.allow_terms), self.model])
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def pseudonymizer(self) -> Pseudonymizer:
        """The first detector: replaces what it finds."""
        return Pseudonymizer(
            model=self.model,
            country=self.country,
            mask_terms=self.mask_terms,
            allow_terms=self.allow_terms,
        )

    def scanner(self) -> ResidualScanner:
        """The second detector: reports what is left."""
        return ResidualScanner(
            model=self.model,
            country=self.country,
            mask_terms=self.mask_terms,
            allow_terms=self.allow_terms,
        )


@dataclass(frozen=True)
class AnonymizeResult:
    """What one pass made; ``digest`` covers every example file of the tenant."""

    digest: str
    documents: int
    total_documents: int
    examples: int
    left_out: dict[str, int] = field(default_factory=dict)
    entities: dict[str, int] = field(default_factory=dict)
    preview: tuple[Example, ...] = ()


def policy_of(platform: Platform, tenant_id: str) -> Policy:
    """The masking policy of ``tenant_id`` as of now: its country, blocklist and every roster."""
    with platform.database.session() as session:
        country = tenants.get(session, tenant_id).country
        terms = blocklist.listing(session, tenant_id)
        rosters = artifacts.rosters(session, tenant_id)
    return Policy(
        country=country,
        mask_terms=tuple(sorted({term.term for term in terms if term.action == "mask"} | set(rosters))),
        allow_terms=tuple(sorted(term.term for term in terms if term.action == "allow")),
        model=platform.settings.ner_model,
    )


def anonymize_documents(platform: Platform, tenant_id: str) -> AnonymizeResult:
    """Anonymize what is new or was made under another policy; leave the rest untouched."""
    policy = policy_of(platform, tenant_id)
    with platform.database.session() as session:
        rows = documents.listing(session, tenant_id)
    stale = [row for row in rows if _is_stale(row, policy)]
    left_out: Counter[str] = Counter()
    entities: Counter[str] = Counter()
    preview: list[Example] = []
    made = 0
    if stale:
        pseudonymizer, scanner = policy.pseudonymizer(), policy.scanner()
        for row in stale:
            delta = diff_file.decode(platform.vault.read(tenant_id, paths.diff(tenant_id, row.document_id)))
            kept = _examples(tenant_id, row.document_id, delta, pseudonymizer, scanner, left_out)
            _store(platform, tenant_id, row, policy, kept)
            made += len(kept)
            preview.extend(kept[:2])
            for example in kept:
                entities.update({_kind(name): count for name, count in example.meta.entities.items()})
    with platform.database.session() as session:
        rows = documents.listing(session, tenant_id)
    return AnonymizeResult(
        digest=pairs_digest(rows),
        documents=len(stale),
        total_documents=sum(row.pairs_sha256 is not None for row in rows),
        examples=made,
        left_out=dict(left_out),
        entities=dict(entities),
        preview=tuple(preview[:10]),
    )


def judge(platform: Platform, tenant_id: str, *, dagster_run_id: str | None = None) -> list[GateVerdict]:
    """pii_gate: judge every example file that has no verdict under the present policy; record each.

    Returns one verdict per example file of the tenant, old ones included, so that the caller sees
    the state of the whole partition.
    """
    policy = policy_of(platform, tenant_id)
    with platform.database.session() as session:
        rows = [row for row in documents.listing(session, tenant_id) if row.pairs_sha256]
        known = {
            row.document_id: verdicts.latest(session, tenant_id, "pii_gate", gate_digest(row)) for row in rows
        }
    results = [
        verdict
        for row in rows
        if (verdict := known[row.document_id]) is not None and not _is_stale(row, policy)
    ]
    waiting = [row for row in rows if known[row.document_id] is None or _is_stale(row, policy)]
    if not waiting:
        return results
    pseudonymizer, scanner = policy.pseudonymizer(), policy.scanner()
    files = [platform.vault.read(tenant_id, paths.pairs(tenant_id, row.document_id)) for row in waiting]
    canary = batch_canary(files, pseudonymizer=pseudonymizer, scanner=scanner)
    for row, data in zip(waiting, files, strict=True):
        verdict = pii_gate(
            data,
            scanner=scanner,
            pseudonymizer=pseudonymizer,
            tenant_id=tenant_id,
            digest=gate_digest(row),
            canary=canary,
        )
        if hashlib.sha256(data).hexdigest() != row.pairs_sha256:
            verdict = verdict.model_copy(
                update={
                    "passed": False,
                    "reason": f"{row.document_id}: the stored file is not the one recorded",
                }
            )
        with platform.database.session() as session:
            verdicts.record(session, verdict, dagster_run_id=dagster_run_id)
        results.append(verdict)
    return results


def gate_digest(row: Document) -> str:
    """The digest a pii verdict is bound to: the example file *and* the policy it was made under."""
    return hashlib.sha256(f"{row.pairs_sha256} {row.metrics.get('pii_policy')}".encode()).hexdigest()


def pairs_digest(rows: Sequence[Document]) -> str:
    """SHA-256 over the ids and hashes of all example files, independent of the order of ``rows``."""
    lines = sorted(f"{row.document_id} {row.pairs_sha256}" for row in rows if row.pairs_sha256)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _is_stale(row: Document, policy: Policy) -> bool:
    if row.state == "quarantined" or row.diff_sha256 is None:
        return False
    return row.pairs_sha256 is None or row.metrics.get("pii_policy") != policy.fingerprint


def _examples(
    tenant_id: str,
    document_id: str,
    delta: Delta,
    pseudonymizer: Pseudonymizer,
    scanner: ResidualScanner,
    left_out: Counter[str],
) -> list[Example]:
    pairs = delta.examples
    masked = pseudonymizer.pairs(
        [(pair.before, pair.after, f"{document_id}/{pair.chunk_id}/{n}") for n, pair in enumerate(pairs)]
    )
    made: list[Example] = []
    for pair, both in zip(pairs, masked, strict=True):
        example = instruct.make_example(
            pair=pair,
            before=both.before,
            after=both.after,
            entities=both.entities,
            tenant_id=tenant_id,
            document_id=document_id,
            engine_version=delta.engine_version,
        )
        reason = "only_a_name" if both.before == both.after else quality.assess(example)
        if reason is None:
            made.append(example)
        else:
            left_out[reason] += 1
    report = scanner.scan_jsonl(jsonl.dump(made))
    residual = {hit.line for hit in report.hits}
    if residual:
        left_out["residual"] += len(residual)
    return [example for line, example in enumerate(made, start=1) if line not in residual]


def _store(
    platform: Platform, tenant_id: str, row: Document, policy: Policy, kept: Sequence[Example]
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
            metrics={**row.metrics, "pii_policy": policy.fingerprint, "examples": len(kept)},
        )


def _kind(placeholder: str) -> str:
    """``<PERSONA_1>`` -> ``PERSONA``."""
    return placeholder.strip("<>").rsplit("_", 1)[0]
