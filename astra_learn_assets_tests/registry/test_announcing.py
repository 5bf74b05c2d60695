"""What is told of the adapter in service, and what is believed of what lies there already.

Promotions are written straight into the table: which of them a gate would have let through is asked in
``test_promoter.py``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy as sa
from structlog.testing import capture_logs

from astra_learn_assets.contracts import NewModelAvailable
from astra_learn_assets.errors import SealBroken, Unavailable, UnknownTenant
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import announcing, publisher
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry import keys, seals
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import canaries, paths, promotions
from astra_learn_assets.store.tables import Adapter, Promotion
from astra_learn_assets_tests.registry.builders import BASE, manifest_of, trained_folder

TENANT, OTHER = TenantId("villaverde"), TenantId("otra-villa")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"mlflow_tracking_uri": None})


def _stored(platform: Platform, where: Path, seed: int = 1, tenant: TenantId = TENANT) -> Adapter:
    folder = trained_folder(where / f"{tenant}-{seed}", seed=seed)
    return publisher.publish(platform, folder, manifest_of(folder, tenant), recipe_hash=f"{seed:064x}")


def _serve(platform: Platform, row: Adapter, *, share: float | None = None, stable: str | None = None) -> int:
    with platform.database.session() as session:
        promotion = promotions.add(
            session, TenantId(row.tenant_id), adapter_id=row.adapter_id, kind="promotion",
            promoted_by="test", mlflow_version=None,
        )  # fmt: skip
        if share is not None:
            canaries.begin(session, promotion, share=share, stable=stable)
        return promotion.promotion_id


def _shown(platform: Platform, tenant: TenantId = TENANT) -> NewModelAvailable | None:
    value = platform.redis.get(announcing.redis_key(tenant))
    return None if value is None else NewModelAvailable.model_validate_json(str(value))


def _record(platform: Platform, tenant: TenantId = TENANT) -> bytes | None:
    key = paths.promotion_record(tenant)
    return platform.objects.get(key) if platform.objects.exists(key) else None


def _signed(platform: Platform, **changes: Any) -> NewModelAvailable:
    said = NewModelAvailable.nothing(TENANT, datetime.now(UTC)).model_copy(update=changes)
    signature = seals.seal(keys.signing_key(platform.settings), "promotion", said.content())
    return said.model_copy(update={"signature": signature})


def _put(platform: Platform, said: NewModelAvailable | bytes) -> None:
    data = said if isinstance(said, bytes) else said.model_dump_json().encode()
    platform.objects.put(paths.promotion_record(TENANT), data, overwrite=True)


def test_the_announcement_of_an_adapter_is_signed_and_says_all_of_it(town: Platform, tmp_path: Path) -> None:
    row = _stored(town, tmp_path)
    number = _serve(town, row)
    text = announcing.announcement(town, TENANT)
    assert text is not None
    said = NewModelAvailable.model_validate_json(text)
    with town.database.session() as session:
        since = session.get_one(Promotion, number).created_at
    assert said.model_dump(exclude={"signature"}) == {
        "tenant_id": TENANT, "adapter_id": row.adapter_id, "sha256": row.digest, "base_model": BASE,
        "promoted_at": since, "forget": (), "canary": None,
    }  # fmt: skip
    seals.check(keys.verify_key(town.settings), "promotion", said.content(), said.signature)


def test_of_a_town_that_never_had_an_adapter_nothing_is_said_and_nothing_kept(town: Platform) -> None:
    assert announcing.announcement(town, TENANT) is None
    assert announcing.announce(town, TENANT) is False
    assert (_shown(town), _record(town)) == (None, None)
    town.redis.set(announcing.redis_key(TENANT), "nonsense")
    assert announcing.announce(town, TENANT) is True
    assert (_shown(town), _record(town)) == (None, None)


def test_the_base_model_in_service_is_said_with_the_time_since_when(town: Platform, tmp_path: Path) -> None:
    _serve(town, _stored(town, tmp_path))
    with town.database.session() as session:
        since = promotions.add_base(session, TENANT, promoted_by="test").created_at
    announcing.announce(town, TENANT)
    said = _shown(town)
    assert said is not None
    assert (said.adapter_id, said.sha256, said.base_model, said.promoted_at) == ("", "", "", since)


def test_an_erased_town_is_told_off_for_ever_and_gets_no_record_back(town: Platform, tmp_path: Path) -> None:
    row = _stored(town, tmp_path)
    _serve(town, row)
    announcing.announce(town, TENANT)
    town.vault.erase_tenant(TENANT)
    town.objects.delete(paths.promotion_record(TENANT))
    assert announcing.republish(town) == 1
    said = _shown(town)
    assert said is not None
    assert said.adapter_id == ""
    assert said.promoted_at == announcing.FOREVER > datetime.now(UTC)
    assert _record(town) is None
    assert announcing.announce(town, TENANT) is False


def test_a_town_nobody_knows_has_no_announcement(town: Platform) -> None:
    with pytest.raises(UnknownTenant):
        announcing.announcement(town, TenantId("nadie"))


def test_what_is_on_trial_is_announced_with_its_share_and_what_the_others_keep(
    town: Platform, tmp_path: Path
) -> None:
    first, second = _stored(town, tmp_path, 1), _stored(town, tmp_path, 2)
    _serve(town, first)
    _serve(town, second, share=0.25, stable=first.adapter_id)
    announcing.announce(town, TENANT)
    said = _shown(town)
    assert said is not None
    assert said.canary is not None
    kept = (said.canary.share, said.canary.stable_adapter_id, said.canary.stable_sha256)
    assert kept == (0.25, first.adapter_id, first.digest)
    assert said.forget == ()


def test_beside_the_base_model_a_trial_names_no_other_adapter(town: Platform, tmp_path: Path) -> None:
    _serve(town, _stored(town, tmp_path), share=0.5)
    text = announcing.announcement(town, TENANT)
    assert text is not None
    canary = NewModelAvailable.model_validate_json(text).canary
    assert canary is not None
    assert (canary.share, canary.stable_adapter_id, canary.stable_sha256) == (0.5, "", "")


def test_what_is_to_be_forgotten_is_named_and_serves_no_share(town: Platform, tmp_path: Path) -> None:
    first, second = _stored(town, tmp_path, 1), _stored(town, tmp_path, 2)
    _serve(town, first)
    _serve(town, second, share=0.25, stable=first.adapter_id)
    with town.database.session() as session:
        served = promotions.served(session, TENANT)[TENANT]
    forgetting = promotions.Served(**{**vars(served), "forgotten": (first.adapter_id,)})
    assert announcing.republish(town, {TENANT: forgetting}) == 1, "it is not what the table says"
    text = announcing._told(town, forgetting)
    assert text is not None
    said = NewModelAvailable.model_validate_json(text)
    assert said.forget == (first.adapter_id,)
    assert said.canary is not None
    assert (said.canary.stable_adapter_id, said.canary.stable_sha256) == ("", "")
    seals.check(keys.verify_key(town.settings), "promotion", said.content(), said.signature)


def test_announcing_again_changes_nothing_and_publishes_nothing(town: Platform, tmp_path: Path) -> None:
    _serve(town, _stored(town, tmp_path))
    with town.redis.pubsub(ignore_subscribe_messages=True) as heard:
        heard.subscribe(announcing.redis_key(TENANT))
        heard.get_message(timeout=1)
        assert announcing.announce(town, TENANT) is True
        told = heard.get_message(timeout=5)
        assert told is not None
        assert told["data"] == town.redis.get(announcing.redis_key(TENANT))
        with capture_logs() as logs:
            assert announcing.announce(town, TENANT) is False
        assert heard.get_message(timeout=0.3) is None
        assert logs == [], "a record as old as the table is not newer"


def test_the_record_beside_the_adapters_says_what_redis_says_and_comes_back_alone(
    town: Platform, tmp_path: Path
) -> None:
    _serve(town, _stored(town, tmp_path))
    announcing.announce(town, TENANT)
    said = town.redis.get(announcing.redis_key(TENANT))
    assert _record(town) == str(said).encode()
    assert announcing.recorded(town, TENANT) == _shown(town)
    town.objects.delete(paths.promotion_record(TENANT))
    assert announcing.announce(town, TENANT) is True, "the record was gone, though Redis was right"
    assert _record(town) == str(said).encode()


def test_what_serves_is_told_as_it_is_after_the_last_look_and_not_as_it_was_before(
    town: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A promotion that commits while the one before it is being announced."""
    first, second = _stored(town, tmp_path, 1), _stored(town, tmp_path, 2)
    _serve(town, first)
    real, asked = announcing.announcement, [0]

    def overtaken(platform: Platform, tenant_id: TenantId) -> str | None:
        asked[0] += 1
        if asked[0] == 2:
            _serve(town, second)
        return real(platform, tenant_id)

    monkeypatch.setattr(announcing, "announcement", overtaken)
    assert announcing.announce(town, TENANT) is True
    said, kept = _shown(town), announcing.recorded(town, TENANT)
    assert said is not None
    assert said.adapter_id == second.adapter_id
    assert kept == said


def test_only_what_was_asked_for_is_set_right_and_nothing_is_asked_twice(
    town: Platform, tmp_path: Path
) -> None:
    _serve(town, _stored(town, tmp_path))
    _serve(town, _stored(town, tmp_path, 2, OTHER))
    with town.database.session() as session:
        served = promotions.served(session)
    assert announcing.everybody(town, served) is served
    assert announcing.republish(town, {TENANT: served[TENANT]}) == 1
    assert _shown(town) is not None
    assert _shown(town, OTHER) is None
    assert announcing.republish(town) == 1
    assert _shown(town, OTHER) is not None
    assert announcing.republish(town) == 0


def test_what_is_right_is_not_looked_at_by_itself(
    town: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand municipalities are one question each to Postgres and Redis, at every tick."""
    for seed, tenant in ((1, TENANT), (2, OTHER)):
        _serve(town, _stored(town, tmp_path, seed, tenant))
    assert announcing.republish(town) == 2
    town.redis.delete(announcing.redis_key(OTHER))
    looked: list[TenantId] = []

    def announce(_platform: Platform, tenant_id: TenantId) -> bool:
        looked.append(tenant_id)
        return True

    monkeypatch.setattr(announcing, "announce", announce)
    assert announcing.republish(town) == 1
    assert looked == [OTHER]


def test_nobody_to_tell_of_asks_redis_nothing(town: Platform) -> None:
    town.redis = redis.Redis(host="127.0.0.1", port=1, retry=None, decode_responses=True)
    assert announcing.republish(town, {}) == 0


def test_a_redis_that_is_away_is_named_with_what_happened(town: Platform, tmp_path: Path) -> None:
    _serve(town, _stored(town, tmp_path))
    town.redis = redis.Redis(host="127.0.0.1", port=1, retry=None, decode_responses=True)
    with pytest.raises(Unavailable, match=r"^Redis does not answer: ConnectionError$"):
        announcing.republish(town)


def test_a_newer_record_of_ours_is_never_covered_by_an_older_table(town: Platform, tmp_path: Path) -> None:
    """A database restored from before a promotion: the record proves that there was one."""
    first, second = _stored(town, tmp_path, 1), _stored(town, tmp_path, 2)
    _serve(town, first)
    lost = _serve(town, second)
    announcing.announce(town, TENANT)
    newer = _record(town)
    with town.database.session() as session:
        session.execute(sa.text("SET LOCAL session_replication_role = replica"))  # the table is append-only
        session.execute(sa.delete(Promotion).where(Promotion.promotion_id == lost))
    town.redis.delete(announcing.redis_key(TENANT))
    with capture_logs() as logs:
        assert announcing.announce(town, TENANT) is False
    assert [(line["event"], line["tenant_id"], line["log_level"]) for line in logs] == [
        ("the stored promotion record is newer than the table: verify", TENANT, "error")
    ]
    assert _record(town) == newer
    assert _shown(town) is None, "nothing is told that is known to be old"


def test_a_record_of_a_town_whose_table_says_nothing_is_newer_too(town: Platform) -> None:
    _put(town, _signed(town))
    assert announcing.announce(town, TENANT) is False


def test_an_older_record_of_ours_is_replaced(town: Platform, tmp_path: Path) -> None:
    _put(town, _signed(town, promoted_at=datetime.now(UTC) - timedelta(days=1)))
    row = _stored(town, tmp_path)
    _serve(town, row)
    assert announcing.announce(town, TENANT) is True
    kept = announcing.recorded(town, TENANT)
    assert kept is not None
    assert kept.adapter_id == row.adapter_id


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("nonsense", r"^the promotion record cannot be read$"),
        ("unsigned", r"signature|signed|sealed"),
        ("another's", r"^the promotion record is another municipality's$"),
        ("changed", r"signature|signed|sealed"),
    ],
)
def test_a_record_that_is_not_ours_is_not_believed_and_set_right(
    town: Platform, tmp_path: Path, what: str, sentence: str
) -> None:
    ours = _signed(town, promoted_at=datetime.now(UTC) + timedelta(days=1))
    planted: dict[str, NewModelAvailable | bytes] = {
        "nonsense": b"{",
        "unsigned": ours.model_copy(update={"signature": None}),
        "another's": _signed(town, tenant_id=OTHER, promoted_at=ours.promoted_at),
        "changed": ours.model_copy(update={"adapter_id": f"{TENANT}--0123456789abcdef"}),
    }
    _put(town, planted[what])
    with pytest.raises(SealBroken, match=sentence):
        announcing.recorded(town, TENANT)
    row = _stored(town, tmp_path)
    _serve(town, row)
    assert announcing.announce(town, TENANT) is True, "however new it says it is"
    kept = announcing.recorded(town, TENANT)
    assert kept is not None
    assert kept.adapter_id == row.adapter_id


def test_where_no_record_is_none_is_told(town: Platform) -> None:
    assert announcing.recorded(town, TENANT) is None
