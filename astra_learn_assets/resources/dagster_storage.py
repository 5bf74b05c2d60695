"""Dagster's storage in Postgres, by the same kinds of URL as ours.

SQLAlchemy resolves a bare ``postgresql://`` to another driver than the one that is installed, and hosting
providers hand out ``postgres://``: Dagster then ended at start with an import error. ``dagster.yaml`` names
this class, so that ``ASTRA_DAGSTER_DATABASE_URL`` may be written as ``ASTRA_DATABASE_URL`` may.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import yaml
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage

from astra_learn_assets.store.db import normalise_url


class PostgresStorage(DagsterPostgresStorage):
    """:class:`DagsterPostgresStorage` for any Postgres URL; takes ``postgres_url`` alone."""

    @classmethod
    def from_config_value(  # type: ignore[override]  # Dagster types the config of each class anew
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """The storage at ``postgres_url``.

        Raises:
            BadConfiguration: it is no Postgres URL.
        """
        url = normalise_url(config_value["postgres_url"]).render_as_string(hide_password=False)
        if inst_data is not None:  # what Dagster hands to its other processes
            inst_data = inst_data._replace(config_yaml=yaml.safe_dump({"postgres_url": url}))
        return cls(postgres_url=url, inst_data=inst_data)
