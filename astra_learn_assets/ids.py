"""Identifiers: the one place that knows what a valid tenant, session, document or key looks like.

Every path, table row, message and partition key is built from ids that went through here. Dagster
accepts partition keys such as ``""`` or ``a/b``; we do not.

A tenant id is checked once, where it enters: a :class:`TenantId` cannot be made of anything else, and
nothing below the edges (API route, command line, partition key, message, manifest, database row, CORE's call)
takes a plain string for one.
"""

from __future__ import annotations

import re
from typing import Any, Self

from pydantic_core import CoreSchema, core_schema

from astra_learn_assets.errors import InvalidId, InvalidTenantId

_TENANT_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
NAME_PATTERN = f"^{_NAME.pattern}$"
"""What :func:`name` takes, for a JSON Schema."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ADAPTER_ID = re.compile(r"(?P<tenant>[a-z0-9][a-z0-9-]{1,62})--(?P<digest>[0-9a-f]{16})")


class TenantId(str):
    """A municipality's id: ``^[a-z0-9][a-z0-9-]{1,62}$`` without ``--``. A string, wherever one is wanted.

        TenantId("villaverde")

    ``--`` is refused because it separates tenant and digest in adapter ids. As a field of a pydantic model it
    is read from a string, and what is no tenant id is a fault of that field.

    Raises:
        InvalidTenantId: naming the rule.
    """

    __slots__ = ()

    def __new__(cls, value: str) -> Self:
        if type(value) is cls:
            return value
        if not isinstance(value, str) or not _TENANT_ID.fullmatch(value) or "--" in value:
            raise InvalidTenantId(
                f"invalid tenant id {value!r:.80}: use 2 to 63 lower-case letters, digits and single "
                "hyphens, starting with a letter or digit, for example 'villaverde'"
            )
        return super().__new__(cls, value)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls._of_field, core_schema.str_schema())

    @classmethod
    def _of_field(cls, value: str) -> Self:
        try:
            return cls(value)
        except InvalidTenantId as error:
            raise ValueError(str(error)) from None  # pydantic knows no other


def name(value: str, kind: str) -> str:
    """Return ``value`` if it is a valid session, document, artifact or run id (``kind`` for the message).

    Raises:
        InvalidId: naming the rule.
    """
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise InvalidId(
            f"invalid {kind} {value!r:.80}: use 1 to 80 letters, digits, '_' and '-', "
            "starting with a letter or digit"
        )
    return value


def digest(value: str, kind: str) -> str:
    """Return ``value`` if it is a lower-case hexadecimal SHA-256 digest.

    Raises:
        InvalidId: naming the rule.
    """
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise InvalidId(f"invalid {kind} {value!r:.80}: expected 64 lower-case hexadecimal digits")
    return value


def version(value: int) -> int:
    """Return ``value`` if it is a draft version, 1 to 999.

    Raises:
        InvalidId: naming the rule.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 999:
        raise InvalidId(f"invalid version {value!r:.20}: expected a whole number from 1 to 999")
    return value


def adapter_id(tenant: TenantId, content_digest: str) -> str:
    """The id of an adapter: ``{tenant}--{first 16 digits of its content digest}``."""
    return f"{tenant}--{digest(content_digest, 'adapter digest')[:16]}"


def tenant_of_adapter(value: str) -> TenantId:
    """The tenant an adapter id belongs to.

    Raises:
        InvalidId: when ``value`` is not an adapter id.
    """
    match = _ADAPTER_ID.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise InvalidId(f"invalid adapter id {value!r:.100}: expected '{{tenant}}--{{16 hex digits}}'")
    return TenantId(match["tenant"])
