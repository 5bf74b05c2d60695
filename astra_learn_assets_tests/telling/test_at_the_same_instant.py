"""A subscription removed while something is told of; ids of notices after a database was restored."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning.telling import delivery
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import subscriptions
from astra_learn_assets.store.tables import Outbox
from astra_learn_assets_tests.conftest import MakeTenant
from astra_learn_assets_tests.telling.receivers import Webhooks, webhooks

TENANT = TenantId("villaverde")
_WAITS = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"notify_private_addresses": True})


@pytest.fixture
def receiver() -> Iterator[Webhooks]:
    with webhooks() as kept:
        yield kept


@pytest.fixture
def subscribed(platform: Platform, make_tenant: MakeTenant, receiver: Webhooks) -> str:
    make_tenant()
    return delivery.subscribe(platform, TENANT, url=receiver.url, actor="test").subscription_id


def _tell(platform: Platform, event: str = "promotion") -> None:
    with platform.database.session() as session:
        subscriptions.tell(session, TENANT, event, {})


class _Beside(threading.Thread):
    """A call in a thread of its own; what it raised is raised by :meth:`done`."""

    def __init__(self, call: object, *args: object, **named: object) -> None:
        super().__init__(daemon=True)
        self._work = (call, args, named)
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        call, args, named = self._work
        try:
            call(*args, **named)  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001 - raised again in the test's thread
            self._error = error

    def done(self) -> None:
        self.join(20)
        assert not self.is_alive()
        if self._error is not None:
            raise self._error


def _until_one_waits(platform: Platform) -> None:
    deadline = time.monotonic() + 10
    while True:
        with platform.database.session() as session:
            if session.scalar(sa.text(_WAITS)):
                return
        assert time.monotonic() < deadline, "nobody waits for a lock"
        time.sleep(0.02)


def test_a_subscription_removed_during_a_promotion_waits_for_it(platform: Platform, subscribed: str) -> None:
    with platform.database.session() as session:
        assert subscriptions.tell(session, TENANT, "promotion", {}) == 1
        removing = _Beside(delivery.unsubscribe, platform, TENANT, subscribed, actor="test")
        _until_one_waits(platform)
    removing.done()
    with platform.database.session() as session:
        assert subscriptions.listing(session, TENANT) == []
        assert session.scalars(sa.select(Outbox)).all() == [], "what waited for it has gone with it"


def test_a_promotion_during_a_removal_is_told_to_nobody_and_does_not_fail(
    platform: Platform, subscribed: str
) -> None:
    with platform.database.session() as session:
        subscriptions.remove(session, TENANT, subscribed)
        telling = _Beside(_tell, platform)
        _until_one_waits(platform)
    telling.done()
    with platform.database.session() as session:
        assert session.scalars(sa.select(Outbox)).all() == []


def test_a_delivery_noted_during_a_removal_waits_and_locks_nobody_out(
    platform: Platform, subscribed: str
) -> None:
    """Both lock the subscription before its notices; the other way round one of them would be ended."""
    _tell(platform)
    now = datetime.now(UTC)
    with platform.database.session() as session:
        notice = subscriptions.claim(session, now)
    assert notice is not None
    with platform.database.session() as session:
        subscriptions.delivered(session, notice)
        removing = _Beside(delivery.unsubscribe, platform, TENANT, subscribed, actor="test")
        _until_one_waits(platform)
        subscriptions.failed(session, notice, "late", now)  # touches both again
    removing.done()
    with platform.database.session() as session:
        assert session.scalars(sa.select(Outbox)).all() == []


def test_ids_of_notices_are_not_given_again_by_a_database_restored_from_a_backup(
    platform: Platform, subscribed: str, receiver: Webhooks
) -> None:
    _tell(platform)
    delivery.deliver(platform)
    with platform.database.session() as session:  # as the backup was: before that notice
        session.execute(sa.delete(Outbox))
        session.execute(sa.text("ALTER TABLE outbox ALTER COLUMN event_id RESTART WITH 1"))
    _tell(platform)
    with platform.database.session() as session:
        assert session.scalars(sa.select(Outbox.event_id)).all() == [1]
    delivery.deliver(platform)
    first, second = (headers["Astra-Notice"] for _, headers, _ in receiver.requests)
    assert first != second


def test_a_notice_that_counts_one_document_more_is_another_one(platform: Platform, subscribed: str) -> None:
    """A backup from between the two is restored: its receiver has had the one with both already."""
    ids = []
    for _ in range(2):
        _tell(platform, "quarantine")
        with platform.database.session() as session:
            (row,) = session.scalars(sa.select(Outbox)).all()
            ids.append(row.notice_id)
    assert row.payload == {"documents": 2}
    assert ids[0] != ids[1]
