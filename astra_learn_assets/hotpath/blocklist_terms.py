"""Changing a tenant's blocklist: what a term may be, and the audit line beside each change."""

from __future__ import annotations

import hashlib
import re

from sqlalchemy import orm

from astra_learn_assets.errors import BadInput, NotFound
from astra_learn_assets.hotpath.wording import told
from astra_learn_assets.ids import TenantId
from astra_learn_assets.store import audit, blocklist, erasure, tenants

_KIND = re.compile(r"[a-z_]{1,20}")


def id_of_term(term: str) -> str:
    """The id of a term in paths and in the audit log: 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(term.encode()).hexdigest()[:16]


def clean_term(term: str) -> str:
    """``term`` with single spaces.

    Raises:
        BadInput: not 2 to 200 printable characters.
    """
    cleaned = " ".join(term.split())
    if not 2 <= len(cleaned) <= 200 or not cleaned.isprintable():
        raise told(BadInput("término no válido: use de 2 a 200 caracteres visibles"))
    return cleaned


def add_term(
    session: orm.Session,
    tenant_id: TenantId,
    term: str,
    *,
    action: str,
    kind: str,
    actor: str,
    request_id: str | None,
) -> str:
    """Add ``term`` (the same again takes the new action) and return it as stored.

    Raises:
        UnknownTenant, TenantErased, BadInput.
    """
    tenants.get(session, tenant_id)
    erasure.hold_open(session, tenant_id)
    cleaned = clean_term(term)
    if not _KIND.fullmatch(kind):
        raise told(BadInput("'kind' no es válido: use de 1 a 20 letras minúsculas"))
    blocklist.add(session, tenant_id, cleaned, action=action, kind=kind)
    _audit(session, tenant_id, actor, "blocklist.add", cleaned, request_id)
    return cleaned


def remove_term(
    session: orm.Session, tenant_id: TenantId, term: str, *, actor: str, request_id: str | None
) -> None:
    """Take ``term`` out; it may also be given by its id.

    Raises:
        UnknownTenant, NotFound: it is not on the list.
    """
    tenants.get(session, tenant_id)
    wanted = " ".join(term.split())
    stored = [row.term for row in blocklist.listing(session, tenant_id)]
    match = next((known for known in stored if wanted in (known, id_of_term(known))), None)
    if match is None:
        raise told(NotFound("ese término no está en la lista"))
    blocklist.remove(session, tenant_id, match)
    _audit(session, tenant_id, actor, "blocklist.remove", match, request_id)


def _audit(
    session: orm.Session, tenant_id: TenantId, actor: str, action: str, term: str, request_id: str | None
) -> None:
    audit.record(
        session,
        tenant_id=tenant_id,
        actor=actor,
        action=action,
        target=id_of_term(term),
        outcome="done",
        request_id=request_id,
    )
