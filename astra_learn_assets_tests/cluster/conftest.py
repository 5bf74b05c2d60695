"""One cluster for the tests marked ``cluster``, a namespace for each, one Dagster for the learning tests."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from astra_learn_assets.settings import Settings
from astra_learn_assets_tests.cluster import programs
from astra_learn_assets_tests.cluster.cluster import Cluster
from astra_learn_assets_tests.cluster.container import Image
from astra_learn_assets_tests.cluster.learning import Learning, running_learning
from astra_learn_assets_tests.cluster.objects import IMAGE
from astra_learn_assets_tests.conftest import emptied

_numbers = itertools.count(1)


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
    _running.images[IMAGE] = Image()
    yield _running
    _running.heal()


@pytest.fixture
def namespace(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own; its pods have ended when the next test begins."""
    words = re.sub("[^a-z0-9]+", "-", request.node.name.removeprefix("test_").casefold())
    name = f"{words[:50].strip('-')}-{next(_numbers)}"  # an earlier one may still be on its way out
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
    cluster.until(lambda: cluster.kube.find(account), "the namespace has its service account")
    yield name
    cluster.heal()
    cluster.kube.delete(
        f"/apis/batch/v1/namespaces/{name}/jobs", {"propagationPolicy": "Background", "gracePeriodSeconds": 0}
    )
    cluster.kube.delete(f"/api/v1/namespaces/{name}/pods", {"gracePeriodSeconds": 1})
    cluster.kube.delete(f"/api/v1/namespaces/{name}")
    cluster.until(lambda: not cluster.pods(name), "the namespace's pods are gone")


@pytest.fixture(scope="session")
def _learning(
    _running: Cluster,
    services: Settings,
    _database: sa.Engine,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Learning]:
    settings = emptied(services, _database, tmp_path_factory.mktemp("learning") / "home")
    with running_learning(_running, settings, tmp_path_factory.mktemp("dagster")) as learning:
        yield learning


@pytest.fixture
def learning(_learning: Learning, cluster: Cluster) -> Iterator[Learning]:
    """Dagster over the cluster, without a run under way before and after the test."""
    yield _learning
    cluster.heal()
    _learning.clear()
