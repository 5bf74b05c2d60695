"""The frozen test of a tenant: documents that never teach."""

import dagster as dg

from astra_learn_assets.assets import EXAMPLE_COLUMNS, common
from astra_learn_assets.assets.anonymized_pairs import anonymized_pairs
from astra_learn_assets.assets.code import version_of
from astra_learn_assets.learning import assemble
from astra_learn_assets.partitions import tenant_of
from astra_learn_assets.resources import PlatformResource

_VERSION = version_of("astra_learn_assets/datasets")


@dg.asset(
    deps=[anonymized_pairs],
    **common("learning", "jsonl", version=_VERSION, columns=EXAMPLE_COLUMNS),
)
def golden_set(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult:
    """Examples of the documents a hash sets aside; every model of the tenant is judged on them."""
    with platform.open() as opened:
        result = assemble.build_golden_set(opened, tenant_of(context))
    return dg.MaterializeResult(
        data_version=dg.DataVersion(result.golden_hash),
        metadata={
            "dagster/row_count": result.examples,
            "examples": result.examples,
            "words": result.words,
            "documents": result.documents,
            "unchanged_words": result.unchanged_words,
            "warnings": list(result.warnings),
            "golden_hash": result.golden_hash,
        },
    )
