"""Every table of the panel as CSV. What was taken away, and by whom, is in the audit log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from astra_learn_assets.api.auth import Access, CanRead
from astra_learn_assets.api.problems import responses
from astra_learn_assets.learning import exports
from astra_learn_assets.store import audit, tenants

router = APIRouter(prefix="/v1/tenants/{tenant}", tags=["exports"])

_CSV = {"content": {"text/csv": {"schema": {"type": "string"}}}}
Bom = Annotated[
    bool, Query(description="Begin with a byte order mark, by which Excel reads the accents right.")
]


@router.get("/learning/export.csv", response_class=StreamingResponse, responses={**responses(404), 200: _CSV})
def export_csv(access: CanRead, bom: Bom = False) -> StreamingResponse:
    """Every training as CSV, the same as `exports/trainings.csv`."""
    return exported(access, "trainings", bom=bom)


@router.get("/exports/{name}.csv", response_class=StreamingResponse, responses={**responses(404), 200: _CSV})
def export_table(access: CanRead, name: exports.Name, bom: Bom = False) -> StreamingResponse:
    """One table as CSV in UTF-8; text that a spreadsheet would run as a formula is taken its force."""
    return exported(access, name, bom=bom)


def exported(access: Access, name: exports.Name, *, bom: bool) -> StreamingResponse:
    """A table as a file to keep, and a line about it in the audit log.

    Raises:
        UnknownTenant: before anything is sent.
    """
    with access.platform.database.session() as session:
        tenants.get(session, access.tenant_id)
        audit.record(
            session,
            tenant_id=access.tenant_id,
            actor=access.principal.actor,
            action="export.csv",
            target=name,
            outcome="done",
            request_id=access.request_id,
        )
    return StreamingResponse(
        exports.as_csv(access.platform, access.tenant_id, name, bom=bom),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}-{access.tenant_id}.csv"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
