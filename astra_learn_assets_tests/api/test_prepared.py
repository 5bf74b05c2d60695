"""A draft is read once; what is kept of it says the same as the DOCX and is nobody else's."""

from __future__ import annotations

import pytest

from astra_learn_assets.comparator import engine
from astra_learn_assets.hotpath import prepared
from astra_learn_assets.hotpath.comparison_process import Comparison, compare_here
from astra_learn_assets.hotpath.intake import register_draft, submit_final
from astra_learn_assets.platform import Platform
from astra_learn_assets.store.tables import Artifact
from astra_learn_assets_tests.api.files import NAME_FIX, TEXT_FIX, DraftFiles, make_draft
from astra_learn_assets_tests.conftest import MakeTenant


def register(platform: Platform, files: DraftFiles, tenant: str = "villaverde") -> Artifact:
    return register_draft(
        platform, tenant_id=tenant, session_id="pleno-1", version=1, docx=files.docx, manifest=files.manifest
    )


def kept(platform: Platform, artifact: Artifact) -> str:
    return prepared.key(artifact.tenant_id, artifact.uri, artifact.sha256, artifact.manifest_sha256 or "")


def fetch(platform: Platform, artifact: Artifact) -> bytes | prepared.RawDraft:
    return prepared.fetch(platform, artifact, artifact.manifest_sha256 or "")


def test_the_comparison_says_the_same_of_a_prepared_draft_and_of_its_docx(
    platform: Platform, draft: DraftFiles
) -> None:
    artifact = register(platform, draft)
    answers = []
    for form in (fetch(platform, artifact), prepared.RawDraft(draft.docx, draft.manifest)):
        final = draft.final(NAME_FIX, TEXT_FIX)
        answers.append(compare_here(Comparison(form, final, "g", "f", None, 0.5)))
    assert isinstance(fetch(platform, artifact), bytes)
    assert answers[0] == answers[1]
    assert answers[0].delta.entity_changes
    assert answers[0].delta.examples


def test_what_is_kept_of_a_draft_is_sealed(platform: Platform, draft: DraftFiles) -> None:
    stored = platform.objects.get(kept(platform, register(platform, draft)))
    assert stored.startswith(b"ASTRA")
    assert b"Hortegga" not in stored
    assert b"presupuesto" not in stored


@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_a_copy_that_is_gone_or_damaged_is_made_up_for_by_the_docx(
    platform: Platform, draft: DraftFiles, damage: str
) -> None:
    key = kept(platform, register(platform, draft))
    if damage == "missing":
        platform.objects.delete(key)
    else:
        platform.objects.put(key, platform.objects.get(key)[:-1], overwrite=True)
    summary = submit_final(
        platform,
        tenant_id="villaverde",
        session_id="pleno-1",
        version=1,
        data=draft.final(NAME_FIX),
        uploaded_by="marta",
    )
    assert [entity.right for entity in summary.entities_live] == ["Ortega"]


def test_a_copy_moved_to_another_municipality_does_not_open_there(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    files = make_draft()
    artifacts = []
    for tenant in ("villaverde", "rio-claro"):
        make_tenant(tenant)
        artifacts.append(register(platform, files, tenant))
    foreign = platform.objects.get(kept(platform, artifacts[0]))
    platform.objects.put(kept(platform, artifacts[1]), foreign, overwrite=True)
    assert isinstance(fetch(platform, artifacts[1]), prepared.RawDraft)


def test_other_code_does_not_find_what_this_code_kept(
    platform: Platform, draft: DraftFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact = register(platform, draft)
    assert isinstance(fetch(platform, artifact), bytes)
    monkeypatch.setattr(engine, "fingerprint", lambda: "another release")
    assert isinstance(fetch(platform, artifact), prepared.RawDraft)


def test_the_copies_go_when_the_municipality_is_erased(platform: Platform, draft: DraftFiles) -> None:
    key = kept(platform, register(platform, draft))
    assert platform.objects.exists(key)
    platform.vault.erase_tenant("villaverde")
    assert not platform.objects.exists(key)


def test_something_else_in_its_place_is_refused_without_a_word_of_it() -> None:
    with pytest.raises(ValueError, match="no prepared draft") as refused:
        prepared.load(b'{"document": {"document_id": "Lucia Ortega"}}')
    assert "Ortega" not in str(refused.value)
