"""Drafts and finals are real DOCX files that say what the truth says."""

from __future__ import annotations

import io
import json
from pathlib import Path

import docx
import pytest

from astra_learn_assets.comparator.docx.chunk_ids import mint_chunk_id
from astra_learn_assets.comparator.docx.reader import read_document
from astra_learn_assets.simulation.council.__main__ import main
from astra_learn_assets.simulation.council.minutes import PENDING_TEXT
from astra_learn_assets.simulation.council.package import parse, read_parts, w, write_parts
from astra_learn_assets.simulation.council.simulator import HOSTILE_AT, SimulatedSession
from astra_learn_assets_tests.council.scoring import session_of


@pytest.fixture(scope="module")
def sessions() -> list[SimulatedSession]:
    return [
        session_of(tenant, seed, index)
        for tenant, seed in (("villaverde", 7), ("rio-claro", 7), ("tercer-pueblo", 11))
        for index in range(11)
        if index != HOSTILE_AT
    ]


def squeezed(text: str) -> str:
    return " ".join(text.split())


def texts_by_chunk(data: bytes) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for block in read_document(data).blocks:
        for chunk_id in block.chunk_ids:
            found.setdefault(chunk_id, []).append(squeezed(block.text))
    return found


def test_python_docx_opens_drafts_and_finals(sessions: list[SimulatedSession]) -> None:
    for session in sessions[::4]:
        for data in (session.draft_docx, session.final_docx):
            document = docx.Document(io.BytesIO(data))
            assert len(document.paragraphs) > 20
            assert document.tables
            styles = {paragraph.style.name for paragraph in document.paragraphs if paragraph.style}
            assert {"Title", "Heading 2", "List Number"} <= styles
            assert document.sections[0].header.paragraphs[0].text


def test_the_package_carries_no_clock(sessions: list[SimulatedSession]) -> None:
    for session in sessions[:3]:
        parts = read_parts(session.draft_docx)
        assert write_parts(parts) == session.draft_docx
        assert session.session_id[:10].encode() in parts["docProps/core.xml"]


def test_no_paragraph_ends_with_a_link(sessions: list[SimulatedSession]) -> None:
    for session in sessions:
        root = parse(read_parts(session.draft_docx)["word/document.xml"])
        linked = [p for p in root.iter(w("p")) if p.find(w("hyperlink")) is not None]
        assert len(linked) == len(session.manifest.chunks)
        for paragraph in linked:
            content = [child for child in paragraph if child.tag in (w("r"), w("hyperlink"))]
            assert content[-1].tag == w("r")


def test_drafts_carry_their_chunks_and_text(sessions: list[SimulatedSession]) -> None:
    for session in sessions:
        assert read_document(session.draft_docx).document_id == session.document_id
        found = texts_by_chunk(session.draft_docx)
        own = {mint_chunk_id(session.document_id, number) for number in range(len(session.manifest.chunks))}
        for chunk in session.truth.chunks:
            assert chunk.chunk_id in own
            if chunk.before != PENDING_TEXT:
                assert found[chunk.chunk_id] == [squeezed(chunk.before)]


def test_finals_read_as_the_truth_says(sessions: list[SimulatedSession]) -> None:
    seen = set()
    for session in sessions:
        texts = [squeezed(block.text) for block in read_document(session.final_docx).blocks]
        found = texts_by_chunk(session.final_docx)
        for chunk in session.truth.chunks:
            seen.add((chunk.op, session.truth.tracked_changes))
            if chunk.op == "deleted":
                assert squeezed(chunk.before) not in texts
                continue
            if chunk.after == PENDING_TEXT:
                continue
            expected = [squeezed(text) for text in chunk.after_parts or (chunk.after or "",)]
            assert set(expected) <= set(texts), (session.session_id, chunk)
            if chunk.op in ("equal", "modified", "moved") and not chunk.retyped:
                assert found[chunk.chunk_id] == expected
        for text in session.truth.inserted:
            assert squeezed(text) in texts
    kinds = ("equal", "modified", "moved", "deleted", "split", "merged")
    assert {(op, tracked) for op in kinds for tracked in (True, False)} <= seen


def test_tracked_changes_name_their_author_and_date(sessions: list[SimulatedSession]) -> None:
    tracked = [session for session in sessions if session.truth.tracked_changes]
    assert tracked
    for session in tracked:
        root = parse(read_parts(session.final_docx)["word/document.xml"])
        marks = [*root.iter(w("ins")), *root.iter(w("del"))]
        assert marks
        assert all(mark.get(w("author")) and mark.get(w("date")) for mark in marks)
        assert not [t for mark in root.iter(w("del")) for t in mark.iter(w("t"))]
        ids = [mark.get(w("id")) for mark in marks]
        assert len(ids) == len(set(ids))


def test_pending_audio_is_typed_in_and_some_links_are_deleted(sessions: list[SimulatedSession]) -> None:
    assert any(pair.route == 3 for session in sessions for pair in session.truth.pairs)
    assert any(chunk.link_deleted for session in sessions for chunk in session.truth.chunks)
    assert any(chunk.retyped for session in sessions for chunk in session.truth.chunks)
    for session in sessions:
        pending = {c.chunk_id for c in session.manifest.chunks if c.status == "AUDIO_PENDING"}
        typed = {i for pair in session.truth.pairs if pair.route == 3 for i in pair.chunk_ids}
        assert typed <= pending


def test_citizens_of_the_truth_are_in_the_text(sessions: list[SimulatedSession]) -> None:
    named = 0
    for session in sessions:
        text = " ".join(c.after or c.before for c in session.truth.chunks)
        for name in session.truth.citizen_names:
            named += name in text
    assert named > len(sessions)


def test_the_command_line_writes_documents_manifest_and_truth(tmp_path: Path) -> None:
    assert main([str(tmp_path), "--tenant", "rio-claro", "--seed", "3", "--sessions", "2"]) == 0
    folders = sorted(tmp_path.iterdir())
    assert len(folders) == 2
    names = ["draft.docx", "draft.json", "final.docx", "truth.json"]
    assert sorted(path.name for path in folders[0].iterdir()) == names
    truth = json.loads((folders[0] / "truth.json").read_text(encoding="utf-8"))
    assert truth["chunks"][0]["chunk_id"].startswith("c")
    assert main([str(tmp_path), "--tenant", "Río Claro"]) == 1
