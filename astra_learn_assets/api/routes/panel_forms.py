"""What a form of the panel does: log in and out, undo a name, release or drop a document, the blocklist.

Each calls the function that the API's own route calls, under the same right, and leads back to the page.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from astra_learn_assets.api import content_policy
from astra_learn_assets.api.routes.dictionary import removed
from astra_learn_assets.api.visitors import COOKIE, Visitor, acted, log_in
from astra_learn_assets.errors import NotFound
from astra_learn_assets.hotpath import blocklist_terms
from astra_learn_assets.learning import review

router = APIRouter(include_in_schema=False)

Token = Annotated[str, Form(max_length=200)]
_DIGEST = re.compile(r"[0-9a-f]{16}")
_DOCUMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")


@router.post("/panel")
def log_in_anywhere(
    request: Request,
    tenant: Annotated[str, Form(max_length=200)],
    key: Annotated[str, Form(max_length=200)],
    csrf: Token = "",
) -> Response:
    """Check the key and lead to the panel of the municipality that was named."""
    return log_in(request, tenant.strip().lower(), key.strip(), csrf)


@router.post("/panel/{tenant}")
def log_in_here(
    request: Request, tenant: str, key: Annotated[str, Form(max_length=200)], csrf: Token = ""
) -> Response:
    """Check the key once and keep it in a cookie of this panel."""
    return log_in(request, tenant, key.strip(), csrf)


@router.post("/panel/{tenant}/logout")
def log_out(request: Request, tenant: str, csrf: Token = "") -> Response:
    """Forget the key in this browser."""
    answer = acted(request, tenant, csrf, lambda visitor: f"/panel/{visitor.access.tenant_id}")
    if isinstance(answer, RedirectResponse):
        answer.delete_cookie(COOKIE, path=answer.headers["location"], httponly=True, samesite="strict")
        answer.headers.update(content_policy.of_page())
    return answer


@router.post("/panel/{tenant}/dictionary/{entry_id}/undo")
def undo(request: Request, tenant: str, entry_id: str, csrf: Token = "") -> Response:
    """Take a name out of the dictionary."""

    def act(visitor: Visitor) -> str:
        removed(visitor.access, _known(_DIGEST, entry_id))
        return f"/panel/{visitor.access.tenant_id}/dictionary?done=undo"

    return acted(request, tenant, csrf, act, need="edit")


@router.post("/panel/{tenant}/quarantine/{document_id}/release")
def release(request: Request, tenant: str, document_id: str, csrf: Token = "") -> Response:
    """Let a document be learned from."""
    return _reviewed(request, tenant, document_id, csrf, "release")


@router.post("/panel/{tenant}/quarantine/{document_id}/drop")
def drop(request: Request, tenant: str, document_id: str, csrf: Token = "") -> Response:
    """Keep a document out for good."""
    return _reviewed(request, tenant, document_id, csrf, "drop")


def _reviewed(
    request: Request, tenant: str, document_id: str, csrf: str, decision: Literal["release", "drop"]
) -> Response:
    decide = {"release": review.release, "drop": review.drop}[decision]

    def act(visitor: Visitor) -> str:
        access = visitor.access
        decide(
            access.platform,
            access.tenant_id,
            _known(_DOCUMENT, document_id),
            by=access.principal.actor,
            request_id=access.request_id,
        )
        return f"/panel/{access.tenant_id}/quarantine?done={decision}"

    return acted(request, tenant, csrf, act, need="administer")


@router.post("/panel/{tenant}/blocklist")
def add_term(
    request: Request,
    tenant: str,
    term: Annotated[str, Form(max_length=2_000)] = "",
    action: Annotated[str, Form(max_length=10)] = "mask",
    kind: Annotated[str, Form(max_length=20)] = "person",
    csrf: Token = "",
) -> Response:
    """Add a term to the blocklist."""

    def act(visitor: Visitor) -> str:
        access = visitor.access
        with access.platform.database.session() as session:
            blocklist_terms.add_term(
                session,
                access.tenant_id,
                term,
                action="allow" if action == "allow" else "mask",
                kind=kind,
                actor=access.principal.actor,
                request_id=access.request_id,
            )
        return f"/panel/{access.tenant_id}/blocklist?done=add"

    return acted(request, tenant, csrf, act, need="administer")


@router.post("/panel/{tenant}/blocklist/{term_id}/remove")
def remove_term(request: Request, tenant: str, term_id: str, csrf: Token = "") -> Response:
    """Take a term out of the blocklist."""

    def act(visitor: Visitor) -> str:
        access = visitor.access
        with access.platform.database.session() as session:
            blocklist_terms.remove_term(
                session,
                access.tenant_id,
                _known(_DIGEST, term_id),
                actor=access.principal.actor,
                request_id=access.request_id,
            )
        return f"/panel/{access.tenant_id}/blocklist?done=remove"

    return acted(request, tenant, csrf, act, need="administer")


def _known(shape: re.Pattern[str], value: str) -> str:
    """``value``, when an id may look like that.

    Raises:
        NotFound: it may not.
    """
    if not shape.fullmatch(value):
        raise NotFound("no such id")
    return value
