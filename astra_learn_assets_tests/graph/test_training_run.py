"""Which training a run works on, and that one which has ended stays as it ended."""

from __future__ import annotations

import itertools

import pytest

from astra_learn_assets.errors import NotFound, Superseded
from astra_learn_assets.learning.training import run as training_run
from astra_learn_assets.learning.training.run import Step
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import trainings
from astra_learn_assets.store.tables import TrainingRun
from astra_learn_assets_tests.conftest import MakeTenant

TENANT = "villaverde"


@pytest.fixture
def town(platform: Platform, make_tenant: MakeTenant) -> Platform:
    make_tenant(TENANT)
    make_tenant("rio-claro")
    return platform


def queued(platform: Platform, through_seq: int, tenant_id: str = TENANT) -> str:
    with platform.database.session() as session:
        return trainings.start(
            session, tenant_id, through_seq=through_seq, attempt=1, dagster_run_id=None
        ).run_id


def begin(platform: Platform, run: str, training_id: str | None, corpus: str, seq: int = 40) -> TrainingRun:
    return training_run.begin(
        platform, Step(TENANT, run, training_id), through_seq=seq,
        dataset_hash=corpus, golden_hash="g" * 64, examples=30,
    )  # fmt: skip


def ended(platform: Platform, run: str, corpus: str) -> TrainingRun:
    row = begin(platform, run, queued(platform, 30), corpus, 30)
    training = training_run.of_step(platform, Step(TENANT, run))
    training_run.note(
        platform, training, metrics={"wer": {"candidate_wer": 0.01}}, adapter_id="villaverde--a"
    )
    training_run.end(platform, training, state="promoted", reason="better")
    return row


def test_each_run_finds_its_own_training_whichever_is_the_newest(town: Platform) -> None:
    waiting = queued(town, 30)
    by_hand = begin(town, "run-hand", None, "b" * 64)
    sensors = begin(town, "run-sensor", waiting, "a" * 64, 30)
    assert sensors.run_id == waiting
    assert training_run.of_step(town, Step(TENANT, "run-sensor")).run_id == waiting
    assert training_run.of_step(town, Step(TENANT, "run-hand")).run_id == by_hand.run_id
    retried = training_run.of_step(town, Step(TENANT, "run-retry", waiting))
    assert retried.run_id == waiting
    assert training_run.of_step(town, Step(TENANT, "later-steps")).run_id == by_hand.run_id


def test_a_run_that_is_executed_again_leaves_its_ended_training_as_it_is(town: Platform) -> None:
    row = ended(town, "run-1", "a" * 64)
    again = begin(town, "run-2", row.run_id, "a" * 64, 30)
    assert (again.run_id, again.state) == (row.run_id, "promoted")
    assert again.dagster_run_id == "run-1", "a backfill does not become the run that trained it"
    assert again.metrics["wer"] == {"candidate_wer": 0.01}
    assert training_run.of_step(town, Step(TENANT, "run-2")).run_id == row.run_id


def test_a_run_that_is_executed_again_with_other_examples_is_a_new_attempt(town: Platform) -> None:
    row = ended(town, "run-1", "a" * 64)
    other = begin(town, "run-2", row.run_id, "c" * 64, 30)
    assert other.run_id != row.run_id
    assert other.state == "training"
    with town.database.session() as session:
        assert trainings.get(session, row.run_id).state == "promoted"


def test_another_adapter_of_the_same_corpus_is_a_new_attempt(town: Platform) -> None:
    row = ended(town, "run-1", "a" * 64)
    training = training_run.of_step(town, Step(TENANT, "run-1"))
    again = training_run.again(town, Step(TENANT, "run-2"), training)
    assert again.run_id != row.run_id
    assert (again.dataset_hash, again.golden_hash, again.adapter_id) == ("a" * 64, "g" * 64, None)
    assert training_run.of_step(town, Step(TENANT, "run-2")).run_id == again.run_id


def test_a_run_never_touches_another_tenants_training(town: Platform) -> None:
    foreign = queued(town, 30, "rio-claro")
    with pytest.raises(NotFound):
        training_run.through_seq(town, Step(TENANT, "run-1", foreign))
    with pytest.raises(NotFound):
        begin(town, "run-1", foreign, "a" * 64)
    with pytest.raises(NotFound):
        training_run.of_step(town, Step(TENANT, "run-1", foreign))
    with town.database.session() as session:
        assert trainings.get(session, foreign).dataset_hash is None


def test_what_a_run_s_tags_name_reaches_every_step_as_one_value() -> None:
    tags = {training_run.TAG: "villaverde-30-1", training_run.ADAPTER_TAG: "villaverde--a", "other": "x"}
    assert Step.tagged(TENANT, "run-1", tags) == Step(TENANT, "run-1", "villaverde-30-1", "villaverde--a")
    assert Step.tagged(TENANT, "run-1", {}) == Step(TENANT, "run-1", None, None)


def test_a_training_belongs_to_the_run_that_took_it_first_and_to_its_retries(town: Platform) -> None:
    training = queued(town, 30)

    def claim(run: str, *ancestors: str) -> bool:
        with town.database.session() as session:
            return trainings.claim_run(session, training, run, ancestors)

    assert claim("run-1")
    assert claim("run-1"), "asked for twice"
    assert not claim("run-2"), "two daemons made two runs of one key"
    assert claim("run-3", "run-1"), "its retry"
    assert not claim("run-1"), "the first one comes back late"
    with town.database.session() as session:
        trainings.update(session, training, state="failed", reason="x")
    assert claim("run-4"), "a person executes it again"


def test_a_run_whose_training_is_anothers_does_not_begin_it(town: Platform) -> None:
    training = queued(town, 30)
    begin(town, "run-1", training, "a" * 64, 30)
    with pytest.raises(Superseded, match="belongs to run run-1"):
        begin(town, "run-2", training, "a" * 64, 30)


def test_a_run_that_comes_late_publishes_nothing(town: Platform) -> None:
    training = queued(town, 30)
    begin(town, "run-1", training, "a" * 64, 30)
    held = training_run.of_step(town, Step(TENANT, "run-1", training))
    training_run.require_own(town, held)
    with town.database.session() as session:
        assert trainings.claim_run(session, training, "run-2", ["run-1"])
    with pytest.raises(Superseded, match="came too late"):
        training_run.require_own(town, held)
    with town.database.session() as session:
        trainings.update(session, training, dagster_run_id="run-1", state="failed", reason="x")
    with pytest.raises(Superseded, match="is failed"):
        training_run.require_own(town, held)


def test_what_another_training_has_learned_meanwhile_is_not_trained_again(town: Platform) -> None:
    waiting = queued(town, 30)
    by_hand = begin(town, "run-hand", None, "b" * 64, seq=40)
    assert by_hand.run_id != waiting
    training = training_run.of_step(town, Step(TENANT, "run-hand"))
    training_run.end(town, training, state="promoted", reason="better")
    with pytest.raises(Superseded, match="has learned these examples"):
        begin(town, "run-sensor", waiting, "a" * 64, 30)


def test_a_corpus_that_another_run_is_training_on_is_not_begun_again(town: Platform) -> None:
    waiting = queued(town, 30)
    by_hand = begin(town, "run-hand", None, "a" * 64)
    with pytest.raises(Superseded, match=f"{by_hand.run_id} works on the same corpus in run run-hand"):
        begin(town, "run-backfill", None, "a" * 64)
    with pytest.raises(Superseded, match="the same corpus"):
        begin(town, "run-sensor", waiting, "a" * 64, 30)
    assert begin(town, "run-other", None, "b" * 64).run_id != by_hand.run_id
    tags = {"dagster/parent_run_id": "run-hand", "dagster/root_run_id": "run-hand"}
    retried = training_run.begin(
        town, Step.tagged(TENANT, "run-retry", tags), through_seq=40,
        dataset_hash="a" * 64, golden_hash="g" * 64, examples=30,
    )  # fmt: skip
    assert retried.dagster_run_id == "run-retry"


@pytest.mark.parametrize("order", list(itertools.permutations(["hand", "backfill", "sensor"])))
def test_by_hand_by_backfill_and_by_sensor_at_once_is_one_training(
    town: Platform, order: tuple[str, ...]
) -> None:
    """Their lane lets one work at a time; each comes with the same examples, so with the same corpus."""
    waiting = queued(town, 30)
    trained = []
    for name in order:
        tag = waiting if name == "sensor" else None
        try:
            row = begin(town, f"run-{name}", tag, "a" * 64, 30)
        except Superseded:
            continue
        training = training_run.of_step(town, Step(TENANT, f"run-{name}", tag))
        if row.state == "training":
            trained.append(name)
            training_run.require_own(town, training)
            training_run.end(town, training, state="promoted", reason="better")
    assert trained == [order[0]]
