"""Dagster's storage stays small: old runs go, with their events.

Dagster purges ticks by itself (``retention`` in dagster.yaml) and nothing else: a thousand municipalities
leave some hundred thousand runs a year. What stays, however old: a run that is not finished, and the run of
the newest materialization of each asset and municipality, without which the graph would show an adapter
that serves as one that was never made.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

import dagster as dg

from astra_learn_assets.resources import worker_mark

FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_BATCH = 200


def runs_that_show(instance: dg.DagsterInstance) -> set[str]:
    """The runs of the newest materialization of each asset and partition."""
    shown: set[str] = set()
    for key in instance.get_asset_keys():
        last = instance.get_latest_materialization_event(key)  # of an asset without partitions
        if last is not None:
            shown.add(last.run_id)
        newest = instance.event_log_storage.get_latest_storage_id_by_partition(
            key, dg.DagsterEventType.ASSET_MATERIALIZATION
        )
        ids = sorted(newest.values())
        for start in range(0, len(ids), _BATCH):
            wanted = dg.AssetRecordsFilter(asset_key=key, storage_ids=ids[start : start + _BATCH])
            found = instance.fetch_materializations(wanted, limit=_BATCH).records
            shown.update(record.run_id for record in found)
    return shown


def clean(instance: dg.DagsterInstance, *, before: datetime, seconds: float) -> int:
    """Delete runs that finished ``before``, for ``seconds`` at most; returns how many. Goes on next time."""
    deadline = time.monotonic() + seconds
    keep: set[str] | None = None
    deleted = 0
    for run_id in _old(instance, before):
        keep = runs_that_show(instance) if keep is None else keep
        if time.monotonic() > deadline:
            break
        if run_id not in keep:
            instance.delete_run(run_id)
            worker_mark.forget(run_id)
            deleted += 1
    return deleted


def _old(instance: dg.DagsterInstance, before: datetime) -> Iterator[str]:
    """Run ids, oldest first. Each page is asked for before the one ahead of it is handed out: what is handed
    out is deleted, and a page after a run that is gone is empty."""
    page = _page(instance, before, None)
    while page:
        following = _page(instance, before, page[-1]) if len(page) == _BATCH else []
        yield from page
        page = following


def _page(instance: dg.DagsterInstance, before: datetime, cursor: str | None) -> list[str]:
    records = instance.get_run_records(
        dg.RunsFilter(statuses=FINISHED, updated_before=before),
        limit=_BATCH,
        cursor=cursor,
        ascending=True,
    )
    return [record.dagster_run.run_id for record in records]
