"""Old runs go; what the graph shows of today stays. On a real Dagster instance with real runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import dagster as dg
import pytest

from astra_learn_assets_tests.deploy.chart import CHART, load

TENANTS = dg.DynamicPartitionsDefinition(name="retention_tenant")
LATER = timedelta(hours=1)


@dg.asset(partitions_def=TENANTS)
def corpus() -> int:
    return 1


@dg.asset
def overview() -> int:
    return 1


@pytest.fixture(scope="module")
def purge_runs() -> ModuleType:
    return load(CHART / "files" / "purge_runs.py")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as opened:
        opened.add_dynamic_partitions("retention_tenant", ["villaverde", "rio-claro"])
        yield opened


def made(instance: dg.DagsterInstance, asset: dg.AssetsDefinition, tenant: str | None = None) -> str:
    return dg.materialize([asset], partition_key=tenant, instance=instance).run_id


def left(instance: dg.DagsterInstance) -> set[str]:
    return {run.run_id for run in instance.get_runs()}


def test_the_newest_materialization_of_each_asset_and_municipality_stays(
    purge_runs: ModuleType, instance: dg.DagsterInstance
) -> None:
    old, new, other = (made(instance, corpus, tenant) for tenant in ("villaverde", "villaverde", "rio-claro"))
    old_overview, new_overview = made(instance, overview), made(instance, overview)
    assert purge_runs.purge(instance, before=datetime.now(UTC) + LATER) == 2
    assert left(instance) == {new, other, new_overview}
    assert not instance.all_logs(old)
    assert not instance.all_logs(old_overview)
    assert instance.get_materialized_partitions(corpus.key) == {"villaverde", "rio-claro"}


def test_a_run_that_is_not_old_or_not_finished_stays(
    purge_runs: ModuleType, instance: dg.DagsterInstance
) -> None:
    made(instance, corpus, "villaverde")
    made(instance, corpus, "villaverde")
    unfinished = instance.create_run_for_job(
        dg.define_asset_job("job", [corpus]).resolve(
            asset_graph=dg.Definitions([corpus]).resolve_asset_graph()
        ),
        status=dg.DagsterRunStatus.STARTED,
    )
    assert purge_runs.purge(instance, before=datetime.now(UTC) - LATER) == 0
    assert len(left(instance)) == 3
    assert purge_runs.purge(instance, before=datetime.now(UTC) + LATER) == 1
    assert unfinished.run_id in left(instance)


def test_more_runs_than_one_page_holds_are_all_seen(
    purge_runs: ModuleType, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purge_runs, "_BATCH", 2)
    runs = [made(instance, overview) for _ in range(6)]
    assert purge_runs.purge(instance, before=datetime.now(UTC) + LATER) == 5
    assert left(instance) == {runs[-1]}
