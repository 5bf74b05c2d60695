"""The closed loop on what production has: S3 with KMS, an MLflow server, Postgres and Redis by URL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import boto3  # type: ignore[import-untyped]
import dagster as dg
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from moto.server import ThreadedMotoServer

from astra_learn_assets.services.stack import free_port
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import promotions
from astra_learn_assets_tests.graph.conftest import SMALL, Town
from astra_learn_assets_tests.graph.test_loop import LEARN, PREPARE, SESSIONS, run_assets
from astra_learn_assets_tests.serving.real_adapters import store_of

BUCKET = "astra-learn"
REGION = "eu-south-2"


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """S3 and KMS; returns the ARN of a key."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": url,
            "MLFLOW_S3_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }.items():
            patch.setenv(name, value)
        boto3.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
    server.stop()


@pytest.fixture(scope="module")
def mlflow_server(aws: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port(5000)
    options = [
        ("--host", "127.0.0.1"),
        ("--port", str(port)),
        ("--workers", "1"),
        ("--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"),
        ("--default-artifact-root", f"s3://{BUCKET}/mlflow"),
    ]
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *(part for option in options for part in option)],
            stdout=log,
            stderr=log,
            env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/health", server, folder / "log")
        yield url
    finally:
        os.killpg(server.pid, 15)
        server.wait()


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urlopen(url, timeout=5).close()
            return
        except (URLError, OSError):
            time.sleep(0.3)
    raise AssertionError(log.read_text()[-2000:])


@pytest.fixture
def settings(settings: Settings, aws: str, mlflow_server: str, tmp_path: Path) -> Settings:
    """As the chart sets them: only URLs and keys differ from a laptop's."""
    signing, verifying = tmp_path / "signing.pem", tmp_path / "verify.pem"
    key = Ed25519PrivateKey.generate()
    signing.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    signing.chmod(0o600)
    verifying.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return settings.model_copy(
        update={
            **SMALL,
            "object_store_url": f"s3://{BUCKET}/production",
            "object_store_kms_key": aws,
            "master_key_kms": aws,
            "mlflow_tracking_uri": mlflow_server,
            "mlflow_artifact_root": f"s3://{BUCKET}/mlflow",
            "signing_key_file": signing,
            "verify_key_file": verifying,
        }
    )


@pytest.mark.timeout(400)
def test_the_loop_closes_on_s3_with_kms_an_mlflow_server_and_services_by_url(
    instance: dg.DagsterInstance, town: Town, aws: str, mlflow_server: str
) -> None:
    from mlflow import MlflowClient

    platform = town.platform
    town.submit(*SESSIONS)
    assert run_assets(instance, town.tenant_id, PREPARE).success
    assert run_assets(instance, town.tenant_id, LEARN).success
    with platform.database.session() as session:
        current = promotions.current(session, town.tenant_id)
    assert current is not None
    pointer = json.loads(platform.redis.get(f"NEW_MODEL_AVAILABLE:{town.tenant_id}"))
    assert pointer["adapter_id"] == current.adapter_id

    _everything_in_the_bucket_was_asked_to_be_encrypted_with_the_key(aws)
    champion = MlflowClient(mlflow_server).get_model_version_by_alias(f"astra-{town.tenant_id}", "champion")
    assert champion.tags["adapter_id"] == current.adapter_id

    core = store_of(platform, platform.settings.home_path / "core")
    assert core.current(town.tenant_id).adapter_id == current.adapter_id


def _everything_in_the_bucket_was_asked_to_be_encrypted_with_the_key(key: str) -> None:
    s3 = boto3.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="production/")
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
    rooms = {name.split("/")[1] for name in keys}
    assert rooms == {"sessions", "diffs", "datasets", "models"}
    for name in keys:
        head = s3.head_object(Bucket=BUCKET, Key=name)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key), name
