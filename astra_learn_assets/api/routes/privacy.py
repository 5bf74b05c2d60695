"""The evidence of a tenant's privacy, as JSON and as a page."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from astra_learn_assets.api.auth import CanRead
from astra_learn_assets.api.privacy_page import report_page
from astra_learn_assets.api.problems import responses
from astra_learn_assets.learning.privacy_report import PrivacyReport, privacy_report

router = APIRouter(prefix="/v1/tenants/{tenant}/privacy", tags=["privacy"])

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


@router.get("/report", responses=responses(404))
def read_privacy_report(access: CanRead) -> PrivacyReport:
    """Detectors and their versions, the leak by canaries, what was masked by kind, what is kept out."""
    return privacy_report(access.platform, access.tenant_id)


@router.get(
    "/report.html",
    response_class=Response,  # HTMLResponse would also announce the failures as HTML
    responses={**responses(404), 200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
)
def read_privacy_report_page(access: CanRead) -> HTMLResponse:
    """The same as one page that loads nothing, to be kept with the tenant's papers."""
    return HTMLResponse(report_page(privacy_report(access.platform, access.tenant_id)), headers=_HEADERS)
