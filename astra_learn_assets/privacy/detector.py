"""All detectors of one tenant behind one call: cleaned text in, findings without overlap out.

Per batch the sentences not seen before go through the entity model together; sentences repeat a lot
(draft and final share most of them), so answers are remembered in memory, never on disk.
Precedence: the tenant's masked terms, then contact data and identifiers, then addresses, then persons.
Names inside allowed terms and public places stay, unless the tenant masks them.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from astra_learn_assets.privacy.identifiers import addresses, contact
from astra_learn_assets.privacy.identifiers.compact import compact_identities
from astra_learn_assets.privacy.identifiers.countries import identity_rules, names_paper
from astra_learn_assets.privacy.identifiers.rules import Finding, RuleSet, Spans, resolve
from astra_learn_assets.privacy.ner.nlp import Entity, EntityModel
from astra_learn_assets.privacy.ner.tagger import Tagger
from astra_learn_assets.privacy.ner.views import may_name, natural, segments, views
from astra_learn_assets.privacy.people import persons
from astra_learn_assets.privacy.people.announced import announced
from astra_learn_assets.privacy.people.bounds import bounded
from astra_learn_assets.privacy.people.evidence import is_evidence, known_again, words_of
from astra_learn_assets.privacy.people.joining import join_names, parted, repeat_names
from astra_learn_assets.privacy.people.last_look import believed
from astra_learn_assets.privacy.people.nicknames import initials, nicknamed, odd_shapes, timed
from astra_learn_assets.privacy.people.own_towns import is_own, own_places, touches_own
from astra_learn_assets.privacy.people.public_places import public_places
from astra_learn_assets.privacy.people.rosters import rostered
from astra_learn_assets.privacy.people.second_reader import DETECTOR as TAGGER
from astra_learn_assets.privacy.people.second_reader import (
    Reading,
    before_people,
    beginnings,
    certain,
    reconciled,
)
from astra_learn_assets.privacy.people.stretching import stretched
from astra_learn_assets.privacy.people.support import supported
from astra_learn_assets.privacy.people.titles import is_titled
from astra_learn_assets.privacy.people.worn import mended
from astra_learn_assets.privacy.terms import AllowTerms, MaskTerms
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.placeholder import PLACEHOLDER

CACHE_SENTENCES = 50_000
CACHE_TEXTS = 2_000
LONG = 16_000  # characters; what is longer is read in pieces, so that time grows with the length alone
_PIECE = re.compile(r"(?:(?! [yeYE] (?=[^\W\d_]{3}))[^\n|;])+")  # one name: ends at a line, a bar, "y"


class Detector:
    """Everything that finds personal data for one tenant. Not thread-safe (one cache)."""

    def __init__(
        self,
        model: EntityModel,
        *,
        country: str,
        mask_terms: Sequence[str] = (),
        allow_terms: Sequence[str] = (),
        tagger: Tagger | None = None,
    ) -> None:
        self._model = model
        self._country = country.strip().lower()
        self._rules = RuleSet((*identity_rules(country), *contact.CONTACT))
        self._mask = MaskTerms(mask_terms)
        self._allow = AllowTerms(allow_terms)
        self._tagger = tagger
        self._seen: OrderedDict[str, list[Entity]] = OrderedDict()
        self._readings: OrderedDict[str, Reading] = OrderedDict()
        self._merged = lru_cache(maxsize=CACHE_TEXTS)(self._merge)  # the side a round left alone comes again

    def find(
        self,
        texts: Sequence[str],
        looks: Sequence[Sequence[tuple[int, int]] | None] | None = None,
        known: tuple[str, ...] = (),
    ) -> list[list[Finding]]:
        """Findings per cleaned text, without overlap, in order of place.

        ``looks``: per text None, or the only spans whose sentences the entity model must see because
        the rest reads like a text that it sees anyway (:func:`~aliases.unexplained`). ``known``: names of
        the document that the texts are of (:meth:`names`), found again as if each text held them.
        """
        whole = [mended(text) for text in texts]
        entities = self._entities(whole, looks or [None] * len(texts))
        self._read(text for text in whole if len(text) <= LONG)
        return [
            list(self._merged(text, tuple(found), tuple(own_places(text)), known)[0])
            if len(text) <= LONG
            else self._long(text, found, known)
            for text, found in zip(texts, entities, strict=True)
        ]

    def names(self, texts: Sequence[str]) -> tuple[str, ...]:
        """The names that one of ``texts`` leaves no doubt about: in full, or said of somebody to be one's."""
        found = {
            text[f.start : f.end]
            for text, findings in zip(texts, self.find(texts), strict=True)
            for f in findings
            if f.kind == "PERSONA" and is_evidence(text, f)
        }
        return tuple(sorted(found))

    def _long(self, text: str, entities: Sequence[Entity], known: tuple[str, ...]) -> list[Finding]:
        """Findings of a long text, piece by piece; a name found in one of them is known in all."""
        own, found, kept = own_places(text), [], []
        for at, stop in _pieces(text):
            inside = [(s - at, e - at, label) for s, e, label in entities if at <= s and e <= stop]
            places = [(s - at, e - at) for s, e in own if at <= s and e <= stop]
            some, spared = self._merged(text[at:stop], tuple(inside), tuple(places), known)
            found += [replace(f, start=f.start + at, end=f.end + at) for f in some]
            kept += [(s + at, e + at) for s, e in spared]
        names = [text[f.start : f.end] for f in found if f.kind == "PERSONA"]
        return join_names(text, resolve([*found, *repeat_names(text, names, kept)]))

    def _entities(
        self, texts: Sequence[str], looks: Sequence[Sequence[tuple[int, int]] | None]
    ) -> list[list[Entity]]:
        parts: list[list[tuple[int, str]]] = []
        for text, spans in zip(texts, looks, strict=True):
            part: list[tuple[int, str]] = []
            for at, segment in segments(text):
                if spans is not None and not any(a < at + len(segment) and b > at for a, b in spans):
                    continue
                part += [
                    (at + start, view[start:end])
                    for start, end, view in views(segment)
                    if spans is None or any(a < at + end and b > at + start for a, b in spans)
                ]
            parts.append(part)
        fresh = list(dict.fromkeys(view for part in parts for _, view in part if view not in self._seen))
        fresh.sort(key=len)  # a batch of equal lengths wastes no time on the longest
        answers = dict(zip(fresh, self._model.entities(fresh), strict=True))
        out = []
        for part in parts:
            found = []
            for offset, view in part:
                answer = answers[view] if view in answers else self._seen[view]
                found += [(s + offset, e + offset, label) for s, e, label in answer]
            out.append(found)
        self._seen.update(answers)
        while len(self._seen) > CACHE_SENTENCES:
            self._seen.popitem(last=False)
        return out

    def _merge(
        self, text: str, entities: Sequence[Entity], own: Sequence[tuple[int, int]], known: tuple[str, ...]
    ) -> tuple[list[Finding], list[tuple[int, int]]]:
        """Findings of one piece, and the spans that stay whoever is called so elsewhere."""
        blocked = [m.span() for m in PLACEHOLDER.finditer(text)]
        masked = list(self._mask.find(text))
        allowed = self._allow.find(text)
        found = [
            *self._rules.find(text),
            *compact_identities(text, self._country),
            *contact.phones(text, self._country),
            *contact.spoken_numbers(text),
            *addresses.addresses(text),
        ]
        text = mended(text)  # from here on people
        reading = self._reading(text)
        own = list(before_people(text, own, reading, own=True))
        people = [one for f in self._persons(text, entities) for one in bounded(text, f)]
        if reading is not None:
            people = [
                f
                for f in supported(text, reconciled(text, people, reading), reading)
                if f.detector != TAGGER or is_titled(text, f.start) or not touches_own(f.start, f.end, own)
            ]
        people = [f for f in people if not names_paper(text, f.start, f.end)]
        people = [f for f in people if not is_own(text, f.start, f.end, own)]
        places: list[tuple[int, int]] = list(own)
        if people:
            places += [
                (s, e)  # "Martha del Río Casademont" bears no river's name
                for s, e in before_people(text, public_places(text, [f.start for f in people]), reading)
                if not any(
                    (f.start < s < f.end and f.detector == "model")
                    or (f.start == s and f.detector == "speaker")
                    or (s < f.start < e and _shouted(text, s, f.start) and persons.is_full_name(text, f))
                    for f in people
                )
            ]
            towns = [(s, e) for s, e, label in entities if label == "LOC" and " " in text[s:e]]
            kept = persons.kept_places(text)
            people = [
                f
                for f in people
                if not _inside(f, kept) or (persons.is_titled(text, f.start) and (f.start, f.end) in kept)
            ]
            seen = [(s, e) for s, e, label in entities if label == "PER"]
            # in the other view, or to the tagger, it reads like a person
            towns = list(before_people(text, [town for town in towns if town not in seen], reading))
            people = [
                f
                for f in people
                if f.detector in ("title", "speaker", "announced")
                or not _inside(f, towns)
                or persons.is_full_name(text, f)
            ]
            people = [
                f for f in people if f.detector == "announced" or not _inside(f, places) or _heads(f, places)
            ]
            places += [*towns, *kept]
        apart = beginnings(text, reading)
        if reading is not None:
            feasts = persons.kept_places(text)
            spare = Spans([*own, *feasts])
            people += [f for f in certain(text, reading) if not spare.touch(f.start, f.end)]
            people += known_again(text, words_of(known), reading, [*allowed, *places, *feasts])
        found += people
        found = [piece for f in found for piece in _outside(text, f, allowed)] + masked
        barred = Spans(blocked)
        found = [f for f in found if not barred.touch(f.start, f.end)]
        found = resolve(found)
        found = join_names(text, resolve([*found, *stretched(text, found)]), apart)
        names = [*known, *(text[f.start : f.end] for f in found if f.kind == "PERSONA")]
        spared = [*allowed, *places, *blocked]
        found = join_names(text, resolve([*found, *repeat_names(text, names, spared)]), apart)
        return resolve(believed(text, parted(text, found), reading)), spared

    def _reading(self, text: str) -> Reading | None:
        self._read([text])
        return self._readings.get(text)

    def _read(self, texts: Iterable[str]) -> None:
        """Have the tagger read what it has not read lately, all together: one by one takes twice as long."""
        if self._tagger is None:
            return
        fresh = [text for text in dict.fromkeys(texts) if text not in self._readings]
        if not fresh:
            return
        for text, (spans, scores) in zip(fresh, self._tagger.scores(map(natural, fresh)), strict=True):
            person = scores[:, 1] + scores[:, 2]
            begins = (scores[:, 1] > scores[:, 2]).tolist()
            elsewhere = scores[:, 3:].sum(axis=1).tolist()
            self._readings[text] = Reading(
                spans, person.tolist(), begins, printed=not text.islower(), elsewhere=elsewhere
            )
        while len(self._readings) > max(CACHE_TEXTS, len(fresh)):
            self._readings.popitem(last=False)

    def _persons(self, text: str, entities: Sequence[Entity]) -> list[Finding]:
        found = []
        for start, end, label in entities:
            if label != "PER":
                continue
            before = None
            for piece in _PIECE.finditer(text, start, end):
                span = persons.mend(text, *piece.span()) or (
                    before and persons.second_surname(text, *piece.span())
                )
                before = span
                if span:
                    last = persons.extend(text, *span)
                    found.append(Finding(span[0], last, "PERSONA", persons.RANK, "model"))
                    found += persons.second(text, last, listed_only=True)
        found += persons.titled(text)
        if may_name(text):
            found += persons.listed(text)
            found += persons.speakers(text)
        found += persons.addressed(text)
        found += persons.cued(text)
        for rule in (announced, nicknamed, initials, timed, odd_shapes, rostered):
            found += rule(text)
        return found


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """A long text cut at ends of lines or sentences, else between words."""
    at = 0
    while len(text) - at > LONG:
        low, high = at + LONG // 2, at + LONG
        cut = (
            max(text.rfind("\n", low, high), text.rfind(". ", low, high)) + 1
            or text.rfind(" ", low, high) + 1
            or high
        )
        yield at, cut
        at = cut
    yield at, len(text)


def _outside(text: str, finding: Finding, allowed: Sequence[tuple[int, int]]) -> list[Finding]:
    """The finding, or what of it lies outside allowed spans and still holds a name or a number."""
    touching = [(s, e) for s, e in allowed if s < finding.end and e > finding.start]
    if not touching:
        return [finding]
    if finding.kind != "PERSONA":
        return [] if _inside(finding, touching) else [finding]
    pieces, at = [], finding.start
    for start, end in [*sorted(touching), (finding.end, finding.end)]:
        words = [fold_chars(w) for w in persons.WORD.findall(text[at : max(at, start)])]
        if any(w not in persons.PARTICLES and not persons.is_ordinary(w) for w in words):
            pieces.append(Finding(at, start, finding.kind, finding.rank, finding.detector))
        at = max(at, end)
    return pieces


def _shouted(text: str, start: int, end: int) -> bool:
    """Whether more than a title parts a place's head from a name: "COMUNIDAD DE REGANTES ASISTE PAULA"."""
    between = text[start:end]
    return between.isupper() and between.count(" ") > 2


def _heads(finding: Finding, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether the model's person begins with the very word that looks like a street ("Ni Carrera Soto")."""
    return finding.detector in ("model", "title", "speaker") and all(
        s == finding.start for s, e in spans if s <= finding.start and finding.end <= e
    )


def _inside(finding: Finding, spans: Sequence[tuple[int, int]]) -> bool:
    return any(s <= finding.start and finding.end <= e for s, e in spans)
