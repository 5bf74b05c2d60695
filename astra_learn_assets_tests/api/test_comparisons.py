"""One final, one answer: for the clerk, for the graph and for ``/compare``, whatever changes later."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from astra_learn_assets.comparator import diff_file, engine
from astra_learn_assets.contracts import Delta, DictionaryEntry
from astra_learn_assets.errors import BadInput, NotFound
from astra_learn_assets.hotpath import comparisons
from astra_learn_assets.hotpath.comparison_process import compare_here
from astra_learn_assets.hotpath.intake import compare_artifacts, register_draft, submit_final
from astra_learn_assets.hotpath.summary import SubmitSummary
from astra_learn_assets.learning.compare import compare_waiting_finals
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import artifacts, dictionary, documents, paths
from astra_learn_assets.store.tables import Artifact
from astra_learn_assets_tests.api.files import NAME_FIX, TEXT_FIX, DraftFiles, make_draft
from astra_learn_assets_tests.comparator.attacks import ATTACKS

TENANT = "villaverde"


def submit(platform: Platform, final: bytes) -> SubmitSummary:
    return submit_final(
        platform, tenant_id=TENANT, session_id="pleno-1", version=1, data=final, uploaded_by="marta"
    )


def enter(platform: Platform, wrong: str, right: str) -> None:
    entry = DictionaryEntry(
        wrong=wrong,
        right=right,
        kind="person",
        source_document="x",
        author="marta",
        created_at=datetime.now(UTC),
    )
    with platform.database.session() as session:
        dictionary.apply(session, TENANT, [entry])


def learned(platform: Platform, document_id: str) -> Delta:
    with platform.database.session() as session:
        final = artifacts.get_artifact(session, TENANT, document_id)
        row = documents.get(session, TENANT, document_id)
    data = platform.vault.read(TENANT, paths.diff(TENANT, document_id, final.comparison))
    assert row.diff_sha256 == final.diff_sha256
    return diff_file.decode(data)


def said(delta: Delta) -> tuple[int, int, set[int]]:
    return (
        len(delta.examples),
        len(delta.entity_changes),
        {block.route for block in delta.blocks if block.route},
    )


@pytest.fixture
def unusual() -> DraftFiles:
    """A draft with a mistake that is a name's only to who knows the municipality's dictionary."""
    return make_draft(
        "pleno-1",
        paragraphs=[
            "Se abre la sesión a las diez horas con la asistencia de todos los miembros.",
            "El informe se presentó fuera de plaso ante la comisión de hacienda.",
            "Se aprueba el presupuesto por unanimidad de los presentes en la sala.",
            "No habiendo más asuntos se levanta la sesión a las doce horas.",
        ],
    )


FIX = {"plaso": "plazo"}


def register(platform: Platform, files: DraftFiles) -> Artifact:
    return register_draft(
        platform, tenant_id=TENANT, session_id="pleno-1", version=1, docx=files.docx, manifest=files.manifest
    )


def test_the_dictionary_decides_whether_a_fix_is_a_name_or_a_pair(
    platform: Platform, make_tenant, unusual: DraftFiles
) -> None:
    make_tenant()
    base = register(platform, unusual)
    with platform.database.session() as session:
        asked = comparisons.question(
            platform, session, base, final_id="f", final_sha256="0" * 64, dictionary_version=0
        )
    without = diff_file.decode(comparisons.answer(platform, asked, unusual.final(FIX)).diff)
    enter(platform, "plaso", "plazo")
    with platform.database.session() as session:
        asked = comparisons.question(platform, session, base, final_id="f", final_sha256="0" * 64)
    with_it = diff_file.decode(comparisons.answer(platform, asked, unusual.final(FIX)).diff)
    assert said(without) != said(with_it)
    assert said(with_it) == (0, 1, {2})


def test_clerk_graph_and_compare_give_one_answer_that_a_later_dictionary_does_not_change(
    platform: Platform, make_tenant, unusual: DraftFiles
) -> None:
    make_tenant()
    register(platform, unusual)
    enter(platform, "plaso", "plazo")
    summary = submit(platform, unusual.final(FIX))
    asked = compare_artifacts(platform, TENANT, summary.base_id, summary.artifact_id)
    with platform.database.session() as session:
        dictionary.remove(session, TENANT, "plaso", "marta")
    compare_waiting_finals(platform, TENANT)
    taught = learned(platform, summary.artifact_id)
    assert said(asked) == said(taught) == (0, 1, {2})
    assert summary.pairs_waiting == 0
    assert compare_artifacts(platform, TENANT, summary.base_id, summary.artifact_id) == asked


def test_an_entry_that_comes_later_does_not_change_what_a_document_says(
    platform: Platform, make_tenant, unusual: DraftFiles
) -> None:
    make_tenant()
    register(platform, unusual)
    summary = submit(platform, unusual.final(FIX))
    before = compare_artifacts(platform, TENANT, summary.base_id, summary.artifact_id)
    enter(platform, "plaso", "plazo")
    compare_waiting_finals(platform, TENANT)
    assert learned(platform, summary.artifact_id) == before
    assert compare_artifacts(platform, TENANT, summary.base_id, summary.artifact_id) == before
    assert summary.pairs_waiting == len(before.examples)


@pytest.mark.parametrize("damage", ["lost", "damaged"])
def test_a_result_that_is_lost_is_made_again_with_the_dictionary_of_then(
    platform: Platform, make_tenant, unusual: DraftFiles, damage: str
) -> None:
    make_tenant()
    register(platform, unusual)
    enter(platform, "plaso", "plazo")
    summary = submit(platform, unusual.final(FIX))
    with platform.database.session() as session:
        final = artifacts.get_artifact(session, TENANT, summary.artifact_id)
        dictionary.remove(session, TENANT, "plaso", "marta")
    key = paths.diff(TENANT, final.artifact_id, final.comparison)
    kept = platform.vault.read(TENANT, key)
    if damage == "lost":
        platform.objects.delete(key)
    else:
        platform.objects.put(key, platform.objects.get(key)[:-1], overwrite=True)
    compare_waiting_finals(platform, TENANT)
    assert platform.vault.read(TENANT, key) == kept
    assert said(learned(platform, summary.artifact_id)) == (0, 1, {2})


def test_the_graph_reads_the_answer_and_does_not_compare_again(platform: Platform, draft: DraftFiles) -> None:
    summary = submit(platform, draft.final(NAME_FIX, TEXT_FIX))

    def never(_job: object) -> comparisons.Compared:
        raise AssertionError("compared again")

    result = compare_waiting_finals(platform, TENANT, compare=never)
    assert result.compared == 1
    assert learned(platform, summary.artifact_id).examples


def test_a_draft_made_anew_after_the_final_is_not_what_is_learned_from(
    platform: Platform, draft: DraftFiles
) -> None:
    summary = submit(platform, draft.final(NAME_FIX))
    register(platform, make_draft("pleno-1", paragraphs=["Otro borrador de la misma sesión, muy distinto."]))
    compare_waiting_finals(platform, TENANT)
    assert learned(platform, summary.artifact_id).base_id == summary.base_id


def test_another_draft_that_is_named_has_a_result_of_its_own(platform: Platform, draft: DraftFiles) -> None:
    summary = submit(platform, draft.final(NAME_FIX))
    other = register(platform, make_draft("pleno-1", paragraphs=["Otro borrador de la misma sesión."]))
    delta = compare_artifacts(platform, TENANT, other.artifact_id, summary.artifact_id)
    assert delta.base_id == other.artifact_id
    own = compare_artifacts(platform, TENANT, summary.base_id, summary.artifact_id)
    assert own.base_id == summary.base_id
    assert compare_artifacts(platform, TENANT, other.artifact_id, summary.artifact_id) == delta


def test_a_final_from_before_results_were_kept_gets_one_from_whoever_asks_first(
    platform: Platform, draft: DraftFiles
) -> None:
    summary = submit(platform, draft.final(NAME_FIX, TEXT_FIX))
    with platform.database.session() as session:
        session.execute(
            sa.update(Artifact).values(
                base_id=None, dictionary_version=None, comparison=None, diff_sha256=None, manifest_sha256=None
            )
        )
    first = compare_artifacts(platform, TENANT, summary.base_id, summary.artifact_id)
    enter(platform, "Ana", "Anna")
    compare_waiting_finals(platform, TENANT)
    assert learned(platform, summary.artifact_id) == first


def test_the_digest_changes_with_each_thing_a_result_depends_on() -> None:
    base = comparisons.Inputs("g", "1" * 64, "2" * 64, "f", "3" * 64, 4, "5" * 64, 0.5, "e")
    changes: list[dict[str, Any]] = [
        {"generated_id": "h"},
        {"draft_sha256": "0" * 64},
        {"manifest_sha256": "0" * 64},
        {"final_id": "i"},
        {"final_sha256": "0" * 64},
        {"dictionary_version": 5},
        {"people_sha256": "0" * 64},
        {"confidence_minimum": 0.6},
        {"engine": engine.fingerprint()},
    ]
    assert len(changes) == len(fields(comparisons.Inputs))
    assert len({base.digest, *(replace(base, **change).digest for change in changes)}) == 10


def test_any_version_of_the_dictionary_can_be_read_and_no_other(platform: Platform, make_tenant) -> None:
    make_tenant()
    enter(platform, "Ortgea", "Ortega")
    enter(platform, "Ortgea", "Hortega")
    enter(platform, "Prado", "Pardo")
    with platform.database.session() as session:
        dictionary.remove(session, TENANT, "Prado", "marta")
        versions = [dictionary.replacements_at(session, TENANT, number) for number in range(5)]
        with pytest.raises(NotFound, match="no version 5"):
            dictionary.replacements_at(session, TENANT, 5)
    assert versions == [
        {},
        {"Ortgea": "Ortega"},
        {"Ortgea": "Hortega"},
        {"Ortgea": "Hortega", "Prado": "Pardo"},
        {"Ortgea": "Hortega"},
    ]


def test_comparing_here_and_its_file_say_the_same(platform: Platform, draft: DraftFiles) -> None:
    summary = submit(platform, draft.final(NAME_FIX))
    with platform.database.session() as session:
        final = artifacts.get_artifact(session, TENANT, summary.artifact_id)
    delta, kept = comparisons.of_final(platform, final, compare=compare_here)
    assert kept == comparisons.Kept(final.comparison, final.diff_sha256 or "")
    assert delta == compare_artifacts(platform, TENANT, summary.base_id, summary.artifact_id)


def test_what_a_diff_says_without_its_blocks_is_what_it_says_with_them() -> None:
    """The stage asks thousands of blocks for their number alone, which the counts give."""
    for kind in ("all_split", "all_merged", "row_of_cells"):
        delta = engine.compare(*ATTACKS[kind][0](60), generated_id="g", final_id="f")
        data = diff_file.encode(delta)
        assert diff_file.decode(data) == delta
        assert diff_file.decode_head(data) == delta.model_copy(update={"blocks": ()})
        assert sum(delta.metrics.counts.values()) == len(delta.blocks)
    with pytest.raises(BadInput, match=r"^not a diff file: "):
        diff_file.decode_head(b"PAR1")
