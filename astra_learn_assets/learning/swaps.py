"""From a promotion to the first CORE that has it loaded: counted once, as the stage ``swap``.

CORE says in Redis what it has loaded (:mod:`astra_learn_assets.serving.acknowledgement`). A CORE that loads
at the start of a session says so when there is one; one that never says so is never counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from redis.exceptions import RedisError

from astra_learn_assets.errors import Unavailable
from astra_learn_assets.platform import Platform
from astra_learn_assets.serving import acknowledgement
from astra_learn_assets.store import stage_figures
from astra_learn_assets.store.promotions import Served

WATCHED = timedelta(days=1)
"""A promotion that no CORE has loaded by then is not waited for any more."""


def count(platform: Platform, served: Sequence[Served], now: datetime | None = None) -> int:
    """Count the swaps of ``served`` that CORE has told of since; returns how many.

    Raises:
        Unavailable: Redis or Postgres does not answer.
    """
    now = now or datetime.now(UTC)
    counted = 0
    for one in served:
        if one.adapter is None or one.promoted_at is None or now - one.promoted_at > WATCHED:
            continue
        loaded = [
            said.served_at
            for said in acknowledgement.heard(platform.redis, one.tenant_id)
            if said.adapter_id == one.adapter.adapter_id and said.served_at >= one.promoted_at
        ]
        if not loaded or not _first(platform, one):
            continue
        with platform.database.session() as session:
            stage_figures.note(session, "swap", "done", (min(loaded) - one.promoted_at).total_seconds())
        counted += 1
    return counted


def _first(platform: Platform, one: Served) -> bool:
    """Whether nobody has counted this promotion yet."""
    try:
        key = f"SWAP_COUNTED:{one.tenant_id}:{one.promotion_id}"
        return bool(platform.redis.set(key, "1", nx=True, ex=2 * WATCHED))
    except RedisError as error:
        raise Unavailable(f"Redis does not answer: {type(error).__name__}") from error
