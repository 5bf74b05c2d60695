"""Who visits the panel: a key in a cookie, forms that only our own pages can send, errors as pages.

The key is typed once and then kept in a cookie that scripts cannot read (``HttpOnly``), that other sites
cannot have sent (``SameSite=Strict``), that goes to this municipality's panel alone and lasts eight hours.
Every form carries a token: a digest of that key and the municipality under a name of its own, so it needs no
memory of the server and nobody makes one without the key. The form that asks for the key has none to make it
of: it carries the random value of a second cookie (double submit). A program that sends the key in the
Authorization header needs no token, for a browser never sends that header by itself.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from astra_learn_assets.api import content_policy
from astra_learn_assets.api.auth import Access, Need, admit, authenticate
from astra_learn_assets.api.limits import TooManyRequests
from astra_learn_assets.api.pages import rendering
from astra_learn_assets.api.state import app_state
from astra_learn_assets.errors import (
    AstraError,
    BadInput,
    Conflict,
    Forbidden,
    InvalidTenantId,
    NotFound,
    TenantErased,
    Unauthorized,
    Unavailable,
)
from astra_learn_assets.hotpath import wording
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning.plain_words import Language
from astra_learn_assets.store import tenants

COOKIE, FORM_COOKIE, LANGUAGE_COOKIE = "astra_key", "astra_form", "astra_lang"
HOURS = 8
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,100}")
_SHOWN = (
    Unauthorized, Forbidden, NotFound, Conflict, BadInput, TenantErased, TooManyRequests, Unavailable,
)  # fmt: skip


class FormRefused(Forbidden):
    """A form without the token of the page it should come from."""

    code = "form"


@dataclass(frozen=True)
class Visitor:
    """Somebody with a key of this municipality, and the language he reads."""

    access: Access
    language: Language
    key: str
    by_cookie: bool
    request: Request

    @property
    def csrf(self) -> str:
        """The token of his forms."""
        return form_token(self.key, self.access.tenant_id)

    def may(self, need: Need) -> bool:
        """Whether his role covers ``need``."""
        return self.access.principal.may(need)

    def page(self, template: str, here: str, **values: Any) -> HTMLResponse:
        """A page of the panel.

        Raises:
            UnknownTenant: there is no such municipality, for whom a key of the platform may ask.
        """
        done = self.request.query_params.get("done")
        known = rendering.texts(self.language)
        with self.access.platform.database.session() as session:
            name = tenants.get(session, self.access.tenant_id).display_name
        return html(
            rendering.render(
                template,
                self.language,
                tenant=self.access.tenant_id,
                display_name=name,
                here=here,
                logged_in=True,
                csrf=self.csrf,
                switch=switch(self.request, self.language),
                done=done if done is not None and known.get(f"done.{done}", "") else None,
                **values,
            ),
            200,
        )


def form_token(key: str, tenant_id: str) -> str:
    """What a form of the holder of ``key`` carries."""
    return hmac.new(key.encode(), f"astra-learn panel form {tenant_id}".encode(), hashlib.sha256).hexdigest()


def shown(
    request: Request, tenant: str, of: Callable[[Visitor], Response], *, need: Need = "read"
) -> Response:
    """What ``of`` answers to who has a key of the municipality; else the form that asks for one."""
    language = language_of(request)
    try:
        tenant_id = TenantId(tenant)
    except InvalidTenantId as error:
        return _keep_language(request, asked_for_key(request, None, error), language)
    key, by_cookie = _key(request)
    if not key:
        return _keep_language(request, asked_for_key(request, tenant_id, None, status=401), language)
    try:
        state = app_state(request)
        access = admit(state, authenticate(state, key, request), tenant_id, need, request)
    except (Unauthorized, TooManyRequests) as error:
        return asked_for_key(request, tenant_id, error)
    except Forbidden as error:
        if by_cookie and need != "read":
            return problem(request, tenant_id, error)
        return asked_for_key(request, tenant_id, error)
    try:
        answer = of(Visitor(access, language, key, by_cookie, request))
    except _SHOWN as error:
        answer = problem(request, tenant_id, error)
    return _keep_language(request, answer, language)


def acted(
    request: Request, tenant: str, token: str, act: Callable[[Visitor], str], *, need: Need = "read"
) -> Response:
    """Let a visitor do something and lead him to where it shows; ``act`` answers where that is.

    A form without its token does nothing.
    """

    def of(visitor: Visitor) -> Response:
        if visitor.by_cookie and not hmac.compare_digest(token.encode(), visitor.csrf.encode()):
            raise FormRefused("a form without its token")
        return RedirectResponse(act(visitor), status_code=303, headers=content_policy.of_page())

    return shown(request, tenant, of, need=need)


def asked_for_key(
    request: Request, tenant_id: TenantId | None, error: AstraError | None, *, status: int | None = None
) -> Response:
    """The form that asks for a key, with what was wrong with the one before."""
    language = language_of(request)
    kept = request.cookies.get(FORM_COOKIE, "")
    token = kept if _TOKEN.fullmatch(kept) else secrets.token_urlsafe(32)
    code = status if status is not None else error.http_status if error is not None else 200
    answer = html(
        rendering.render(
            "login.html",
            language,
            tenant=tenant_id,
            action=f"/panel/{tenant_id}" if tenant_id else "/panel",
            problem=None if error is None else sentence(error, language),
            csrf=token,
            switch=switch(request, language),
        ),
        code,
    )
    set_cookie(request, answer, FORM_COOKIE, token, path="/panel")
    return answer


def log_in(request: Request, tenant: str, key: str, token: str) -> Response:
    """Check a key once and keep it in a cookie of the municipality's panel."""
    try:
        tenant_id = TenantId(tenant)
    except InvalidTenantId as error:
        return asked_for_key(request, None, error)
    kept = request.cookies.get(FORM_COOKIE, "")
    if not _TOKEN.fullmatch(kept) or not hmac.compare_digest(kept.encode(), token.encode()):
        return asked_for_key(request, tenant_id, FormRefused("a form without its token"))
    state = app_state(request)
    try:
        admit(state, authenticate(state, key, request), tenant_id, "read", request)
    except (Unauthorized, Forbidden, TooManyRequests) as error:
        return asked_for_key(request, tenant_id, error)
    answer = RedirectResponse(f"/panel/{tenant_id}", status_code=303, headers=content_policy.of_page())
    set_cookie(request, answer, COOKIE, key, path=f"/panel/{tenant_id}", seconds=HOURS * 3600)
    return answer


def set_cookie(
    request: Request, answer: Response, name: str, value: str, *, path: str, seconds: int | None = None
) -> None:
    """A cookie that scripts cannot read and other sites cannot have sent."""
    answer.set_cookie(
        name,
        value,
        max_age=seconds,
        path=path,
        httponly=True,
        samesite="strict",
        # behind a proxy that ends TLS; who forges the header only makes his own cookie stricter
        secure="https" in (request.url.scheme, request.headers.get("x-forwarded-proto")),
    )


def problem(request: Request, tenant_id: TenantId, error: AstraError) -> HTMLResponse:
    """A page that says what went wrong, and leads back."""
    language = language_of(request)
    return html(
        rendering.render(
            "problem.html",
            language,
            tenant=tenant_id,
            problem=sentence(error, language),
            switch=switch(request, language),
        ),
        error.http_status,
    )


def sentence(error: AstraError, language: Language) -> str:
    """What a person reads of ``error``: by its code, else what the API says in Spanish."""
    texts = rendering.texts(language)
    code = {"foreign_tenant": "foreign", "unknown_tenant": "not_found", "invalid_id": "not_found"}.get(
        error.code, error.code
    )
    if isinstance(error, BadInput) and error.for_people and language == "es":
        return wording.sentence(error)
    known = texts.get(f"problem.{code}", "")
    return known or wording.sentence(error)


def language_of(request: Request) -> Language:
    """Asked for in this request, else kept in the cookie, else Spanish."""
    return rendering.language_of(request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE))


def switch(request: Request, language: Language) -> str:
    """Where the same page is in the other language."""
    if request.method != "GET":
        return f"?lang={'en' if language == 'es' else 'es'}"
    kept = [
        (name, value) for name, value in request.query_params.multi_items() if name not in ("lang", "done")
    ]
    return "?" + urlencode([*kept, ("lang", "en" if language == "es" else "es")])


def html(body: str, status: int) -> HTMLResponse:
    """A page under the policy of ours."""
    return HTMLResponse(body, status_code=status, headers=content_policy.of_page())


def paper(body: str) -> HTMLResponse:
    """A page to be kept, with its style inside."""
    return HTMLResponse(body, headers=content_policy.of_paper(body))


def _key(request: Request) -> tuple[str | None, bool]:
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return bearer.strip(), False
    return request.cookies.get(COOKIE), True


def _keep_language(request: Request, answer: Response, language: Language) -> Response:
    if request.query_params.get("lang") == language:
        set_cookie(request, answer, LANGUAGE_COOKIE, language, path="/", seconds=365 * 24 * 3600)
    return answer
