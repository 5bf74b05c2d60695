"""A platform with a thousand municipalities and their history, made by SQL; and work for some of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from uuid import uuid4

import dagster as dg
import sqlalchemy as sa
from dagster._core.storage.runs.schema import RunsTable, RunTagsTable
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage
from dagster._serdes import serialize_value

from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import masking
from astra_learn_assets.learning.training import run as training_run
from astra_learn_assets.platform import Platform

_TENANTS = """
    INSERT INTO tenants (tenant_id, display_name, country, tier, wrapped_key)
    SELECT name, name, 'es', CASE WHEN n % 10 = 0 THEN 'premium' ELSE 'standard' END, '\\x00'
    FROM unnest(CAST(:names AS text[])) WITH ORDINALITY AS t(name, n)
"""
_EXAMPLES = """
    INSERT INTO examples (tenant_id, example_id, document_id, route, created_at)
    SELECT 'town-' || lpad((n % :towns)::text, 4, '0'), md5('h' || n) || md5('i' || n),
        'h-' || n / 10, 1, now() - interval '30 days'
    FROM generate_series(:low, :high) AS n
"""
_ARTIFACTS = """
    INSERT INTO artifacts (tenant_id, artifact_id, session_id, version, kind, uri, sha256, prepared)
    SELECT 'town-' || lpad((n % :towns)::text, 4, '0'), 'h-' || n, 's', 1, 'final', 'x', md5(n::text), true
    FROM generate_series(:low, :high) AS n
"""
_DOCUMENTS = """
    INSERT INTO documents
        (tenant_id, document_id, artifact_id, state, diff_sha256, pairs_sha256, pii_policy, approved)
    SELECT 'town-' || lpad((n % :towns)::text, 4, '0'), 'h-' || n, 'h-' || n, 'anonymized',
        md5(n::text), md5(n::text), :policy, true
    FROM generate_series(:low, :high) AS n
"""
_TRAINED = """
    INSERT INTO training_runs
        (run_id, tenant_id, attempt, through_seq, state, dataset_hash, created_at, finished_at)
    SELECT tenant_id || '-h-' || max(seq), tenant_id, 1, max(seq), 'promoted', 'h',
        now() - interval '29 days', now() - interval '29 days'
    FROM examples GROUP BY tenant_id ON CONFLICT DO NOTHING
"""
_COUNTED = """
    INSERT INTO example_counts (tenant_id, usable, golden, route, examples)
    SELECT tenant_id, usable, golden, route, count(*) FROM examples GROUP BY 1, 2, 3, 4
    ON CONFLICT (tenant_id, usable, golden, route) DO UPDATE SET examples = excluded.examples
"""
_NEW_EXAMPLES = """
    INSERT INTO examples (tenant_id, example_id, document_id, route)
    SELECT name, md5(name || n || :salt) || md5(n || name), 'c', 1
    FROM unnest(CAST(:names AS text[])) AS name, generate_series(1, :each) AS n
"""
_NEW_FINALS = """
    INSERT INTO artifacts (tenant_id, artifact_id, session_id, version, kind, uri, sha256, uploaded_by)
    SELECT name, 'n-' || :salt || '-' || n, 's', 1, 'final', 'x', md5(:salt || n) || md5(n || :salt), 'clerk'
    FROM unnest(CAST(:names AS text[])) WITH ORDINALITY AS t(name, n)
"""


class World:
    """Municipalities ``town-0000`` …, everything of them learned unless work was given."""

    def __init__(self, platform: Platform, tenants: int) -> None:
        self.platform = platform
        self.names = [TenantId(f"town-{n:04}") for n in range(tenants)]
        self.threshold = platform.settings.train_threshold
        self._numbers = count()
        self._history = 0
        self._next = 0
        self.make(self.names)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def make(self, names: Sequence[TenantId]) -> None:
        """New municipalities, each with a session for its finals."""
        with self.platform.database.session() as session:
            session.execute(sa.text(_TENANTS), {"names": [str(name) for name in names]})
            session.execute(
                sa.text("INSERT INTO sessions (tenant_id, session_id, version) "
                        "SELECT unnest(CAST(:names AS text[])), 's', 1"),
                {"names": [str(name) for name in names]},
            )  # fmt: skip

    def grow_to(self, total: int) -> None:
        """A history of ``total`` examples and a tenth as many documents, all of it trained on."""
        policy = masking.policy_of(self.platform, self.names[0]).fingerprint
        low, self._history = self._history + 1, total
        values = {"towns": len(self.names), "low": low, "high": total}
        fewer = {**values, "low": low // 10 + 1, "high": total // 10}
        with self.platform.database.session() as session:
            session.execute(sa.text("SET LOCAL session_replication_role = replica"))  # no triggers: history
            session.execute(sa.text(_EXAMPLES), values)
            session.execute(sa.text(_ARTIFACTS), fewer)
            session.execute(sa.text(_DOCUMENTS), {**fewer, "policy": policy})
            session.execute(sa.text(_TRAINED))
            session.execute(sa.text(_COUNTED))  # what the triggers would have kept
        with self.platform.database.engine.connect().execution_options(
            isolation_level="AUTOCOMMIT"
        ) as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))

    def give_work(self, busy: int) -> None:
        """``busy`` municipalities reach the threshold, as many others have a final to prepare."""
        self.add([self._pick() for _ in range(busy)], self.threshold)
        finals = {"names": [str(self._pick()) for _ in range(busy)], "salt": str(next(self._numbers))}
        with self.platform.database.session() as session:
            session.execute(sa.text(_NEW_FINALS), finals)

    def add(self, names: Sequence[TenantId], each: int) -> None:
        """New examples for each of ``names``, in one moment; noted by the triggers, as always."""
        values = {"names": [str(name) for name in names], "each": each, "salt": str(next(self._numbers))}
        with self.platform.database.session() as session:
            session.execute(sa.text(_NEW_EXAMPLES), values)

    def work_is_done(self) -> None:
        """Everything that was asked for has been prepared and trained."""
        with self.platform.database.session() as session:
            session.execute(sa.text("UPDATE artifacts SET prepared = true WHERE NOT prepared"))
            session.execute(
                sa.text("UPDATE training_runs SET state = 'promoted', finished_at = now() "
                        "WHERE state = 'queued'")
            )  # fmt: skip
            session.execute(
                sa.text("INSERT INTO learning_changes (tenant_id, lane) SELECT DISTINCT tenant_id, 'prepare' "
                        "FROM learning_state WHERE lane = 'prepare' AND code = 'waiting'")
            )  # fmt: skip

    def pretend_runs_exist(self, instance: dg.DagsterInstance, requests: Sequence[dg.RunRequest]) -> None:
        """Enter a run for each request and give it the training, as the daemon and the coordinator would.

        In three statements instead of five thousand: what is measured is the next tick.
        """
        if not requests:
            return
        runs = [
            dg.DagsterRun(
                run_id=str(uuid4()),
                job_name="train_adapter",
                status=dg.DagsterRunStatus.STARTED,
                tags={**request.tags, "dagster/partition": str(request.partition_key)},
            )
            for request in requests
        ]
        rows = [
            {"run_id": run.run_id, "pipeline_name": run.job_name, "status": run.status.value,
             "partition": run.tags["dagster/partition"], "run_body": serialize_value(run)}
            for run in runs
        ]  # fmt: skip
        tags = [
            {"run_id": run.run_id, "key": key, "value": value}
            for run in runs
            for key, value in run.tags.items()
        ]
        storage = instance.run_storage
        assert isinstance(storage, SqlRunStorage)
        with storage.connect() as connection:
            connection.execute(sa.insert(RunsTable).values(rows))
            connection.execute(sa.insert(RunTagsTable).values(tags))
        owners = {
            "trainings": [run.tags[training_run.TAG] for run in runs],
            "runs": [run.run_id for run in runs],
        }
        with self.platform.database.session() as session:
            session.execute(
                sa.text("UPDATE training_runs r SET dagster_run_id = o.run FROM "
                        "unnest(CAST(:trainings AS text[]), CAST(:runs AS text[])) AS o(training, run) "
                        "WHERE r.run_id = o.training"),
                owners,
            )  # fmt: skip

    def _pick(self) -> TenantId:
        self._next += 7
        return self.names[self._next % len(self.names)]
