"""Sessions, drafts, finals and what became of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from astra_learn_assets import ids
from astra_learn_assets.errors import BadInput, Conflict, InvalidId, NotFound, UnknownTenant
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import artifacts, documents
from astra_learn_assets_tests.conftest import MakeTenant

SHA = [f"{n:x}" * 64 for n in range(10)]


@pytest.fixture
def tenant(platform: Platform, make_tenant: MakeTenant) -> str:
    make_tenant()
    with platform.database.session() as session:
        for version in (1, 2):
            artifacts.register_session(session, "villaverde", session_id="pleno-1", version=version)
    return "villaverde"


def _add(
    platform: Platform, kind: str, sha256: str, tenant: str = "villaverde", version: int = 1
) -> tuple[str, bool]:
    with platform.database.session() as session:
        row, created = artifacts.add_artifact(
            session, tenant, session_id="pleno-1", version=version, kind=kind, uri="u", sha256=sha256
        )
        return row.artifact_id, created


def test_registering_a_session_again_adds_names_and_removes_none(platform: Platform, tenant: str) -> None:
    for roster in (["Ana Ruiz"], ["Luis Gil", "Ana Ruiz"], []):
        with platform.database.session() as session:
            row = artifacts.register_session(session, tenant, session_id="pleno-1", version=1, roster=roster)
    assert row.roster == ["Ana Ruiz", "Luis Gil"]
    with platform.database.session() as session:
        artifacts.register_session(session, tenant, session_id="pleno-1", version=2, roster=["Eva Paz"])
        assert artifacts.rosters(session, tenant) == ["Ana Ruiz", "Eva Paz", "Luis Gil"]


def test_a_clone_stays_the_clone_of_what_it_was_cloned_from(platform: Platform, tenant: str) -> None:
    with platform.database.session() as session:
        artifacts.register_session(session, tenant, session_id="pleno-1", version=2, cloned_from="pleno-0")
        artifacts.register_session(session, tenant, session_id="pleno-1", version=2)
        assert artifacts.get_session(session, tenant, "pleno-1", 2).cloned_from == "pleno-0"
        with pytest.raises(Conflict):
            artifacts.register_session(session, tenant, session_id="pleno-1", version=2, cloned_from="other")


def test_the_same_bytes_are_one_artifact_however_often_they_come(platform: Platform, tenant: str) -> None:
    identity = f"pleno-1-v1-final-{SHA[1][:12]}"
    assert _add(platform, "final", SHA[1]) == (identity, True)
    assert _add(platform, "final", SHA[1]) == (identity, False)
    assert _add(platform, "generated", SHA[1])[1]


def test_of_identical_uploads_at_once_one_is_created(platform: Platform, tenant: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: _add(platform, "final", SHA[2]), range(8)))
    assert len({identity for identity, _ in results}) == 1
    assert sum(created for _, created in results) == 1


def test_two_tenants_may_have_the_same_session_and_even_the_same_file(
    platform: Platform, tenant: str, make_tenant: MakeTenant
) -> None:
    make_tenant("otra")
    with platform.database.session() as session:
        artifacts.register_session(session, "otra", session_id="pleno-1", version=1)
    ours, theirs = _add(platform, "final", SHA[3]), _add(platform, "final", SHA[3], tenant="otra")
    assert ours == theirs == (ours[0], True)
    with platform.database.session() as session:
        artifacts.get_artifact(session, "otra", ours[0]).summary = {"of": "otra"}
    with platform.database.session() as session:
        assert artifacts.get_artifact(session, tenant, ours[0]).summary is None


def test_what_another_tenant_has_does_not_exist_for_us(
    platform: Platform, tenant: str, make_tenant: MakeTenant
) -> None:
    make_tenant("otra")
    identity, _ = _add(platform, "final", SHA[1])
    with platform.database.session() as session:
        with pytest.raises(NotFound):
            artifacts.get_artifact(session, "otra", identity)
        with pytest.raises(NotFound):
            documents.record(session, "otra", document_id=identity, artifact_id=identity, state="compared")
        assert artifacts.base_for(session, "otra", "pleno-1", 1) is None
        assert artifacts.finals_without_document(session, "otra") == []


def test_an_artifact_needs_its_session_in_its_version(platform: Platform, tenant: str) -> None:
    with pytest.raises(NotFound):
        _add(platform, "final", SHA[1], version=3)
    with pytest.raises(UnknownTenant), platform.database.session() as session:
        artifacts.register_session(session, "nowhere", session_id="s", version=1)


@pytest.mark.parametrize(
    ("kind", "sha"), [("draft", SHA[1]), ("final", "zz"), ("final", SHA[1].upper() + "A")]
)
def test_an_unknown_kind_or_digest_is_refused(platform: Platform, tenant: str, kind: str, sha: str) -> None:
    with pytest.raises((BadInput, InvalidId)):
        _add(platform, kind, sha)


@pytest.mark.parametrize("session_id", ["", "a/b", "../a", "x" * 81, "ñ", "-a"])
def test_a_malformed_session_id_is_refused(platform: Platform, tenant: str, session_id: str) -> None:
    with pytest.raises(InvalidId), platform.database.session() as session:
        artifacts.register_session(session, tenant, session_id=session_id, version=1)


def test_the_id_of_an_artifact_is_always_a_valid_document_id_and_never_shared() -> None:
    long = [f"{'s' * 78}{n:02}" for n in range(20)]
    made = {artifacts.artifact_id(name, 999, "generated", SHA[0]) for name in [*long, "s" * 52, "s"]}
    assert len(made) == 22
    assert all(ids.name(identity, "document id") for identity in made)


def test_the_base_of_a_final_is_the_newest_draft_of_its_own_version(platform: Platform, tenant: str) -> None:
    with platform.database.session() as session:
        assert artifacts.base_for(session, tenant, "pleno-1", 1) is None
    _add(platform, "generated", SHA[1])
    newer, _ = _add(platform, "generated", SHA[2])
    _add(platform, "generated", SHA[3], version=2)
    _add(platform, "final", SHA[4])
    with platform.database.session() as session:
        base = artifacts.base_for(session, tenant, "pleno-1", 1)
    assert base is not None
    assert base.artifact_id == newer


def test_finals_wait_in_order_until_a_document_tells_of_them(platform: Platform, tenant: str) -> None:
    names = [_add(platform, "final", sha)[0] for sha in SHA[:4]]
    _add(platform, "generated", SHA[5])
    with platform.database.session() as session:
        waiting = artifacts.finals_without_document(session, tenant)
        assert [row.artifact_id for row in waiting] == names
        for name, state in zip(names[:3], documents.STATES, strict=True):
            documents.record(session, tenant, document_id=name, artifact_id=name, state=state)
        assert [row.artifact_id for row in artifacts.finals_without_document(session, tenant)] == names[3:]
        documents.record(session, tenant, document_id=names[3], artifact_id=names[3], state="compared")
        assert artifacts.finals_without_document(session, tenant) == []


def test_a_document_is_written_whole_and_listed_in_order_of_arrival(platform: Platform, tenant: str) -> None:
    names = [_add(platform, "final", SHA[n])[0] for n in (7, 3, 5)]
    with platform.database.session() as session:
        for name in reversed(names):
            documents.record(
                session,
                tenant,
                document_id=name,
                artifact_id=name,
                state="compared",
                diff_sha256=SHA[1],
                metrics={"a": 1},
            )
        documents.record(
            session, tenant, document_id=names[0], artifact_id=names[0], state="quarantined", reason="r"
        )
        assert [row.document_id for row in documents.listing(session, tenant)] == names
        assert [row.document_id for row in documents.listing(session, tenant, "compared")] == names[1:]
        first = documents.get(session, tenant, names[0])
        assert (first.state, first.reason, first.diff_sha256, first.metrics) == ("quarantined", "r", None, {})
        with pytest.raises(BadInput):
            documents.record(session, tenant, document_id=names[0], artifact_id=names[0], state="odd")


def test_what_waits_is_found_without_reading_the_summary_of_every_final(
    platform: Platform, tenant: str
) -> None:
    waiting = '{"entities_waiting": [{"wrong": "Amalia", "right": "Amelia", "kind": "person"}]}'
    add = sa.text(
        "INSERT INTO artifacts (tenant_id, artifact_id, session_id, version, kind, uri, sha256, summary) "
        "SELECT :t, 'f' || n, 'pleno-1', 1, 'final', 'u', lpad(n::text, 64, '0'), "
        "CASE WHEN n = 7 THEN CAST(:w AS jsonb) WHEN n = 8 THEN NULL WHEN n = 9 THEN 'null'::jsonb "
        "WHEN n = 10 THEN jsonb_build_object('entities_waiting', NULL) "
        "ELSE jsonb_build_object('entities_waiting', '[]'::jsonb) END "
        "FROM generate_series(1, 4000) n"
    )
    with platform.database.session() as session:
        artifacts.register_session(session, tenant, session_id="pleno-1", version=1, roster=["Ana Ruiz"])
        session.execute(add, {"t": tenant, "w": waiting})
    with platform.database.session() as session:
        session.execute(sa.text("ANALYZE artifacts"))
    asked: list[tuple[str, Any]] = []

    def listen(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    sa.event.listen(platform.database.engine, "before_cursor_execute", listen)
    try:
        with platform.database.session() as session:
            found = artifacts.told_of_names(session, tenant, but_of="pleno-2")
    finally:
        sa.event.remove(platform.database.engine, "before_cursor_execute", listen)
    assert found == (["Ana Ruiz"], [("Amalia", "Amelia", "")])
    (query,) = [entry for entry in asked if "FROM artifacts" in entry[0]]
    with platform.database.session() as session:
        plan = session.connection().exec_driver_sql(f"EXPLAIN {query[0]}", query[1]).scalars().all()
    assert "ix_artifacts_waiting" in "\n".join(plan), plan
