"""Put a trained folder into the object store as a signed adapter, once.

    row = publish(platform, folder, manifest, recipe_hash=recipe)

Adapter ids are never reused and stored adapters never overwritten: publishing the same content again
gives the row that is there. The id leaves out ``metrics.json``, whose seconds differ from run to run, so
two runs of one recipe (a retry, and the pod that was thought lost) bring different bytes for the same id.
A lock per adapter lets one of them publish; the other finds a signed folder and leaves it alone. What a
crashed upload left (no signature yet) is removed under the same lock, and the upload made anew.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import sqlalchemy as sa

from astra_learn_assets.contracts import AdapterManifest
from astra_learn_assets.datasets.jsonl import canonical_json
from astra_learn_assets.errors import AdapterRefused
from astra_learn_assets.ids import TenantId
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry.keys import signing_key, verify_key
from astra_learn_assets.registry.manifest import SIGNATURE, digest_of
from astra_learn_assets.registry.signature import sign_folder, verify_folder
from astra_learn_assets.store import adapters, erasure, locks, paths, tenants
from astra_learn_assets.store.tables import Adapter


def recipe_hash(
    *,
    dataset_hash: str,
    base_model: str,
    base_revision: str | None,
    hyperparameters: Mapping[str, float | int | str | bool | None],
    trainer_version: str | None = None,
) -> str:
    """SHA-256 of everything that goes into a training; a tenant's equal recipes need not run twice.

    ``trainer_version``: by default the version of the installed package, so a release trains anew.
    """
    recipe = {
        "dataset_hash": dataset_hash,
        "base_model": base_model,
        "base_revision": base_revision,
        "hyperparameters": dict(hyperparameters),
        "trainer_version": trainer_version or _package_version(),
    }
    return hashlib.sha256(canonical_json(recipe).encode()).hexdigest()


def publish(
    platform: Platform,
    folder: Path,
    manifest: AdapterManifest,
    *,
    recipe_hash: str,
    mlflow_run_id: str | None = None,
) -> Adapter:
    """Sign ``folder`` as ``manifest`` says, store it, and enter it; returns the adapter's row.

    Idempotent by content: when the store has this adapter already, ``folder`` is not uploaded and the row
    tells of the stored one. ``folder`` itself gets ``manifest.json`` and ``manifest.sig``.

    Raises:
        AdapterRefused: when the folder is not what the manifest describes, or what is stored under the
            adapter's id is not sound.
        UnknownTenant, TenantErased: when the tenant is not there, or not any more: a training that was
            under way while a town was erased leaves nothing behind.
        Conflict, Unavailable: when another upload or a lost connection came in between; try again.
    """
    key = signing_key(platform.settings)
    sign_folder(folder, manifest, key)
    verify_folder(folder, key.public_key(), manifest.tenant_id)
    prefix = paths.adapter(manifest.adapter_id)
    with platform.database.session() as session:
        tenants.get(session, manifest.tenant_id)
        erasure.hold_open(session, manifest.tenant_id)
        locks.hold(session, "adapter", manifest.adapter_id)
        if not platform.objects.exists(f"{prefix}/{SIGNATURE}"):
            platform.objects.delete_prefix(prefix)
        # who lost the connection has lost the lock, and must not sign what another now uploads
        platform.objects.put_folder(
            prefix, folder, before_signing=lambda: session.execute(sa.text("SELECT 1"))
        )
        stored = fetch_verified(platform, manifest.tenant_id, manifest.adapter_id)
        digest = digest_of(stored)
        if digest != digest_of(manifest):
            raise AdapterRefused(f"{manifest.adapter_id} is stored with other content under the same id")
        return adapters.add(
            session, stored, digest=digest, recipe_hash=recipe_hash, mlflow_run_id=mlflow_run_id
        )


def fetch_verified(platform: Platform, tenant_id: TenantId, adapter_id: str) -> AdapterManifest:
    """The manifest of a stored adapter, after every stored byte was checked against the signature.

    Raises:
        AdapterRefused: when it is not sound or not ``tenant_id``'s.
        NotFound: when nothing is stored.
    """
    with tempfile.TemporaryDirectory(prefix="astra-verify-") as work:
        folder = Path(work, "adapter")
        platform.objects.get_folder(paths.adapter(adapter_id), folder)
        manifest = verify_folder(folder, verify_key(platform.settings), tenant_id)
    if manifest.adapter_id != adapter_id:
        raise AdapterRefused(f"{manifest.adapter_id} is stored under the id {adapter_id}")
    return manifest


def _package_version() -> str:
    try:
        return version("astra-learn")
    except PackageNotFoundError:
        return "unknown"
