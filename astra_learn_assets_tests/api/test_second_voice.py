"""One account cannot rename a municipality's people; two clerks who say the same are believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from astra_learn_assets.contracts import DictionaryEntry
from astra_learn_assets.hotpath import intake
from astra_learn_assets.hotpath.second_voice import ENTRY, RECENT, ROSTER, Divided, Voice, divide
from astra_learn_assets.hotpath.summary import LiveEntity, SubmitSummary
from astra_learn_assets.platform import Platform
from astra_learn_assets.spanish.fold import entry_key
from astra_learn_assets.store import dictionary
from astra_learn_assets_tests.api.files import NAME_FIX, make_draft
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
    given = {"roster": COUNCIL, "voices": (), "author": "mallory", "now": NOW, **more}
    return divide(changes, entries={entry_key(one.wrong): one for one in entries}, **given)  # type: ignore[arg-type]


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
