"""``helm install`` and ``helm test`` on the control plane: every pod's command starts, and the API answers.

The chart is the one of ``values-minimal.yaml``; Postgres and Redis are those of the other tests, with
databases of the release's own, the bucket is an S3 server's. The card of the training node is a number: the
scheduler gives it to the smoke test's pod, which is not asked to find a driver.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
import httpx
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from moto.server import ThreadedMotoServer

from astra_learn_assets.settings import Settings
from astra_learn_assets.store.db import normalise_url
from astra_learn_assets_tests.cluster.cluster import Cluster, phase
from astra_learn_assets_tests.cluster.container import this_checkout
from astra_learn_assets_tests.cluster.databases import new_database
from astra_learn_assets_tests.cluster.nodes import GPU
from astra_learn_assets_tests.deploy.chart import CHART, VALUES

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(2400)]
RELEASE, BUCKET = "council", "astra-learn"
PARTS = ["api", "code-location", "daemon", "webserver"]


@pytest.fixture
def bucket() -> Iterator[str]:
    """An S3 server with the release's bucket; its URL."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=url, **keys).create_bucket(Bucket=BUCKET)
    yield url
    server.stop()


def test_an_installed_release_starts_answers_and_passes_its_own_test(
    cluster: Cluster, namespace: str, services: Settings, bucket: str, tmp_path: Path
) -> None:
    for repository in ("astra-learn", "astra-trainer"):
        cluster.images[f"{repository}:v1"] = this_checkout("/var/lib/astra")
    values = tmp_path / "values.json"
    values.write_text(json.dumps(_values(services, bucket)))
    cluster.apply(*_secrets(services, namespace))
    where = ("--namespace", namespace, "--timeout", "15m")
    cluster.plane.helm(
        "install", RELEASE, str(CHART), *where, "--wait",
        "--values", str(VALUES["minimal"]), "--values", str(values),
    )  # fmt: skip
    try:
        running = [pod for pod in cluster.pods(namespace) if phase(pod) == "Running"]
        assert sorted(pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in running) == PARTS
        assert {pod["spec"]["nodeName"] for pod in running} == {"cpu"}
        assert httpx.get("http://127.0.0.1:8600/readyz").json()["status"] == "ready"

        cluster.plane.helm("test", RELEASE, *where)
        (smoke,) = cluster.pods(namespace, "app.kubernetes.io/component=smoke")
        assert phase(smoke) == "Succeeded"
        assert smoke["spec"]["nodeName"] == "gpu-train"
        assert smoke["spec"]["containers"][0]["resources"]["limits"][GPU] == "1"
        objects = boto3.client(
            "s3", endpoint_url=bucket, aws_access_key_id="test", aws_secret_access_key="test"
        ).list_objects_v2(Bucket=BUCKET, Prefix="smoke")
        assert objects["ResponseMetadata"]["HTTPStatusCode"] == 200
    finally:
        cluster.plane.helm("uninstall", RELEASE, *where, "--wait")


def _values(services: Settings, bucket: str) -> dict[str, Any]:
    """What a site says: here everything is on this machine."""
    owner, api = _url(services.database_url), _url(services.api_database_url)
    names = [f"{RELEASE}_platform", f"{RELEASE}_dagster"]
    for name in names:
        new_database(owner.render_as_string(hide_password=False), name)
    assert (api.host, api.port) == (owner.host, owner.port)
    return {
        "postgres": {
            "host": owner.host, "port": owner.port, "sslmode": "disable", "user": owner.username,
            "apiUser": api.username, "database": names[0], "dagsterDatabase": names[1],
        },
        "objectStore": {"url": f"s3://{BUCKET}", "endpoint": bucket},
        "smokeTest": {"requireGpu": False},
    }  # fmt: skip


def _secrets(services: Settings, namespace: str) -> list[dict[str, Any]]:
    """The two Secrets that ``docs/operations.md`` tells one to make."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    content = {
        "astra-learn": {
            "postgres-password": _url(services.database_url).password,
            "postgres-api-password": _url(services.api_database_url).password,
            "redis-url": services.redis_url,
            "master-key": base64.b64encode(os.urandom(32)).decode(),
            "aws-access-key-id": "test",
            "aws-secret-access-key": "test",
        },
        "astra-learn-signing": {"signing.pem": private.decode(), "verify.pem": public.decode()},
    }
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace},
            "stringData": values,
        }
        for name, values in content.items()
    ]


def _url(text: str | None) -> sa.URL:
    assert text is not None
    return normalise_url(text)
