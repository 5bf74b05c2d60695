"""Tiny real adapter folders, as the trainer leaves them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from safetensors.numpy import save_file

from astra_learn_assets.contracts import AdapterManifest
from astra_learn_assets.registry.manifest import build_manifest
from astra_learn_assets.registry.signature import sign_folder

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
DATASET = "d" * 64
BASE = "base-es"
_MODULE = "base_model.model.model.layers.{layer}.self_attn.q_proj"
METRICS: dict[str, Any] = {
    "train_loss_first": 2.1,
    "train_loss_last": 0.4,
    "validation_loss_first": 2.0,
    "validation_loss_last": 0.6,
    "perplexity": 1.8,
    "steps": 3,
    "seconds": 1.25,
    "reload_equal": True,
    "finite": True,
    "device": "cpu",
    "hyperparameters": {"rank": 4, "learning_rate": 0.001, "seed": 7},
}
CONFIG: dict[str, Any] = {
    "peft_type": "LORA",
    "r": 4,
    "lora_alpha": 8,
    "bias": "none",
    "target_modules": ["q_proj"],
    "modules_to_save": None,
    "base_model_name_or_path": BASE,
}


def tensors(seed: int = 1, rank: int = 4, width: int = 8, layers: int = 2) -> dict[str, np.ndarray[Any, Any]]:
    """A and B of ``layers`` modules, float32."""
    random = np.random.default_rng(seed)
    made: dict[str, np.ndarray[Any, Any]] = {}
    for layer in range(layers):
        name = _MODULE.format(layer=layer)
        made[f"{name}.lora_A.weight"] = random.normal(size=(rank, width)).astype(np.float32)
        made[f"{name}.lora_B.weight"] = random.normal(size=(width, rank)).astype(np.float32)
    return made


def trained_folder(
    folder: Path,
    *,
    seed: int = 1,
    weights: dict[str, np.ndarray[Any, Any]] | None = None,
    metrics: dict[str, Any] | None = None,
    config: dict[str, Any] | None = None,
) -> Path:
    """What ``python -m trainer train --out folder`` leaves."""
    folder.mkdir(parents=True)
    save_file(tensors(seed) if weights is None else weights, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({**CONFIG, **(config or {})}))
    (folder / "metrics.json").write_text(json.dumps({**METRICS, **(metrics or {})}))
    log = [
        {"step": step, "loss": 2.1 / step, "learning_rate": 1e-3, "tokens_per_second": 9.0}
        for step in (1, 2, 3)
    ]
    (folder / "train_log.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in log))
    return folder


def manifest_of(folder: Path, tenant: str = "villaverde", **changes: Any) -> AdapterManifest:
    """The manifest of a trained folder."""
    metrics = json.loads((folder / "metrics.json").read_text())
    arguments: dict[str, Any] = {
        "tenant_id": tenant,
        "base_model": BASE,
        "base_revision": None,
        "dataset_hash": DATASET,
        "hyperparameters": metrics["hyperparameters"],
        "metrics": metrics,
        "commit": "c" * 40,
    }
    return build_manifest(folder, **{**arguments, **changes})


def signed_folder(
    folder: Path, tenant: str = "villaverde", *, key: Ed25519PrivateKey = KEY, **changes: Any
) -> AdapterManifest:
    """A trained folder with manifest and signature."""
    trained_folder(folder, **changes)
    manifest = manifest_of(folder, tenant)
    sign_folder(folder, manifest, key)
    return manifest


def resign(folder: Path, key: Ed25519PrivateKey = KEY, **changes: Any) -> AdapterManifest:
    """Describe and sign again what now lies in ``folder``."""
    manifest = manifest_of(folder, **changes)
    sign_folder(folder, manifest, key)
    return manifest
