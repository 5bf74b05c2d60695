"""From a trained folder to the champion: stored once, promoted by verdict, announced, rolled back.

Real Postgres, Redis, object store and MLflow (SQLite).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy as sa
from mlflow import MlflowClient
from sqlalchemy import orm
from structlog.testing import capture_logs

from astra_learn_assets.automation import sensors
from astra_learn_assets.contracts import AdapterManifest, GateVerdict, NewModelAvailable
from astra_learn_assets.datasets import jsonl
from astra_learn_assets.errors import (
    AdapterRefused,
    AstraError,
    Conflict,
    ForeignTenant,
    GateRefused,
    NeverServed,
    NotFound,
    TenantErased,
    Unavailable,
    UnknownTenant,
)
from astra_learn_assets.evaluation import wer_gate
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import (
    announcing,
    importer,
    lineage,
    opponents,
    promote,
    promoter,
    publisher,
    rulings,
)
from astra_learn_assets.learning.training.run import Step
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry.manifest import digest_of
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import canaries, paths, promotions, trainings, verdicts
from astra_learn_assets.store.learning_tables import Canary
from astra_learn_assets.store.objects import ObjectStore
from astra_learn_assets.store.tables import Adapter
from astra_learn_assets_tests.registry.builders import BASE, DATASET, manifest_of, tensors, trained_folder
from astra_learn_assets_tests.serving.real_adapters import store_of

Make = Callable[..., object]
TENANT = "villaverde"
LOG = [{"step": step, "loss": 2.0 / step, "learning_rate": 1e-3} for step in (1, 2, 3)]


def _publish(platform: Platform, where: Path, seed: int = 1, **changes: Any) -> Adapter:
    folder = trained_folder(where / f"out-{seed}-{len(list(where.iterdir()))}", seed=seed, **changes)
    manifest = manifest_of(folder)
    run_id = lineage.log_training(platform.settings, manifest, folder=folder, log=LOG, dagster_run_id="run-1")
    recipe = publisher.recipe_hash(
        dataset_hash=DATASET, base_model=BASE, base_revision=None, hyperparameters={"seed": seed}
    )
    return publisher.publish(platform, folder, manifest, recipe_hash=recipe, mlflow_run_id=run_id)


def _judge(
    platform: Platform, row: Adapter, *, adapter: bool = True, wer: bool = True, **details: object
) -> None:
    """Signed verdicts as the gates leave them today; ``details`` puts others in."""
    golden = jsonl.digest(b"")
    platform.vault.write(TENANT, paths.golden(TENANT, golden), b"")
    with platform.database.session() as session:
        met = opponents.of_candidate(session, TENANT, row, anew=True)
        bound: dict[str, object] = {
            "outcome": "promote" if wer and adapter else "reject",
            "gate_version": wer_gate.VERSION,
            "dataset_hash": row.dataset_hash,
            "base": f"{BASE}@None",
            "golden_hash": golden,
            "champion_digest": met.champion.digest if met.champion else None,
            "best_digest": met.best.digest if met.best else None,
            **details,
        }
        for gate, passed in (("adapter_gate", adapter), ("wer_gate", wer)):
            verdict = GateVerdict(
                gate=gate,  # type: ignore[arg-type]
                tenant_id=TENANT,
                digest=row.digest,
                passed=passed,
                reason="test",
                details=bound,  # type: ignore[arg-type]
            )
            rulings.record(platform, session, verdict)


def _promoted(platform: Platform, where: Path, seed: int) -> Adapter:
    row = _publish(platform, where, seed)
    _judge(platform, row)
    promoter.promote(platform, TENANT, row.adapter_id, promoted_by="test")
    return row


def _announced(platform: Platform) -> NewModelAvailable | None:
    value = platform.redis.get(announcing.redis_key(TENANT))
    return None if value is None else NewModelAvailable.model_validate_json(str(value))


def _current(platform: Platform) -> str | None:
    with platform.database.session() as session:
        row = promotions.current(session, TENANT)
        return row.adapter_id if row else None


def test_a_judged_adapter_is_promoted_announced_recorded_and_served(town: Platform, tmp_path: Path) -> None:
    row = _publish(town, tmp_path)
    _judge(town, row, champion_digest=None)
    promotion = promoter.promote(town, TENANT, row.adapter_id, promoted_by="auto")
    said = _announced(town)
    assert said is not None
    assert (said.adapter_id, said.sha256, said.base_model) == (row.adapter_id, row.digest, BASE)
    assert said.promoted_at == promotion.created_at
    assert promotion.mlflow_version == "1"
    assert lineage.champion(town.settings, TENANT) == row.adapter_id
    store = store_of(town, tmp_path / "core")
    assert store.current(TENANT).adapter_id == row.adapter_id
    with pytest.raises(AdapterRefused):
        store.load("otra-villa", row.adapter_id)


def test_promoting_again_changes_nothing(town: Platform, tmp_path: Path) -> None:
    row = _promoted(town, tmp_path, 1)
    first = _announced(town)
    again = promoter.promote(town, TENANT, row.adapter_id, promoted_by="somebody else")
    with town.database.session() as session:
        assert [item.promotion_id for item in promotions.history(session, TENANT)] == [again.promotion_id]
    assert _announced(town) == first


@pytest.mark.parametrize("case", [{"adapter": False}, {"wer": False}, None])
def test_without_both_verdicts_nothing_is_promoted(
    town: Platform, tmp_path: Path, case: dict[str, bool] | None
) -> None:
    row = _publish(town, tmp_path)
    if case is not None:
        _judge(town, row, **case)  # type: ignore[arg-type]
    for kind in ("promotion", "rollback"):
        with pytest.raises(GateRefused):
            promoter.promote(town, TENANT, row.adapter_id, promoted_by="test", kind=kind)
    assert _current(town) is None
    assert _announced(town) is None


def test_a_newer_refusal_outweighs_an_older_pass(town: Platform, tmp_path: Path) -> None:
    row = _publish(town, tmp_path)
    _judge(town, row)
    _judge(town, row, wer=False)
    with pytest.raises(GateRefused):
        promoter.promote(town, TENANT, row.adapter_id, promoted_by="test")


def test_a_verdict_against_another_champion_does_not_count(town: Platform, tmp_path: Path) -> None:
    first = _publish(town, tmp_path, 1)
    second, third = _publish(town, tmp_path, 2), _publish(town, tmp_path, 3)
    _judge(town, first, champion_digest=None)
    promoter.promote(town, TENANT, first.adapter_id, promoted_by="test")
    for row in (second, third):
        _judge(town, row, champion_digest=first.digest)
    promoter.promote(town, TENANT, second.adapter_id, promoted_by="test")
    with pytest.raises(GateRefused, match="another champion"):
        promoter.promote(town, TENANT, third.adapter_id, promoted_by="test")
    assert _current(town) == second.adapter_id


def test_other_tenants_and_unknown_adapters_are_refused(town: Platform, tmp_path: Path) -> None:
    row = _publish(town, tmp_path)
    _judge(town, row)
    with pytest.raises(ForeignTenant):
        promoter.promote(town, "otra-villa", row.adapter_id, promoted_by="test")
    with pytest.raises(NotFound):
        promoter.promote(town, TENANT, f"{TENANT}--0123456789abcdef", promoted_by="test")
    with pytest.raises(UnknownTenant):
        promoter.rollback(town, "nadie", by="test")


def test_a_stored_byte_that_changed_stops_the_promotion(town: Platform, tmp_path: Path) -> None:
    row = _publish(town, tmp_path)
    _judge(town, row)
    key = f"{paths.adapter(row.adapter_id)}/adapter_model.safetensors"
    town.objects.put(key, town.objects.get(key)[:-1] + b"x", overwrite=True)
    with pytest.raises(AdapterRefused, match="not what was signed"):
        promoter.promote(town, TENANT, row.adapter_id, promoted_by="test")
    assert _current(town) is None


def test_a_redis_that_is_away_does_not_stop_a_promotion_and_is_set_right_later(
    town: Platform, tmp_path: Path
) -> None:
    row = _publish(town, tmp_path)
    _judge(town, row)
    good, town.redis = town.redis, redis.Redis(host="127.0.0.1", port=1, retry=None, decode_responses=True)
    promoter.promote(town, TENANT, row.adapter_id, promoted_by="test")
    with pytest.raises(Unavailable):
        announcing.republish(town)
    town.redis = good
    assert _announced(town) is None
    assert lineage.champion(town.settings, TENANT) == row.adapter_id, "MLflow does not wait for Redis"
    assert announcing.republish(town) == 1
    assert announcing.republish(town) == 0
    said = _announced(town)
    assert said is not None
    assert said.adapter_id == row.adapter_id
    assert lineage.champion(town.settings, TENANT) == row.adapter_id


@pytest.fixture
def mlflow_away(town: Platform, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """MLflow is away from the start; call it to bring MLflow back."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    good = town.settings
    town.settings = good.model_copy(update={"mlflow_tracking_uri": "http://127.0.0.1:1"})

    def back() -> None:
        town.settings = good

    yield back
    back()


def test_an_mlflow_that_is_away_stops_no_promotion_and_gets_version_and_alias_later(
    town: Platform, tmp_path: Path, mlflow_away: Callable[[], None]
) -> None:
    row = _promoted(town, tmp_path, 1)
    said = _announced(town)
    assert said is not None
    assert said.adapter_id == row.adapter_id
    assert promoter.repair_aliases(town, {}) == {}
    mlflow_away()
    shown = promoter.repair_aliases(town, {})
    assert list(shown) == [TENANT]
    assert lineage.champion(town.settings, TENANT) == row.adapter_id


def test_a_rollback_works_while_mlflow_is_away_and_keeps_the_version_of_its_adapter(
    town: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (_promoted(town, tmp_path, seed) for seed in (1, 2))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    good = town.settings
    town.settings = good.model_copy(update={"mlflow_tracking_uri": "http://127.0.0.1:1"})
    back = promoter.rollback(town, TENANT, by="ana")
    assert (back.adapter_id, back.mlflow_version) == (first.adapter_id, "1")
    said = _announced(town)
    assert said is not None
    assert said.adapter_id == first.adapter_id
    town.settings = good
    assert lineage.champion(good, TENANT) == second.adapter_id
    promoter.repair_aliases(town, {})
    assert lineage.champion(good, TENANT) == first.adapter_id


def test_the_sensor_repairs_the_alias_while_redis_is_away_and_asks_mlflow_once_per_promotion(
    town: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (_promoted(town, tmp_path, seed) for seed in (1, 2))
    lineage.set_champion(town.settings, TENANT, "1")
    assert lineage.champion(town.settings, TENANT) == first.adapter_id
    good, town.redis = town.redis, redis.Redis(host="127.0.0.1", port=1, retry=None, decode_responses=True)
    tick = sensors.follow(town, None)
    assert "Redis does not answer" in str(tick.skip_reason)
    assert lineage.champion(town.settings, TENANT) == second.adapter_id
    town.redis = good
    monkeypatch.setattr(lineage, "champion", _never)
    again = sensors.follow(town, tick.cursor)
    assert again.cursor == tick.cursor
    assert "0 MLflow aliases" in str(again.skip_reason)


def _never(*_arguments: object) -> None:
    raise AssertionError("MLflow was asked although nothing changed")


def test_a_tenant_that_mlflow_refuses_does_not_hold_back_the_others(
    town: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _promoted(town, tmp_path, 1)
    other = manifest_of(trained_folder(tmp_path / "other"), "otra-villa")
    row = publisher.publish(town, tmp_path / "other", other, recipe_hash="b" * 64)
    with town.database.session() as session:
        promotions.add(
            session, "otra-villa", adapter_id=row.adapter_id, kind="promotion", promoted_by="test",
            mlflow_version=None,
        )  # fmt: skip
    real = lineage.champion

    def refuses(settings: Settings, tenant: str) -> str | None:
        if tenant == TENANT:
            raise Unavailable("MLflow refuses this model")
        return real(settings, tenant)

    monkeypatch.setattr(lineage, "champion", refuses)
    assert list(promoter.repair_aliases(town, {})) == ["otra-villa"]
    assert real(town.settings, "otra-villa") == row.adapter_id


def test_a_key_that_says_something_else_is_set_right(town: Platform, tmp_path: Path) -> None:
    row = _promoted(town, tmp_path, 1)
    town.redis.set(announcing.redis_key(TENANT), "nonsense")
    town.redis.set(announcing.redis_key("otra-villa"), "nonsense")
    assert announcing.republish(town) == 2
    said = _announced(town)
    assert said is not None
    assert said.adapter_id == row.adapter_id
    assert town.redis.get(announcing.redis_key("otra-villa")) is None


def test_a_rollback_goes_back_one_at_a_time_and_forward_again(town: Platform, tmp_path: Path) -> None:
    first, second, third = (_promoted(town, tmp_path, seed) for seed in (1, 2, 3))
    for expected in (second, first):
        assert promoter.rollback(town, TENANT, by="ana").adapter_id == expected.adapter_id
        said = _announced(town)
        assert said is not None
        assert said.adapter_id == expected.adapter_id
        assert lineage.champion(town.settings, TENANT) == expected.adapter_id
    with pytest.raises(Conflict):
        promoter.rollback(town, TENANT, by="ana")
    back = promoter.rollback(town, TENANT, by="ana", to=third.adapter_id)
    assert (back.kind, back.promoted_by, back.previous_adapter_id) == ("rollback", "ana", first.adapter_id)
    with town.database.session() as session:
        assert len(promotions.history(session, TENANT)) == 6


def test_a_rollback_goes_only_to_what_served(town: Platform, tmp_path: Path) -> None:
    _promoted(town, tmp_path, 1)
    row = _publish(town, tmp_path, 2)
    _judge(town, row)
    with pytest.raises(NeverServed):
        promoter.rollback(town, TENANT, by="ana", to=row.adapter_id)
    with pytest.raises(Conflict):
        promoter.rollback(town, "otra-villa", by="ana")


def test_promotions_at_once_end_with_one_champion_that_redis_tells(town: Platform, tmp_path: Path) -> None:
    rows = [_publish(town, tmp_path, seed) for seed in (1, 2, 3)]
    for row in rows:
        _judge(town, row)

    def promote(row: Adapter) -> str:
        try:
            return promoter.promote(town, TENANT, row.adapter_id, promoted_by="test").adapter_id
        except AstraError as error:
            return error.code

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(promote, rows))
    said = _announced(town)
    assert said is not None
    assert said.adapter_id == _current(town)
    assert said.adapter_id in answers
    assert set(answers) <= {row.adapter_id for row in rows} | {"conflict", "gate_refused"}


def test_a_promotion_that_came_in_between_is_not_undone(
    town: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Judged against the first, then overtaken by the second: the third must be judged anew."""
    _promoted(town, tmp_path, 1)
    second, third = (_publish(town, tmp_path, seed) for seed in (2, 3))
    for row in (second, third):
        _judge(town, row)
    read = promoter.fetch_verified

    def overtaken(platform: Platform, tenant_id: str, adapter_id: str) -> AdapterManifest:
        monkeypatch.setattr(promoter, "fetch_verified", read)
        promoter.promote(platform, tenant_id, second.adapter_id, promoted_by="somebody faster")
        return read(platform, tenant_id, adapter_id)

    monkeypatch.setattr(promoter, "fetch_verified", overtaken)
    with pytest.raises(Conflict, match="another promotion came in between"):
        promoter.promote(town, TENANT, third.adapter_id, promoted_by="test")
    assert _current(town) == second.adapter_id
    said = _announced(town)
    assert said is not None
    assert said.adapter_id == second.adapter_id
    with pytest.raises(GateRefused, match="another champion"):
        promoter.promote(town, TENANT, third.adapter_id, promoted_by="test")
    _judge(town, third)
    again = promoter.promote(town, TENANT, third.adapter_id, promoted_by="test")
    assert again.adapter_id == third.adapter_id


def test_a_verdict_that_comes_during_a_promotion_waits_for_its_end(
    town: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the last look at the verdicts and the row none can land unseen."""
    row = _publish(town, tmp_path)
    _judge(town, row)
    late = threading.Thread(target=_judge, args=(town, row), kwargs={"wer": False})
    current = canaries.current

    def overtaken(session: orm.Session, tenant_id: TenantId) -> Canary | None:
        late.start()
        late.join(0.5)
        assert late.is_alive(), "it was recorded between the look and the row"
        return current(session, tenant_id)

    monkeypatch.setattr(canaries, "current", overtaken)
    promoter.promote(town, TENANT, row.adapter_id, promoted_by="test")
    late.join(10)
    assert not late.is_alive()
    withdrawn = promoter.withdraw_revoked(town, TENANT, by="test")
    assert withdrawn is not None
    assert _current(town) is None


def test_every_refusal_of_a_promotion_names_what_is_wrong(town: Platform, tmp_path: Path) -> None:
    first, second = _publish(town, tmp_path, 1), _publish(town, tmp_path, 2)
    with pytest.raises(ForeignTenant, match=rf"^{first.adapter_id} is not an adapter of otra-villa$"):
        promoter.promote(town, "otra-villa", first.adapter_id, promoted_by="test")
    _judge(town, first, champion_digest=second.digest)
    against = (
        rf"^{first.adapter_id} was judged against another champion than the present one; evaluate it again$"
    )
    with pytest.raises(GateRefused, match=against):
        promoter.promote(town, TENANT, first.adapter_id, promoted_by="test")
    _judge(town, second)
    promoter.promote(town, TENANT, second.adapter_id, promoted_by="test")
    _judge(town, first, champion_digest=None)
    with pytest.raises(GateRefused, match=against):
        promoter.promote(town, TENANT, first.adapter_id, promoted_by="test")
    only = rf"^tenant {TENANT}: no older adapter to roll back to; 'base' is the base model$"
    with pytest.raises(Conflict, match=only):
        promoter.rollback(town, TENANT, by="ana")
    with pytest.raises(Conflict, match=r"^tenant otra-villa: no older adapter"):
        promoter.rollback(town, "otra-villa", by="ana")


def test_a_golden_set_must_be_stored_and_be_what_its_name_says(town: Platform, tmp_path: Path) -> None:
    row = _publish(town, tmp_path)
    golden = jsonl.digest(b"")
    sentence = rf"^{row.adapter_id} was judged on a golden set that is not stored; evaluate it again$"
    _judge(town, row, golden_hash="e" * 64)
    with pytest.raises(GateRefused, match=sentence):
        promoter.promote(town, TENANT, row.adapter_id, promoted_by="test")
    _judge(town, row)
    town.vault.write(TENANT, paths.golden(TENANT, golden), b"another one\n", overwrite=True)
    with pytest.raises(GateRefused, match=sentence):
        promoter.promote(town, TENANT, row.adapter_id, promoted_by="test")
    assert _current(town) is None


def test_the_row_of_a_promotion_says_who_and_how(town: Platform, tmp_path: Path) -> None:
    first, second = (_promoted(town, tmp_path, seed) for seed in (1, 2))
    back = promoter.rollback(town, TENANT, by="ana", to=first.adapter_id)
    assert (back.kind, back.promoted_by, back.adapter_id, back.tenant_id) == (
        "rollback", "ana", first.adapter_id, TENANT,
    )  # fmt: skip
    with town.database.session() as session:
        rows = promotions.history(session, TENANT)
    assert [(row.kind, row.promoted_by, row.adapter_id, row.mlflow_version) for row in rows] == [
        ("rollback", "ana", first.adapter_id, "1"),
        ("promotion", "test", second.adapter_id, "2"),
        ("promotion", "test", first.adapter_id, "1"),
    ]


def test_an_adapter_that_served_before_needs_no_new_verdict_for_a_rollback_but_does_for_a_promotion(
    town: Platform, tmp_path: Path
) -> None:
    first, _ = (_promoted(town, tmp_path, seed) for seed in (1, 2))
    with pytest.raises(GateRefused, match="another champion"):
        promoter.promote(town, TENANT, first.adapter_id, promoted_by="test")
    assert promoter.rollback(town, TENANT, by="ana").adapter_id == first.adapter_id


def test_what_is_stored_under_an_id_must_be_what_was_judged(
    town: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = _publish(town, tmp_path, 1), _publish(town, tmp_path, 2)
    _judge(town, first)
    read = promoter.fetch_verified
    monkeypatch.setattr(
        promoter,
        "fetch_verified",
        lambda platform, tenant, _adapter: read(platform, tenant, second.adapter_id),
    )
    words = rf"^{first.adapter_id}: the stored adapter is not the one that was judged$"
    with pytest.raises(GateRefused, match=words):
        promoter.promote(town, TENANT, first.adapter_id, promoted_by="test")
    assert _current(town) is None


def test_a_promotion_is_published_on_its_channel_once(town: Platform, tmp_path: Path) -> None:
    with town.redis.pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe(announcing.redis_key(TENANT))
        channel.get_message(timeout=5)
        row = _promoted(town, tmp_path, 1)
        message = channel.get_message(timeout=5)
        assert message is not None
        assert NewModelAvailable.model_validate_json(message["data"]).adapter_id == row.adapter_id
        assert announcing.republish(town) == 0
        assert channel.get_message(timeout=0.2) is None


def test_mlflow_knows_where_the_adapter_lies_and_which_run_made_it(town: Platform, tmp_path: Path) -> None:
    row = _promoted(town, tmp_path, 1)
    client = MlflowClient(town.settings.mlflow_tracking_uri, town.settings.mlflow_tracking_uri)
    version = client.get_model_version(f"astra-{TENANT}", "1")
    assert version.source == f"{town.settings.object_store_url}/{paths.adapter(row.adapter_id)}"
    assert version.run_id == row.mlflow_run_id


def test_followers_that_are_away_are_logged(
    town: Platform, tmp_path: Path, mlflow_away: Callable[[], None]
) -> None:
    row = _publish(town, tmp_path)
    _judge(town, row)
    good, town.redis = town.redis, redis.Redis(host="127.0.0.1", port=1, retry=None, decode_responses=True)
    with capture_logs() as logs:
        promoter.promote(town, TENANT, row.adapter_id, promoted_by="test")
    town.redis = good
    told = [(line["event"], line["tenant_id"]) for line in logs if "tenant_id" in line]
    later = "promoted; a follower is away and will be set later"
    assert told == [("promoting without MLflow", TENANT), (later, TENANT), (later, TENANT)]
    assert all(line["error"] not in ("", "None") for line in logs if "tenant_id" in line)


def test_an_mlflow_that_is_away_costs_three_attempts_a_round(
    town: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_tenant: Make
) -> None:
    _promoted(town, tmp_path, 1)
    names = [f"villa-{number}" for number in range(5)]
    for name in names:
        make_tenant(name)
        folder = tmp_path / name
        manifest = manifest_of(trained_folder(folder), name)
        row = publisher.publish(town, folder, manifest, recipe_hash="b" * 64)
        with town.database.session() as session:
            promotions.add(
                session, name, adapter_id=row.adapter_id, kind="promotion", promoted_by="test",
                mlflow_version=None,
            )  # fmt: skip
    asked: list[str] = []

    def away(_settings: Settings, tenant: str) -> str | None:
        asked.append(tenant)
        raise Unavailable("MLflow does not answer")

    monkeypatch.setattr(lineage, "champion", away)
    with capture_logs() as logs:
        assert promoter.repair_aliases(town, {}) == {}
    assert len(set(asked)) == 3
    assert [(line["event"], line["tenant_id"], line["error"]) for line in logs] == [
        ("alias not set; it will be later", tenant, "MLflow does not answer") for tenant in asked
    ]
    known = {TENANT: 1, "villa-0": 99}
    asked.clear()
    assert promoter.repair_aliases(town, known) == {TENANT: 1}
    assert TENANT not in asked


def test_publishing_the_same_content_again_keeps_what_is_stored(town: Platform, tmp_path: Path) -> None:
    first = _publish(town, tmp_path)
    again = _publish(town, tmp_path, metrics={"seconds": 99.0})
    assert again.adapter_id == first.adapter_id
    assert again.manifest == first.manifest
    assert town.objects.list(paths.adapter(first.adapter_id))


def test_what_a_crashed_upload_left_is_completed(town: Platform, tmp_path: Path) -> None:
    folder = trained_folder(tmp_path / "out")
    manifest = manifest_of(folder)
    prefix = paths.adapter(manifest.adapter_id)
    town.objects.put(f"{prefix}/adapter_model.safetensors", b"half")
    town.objects.put(f"{prefix}/README.md", b"from another attempt")
    row = publisher.publish(town, folder, manifest, recipe_hash="a" * 64)
    assert row.digest == digest_of(manifest)
    assert publisher.fetch_verified(town, TENANT, row.adapter_id) == manifest


def test_two_runs_of_one_recipe_at_once_leave_one_sound_adapter(
    town: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pod that was thought lost is in the middle of its upload when the retry comes."""
    folders = [trained_folder(tmp_path / name, metrics={"seconds": float(n)}) for n, name in enumerate("ab")]
    manifests = [manifest_of(folder) for folder in folders]
    assert manifests[0].adapter_id == manifests[1].adapter_id
    uploading, go_on = threading.Event(), threading.Event()
    put = ObjectStore.put

    def slow_put(self: ObjectStore, key: str, data: bytes, *, overwrite: bool = False) -> bool:
        if key.endswith("metrics.json") and not uploading.is_set():
            uploading.set()
            go_on.wait(10)
        return put(self, key, data, overwrite=overwrite)

    monkeypatch.setattr(ObjectStore, "put", slow_put)
    with ThreadPoolExecutor(2) as pool:
        late = pool.submit(publisher.publish, town, folders[0], manifests[0], recipe_hash="2" * 64)
        assert uploading.wait(10)
        retry = pool.submit(publisher.publish, town, folders[1], manifests[1], recipe_hash="2" * 64)
        time.sleep(0.3)
        assert not retry.done(), "it waits for the lock"
        go_on.set()
        rows = [late.result(timeout=30), retry.result(timeout=30)]
    assert rows[0].manifest == rows[1].manifest
    assert publisher.fetch_verified(town, TENANT, manifests[0].adapter_id) == manifests[0]


def test_an_upload_whose_lock_was_lost_never_signs(
    town: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = trained_folder(tmp_path / "a")
    manifest = manifest_of(folder)
    put = ObjectStore.put

    def cut(self: ObjectStore, key: str, data: bytes, *, overwrite: bool = False) -> bool:
        if key.endswith("metrics.json"):
            _cut_connections(town)
        return put(self, key, data, overwrite=overwrite)

    with monkeypatch.context() as patch:
        patch.setattr(ObjectStore, "put", cut)
        with pytest.raises(Unavailable):
            publisher.publish(town, folder, manifest, recipe_hash="2" * 64)
    assert not town.objects.exists(f"{paths.adapter(manifest.adapter_id)}/manifest.sig")
    second = trained_folder(tmp_path / "b", metrics={"seconds": 99.0})
    row = publisher.publish(town, second, manifest_of(second), recipe_hash="2" * 64)
    assert publisher.fetch_verified(town, TENANT, row.adapter_id) == manifest_of(second).model_copy(
        update={"created_at": AdapterManifest.model_validate(row.manifest).created_at}
    )


def _cut_connections(platform: Platform) -> None:
    """As when the network to Postgres breaks: every open transaction is gone, with its locks."""
    engine = sa.create_engine(platform.database.engine.url)
    with engine.connect() as connection:
        connection.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name = 'astra-learn'"
            )
        )
    engine.dispose()


def test_a_training_under_way_when_its_town_is_erased_leaves_nothing(town: Platform, tmp_path: Path) -> None:
    folder = trained_folder(tmp_path / "out")
    town.vault.erase_tenant(TENANT)
    with pytest.raises(TenantErased):
        publisher.publish(town, folder, manifest_of(folder), recipe_hash="a" * 64)
    assert town.objects.list("models") == []
    with town.database.session() as session:
        assert session.scalars(sa.select(Adapter)).all() == []


def test_nothing_is_promoted_for_an_erased_town_even_when_it_is_erased_meanwhile(
    town: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = _publish(town, tmp_path)
    _judge(town, row)
    fetch = promoter.fetch_verified

    def erased_meanwhile(platform: Platform, tenant_id: str, adapter_id: str) -> AdapterManifest:
        manifest = fetch(platform, tenant_id, adapter_id)
        platform.vault.erase_tenant(tenant_id)
        return manifest

    monkeypatch.setattr(promoter, "fetch_verified", erased_meanwhile)
    for _ in range(2):
        with pytest.raises(TenantErased):
            promoter.promote(town, TENANT, row.adapter_id, promoted_by="test")
    assert _announced(town) is None
    assert _current(town) is None


def test_a_folder_that_changed_after_its_manifest_is_not_published(town: Platform, tmp_path: Path) -> None:
    folder = trained_folder(tmp_path / "out")
    manifest = manifest_of(folder)
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(AdapterRefused):
        publisher.publish(town, folder, manifest, recipe_hash="a" * 64)
    assert town.objects.list("models") == []


def test_a_recipe_follows_everything_that_goes_into_a_training() -> None:
    base: dict[str, Any] = {
        "dataset_hash": DATASET,
        "base_model": BASE,
        "base_revision": None,
        "hyperparameters": {"rank": 4},
        "trainer_version": "1",
    }
    changes: list[dict[str, Any]] = [
        {},
        {"dataset_hash": "e" * 64},
        {"base_model": "x"},
        {"base_revision": "x"},
        {"hyperparameters": {"rank": 8}},
        {"trainer_version": "2"},
    ]
    assert len({publisher.recipe_hash(**{**base, **change}) for change in changes}) == len(changes)


def test_an_import_is_signed_judged_and_still_not_promoted(town: Platform, tmp_path: Path) -> None:
    folder = trained_folder(tmp_path / "out")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    row = importer.import_adapter(town, TENANT, folder, dataset_hash=DATASET, base_model=BASE)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert row.manifest["hyperparameters"] == json.loads(before["metrics.json"])["hyperparameters"]
    with town.database.session() as session:
        assert verdicts.require_passed(session, TENANT, "adapter_gate", row.digest).passed
    with pytest.raises(GateRefused, match="wer_gate"):
        promoter.promote(town, TENANT, row.adapter_id, promoted_by="test")
    again = importer.import_adapter(town, TENANT, folder, dataset_hash=DATASET, base_model=BASE)
    assert again.adapter_id == row.adapter_id


def test_an_import_that_fails_its_gate_stores_nothing_but_the_verdict(town: Platform, tmp_path: Path) -> None:
    zero = {name: value * 0 if "lora_B" in name else value for name, value in tensors().items()}
    folder = trained_folder(tmp_path / "out", weights=zero)
    with pytest.raises(GateRefused, match="a no-op"):
        importer.import_adapter(town, TENANT, folder, dataset_hash=DATASET, base_model=BASE)
    assert town.objects.list("models") == []
    with town.database.session() as session:
        verdict = verdicts.latest(session, TENANT, "adapter_gate", digest_of(manifest_of(folder)))
    assert verdict is not None
    assert not verdict.passed


def test_an_import_of_something_else_says_so(town: Platform, tmp_path: Path) -> None:
    arguments = {"dataset_hash": DATASET, "base_model": BASE}
    with pytest.raises(UnknownTenant):
        importer.import_adapter(town, "nadie", tmp_path, **arguments)
    with pytest.raises(AdapterRefused):
        importer.import_adapter(town, TENANT, tmp_path / "missing", **arguments)
    folder = trained_folder(tmp_path / "out")
    (folder / "metrics.json").unlink()
    with pytest.raises(AdapterRefused, match=r"metrics\.json"):
        importer.import_adapter(town, TENANT, folder, **arguments)
    (folder / "metrics.json").write_text("{")
    with pytest.raises(AdapterRefused, match="not JSON"):
        importer.import_adapter(town, TENANT, folder, **arguments)


def test_a_run_executed_again_after_a_rollback_does_not_undo_it(town: Platform, tmp_path: Path) -> None:
    first, second = _promoted(town, tmp_path, 1), _promoted(town, tmp_path, 2)
    with town.database.session() as session:
        row = trainings.start(session, TENANT, through_seq=9, attempt=1, dagster_run_id="run-1")
        trainings.update(
            session, row.run_id, state="promoted", dataset_hash=DATASET, adapter_id=second.adapter_id,
            metrics={"golden_hash": "g" * 64},
        )  # fmt: skip
    promoter.rollback(town, TENANT, by="operator")
    assert _current(town) == first.adapter_id
    kept = promote.promote_candidate(town, Step(TENANT, "run-2"))
    assert not kept.changed
    assert (kept.adapter_id, kept.digest) == (first.adapter_id, first.digest)
    assert _current(town) == first.adapter_id
