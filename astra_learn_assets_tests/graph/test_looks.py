"""A look at many tenants: few statements, bounded, nothing lost and nothing begun twice."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning.training import plan
from astra_learn_assets.learning.training.plan import Fate
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import blocklist, erasure, examples, looks, tenants, tiers, trainings
from astra_learn_assets.store.learning_tables import LearningChange, LearningState
from astra_learn_assets.store.tables import TrainingRun
from astra_learn_assets_tests.conftest import MakeTenant

NOTHING: dict[str, Fate] = {}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"train_threshold": 10, "train_minimum": 3, "train_max_age_hours": 1})


def towns(platform: Platform, count: int) -> list[TenantId]:
    names = [TenantId(f"town-{n:04}") for n in range(count)]
    with platform.database.session() as session:
        for name in names:
            tenants.create(session, name, display_name=name, country="es", wrapped_key=b"k")
    return names


def add(platform: Platform, tenant: str, count: int, start: int = 0) -> None:
    rows = [
        examples.NewExample(f"{start + n:064x}", "doc-1", 1, golden=False, usable=True, reason=None)
        for n in range(count)
    ]
    with platform.database.session() as session:
        examples.add(session, TenantId(tenant), rows)


def look(platform: Platform, **given: object) -> plan.Look:
    return plan.look(platform, lambda rows: NOTHING, **given)  # type: ignore[arg-type]


@contextmanager
def statements(platform: Platform) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_conn: object, _cursor: object, text: str, *_rest: object) -> None:
        seen.append(text)

    sa.event.listen(platform.database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(platform.database.engine, "before_cursor_execute", note)


@pytest.mark.parametrize("count", [1, 60])
def test_a_look_takes_five_statements_whatever_the_number_of_tenants(platform: Platform, count: int) -> None:
    for name in towns(platform, count):
        add(platform, name, 10)
    with statements(platform) as seen:
        found = look(platform)
    assert len(found.begun) == count
    assert len(seen) <= 5, seen


def test_a_look_at_nobody_is_one_statement(platform: Platform) -> None:
    towns(platform, 5)
    look(platform)
    with statements(platform) as seen:
        assert look(platform) == plan.Look()
    assert len(seen) == 1


def test_only_those_something_changed_for_are_looked_at(platform: Platform) -> None:
    first, second, *_ = towns(platform, 4)
    look(platform)
    add(platform, first, 3)
    assert set(look(platform).reasons) == {first}
    with platform.database.session() as session:
        tiers.put(session, "gold")
        tenants.get(session, second).tier = "gold"
    assert len(look(platform).reasons) == 4, "the rules are others now, so everybody is looked at"
    assert not look(platform).reasons


def test_a_decision_is_kept_with_its_reason_and_moves_only_when_it_is_another(platform: Platform) -> None:
    (town,) = towns(platform, 1)

    def stand() -> LearningState:
        look(platform)
        with platform.database.session() as session:
            return looks.stands(session, town)["learn"]

    first = stand()
    assert (first.code, first.reason) == ("nothing_pending", "no new examples since the last training")
    add(platform, town, 4)
    second = stand()
    assert (second.code, second.reason) == ("below_threshold", "4 of 10 new examples")
    add(platform, town, 2, start=100)
    third = stand()
    assert third.reason == "6 of 10 new examples"
    assert third.since == second.since > first.since


def test_examples_are_counted_again_only_when_something_changed(platform: Platform) -> None:
    (town,) = towns(platform, 1)
    add(platform, town, 10)
    (begun,) = look(platform).begun
    with platform.database.session() as session:
        session.execute(sa.text("SET LOCAL session_replication_role = replica"))  # nothing is noted
        session.execute(sa.text("DELETE FROM examples WHERE seq IN (SELECT min(seq) FROM examples)"))
    (again,) = look(platform).begun
    assert (again.run_id, again.again) == (begun.run_id, True)
    with platform.database.session() as session:
        assert looks.stands(session, town)["learn"].facts["pending"] == 10
        examples.exclude(session, town, [f"{9:064x}"], "by hand")
    look(platform)
    with platform.database.session() as session:
        assert looks.stands(session, town)["learn"].facts["pending"] == 8


def test_who_was_put_off_is_trained_up_to_the_newest_example_without_another_count(
    platform: Platform,
) -> None:
    for name in towns(platform, 2):
        add(platform, name, 10)
    first = look(platform, requests=1).begun
    with platform.database.session() as session:
        session.execute(sa.update(TrainingRun).values(state="promoted", finished_at=sa.func.now()))
    second = [one for one in look(platform, requests=1).begun if not one.again]
    assert {one.tenant_id for one in first + second} == {"town-0000", "town-0001"}
    with platform.database.session() as session:
        newest = session.scalar(sa.text("SELECT max(seq) FROM examples WHERE tenant_id = 'town-0001'"))
    assert second[0].through_seq == newest
    assert second[0].reason == "10 new examples, the threshold is 10"


def test_a_training_that_ends_in_the_middle_of_a_look_is_not_begun_a_second_time(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    (town,) = towns(platform, 1)
    add(platform, town, 10)
    (begun,) = look(platform).begun
    read = looks.training_facts

    def ends_first(*given: object, **named: object) -> object:
        with platform.database.session() as other:
            ended = sa.update(TrainingRun).values(state="promoted", finished_at=sa.func.now())
            other.execute(ended)
        return read(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(looks, "training_facts", ends_first)
    assert not look(platform).begun
    with platform.database.session() as session:
        assert [row.run_id for row in session.scalars(sa.select(TrainingRun))] == [begun.run_id]


def test_examples_beyond_a_bound_are_not_counted_and_are_trained_all_the_same(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "COUNTED_MOST", 12)
    (town,) = towns(platform, 1)
    add(platform, town, 30)
    (begun,) = look(platform).begun
    assert begun.reason == "12 new examples, the threshold is 10"
    with platform.database.session() as session:
        assert begun.through_seq == session.scalar(sa.text("SELECT max(seq) FROM examples"))


def test_what_a_document_taught_counts_no_more_when_the_document_is_erased(platform: Platform) -> None:
    (town,) = towns(platform, 1)
    add(platform, town, 4)
    look(platform)
    with platform.database.session() as session:
        erasure.erase_document_rows(session, town, document_id="doc-1", artifact_ids=[], actor="test")
    look(platform)
    with platform.database.session() as session:
        assert looks.stands(session, town)["learn"].reason == "no new examples since the last training"


def test_more_tenants_than_a_look_takes_are_all_reached_by_the_next_ones(platform: Platform) -> None:
    names = towns(platform, 25)
    for name in names:
        add(platform, name, 10)
    begun = []
    for _ in range(9):
        found = look(platform, limit=6, requests=3)
        fresh = [one.tenant_id for one in found.begun if not one.again]
        assert len(found.begun) <= 3
        begun += fresh
        with platform.database.session() as session:  # their runs are under way
            session.execute(sa.update(TrainingRun).values(state="promoted", finished_at=sa.func.now()))
    assert sorted(begun) == names


def test_a_look_that_is_lost_before_its_commit_takes_nothing(platform: Platform) -> None:
    (town,) = towns(platform, 1)
    add(platform, town, 10)

    def dies(rows: object) -> dict[str, Fate]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plan.look(platform, dies)
    with platform.database.session() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(TrainingRun)) == 0
    (begun,) = look(platform).begun
    assert begun.attempt == 1


def test_a_request_that_is_lost_after_the_commit_costs_no_attempt_however_often(platform: Platform) -> None:
    (town,) = towns(platform, 1)
    add(platform, town, 10)
    later = datetime.now(UTC)
    keys = set()
    for _ in range(20):
        (begun,) = look(platform, now=later).begun
        keys.add((begun.run_id, begun.attempt))
        later += timedelta(hours=1)
    assert keys == {(begun.run_id, 1)}


def test_a_change_that_commits_during_a_look_is_seen_by_the_next(platform: Platform) -> None:
    (town,) = towns(platform, 1)
    add(platform, town, 9)

    def meanwhile(rows: object) -> dict[str, Fate]:
        add(platform, town, 1, start=500)
        return {}

    assert not plan.look(platform, meanwhile).begun
    (begun,) = look(platform).begun
    assert begun.tenant_id == town


def test_writers_and_looks_at_random_begin_each_watermark_once(platform: Platform) -> None:
    names = towns(platform, 4)
    rng = random.Random(7)
    sizes = [[rng.randint(1, 7) for _ in range(12)] for _ in names]

    def write(n: int) -> None:
        start = 0
        for size in sizes[n]:
            add(platform, names[n], size, start=start)
            start += size

    begun: list[tuple[str, int]] = []
    with ThreadPoolExecutor(6) as pool:
        writers = [pool.submit(write, n) for n in range(len(names))]
        lookers = [pool.submit(look, platform) for _ in range(30)]
        for writer in writers:
            writer.result()
        for looker in lookers:
            begun += [(one.tenant_id, one.through_seq) for one in looker.result().begun if not one.again]
    begun += [(one.tenant_id, one.through_seq) for one in look(platform).begun if not one.again]
    with platform.database.session() as session:
        rows = session.execute(sa.select(TrainingRun.tenant_id, TrainingRun.attempt)).all()
    assert sorted(tenant for tenant, _ in begun) == sorted(tenant for tenant, _ in rows) == names
    assert {attempt for _, attempt in rows} == {1}


def test_the_schedule_has_every_old_town_looked_at_even_when_a_look_takes_few(platform: Platform) -> None:
    names = towns(platform, 7)
    for name in names:
        add(platform, name, 3)
    look(platform)
    with platform.database.session() as session:
        session.execute(sa.text("UPDATE examples SET created_at = now() - interval '2 hours'"))
    look(platform)
    begun = [one.tenant_id for one in look(platform, by_age=True, limit=2, requests=2).begun]
    assert len(begun) == 2
    for _ in range(6):
        begun += [one.tenant_id for one in look(platform, requests=9, limit=3).begun if not one.again]
    assert sorted(begun) == names
    assert not [one for one in look(platform).begun if not one.again]


def test_time_alone_brings_back_who_waits_for_it_and_a_clock_put_back_strands_nobody(
    platform: Platform,
) -> None:
    (town,) = towns(platform, 1)
    add(platform, town, 10)
    now = datetime.now(UTC)
    (begun,) = look(platform, now=now).begun
    failed = {begun.run_id: Fate("failed", "examples", "the loss was not finite")}
    assert not plan.look(platform, lambda rows: failed, now=now).begun
    assert not look(platform, now=now + timedelta(minutes=29)).reasons, "nobody looks before it is time"
    (again,) = look(platform, now=now + timedelta(minutes=31)).begun
    assert again.attempt == 2
    with platform.database.session() as session:
        session.execute(sa.update(TrainingRun).values(state="promoted"))
    look(platform, now=now + timedelta(days=400))
    assert look(platform, now=now).reasons, "it was looked at in what is the future now"


@pytest.mark.parametrize(
    ("fault", "next_attempt_counts"), [("worker", False), ("capacity", False), ("examples", True)]
)
def test_only_the_examples_own_failures_count_as_attempts(
    platform: Platform, fault: str, next_attempt_counts: bool
) -> None:
    (town,) = towns(platform, 1)
    add(platform, town, 10)
    now = datetime.now(UTC)
    for attempt in range(1, 8):
        found = look(platform, now=now)
        if next_attempt_counts and attempt == 6:
            assert not found.begun
            assert "5 attempts at these examples failed" in plan.explain(platform, town)[0].reason
            return
        (begun,) = found.begun
        assert begun.attempt == attempt
        fate = Fate("failed", fault, "why")  # type: ignore[arg-type]
        plan.look(platform, lambda rows, fate=fate: {row.run_id: fate for row in rows}, now=now)
        now += timedelta(hours=25)
    assert not next_attempt_counts


def test_what_would_happen_now_is_what_a_look_decides(platform: Platform) -> None:
    (town,) = towns(platform, 1)
    for size, start in ((4, 0), (6, 100)):
        add(platform, town, size, start=start)
        decision, facts, rules = plan.explain(platform, town)
        with statements(platform) as seen:
            assert plan.explain(platform, town)[0].code == decision.code
        assert len(seen) == 2
        found = look(platform)
        assert decision.train is bool(found.begun)
        assert facts.pending == size + (start and 4)
    assert rules.weekly_quota == 7


def test_a_name_in_the_blocklist_makes_the_policy_anew_for_its_town_alone(platform: Platform) -> None:
    first, second = towns(platform, 2)
    look(platform)

    def fingerprints() -> dict[str, str | None]:
        with platform.database.session() as session:
            return {
                row.tenant_id: row.policy
                for row in session.scalars(sa.select(LearningState).where(LearningState.lane == "learn"))
            }

    before = fingerprints()
    with platform.database.session() as session:
        blocklist.add(session, first, term="Remedios Quintanilla", action="mask", kind="person")
    look(platform)
    after = fingerprints()
    assert after[first] != before[first]
    assert after[second] == before[second]


def test_a_backfill_looks_at_everybody_once_and_never_before_those_something_changed_for(
    platform: Platform,
) -> None:
    names = towns(platform, 12)
    look(platform)
    assert not look(platform).reasons
    for _ in range(2):
        with platform.database.session() as session:
            assert looks.ask_again(session, "learn") == 12
    add(platform, names[-1], 10)
    seen: list[str] = []
    for number in range(5):
        found = look(platform, limit=3)
        if number == 0:
            assert [one.tenant_id for one in found.begun] == [names[-1]]
        seen += found.reasons
    assert sorted(set(seen) | {names[-1]}) == names, "each is reached, whatever was killed in between"
    with platform.database.session() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(TrainingRun)) == 1, "nothing else to do"


def test_an_erased_tenant_leaves_no_change_behind_that_anybody_would_look_at(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant("villaverde")
    add(platform, "villaverde", 12)
    platform.vault.erase_tenant("villaverde")
    with platform.database.session() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(LearningChange)) == 0
    assert look(platform) == plan.Look()


def test_a_quota_is_a_row_and_a_town_may_have_its_own(platform: Platform) -> None:
    first, second = towns(platform, 2)
    with platform.database.session() as session:
        tiers.put(session, "standard", weekly_quota=0)
        tenants.get(session, second).weekly_quota = 1
    for name in (first, second):
        add(platform, name, 10)
    found = look(platform)
    assert [one.tenant_id for one in found.begun] == [second]
    assert found.reasons[first] == "0 trainings in the last 7 days, the quota is 0"


def test_trainings_that_never_got_a_corpus_do_not_use_up_the_quota(platform: Platform) -> None:
    (town,) = towns(platform, 1)
    add(platform, town, 10)
    with platform.database.session() as session:
        for attempt in range(1, 9):
            row = trainings.start(session, town, through_seq=5, attempt=attempt, dagster_run_id=None)
            trainings.update(session, row.run_id, state="failed", fault="worker", reason="lost")
    assert plan.explain(platform, town)[1].started_this_week == 0
