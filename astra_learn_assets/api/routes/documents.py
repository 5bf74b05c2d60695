"""Sessions, drafts, finals and comparisons."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from astra_learn_assets.api.auth import CanEdit, CanRegister, Principal, admit, principal
from astra_learn_assets.api.openapi import MANIFEST
from astra_learn_assets.api.problems import responses
from astra_learn_assets.api.state import app_state
from astra_learn_assets.api.uploads import DOCX, read_draft, read_final
from astra_learn_assets.contracts import Delta
from astra_learn_assets.errors import BadInput
from astra_learn_assets.hotpath import drafts, intake
from astra_learn_assets.hotpath.summary import SubmitSummary
from astra_learn_assets.hotpath.wording import told

router = APIRouter(prefix="/v1")

_ID = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"
SessionPath = Annotated[str, Path(pattern=_ID, max_length=80, examples=["pleno-2026-03"])]
VersionPath = Annotated[int, Path(ge=1, le=999, examples=[1])]
ArtifactId = Annotated[str, Field(pattern=_ID, max_length=80)]
_BINARY = {"type": "string", "format": "binary"}


class CompareRequest(BaseModel):
    """Which stored draft and final to compare. Services with platform scope name the tenant too."""

    model_config = ConfigDict(extra="forbid")

    generated_id: ArtifactId
    final_id: ArtifactId
    tenant_id: str | None = Field(None, min_length=2, max_length=63)


class SessionRequest(BaseModel):
    """A session in one version; a clone names the session it was cloned from."""

    model_config = ConfigDict(extra="forbid")

    cloned_from: str | None = Field(None, pattern=_ID, max_length=80)
    roster: tuple[Annotated[str, Field(max_length=200)], ...] = Field((), max_length=drafts.MAXIMUM_ROSTER)


class SessionAnswer(BaseModel):
    """The session as it is known now."""

    tenant_id: str
    session_id: str
    version: int
    cloned_from: str | None


class DraftAnswer(BaseModel):
    """The stored draft; ``artifact_id`` is the ``generated_id`` of later comparisons."""

    artifact_id: str
    sha256: str
    tenant_id: str
    session_id: str
    version: int


@router.post("/compare", tags=["documents"], responses=responses(404, 409))
def compare(
    request: Request, body: CompareRequest, caller: Annotated[Principal, Depends(principal)]
) -> Delta:
    """Compare a stored draft and final: what the clerk changed, block by block. Changes nothing."""
    tenant_id = body.tenant_id or caller.tenant_id
    if tenant_id is None:
        raise told(BadInput("con una clave de plataforma hay que indicar 'tenant_id'"))
    access = admit(app_state(request), caller, tenant_id, "read", request)
    state = access.state
    return intake.compare_artifacts(
        access.platform, access.tenant_id, body.generated_id, body.final_id, compare=state.compare
    )


@router.put(
    "/tenants/{tenant}/sessions/{session}/versions/{version}",
    tags=["documents"],
    responses=responses(404, 409, 410),
)
def register_session(
    access: CanRegister, session: SessionPath, version: VersionPath, body: SessionRequest
) -> SessionAnswer:
    """Make a session known in one version. The same again changes nothing."""
    drafts.register_session(
        access.platform,
        tenant_id=access.tenant_id,
        session_id=session,
        version=version,
        cloned_from=body.cloned_from,
        roster=body.roster,
        registered_by=access.principal.actor,
        request_id=access.request_id,
    )
    return SessionAnswer(
        tenant_id=access.tenant_id, session_id=session, version=version, cloned_from=body.cloned_from
    )


_DRAFT_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["docx", "manifest"],
                    "properties": {
                        "docx": _BINARY,
                        "manifest": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "contentSchema": {"$ref": MANIFEST},
                            "description": "draft.json",
                        },
                        "cloned_from": {"type": "string"},
                        "adapter_id": {
                            "type": "string",
                            "description": "What made it; 'base': the base model",
                        },
                        "roster": {"type": "string", "description": "JSON list of names"},
                    },
                },
                "encoding": {"manifest": {"contentType": "application/json"}},
            }
        },
    }
}


@router.put(
    "/tenants/{tenant}/sessions/{session}/versions/{version}/draft",
    tags=["documents"],
    responses=responses(404, 409, 410, 413),
    openapi_extra=_DRAFT_FORM,
)
@router.post(
    "/tenants/{tenant}/sessions/{session}/versions/{version}/draft",
    include_in_schema=False,
    responses=responses(404, 409, 410, 413),
)
async def register_draft(
    request: Request, access: CanRegister, session: SessionPath, version: VersionPath
) -> DraftAnswer:
    """Store the draft the Builder made, with its manifest. Idempotent by content."""
    upload = await read_draft(request)
    access.state.telemetry.upload_bytes.observe(len(upload.docx))
    artifact = await run_in_threadpool(
        drafts.register_draft,
        access.platform,
        tenant_id=access.tenant_id,
        session_id=session,
        version=version,
        docx=upload.docx,
        manifest=upload.manifest,
        cloned_from=upload.cloned_from,
        roster=upload.roster,
        adapter_id=upload.adapter_id,
        registered_by=access.principal.actor,
        request_id=access.request_id,
    )
    return DraftAnswer(
        artifact_id=artifact.artifact_id,
        sha256=artifact.sha256,
        tenant_id=artifact.tenant_id,
        session_id=artifact.session_id,
        version=artifact.version,
    )


_FINAL_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            DOCX: {"schema": _BINARY},
            "application/octet-stream": {"schema": _BINARY},
            "multipart/form-data": {
                "schema": {"type": "object", "required": ["file"], "properties": {"file": _BINARY}}
            },
        },
    }
}


@router.post(
    "/tenants/{tenant}/sessions/{session}/versions/{version}/final",
    tags=["documents"],
    responses=responses(404, 409, 410, 413),
    openapi_extra=_FINAL_BODY,
)
async def submit_final(
    request: Request,
    access: CanEdit,
    session: SessionPath,
    version: VersionPath,
    generated_id: Annotated[
        str | None, Query(pattern=_ID, max_length=80, description="The draft the clerk started from.")
    ] = None,
) -> SubmitSummary:
    """Upload the corrected minutes. Name fixes are live when this answers; the same file counts once."""
    data = await read_final(request)
    state = access.state
    state.telemetry.upload_bytes.observe(len(data))
    summary = await run_in_threadpool(
        intake.submit_final,
        access.platform,
        tenant_id=access.tenant_id,
        session_id=session,
        version=version,
        data=data,
        uploaded_by=access.principal.actor,
        generated_id=generated_id,
        request_id=access.request_id,
        observe=state.telemetry.observe,
        publish=state.relay.wake if state.relay else None,
        compare=state.compare,
    )
    if summary.already_received:
        outcome = "again"
    else:
        outcome = "quarantined" if summary.quarantined else "learned"
        state.telemetry.entities.inc(len(summary.entities_live))
    state.telemetry.finals.labels(outcome).inc()
    return summary
