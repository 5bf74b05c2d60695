"""Events: published when committed, in order for each tenant, at least once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy as sa

from astra_learn_assets.automation import sensors
from astra_learn_assets.platform import Platform
from astra_learn_assets.services import servers
from astra_learn_assets.store import outbox
from astra_learn_assets.store.tables import Outbox
from astra_learn_assets_tests.conftest import MakeTenant


@pytest.fixture
def tenants_made(make_tenant: MakeTenant) -> None:
    make_tenant("villaverde")
    make_tenant("otra")


@pytest.fixture
def subscriber(platform: Platform) -> Iterator[Any]:
    with platform.redis.pubsub(ignore_subscribe_messages=True) as listening:
        listening.subscribe("C")
        listening.get_message(timeout=1)
        yield listening


def _enqueue(platform: Platform, *numbers: int, tenant: str = "villaverde") -> None:
    for number in numbers:
        with platform.database.session() as session:
            outbox.enqueue(session, tenant, "C", {"n": number, "name": "Peña"})


def _received(subscriber: Any) -> list[dict[str, Any]]:
    found = []
    while (message := subscriber.get_message(timeout=0.2)) is not None:
        found.append(json.loads(message["data"]))
    return found


def _backlog(platform: Platform) -> int:
    with platform.database.session() as session:
        return outbox.backlog(session)


@pytest.mark.usefixtures("tenants_made")
def test_events_arrive_once_and_in_order(platform: Platform, subscriber: Any) -> None:
    _enqueue(platform, *range(20))
    assert outbox.relay(platform.database, platform.redis, limit=15) == 15
    assert outbox.relay(platform.database, platform.redis) == 5
    assert outbox.relay(platform.database, platform.redis) == 0
    assert [event["n"] for event in _received(subscriber)] == list(range(20))


@pytest.mark.usefixtures("tenants_made")
def test_an_event_of_a_transaction_that_failed_is_never_sent(platform: Platform, subscriber: Any) -> None:
    def fail() -> None:
        with platform.database.session() as session:
            outbox.enqueue(session, "villaverde", "C", {"n": 1})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert outbox.relay(platform.database, platform.redis) == 0
    assert _received(subscriber) == []


@pytest.mark.usefixtures("tenants_made")
def test_events_wait_while_redis_is_dead_and_come_when_it_is_back(platform: Platform, tmp_path: Path) -> None:
    folder = tmp_path / "own redis"
    server = servers.start_redis(folder, durable=False)
    client = redis.Redis(
        "127.0.0.1", server.port, password=servers.password(folder), socket_timeout=2, decode_responses=True
    )
    try:
        _enqueue(platform, 1)
        assert outbox.relay(platform.database, client) == 1
        servers.stop(server)
        _enqueue(platform, 2, 3)
        assert outbox.relay(platform.database, client) == 0
        assert _backlog(platform) == 2
        server = servers.start_redis(folder, durable=False, preferred_port=server.port)
        with client.pubsub(ignore_subscribe_messages=True) as listening:
            listening.subscribe("C")
            listening.get_message(timeout=1)
            assert outbox.relay(platform.database, client) == 2
            assert [event["n"] for event in _received(listening)] == [2, 3]
        assert _backlog(platform) == 0
    finally:
        client.close()
        servers.stop(server)


@pytest.mark.usefixtures("tenants_made")
def test_a_crash_between_publishing_and_noting_it_repeats_the_event(
    platform: Platform, subscriber: Any
) -> None:
    _enqueue(platform, 1)

    class Crashing:
        def publish(self, channel: str, message: str) -> None:
            platform.redis.publish(channel, message)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outbox.relay(platform.database, Crashing())  # type: ignore[arg-type]
    assert outbox.relay(platform.database, platform.redis) == 1
    assert [event["n"] for event in _received(subscriber)] == [1, 1]


@pytest.mark.usefixtures("tenants_made")
def test_a_refused_event_holds_back_its_own_tenant_only(platform: Platform, subscriber: Any) -> None:
    for number, tenant in ((1, "villaverde"), (2, "otra"), (3, "villaverde"), (4, "otra")):
        _enqueue(platform, number, tenant=tenant)

    class Refusing:
        def publish(self, channel: str, message: str) -> None:
            if json.loads(message)["n"] == 1:
                raise redis.exceptions.NoPermissionError
            platform.redis.publish(channel, message)

    assert outbox.relay(platform.database, Refusing()) == 2  # type: ignore[arg-type]
    assert [event["n"] for event in _received(subscriber)] == [2, 4]
    assert outbox.relay(platform.database, platform.redis) == 2
    assert [event["n"] for event in _received(subscriber)] == [1, 3]


@pytest.mark.usefixtures("tenants_made")
def test_several_relays_at_once_send_each_event_once_and_in_order(
    platform: Platform, subscriber: Any
) -> None:
    def write(tenant: str) -> None:
        _enqueue(platform, *range(30), tenant=tenant)

    def relay(_: int) -> int:
        return sum(outbox.relay(platform.database, platform.redis, limit=7) for _ in range(10))

    with ThreadPoolExecutor(6) as pool:
        for future in [*(pool.submit(write, name) for name in ("villaverde", "otra"))]:
            future.result()
        sent = sum(pool.map(relay, range(4)))
    assert sent == 60
    numbers = [event["n"] for event in _received(subscriber)]
    assert sorted(numbers) == sorted([*range(30), *range(30)])
    with platform.database.session() as session:
        rows = session.scalars(sa.select(Outbox).order_by(Outbox.published_at, Outbox.event_id)).all()
    for tenant in ("villaverde", "otra"):
        assert [row.payload["n"] for row in rows if row.tenant_id == tenant] == list(range(30))


def _publish(platform: Platform, *numbers: int, hours_ago: float) -> None:
    """Events that were published so long ago."""
    _enqueue(platform, *numbers)
    with platform.database.session() as session:
        session.execute(
            sa.update(Outbox)
            .where(Outbox.published_at.is_(None))
            .values(published_at=sa.func.now() - timedelta(hours=hours_ago))
        )


def _kept(platform: Platform) -> list[int]:
    with platform.database.session() as session:
        return [row.payload["n"] for row in session.scalars(sa.select(Outbox).order_by(Outbox.event_id))]


@pytest.mark.usefixtures("tenants_made")
def test_published_events_are_forgotten_after_a_while_and_waiting_ones_never(platform: Platform) -> None:
    _publish(platform, 1, 2, hours_ago=25)
    _publish(platform, 3, hours_ago=23)
    _enqueue(platform, 4)
    with platform.database.session() as session:
        session.execute(
            sa.update(Outbox)
            .where(Outbox.published_at.is_(None))
            .values(created_at=sa.func.now() - timedelta(days=400))
        )
        assert outbox.purge(session, timedelta(hours=24)) == 2
    assert _kept(platform) == [3, 4]
    with platform.database.session() as session:
        assert outbox.purge(session, timedelta(0)) == 1
    assert _kept(platform) == [4]


@pytest.mark.usefixtures("tenants_made")
def test_one_purge_forgets_no_more_than_it_is_told_oldest_first(platform: Platform) -> None:
    _publish(platform, 1, 2, hours_ago=30)
    _publish(platform, 3, hours_ago=40)
    with platform.database.session() as session:
        assert outbox.purge(session, timedelta(hours=24), limit=1) == 1
    assert _kept(platform) == [1, 2]


@pytest.mark.usefixtures("tenants_made")
def test_a_purge_waits_for_nobody(platform: Platform) -> None:
    _publish(platform, 1, 2, hours_ago=30)
    with platform.database.session() as other, platform.database.session() as session:
        assert outbox.purge(other, timedelta(hours=24), limit=1) == 1
        assert outbox.purge(session, timedelta(hours=24)) == 1
    assert _kept(platform) == []


@pytest.mark.usefixtures("tenants_made")
def test_the_sensor_that_relays_forgets_what_the_settings_no_longer_keep(platform: Platform) -> None:
    _publish(platform, 1, hours_ago=23)
    _publish(platform, 2, hours_ago=25)
    _enqueue(platform, 3)
    said = sensors.follow(platform, None).skip_reason
    assert said is not None
    assert "1 events published, 1 old ones forgotten" in str(said.skip_message)
    assert _kept(platform) == [1, 3]
    short = platform.settings.model_copy(update={"outbox_retention_hours": 1.0})
    with Platform.open(short) as impatient:
        sensors.follow(impatient, None)
    assert _kept(platform) == [3]


@pytest.mark.usefixtures("tenants_made")
def test_the_api_s_role_can_not_make_events_vanish(platform: Platform) -> None:
    _publish(platform, 1, hours_ago=30)
    with (
        Platform.open(platform.settings, for_api=True) as api,
        pytest.raises(sa.exc.ProgrammingError),
        api.of("villaverde").database.session() as session,
    ):
        outbox.purge(session, timedelta(0))
    assert _kept(platform) == [1]


@pytest.mark.usefixtures("tenants_made")
def test_erasure_takes_published_events_too_and_the_event_that_tells_of_it_is_forgotten_in_its_turn(
    platform: Platform,
) -> None:
    _publish(platform, 1, hours_ago=2)
    _enqueue(platform, 2)
    platform.vault.erase_tenant("villaverde")
    with platform.database.session() as session:
        (event,) = session.scalars(sa.select(Outbox)).all()
        assert "Peña" not in json.dumps(event.payload, ensure_ascii=False)
    assert outbox.relay(platform.database, platform.redis) == 1
    with platform.database.session() as session:
        assert outbox.purge(session, timedelta(0)) == 1
