"""The front doors: ``/``, ``/panel``, ``/docs``, and the files that pages load. None of them needs a key."""

from __future__ import annotations

from functools import lru_cache

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from astra_learn_assets.api.pages import contract, rendering
from astra_learn_assets.api.visitors import asked_for_key, html, language_of, switch
from astra_learn_assets.errors import NotFound

router = APIRouter(include_in_schema=False)

_FILES = {"panel.css": "text/css", "panel.js": "text/javascript", "icon.svg": "image/svg+xml"}


@router.get("/")
def front(request: Request) -> HTMLResponse:
    """What there is to look at."""
    language = language_of(request)
    return html(rendering.render("front.html", language, switch=switch(request, language)), 200)


@router.get("/panel")
def door(request: Request) -> Response:
    """Which municipality, and its key."""
    return asked_for_key(request, None, None)


@router.get("/docs")
def browse(request: Request) -> HTMLResponse:
    """The API, operation by operation, from its own contract; no script of another site runs here."""
    language = language_of(request)
    document = request.app.openapi()
    page = rendering.render(
        "docs.html",
        language,
        switch=switch(request, language),
        tags=contract.operations(document),
        schemas=contract.schemas(document),
    )
    return html(page, 200)


@router.get("/static/{name}")
def static_file(name: str) -> Response:
    """A file that our pages load; these three and no other.

    Raises:
        NotFound: another name.
    """
    if name not in _FILES:
        raise NotFound("no such file")
    return Response(
        _content(name),
        media_type=_FILES[name],
        headers={"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"},
    )


@lru_cache
def _content(name: str) -> bytes:
    return (rendering.FOLDER / "static" / name).read_bytes()
