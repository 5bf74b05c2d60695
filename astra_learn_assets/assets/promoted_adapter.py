"""The champion: what CORE serves to this tenant from its next session on."""

import dagster as dg

from astra_learn_assets.assets import common, step_of
from astra_learn_assets.assets.code import version_of
from astra_learn_assets.assets.evaluation_report import evaluation_report
from astra_learn_assets.assets.metadata import before_and_after, panel
from astra_learn_assets.learning import promote
from astra_learn_assets.partitions import tenant_of
from astra_learn_assets.resources import PlatformResource

_VERSION = version_of("astra_learn_assets/registry")


@dg.asset(
    deps=[evaluation_report],
    **common("serving", "mlflow", "redis", version=_VERSION),
)
def promoted_adapter(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult:
    """What serves from the next session on: row, signed record, Redis key and MLflow alias say so."""
    with platform.open() as opened:
        result = promote.promote_candidate(opened, step_of(context))
        links = panel(opened.settings, tenant_of(context))
    return dg.MaterializeResult(
        data_version=dg.DataVersion(result.digest),
        metadata={
            "reason": result.verdict.reason,
            "word_errors": before_and_after(result.verdict.details),
            **links,
            "changed": result.changed,
            "adapter_id": result.adapter_id,
            "previous": result.previous_adapter_id or "none",
            "mlflow_version": result.mlflow_version or "none",
            "sha256": result.digest,
        },
    )
