"""From a trained folder to the champion: stored once, promoted by verdict, announced, rolled back.

Real Postgres, Redis, object store and MLflow (SQLite).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis

from astra_learn_assets.contracts import GateVerdict, NewModelAvailable
from astra_learn_assets.errors import (
    AdapterRefused,
    AstraError,
    Conflict,
    ForeignTenant,
    GateRefused,
    NotFound,
    Unavailable,
    UnknownTenant,
)
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry import importer, keys, lineage, promoter, publisher
from astra_learn_assets.registry.manifest import digest_of
from astra_learn_assets.serving.adapter_store import AdapterStore
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import paths, promotions, verdicts
from astra_learn_assets.store.tables import Adapter
from astra_learn_assets_tests.registry.builders import BASE, DATASET, manifest_of, tensors, trained_folder

Make = Callable[..., object]
TENANT = "villaverde"
LOG = [{"step": step, "loss": 2.0 / step, "learning_rate": 1e-3} for step in (1, 2, 3)]


@pytest.fixture(scope="module")
def empty_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database with its tables: making one takes seconds, copying one does not."""
    home = tmp_path_factory.mktemp("mlflow")
    assert (
        lineage.champion(Settings(home=home, mlflow_tracking_uri=f"sqlite:///{home / 'mlflow.db'}"), TENANT)
        is None
    )
    return home / "mlflow.db"


@pytest.fixture
def town(platform: Platform, make_tenant: Make, empty_mlflow: Path) -> Platform:
    platform.settings.home_path.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(empty_mlflow, platform.settings.home_path / "mlflow.db")
    make_tenant(TENANT)
    make_tenant("otra-villa")
    return platform


def _publish(platform: Platform, where: Path, seed: int = 1, **changes: Any) -> Adapter:
    folder = trained_folder(where / f"out-{seed}-{len(list(where.iterdir()))}", seed=seed, **changes)
    manifest = manifest_of(folder)
    run_id = lineage.log_training(platform.settings, manifest, folder=folder, log=LOG, dagster_run_id="run-1")
    recipe = publisher.recipe_hash(
        dataset_hash=DATASET, base_model=BASE, base_revision=None, hyperparameters={"seed": seed}
    )
    return publisher.publish(platform, folder, manifest, recipe_hash=recipe, mlflow_run_id=run_id)


def _judge(
    platform: Platform, row: Adapter, *, adapter: bool = True, wer: bool = True, **details: str | None
) -> None:
    with platform.database.session() as session:
        for gate, passed in (("adapter_gate", adapter), ("wer_gate", wer)):
            verdict = GateVerdict(
                gate=gate,  # type: ignore[arg-type]
                tenant_id=TENANT,
                digest=row.digest,
                passed=passed,
                reason="test",
                details=dict(details),
            )
            verdicts.record(session, verdict)


def _promoted(platform: Platform, where: Path, seed: int) -> Adapter:
    row = _publish(platform, where, seed)
    _judge(platform, row)
    promoter.promote(platform, TENANT, row.adapter_id, promoted_by="test")
    return row


def _announced(platform: Platform) -> NewModelAvailable | None:
    value = platform.redis.get(promoter.redis_key(TENANT))
    return None if value is None else NewModelAvailable.model_validate_json(str(value))


def _current(platform: Platform) -> str | None:
    with platform.database.session() as session:
        row = promotions.current(session, TENANT)
        return row.adapter_id if row else None


def test_a_judged_adapter_is_promoted_announced_recorded_and_served(town: Platform, tmp_path: Path) -> None:
    row = _publish(town, tmp_path)
    _judge(town, row, champion_digest=None)
    promotion = promoter.promote(town, TENANT, row.adapter_id, promoted_by="auto")
    said = _announced(town)
    assert said is not None
    assert (said.adapter_id, said.sha256, said.base_model) == (row.adapter_id, row.digest, BASE)
    assert said.promoted_at == promotion.created_at
    assert promotion.mlflow_version == "1"
    assert lineage.champion(town.settings, TENANT) == row.adapter_id
    store = AdapterStore(
        town.objects,
        verify_key=keys.verify_key(town.settings),
        cache_dir=tmp_path / "core",
        max_bytes=10**9,
        redis=town.redis,
    )
    assert store.current(TENANT).adapter_id == row.adapter_id
    with pytest.raises(AdapterRefused):
        store.load("otra-villa", row.adapter_id)


def test_promoting_again_changes_nothing(town: Platform, tmp_path: Path) -> None:
    row = _promoted(town, tmp_path, 1)
    first = _announced(town)
    again = promoter.promote(town, TENANT, row.adapter_id, promoted_by="somebody else")
    with town.database.session() as session:
        assert [item.promotion_id for item in promotions.history(session, TENANT)] == [again.promotion_id]
    assert _announced(town) == first


@pytest.mark.parametrize("case", [{"adapter": False}, {"wer": False}, None])
def test_without_both_verdicts_nothing_is_promoted(
    town: Platform, tmp_path: Path, case: dict[str, bool] | None
) -> None:
    row = _publish(town, tmp_path)
    if case is not None:
        _judge(town, row, **case)  # type: ignore[arg-type]
    for kind in ("promotion", "rollback"):
        with pytest.raises(GateRefused):
            promoter.promote(town, TENANT, row.adapter_id, promoted_by="test", kind=kind)
    assert _current(town) is None
    assert _announced(town) is None


def test_a_newer_refusal_outweighs_an_older_pass(town: Platform, tmp_path: Path) -> None:
    row = _publish(town, tmp_path)
    _judge(town, row)
    _judge(town, row, wer=False)
    with pytest.raises(GateRefused):
        promoter.promote(town, TENANT, row.adapter_id, promoted_by="test")


def test_a_verdict_against_another_champion_does_not_count(town: Platform, tmp_path: Path) -> None:
    first = _publish(town, tmp_path, 1)
    second, third = _publish(town, tmp_path, 2), _publish(town, tmp_path, 3)
    _judge(town, first, champion_digest=None)
    promoter.promote(town, TENANT, first.adapter_id, promoted_by="test")
    for row in (second, third):
        _judge(town, row, champion_digest=first.digest)
    promoter.promote(town, TENANT, second.adapter_id, promoted_by="test")
    with pytest.raises(GateRefused, match="another champion"):
        promoter.promote(town, TENANT, third.adapter_id, promoted_by="test")
    assert _current(town) == second.adapter_id


def test_other_tenants_and_unknown_adapters_are_refused(town: Platform, tmp_path: Path) -> None:
    row = _publish(town, tmp_path)
    _judge(town, row)
    with pytest.raises(ForeignTenant):
        promoter.promote(town, "otra-villa", row.adapter_id, promoted_by="test")
    with pytest.raises(NotFound):
        promoter.promote(town, TENANT, f"{TENANT}--0123456789abcdef", promoted_by="test")
    with pytest.raises(UnknownTenant):
        promoter.rollback(town, "nadie", by="test")


def test_a_stored_byte_that_changed_stops_the_promotion(town: Platform, tmp_path: Path) -> None:
    row = _publish(town, tmp_path)
    _judge(town, row)
    key = f"{paths.adapter(row.adapter_id)}/adapter_model.safetensors"
    town.objects.put(key, town.objects.get(key)[:-1] + b"x", overwrite=True)
    with pytest.raises(AdapterRefused, match="not what was signed"):
        promoter.promote(town, TENANT, row.adapter_id, promoted_by="test")
    assert _current(town) is None


def test_a_redis_that_is_away_does_not_stop_a_promotion_and_is_set_right_later(
    town: Platform, tmp_path: Path
) -> None:
    row = _publish(town, tmp_path)
    _judge(town, row)
    good, town.redis = town.redis, redis.Redis(host="127.0.0.1", port=1, retry=None, decode_responses=True)
    promoter.promote(town, TENANT, row.adapter_id, promoted_by="test")
    with pytest.raises(Unavailable):
        promoter.republish(town)
    town.redis = good
    assert _announced(town) is None
    assert promoter.republish(town, with_mlflow=True) == 1
    assert promoter.republish(town, with_mlflow=True) == 0
    said = _announced(town)
    assert said is not None
    assert said.adapter_id == row.adapter_id
    assert lineage.champion(town.settings, TENANT) == row.adapter_id


def test_a_key_that_says_something_else_is_set_right(town: Platform, tmp_path: Path) -> None:
    row = _promoted(town, tmp_path, 1)
    town.redis.set(promoter.redis_key(TENANT), "nonsense")
    town.redis.set(promoter.redis_key("otra-villa"), "nonsense")
    assert promoter.republish(town) == 2
    said = _announced(town)
    assert said is not None
    assert said.adapter_id == row.adapter_id
    assert town.redis.get(promoter.redis_key("otra-villa")) is None


def test_a_rollback_goes_back_one_at_a_time_and_forward_again(town: Platform, tmp_path: Path) -> None:
    first, second, third = (_promoted(town, tmp_path, seed) for seed in (1, 2, 3))
    for expected in (second, first):
        assert promoter.rollback(town, TENANT, by="ana").adapter_id == expected.adapter_id
        said = _announced(town)
        assert said is not None
        assert said.adapter_id == expected.adapter_id
        assert lineage.champion(town.settings, TENANT) == expected.adapter_id
    with pytest.raises(Conflict):
        promoter.rollback(town, TENANT, by="ana")
    back = promoter.rollback(town, TENANT, by="ana", to=third.adapter_id)
    assert (back.kind, back.promoted_by, back.previous_adapter_id) == ("rollback", "ana", first.adapter_id)
    with town.database.session() as session:
        assert len(promotions.history(session, TENANT)) == 6


def test_a_rollback_to_what_never_served_needs_its_verdicts(town: Platform, tmp_path: Path) -> None:
    _promoted(town, tmp_path, 1)
    row = _publish(town, tmp_path, 2)
    with pytest.raises(GateRefused):
        promoter.rollback(town, TENANT, by="ana", to=row.adapter_id)
    _judge(town, row)
    promoter.rollback(town, TENANT, by="ana", to=row.adapter_id)
    with pytest.raises(Conflict):
        promoter.rollback(town, "otra-villa", by="ana")


def test_promotions_at_once_end_with_one_champion_that_redis_tells(town: Platform, tmp_path: Path) -> None:
    rows = [_publish(town, tmp_path, seed) for seed in (1, 2, 3)]
    for row in rows:
        _judge(town, row)

    def promote(row: Adapter) -> str:
        try:
            return promoter.promote(town, TENANT, row.adapter_id, promoted_by="test").adapter_id
        except AstraError as error:
            return error.code

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(promote, rows))
    said = _announced(town)
    assert said is not None
    assert said.adapter_id == _current(town)
    assert said.adapter_id in answers
    assert set(answers) <= {row.adapter_id for row in rows} | {"conflict"}


def test_publishing_the_same_content_again_keeps_what_is_stored(town: Platform, tmp_path: Path) -> None:
    first = _publish(town, tmp_path)
    again = _publish(town, tmp_path, metrics={"seconds": 99.0})
    assert again.adapter_id == first.adapter_id
    assert again.manifest == first.manifest
    assert town.objects.list(paths.adapter(first.adapter_id))


def test_what_a_crashed_upload_left_is_completed(town: Platform, tmp_path: Path) -> None:
    folder = trained_folder(tmp_path / "out")
    manifest = manifest_of(folder)
    prefix = paths.adapter(manifest.adapter_id)
    town.objects.put(f"{prefix}/adapter_model.safetensors", b"half")
    town.objects.put(f"{prefix}/README.md", b"from another attempt")
    row = publisher.publish(town, folder, manifest, recipe_hash="a" * 64)
    assert row.digest == digest_of(manifest)
    assert publisher.fetch_verified(town, TENANT, row.adapter_id) == manifest


def test_a_folder_that_changed_after_its_manifest_is_not_published(town: Platform, tmp_path: Path) -> None:
    folder = trained_folder(tmp_path / "out")
    manifest = manifest_of(folder)
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(AdapterRefused):
        publisher.publish(town, folder, manifest, recipe_hash="a" * 64)
    assert town.objects.list("models") == []


def test_a_recipe_follows_everything_that_goes_into_a_training() -> None:
    base: dict[str, Any] = {
        "dataset_hash": DATASET,
        "base_model": BASE,
        "base_revision": None,
        "hyperparameters": {"rank": 4},
        "trainer_version": "1",
    }
    changes: list[dict[str, Any]] = [
        {},
        {"dataset_hash": "e" * 64},
        {"base_model": "x"},
        {"base_revision": "x"},
        {"hyperparameters": {"rank": 8}},
        {"trainer_version": "2"},
    ]
    assert len({publisher.recipe_hash(**{**base, **change}) for change in changes}) == len(changes)


def test_an_import_is_signed_judged_and_still_not_promoted(town: Platform, tmp_path: Path) -> None:
    folder = trained_folder(tmp_path / "out")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    row = importer.import_adapter(town, TENANT, folder, dataset_hash=DATASET, base_model=BASE)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert row.manifest["hyperparameters"] == json.loads(before["metrics.json"])["hyperparameters"]
    with town.database.session() as session:
        assert verdicts.require_passed(session, TENANT, "adapter_gate", row.digest).passed
    with pytest.raises(GateRefused, match="wer_gate"):
        promoter.promote(town, TENANT, row.adapter_id, promoted_by="test")
    again = importer.import_adapter(town, TENANT, folder, dataset_hash=DATASET, base_model=BASE)
    assert again.adapter_id == row.adapter_id


def test_an_import_that_fails_its_gate_stores_nothing_but_the_verdict(town: Platform, tmp_path: Path) -> None:
    zero = {name: value * 0 if "lora_B" in name else value for name, value in tensors().items()}
    folder = trained_folder(tmp_path / "out", weights=zero)
    with pytest.raises(GateRefused, match="does nothing"):
        importer.import_adapter(town, TENANT, folder, dataset_hash=DATASET, base_model=BASE)
    assert town.objects.list("models") == []
    with town.database.session() as session:
        verdict = verdicts.latest(session, TENANT, "adapter_gate", digest_of(manifest_of(folder)))
    assert verdict is not None
    assert not verdict.passed


def test_an_import_of_something_else_says_so(town: Platform, tmp_path: Path) -> None:
    arguments = {"dataset_hash": DATASET, "base_model": BASE}
    with pytest.raises(UnknownTenant):
        importer.import_adapter(town, "nadie", tmp_path, **arguments)
    with pytest.raises(AdapterRefused):
        importer.import_adapter(town, TENANT, tmp_path / "missing", **arguments)
    folder = trained_folder(tmp_path / "out")
    (folder / "metrics.json").unlink()
    with pytest.raises(AdapterRefused, match=r"metrics\.json"):
        importer.import_adapter(town, TENANT, folder, **arguments)
    (folder / "metrics.json").write_text("{")
    with pytest.raises(AdapterRefused, match="not JSON"):
        importer.import_adapter(town, TENANT, folder, **arguments)
