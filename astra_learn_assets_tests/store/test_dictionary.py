"""The dictionary: no update lost, no version skipped, every event sent."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy import orm

from astra_learn_assets.contracts import DictionaryEntry
from astra_learn_assets.errors import BadInput, UnknownTenant
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import dictionary
from astra_learn_assets.store.tables import Outbox
from astra_learn_assets_tests.conftest import MakeTenant


def _entry(wrong: str, right: str, author: str = "marta") -> DictionaryEntry:
    return DictionaryEntry(
        wrong=wrong,
        right=right,
        kind="person",
        source_document="doc-1",
        author=author,
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
    )


@pytest.fixture
def tenant(make_tenant: MakeTenant) -> str:
    return make_tenant().tenant_id


def test_a_change_is_one_version_one_history_row_each_and_one_event(platform: Platform, tenant: str) -> None:
    with platform.database.session() as session:
        assert dictionary.read(session, tenant) == (0, [])
        update = dictionary.apply(session, tenant, [_entry("B", "Be"), _entry("A", "Aa")])
    assert update is not None
    assert (update.version, set(update.changed)) == (1, {"a", "b"})
    with platform.database.session() as session:
        version, entries = dictionary.read(session, tenant)
        assert (version, [entry.right for entry in entries]) == (1, ["Aa", "Be"])
        assert [
            (row.version, row.key, row.action) for row in dictionary.changes_since(session, tenant, 0)
        ] == [
            (1, "a", "added"),
            (1, "b", "added"),
        ]
        assert [row.payload for row in session.scalars(sa.select(Outbox))] == [update.model_dump(mode="json")]


def test_saying_the_same_again_changes_nothing(platform: Platform, tenant: str) -> None:
    with platform.database.session() as session:
        dictionary.apply(session, tenant, [_entry("Garcia", "García")])
    with platform.database.session() as session:
        assert dictionary.apply(session, tenant, [_entry("GARCIA", "García", author="pedro")]) is None
        assert dictionary.apply(session, tenant, []) is None
        assert dictionary.apply(session, tenant, [_entry("Igual", "Igual")]) is None
        assert dictionary.read(session, tenant)[0] == 1
        assert session.scalar(sa.select(sa.func.count()).select_from(Outbox)) == 1


def test_a_change_of_another_author_is_marked_and_the_last_writer_wins(
    platform: Platform, tenant: str
) -> None:
    for right, author in (("García", "marta"), ("Garzía", "marta"), ("Gárcia", "pedro")):
        with platform.database.session() as session:
            dictionary.apply(session, tenant, [_entry("garcia", right, author)])
    with platform.database.session() as session:
        rows = dictionary.changes_since(session, tenant, 0)
        assert [(row.action, row.conflict) for row in rows] == [
            ("added", False),
            ("changed", False),
            ("changed", True),
        ]
        assert rows[-1].previous is not None
        assert rows[-1].previous["right"] == "Garzía"
        assert [entry.right for entry in dictionary.read(session, tenant)[1]] == ["Gárcia"]


def test_removing_is_a_change_too_and_removing_nothing_is_none(platform: Platform, tenant: str) -> None:
    with platform.database.session() as session:
        dictionary.apply(session, tenant, [_entry("Garcia", "García")])
        update = dictionary.remove(session, tenant, " GARCIA ", "pedro")
        assert update is not None
        assert update.version == 2
        assert dictionary.remove(session, tenant, "Garcia", "pedro") is None
        assert dictionary.read(session, tenant) == (2, [])
        last = dictionary.changes_since(session, tenant, 1)[0]
        assert (last.action, last.entry) == ("removed", {"author": "pedro"})


def test_clerks_who_correct_at_the_same_moment_lose_nothing(platform: Platform, tenant: str) -> None:
    def correct(n: int) -> None:
        with platform.database.session() as session:
            dictionary.apply(
                session, tenant, [_entry(f"wrong {n}", f"right {n}"), _entry("shared", f"{n}", str(n))]
            )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(correct, range(24)))
    with platform.database.session() as session:
        version, entries = dictionary.read(session, tenant)
        assert (version, len(entries)) == (24, 25)
        assert sorted({row.version for row in dictionary.changes_since(session, tenant, 0)}) == list(
            range(1, 25)
        )
        sent = session.scalars(sa.select(Outbox).order_by(Outbox.event_id)).all()
        assert [row.payload["version"] for row in sent] == list(range(1, 25))


def test_a_failed_transaction_leaves_no_version_and_no_event(platform: Platform, tenant: str) -> None:
    def fail(session: orm.Session) -> None:
        dictionary.apply(session, tenant, [_entry("Garcia", "García")])
        raise RuntimeError

    with pytest.raises(RuntimeError), platform.database.session() as session:
        fail(session)
    with platform.database.session() as session:
        assert dictionary.read(session, tenant) == (0, [])
        assert session.scalars(sa.select(Outbox)).all() == []


def test_the_dictionary_of_one_tenant_is_not_that_of_another(
    platform: Platform, tenant: str, make_tenant: MakeTenant
) -> None:
    make_tenant("otra")
    with platform.database.session() as session:
        dictionary.apply(session, tenant, [_entry("Garcia", "García")])
        assert dictionary.read(session, "otra") == (0, [])
        assert dictionary.changes_since(session, "otra", 0) == []
    with pytest.raises(UnknownTenant), platform.database.session() as session:
        dictionary.apply(session, "nowhere", [_entry("Garcia", "García")])


@pytest.mark.parametrize("bad", ["", "  ", "\u200b", "a\0b", "x" * 201, "\ud800"])
def test_an_entry_that_postgres_or_a_reader_could_not_hold_is_refused(
    platform: Platform, tenant: str, bad: str
) -> None:
    for entry in (
        _entry("Garcia", "x").model_copy(update={"wrong": bad}),
        _entry("Garcia", "x").model_copy(update={"right": bad}),
    ):
        with pytest.raises(BadInput), platform.database.session() as session:
            dictionary.apply(session, tenant, [_entry("bueno", "Bueno"), entry])
    with platform.database.session() as session:
        assert dictionary.read(session, tenant) == (0, [])


def test_the_opposite_of_an_entry_takes_its_place_in_one_version(platform: Platform, tenant: str) -> None:
    with platform.database.session() as session:
        dictionary.apply(session, tenant, [_entry("Hortegga", "Ortega")])
        update = dictionary.apply(session, tenant, [_entry("Ortega", "Hortegga", "jorge")])
    assert update is not None
    assert update.version == 2
    with platform.database.session() as session:
        assert dictionary.replacements(session, tenant)[1] == {"Ortega": "Hortegga"}
        history = [(c.version, c.key, c.action) for c in dictionary.changes_since(session, tenant, 1)]
    assert history == [(2, "hortegga", "removed"), (2, "ortega", "added")]


def test_a_change_of_capitals_alone_is_a_change_of_its_own_entry(platform: Platform, tenant: str) -> None:
    with platform.database.session() as session:
        dictionary.apply(session, tenant, [_entry("ORTEGA", "Ortega")])
        dictionary.apply(session, tenant, [_entry("Ortega", "ORTEGA")])
        assert dictionary.replacements(session, tenant)[1] == {"Ortega": "ORTEGA"}
        actions = [change.action for change in dictionary.changes_since(session, tenant, 0)]
    assert actions == ["added", "changed"]


def test_a_long_history_comes_in_parts_and_no_version_is_cut(platform: Platform, tenant: str) -> None:
    with platform.database.session() as session:
        dictionary.apply(session, tenant, [_entry("A", "Aa")])
        dictionary.apply(session, tenant, [_entry(f"B{n}", f"Be{n}") for n in range(5)])
        dictionary.apply(session, tenant, [_entry("C", "Ce")])

    def read(since: int, limit: int) -> list[int]:
        with platform.database.session() as session:
            return [row.version for row in dictionary.changes_since(session, tenant, since, limit=limit)]

    assert read(0, 7) == [1, *[2] * 5, 3]
    assert read(0, 6) == [1, *[2] * 5]
    assert read(0, 3) == [1]
    assert read(1, 3) == [2] * 5
    assert read(2, 1) == [3]
    assert read(3, 1) == []


def test_entries_as_json_and_in_parts_are_those_that_lie_there(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    tenant = make_tenant().tenant_id
    names = ["Ñuño", 'ana "la" Roja', "Zubeldía", "a\\b", "Lucía", "𝔊ómez", "o'Neill", "{x}"]
    with platform.database.session() as session:
        assert dictionary.as_json(session, tenant) == (0, "[]")
        assert dictionary.part(session, tenant, start=0, limit=5) == (0, [])
        dictionary.apply(
            session, tenant,
            [DictionaryEntry(wrong=name, right=f"{name} bien", kind="person", source_document="d",
                             author="marta", created_at=datetime.now(UTC)) for name in names],
        )  # fmt: skip
        version, stored = dictionary.stored(session, tenant)
        said, text = dictionary.as_json(session, tenant)
        assert said == version == 1
        assert json.loads(text) == [
            {"entry_id": hashlib.sha256(key.encode()).hexdigest()[:16], **entry}
            for key, entry in stored.items()
        ]
        whole = [dictionary.part(session, tenant, start=start, limit=3) for start in (0, 3, 6, 9)]
        assert [total for total, _ in whole] == [len(names)] * 4
        assert [one for _, rows in whole for one in rows] == list(stored.items())
