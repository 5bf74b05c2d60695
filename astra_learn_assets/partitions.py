"""The one partition dimension: the tenant. Batches and versions live in paths and metadata.

Dagster advises at most 100,000 keys an asset; tenant x date would pass that within a year.
"""

from __future__ import annotations

import dagster as dg

from astra_learn_assets.ids import TenantId

TENANTS_NAME = "tenant"
tenant_partitions = dg.DynamicPartitionsDefinition(name=TENANTS_NAME)


def tenant_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> TenantId:
    """The tenant a run works for, validated: Dagster itself accepts any string as a partition key.

    Raises:
        InvalidTenantId: when the key is not a tenant id.
    """
    return TenantId(context.partition_key)
