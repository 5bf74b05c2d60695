"""The object store: the same rules in a folder and on S3."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

import boto3  # type: ignore[import-untyped]
import pytest
from moto.server import ThreadedMotoServer

from astra_learn_assets.errors import BadConfiguration, BadInput, Conflict, InvalidId, NotFound, Unavailable
from astra_learn_assets.store.objects import ObjectStore


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "eu-south-2",
            "AWS_DEFAULT_REGION": "eu-south-2",
        }.items():
            patch.setenv(name, value)
        yield f"http://{host}:{port}"
    server.stop()


def _bucket() -> str:
    name = f"bucket-{uuid4().hex[:12]}"
    boto3.client("s3").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-south-2"}
    )
    return name


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "folder":
        return ObjectStore.open((tmp_path / "with spaces, ñ and %41").as_uri())
    request.getfixturevalue("s3")
    return ObjectStore.open(f"s3://{_bucket()}/some/prefix")


def _folder(path: Path, **files: str) -> Path:
    for name, text in files.items():
        target = path / name.replace("__", "/").replace("_dot_", ".")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return path


def test_what_was_put_is_got_and_never_overwritten_unless_asked(store: ObjectStore) -> None:
    assert store.put("diffs/a/one.parquet", b"first")
    assert not store.put("diffs/a/one.parquet", b"second")
    assert store.get("diffs/a/one.parquet") == b"first"
    assert store.put("diffs/a/one.parquet", b"third", overwrite=True)
    assert store.get("diffs/a/one.parquet") == b"third"
    assert store.exists("diffs/a/one.parquet")
    assert not store.exists("diffs/a/two.parquet")


def test_of_many_writers_at_once_exactly_one_wins_and_is_seen_whole(store: ObjectStore) -> None:
    contents = [bytes([n]) * 200_000 for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda data: store.put("x/y", data), contents))
    assert won.count(True) == 1
    assert store.get("x/y") == contents[won.index(True)]


def test_empty_and_large_objects_survive(store: ObjectStore) -> None:
    large = os.urandom(12_000_000)  # above the size at which uploads are cut into parts
    store.put("a/empty", b"")
    store.put("a/large", large)
    store.put("a/large-2", large, overwrite=True)
    assert store.get("a/empty") == b""
    assert store.get("a/large") == large == store.get("a/large-2")


def test_a_missing_object_is_named(store: ObjectStore) -> None:
    with pytest.raises(NotFound, match="no/such"):
        store.get("no/such")
    store.delete("no/such")  # nothing to do is fine
    assert store.list("no") == []
    assert store.delete_prefix("no") == 0


def test_a_prefix_is_a_folder_and_not_the_beginning_of_a_name(store: ObjectStore) -> None:
    for key in ("diffs/villa/1", "diffs/villa/sub/2", "diffs/villaverde/1", "diffs/villa-real/1"):
        store.put(key, b"x")
    assert store.list("diffs/villa/") == store.list("diffs/villa") == ["diffs/villa/1", "diffs/villa/sub/2"]
    assert store.delete_prefix("diffs/villa/") == 2
    assert store.list("diffs") == ["diffs/villa-real/1", "diffs/villaverde/1"]


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a//b",
        "a/",
        "a/./b",
        ".partial/x",
        "a\\b",
        "a b",
        "ñ",
        "a\0b",
        "a\n",
        "a/%2e%2e/b",
        "a/b#1",
        "C:x",
        "a/" + "b" * 201,
        "/".join("a" * 600),
        "a/..",
        "~",
        "a/b.",
    ],
)
def test_no_key_reaches_outside_or_holds_odd_characters(store: ObjectStore, tmp_path: Path, key: str) -> None:
    (tmp_path / "x").write_bytes(b"outside")
    for act in (
        lambda: store.get(key),
        lambda: store.put(key, b"evil", overwrite=True),
        lambda: store.exists(key),
        lambda: store.delete(key),
        lambda: store.delete_prefix(key if key != "a/" else "a//"),
        lambda: store.get_folder(key if key != "a/" else "a//", tmp_path / "got"),
    ):
        with pytest.raises(InvalidId):
            act()
    assert (tmp_path / "x").read_bytes() == b"outside"
    assert not (tmp_path / "got").exists()


def test_a_folder_comes_back_as_it_was(store: ObjectStore, tmp_path: Path) -> None:
    source = _folder(
        tmp_path / "in", weights_dot_bin="w", manifest_dot_json="{}", manifest_dot_sig="s", a__b_dot_txt="n"
    )
    assert store.put_folder("models/adapters/villa/villa--1", source)
    target = store.get_folder("models/adapters/villa/villa--1", tmp_path / "out" / "here")
    found = {
        path.relative_to(target).as_posix(): path.read_text() for path in target.rglob("*") if path.is_file()
    }
    assert found == {"weights.bin": "w", "manifest.json": "{}", "manifest.sig": "s", "a/b.txt": "n"}
    assert [path.name for path in target.parent.iterdir()] == ["here"]


def test_a_complete_folder_is_never_written_again(store: ObjectStore, tmp_path: Path) -> None:
    store.put_folder("f", _folder(tmp_path / "1", w="1", manifest_dot_json="1", manifest_dot_sig="1"))
    again = _folder(tmp_path / "2", w="2", more="2", manifest_dot_json="2", manifest_dot_sig="2")
    assert not store.put_folder("f", again)
    assert {key: store.get(key) for key in store.list("f")} == {
        "f/w": b"1",
        "f/manifest.json": b"1",
        "f/manifest.sig": b"1",
    }


def test_an_unsigned_file_with_other_content_is_never_replaced_and_never_signed(
    store: ObjectStore, tmp_path: Path
) -> None:
    folder = _folder(tmp_path / "2", w="2", manifest_dot_json="2", manifest_dot_sig="2")
    store.put("f/w", b"of another upload")
    with pytest.raises(Conflict):
        store.put_folder("f", folder)
    assert store.get("f/w") == b"of another upload"
    assert not store.exists("f/manifest.sig")
    store.put("g/w", b"2")
    assert store.put_folder("g", folder), "what is there already and equal is no obstacle"
    assert store.exists("g/manifest.sig")


def test_an_upload_may_be_stopped_before_it_is_signed(store: ObjectStore, tmp_path: Path) -> None:
    folder = _folder(tmp_path / "2", w="2", manifest_dot_json="2", manifest_dot_sig="2")

    def stop() -> None:
        assert store.exists("f/manifest.json")
        raise Unavailable("the lock was lost")

    with pytest.raises(Unavailable):
        store.put_folder("f", folder, before_signing=stop)
    assert not store.exists("f/manifest.sig")


def test_links_and_empty_folders_are_not_uploaded(store: ObjectStore, tmp_path: Path) -> None:
    linked = _folder(tmp_path / "in", w="1")
    (linked / "passwd").symlink_to("/etc/passwd")
    for folder in (linked, tmp_path / "missing"):
        with pytest.raises(BadInput):
            store.put_folder("f", folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput):
        store.put_folder("f", tmp_path / "empty")
    assert store.list("f") == []


def test_a_download_that_fails_leaves_nothing_and_an_existing_folder_is_kept(
    store: ObjectStore, tmp_path: Path
) -> None:
    with pytest.raises(NotFound):
        store.get_folder("nothing/here", tmp_path / "out")
    assert list(tmp_path.glob("*out*")) == []
    kept = _folder(tmp_path / "kept", mine="1")
    store.put("f/w", b"x")
    store.get_folder("f", kept)
    assert [path.name for path in kept.iterdir()] == ["mine"]


def test_downloads_at_once_agree(store: ObjectStore, tmp_path: Path) -> None:
    store.put_folder("f", _folder(tmp_path / "in", a="1", b="2"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: store.get_folder("f", tmp_path / "out"), range(4)))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a", "b"]
    assert sorted(path.name for path in tmp_path.iterdir() if "out" in path.name) == ["out"]


def test_deletes_beside_writes_break_neither(tmp_path: Path) -> None:
    store = ObjectStore.open((tmp_path / "o").as_uri())

    def churn(n: int) -> None:
        for turn in range(40):
            assert store.put(f"shared/deep/{n}-{turn}", b"x")
            store.delete(f"shared/deep/{n}-{turn}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(churn, range(4)))
    assert store.list("shared") == []
    assert list((tmp_path / "o" / ".partial").iterdir()) == []


@pytest.mark.parametrize(
    "url", ["", "x", "/tmp/x", "file://host/x", "file:relative", "gs://b/x", "s3://", "s3:///x"]
)
def test_a_url_that_names_no_store_is_refused(url: str) -> None:
    with pytest.raises(BadConfiguration):
        ObjectStore.open(url)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadConfiguration):
        ObjectStore.open((tmp_path / "file" / "below").as_uri())


def test_s3_writes_ask_for_the_kms_key(s3: str) -> None:
    bucket = _bucket()
    store = ObjectStore.open(f"s3://{bucket}/p", kms_key="alias/astra-objects")
    store.put("a/create", b"x")
    store.put("a/overwrite", os.urandom(11_000_000), overwrite=True)
    for key in ("p/a/create", "p/a/overwrite"):
        head = boto3.client("s3").head_object(Bucket=bucket, Key=key)
        assert head["ServerSideEncryption"] == "aws:kms"
        assert head["SSEKMSKeyId"].endswith("alias/astra-objects")
    plain = ObjectStore.open(f"s3://{bucket}/p")
    plain.put("a/plain", b"x")
    assert (
        boto3.client("s3").head_object(Bucket=bucket, Key="p/a/plain").get("ServerSideEncryption")
        != "aws:kms"
    )


@pytest.mark.parametrize("act", ["put", "get", "exists", "list", "delete"])
def test_a_bucket_that_does_not_exist_is_told_and_never_taken_for_an_empty_one(s3: str, act: str) -> None:
    store = ObjectStore.open("s3://no-such-bucket-anywhere/some")
    with pytest.raises(BadConfiguration, match="no bucket for s3://no-such-bucket-anywhere/some"):
        getattr(store, act)(*(("a/b", b"x") if act == "put" else ("a/b",)))


class Refusing(BaseHTTPRequestHandler):
    """An S3 that answers with the next of ``answers``, and then as one that has nothing."""

    answers: ClassVar[list[tuple[int, str]]] = []
    asked: ClassVar[int] = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        listing = "list-type" in self.path
        status, code = self.answers.pop(0) if self.answers else (200 if listing else 404, "NoSuchKey")
        body = f"<Error><Code>{code}</Code><Message>token AQoDYXdz</Message></Error>".encode()
        body = b"<ListBucketResult></ListBucketResult>" if status == 200 else body
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        return


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Refusing]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_REGION", "eu-south-2")
    Refusing.answers, Refusing.asked = [], 0
    yield Refusing
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (403, "AccessDenied", r"AccessDenied \(status 403\): the role may not do this"),
        (403, "InvalidAccessKeyId", "the access key is unknown"),
        (301, "PermanentRedirect", "the bucket is in another region"),
        (400, "KMS.DisabledException", "refused"),
    ],
)
def test_a_refusal_names_bucket_key_and_cause_and_repeats_nothing_else(
    refusing: type[Refusing], status: int, code: str, sentence: str
) -> None:
    refusing.answers = [(status, code)] * 9
    with pytest.raises(Unavailable, match=f"s3://bucket/prefix/a/b: .*{sentence}") as refused:
        ObjectStore.open("s3://bucket/prefix").get("a/b")
    assert "AQoDYXdz" not in str(refused.value)


def test_server_errors_are_tried_again_and_given_up_after_a_bound(refusing: type[Refusing]) -> None:
    store = ObjectStore.open("s3://bucket")
    refusing.answers = [(500, "InternalError"), (503, "SlowDown")]
    with pytest.raises(NotFound):
        store.get("a/b")
    refusing.answers, refusing.asked = [(500, "InternalError")] * 50, 0
    with pytest.raises(Unavailable, match=r"s3://bucket/a/b: InternalError \(status 500\)"):
        store.get("a/b")
    assert refusing.asked == 5


def test_expired_credentials_are_asked_for_anew_once(refusing: type[Refusing]) -> None:
    store = ObjectStore.open("s3://bucket")
    refusing.answers = [(400, "ExpiredToken")]
    with pytest.raises(NotFound):
        store.get("a/b")
    refusing.answers = [(400, "ExpiredToken")] * 9
    with pytest.raises(Unavailable, match="the credentials have expired and no new ones were found"):
        store.get("a/b")


def test_an_endpoint_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with pytest.raises(Unavailable, match="no answer from the endpoint: check AWS_ENDPOINT_URL"):
        ObjectStore.open("s3://bucket").get("a/b")
