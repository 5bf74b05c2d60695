"""Where a page ends, as the text a caller hands back: opaque to him, checked by us.

    cursor = encode("newest", "2026-11-30T10:00:00+00:00", "villaverde-40-1")
    decode(cursor, "newest", 2)      # ["2026-11-30T10:00:00+00:00", "villaverde-40-1"]

It names the sorting it belongs to: one of another sorting would skip rows or show them twice. It grants
nothing; what it leads to is asked for under the caller's own rights.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime

from astra_learn_assets.errors import BadInput
from astra_learn_assets.hotpath.wording import told

LONGEST = 2_000
"""Of a cursor in a request: a key of the dictionary has up to 200 characters."""


def encode(kind: str, *values: str) -> str:
    """The cursor of a page's last row."""
    return base64.urlsafe_b64encode(json.dumps([kind, *values]).encode()).decode().rstrip("=")


def decode(cursor: str, kind: str, number: int) -> list[str]:
    """The ``number`` values of a cursor of ``kind``.

    Raises:
        BadInput: not one of ours, or of another listing or sorting.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise _wrong() from error
    if not isinstance(found, list) or len(found) != number + 1 or found[0] != kind:
        raise _wrong()
    if not all(isinstance(value, str) and _is_storable(value) for value in found):
        raise _wrong()
    return found[1:]


def moment(value: str) -> datetime:
    """A time of a cursor.

    Raises:
        BadInput: it is none, or has no zone.
    """
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise _wrong() from error
    if found.tzinfo is None:
        raise _wrong()
    return found


def number(value: str) -> float:
    """A number of a cursor, as Postgres can hold it.

    Raises:
        BadInput: it is none.
    """
    try:
        found = float(value)
    except ValueError as error:
        raise _wrong() from error
    if not -1e15 < found < 1e15:
        raise _wrong()
    return found


def _is_storable(value: str) -> bool:
    """Whether Postgres can compare with it."""
    return "\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value)


def _wrong() -> BadInput:
    return told(BadInput("'cursor' no es de esta lista: empiece de nuevo sin él"))
