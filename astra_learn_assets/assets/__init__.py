"""One module per stage, in the order of the graph. Each asset calls one stage and tells the UI.

Policies that hold for all assets (owner, partition) are in :func:`common`, not repeated; what a step of a
training knows of it is read off its run in :func:`step_of`.
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from astra_learn_assets.learning.training.run import Step
from astra_learn_assets.partitions import tenant_of, tenant_partitions


def common(group: str, *kinds: str) -> dict[str, Any]:
    """Arguments every asset of ``group`` shares; at most two ``kinds`` beside Python."""
    return {
        "partitions_def": tenant_partitions,
        "group_name": group,
        "owners": ["team:astra-learn"],
        "kinds": {"python", *kinds},
    }


def step_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Step:
    """What ties this step to its training.

    Raises:
        InvalidTenantId: when the partition key is not a tenant id.
    """
    return Step.tagged(tenant_of(context), context.run.run_id, context.run.tags)
