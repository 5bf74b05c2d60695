"""Documents that nothing is learned from: look at them, release them, drop them for good.

To release is to say that one has read the document: its risky changes then count as confirmed by a second
person. So it takes the municipality's administrator, and not the clerk whose document it may be.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from astra_learn_assets.api.auth import CanAdminister, CanRead
from astra_learn_assets.api.problems import responses
from astra_learn_assets.api.routes.learning import Cursor
from astra_learn_assets.learning import review
from astra_learn_assets.store import documents

router = APIRouter(prefix="/v1/tenants/{tenant}/quarantine", tags=["quarantine"])

DocumentPath = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=80, description="`document_id`.")
]


class KeptOut(BaseModel):
    """One document that nothing is learned from; `reason` is Spanish, as the clerk read it."""

    document_id: str
    reason: str
    unreadable: bool
    comparable: bool
    review: str | None
    reviewed_by: str | None
    created_at: datetime
    metrics: dict[str, Any]


class QuarantineAnswer(BaseModel):
    """A page of what is kept out, newest first."""

    tenant_id: str
    documents: tuple[KeptOut, ...]
    next_cursor: str | None


class Reviewed(BaseModel):
    """What a person decided."""

    document_id: str
    review: str


@router.get("", responses=responses(404))
def list_quarantine(
    access: CanRead,
    dropped: Annotated[bool, Query(description="Those too that a person dropped for good.")] = False,
    limit: Annotated[int, Query(ge=1, le=review.LARGEST_PAGE)] = 100,
    cursor: Cursor = None,
) -> QuarantineAnswer:
    """What waits for a person, and why."""
    found, following = review.page(
        access.platform, access.tenant_id, dropped=dropped, cursor=cursor, limit=limit
    )
    shown = tuple(KeptOut.model_validate(one, from_attributes=True) for one in found)
    return QuarantineAnswer(tenant_id=access.tenant_id, documents=shown, next_cursor=following)


@router.get("/{document_id}", responses=responses(404, 409))
def read_quarantined(access: CanRead, document_id: DocumentPath) -> KeptOut:
    """Why one document is kept out, with its figures."""
    found = review.show(access.platform, access.tenant_id, document_id)
    return KeptOut.model_validate(found, from_attributes=True)


@router.post("/{document_id}/release", responses=responses(404, 409, 410))
def release_document(access: CanAdminister, document_id: DocumentPath) -> Reviewed:
    """Let a document be learned from; you have read it."""
    review.release(
        access.platform,
        access.tenant_id,
        document_id,
        by=access.principal.actor,
        request_id=access.request_id,
    )
    return Reviewed(document_id=document_id, review=documents.RELEASED)


@router.post("/{document_id}/drop", responses=responses(404, 409, 410))
def drop_document(access: CanAdminister, document_id: DocumentPath) -> Reviewed:
    """Keep a document out for good."""
    review.drop(
        access.platform,
        access.tenant_id,
        document_id,
        by=access.principal.actor,
        request_id=access.request_id,
    )
    return Reviewed(document_id=document_id, review=documents.DROPPED)
