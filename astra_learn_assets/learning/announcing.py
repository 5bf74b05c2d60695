"""What is told of the adapter in service: the signed record in the object store and its copy in Redis.

The table ``promotions`` decides; the record beside the adapters and the key ``NEW_MODEL_AVAILABLE:{tenant}``
say the same, signed, and whoever serves believes nothing else. :func:`announce` sets both from the table at a
promotion, :func:`republish` at every tick of a sensor, for all municipalities at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import redis
import structlog
from pydantic import ValidationError

from astra_learn_assets.contracts import CanaryShare, NewModelAvailable
from astra_learn_assets.errors import SealBroken, Unavailable
from astra_learn_assets.ids import TenantId
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry import keys, seals
from astra_learn_assets.store import paths, promotions, tenants

_LOG = structlog.get_logger(__name__)
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)  # nothing that an erased tenant ever had is newer

Everybody = Mapping[TenantId, promotions.Served]


def redis_key(tenant_id: TenantId) -> str:
    """``NEW_MODEL_AVAILABLE:{tenant_id}``: what CORE reads, and the channel it is announced on."""
    return f"NEW_MODEL_AVAILABLE:{tenant_id}"


def republish(platform: Platform, served: Everybody | None = None) -> int:
    """Set every tenant's ``NEW_MODEL_AVAILABLE`` to what the table says; returns how many were wrong.

    One question to Postgres (its answer may be given as ``served``) and one to Redis for all of them; only
    what is wrong is looked at by itself.

    Raises:
        Unavailable: when Redis or Postgres does not answer.
    """
    right = {tenant_id: _told(platform, row) for tenant_id, row in everybody(platform, served).items()}
    try:
        shown = platform.redis.mget([redis_key(tenant_id) for tenant_id in right]) if right else []
        wrong = [
            tenant_id
            for (tenant_id, message), now in zip(right.items(), shown, strict=True)
            if message != now
        ]
        return sum(announce(platform, tenant_id) for tenant_id in wrong)
    except redis.RedisError as error:
        raise Unavailable(f"Redis does not answer: {type(error).__name__}") from error


def everybody(platform: Platform, served: Everybody | None) -> Everybody:
    """What serves each tenant; ``served`` where that was asked before."""
    if served is not None:
        return served
    with platform.database.session() as session:
        return promotions.served(session)


def announce(platform: Platform, tenant_id: TenantId) -> bool:
    """Set the Redis key and the record in the object store from the table; True when one had to change.

    A newer record of ours is never covered by an older one: the database was restored from before it, and the
    record is what proves it (see :mod:`verification`).
    """
    key = redis_key(tenant_id)
    message = announcement(platform, tenant_id)
    if _is_newer(platform, tenant_id, than=message):
        _LOG.error("the stored promotion record is newer than the table: verify", tenant_id=tenant_id)
        return False
    changed = _record(platform, tenant_id, message)
    while platform.redis.get(key) != message:
        changed = True
        if message is None:
            platform.redis.delete(key)
        else:
            pipeline = platform.redis.pipeline()
            pipeline.set(key, message)
            pipeline.publish(key, message)
            pipeline.execute()
        # look again: a promotion that committed meanwhile must not be hidden behind this older one
        newest = announcement(platform, tenant_id)
        if newest != message:
            _record(platform, tenant_id, newest)
            message = newest
    return changed


def _record(platform: Platform, tenant_id: TenantId, message: str | None) -> bool:
    """The signed record beside the adapters: what CORE asks when Redis has lost it."""
    if message is None:
        return False
    with platform.database.session() as session:
        if tenants.get(session, tenant_id).wrapped_key is None:
            return False  # erased: nothing of it comes back into the store
    key = paths.promotion_record(tenant_id)
    data = message.encode()
    if platform.objects.exists(key) and platform.objects.get(key) == data:
        return False
    platform.objects.put(key, data, overwrite=True)
    return True


def recorded(platform: Platform, tenant_id: TenantId) -> NewModelAvailable | None:
    """The promotion record in the object store, if one is there.

    Raises:
        SealBroken: something that we did not sign for this tenant is there.
    """
    key = paths.promotion_record(tenant_id)
    if not platform.objects.exists(key):
        return None
    try:
        record = NewModelAvailable.model_validate_json(platform.objects.get(key))
    except ValidationError:
        raise SealBroken("the promotion record cannot be read") from None
    seals.check(keys.verify_key(platform.settings), "promotion", record.content(), record.signature)
    if record.tenant_id != tenant_id:
        raise SealBroken("the promotion record is another municipality's")
    return record


def _is_newer(platform: Platform, tenant_id: TenantId, *, than: str | None) -> bool:
    """Whether the stored record is of a later promotion than the announcement ``than``."""
    try:
        stored = recorded(platform, tenant_id)
    except SealBroken:
        return False
    if stored is None:
        return False
    return than is None or stored.promoted_at > NewModelAvailable.model_validate_json(than).promoted_at


def announcement(platform: Platform, tenant_id: TenantId) -> str | None:
    """The signed announcement of what serves; None for a tenant that never had an adapter."""
    with platform.database.session() as session:
        tenants.get(session, tenant_id)
        return _told(platform, promotions.served(session, tenant_id)[tenant_id])


def _told(platform: Platform, served: promotions.Served) -> str | None:
    """The same, of a row that was read already."""
    if served.promoted_at is None:
        if not served.erased:
            return None
        said = NewModelAvailable.nothing(served.tenant_id, FOREVER)
    elif served.adapter is None:
        said = NewModelAvailable.nothing(served.tenant_id, served.promoted_at)
    else:
        said = NewModelAvailable(
            tenant_id=served.tenant_id,
            adapter_id=served.adapter.adapter_id,
            sha256=served.adapter.digest,
            base_model=served.adapter.base_model,
            promoted_at=served.promoted_at,
            canary=_shared(served),
        )
    said = said.model_copy(update={"forget": served.forgotten})
    signature = seals.seal(keys.signing_key(platform.settings), "promotion", said.content())
    return said.model_copy(update={"signature": signature}).model_dump_json()


def _shared(served: promotions.Served) -> CanaryShare | None:
    """With what the adapter shares the sessions; nothing that is to be forgotten serves any."""
    if served.canary is None:
        return None
    stable = served.stable if served.stable and served.stable.adapter_id not in served.forgotten else None
    return CanaryShare(
        share=served.canary.share,
        stable_adapter_id=stable.adapter_id if stable else "",
        stable_sha256=stable.digest if stable else "",
    )
