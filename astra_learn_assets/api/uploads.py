"""Reading uploaded documents: the raw body or a multipart form, bounded while it arrives."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from python_multipart.exceptions import FormParserError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from astra_learn_assets.api.limits import BodyTooLarge
from astra_learn_assets.api.state import app_state
from astra_learn_assets.errors import BadInput, BadManifest, UploadRefused
from astra_learn_assets.hotpath.wording import told

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_FILE_FIELDS = ("file", "final", "docx")


@dataclass(frozen=True)
class DraftUpload:
    """The parts of a draft's form."""

    docx: bytes
    manifest: bytes
    cloned_from: str | None
    adapter_id: str | None
    roster: tuple[str, ...]


async def read_final(request: Request) -> bytes:
    """The DOCX in the body (any content type but a form's) or in the form field ``file``.

    Raises:
        BodyTooLarge: while it arrives. UploadRefused: no document in the request.
    """
    maximum = app_state(request).settings.upload_max_bytes
    if _is_form(request):
        form = await _form(request)
        try:
            return await _part(form, _FILE_FIELDS, maximum)
        finally:
            await form.close()
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > maximum:
            raise _too_large(maximum)
    if not body:
        raise UploadRefused("empty", "el envío está vacío: adjunte el documento .docx")
    return bytes(body)


async def read_draft(request: Request) -> DraftUpload:
    """The form of a draft: files ``docx`` and ``manifest``, fields ``cloned_from``, ``adapter_id`` and
    ``roster``.

    ``roster`` is a JSON list of names or a repeated field.

    Raises:
        UploadRefused, BadManifest, BadInput: naming the part that is missing or wrong.
    """
    if not _is_form(request):
        raise told(BadInput("envíe un formulario multipart/form-data con los archivos 'docx' y 'manifest'"))
    maximum = app_state(request).settings.upload_max_bytes
    form = await _form(request)
    try:
        docx = await _part(form, ("docx", "draft", "file"), maximum)
        if form.get("manifest") is None:
            raise told(BadManifest("el formulario no contiene el archivo 'manifest' (draft.json)"))
        manifest = await _part(form, ("manifest",), maximum)
        cloned_from, adapter_id = (_text(form, name) for name in ("cloned_from", "adapter_id"))
        return DraftUpload(docx, manifest, cloned_from, adapter_id, _roster(form.getlist("roster")))
    finally:
        await form.close()


def _text(form: FormData, name: str) -> str | None:
    value = form.get(name)
    if value is not None and not isinstance(value, str):
        raise told(BadInput(f"'{name}' debe ser un campo de texto"))
    return value or None


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


async def _form(request: Request) -> FormData:
    try:
        return await request.form(max_files=4, max_fields=2_100)
    except (FormParserError, HTTPException) as error:
        raise told(
            BadInput("el formulario llegó incompleto o dañado; no se ha guardado nada: vuelva a enviarlo")
        ) from error


async def _part(form: FormData, names: tuple[str, ...], maximum: int) -> bytes:
    value = next((form[name] for name in names if name in form), None)
    if value is None:
        raise UploadRefused("empty", f"el formulario no contiene el archivo '{names[0]}'")
    if isinstance(value, UploadFile):
        data = await value.read(maximum + 1)
    else:
        data = value.encode()
    if len(data) > maximum:
        raise _too_large(maximum)
    if not data:
        raise UploadRefused("empty", f"el archivo '{names[0]}' está vacío")
    return data


def _roster(values: list[Any]) -> tuple[str, ...]:
    texts = [value for value in values if isinstance(value, str) and value.strip()]
    if len(texts) == 1 and texts[0].lstrip().startswith("["):
        try:
            listed = json.loads(texts[0])
        except (ValueError, RecursionError) as error:
            raise _no_roster() from error
        if not all(isinstance(name, str) for name in listed):
            raise _no_roster()
        return tuple(listed)
    return tuple(texts)


def _no_roster() -> BadInput:
    return told(BadInput("'roster' debe ser una lista JSON de nombres"))


def _too_large(maximum: int) -> BodyTooLarge:
    return BodyTooLarge(f"el documento supera el máximo de {maximum / 1e6:g} MB; no se ha guardado nada")
