"""What one voice put in while nobody else had spoken is asked for again; what others say as well stays."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice, product
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from astra_learn_assets.contracts import DictionaryEntry
from astra_learn_assets.errors import TenantErased
from astra_learn_assets.hotpath import intake, no_mishearing, second_look, second_voice
from astra_learn_assets.hotpath.comparison_process import Compared, Comparison, compare_here
from astra_learn_assets.hotpath.second_look import MOST, Final, authors_asked, doubted
from astra_learn_assets.hotpath.summary import LiveEntity, SubmitSummary
from astra_learn_assets.learning import compare, plain_words, taking_back, uploads_shown
from astra_learn_assets.learning.plain_words import read
from astra_learn_assets.platform import Platform
from astra_learn_assets.spanish.fold import entry_key
from astra_learn_assets.store import artifacts, dictionary, pages, voices
from astra_learn_assets.store.erasure import erase_document_rows
from astra_learn_assets.store.tables import Artifact, AuditEntry, DictionaryChange
from astra_learn_assets_tests.api.conftest import Issue
from astra_learn_assets_tests.api.files import PARAGRAPHS, DraftFiles, make_draft
from astra_learn_assets_tests.conftest import MakeTenant
from benchmarks import poisoning, poisoning_names

TENANT = "villaverde"
NOW = datetime(2026, 5, 1, tzinfo=UTC)
RENAMED = ("Valdehierro", "Valdeyerro")


# -- the rule -----------------------------------------------------------------------------------------------


def _entry(wrong: str, right: str, source: str = "d0", author: str = "mallory") -> DictionaryEntry:
    return DictionaryEntry(
        wrong=wrong, right=right, kind="place", source_document=source, author=author,
        created_at=NOW - timedelta(days=1),
    )  # fmt: skip


def _final(number: int, author: str, names: str = "", session: str | None = None, **fixes: object) -> Final:
    said = {"live": (), "waiting": (), **fixes}
    return Final(f"d{number}", session or f"s{number}", author, names.split(), **said)  # type: ignore[arg-type]


def _doubted(*finals: Final, entries: tuple[DictionaryEntry, ...] = (_entry(*RENAMED),)) -> dict[str, str]:
    """``mallory``'s entries, which ``d0`` brought, with these finals beside it."""
    known = {entry_key(one.wrong): one for one in entries}
    authors = {entry.author for entry in entries}
    return doubted(known, authors, [_final(0, "mallory", live=[RENAMED]), *finals], roster=(), now=NOW)


ANA, BRUNO = _final(1, "ana", "Valdehierro"), _final(2, "bruno", "Valdehierro Peñuelas")


def test_what_two_others_write_otherwise_waits() -> None:
    assert _doubted(ANA, BRUNO) == {"valdehierro": second_voice.WRITTEN}


@pytest.mark.parametrize(
    "others",
    [
        (),
        (ANA,),
        (ANA, _final(2, "ana", "Valdehierro")),  # one account, however many finals
        (ANA, _final(2, "mallory", "Valdehierro")),  # its own
        (ANA, _final(2, "bruno", "Peñuelas")),  # one other alone writes that word
        (ANA, _final(2, "bruno", "Valdehierro", session="s0")),  # the entry's session: its own text once more
        (ANA, BRUNO, _final(3, "ana", "Valdeyerro")),  # somebody else writes it so
        (ANA, BRUNO, _final(3, "ana", live=[RENAMED])),  # a second voice
        (ANA, BRUNO, _final(3, "ana", waiting=[("VALDEHIERRO", "valdeyerro")])),
    ],
)
def test_what_fewer_say_or_a_second_voice_says_as_well_stays(others: tuple[Final, ...]) -> None:
    assert _doubted(*others) == {}


@pytest.mark.parametrize("how", ["live", "waiting"])
def test_who_says_the_same_in_the_same_session_is_no_second_voice(how: str) -> None:
    repeated = _final(3, "carmen", session="s0", **{how: [RENAMED]})
    assert _doubted(ANA, BRUNO, repeated) == {"valdehierro": second_voice.WRITTEN}


def test_what_the_roster_has_named_since_goes_back_at_the_first_final_of_somebody_else() -> None:
    finals = [_final(0, "mallory", live=[RENAMED]), _final(1, "ana")]
    known = {"valdehierro": _entry(*RENAMED)}
    found = doubted(known, {"mallory"}, finals, roster=["Eulogia Valdehierro Gil"], now=NOW)
    assert found == {"valdehierro": second_voice.ROSTER}


def test_one_account_cannot_have_the_name_of_another_taken_back() -> None:
    honest = _entry("Caniada", "Cañada", source="d1", author="ana")
    brought = _final(1, "ana", "Cañada", live=[("Caniada", "Cañada")])
    hostile = [_final(n, "mallory", "Caniada") for n in range(2, 9)]
    assert _doubted(brought, *hostile, _final(9, "bruno", "Peñuelas"), entries=(honest,)) == {}


def test_an_entry_of_one_voice_contradicts_nothing() -> None:
    honest = _entry("Caniada", "Cañada", source="d1", author="ana")
    against = _entry("Kaniada", "Caniada", source="d2")
    finals = [_final(1, "ana", live=[("Caniada", "Cañada")]), _final(2, "mallory"), _final(3, "bruno")]
    assert _doubted(*finals, entries=(honest, against)) == {}
    for how in ("live", "waiting"):
        confirmed = _final(4, "bruno", **{how: [("Kaniada", "Caniada")]})
        assert _doubted(*finals, confirmed, entries=(honest, against)) == {"caniada": second_voice.ENTRY}


@pytest.mark.parametrize("source", ["d7", "a mano", "d1"])
def test_what_no_final_of_its_author_brought_stays(source: str) -> None:
    carmen = _final(3, "carmen", "Valdehierro")
    assert _doubted(ANA, BRUNO, carmen, entries=(_entry(*RENAMED, source=source),)) == {}


def test_a_rare_name_that_nobody_else_writes_stays() -> None:
    rare = _entry("Urkizo", "Urquizo")
    finals = (ANA, BRUNO)
    known = {entry_key(rare.wrong): rare}
    brought = _final(0, "mallory", live=[("Urkizo", "Urquizo")])
    assert doubted(known, {"mallory"}, [brought, *finals], roster=(), now=NOW) == {}


def test_who_had_three_names_taken_back_is_not_believed_about_a_new_one() -> None:
    rare = _entry("Urkizo", "Urquizo")
    held = _final(3, "mallory", waiting=[(f"Valde{letter}", "Valdoso") for letter in "xyz"])
    brought = _final(0, "mallory", live=[("Urkizo", "Urquizo")])
    found = doubted({"urkizo": rare}, {"mallory"}, [brought, held, ANA, BRUNO], roster=(), now=NOW)
    assert found == {"urkizo": second_voice.NEW}


def test_only_the_first_finals_of_others_ask_and_never_ones_own() -> None:
    others = {"ana": MOST + 1, "bruno": MOST, "mallory": 1}
    assert authors_asked(others, "carmen") == {"bruno", "mallory"}
    assert authors_asked(others, "mallory") == {"bruno"}


def test_only_what_is_asked_for_is_answered() -> None:
    found = [_final(0, "mallory", live=[RENAMED]), ANA, BRUNO]
    known = {"valdehierro": _entry(*RENAMED)}
    assert doubted(known, {"mallory"}, found, roster=(), now=NOW, only={"otro"}) == {}
    assert doubted(known, {"ana"}, found, roster=(), now=NOW) == {}


def _secretary(number: int) -> tuple[list[DictionaryEntry], list[Final]]:
    """So many finals of one account, each with a street of its own put right, and two of others."""
    fixes = [
        (f"Kalle{end}", f"Calle{end}") for end in islice(map("".join, product("aeiou", "lmnrstvz")), number)
    ]
    entries = [_entry(*fix, source=f"d{n}") for n, fix in enumerate(fixes)]
    finals = [_final(n, "mallory", live=[fix]) for n, fix in enumerate(fixes)]
    return entries, [*finals, _final(number, "ana", "Peñuelas"), _final(number + 1, "bruno", "Peñuelas")]


@pytest.mark.parametrize("number", [10, 40])
def test_of_a_long_history_each_question_sees_what_concerns_it_and_is_asked_once(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    divide, doubt = second_voice.divide, second_voice.doubt
    about: list[LiveEntity] = []

    def divided(changes: list[LiveEntity], **given: Any) -> second_voice.Divided:
        seen.append(len(given["entries"]) + len(given["voices"]))
        return divide(changes, **given)

    def doubting(change: LiveEntity, *given: Any, **more: Any) -> str | None:
        about.append(change)
        return doubt(change, *given, **more)

    monkeypatch.setattr(second_voice, "divide", divided)
    monkeypatch.setattr(second_voice, "doubt", doubting)
    entries, finals = _secretary(number)
    other = [_entry(f"Otro{n}", f"Otra{n}", source="a mano") for n in range(number)]
    known = {entry_key(one.wrong): one for one in (*entries, *other)}
    doubted(known, {"mallory"}, finals, roster=(), now=NOW)
    assert (seen, len(about)) == ([number], number)


def test_of_one_author_a_look_asks_for_the_newest_entries_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_look, "AT_ONCE", 1)
    older = _entry("Peñuelas", "Peniuelas").model_copy(update={"created_at": NOW - timedelta(days=2)})
    both, finals = (_entry(*RENAMED), older), (_final(1, "ana", "Valdehierro Peñuelas"), BRUNO)
    assert _doubted(*finals, entries=both) == {"valdehierro": second_voice.WRITTEN}
    assert _doubted(*finals, entries=(older,)) == {"peñuelas": second_voice.WRITTEN}


def test_what_others_write_in_the_session_of_one_entry_counts_for_another() -> None:
    entries = (_entry(*RENAMED), _entry("Peñuelas", "Peniuelas", source="d5"))
    finals = (
        _final(5, "mallory"),
        _final(1, "ana", "Valdehierro Peñuelas", session="s0"),
        _final(2, "bruno", "Valdehierro Peñuelas"),
    )
    assert _doubted(*finals, entries=entries) == {"peñuelas": second_voice.WRITTEN}


def test_what_goes_back_is_said_to_wait_and_once() -> None:
    final = _final(0, "mallory", live=[RENAMED, ("Urkizo", "Urquizo")])
    back = second_look.sent_back(final, _entry(*RENAMED))
    assert (back.live, back.waiting) == ([("Urkizo", "Urquizo")], [RENAMED])
    assert second_look.sent_back(back, _entry(*RENAMED)) == back
    capitals = second_look.sent_back(final, _entry("VALDEHIERRO", "VALDEYERRO"))
    assert capitals == back, "the dictionary takes them for the same"


def test_a_summary_counts_in_its_message_what_went_back() -> None:
    fixes = tuple(LiveEntity(wrong=f"Mal{n}", right=f"Bien{n}", kind="person") for n in range(3))
    summary = SubmitSummary(
        artifact_id="d", base_id="b", base_replaced=False, entities_live=fixes, dictionary_version=1,
        pairs_waiting=0, left_out=(), quarantined=None, message="Documento recibido.",
    )  # fmt: skip
    once = summary.without("Mal1", "Bien1")
    after = "Documento recibido. Después, {} a esperar a que otra persona diga lo mismo."
    assert once.message == after.format("1 de esos nombres ha vuelto")
    assert once.without("Mal1", "Bien1") == once
    assert summary.without("MAL1", "BIEN1") == once
    twice = once.without("Mal0", "Bien0")
    assert twice.message == after.format("2 de esos nombres han vuelto")
    assert ([one.wrong for one in twice.entities_live], twice.sent_back) == (["Mal2"], 2)


def test_every_reason_to_wait_has_its_sentence() -> None:
    reasons = {
        value
        for module in (second_voice, no_mishearing)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str)
    }
    known = read(Path(plain_words.__file__).parent / "plain_words_es.txt")
    assert {f"waits.{reason}" for reason in reasons} == {key for key in known if key.startswith("waits.")}


def test_an_account_that_writes_from_the_first_day_keeps_fewer_false_names_and_honest_ones_stay() -> None:
    without, again = poisoning.Names(), poisoning.Names()
    for kind in ("undone", "put_right_otherwise", "accent_lost"):
        for found, look in ((without, False), (again, True)):
            one = poisoning.judge_names(poisoning_names, kind, 3, known=False, again=look)
            for name, entries in vars(one).items():
                getattr(found, name).update((kind, *entry) for entry in entries)
    assert without.kept_out < again.kept_out
    assert again.kept_out >= poisoning.FALSE_ENTRIES
    assert again.lost <= poisoning.TRUE_LOST


# -- through uploads ----------------------------------------------------------------------------------------

HEARD = "Los vecinos de la calle {} piden más alumbrado y un paso de peatones."


def _files(session_id: str, street: str) -> DraftFiles:
    return make_draft(session_id, paragraphs=(HEARD.format(street), *PARAGRAPHS[:4]))


def _upload(platform: Platform, files: DraftFiles, author: str, fix: Mapping[str, str]) -> SubmitSummary:
    place = {"tenant_id": TENANT, "session_id": files.session_id, "version": 1}
    intake.register_draft(platform, **place, docx=files.docx, manifest=files.manifest)
    return intake.submit_final(platform, **place, data=files.final(fix), uploaded_by=author)


def _sent(
    platform: Platform, session_id: str, author: str, street: str, fix: Mapping[str, str] | None = None
) -> SubmitSummary:
    """A final of minutes that name ``street``, taken in and compared by the learning path."""
    summary = _upload(platform, _files(session_id, street), author, fix or {})
    compare.compare_waiting_finals(platform, TENANT)
    return summary


def _live(platform: Platform) -> dict[str, str]:
    with platform.database.session() as session:
        return dictionary.replacements(session, TENANT)[1]


def _row(platform: Platform, artifact_id: str) -> Artifact:
    with platform.database.session() as session:
        return artifacts.get_artifact(session, TENANT, artifact_id)


def _history(platform: Platform) -> list[DictionaryChange]:
    with platform.database.session() as session:
        return pages.dictionary_changes(session, TENANT, limit=100)


def _renamed_first(platform: Platform, make_tenant: MakeTenant) -> SubmitSummary:
    """The town's first final renames a street; then one other final names it as it is."""
    make_tenant()
    hostile = _sent(platform, "pleno-1", "mallory", RENAMED[0], dict([RENAMED]))
    assert [one.wrong for one in hostile.entities_live] == ["Valdehierro"], "nobody has written it here yet"
    _sent(platform, "pleno-2", "ana", RENAMED[0])
    assert _live(platform) == dict([RENAMED]), "one other is not enough"
    return hostile


def test_a_street_renamed_on_the_first_day_waits_once_two_others_have_written_it(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    hostile = _renamed_first(platform, make_tenant)
    heard = platform.redis.pubsub(ignore_subscribe_messages=True)
    heard.subscribe("DICTIONARY_UPDATED")
    heard.get_message(timeout=1)
    other = _sent(platform, "pleno-3", "bruno", RENAMED[0])
    assert _live(platform) == {}
    event = heard.get_message(timeout=5)
    assert event is not None
    assert json.loads(event["data"]) == {"tenant_id": TENANT, "version": 2, "changed": ["valdehierro"]}
    last = _history(platform)[0]
    assert (last.action, last.version) == ("removed", 2)
    assert last.entry == {"author": taking_back.AUTHOR, "reason": second_voice.WRITTEN}
    stored = SubmitSummary.model_validate(_row(platform, hostile.artifact_id).summary)
    assert (stored.entities_live, [one.wrong for one in stored.entities_waiting]) == ((), ["Valdehierro"])
    assert stored.message.startswith(hostile.message)
    shown = {one.document_id: one for one in uploads_shown.newest(platform, TENANT, limit=5)}
    assert (shown[hostile.artifact_id].live, shown[hostile.artifact_id].unconfirmed) == (0, 1)
    with platform.database.session() as session:
        noted = session.scalars(
            sa.select(AuditEntry).where(AuditEntry.action == "dictionary.take_back")
        ).one()
    assert (noted.target, noted.actor) == (other.artifact_id, taking_back.AUTHOR)


def test_what_went_back_still_counts_as_said_alone(platform: Platform, make_tenant: MakeTenant) -> None:
    hostile = _renamed_first(platform, make_tenant)
    _sent(platform, "pleno-3", "bruno", RENAMED[0])
    with platform.database.session() as session:
        told = {one[0]: Final(*one) for one in voices.finals(session, TENANT, {"mallory"})}
    assert told[hostile.artifact_id].waiting == (RENAMED,)


def test_every_final_that_said_so_in_whatever_letters_says_that_it_waits(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant()
    first = _sent(platform, "pleno-1", "mallory", RENAMED[0], dict([RENAMED]))
    capitals = (RENAMED[0].upper(), RENAMED[1].upper())
    again = _sent(platform, "pleno-2", "mallory", capitals[0], dict([capitals]))
    assert _live(platform) == dict([capitals])
    for number, author in enumerate(("ana", "bruno")):
        _sent(platform, f"junta-{number}", author, RENAMED[0])
    assert _live(platform) == {}
    for one, wrong in ((first, RENAMED[0]), (again, capitals[0])):
        stored = SubmitSummary.model_validate(_row(platform, one.artifact_id).summary)
        assert (stored.entities_live, [fix.wrong for fix in stored.entities_waiting]) == ((), [wrong])


def test_then_a_second_voice_brings_it_back_for_good(platform: Platform, make_tenant: MakeTenant) -> None:
    _renamed_first(platform, make_tenant)
    _sent(platform, "pleno-3", "bruno", RENAMED[0])
    again = _sent(platform, "pleno-4", "mallory", RENAMED[0], dict([RENAMED]))
    assert [one.wrong for one in again.entities_waiting] == ["Valdehierro"], "its own voice is no second one"
    second = _sent(platform, "pleno-5", "carmen", RENAMED[0], dict([RENAMED]))
    assert [one.wrong for one in second.entities_live] == ["Valdehierro"]
    _sent(platform, "pleno-6", "ana", RENAMED[0])
    _sent(platform, "pleno-7", "diego", RENAMED[0])
    assert _live(platform) == dict([RENAMED])


def test_what_a_person_puts_in_stays_before_and_after(platform: Platform, make_tenant: MakeTenant) -> None:
    _renamed_first(platform, make_tenant)
    put_in = _entry("Peñuelas", "Peniuelas", source="panel", author="alcaldía")
    with platform.database.session() as session:
        dictionary.apply(session, TENANT, [put_in])
    for number, author in enumerate(("bruno", "carmen")):
        _sent(platform, f"junta-{number}", author, "Peñuelas y Valdehierro")
    assert _live(platform) == {"Peñuelas": "Peniuelas"}
    with platform.database.session() as session:
        dictionary.apply(session, TENANT, [_entry(*RENAMED, source="panel", author="alcaldía")])
    _sent(platform, "junta-3", "diego", "Valdehierro")
    assert _live(platform) == {"Peñuelas": "Peniuelas", **dict([RENAMED])}


def test_a_rare_name_stays_however_many_others_write(platform: Platform, make_tenant: MakeTenant) -> None:
    make_tenant()
    _sent(platform, "pleno-1", "ana", "Urkizo", {"Urkizo": "Urquizo"})
    for number, author in enumerate(("bruno", "carmen", "diego")):
        _sent(platform, f"junta-{number}", author, "Valdehierro")
    assert _live(platform) == {"Urkizo": "Urquizo"}


def test_the_same_final_twice_asks_once(
    platform: Platform, make_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    look = taking_back.look_again

    def counted(platform: Platform, final: Artifact) -> dict[str, str]:
        asked.append(final.session_id)
        return look(platform, final)

    monkeypatch.setattr(taking_back, "look_again", counted)
    _renamed_first(platform, make_tenant)
    files = _files("pleno-3", RENAMED[0])
    for _ in range(2):
        _upload(platform, files, "bruno", {})
        compare.compare_waiting_finals(platform, TENANT)
    assert asked == ["pleno-1", "pleno-2", "pleno-3"]
    assert [row.action for row in _history(platform)] == ["removed", "added"]


def test_a_run_that_dies_and_looks_again_takes_nothing_twice(
    platform: Platform, make_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tenant()
    rare = {"Urkizo": "Urquizo"}
    hostile = _sent(platform, "pleno-1", "mallory", RENAMED[0], dict([RENAMED]))
    _sent(platform, "pleno-2", "mallory", "Urkizo", rare)
    _sent(platform, "pleno-3", "ana", RENAMED[0])
    looked: list[dict[str, str]] = []
    look = taking_back.look_again

    def noted(platform: Platform, final: Artifact) -> dict[str, str]:
        looked.append(look(platform, final))
        return looked[-1]

    monkeypatch.setattr(taking_back, "look_again", noted)
    with monkeypatch.context() as patch:
        patch.setattr(compare, "_record", _broken)
        with pytest.raises(RuntimeError):
            _sent(platform, "pleno-4", "bruno", RENAMED[0])
    assert _live(platform) == rare
    compare.compare_waiting_finals(platform, TENANT)
    assert looked == [{"valdehierro": second_voice.WRITTEN}, {}]
    assert _live(platform) == rare
    assert [row.action for row in _history(platform)] == ["removed", "added", "added"]
    summary = SubmitSummary.model_validate(_row(platform, hostile.artifact_id).summary)
    assert summary.sent_back == 1
    with platform.database.session() as session:
        noted_once = sa.select(AuditEntry).where(AuditEntry.action == "dictionary.take_back")
        assert len(session.scalars(noted_once).all()) == 1


def test_beyond_the_first_finals_of_others_nothing_is_asked(
    platform: Platform, make_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_look, "MOST", 1)
    _renamed_first(platform, make_tenant)
    _sent(platform, "pleno-3", "bruno", RENAMED[0])
    assert _live(platform) == dict([RENAMED])


def test_one_other_account_does_not_use_up_the_questions_alone(
    platform: Platform, make_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_look, "MOST", 3)
    monkeypatch.setattr(second_look, "OF_ONE", 2)
    asked: list[str] = []
    ask = second_look.doubted

    def counted(*given: Any, **more: Any) -> dict[str, str]:
        asked.append(given[2][-1].session_id)
        return ask(*given, **more)

    monkeypatch.setattr(second_look, "doubted", counted)
    make_tenant()
    _sent(platform, "pleno-0", "mallory", RENAMED[0], dict([RENAMED]))
    for number in range(1, 5):
        _sent(platform, f"pleno-{number}", "ana", RENAMED[0])
    assert asked == ["pleno-1", "pleno-2"]
    assert _live(platform) == dict([RENAMED])
    _sent(platform, "pleno-5", "bruno", RENAMED[0])
    assert _live(platform) == {}


def test_many_finals_that_are_compared_at_once_are_counted_as_they_came(
    platform: Platform, make_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_look, "MOST", 2)
    make_tenant()
    _upload(platform, _files("pleno-0", RENAMED[0]), "mallory", dict([RENAMED]))
    for number, author in enumerate(("ana", "bruno", "carmen", "diego"), start=1):
        _upload(platform, _files(f"pleno-{number}", RENAMED[0]), author, {})
    compare.compare_waiting_finals(platform, TENANT)
    assert _live(platform) == {}


def test_a_final_that_nothing_is_learned_from_is_none_of_the_first(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    hostile = _renamed_first(platform, make_tenant)
    seq = _row(platform, hostile.artifact_id).seq + 1_000
    given = {"seq": seq, "arrived": "ana", "of_one": 9}
    with platform.database.session() as session:
        assert voices.finals_of_others(session, TENANT, **given) == {"mallory": 1}
        session.execute(sa.update(Artifact).where(Artifact.uploaded_by == "ana").values(names=None))
        assert voices.finals_of_others(session, TENANT, **given) == {"mallory": 0}


def _between(monkeypatch: pytest.MonkeyPatch, act: object) -> None:
    """Let ``act`` happen between the question without a lock and the one under it."""
    ask = second_look.doubted

    def asked(*given: object, **more: object) -> dict[str, str]:
        found = ask(*given, **more)  # type: ignore[arg-type]
        if found and more.get("only") is None:
            act()  # type: ignore[operator]
        return found

    monkeypatch.setattr(second_look, "doubted", asked)


def _erase(platform: Platform, document_id: str) -> None:
    with platform.database.session() as session:
        erase_document_rows(
            session, TENANT, document_id=document_id, artifact_ids=[document_id], actor="test"
        )


def test_an_erasure_in_between_leaves_nothing_to_take_back(
    platform: Platform, make_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = _renamed_first(platform, make_tenant)
    _between(monkeypatch, lambda: _erase(platform, hostile.artifact_id))
    _sent(platform, "pleno-3", "bruno", RENAMED[0])
    assert (_live(platform), _history(platform)) == ({}, [])


def test_a_municipality_erased_in_between_stays_erased(
    platform: Platform, make_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    _renamed_first(platform, make_tenant)
    other = _upload(platform, _files("pleno-3", RENAMED[0]), "bruno", {})
    final = _row(platform, other.artifact_id)
    _between(monkeypatch, lambda: platform.vault.erase_tenant(TENANT))
    with pytest.raises(TenantErased):
        taking_back.look_again(platform, final)
    assert (_live(platform), _history(platform)) == ({}, [])


def test_a_second_voice_in_between_is_heard(
    platform: Platform, make_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    _renamed_first(platform, make_tenant)

    def said() -> None:
        _upload(platform, _files("pleno-9", RENAMED[0]), "carmen", dict([RENAMED]))

    _between(monkeypatch, said)
    _sent(platform, "pleno-3", "bruno", RENAMED[0])
    assert _live(platform) == dict([RENAMED])
    assert [row.action for row in _history(platform)] == ["added"]


def test_a_second_voice_that_is_compared_while_the_name_goes_back_brings_it_back(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant()
    fix = {"Urkizo": "Utquizo"}
    _sent(platform, "pleno-1", "mallory", "Urkizo", fix)
    for author in ("ana", "bruno"):
        _upload(platform, _files(f"junta-{author}", "Peñuelas"), author, {})
    files = _files("pleno-3", "Urkizo")
    place = {"tenant_id": TENANT, "session_id": files.session_id, "version": 1}
    intake.register_draft(platform, **place, docx=files.docx, manifest=files.manifest)

    def looked(comparison: Comparison) -> Compared:
        compare.compare_waiting_finals(platform, TENANT)
        assert _live(platform) == {}
        return compare_here(comparison)

    given = {"data": files.final(fix), "uploaded_by": "carmen"}
    assert _live(platform) == fix
    second = intake.submit_final(platform, **place, **given, compare=looked)
    assert [one.wrong for one in second.entities_live] == ["Urkizo"]
    assert _live(platform) == fix
    assert [row.action for row in _history(platform)] == ["added", "removed", "added"]


def test_what_went_back_is_forgotten_with_its_document(platform: Platform, make_tenant: MakeTenant) -> None:
    hostile = _renamed_first(platform, make_tenant)
    _sent(platform, "pleno-3", "bruno", RENAMED[0])
    _erase(platform, hostile.artifact_id)
    assert _history(platform) == []
    second = _sent(platform, "pleno-4", "carmen", RENAMED[0], dict([RENAMED]))
    assert [one.wrong for one in second.entities_waiting] == ["Valdehierro"], "no voice is left of the first"


def test_a_look_that_fails_half_way_changes_nothing_and_the_next_run_looks_again(
    platform: Platform, make_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    _renamed_first(platform, make_tenant)
    with monkeypatch.context() as patch:
        patch.setattr(SubmitSummary, "without", _broken)
        with pytest.raises(RuntimeError):
            _sent(platform, "pleno-3", "bruno", RENAMED[0])
    assert _live(platform) == dict([RENAMED])
    compare.compare_waiting_finals(platform, TENANT)
    assert _live(platform) == {}


def _broken(*_: object, **__: object) -> None:
    raise RuntimeError


def test_the_history_says_why_in_words_of_a_municipality(
    client: TestClient, platform: Platform, make_tenant: MakeTenant, issue: Issue
) -> None:
    _renamed_first(platform, make_tenant)
    _sent(platform, "pleno-3", "bruno", RENAMED[0])
    answer = client.get(f"/v1/tenants/{TENANT}/dictionary/history", headers=issue("viewer")).json()
    told = plain_words.said("es").text("waits.contradicts_finals")
    assert [one["reason"] for one in answer["changes"]] == [told, None]
    key = issue("viewer")["Authorization"].removeprefix("Bearer ")
    page = client.get(f"/panel/{TENANT}").text
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token is not None
    overview = client.post(f"/panel/{TENANT}", data={"key": key, "csrf": token[1]})
    assert "1 nombre espera a que otra persona lo confirme" in overview.text
    assert told in client.get(f"/panel/{TENANT}/dictionary").text
