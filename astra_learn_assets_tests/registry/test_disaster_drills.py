"""Bad days, for real: a shell runs each drill of docs/disaster-recovery.md against the damage it is for."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from astra_learn_assets.cli import app
from astra_learn_assets.learning import announcing, lineage, promoter, publisher, verification
from astra_learn_assets.platform import Platform
from astra_learn_assets.services import servers
from astra_learn_assets.services.embedded import export_env
from astra_learn_assets.settings import REPOSITORY, get_settings
from astra_learn_assets.store import crypto, paths, promotions
from astra_learn_assets.store.db import normalise_url
from astra_learn_assets_tests.registry.builders import manifest_of, trained_folder
from astra_learn_assets_tests.registry.conftest import TENANT
from astra_learn_assets_tests.registry.test_promoter import _judge, _promoted, _publish
from astra_learn_assets_tests.serving.real_adapters import store_of

DOCUMENT = REPOSITORY / "docs" / "disaster-recovery.md"
WEIGHTS = "adapter_model.safetensors"
Drill = Callable[..., None]


def commands(heading: str) -> list[str]:
    """The blocks of commands below a heading, up to the next heading."""
    text = DOCUMENT.read_text(encoding="utf-8")
    section = re.split(r"^#{2,3} ", text, flags=re.MULTILINE)
    (own,) = [part for part in section if part.startswith(heading + "\n")]
    return re.findall(r"```sh\n(.*?)```", own, flags=re.DOTALL)


@pytest.fixture
def keyed(town: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """The town with its keys in a folder, as a Secret holds them."""
    folder = tmp_path / "keys"
    folder.mkdir()
    make = ["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(folder / "signing.pem")]
    public = [
        "openssl",
        "pkey",
        "-in",
        str(folder / "signing.pem"),
        "-pubout",
        "-out",
        str(folder / "verify.pem"),
    ]
    for command in (make, public):
        subprocess.run(command, check=True)
    town.settings.signing_key_file = folder / "signing.pem"
    town.settings.verify_key_file = folder / "verify.pem"
    shutil.copyfile(town.settings.home_path / "keys" / "master.key", folder / "master.key")
    return town


@pytest.fixture
def drill(keyed: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drill]:
    """Runs one block of a section as a person would, line by line, stopping at the first that fails.

    bash expands and runs each line; ``astra-learn`` is called in this process, which has loaded it already.
    """
    for name, value in export_env(keyed.settings).items():
        monkeypatch.setenv(name, value)
    names = {"T": TENANT, "COPY": str(tmp_path / "copy"), "KEYS": str(tmp_path / "keys")}

    def bash(line: str) -> bytes:
        done = subprocess.run(["bash", "-e", "-c", line], cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == 0, (line, done.stderr)
        return done.stdout

    def run(heading: str, block: int = 0, **more: str) -> None:
        for name, value in {**names, **more}.items():
            monkeypatch.setenv(name, value)
        for line in commands(heading)[block].splitlines():
            line = line.partition("#")[0].strip()
            command, _, whatever = line.partition("||")
            if not command.startswith("astra-learn "):
                for entry in bash(f"{{ {line}; }} >&2; env -0").split(b"\0"):
                    name, _, value = entry.decode().partition("=")
                    if name.startswith("ASTRA_"):
                        monkeypatch.setenv(name, value)
                continue
            words = bash(f"printf '%s\\0' {command}").decode().split("\0")[1:-1]
            get_settings.cache_clear()
            answer = CliRunner().invoke(app, words)
            assert answer.exit_code == 0 or whatever.strip() == "true", (line, answer.output)

    yield run
    get_settings.cache_clear()


def _copy_of_the_bucket(platform: Platform, tmp_path: Path) -> None:
    shutil.copytree(_bucket(platform), tmp_path / "copy", ignore=shutil.ignore_patterns(".partial"))


def _bucket(platform: Platform) -> Path:
    return Path(str(platform.settings.object_store_url).removeprefix("file://"))


def _damage(platform: Platform, adapter_id: str) -> bytes:
    """One byte of the weights is another; returns what they were."""
    weights = _bucket(platform) / paths.adapter(adapter_id) / WEIGHTS
    good = weights.read_bytes()
    weights.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    return good


def _faults(platform: Platform) -> set[str]:
    return {fault.kind for fault in verification.inspect(platform, TENANT).faults}


def _current(platform: Platform) -> str | None:
    with platform.database.session() as session:
        row = promotions.current(session, TENANT)
        return row.adapter_id if row else None


def test_every_block_of_the_document_is_run_by_a_test_here() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    told = re.findall(r"^#{2,3} (.*)$", text, flags=re.MULTILINE)
    here = Path(__file__).read_text(encoding="utf-8")
    run = re.findall(r'drill\("([^"]+)"(?:, (\d))?', here)
    wanted = {(name, number) for name in told for number in range(len(commands(name)))}
    assert {(name, int(number or 0)) for name, number in run} == wanted


@pytest.mark.parametrize("copy", ["bucket", "core"])
def test_a_corrupt_champion_is_healed_from_a_copy(
    keyed: Platform, drill: Drill, tmp_path: Path, copy: str
) -> None:
    row = _promoted(keyed, tmp_path, 1)
    if copy == "bucket":
        _copy_of_the_bucket(keyed, tmp_path)
    else:
        store_of(keyed, tmp_path / "copy").current(TENANT)
    good = _damage(keyed, row.adapter_id)
    assert _faults(keyed) == {"adapter"}
    drill("A corrupt adapter")
    assert (_bucket(keyed) / paths.adapter(row.adapter_id) / WEIGHTS).read_bytes() == good
    assert _current(keyed) == row.adapter_id
    assert store_of(keyed, tmp_path / "fresh").current(TENANT).adapter_id == row.adapter_id
    kept = _bucket(keyed) / paths.quarantined(TENANT, f"{paths.adapter(row.adapter_id)}/{WEIGHTS}")
    assert kept.read_bytes() != good
    assert len(kept.read_bytes()) == len(good)


def test_a_corrupt_champion_without_a_copy_falls_back_and_comes_again_when_it_was_trained_again(
    keyed: Platform, drill: Drill, tmp_path: Path
) -> None:
    first, second = (_promoted(keyed, tmp_path, seed) for seed in (1, 2))
    _damage(keyed, second.adapter_id)
    drill("Without a copy")
    assert _current(keyed) == first.adapter_id
    assert store_of(keyed, tmp_path / "core").current(TENANT).adapter_id == first.adapter_id
    assert _publish(keyed, tmp_path, 2).adapter_id == second.adapter_id  # what a forced training does
    drill("Without a copy", 1, ADAPTER=second.adapter_id)
    assert store_of(keyed, tmp_path / "core").current(TENANT).adapter_id == second.adapter_id


def test_a_champion_with_nothing_sound_before_it_falls_back_to_the_base_model(
    keyed: Platform, drill: Drill, tmp_path: Path
) -> None:
    first, second = (_promoted(keyed, tmp_path, seed) for seed in (1, 2))
    _damage(keyed, first.adapter_id)
    _damage(keyed, second.adapter_id)
    drill("Without a copy")
    assert _current(keyed) is None


def test_a_copy_of_something_else_is_not_put_back(keyed: Platform, tmp_path: Path) -> None:
    row = _promoted(keyed, tmp_path, 1)
    _damage(keyed, row.adapter_id)
    _copy_of_the_bucket(keyed, tmp_path)  # made too late: as damaged as the bucket
    from astra_learn_assets.learning import healing

    faults = verification.inspect(keyed, TENANT).faults
    (done,) = healing.repair(keyed, TENANT, faults, by="ana", source=tmp_path / "copy")
    assert not done.healed
    assert "base" in done.what
    assert not keyed.objects.list(paths.adapter(row.adapter_id))


def test_a_lost_prefix_comes_back_from_the_copy(keyed: Platform, drill: Drill, tmp_path: Path) -> None:
    _promoted(keyed, tmp_path, 1)
    corpus, other = b"{}\n", b"{ }\n"
    for data in (corpus, other):
        digest = publisher.hashlib.sha256(data).hexdigest()
        keyed.vault.write(TENANT, paths.corpus(TENANT, digest), data)
    _copy_of_the_bucket(keyed, tmp_path)
    before = {key: keyed.objects.get(key) for key in keyed.objects.list(f"models/adapters/{TENANT}")}
    damaged = paths.corpus(TENANT, publisher.hashlib.sha256(corpus).hexdigest())
    keyed.objects.put(damaged, b"ASTRA\x01nonsense that opens under no key at all", overwrite=True)
    keyed.objects.delete_prefix(f"models/adapters/{TENANT}")
    assert _faults(keyed) == {"adapter", "record", "corpus"}
    drill("A lost prefix of the bucket")
    assert {key: keyed.objects.get(key) for key in before} == before
    assert keyed.vault.read(TENANT, damaged) == corpus


def test_a_redis_that_lost_everything_gets_the_flag_again(
    keyed: Platform, drill: Drill, tmp_path: Path
) -> None:
    _promoted(keyed, tmp_path, 1)
    said = keyed.redis.get(announcing.redis_key(TENANT))
    keyed.redis.flushall()
    assert _faults(keyed) == {"flag"}
    drill("Redis is gone")
    assert keyed.redis.get(announcing.redis_key(TENANT)) == said


def test_an_empty_mlflow_gets_runs_versions_and_alias_from_the_adapters(
    keyed: Platform, drill: Drill, tmp_path: Path, empty_mlflow: Path
) -> None:
    _promoted(keyed, tmp_path, 1)
    row = _promoted(keyed, tmp_path, 2)
    shutil.copyfile(empty_mlflow, keyed.settings.home_path / "mlflow.db")
    assert _faults(keyed) == {"mlflow"}
    drill("MLflow is gone")
    assert lineage.champion(keyed.settings, TENANT) == row.adapter_id
    with lineage._client(keyed.settings) as client:
        assert client is not None
        experiment = client.get_experiment_by_name(lineage.model_name(TENANT))
        runs = client.search_runs([experiment.experiment_id])
        assert {run.data.tags["adapter_id"] for run in runs} >= {row.adapter_id}
        assert len(client.get_metric_history(runs[0].info.run_id, "step_loss")) == 3


def test_a_restored_database_learns_again_what_was_in_service(
    keyed: Platform, drill: Drill, tmp_path: Path
) -> None:
    first = _promoted(keyed, tmp_path, 1)
    backup = _dump(keyed, tmp_path)
    second = _promoted(keyed, tmp_path, 2)
    core = store_of(keyed, tmp_path / "core")
    assert core.current(TENANT).adapter_id == second.adapter_id
    _restore(keyed, backup)
    assert _current(keyed) == first.adapter_id
    announcing.republish(keyed)  # the sensor runs before anybody has looked
    assert core.current(TENANT).adapter_id == second.adapter_id
    assert {"unlisted", "promotion"} <= _faults(keyed)
    drill("A database restored from a backup")
    assert _current(keyed) == second.adapter_id
    assert core.current(TENANT).adapter_id == second.adapter_id
    assert _faults(keyed) == {"verdict"}
    with keyed.database.session() as session:
        from astra_learn_assets.store import adapters

        _judge(keyed, adapters.get(session, TENANT, second.adapter_id))
    assert _faults(keyed) == set()


def test_a_lost_signing_key_costs_nothing_that_serves(keyed: Platform, drill: Drill, tmp_path: Path) -> None:
    first, second = (_promoted(keyed, tmp_path, seed) for seed in (1, 2))
    core = store_of(keyed, tmp_path / "core")
    core.current(TENANT)
    (tmp_path / "keys" / "signing.pem").unlink()
    drill("The signing key is lost")
    assert core.current(TENANT).adapter_id == second.adapter_id  # with the old public half: keeps what it has
    fresh = store_of(keyed, tmp_path / "fresh")
    assert fresh.current(TENANT).adapter_id == second.adapter_id
    assert promoter.rollback(keyed, TENANT, by="ana").adapter_id == first.adapter_id
    assert fresh.current(TENANT).adapter_id == first.adapter_id


def test_what_neither_key_signed_is_not_signed_anew(keyed: Platform, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from astra_learn_assets.learning import rekeying

    row = _promoted(keyed, tmp_path, 1)
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(tmp_path / "keys" / "signing.pem")],
        check=True,
    )
    keyed.settings.verify_key_file = None
    stranger = Ed25519PrivateKey.generate().public_key()
    signed = rekeying.sign_anew(keyed, TENANT, old=stranger)
    assert (signed.adapters, signed.verdicts) == (0, 0)
    assert len(signed.refused) == 3
    assert all(row.adapter_id in reason for reason in signed.refused)
    assert "adapter" in _faults(keyed)


def test_a_master_key_is_replaced_and_the_old_one_opens_nothing_any_more(
    keyed: Platform, drill: Drill, tmp_path: Path
) -> None:
    key = paths.golden(TENANT, "0" * 64)
    keyed.vault.write(TENANT, key, b"text")
    keyed.objects.delete(key)
    other = f"datasets/{TENANT}/predictions/{'1' * 64}.jsonl"
    keyed.vault.write(TENANT, other, b"text")
    drill("Rotating keys")
    master = crypto.read_master(tmp_path / "keys" / "master.key")
    with keyed.database.session() as session:
        wrapped = session.scalar(
            sa.text("SELECT wrapped_key FROM tenants WHERE tenant_id = :t"), {"t": TENANT}
        )
    data_key = master.unwrap(bytes(wrapped))
    assert crypto.unseal(data_key, keyed.objects.get(other), tenant=TENANT, object_key=other) == b"text"
    with pytest.raises(crypto.DecryptionFailed):
        crypto.read_master(tmp_path / "keys" / "master-old.key").unwrap(bytes(wrapped))


def test_an_upload_under_way_is_no_damage(keyed: Platform, tmp_path: Path) -> None:
    folder = trained_folder(tmp_path / "out")
    manifest = manifest_of(folder)
    keyed.objects.put(f"{paths.adapter(manifest.adapter_id)}/{WEIGHTS}", (folder / WEIGHTS).read_bytes())
    assert _faults(keyed) == set()


def test_an_unsound_adapter_that_nobody_knows_is_put_aside(keyed: Platform, tmp_path: Path) -> None:
    from astra_learn_assets.learning import healing

    row = _publish(keyed, tmp_path)
    stolen = f"{TENANT}--{'0' * 16}"
    for key in keyed.objects.list(paths.adapter(row.adapter_id)):
        keyed.objects.put(key.replace(row.adapter_id, stolen), keyed.objects.get(key))
    (fault,) = verification.inspect(keyed, TENANT).faults
    assert (fault.kind, fault.name) == ("adapter", stolen)
    healing.repair(keyed, TENANT, [fault], by="ana")
    assert _faults(keyed) == set()
    assert keyed.objects.list(f"quarantine/{TENANT}")


def _programs() -> Path:
    site, installed, _ = servers._postgres_files()
    return Path(site, installed, "bin")


def _dump(platform: Platform, tmp_path: Path) -> Path:
    backup = tmp_path / "backup.dump"
    subprocess.run(
        [_programs() / "pg_dump", "-Fc", "-f", backup, _url(platform)], check=True, capture_output=True
    )
    return backup


def _restore(platform: Platform, backup: Path) -> None:
    platform.database.dispose()
    subprocess.run(
        [_programs() / "pg_restore", "--clean", "--if-exists", "-d", _url(platform), backup],
        check=True,
        capture_output=True,
    )


def _url(platform: Platform) -> str:
    url = normalise_url(str(platform.settings.database_url))
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
