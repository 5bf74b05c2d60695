"""The table of contents: what there is, in the order of the graph.

final_documents -> document_diffs -> anonymized_pairs [pii_gate] -> golden_set, training_corpus
[corpus_gate] -> lora_adapter [adapter_gate] -> evaluation_report [wer_gate] -> promoted_adapter
"""

from __future__ import annotations

import dagster as dg

from astra_learn_assets.assets import code, outside
from astra_learn_assets.assets.anonymized_pairs import anonymized_pairs
from astra_learn_assets.assets.document_diffs import document_diffs
from astra_learn_assets.assets.evaluation_report import evaluation_report
from astra_learn_assets.assets.golden_set import golden_set
from astra_learn_assets.assets.lora_adapter import lora_adapter
from astra_learn_assets.assets.promoted_adapter import promoted_adapter
from astra_learn_assets.assets.training_corpus import training_corpus
from astra_learn_assets.automation.jobs import jobs
from astra_learn_assets.automation.schedules import hourly_checks, nightly_training
from astra_learn_assets.automation.sensors import build_sensors
from astra_learn_assets.checks.gates import gates
from astra_learn_assets.checks.left_behind import standing_checks
from astra_learn_assets.resources import PlatformResource, TrainerResource
from astra_learn_assets.settings import get_settings

defs = dg.Definitions(
    assets=code.linked(
        [
            *outside.specs,
            document_diffs,
            anonymized_pairs,
            golden_set,
            training_corpus,
            lora_adapter,
            evaluation_report,
            promoted_adapter,
        ],
        get_settings(),
    ),
    asset_checks=[*gates, *standing_checks],
    jobs=jobs,
    sensors=build_sensors(),
    schedules=[nightly_training, hourly_checks],
    resources={"platform": PlatformResource(), "trainer": TrainerResource()},
    executor=dg.in_process_executor,
)
