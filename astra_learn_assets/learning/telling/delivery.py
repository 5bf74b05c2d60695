"""Send the notices that are due. A sensor calls :func:`deliver`; nothing that a clerk waits for does.

No transaction is open while something is sent: a notice is claimed, sent, and what became of it written down.

One call asks everybody in turn, so nobody may have more of it than his share: a host that cannot be reached
is asked once and all that waits for it put off; one that took longer than ``SLOW_SECONDS`` is asked again at
the next call; a subscription gets ``AT_ONCE`` notices a call.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy import orm

from astra_learn_assets.errors import AstraError, BadInput, NotReached, Unavailable
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning.telling import destination, mail, message, webhook
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import audit, erasure, subscriptions
from astra_learn_assets.store.learning_tables import Subscription
from astra_learn_assets.store.subscriptions import Notice

_LOG = structlog.get_logger(__name__)
_SECRET_BYTES = 32
AT_ONCE = 10
SLOW_SECONDS = 3.0


@dataclass(frozen=True)
class Delivered:
    """How many notices were sent, will be tried again, were given up."""

    sent: int = 0
    waiting: int = 0
    given_up: int = 0


@dataclass(frozen=True)
class Subscribed:
    """A new subscription; ``secret`` is shown once and can be read nowhere afterwards."""

    subscription_id: str
    secret: str | None


def subscribe(
    platform: Platform,
    tenant_id: TenantId,
    *,
    url: str | None = None,
    email: str | None = None,
    events: Sequence[str] = subscriptions.EVENTS,
    actor: str,
) -> Subscribed:
    """Have ``url`` or ``email`` told of ``events``; exactly one of the two.

    Raises:
        BadInput: an address that nothing may be sent to, or an unknown event.
        BadConfiguration: e-mail without a server to send it.
        AlreadyExists, UnknownTenant, TenantErased.
    """
    if (url is None) == (email is None):
        raise BadInput("name a webhook or an e-mail address, one of the two")
    subscription_id, secret, sealed = subscriptions.new_id(), None, None
    if url is not None:
        try:
            destination.resolve(url, private=platform.settings.notify_private_addresses)
        except Unavailable as error:
            raise BadInput(str(error)) from None
    else:
        mail.server(platform.settings)
        mail.address(email or "")
    with platform.database.session() as session:
        erasure.hold_open(session, tenant_id)
        if url is not None:
            secret = f"whsec_{secrets.token_hex(_SECRET_BYTES)}"
            sealed = platform.vault.seal_value(tenant_id, _name(subscription_id), secret.encode())
        row = subscriptions.add(
            session,
            tenant_id,
            kind="email" if url is None else "webhook",
            address=url or email or "",
            events=list(events),
            subscription_id=subscription_id,
            sealed_secret=sealed,
        )
        _audit(session, row, actor, "subscription.add")
    return Subscribed(subscription_id, secret)


def unsubscribe(platform: Platform, tenant_id: TenantId, subscription_id: str, *, actor: str) -> None:
    """End a subscription.

    Raises:
        NotFound: there is none of this id.
    """
    with platform.database.session() as session:
        row = subscriptions.remove(session, tenant_id, subscription_id)
        _audit(session, row, actor, "subscription.remove")


def deliver(platform: Platform, *, now: datetime | None = None, seconds: float = 20.0) -> Delivered:
    """Send what is due, for ``seconds`` at most; the rest is due at the next call.

    Raises:
        Unavailable: Postgres does not answer. A receiver that does not is written down.
    """
    deadline = time.monotonic() + seconds
    sent = waits = given_up = 0
    had: Counter[str] = Counter()
    slow: set[str] = set()
    while time.monotonic() < deadline:
        moment = now or datetime.now(UTC)
        with platform.database.session() as session:
            full = {one for one, count in had.items() if count >= AT_ONCE}
            notice = subscriptions.claim(session, moment, not_hosts=slow, not_subscriptions=full)
        if notice is None:
            break
        had[notice.subscription_id] += 1
        began = time.monotonic()
        error = _try(platform, notice)
        reached = not isinstance(error, NotReached)
        if not reached or time.monotonic() - began > SLOW_SECONDS:
            slow.add(notice.host)
        with platform.database.session() as session:
            if error is None:
                subscriptions.delivered(session, notice)
                sent += 1
            elif ended := subscriptions.failed(session, notice, str(error), moment):
                given_up += ended
            else:
                waits += 1
            if not reached:
                subscriptions.put_off(session, notice.host, moment)
        if error is not None:
            _LOG.warning(
                "a notice was not delivered",
                tenant_id=notice.tenant_id,
                subscription_id=notice.subscription_id,
                attempt=notice.attempt,
                error=str(error),
            )
    return Delivered(sent, waits, given_up)


def _try(platform: Platform, notice: Notice) -> AstraError | None:
    """Send one notice; why it was not delivered, or None."""
    settings = platform.settings
    try:
        said = message.of_notice(notice, api_url=settings.api_url)
        if notice.kind == "email":
            mail.send(said, to=notice.address, through=mail.server(settings))
        else:
            name = _name(notice.subscription_id)
            secret = platform.vault.open_value(notice.tenant_id, name, notice.sealed_secret or b"")
            webhook.send(
                notice.address, said.to_json(), secret=secret, private=settings.notify_private_addresses
            )
    except AstraError as error:
        return error
    except (OSError, ValueError, KeyError, TypeError) as error:
        # what one notice, address or setting makes a library stumble over waits like any failure: left to
        # rise it would end this call at the same notice again and again, and all others behind it
        return BadInput(f"the notice cannot be sent: {type(error).__name__}")
    return None


def _name(subscription_id: str) -> str:
    return f"subscriptions/{subscription_id}"


def _audit(session: orm.Session, row: Subscription, actor: str, action: str) -> None:
    audit.record(
        session,
        tenant_id=row.tenant_id,
        actor=actor,
        action=action,
        target=row.subscription_id,
        outcome="done",
        request_id=None,
    )
