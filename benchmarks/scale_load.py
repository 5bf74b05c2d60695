"""A platform with a thousand municipalities and their history, made by SQL; and work for some of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count

import dagster as dg
import sqlalchemy as sa

from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import masking
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import artifacts, examples

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
_CROSS = """
    INSERT INTO examples (tenant_id, example_id, document_id, route)
    SELECT name, md5(name || n || :salt) || md5(n || name), 'c', 1
    FROM unnest(CAST(:names AS text[])) AS name, generate_series(1, :each) AS n
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
        with self.platform.database.engine.connect().execution_options(
            isolation_level="AUTOCOMMIT"
        ) as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))

    def give_work(self, busy: int) -> None:
        """``busy`` municipalities reach the threshold, as many others have a final to prepare."""
        for _ in range(busy):
            self.add(self._pick(), self.threshold)
        for _ in range(busy):
            sha = f"{next(self._numbers):064x}"
            with self.platform.database.session() as session:
                artifacts.add_artifact(
                    session, self._pick(), session_id="s", version=1, kind="final", uri="x", sha256=sha,
                    uploaded_by="clerk",
                )  # fmt: skip

    def add(self, name: TenantId, size: int) -> None:
        """New examples, through the store."""
        rows = [
            examples.NewExample(f"{next(self._numbers):064x}", "w", 1, golden=False, usable=True, reason=None)
            for _ in range(size)
        ]
        with self.platform.database.session() as session:
            examples.add(session, name, rows)

    def everybody_crosses(self) -> None:
        """Every municipality reaches the threshold in one moment."""
        values = {"names": [str(name) for name in self.names], "each": self.threshold}
        with self.platform.database.session() as session:
            session.execute(sa.text(_CROSS), {**values, "salt": str(next(self._numbers))})

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
        """Enter a run for each request, as the daemon would."""
        for request in requests:
            instance.add_run(
                dg.DagsterRun(
                    job_name="train_adapter",
                    status=dg.DagsterRunStatus.STARTED,
                    tags={**request.tags, "dagster/partition": str(request.partition_key)},
                )
            )

    def _pick(self) -> TenantId:
        self._next += 7
        return self.names[self._next % len(self.names)]
