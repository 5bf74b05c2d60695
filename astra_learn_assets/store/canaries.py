"""Promotions that began with a share of the sessions, and how much was corrected of whose drafts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import distinct_on

from astra_learn_assets.ids import TenantId
from astra_learn_assets.store import promotions
from astra_learn_assets.store.learning_tables import Canary
from astra_learn_assets.store.tables import Artifact, Document, Promotion

_LATER = orm.aliased(Promotion)
_IS_NEWEST = ~sa.exists().where(
    _LATER.tenant_id == Canary.tenant_id, _LATER.promotion_id > Canary.promotion_id
)


@dataclass(frozen=True)
class Trial:
    """Since when ``adapter_id`` is tried beside ``stable`` (adapter ids, or ``base``).

    ``failed``: it was rejected, and whoever found so ended before it was out of service. ``of_new`` and
    ``of_stable``: share of words corrected, one figure a session, of the drafts that each of the two made.
    """

    tenant_id: TenantId
    promotion_id: int
    adapter_id: str
    stable: str
    since: datetime
    failed: bool
    of_new: list[float] = field(default_factory=list)
    of_stable: list[float] = field(default_factory=list)


def begin(session: orm.Session, promotion: Promotion, *, share: float, stable: str | None) -> None:
    """Let ``promotion`` begin with a share of the sessions; the rest goes on with ``stable`` (None: the base
    model)."""
    session.add(
        Canary(
            promotion_id=promotion.promotion_id,
            tenant_id=promotion.tenant_id,
            share=share,
            stable_adapter_id=stable,
        )
    )
    session.flush()


def current(session: orm.Session, tenant_id: TenantId) -> Canary | None:
    """The tenant's open canary."""
    row: Canary | None = session.scalar(
        sa.select(Canary).where(Canary.tenant_id == tenant_id, Canary.outcome.is_(None), _IS_NEWEST)
    )
    return row


def trials(session: orm.Session) -> list[Trial]:
    """Every tenant's open canary, and those that failed and still serve; one statement for all of them.

    Of a session in several finals the newest counts; what is kept out as doubtful does not. The stable one's
    drafts of before the trial count as well: the adapter was the same.
    """
    stable = sa.func.coalesce(Canary.stable_adapter_id, promotions.BASE)
    draft = orm.aliased(Artifact)
    of_session = (draft.session_id, draft.version)
    corrected = (
        sa.select(draft.adapter_id, sa.cast(Document.metrics["wer"].astext, sa.Float).label("rate"))
        .select_from(draft)
        .join(
            Artifact,
            sa.and_(Artifact.tenant_id == draft.tenant_id, Artifact.base_id == draft.artifact_id),
        )
        .join(
            Document,
            sa.and_(Document.tenant_id == Artifact.tenant_id, Document.artifact_id == Artifact.artifact_id),
        )
        .where(
            draft.tenant_id == Canary.tenant_id,
            draft.adapter_id.in_((Promotion.adapter_id, stable)),
            Document.state != "quarantined",
            Document.metrics["wer"].astext.is_not(None),
        )
        .ext(distinct_on(*of_session))
        .order_by(*of_session, Artifact.seq.desc())
        .correlate(Canary, Promotion)
        .lateral("corrected")
    )
    rows = session.execute(
        sa.select(Canary, Promotion, stable, corrected.c.adapter_id, corrected.c.rate)
        .join(Promotion, Promotion.promotion_id == Canary.promotion_id)
        .outerjoin(corrected, sa.true())
        .where(Canary.outcome.is_distinct_from("finished"), _IS_NEWEST)
        .order_by(Canary.promotion_id)
    )
    found: dict[int, Trial] = {}
    for canary, promotion, beside, adapter_id, rate in rows:
        trial = found.setdefault(
            canary.promotion_id,
            Trial(
                canary.tenant_id,
                canary.promotion_id,
                promotion.adapter_id,
                beside,
                promotion.created_at,
                failed=canary.outcome is not None,
            ),
        )
        if adapter_id is not None:
            (trial.of_new if adapter_id == trial.adapter_id else trial.of_stable).append(rate)
    return list(found.values())


def end(
    session: orm.Session, promotion_id: int, *, outcome: str, details: Mapping[str, float | int | str | None]
) -> bool:
    """Write down how an open canary ended (``finished``, ``rolled_back``); False when it is over already."""
    changed = session.execute(
        sa.update(Canary)
        .where(Canary.promotion_id == promotion_id, Canary.outcome.is_(None), _IS_NEWEST)
        .values(outcome=outcome, details=dict(details), ended_at=sa.func.clock_timestamp())
        .returning(Canary.promotion_id)
        .execution_options(synchronize_session=False)
    )
    return changed.first() is not None
