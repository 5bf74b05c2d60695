"""A corpus becomes a signed adapter, on a GPU where there is one."""

import dagster as dg
from pydantic import Field

from astra_learn_assets.assets import common, step_of
from astra_learn_assets.assets.code import version_of
from astra_learn_assets.assets.metadata import loss_curve, panel
from astra_learn_assets.assets.training_corpus import training_corpus
from astra_learn_assets.automation.run_coordinator import GPU_POOL
from astra_learn_assets.learning.training import train
from astra_learn_assets.partitions import tenant_of
from astra_learn_assets.resources import PlatformResource, TrainerResource

_VERSION = version_of("trainer")


class TrainConfig(dg.Config):
    """What an operator may change for one training; empty = the settings' recipe."""

    hyperparameters: dict[str, float] = Field(
        default_factory=dict,
        description="of astra_learn_assets.learning.training.process: rank, epochs, made_share …",
    )
    force: bool = Field(False, description="train even if the same recipe has an adapter already")
    also_bin: bool = Field(False, description="the weights also as adapter_model.bin, beside safetensors")


@dg.asset(
    deps=[training_corpus],
    pool=GPU_POOL,
    **common("learning", "pytorch", "huggingface", version=_VERSION),
)
def lora_adapter(
    context: dg.AssetExecutionContext,
    config: TrainConfig,
    platform: PlatformResource,
    trainer: TrainerResource,
) -> dg.MaterializeResult:
    """LoRA on the base model, by the trainer in a process of its own; one recipe is trained at most once."""
    with platform.open() as opened:
        result = train.train_adapter(
            opened,
            step_of(context),
            run=trainer.runner(context),
            overrides=train.overrides(config.hyperparameters),
            force=config.force,
            also_bin=config.also_bin,
        )
        link = train.mlflow_link(opened.settings, result)
        links = panel(opened.settings, tenant_of(context))
    return dg.MaterializeResult(
        data_version=dg.DataVersion(result.digest),
        metadata={  # what a person looks at first, hashes last
            **({"loss": loss_curve(result.log)} if result.log else {}),
            **links,
            "adapter_id": result.manifest.adapter_id,
            "reused": result.reused,
            "mlflow_run": dg.MetadataValue.url(link) if link.startswith("http") else link,
            "hyperparameters": dict(result.manifest.hyperparameters),
            "metrics": dict(result.manifest.metrics),
            "dataset_hash": result.manifest.dataset_hash,
            "commit_hash": result.manifest.commit_hash,
            "sha256": result.digest,
        },
    )
