"""All detectors of one tenant behind one call: cleaned text in, findings without overlap out.

Per batch the sentences not seen before go through the entity model together; sentences repeat a lot
(draft and final share most of them), so answers are remembered in memory, never on disk.
Precedence: the tenant's masked terms, then contact data and identifiers, then addresses, then persons.
Names inside allowed terms and public places stay, unless the tenant masks them.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from astra_learn_assets.privacy import addresses, contact, persons
from astra_learn_assets.privacy.cleaning import PLACEHOLDER, fold_chars
from astra_learn_assets.privacy.compact import compact_identities
from astra_learn_assets.privacy.countries import identity_rules
from astra_learn_assets.privacy.lexicon import given_names, role_words
from astra_learn_assets.privacy.nlp import Entity, EntityModel
from astra_learn_assets.privacy.places import public_places
from astra_learn_assets.privacy.rules import Finding, RuleSet, resolve
from astra_learn_assets.privacy.terms import AllowTerms, MaskTerms

CACHE_SENTENCES = 50_000
CACHE_TEXTS = 2_000
AROUND = 7
_SEGMENT_LIMIT = 3000
_BREAK = re.compile(r"[.!?…](?P<gap>[ ]+)(?=[^\W\d_¿¡])|\n+")
_LONG_WORD = re.compile(
    r"[^\W\d_]{4}"
)  # "núm. 4", "Sr. Ruiz": after less than that a full stop ends no sentence
_PIECE = re.compile(r"(?:(?! [yeYE] (?=[^\W\d_]{3}))[^\n|;])+")  # one name: ends at a line, a bar, "y"
_WORD_BEFORE = re.compile(r"(?<![\w’'-])([^\W\d_]+)[.]?[ ]$")
_JOINT = re.compile(r"[ ]{1,2}|-|")
_COURTESY = frozenset(["se", "do"])  # señor, señora, don, doña: a name follows, however common the word
_LOOSE_WORD = re.compile(r"\w+")
_ABBREVIATED = re.compile(
    r"(?i)(?:señor|avda|dña|sres|sras|excm[oa]|ilm[oa]|prof|econ|mons|crnl|tlg[oa]|mtr[oa]|lic|lcd[oa]|hnos|urb|dpto|ctra|psje|art|núm|fdo)\.$"
)


def segments(text: str) -> Iterator[tuple[int, str]]:
    """Sentences and lines of a text with their offsets; none longer than a few thousand characters."""
    start = 0
    for left, right in [*_cuts(text), (len(text), len(text))]:
        while left - start > _SEGMENT_LIMIT:
            space = text.rfind(" ", start + 1, start + _SEGMENT_LIMIT)
            cut = space + 1 if space > start else start + _SEGMENT_LIMIT
            yield start, text[start:cut]
            start = cut
        if text[start:left].strip():
            yield start, text[start:left]
        start = right


def _cuts(text: str) -> Iterator[tuple[int, int]]:
    for match in _BREAK.finditer(text):
        stop = match.start("gap")
        if stop < 0:
            stop = match.start()
        elif not _LONG_WORD.match(text, max(0, stop - 5), stop - 1):
            continue
        if not _ABBREVIATED.search(text, max(0, stop - 8), stop):
            yield stop, match.end()


class Detector:
    """Everything that finds personal data for one tenant. Not thread-safe (one cache)."""

    def __init__(
        self,
        model: EntityModel,
        *,
        country: str,
        mask_terms: Sequence[str] = (),
        allow_terms: Sequence[str] = (),
    ) -> None:
        self._model = model
        self._country = country.strip().lower()
        self._rules = RuleSet((*identity_rules(country), *contact.CONTACT))
        self._mask = MaskTerms(mask_terms)
        self._allow = AllowTerms(allow_terms)
        self._seen: OrderedDict[str, list[Entity]] = OrderedDict()
        self._merged = lru_cache(maxsize=CACHE_TEXTS)(self._merge)  # the side a round left alone comes again

    def find(
        self, texts: Sequence[str], looks: Sequence[Sequence[tuple[int, int]] | None] | None = None
    ) -> list[list[Finding]]:
        """Findings per cleaned text, without overlap, in order of place.

        ``looks``: per text None, or the only spans whose sentences the entity model must see because
        the rest reads like a text that it sees anyway (:func:`~aliases.unexplained`).
        """
        entities = self._entities(texts, looks or [None] * len(texts))
        return [list(self._merged(text, tuple(found))) for text, found in zip(texts, entities, strict=True)]

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
                    for start, end, view in _views(segment)
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

    def _merge(self, text: str, entities: Sequence[Entity]) -> list[Finding]:
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
        people = self._persons(text, entities)
        places: list[tuple[int, int]] = []
        if people:
            places = list(public_places(text, [f.start for f in people]))
            towns = [(s, e) for s, e, label in entities if label == "LOC" and " " in text[s:e]]
            kept = persons.kept_places(text)
            people = [f for f in people if not _inside(f, kept)]
            people = [f for f in people if f.detector in ("title", "speaker") or not _inside(f, towns)]
            people = [f for f in people if not _inside(f, places) or _heads(f, places)]
            places += [*towns, *kept]
        found += people
        found = [piece for f in found for piece in _outside(text, f, allowed)] + masked
        found = [f for f in found if not any(s < f.end and e > f.start for s, e in blocked)]
        found = join_names(text, resolve(found))
        names = [text[f.start : f.end] for f in found if f.kind == "PERSONA"]
        again = repeat_names(text, names, [*allowed, *places, *blocked])
        return join_names(text, resolve([*found, *again]))

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
        return found


def _views(segment: str) -> Iterator[tuple[int, int, str]]:
    """What the model reads of a sentence: ``(start, end, the whole as it should read)``.

    A text in capitals or lower case is read twice, as it is and as it would be printed.
    """
    windows = name_windows(segment)
    if not windows:
        return
    plain = _stand_in(segment)
    printed = truecase(plain)
    for start, end in windows:
        yield start, end, plain
        if printed is not None:
            yield start, end, printed


@lru_cache(maxsize=20_000)
def may_name(segment: str) -> bool:
    """Whether a sentence holds any word that could be a name, so that the model must see it."""
    return bool(name_windows(segment))


@lru_cache(maxsize=20_000)
def name_windows(segment: str) -> tuple[tuple[int, int], ...]:
    """The parts of a sentence the model must see: :data:`AROUND` words to each side of what could be a name.

    The shipped model sees four words to each side, so more than that changes nothing. A person made
    only of everyday words that no list knows is dropped after the model anyway, except beside a label
    ("Nombre: Iris"); capitals alone ("el Gobierno de la Nación") name nobody, nor does a rare verb form
    in a sentence written with capitals ("vitorear").
    """
    whole = ((0, len(segment)),)
    if ":" in segment and len(segment) < 160:
        return whole
    short = len(segment) < 48
    prose = segment[:1].isupper() or segment[:2].strip("¿¡«-( ").isupper()
    words = persons.tokens(segment)
    windows: list[tuple[int, int]] = []
    after_title = False
    for at, ((start, end), folded) in enumerate(zip(words.spans, words.words, strict=True)):
        titled, after_title = after_title, folded in persons.TITLE_WORDS
        if folded in persons.PARTICLES:
            continue
        upper = segment[start].isupper()
        if persons.is_ordinary(folded):
            if not (upper or titled):
                continue
            if not (
                (upper and (persons.is_name_word(folded) or (short and not persons.is_common(folded))))
                or (
                    titled
                    and folded not in role_words()
                    and (words.words[at - 1][:2] in _COURTESY or not persons.is_common(folded))
                )
            ):
                continue
        elif (
            prose
            and segment[start:end].islower()
            and persons.is_inflected(folded)
            and not (titled and folded not in role_words())
        ):
            continue
        if short:
            return whole
        low = words.spans[at - AROUND][0] if at > AROUND else 0
        high = words.spans[at + AROUND][1] if at + AROUND < len(words.spans) - 1 else len(segment)
        if windows and low <= windows[-1][1]:
            windows[-1] = windows[-1][0], high
        else:
            windows.append((low, high))
    return tuple(windows)


def truecase(segment: str) -> str | None:
    """A segment in capitals or lower case as it would be printed, same length; None for ordinary case.

    The model is far better at printed text. Everyday words become lower case, all others and the
    surnames after them get a capital.
    """
    letters = sum(map(str.isalpha, segment))
    capitals = sum(map(str.isupper, segment)) if segment.isascii() else _capitals(segment)
    if letters < 4 or (capitals > 1 and capitals < 0.7 * letters):
        return None
    out, last, named = [], 0, False
    for match in persons.WORD.finditer(segment):
        word = match[0]
        folded = fold_chars(word)
        ordinary = persons.is_ordinary(folded) and not (named and persons.is_name_word(folded))
        if folded not in persons.PARTICLES:
            named = not ordinary
        printed = (
            word.lower() if ordinary or folded in persons.PARTICLES else word[:1].upper() + word[1:].lower()
        )
        out += [segment[last : match.start()], printed if len(printed) == len(word) else word]
        last = match.end()
    text = "".join([*out, segment[last:]])
    return text[:1].upper() + text[1:] if len(text[:1].upper()) == 1 else text


def _capitals(segment: str) -> int:
    return sum(c.isalpha() for c in filter(str.isupper, segment))  # a circled A is upper case, but no letter


def _stand_in(segment: str) -> str:
    """The segment with placeholders replaced, length kept, by what the model expects in their place."""
    if "<" not in segment:
        return segment
    return PLACEHOLDER.sub(_natural, segment)


def _natural(match: re.Match[str]) -> str:
    size, kind = len(match[0]), match[1]
    if kind == "PERSONA":
        return ("Lucía Pérez" + "z" * size)[:size]
    if kind == "DIRECCION":
        return ("Calle Mayor" + " " * size)[: size - 2] + "12"
    return "6" * size


def repeat_names(text: str, names: Sequence[str], kept: Sequence[tuple[int, int]] = ()) -> list[Finding]:
    """Places in ``text`` where a word of one of ``names`` stands again.

    Lower-case repeats count only for words that are no ordinary Spanish ("casado", "blanco").
    """
    words = {
        fold_chars(w)
        for name in names
        for w in persons.WORD.findall(name)
        if len(w) > 2 and fold_chars(w) not in persons.PARTICLES
    }
    if not words:
        return []
    found = []
    tokens = persons.tokens(text)
    for (start, end), folded in zip(tokens.spans, tokens.words, strict=True):
        if folded not in words or any(s <= start and end <= e for s, e in kept):
            continue
        ordinary = persons.is_ordinary(folded)
        if ordinary and (
            not text[start].isupper() or _starts_sentence(text, start) or persons.is_common(folded)
        ):
            continue
        found.append(Finding(start, end, "PERSONA", persons.RANK - 5, "repeat"))
    return found


def join_names(text: str, found: Sequence[Finding]) -> list[Finding]:
    """Findings with persons trimmed of loose ends and joined where only a space or hyphen parts them."""
    out: list[Finding] = []
    for finding in found:
        if finding.kind == "PERSONA":
            trimmed = _trim(text, finding)
            if trimmed is None:
                continue
            if trimmed.rank < 80 and trimmed.detector != "repeat":
                last_word = persons.more_surnames(text, trimmed.start, trimmed.end)
                trimmed = replace(trimmed, end=last_word)
            last = out[-1] if out else None
            if last and last.end > trimmed.start:
                if last.end >= trimmed.end:
                    continue
                trimmed = replace(trimmed, start=last.end)
            if last and last.kind == "PERSONA" and _JOINT.fullmatch(text, last.end, trimmed.start):
                rank = max(last.rank, trimmed.rank)
                out[-1] = Finding(last.start, trimmed.end, "PERSONA", rank, last.detector)
                continue
            finding = (
                _with_given_name(text, trimmed) if last is None or last.end < trimmed.start - 24 else trimmed
            )
        out.append(finding)
    return out


def _with_given_name(text: str, finding: Finding) -> Finding:
    """The finding with a given name or initial that stands right before it ("flora [millahual]")."""
    before = _WORD_BEFORE.search(text[max(0, finding.start - 24) : finding.start])
    if finding.rank >= 80 or not before:
        return finding
    word = fold_chars(before[1])
    if not (word in given_names() or (len(word) == 1 and "." in before[0])) or word in persons.PARTICLES:
        return finding
    if persons.is_citizen(text, finding.start - len(before[0])):
        return finding
    start = finding.start - len(before[0])
    return Finding(start, finding.end, finding.kind, finding.rank, finding.detector)


def _trim(text: str, finding: Finding) -> Finding | None:
    words = list(_LOOSE_WORD.finditer(text, finding.start, finding.end))
    while words and fold_chars(words[0][0]) in ("y", "e", "i") and words[0][0].islower():
        words.pop(0)
    while (
        len(words) > 1
        and fold_chars(words[-1][0]) in persons.PARTICLES | {"y", "e", "a"}
        and _loose(text, words[-1])
    ):
        words.pop()
    if not words or (finding.rank < 80 and not any(len(w[0]) > 1 for w in words)):
        return None
    end = words[-1].end()
    if len(words[-1][0]) == 1 and text[end : end + 1] == "." and end < finding.end:
        end += 1
    return Finding(words[0].start(), end, finding.kind, finding.rank, finding.detector)


def _loose(text: str, word: re.Match[str]) -> bool:
    """Whether a last word is a link and no initial: "de", also "DE" or "Y" in capitals, not "Y."."""
    return (
        word[0].islower()
        or (len(word[0]) > 1 and word[0].isupper())
        or text[word.end() : word.end() + 1] != "."
    )


def _starts_sentence(text: str, start: int) -> bool:
    return re.search(r"(?:^|[.!?¿¡:\n]\s*)$", text[max(0, start - 3) : start]) is not None


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


def _heads(finding: Finding, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether the model's person begins with the very word that looks like a street ("Ni Carrera Soto")."""
    return finding.detector in ("model", "title", "speaker") and all(
        s == finding.start for s, e in spans if s <= finding.start and finding.end <= e
    )


def _inside(finding: Finding, spans: Sequence[tuple[int, int]]) -> bool:
    return any(s <= finding.start and finding.end <= e for s, e in spans)
