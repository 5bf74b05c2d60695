"""CORE gets the right adapter, verified, or the last good one, or an error; never anything else."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from redis.exceptions import ConnectionError as RedisConnectionError
from structlog.testing import capture_logs

from astra_learn_assets.contracts import AdapterManifest, CanaryShare, NewModelAvailable
from astra_learn_assets.errors import AdapterRefused, InvalidId, InvalidTenantId, NotFound, Unavailable
from astra_learn_assets.ids import TenantId
from astra_learn_assets.registry import seals
from astra_learn_assets.registry.manifest import digest_of
from astra_learn_assets.serving import adapter_store
from astra_learn_assets.serving.adapter_store import AdapterStore
from astra_learn_assets.serving.session_share import is_chosen
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


class _Switch:
    """The object store, until ``away``: then it fails as a lost one does."""

    def __init__(self, objects: ObjectStore) -> None:
        self.objects = objects
        self.away = False

    def get_folder(self, prefix: str, folder: Path) -> Path:
        if self.away:
            raise Unavailable("the object store does not answer")
        return self.objects.get_folder(prefix, folder)


class _World:
    """A real object store in a folder, and what was put into it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.objects = ObjectStore.open((root / "objects").as_uri())
        self.switch = _Switch(self.objects)
        self.redis = _Redis()
        self.time = 0.0

    def store(self, max_bytes: int = 10**9) -> AdapterStore:
        return AdapterStore(
            self.switch,
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
            tenant_id=TenantId(tenant),
            adapter_id=manifest.adapter_id,
            sha256=sha256 or digest_of(manifest),
            base_model=manifest.base_model,
            promoted_at=datetime.now(UTC),
        )
        self.say(message, tenant)

    def say(
        self, message: NewModelAvailable, tenant: str = "villaverde", key: Ed25519PrivateKey = KEY
    ) -> str:
        """Sign ``message`` and put it where the platform does; returns what was written."""
        signature = seals.seal(key, "promotion", message.content())
        told = message.model_copy(update={"signature": signature}).model_dump_json()
        self.redis.values[f"NEW_MODEL_AVAILABLE:{tenant}"] = told
        self.objects.put(paths.promotion_record(TenantId(tenant)), told.encode(), overwrite=True)
        return told

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
    world.redis.away = world.switch.away = True
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
    world.switch.away = True
    with pytest.raises(Unavailable):
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
    cached = sorted(path.name for path in (world.root / "cache").glob("[!.]*/*--*"))
    assert cached == sorted([manifests[-1].adapter_id, other.adapter_id])
    tiny = world.store(max_bytes=1)
    assert tiny.current("villaverde").path.is_dir()


def _files(world: _World, manifest: AdapterManifest) -> list[Path]:
    return list((world.root / "objects" / paths.adapter(manifest.adapter_id)).iterdir())


def _said(logs: list[Any]) -> list[dict[str, object]]:
    return [{key: value for key, value in line.items() if key != "log_level"} for line in logs]


def test_what_the_store_puts_up_with_is_logged_with_tenant_adapter_and_reason(world: _World) -> None:
    first, second = world.publish(1), world.publish(2, signed=False)
    world.announce(first)
    store = world.store()
    path = store.current("villaverde").path
    world.announce(second)
    with capture_logs() as logs:
        store.current("villaverde")
    kept = {
        "event": "keeping the last good adapter",
        "tenant_id": "villaverde",
        "adapter_id": first.adapter_id,
        "error": "manifest.json is not signed by the platform's key",
    }
    line = _said(logs)[-1]
    assert {**line, "error": kept["error"]} == kept
    assert "sign" in str(line["error"])
    world.announce(first)
    (path / "adapter_config.json").write_text("{}")
    with capture_logs() as logs:
        store.current("villaverde")
    line = _said(logs)[0]
    assert (line["event"], line["adapter_id"]) == ("refetching a corrupted cache entry", first.adapter_id)
    assert "adapter_config.json" in str(line["error"])


def test_a_cache_that_does_not_remember_says_so_and_serves(world: _World) -> None:
    manifest = world.publish(1)
    world.announce(manifest)
    (world.root / "cache" / "villaverde" / "last_good.json").mkdir(parents=True)  # cannot be replaced
    with capture_logs() as logs:
        assert world.store().current("villaverde").adapter_id == manifest.adapter_id
    line = _said(logs)[0]
    assert (line["event"], line["tenant_id"]) == ("last good adapter not remembered", "villaverde")
    assert "directory" in str(line["error"])


def test_folders_of_the_cache_are_for_this_user_alone(world: _World) -> None:
    world.announce(world.publish(1))
    world.store().current("villaverde")
    for name in (".staging", "villaverde"):
        assert stat.S_IMODE((world.root / "cache" / name).stat().st_mode) == 0o700
    assert list((world.root / "cache" / ".staging").iterdir()) == []


def test_a_cache_that_cannot_be_written_is_unavailable(world: _World) -> None:
    world.announce(world.publish(1))
    (world.root / "cache").write_text("a file where the folder should be")
    with pytest.raises(
        Unavailable, match=r"^the adapter cache cannot be written: (Not a directory|File exists)$"
    ):
        world.store().current("villaverde")


def test_every_refusal_names_what_is_wrong(world: _World) -> None:
    manifest = world.publish(1)
    store = world.store()
    with pytest.raises(NotFound, match=r"^no adapter was promoted for villaverde; use the base model$"):
        store.current("villaverde")
    with pytest.raises(AdapterRefused, match=rf"^{manifest.adapter_id} is not an adapter of otra-villa$"):
        store.load("otra-villa", manifest.adapter_id)
    other = "villaverde--0123456789abcdef"
    world.objects.put_folder(paths.adapter(other), world.root / "made-villaverde-1")
    with pytest.raises(AdapterRefused, match=rf"^{manifest.adapter_id} was offered as {other}$"):
        store.load("villaverde", other)
    world.announce(manifest, sha256="0" * 64)
    with pytest.raises(
        AdapterRefused, match=rf"^{manifest.adapter_id} is not the adapter that was announced$"
    ):
        store.current("villaverde")
    for value in ("nonsense", 7):
        world.redis.values["NEW_MODEL_AVAILABLE:villaverde"] = value  # type: ignore[assignment]
        with pytest.raises(AdapterRefused, match=r"^NEW_MODEL_AVAILABLE:villaverde is no announcement$"):
            store.current("villaverde")
    world.redis.away = world.switch.away = True
    with pytest.raises(Unavailable, match=r"^the object store does not answer$"):
        store.current("villaverde")
    for call in (store.current, store.forget, lambda name: store.load(name, manifest.adapter_id)):
        with pytest.raises(InvalidTenantId):
            call("../villaverde")


def test_an_announcement_in_bytes_is_one_too_and_no_redis_is_no_announcement(world: _World) -> None:
    manifest = world.publish(1)
    world.announce(manifest)
    key = "NEW_MODEL_AVAILABLE:villaverde"
    world.redis.values[key] = world.redis.values[key].encode()  # type: ignore[assignment]
    assert world.store().current("villaverde").adapter_id == manifest.adapter_id
    alone = AdapterStore(
        world.objects, verify_key=KEY.public_key(), cache_dir=world.root / "cache", max_bytes=10**9
    )
    assert alone.current("villaverde").adapter_id == manifest.adapter_id
    with pytest.raises(NotFound):
        alone.current("otra-villa")


def test_a_failed_adapter_is_left_alone_for_half_a_minute(world: _World) -> None:
    """Also when there is nothing else to serve: the same refusal, without asking the object store."""
    manifest = world.publish(1, signed=False)
    world.announce(manifest)
    store = world.store()
    with pytest.raises(AdapterRefused) as first:
        store.current("villaverde")
    shutil.rmtree(world.root / "objects" / paths.adapter(manifest.adapter_id))
    world.publish(1)
    world.time = 29.9
    with pytest.raises(AdapterRefused) as again:
        store.current("villaverde")
    assert again.value is first.value
    world.time = 30.0
    assert store.current("villaverde").adapter_id == manifest.adapter_id


def test_an_adapter_that_changes_while_it_is_checked_is_refused(
    world: _World, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = world.publish(1)
    check = adapter_store.verify_folder

    def touching(folder: Path, *arguments: Any) -> AdapterManifest:
        found = check(folder, *arguments)
        (folder / "adapter_config.json").write_text("{}")
        return found

    monkeypatch.setattr(adapter_store, "verify_folder", touching)
    with pytest.raises(AdapterRefused, match=rf"^{manifest.adapter_id} changed while it was checked$"):
        world.store().load("villaverde", manifest.adapter_id)


def test_another_process_that_was_faster_is_no_error(world: _World, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = world.publish(1)
    folder = world.root / "cache" / "villaverde" / manifest.adapter_id
    rename = Path.rename

    def late(path: Path, target: Path) -> Path:
        if target == folder:
            shutil.copytree(path, target)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", late)
    assert world.store().load("villaverde", manifest.adapter_id).path == folder


def test_the_least_recently_used_goes_first_and_a_full_cache_keeps_what_fits(world: _World) -> None:
    manifests = [world.publish(seed) for seed in (1, 2, 3)]
    size = sum(path.stat().st_size for path in _files(world, manifests[0]))
    roomy = world.store(max_bytes=3 * size)
    folders = []
    for age, manifest in enumerate(manifests):
        world.announce(manifest)
        folders.append(roomy.current("villaverde").path)
        os.utime(folders[-1], (100 + age, 100 + age))
    assert all(folder.is_dir() for folder in folders)
    world.announce(manifests[0])
    roomy.current("villaverde")  # used just now, so the second is the oldest
    os.utime(folders[2], (102, 102))
    fourth = world.publish(4)
    world.announce(fourth)
    newest = roomy.current("villaverde").path
    assert [folder.is_dir() for folder in (*folders, newest)] == [True, False, True, True]
    roomy.current("villaverde")
    assert newest.stat().st_mtime > 10_000


def test_what_is_held_counts_as_used_each_time_it_is_served(world: _World) -> None:
    world.announce(world.publish(1))
    store = world.store()
    path = store.current("villaverde").path
    os.utime(path, (100, 100))
    held = store.current("villaverde")
    assert held.path.stat().st_mtime > 10_000


def test_links_and_files_in_the_cache_are_no_adapters_to_evict(world: _World) -> None:
    world.announce(world.publish(1))
    elsewhere = world.root / "elsewhere"
    (elsewhere / "old").mkdir(parents=True)
    (elsewhere / "old" / "file").write_text("x" * 10_000)
    world.store().current("villaverde")
    (world.root / "cache" / "linked").symlink_to(elsewhere)
    (world.root / "cache" / "stray.txt").write_text("x")
    world.announce(world.publish(2))
    world.store(max_bytes=1).current("villaverde")
    assert (elsewhere / "old" / "file").is_file()
    assert (world.root / "cache" / "stray.txt").is_file()


def test_the_last_good_one_is_not_served_when_its_files_changed_and_cannot_be_had_anew(world: _World) -> None:
    first, second = world.publish(1), world.publish(2, signed=False)
    world.announce(first)
    store = world.store()
    path = store.current("villaverde").path
    world.announce(second)
    (path / "adapter_config.json").write_text("{}")
    assert store.current("villaverde").adapter_id == first.adapter_id  # fetched again
    (path / "adapter_config.json").write_text("{}")
    shutil.rmtree(world.root / "objects" / paths.adapter(first.adapter_id))
    with pytest.raises(AdapterRefused):
        store.current("villaverde")


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every folder whose signature and hashes were checked, as often as they were."""
    folders: list[Path] = []
    check = adapter_store.verify_folder

    def noting(folder: Path, *arguments: Any) -> AdapterManifest:
        folders.append(folder)
        return check(folder, *arguments)

    monkeypatch.setattr(adapter_store, "verify_folder", noting)
    return folders


def test_what_was_checked_and_is_untouched_is_not_read_again(world: _World, checked: list[Path]) -> None:
    good, bad = world.publish(1), world.publish(2, signed=False)
    world.announce(good)
    store = world.store()
    path = store.current("villaverde").path
    checked.clear()
    store.current("villaverde")
    assert checked == []
    world.announce(bad)
    store.current("villaverde")
    assert path not in checked  # kept from memory
    restarted = world.store()
    restarted.current("villaverde")
    checked.clear()
    restarted.current("villaverde")
    assert checked == []


def test_a_redis_that_is_away_is_no_news_while_an_adapter_is_held(world: _World) -> None:
    world.announce(world.publish(1))
    store = world.store()
    store.current("villaverde")
    world.redis.away = True
    with capture_logs() as logs:
        store.current("villaverde")
    assert logs == []


class _Slow:
    """An object store that keeps ``tenant`` waiting until ``go`` is set."""

    def __init__(self, objects: ObjectStore, tenant: str) -> None:
        self.objects, self.tenant = objects, tenant
        self.asked, self.go = threading.Event(), threading.Event()

    def get_folder(self, prefix: str, folder: Path) -> Path:
        if self.tenant in prefix:
            self.asked.set()
            assert self.go.wait(30)
        return self.objects.get_folder(prefix, folder)


@pytest.mark.parametrize("call", ["current", "load"])
def test_a_slow_download_holds_back_its_own_tenant_and_no_other(world: _World, call: str) -> None:
    slow, quick = world.publish(1), world.publish(1, "otra-villa")
    world.announce(slow)
    world.announce(quick, "otra-villa")
    objects = _Slow(world.objects, "villaverde")
    store = AdapterStore(
        objects,
        verify_key=KEY.public_key(),
        cache_dir=world.root / "cache",
        max_bytes=10**9,
        redis=world.redis,
    )

    def ask(tenant: str, manifest: AdapterManifest) -> None:
        if call == "current":
            store.current(tenant)
        else:
            store.load(tenant, manifest.adapter_id)

    waiting = threading.Thread(target=ask, args=("villaverde", slow))
    waiting.start()
    assert objects.asked.wait(30)
    other = threading.Thread(target=ask, args=("otra-villa", quick))
    other.start()
    other.join(30)
    held_back = other.is_alive()
    forgetting = threading.Thread(target=store.forget, args=("villaverde",))
    forgetting.start()
    forgetting.join(0.5)
    waits = forgetting.is_alive()
    objects.go.set()
    for thread in (waiting, other, forgetting):
        thread.join(30)
    assert not held_back
    assert waits, "a tenant was forgotten in the middle of its download"
    assert not (world.root / "cache" / "villaverde").exists()


def test_who_was_never_served_can_be_forgotten(world: _World) -> None:
    world.store().forget("villaverde")
    staging = world.root / "cache" / ".staging"
    assert stat.S_IMODE(staging.stat().st_mode) == 0o700


def test_half_a_folder_never_lies_outside_the_cache(world: _World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another file system could not take it over in one step."""
    monkeypatch.setattr(tempfile, "tempdir", str(world.root / "missing"))
    world.announce(world.publish(1))
    store = world.store()
    store.current("villaverde")
    assert (world.root / "cache" / "villaverde" / "last_good.json").is_file()
    store.forget("villaverde")
    assert not (world.root / "cache" / "villaverde").exists()


@pytest.mark.parametrize("gone", [False, True])
def test_a_folder_that_cannot_be_moved_is_deleted_where_it_lies(
    world: _World, monkeypatch: pytest.MonkeyPatch, gone: bool
) -> None:
    world.announce(world.publish(1))
    store = world.store()
    store.current("villaverde")

    def refuse(path: Path, _target: Path) -> Path:
        if gone:  # another process was faster
            shutil.rmtree(path)
        raise OSError(errno.EXDEV, "another device")

    monkeypatch.setattr(Path, "rename", refuse)
    store.forget("villaverde")
    assert not (world.root / "cache" / "villaverde").exists()


def test_an_announced_digest_that_does_not_fit_is_refused_from_the_cache_too(world: _World) -> None:
    manifest = world.publish(1)
    world.announce(manifest)
    world.store().current("villaverde")
    last_good = world.root / "cache" / "villaverde" / "last_good.json"
    told = last_good.read_text()
    last_good.unlink()
    world.announce(manifest, sha256="0" * 64)
    with pytest.raises(AdapterRefused, match="announced"):
        world.store().current("villaverde")
    assert not (world.root / "cache" / "villaverde" / manifest.adapter_id).exists()
    last_good.write_text(told.replace(digest_of(manifest), "0" * 64))
    world.redis.values["NEW_MODEL_AVAILABLE:villaverde"] = "nonsense"
    with pytest.raises(AdapterRefused, match="no announcement"):
        world.store().current("villaverde")


def test_a_cache_far_over_its_bound_is_brought_back_in_one_go(world: _World) -> None:
    manifests = [world.publish(seed) for seed in (1, 2, 3, 4)]
    size = sum(path.stat().st_size for path in _files(world, manifests[0]))
    for age, manifest in enumerate(manifests[:3]):
        world.announce(manifest)
        os.utime(world.store().current("villaverde").path, (100 + age, 100 + age))
    broken = world.root / "cache" / "aldea" / "broken"
    broken.mkdir(parents=True)
    (broken / "link").symlink_to("nowhere")  # as one that another process is deleting
    download = world.root / "cache" / ".staging" / "of-another-process"
    download.mkdir()
    (download / "half").write_text("x" * 100)
    world.announce(manifests[3])
    world.store(max_bytes=2 * size).current("villaverde")
    cached = sorted(path.name for path in (world.root / "cache").glob("villaverde/*--*"))
    assert cached == sorted(manifest.adapter_id for manifest in manifests[2:])
    world.announce(manifests[2])
    world.store(max_bytes=1).current("villaverde")
    assert (download / "half").is_file()


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
    shutil.rmtree(world.root / "objects" / "models")
    store.forget("villaverde")
    assert not list((world.root / "cache").rglob("villaverde--*"))
    assert not (world.root / "cache" / "villaverde").exists()
    assert list((world.root / "cache" / ".staging").iterdir()) == []
    with pytest.raises(NotFound):
        store.current("villaverde")


def _record(manifest: AdapterManifest, *, tenant: str = "villaverde", age: float = 0.0) -> NewModelAvailable:
    return NewModelAvailable(
        tenant_id=TenantId(tenant),
        adapter_id=manifest.adapter_id,
        sha256=digest_of(manifest),
        base_model=manifest.base_model,
        promoted_at=datetime.now(UTC) - timedelta(seconds=age),
    )


def test_an_adapter_that_was_never_promoted_is_not_served_though_redis_and_cache_name_it(
    world: _World,
) -> None:
    served, never = world.publish(1), world.publish(2)
    world.announce(served)
    store = world.store()
    store.current("villaverde")
    unsigned = _record(never).model_dump_json()
    stolen = world.say(_record(served), "villaverde").replace(served.adapter_id, never.adapter_id)
    foreign = world.say(_record(never), key=OTHER_KEY)
    for value in (unsigned, stolen.replace(digest_of(served), digest_of(never)), foreign):
        world.redis.values["NEW_MODEL_AVAILABLE:villaverde"] = value
        assert store.current("villaverde").adapter_id == served.adapter_id
        (world.root / "cache" / "villaverde" / "last_good.json").write_text(value)
        with pytest.raises(AdapterRefused, match="promotion is not"):
            world.store().current("villaverde")
        world.announce(served)
        world.store().current("villaverde")


def test_a_record_of_another_municipality_is_refused(world: _World) -> None:
    told = world.say(_record(world.publish(1)))
    world.redis.values["NEW_MODEL_AVAILABLE:otra-villa"] = told
    with pytest.raises(AdapterRefused, match="another municipality"):
        world.store().current("otra-villa")


def test_an_older_record_that_is_put_back_brings_nothing_back(world: _World) -> None:
    old, new = world.publish(1), world.publish(2)
    replay = world.say(_record(old, age=60))
    store = world.store()
    store.current("villaverde")
    world.announce(new)
    store.current("villaverde")
    world.redis.values["NEW_MODEL_AVAILABLE:villaverde"] = replay
    for one in (store, world.store()):
        with capture_logs() as logs:
            assert one.current("villaverde").adapter_id == new.adapter_id
        assert [line["error"] for line in logs] == [
            "NEW_MODEL_AVAILABLE:villaverde is older than what was followed before"
        ]


def test_the_adapter_of_an_erased_tenant_is_gone_after_a_restart(world: _World) -> None:
    world.announce(world.publish(1))
    world.store().current("villaverde")
    world.redis.values.clear()
    shutil.rmtree(world.root / "objects" / "models")
    with pytest.raises(NotFound):
        world.store().current("villaverde")
    assert not (world.root / "cache" / "villaverde").exists()


def test_a_redis_that_is_away_does_not_keep_an_erased_tenant_alive(world: _World) -> None:
    world.announce(world.publish(1))
    store = world.store()
    store.current("villaverde")
    world.redis.away = True
    shutil.rmtree(world.root / "objects" / "models")
    with pytest.raises(NotFound):
        store.current("villaverde")


def test_a_record_that_nothing_serves_takes_the_adapter_away_at_once(world: _World) -> None:
    world.announce(world.publish(1))
    store = world.store()
    path = store.current("villaverde").path
    world.say(NewModelAvailable.nothing(TenantId("villaverde"), datetime.now(UTC)))
    with pytest.raises(NotFound, match="use the base model"):
        store.current("villaverde")
    assert not path.exists()


def test_a_running_session_keeps_its_adapter_from_other_processes(world: _World) -> None:
    first, second, third = (world.publish(seed) for seed in (1, 2, 3))
    world.announce(first)
    with world.store().session("villaverde") as served:
        for manifest in (second, third):
            world.announce(manifest)
            world.store(max_bytes=1).current("villaverde")
        assert (served.path / "adapter_model.safetensors").is_file()
    world.announce(second)
    world.store(max_bytes=1).current("villaverde")
    assert not served.path.exists()


def test_what_a_killed_fetch_left_is_swept_and_what_is_under_way_is_not(world: _World) -> None:
    staging = world.root / "cache" / ".staging"
    for name, age in (("killed", 7 * 3600), ("under-way", 60)):
        (staging / name).mkdir(parents=True)
        when = datetime.now(UTC).timestamp() - age
        os.utime(staging / name, (when, when))
    world.store()
    assert [path.name for path in staging.iterdir()] == ["under-way"]


def test_the_bytes_that_are_loaded_are_the_bytes_that_were_checked(world: _World) -> None:
    manifest = world.publish(1)
    world.announce(manifest)
    served = world.store().current("villaverde")
    weights = served.read()["adapter_model.safetensors"]
    copy = served.copy_to(world.root / "private" / "copy")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o700
    assert (copy / "adapter_model.safetensors").read_bytes() == weights
    (served.path / "adapter_model.safetensors").write_bytes(weights[:-1] + b"x")
    for call in (served.read, lambda: served.copy_to(world.root / "private" / "second")):
        with pytest.raises(AdapterRefused, match="is not what was signed"):
            call()
    assert not (world.root / "private" / "second").exists()


def test_what_was_announced_is_fetched_before_the_next_session_asks(world: _World) -> None:
    manifest = world.publish(1)
    store = world.store()
    store.prefetch("villaverde")  # nothing yet, and nobody is hurt
    world.announce(manifest)
    store.prefetch("villaverde")
    world.switch.away = True
    assert store.current("villaverde").adapter_id == manifest.adapter_id


def _tried(world: _World, new: AdapterManifest, stable: AdapterManifest | None, share: float = 0.3) -> None:
    """Announce ``new`` on trial beside ``stable`` (None: the base model)."""
    trial = CanaryShare(
        share=share,
        stable_adapter_id=stable.adapter_id if stable else "",
        stable_sha256=digest_of(stable) if stable else "",
    )
    world.say(_record(new).model_copy(update={"canary": trial}))


def _names(manifest: AdapterManifest, *, chosen: bool) -> list[str]:
    names = [f"pleno-{number}" for number in range(40)]
    return [name for name in names if is_chosen(name, manifest.adapter_id, 0.3) is chosen]


def test_an_adapter_on_trial_has_its_share_of_the_sessions_and_the_stable_one_the_others(
    world: _World,
) -> None:
    stable, new = world.publish(1), world.publish(2)
    _tried(world, new, stable)
    store = world.store()
    trying, others = _names(new, chosen=True), _names(new, chosen=False)
    assert trying
    assert len(others) > len(trying)
    for _ in range(2):
        assert {store.current("villaverde", name).adapter_id for name in trying} == {new.adapter_id}
        assert {store.current("villaverde", name).adapter_id for name in others} == {stable.adapter_id}
    assert store.current("villaverde").adapter_id == new.adapter_id  # a CORE that names no session
    with store.session("villaverde", others[0]) as served:
        assert (served.adapter_id, served.path.name) == (stable.adapter_id, stable.adapter_id)
        assert not adapter_store.Lease.is_free(world.root / "cache" / ".leases" / stable.adapter_id)
    assert adapter_store.Lease.is_free(world.root / "cache" / ".leases" / stable.adapter_id)


def test_beside_the_base_model_the_other_sessions_have_no_adapter(world: _World) -> None:
    new = world.publish(1)
    _tried(world, new, None)
    store = world.store()
    assert store.current("villaverde", _names(new, chosen=True)[0]).adapter_id == new.adapter_id
    with pytest.raises(NotFound, match="use the base model"):
        store.current("villaverde", _names(new, chosen=False)[0])
    assert store.current("villaverde").adapter_id == new.adapter_id  # and nothing of it is forgotten


@pytest.mark.parametrize("wrong", ["another digest", "another tenant's", "not stored"])
def test_a_stable_adapter_that_is_not_what_was_announced_is_never_served(world: _World, wrong: str) -> None:
    new = world.publish(1)
    foreign = world.publish(2, "otra-villa")
    bad = {
        "another digest": world.publish(3).model_copy(update={"dataset_hash": "0" * 64}),
        "another tenant's": foreign,
        "not stored": new.model_copy(update={"adapter_id": "villaverde--0123456789abcdef"}),
    }[wrong]
    _tried(world, new, bad)
    store = world.store()
    name = _names(new, chosen=False)[0]
    with pytest.raises((AdapterRefused, NotFound)):
        store.current("villaverde", name)
    good = store.current("villaverde")
    assert good.adapter_id == new.adapter_id
    assert store.current("villaverde", name).adapter_id == new.adapter_id  # the last good one


def test_the_stable_adapter_of_a_trial_was_just_used_and_is_not_the_first_to_be_evicted(
    world: _World,
) -> None:
    stable, new = world.publish(1), world.publish(2)
    _tried(world, new, stable)
    store = world.store()
    path = store.current("villaverde", _names(new, chosen=False)[0]).path
    os.utime(path, (0, 0))
    store.current("villaverde", _names(new, chosen=False)[0])
    assert path.stat().st_mtime > 0


def _leased(world: _World, manifest: AdapterManifest) -> bool:
    return not adapter_store.Lease.is_free(world.root / "cache" / ".leases" / manifest.adapter_id)


def test_what_is_served_is_kept_from_other_processes_until_the_next_one_is(world: _World) -> None:
    first, second = world.publish(1), world.publish(2)
    store = world.store()
    world.announce(first)
    store.current("villaverde")
    assert _leased(world, first)
    world.announce(second)
    store.current("villaverde")
    assert _leased(world, second)
    assert not _leased(world, first)
    foreign = world.publish(3, "otra-villa")
    world.announce(foreign, "otra-villa")
    other = world.store(max_bytes=1)
    other.current("otra-villa")
    kept = {path.name for path in (world.root / "cache" / "villaverde").iterdir() if path.is_dir()}
    assert kept == {second.adapter_id}, "another process evicts the first one only"
    store.forget("villaverde")
    assert not _leased(world, second)


def test_a_prefetch_that_fails_is_logged_and_nothing_more(world: _World) -> None:
    with capture_logs() as logs:
        world.store().prefetch("villaverde")
    assert [(line["event"], line["tenant_id"], line["error"], line["log_level"]) for line in logs] == [
        (
            "nothing prefetched",
            "villaverde",
            "no adapter was promoted for villaverde; use the base model",
            "warning",
        )
    ]


def _forgetting(world: _World, manifest: AdapterManifest, *forget: str) -> None:
    world.say(_record(manifest).model_copy(update={"forget": forget}))


def test_what_the_record_wants_forgotten_is_deleted_and_nothing_of_other_towns(world: _World) -> None:
    first, second, foreign = world.publish(1), world.publish(2), world.publish(3, "otra-villa")
    store = world.store()
    world.announce(foreign, "otra-villa")
    store.current("otra-villa")
    world.announce(first)
    store.current("villaverde")
    cache = world.root / "cache"
    _forgetting(world, second, first.adapter_id, foreign.adapter_id)
    world.switch.away = True  # the new one cannot be had, and the old one is not to be kept
    with pytest.raises(Unavailable):
        store.current("villaverde")
    assert not (cache / "villaverde" / first.adapter_id).exists()
    assert not (cache / "villaverde" / "last_good.json").exists()
    assert (cache / "otra-villa" / foreign.adapter_id).exists()
    world.switch.away = False
    world.time += 60
    assert store.current("villaverde").adapter_id == second.adapter_id
    assert store.current("otra-villa").adapter_id == foreign.adapter_id


def test_forgetting_an_older_one_leaves_what_serves(world: _World) -> None:
    first, second = world.publish(1), world.publish(2)
    store = world.store()
    for manifest in (first, second):
        world.announce(manifest)
        store.current("villaverde")
    _forgetting(world, second, first.adapter_id)
    assert store.current("villaverde").adapter_id == second.adapter_id
    cache = world.root / "cache" / "villaverde"
    assert {path.name for path in cache.iterdir()} == {second.adapter_id, "last_good.json"}
    world.switch.away = world.redis.away = True
    assert world.store().current("villaverde").adapter_id == second.adapter_id, (
        "it is still the last good one"
    )


def test_nothing_lies_outside_the_cache_on_its_way_in_or_out(
    world: _World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "no such folder"))
    manifest = world.publish(1)
    world.announce(manifest)
    world.redis.values.clear()  # the record comes from the object store
    store = world.store()
    assert store.current("villaverde").adapter_id == manifest.adapter_id
    store.forget("villaverde")
    assert list(elsewhere.iterdir()) == []
    assert list((world.root / "cache" / ".staging").iterdir()) == []


def test_a_cache_that_cannot_be_written_is_said_when_the_record_is_asked_for_too(world: _World) -> None:
    world.announce(world.publish(1))
    world.redis.values.clear()
    store = world.store()
    (world.root / "cache").write_bytes(b"a file")
    with pytest.raises(
        Unavailable, match=r"^the adapter cache cannot be written: (Not a directory|File exists)$"
    ):
        store.current("villaverde")
