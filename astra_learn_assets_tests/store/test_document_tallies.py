"""Documents are counted by triggers; whatever happens to them, the counts are what counting would say."""

from __future__ import annotations

import random
import statistics
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm

from astra_learn_assets.ids import TenantId
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import documents, erasure, tallies
from astra_learn_assets.store.db import Database
from astra_learn_assets.store.learning_tables import DocumentTally
from astra_learn_assets.store.tables import Artifact, Document, Session
from astra_learn_assets_tests.conftest import MakeTenant

TENANT, OTHER = TenantId("villaverde"), TenantId("rio-claro")
NOW = datetime(2026, 11, 17, 12, tzinfo=UTC)
COUNT = """
    SELECT tenant_id, date_trunc('month', timezone('UTC', created_at)), state, count(*),
        COALESCE(sum(corrections), 0), count(corrected), COALESCE(sum(corrected), 0),
        COALESCE(sum(corrected * corrected), 0)
    FROM documents GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
KEPT = "SELECT * FROM document_tallies WHERE documents <> 0 ORDER BY tenant_id, month, state"


def _is_counted(session: orm.Session) -> None:
    counted, kept = (session.execute(sa.text(asked)).all() for asked in (COUNT, KEPT))
    assert [tuple(row[:6]) for row in kept] == [tuple(row[:6]) for row in counted]
    for one, other in zip(kept, counted, strict=True):
        assert (one[6], one[7]) == (pytest.approx(other[6]), pytest.approx(other[7]))


@pytest.fixture
def finals(platform: Platform, make_tenant: MakeTenant) -> list[tuple[TenantId, str]]:
    """Forty finals of each of two towns."""
    made = []
    for tenant in (TENANT, OTHER):
        make_tenant(tenant)
        with platform.database.session() as session:
            session.add(Session(tenant_id=tenant, session_id="s", version=1))
            session.flush()
            for number in range(40):
                made.append((tenant, f"f{number}"))
                session.add(
                    Artifact(
                        tenant_id=tenant, artifact_id=f"f{number}", session_id="s", version=1, kind="final",
                        uri="x", sha256=f"{number:064x}",
                    )
                )  # fmt: skip
    return made


def _record(session: orm.Session, final: tuple[TenantId, str], rng: random.Random) -> None:
    state = rng.choice(documents.STATES)
    metrics: dict[str, Any] = {"wer": rng.random() / 5} if rng.random() < 0.8 else {}
    metrics |= {"examples": rng.randrange(30)} if rng.random() < 0.8 else {}
    files: dict[str, Any] = {"diff_sha256": "d" * 64}
    if state == "anonymized":
        files |= {"pairs_sha256": "b" * 64, "pii_policy": "p"}
    documents.record(
        session, final[0], document_id=final[1], artifact_id=final[1], state=state, metrics=metrics,
        reason="x" if state == "quarantined" else None, **files,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_after_every_change_the_counts_are_those_of_the_documents(
    platform: Platform, finals: list[tuple[TenantId, str]], seed: int
) -> None:
    rng = random.Random(seed)
    for _ in range(60):
        with platform.database.session() as session:
            final = rng.choice(finals)
            known = session.get(Document, final)
            what = rng.choice(["record", "move", "approve", "delete", "many"])
            if known is None or what == "record":
                _record(session, final, rng)
            elif what == "move":  # into another month
                known.created_at = NOW - timedelta(days=rng.randrange(200))
            elif what == "approve" and known.state == "anonymized":
                known.approved = rng.random() < 0.5
            elif what == "delete":
                session.delete(known)
            else:
                session.execute(
                    sa.update(Document).values(created_at=NOW - timedelta(days=rng.randrange(99)))
                )
            session.flush()
            _is_counted(session)


def test_a_change_that_counts_nothing_writes_nothing(
    platform: Platform, finals: list[tuple[TenantId, str]]
) -> None:
    with platform.database.session() as session:
        _record(session, finals[0], random.Random(1))
    asked = sa.text("SELECT xmin::text FROM document_tallies")
    with platform.database.session() as session:
        before = session.scalars(asked).all()
        session.execute(sa.update(Document).values(reviewed_by="marta"))
        assert session.scalars(asked).all() == before


def test_who_reviews_through_the_api_counts_too_and_may_not_write_the_counts(
    platform: Platform, settings: Settings, finals: list[tuple[TenantId, str]]
) -> None:
    with platform.database.session() as session:
        documents.record(
            session, TENANT, document_id="f0", artifact_id="f0", state="quarantined", reason="x",
            diff_sha256="d" * 64,
        )  # fmt: skip
    api = Database(settings.api_database_url or "", row_security=True)
    with api.of(TENANT).session() as session:
        documents.review(session, TENANT, "f0", review=documents.RELEASED, by="marta")
    with api.of(TENANT).session() as session:
        assert tallies.documents_by_state(session, TENANT) == {"compared": 1}
    with pytest.raises(sa.exc.ProgrammingError), api.of(TENANT).session() as session:
        session.execute(sa.update(DocumentTally).values(documents=7))
    api.dispose()


def test_nothing_is_counted_of_a_town_that_was_erased(
    platform: Platform, finals: list[tuple[TenantId, str]]
) -> None:
    rng = random.Random(2)
    with platform.database.session() as session:
        for final in finals:
            _record(session, final, rng)
    with platform.database.session() as session:
        erasure.erase_rows(session, TENANT, actor="test")
    with platform.database.session() as session:
        assert set(session.scalars(sa.select(DocumentTally.tenant_id))) == {OTHER}
        _is_counted(session)


@pytest.mark.parametrize(
    "since",
    [
        NOW - timedelta(days=10), NOW - timedelta(days=300), datetime(2026, 9, 1, tzinfo=UTC),
        datetime(2026, 8, 31, 23, 59, tzinfo=UTC), datetime(2025, 12, 31, 12, tzinfo=UTC),
    ],
)  # fmt: skip
def test_months_are_those_of_the_documents_wherever_the_time_asked_for_begins(
    platform: Platform, finals: list[tuple[TenantId, str]], since: datetime
) -> None:
    """The first month is cut where it begins; the others come from the counts."""
    rng = random.Random(3)
    with platform.database.session() as session:
        for number, final in enumerate(finals[:40]):
            _record(session, final, rng)
            session.get_one(Document, final).created_at = NOW - timedelta(days=9 * number, hours=number)
    with platform.database.session() as session:
        found = tallies.by_month(session, TENANT, since)
        rows = session.scalars(sa.select(Document).where(Document.tenant_id == TENANT)).all()
    expected: dict[str, list[Document]] = {}
    for row in rows:
        if row.created_at >= since:
            expected.setdefault(f"{row.created_at.astimezone(UTC):%Y-%m}", []).append(row)
    assert [f"{month.month:%Y-%m}" for month in found] == sorted(expected)
    for month in found:
        of_month = expected[f"{month.month:%Y-%m}"]
        shares = [
            row.corrected for row in of_month if row.state != "quarantined" and row.corrected is not None
        ]
        assert month.documents == len(of_month)
        assert month.quarantined == sum(row.state == "quarantined" for row in of_month)
        assert month.corrections == sum(row.corrections or 0 for row in of_month)
        assert month.measured == len(shares)
        assert month.wer == (pytest.approx(statistics.fmean(shares)) if shares else None)
        assert month.spread == (pytest.approx(statistics.stdev(shares)) if len(shares) > 1 else None)


def test_equal_shares_have_no_spread_and_no_error(
    platform: Platform, finals: list[tuple[TenantId, str]]
) -> None:
    with platform.database.session() as session:
        for tenant, name in finals[:30]:
            documents.record(
                session, tenant, document_id=name, artifact_id=name, state="compared", metrics={"wer": 0.1}
            )
    with platform.database.session() as session:
        (month,) = tallies.by_month(session, TENANT, NOW - timedelta(days=900))
    assert month.wer == pytest.approx(0.1)
    assert month.spread == pytest.approx(0.0, abs=1e-7)
