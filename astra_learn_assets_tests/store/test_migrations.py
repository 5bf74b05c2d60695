"""Migrations that carry data: rows as the former release wrote them, taken up and back on a real Postgres."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from astra_learn_assets.settings import Settings
from astra_learn_assets.store.db import MIGRATIONS, normalise_url

POLICY, OLDER = "0123456789abcdef", "fedcba9876543210"
FILE = "b" * 64


@pytest.fixture
def engine(settings: Settings) -> Iterator[sa.Engine]:
    """An empty database of its own."""
    url = normalise_url(settings.database_url or "")
    name = f"migration_{uuid4().hex}"
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    own = sa.create_engine(url.set(database=name))
    yield own
    own.dispose()
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def _to(engine: sa.Engine, revision: str, *, back: bool = False) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        (command.downgrade if back else command.upgrade)(config, revision)


def _insert(connection: sa.Connection, table: str, **values: Any) -> None:
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)


# the form of the former release: id -> state, example file, metrics, verdicts of pii_gate in order
OLD: dict[str, tuple[str, str | None, dict[str, Any], list[bool]]] = {
    "approved": ("anonymized", FILE, {"wer": 0.1, "examples": 3, "pii_policy": POLICY}, [False, True]),
    "refused": ("anonymized", FILE, {"pii_policy": OLDER}, [True, False]),
    "unjudged": ("anonymized", "c" * 64, {"pii_policy": POLICY}, []),
    "given-up": ("compared", None, {"wer": 0.2, "pii_policy": POLICY}, []),
    "compared": ("compared", None, {"wer": 0.3, "confidence": 0.9}, []),
    "lost-file": ("quarantined", None, {"unreadable": True}, []),
    "vandalism": ("quarantined", None, {"wer": 0.9}, []),
    "no-policy": ("anonymized", FILE, {"pii_policy": None, "examples": 1}, []),
}
NEW = {
    "approved": (False, POLICY, True, {"wer": 0.1, "examples": 3}),
    "refused": (False, OLDER, False, {}),
    "unjudged": (False, POLICY, None, {}),
    "given-up": (False, None, None, {"wer": 0.2}),
    "compared": (False, None, None, {"wer": 0.3, "confidence": 0.9}),
    "lost-file": (True, None, None, {}),
    "vandalism": (False, None, None, {"wer": 0.9}),
    "no-policy": (False, None, None, {"examples": 1}),
}
# what comes back; a given-up file has no policy any more, which means the same: it is made anew
BACK = {name: metrics for name, (_, _, metrics, _) in OLD.items()} | {
    "given-up": {"wer": 0.2},
    "no-policy": {"examples": 1},
}


def _plant(engine: sa.Engine, tenant_id: str) -> None:
    with engine.begin() as connection:
        _insert(connection, "tenants", tenant_id=tenant_id, display_name="X", country="es")
        _insert(connection, "sessions", tenant_id=tenant_id, session_id="s", version=1)
        for number, (name, (state, pairs, metrics, judged)) in enumerate(OLD.items()):
            _insert(
                connection,
                "artifacts",
                tenant_id=tenant_id,
                artifact_id=name,
                session_id="s",
                version=1,
                kind="final",
                uri="u",
                sha256=f"{number:064}",
            )
            _insert(
                connection,
                "documents",
                tenant_id=tenant_id,
                document_id=name,
                artifact_id=name,
                state=state,
                diff_sha256="a" * 64,
                pairs_sha256=pairs,
                metrics=json.dumps(metrics),
            )
            digest = hashlib.sha256(f"{pairs} {metrics.get('pii_policy')}".encode()).hexdigest()
            for passed in judged:
                _insert(
                    connection,
                    "gate_verdicts",
                    tenant_id=tenant_id,
                    gate="pii_gate",
                    digest=digest,
                    passed=passed,
                    reason="r",
                )


def test_what_decides_of_a_document_leaves_the_metrics_for_columns_and_goes_back(engine: sa.Engine) -> None:
    _to(engine, "0003")
    _plant(engine, "villaverde")
    _plant(engine, "rio-claro")
    with engine.begin() as connection:  # the same file, refused to a neighbour: not this tenant's business
        digest = hashlib.sha256(f"{'c' * 64} {POLICY}".encode()).hexdigest()
        _insert(
            connection,
            "gate_verdicts",
            tenant_id="rio-claro",
            gate="pii_gate",
            digest=digest,
            passed=False,
            reason="r",
        )

    _to(engine, "0004")
    with engine.begin() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT document_id, unreadable, pii_policy, approved, metrics FROM documents "
                "WHERE tenant_id = 'villaverde'"
            )
        ).all()
        neighbour = connection.scalar(
            sa.text(
                "SELECT approved FROM documents WHERE tenant_id = 'rio-claro' AND document_id = 'unjudged'"
            )
        )
    assert {name: tuple(rest) for name, *rest in rows} == NEW
    assert neighbour is False

    _to(engine, "0003", back=True)
    with engine.begin() as connection:
        metrics = connection.execute(sa.text("SELECT document_id, metrics FROM documents")).all()
        columns = {column["name"] for column in sa.inspect(connection).get_columns("documents")}
    assert {row.document_id: row.metrics for row in metrics} == BACK
    assert not columns & {"unreadable", "pii_policy", "approved"}

    _to(engine, "head")
    with engine.begin() as connection:
        again = connection.execute(
            sa.text(
                "SELECT document_id, unreadable, pii_policy, approved, metrics FROM documents "
                "WHERE tenant_id = 'villaverde'"
            )
        ).all()
    assert {name: tuple(rest) for name, *rest in again} == NEW


@pytest.mark.parametrize(
    "lie",
    [
        "unreadable = true, state = 'compared'",
        "pii_policy = 'x', pairs_sha256 = NULL",
        "approved = true, pii_policy = NULL",
        "approved = true, state = 'quarantined'",
    ],
)
def test_the_database_refuses_a_document_that_contradicts_itself(engine: sa.Engine, lie: str) -> None:
    _to(engine, "0003")
    _plant(engine, "villaverde")
    _to(engine, "0004")
    with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE documents SET {lie} WHERE document_id = 'approved'"))


def test_tiers_become_rows_finals_know_their_document_and_changes_are_noted(engine: sa.Engine) -> None:
    _to(engine, "0007")
    with engine.begin() as connection:
        _insert(connection, "tenants", tenant_id="villaverde", display_name="X", country="es", tier="gold")
        _insert(connection, "sessions", tenant_id="villaverde", session_id="s", version=1)
        final = {
            "tenant_id": "villaverde", "session_id": "s", "version": 1, "kind": "final", "uri": "u",
        }  # fmt: skip
        for number, name in enumerate(("compared", "waiting")):
            _insert(connection, "artifacts", **final, artifact_id=name, sha256=f"{number:064}")
        document = {"tenant_id": "villaverde", "state": "compared"}
        _insert(connection, "documents", **document, document_id="d", artifact_id="compared")
        training = {"tenant_id": "villaverde", "through_seq": 5, "reason": "x"}
        for attempt, state in enumerate(("failed", "promoted"), start=1):
            _insert(connection, "training_runs", **training, run_id=state, attempt=attempt, state=state)

    for _ in range(2):
        _to(engine, "0008")
        with engine.begin() as connection:
            ask = {
                "tiers": "SELECT tier || ' ' || weekly_quota FROM tiers ORDER BY tier",
                "prepared": "SELECT artifact_id FROM artifacts WHERE prepared",
                "faults": "SELECT run_id || ' ' || COALESCE(fault, '-') FROM training_runs ORDER BY run_id",
            }
            known = {name: list(connection.scalars(sa.text(query))) for name, query in ask.items()}
            assert known == {
                "tiers": ["gold 7", "premium 28", "standard 7"],
                "prepared": ["compared"],
                "faults": ["failed examples", "promoted -"],
            }
            connection.execute(sa.text("UPDATE tenants SET paused_at = now()"))
            lanes = connection.scalars(sa.text("SELECT lane FROM learning_changes ORDER BY lane"))
            assert list(lanes) == ["learn", "prepare"]
        _to(engine, "0007", back=True)
    with engine.begin() as connection:
        assert connection.scalar(sa.text("SELECT tier FROM tenants")) == "gold"
