"""What MLflow shows of promotions: a model version for each adapter that served, one of them the champion."""

from __future__ import annotations

from astra_learn_assets.contracts import AdapterManifest
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import lineage
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import adapters, paths, promotions
from astra_learn_assets.store.tables import Adapter


def set_alias(platform: Platform, tenant_id: TenantId) -> None:
    """Set the alias from the table, if it shows something else; the version is made when it is missing."""
    with platform.database.session() as session:
        history = promotions.history(session, tenant_id)
        if not history:
            return
        adapter_id = history[0].adapter_id
        row = adapters.get(session, tenant_id, adapter_id)
    if lineage.champion(platform.settings, tenant_id) == adapter_id:
        return
    version = register(platform, row)
    if version is not None:
        lineage.set_champion(platform.settings, tenant_id, version)


def register_again(platform: Platform, tenant_id: TenantId, adapter_id: str) -> str | None:
    """The MLflow version of an adapter that served, made where MLflow has lost it.

    Raises:
        Unavailable: when MLflow does not answer.
    """
    with platform.database.session() as session:
        row = adapters.get(session, tenant_id, adapter_id)
    return register(platform, row)


def register(platform: Platform, row: Adapter) -> str | None:
    """The adapter's model version, found by the adapter or made: what was written down may be of an MLflow
    that is gone. None where this platform has no MLflow.

    Raises:
        Unavailable: when MLflow does not answer.
    """
    return lineage.register(
        platform.settings,
        AdapterManifest.model_validate(row.manifest),
        run_id=row.mlflow_run_id,
        source=_source(platform, row.adapter_id),
    )


def _source(platform: Platform, adapter_id: str) -> str:
    root = (platform.settings.object_store_url or "").rstrip("/")
    return f"{root}/{paths.adapter(adapter_id)}"
