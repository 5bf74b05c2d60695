"""A draft read once: its blocks and its manifest, as the comparison wants them.

A draft is read from DOCX when it is registered, and every final of it would read it again: a third of the
work of an upload. So what was read is kept beside it, below ``diffs/`` and so sealed with the municipality's
key. It is a copy and never the truth: where it is missing, damaged or made by other code, the DOCX is read.
Its name holds a digest of the code that reads, so that a release that reads differently never finds it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from pydantic import TypeAdapter, ValidationError

from astra_learn_assets.comparator import engine
from astra_learn_assets.comparator.docx.blocks import Document
from astra_learn_assets.comparator.docx.reader import read_document
from astra_learn_assets.comparator.draft_manifest import parse_manifest
from astra_learn_assets.contracts import Manifest
from astra_learn_assets.errors import DecryptionFailed, NotFound
from astra_learn_assets.hotpath import stored_file
from astra_learn_assets.ids import TenantId
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import paths
from astra_learn_assets.store.tables import Artifact
from astra_learn_assets.store.vault import Vault


@dataclass(frozen=True)
class RawDraft:
    """A draft as the Builder sent it: DOCX and ``draft.json``."""

    docx: bytes
    manifest: bytes


@dataclass(frozen=True)
class PreparedDraft:
    """A draft that was read."""

    document: Document
    manifest: Manifest


_FORM = TypeAdapter(PreparedDraft)


def prepare(raw: RawDraft, *, max_bytes: int) -> PreparedDraft:
    """Read a draft.

    Raises:
        UploadRefused, BadManifest.
    """
    manifest = parse_manifest(raw.manifest)
    known = {chunk.chunk_id for chunk in manifest.chunks}
    document = read_document(raw.docx, known_ids=known, max_bytes=max_bytes)
    blocks = tuple(replace(block, claims=()) for block in document.blocks)  # settled: they told its ids
    return PreparedDraft(replace(document, blocks=blocks), manifest)


def dump(draft: PreparedDraft) -> bytes:
    """``draft`` as JSON, without what any block has: half the time to read it back."""
    return _FORM.dump_json(draft, exclude_defaults=True)


def load(data: bytes) -> PreparedDraft:
    """The draft that :func:`dump` wrote.

    Raises:
        ValueError: something else wrote ``data``.
    """
    try:
        return _FORM.validate_json(data)
    except ValidationError as error:
        # of pydantic's message only the kind: it quotes the text
        raise ValueError(f"no prepared draft: {error.errors(include_input=False)[0]['type']}") from None


def key(tenant_id: TenantId, uri: str, sha256: str, manifest_sha256: str) -> str:
    """Where the prepared form of the draft at ``uri`` with these contents is kept."""
    identity = f"{uri}\0{sha256}\0{manifest_sha256}\0{engine.fingerprint()}"
    return paths.prepared_draft(tenant_id, hashlib.sha256(identity.encode()).hexdigest())


def keep(
    vault: Vault,
    tenant_id: TenantId,
    uri: str,
    sha256: str,
    manifest_sha256: str,
    draft: PreparedDraft,
    *,
    wrapped_key: bytes,
) -> None:
    """Keep ``draft`` for the finals to come; one that its JSON does not bring back whole is not kept."""
    data = dump(draft)
    if load(data) == draft:
        vault.write(tenant_id, key(tenant_id, uri, sha256, manifest_sha256), data, wrapped_key=wrapped_key)


def fetch(
    platform: Platform, draft: Artifact, manifest_sha256: str, *, wrapped_key: bytes | None = None
) -> bytes | RawDraft:
    """``draft`` for the comparison: as :func:`load` takes it if it is kept, else as it was sent.

    Raises:
        stored_file.Unreadable: DOCX or manifest is missing, or not what was registered.
        TenantErased, UnknownTenant, Unavailable.
    """
    kept = key(draft.tenant_id, draft.uri, draft.sha256, manifest_sha256)
    try:
        return platform.vault.read(draft.tenant_id, kept, wrapped_key=wrapped_key)
    except (NotFound, DecryptionFailed):
        return RawDraft(stored_file.of_artifact(platform, draft), stored_file.manifest_of(platform, draft))
