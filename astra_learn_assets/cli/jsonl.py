"""Lines of JSON that come from anywhere: what in them is text of people, and how it is anonymized.

A line is a JSON object. The two sides of a pair (``input``/``output`` or ``before``/``after``) get one
placeholder map. Every other string is anonymized by itself, with the line's map seed, whatever its
name and however deep it stands; only what our own contract fills (``instruction`` and the ids of
``meta``) is kept as it is. So a field nobody thought of cannot carry a name out.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from astra_learn_assets.contracts import ExampleMeta
from astra_learn_assets.errors import BadJsonl

if TYPE_CHECKING:
    from astra_learn_assets.privacy.pseudonymizer import Pseudonymizer

_SIDES = (("input", "output"), ("before", "after"))
_META = frozenset(ExampleMeta.model_fields) - {"entities"}


@dataclass(frozen=True)
class Anonymized:
    """The new file and how many placeholders of each kind it holds."""

    data: bytes
    lines: int
    entities: dict[str, int]


def anonymize_lines(data: bytes, pseudonymizer: Pseudonymizer) -> Anonymized:
    """Anonymize every line of ``data``.

    Raises:
        BadJsonl: a line that is no JSON object, or one side of a pair without the other.
    """
    objects = parse_lines(data)
    sides = [_sides(number, value) for number, value in objects]
    pairs = [
        (value[names[0]], value[names[1]], _seed(value))
        for (_, value), names in zip(objects, sides, strict=True)
        if names is not None
    ]
    answers = iter(pseudonymizer.pairs(pairs))
    kinds: Counter[str] = Counter()
    lines: list[str] = []
    for (_, value), names in zip(objects, sides, strict=True):
        changed: dict[str, Any] = {}
        entities: dict[str, int] = {}
        if names is not None:
            answer = next(answers)
            changed = {names[0]: answer.before, names[1]: answer.after}
            entities = dict(answer.entities)
        rest = _Rest(pseudonymizer, _seed(value))
        line = {key: changed[key] if key in changed else rest.value(key, item) for key, item in value.items()}
        if isinstance(line.get("meta"), dict) and names is not None:
            line["meta"]["entities"] = entities
        for counted in (entities, rest.entities):
            kinds.update({name.strip("<>").rpartition("_")[0]: count for name, count in counted.items()})
        lines.append(json.dumps(line, ensure_ascii=False))
    text = "".join(f"{line}\n" for line in lines)
    return Anonymized(text.encode(), len(lines), dict(sorted(kinds.items())))


def parse_lines(data: bytes) -> list[tuple[int, dict[str, Any]]]:
    """Line number (from 1) and object of every line that is not blank.

    Raises:
        BadJsonl: naming the line.
    """
    objects: list[tuple[int, dict[str, Any]]] = []
    for number, raw in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not raw.strip():
            continue
        try:
            value = json.loads(raw.decode("utf-8"))
            json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate cannot be written back
        except UnicodeDecodeError:
            raise BadJsonl(number, "is not UTF-8") from None
        except UnicodeEncodeError:
            raise BadJsonl(number, "holds half of a surrogate pair") from None
        except (ValueError, RecursionError):
            raise BadJsonl(number, "is not JSON") from None
        if not isinstance(value, dict):
            raise BadJsonl(number, "is not a JSON object")
        objects.append((number, value))
    return objects


def as_jsonl(data: bytes, name: str) -> bytes:
    """``data`` as JSONL for the scanner: a DOCX by blocks, plain text by lines, JSONL as it is.

    Raises:
        BadJsonl: a ``.jsonl`` or ``.json`` file with a broken line.
        UploadRefused: a DOCX that cannot be opened.
    """
    if data.startswith(b"PK") or name.lower().endswith(".docx"):
        from astra_learn_assets.comparator.reader import read_document

        return _texts([block.text for block in read_document(data).blocks])
    if name.lower().endswith((".jsonl", ".ndjson", ".json")) or data.lstrip()[:1] == b"{":
        parse_lines(data)
        return data
    try:
        return _texts(data.decode("utf-8-sig").split("\n"))
    except UnicodeDecodeError:
        raise BadJsonl(1, "the file is neither JSONL, nor a DOCX, nor UTF-8 text") from None


class _Rest:
    """Anonymizes what is not a side of the pair, counting placeholders."""

    def __init__(self, pseudonymizer: Pseudonymizer, seed: str) -> None:
        self._pseudonymizer = pseudonymizer
        self._seed = seed
        self.entities: Counter[str] = Counter()

    def value(self, key: str, item: Any) -> Any:
        """``item`` of field ``key`` with every string in it anonymized."""
        if key == "instruction":
            return item
        if key == "meta" and isinstance(item, dict):
            return {name: inner if name in _META else self._any(inner) for name, inner in item.items()}
        return self._any(item)

    def _any(self, item: Any) -> Any:
        if isinstance(item, str):
            text, entities = self._pseudonymizer.text(item, self._seed)
            self.entities.update(entities)
            return text
        if isinstance(item, list):
            return [self._any(inner) for inner in item]
        if isinstance(item, dict):
            return {name: self._any(inner) for name, inner in item.items()}
        return item


def _sides(number: int, value: dict[str, Any]) -> tuple[str, str] | None:
    for names in _SIDES:
        held = [name for name in names if name in value]
        if not held:
            continue
        if len(held) == 1:
            raise BadJsonl(number, f"has {held[0]!r} but not the other side of the pair")
        if not all(isinstance(value[name], str) for name in names):
            raise BadJsonl(number, f"{names[0]!r} and {names[1]!r} must be text")
        return names
    return None


def _seed(value: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _texts(texts: list[str]) -> bytes:
    return "".join(f"{json.dumps({'text': text}, ensure_ascii=False)}\n" for text in texts).encode()
