"""Who will serve a run is looked after before its pod is launched, whatever the API server answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.launcher import LaunchRunContext
from dagster._core.test_utils import environ, instance_for_test
from dagster_k8s import K8sRunLauncher

from astra_learn_assets.automation.served_launcher import ServedRunLauncher
from astra_learn_assets.definitions import defs
from astra_learn_assets.resources.queue_guard import COMPUTE_TAG
from astra_learn_assets.settings import get_settings
from astra_learn_assets_tests.deploy.chart import NAME, VALUES, profiles, render
from astra_learn_assets_tests.deploy.test_resident_base import ON

LANE, JOB, NAMESPACE = "gpu", f"{NAME}-resident-gpu", "council"


class ApiServer(ThreadingHTTPServer):
    """Answers what is asked of Jobs and keeps it; ``refuses``: every making, with that status."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []
        self.refuses: int | None = None


class _Handler(BaseHTTPRequestHandler):
    server: ApiServer

    def do_GET(self) -> None:
        self.server.asked.append(f"look at {self.path.rpartition('/')[2]}")
        self._answer(404, {"kind": "Status", "status": "Failure", "code": 404})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(f"make {body['metadata']['name']}")
        self._answer(self.server.refuses or 201, body)

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """No line for each request."""


@pytest.fixture
def api() -> Iterator[ApiServer]:
    server = ApiServer()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def instance(api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """With the launcher as the chart writes it, its API server here, and Dagster's own launch only noted."""
    policy = tmp_path / "profiles.json"
    policy.write_text(json.dumps(profiles(render(VALUES["minimal"], ON))))
    kubeconfig = tmp_path / "kubeconfig.json"
    place = f"http://127.0.0.1:{api.server_port}"
    kubeconfig.write_text(
        json.dumps(
            {
                "apiVersion": "v1", "kind": "Config", "current-context": "here",
                "clusters": [{"name": "here", "cluster": {"server": place}}],
                "users": [{"name": "daemon", "user": {}}],
                "contexts": [{"name": "here", "context": {"cluster": "here", "user": "daemon"}}],
            }
        )
    )  # fmt: skip
    config = {
        "service_account_name": "x", "instance_config_map": "x", "dagster_home": "/x",
        "job_namespace": NAMESPACE, "load_incluster_config": False, "kubeconfig_file": str(kubeconfig),
    }  # fmt: skip
    launcher = {"module": ServedRunLauncher.__module__, "class": "ServedRunLauncher", "config": config}
    monkeypatch.setattr(K8sRunLauncher, "launch_run", lambda *_: api.asked.append("launch"))
    with environ({"ASTRA_COMPUTE_PROFILES": str(policy), "ASTRA_HOME": str(tmp_path)}):
        get_settings.cache_clear()
        with instance_for_test(overrides={"run_launcher": launcher}) as made:
            yield made
    get_settings.cache_clear()


def launch(instance: dg.DagsterInstance, *, asset: str = "lora_adapter", lane: str = LANE) -> dg.DagsterRun:
    job = defs.resolve_implicit_global_asset_job_def()
    chosen = frozenset({dg.AssetKey(asset)})
    run = instance.create_run_for_job(
        job_def=job.get_subset(asset_selection=chosen), asset_selection=chosen, tags={COMPUTE_TAG: lane}
    )
    instance.run_launcher.launch_run(LaunchRunContext(dagster_run=run, workspace=None))
    return run


def said(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[str]:
    lines = [entry.message.partition(f"{JOB}: ") for entry in instance.all_logs(run.run_id)]
    return [what for _, found, what in lines if found]


def test_who_will_serve_a_run_is_made_before_its_pod(instance: dg.DagsterInstance, api: ApiServer) -> None:
    run = launch(instance)
    assert api.asked == [f"look at {JOB}", f"make {JOB}", "launch"]
    assert said(instance, run) == ["made, since there is none"]


@pytest.mark.parametrize("status", [403, 500])
def test_a_run_is_launched_and_told_when_nobody_can_be_made_to_serve_it(
    instance: dg.DagsterInstance, api: ApiServer, status: int
) -> None:
    api.refuses = status
    run = launch(instance)
    assert api.asked[-1] == "launch"
    (why,) = said(instance, run)
    assert why.startswith("could not be seen to: ")


def test_a_run_that_needs_no_card_and_one_of_another_lane_ask_for_nobody(
    instance: dg.DagsterInstance, api: ApiServer
) -> None:
    launch(instance, asset="training_corpus")
    launch(instance, lane="cpu")
    assert api.asked == ["launch", "launch"]
