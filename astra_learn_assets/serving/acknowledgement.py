"""CORE says which adapter it has loaded, so that a promotion is known to have arrived.

    say(redis, "villaverde", adapter_id, core_id="core-1")      # in CORE
    heard(redis, "villaverde")                                  # on the platform

One Redis hash a tenant, ``ADAPTER_SERVED:{tenant}``, a field a CORE. It is a word for people and alerts:
nothing is served or withdrawn because of it, so it is not signed, and a Redis that is away costs no session.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from redis.exceptions import RedisError

from astra_learn_assets.errors import BadInput, Unavailable
from astra_learn_assets.ids import TenantId

_CORE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_FORGOTTEN_SECONDS = 30 * 24 * 3600


class Acknowledgement(BaseModel):
    """``core_id`` has ``adapter_id`` loaded since ``served_at``."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    core_id: str
    adapter_id: str
    served_at: datetime


def key(tenant_id: TenantId) -> str:
    """``ADAPTER_SERVED:{tenant_id}``"""
    return f"ADAPTER_SERVED:{tenant_id}"


def say(redis: Any, tenant_id: TenantId, adapter_id: str, *, core_id: str) -> None:
    """Note it; nothing when Redis is away.

    Raises:
        BadInput: ``core_id`` is no name.
    """
    if not _CORE_ID.fullmatch(core_id):
        raise BadInput(f"invalid CORE id {core_id!r:.90}: use letters, digits, '.', '_' and '-'")
    said = Acknowledgement(core_id=core_id, adapter_id=adapter_id, served_at=datetime.now(UTC))
    with suppress(RedisError):
        redis.hset(key(tenant_id), core_id, said.model_dump_json())
        redis.expire(key(tenant_id), _FORGOTTEN_SECONDS)


def heard(redis: Any, tenant_id: TenantId) -> list[Acknowledgement]:
    """What every CORE said last of a tenant, newest first; what cannot be read is passed over.

    Raises:
        Unavailable: Redis does not answer.
    """
    try:
        values = redis.hgetall(key(tenant_id)).values()
    except RedisError as error:
        raise Unavailable(f"Redis does not answer: {type(error).__name__}") from error
    found = []
    for value in values:
        with suppress(ValidationError):
            found.append(Acknowledgement.model_validate_json(value))
    return sorted(found, key=lambda one: one.served_at, reverse=True)
