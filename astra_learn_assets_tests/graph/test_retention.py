"""Old runs go; what the graph shows of today stays. On a real Dagster instance with real runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from astra_learn_assets.automation import retention

TENANTS = dg.DynamicPartitionsDefinition(name="retention_tenant")
LATER = timedelta(hours=1)


@dg.asset(partitions_def=TENANTS)
def corpus() -> int:
    return 1


@dg.asset
def overview() -> int:
    return 1


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as opened:
        opened.add_dynamic_partitions("retention_tenant", ["villaverde", "rio-claro"])
        yield opened


def made(instance: dg.DagsterInstance, asset: dg.AssetsDefinition, tenant: str | None = None) -> str:
    return dg.materialize([asset], partition_key=tenant, instance=instance).run_id


def cleaned(instance: dg.DagsterInstance, before: datetime) -> int:
    return retention.clean(instance, before=before, seconds=60)


def left(instance: dg.DagsterInstance) -> set[str]:
    return {run.run_id for run in instance.get_runs()}


def test_the_newest_materialization_of_each_asset_and_municipality_stays(
    instance: dg.DagsterInstance,
) -> None:
    old, new, other = (made(instance, corpus, tenant) for tenant in ("villaverde", "villaverde", "rio-claro"))
    old_overview, new_overview = made(instance, overview), made(instance, overview)
    assert cleaned(instance, datetime.now(UTC) + LATER) == 2
    assert left(instance) == {new, other, new_overview}
    assert not instance.all_logs(old)
    assert not instance.all_logs(old_overview)
    assert instance.get_materialized_partitions(corpus.key) == {"villaverde", "rio-claro"}


def test_a_run_that_is_not_old_or_not_finished_stays(instance: dg.DagsterInstance) -> None:
    made(instance, corpus, "villaverde")
    made(instance, corpus, "villaverde")
    unfinished = instance.create_run_for_job(
        dg.define_asset_job("job", [corpus]).resolve(
            asset_graph=dg.Definitions([corpus]).resolve_asset_graph()
        ),
        status=dg.DagsterRunStatus.STARTED,
    )
    assert cleaned(instance, datetime.now(UTC) - LATER) == 0
    assert len(left(instance)) == 3
    assert cleaned(instance, datetime.now(UTC) + LATER) == 1
    assert unfinished.run_id in left(instance)


def test_more_runs_than_one_page_holds_are_all_seen(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_BATCH", 2)
    runs = [made(instance, overview) for _ in range(6)]
    assert cleaned(instance, datetime.now(UTC) + LATER) == 5
    assert left(instance) == {runs[-1]}


def test_a_cleaning_whose_time_is_up_goes_on_the_next_time(instance: dg.DagsterInstance) -> None:
    runs = [made(instance, overview) for _ in range(3)]
    before = datetime.now(UTC) + LATER
    assert retention.clean(instance, before=before, seconds=-1) == 0
    assert left(instance) == set(runs)
    assert cleaned(instance, before) == 2
