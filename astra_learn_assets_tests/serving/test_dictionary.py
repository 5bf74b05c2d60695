"""CORE's dictionary is the newest one it could have heard of, whatever was lost on the way (real Redis)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import redis

from astra_learn_assets.contracts import DictionaryEntry, DictionaryUpdated
from astra_learn_assets.errors import InvalidTenantId, Unavailable
from astra_learn_assets.serving.dictionary import CHANNEL, DictionarySubscriber
from astra_learn_assets.settings import Settings


class _Table:
    """The dictionary in Postgres, as ``fetch`` sees it."""

    def __init__(self) -> None:
        self.versions: dict[str, int] = {}
        self.entries: dict[str, dict[str, str]] = {}
        self.away = False
        self.lag = 0
        self.reads = 0

    def write(self, tenant: str, wrong: str, right: str) -> DictionaryUpdated:
        self.versions[tenant] = self.versions.get(tenant, 0) + 1
        self.entries.setdefault(tenant, {})[wrong] = right
        return DictionaryUpdated(tenant_id=tenant, version=self.versions[tenant], changed=(wrong,))

    def fetch(self, tenant: str) -> tuple[int, list[DictionaryEntry]]:
        self.reads += 1
        if self.away:
            raise Unavailable("Postgres does not answer")
        if self.lag:
            self.lag -= 1
            return 0, []
        entries = [
            DictionaryEntry(
                wrong=wrong,
                right=right,
                kind="person",
                source_document="d",
                author="a",
                created_at=datetime(2026, 1, 1, tzinfo=UTC),
            )
            for wrong, right in self.entries.get(tenant, {}).items()
        ]
        return self.versions.get(tenant, 0), entries


@pytest.fixture
def client(services: Settings) -> Iterator[redis.Redis]:
    assert services.redis_url is not None
    with redis.Redis.from_url(services.redis_url, decode_responses=True) as made:
        yield made


@pytest.fixture
def table() -> _Table:
    return _Table()


def _follow(client: redis.Redis, table: _Table, **changes: object) -> DictionarySubscriber:
    arguments: dict[str, object] = {"tenants": ["villaverde"], "reconnect_seconds": 0.05, **changes}
    return DictionarySubscriber(client, fetch=table.fetch, **arguments)  # type: ignore[arg-type]


def _publish(client: redis.Redis, message: DictionaryUpdated) -> None:
    client.publish(CHANNEL, message.model_dump_json())


def test_a_change_arrives_within_a_second(client: redis.Redis, table: _Table) -> None:
    with _follow(client, table) as subscriber:
        _publish(client, table.write("villaverde", "Hortega", "Ortega"))
        assert subscriber.wait_for("villaverde", 1, timeout=1)
        assert subscriber.dictionary("villaverde").replacements == {"Hortega": "Ortega"}
        assert subscriber.dictionary("villaverde").entries[0].kind == "person"


def test_what_was_said_before_starting_is_there_after_starting(client: redis.Redis, table: _Table) -> None:
    for number in range(3):
        table.write("villaverde", f"x{number}", "y")
    with _follow(client, table) as subscriber:
        assert subscriber.dictionary("villaverde").version == 3
        assert subscriber.applied == 1


def test_a_repeated_or_late_message_is_applied_once(client: redis.Redis, table: _Table) -> None:
    first = table.write("villaverde", "a", "b")
    second = table.write("villaverde", "c", "d")
    with _follow(client, table) as subscriber:
        reads = table.reads
        for message in (first, second, second, first):
            _publish(client, message)
        third = table.write("villaverde", "e", "f")
        _publish(client, third)
        assert subscriber.wait_for("villaverde", 3, timeout=2)
        assert subscriber.applied == 2
        assert table.reads == reads + 1


def test_messages_missed_while_the_connection_was_cut_are_caught_up(
    client: redis.Redis, table: _Table
) -> None:
    with _follow(client, table) as subscriber:
        lost = table.write("villaverde", "a", "b")
        assert lost.version == 1  # never published
        client.client_kill_filter(_type="pubsub", skipme=False)
        assert subscriber.wait_for("villaverde", 1, timeout=5)
        time.sleep(0.2)
        _publish(client, table.write("villaverde", "c", "d"))
        assert subscriber.wait_for("villaverde", 2, timeout=5)


def test_a_lost_message_is_found_by_the_regular_look(client: redis.Redis, table: _Table) -> None:
    with _follow(client, table, refresh_seconds=0.3) as subscriber:
        table.write("villaverde", "a", "b")
        assert subscriber.wait_for("villaverde", 1, timeout=3)


def test_a_lagging_replica_or_an_outage_is_asked_again(client: redis.Redis, table: _Table) -> None:
    with _follow(client, table) as subscriber:
        message = table.write("villaverde", "a", "b")
        table.lag = 3
        _publish(client, message)
        assert subscriber.wait_for("villaverde", 1, timeout=5)
        table.away = True
        _publish(client, table.write("villaverde", "c", "d"))
        time.sleep(0.3)
        assert subscriber.dictionary("villaverde").replacements == {"a": "b"}
        table.away = False
        assert subscriber.wait_for("villaverde", 2, timeout=5)


def test_nonsense_and_other_tenants_are_ignored(client: redis.Redis, table: _Table) -> None:
    with _follow(client, table) as subscriber:
        for text in ("", "{}", "null", '{"tenant_id":"../x","version":1,"changed":[]}', "\x00"):
            client.publish(CHANNEL, text)
        _publish(client, table.write("otra-villa", "a", "b"))
        _publish(client, table.write("villaverde", "a", "b"))
        assert subscriber.wait_for("villaverde", 1, timeout=2)
        assert subscriber.dictionary("otra-villa").version == 0


def test_without_a_list_every_tenant_that_is_heard_of_is_followed(client: redis.Redis, table: _Table) -> None:
    with _follow(client, table, tenants=None) as subscriber:
        _publish(client, table.write("otra-villa", "a", "b"))
        assert subscriber.wait_for("otra-villa", 1, timeout=2)


def test_tracking_one_more_tenant_reads_it_at_once(client: redis.Redis, table: _Table) -> None:
    table.write("otra-villa", "a", "b")
    subscriber = _follow(client, table)
    subscriber.track("otra-villa")
    assert subscriber.dictionary("otra-villa").version == 1
    with pytest.raises(InvalidTenantId):
        subscriber.track("a/b")


def test_a_redis_that_is_away_leaves_the_dictionary_readable_and_stops_cleanly(table: _Table) -> None:
    table.write("villaverde", "a", "b")
    nowhere = redis.Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.2, decode_responses=True)
    subscriber = _follow(nowhere, table)
    assert not subscriber.start(timeout=0.3)
    assert subscriber.refresh("villaverde")
    assert subscriber.dictionary("villaverde").version == 1
    began = time.monotonic()
    subscriber.stop()
    assert time.monotonic() - began < 9


def test_bytes_clients_work_as_well(services: Settings, table: _Table) -> None:
    assert services.redis_url is not None
    with redis.Redis.from_url(services.redis_url) as raw, _follow(raw, table) as subscriber:
        _publish(raw, table.write("villaverde", "a", "b"))
        assert subscriber.wait_for("villaverde", 1, timeout=2)
