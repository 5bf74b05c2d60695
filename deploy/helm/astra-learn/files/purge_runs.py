"""Remove finished runs and their events from Dagster's storage when they are old enough.

Call::

    python purge_runs.py --days 365

Dagster purges ticks by itself (``retention`` in dagster.yaml) and nothing else: a thousand municipalities
leave some hundred thousand runs a year. What stays, however old: a run that is not finished, and the run
of the newest materialization of each asset and municipality, without which the graph would show an
adapter that serves as one that was never made.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from dagster import AssetRecordsFilter, DagsterEventType, DagsterInstance, DagsterRunStatus, RunsFilter

_FINISHED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
_BATCH = 200
_LOG = logging.getLogger("purge_runs")


def runs_that_show(instance: DagsterInstance) -> set[str]:
    """The runs of the newest materialization of each asset and partition."""
    shown: set[str] = set()
    for key in instance.get_asset_keys():
        newest = instance.get_latest_storage_id_by_partition(key, DagsterEventType.ASSET_MATERIALIZATION)
        last = instance.get_latest_materialization_event(key)  # of an asset without partitions
        if last is not None:
            shown.add(last.run_id)
        ids = sorted(newest.values())
        for start in range(0, len(ids), _BATCH):
            wanted = AssetRecordsFilter(asset_key=key, storage_ids=ids[start : start + _BATCH])
            shown.update(
                record.run_id for record in instance.fetch_materializations(wanted, limit=_BATCH).records
            )
    return shown


def purge(instance: DagsterInstance, *, before: datetime, pause_seconds: float = 0.0) -> int:
    """Delete what finished ``before``; returns how many runs. It may be stopped and started again."""
    keep = runs_that_show(instance)
    deleted = 0
    for run_id in list(_old(instance, before)):
        if run_id not in keep:
            instance.delete_run(run_id)
            deleted += 1
            time.sleep(pause_seconds)  # clerks use the same server
    return deleted


def _old(instance: DagsterInstance, before: datetime) -> Iterator[str]:
    cursor: str | None = None
    while True:
        records = instance.get_run_records(
            RunsFilter(statuses=_FINISHED, updated_before=before), limit=_BATCH, cursor=cursor
        )
        yield from (record.dagster_run.run_id for record in records)
        if len(records) < _BATCH:
            return
        cursor = records[-1].dagster_run.run_id


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, required=True)
    days = parser.parse_args().days
    if days < 1:
        parser.error("--days: at least 1")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    before = datetime.now(UTC) - timedelta(days=days)
    with DagsterInstance.get() as instance:
        _LOG.info(
            "%d runs finished before %s were removed",
            purge(instance, before=before, pause_seconds=0.01),
            before.date(),
        )


if __name__ == "__main__":
    main()
