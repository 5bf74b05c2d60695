"""Commands about documents: submit, compare, blocks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from astra_learn_assets import ids
from astra_learn_assets.cli import files, remote
from astra_learn_assets.cli.output import (
    Format,
    FormatOption,
    answering,
    in_english,
    print_facts,
    print_json,
    print_table,
)
from astra_learn_assets.cli.platform import HomeOption, platform, read_settings, user
from astra_learn_assets.cli.remote import KeyOption, UrlOption
from astra_learn_assets.errors import BadInput
from astra_learn_assets.ids import TenantId

if TYPE_CHECKING:
    from astra_learn_assets.contracts import Delta, Manifest
    from astra_learn_assets.hotpath.summary import SubmitSummary


def submit(
    file: Annotated[Path, typer.Argument(help="The corrected minutes (DOCX).", readable=False)],
    tenant: Annotated[str, typer.Option("--tenant", help="Id of the municipality.")],
    session: Annotated[str | None, typer.Option("--session", help="Id of the council session.")] = None,
    version: Annotated[
        int | None, typer.Option("--version", help="Version of the draft it corrects; default: 1.")
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option("--manifest", help="draft.json of the draft: says session and version.", readable=False),
    ] = None,
    url: UrlOption = None,
    key: KeyOption = None,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Hand in a final: its name fixes are live at once, its corrections wait for training."""
    with answering(output):
        data = files.read(file)
        tenant = TenantId(tenant)
        told = _manifest(manifest)
        if session is None and told is None:
            raise BadInput("which session? give --session, or --manifest with the draft's draft.json")
        name = ids.name(session or (told.session_id if told else ""), "session id")
        number = ids.version(version if version is not None else told.version if told else 1)
        summary = (
            _submit_remote(data, url, key, home, tenant, name, number)
            if url is not None
            else _submit_here(data, tenant, name, number, home)
        )
        if output is Format.json:
            print_json(summary)
            return
        for entity in summary.entities_live:
            typer.echo(f"live: {entity.wrong} -> {entity.right} ({entity.kind})")
        left_out = ", ".join(f"{item.count} {item.reason}" for item in summary.left_out)
        print_facts(
            {
                "pairs waiting": summary.pairs_waiting,
                "left out": left_out or None,
                "quarantined": summary.quarantined,
                "artifact": summary.artifact_id,
                "compared with": summary.base_id,
                "dictionary version": summary.dictionary_version,
                "already received": "yes" if summary.already_received else None,
            }
        )


def compare(
    draft: Annotated[Path, typer.Argument(help="The draft (DOCX).", readable=False)],
    final: Annotated[Path, typer.Argument(help="The corrected final (DOCX).", readable=False)],
    manifest: Annotated[
        Path | None, typer.Option("--manifest", help="draft.json of the draft.", readable=False)
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Also write a report to this file.")] = None,
    output: FormatOption = Format.text,
) -> None:
    """Show what changed between a draft and a final. Stores nothing."""
    with answering(output):
        delta = _compare(files.read(draft), files.read(final), draft, final, _manifest(manifest))
        if html is not None:
            from astra_learn_assets.comparator.report import render_html

            files.write(html, render_html(delta, title=f"{draft.name} → {final.name}").encode())
        if output is Format.json:
            print_json(delta)
            return
        _print_delta(delta)


def blocks(
    file: Annotated[Path, typer.Argument(help="A DOCX.", readable=False)],
    output: FormatOption = Format.text,
) -> None:
    """List the text blocks of a document with their chunk ids."""
    from astra_learn_assets.comparator.docx.reader import read_document

    with answering(output):
        document = read_document(files.read(file))
        if output is Format.json:
            print_json(
                {
                    "document_id": document.document_id,
                    "blocks": [
                        {
                            "index": index,
                            "text": block.text,
                            "chunk_ids": list(block.chunk_ids),
                            "location": {
                                "part": block.location.part,
                                "cells": [list(cell) for cell in block.location.cells],
                                "list_level": block.location.list_level,
                                "heading_level": block.location.heading_level,
                                "heading_path": list(block.location.heading_path),
                            },
                            "flags": sorted(block.flags),
                        }
                        for index, block in enumerate(document.blocks)
                    ],
                }
            )
            return
        print_table(
            f"{file.name}: document id {document.document_id or 'none'}",
            ["#", "part", "chunk ids", "text"],
            [
                [index, block.location.part, " ".join(block.chunk_ids), block.text]
                for index, block in enumerate(document.blocks)
            ],
        )


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    for command in (submit, compare, blocks):
        app.command()(command)


def _submit_here(
    data: bytes, tenant: TenantId, session: str, version: int, home: Path | None
) -> SubmitSummary:
    from astra_learn_assets.hotpath.intake import submit_final

    with platform(home) as opened:
        return submit_final(
            opened,
            tenant_id=tenant,
            session_id=session,
            version=version,
            data=data,
            uploaded_by=user(),
        )


def _submit_remote(
    data: bytes, url: str, key: str | None, home: Path | None, tenant: TenantId, session: str, version: int
) -> SubmitSummary:
    from astra_learn_assets.hotpath.summary import SubmitSummary

    answered = remote.call(
        "POST",
        url,
        f"/v1/tenants/{tenant}/sessions/{session}/versions/{version}/final",
        key=key,
        home=home,
        content=data,
        headers={"Content-Type": remote.DOCX},
    )
    return SubmitSummary.model_validate(answered)


def _compare(
    draft: bytes, final: bytes, draft_path: Path, final_path: Path, manifest: Manifest | None
) -> Delta:
    from astra_learn_assets.comparator.docx.admission import check_upload
    from astra_learn_assets.comparator.engine import compare as compare_documents

    settings = read_settings()
    for path, data in ((draft_path, draft), (final_path, final)):
        try:
            check_upload(data, max_bytes=settings.upload_max_bytes)
        except BadInput as error:
            raise BadInput(f"{path}: {in_english(error)}") from None
    return compare_documents(
        draft,
        final,
        generated_id=draft_path.name,
        final_id=final_path.name,
        manifest=manifest,
        confidence_minimum=settings.document_confidence_minimum,
    )


def _manifest(path: Path | None) -> Manifest | None:
    if path is None:
        return None
    from astra_learn_assets.comparator.draft_manifest import parse_manifest

    return parse_manifest(files.read(path))


def _print_delta(delta: Delta) -> None:
    print_table(
        "changes",
        ["op", "route", "wer", "before", "after"],
        [
            [block.op, block.route, f"{block.wer:.3f}", block.before, block.after]
            for block in delta.blocks
            if block.op != "equal"
        ],
    )
    if delta.entity_changes:
        print_table(
            "names",
            ["wrong", "right", "kind", "confidence"],
            [[c.wrong, c.right, c.kind, f"{c.confidence:.2f}"] for c in delta.entity_changes],
        )
    counts = ", ".join(f"{count} {op}" for op, count in sorted(delta.metrics.counts.items()) if count)
    print_facts(
        {
            "blocks": counts,
            "WER": f"{delta.metrics.wer:.4f}",
            "CER": f"{delta.metrics.cer:.4f}",
            "pairs to learn from": len(delta.examples),
            "left out": ", ".join(f"{r.count} {r.reason}" for r in delta.rejected) or None,
            "quarantined": delta.quarantined,
        }
    )
