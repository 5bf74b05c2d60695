"""The learning page of a municipality, for people: ``/panel/{tenant}``, and a page a verdict, in Spanish.

The key comes in the Authorization header, or once through the form and then in a cookie that scripts
cannot read, that other sites cannot send, and that goes only to this page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Cookie, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from astra_learn_assets.api import page
from astra_learn_assets.api.auth import Access, admit, authenticate
from astra_learn_assets.api.limits import TooManyRequests
from astra_learn_assets.api.state import app_state
from astra_learn_assets.errors import (
    AstraError,
    Forbidden,
    InvalidId,
    InvalidTenantId,
    NotFound,
    Unauthorized,
)
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import status as learning
from astra_learn_assets.learning import verdict_pages
from astra_learn_assets.platform import Platform

router = APIRouter(include_in_schema=False)

_COOKIE = "astra_key"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@router.get("/panel/{tenant}")
def show(request: Request, tenant: str, astra_key: Annotated[str | None, Cookie()] = None) -> Response:
    """The page, or the form that asks for a key."""

    def of(scoped: Platform, tenant_id: TenantId) -> str:
        status = learning.learning_status(scoped, tenant_id)
        return page.status_page(status, learning.learning_trainings(scoped, tenant_id, limit=20))

    return _shown(request, tenant, astra_key, of)


@router.get("/panel/{tenant}/verdicts/{report}")
def show_verdict(
    request: Request, tenant: str, report: str, astra_key: Annotated[str | None, Cookie()] = None
) -> Response:
    """Who was compared with whom, how sure that is, and what got better and worse."""

    def of(scoped: Platform, tenant_id: TenantId) -> str:
        return verdict_pages.read(scoped, tenant_id, report).decode()

    return _shown(request, tenant, astra_key, of)


def _shown(
    request: Request, tenant: str, cookie: str | None, of: Callable[[Platform, TenantId], str]
) -> Response:
    """What ``of`` gives for who has a key of the municipality, else the form that asks for one."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    key = bearer.strip() if scheme.lower() == "bearer" else cookie
    try:
        tenant_id = TenantId(tenant)
    except InvalidTenantId as error:
        return _html(page.login_page(tenant[:63], error=str(error)), error.http_status)
    if not key:
        return _html(page.login_page(tenant_id), 401)
    try:
        scoped = _admit(request, tenant_id, key).platform
    except (Unauthorized, Forbidden, NotFound, TooManyRequests) as error:
        return _html(page.login_page(tenant_id, error=_polite(error)), error.http_status)
    try:
        return _html(of(scoped, tenant_id), 200)
    except (NotFound, InvalidId):
        return _html(page.missing_page(tenant_id), 404)


@router.post("/panel/{tenant}")
def log_in(request: Request, tenant: str, key: Annotated[str, Form(max_length=200)]) -> Response:
    """Check the key once and keep it in a cookie of this page."""
    tenant_id = TenantId(tenant)
    try:
        _admit(request, tenant_id, key.strip())
    except (Unauthorized, Forbidden, TooManyRequests) as error:
        return _html(page.login_page(tenant_id, error=_polite(error)), error.http_status)
    answer = RedirectResponse(f"/panel/{tenant_id}", status_code=303, headers=_HEADERS)
    answer.set_cookie(
        _COOKIE,
        key.strip(),
        max_age=8 * 3600,
        path=f"/panel/{tenant_id}",
        httponly=True,
        samesite="strict",
        # behind a proxy that ends TLS; who forges the header only makes his own cookie stricter
        secure="https" in (request.url.scheme, request.headers.get("x-forwarded-proto")),
    )
    return answer


def _admit(request: Request, tenant_id: str, key: str) -> Access:
    state = app_state(request)
    return admit(state, authenticate(state, key, request), tenant_id, "read", request)


def _polite(error: AstraError) -> str:
    if isinstance(error, Unauthorized):
        return "Esa clave no es válida, ha caducado o se ha retirado."
    if isinstance(error, TooManyRequests):
        return "Demasiados intentos seguidos: espere un momento."
    return "Esa clave no da acceso a este municipio."


def _html(body: str, status: int) -> HTMLResponse:
    return HTMLResponse(body, status_code=status, headers=_HEADERS)
