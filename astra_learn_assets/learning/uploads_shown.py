"""The newest uploads of a tenant, as soon as they are there: what became of each, in a sentence.

The clerk's own summary is stored with the final in the very transaction that took it, so an upload is seen
here before anything of the learning path has run.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import orm

from astra_learn_assets.hotpath.summary import SubmitSummary
from astra_learn_assets.ids import TenantId
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import pages, tenants
from astra_learn_assets.store.tables import Artifact, Document


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class LeftOutShown(_Answer):
    """How many corrections are not learned for one reason, in Spanish."""

    count: int
    explanation: str


class Upload(_Answer):
    """One final. ``corrections``: everything the clerk changed that we looked at."""

    document_id: str
    session_id: str
    version: int
    received_at: datetime
    state: str = Field(description="received, compared, anonymized or quarantined.")
    known: bool = Field(description="Whether its figures are known; those of an older release are not.")
    corrections: int
    live: int = Field(description="Names that are live.")
    live_seconds: float | None = Field(description="From the whole final received to its names live.")
    waiting: int = Field(description="Text corrections that wait for a training.")
    unconfirmed: int = Field(description="Names that wait for a second voice.")
    left_out: int
    reasons: tuple[LeftOutShown, ...] = Field(
        description="Why corrections are left out, most frequent first."
    )
    quarantined: str | None


def newest(platform: Platform, tenant_id: TenantId, *, limit: int) -> tuple[Upload, ...]:
    """The newest uploads, newest first.

    Raises:
        UnknownTenant: there is no such tenant.
    """
    with platform.database.session() as session:
        tenants.get(session, tenant_id)
        return newest_in(session, tenant_id, limit=limit)


def newest_in(session: orm.Session, tenant_id: TenantId, *, limit: int) -> tuple[Upload, ...]:
    """:func:`newest` of a tenant that is there, inside an open transaction."""
    rows = pages.newest_finals(session, tenant_id, limit=limit)
    return tuple(_upload(artifact, document) for artifact, document in rows)


def _upload(artifact: Artifact, document: Document | None) -> Upload:
    # one that an older release took has no summary; it is shown without figures
    summary = SubmitSummary.model_validate(artifact.summary) if artifact.summary is not None else None
    left: Counter[str] = Counter()
    if summary is not None and summary.quarantined is None:
        for item in summary.left_out:
            left[item.explanation or item.reason] += item.count
    live = len(summary.entities_live) if summary is not None else 0
    unconfirmed = len(summary.entities_waiting) if summary is not None else 0
    waiting = summary.pairs_waiting if summary is not None else 0
    left_out = sum(left.values())
    return Upload(
        document_id=artifact.artifact_id,
        session_id=artifact.session_id,
        version=artifact.version,
        received_at=artifact.created_at,
        state="received" if document is None else document.state,
        known=summary is not None,
        corrections=live + waiting + unconfirmed + left_out,
        live=live,
        live_seconds=summary.live_seconds if summary is not None else None,
        waiting=waiting,
        unconfirmed=unconfirmed,
        left_out=left_out,
        reasons=tuple(LeftOutShown(count=number, explanation=text) for text, number in left.most_common()),
        quarantined=_why(summary, document),
    )


def _why(summary: SubmitSummary | None, document: Document | None) -> str | None:
    """Why nothing of it is learned: what the run said later counts more than what the clerk was told."""
    if document is not None:
        return document.reason if document.state == "quarantined" else None
    return summary.quarantined if summary is not None else None
