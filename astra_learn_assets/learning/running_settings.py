"""Which settings the running platform has, as its parts say themselves; a shell may have others.

Who asks for the status in another terminal has that terminal's environment: ``train_threshold`` may be 500
there and 30 in the daemon that decides. So each part says in Redis, again and again, what it runs with
(:func:`say`); what has not been said for :data:`FORGOTTEN` is of a part that does not run.

Only plain values are said: no secret and no address, for a URL may hold a password. They are for people to
look at; nothing is decided by them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal, get_args

from pydantic import ValidationError
from redis.exceptions import RedisError

from astra_learn_assets.errors import Unavailable
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings

Part = Literal["learning", "api"]
"""``learning``: the code location, which decides what is trained; ``api``: what clerks talk to."""
FORGOTTEN: Final = timedelta(minutes=5)
_PLAIN = frozenset({bool, int, float, str})
_PLACES = ("_url", "_uri", "_root", "_host", "_port", "_from", "_key", "_kms", "_python")
_Values = Mapping[str, Any]


@dataclass(frozen=True)
class Differing:
    """A setting that a running ``part`` has as ``running`` and this process as ``here``."""

    part: str
    name: str
    running: Any
    here: Any


def plain(settings: Settings) -> dict[str, Any]:
    """What may be said of ``settings``."""
    fields = type(settings).model_fields
    return {
        name: getattr(settings, name)
        for name, field in fields.items()
        if not name.endswith(_PLACES)
        and {*get_args(field.annotation), field.annotation} & _PLAIN
        and name != "key"
    }


def say(platform: Platform, part: Part) -> None:
    """Say what this process runs with.

    Raises:
        Unavailable: Redis does not answer.
    """
    try:
        platform.redis.set(_key(part), json.dumps(plain(platform.settings)), ex=FORGOTTEN)
    except RedisError as error:
        raise Unavailable(f"Redis does not answer: {type(error).__name__}") from error


def heard(platform: Platform) -> dict[str, _Values]:
    """What the parts that run have said; nothing of one that said nothing that can be read.

    Raises:
        Unavailable: Redis does not answer.
    """
    try:
        said = {part: platform.redis.get(_key(part)) for part in get_args(Part)}
    except RedisError as error:
        raise Unavailable(f"Redis does not answer: {type(error).__name__}") from error
    found: dict[str, _Values] = {}
    for part, text in said.items():
        if text is not None:
            try:
                values = json.loads(text)
            except ValueError:
                continue
            if isinstance(values, dict):
                found[part] = values
    return found


def differing(settings: Settings, said: Mapping[str, _Values]) -> list[Differing]:
    """Where the running parts have other settings than ``settings``; what another version knows alone is not
    compared."""
    here = plain(settings)
    return [
        Differing(part, name, values[name], value)
        for part, values in said.items()
        for name, value in here.items()
        if name in values and values[name] != value
    ]


def as_running(settings: Settings, said: Mapping[str, _Values]) -> Settings:
    """``settings`` with what the learning has said; as they are when it has not, or says what cannot be."""
    own = {name: getattr(settings, name) for name in type(settings).model_fields}
    known = {name: value for name, value in said.get("learning", {}).items() if name in plain(settings)}
    try:
        return type(settings)(**(own | known))
    except ValidationError:
        return settings


def _key(part: str) -> str:
    return f"SETTINGS:{part}"
