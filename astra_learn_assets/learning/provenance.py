"""Where an adapter comes from and what became of it, link by link, each checked against its hash.

    walk(platform, "villaverde", adapter_id)
    document -> pairs -> corpus -> training -> adapter -> verdict -> promotion

The way goes backwards from the adapter: its signed manifest names the corpus, the corpus's lines name their
documents, the documents their files. A link is *sound* when what is stored is what the next link was made of,
*changed* when it was made anew since (examples under another privacy policy), and *broken* otherwise. What
trained the adapter stands in its signed manifest, so no later run that finds it again can claim it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import orm

from astra_learn_assets.contracts import AdapterManifest, Example
from astra_learn_assets.datasets import jsonl
from astra_learn_assets.errors import AdapterRefused, BadInput, NotFound, SealBroken
from astra_learn_assets.hotpath import stored_file
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import curated, publisher, rulings
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry import keys, seals
from astra_learn_assets.registry.manifest import digest_of
from astra_learn_assets.store import adapters, artifacts, documents, paths, promotions, trainings, verdicts
from astra_learn_assets.store.tables import Adapter, Document

SOUND, CHANGED, BROKEN = "sound", "changed", "broken"
TRAINED_BY = "trained_by"
"""Name in a manifest's metrics: the Dagster run that trained the adapter."""


@dataclass(frozen=True)
class Link:
    """One step of the way. ``digest``: what identifies it; ``state``: sound, changed or broken."""

    step: str
    name: str
    state: str
    digest: str | None = None
    said: str = ""
    at: datetime | None = None


def walk(platform: Platform, tenant_id: TenantId, adapter_id: str) -> list[Link]:
    """Every link of an adapter, documents first.

    Raises:
        ForeignTenant, NotFound: there is no such adapter of the tenant.
        Unavailable: Postgres or the object store does not answer.
    """
    with platform.database.session() as session:
        row = adapters.get(session, tenant_id, adapter_id)
        own = [
            run
            for run in trainings.listing(session, tenant_id, limit=None)
            if run.adapter_id == adapter_id or run.dataset_hash == row.dataset_hash
        ]
        after = [*_verdicts(platform, session, row), *_promotions(session, row)]
    said = [
        Link(
            "training",
            run.run_id,
            SOUND if run.dataset_hash == row.dataset_hash else BROKEN,
            run.dataset_hash,
            f"{run.state}, Dagster run {run.dagster_run_id}, MLflow run {run.mlflow_run_id}",
            run.created_at,
        )
        for run in reversed(own)
    ]
    return [*_corpus(platform, row), *said, _adapter(platform, row), *after]


def documents_of(platform: Platform, tenant_id: TenantId, dataset_hash: str) -> dict[str, str]:
    """Document -> SHA-256 of its example file, of every document that a stored corpus holds lines of.

    Raises:
        stored_file.Unreadable: the corpus is not there, or not the one of this hash.
    """
    held = _documents(platform, tenant_id, dataset_hash)
    with platform.database.session() as session:
        rows = {row.document_id: row for row in documents.listing(session, tenant_id)}
    return {name: str(rows[name].pairs_sha256) for name in sorted(held) if name in rows}


def holds(platform: Platform, tenant_id: TenantId, dataset_hash: str, document_id: str) -> bool:
    """Whether a stored corpus has lines of a document.

    Raises:
        stored_file.Unreadable: the corpus is not there, or not the one of this hash.
    """
    return document_id in _documents(platform, tenant_id, dataset_hash)


def _documents(platform: Platform, tenant_id: TenantId, dataset_hash: str) -> set[str]:
    own, _ = _examples(platform, tenant_id, dataset_hash)
    return {example.meta.document_id for example in own}


def _examples(platform: Platform, tenant_id: TenantId, dataset_hash: str) -> tuple[list[Example], int]:
    """The tenant's own lines of a stored corpus, and how many are replayed from elsewhere."""
    key = paths.corpus(tenant_id, dataset_hash)
    data = stored_file.sealed(platform, tenant_id, key, dataset_hash, what=f"el corpus {dataset_hash[:16]}")
    own = [example for example in jsonl.load(data) if example.meta.tenant_id == tenant_id]
    return own, data.count(b"\n") - len(own)


def _corpus(platform: Platform, row: Adapter) -> Iterator[Link]:
    tenant_id = row.tenant_id
    try:
        lines, replayed = _examples(platform, tenant_id, row.dataset_hash)
    except (stored_file.Unreadable, BadInput) as error:
        yield Link("corpus", row.dataset_hash[:16], BROKEN, row.dataset_hash, str(error))
        return
    taught: dict[str, set[str]] = {}
    for example in lines:
        taught.setdefault(example.meta.document_id, set()).add(example.meta.example_id)
    with platform.database.session() as session:
        known = {one.document_id: one for one in documents.listing(session, tenant_id)}
    for document_id, ids in sorted(taught.items()):
        yield from _document(platform, tenant_id, document_id, known.get(document_id), ids)
    said = f"{len(lines)} examples of {len(taught)} documents, {replayed} replayed"
    yield Link("corpus", row.dataset_hash[:16], SOUND, row.dataset_hash, said)


def _document(
    platform: Platform, tenant_id: TenantId, document_id: str, row: Document | None, ids: set[str]
) -> Iterator[Link]:
    if curated.is_curated(document_id):
        yield Link("document", document_id, BROKEN, said="a golden document teaches")
        return
    if row is None:
        yield Link("document", document_id, BROKEN, said="in no table any more")
        return
    try:
        with platform.database.session() as session:
            final = artifacts.get_artifact(session, tenant_id, row.artifact_id)
        stored_file.of_artifact(platform, final)
        yield Link("document", document_id, SOUND, final.sha256, f"uploaded by {final.uploaded_by}")
    except (NotFound, stored_file.Unreadable) as error:
        yield Link("document", document_id, BROKEN, said=str(error))
    try:
        what = f"el fichero de ejemplos de {document_id}"
        key = paths.pairs(tenant_id, document_id)
        data = stored_file.sealed(platform, tenant_id, key, row.pairs_sha256, what=what)
        there = {example.meta.example_id for example in jsonl.load(data)}
    except (stored_file.Unreadable, BadInput) as error:
        yield Link("pairs", document_id, BROKEN, row.pairs_sha256, str(error))
        return
    missing = len(ids - there)
    said = f"{len(ids)} of its examples teach" + (f", {missing} made anew since" if missing else "")
    yield Link("pairs", document_id, CHANGED if missing else SOUND, row.pairs_sha256, said)


def _adapter(platform: Platform, row: Adapter) -> Link:
    recorded = AdapterManifest.model_validate(row.manifest)
    by = recorded.metrics.get(TRAINED_BY)
    said = (
        f"trained by Dagster run {by or 'unknown'} at commit {recorded.commit_hash[:12]} "
        f"on {recorded.base_model}@{(recorded.base_revision or 'None')[:12]}"
    )
    try:
        stored = publisher.fetch_verified(platform, row.tenant_id, row.adapter_id)
    except (NotFound, AdapterRefused) as error:
        return Link("adapter", row.adapter_id, BROKEN, row.digest, f"{error}; {said}", row.created_at)
    same = digest_of(stored) == row.digest and stored.dataset_hash == row.dataset_hash
    return Link("adapter", row.adapter_id, SOUND if same else BROKEN, row.digest, said, row.created_at)


def _verdicts(platform: Platform, session: orm.Session, row: Adapter) -> Iterator[Link]:
    key = keys.verify_key(platform.settings)
    for gate in rulings.GATES:
        for one in verdicts.history(session, row.tenant_id, gate, row.digest):
            verdict = verdicts.said(one)
            said = f"{'passed' if one.passed else 'refused'}: {one.reason}"
            state = SOUND
            try:
                seals.check(key, "verdict", verdict.model_dump(mode="json"), one.signature)
            except SealBroken as error:
                state, said = BROKEN, f"{error}; {said}"
            golden = verdict.details.get("golden_hash")
            if isinstance(golden, str) and not platform.vault.exists(
                row.tenant_id, paths.golden(row.tenant_id, golden)
            ):
                state, said = BROKEN, f"its golden set is not stored; {said}"
            yield Link("verdict", gate, state, row.digest, said, one.created_at)


def _promotions(session: orm.Session, row: Adapter) -> Iterator[Link]:
    for one in reversed(promotions.history(session, row.tenant_id)):
        if one.adapter_id == row.adapter_id:
            said = f"{one.kind} by {one.promoted_by}, after {one.previous_adapter_id or 'the base model'}"
            yield Link("promotion", str(one.promotion_id), SOUND, row.digest, said, one.created_at)
