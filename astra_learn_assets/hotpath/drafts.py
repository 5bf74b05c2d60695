"""What the Builder hands over: sessions, drafts and their manifests.

A draft is never overwritten. A different one for the same session and version gets a place of its own
and is the base of the finals that come after it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import orm

from astra_learn_assets import ids
from astra_learn_assets.comparator.draft_manifest import parse_manifest
from astra_learn_assets.contracts import Manifest
from astra_learn_assets.errors import BadInput, BadManifest, Conflict
from astra_learn_assets.hotpath import prepared
from astra_learn_assets.hotpath.wording import told
from astra_learn_assets.ids import TenantId
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import adapters, artifacts, audit, erasure, paths, promotions, tenants
from astra_learn_assets.store.tables import Artifact

MAXIMUM_ROSTER = 2_000


@dataclass(frozen=True)
class Place:
    """Where a document belongs; every part validated."""

    tenant_id: TenantId
    session_id: str
    version: int


def register_session(
    platform: Platform,
    *,
    tenant_id: TenantId,
    session_id: str,
    version: int,
    cloned_from: str | None = None,
    roster: Sequence[str] = (),
    registered_by: str = "builder",
    request_id: str | None = None,
) -> None:
    """Make a session known in one version; the same again changes nothing.

    Raises:
        InvalidId, UnknownTenant, TenantErased, BadInput: an impossible roster.
    """
    place = place_of(tenant_id, session_id, version)
    if cloned_from is not None:
        ids.name(cloned_from, "session id")
    names = _roster(roster)
    with platform.database.session() as session:
        tenants.get(session, place.tenant_id)
        erasure.hold_open(session, place.tenant_id)
        artifacts.register_session(
            session,
            place.tenant_id,
            session_id=place.session_id,
            version=place.version,
            cloned_from=cloned_from,
            roster=names,
        )
        note(session, place, registered_by, "session.register", place.session_id, request_id)


def register_draft(
    platform: Platform,
    *,
    tenant_id: TenantId,
    session_id: str,
    version: int,
    docx: bytes,
    manifest: bytes,
    cloned_from: str | None = None,
    roster: Sequence[str] = (),
    adapter_id: str | None = None,
    registered_by: str = "builder",
    request_id: str | None = None,
) -> Artifact:
    """Store a draft and its manifest, and return the draft's row; idempotent by content.

    ``adapter_id``: what made its text, ``base`` for the base model; None when that is not known.

    A different draft for the same session and version does not overwrite the first: it becomes the base
    of the finals that come after it.

    Raises:
        UploadRefused: not a DOCX the gate lets in.
        BadManifest: unreadable, or of another session, version or document.
        Conflict: the same DOCX is already registered with another manifest.
        InvalidId, UnknownTenant, TenantErased, BadInput.
        ForeignTenant, NotFound: the adapter is another tenant's, or none.
    """
    place = place_of(tenant_id, session_id, version)
    if cloned_from is not None:
        ids.name(cloned_from, "session id")
    names = _roster(roster)
    with platform.database.session() as session:
        tenants.get(session, place.tenant_id)
        if adapter_id not in (None, promotions.BASE):
            adapters.get(session, place.tenant_id, adapter_id)
    raw = prepared.RawDraft(docx, manifest)
    draft = prepared.prepare(raw, max_bytes=platform.settings.upload_max_bytes)
    _check_manifest(draft.manifest, place, draft.document.document_id)
    sha256 = hashlib.sha256(docx).hexdigest()
    with platform.database.session() as session:
        wrapped_key = erasure.hold_open(session, place.tenant_id)
        key, stored = _store_draft(platform, place, docx, manifest, sha256)
        beside = hashlib.sha256(stored).hexdigest()
        prepared.keep(platform.vault, place.tenant_id, key, sha256, beside, draft, wrapped_key=wrapped_key)
        artifacts.register_session(
            session,
            place.tenant_id,
            session_id=place.session_id,
            version=place.version,
            cloned_from=cloned_from,
            roster=names,
        )
        artifact, created = artifacts.add_artifact(
            session,
            place.tenant_id,
            session_id=place.session_id,
            version=place.version,
            kind="generated",
            uri=key,
            sha256=sha256,
            uploaded_by=registered_by,
            manifest_sha256=beside,
            adapter_id=adapter_id,
        )
        if created:
            note(session, place, registered_by, "draft.register", artifact.artifact_id, request_id)
    return artifact


def place_of(tenant_id: TenantId, session_id: str, version: int) -> Place:
    """The place, session and version validated.

    Raises:
        InvalidId.
    """
    return Place(tenant_id, ids.name(session_id, "session id"), ids.version(version))


def _roster(names: Sequence[str]) -> list[str]:
    if len(names) > MAXIMUM_ROSTER:
        raise told(BadInput(f"lista de asistentes: el máximo es de {MAXIMUM_ROSTER} nombres"))
    cleaned = [" ".join(name.split()) for name in names]
    if any(len(name) > 200 or not name.isprintable() for name in cleaned):
        raise told(BadInput("lista de asistentes: cada nombre, 200 caracteres visibles como máximo"))
    return [name for name in cleaned if name]


def _check_manifest(manifest: Manifest, place: Place, document_id: str | None) -> None:
    if (manifest.session_id, manifest.version) != (place.session_id, place.version):
        raise BadManifest(
            f"manifest: it is of session {manifest.session_id!r:.80} version {manifest.version}, "
            f"the draft was sent as session {place.session_id!r} version {place.version}"
        )
    if document_id is not None and document_id != manifest.document_id:
        raise BadManifest("manifest: document_id is not the one inside the DOCX")


def _store_draft(
    platform: Platform, place: Place, docx: bytes, manifest: bytes, sha256: str
) -> tuple[str, bytes]:
    """Write DOCX and manifest at the first free key of the version; return the DOCX's key and the manifest
    that lies beside it, which says the same as ``manifest``."""
    first = paths.draft_docx(place.tenant_id, place.session_id, place.version)
    again = paths.redraft_docx(place.tenant_id, place.session_id, place.version, sha256)
    for key in (first, again):
        ours = platform.vault.write(place.tenant_id, key, docx)
        if ours or platform.vault.read(place.tenant_id, key) == docx:
            break
    else:
        raise Conflict("another draft holds this draft's place; its digest begins alike")
    beside = paths.manifest_of(key)
    if not platform.vault.write(place.tenant_id, beside, manifest):
        stored = platform.vault.read(place.tenant_id, beside)
        if parse_manifest(stored) != parse_manifest(manifest):
            raise told(
                Conflict(
                    "este borrador ya está registrado con otro manifiesto: genere uno nuevo para cambiarlo"
                )
            )
        return key, stored
    return key, manifest


def note(
    session: orm.Session, place: Place, actor: str, action: str, target: str, request_id: str | None
) -> None:
    """Write what was done to the audit log, in the transaction that does it."""
    audit.record(
        session,
        tenant_id=place.tenant_id,
        actor=actor,
        action=action,
        target=target,
        outcome="done",
        request_id=request_id,
    )
