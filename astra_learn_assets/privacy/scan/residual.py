"""The last look before training: other detectors than the first, over the bytes that will be trained on.

    report = ResidualScanner(country="ec", mask_terms=roster).scan_jsonl(data)

Presidio with our registry, the scored person detector, the tenant's blocklist, and (production) a
second entity model. A hit says line, field, kind, position and detector, never the text: reports are
logged and shown. A line with a hit is the caller's to quarantine.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from astra_learn_assets.errors import BadJsonl
from astra_learn_assets.privacy import record
from astra_learn_assets.privacy.identifiers.rules import Finding, resolve
from astra_learn_assets.privacy.ner.nlp import load_model
from astra_learn_assets.privacy.people import persons
from astra_learn_assets.privacy.people.public_places import public_places
from astra_learn_assets.privacy.scan import presidio, residual_names
from astra_learn_assets.privacy.terms import AllowTerms, MaskTerms
from astra_learn_assets.spanish.placeholder import PLACEHOLDER
from astra_learn_assets.spanish.visible import clean


@dataclass(frozen=True)
class Hit:
    """Something personal that is still there; ``start``/``end`` in the field's text, ``line`` from 1.

    ``field`` is ``input``, ``output``, ``instruction`` …, or ``meta.*``: a key inside may be the name itself.
    """

    line: int
    field: str
    kind: str
    start: int
    end: int
    detector: str


@dataclass(frozen=True)
class ScanReport:
    """What a scan saw; ``passed`` when nothing was found.

    ``hits`` are all places, or the first of them where the scan was told to keep no more; ``by_kind`` and
    ``lines_with_hits`` always count all.
    """

    lines: int
    hits: list[Hit] = field(default_factory=list)
    by_kind: dict[str, int] = field(default_factory=dict)
    detectors: dict[str, str] = field(default_factory=dict)
    lines_with_hits: int = 0

    @property
    def found(self) -> int:
        """How many places hold something personal."""
        return sum(self.by_kind.values())

    @property
    def passed(self) -> bool:
        return not self.found


class ResidualScanner:
    """The second detector of one tenant; see the module's docstring.

    Raises:
        BadConfiguration: for an unknown country or a missing ``model``.
    """

    def __init__(
        self,
        *,
        country: str = "es",
        mask_terms: Sequence[str] = (),
        allow_terms: Sequence[str] = (),
        model: str | None = None,
    ) -> None:
        self._arguments = {
            "country": country,
            "mask_terms": tuple(mask_terms),
            "allow_terms": tuple(allow_terms),
            "model": model,
        }
        self.country = country.strip().lower()
        self._mask = MaskTerms(mask_terms)
        self._allow = AllowTerms(allow_terms)
        self._model = load_model(model) if model else None
        self._analyzer = presidio.build_analyzer(
            country, {"scored names": residual_names.find, "blocklist": self._mask.find}
        )
        self._artifacts = presidio.empty_artifacts(self._analyzer)
        self._seen: dict[str, list[tuple[int, int, str, str]]] = {}
        self.detectors = {**presidio.versions(), "scored names": residual_names.VERSION}
        if self._model:
            self.detectors["entity model"] = self._model.name

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as its arguments: a worker process builds its own."""
        return _rebuild, (self._arguments,)

    def scan_text(self, text: str) -> list[tuple[int, int, str, str]]:
        """``(start, end, kind, detector)`` of what is found in one text, in its own offsets."""
        if text not in self._seen:
            if len(self._seen) > 20_000:
                self._seen.clear()
            self._seen[text] = self._scan(text)
        return self._seen[text]

    def _scan(self, text: str) -> list[tuple[int, int, str, str]]:
        view = clean(text)
        blank = PLACEHOLDER.sub(lambda m: " " * len(m[0]), view.text)
        found = presidio.analyze(self._analyzer, blank, self._artifacts)
        found += self._second_model(blank)
        allowed = self._allow.find(blank)
        forced = [f for f in found if f.detector == "blocklist"]
        found = [f for f in found if not any(s <= f.start and f.end <= e for s, e in allowed)]
        found = resolve([*found, *(f for f in forced if f not in found)])
        found = [f for f in found if re.search(r"\w", blank[f.start : f.end])]
        return [(*view.span(f.start, f.end), f.kind, f.detector) for f in found]

    def _second_model(self, text: str) -> Iterator[Finding]:
        if self._model is None:
            return
        entities = next(iter(self._model.entities([text])))
        places = list(public_places(text, [start for start, _, _ in entities]))
        for start, end, label in entities:
            span = persons.mend(text, start, end) if label == "PER" else None
            if span and not any(s <= span[0] and span[1] <= e for s, e in places):
                yield Finding(span[0], span[1], "PERSONA", 30, "entity model")

    def scan_values(self, number: int, values: dict[str, Any]) -> list[Hit]:
        """Hits in every string of one parsed line (:mod:`privacy.record`); ``field`` is its place."""
        hits = [
            Hit(number, _field(place), kind, start, end, detector)
            for place, text in record.strings(values)
            for start, end, kind, detector in self.scan_text(text)
        ]
        named = record.name_in_address(values)
        if named is not None:
            hits.append(Hit(number, "meta.*", "PERSONA", *named, "address"))
        return hits

    def scan_jsonl(self, data: bytes) -> ScanReport:
        """Scan the final bytes of a JSONL file.

        Raises:
            BadJsonl: when a line is no JSON object, with its number.
        """
        return self.report(data.splitlines())

    def report(self, lines: Iterable[bytes], *, places: int | None = None) -> ScanReport:
        """As :meth:`scan_jsonl`, over lines as they come; keeps only the first ``places`` hits."""
        hits: list[Hit] = []
        kinds: Counter[str] = Counter()
        count = bad = 0
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            count += 1
            found = self.scan_values(number, parse_line(number, line))
            bad += bool(found)
            kinds.update(hit.kind for hit in found)
            hits += found if places is None else found[: max(0, places - len(hits))]
        return ScanReport(count, hits, dict(sorted(kinds.items())), dict(self.detectors), bad)


def _field(place: record.Place) -> str:
    """``meta.revisor``; of a key, and of what lies deeper, only where it is: a key may be a name."""
    return str(place[0]) if len(place) == 1 else f"{place[0]}.*"


def _rebuild(arguments: dict[str, Any]) -> ResidualScanner:
    return ResidualScanner(**arguments)


def parse_line(number: int, line: bytes) -> dict[str, Any]:
    """The object on one line of JSONL.

    Raises:
        BadJsonl: not UTF-8, not JSON, or no object with a text field; the message holds no text.
    """
    try:
        values = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        raise BadJsonl(number, f"not UTF-8 (byte {error.start}): save the file as UTF-8") from None
    except (json.JSONDecodeError, RecursionError) as error:
        where = f" (column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise BadJsonl(number, f"not valid JSON{where}: each line must be one JSON object") from None
    if not isinstance(values, dict):
        raise BadJsonl(number, "not a JSON object: expected one with 'input' and 'output', or 'text'")
    return values
