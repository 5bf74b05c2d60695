"""Checks that stand: asked every hour whether anybody was left behind, and who.

They hang on what the hot path writes, which no run materializes: so no training run evaluates them.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg
from dagster._core.storage.partition_status_cache import AssetPartitionStatus

from astra_learn_assets.assets.metadata import table
from astra_learn_assets.assets.outside import final_documents
from astra_learn_assets.learning.standing import standing, stuck
from astra_learn_assets.partitions import tenant_partitions
from astra_learn_assets.resources import PlatformResource

ASSETS = (
    "document_diffs",
    "anonymized_pairs",
    "golden_set",
    "training_corpus",
    "lora_adapter",
    "evaluation_report",
    "promoted_adapter",
)
_SHOWN = 200
_NAMED = 5


@dg.asset_check(asset=final_documents.key)
def no_tenant_is_stuck(platform: PlatformResource) -> dg.AssetCheckResult:
    """Nobody waits for something that does not come by itself."""
    with platform.open() as opened, opened.database.session() as session:
        found = stuck(standing(session), datetime.now(UTC))
    rows = [
        {"tenant": one.tenant_id, "what": one.what, "since": f"{one.since:%F %R}", "reason": one.reason}
        for one in found
    ]
    return _told([one.tenant_id for one in found], rows, ("tenant", "what", "since", "reason"))


@dg.asset_check(asset=final_documents.key)
def no_partition_is_left_failed(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    """No municipality's newest attempt at an asset is a failed one."""
    instance = context.instance
    keys = instance.get_dynamic_partitions(str(tenant_partitions.name))
    rows: list[dict[str, str]] = []
    for name in ASSETS:
        states = instance.get_status_by_partition(dg.AssetKey(name), keys, tenant_partitions) or {}
        rows += [
            {"tenant": tenant, "asset": name}
            for tenant, state in states.items()
            if state == AssetPartitionStatus.FAILED
        ]
    return _told([row["tenant"] for row in rows], rows, ("tenant", "asset"))


def _told(
    tenants: Sequence[str], rows: Sequence[dict[str, str]], columns: Sequence[str]
) -> dg.AssetCheckResult:
    affected = list(dict.fromkeys(tenants))
    named = ", ".join(affected[:_NAMED]) + (" …" if len(affected) > _NAMED else "")
    shown = table(rows[:_SHOWN], columns=dict.fromkeys(columns, "string"))
    return dg.AssetCheckResult(
        passed=not rows,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(affected)} municipalities: {named}" if rows else "nobody",
        metadata={"affected": len(affected), **({"who": shown} if rows else {})},
    )


standing_checks = [no_tenant_is_stuck, no_partition_is_left_failed]
