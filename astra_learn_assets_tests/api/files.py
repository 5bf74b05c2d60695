"""Small real DOCX drafts and finals for the tests of the hot path."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import docx

from astra_learn_assets.comparator.docx.chunk_ids import mint_chunk_id, write_chunk_id, write_document_id

PARAGRAPHS = (
    "El Pleno aprueba el acta de la sesión anterior por unanimidad de los presentes.",
    "La concejala doña Lucía Hortegga expone el estado de las obras del mercado y pide más personal.",
    "Don Ramiro Zubeldía pregunta por el presupuesto del alumbrado y por los plazos de la licitación.",
    "El alcalde responde que el pliego esta en redacción y que se dará cuenta en la próxima sesión.",
    "Se acuerda remitir el expediente a la comisión de hacienda para su estudio antes de fin de mes.",
    "La vecina doña Carmen Villalobos ruega que se arregle la acera junto al colegio público.",
    "No habiendo más asuntos que tratar, se levanta la sesión a las veinte horas y diez minutos.",
)
NAME_FIX = {"Hortegga": "Ortega"}
TEXT_FIX = {"pliego esta en redacción": "pliego está en redacción"}
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@dataclass(frozen=True)
class DraftFiles:
    """A draft as the Builder hands it over."""

    session_id: str
    version: int
    docx: bytes
    manifest: bytes

    def final(self, *changes: Mapping[str, str]) -> bytes:
        """The draft with every ``changes`` made by a clerk."""
        return edit(self.docx, {old: new for change in changes for old, new in change.items()})


def make_draft(
    session_id: str = "pleno-1", version: int = 1, paragraphs: Sequence[str] = PARAGRAPHS
) -> DraftFiles:
    """A DOCX with chunk ids and its manifest."""
    document_id = f"doc-{session_id}-{version}"
    document = docx.Document()
    write_document_id(document, document_id)
    chunks = []
    for index, text in enumerate(paragraphs):
        chunk_id = mint_chunk_id(document_id, index)
        write_chunk_id(document.add_paragraph(text)._p, chunk_id, bookmark_id=index + 1)
        chunks.append(
            {
                "chunk_id": chunk_id,
                "audio_uri": f"s3://audio/{session_id}.opus",
                "start_ms": index * 1_000,
                "end_ms": index * 1_000 + 900,
                "asr_text": text,
                "status": "OK",
            }
        )
    out = io.BytesIO()
    document.save(out)
    manifest = {
        "document_id": document_id,
        "session_id": session_id,
        "version": version,
        "chunks": chunks,
    }
    return DraftFiles(session_id, version, out.getvalue(), json.dumps(manifest).encode())


def edit(data: bytes, changes: Mapping[str, str]) -> bytes:
    """The DOCX with text replaced; every change must hit."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for item in source.infolist():
            content = source.read(item)
            if item.filename == "word/document.xml":
                text = content.decode()
                for old, new in changes.items():
                    assert old in text, old
                    text = text.replace(old, new)
                content = text.encode()
            target.writestr(item.filename, content)
    return out.getvalue()


def zip_bomb() -> bytes:
    """A small file that inflates to 200 MB of empty paragraphs."""
    body = b"<w:p/>" * 1_000_000
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("[Content_Types].xml", "<Types/>")
        with target.open("word/document.xml", "w", force_zip64=True) as part:
            part.write(b"<w:document><w:body>")
            for _ in range(33):
                part.write(body)
            part.write(b"</w:body></w:document>")
    return out.getvalue()
