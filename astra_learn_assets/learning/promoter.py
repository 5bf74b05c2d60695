"""Make an adapter the champion: the one place where what is served changes.

Order, so that a crash at any point leaves either the old champion or the new one, never half of each:

1. signed verdicts of ``adapter_gate`` and ``wer_gate`` for the exact digest, bound to corpus, base, golden
   set, gate version and today's opponents (:mod:`rulings`); asked again inside the transaction of step 4;
2. every stored byte against the signature;
3. the MLflow model version (harmless when nothing follows; an adapter that served before has one);
4. the row in ``promotions``: **this is the promotion**; with a row in ``canaries`` where a share of the
   sessions tries it first (:mod:`trials` ends it);
5. the followers: the signed promotion record in the object store and under the key
   ``NEW_MODEL_AVAILABLE:{tenant}`` in Redis, alias ``champion`` in MLflow.

Postgres and the object store decide; MLflow and Redis follow. One that is away neither stops nor undoes a
promotion, least of all a rollback in a bad hour, and does not hold back the other:
:func:`announcing.republish` and :func:`repair_aliases`, which a sensor calls, set them right from the
table. A row made while MLflow was away keeps an empty ``mlflow_version`` (the table is append-only); its
version is made or found by the adapter's id when the alias is set. A rollback goes to an adapter that
served and that no gate has rejected since, or to the base model. CORE believes the signed record alone, so
nothing else is ever served.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence

import redis
import structlog
from sqlalchemy import orm

from astra_learn_assets import ids
from astra_learn_assets.datasets import jsonl
from astra_learn_assets.errors import (
    AdapterRevoked,
    Conflict,
    ForeignTenant,
    GateRefused,
    NeverServed,
    Unavailable,
)
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import announcing, model_versions, opponents, rulings
from astra_learn_assets.learning.publisher import fetch_verified
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry.manifest import digest_of
from astra_learn_assets.store import adapters, canaries, erasure, locks, paths, promotions, tenants
from astra_learn_assets.store.learning_tables import Canary
from astra_learn_assets.store.tables import Adapter, Promotion

_LOG = structlog.get_logger(__name__)
BASE_MODEL = "base"
_ALIAS_FAILURES = 3  # after so many MLflow is away rather than one model broken


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
        locks.hold(session, promotions.LOCK, tenant_id)
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
    for follow in (announcing.announce, model_versions.set_alias):
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


def repair_aliases(
    platform: Platform, done: Mapping[str, int], everybody: announcing.Everybody | None = None
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
        for tenant_id, row in announcing.everybody(platform, everybody).items()
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


def _recorded_version(history: Sequence[Promotion], adapter_id: str) -> str | None:
    """The model version under which the adapter was promoted before, if that was written down."""
    return next(
        (item.mlflow_version for item in history if item.adapter_id == adapter_id and item.mlflow_version),
        None,
    )


def _require_own(tenant_id: TenantId, adapter_id: str) -> None:
    if ids.tenant_of_adapter(adapter_id) != tenant_id:
        raise ForeignTenant(f"{adapter_id} is not an adapter of {tenant_id}")
