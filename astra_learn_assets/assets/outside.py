"""What happens outside Dagster, shown so that the lineage is whole: uploads in, dictionary and model out.

The hot path writes finals and the dictionary in a synchronous service; sensors report here what
it did. CORE, which serves the model, reads the pointer that promotion sets.
"""

from __future__ import annotations

import dagster as dg

from astra_learn_assets.assets import code, described
from astra_learn_assets.hotpath import intake
from astra_learn_assets.store import dictionary

_shared = described("feedback")

final_documents = dg.AssetSpec(
    "final_documents",
    description="Minutes as corrected by a clerk, uploaded through the API.",
    kinds={"docx"},
    **{**_shared, "metadata": code.reference(intake.submit_final)},
)

entities_dictionary = dg.AssetSpec(
    "entities_dictionary",
    deps=[final_documents],
    description="Proper nouns put right by clerks; live in under two seconds, without training.",
    kinds={"postgres", "redis"},
    **{**_shared, "metadata": code.reference(dictionary.apply)},
)

specs = [final_documents, entities_dictionary]
