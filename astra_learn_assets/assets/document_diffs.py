"""Corrected DOCX against its draft: what the human changed, block by block."""

import contextlib

import dagster as dg

from astra_learn_assets.assets import common, outside
from astra_learn_assets.assets.metadata import count_table
from astra_learn_assets.comparator import diff_file
from astra_learn_assets.comparator.engine import ENGINE_VERSION
from astra_learn_assets.hotpath.workers import CompareWorkers
from astra_learn_assets.learning import compare
from astra_learn_assets.partitions import tenant_of
from astra_learn_assets.resources import PlatformResource


@dg.asset(
    deps=[outside.final_documents],
    **common("feedback", "docx", "parquet", version=ENGINE_VERSION, columns=diff_file.COLUMNS),
)
def document_diffs(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult:
    """One encrypted Parquet file per compared document: operations, routes, audio references.

    A document the engine does not trust (another text, vandalism, no draft) is quarantined with
    its reason and teaches nothing. One whose file is missing or damaged is tried again by every run.
    """
    # a process of its own, started only if something must be compared: no document can stop a run
    with platform.open() as opened, contextlib.closing(CompareWorkers(1)) as worker:
        result = compare.compare_waiting_finals(opened, tenant_of(context), compare=worker)
    if result.unreadable:
        context.log.error(f"files of these documents cannot be read: {', '.join(result.unreadable)}")
    return dg.MaterializeResult(
        data_version=dg.DataVersion(result.digest),
        metadata={
            "dagster/row_count": result.blocks,
            "documents": result.total,
            "unreadable": list(result.unreadable),
            "compared_now": result.compared,
            "pairs": result.pairs,
            "operations": count_table("operation", result.operations),
            "pairs_by_route": count_table("route", result.pairs_by_route),
            "quarantined": count_table(
                "document: reason", {f"{k}: {v}": 1 for k, v in result.quarantined.items()}
            ),
            "diffs_sha256": result.digest,
        },
    )
