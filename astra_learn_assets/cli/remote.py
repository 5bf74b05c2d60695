"""Calling a running API instead of opening the database: ``--url`` and ``--key``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from astra_learn_assets.cli.platform import read_settings
from astra_learn_assets.errors import AstraError, BadInput, Unavailable

if TYPE_CHECKING:
    import httpx

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
UrlOption = Annotated[str | None, typer.Option("--url", help="Send to this API instead of the database.")]
KeyOption = Annotated[str | None, typer.Option("--key", help="Bearer key for --url; default: ASTRA_KEY.")]
_SECONDS = 60


class RemoteRefusal(AstraError):
    """What the API answered, with its code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def call(method: str, url: str, path: str, *, key: str | None, home: Path | None, **sent: Any) -> Any:
    """The API's answer to a request, as JSON; ``sent`` as httpx takes it.

    Raises:
        BadInput: no key, or a URL that is none.
        Unavailable: nothing answers there, or something else does.
        RemoteRefusal: the API refused, with its own code and sentence.
    """
    import httpx

    key = key or _configured_key(home)
    if not key:
        raise BadInput("--url needs a key: give --key, or set ASTRA_KEY")
    headers = {"Authorization": f"Bearer {key}", **sent.pop("headers", {})}
    try:
        answer = httpx.request(method, f"{url.rstrip('/')}{path}", headers=headers, timeout=_SECONDS, **sent)
    except httpx.InvalidURL as error:
        raise BadInput(f"--url {url!r}: {error}") from None
    except httpx.HTTPError as error:
        raise Unavailable(f"{url} does not answer: {error}") from None
    except UnicodeEncodeError:
        raise BadInput("the key holds characters that no key has") from None
    return _content(answer, url)


def _content(answer: httpx.Response, url: str) -> Any:
    try:
        body = answer.json()
    except ValueError:
        raise Unavailable(f"{url} is not this API: it answered {answer.status_code} without JSON") from None
    if not answer.is_success:
        said = body if isinstance(body, dict) else {}
        sentence = str(said.get("message", answer.status_code))
        detail = said.get("detail")
        raise RemoteRefusal(str(said.get("code", "http")), f"{sentence} ({detail})" if detail else sentence)
    return body


def _configured_key(home: Path | None) -> str | None:
    key = read_settings(home).key
    return key.get_secret_value() if key is not None else None
