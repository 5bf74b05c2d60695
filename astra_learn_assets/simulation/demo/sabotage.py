"""An adapter that is worse on purpose, brought in by the front door.

Its corpus is the council's own with the answers dealt out to the wrong questions. The real trainer
learns from it, so the loss falls and ``adapter_gate`` has nothing to object to; the import is what an
operator would use for an adapter trained elsewhere. Only ``wer_gate`` can tell that it is worse.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from astra_learn_assets.datasets import jsonl
from astra_learn_assets.errors import Unavailable
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning.importer import import_adapter
from astra_learn_assets.learning.training import process as trainer_process
from astra_learn_assets.learning.training import run as training_run
from astra_learn_assets.learning.training import train
from astra_learn_assets.platform import Platform
from astra_learn_assets.services.stack import Stack
from astra_learn_assets.simulation.demo.figures import Sabotage
from astra_learn_assets.store import adapters, paths, promotions, verdicts

_RUN_SECONDS = 300
_EXAMPLES = 60
_WORDS = 3
_LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
_STATUS = """
query Status($runId: ID!) { runOrError(runId: $runId) { ... on Run { status } } }
"""


def try_worse_adapter(stack: Stack, platform: Platform, tenant_id: TenantId) -> Sabotage:
    """Train, import and judge a worse adapter; what the gate said and what is served afterwards."""
    training = training_run.newest(platform, tenant_id)
    corpus = platform.vault.read(tenant_id, paths.corpus(tenant_id, training.dataset_hash))
    settings = platform.settings
    with tempfile.TemporaryDirectory(prefix="astra-demo-") as work:
        data, out = Path(work, "shuffled.jsonl"), Path(work, "adapter")
        data.write_bytes(shuffled(corpus, seed=settings.seed))
        recipe = trainer_process.hyperparameters(settings, {"epochs": 2.0})
        trainer_process.run_directly(
            trainer_process.train_command(
                settings, tenant_id=tenant_id, data=data, out=out, hyperparameters=recipe
            )
        )
        base_model, base_revision = train.base_identity(settings)
        imported = import_adapter(
            platform,
            tenant_id,
            out,
            dataset_hash=jsonl.digest(data.read_bytes()),
            base_model=base_model,
            base_revision=base_revision,
        )
    run_id = _launch(stack, tenant_id, imported.adapter_id)
    _wait(stack, run_id)
    with platform.database.session() as session:
        row = adapters.get(session, tenant_id, imported.adapter_id)
        verdict = verdicts.latest(session, tenant_id, "wer_gate", row.digest)
        current = promotions.current(session, tenant_id)
    details = verdict.details if verdict else {}
    return Sabotage(
        adapter_id=imported.adapter_id,
        wer=_rate(details.get("candidate_wer")),
        reference_wer=_rate(details.get("champion_wer")),
        rejected=verdict is not None and not verdict.passed,
        reason=verdict.reason if verdict else f"run {run_id} ended without a verdict",
        still_served=current.adapter_id if current else None,
    )


def _rate(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def shuffled(corpus: bytes, *, seed: int) -> bytes:
    """A part of ``corpus`` in which no answer belongs to its question and each breaks off at once.

    Short answers keep the test of the worse adapter short.
    """
    lines = [json.loads(line) for line in corpus.splitlines()][:_EXAMPLES]
    answers = [" ".join(line["output"].split()[:_WORDS]) for line in lines]
    random.Random(seed).shuffle(answers)
    answers = [*answers[1:], answers[0]]
    for line, answer in zip(lines, answers, strict=True):
        line["output"] = answer
    return b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)


def _launch(stack: Stack, tenant_id: TenantId, adapter_id: str) -> str:
    """Launch the job as the UI does."""
    tags = {"dagster/partition": tenant_id, training_run.ADAPTER_TAG: adapter_id}
    params = {
        "selector": {
            "pipelineName": "evaluate_adapter",
            "repositoryName": "__repository__",
            "repositoryLocationName": "astra_learn",
        },
        "mode": "default",
        "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
    }
    answer = _graphql(stack, _LAUNCH, {"params": params})["launchPipelineExecution"]
    if answer["__typename"] != "LaunchRunSuccess":
        raise Unavailable(f"Dagster did not launch evaluate_adapter: {answer}")
    return str(answer["run"]["runId"])


def _wait(stack: Stack, run_id: str) -> None:
    deadline = time.monotonic() + _RUN_SECONDS
    while time.monotonic() < deadline:
        status = _graphql(stack, _STATUS, {"runId": run_id})["runOrError"].get("status")
        if status in ("SUCCESS", "FAILURE", "CANCELED"):
            return
        time.sleep(1.0)
    raise Unavailable(f"run {run_id} did not end within {_RUN_SECONDS} s")


def _graphql(stack: Stack, query: str, variables: dict[str, object]) -> dict[str, dict[str, Any]]:
    answer = httpx.post(
        f"{stack.dagster_url}/graphql", json={"query": query, "variables": variables}, timeout=30
    )
    answer.raise_for_status()
    body = answer.json()
    if body.get("errors"):
        raise Unavailable(f"Dagster answered {body['errors'][0]['message']}")
    return dict(body["data"])
