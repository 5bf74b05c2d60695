"""What happens outside Dagster, shown so that the lineage is whole: uploads in, dictionary and model out.

The hot path writes finals and the dictionary in a synchronous service; sensors report here what
it did. CORE, which serves the model, reads the pointer that promotion sets.
"""

from __future__ import annotations

import dagster as dg

from astra_learn_assets.assets import common

_shared = common("feedback", "docx")

final_documents = dg.AssetSpec(
    "final_documents",
    description="Minutes as corrected by a clerk, uploaded through the API.",
    group_name="feedback",
    owners=_shared["owners"],
    kinds={"docx"},
    partitions_def=_shared["partitions_def"],
)

entities_dictionary = dg.AssetSpec(
    "entities_dictionary",
    deps=[final_documents],
    description="Proper nouns put right by clerks; live in under two seconds, without training.",
    group_name="feedback",
    owners=_shared["owners"],
    kinds={"postgres", "redis"},
    partitions_def=_shared["partitions_def"],
)

specs = [final_documents, entities_dictionary]
