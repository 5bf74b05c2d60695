"""Make an adapter the champion: the one place where what is served changes.

Order, so that a crash at any point leaves either the old champion or the new one, never half of each:

1. signed verdicts of ``adapter_gate`` and ``wer_gate`` for the exact digest, bound to corpus, base, golden
   set, gate version and today's opponents (:mod:`rulings`); asked again inside the transaction of step 4;
2. every stored byte against the signature;
3. the MLflow model version (harmless when nothing follows; an adapter that served before has one);
4. the row in ``promotions``: **this is the promotion**; with a row in ``canaries`` where a share of the
   sessions tries it first (:mod:`canary` ends the trial);
5. the followers: the signed promotion record in the object store and under the key
   ``NEW_MODEL_AVAILABLE:{tenant}`` in Redis, alias ``champion`` in MLflow.

Postgres and the object store decide; MLflow and Redis follow. One that is away neither stops nor undoes a
promotion, least of all a rollback in a bad hour, and does not hold back the other: :func:`republish` and
:func:`repair_aliases`, which a sensor calls, set them right from the table. A row made while MLflow was
away keeps an empty ``mlflow_version`` (the table is append-only); its version is made or found by the
adapter's id when the alias is set. A rollback goes to an adapter that served and that no gate has rejected
since, or to the base model. CORE believes the signed record alone, so nothing else is ever served.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

import redis
import structlog
from pydantic import ValidationError
from sqlalchemy import orm

from astra_learn_assets import ids
from astra_learn_assets.contracts import CanaryShare, NewModelAvailable
from astra_learn_assets.datasets import jsonl
from astra_learn_assets.errors import (
    AdapterRevoked,
    Conflict,
    ForeignTenant,
    GateRefused,
    NeverServed,
    SealBroken,
    Unavailable,
)
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import model_versions, opponents, rulings
from astra_learn_assets.learning.publisher import fetch_verified
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry import keys, seals
from astra_learn_assets.registry.manifest import digest_of
from astra_learn_assets.store import adapters, canaries, erasure, locks, paths, promotions, tenants
from astra_learn_assets.store.tables import Adapter, Canary, Promotion

_LOG = structlog.get_logger(__name__)
BASE_MODEL = "base"
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)  # nothing that an erased tenant ever had is newer
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
        GateRefused: without passing verdicts for its digest, or when it was judged against others than
            those it has to beat today; SealBroken when a verdict is not signed, AdapterRevoked when a gate
            has rejected it since, NeverServed for a rollback to what never served.
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
        before = promotions.newest(session, tenant_id)
        _require_authority(platform, session, row, kind=kind)
    stored = fetch_verified(platform, tenant_id, adapter_id)
    if digest_of(stored) != row.digest:
        raise GateRefused(f"{adapter_id}: the stored adapter is not the one that was judged")
    version = _recorded_version(history, adapter_id)
    if version is None:
        try:
            version = model_versions.register(platform, row)
        except Unavailable as error:
            _LOG.warning("promoting without MLflow", tenant_id=tenant_id, error=str(error))
    with platform.database.session() as session:
        erasure.hold_open(session, tenant_id)
        locks.hold(session, "promotions", tenant_id)
        now = promotions.newest(session, tenant_id)
        if (now and now.promotion_id) != (before and before.promotion_id):
            raise Conflict(f"tenant {tenant_id}: another promotion came in between; try again")
        # a rejection that landed since the first look is seen here: recording one takes the same lock
        _require_authority(platform, session, row, kind=kind)
        on_trial = canaries.current(session, tenant_id)
        promotion = promotions.add(
            session,
            tenant_id,
            adapter_id=adapter_id,
            kind=kind,
            promoted_by=promoted_by,
            mlflow_version=version,
        )
        if kind == "promotion" and (now is None or promotion.promotion_id != now.promotion_id):
            _try_first(platform, session, promotion, now, on_trial)
    _follow(platform, tenant_id)
    return promotion


def _try_first(
    platform: Platform,
    session: orm.Session,
    promotion: Promotion,
    before: Promotion | None,
    on_trial: Canary | None,
) -> None:
    """Begin with a share of the sessions, if one is set; one that replaces a trial has its stable adapter."""
    share = tenants.get(session, promotion.tenant_id).canary_share
    share = platform.settings.canary_share if share is None else share
    if not 0 < share < 1:
        return
    stable = on_trial.stable_adapter_id if on_trial else before.adapter_id if before else None
    if stable is not None and _is_revoked(session, promotion.tenant_id, stable):
        stable = None
    if stable != promotion.adapter_id:
        canaries.begin(session, promotion, share=share, stable=stable)


def _follow(platform: Platform, tenant_id: TenantId) -> None:
    for follow in (announce, model_versions.set_alias):
        try:
            follow(platform, tenant_id)
        except (redis.RedisError, Unavailable) as error:
            _LOG.warning(
                "promoted; a follower is away and will be set later", tenant_id=tenant_id, error=str(error)
            )


def _require_authority(platform: Platform, session: orm.Session, row: Adapter, *, kind: str) -> None:
    """Nothing, when ``row`` may be put in service now."""
    tenant_id = row.tenant_id
    current = promotions.current(session, tenant_id)
    if current is not None and current.adapter_id == row.adapter_id:
        rulings.require_standing(session, row)
        return
    if kind == "rollback":
        if row.adapter_id not in {item.adapter_id for item in promotions.history(session, tenant_id)}:
            raise NeverServed(
                f"{row.adapter_id} was never in service: a rollback goes to one that was, or to the base"
            )
        rulings.require_standing(session, row)
        return
    rulings.require_passed(platform, session, tenant_id, "adapter_gate", row.digest)
    verdict = rulings.require_passed(platform, session, tenant_id, "wer_gate", row.digest)
    champion = adapters.get(session, tenant_id, current.adapter_id) if current else None
    best = opponents.of_candidate(session, tenant_id, row, anew=True).best
    rulings.require_bound(
        verdict,
        row,
        champion=champion.digest if champion else None,
        best=best.digest if best else None,
    )
    golden = str(verdict.details.get("golden_hash"))
    key = paths.golden(tenant_id, golden)
    if (
        not platform.vault.exists(tenant_id, key)
        or jsonl.digest(platform.vault.read(tenant_id, key)) != golden
    ):
        raise GateRefused(
            f"{row.adapter_id} was judged on a golden set that is not stored; evaluate it again"
        )


def rollback(platform: Platform, tenant_id: TenantId, *, by: str, to: str | None = None) -> Promotion:
    """Promote an older adapter: ``to``, or the one that served before the present one came.

    ``to`` must have served and not have been rejected since; ``base`` is the base model. Without ``to``,
    rolling back twice goes back two; adapters that were rejected since are passed over, and with none left
    the base model is in service.

    Raises:
        Conflict: when there is nothing older to go back to.
        NeverServed, AdapterRevoked: ``to`` is not one to go back to.
        NotFound, ForeignTenant, AdapterRefused, Unavailable: as :func:`promote`.
    """
    if to is None:
        with platform.database.session() as session:
            tenants.get(session, tenant_id)
            to = _before(session, tenant_id)
    if to == BASE_MODEL:
        return _to_base(platform, tenant_id, by=by)
    return promote(platform, tenant_id, to, promoted_by=by, kind="rollback")


def withdraw_revoked(
    platform: Platform, tenant_id: TenantId, *, by: str, to: str | None = None
) -> Promotion | None:
    """Take the champion out of service if a gate has rejected it since; None when none has.

    ``to`` comes back if it still stands, else what served before, or the base model.
    """
    with platform.database.session() as session:
        current = promotions.current(session, tenant_id)
        if current is None:
            return None
        row = adapters.get(session, tenant_id, current.adapter_id)
        reason = rulings.revocation(session, row)
    if reason is None:
        return None
    _LOG.warning("the champion was rejected", tenant_id=tenant_id, adapter_id=row.adapter_id, reason=reason)
    try:
        return rollback(platform, tenant_id, by=by, to=to)
    except AdapterRevoked:
        return withdraw_revoked(platform, tenant_id, by=by)
    except Conflict:
        return _to_base(platform, tenant_id, by=by)


def fall_back(
    platform: Platform, tenant_id: TenantId, *, unsound: Collection[str], by: str
) -> Promotion | None:
    """Take the champion out of service if it is ``unsound``; None when it is not.

    The newest one before it that still stands and is not unsound comes back, or the base model.

    Raises:
        Unavailable: Postgres or the object store does not answer.
    """
    with platform.database.session() as session:
        current = promotions.current(session, tenant_id)
        if current is None or current.adapter_id not in unsound:
            return None
        try:
            to = _before(session, tenant_id, but=unsound)
        except Conflict:
            to = BASE_MODEL
    return rollback(platform, tenant_id, by=by, to=to)


def _before(session: orm.Session, tenant_id: TenantId, *, but: Collection[str] = ()) -> str:
    """The newest one that came before the present champion and still stands; else the base model.

    ``but``: adapters that are passed over.
    """
    served = sorted(promotions.history(session, tenant_id), key=lambda item: item.promotion_id)
    order = list(dict.fromkeys(item.adapter_id for item in served))
    current = promotions.current(session, tenant_id)
    older = order[: order.index(current.adapter_id)] if current else []
    for adapter_id in reversed([one for one in older if one not in but]):
        if rulings.revocation(session, adapters.get(session, tenant_id, adapter_id)) is None:
            return adapter_id
    if current is None or (not older and not _is_revoked(session, tenant_id, current.adapter_id)):
        raise Conflict(f"tenant {tenant_id}: no older adapter to roll back to; 'base' is the base model")
    return BASE_MODEL


def _is_revoked(session: orm.Session, tenant_id: TenantId, adapter_id: str) -> bool:
    return rulings.revocation(session, adapters.get(session, tenant_id, adapter_id)) is not None


def _to_base(platform: Platform, tenant_id: TenantId, *, by: str) -> Promotion:
    with platform.database.session() as session:
        erasure.hold_open(session, tenant_id)
        row = promotions.add_base(session, tenant_id, promoted_by=by)
    _follow(platform, tenant_id)
    return row


Everybody = Mapping[TenantId, promotions.Served]


def republish(platform: Platform, served: Everybody | None = None) -> int:
    """Set every tenant's ``NEW_MODEL_AVAILABLE`` to what the table says; returns how many were wrong.

    One question to Postgres (its answer may be given as ``served``) and one to Redis for all of them; only
    what is wrong is looked at by itself.

    Raises:
        Unavailable: when Redis or Postgres does not answer.
    """
    right = {tenant_id: _told(platform, row) for tenant_id, row in _everybody(platform, served).items()}
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
        if row.adapter is not None and row.promotion_id is not None
    }
    right = {tenant_id: row for tenant_id, row in served.items() if done.get(tenant_id) == row}
    waiting = sorted(served.keys() - right.keys())
    random.shuffle(waiting)  # so that the same few that fail are not always the ones that are tried
    failures = 0
    for tenant_id in waiting:
        try:
            model_versions.set_alias(platform, tenant_id)
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


def _recorded_version(history: Sequence[Promotion], adapter_id: str) -> str | None:
    """The model version under which the adapter was promoted before, if that was written down."""
    return next(
        (item.mlflow_version for item in history if item.adapter_id == adapter_id and item.mlflow_version),
        None,
    )


def _require_own(tenant_id: TenantId, adapter_id: str) -> None:
    if ids.tenant_of_adapter(adapter_id) != tenant_id:
        raise ForeignTenant(f"{adapter_id} is not an adapter of {tenant_id}")
