"""The learning path on the cluster: with the chart's test the one that knows ``astra_learn_assets``.

Postgres, Redis and the object store are those of the other tests. Dagster has the deployment's own
``dagster.yaml``, but for the launcher and its clocks: runs become Jobs through the real K8sRunLauncher, which
comes with a service account that may do what the official chart lets it. The pods find the databases by URL
and the object store by a hostPath volume.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from astra_learn_assets.datasets.golden import is_golden
from astra_learn_assets.partitions import tenant_partitions
from astra_learn_assets.platform import Platform
from astra_learn_assets.services.embedded import export_env
from astra_learn_assets.settings import REPOSITORY, Settings
from astra_learn_assets.simulation.council.simulator import make_council
from astra_learn_assets.simulation.council.writing import Style
from astra_learn_assets.store import documents, examples, promotions, tenants, trainings
from astra_learn_assets.store.tables import TrainingRun
from astra_learn_assets_tests.cluster.cluster import Cluster
from astra_learn_assets_tests.cluster.container import this_checkout
from astra_learn_assets_tests.cluster.dagster_processes import DagsterProcesses
from astra_learn_assets_tests.cluster.databases import new_database
from astra_learn_assets_tests.cluster.kube import Object
from astra_learn_assets_tests.cluster.profiles import ACCOUNT, PRIORITY, SECRET, policy
from astra_learn_assets_tests.graph.conftest import SMALL, Town

IMAGE = "astra-trainer:v1"
NAMESPACE = "learning"
START_TIMEOUT = 150
TRAIN = "train_adapter"
_SECONDS = 900.0  # what a busy machine needs; a test ends as soon as it is true
_HOME = "/opt/dagster/dagster_home"
_KNOBS: dict[str, Any] = {
    **SMALL,
    "train_threshold": 30,
    "epochs": 4.0,  # fewer steps and the loss need not have fallen, which adapter_gate refuses
    "golden_maximum_examples": 24,
    "golden_share": 0.4,
    # two documents tell nothing from chance: what the gate does then is the gate's own tests' matter
    "golden_minimum_power": 0.0,
    "wer_tolerance_points": 100.0,
    "wer_margin_points": 100.0,
    "cer_tolerance_points": 100.0,
    "entity_tolerance_points": 100.0,
    "clean_tolerance_points": 100.0,
    "generic_tolerance_points": 100.0,
    "sensor_interval_seconds": 2,
    "train_backoff_minutes": 0.0,
    "train_settle_minutes": 0.0,
}
# A habit in nearly every sentence that no base has: what a few dozen examples surely teach.
_STEADY = Style((("que", "qué"),))
_RIGHTS = [
    {"apiGroups": ["batch"], "resources": ["jobs", "jobs/status"], "verbs": ["*"]},
    {"apiGroups": [""], "resources": ["pods", "pods/log", "pods/status"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["list"]},
]


class Learning:
    """Dagster over the namespace ``learning`` of a cluster, and the platform that its runs work on."""

    def __init__(self, cluster: Cluster, settings: Settings, folder: Path) -> None:
        self.cluster = cluster
        self.settings = settings.model_copy(update=_KNOBS)
        self.platform = Platform.open(self.settings)
        storage = self.settings.home_path / "dagster-storage"
        storage.mkdir(parents=True)
        self._variables = {
            **export_env(self.settings),
            "ASTRA_DAGSTER_DATABASE_URL": new_database(str(self.settings.dagster_database_url), NAMESPACE),
            "ASTRA_DAGSTER_STORAGE": str(storage),
        }
        self._make_objects()
        profiles = folder / "profiles.json"
        profiles.write_text(json.dumps(policy(self._variables)))
        kubeconfig = cluster.plane.kubeconfig_of_account(NAMESPACE, "dagster")
        outside = {"load_incluster_config": False, "kubeconfig_file": str(kubeconfig)}
        (folder / "dagster.yaml").write_text(yaml.safe_dump(_instance(self.settings, outside)))
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "DAGSTER_HOME": str(folder),
            "ASTRA_COMPUTE_PROFILES": str(profiles),
            **self._variables,
        }
        self.dagster = DagsterProcesses(folder, environment, "astra_learn_assets.definitions")
        with _environment(environment):
            self.instance = dg.DagsterInstance.from_config(str(folder))

    def start(self) -> None:
        """Start Dagster."""
        self.cluster.images[IMAGE] = this_checkout()
        self.dagster.start(IMAGE)

    def close(self) -> None:
        """End Dagster; the cluster ends the pods."""
        self.dagster.stop()
        self.instance.dispose()
        self.platform.close()

    def clear(self) -> None:
        """End every run and Job, so that the next test finds none."""
        with self.platform.database.session() as session:
            for tenant in tenants.list_all(session):
                # its examples still wait: the sensor would ask again and take the card of the next test
                tenants.pause(session, tenant.tenant_id, "the test is over", datetime.now(UTC))
        for run in self.instance.get_runs(dg.RunsFilter(statuses=list(_UNFINISHED))):
            self.dagster.cancel(run.run_id)
        for job in self.jobs():
            path = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs/{job['metadata']['name']}"
            self.cluster.kube.delete(path, {"propagationPolicy": "Background"})
        for pod in self.pods():
            if not pod["metadata"].get("ownerReferences"):  # a test's own, of which no Job takes care
                self.cluster.kube.delete(f"/api/v1/namespaces/{NAMESPACE}/pods/{pod['metadata']['name']}")
        self.until(lambda: not self.pods(), "every pod has ended")
        with self.platform.database.session() as session:
            for tenant in tenants.list_all(session):
                for row in trainings.unfinished(session, tenant.tenant_id):
                    trainings.update(session, row.run_id, state="failed", reason="the test is over")
        self.cluster.images[IMAGE] = this_checkout()

    def new_town(self, tenant_id: str) -> Town:
        """A tenant with a key of its own and the simulated council of Villaverde; a partition at once."""
        with self.platform.database.session() as session:
            tenants.create(
                session,
                tenant_id,
                display_name=tenant_id.replace("-", " ").title(),
                country="es",
                tier="standard",
                wrapped_key=self.platform.vault.new_tenant_key(),
            )
        self.instance.add_dynamic_partitions(str(tenant_partitions.name), [tenant_id])
        council = make_council("villaverde", seed=7)
        council = replace(council, errors=replace(council.errors, style=_STEADY))
        return Town(tenant_id, council, self.platform)

    def sessions(self, town: Town) -> Iterator[int]:
        """Sessions of a careful clerk, two of the golden set first: without them nothing can be judged."""
        council, share = town.council, self.settings.golden_share
        careful = [i for i in range(40) if not (council.is_hostile(i) or council.is_clone(i))]
        golden = [index for index in careful if is_golden(council.session_name(index)[0], share)]
        yield from golden[:2]
        yield from (index for index in careful if index not in golden)

    def prepare(self, town: Town) -> None:
        """Submit what a training needs and wait for every example: each test's training learns from the same.

        The tenant is paused meanwhile, or the sensor would ask at the threshold, in the middle of a document.
        """
        tenant, count = town.tenant_id, 6
        with self.platform.database.session() as session:
            tenants.pause(session, tenant, "its examples are prepared", datetime.now(UTC))
        town.submit(*itertools.islice(self.sessions(town), count))
        self.until(lambda: self._anonymized(tenant) == count, f"{tenant} has its examples")
        assert self.pending(tenant) >= self.settings.train_threshold
        with self.platform.database.session() as session:
            tenants.resume(session, tenant)

    # what a test looks at

    def jobs(self) -> list[Object]:
        """The Jobs that the launcher made."""
        return list(self.cluster.kube.get(f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs")["items"])

    def pods(self, run_id: str | None = None) -> list[Object]:
        """The pods of a run, or all; oldest first."""
        return self.cluster.pods(NAMESPACE, f"dagster/run-id={run_id}" if run_id else "")

    def runs(self, tenant_id: str, job_name: str = TRAIN) -> list[dg.DagsterRun]:
        """A tenant's runs of one job, oldest first."""
        found = dg.RunsFilter(job_name=job_name, tags={"dagster/partition": tenant_id})
        return list(reversed(self.instance.get_runs(found)))

    def status(self, run_id: str) -> dg.DagsterRunStatus:
        """A run's status."""
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return run.status

    def messages(self, run_id: str) -> list[str]:
        """What Dagster noted about a run."""
        return [entry.message for entry in self.instance.all_logs(run_id)]

    def trainings(self, tenant_id: str) -> list[TrainingRun]:
        """The tenant's trainings, oldest first."""
        with self.platform.database.session() as session:
            return list(reversed(trainings.listing(session, tenant_id)))

    def promotions(self, tenant_id: str) -> list[str]:
        """The ids of the adapters that were promoted, in order."""
        with self.platform.database.session() as session:
            return [row.adapter_id for row in promotions.history(session, tenant_id)]

    def pending(self, tenant_id: str) -> int:
        """Examples that no finished training has seen."""
        with self.platform.database.session() as session:
            return examples.pending(session, tenant_id).count

    def _anonymized(self, tenant_id: str) -> int:
        with self.platform.database.session() as session:
            return len(documents.listing(session, tenant_id, "anonymized"))

    def pointer(self, tenant_id: str) -> str | None:
        """The adapter that CORE would load, by what was published in Redis."""
        value = self.platform.redis.get(f"NEW_MODEL_AVAILABLE:{tenant_id}")
        return None if value is None else str(json.loads(value)["adapter_id"])

    def until(self, holds: Callable[[], Any], what: str, seconds: float = _SECONDS) -> Any:
        """:meth:`Cluster.until`, which also fails when a process of Dagster has ended."""

        def look() -> Any:
            self.dagster.check()
            return holds()

        return self.cluster.until(look, what, seconds)

    def _make_objects(self) -> None:
        """Namespace, account, rights, the Secret with the settings and the ConfigMap with the instance."""
        meta = {"name": "dagster", "namespace": NAMESPACE}
        rbac = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": meta}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "dagster"}
        instance = yaml.safe_dump(_instance(self.settings, {"load_incluster_config": True}))
        objects: list[Object] = [
            {"kind": "Namespace", "metadata": {"name": NAMESPACE}},
            {"kind": "ServiceAccount", "metadata": meta},
            {"kind": "ServiceAccount", "metadata": {**meta, "name": ACCOUNT}},
            {"kind": "Secret", "metadata": {**meta, "name": SECRET}, "stringData": self._variables},
            {
                "kind": "ConfigMap",
                "metadata": {**meta, "name": "dagster-instance"},
                "data": {"dagster.yaml": instance},
            },
        ]
        priority = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "value": -10}
        self.cluster.apply(
            {**priority, "metadata": {"name": PRIORITY}, "preemptionPolicy": "Never"},
            *({"apiVersion": "v1", **item} for item in objects),
            {**rbac, "kind": "Role", "rules": _RIGHTS},
            {
                **rbac,
                "kind": "RoleBinding",
                "subjects": [{"kind": "ServiceAccount", **meta}],
                "roleRef": role,
            },
        )


@contextmanager
def running_learning(cluster: Cluster, settings: Settings, folder: Path) -> Iterator[Learning]:
    """A started :class:`Learning`, ended with the block."""
    learning = Learning(cluster, settings, folder)
    try:
        learning.start()
        yield learning
    finally:
        learning.close()


_UNFINISHED = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


def _instance(settings: Settings, reach: Mapping[str, Any]) -> dict[str, Any]:
    """The deployment's ``dagster.yaml`` with a launcher that reaches this cluster."""
    content: dict[str, Any] = yaml.safe_load((REPOSITORY / "dagster.yaml").read_text())
    content["run_monitoring"] |= {"start_timeout_seconds": START_TIMEOUT, "poll_interval_seconds": 2}
    home = str(settings.home_path)
    launcher = {
        **reach,
        "dagster_home": _HOME,
        "instance_config_map": "dagster-instance",
        "service_account_name": "dagster",
        "job_namespace": NAMESPACE,
        "image_pull_policy": "IfNotPresent",
        "volumes": [{"name": "astra-home", "hostPath": {"path": home}}],
        "volume_mounts": [{"name": "astra-home", "mountPath": home}],
    }
    content["run_launcher"] = {"module": "dagster_k8s", "class": "K8sRunLauncher", "config": launcher}
    return content


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
