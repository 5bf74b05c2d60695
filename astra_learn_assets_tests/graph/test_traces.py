"""One trace from a clerk's upload to the promotion it led to, through Dagster and MLflow; a real training."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest
from mlflow import MlflowClient

from astra_learn_assets import tracing
from astra_learn_assets.automation import sensors
from astra_learn_assets.definitions import defs
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import artifacts, promotions, trainings
from astra_learn_assets.store.tables import ExampleRow
from astra_learn_assets_tests.graph.conftest import SMALL, Town
from astra_learn_assets_tests.tracing.collector import Collector, collector

PREPARED = ["submit_final", "document_diffs", "anonymized_pairs"]
LEARNED = [
    "training_corpus", "corpus_gate", "lora_adapter", "adapter_gate", "evaluation_report", "wer_gate",
    "promoted_adapter",
]  # fmt: skip


@pytest.fixture
def there() -> Iterator[Collector]:
    with collector() as kept:
        yield kept


@pytest.fixture
def settings(settings: Settings, there: Collector) -> Settings:
    return settings.model_copy(update={**SMALL, "traces_url": there.url, "train_settle_minutes": 0.0})


def _run(instance: dg.DagsterInstance, job: str, tenant_id: str, tags: dict[str, str]) -> None:
    done = defs.resolve_job_def(job).execute_in_process(instance=instance, partition_key=tenant_id, tags=tags)
    assert done.success


@pytest.mark.timeout(1500)
@pytest.mark.slow  # it trains: two minutes of a processor
def test_one_trace_leads_from_the_upload_to_the_promotion(
    instance: dg.DagsterInstance, town: Town, there: Collector
) -> None:
    platform = town.platform
    town.submit(*range(8))
    _run(instance, "prepare_examples", town.tenant_id, {})
    asked = sensors.training(instance, platform, cron=False)
    (request,) = asked.run_requests or []
    trace = request.tags[sensors.TRACE_TAG]
    _run(instance, "train_adapter", town.tenant_id, dict(request.tags))
    tracing.flush(platform.settings)

    with platform.database.session() as session:
        (training,) = trainings.listing(session, town.tenant_id)
        newest = session.query(ExampleRow).filter_by(seq=training.through_seq).one()
        final = artifacts.get_artifact(session, town.tenant_id, newest.document_id)
        promoted = promotions.current(session, town.tenant_id)
    assert training.state == "promoted"
    assert promoted is not None
    assert training.trace == final.trace, "of the upload that completed the corpus"

    spans = [span for span in there.spans if span.trace_id == trace]
    assert {span.name for span in spans} >= {*PREPARED, *LEARNED}
    (root,) = [span for span in spans if not span.parent_id]
    assert root.name == "submit_final"
    for name in (*PREPARED[1:], *LEARNED):
        (span,) = [one for one in spans if one.name == name]
        assert span.parent_id == root.span_id
        assert span.attributes["astra.tenant_id"] == town.tenant_id
    assert len(there.named("submit_final")) > 1
    assert [span.trace_id for span in there.named("promoted_adapter")] == [trace], "others end when prepared"
    client = MlflowClient(platform.settings.mlflow_tracking_uri)
    assert client.get_run(str(training.mlflow_run_id)).data.tags["trace_id"] == trace
    told = repr(there.spans)
    for simulated in (town.council.session(index) for index in range(8)):
        assert simulated.session_id not in told
    assert not [name for name in town.council.roster if name in told]
