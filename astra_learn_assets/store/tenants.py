"""The municipalities. A tenant row is made first; everything else hangs on it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import insert

from astra_learn_assets.errors import AlreadyExists, BadInput, InvalidTenantId, UnknownTenant
from astra_learn_assets.ids import TenantId
from astra_learn_assets.privacy.identifiers.countries import country_code
from astra_learn_assets.store.tables import Tenant

# Replay examples carry this id in their metadata, so no municipality may have it.
RESERVED = frozenset({"replay"})


def create(
    session: orm.Session,
    tenant_id: TenantId,
    *,
    display_name: str,
    country: str,
    tier: str = "standard",
    wrapped_key: bytes,
) -> Tenant:
    """Add a tenant. ``country`` is the lower-case code of a country pack; ``wrapped_key`` from the vault.

    Raises:
        InvalidTenantId: reserved.
        AlreadyExists: there is one of this id, erased or not: an id is never given twice.
        BadInput: no display name, or a country without a pack of national ids.
    """
    if tenant_id in RESERVED:
        raise InvalidTenantId(f"tenant id {tenant_id!r} is reserved: choose another one")
    name = " ".join(display_name.split())
    if not name or "\0" in name:
        raise BadInput("a tenant needs a display name, for example 'Villaverde'")
    if country_code(country) != country:
        raise BadInput(f"invalid country {country!r:.20}: use two lower-case letters, for example 'es'")
    if not 1 <= len(tier) <= 20:
        raise BadInput("invalid tier: use 1 to 20 characters, for example 'standard'")
    row: Tenant | None = session.scalar(
        insert(Tenant)
        .values(tenant_id=tenant_id, display_name=name, country=country, tier=tier, wrapped_key=wrapped_key)
        .on_conflict_do_nothing()
        .returning(Tenant)
    )
    if row is None:
        raise AlreadyExists(f"tenant {tenant_id!r} exists already")
    return row


def get(session: orm.Session, tenant_id: TenantId) -> Tenant:
    """The tenant's row.

    Raises:
        UnknownTenant: there is none.
    """
    row = session.get(Tenant, tenant_id)
    if row is None:
        raise UnknownTenant(f"no tenant {tenant_id!r}: add it with 'astra-learn tenant add {tenant_id}'")
    return row


def list_all(session: orm.Session) -> list[Tenant]:
    """All tenants by id."""
    rows: Sequence[Tenant] = session.scalars(sa.select(Tenant).order_by(Tenant.tenant_id)).all()
    return list(rows)
