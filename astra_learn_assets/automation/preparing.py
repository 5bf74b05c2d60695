"""Which tenants get a preparing run: what waits for one, and what the runs before made of it.

The same work is asked for at most six times a day, five minutes apart; then a person must look. Two
questions to Dagster answer for every tenant of a tick.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import dagster as dg

from astra_learn_assets.automation import fates
from astra_learn_assets.automation.jobs import prepare_examples
from astra_learn_assets.ids import TenantId
from astra_learn_assets.store.documents import Outstanding

WORK_TAG = "astra/waiting"
ATTEMPT_TAG = "astra/attempt"
FAULT_TAG = "astra/fault"  # what the failure sensor found
RETRY_AFTER = timedelta(minutes=5)
MAX_RUNS = 6
WINDOW = timedelta(days=1)
_NAMED = 3


@dataclass(frozen=True)
class Waiting:
    """What a tenant's next preparing run would find to do; false when that is nothing."""

    newest_final: int | None
    documents: Outstanding

    def __bool__(self) -> bool:
        return self.newest_final is not None or bool(self.documents)

    @property
    def key(self) -> str:
        """16 hexadecimal digits that change with the work, so that new work is never taken for a retry."""
        rows = self.documents
        content = [self.newest_final, rows.policy, rows.stale, rows.unjudged, rows.unreadable]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        rows = self.documents
        more = " …" if len(rows.unreadable) > _NAMED else ""
        parts = [
            "new finals" if self.newest_final is not None else "",
            f"documents to anonymize: {len(rows.stale)}" if rows.stale else "",
            f"documents without a verdict: {len(rows.unjudged)}" if rows.unjudged else "",
            f"unreadable files of {' '.join(rows.unreadable[:_NAMED])}{more}" if rows.unreadable else "",
        ]
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True)
class Earlier:
    """A run for the same work: when it was asked for, as which attempt, whose fault its failure was.

    ``submitted``: not one that was made and left so by a daemon that died.
    """

    asked_at: datetime
    attempt: int
    fault: str | None = None
    submitted: bool = True


@dataclass(frozen=True)
class Runs:
    """The preparing runs that matter to a tick: tenants with an active one, earlier runs by tenant."""

    active: frozenset[str]
    earlier: Mapping[str, Sequence[Earlier]]
    now: datetime

    @classmethod
    def of(cls, instance: dg.DagsterInstance, keys: Mapping[TenantId, str], now: datetime) -> Runs:
        """Of the tenants in ``keys`` (tenant to the key of its work); newest first."""
        if not keys:
            return cls(frozenset(), {}, now)
        unfinished = dg.RunsFilter(job_name=prepare_examples.name, statuses=fates.MAY_BE_ACTIVE)
        active = [one.dagster_run for one in instance.get_run_records(unfinished) if fates.is_active(one)]
        same = dg.RunsFilter(job_name=prepare_examples.name, tags={WORK_TAG: sorted(set(keys.values()))})
        earlier: dict[str, list[Earlier]] = defaultdict(list)
        for record in instance.get_run_records(same, limit=2 * MAX_RUNS * len(keys)):
            tags = record.dagster_run.tags
            tenant = tags.get("dagster/partition", "")
            if keys.get(tenant) == tags[WORK_TAG]:  # type: ignore[call-overload]  # a tenant id is a string
                earlier[tenant].append(
                    Earlier(
                        record.create_timestamp,
                        int(tags.get(ATTEMPT_TAG, len(earlier[tenant]) + 1)),
                        tags.get(FAULT_TAG),
                        record.dagster_run.status != dg.DagsterRunStatus.NOT_STARTED,
                    )
                )
        return cls(frozenset(run.tags.get("dagster/partition", "") for run in active), earlier, now)

    def request(self, tenant: TenantId, waiting: Waiting) -> dg.RunRequest | str:
        """The run to ask for, or why none is."""
        if tenant in self.active:
            return f"{waiting}; a preparing run is under way"
        earlier = self.earlier.get(tenant, ())
        if earlier and not earlier[0].submitted:  # under its key Dagster submits this very run
            return self._asked(tenant, waiting, earlier[0].attempt)
        recent = [run for run in earlier if self.now - run.asked_at < WINDOW]
        if len(recent) >= MAX_RUNS:
            again = (recent[MAX_RUNS - 1].asked_at + WINDOW).isoformat(timespec="minutes")
            return (
                f"{waiting}, and {len(recent)} runs did not change that: a person must look at the last run "
                f"of {prepare_examples.name}; tried again at {again}"
            )
        if recent and recent[0].fault == "permanent":
            again = (recent[0].asked_at + WINDOW).isoformat(timespec="minutes")
            return f"{waiting}; a retry cannot change the last failure, see its run; tried again at {again}"
        if recent and self.now - recent[0].asked_at < RETRY_AFTER:
            again = (recent[0].asked_at + RETRY_AFTER).isoformat(timespec="minutes")
            return f"{waiting}; the last run did not change that, tried again at {again}"
        # From the newest run's number, not from how many there are: old runs may be cleaned away.
        return self._asked(tenant, waiting, 1 + (earlier[0].attempt if earlier else 0))

    @staticmethod
    def _asked(tenant: TenantId, waiting: Waiting, attempt: int) -> dg.RunRequest:
        return dg.RunRequest(
            run_key=f"{tenant}:{waiting.key}:{attempt}",
            partition_key=str(tenant),
            tags={WORK_TAG: waiting.key, ATTEMPT_TAG: str(attempt)},
        )
