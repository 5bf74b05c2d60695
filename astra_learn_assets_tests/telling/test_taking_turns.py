"""A host that cannot be reached, or is slow, costs the others nothing; nor does one who is told too much."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from astra_learn_assets import bounded
from astra_learn_assets.errors import NotReached
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning.telling import delivery, destination, mail
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import subscriptions
from astra_learn_assets.store.learning_tables import Subscription
from astra_learn_assets.store.subscriptions import PAUSES
from astra_learn_assets.store.tables import Outbox
from astra_learn_assets_tests.conftest import MakeTenant
from astra_learn_assets_tests.telling.receivers import Webhooks, dripping, webhooks

TOWNS = [TenantId(f"villa-{number}") for number in range(4)]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    update = {"notify_private_addresses": True, "smtp_from": "astra@proveedor.example"}
    return settings.model_copy(update=update)


@pytest.fixture
def receiver() -> Iterator[Webhooks]:
    with webhooks() as kept:
        yield kept


def _tell(platform: Platform, tenant: TenantId, times: int = 1) -> None:
    with platform.database.session() as session:
        for _ in range(times):
            subscriptions.tell(session, tenant, "promotion", {})


def _attempts(platform: Platform) -> list[int]:
    with platform.database.session() as session:
        waiting = sa.select(Outbox.attempts).where(
            Outbox.subscription_id.is_not(None), Outbox.published_at.is_(None)
        )
        return sorted(session.scalars(waiting))


def test_a_dead_mail_server_is_asked_once_a_call_and_costs_the_other_municipalities_no_attempt(
    platform: Platform, make_tenant: MakeTenant, receiver: Webhooks
) -> None:
    platform.settings = platform.settings.model_copy(
        update={"smtp_url": SecretStr("smtp+plain://127.0.0.1:9")}
    )
    for town in TOWNS:
        make_tenant(town)
        delivery.subscribe(platform, town, email="secretaria@villa.example", actor="test")
        _tell(platform, town)
    delivery.subscribe(platform, TOWNS[0], url=receiver.url, actor="test")
    _tell(platform, TOWNS[0])
    now = datetime.now(UTC)
    assert delivery.deliver(platform, now=now) == delivery.Delivered(sent=1, waiting=1)
    assert _attempts(platform) == [0, 0, 0, 0, 1]
    assert delivery.deliver(platform, now=now + timedelta(seconds=50)) == delivery.Delivered()
    later = now + PAUSES[0] + timedelta(seconds=1)
    assert delivery.deliver(platform, now=later) == delivery.Delivered(waiting=1)


def test_a_mail_server_that_drips_is_waited_for_once_and_not_for_ever(
    platform: Platform, make_tenant: MakeTenant, receiver: Webhooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "WHOLE_SECONDS", 1.0)
    with dripping() as port:
        platform.settings = platform.settings.model_copy(
            update={"smtp_url": SecretStr(f"smtp+plain://127.0.0.1:{port}")}
        )
        for town in TOWNS:
            make_tenant(town)
            delivery.subscribe(platform, town, email="secretaria@villa.example", actor="test")
            _tell(platform, town)
        delivery.subscribe(platform, TOWNS[0], url=receiver.url, actor="test")
        _tell(platform, TOWNS[0])
        began = time.monotonic()
        assert delivery.deliver(platform) == delivery.Delivered(sent=1, waiting=1)
        assert time.monotonic() - began < 6
        with platform.database.session() as session:
            said = {row.error for row in session.scalars(sa.select(Subscription)) if row.error}
        assert said == {"the mail server does not answer: TimeoutError"}


def test_a_webhook_host_that_is_away_is_asked_once_whatever_its_paths_and_municipalities(
    platform: Platform, make_tenant: MakeTenant, receiver: Webhooks
) -> None:
    for number, town in enumerate(TOWNS):
        make_tenant(town)
        delivery.subscribe(platform, town, url=f"http://LOCALHOST:9/{number}?x=//h", actor="test")
        delivery.subscribe(platform, town, url=f"http://localhost:9?n={number}", actor="test")
        delivery.subscribe(platform, town, url=f"{receiver.url}&n={number}", actor="test")
        _tell(platform, town)
    assert delivery.deliver(platform) == delivery.Delivered(sent=4, waiting=1)
    assert _attempts(platform) == [0] * 7 + [1]


def test_a_host_that_refuses_is_no_host_that_is_away(
    platform: Platform, make_tenant: MakeTenant, receiver: Webhooks
) -> None:
    """One municipality's wrong path must not silence another that uses the same service."""
    receiver.answers = [404]
    for number, town in enumerate(TOWNS[:2]):
        make_tenant(town)
        delivery.subscribe(platform, town, url=f"{receiver.url}&n={number}", actor="test")
        _tell(platform, town)
    assert delivery.deliver(platform) == delivery.Delivered(sent=1, waiting=1)


def test_a_slow_host_gets_one_notice_a_call(
    platform: Platform, make_tenant: MakeTenant, receiver: Webhooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "SLOW_SECONDS", 0.0)
    with webhooks() as other:
        for number, town in enumerate(TOWNS):
            make_tenant(town)
            delivery.subscribe(platform, town, url=f"{receiver.url}&n={number}", actor="test")
            _tell(platform, town)
        delivery.subscribe(platform, TOWNS[0], url=other.url, actor="test")
        _tell(platform, TOWNS[0])
        assert delivery.deliver(platform) == delivery.Delivered(sent=2)
    assert _attempts(platform) == [0] * 4, "passed over is no attempt"
    assert delivery.deliver(platform) == delivery.Delivered(sent=1)


def test_a_subscription_gets_so_many_notices_a_call_and_the_others_theirs(
    platform: Platform, make_tenant: MakeTenant, receiver: Webhooks
) -> None:
    for number, town in enumerate(TOWNS[:2]):
        make_tenant(town)
        delivery.subscribe(platform, town, url=f"{receiver.url}&n={number}", actor="test")
    _tell(platform, TOWNS[0], delivery.AT_ONCE + 3)
    _tell(platform, TOWNS[1])
    assert delivery.deliver(platform) == delivery.Delivered(sent=delivery.AT_ONCE + 1)
    assert delivery.deliver(platform) == delivery.Delivered(sent=3)


def test_a_resolver_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(*_: Any, **__: Any) -> list[Any]:
        time.sleep(5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    monkeypatch.setattr(destination, "_RESOLVE_SECONDS", 0.2)
    began = time.monotonic()
    with pytest.raises(NotReached, match="does not resolve: TimeoutError"):
        destination.resolve("https://avisos.example/", private=False)
    assert time.monotonic() - began < 2


def test_what_a_bounded_call_raises_or_returns_is_the_callers() -> None:
    assert bounded.within(5, int, "17") == 17
    with pytest.raises(ValueError, match="invalid literal"):
        bounded.within(5, int, "x")
    with pytest.raises(TimeoutError):
        bounded.within(0.05, time.sleep, 1)
