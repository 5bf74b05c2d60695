"""Bearer keys. Only their SHA-256 is kept: a key is 256 random bits, so a slow hash would add nothing."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import orm

from astra_learn_assets.errors import BadInput, NotFound, Unauthorized
from astra_learn_assets.ids import TenantId
from astra_learn_assets.store import tenants
from astra_learn_assets.store.tables import ApiKey

ROLES = ("viewer", "editor", "admin", "platform")
# Row security shows the API the one row whose hash the transaction names. Both go in one message to the
# server: every request begins with this question.
_LOOK_UP = (
    "SELECT set_config('astra.key_sha256', %(hash)s, true); "
    "SELECT key_id, tenant_id, role, label, revoked_at, expires_at FROM api_keys WHERE key_sha256 = %(hash)s"
)


@dataclass(frozen=True)
class Holder:
    """Whose key it is; ``tenant_id`` None = platform scope."""

    key_id: str
    tenant_id: TenantId | None
    role: str
    label: str


def issue(
    session: orm.Session,
    *,
    tenant_id: TenantId | None,
    role: str,
    label: str,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key: ``(row, plaintext)``. The plaintext exists only in this answer.

    Raises:
        BadInput: unknown role; role ``platform`` with a tenant or another role without one; no label;
            an ``expires_at`` in the past or without a time zone.
        UnknownTenant: there is none.
    """
    if role not in ROLES:
        raise BadInput(f"invalid role {role!r:.20}: expected one of {', '.join(ROLES)}")
    if (role == "platform") != (tenant_id is None):
        raise BadInput("role 'platform' goes without a tenant, every other role with one")
    if not label.strip() or "\0" in label:
        raise BadInput("a key needs a label that says who uses it")
    if expires_at is not None and (expires_at.tzinfo is None or expires_at <= datetime.now(UTC)):
        raise BadInput("expires_at must be in the future and have a time zone")
    if tenant_id is not None:
        tenants.get(session, tenant_id)
    key_id = f"key-{secrets.token_hex(8)}"
    plaintext = f"astra_{secrets.token_urlsafe(32)}"
    row = ApiKey(
        key_id=key_id,
        key_sha256=_hash(plaintext),
        tenant_id=tenant_id,
        role=role,
        label=label.strip(),
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    return row, plaintext


def verify(session: orm.Session, plaintext: str) -> Holder:
    """Who holds a key that is valid now. The message is the same whatever is wrong with it.

    Raises:
        Unauthorized: unknown, revoked or expired.
    """
    refused = Unauthorized("clave desconocida, retirada o caducada: pida otra a quien administra el servicio")
    if not plaintext.startswith("astra_") or len(plaintext) > 100 or not plaintext.isascii():
        raise refused
    # Found by hash: the time this takes says nothing about the key.
    found = session.connection().exec_driver_sql(_LOOK_UP, {"hash": _hash(plaintext)}).first()
    if found is None:
        raise refused
    refused.key_id = found.key_id
    if found.revoked_at is not None:
        raise refused
    if found.expires_at is not None and found.expires_at <= datetime.now(UTC):
        raise refused
    return Holder(found.key_id, found.tenant_id, found.role, found.label)


def revoke(session: orm.Session, key_id: str) -> ApiKey:
    """Make a key useless from the commit on; again changes nothing.

    Raises:
        NotFound: no such key.
    """
    row = session.get(ApiKey, key_id, with_for_update=True)
    if row is None:
        raise NotFound(f"no key {key_id!r:.60}")
    if row.revoked_at is None:
        row.revoked_at = datetime.now(UTC)
        session.flush()
    return row


def listing(session: orm.Session, tenant_id: TenantId | None = None) -> list[ApiKey]:
    """Every key, or those of one tenant, oldest first."""
    query = sa.select(ApiKey).order_by(ApiKey.created_at, ApiKey.key_id)
    if tenant_id is not None:
        query = query.where(ApiKey.tenant_id == tenant_id)
    return list(session.scalars(query))


def _hash(plaintext: str) -> str:
    return hashlib.sha256(plaintext.encode()).hexdigest()
