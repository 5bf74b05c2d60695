"""Adapters of the shipped base model that really load, promoted as the platform promotes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from astra_learn_assets.contracts import DictionaryEntry, GateVerdict
from astra_learn_assets.datasets import jsonl
from astra_learn_assets.datasets.steady import STEADY, Steady, dump_steady
from astra_learn_assets.evaluation import wer_gate
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import opponents, promoter, publisher, rulings
from astra_learn_assets.learning.training.train import base_identity
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry.keys import verify_key
from astra_learn_assets.serving.adapter_store import AdapterStore
from astra_learn_assets.serving.dictionary import DictionarySubscriber
from astra_learn_assets.simulation.core.reference import Engine, ReferenceCore
from astra_learn_assets.store import dictionary, paths
from astra_learn_assets.store.tables import Adapter
from astra_learn_assets_tests.registry.builders import DATASET, METRICS, manifest_of, tensors, trained_folder

ASKED = {"prompt": "<in>{input}<out>", "stop_token_ids": "1"}
_WIDTH, _LAYERS, _SCALE = 384, 8, 0.3  # of the shipped base; large enough to change its answers


def published(
    platform: Platform, where: Path, seed: int, tenant: str = "villaverde", steady: Sequence[Steady] = ()
) -> Adapter:
    """An adapter with random weights, stored and signed."""
    weights = {name: value * _SCALE for name, value in tensors(seed, width=_WIDTH, layers=_LAYERS).items()}
    folder = trained_folder(
        where / f"{tenant}-{seed}", weights=weights, metrics={**METRICS, **ASKED, "seed": seed}
    )
    (folder / STEADY).write_bytes(dump_steady(steady))
    name, revision = base_identity(platform.settings)
    manifest = manifest_of(folder, tenant, base_model=name, base_revision=revision)
    recipe = publisher.recipe_hash(
        dataset_hash=DATASET, base_model=name, base_revision=revision, hyperparameters={"seed": seed}
    )
    return publisher.publish(platform, folder, manifest, recipe_hash=recipe)


def promoted(platform: Platform, row: Adapter) -> None:
    """Judged by signed verdicts, and put in service."""
    tenant = TenantId(row.tenant_id)
    golden = jsonl.digest(b"")
    platform.vault.write(tenant, paths.golden(tenant, golden), b"")
    with platform.database.session() as session:
        met = opponents.of_candidate(session, tenant, row, anew=True)
        for gate in rulings.GATES:
            verdict = GateVerdict(
                gate=gate,  # type: ignore[arg-type]
                tenant_id=tenant,
                digest=row.digest,
                passed=True,
                reason="test",
                details={
                    "outcome": "promote",
                    "gate_version": wer_gate.VERSION,
                    "dataset_hash": row.dataset_hash,
                    "base": f"{row.manifest['base_model']}@{row.manifest['base_revision']}",
                    "golden_hash": golden,
                    "champion_digest": met.champion.digest if met.champion else None,
                    "best_digest": met.best.digest if met.best else None,
                },
            )
            rulings.record(platform, session, verdict)
    promoter.promote(platform, tenant, row.adapter_id, promoted_by="test")


def core_of(
    platform: Platform, engine: Engine, cache: Path, *, known: DictionarySubscriber | None = None
) -> ReferenceCore:
    """A CORE that keeps adapters in ``cache``; without ``known`` it never hears of a dictionary."""
    known = known or dictionaries(platform)
    return ReferenceCore(
        store_of(platform, cache), engine, redis=platform.redis, core_id="core-1", dictionaries=known
    )


def store_of(platform: Platform, cache: Path) -> AdapterStore:
    """What CORE reads adapters with, its copies in ``cache``."""
    return AdapterStore(
        platform.objects,
        verify_key=verify_key(platform.settings),
        cache_dir=cache,
        max_bytes=platform.settings.adapter_cache_bytes,
        redis=platform.redis,
    )


def dictionaries(platform: Platform) -> DictionarySubscriber:
    """Every dictionary that is told of, once it is started."""

    def fetch(tenant_id: TenantId) -> tuple[int, list[DictionaryEntry]]:
        with platform.database.session() as session:
            return dictionary.read(session, tenant_id)

    return DictionarySubscriber(platform.redis, fetch=fetch)
