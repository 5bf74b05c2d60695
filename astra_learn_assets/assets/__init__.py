"""One module per stage, in the order of the graph. Each asset calls one stage and tells the UI.

Policies that hold for all assets (owner, partition, backfill, freshness) are in :func:`common`, not repeated,
and links to their code in :mod:`~astra_learn_assets.assets.code`; what a step of a training knows of it is
read off its run in :func:`step_of`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import dagster as dg

from astra_learn_assets.learning.training.run import Step
from astra_learn_assets.partitions import tenant_of, tenant_partitions

# Not of one municipality, which may have nothing to say for a month: of all of them together.
_FRESH = {"feedback": timedelta(days=7), "privacy": timedelta(days=7)}
_FRESH_ELSE = timedelta(days=21)


def described(group: str, *, columns: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What every asset of ``group`` shares, also one that no run makes.

    ``columns``: names and types of its rows.
    """
    schema = [dg.TableColumn(name, kind) for name, kind in (columns or {}).items()]
    return {
        "partitions_def": tenant_partitions,
        "group_name": group,
        "owners": ["team:astra-learn"],
        "freshness_policy": dg.FreshnessPolicy.time_window(fail_window=_FRESH.get(group, _FRESH_ELSE)),
        "metadata": {"dagster/column_schema": dg.TableSchema(columns=schema)} if schema else {},
    }


def common(group: str, *kinds: str, version: str, columns: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Arguments of every asset of ``group`` that runs make; at most two ``kinds`` beside Python.

    ``version``: of the code that decides the asset's content; ``columns``: names and types of its rows.
    """
    return {
        **described(group, columns=columns),
        "kinds": {"python", *kinds},
        # a run a municipality: each has its lane, and one that fails does not take others with it
        "backfill_policy": dg.BackfillPolicy.multi_run(max_partitions_per_run=1),
        "code_version": version,
    }


EXAMPLE_COLUMNS = {"instruction": "string", "input": "string", "output": "string", "meta": "json"}


def step_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Step:
    """What ties this step to its training.

    Raises:
        InvalidTenantId: when the partition key is not a tenant id.
    """
    return Step.tagged(tenant_of(context), context.run.run_id, context.run.tags)
