"""Dagster's code server, webserver and daemon as processes here, and what a person does in the UI."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import yaml

from astra_learn_assets_tests.cluster.control_plane import free_port

_START_SECONDS, _STOP_SECONDS = 180.0, 30.0
LOCATION = {"repositoryLocationName": "astra", "repositoryName": "__repository__"}


class DagsterProcesses:
    """``folder`` holds ``workspace.yaml`` and the logs; ``environment`` is all that the processes know."""

    def __init__(self, folder: Path, environment: Mapping[str, str], module: str) -> None:
        self.folder, self.environment, self._module = folder, dict(environment), module
        self._code_port, self._web_port = free_port(), free_port()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        server = {"host": "127.0.0.1", "port": self._code_port, "location_name": "astra"}
        self._workspace = folder / "workspace.yaml"
        self._workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}))

    def start(self, image: str) -> None:
        """Everything; returns when the webserver knows the code."""
        self.start_code_server(image)
        known = ("-w", str(self._workspace))
        self._start("webserver", "dagster_webserver", *known, "-h", "127.0.0.1", "-p", str(self._web_port))
        self.wait_until_loaded()
        self._start("daemon", "dagster._daemon", "run", *known)

    def start_code_server(self, image: str) -> None:
        """The code location, saying that its runs want ``image``."""
        address = ("-h", "127.0.0.1", "-p", str(self._code_port))
        self._start(
            "code",
            "dagster",
            "code-server",
            "start",
            *address,
            "-m",
            self._module,
            "--container-image",
            image,
        )

    def wait_until_loaded(self) -> None:
        """Wait until the webserver knows the code.

        Raises:
            AssertionError: it does not within three minutes, or a process has ended.
        """
        deadline = time.monotonic() + _START_SECONDS
        while not self._loaded():
            assert time.monotonic() < deadline, f"Dagster does not know its code; see {self.folder}"
            self.check()
            time.sleep(0.5)

    def check(self) -> None:
        """Raises AssertionError when a process ended by itself."""
        ended = [name for name, process in self._processes.items() if process.poll() is not None]
        assert not ended, f"{ended} ended by itself; see {self.folder}"

    def stop(self, *names: str) -> None:
        """End the named processes, or all, the last started first."""
        for name in names or tuple(reversed(self._processes)):
            process = self._processes.pop(name)
            process.terminate()
            try:
                process.wait(timeout=_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """A GraphQL request.

        Raises:
            AssertionError: it was answered with errors.
        """
        url = f"http://127.0.0.1:{self._web_port}/graphql"
        answer = httpx.post(url, json={"query": query, "variables": variables}, timeout=60).json()
        assert "errors" not in answer, answer
        return dict(answer["data"])

    def launch(self, job: str, partition: str, assets: list[str] | None = None) -> str:
        """The button *Materialize* (or *Launch run* of a job) for one partition; the run's id."""
        selector: dict[str, Any] = {**LOCATION, "pipelineName": job}
        if assets is not None:
            selector["assetSelection"] = [{"path": [asset]} for asset in assets]
        tags = [{"key": "dagster/partition", "value": partition}]
        parameters = {"selector": selector, "runConfigData": {}, "executionMetadata": {"tags": tags}}
        return self._run_of(self.ask(_LAUNCH, parameters=parameters)["launchPipelineExecution"])

    def execute_again(self, run_id: str) -> str:
        """The button *Re-execute all*; the new run's id."""
        parameters = {"parentRunId": run_id, "strategy": "ALL_STEPS"}
        return self._run_of(self.ask(_AGAIN, parameters=parameters)["launchPipelineReexecution"])

    def backfill(self, assets: list[str], partitions: list[str]) -> str:
        """The button *Launch backfill* of assets; the backfill's id."""
        parameters = {
            "assetSelection": [{"path": [asset]} for asset in assets],
            "partitionNames": partitions,
            "tags": [],
        }
        answer = self.ask(_BACKFILL, parameters=parameters)["launchPartitionBackfill"]
        assert answer["__typename"] == "LaunchBackfillSuccess", answer
        return str(answer["backfillId"])

    def cancel(self, run_id: str) -> None:
        """The button *Force termination immediately*."""
        answer = self.ask(_CANCEL, runs=[run_id])
        assert answer["terminateRuns"]["__typename"] == "TerminateRunsResult", answer

    def _run_of(self, answer: dict[str, Any]) -> str:
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["runId"])

    def _loaded(self) -> bool:
        try:
            found = self.ask("{repositoriesOrError {... on RepositoryConnection {nodes {name}}}}")
        except (httpx.TransportError, AssertionError, ValueError):
            return False
        return bool(found["repositoriesOrError"].get("nodes"))

    def _start(self, name: str, module: str, *arguments: str) -> None:
        setpriv = shutil.which("setpriv")
        assert setpriv is not None, "setpriv (util-linux) is needed to tie the processes to this one"
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [setpriv, "--pdeathsig", "KILL", sys.executable, "-m", module, *arguments],
                env=self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


_RUN = "__typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message stack }"
_LAUNCH = f"""
mutation ($parameters: ExecutionParams!) {{
  launchPipelineExecution(executionParams: $parameters) {{ {_RUN} }}
}}
"""
_AGAIN = f"""
mutation ($parameters: ReexecutionParams!) {{
  launchPipelineReexecution(reexecutionParams: $parameters) {{ {_RUN} }}
}}
"""
_BACKFILL = """
mutation ($parameters: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $parameters) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message stack }
  }
}
"""
_CANCEL = """
mutation ($runs: [String!]!) {
  terminateRuns(runIds: $runs, terminatePolicy: MARK_AS_CANCELED_IMMEDIATELY) {
    __typename
    ... on PythonError { message stack }
  }
}
"""
