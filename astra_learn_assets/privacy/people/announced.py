"""Persons who are announced: by what they are ("la enfermera Barrios"), by an abbreviated title ("Reg. Mei
Delia Soto"), or by a phrase behind which people stand ("en reemplazo de", "intervino de la comunidad").

Phrases stand in ``tables/announcing.txt`` (one name at least must be in the run) and
``tables/announcing_surely.txt`` (the phrase alone is enough).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from astra_learn_assets.privacy.identifiers.rules import Finding
from astra_learn_assets.privacy.people.listed_names import behind_street
from astra_learn_assets.privacy.people.name_runs import AS_IT_STANDS, RANK
from astra_learn_assets.privacy.people.runs import (
    ABBREVIATIONS,
    OPENS_PLACE,
    Case,
    case_at,
    is_given,
    is_strong,
    may_be_name,
    never_names,
    strong_run,
)
from astra_learn_assets.privacy.people.tables import words as table
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.lexicon import role_words
from astra_learn_assets.spanish.name_words import PARTICLES, TITLE_WORDS, WORD, is_common, is_ordinary, tokens

NOUNS = table("person_nouns")
_VERBS = table("person_verbs")
_PREPOSITIONS = frozenset(["a", "como", "con", "de", "del", "para", "por", "según", "segun"])
_NO_NAME = table("behind_offices")
_BEFORE_NAME = re.compile(r"[ ]{1,2}|[ ]?\n[ ]*|[ ]?:[ ]?\n?|,[ ]|[ ][\"«“(][ ]?")
_AFTER_NOUN = re.compile(r"[ ]{1,2}|[ ]?\n[ ]*")
_APPOSED = re.compile(r",[ ]")
_LINK = re.compile(r"(?:[ ]?[,;]\s{0,2}(?:[yYeE][ ])?|\s[yYeE][ ])(?:a[ ]|de[ ])?(?=[^\W\d_]{2}|[^\W\d_]\.)")
_HONOUR = re.compile(
    r"(?i)(?:(?:el|la|los|las|al|del)[ ])?(?:(?:señor(?:a|ita|es|as)?|don|doña|d[.]ª?|dª[.]?|dña[.]?|"
    r"sr(?:a|es|as|ta)?[.]?|c[.]|dr(?:a)?[.]?|lic(?:da|do)?[.]?|ing[.]?|abg?[.]?|prof(?:a|ra|r)?[.]?|"
    r"arq[.]?|lcd[oa][.]?|ld[oa][.]?|cra?[.]|h[.]c?[.]?)[ ])*"
)


def announced(text: str) -> Iterator[Finding]:
    """Persons behind nouns, abbreviations and phrases, and in front of verbs."""
    found = tokens(text)
    yield from _beside_office(text)
    yield from _in_a_field(text)
    phrases = _phrases()
    last = 0
    for i, ((start, end), word) in enumerate(zip(found.spans, found.words, strict=True)):
        if start < last:
            continue
        ends: list[tuple[int, int]] = []
        detector = "title"
        if word in ABBREVIATIONS and text[end : end + 1] in (".", "ª", "º") and not text[start:end].isdigit():
            ends, detector = list(_abbreviated(text, start, end)), "announced"
        if not ends and word in NOUNS:
            ends = list(_behind_noun(text, start, end))
        if not ends and word in phrases:
            ends = list(_behind_phrase(text, found.words, i, end, phrases[word]))
            if ends and word == "comunidad":  # else a public place
                detector = "announced"
        if not ends and i + 1 < len(found.words):
            ends = list(_before_verb(text, found.spans, found.words, i))
        for first, stop in ends:
            last = stop
            yield Finding(first, stop, "PERSONA", RANK, detector)


_OFFICE = re.compile(
    r"(?i)(?<!\w)(?:president[ea]|alcald(?:e|esa)|intendent[ea]|concejala?|edila?|regidora?|vocal|síndic[oa]|"
    r"secretari[oa]|diputad[oa]|senadora?|ministr[oa]|prefect[oa])[ ]"
    r"\(((?:[^\W\d_]+[ -]){0,3}[^\W\d_]{2,}(?:[ ][^\W\d_][.])?)\)[ ]?(?=[:.,])"
)
_CAPTION = re.compile(
    r"(?i)(?<!\w)autos[ ](?:caratulados[ ])?[\"«“']"
    r"((?:[^\W\d_]+,?[ ]){0,4}[^\W\d_]{2,})[\"»”']?[ ]c/[ ]?"
)


def _beside_office(text: str) -> Iterator[Finding]:
    """The name in brackets behind an office ("dice el señor presidente (Jara):") and who goes to court."""
    for match in (*_OFFICE.finditer(text), *_CAPTION.finditer(text)):
        words = [fold_chars(w) for w in WORD.findall(match[1]) if fold_chars(w) not in PARTICLES]
        acronym = match[1].isupper() and len(match[1]) < 6 and not text[match.start() : match.end()].isupper()
        if not words or acronym or any(w in never_names() or w in role_words() for w in words):
            continue
        if all(map(may_be_name, words)) or not any(map(is_ordinary, words)):
            yield Finding(match.start(1), match.end(1), "PERSONA", RANK, "announced")


_FIELD = re.compile(
    r"(?i)(?<!\w)(?:apellidos?(?:[ ]y[ ]nombres?)?|nombres?[ ]y[ ]apellidos?)[ ]?:[ ]{0,4}"
    r"((?:[^\W\d_]+[ -]){0,5}[^\W\d_]{2,})[ ]?(?=[.,;|\n]|$)"
)


def _in_a_field(text: str) -> Iterator[Finding]:
    """What a form holds for surnames ("Apellidos: San Ramón Pérez"), which may be a saint's or a thing's."""
    for match in _FIELD.finditer(text):
        words = [fold_chars(w) for w in WORD.findall(match[1]) if fold_chars(w) not in PARTICLES]
        told = match[1][0].isupper() or not any(map(is_ordinary, words))  # "apellidos: no constan"
        if words and told and not any(w in never_names() for w in words):
            yield Finding(match.start(1), match.end(1), "PERSONA", AS_IT_STANDS, "announced")


_Phrases = tuple[tuple[int, dict[tuple[str, ...], bool]], ...]


@lru_cache(maxsize=1)
def _phrases() -> Mapping[str, _Phrases]:
    """Last word of each phrase -> its words before the last, by their number, and whether it is sure."""
    made: dict[str, dict[int, dict[tuple[str, ...], bool]]] = {}
    for name, sure in (("announcing", False), ("announcing_surely", True)):
        for phrase in table(name):
            *before, final = phrase.split()
            made.setdefault(final, {}).setdefault(len(before), {})[tuple(before)] = sure
    return {final: tuple(sorted(by_length.items(), reverse=True)) for final, by_length in made.items()}


def _abbreviated(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    if behind_street(text, start):
        return  # "la calle Tte. Garay"
    at = end
    while text[at : at + 1] in (".", "ª", "º") and at - end < 3:
        at += 1
    gap = _AFTER_NOUN.match(text, at)
    at = _HONOUR.match(text, gap.end() if gap else at).end()  # type: ignore[union-attr]
    while (
        (more := WORD.match(text, at))
        and fold_chars(more[0]) in ABBREVIATIONS
        and text[more.end() : more.end() + 1] == "."
    ):
        gap = _AFTER_NOUN.match(text, more.end() + 1)
        at = gap.end() if gap else more.end() + 1
    case = case_at(text, start, at + 20)
    sure = len(fold_chars(text[start:end])) > 1
    stop = strong_run(text, at, case, sure=sure)
    if stop is None or not _is_person(text, at, stop, case, sure=sure, noun=sure):
        return
    yield at, stop
    yield from _others(text, stop, case)


def _behind_noun(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    gap = _AFTER_NOUN.match(text, end)
    apposed = None if gap else _APPOSED.match(text, end)
    if gap is None and apposed is None:
        return
    at = (gap or apposed).end()  # type: ignore[union-attr]
    word = WORD.match(text, at)
    if (
        word is None
        or fold_chars(word[0]) in _NO_NAME
        or (gap and "\n" in gap[0] and not _long_line(text, end))
    ):
        return
    case = case_at(text, start, at + 20)
    if case == "lower" and apposed:
        return
    stop = strong_run(text, at, case, sure=apposed is None, wrapped=True)
    if stop is None or not _is_person(text, at, stop, case, sure=apposed is None, noun=apposed is None):
        return
    if apposed and len(text[at:stop].split()) < 2 and not is_given(fold_chars(text[at:stop])):
        return
    if case != "printed" and not any(may_be_name(fold_chars(w)) for w in WORD.findall(text[at:stop])):
        return
    yield at, stop
    yield from _others(text, stop, case)


def _behind_phrase(
    text: str, folded: list[str], i: int, end: int, phrases: _Phrases
) -> Iterator[tuple[int, int]]:
    """Who stands behind the longest phrase that ends here."""
    told = (before.get(tuple(folded[i - count : i])) for count, before in phrases if count <= i)
    sure = next((one for one in told if one is not None), None)
    gap = _BEFORE_NAME.match(text, end)
    if sure is None or gap is None:
        return
    at = _HONOUR.match(text, gap.end()).end()  # type: ignore[union-attr]
    case = case_at(text, end, at + 20)
    if "\n" in gap[0] and ":" not in gap[0] and not (folded[i] in _PREPOSITIONS and _long_line(text, end)):
        return
    word = WORD.match(text, at)
    if word and fold_chars(word[0]) in ("de", "del") and not sure:
        return
    stop = strong_run(text, at, case, sure=sure)
    if stop is None or not _is_person(text, at, stop, case, sure=sure):
        return
    yield at, stop
    yield from _others(text, stop, case)


def _before_verb(
    text: str, spans: list[tuple[int, int]], folded: list[str], i: int
) -> Iterator[tuple[int, int]]:
    """ "Luz pide que se arregle": one or two names that open a sentence, and what only people do."""
    start, end = spans[i]
    value = text[start:end]
    if not (value.istitle() and may_be_name(folded[i])):
        return
    if not _opens(text, start) and not (text[start - 2 : start] == ", " and is_given(folded[i])):
        return
    at = i + 1
    while at < min(i + 4, len(folded) - 1) and text[spans[at][0]].isupper() and may_be_name(folded[at]):
        at += 1
    if folded[at] in _VERBS and text[spans[at - 1][1] : spans[at][0]] == " " and text[spans[at][0]].islower():
        last = spans[at - 1][1]
        if text[end:last].replace(" ", "").isalpha() or end == last:
            yield start, last


def _opens(text: str, start: int) -> bool:
    return start == 0 or re.search(r"(?:[.!?¿¡:\n\-–—]|^)\s*$", text[max(0, start - 3) : start]) is not None


def _long_line(text: str, end: int) -> bool:
    return end - text.rfind("\n", max(0, end - 200), end) >= 40


def _is_person(text: str, start: int, end: int, case: Case, *, sure: bool, noun: bool = False) -> bool:
    """Whether a run behind an announcement names somebody rather than a body, a place or a thing."""
    words = [fold_chars(w) for w in WORD.findall(text[start:end])]
    core = [w for w in words if w not in PARTICLES and len(w) > 1]
    if not core or core[0] in never_names() or (core[0] in role_words() and not may_be_name(core[0])):
        return False
    if (
        words[0] in OPENS_PLACE
        and not is_given(words[0])
        and not (len(core) > 1 and is_given(core[-1]) and not is_ordinary(core[-1]))
    ):
        return False
    if len(core) == 1 and (
        core[0] in TITLE_WORDS or (core[0] in NOUNS and not (sure and core[0] == "primo"))
    ):
        return False
    if sure and case == "printed":
        return True
    if case == "printed":
        return any(map(may_be_name, core)) or not all(map(is_ordinary, core))
    if len(core) == 1:
        return (
            is_strong(core[0])
            or not is_ordinary(core[0])
            or (may_be_name(core[0]) and len(core[0]) > 2 and (noun or (sure and not is_common(core[0]))))
        )
    return any(is_strong(w) or not is_ordinary(w) for w in core) or (
        sure and not all(map(is_common, core[1:]))
    )


def _others(text: str, end: int, case: Case) -> Iterator[tuple[int, int]]:
    """The further people of "A, B y C"; each must hold a name."""
    for _ in range(12):
        link = _LINK.match(text, end)
        if link is None:
            return
        at = _HONOUR.match(text, link.end()).end()  # type: ignore[union-attr]
        stop = strong_run(text, at, case, sure=case != "lower" and at > link.end())
        if stop is None:
            return
        core = [w for w in map(fold_chars, WORD.findall(text[at:stop])) if w not in PARTICLES and len(w) > 1]
        known = [w for w in core if may_be_name(w)]
        strong = [w for w in core if is_strong(w)]
        if not (
            strong
            or (len(core) > 1 and len(known) == len(core))
            or (len(core) == 1 and known and case == "printed")
        ):
            return
        if fold_chars(WORD.match(text, at)[0]) in OPENS_PLACE and not is_given(core[0]):  # type: ignore[index]
            return
        yield at, stop
        end = stop
