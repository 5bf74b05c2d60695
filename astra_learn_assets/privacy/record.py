"""Every string of an example: what is masked before it is written is what is scanned before it is trained on.

A name can stand in any of them: in an instruction somebody wrote by hand, in a value or even a key of
``meta``. So nothing is left out by its field's name. What is left out is a value that can be nothing but an
identifier of ours, told by its form: a digest, a tenant, a document, a version, a placeholder, the address of
an audio file (of which :func:`name_in_address` looks at the words).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from astra_learn_assets.spanish import lexicon, name_words
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.placeholder import PLACEHOLDER

SIDES = ("input", "output", "text")
"""The fields that teach; a model is trained on these, and canaries are planted in them."""

Place = tuple[str | int, ...]
_FORMS = {
    "example_id": re.compile(r"[0-9a-f]{16,64}"),
    "tenant_id": re.compile(r"[a-z0-9][a-z0-9-]{1,62}"),
    "document_id": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"),
    "chunk_id": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"),
    "engine_version": re.compile(r"\d+(?:\.\d+){0,3}"),
    "audio_uri": re.compile(r"[a-z][a-z0-9+.-]*:/{1,3}[^\s]+"),
}
_FIELD = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+){0,7}")
_NAME_IN_ADDRESS = re.compile(r"(?<![^\W\d_])([^\W\d_]{3,})(?=(?:[-_.+ ]|%20){1,2}([^\W\d_]{3,}))")


def strings(record: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Each string of ``record`` that could hold a word about somebody, with its place.

    A place is the path of keys and positions; a key of an object is a string too, at the path of its value
    with ``"key"`` behind it.
    """
    yield from _walk(record, ())


def _walk(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        if value.strip() and not is_identifier(place, value):
            yield place, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if not _is_ours(key):
                yield (*place, key, "key"), key
            yield from _walk(inner, (*place, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _walk(inner, (*place, at))


def is_identifier(place: Place, value: str) -> bool:
    """Whether ``value`` at ``place`` is an identifier of ours by name and form: its words are not text."""
    name = place[-1] if place else ""
    form = _FORMS.get(name) if isinstance(name, str) and place[:-1] == ("meta",) else None
    return form is not None and form.fullmatch(value) is not None


def name_in_address(record: Mapping[str, Any]) -> tuple[int, int] | None:
    """Where the audio's address holds a given name and another name beside it; None if nowhere.

    One name alone says nobody: half the towns of the language are surnames too.
    """
    meta = record.get("meta")
    address = meta.get("audio_uri") if isinstance(meta, Mapping) else None
    if not isinstance(address, str):
        return None
    for match in _NAME_IN_ADDRESS.finditer(address):
        given, other = fold_chars(match[1]), fold_chars(match[2])
        if given in lexicon.given_names() and name_words.is_name_word(other):
            return match.span()
    return None


def replaced(record: Mapping[str, Any], change: Callable[[Place, str], str]) -> dict[str, Any]:
    """A copy of ``record`` in which each of :func:`strings` is what ``change`` makes of it.

    Raises:
        ValueError: two keys of one object became the same.
    """
    made = _replaced(record, (), change)
    assert isinstance(made, dict)
    return made


def _replaced(value: Any, place: Place, change: Callable[[Place, str], str]) -> Any:
    if isinstance(value, str):
        return change(place, value) if value.strip() and not is_identifier(place, value) else value
    if isinstance(value, list):
        return [_replaced(inner, (*place, at), change) for at, inner in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    out: dict[str, Any] = {}
    for key, inner in value.items():
        name = key if _is_ours(key) else change((*place, key, "key"), key)
        if name in out:
            raise ValueError("two keys became the same")
        out[name] = _replaced(inner, (*place, key), change)
    return out


def _is_ours(key: str) -> bool:
    """A field's name: one of the contract, a placeholder that ``entities`` counts, or written like one.

    Written like one is ``snake_case`` without any listed name: a detector takes such words for anything.
    """
    if key in _OURS or PLACEHOLDER.fullmatch(key) is not None:
        return True
    return _FIELD.fullmatch(key) is not None and not any(map(name_words.is_name_word, key.split("_")))


_OURS = frozenset((*_FORMS, *SIDES, "instruction", "meta", "route", "start_ms", "end_ms", "entities"))
