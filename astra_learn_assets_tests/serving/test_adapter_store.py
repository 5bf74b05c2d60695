"""CORE gets the right adapter, verified, or the last good one, or an error; never anything else."""

from __future__ import annotations

import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from astra_learn_assets.contracts import AdapterManifest, NewModelAvailable
from astra_learn_assets.errors import AdapterRefused, InvalidId, InvalidTenantId, NotFound, Unavailable
from astra_learn_assets.registry.manifest import digest_of
from astra_learn_assets.serving.adapter_store import AdapterStore
from astra_learn_assets.store import paths
from astra_learn_assets.store.objects import ObjectStore
from astra_learn_assets_tests.registry.builders import KEY, OTHER_KEY, signed_folder


class _Redis:
    """The one call the store makes; ``away`` makes it fail as a lost server does."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.away = False

    def get(self, name: str) -> str | None:
        if self.away:
            raise RedisConnectionError("away")
        return self.values.get(name)


class _World:
    """A real object store in a folder, and what was put into it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.objects = ObjectStore.open((root / "objects").as_uri())
        self.redis = _Redis()
        self.time = 0.0

    def store(self, max_bytes: int = 10**9) -> AdapterStore:
        return AdapterStore(
            self.objects,
            verify_key=KEY.public_key(),
            cache_dir=self.root / "cache",
            max_bytes=max_bytes,
            redis=self.redis,
            clock=lambda: self.time,
        )

    def publish(self, seed: int, tenant: str = "villaverde", *, signed: bool = True) -> AdapterManifest:
        folder = self.root / f"made-{tenant}-{seed}"
        shutil.rmtree(folder, ignore_errors=True)
        manifest = signed_folder(folder, tenant, seed=seed, key=KEY if signed else OTHER_KEY)
        self.objects.put_folder(paths.adapter(manifest.adapter_id), folder)
        return manifest

    def announce(
        self, manifest: AdapterManifest, tenant: str = "villaverde", sha256: str | None = None
    ) -> None:
        message = NewModelAvailable(
            adapter_id=manifest.adapter_id,
            sha256=sha256 or digest_of(manifest),
            base_model=manifest.base_model,
            promoted_at=datetime.now(UTC),
        )
        self.redis.values[f"NEW_MODEL_AVAILABLE:{tenant}"] = message.model_dump_json()

    def object_file(self, manifest: AdapterManifest, name: str) -> Path:
        return self.root / "objects" / paths.adapter(manifest.adapter_id) / name


@pytest.fixture
def world(tmp_path: Path) -> _World:
    return _World(tmp_path)


def test_the_announced_adapter_is_served_from_a_verified_folder(world: _World) -> None:
    manifest = world.publish(1)
    world.announce(manifest)
    served = world.store().current("villaverde")
    assert (served.adapter_id, served.manifest) == (manifest.adapter_id, manifest)
    assert (served.path / "adapter_model.safetensors").is_file()


def test_a_new_promotion_is_swapped_in_at_the_next_call(world: _World) -> None:
    store = world.store()
    first, second = world.publish(1), world.publish(2)
    world.announce(first)
    old = store.current("villaverde")
    world.announce(second)
    assert store.current("villaverde").adapter_id == second.adapter_id
    assert (old.path / "adapter_model.safetensors").is_file()  # a running session keeps its own
    world.announce(first)
    assert store.current("villaverde").adapter_id == first.adapter_id


def test_nothing_promoted_is_said_as_not_found(world: _World) -> None:
    with pytest.raises(NotFound, match="base model"):
        world.store().current("villaverde")
    with pytest.raises(InvalidTenantId):
        world.store().current("../villaverde")


def test_another_tenants_adapter_is_refused_however_it_is_asked_for(world: _World) -> None:
    manifest = world.publish(1)
    store = world.store()
    with pytest.raises(AdapterRefused):
        store.load("otra-villa", manifest.adapter_id)
    world.announce(manifest, tenant="otra-villa")
    with pytest.raises(AdapterRefused):
        store.current("otra-villa")
    # the same bytes under a name of the other tenant
    stolen = f"otra-villa--{digest_of(manifest)[:16]}"
    world.objects.put_folder(paths.adapter(stolen), world.root / "made-villaverde-1")
    with pytest.raises(AdapterRefused):
        store.load("otra-villa", stolen)
    assert store.load("villaverde", manifest.adapter_id).adapter_id == manifest.adapter_id


@pytest.mark.parametrize(
    "name", ["../../x", "villaverde", "villaverde--", "villaverde--zzzzzzzzzzzzzzzz", ""]
)
def test_an_adapter_id_that_is_a_path_trick_is_refused(world: _World, name: str) -> None:
    with pytest.raises(InvalidId):
        world.store().load("villaverde", name)


def test_an_adapter_signed_by_somebody_else_is_refused(world: _World) -> None:
    manifest = world.publish(1, signed=False)
    world.announce(manifest)
    with pytest.raises(AdapterRefused):
        world.store().current("villaverde")
    assert not list((world.root / "cache").glob("villaverde/villaverde--*"))


def test_an_announced_digest_that_does_not_fit_is_refused(world: _World) -> None:
    world.announce(world.publish(1), sha256="0" * 64)
    with pytest.raises(AdapterRefused, match="announced"):
        world.store().current("villaverde")


@pytest.mark.parametrize(
    "value", ["", "{}", "null", "villaverde--0123456789abcdef", '{"adapter_id": "../x"}']
)
def test_a_malformed_announcement_keeps_the_last_good_adapter(world: _World, value: str) -> None:
    manifest = world.publish(1)
    store = world.store()
    world.redis.values["NEW_MODEL_AVAILABLE:villaverde"] = value
    with pytest.raises(AdapterRefused):
        store.current("villaverde")
    world.announce(manifest)
    store.current("villaverde")
    world.redis.values["NEW_MODEL_AVAILABLE:villaverde"] = value
    assert store.current("villaverde").adapter_id == manifest.adapter_id


def test_a_failed_update_keeps_the_last_good_one_and_is_tried_again_later(world: _World) -> None:
    first, second = world.publish(1), world.publish(2)
    store = world.store()
    world.announce(first)
    store.current("villaverde")
    weights = world.object_file(second, "adapter_model.safetensors")
    good = weights.read_bytes()
    weights.write_bytes(good[:-1] + b"x")
    world.announce(second)
    assert store.current("villaverde").adapter_id == first.adapter_id
    weights.write_bytes(good)
    assert store.current("villaverde").adapter_id == first.adapter_id  # not on every session
    world.time += 31
    assert store.current("villaverde").adapter_id == second.adapter_id


def test_the_last_good_adapter_survives_a_restart_without_redis_or_store(world: _World) -> None:
    manifest = world.publish(1)
    world.announce(manifest)
    world.store().current("villaverde")
    world.redis.away = True
    shutil.rmtree(world.root / "objects" / "models")
    assert world.store().current("villaverde").adapter_id == manifest.adapter_id
    with pytest.raises(Unavailable):
        world.store().current("otra-villa")


def test_a_flushed_redis_changes_nothing_that_is_served(world: _World) -> None:
    manifest = world.publish(1)
    world.announce(manifest)
    store = world.store()
    store.current("villaverde")
    world.redis.values.clear()
    assert store.current("villaverde").adapter_id == manifest.adapter_id
    assert world.store().current("villaverde").adapter_id == manifest.adapter_id


@pytest.mark.parametrize("restart", [True, False])
def test_a_corrupted_cache_is_fetched_again(world: _World, restart: bool) -> None:
    manifest = world.publish(1)
    world.announce(manifest)
    store = world.store()
    path = store.current("villaverde").path
    good = (path / "adapter_model.safetensors").read_bytes()
    (path / "adapter_model.safetensors").write_bytes(good[:-1] + b"x")
    again = (world.store() if restart else store).current("villaverde")
    assert (again.path / "adapter_model.safetensors").read_bytes() == good


def test_a_corrupted_cache_without_the_store_is_refused_and_not_served(world: _World) -> None:
    manifest = world.publish(1)
    world.announce(manifest)
    path = world.store().current("villaverde").path
    (path / "adapter_config.json").write_text("{}")
    shutil.rmtree(world.root / "objects" / "models")
    with pytest.raises(NotFound):
        world.store().current("villaverde")


def test_a_link_in_place_of_the_cache_entry_is_replaced(world: _World) -> None:
    manifest = world.publish(1)
    world.announce(manifest)
    store = world.store()
    path = store.current("villaverde").path
    path.rename(world.root / "elsewhere")
    path.symlink_to(world.root / "elsewhere")
    assert not world.store().current("villaverde").path.is_symlink()


def test_the_cache_keeps_to_its_bound_and_never_deletes_what_is_served(world: _World) -> None:
    size = sum(path.stat().st_size for path in _files(world, world.publish(1)))
    store = world.store(max_bytes=int(size * 2.5))
    manifests = [world.publish(seed) for seed in (1, 2, 3, 4)]
    other = world.publish(1, "otra-villa")
    world.announce(other, "otra-villa")
    store.current("otra-villa")
    for manifest in manifests:
        world.announce(manifest)
        store.current("villaverde")
    cached = sorted(path.name for path in (world.root / "cache").glob("*/*--*"))
    assert cached == sorted([manifests[-1].adapter_id, other.adapter_id])
    tiny = world.store(max_bytes=1)
    assert tiny.current("villaverde").path.is_dir()


def _files(world: _World, manifest: AdapterManifest) -> list[Path]:
    return list((world.root / "objects" / paths.adapter(manifest.adapter_id)).iterdir())


def test_many_threads_get_one_verified_adapter_while_promotions_happen(world: _World) -> None:
    manifests = [world.publish(seed) for seed in range(4)]
    world.announce(manifests[0])
    store = world.store()
    known = {manifest.adapter_id for manifest in manifests}
    wrong: list[object] = []

    def sessions() -> None:
        for _ in range(25):
            try:
                served = store.current("villaverde")
                if served.adapter_id not in known or not (served.path / "adapter_config.json").is_file():
                    wrong.append(served)
            except Exception as error:  # noqa: BLE001 - any error of a thread is the finding
                wrong.append(error)

    threads = [threading.Thread(target=sessions) for _ in range(8)]
    for thread in threads:
        thread.start()
    for manifest in manifests * 3:
        world.announce(manifest)
    for thread in threads:
        thread.join()
    assert wrong == []
    assert store.current("villaverde").adapter_id == manifests[-1].adapter_id


def test_forgetting_a_tenant_leaves_nothing_of_it_on_the_disk(world: _World) -> None:
    world.announce(world.publish(1))
    store = world.store()
    store.current("villaverde")
    world.redis.values.clear()
    store.forget("villaverde")
    assert not (world.root / "cache" / "villaverde").exists()
    assert list((world.root / "cache" / ".staging").iterdir()) == []
    with pytest.raises(NotFound):
        store.current("villaverde")
