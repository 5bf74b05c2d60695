"""Sealing: what is stored can be read by its tenant, in its place, and by nobody else."""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3  # type: ignore[import-untyped]
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from moto import mock_aws
from pydantic import SecretStr

from astra_learn_assets.errors import (
    BadConfiguration,
    DecryptionFailed,
    ForeignTenant,
    NotFound,
    TenantErased,
    Unavailable,
    UnknownTenant,
)
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import crypto, paths
from astra_learn_assets.store.crypto import KmsMaster, LocalMaster, load_master
from astra_learn_assets.store.tables import Tenant
from astra_learn_assets.store.vault import Vault
from astra_learn_assets_tests.conftest import MakeTenant

TEXT = b"La concejala Ortega pide la palabra"
KEY = paths.pairs("villaverde", "doc-1")


@pytest.fixture
def kms() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", "eu-south-2")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        with mock_aws():
            yield str(boto3.client("kms").create_key()["KeyMetadata"]["KeyId"])


def test_what_is_learned_is_sealed_and_read_back(platform: Platform, make_tenant: MakeTenant) -> None:
    make_tenant()
    assert platform.vault.write("villaverde", KEY, TEXT)
    assert TEXT not in platform.objects.get(KEY)
    assert b"Ortega" not in platform.objects.get(KEY)
    assert platform.vault.read("villaverde", KEY) == TEXT


def test_drafts_and_adapters_are_stored_as_they_are(platform: Platform, make_tenant: MakeTenant) -> None:
    make_tenant()
    key = paths.draft_docx("villaverde", "pleno-1", 1)
    platform.vault.write("villaverde", key, TEXT)
    assert platform.objects.get(key) == TEXT == platform.vault.read("villaverde", key)


def test_a_second_write_leaves_the_first_alone(platform: Platform, make_tenant: MakeTenant) -> None:
    make_tenant()
    assert platform.vault.write("villaverde", KEY, TEXT)
    assert not platform.vault.write("villaverde", KEY, b"other")
    assert platform.vault.read("villaverde", KEY) == TEXT
    assert platform.vault.write("villaverde", KEY, b"other", overwrite=True)
    assert platform.vault.read("villaverde", KEY) == b"other"


def test_nobody_reads_or_writes_in_the_name_of_another(platform: Platform, make_tenant: MakeTenant) -> None:
    make_tenant("villaverde")
    make_tenant("villa")
    platform.vault.write("villaverde", KEY, TEXT)
    for foreign in ("villa", "villaverde-2"):
        for act in (
            lambda tenant: platform.vault.read(tenant, KEY),
            lambda tenant: platform.vault.write(tenant, KEY, b"x", overwrite=True),
            lambda tenant: platform.vault.exists(tenant, KEY),
        ):
            with pytest.raises(ForeignTenant):
                act(foreign)
    for outside in ("datasets/villa/../villaverde/pairs/doc-1.jsonl", "datasets/villa", "keys/master", ""):
        with pytest.raises((ForeignTenant, Exception)) as caught:
            platform.vault.read("villa", outside)
        assert getattr(caught.value, "http_status", 0) in (403, 422)
    assert platform.vault.read("villaverde", KEY) == TEXT


def test_a_sealed_object_copied_elsewhere_does_not_open(platform: Platform, make_tenant: MakeTenant) -> None:
    make_tenant("villaverde")
    make_tenant("otra")
    platform.vault.write("villaverde", KEY, TEXT)
    sealed = platform.objects.get(KEY)
    for tenant, place in (
        ("villaverde", paths.pairs("villaverde", "doc-2")),
        ("otra", paths.pairs("otra", "doc-1")),
    ):
        platform.objects.put(place, sealed)
        with pytest.raises(DecryptionFailed):
            platform.vault.read(tenant, place)


def test_the_key_of_another_tenant_does_not_open_it(platform: Platform, make_tenant: MakeTenant) -> None:
    make_tenant("villaverde")
    other = make_tenant("otra")
    platform.vault.write("villaverde", KEY, TEXT)
    with platform.database.session() as session:
        session.execute(
            sa.update(Tenant).where(Tenant.tenant_id == "villaverde").values(wrapped_key=other.wrapped_key)
        )
    with pytest.raises(DecryptionFailed):
        platform.vault.read("villaverde", KEY)


def test_every_single_flipped_bit_and_every_cut_is_noticed() -> None:
    key = crypto.new_key()
    sealed = crypto.seal(key, b"short", tenant="a1", object_key="k")
    for position in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[position] ^= 1
        with pytest.raises(DecryptionFailed):
            crypto.unseal(key, bytes(damaged), tenant="a1", object_key="k")
        with pytest.raises(DecryptionFailed):
            crypto.unseal(key, sealed[:position], tenant="a1", object_key="k")
    with pytest.raises(DecryptionFailed):
        crypto.unseal(key, sealed + b"\0", tenant="a1", object_key="k")


@hypothesis_settings(max_examples=50, deadline=None)
@given(data=st.binary(max_size=2_000), tenant=st.text(max_size=20), place=st.text(max_size=40))
def test_any_bytes_come_back_and_no_two_seals_are_alike(data: bytes, tenant: str, place: str) -> None:
    key = crypto.new_key()
    tenant, place = (text.encode("utf-8", "ignore").decode().replace("\0", "") for text in (tenant, place))
    first, second = (crypto.seal(key, data, tenant=tenant, object_key=place) for _ in range(2))
    assert first != second
    assert crypto.unseal(key, first, tenant=tenant, object_key=place) == data


def test_plain_bytes_where_sealed_ones_belong_are_refused(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant()
    platform.objects.put(KEY, b'{"smuggled": "in"}')
    with pytest.raises(DecryptionFailed):
        platform.vault.read("villaverde", KEY)


def test_erasing_a_tenant_makes_all_of_it_unreadable_at_once(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant("villaverde")
    make_tenant("villaverde-2")
    neighbour = paths.pairs("villaverde-2", "doc-1")
    adapter = f"{paths.adapter('villaverde--' + '0' * 16)}/weights"
    for tenant, key in (("villaverde", KEY), ("villaverde", adapter), ("villaverde-2", neighbour)):
        platform.vault.write(tenant, key, TEXT)
    backup = platform.objects.get(KEY)
    with Platform.open(platform.settings) as elsewhere:
        assert elsewhere.vault.read("villaverde", KEY) == TEXT  # holds the key in memory now
        assert platform.vault.erase_tenant("villaverde") == 2
        platform.objects.put(KEY, backup)  # even what was copied away before
        with pytest.raises(TenantErased):
            elsewhere.vault.read("villaverde", KEY)
        with pytest.raises(TenantErased):
            elsewhere.vault.write("villaverde", paths.pairs("villaverde", "new"), TEXT)
    assert platform.vault.erase_tenant("villaverde") == 1  # again: also what came in between
    assert platform.objects.list("datasets/villaverde") == []
    assert platform.vault.read("villaverde-2", neighbour) == TEXT


def test_a_tenant_that_does_not_exist_has_no_key(platform: Platform) -> None:
    with pytest.raises(UnknownTenant):
        platform.vault.write("nowhere", paths.pairs("nowhere", "doc"), TEXT)
    with pytest.raises(UnknownTenant):
        platform.vault.erase_tenant("nowhere")
    with pytest.raises(NotFound):
        platform.vault.read("nowhere", paths.draft_docx("nowhere", "s", 1))


def test_another_master_key_opens_nothing_and_says_which_setting_to_check(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant()
    platform.vault.write("villaverde", KEY, TEXT)
    stranger = Vault(platform.objects, platform.database, LocalMaster(crypto.new_key()))
    with pytest.raises(DecryptionFailed, match="ASTRA_MASTER_KEY"):
        stranger.read("villaverde", KEY)


def test_the_key_file_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    with ThreadPoolExecutor(8) as pool:
        masters = list(pool.map(lambda _: load_master(settings), range(16)))
    wrapped = masters[0].wrap(b"k" * 32)
    assert {master.unwrap(wrapped) for master in masters} == {b"k" * 32}
    file = tmp_path / "home" / "keys" / "master.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["master.key"]


@pytest.mark.parametrize(
    "value", ["not base64 at all!", "c2hvcnQ=", base64.b64encode(b"x" * 33).decode(), "é"]
)
def test_a_master_key_that_cannot_work_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(BadConfiguration, match="ASTRA_MASTER_KEY") as caught:
        load_master(Settings(home=tmp_path, master_key=SecretStr(value)))
    assert value not in str(caught.value)


def test_a_key_given_as_base64_works_with_a_newline_behind_it(tmp_path: Path) -> None:
    text = base64.b64encode(os.urandom(32)).decode()
    one, two = (load_master(Settings(home=tmp_path, master_key=SecretStr(text + end))) for end in ("", "\n"))
    assert two.unwrap(one.wrap(b"k" * 32)) == b"k" * 32


def test_s3_without_a_master_key_is_refused_and_makes_no_key_file(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="ASTRA_MASTER_KEY_KMS"):
        load_master(Settings(home=tmp_path, object_store_url="s3://bucket"))
    assert list(tmp_path.iterdir()) == []


def test_kms_wraps_and_unwraps_and_the_data_key_is_not_in_what_is_stored(kms: str) -> None:
    master = KmsMaster(kms)
    wrapped = master.wrap(b"k" * 32)
    assert b"k" * 8 not in wrapped
    assert master.unwrap(wrapped) == b"k" * 32
    with pytest.raises(DecryptionFailed):
        LocalMaster(crypto.new_key()).unwrap(wrapped)
    with pytest.raises(DecryptionFailed):
        master.unwrap(LocalMaster(crypto.new_key()).wrap(b"k" * 32))
    with pytest.raises((DecryptionFailed, Unavailable)):
        master.unwrap(wrapped[:-3])
    with pytest.raises(Unavailable):
        KmsMaster("alias/none").wrap(b"k" * 32)


def test_a_vault_works_over_kms(kms: str, platform: Platform, make_tenant: MakeTenant) -> None:
    make_tenant()
    master = load_master(platform.settings.model_copy(update={"master_key_kms": kms}))
    vault = Vault(platform.objects, platform.database, master)
    with platform.database.session() as session:
        session.execute(sa.update(Tenant).values(wrapped_key=vault.new_tenant_key()))
    vault.write("villaverde", KEY, TEXT)
    assert vault.read("villaverde", KEY) == TEXT
