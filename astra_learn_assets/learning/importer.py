"""Bring in an adapter that was trained elsewhere with ``python -m trainer train``.

It gets a manifest and our signature and must pass ``adapter_gate``; to be promoted it must pass
``wer_gate`` like any other. The operator vouches for where it comes from: the dataset hash and the base
model are what they say.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from astra_learn_assets.errors import AdapterRefused, GateRefused
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import lineage, rulings
from astra_learn_assets.learning.publisher import publish, recipe_hash
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry.adapter_gate import adapter_gate
from astra_learn_assets.registry.keys import signing_key
from astra_learn_assets.registry.manifest import (
    MANIFEST,
    METRICS,
    SIGNATURE,
    TRAIN_LOG,
    build_manifest,
    digest_of,
    file_names,
)
from astra_learn_assets.registry.signature import sign_folder
from astra_learn_assets.store import tenants
from astra_learn_assets.store.tables import Adapter


def import_adapter(
    platform: Platform,
    tenant_id: TenantId,
    folder: Path,
    *,
    dataset_hash: str,
    base_model: str,
    base_revision: str | None = None,
    commit: str | None = None,
    dagster_run_id: str | None = None,
) -> Adapter:
    """Judge, sign and store the adapter in ``folder``, which is left as it is; returns its row.

    The verdict of ``adapter_gate`` is recorded either way.

    Raises:
        UnknownTenant: when the tenant does not exist.
        AdapterRefused: when the folder is not an adapter's.
        GateRefused: when ``adapter_gate`` does not pass; nothing is stored.
    """
    with platform.database.session() as session:
        tenants.get(session, tenant_id)
    with tempfile.TemporaryDirectory(prefix="astra-import-") as work:
        copy = Path(work, "adapter")
        copy.mkdir()
        for name in file_names(folder):
            if name not in (MANIFEST, SIGNATURE):
                shutil.copyfile(folder / name, copy / name, follow_symlinks=False)
        metrics = _metrics(copy)
        found = metrics.get("hyperparameters")
        manifest = build_manifest(
            copy,
            tenant_id=tenant_id,
            base_model=base_model,
            base_revision=base_revision,
            dataset_hash=dataset_hash,
            hyperparameters=found if isinstance(found, dict) else {},
            metrics=metrics,
            commit=commit,
        )
        key = signing_key(platform.settings)
        sign_folder(copy, manifest, key)
        verdict = adapter_gate(
            copy, tenant_id=tenant_id, digest=digest_of(manifest), verify_key=key.public_key()
        )
        with platform.database.session() as session:
            rulings.record(platform, session, verdict, dagster_run_id=dagster_run_id)
        if not verdict.passed:
            raise GateRefused(f"adapter_gate refuses the adapter: {verdict.reason}")
        run_id = lineage.log_training(
            platform.settings, manifest, folder=copy, log=_log(copy), dagster_run_id=dagster_run_id
        )
        recipe = recipe_hash(
            dataset_hash=dataset_hash,
            base_model=base_model,
            base_revision=base_revision,
            hyperparameters=manifest.hyperparameters,
            # an import is never found in place of a training of our own
            trainer_version=f"imported {digest_of(manifest)}",
        )
        return publish(platform, copy, manifest, recipe_hash=recipe, mlflow_run_id=run_id)


def _metrics(folder: Path) -> dict[str, object]:
    try:
        metrics = json.loads((folder / METRICS).read_bytes())
    except FileNotFoundError:
        metrics = None
    except (ValueError, RecursionError):
        raise AdapterRefused(f"{METRICS} is not JSON") from None
    if not isinstance(metrics, dict):
        raise AdapterRefused(f"{METRICS} is missing: import what 'python -m trainer train' wrote")
    return metrics


def _log(folder: Path) -> list[dict[str, object]]:
    try:
        lines = [json.loads(line) for line in (folder / TRAIN_LOG).read_text("utf-8").splitlines()]
    except (OSError, ValueError, RecursionError):
        return []  # the curve is for people; its absence is no reason to refuse
    return [line for line in lines if isinstance(line, dict)]
