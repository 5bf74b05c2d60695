"""Commands of BUILDER's path: draft check, draft register."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from astra_learn_assets import ids
from astra_learn_assets.cli import files, remote
from astra_learn_assets.cli.output import (
    Format,
    FormatOption,
    answering,
    fail,
    in_english,
    print_facts,
    print_json,
)
from astra_learn_assets.cli.platform import HomeOption, platform, read_settings, user
from astra_learn_assets.cli.remote import KeyOption, UrlOption
from astra_learn_assets.errors import BadInput, UploadRefused
from astra_learn_assets.ids import TenantId

if TYPE_CHECKING:
    from astra_learn_assets.contracts import Manifest

draft_app = typer.Typer(help="Drafts and their manifests.", no_args_is_help=True)
ManifestArgument = Annotated[
    Path, typer.Argument(metavar="DRAFT.json", help="The manifest beside the draft.", readable=False)
]


@draft_app.command()
def check(
    manifest: ManifestArgument,
    docx: Annotated[
        Path | None, typer.Option("--docx", help="Also compare it with its draft.", readable=False)
    ] = None,
    output: FormatOption = Format.text,
) -> None:
    """Read a manifest as the platform would; ends with 1 and names every field that is wrong.

    Its JSON Schema is docs/schemas/draft-manifest.schema.json.
    """
    from astra_learn_assets.comparator.draft_manifest import faults, parse_manifest

    with answering(output):
        data = files.read(manifest)
        found = faults(data)
        facts: dict[str, Any] = {}
        if not found:
            read = parse_manifest(data)
            facts = {
                "document": read.document_id,
                "session": read.session_id,
                "version": read.version,
                "chunks": len(read.chunks),
                "not heard": sum(chunk.status == "AUDIO_PENDING" for chunk in read.chunks),
            }
            if docx is not None:
                found, more = _beside(read, docx)
                facts |= more
    if found:
        if output is Format.json:
            print_json({"faults": found})
            raise typer.Exit(1)
        for fault in found[:-1]:
            typer.echo(f"error: {fault}", err=True)
        fail(found[-1])
    if output is Format.json:
        print_json({"faults": [], **facts})
    else:
        print_facts(facts)


@draft_app.command()
def register(
    docx: Annotated[Path, typer.Argument(metavar="DRAFT.docx", help="The draft.", readable=False)],
    manifest: ManifestArgument,
    tenant: Annotated[str, typer.Option("--tenant", help="Id of the municipality.")],
    session: Annotated[
        str | None, typer.Option("--session", help="Id of the session; default: the manifest's.")
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version", help="Version; default: the manifest's.")
    ] = None,
    roster: Annotated[
        list[str] | None, typer.Option("--roster", help="Name of somebody present; may be repeated.")
    ] = None,
    cloned_from: Annotated[
        str | None, typer.Option("--cloned-from", help="Session that this version is a clone of.")
    ] = None,
    adapter_id: Annotated[
        str | None, typer.Option("--adapter", help="What wrote its text; 'base': the base model.")
    ] = None,
    url: UrlOption = None,
    key: KeyOption = None,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Hand in a draft with its manifest, so that a final of the same session can be compared with it.

    The same again changes nothing.
    """
    from astra_learn_assets.comparator.draft_manifest import parse_manifest

    with answering(output):
        document, beside = files.read(docx), files.read(manifest)
        read = parse_manifest(beside)
        place = {
            "tenant_id": TenantId(tenant),
            "session_id": ids.name(session or read.session_id, "session id"),
            "version": ids.version(version or read.version),
        }
        more: dict[str, Any] = {"cloned_from": cloned_from, "adapter_id": adapter_id}
        if url is None:
            artifact = _register_here(place, document, beside, roster or [], more, home)
        else:
            path = "/v1/tenants/{tenant_id}/sessions/{session_id}/versions/{version}/draft".format(**place)
            form = {name: value for name, value in more.items() if value is not None}
            answered = remote.call(
                "PUT",
                url,
                path,
                key=key,
                home=home,
                files={"docx": (docx.name, document, remote.DOCX), "manifest": (manifest.name, beside)},
                data={**form, **({"roster": json.dumps(roster)} if roster else {})},
            )
            artifact = str(answered["artifact_id"])
        facts = {**place, "artifact_id": artifact}
        if output is Format.json:
            print_json(facts)
        else:
            print_facts({name.replace("_", " "): value for name, value in facts.items()})


def _register_here(
    place: dict[str, Any],
    document: bytes,
    beside: bytes,
    roster: list[str],
    more: dict[str, Any],
    home: Path | None,
) -> str:
    from astra_learn_assets.hotpath import drafts

    with platform(home) as opened:
        row = drafts.register_draft(
            opened,
            **place,
            docx=document,
            manifest=beside,
            roster=roster,
            registered_by=user(),
            **more,
        )
        return row.artifact_id


def _beside(manifest: Manifest, docx: Path) -> tuple[list[str], dict[str, Any]]:
    """What of a manifest does not fit its draft, and how much does."""
    from astra_learn_assets.comparator.docx.admission import check_upload
    from astra_learn_assets.comparator.docx.reader import read_document

    data = files.read(docx)
    try:
        check_upload(data, max_bytes=read_settings().upload_max_bytes)
    except UploadRefused as error:
        raise BadInput(f"{docx}: {in_english(error)}") from None
    document = read_document(data)
    found = []
    if document.document_id != manifest.document_id:
        found.append(
            f"manifest: document_id is {manifest.document_id!r:.80}, "
            f"the draft's own is {document.document_id or 'none'!r:.80}"
        )
    listed = {chunk.chunk_id for chunk in manifest.chunks}
    carried = {chunk_id for block in document.blocks for chunk_id in block.chunk_ids}
    if unknown := sorted(carried - listed):
        count = len(unknown)
        found.append(f"manifest: chunks: {count} that the draft carries are missing, like {unknown[0]}")
    return found, {
        "paragraphs with a chunk": len(carried & listed),
        "chunks in no paragraph": len(listed - carried),
    }


def add_to(app: typer.Typer) -> None:
    """Add the command group to ``app``."""
    app.add_typer(draft_app, name="draft")
