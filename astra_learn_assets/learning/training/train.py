"""lora_adapter: one corpus becomes one signed adapter, at most once; its steady substitutions lie beside it.

A recipe is the corpus, the base model with its revision and the hyperparameters. If the tenant has
an adapter of the same recipe already, it is that one: training again by hand, a retry after a lost
worker or a backfill costs no GPU hour and changes no hash. ``force`` trains anyway.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

from astra_learn_assets.contracts import AdapterManifest, GateVerdict
from astra_learn_assets.datasets import jsonl
from astra_learn_assets.datasets.steady import STEADY, count_steady, dump_steady
from astra_learn_assets.errors import BadConfiguration, TrainingFailed
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import assemble, lineage, measured, predict, provenance, publisher, rulings
from astra_learn_assets.learning.training import faults, progress
from astra_learn_assets.learning.training import process as trainer_process
from astra_learn_assets.learning.training import run as training_run
from astra_learn_assets.learning.training.plan import setup_key
from astra_learn_assets.learning.training.process import Runner
from astra_learn_assets.learning.training.run import Step
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry import adapter_gate, keys
from astra_learn_assets.registry import manifest as manifests
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import adapters, paths, verdicts

# as in trainer/model.py, which cannot be imported from here; a test holds the two together
_DECISIVE_FILES = (
    "*.safetensors", "*.safetensors.index.json", "pytorch_model*.bin", "pytorch_model.bin.index.json",
    "config.json", "tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab.*", "merges.txt",
    "*.model", "*.tiktoken", "chat_template*", "*.jinja",
)  # fmt: skip


@dataclass(frozen=True)
class TrainResult:
    """The adapter of a corpus; ``log`` is the trainer's, one dict a step (empty when reused)."""

    manifest: AdapterManifest
    digest: str
    reused: bool
    mlflow_run_id: str | None
    log: tuple[dict[str, Any], ...] = field(default=())


@training_run.stage("lora_adapter", lambda made: "reused" if made.reused else "done")
def train_adapter(
    platform: Platform,
    step: Step,
    *,
    run: Runner,
    overrides: dict[str, float | int] | None = None,
    force: bool = False,
    also_bin: bool = False,
) -> TrainResult:
    """Train the adapter of the step's corpus, or find the one already made from it.

    ``also_bin`` adds ``adapter_model.bin`` for servers that read nothing else: other files, so an adapter of
    its own.

    An adapter that an ended training did not have (another recipe, or forced) begins a new attempt, so
    that every later gate judges this adapter.

    Raises:
        GateRefused: when the corpus has no passing corpus_gate verdict for its exact hash, or the privacy
            policy has changed since.
        TrainingFailed: when the trainer ends with an error; the training's row says which.
        Superseded: when the training was closed or given to another run while the trainer worked.
    """
    tenant_id = step.tenant_id
    training = training_run.of_step(platform, step)
    settings = platform.settings
    with platform.database.session() as session:
        verdicts.require_passed(session, tenant_id, "corpus_gate", training.dataset_hash)
    recipe = trainer_process.hyperparameters(settings, overrides or {})
    base_model, base_revision = base_identity(settings)
    recipe_hash = publisher.recipe_hash(
        dataset_hash=training.dataset_hash,
        base_model=base_model,
        base_revision=base_revision,
        hyperparameters={**recipe, "also_bin": 1} if also_bin else recipe,
    )
    if not force and (made := _already_made(platform, tenant_id, recipe_hash)) is not None:
        training = _for_adapter(platform, step, training, made.manifest.adapter_id)
        training_run.note(platform, training, metrics={}, adapter_id=made.manifest.adapter_id)
        return made
    keys.signing_key(settings)  # a missing key must not show after the GPU hours
    with tempfile.TemporaryDirectory(prefix="astra-train-") as work:
        data, out = Path(work, "corpus.jsonl"), Path(work, "adapter")
        data.write_bytes(assemble.read_approved(platform, tenant_id, training.dataset_hash))
        golden, answers = Path(work, "golden.jsonl"), Path(work, "answers.jsonl")
        examples = predict.asked(platform, tenant_id, training.golden_hash)
        golden.write_bytes(jsonl.dump(examples))
        command = trainer_process.train_command(
            settings,
            tenant_id=tenant_id,
            data=data,
            out=out,
            hyperparameters=recipe,
            checkpoints=_checkpoints(settings, tenant_id, recipe_hash),
            also_bin=also_bin,
            judge=(golden, answers),
        )
        try:
            watched = trainer_process.running_log(out), trainer_process.waits(out)
            with progress.watched(platform, training, "training", *watched):
                run(command)
        except TrainingFailed as error:
            training_run.end(
                platform,
                training,
                state="failed",
                reason=str(error),
                fault=faults.of_exit_code(error.exit_code),
                setup=setup_key(settings),
            )
            raise
        (out / STEADY).write_bytes(dump_steady(count_steady(jsonl.load(data.read_bytes()))))
        metrics = json.loads((out / "metrics.json").read_text())
        log = [
            {name: value for name, value in json.loads(line).items() if name not in progress.OF_THE_MOMENT}
            for line in (out / "train_log.jsonl").read_text().splitlines()
        ]
        manifest = manifests.build_manifest(
            out,
            tenant_id=tenant_id,
            base_model=base_model,
            base_revision=base_revision,
            dataset_hash=training.dataset_hash,
            hyperparameters={n: metrics["hyperparameters"][n] for n in trainer_process.HYPERPARAMETERS},
            # signed with the rest: a run that finds this adapter again cannot claim to have trained it
            metrics={**metrics, provenance.TRAINED_BY: step.dagster_run_id},
        )
        mlflow_run_id = lineage.log_training(
            settings,
            manifest,
            folder=out,
            log=log,
            dagster_run_id=step.dagster_run_id,
            inputs=[_as_input(platform, tenant_id, training.dataset_hash)],
        )
        training_run.require_own(platform, training)
        row = publisher.publish(platform, out, manifest, recipe_hash=recipe_hash, mlflow_run_id=mlflow_run_id)
        if answers.is_file():
            named = f"{base_model}@{base_revision}"
            predict.keep_answers(platform, row, base=named, examples=examples, answers=answers.read_bytes())
    training = _for_adapter(platform, step, training, row.adapter_id)
    training_run.note(
        platform,
        training,
        metrics={"train": metrics},
        adapter_id=row.adapter_id,
        mlflow_run_id=mlflow_run_id,
    )
    return TrainResult(manifest, row.digest, reused=False, mlflow_run_id=mlflow_run_id, log=tuple(log))


def _as_input(platform: Platform, tenant_id: TenantId, dataset_hash: str) -> lineage.Input:
    held = provenance.documents_of(platform, tenant_id, dataset_hash)
    return lineage.Input("training_corpus", dataset_hash, paths.corpus(tenant_id, dataset_hash), held)


def _for_adapter(
    platform: Platform, step: Step, training: training_run.Training, adapter_id: str
) -> training_run.Training:
    if training.ended and training.adapter_id != adapter_id:
        return training_run.again(platform, step, training)
    return training


def _checkpoints(settings: Settings, tenant_id: TenantId, recipe_hash: str) -> Path | None:
    if settings.checkpoint_dir is None:
        return None
    return settings.checkpoint_dir / tenant_id / recipe_hash


@training_run.stage("adapter_gate", measured.of_verdict)
def judge(platform: Platform, step: Step) -> GateVerdict:
    """adapter_gate: fetch the stored adapter as a stranger would, verify and judge it; record it.

    A refusal ends the training as rejected: the same examples would make the same adapter.
    """
    tenant_id = step.tenant_id
    training = training_run.of_step(platform, step)
    chosen = training.adapter_id
    if chosen is None:
        raise BadConfiguration(f"tenant {tenant_id}: training {training.run_id} has no adapter yet")
    with platform.database.session() as session:
        row = adapters.get(session, tenant_id, chosen)
    with tempfile.TemporaryDirectory(prefix="astra-judge-") as work:
        folder = Path(work, "adapter")
        platform.objects.get_folder(paths.adapter(chosen), folder)
        verdict = adapter_gate.adapter_gate(
            folder,
            tenant_id=tenant_id,
            digest=row.digest,
            verify_key=keys.verify_key(platform.settings),
            base=base_folder(platform.settings),
        )
    with platform.database.session() as session:
        rulings.record(platform, session, verdict, dagster_run_id=step.dagster_run_id)
    if not verdict.passed:
        training_run.end(platform, training, state="rejected", reason=f"adapter_gate: {verdict.reason}")
    return verdict


def base_folder(settings: Settings) -> Path | None:
    """Where the base model lies on this machine; None for one of the hub, which only the trainer has."""
    path = Path(settings.base_model).expanduser()
    return path.resolve() if path.is_dir() else None


def base_identity(settings: Settings) -> tuple[str, str | None]:
    """Name and revision of the base model, the same on every machine.

    A hub id keeps its id and revision; a local folder is its name and the digest of the files that decide
    what the model answers: the very pair that the trainer writes into ``adapter_config.json``.

    Raises:
        BadConfiguration: when the setting is a path without weights.
    """
    path = Path(settings.base_model).expanduser()
    if not path.is_dir():
        if path.is_absolute():
            raise BadConfiguration(f"ASTRA_BASE_MODEL: no folder {path}; give a folder or a Hugging Face id")
        return settings.base_model, settings.base_revision
    folder = path.resolve()
    files = {
        entry.name: entry.stat()
        for entry in folder.iterdir()
        if entry.is_file() and any(fnmatchcase(entry.name, pattern) for pattern in _DECISIVE_FILES)
    }
    if not any(name.endswith(".safetensors") for name in files):
        raise BadConfiguration(f"ASTRA_BASE_MODEL: {folder} has no .safetensors file")
    stamps = tuple((name, files[name].st_size, files[name].st_mtime_ns) for name in sorted(files))
    return folder.name, _weights_digest(folder, stamps)


@lru_cache(maxsize=8)
def _weights_digest(folder: Path, stamps: tuple[tuple[str, int, int], ...]) -> str:
    """Digest of the named files; cached while size and time (``stamps``) stay, as weights are large."""
    total = hashlib.sha256()
    for name, size, _ in stamps:
        total.update(f"{name}\0{size}\0".encode())
        with (folder / name).open("rb") as data:
            total.update(hashlib.file_digest(data, "sha256").digest())
    return total.hexdigest()


def overrides(given: Mapping[str, float]) -> dict[str, float | int]:
    """Hyperparameters from a run's config: known names only, whole numbers where the recipe has them.

    Raises:
        BadConfiguration: naming the unknown or broken value.
    """
    known = trainer_process.HYPERPARAMETERS
    chosen: dict[str, float | int] = {}
    for name, value in given.items():
        if name not in known:
            raise BadConfiguration(f"unknown hyperparameter {name!r}: use {', '.join(sorted(known))}")
        whole = known[name] is int
        if whole and value != int(value):
            raise BadConfiguration(f"hyperparameter {name} must be a whole number, not {value}")
        chosen[name] = int(value) if whole else value
    return chosen


def mlflow_link(settings: Settings, result: TrainResult) -> str:
    """Where a person finds the training in MLflow: a URL with a server, else the run id."""
    if result.mlflow_run_id is None:
        return "none"
    uri = settings.mlflow_tracking_uri or ""
    return f"{uri}/#/runs/{result.mlflow_run_id}" if uri.startswith("http") else result.mlflow_run_id


def _already_made(platform: Platform, tenant_id: TenantId, recipe_hash: str) -> TrainResult | None:
    with platform.database.session() as session:
        row = adapters.by_recipe(session, tenant_id, recipe_hash)
        if row is None:
            return None
        verdict = verdicts.latest(session, tenant_id, "adapter_gate", row.digest)
        if verdict is not None and not verdict.passed:
            return None
        manifest = AdapterManifest.model_validate(row.manifest)
        return TrainResult(manifest, row.digest, reused=True, mlflow_run_id=row.mlflow_run_id)
