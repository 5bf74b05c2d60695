"""Canonical JSONL: the same examples in the same order are the same bytes, so a hash can name them.

Canonical means: UTF-8 without byte-order mark, keys sorted, no blanks between tokens, no ``\\u`` escapes
that UTF-8 does not need, every string in NFC, each line ended by ``\\n``. Reading is a little kinder
(a byte-order mark, ``\\r\\n``, a missing last ``\\n``, other key order) and never silent: what does not
parse or validate raises with its line number. Lines end at ``\\n`` only: U+2028 is legal inside a string.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable
from typing import Any, NoReturn

from pydantic import ValidationError

from astra_learn_assets.contracts import Example
from astra_learn_assets.errors import BadInput, BadJsonl


def canonical_json(value: object) -> str:
    """``value`` (dicts, lists, strings, numbers, None) as canonical JSON on one line.

    Raises:
        ValueError: for NaN and infinity, which JSON does not have.
    """
    return json.dumps(_nfc(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def dump(examples: Iterable[Example]) -> bytes:
    """Examples as canonical JSONL, in the order given; no examples give ``b""``.

    Raises:
        BadInput: when a text cannot be written as UTF-8 (a lone surrogate).
    """
    lines = []
    for example in examples:
        try:
            lines.append(canonical_json(example.model_dump(mode="json")).encode("utf-8") + b"\n")
        except (UnicodeEncodeError, ValueError):
            # pydantic raises ValueError and not UnicodeEncodeError for a lone surrogate
            raise BadInput(
                f"example {example.meta.example_id:.64} holds half a character (a lone surrogate) "
                "and cannot be written as UTF-8"
            ) from None
    return b"".join(lines)


def load(data: bytes) -> list[Example]:
    """Read JSONL written by :func:`dump`, or by anyone who keeps to the schema of ``Example``.

    Raises:
        BadJsonl: naming the first line that is empty, not UTF-8, not JSON, or not an example.
    """
    return [load_line(number, line) for number, line in numbered_lines(data)]


def numbered_lines(data: bytes) -> Iterable[tuple[int, bytes]]:
    """The lines of ``data`` with their numbers from 1, without line ends or a byte-order mark.

    Raises:
        BadJsonl: for an empty line.
    """
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            raise BadJsonl(number, "the line is empty; remove it")
        yield number, line


def load_object(number: int, line: bytes) -> dict[str, Any]:
    """One line as a JSON object; no duplicate keys, no NaN.

    Raises:
        BadJsonl: with ``number``.
    """

    def unique(items: list[tuple[str, Any]]) -> dict[str, Any]:
        record = dict(items)
        if len(record) != len(items):
            raise ValueError("a key appears twice")
        return record

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    try:
        record = json.loads(line.decode("utf-8"), object_pairs_hook=unique, parse_constant=refuse)
    except UnicodeDecodeError:
        raise BadJsonl(number, "not UTF-8; save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        raise BadJsonl(number, f"not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise BadJsonl(number, "not an example: nested too deeply") from None
    except ValueError as error:
        raise BadJsonl(number, f"not JSON: {error}") from None
    if not isinstance(record, dict):
        raise BadJsonl(number, "not an object; one example is expected in each line")
    return record


def load_line(number: int, line: bytes) -> Example:
    """One line as an example.

    Raises:
        BadJsonl: with ``number``; the message names fields, never their content.
    """
    record = load_object(number, line)
    try:
        return Example.model_validate(_nfc(record), strict=True)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "example"
        raise BadJsonl(number, f"not an example: {field}: {first['msg']}") from None


def digest(data: bytes) -> str:
    """SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def _nfc(value: object) -> object:
    # per string and not over the finished line: "\n" followed by U+0303 must not become "\ñ"
    match value:
        case str():
            return unicodedata.normalize("NFC", value)
        case dict():
            return {_nfc(key): _nfc(item) for key, item in value.items()}
        case list() | tuple():
            return [_nfc(item) for item in value]
        case _:
            return value
