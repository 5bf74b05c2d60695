"""The evidence of a tenant's privacy, as JSON and as a page."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from astra_learn_assets.api import content_policy
from astra_learn_assets.api.auth import CanRead
from astra_learn_assets.api.privacy_page import report_page
from astra_learn_assets.api.problems import responses
from astra_learn_assets.learning.kept import PrivacyCounts, privacy_counts
from astra_learn_assets.learning.privacy_report import PrivacyReport, privacy_report

router = APIRouter(prefix="/v1/tenants/{tenant}/privacy", tags=["privacy"])


@router.get("", responses=responses(404))
def read_privacy(access: CanRead) -> PrivacyCounts:
    """What was masked by kind, what the newest scans said, what is kept out, what is kept."""
    return privacy_counts(access.platform, access.tenant_id)


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
    page = report_page(privacy_report(access.platform, access.tenant_id))
    return HTMLResponse(page, headers=content_policy.of_paper(page))
