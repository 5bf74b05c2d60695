"""Stored bytes are used only when they are the very bytes a row speaks of.

A row says what a file's SHA-256 is; the object store is another machine with other administrators.
Between the two a file can be lost, damaged, or changed by somebody. Every stage therefore reads
through this module, and what does not fit its row is :class:`Unreadable`: a fault of one document,
which the stage notes before it goes on with the next. A store or a key that fails altogether is no
such fault and stays the error it is.
"""

from __future__ import annotations

import hashlib

from astra_learn_assets.errors import AstraError, DecryptionFailed, NotFound, TenantErased, UnknownTenant
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import paths
from astra_learn_assets.store.tables import Artifact


class Unreadable(AstraError):
    """One stored file is missing, damaged, or not the one recorded. The message is Spanish."""

    code = "unreadable"


def of_artifact(platform: Platform, artifact: Artifact) -> bytes:
    """The DOCX of ``artifact``.

    Raises:
        Unreadable: it is not there, or not the one that was uploaded.
    """
    kind = "borrador" if artifact.kind == "generated" else "documento final"
    try:
        data = platform.objects.get(artifact.uri)
    except NotFound as error:
        raise Unreadable(f"falta el fichero del {kind} {artifact.artifact_id}") from error
    _check(data, artifact.sha256, f"el fichero del {kind} {artifact.artifact_id}")
    return data


def manifest_of(platform: Platform, draft: Artifact) -> bytes:
    """The manifest stored beside ``draft``, as it was sent.

    Raises:
        Unreadable: it is not there, or not the one that was registered.
    """
    what = f"el manifiesto del borrador {draft.artifact_id}"
    try:
        data = platform.objects.get(paths.manifest_of(draft.uri))
    except NotFound as error:
        raise Unreadable(f"falta {what}") from error
    if draft.manifest_sha256 is not None:
        _check(data, draft.manifest_sha256, what)
    return data


def sealed(platform: Platform, tenant_id: str, key: str, sha256: str | None, *, what: str) -> bytes:
    """The plaintext of the tenant's object ``key``, recorded with ``sha256``; ``what`` names it in Spanish.

    Raises:
        Unreadable: it is not there, does not open, or is not the one recorded.
    """
    try:
        data = platform.vault.read(tenant_id, key)
    except (UnknownTenant, TenantErased):
        raise
    except NotFound as error:
        raise Unreadable(f"falta {what}") from error
    except DecryptionFailed as error:
        raise Unreadable(f"{what} está dañado o no se puede descifrar") from error
    _check(data, sha256, what)
    return data


def _check(data: bytes, sha256: str | None, what: str) -> None:
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Unreadable(f"{what} no es el que se registró")
