"""The jobs sensors start and an operator launches: examples first, then one training."""

from __future__ import annotations

import dagster as dg

prepare_examples = dg.define_asset_job(
    "prepare_examples",
    selection=dg.AssetSelection.assets("document_diffs", "anonymized_pairs"),
    description="Compare waiting finals and anonymize their pairs.",
)

train_adapter = dg.define_asset_job(
    "train_adapter",
    selection=dg.AssetSelection.assets(
        "golden_set", "training_corpus", "lora_adapter", "evaluation_report", "promoted_adapter"
    ),
    description="Freeze corpus and golden set, train, evaluate, and promote if the gates pass.",
)

evaluate_adapter = dg.define_asset_job(
    "evaluate_adapter",
    selection=dg.AssetSelection.assets("evaluation_report", "promoted_adapter"),
    description="Judge the adapter named in the run's tag astra/adapter_id, and promote it if it passes.",
)

standing_checks = dg.define_asset_job(
    "standing_checks",
    selection=dg.AssetSelection.checks_for_assets("final_documents"),
    description="Is any municipality stuck, is any partition left failed?",
)

jobs = [prepare_examples, train_adapter, evaluate_adapter, standing_checks]
