"""When runs are asked for, and when not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import dagster as dg
import pytest
from dagster._core.test_utils import instance_for_test

from astra_learn_assets.automation import fates
from astra_learn_assets.automation.preparing import WORK_TAG
from astra_learn_assets.automation.sensors import feedback, training
from astra_learn_assets.learning.training import plan
from astra_learn_assets.partitions import tenant_partitions
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import examples, trainings
from astra_learn_assets_tests.conftest import MakeTenant
from astra_learn_assets_tests.graph.conftest import Town


def _add_examples(platform: Platform, tenant_id: str, count: int, start: int = 0) -> None:
    rows = [
        examples.NewExample(f"{start + n:064x}", "doc-1", 1, golden=False, usable=True, reason=None)
        for n in range(count)
    ]
    with platform.database.session() as session:
        examples.add(session, tenant_id, rows)


def test_a_new_tenant_becomes_a_partition_before_its_first_run(
    instance: dg.DagsterInstance, platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant("rio-claro")
    result = feedback(instance, platform)
    assert [request.partition_keys for request in result.dynamic_partitions_requests or []] == [["rio-claro"]]
    assert not result.run_requests


def test_a_waiting_final_asks_for_one_preparing_run_and_shows_what_the_hot_path_wrote(
    instance: dg.DagsterInstance, town: Town
) -> None:
    town.submit(0, 1)
    result = feedback(instance, town.platform)
    (request,) = result.run_requests or []
    assert request.partition_key == town.tenant_id
    assert request.run_key is not None
    assert request.run_key.endswith(":1")
    keys = {event.asset_key.to_user_string() for event in result.asset_events}
    assert keys == {"final_documents", "entities_dictionary"}
    again = feedback(instance, town.platform)
    assert not again.asset_events


def test_a_failed_preparing_run_is_asked_for_again_under_another_key_but_not_at_once(
    instance: dg.DagsterInstance, town: Town
) -> None:
    town.submit(0)
    (first,) = feedback(instance, town.platform).run_requests or []
    tags = {**first.tags, "dagster/partition": town.tenant_id}
    run = instance.create_run_for_job(_job(), tags=tags)
    assert not feedback(instance, town.platform).run_requests, "its run is active"
    instance.report_run_failed(run)
    assert not feedback(instance, town.platform).run_requests, "too soon after the failure"
    assert WORK_TAG in first.tags


def test_a_tenant_below_the_threshold_is_told_how_far_it_is(instance: dg.DagsterInstance, town: Town) -> None:
    _add_examples(town.platform, town.tenant_id, 29)
    result = training(instance, town.platform, cron=False)
    assert not result.run_requests
    assert "29 of 30" in str(result.skip_reason)


def test_the_threshold_begins_one_training_with_a_row_and_a_key_of_its_own(
    instance: dg.DagsterInstance, town: Town
) -> None:
    _add_examples(town.platform, town.tenant_id, 30)
    (request,) = training(instance, town.platform, cron=False).run_requests or []
    with town.platform.database.session() as session:
        (row,) = trainings.listing(session, town.tenant_id)
    assert request.run_key == f"{town.tenant_id}:{row.through_seq}:1"
    shown = {name: request.tags[name] for name in ("astra/training_id", "astra/tier", "astra/code")}
    assert shown == {"astra/training_id": row.run_id, "astra/tier": "standard", "astra/code": "threshold"}
    assert request.tags["astra/training_id"] == row.run_id
    assert row.state == "queued"
    (again,) = training(instance, town.platform, cron=False).run_requests or []
    assert again.run_key == request.run_key, "asked for again in case the first was lost; it starts once"
    run = instance.create_run_for_job(_job(), tags={**request.tags, "dagster/partition": town.tenant_id})
    assert not training(instance, town.platform, cron=False).run_requests, "its run is active"
    assert run.tags["astra/training_id"] == row.run_id
    assert not training(instance, town.platform, cron=True).run_requests, "one training at a time"


def test_a_training_waits_for_the_finals_that_came_with_the_rest_of_its_examples(
    instance: dg.DagsterInstance, town: Town
) -> None:
    _add_examples(town.platform, town.tenant_id, 30)
    town.submit(0)
    result = training(instance, town.platform, cron=False)
    assert not result.run_requests
    assert "still being prepared" in str(result.skip_reason)


def test_a_training_whose_run_failed_is_closed_and_waits_before_the_next_attempt(
    instance: dg.DagsterInstance, town: Town
) -> None:
    _add_examples(town.platform, town.tenant_id, 30)
    (request,) = training(instance, town.platform, cron=False).run_requests or []
    run = instance.create_run_for_job(_job(), tags={**request.tags, "dagster/partition": town.tenant_id})
    instance.report_run_failed(run)
    result = training(instance, town.platform, cron=False)
    assert not result.run_requests
    assert "after the last failure" in str(result.skip_reason)
    with town.platform.database.session() as session:
        (row,) = trainings.listing(session, town.tenant_id)
    assert row.state == "failed"


def test_a_training_whose_run_dagster_is_about_to_retry_is_not_begun_a_second_time(town: Town) -> None:
    """The moment between a crash and its retry, in which the sensor looks."""
    retries = {"run_retries": {"enabled": True, "max_retries": 1, "retry_on_asset_or_op_failure": False}}
    with instance_for_test(overrides=retries) as instance:
        instance.add_dynamic_partitions(str(tenant_partitions.name), [town.tenant_id])
        _add_examples(town.platform, town.tenant_id, 30)
        (request,) = training(instance, town.platform, cron=False).run_requests or []
        tags = {**request.tags, "dagster/partition": town.tenant_id}
        run = instance.create_run_for_job(_job(), tags=tags)
        instance.report_run_failed(run)
        assert not training(instance, town.platform, cron=False).run_requests
        assert _states(town) == ["queued"], "its retry will take the row over"

        instance.add_run_tags(run.run_id, {"dagster/will_retry": "false"})  # the daemon could not launch it
        training(instance, town.platform, cron=False)
        assert _states(town) == ["failed"]


def test_a_run_that_was_made_and_never_submitted_holds_its_tenant_up_for_a_grace_only(
    instance: dg.DagsterInstance, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon that dies between the two, and whose tick nobody goes on with."""
    town.submit(0)
    (prepare,) = feedback(instance, town.platform).run_requests or []
    instance.create_run_for_job(_job(), tags={**prepare.tags, "dagster/partition": town.tenant_id})
    assert not feedback(instance, town.platform).run_requests
    monkeypatch.setattr(fates, "LAUNCH_GRACE", timedelta(0))
    (second,) = feedback(instance, town.platform).run_requests or []
    assert second.run_key == prepare.run_key, "under it Dagster submits the run that is there"


def test_a_training_whose_run_was_never_submitted_is_asked_for_again_under_its_key(
    instance: dg.DagsterInstance, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add_examples(town.platform, town.tenant_id, 30)
    (request,) = training(instance, town.platform, cron=False).run_requests or []
    instance.create_run_for_job(_job(), tags={**request.tags, "dagster/partition": town.tenant_id})
    assert not training(instance, town.platform, cron=False).run_requests
    monkeypatch.setattr(fates, "LAUNCH_GRACE", timedelta(0))
    (again,) = training(instance, town.platform, cron=False).run_requests or []
    assert again.run_key == request.run_key, "under it Dagster submits the run that is there"
    assert _states(town) == ["queued"]


def _states(town: Town) -> list[str]:
    with town.platform.database.session() as session:
        return [row.state for row in trainings.listing(session, town.tenant_id)]


def test_schedule_and_sensor_that_look_at_the_same_moment_begin_one_training(
    instance: dg.DagsterInstance, town: Town
) -> None:
    _add_examples(town.platform, town.tenant_id, 30)
    with ThreadPoolExecutor(8) as pool:
        begun = list(
            pool.map(lambda n: plan.look(town.platform, lambda rows: {}, by_age=n % 2 == 0).begun, range(8))
        )
    assert sum(not one.again for found in begun for one in found) == 1


def test_trainings_that_never_ran_do_not_use_up_the_quota(town: Town) -> None:
    with town.platform.database.session() as session:
        for attempt in range(1, 9):
            row = trainings.start(
                session, town.tenant_id, through_seq=5, attempt=attempt, dagster_run_id=None
            )
            trainings.update(session, row.run_id, state="failed", reason="no run was launched")
    assert plan.explain(town.platform, town.tenant_id)[1].started_this_week == 0
    with town.platform.database.session() as session:
        trainings.update(session, row.run_id, dataset_hash="0" * 64)
    assert plan.explain(town.platform, town.tenant_id)[1].started_this_week == 1


def test_a_tenant_that_is_no_partition_yet_is_not_trained(
    instance: dg.DagsterInstance, platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant("rio-claro")
    _add_examples(platform, "rio-claro", 40)
    assert not training(instance, platform, cron=False).run_requests
    assert not instance.get_dynamic_partitions(str(tenant_partitions.name))


def _job() -> dg.JobDefinition:
    @dg.op
    def nothing() -> None:
        return None

    @dg.job(name="prepare_examples")
    def prepare_examples() -> None:
        nothing()

    return prepare_examples
