"""Dagster's database by the URLs that people and hosting providers write."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
import yaml

from astra_learn_assets.errors import BadConfiguration
from astra_learn_assets.settings import REPOSITORY, Settings


def instance_at(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dg.DagsterInstance:
    config = yaml.safe_load((REPOSITORY / "dagster.yaml").read_text())
    (folder / "dagster.yaml").write_text(yaml.safe_dump({"storage": config["storage"]}))
    monkeypatch.setenv("ASTRA_DAGSTER_DATABASE_URL", url)
    return dg.DagsterInstance.from_config(str(folder))


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_every_way_to_write_a_postgres_url_works_and_is_handed_on(
    scheme: str, services: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{scheme}://{(services.dagster_database_url or '').partition('://')[2]}"
    with instance_at(url, tmp_path, monkeypatch) as instance:
        assert instance.get_runs(limit=1) == []
        reference = instance.get_ref()
    with dg.DagsterInstance.from_ref(reference) as other:  # as in a code server or a run's process
        assert other.get_runs(limit=1) == []


def test_a_url_of_another_database_is_refused_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadConfiguration, match="only Postgres works"):
        instance_at("mysql://user@host/dagster", tmp_path, monkeypatch)
