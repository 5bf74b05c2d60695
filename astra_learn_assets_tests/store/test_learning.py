"""Examples, trainings, verdicts, adapters, promotions: nothing lost, nothing counted twice."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from astra_learn_assets.contracts import AdapterManifest, GateVerdict
from astra_learn_assets.errors import BadInput, Conflict, ForeignTenant, GateRefused, InvalidId, NotFound
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import adapters, examples, promotions, trainings, verdicts
from astra_learn_assets.store.examples import NewExample
from astra_learn_assets.store.tables import ExampleRow
from astra_learn_assets_tests.conftest import MakeTenant


@pytest.fixture
def tenant(make_tenant: MakeTenant) -> str:
    return make_tenant().tenant_id


def _example(n: int, *, golden: bool = False, usable: bool = True, route: int = 1) -> NewExample:
    return NewExample(f"{n:064x}", f"doc-{n // 10}", route, golden, usable, None if usable else "left out")


def _add(platform: Platform, tenant: str, *rows: NewExample) -> int:
    with platform.database.session() as session:
        return examples.add(session, tenant, rows)


def _finish(platform: Platform, tenant: str, through_seq: int, state: str, attempt: int = 1) -> str:
    with platform.database.session() as session:
        row = trainings.start(session, tenant, through_seq=through_seq, attempt=attempt, dagster_run_id=None)
        trainings.update(session, row.run_id, state=state)
        return row.run_id


def _pending(platform: Platform, tenant: str) -> examples.Pending:
    with platform.database.session() as session:
        return examples.pending(session, tenant)


def test_adding_again_adds_nothing_and_keeps_the_place(platform: Platform, tenant: str) -> None:
    rows = [_example(n) for n in range(5)]
    assert _add(platform, tenant, *rows) == 5
    with platform.database.session() as session:
        before = [(row.example_id, row.seq) for row in examples.usable(session, tenant)]
    assert _add(platform, tenant, *rows, _example(9)) == 1
    assert _add(platform, tenant, _example(9), _example(9)) == 0
    assert _add(platform, tenant) == 0
    with platform.database.session() as session:
        assert [(row.example_id, row.seq) for row in examples.usable(session, tenant)][:5] == before


def test_only_usable_examples_outside_the_golden_set_are_trained_on(platform: Platform, tenant: str) -> None:
    _add(
        platform,
        tenant,
        _example(1),
        _example(2, golden=True),
        _example(3, usable=False),
        _example(4, route=3),
    )
    with platform.database.session() as session:
        rows = examples.usable(session, tenant)
        assert [int(row.example_id, 16) for row in rows] == [1, 4]
        assert [int(row.example_id, 16) for row in examples.usable(session, tenant, rows[0].seq)] == [1]
        assert examples.counts(session, tenant) == {
            "total": 4,
            "usable": 2,
            "golden": 1,
            "excluded": 1,
            "route_1": 1,
            "route_2": 0,
            "route_3": 1,
        }
        assert len(examples.of_document(session, tenant, "doc-0")) == 4
    found = _pending(platform, tenant)
    assert (found.count, found.newest_seq) == (2, rows[1].seq)


def test_excluding_takes_out_and_only_the_same_reason_brings_back(platform: Platform, tenant: str) -> None:
    _add(platform, tenant, _example(1), _example(2))
    with platform.database.session() as session:
        assert examples.exclude(session, tenant, [f"{1:064x}", "f" * 64], "superseded") == 1
        assert examples.exclude(session, tenant, [f"{1:064x}"], "erased") == 0
        assert examples.exclude(session, tenant, [], "x") == 0
        assert examples.pending(session, tenant).count == 1
        assert examples.add(session, tenant, [_example(1)]) == 0
        assert examples.add(session, tenant, [_example(1)], revive="erased") == 0
        assert examples.pending(session, tenant).count == 1
        examples.add(session, tenant, [_example(1)], revive="superseded")
        assert examples.pending(session, tenant).count == 2


@pytest.mark.parametrize("ended", ["promoted", "rejected"])
def test_a_training_that_ends_takes_in_what_was_there_and_no_more(
    platform: Platform, tenant: str, ended: str
) -> None:
    assert _pending(platform, tenant) == examples.Pending(0, None, None)
    _add(platform, tenant, *(_example(n) for n in range(3)))
    newest = _pending(platform, tenant).newest_seq
    assert newest is not None
    _add(platform, tenant, _example(7), _example(8))  # while it trains
    _finish(platform, tenant, newest, ended)
    assert _pending(platform, tenant).count == 2
    _finish(platform, tenant, newest - 1, ended)  # an older corpus, by hand
    assert _pending(platform, tenant).count == 2


@pytest.mark.parametrize("state", ["failed", "queued", "training", "evaluating"])
def test_a_training_that_did_not_end_well_leaves_everything_pending(
    platform: Platform, tenant: str, state: str
) -> None:
    _add(platform, tenant, *(_example(n) for n in range(3)))
    newest = _pending(platform, tenant).newest_seq
    assert newest is not None
    _finish(platform, tenant, newest, state)
    assert _pending(platform, tenant).count == 3


def test_the_trainings_of_one_tenant_take_nothing_from_another(
    platform: Platform, tenant: str, make_tenant: MakeTenant
) -> None:
    make_tenant("otra")
    _add(platform, tenant, _example(1))
    _add(platform, "otra", _example(1), _example(2))
    _finish(platform, tenant, 10_000, "promoted")
    assert _pending(platform, tenant).count == 0
    assert _pending(platform, "otra").count == 2


def test_an_example_that_commits_late_does_not_fall_behind_the_mark(platform: Platform, tenant: str) -> None:
    """Without the lock the slow writer would hold the smaller seq and commit after it was passed."""
    slow_inserted, may_commit = threading.Event(), threading.Event()

    def slow() -> None:
        with platform.database.session() as session:
            examples.add(session, tenant, [_example(1)])
            slow_inserted.set()
            may_commit.wait(timeout=20)

    def fast() -> None:
        slow_inserted.wait(timeout=20)
        _add(platform, tenant, _example(2))

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(slow), pool.submit(fast)
        slow_inserted.wait(timeout=20)
        second_done = threading.Event()
        second.add_done_callback(lambda _: second_done.set())
        assert not second_done.wait(timeout=0.5)  # it waits its turn
        seen = _pending(platform, tenant).newest_seq
        _finish(platform, tenant, seen or 0, "promoted")  # a training marks what can be seen now
        may_commit.set()
        first.result()
        second.result()
    assert _pending(platform, tenant).count == 2


def test_many_writers_at_once_never_let_a_reader_miss_an_example(platform: Platform, tenant: str) -> None:
    """A reader that asks again and again for what is above its mark sees every example exactly once."""
    stop = threading.Event()
    seen: list[int] = []

    def read() -> None:
        mark, last = 0, False
        while not last:
            last = stop.is_set()
            with platform.database.session() as session:
                rows = list(
                    session.scalars(
                        sa.select(ExampleRow.seq).where(ExampleRow.seq > mark).order_by(ExampleRow.seq)
                    )
                )
            seen.extend(rows)
            mark = max([mark, *rows])

    def write(n: int) -> None:
        for turn in range(10):
            _add(platform, tenant, *(_example(n * 1_000 + turn * 10 + i) for i in range(5)))

    with ThreadPoolExecutor(5) as pool:
        reader = pool.submit(read)
        list(pool.map(write, range(4)))
        stop.set()
        reader.result()
    with platform.database.session() as session:
        stored = [row.seq for row in examples.usable(session, tenant)]
    assert len(stored) == 200
    assert sorted(seen) == stored


@pytest.mark.parametrize(
    "bad",
    [
        NewExample("x", "d", 1, False, True, None),
        NewExample("a" * 64, "a/b", 1, False, True, None),
        NewExample("a" * 64, "d", 4, False, True, None),
    ],
)
def test_a_malformed_example_adds_none_of_its_batch(platform: Platform, tenant: str, bad: NewExample) -> None:
    with pytest.raises((BadInput, InvalidId)):
        _add(platform, tenant, _example(1), bad)
    assert _pending(platform, tenant).count == 0


def test_starting_the_same_attempt_twice_gives_one_row(platform: Platform, tenant: str) -> None:
    def start(_: int) -> str:
        with platform.database.session() as session:
            return trainings.start(session, tenant, through_seq=5, attempt=1, dagster_run_id="r").run_id

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(start, range(6)))) == 1
    with platform.database.session() as session:
        assert [row.state for row in trainings.listing(session, tenant)] == ["queued"]
        assert trainings.next_attempt(session, tenant, 5) == 2
        assert trainings.next_attempt(session, tenant, 6) == 1


def test_the_states_of_trainings_answer_the_questions_of_the_policy(platform: Platform, tenant: str) -> None:
    failed = _finish(platform, tenant, 3, "failed")
    promoted = _finish(platform, tenant, 3, "promoted", attempt=2)
    rejected = _finish(platform, tenant, 5, "rejected")
    open_ = _finish(platform, tenant, 8, "training")
    with platform.database.session() as session:
        last = trainings.last_finished(session, tenant)
        assert last is not None
        assert last.run_id == rejected
        assert last.finished_at is not None
        assert [row.run_id for row in trainings.unfinished(session, tenant)] == [open_]
        assert [row.run_id for row in trainings.listing(session, tenant)] == [
            open_,
            rejected,
            promoted,
            failed,
        ]
        assert [row.run_id for row in trainings.listing(session, tenant, limit=1)] == [open_]
        assert trainings.get(session, open_, tenant_id=tenant).finished_at is None


def test_a_training_takes_no_unknown_column_state_or_id(
    platform: Platform, tenant: str, make_tenant: MakeTenant
) -> None:
    make_tenant("otra")
    run_id = _finish(platform, tenant, 3, "queued")
    with platform.database.session() as session:
        for columns in ({"tenant_id": "otra"}, {"state": "done"}, {"through_seq": 9}):
            with pytest.raises(BadInput):
                trainings.update(session, run_id, **columns)
        with pytest.raises(NotFound):
            trainings.update(session, "none", state="failed")
        with pytest.raises(NotFound):
            trainings.get(session, run_id, tenant_id="otra")
        with pytest.raises(BadInput):
            trainings.start(session, tenant, through_seq=-1, attempt=1, dagster_run_id=None)


def _verdict(passed: bool, digest: str = "a" * 64, tenant: str = "villaverde") -> GateVerdict:
    return GateVerdict(
        gate="pii_gate",
        tenant_id=tenant,
        digest=digest,
        passed=passed,
        reason="why",
        details={"lines": 3, "ok": None},
    )


def test_a_step_goes_on_only_with_the_newest_verdict_of_its_exact_digest(
    platform: Platform, tenant: str, make_tenant: MakeTenant
) -> None:
    make_tenant("otra")
    with platform.database.session() as session:
        with pytest.raises(GateRefused, match="has not judged"):
            verdicts.require_passed(session, tenant, "pii_gate", "a" * 64)
        verdicts.record(session, _verdict(True), dagster_run_id="run")
        assert verdicts.require_passed(session, tenant, "pii_gate", "a" * 64) == _verdict(True)
        for other in (
            (tenant, "pii_gate", "b" * 64),
            (tenant, "wer_gate", "a" * 64),
            ("otra", "pii_gate", "a" * 64),
        ):
            with pytest.raises(GateRefused):
                verdicts.require_passed(session, *other)
        verdicts.record(session, _verdict(False))
        with pytest.raises(GateRefused, match="why"):
            verdicts.require_passed(session, tenant, "pii_gate", "a" * 64)
        assert verdicts.latest(session, tenant, "pii_gate", "b" * 64) is None


def _manifest(digest: str, tenant: str = "villaverde") -> AdapterManifest:
    return AdapterManifest(
        adapter_id=f"{tenant}--{digest[:16]}",
        tenant_id=tenant,
        base_model="base",
        base_revision=None,
        dataset_hash="d" * 64,
        commit_hash="c" * 40,
        hyperparameters={"rank": 16},
        metrics={"loss": 0.5},
        files={"adapter_model.safetensors": "e" * 64},
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
    )


def test_an_adapter_is_noted_once_and_found_by_its_recipe(platform: Platform, tenant: str) -> None:
    digest = "1" * 64
    for _ in range(2):
        with platform.database.session() as session:
            adapters.add(session, _manifest(digest), digest=digest, recipe_hash="b" * 64)
    with platform.database.session() as session:
        found = adapters.by_recipe(session, tenant, "b" * 64)
        assert found is not None
        assert AdapterManifest.model_validate(found.manifest) == _manifest(digest)
        assert adapters.by_recipe(session, tenant, "c" * 64) is None
        with pytest.raises(BadInput):
            adapters.add(session, _manifest(digest), digest="2" * 64, recipe_hash="b" * 64)
        with pytest.raises(Conflict):
            adapters.add(session, _manifest(digest), digest="1" * 63 + "2", recipe_hash="b" * 64)


def test_an_adapter_belongs_to_its_tenant_alone(
    platform: Platform, tenant: str, make_tenant: MakeTenant
) -> None:
    make_tenant("otra")
    digest = "1" * 64
    with platform.database.session() as session:
        row = adapters.add(session, _manifest(digest), digest=digest, recipe_hash="b" * 64)
        with pytest.raises(ForeignTenant):
            adapters.get(session, "otra", row.adapter_id)
        with pytest.raises(ForeignTenant):
            promotions.add(
                session,
                "otra",
                adapter_id=row.adapter_id,
                kind="promotion",
                promoted_by="x",
                mlflow_version=None,
            )
        with pytest.raises(NotFound):
            adapters.get(session, tenant, f"{tenant}--{'9' * 16}")
        with pytest.raises(InvalidId):
            adapters.get(session, tenant, "../../etc")


def test_promotions_name_their_predecessor_and_repeat_nothing(platform: Platform, tenant: str) -> None:
    names = []
    for digest in ("1" * 64, "2" * 64):
        with platform.database.session() as session:
            names.append(
                adapters.add(session, _manifest(digest), digest=digest, recipe_hash="b" * 64).adapter_id
            )

    def promote(name: str, kind: str = "promotion") -> int:
        with platform.database.session() as session:
            return promotions.add(
                session, tenant, adapter_id=name, kind=kind, promoted_by="ana", mlflow_version="1"
            ).promotion_id

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(promote, [names[0]] * 6))) == 1
    promote(names[1])
    promote(names[0], "rollback")
    with platform.database.session() as session:
        rows = promotions.history(session, tenant)
        assert [(row.adapter_id, row.previous_adapter_id, row.kind) for row in rows] == [
            (names[0], names[1], "rollback"),
            (names[1], names[0], "promotion"),
            (names[0], None, "promotion"),
        ]
        current = promotions.current(session, tenant)
        assert current is not None
        assert current.promotion_id == rows[0].promotion_id
        assert promotions.current(session, "nobody") is None
        with pytest.raises(BadInput):
            promotions.add(
                session, tenant, adapter_id=names[1], kind="oops", promoted_by="x", mlflow_version=None
            )
