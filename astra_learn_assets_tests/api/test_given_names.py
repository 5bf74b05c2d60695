"""One given name for another: not for the dictionary before roster or another session say so too."""

from __future__ import annotations

from astra_learn_assets.hotpath import comparisons
from astra_learn_assets.hotpath.intake import register_draft, register_session, submit_final
from astra_learn_assets.hotpath.summary import SubmitSummary
from astra_learn_assets.learning.compare import compare_waiting_finals
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import artifacts, dictionary, paths
from astra_learn_assets_tests.api.files import make_draft

TENANT = "villaverde"
PARAGRAPHS = [
    "Se abre la sesión a las diez horas con la asistencia de todos los miembros.",
    "La concejala Amalia Ruiz pregunta por las obras de la piscina municipal.",
    "No habiendo más asuntos se levanta la sesión a las doce horas.",
]
FIX = {"Amalia": "Amelia"}
BACK = {"Amelia": "Amalia"}


def submit(
    platform: Platform, session_id: str, fix: dict[str, str], *, version: int = 1, author: str = "marta"
) -> SubmitSummary:
    """Draft and final of one session; the draft says what ``fix`` puts right."""
    wrong = next(iter(fix))
    files = make_draft(
        session_id, version=version, paragraphs=[text.replace("Amalia", wrong) for text in PARAGRAPHS]
    )
    place = {"tenant_id": TENANT, "session_id": session_id, "version": version}
    register_draft(platform, docx=files.docx, manifest=files.manifest, **place)
    return submit_final(platform, data=files.final(fix), uploaded_by=author, **place)


def live(platform: Platform) -> dict[str, str]:
    with platform.database.session() as session:
        return dictionary.replacements(session, TENANT)[1]


def test_a_given_name_put_for_another_waits_and_is_a_correction_of_its_sentence(
    platform: Platform, make_tenant
) -> None:
    make_tenant()
    summary = submit(platform, "pleno-1", FIX)
    assert live(platform) == {}
    assert summary.entities_live == ()
    assert [(item.wrong, item.right) for item in summary.entities_waiting] == [("Amalia", "Amelia")]
    assert summary.pairs_waiting == 1
    assert "1 cambio de un nombre de pila por otro espera" in summary.message


def test_another_sessions_final_that_says_the_same_brings_it_into_the_dictionary(
    platform: Platform, make_tenant
) -> None:
    make_tenant()
    submit(platform, "pleno-1", FIX)
    summary = submit(platform, "pleno-2", FIX)
    assert live(platform) == FIX
    assert (len(summary.entities_live), summary.entities_waiting, summary.pairs_waiting) == (1, (), 0)


def test_the_next_version_of_the_same_session_says_nothing_new(platform: Platform, make_tenant) -> None:
    make_tenant()
    submit(platform, "pleno-1", FIX)
    submit(platform, "pleno-1", FIX, version=2, author="luis")
    assert live(platform) == {}


def test_two_sessions_that_say_the_opposite_know_two_people(platform: Platform, make_tenant) -> None:
    make_tenant()
    submit(platform, "pleno-1", FIX)
    submit(platform, "pleno-2", BACK)
    submit(platform, "pleno-3", FIX)
    assert live(platform) == {}


def test_another_municipalitys_correction_says_nothing(platform: Platform, make_tenant) -> None:
    make_tenant()
    make_tenant("otra-villa")
    submit(platform, "pleno-1", FIX)
    with platform.database.session() as session:
        assert artifacts.told_of_names(session, TENANT, but_of="pleno-2")[1] == [("Amalia", "Amelia")]
        assert artifacts.told_of_names(session, TENANT, but_of="pleno-1")[1] == []
        assert artifacts.told_of_names(session, "otra-villa", but_of="pleno-2") == ([], [])


def test_the_roster_of_any_session_tells_who_was_meant(platform: Platform, make_tenant) -> None:
    make_tenant()
    register_session(
        platform, tenant_id=TENANT, session_id="pleno-0", version=1, roster=["Amelia Ruiz Soto", "Ana Gil"]
    )
    summary = submit(platform, "pleno-1", FIX)
    assert live(platform) == FIX
    assert summary.pairs_waiting == 0


def test_a_roster_with_both_names_knows_two_people(platform: Platform, make_tenant) -> None:
    make_tenant()
    roster = ["Amelia Ruiz Soto", "Amalia Gil"]
    register_session(platform, tenant_id=TENANT, session_id="pleno-0", version=1, roster=roster)
    submit(platform, "pleno-1", FIX)
    assert live(platform) == {}


def test_a_lost_result_is_made_again_from_the_people_known_then(platform: Platform, make_tenant) -> None:
    """What was learned from a document does not change because a roster came later."""
    make_tenant()
    summary = submit(platform, "pleno-1", FIX)
    with platform.database.session() as session:
        final = artifacts.get_artifact(session, TENANT, summary.artifact_id)
    key = paths.diff(TENANT, final.artifact_id, final.comparison)
    kept = platform.vault.read(TENANT, key)
    register_session(platform, tenant_id=TENANT, session_id="pleno-0", version=1, roster=["Amelia Ruiz"])
    platform.objects.delete(key)
    compare_waiting_finals(platform, TENANT)
    assert platform.vault.read(TENANT, key) == kept
    delta, _ = comparisons.of_final(platform, final)
    assert (len(delta.examples), delta.entity_changes) == (1, ())
