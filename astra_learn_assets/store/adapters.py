"""The adapters that were ever published. An id is never reused."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import insert

from astra_learn_assets import ids
from astra_learn_assets.contracts import AdapterManifest
from astra_learn_assets.errors import BadInput, Conflict, ForeignTenant, NotFound
from astra_learn_assets.ids import TenantId
from astra_learn_assets.store.tables import Adapter


def add(
    session: orm.Session,
    manifest: AdapterManifest,
    *,
    digest: str,
    recipe_hash: str,
    mlflow_run_id: str | None = None,
) -> Adapter:
    """Note a published adapter; the same again gives the row that is there.

    Raises:
        BadInput: the id does not follow from tenant and digest.
        Conflict: the id exists with another digest.
    """
    if manifest.adapter_id != ids.adapter_id(manifest.tenant_id, digest):
        raise BadInput(
            f"adapter id {manifest.adapter_id!r:.100} does not follow from its tenant and digest: "
            f"expected {ids.adapter_id(manifest.tenant_id, digest)!r}"
        )
    session.execute(
        insert(Adapter)
        .values(
            adapter_id=manifest.adapter_id,
            tenant_id=manifest.tenant_id,
            digest=digest,
            recipe_hash=ids.digest(recipe_hash, "recipe hash"),
            dataset_hash=ids.digest(manifest.dataset_hash, "dataset hash"),
            base_model=manifest.base_model,
            manifest=manifest.model_dump(mode="json"),
            mlflow_run_id=mlflow_run_id,
        )
        .on_conflict_do_nothing()
    )
    row = session.get(Adapter, manifest.adapter_id)
    if row is None or row.digest != digest:
        raise Conflict(f"adapter {manifest.adapter_id!r} exists with another digest")
    if mlflow_run_id is not None and row.mlflow_run_id is None:
        row.mlflow_run_id = mlflow_run_id
        session.flush()
    return row


def traced(session: orm.Session, adapter_id: str, *, mlflow_run_id: str | None) -> None:
    """Note which MLflow run tells of an adapter, when the one before is gone."""
    session.execute(
        sa.update(Adapter).where(Adapter.adapter_id == adapter_id).values(mlflow_run_id=mlflow_run_id)
    )


def get(session: orm.Session, tenant_id: TenantId, adapter_id: str) -> Adapter:
    """An adapter of this tenant.

    Raises:
        InvalidId: not an adapter id.
        ForeignTenant: another tenant's.
        NotFound: never published.
    """
    if ids.tenant_of_adapter(adapter_id) != tenant_id:
        raise ForeignTenant(f"adapter {adapter_id!r} is not one of tenant {tenant_id!r}")
    row = session.get(Adapter, adapter_id)
    if row is None:
        raise NotFound(f"no adapter {adapter_id!r} was ever published")
    return row


def listing(session: orm.Session, tenant_id: TenantId) -> list[Adapter]:
    """Every adapter that was ever published for the tenant, oldest first."""
    return list(
        session.scalars(
            sa.select(Adapter)
            .where(Adapter.tenant_id == tenant_id)
            .order_by(Adapter.created_at, Adapter.adapter_id)
        )
    )


def by_recipe(session: orm.Session, tenant_id: TenantId, recipe_hash: str) -> Adapter | None:
    """The newest adapter made from the same corpus, base and hyperparameters, if there is one."""
    row: Adapter | None = session.scalar(
        sa.select(Adapter)
        .where(Adapter.tenant_id == tenant_id, Adapter.recipe_hash == recipe_hash)
        .order_by(Adapter.created_at.desc(), Adapter.adapter_id)
        .limit(1)
    )
    return row
