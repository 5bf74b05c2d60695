"""One cluster for all tests marked ``cluster``, and a namespace for each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from astra_learn_assets_tests.cluster import programs
from astra_learn_assets_tests.cluster.cluster import Cluster
from astra_learn_assets_tests.cluster.container import Image
from astra_learn_assets_tests.cluster.objects import IMAGE


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    reason = programs.why_not()
    if reason is not None:
        pytest.skip(reason)
    with Cluster(tmp_path_factory.mktemp("kubernetes") / "cluster") as cluster:
        yield cluster


@pytest.fixture
def cluster(_running: Cluster) -> Iterator[Cluster]:
    """The cluster with healthy nodes and one image; what the test did to either is undone."""
    _running.images.clear()
    _running.images[IMAGE] = Image()
    yield _running
    for name, agent in _running.nodes.items():
        agent.release_starts()
        agent.recover()
        _running.until(lambda name=name: _running.ready(name), f"node {name} is ready again")


@pytest.fixture
def namespace(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own; its pods have ended when the next test begins."""
    words = re.sub("[^a-z0-9]+", "-", request.node.name.removeprefix("test_").casefold())
    name = words[:50].strip("-")
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
    cluster.until(lambda: cluster.kube.find(account), "the namespace has its service account")
    yield name
    for agent in cluster.nodes.values():
        agent.release_starts()
        agent.recover()
    cluster.kube.delete(f"/api/v1/namespaces/{name}")
    cluster.until(lambda: not cluster.pods(name), "the namespace's pods are gone")
