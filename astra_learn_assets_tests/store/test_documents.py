"""Which documents may teach, and which a preparing run would still change."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from astra_learn_assets.platform import Platform
from astra_learn_assets.store import artifacts, documents
from astra_learn_assets.store.documents import Outstanding
from astra_learn_assets_tests.conftest import MakeTenant

TENANT = "villaverde"
TODAY, YESTERDAY = "0123456789abcdef", "00000000000000ff"
FILE, OTHER = "b" * 64, "c" * 64
ANONYMIZED: dict[str, Any] = {
    "state": "anonymized",
    "diff_sha256": "a" * 64,
    "pairs_sha256": FILE,
    "pii_policy": TODAY,
}


@pytest.fixture(autouse=True)
def _tenant(make_tenant: MakeTenant) -> None:
    make_tenant(TENANT)


def _final(platform: Platform, number: int) -> str:
    with platform.database.session() as session:
        artifacts.register_session(session, TENANT, session_id="s", version=1)
        row, _ = artifacts.add_artifact(
            session, TENANT, session_id="s", version=1, kind="final", uri="u", sha256=f"{number:04x}" * 16
        )
        return row.artifact_id


def _document(platform: Platform, number: int, **values: Any) -> str:
    name = _final(platform, number)
    with platform.database.session() as session:
        documents.record(session, TENANT, document_id=name, artifact_id=name, **values)
    return name


def _judged(platform: Platform, name: str, approved: bool = True, **changed: str) -> bool:
    of = {"pairs_sha256": FILE, "pii_policy": TODAY, **changed}
    with platform.database.session() as session:
        return documents.judged(session, TENANT, name, approved=approved, **of)


def _approved(platform: Platform, name: str) -> bool | None:
    with platform.database.session() as session:
        return documents.get(session, TENANT, name).approved


def _outstanding(platform: Platform) -> Outstanding:
    with platform.database.session() as session:
        return documents.outstanding(session, TENANT, policy=TODAY)


def test_a_verdict_counts_for_the_very_file_and_policy_it_was_given_for(platform: Platform) -> None:
    name = _document(platform, 1, **ANONYMIZED)
    assert not _judged(platform, name, pairs_sha256=OTHER)
    assert not _judged(platform, name, pii_policy=YESTERDAY)
    assert not _judged(platform, "another")
    assert _approved(platform, name) is None
    assert _judged(platform, name)
    assert _approved(platform, name) is True
    assert _judged(platform, name, approved=False), "the newest verdict counts"
    assert _approved(platform, name) is False


@pytest.mark.parametrize("again", [ANONYMIZED, {**ANONYMIZED, "pairs_sha256": OTHER}, {"state": "compared"}])
def test_whatever_writes_a_document_anew_takes_its_approval_back(
    platform: Platform, again: dict[str, Any]
) -> None:
    name = _document(platform, 1, **ANONYMIZED)
    _judged(platform, name)
    _document(platform, 1, **again)
    assert _approved(platform, name) is None


def test_a_file_that_is_given_up_is_neither_approved_nor_made_under_any_policy(platform: Platform) -> None:
    name = _document(platform, 1, **ANONYMIZED)
    _judged(platform, name)
    with platform.database.session() as session:
        assert not documents.reopen(session, TENANT, name, pairs_sha256=OTHER)
        assert documents.reopen(session, TENANT, name, pairs_sha256=FILE)
        row = documents.get(session, TENANT, name)
        assert (row.state, row.pairs_sha256, row.pii_policy, row.approved) == ("compared", None, None, None)
    assert _outstanding(platform).stale == (name,)


def test_what_is_left_to_prepare_is_told_apart_in_order_of_arrival(platform: Platform) -> None:
    compared = {"state": "compared", "diff_sha256": "a" * 64}
    older = {**ANONYMIZED, "pii_policy": YESTERDAY}
    newer = {**ANONYMIZED, "pii_policy": "f" * 16}
    left = [_document(platform, n, **values) for n, values in enumerate((compared, older, newer), start=1)]
    _judged(platform, left[1], pii_policy=YESTERDAY)  # an approval under another policy is none
    unjudged = _document(platform, 4, **ANONYMIZED)
    unreadable = _document(platform, 5, state="quarantined", unreadable=True)
    _document(platform, 6, state="quarantined", reason="vandalism")
    for number, verdict in ((7, True), (8, False)):
        _judged(platform, _document(platform, number, **ANONYMIZED), verdict)
    assert _outstanding(platform) == Outstanding(
        policy=TODAY, stale=tuple(left), unjudged=(unjudged,), unreadable=(unreadable,)
    )
    with platform.database.session() as session:
        assert [row.artifact_id for row in documents.unreadable_finals(session, TENANT)] == [unreadable]
        assert not documents.outstanding(session, "another", policy=TODAY)


def test_a_sensor_s_look_at_a_town_reads_what_is_left_and_not_the_whole_archive(platform: Platform) -> None:
    with platform.database.session() as session:
        artifacts.register_session(session, TENANT, session_id="s", version=1)
        for statement in (
            "INSERT INTO artifacts (tenant_id, artifact_id, session_id, version, kind, uri, sha256) "
            "SELECT :t, 'd' || n, 's', 1, 'final', 'u', lpad(n::text, 64, '0') "
            "FROM generate_series(1, 4000) n",
            "INSERT INTO documents (tenant_id, document_id, artifact_id, state, diff_sha256, pairs_sha256, "
            "pii_policy, approved) "
            "SELECT :t, 'd' || n, 'd' || n, 'anonymized', repeat('a', 64), repeat('b', 64), :p, true "
            "FROM generate_series(1, 4000) n",
        ):
            session.execute(sa.text(statement), {"t": TENANT, "p": TODAY})
    with platform.database.session() as session:
        session.execute(sa.text("ANALYZE documents, artifacts"))
    asked: list[tuple[str, Any]] = []

    def listen(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    sa.event.listen(platform.database.engine, "before_cursor_execute", listen)
    try:
        assert not _outstanding(platform)
    finally:
        sa.event.remove(platform.database.engine, "before_cursor_execute", listen)
    queries = [(statement, values) for statement, values in asked if "FROM documents" in statement]
    assert len(queries) == 3
    with platform.database.session() as session:
        for statement, values in queries:
            plan = session.connection().exec_driver_sql(f"EXPLAIN {statement}", values).scalars().all()
            assert "ix_documents_" in "\n".join(plan), plan
            assert "Seq Scan on documents" not in "\n".join(plan), plan
