"""Forget a document, or a municipality, everywhere; and prove it with a signed certificate.

    erase_document(platform, "villaverde", "pleno-3-v1-final-0a1b2c3d4e5f", by="ana")
    erase_tenant(platform, "villaverde", by="ana")

A document leaves traces in its own files (final, draft unless another final stands on it, comparison,
examples), in every file that was made of it (corpora, golden sets, answers, audio manifests, what was put
aside as damaged), in tables (rows of its own; the names it brought into the dictionary, with their history
and events) and in what learned from it. Files made of it cannot be cut, for their name is their content: they
go as a whole and are made anew without it. An adapter whose corpus held it is rejected with a signed verdict,
so it is never served again; what served before and did not learn of it comes back. CORE reads in the signed
promotion record which adapters are to go and deletes its copies. The next training learns from the rest.

Of a municipality the key is destroyed, and with it every backup of what was sealed; rows, objects,
checkpoints, experiment and model in MLflow go. A sensor deletes its runs, with their events, from Dagster.

The certificate says what went and when, in ids and counts. It outlives what it tells of, outside the
municipality's own prefixes, and tells :mod:`verification` of a database that was restored from before it.
Backups of the database are their keeper's to let expire.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy import orm

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.errors import BadInput, DecryptionFailed, NotFound, SealBroken, Unavailable
from astra_learn_assets.hotpath import stored_file
from astra_learn_assets.hotpath.comparisons import known_people
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import announcing, lineage, promoter, provenance, rulings
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry import keys, seals
from astra_learn_assets.store import (
    adapters,
    artifacts,
    documents,
    erasure,
    examples,
    paths,
    promotions,
    tenants,
    trainings,
    verdicts,
)
from astra_learn_assets.store.tables import Adapter, Artifact

_LOG = structlog.get_logger(__name__)
_NAMED_BY_CONTENT = re.compile(r"/([0-9a-f]{64})\.jsonl$")


@dataclass(frozen=True)
class Certificate:
    """What was erased. ``document_id`` None: the whole municipality. ``adapters``: rejected for it.

    ``files``: names (SHA-256) of corpora, golden sets and the like that went. ``left``: what a person still
    has to see to.
    """

    tenant_id: TenantId
    document_id: str | None
    erased_at: str
    by: str
    rows: int
    objects: int
    adapters: tuple[str, ...]
    files: tuple[str, ...]
    left: tuple[str, ...]
    signature: str = ""

    def content(self) -> dict[str, object]:
        """What is signed."""
        return {name: value for name, value in asdict(self).items() if name != "signature"}


def erase_document(platform: Platform, tenant_id: TenantId, document_id: str, *, by: str) -> Certificate:
    """Forget one document of ``tenant_id``. May be repeated after an interruption: it goes on.

    Raises:
        NotFound: the tenant has no document of this id.
        TenantErased, UnknownTenant: there is no such tenant any more.
        Unavailable: Postgres, Redis or the object store does not answer.
    """
    with platform.database.session() as session:
        erasure.hold_open(session, tenant_id)
        final = artifacts.get_artifact(session, tenant_id, document_id)
        if final.kind != "final":
            raise NotFound(f"{document_id} is a draft: name the final that was made of it")
        own = [final, *artifacts.only_under(session, final)]
        known = {row.example_id for row in examples.of_document(session, tenant_id, document_id)}
        everything = adapters.listing(session, tenant_id)
        corpora = {run.dataset_hash for run in trainings.listing(session, tenant_id, limit=None)}
    learned = [row for row in everything if _learned(platform, row, document_id, corpora)]
    # adapters first: whatever fails later, what learned from the document serves no more
    _reject(platform, learned, document_id, by)
    deleted = _delete(platform, tenant_id, own, {document_id, *known})
    gone = len(deleted)
    for row in learned:
        gone += platform.objects.delete_prefix(paths.adapter(row.adapter_id))
    with platform.database.session() as session:
        rows = erasure.erase_document_rows(
            session,
            tenant_id,
            document_id=document_id,
            artifact_ids=[row.artifact_id for row in own],
            actor=by,
        )
        known_now = known_people(*artifacts.told_of_names(session, tenant_id, but_of=""))
        artifacts.forget_people(session, tenant_id, known_now.to_json())
    announcing.announce(platform, tenant_id)
    left = ["backups of the database, until they expire"]
    if learned:
        left.append("the next training learns without it: 'astra-learn backfill learn', or wait for one")
    made = Certificate(
        tenant_id=tenant_id,
        document_id=document_id,
        erased_at=datetime.now(UTC).isoformat(),
        by=by,
        rows=rows,
        objects=gone,
        adapters=tuple(row.adapter_id for row in learned),
        files=tuple(sorted(match[1] for key in deleted if (match := _NAMED_BY_CONTENT.search(key)))),
        left=tuple(left),
    )
    return _keep(platform, made)


def erase_tenant(platform: Platform, tenant_id: TenantId, *, by: str) -> Certificate:
    """Forget a municipality. May be repeated: what an interruption left goes then.

    Raises:
        UnknownTenant: there is no such tenant.
        Unavailable: Postgres, Redis or the object store does not answer.
    """
    with platform.database.session() as session:
        tenants.get(session, tenant_id)
        known = [row.adapter_id for row in adapters.listing(session, tenant_id)]
        rows = erasure.erase_rows(session, tenant_id, actor=by)
    objects = platform.vault.erase_objects(tenant_id)
    settings = platform.settings
    if settings.checkpoint_dir is not None:
        shutil.rmtree(settings.checkpoint_dir / tenant_id, ignore_errors=True)
    left = ["backups of the database, until they expire", "Dagster's runs: a sensor deletes them"]
    try:
        lineage.forget(settings, tenant_id)
    except Unavailable as error:
        _LOG.warning("MLflow still has an erased tenant", tenant_id=tenant_id, error=str(error))
        left.append("MLflow did not answer: repeat the command when it does")
    announcing.announce(platform, tenant_id)
    made = Certificate(
        tenant_id=tenant_id,
        document_id=None,
        erased_at=datetime.now(UTC).isoformat(),
        by=by,
        rows=rows,
        objects=objects,
        adapters=tuple(known),
        files=(),
        left=tuple(left),
    )
    return _keep(platform, made)


def certificates(platform: Platform, tenant_id: TenantId) -> list[Certificate]:
    """Every certificate of a tenant that is ours, oldest first."""
    found: list[Certificate] = []
    for key in platform.objects.list(paths.certificates(tenant_id)):
        try:
            values = json.loads(platform.objects.get(key))
            lists = {name: tuple(values[name]) for name in ("adapters", "files", "left")}
            made = Certificate(**{**values, **lists})
            seals.check(keys.verify_key(platform.settings), "erasure", made.content(), made.signature)
        except (ValueError, TypeError, KeyError, SealBroken, NotFound) as error:
            _LOG.warning("no certificate of ours", key=key, error=type(error).__name__)
            continue
        found.append(made)
    return sorted(found, key=lambda one: one.erased_at)


def is_erased(session: orm.Session, row: Adapter) -> bool:
    """Whether an adapter was rejected because what it learned from was erased: its files are gone rightly."""
    said = verdicts.history(session, row.tenant_id, "adapter_gate", row.digest)
    return any(one.details.get("outcome") == promotions.ERASED for one in said)


def _learned(platform: Platform, row: Adapter, document_id: str, own: Collection[str | None]) -> bool:
    """Whether the adapter's corpus held the document; where that cannot be told, it is taken to have.

    ``own``: the corpora of the tenant's own trainings. What was trained elsewhere never saw the document.
    """
    try:
        return provenance.holds(platform, row.tenant_id, row.dataset_hash, document_id)
    except (stored_file.Unreadable, BadInput):
        if row.dataset_hash not in own:
            return False
        _LOG.warning("its corpus cannot be read: rejected to be safe", adapter_id=row.adapter_id)
        return True


def _reject(platform: Platform, rows: Collection[Adapter], document_id: str, by: str) -> None:
    for row in rows:
        verdict = GateVerdict(
            gate="adapter_gate",
            tenant_id=row.tenant_id,
            digest=row.digest,
            passed=False,
            reason=f"it learned from {document_id}, which was erased",
            details={"outcome": promotions.ERASED},
        )
        with platform.database.session() as session:
            if not is_erased(session, row):
                rulings.record(platform, session, verdict)
        promoter.withdraw_revoked(platform, row.tenant_id, by=by)


def _delete(platform: Platform, tenant_id: TenantId, own: list[Artifact], ids: set[str]) -> list[str]:
    """Delete the document's files, and every sealed file that names it or one of its examples."""
    gone = [
        key for row in own for key in (row.uri, paths.manifest_of(row.uri)) if platform.objects.exists(key)
    ]
    for key in gone:
        platform.objects.delete(key)
    wanted = [name.encode() for name in (*ids, *(row.artifact_id for row in own))]
    for key in _below(platform, tenant_id):
        named = any(name in key.encode() for name in wanted) or key.startswith(paths.drafts(tenant_id))
        if named or _tells(platform, tenant_id, key, wanted):
            platform.objects.delete(key)
            gone.append(key)
    return gone


def _below(platform: Platform, tenant_id: TenantId) -> Iterator[str]:
    for folder in (f"diffs/{tenant_id}", f"datasets/{tenant_id}", f"quarantine/{tenant_id}"):
        yield from platform.objects.list(folder)


def _tells(platform: Platform, tenant_id: TenantId, key: str, wanted: list[bytes]) -> bool:
    """Whether a file speaks of one of ``wanted``; one that does not open cannot be told to be free of it."""
    if not paths.is_encrypted(key):
        return True  # put aside as damaged: nobody can say what is in it
    try:
        data = platform.vault.read(tenant_id, key)
    except DecryptionFailed:
        return True
    except NotFound:
        return False
    return any(name in data for name in wanted)


def _keep(platform: Platform, made: Certificate) -> Certificate:
    signature = seals.seal(keys.signing_key(platform.settings), "erasure", made.content())
    signed = Certificate(**{**asdict(made), "signature": signature})
    what = made.document_id or "tenant"
    stamp = made.erased_at.replace(":", "").replace("+", "-")
    key = paths.certificate(made.tenant_id, f"{stamp}-{what}")
    platform.objects.put(key, json.dumps(asdict(signed), indent=2).encode(), overwrite=True)
    return signed


def documents_again(platform: Platform, tenant_id: TenantId) -> list[Certificate]:
    """Certificates of documents that are in the database all the same: it was restored from before them."""
    found = []
    for made in certificates(platform, tenant_id):
        if made.document_id is None:
            continue
        with platform.database.session() as session:
            try:
                row = documents.get(session, tenant_id, made.document_id)
            except NotFound:
                continue
        if row.created_at < datetime.fromisoformat(made.erased_at):
            found.append(made)
    return found
