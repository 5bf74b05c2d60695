"""Pairs without persons: the last place where a citizen's name may be read."""

import dagster as dg

from astra_learn_assets.assets import EXAMPLE_COLUMNS, common
from astra_learn_assets.assets.document_diffs import document_diffs
from astra_learn_assets.assets.metadata import count_table
from astra_learn_assets.learning import anonymize
from astra_learn_assets.partitions import tenant_of
from astra_learn_assets.privacy.pseudonymizer import VERSION
from astra_learn_assets.resources import PlatformResource


@dg.asset(
    deps=[document_diffs], **common("privacy", "jsonl", "presidio", version=VERSION, columns=EXAMPLE_COLUMNS)
)
def anonymized_pairs(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult:
    """One encrypted JSONL per document: pseudonymized, quality-checked and scanned once more.

    No text is shown here: pii_gate has yet to pass it, and shows a preview when it did.
    """
    with platform.open() as opened:
        result = anonymize.anonymize_documents(opened, tenant_of(context))
    for document in (*result.unreadable, *result.refused):
        context.log.error(f"document {document} is kept out: its row says why")
    return dg.MaterializeResult(
        data_version=dg.DataVersion(result.digest),
        metadata={
            "dagster/row_count": result.total_examples,
            "documents": result.total_documents,
            "documents_now": result.documents,
            "examples_now": result.examples,
            "left_out": count_table("reason", result.left_out),
            "masked": count_table("kind", result.entities),
            "unreadable": list(result.unreadable),
            "refused": list(result.refused),
            "pairs_sha256": result.digest,
        },
    )
