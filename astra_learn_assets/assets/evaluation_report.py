"""Base, champion and candidate on the same golden set.

The candidate is the adapter of the tenant's newest training. A run tagged ``astra/adapter_id`` judges
that adapter instead, for example an imported one; gate and promotion read the same tag.
"""

import dagster as dg

from astra_learn_assets.assets import common, step_of
from astra_learn_assets.assets.code import version_of
from astra_learn_assets.assets.golden_set import golden_set
from astra_learn_assets.assets.lora_adapter import lora_adapter
from astra_learn_assets.assets.metadata import error_rates, panel
from astra_learn_assets.automation.run_coordinator import GPU_POOL
from astra_learn_assets.learning import evaluate
from astra_learn_assets.partitions import tenant_of
from astra_learn_assets.resources import PlatformResource, TrainerResource

_VERSION = version_of("astra_learn_assets/evaluation", "trainer")


@dg.asset(
    deps=[lora_adapter, golden_set],
    pool=GPU_POOL,
    **common("learning", "pytorch", version=_VERSION),
)
def evaluation_report(
    context: dg.AssetExecutionContext,
    platform: PlatformResource,
    trainer: TrainerResource,
) -> dg.MaterializeResult:
    """Word and character error rate of each model, with paired intervals by document."""
    with platform.open() as opened:
        result = evaluate.evaluate_candidate(opened, step_of(context), run=trainer.runner(context))
        links = panel(opened.settings, tenant_of(context))
    return dg.MaterializeResult(
        data_version=dg.DataVersion(result.contest.evaluation_hash),
        metadata={
            "error_rates": error_rates(result.report),
            **links,
            "candidate": result.contest.candidate.adapter_id,
            **{name: adapter.adapter_id for name, adapter in result.contest.others.items()},
            "reused": result.reused,
            "golden_hash": result.contest.golden_hash,
            "evaluation_hash": result.contest.evaluation_hash,
        },
    )
