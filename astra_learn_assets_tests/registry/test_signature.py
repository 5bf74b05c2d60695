"""Only the folder that was signed, for the tenant it was signed for, is an adapter."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from astra_learn_assets.datasets.jsonl import canonical_json
from astra_learn_assets.errors import AdapterRefused, BadConfiguration, InvalidId
from astra_learn_assets.registry import keys
from astra_learn_assets.registry.commit import commit_hash
from astra_learn_assets.registry.manifest import digest_of, dump_manifest, load_manifest
from astra_learn_assets.registry.signature import sign_folder, verify_folder
from astra_learn_assets.settings import Settings, get_settings
from astra_learn_assets_tests.registry.builders import (
    KEY,
    OTHER_KEY,
    manifest_of,
    resign,
    signed_folder,
    trained_folder,
)

PUBLIC = KEY.public_key()
PUBLIC_PEM = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _rewrite(folder: Path, **changes: object) -> None:
    """Change the manifest and sign it properly: only its content is wrong."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    data = canonical_json({**manifest, **changes}).encode() + b"\n"
    (folder / "manifest.json").write_bytes(data)
    (folder / "manifest.sig").write_text(KEY.sign(data).hex() + "\n")


def test_a_signed_folder_verifies_and_names_itself_by_content(tmp_path: Path) -> None:
    manifest = signed_folder(tmp_path / "a")
    assert verify_folder(tmp_path / "a", PUBLIC, "villaverde") == manifest
    assert manifest.adapter_id == f"villaverde--{digest_of(manifest)[:16]}"


def test_time_metrics_and_commit_do_not_change_the_id_and_weights_do(tmp_path: Path) -> None:
    first = manifest_of(trained_folder(tmp_path / "a"))
    slower = trained_folder(tmp_path / "b", metrics={"seconds": 99.0, "train_loss_last": 0.39})
    later = manifest_of(slower, created_at=datetime(2030, 1, 1, tzinfo=UTC), commit="e" * 40)
    assert later.adapter_id == first.adapter_id
    others = [
        manifest_of(trained_folder(tmp_path / "c", seed=2)),
        manifest_of(tmp_path / "a", "otra-villa"),
        manifest_of(tmp_path / "a", dataset_hash="e" * 64),
        manifest_of(tmp_path / "a", base_revision="main"),
        manifest_of(tmp_path / "a", hyperparameters={"rank": 8}),
    ]
    assert len({digest_of(item) for item in (first, *others)}) == 6


def test_metrics_that_are_not_finite_scalars_stay_out_of_the_manifest(tmp_path: Path) -> None:
    folder = trained_folder(tmp_path / "a", metrics={"train_loss_last": float("nan")})
    manifest = manifest_of(folder)
    assert "train_loss_last" not in manifest.metrics
    assert "hyperparameters" not in manifest.metrics
    assert load_manifest(dump_manifest(manifest)) == manifest


def test_another_tenant_gets_nothing(tmp_path: Path) -> None:
    signed_folder(tmp_path / "a")
    for tenant in ("otra-villa", "", "villaverde2"):
        with pytest.raises(AdapterRefused, match="not an adapter of"):
            verify_folder(tmp_path / "a", PUBLIC, tenant)


def test_another_key_is_no_signature_of_ours(tmp_path: Path) -> None:
    signed_folder(tmp_path / "a", key=OTHER_KEY)
    with pytest.raises(AdapterRefused, match="signature"):
        verify_folder(tmp_path / "a", PUBLIC, "villaverde")


def _change_weight(folder: Path) -> None:
    path = folder / "adapter_model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _change_config(folder: Path) -> None:
    (folder / "adapter_config.json").write_text("{}")


def _change_metrics(folder: Path) -> None:
    (folder / "metrics.json").write_text("{}")


def _lose(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _add(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text("x") and None


def _link_weights(folder: Path) -> None:
    path = folder / "adapter_model.safetensors"
    path.rename(folder.parent / "outside")
    path.symlink_to(folder.parent / "outside")


def _subfolder(folder: Path) -> None:
    (folder / "checkpoint-1").mkdir()


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "x.json")


def _cut_signature(folder: Path) -> None:
    (folder / "manifest.sig").write_text("00")


def _raw_signature(folder: Path) -> None:
    (folder / "manifest.sig").write_bytes(KEY.sign((folder / "manifest.json").read_bytes()))


def _touch_manifest(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_bytes(path.read_bytes() + b"\n")


def _swap_hash(folder: Path) -> None:
    files = json.loads((folder / "manifest.json").read_bytes())["files"]
    _rewrite(folder, files={**files, "adapter_config.json": "0" * 64})


def _outside(folder: Path) -> None:
    files = json.loads((folder / "manifest.json").read_bytes())["files"]
    _rewrite(folder, files={**files, "../../etc/passwd.json": "0" * 64})


def _itself(folder: Path) -> None:
    files = json.loads((folder / "manifest.json").read_bytes())["files"]
    _rewrite(folder, files={**files, "manifest.json": "0" * 64})


def _foreign_id(folder: Path) -> None:
    _rewrite(folder, adapter_id="villaverde--0123456789abcdef")


def _other_tenants_id(folder: Path) -> None:
    _rewrite(folder, tenant_id="otra-villa")


def _unknown_field(folder: Path) -> None:
    _rewrite(folder, surprise=1)


def _huge_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(b" " * 1_000_001)


@pytest.mark.parametrize(
    "harm",
    [
        _change_weight, _change_config, _change_metrics, _link_weights, _subfolder, _pipe, _cut_signature,
        _raw_signature, _touch_manifest, _swap_hash, _outside, _itself, _foreign_id, _other_tenants_id,
        _unknown_field, _huge_manifest, _lose("manifest.json"), _lose("manifest.sig"),
        _lose("adapter_config.json"), _lose("adapter_model.safetensors"), _lose("train_log.jsonl"),
        _add("extra.json"), _add("adapter_model.bin"), _add("code.py"), _add("pickle.pkl"),
        _add(".hidden.json"), _add("a b.json"),
    ],
)  # fmt: skip
def test_a_folder_that_is_not_exactly_what_was_signed_is_refused(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    folder = tmp_path / "a"
    signed_folder(folder)
    harm(folder)
    with pytest.raises(AdapterRefused):
        verify_folder(folder, PUBLIC, "villaverde")


def test_a_folder_that_is_missing_a_file_or_a_link_is_refused(tmp_path: Path) -> None:
    signed_folder(tmp_path / "a")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "file").write_text("x")
    for name in ("missing", "link", "file"):
        with pytest.raises(AdapterRefused):
            verify_folder(tmp_path / name, PUBLIC, "villaverde")


def test_a_pickle_passes_only_when_asked_for(tmp_path: Path) -> None:
    folder = trained_folder(tmp_path / "a")
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    with pytest.raises(AdapterRefused, match="pickle"):
        manifest_of(folder)
    manifest = manifest_of(folder, allow_pickle=True)
    sign_folder(folder, manifest, KEY)
    with pytest.raises(AdapterRefused, match="pickle"):
        verify_folder(folder, PUBLIC, "villaverde")
    assert verify_folder(folder, PUBLIC, "villaverde", allow_pickle=True) == manifest


def test_what_is_no_adapter_gets_no_manifest(tmp_path: Path) -> None:
    folder = trained_folder(tmp_path / "a")
    with pytest.raises(InvalidId):
        manifest_of(folder, dataset_hash="x")
    (folder / "adapter_config.json").unlink()
    with pytest.raises(AdapterRefused, match="adapter_config"):
        manifest_of(folder)


def test_signing_again_replaces_the_signature_and_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    signed_folder(folder, key=OTHER_KEY)
    names = sorted(path.name for path in folder.iterdir())
    resign(folder)
    assert sorted(path.name for path in folder.iterdir()) == names
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    verify_folder(folder, PUBLIC, "villaverde")


def _key_bytes(home: Path) -> bytes:
    return keys.signing_key(Settings(home=home)).private_bytes_raw()


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with ProcessPoolExecutor(4) as pool:
        found = set(pool.map(_key_bytes, [home] * 8))
    assert len(found) == 1
    path = home / "keys" / "signing.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in path.parent.iterdir()] == ["signing.pem"]


def test_serving_needs_the_public_key_only(tmp_path: Path) -> None:
    signed_folder(tmp_path / "a")
    public = tmp_path / "verify.pem"
    public.write_bytes(PUBLIC_PEM)
    settings = Settings(home=tmp_path / "home", verify_key_file=public)
    verify_folder(tmp_path / "a", keys.verify_key(settings), "villaverde")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("content", [b"", b"not a key", PUBLIC_PEM])
def test_a_file_that_is_no_private_key_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    with pytest.raises(BadConfiguration, match="ASTRA_SIGNING_KEY_FILE"):
        keys.signing_key(Settings(signing_key_file=path))


@pytest.mark.parametrize(
    "place",
    [
        {"object_store_url": "s3://bucket/prefix"},
        {"database_url": "postgresql://u:p@db.prod:5432/astra"},
        {"database_url": "postgresql:///astra?host=db.prod"},
    ],
)
def test_pods_that_share_a_store_or_a_database_never_make_a_key_each(
    tmp_path: Path, place: dict[str, str]
) -> None:
    shared = Settings(home=tmp_path / "home").model_copy(update=place)
    for key in (keys.signing_key, keys.verify_key):
        with pytest.raises(BadConfiguration, match="ASTRA_SIGNING_KEY_FILE"):
            key(shared)
    assert not (tmp_path / "home").exists()
    public = tmp_path / "verify.pem"
    public.write_bytes(PUBLIC_PEM)
    assert keys.verify_key(shared.model_copy(update={"verify_key_file": public})) == PUBLIC


def test_a_database_on_this_machine_is_no_reason_to_refuse(tmp_path: Path) -> None:
    for url in ("postgresql+psycopg2://astra:x@127.0.0.1:5432/astra", "postgresql:///astra?host=/run/pg"):
        keys.signing_key(Settings(home=tmp_path / "home", database_url=url))


def test_missing_and_wrong_public_keys_are_named(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    with pytest.raises(BadConfiguration, match="No such file"):
        keys.verify_key(Settings(verify_key_file=path))
    path.write_text("nonsense")
    with pytest.raises(BadConfiguration, match="ASTRA_VERIFY_KEY_FILE"):
        keys.verify_key(Settings(verify_key_file=path))


def test_the_commit_comes_from_the_environment_or_git(monkeypatch: pytest.MonkeyPatch) -> None:
    for given, expected in (("ABCDEF0123456", {"abcdef0123456"}), ("$(whoami)", None)):
        monkeypatch.setenv("ASTRA_COMMIT_HASH", given)
        get_settings.cache_clear()
        found = commit_hash()
        assert found in expected if expected else found == "unknown" or len(found) == 40
    monkeypatch.undo()
    get_settings.cache_clear()
