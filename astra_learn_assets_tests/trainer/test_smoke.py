"""The report a pod gives before it is trusted with a training: real folders, a real S3 protocol."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from trainer.__main__ import main
from trainer.errors import BadUsage
from trainer.smoke import smoke


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "key")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_REGION", "us-east-1")
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="models")
        yield "models"
    server.stop()


def _smoke(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    status = main(["smoke", *arguments])
    return status, json.loads(capsys.readouterr().out)


def test_a_local_model_store_takes_an_object_and_gives_it_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "not yet there"
    status, report = _smoke(capsys, "--folder", str(tmp_path), "--store", store.as_uri())
    assert (status, report["ok"]) == (0, True)
    assert report["store"] | {"object": "", "write_ms": 0, "read_ms": 0} == {
        "url": f"file://{store}",
        "object": "",
        "bytes": 1024,
        "write_ms": 0,
        "read_ms": 0,
        "deleted": True,
        "ok": True,
    }
    assert not [path for path in store.rglob("*") if path.is_file()]


def test_the_model_bucket_is_written_and_read_and_left_as_it_was(bucket: str, tmp_path: Path) -> None:
    client = boto3.client("s3", region_name="us-east-1")
    client.put_object(Bucket=bucket, Key="council/adapter", Body=b"precious")
    report = smoke(tmp_path, f"s3://{bucket}/council")
    assert report["ok"]
    assert report["store"]["ok"]
    assert report["store"]["deleted"]
    assert [entry["Key"] for entry in client.list_objects_v2(Bucket=bucket)["Contents"]] == [
        "council/adapter"
    ]


def test_a_bucket_that_refuses_deletes_is_still_good_for_models(bucket: str, tmp_path: Path) -> None:
    import obstore

    def refuse(*_: object) -> None:
        raise obstore.exceptions.PermissionDeniedError("AccessDenied\nDELETE")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(obstore, "delete", refuse)
        report = smoke(tmp_path, f"s3://{bucket}/kept")
    assert report["ok"]
    assert report["store"]["deleted"] is False
    assert report["store"]["delete_error"] == "AccessDenied"
    client = boto3.client("s3", region_name="us-east-1")
    kept = client.get_object(Bucket=bucket, Key=f"kept/{report['store']['object']}")["Body"].read()
    assert len(kept) == report["store"]["bytes"]


def test_a_missing_bucket_is_reported_and_fails_the_command(
    bucket: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, report = _smoke(capsys, "--folder", str(tmp_path), "--store", "s3://nobody-made-this/x")
    assert status == 1
    assert not report["ok"]
    assert "404" in report["store"]["error"]
    assert report["storage"]["ok"]


def test_a_store_that_gives_other_bytes_back_is_not_ok(tmp_path: Path) -> None:
    import obstore

    write = obstore.put

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(obstore, "put", lambda store, key, _: write(store, key, b"something else"))
        report = smoke(tmp_path, (tmp_path / "store").as_uri())
    assert not report["ok"]
    assert report["store"]["error"] == "the bytes read are not those written"


@pytest.mark.parametrize(
    "url",
    ["s3:/council", "file://host/folder", "gs://bucket", "s3://key:secret@bucket", "models", "s3://b?x=y"],
)
def test_a_store_url_of_another_kind_is_a_usage_error_that_repeats_no_secret(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["smoke", "--folder", str(tmp_path), "--store", url]) == BadUsage.exit_status
    said = capsys.readouterr()
    assert said.out == ""
    assert "s3://bucket/prefix" in said.err
    assert "secret" not in said.err


def test_a_trainer_without_obstore_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".")[0] == "obstore":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    report = smoke(tmp_path, tmp_path.as_uri())
    assert not report["ok"]
    assert report["store"]["error"] == "obstore is not installed: pip install obstore"


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("a file, no folder")
    report = smoke(file / "below")
    assert not report["ok"]
    assert report["storage"]["error"]


def test_the_folder_tried_is_the_one_where_results_will_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    status, report = _smoke(capsys)
    assert status == 0
    assert report["storage"] == {"folder": str(tmp_path), "ok": True}
    assert not list(tmp_path.iterdir())


def test_a_demanded_gpu_decides_the_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert smoke(tmp_path)["ok"]
    assert not smoke(tmp_path, require_gpu=True)["ok"]
