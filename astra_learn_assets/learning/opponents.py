"""Whom a candidate must not be worse than: the champion, and the best adapter there ever was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import orm

from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import rulings
from astra_learn_assets.store import adapters, promotions, verdicts
from astra_learn_assets.store.tables import Adapter


@dataclass(frozen=True)
class Served:
    """One adapter that was in service, and what its verdict measured (points; negative = better)."""

    adapter_id: str
    digest: str
    champion_digest: str | None = None
    over_champion: float | None = None
    over_base: float | None = None


@dataclass(frozen=True)
class Opponents:
    """``of_another_base``: served adapters of a base that is no longer served; nothing can load them."""

    champion: Adapter | None
    best: Adapter | None
    of_another_base: tuple[str, ...] = ()


def of_candidate(
    session: orm.Session, tenant_id: TenantId, candidate: Adapter, *, anew: bool = False
) -> Opponents:
    """The opponents of ``candidate``; of the present champion, those that it met the first time.

    ``anew``: whom it has to beat to be promoted now, whatever it was before.

    An adapter that was revoked is no measure of anything and is left out.
    """
    history = sorted(promotions.history(session, tenant_id), key=lambda row: row.promotion_id)
    known = {row.adapter_id: adapters.get(session, tenant_id, row.adapter_id) for row in history}
    base = base_of(candidate)
    usable = {
        name
        for name, adapter in known.items()
        if base_of(adapter) == base
        and (adapter.digest == candidate.digest or rulings.revocation(session, adapter) is None)
    }
    served = [_served(session, known[row.adapter_id]) for row in history if row.adapter_id in usable]
    current = promotions.current(session, tenant_id)
    if anew or current is None or current.adapter_id != candidate.adapter_id:
        # one that served once and is judged again has to beat today's champion, not yesterday's
        served = [one for one in served if one.adapter_id != candidate.adapter_id]
    champion, best = choose(served, candidate.adapter_id, in_service=current is not None)
    return Opponents(
        known[champion] if champion else None,
        known[best] if best else None,
        tuple(dict.fromkeys(row.adapter_id for row in history if base_of(known[row.adapter_id]) != base)),
    )


def choose(
    served: Sequence[Served], candidate_id: str, *, in_service: bool = True
) -> tuple[str | None, str | None]:
    """Champion and best ever for a candidate, from the adapters served so far, oldest first.

    The champion is the last one that is not the candidate itself, unless the base model is ``in_service``
    again. The best is found along the chain of measured differences: each verdict says how many points an
    adapter was below the champion of its day, so adapters that never met are comparable through those that
    did. None when it is the champion itself.
    """
    order = [one.adapter_id for one in served]
    again = candidate_id in order
    before = served[: order.index(candidate_id)] if again else served
    if not before:
        return None, None
    champion = before[-1].adapter_id if again or in_service else None
    points: dict[str, float] = {}
    for one in before:
        if one.digest in points:
            continue
        if one.over_champion is not None and one.champion_digest in points:
            points[one.digest] = points[one.champion_digest] + one.over_champion
        elif one.over_base is not None:
            points[one.digest] = one.over_base
    # one that nothing is known of counts as nothing better than the base
    best = min(before, key=lambda one: points.get(one.digest, 0.0)).adapter_id
    return champion, best if best != champion else None


def base_of(adapter: Adapter) -> tuple[str | None, str | None]:
    """Name and revision of the base model that an adapter belongs to."""
    return adapter.manifest.get("base_model"), adapter.manifest.get("base_revision")


def _served(session: orm.Session, adapter: Adapter) -> Served:
    """What the verdict that promoted ``adapter`` measured of it."""
    verdict = verdicts.latest(session, adapter.tenant_id, "wer_gate", adapter.digest)
    details = verdict.details if verdict is not None else {}
    champion = details.get("champion_digest")
    return Served(
        adapter.adapter_id,
        adapter.digest,
        str(champion) if champion else None,
        _number(details.get("vs_champion_points")),
        _number(details.get("vs_base_points")),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
