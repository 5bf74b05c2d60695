"""One account cannot rename a municipality's people; two clerks who say the same are believed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from astra_learn_assets.contracts import DictionaryEntry
from astra_learn_assets.hotpath import intake, no_mishearing
from astra_learn_assets.hotpath.second_voice import (
    ENTRY,
    NEAR,
    NEW,
    OFTEN,
    RECENT,
    ROSTER,
    SPELLING,
    SWAPPED,
    WRITTEN,
    Divided,
    Voice,
    divide,
    doubts,
)
from astra_learn_assets.hotpath.summary import LiveEntity, SubmitSummary
from astra_learn_assets.platform import Platform
from astra_learn_assets.spanish.fold import entry_key
from astra_learn_assets.store import artifacts, dictionary
from astra_learn_assets.store.erasure import erase_document_rows
from astra_learn_assets.store.tables import Artifact
from astra_learn_assets_tests.api.files import NAME_FIX, PARAGRAPHS, make_draft
from astra_learn_assets_tests.conftest import MakeTenant

NOW = datetime(2026, 5, 1, tzinfo=UTC)
COUNCIL = ("Marta Ortega Ruiz", "García Vidal, Luis", "Ana de la Fuente")


def _change(wrong: str, right: str) -> LiveEntity:
    return LiveEntity(wrong=wrong, right=right, kind="person")


def _entry(wrong: str, right: str, author: str = "ana", days: float = 1) -> DictionaryEntry:
    return DictionaryEntry(
        wrong=wrong,
        right=right,
        kind="person",
        source_document="d",
        author=author,
        created_at=NOW - timedelta(days=days),
    )


def _divide(*changes: LiveEntity, entries: tuple[DictionaryEntry, ...] = (), **more: object) -> Divided:
    given = {"roster": COUNCIL, "voices": (), "author": "mallory", "brought": 0, "now": NOW, **more}
    found = doubts(changes, roster=given["roster"], written=given.pop("written", ()))  # type: ignore[arg-type]
    known = {entry_key(one.wrong): one for one in entries}
    return divide(changes, entries=known, doubts=found, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("Hortegga", "Ortega"),  # what was misheard becomes a name of the roster
        ("Hortegga", "Zubeldía"),  # nobody has told of either
        ("Garcia", "García"),  # an accent
        ("Luis García", "Luis García Vidal"),  # more of the name
        ("Ana la Fuente", "Ana de la Fuente"),  # particles are no names
    ],
)
def test_what_contradicts_nothing_is_live_at_once(wrong: str, right: str) -> None:
    change = _change(wrong, right)
    assert _divide(change) == Divided((change,), ())


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("Ortega", "Ortiga"),
        ("Marta Ortega", "Marta Hortera"),
        ("GARCÍA", "Gracia"),
        ("Ortega Ruiz", "García Vidal"),  # one of the roster for another one of it
    ],
)
def test_a_name_of_the_roster_is_not_taken_away_by_one_voice(wrong: str, right: str) -> None:
    change = _change(wrong, right)
    assert _divide(change) == Divided((), ((change, ROSTER),))
    assert _divide(change, roster=()).live == (change,)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("Hortegga", "Ortiga"),  # another right form for the same
        ("Ortega", "Hortegga"),  # the opposite
        ("Ortega", "Ortiz"),  # what was right is wrong now
    ],
)
def test_what_another_clerk_wrote_lately_is_not_changed_by_one_voice(wrong: str, right: str) -> None:
    change, known = _change(wrong, right), _entry("Hortegga", "Ortega")
    assert _divide(change, entries=(known,), roster=()) == Divided((), ((change, ENTRY),))
    own = _entry("Hortegga", "Ortega", author="mallory")
    assert _divide(change, entries=(own,), roster=()).live == (change,)
    old = _entry("Hortegga", "Ortega", days=RECENT.days + 1)
    assert _divide(change, entries=(old,), roster=()).live == (change,)


def test_saying_again_what_is_known_contradicts_nothing() -> None:
    change = _change("hortegga", "Ortega")
    assert _divide(change, entries=(_entry("Hortegga", "Ortega"),)).live == (change,)


def test_only_another_author_is_a_second_voice() -> None:
    change = _change("Ortega", "Ortiga")
    for voice, live in (
        (Voice("ortega", "ORTIGA", "ana"), True),
        (Voice("Ortega", "Ortiga", "mallory"), False),
        (Voice("Ortega", "Ortigo", "ana"), False),
    ):
        assert bool(_divide(change, voices=[voice]).live) is live, voice


HERE = ("Camino", "Cañada", "Peñuelas", "Real", "Valdehierro", "Vecinal")


@pytest.mark.parametrize(
    ("wrong", "right", "reason"),
    [
        ("Cañada Real", "Kañada Real", WRITTEN),
        ("Cañada Real", "Cañada", WRITTEN),
        ("Peñuelas", "Penuelas", WRITTEN),
        ("Camino de Valdehierro", "Camino de la Esperanza", WRITTEN),
        ("Valdehierro", "Peñuelas", SWAPPED),
        ("Valdehierro", "Ortega", SWAPPED),  # of the roster
        ("Caniada Real", "Coñada Real", NEAR),
        ("Hortegga", "Ortesa", NEAR),
        ("Val de Yerro", "Valdehiero", NEAR),
        ("calle CAÑADA", "calle CAÑOTA", WRITTEN),  # a heading; the dictionary knows no capitals either
        ("Mejía", "Meejía", SPELLING),
        ("Mejía", "Mejia", SPELLING),
        ("Túpac Amaru", "Tupac Amaru", no_mishearing.MARKS),
        ("Partido Regional", "Partido Racional", no_mishearing.WORDS),
        ("Urkizo", "Utquizo", no_mishearing.LETTERS),
    ],
)
def test_what_other_clerks_write_is_not_changed_by_one_voice(wrong: str, right: str, reason: str) -> None:
    change = _change(wrong, right)
    assert _divide(change, written=HERE) == Divided((), ((change, reason),))
    seconded = _divide(change, written=HERE, voices=[Voice(wrong, right, "ana")])
    assert seconded.live == (change,)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("Caniada Real", "Cañada Real"),  # what was misheard becomes what is written here
        ("Cañada", "Cañadas"),  # both are written here, and sound alike: one clerk left the other uncorrected
        ("Kispe", "Quispe"),  # a name that nobody has written yet, and none like it
        ("Luis Kispe", "Luis Quispe"),
        ("Real", "Cañada Real"),  # nothing is lost
        ("Mejia", "Mejía"),
        ("Benítez", "Mejía"),  # one of two names that are spelled so, and nobody here has written either
    ],
)
def test_what_is_new_here_or_leads_to_what_is_written_is_live_at_once(wrong: str, right: str) -> None:
    change = _change(wrong, right)
    assert _divide(change, written=(*HERE, "Cañadas")).live == (change,)


def test_in_a_town_of_one_clerk_nothing_waits_for_what_others_write() -> None:
    for wrong, right in (("Cañada Real", "Kañada Real"), ("Mejía", "Mexía"), ("Urkizo", "Utquizo")):
        change = _change(wrong, right)
        assert _divide(change, written=(), voices=ALONE).live == (change,)


def test_an_acronym_that_was_heard_letter_by_letter_is_live_at_once() -> None:
    spelled = LiveEntity(wrong="ce de ese", right="CDS", kind="acronym")
    assert _divide(spelled, written=HERE).live == (spelled,)


ALONE = [Voice(f"Ortega{letter}", "Ortiga", "mallory") for letter in "abc"]
NEW_HERE = _change("Kispe", "Quispe")


def test_who_is_often_alone_is_not_believed_about_a_name_that_is_new_here() -> None:
    assert len(ALONE) == OFTEN
    assert _divide(NEW_HERE, written=HERE, voices=ALONE) == Divided((), ((NEW_HERE, NEW),))
    known_here = _change("Caniada", "Cañada")
    assert _divide(known_here, written=HERE, voices=ALONE).live == (known_here,)
    seconded = [*ALONE, Voice("Kispe", "Quispe", "ana")]
    assert _divide(NEW_HERE, written=HERE, voices=seconded).live == (NEW_HERE,)


@pytest.mark.parametrize(
    "less",
    [
        {"voices": ALONE[1:]},
        {"voices": [*ALONE[1:], ALONE[1]]},  # once more in another session
        {"voices": [*ALONE[1:], Voice("ORTEGAB", "Ortiga", "mallory")]},
        {"voices": [*ALONE, Voice("Ortegaa", "Ortiga", "ana")]},  # another author says one of them too
        {"voices": [Voice(one.wrong, one.right, "ana") for one in ALONE]},  # another's
        {"voices": ALONE, "entries": (_entry("Ortegaa", "Ortiga"),)},  # a person has put one of them in
        {"voices": ALONE, "brought": 5},  # three of eight: one who writes a lot
    ],
)
def test_who_is_alone_with_less_than_that_is_believed_about_a_new_name(less: dict[str, object]) -> None:
    assert _divide(NEW_HERE, written=HERE, **less).live == (NEW_HERE,)  # type: ignore[arg-type]


def test_three_of_seven_are_too_many_and_three_of_eight_are_not() -> None:
    assert _divide(NEW_HERE, written=HERE, voices=ALONE, brought=4).live == ()
    assert _divide(NEW_HERE, written=HERE, voices=ALONE, brought=5).live == (NEW_HERE,)


def _submit(platform: Platform, session_id: str, author: str) -> SubmitSummary:
    """The clerk makes Ortega of Hortegga."""
    files = make_draft(session_id)
    place = {"tenant_id": "villaverde", "session_id": session_id, "version": 1}
    intake.register_draft(
        platform, **place, docx=files.docx, manifest=files.manifest, roster=["Ramiro Hortegga"]
    )
    return intake.submit_final(platform, **place, data=files.final(NAME_FIX), uploaded_by=author)


def _live(platform: Platform) -> dict[str, str]:
    with platform.database.session() as session:
        return dictionary.replacements(session, "villaverde")[1]


def test_through_the_upload_a_second_clerk_makes_it_live_and_the_same_one_never_does(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant()
    for number in (1, 2):
        summary = _submit(platform, f"pleno-{number}", "mallory")
        assert summary.entities_live == ()
        assert [(one.wrong, one.right) for one in summary.entities_waiting] == [("Hortegga", "Ortega")]
        assert _live(platform) == {}
    summary = _submit(platform, "pleno-3", "ana")
    assert [(one.wrong, one.right) for one in summary.entities_live] == [("Hortegga", "Ortega")]
    assert _live(platform) == {"Hortegga": "Ortega"}


def _final(
    platform: Platform, session_id: str, author: str, said: str, fix: Mapping[str, str]
) -> SubmitSummary:
    """``said`` as transcribed, with what its clerk made of it."""
    files = make_draft(session_id, paragraphs=(said, *PARAGRAPHS[:4]))
    place = {"tenant_id": "villaverde", "session_id": session_id, "version": 1}
    intake.register_draft(platform, **place, docx=files.docx, manifest=files.manifest)
    return intake.submit_final(platform, **place, data=files.final(fix), uploaded_by=author)


def test_through_the_upload_a_street_that_other_clerks_write_is_not_renamed_by_one(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant()
    said = "Los vecinos de la calle Valdehierro piden más alumbrado y un paso de peatones."
    renamed = {"Valdehierro": "Valdeyerro"}
    first = _final(platform, "pleno-1", "mallory", said, renamed)
    assert [one.wrong for one in first.entities_live] == ["Valdehierro"], "nobody has written it here yet"
    with platform.database.session() as session:
        dictionary.remove(session, "villaverde", "Valdehierro", "ana")
    _final(platform, "pleno-2", "ana", said, {})
    again = _final(platform, "pleno-3", "mallory", said, renamed)
    assert again.entities_live == ()
    assert [one.wrong for one in again.entities_waiting] == ["Valdehierro"]
    own = _final(platform, "pleno-4", "ana", said, renamed)
    assert [one.wrong for one in own.entities_live] == ["Valdehierro"], "hers is the second voice"


HEARD = "Los vecinos de la calle {} piden más alumbrado y un paso de peatones."
STREETS = {"Valdehierro": "Valdeyerro", "Peñuelas": "Peniuelas", "Zarzalejo": "Sarsalejo"}


def _says_street(platform: Platform, session_id: str, author: str, heard: str, right: str) -> SubmitSummary:
    return _final(platform, session_id, author, HEARD.format(heard), {heard: right})


def _contradict_three_times(platform: Platform) -> None:
    for number, (street, renamed) in enumerate(STREETS.items()):
        _final(platform, f"pleno-{number}", "ana", HEARD.format(street), {})
        summary = _says_street(platform, f"junta-{number}", "mallory", street, renamed)
        assert [one.wrong for one in summary.entities_waiting] == [street]


def test_through_the_upload_who_contradicted_the_town_three_times_waits_with_a_new_name(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant()
    _contradict_three_times(platform)
    held = _says_street(platform, "junta-3", "mallory", "Urkizo", "Urquizo")
    assert (held.entities_live, [one.right for one in held.entities_waiting]) == ((), ["Urquizo"])
    second = _says_street(platform, "junta-4", "bruno", "Urkizo", "Urquizo")
    assert [one.right for one in second.entities_live] == ["Urquizo"]


def test_through_the_upload_what_a_person_put_in_is_no_longer_said_alone(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant()
    _contradict_three_times(platform)
    with platform.database.session() as session:
        dictionary.apply(session, "villaverde", [_entry("Valdehierro", "Valdeyerro", author="carmen")])
    new = _says_street(platform, "junta-3", "mallory", "Urkizo", "Urquizo")
    assert [one.right for one in new.entities_live] == ["Urquizo"]


def test_through_the_upload_who_has_brought_more_than_was_held_is_believed(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant()
    brought = {
        "Akosta": "Acosta", "Gimenes": "Jiménez", "Bolibar": "Bolívar", "Kintana": "Quintana",
        "Castiyo": "Castillo",
    }  # fmt: skip
    for number, (heard, right) in enumerate(brought.items()):
        summary = _says_street(platform, f"comision-{number}", "mallory", heard, right)
        assert [one.right for one in summary.entities_live] == [right]
    _contradict_three_times(platform)
    new = _says_street(platform, "junta-3", "mallory", "Urkizo", "Urquizo")
    assert [one.right for one in new.entities_live] == ["Urquizo"]


def test_the_names_of_a_final_are_kept_with_it_and_go_with_it(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant()
    said = "Interviene Eulogia Peñuelas, vecina de Cañada Real. Se abre el turno de RUEGOS."
    _final(platform, "pleno-1", "ana", said, {})
    ask = {"but_of": "pleno-2", "but_by": "bruno"}
    with platform.database.session() as session:
        written = artifacts.names_written(session, "villaverde", **ask)
        assert {"Eulogia", "Peñuelas", "Cañada", "Real"} <= written
        assert not written & {"Interviene", "Se", "RUEGOS"}
        assert artifacts.names_written(session, "villaverde", but_of="pleno-2", but_by="ana") == set()
        assert artifacts.names_written(session, "villaverde", but_of="pleno-1", but_by="bruno") == set()
        final = session.scalars(sa.select(Artifact).where(Artifact.kind == "final")).one()
        own = {"document_id": final.artifact_id, "artifact_ids": [final.artifact_id]}
        erase_document_rows(session, "villaverde", **own, actor="test")
        assert artifacts.names_written(session, "villaverde", **ask) == set()
