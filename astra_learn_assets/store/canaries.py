"""Promotions that began with a share of the sessions, and how much was corrected of whose drafts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import distinct_on

from astra_learn_assets.ids import TenantId
from astra_learn_assets.store import promotions
from astra_learn_assets.store.tables import Artifact, Canary, Document, Promotion

BASE = promotions.BASE
"""What made a draft when no adapter did."""

_LATER = orm.aliased(Promotion)
_IS_NEWEST = ~sa.exists().where(
    _LATER.tenant_id == Canary.tenant_id, _LATER.promotion_id > Canary.promotion_id
)


@dataclass(frozen=True)
class Trial:
    """Since when ``adapter_id`` is tried beside ``stable`` (adapter ids, or ``base``).

    ``failed``: it was rejected, and whoever found so ended before it was out of service.
    """

    tenant_id: TenantId
    promotion_id: int
    adapter_id: str
    stable: str
    since: datetime
    failed: bool


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
    """Every tenant's open canary, and those that failed and still serve; one statement."""
    rows = session.execute(
        sa.select(Canary, Promotion)
        .join(Promotion, Promotion.promotion_id == Canary.promotion_id)
        .where(Canary.outcome.is_distinct_from("finished"), _IS_NEWEST)
        .order_by(Canary.promotion_id)
    )
    return [
        Trial(
            canary.tenant_id,
            canary.promotion_id,
            promotion.adapter_id,
            canary.stable_adapter_id or BASE,
            promotion.created_at,
            canary.outcome is not None,
        )
        for canary, promotion in rows
    ]


def corrected(session: orm.Session, trial: Trial) -> tuple[Sequence[float], Sequence[float]]:
    """Share of words corrected, one figure a session, of drafts that the tried one made and the stable one.

    Of a session in several finals the newest counts; what is kept out as doubtful does not. The stable one's
    drafts of before the trial count as well: the adapter was the same.
    """
    draft = orm.aliased(Artifact)
    of_session = (draft.session_id, draft.version)
    rows = session.execute(
        sa.select(draft.adapter_id, sa.cast(Document.metrics["wer"].astext, sa.Float))
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
            draft.tenant_id == trial.tenant_id,
            draft.adapter_id.in_((trial.adapter_id, trial.stable)),
            Document.state != "quarantined",
            Document.metrics["wer"].astext.is_not(None),
        )
        .ext(distinct_on(*of_session))
        .order_by(*of_session, Artifact.seq.desc())
    ).all()
    return (
        [float(rate) for adapter, rate in rows if adapter == trial.adapter_id],
        [float(rate) for adapter, rate in rows if adapter == trial.stable],
    )


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
