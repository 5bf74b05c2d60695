"""The Builder: a session's minutes as a DOCX with audio links and hidden chunk ids, and its manifest."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from datetime import datetime, time

import docx
from docx.document import Document
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt
from docx.text.paragraph import Paragraph

from astra_learn_assets.comparator.docx.chunk_ids import mint_chunk_id, write_chunk_id, write_document_id
from astra_learn_assets.contracts import Manifest, ManifestChunk
from astra_learn_assets.ids import TenantId
from astra_learn_assets.simulation.council.letters import words
from astra_learn_assets.simulation.council.minutes import Block, Minutes
from astra_learn_assets.simulation.council.package import read_parts, write_parts

_WORDS_PER_SECOND = 2.4
_STYLES = {
    "title": "Title",
    "heading": "Heading 2",
    "plain": "Normal",
    "agenda": "List Number",
    "paragraph": "Normal",
    "item": "List Bullet",
}


@dataclass(frozen=True)
class Origin:
    """Whose draft it is. ``link_at_end``: audio links close their paragraph instead of opening it."""

    tenant_id: TenantId
    document_id: str
    session_id: str
    version: int
    government: str
    link_at_end: bool
    raw_asr_text: bool

    @property
    def audio_uri(self) -> str:
        return f"https://audio.{self.tenant_id}.example/{self.session_id}.mp3"


@dataclass(frozen=True)
class Chunk:
    """One stretch of audio and the block made of it; ``index`` is the block's place in the minutes."""

    chunk_id: str
    index: int
    block: Block
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class Draft:
    """What the Builder hands over, and which chunk holds which block."""

    docx: bytes
    manifest: Manifest
    origin: Origin
    chunks: tuple[Chunk, ...]


def build_draft(minutes: Minutes, origin: Origin, rng: random.Random) -> Draft:
    """The draft of ``minutes``; the same arguments give the same bytes."""
    chunks = _time(minutes, origin, rng)
    document = docx.Document()
    _furnish(document, minutes, origin)
    style_ids = {kind: document.styles[name].style_id for kind, name in _STYLES.items()}
    by_place = {chunk.index: (number, chunk) for number, chunk in enumerate(chunks)}
    for place, block in enumerate(minutes.blocks):
        if block.kind == "table":
            _add_table(document, block)
            continue
        paragraph = document.add_paragraph()
        # python-docx searches all styles for each paragraph it is given one by name
        paragraph._p.style = style_ids[block.kind]
        if place not in by_place:
            paragraph.add_run(block.heard)
            continue
        number, chunk = by_place[place]
        if not origin.link_at_end:
            _add_audio_link(paragraph, chunk, origin)
        _add_text(paragraph, block, rng)
        if origin.link_at_end:
            _add_audio_link(paragraph, chunk, origin)
        write_chunk_id(paragraph._p, chunk.chunk_id, bookmark_id=number + 1)
    write_document_id(document, origin.document_id)
    buffer = io.BytesIO()
    document.save(buffer)
    return Draft(write_parts(read_parts(buffer.getvalue())), _manifest(chunks, origin), origin, chunks)


def _time(minutes: Minutes, origin: Origin, rng: random.Random) -> tuple[Chunk, ...]:
    chunks: list[Chunk] = []
    clock = rng.randint(4_000, 20_000)
    for place, block in enumerate(minutes.blocks):
        if block.hearing is None:
            continue
        length = int(1000 * len(block.clean.split()) / _WORDS_PER_SECOND * rng.uniform(0.85, 1.2))
        chunk_id = mint_chunk_id(origin.document_id, len(chunks))
        chunks.append(Chunk(chunk_id, place, block, clock, clock + length))
        clock += length + rng.randint(300, 15_000)
    return tuple(chunks)


def _manifest(chunks: tuple[Chunk, ...], origin: Origin) -> Manifest:
    def heard(block: Block) -> str:
        if block.hearing == "pending":
            return ""
        return " ".join(words(block.heard)) if origin.raw_asr_text else block.heard

    return Manifest(
        document_id=origin.document_id,
        session_id=origin.session_id,
        version=origin.version,
        chunks=tuple(
            ManifestChunk(
                chunk_id=chunk.chunk_id,
                audio_uri=origin.audio_uri,
                start_ms=chunk.start_ms,
                end_ms=chunk.end_ms,
                asr_text=heard(chunk.block),
                status="AUDIO_PENDING" if chunk.block.hearing == "pending" else "OK",
            )
            for chunk in chunks
        ),
    )


def _furnish(document: Document, minutes: Minutes, origin: Origin) -> None:
    """Properties with the session's own date, page header and a page number in the footer."""
    written = datetime.combine(minutes.session_date, time(22, 0))
    properties = document.core_properties
    properties.title, properties.author = minutes.title, "ASTRA Builder"
    properties.language, properties.comments = "es", ""
    properties.created = properties.modified = written
    properties.last_modified_by, properties.revision = "ASTRA Builder", 1
    document.styles["Normal"].font.size = Pt(11)  # type: ignore[attr-defined]
    section = document.sections[0]
    section.header.paragraphs[0].text = f"{origin.government} · {minutes.title}"
    footer = section.footer.paragraphs[0]
    footer.add_run("Página ")
    for kind, text in (("begin", None), (None, " PAGE "), ("end", None)):
        run = footer.add_run()._r
        if kind is None:
            instruction = OxmlElement("w:instrText")
            instruction.text = text
            run.append(instruction)
        else:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            run.append(mark)


def _add_text(paragraph: Paragraph, block: Block, rng: random.Random) -> None:
    """Text in one to three runs: a speaker's name is often in bold."""
    text = block.heard
    if rng.random() < 0.4 and len(spoken := text.split(" ")) > 8:
        cut = rng.randint(2, 5)
        paragraph.add_run(" ".join(spoken[:cut])).bold = True
        paragraph.add_run(" " + " ".join(spoken[cut:]))
    else:
        paragraph.add_run(text)


def _add_audio_link(paragraph: Paragraph, chunk: Chunk, origin: Origin) -> None:
    """``▶ 00:01:23``, never the last thing in its paragraph.

    LibreOffice gives a link that ends a paragraph to the next paragraph's text when that one is
    moved or deleted, so a plain run with a space follows.
    """
    seconds = chunk.start_ms // 1000
    link = OxmlElement("w:hyperlink")
    address = f"{origin.audio_uri}#t={seconds}"
    relation = paragraph.part.relate_to(address, RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    link.set(qn("r:id"), relation)
    run = paragraph.add_run(f"▶ {seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}")
    run.font.size = Pt(8)
    run.font.underline = True
    link.append(run._r)
    if origin.link_at_end:
        paragraph.add_run(" ")
    paragraph._p.append(link)
    paragraph.add_run(" ")


def _add_table(document: Document, block: Block) -> None:
    table = document.add_table(rows=len(block.rows), cols=len(block.rows[0]), style="Table Grid")
    texts = [text for row in block.rows for text in row]
    for cell, text in zip(table._cells, texts, strict=True):
        cell._tc.p_lst[0].add_r().text = text
