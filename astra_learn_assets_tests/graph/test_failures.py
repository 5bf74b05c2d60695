"""What becomes of a run that failed: why it did, whose fault it was, and whether anybody tries it again."""

from __future__ import annotations

import dagster as dg
import pytest

from astra_learn_assets.automation import failures
from astra_learn_assets.automation.preparing import FAULT_TAG, Earlier, Runs, Waiting
from astra_learn_assets.automation.sensors import feedback, training
from astra_learn_assets.errors import BadConfiguration, Unavailable
from astra_learn_assets.learning.training import run as training_run
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import examples, trainings
from astra_learn_assets.store.documents import Outstanding
from astra_learn_assets_tests.graph.conftest import Town


def failed_run(
    instance: dg.DagsterInstance, error: Exception, tags: dict[str, str], name: str = "train_adapter"
) -> dg.DagsterRun:
    @dg.op
    def breaks() -> None:
        raise error

    @dg.job(name=name)
    def job() -> None:
        breaks()

    result = job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    return run


def queued(town: Town, count: int = 30) -> str:
    rows = [
        examples.NewExample(f"{n:064x}", "doc-1", 1, golden=False, usable=True, reason=None)
        for n in range(count)
    ]
    with town.platform.database.session() as session:
        examples.add(session, town.tenant_id, rows)
        return trainings.start(
            session, town.tenant_id, through_seq=count, attempt=1, dagster_run_id=None
        ).run_id


def row_of(platform: Platform, training_id: str) -> tuple[str, str | None, str | None]:
    with platform.database.session() as session:
        row = trainings.get(session, training_id)
        return row.state, row.fault, row.reason


@pytest.mark.parametrize(
    ("error", "fault", "words"),
    [
        (BadConfiguration("ASTRA_BASE_MODEL: no folder /x"), "permanent", "ASTRA_BASE_MODEL: no folder /x"),
        (Unavailable("Postgres does not answer"), "capacity", "Postgres does not answer"),
        (ValueError("Lucía Ortega vive en la calle Mayor"), "examples", "ValueError"),
    ],
)
def test_a_failure_is_told_with_whose_fault_it_was_and_without_anybodys_text(
    instance: dg.DagsterInstance, town: Town, error: Exception, fault: str, words: str
) -> None:
    training_id = queued(town)
    run = failed_run(instance, error, {training_run.TAG: training_id})
    failures.record(instance, town.platform, run)
    state, found, reason = row_of(town.platform, training_id)
    assert (state, found) == ("failed", fault)
    assert words in str(reason)
    assert "Ortega" not in str(reason)
    tagged = instance.get_run_by_id(run.run_id)
    assert tagged is not None
    assert tagged.tags[FAULT_TAG] == fault
    assert tagged.tags[failures.WHY_TAG] == reason


def test_a_fault_that_no_retry_changes_is_not_retried_until_the_setup_changes(
    instance: dg.DagsterInstance, town: Town
) -> None:
    training_id = queued(town)
    run = failed_run(instance, BadConfiguration("no base model"), {training_run.TAG: training_id})
    failures.record(instance, town.platform, run)
    result = training(instance, town.platform, cron=False)
    assert not result.run_requests
    assert "a retry cannot change" in str(result.skip_reason)
    town.platform.settings = town.platform.settings.model_copy(update={"base_revision": "v2"})
    (request,) = training(instance, town.platform, cron=False).run_requests or []
    assert request.run_key == f"{town.tenant_id}:30:2"


def test_the_tick_finds_the_same_fault_when_the_failure_sensor_was_away(
    instance: dg.DagsterInstance, town: Town
) -> None:
    training_id = queued(town)
    failed_run(instance, BadConfiguration("no base model"), {training_run.TAG: training_id})
    result = training(instance, town.platform, cron=False)
    assert not result.run_requests
    assert row_of(town.platform, training_id)[:2] == ("failed", "permanent")


def test_a_failed_run_whose_training_has_another_run_leaves_it_alone(
    instance: dg.DagsterInstance, town: Town
) -> None:
    training_id = queued(town)
    with town.platform.database.session() as session:
        assert trainings.claim_run(session, training_id, "the-run-that-trains", [])
    run = failed_run(instance, ValueError(), {training_run.TAG: training_id})
    assert "another run" in failures.record(instance, town.platform, run)
    assert row_of(town.platform, training_id)[0] == "queued"


def test_a_preparing_run_that_no_retry_helps_is_not_asked_for_again_today(
    instance: dg.DagsterInstance, town: Town
) -> None:
    town.submit(0)
    (request,) = feedback(instance, town.platform).run_requests or []
    tags = {**request.tags, "dagster/partition": town.tenant_id}
    run = failed_run(instance, BadConfiguration("no entity model"), tags, name="prepare_examples")
    failures.record(instance, town.platform, run)
    result = feedback(instance, town.platform)
    assert not result.run_requests
    assert "a retry cannot change" in str(result.skip_reason)


def test_a_permanent_failure_of_yesterday_is_tried_once_more() -> None:
    from datetime import UTC, datetime, timedelta

    now = datetime(2026, 3, 2, tzinfo=UTC)
    waiting = Waiting(7, Outstanding("p"))
    for hours, asked in ((23, False), (25, True)):
        earlier = {"villaverde": [Earlier(now - timedelta(hours=hours), 1, "permanent")]}
        answer = Runs(frozenset(), earlier, now).request("villaverde", waiting)
        assert isinstance(answer, dg.RunRequest) is asked
