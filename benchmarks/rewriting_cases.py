"""Heavily rewritten minutes as DOCX files with hidden chunk ids, for ``rewriting.py``."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

from lxml import etree

from astra_learn_assets.comparator.docx.chunk_ids import DOCUMENT_PROPERTY, W, mint_chunk_id, write_chunk_id
from astra_learn_assets.contracts import Manifest, ManifestChunk
from benchmarks.heavy_rewriting import Rewriting

_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_CONTENT = "http://schemas.openxmlformats.org/package/2006/content-types"
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_FMTID = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"


@dataclass(frozen=True)
class Files:
    """A draft, its manifest and its final as a clerk would upload it; ``chunk_ids`` by paragraph."""

    draft: bytes
    final: bytes
    manifest: Manifest
    chunk_ids: tuple[str, ...]


def files_of(case: Rewriting, *, with_ids: bool) -> Files:
    """The files of one case; without ids the final has lost all of them, as text pasted anew does."""
    document_id = f"acta-{case.id}"
    chunk_ids = tuple(mint_chunk_id(document_id, n) for n in range(len(case.draft)))
    of_paragraph = {paragraph.id: chunk_ids[n] for n, paragraph in enumerate(case.draft)}
    draft = docx([(p.text, of_paragraph[p.id]) for p in case.draft], document_id)
    final = docx(
        [(p.text, of_paragraph.get(p.carried_id or "") if with_ids else None) for p in case.final],
        document_id if with_ids else None,
    )
    chunks = tuple(
        ManifestChunk(
            chunk_id=chunk_id, start_ms=4000 * n, end_ms=4000 * n + 3900, asr_text=case.draft[n].text
        )
        for n, chunk_id in enumerate(chunk_ids)
    )
    manifest = Manifest(document_id=document_id, session_id=case.id, version=1, chunks=chunks)
    return Files(draft, final, manifest, chunk_ids)


def docx(paragraphs: list[tuple[str, str | None]], document_id: str | None) -> bytes:
    """A DOCX of (text, chunk id) paragraphs, ids written as the Builder writes them."""
    root = etree.Element(f"{{{W}}}document", nsmap={"w": W})
    body = etree.SubElement(root, f"{{{W}}}body")
    for n, (text, chunk_id) in enumerate(paragraphs):
        paragraph = etree.SubElement(body, f"{{{W}}}p")
        run = etree.SubElement(paragraph, f"{{{W}}}r")
        piece = etree.SubElement(run, f"{{{W}}}t")
        piece.text = text
        piece.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        if chunk_id is not None:
            write_chunk_id(paragraph, chunk_id, bookmark_id=n + 1)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_CONTENT}"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
        'ContentType="application/xml"/><Override PartName="/word/document.xml" '
        f'ContentType="{_WORD}.document.main+xml"/></Types>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{_R}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/document.xml": etree.tostring(root, encoding="unicode"),
    }
    if document_id is not None:
        parts["docProps/custom.xml"] = (
            '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties" '
            'xmlns:vt="http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes">'
            f'<property fmtid="{_FMTID}" pid="2" name="{DOCUMENT_PROPERTY}">'
            f"<vt:lpwstr>{document_id}</vt:lpwstr></property></Properties>"
        )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, xml in parts.items():
            archive.writestr(name, xml)
    return buffer.getvalue()
