"""Make an adapter the champion: the one place where what is served changes.

Order, so that a crash at any point leaves either the old champion or the new one, never half of each:

1. verdicts of ``adapter_gate`` and ``wer_gate`` for the exact digest, and against the present champion;
2. every stored byte against the signature;
3. the MLflow model version (harmless when nothing follows; an adapter that served before has one);
4. the row in ``promotions``: **this is the promotion**;
5. the followers: alias ``champion`` in MLflow, key ``NEW_MODEL_AVAILABLE:{tenant}`` in Redis.

Postgres and the object store decide; MLflow and Redis follow. One that is away neither stops nor undoes a
promotion, least of all a rollback in a bad hour, and does not hold back the other: :func:`republish` and
:func:`repair_aliases`, which a sensor calls, set them right from the table. A row made while MLflow was
away keeps an empty ``mlflow_version`` (the table is append-only); its version is made or found by the
adapter's id when the alias is set. A rollback is a promotion of an older adapter; it had passed its gates
when it was promoted.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime

import redis
import structlog

from astra_learn_assets import ids
from astra_learn_assets.contracts import AdapterManifest, NewModelAvailable
from astra_learn_assets.errors import Conflict, ForeignTenant, GateRefused, Unavailable
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import lineage
from astra_learn_assets.learning.publisher import fetch_verified
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry.manifest import digest_of
from astra_learn_assets.store import adapters, erasure, locks, paths, promotions, tenants, verdicts
from astra_learn_assets.store.tables import Adapter, Promotion

_LOG = structlog.get_logger(__name__)
_ALIAS_FAILURES = 3  # after so many MLflow is away rather than one model broken


def redis_key(tenant_id: TenantId) -> str:
    """``NEW_MODEL_AVAILABLE:{tenant_id}``: what CORE reads, and the channel it is announced on."""
    return f"NEW_MODEL_AVAILABLE:{tenant_id}"


def promote(
    platform: Platform, tenant_id: TenantId, adapter_id: str, *, promoted_by: str, kind: str = "promotion"
) -> Promotion:
    """Make ``adapter_id`` the champion of ``tenant_id``; idempotent when it is already.

    Raises:
        NotFound: when there is no such adapter or tenant.
        ForeignTenant: when it is another tenant's.
        GateRefused: without passing verdicts for its digest, or when it was judged against another
            champion than the present one.
        AdapterRefused: when the stored folder is not what was signed.
        TenantErased: when the tenant was erased, also while this was under way.
        Conflict: when another promotion came in between.
        Unavailable: when Postgres or the object store does not answer. MLflow and Redis may be away.
    """
    _require_own(tenant_id, adapter_id)
    with platform.database.session() as session:
        tenants.get(session, tenant_id)
        erasure.hold_open(session, tenant_id)
        row = adapters.get(session, tenant_id, adapter_id)
        history = promotions.history(session, tenant_id)
        current = history[0] if history else None
        known = {item.adapter_id for item in history}
        already = current is not None and current.adapter_id == adapter_id
        if not already and not (kind == "rollback" and adapter_id in known):
            verdicts.require_passed(session, tenant_id, "adapter_gate", row.digest)
            verdict = verdicts.require_passed(session, tenant_id, "wer_gate", row.digest)
            champion = adapters.get(session, tenant_id, current.adapter_id) if current else None
            expected = champion.digest if champion else None
            if kind == "promotion" and verdict.details.get("champion_digest", expected) != expected:
                raise GateRefused(
                    f"{adapter_id} was judged against another champion than the present one "
                    f"({current.adapter_id if current else 'none'}); evaluate it again"
                )
    stored = fetch_verified(platform, tenant_id, adapter_id)
    if digest_of(stored) != row.digest:
        raise GateRefused(f"{adapter_id}: the stored adapter is not the one that was judged")
    version = _recorded_version(history, adapter_id)
    if version is None:
        try:
            version = _register(platform, row)
        except Unavailable as error:
            _LOG.warning("promoting without MLflow", tenant_id=tenant_id, error=str(error))
    with platform.database.session() as session:
        erasure.hold_open(session, tenant_id)
        locks.hold(session, "promotions", tenant_id)
        now = promotions.current(session, tenant_id)
        if (now and now.promotion_id) != (current and current.promotion_id):
            raise Conflict(f"tenant {tenant_id}: another promotion came in between; try again")
        promotion = promotions.add(
            session,
            tenant_id,
            adapter_id=adapter_id,
            kind=kind,
            promoted_by=promoted_by,
            mlflow_version=version,
        )
    for follow in (_announce, _set_alias):
        try:
            follow(platform, tenant_id)
        except (redis.RedisError, Unavailable) as error:
            _LOG.warning(
                "promoted; a follower is away and will be set later", tenant_id=tenant_id, error=str(error)
            )
    return promotion


def rollback(platform: Platform, tenant_id: TenantId, *, by: str, to: str | None = None) -> Promotion:
    """Promote an older adapter: ``to``, or the one that served before the present one came.

    ``to`` must have been promoted before, or have passed both gates. Rolling back twice goes back two.

    Raises:
        Conflict: when there is nothing older to go back to.
        NotFound, ForeignTenant, GateRefused, AdapterRefused, Unavailable: as :func:`promote`.
    """
    if to is None:
        with platform.database.session() as session:
            tenants.get(session, tenant_id)
            served = sorted(promotions.history(session, tenant_id), key=lambda item: item.promotion_id)
        order = list(dict.fromkeys(item.adapter_id for item in served))
        place = order.index(served[-1].adapter_id) if served else 0
        if place == 0:
            raise Conflict(
                f"tenant {tenant_id}: no older adapter to roll back to; name one with passing gates"
            )
        to = order[place - 1]
    return promote(platform, tenant_id, to, promoted_by=by, kind="rollback")


Everybody = Mapping[TenantId, promotions.Served | None]


def republish(platform: Platform, served: Everybody | None = None) -> int:
    """Set every tenant's ``NEW_MODEL_AVAILABLE`` to what the table says; returns how many were wrong.

    One question to Postgres (its answer may be given as ``served``) and one to Redis for all of them; only
    what is wrong is looked at by itself.

    Raises:
        Unavailable: when Redis or Postgres does not answer.
    """
    right = {
        tenant_id: None if row is None else _told(row.adapter, row.created_at)
        for tenant_id, row in _everybody(platform, served).items()
    }
    try:
        shown = platform.redis.mget([redis_key(tenant_id) for tenant_id in right]) if right else []
        wrong = [
            tenant_id
            for (tenant_id, message), now in zip(right.items(), shown, strict=True)
            if message != now
        ]
        return sum(_announce(platform, tenant_id) for tenant_id in wrong)
    except redis.RedisError as error:
        raise Unavailable(f"Redis does not answer: {type(error).__name__}") from error


def repair_aliases(
    platform: Platform, done: Mapping[str, int], everybody: Everybody | None = None
) -> dict[TenantId, int]:
    """Point MLflow's alias ``champion`` at what the table says; returns tenant -> promotion that it shows.

    ``done`` is the answer of the last call: MLflow is asked only about tenants promoted since. One of them
    that MLflow refuses does not hold back the others; an MLflow that is away costs three attempts, and the
    rest waits for the next call.

    Raises:
        Unavailable: when Postgres does not answer.
    """
    served = {
        tenant_id: row.promotion_id
        for tenant_id, row in _everybody(platform, everybody).items()
        if row is not None
    }
    right = {tenant_id: row for tenant_id, row in served.items() if done.get(tenant_id) == row}
    waiting = sorted(served.keys() - right.keys())
    random.shuffle(waiting)  # so that the same few that fail are not always the ones that are tried
    failures = 0
    for tenant_id in waiting:
        try:
            _set_alias(platform, tenant_id)
        except Unavailable as error:
            _LOG.warning("alias not set; it will be later", tenant_id=tenant_id, error=str(error))
            failures += 1
            if failures == _ALIAS_FAILURES:
                break
        else:
            right[tenant_id] = served[tenant_id]
    return right


def _everybody(platform: Platform, served: Everybody | None) -> Everybody:
    if served is not None:
        return served
    with platform.database.session() as session:
        return promotions.served(session)


def _announce(platform: Platform, tenant_id: TenantId) -> bool:
    """Set the Redis key from the table; True when it had to change."""
    key = redis_key(tenant_id)
    changed = False
    while True:
        message = _message(platform, tenant_id)
        if platform.redis.get(key) == message:
            return changed
        changed = True
        if message is None:
            platform.redis.delete(key)
        else:
            pipeline = platform.redis.pipeline()
            pipeline.set(key, message)
            pipeline.publish(key, message)
            pipeline.execute()
        # look again: a promotion that committed meanwhile must not be hidden behind this older one
        if _message(platform, tenant_id) == message:
            return True


def _message(platform: Platform, tenant_id: TenantId) -> str | None:
    with platform.database.session() as session:
        current = promotions.current(session, tenant_id)
        if current is None:
            return None
        return _told(adapters.get(session, tenant_id, current.adapter_id), current.created_at)


def _told(adapter: Adapter, promoted_at: datetime) -> str:
    return NewModelAvailable(
        adapter_id=adapter.adapter_id,
        sha256=adapter.digest,
        base_model=adapter.base_model,
        promoted_at=promoted_at,
    ).model_dump_json()


def _set_alias(platform: Platform, tenant_id: TenantId) -> None:
    """Set the alias from the table, if it shows something else; the version is made when it is missing."""
    with platform.database.session() as session:
        history = promotions.history(session, tenant_id)
        if not history:
            return
        adapter_id = history[0].adapter_id
        row = adapters.get(session, tenant_id, adapter_id)
    if lineage.champion(platform.settings, tenant_id) == adapter_id:
        return
    version = _recorded_version(history, adapter_id) or _register(platform, row)
    if version is not None:
        lineage.set_champion(platform.settings, tenant_id, version)


def _recorded_version(history: Sequence[Promotion], adapter_id: str) -> str | None:
    """The model version under which the adapter was promoted before, if that was written down."""
    return next(
        (item.mlflow_version for item in history if item.adapter_id == adapter_id and item.mlflow_version),
        None,
    )


def _register(platform: Platform, row: Adapter) -> str | None:
    return lineage.register(
        platform.settings,
        AdapterManifest.model_validate(row.manifest),
        run_id=row.mlflow_run_id,
        source=_source(platform, row.adapter_id),
    )


def _source(platform: Platform, adapter_id: str) -> str:
    root = (platform.settings.object_store_url or "").rstrip("/")
    return f"{root}/{paths.adapter(adapter_id)}"


def _require_own(tenant_id: TenantId, adapter_id: str) -> None:
    if ids.tenant_of_adapter(adapter_id) != tenant_id:
        raise ForeignTenant(f"{adapter_id} is not an adapter of {tenant_id}")
