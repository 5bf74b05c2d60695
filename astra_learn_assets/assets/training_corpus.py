"""What one training reads: the tenant's examples and a share of replay."""

from collections.abc import Iterator

import dagster as dg

from astra_learn_assets.assets import EXAMPLE_COLUMNS, common, step_of
from astra_learn_assets.assets.anonymized_pairs import anonymized_pairs
from astra_learn_assets.assets.code import version_of
from astra_learn_assets.assets.golden_set import golden_set
from astra_learn_assets.assets.metadata import count_table
from astra_learn_assets.learning import assemble
from astra_learn_assets.resources import PlatformResource

_VERSION = version_of("astra_learn_assets/datasets")


@dg.asset(
    deps=[anonymized_pairs, golden_set],
    output_required=False,
    **common("learning", "jsonl", version=_VERSION, columns=EXAMPLE_COLUMNS),
)
def training_corpus(
    context: dg.AssetExecutionContext, platform: PlatformResource
) -> Iterator[dg.MaterializeResult]:
    """Newest usable examples first, capped, with replay against forgetting; no golden document in it.

    A municipality that has nothing to learn from yet has no corpus: the assets after it are skipped, so
    a backfill of all municipalities is not red because one of them is new.
    """
    step = step_of(context)
    with platform.open() as opened:
        if step.training_id is None and not assemble.has_examples(opened, step.tenant_id):
            context.log.warning(
                f"tenant {step.tenant_id} has no usable example that passed pii_gate: no corpus is made and "
                "nothing is trained. Materialize document_diffs and anonymized_pairs first"
            )
            return
        result = assemble.build_training_corpus(opened, step)
    yield dg.MaterializeResult(
        data_version=dg.DataVersion(result.dataset_hash),
        metadata={
            "dagster/row_count": result.tenant_examples + result.replay_examples,
            "tenant_examples": result.tenant_examples,
            "replay_examples": result.replay_examples,
            "through_seq": result.through_seq,
            "by_route": count_table("route", result.by_route),
            "left_out": count_table("reason", result.left_out),
            "hostile_documents": sorted(result.hostile_documents),
            "preview": f"astra-learn examples {step.tenant_id}",
            "dataset_hash": result.dataset_hash,
            "golden_hash": result.golden_hash,
            "training": result.training_id,
        },
    )
