# ruff: noqa: E501  (tables: one form, one line)
"""Persons by rule: after a title, by known given names, and the mending of what the model found.

The model (:mod:`~astra_learn_assets.privacy.nlp`) finds most persons; these rules catch what it drops
and keep out what no person is. They are precise on purpose: ordinary words, institutions and public
places stay readable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from astra_learn_assets.privacy.cleaning import fold_chars
from astra_learn_assets.privacy.lexicon import (
    given_names,
    ordinary_words,
    place_words,
    role_words,
    surnames,
    vocabulary,
)
from astra_learn_assets.privacy.rules import Finding

RANK = 30
_CAPITAL = r"[A-ZÁÉÍÓÚÜÑÀÈÒÇ][^\W\d_]*(?:['’·-][^\W\d_]+)*"
WORD = re.compile(r"[^\W\d_]+(?:['’·][^\W\d_]+)*[ªº]?")
PARTICLES = frozenset(
    [
        "de",
        "del",
        "la",
        "las",
        "los",
        "el",
        "i",
        "da",
        "das",
        "do",
        "dos",
        "di",
        "van",
        "von",
        "der",
        "den",
        "san",
        "santa",
        "san",
        "ben",
        "al",
        "bin",
        "ibn",
        "d",
    ]
)
_TITLE = re.compile(
    r"(?<![\w.])(?:(?:señor(?:a|es|as|ita)?|sr(?:e?s|a|as|ta)?|don|doña|dn|dña|dñª|dª|d[.]ª|d|doctora?|dra?|licenciad[oa]|lic|lcd[oa]|"
    r"ing|ingenier[oa]|abg|abogad[oa]|arq|arquitect[oa]|econ|economista|prof|profesora?|mtr[oa]|maestr[oa]|tlg[oa]|crnl|coronel|sgto|cap|"
    r"capitán|comandante|inspectora?|agente|fray|sor|padre|párroco|monseñor|mons|concejal|concejala|conceller|edil|edila|regidora?|alcalde|"
    r"alcaldesa|vicealcalde|vicealcaldesa|tte|síndic[oa]|diputad[oa]|senadora?|consejer[oa]|ministr[oa]|portavoz|secretari[oa]|interventora?|"
    r"tesorer[oa]|vocal|presidente|presidenta|vicepresident[ea]|vecin[oa]|ciudadan[oa]|compañer[oa]s?|tí[oa]|prefect[oa]|intendent[ea]|"
    r"asambleísta|director|directora|jef[ea]|técnic[oa]|testigo|denunciante|solicitante|contribuyente|herman[oa]s|herederos de|viuda de|"
    r"hij[oa]s? de|familia|letrad[oa]|notari[oa]|juez|jueza|gobernadora?|fdo|firmado|atentamente)(?!\w)(?:[ ]*[.:ªº]+)?[ ]*(?:[-–:][ ]*)?)+",
    re.IGNORECASE,
)  # fmt: skip
_STRONG_TITLE = re.compile(
    r"(?:señor(?:a|es|as|ita)?|sr(?:e?s|a|as|ta)?|don|doña|dn|dña|dñª|dª|d|d[.]ª|doctora?|dra?|lic|lcd[oa]|ing|abg|arq|econ|mtr[oa]|fray|sor|fdo)(?:[ ]*[.:ªº]+)?[ ]*$",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?i)(?:nombres?(?: y apellidos)?|apellidos?|m[ée]dic[oa]|facultativ[oa]|responsable(?: clínico)?|paciente|firmado|fdo|solicitante|"
    r"interesad[oa]|titular|remitido por|autor[ae]?s?|asistentes|ausentes?|presentes|concejal[ea]s|secretari[oa]|alcald(?:e|esa)|a favor|"
    r"en contra|votan|abstenci[óo]n(?:es)?)\s*[.:]\s*$"
)
_PREFIX = frozenset(["mª", "ma", "m", "fco", "fca", "jose", "juan", "maria"])


_CONNECTIVES = frozenset(["a", "e", "o", "u", "y"])


def is_name_word(word: str) -> bool:
    """Whether a folded word is in the lists of given names or surnames."""
    return word in given_names() or word in surnames()


@lru_cache(maxsize=65536)
def is_ordinary(word: str) -> bool:
    """Whether a folded word is everyday Spanish, a place or an institution rather than a name."""
    return word in _CONNECTIVES or word in ordinary_words() or word in role_words() or word in place_words()


def _capital(word: str) -> bool:
    return word[:1].isupper()


def _run(text: str, start: int, *, lower: bool, limit: int = 7, titled: bool = False) -> int | None:
    """End of the run of name words that begins at ``start``, or None. ``lower`` accepts lower case."""
    at, end, count = start, None, 0
    while count < limit:
        match = WORD.match(text, at)
        if match is None:
            break
        value = match[0]
        folded = fold_chars(value)
        if folded in PARTICLES and (not _capital(value) or value.isupper() or folded not in ("san", "santa")):
            if end is None and not titled:
                break
            count += 1
        elif not _accept(value, folded, first=end is None, lower=lower, titled=titled):
            break
        else:
            end = match.end()
            count += 1
        join = re.compile(r"[ ]{1,3}|-|[.](?=[ ]?[A-ZÁÉÍÓÚÑ])[ ]?").match(text, match.end())
        if join is None or (join[0].startswith(".") and len(value) > 2 and folded not in _PREFIX):
            break
        at = join.end()
    return end


def _accept(value: str, folded: str, *, first: bool, lower: bool, titled: bool) -> bool:
    known = is_name_word(folded)
    if folded in role_words() and not (known and not first and _capital(value)):
        return False
    if _capital(value):
        if len(value) == 1:
            return True
        if value.isupper() and len(value) > 1:
            return known or not is_ordinary(folded)
        return known or titled or not is_ordinary(folded)
    return lower and len(value) > 2 and not is_ordinary(folded) and (first or known)


def titled(text: str) -> Iterator[Finding]:
    """Persons after a title: ``el señor García López``, ``Dña.Pilar``, ``don pedro garcía``."""
    for match in _TITLE.finditer(text):
        lead = match[0]
        if not lead[-1:].isspace() and not lead.rstrip().endswith((".", "ª", "º", ":", "-")):
            continue
        strong = _STRONG_TITLE.search(lead) is not None
        single = re.search(r"(?:^|\s)[dD][.]?\s*$", lead)
        if single and not lead.rstrip().endswith((".", "ª")):
            continue
        lower = strong and not single and not lead.rstrip().endswith((".", ":", "-"))
        all_capitals = lead.isupper() and len(lead.strip(" .")) > 2
        end = _run(text, match.end(), lower=lower, titled=strong and not all_capitals)
        if end is not None and (strong or _has_name(text[match.end() : end])):
            yield Finding(match.end(), end, "PERSONA", RANK, "title")
            yield from _second(text, end)


def _second(text: str, end: int) -> Iterator[Finding]:
    """The other person of "los señores Ábalos e Iglesias" or "Ruiz, Soto y Vega"."""
    link = re.compile(r"(?:, | y | e )").match(text, end)
    while link:
        stop = _run(text, link.end(), lower=False, limit=5)
        if stop is None or not _has_name(text[link.end() : stop]):
            return
        yield Finding(link.end(), stop, "PERSONA", RANK, "title")
        link = re.compile(r"(?:, | y | e )").match(text, stop)


def _has_name(value: str) -> bool:
    """Whether at least one word is in the name lists or no Spanish word at all (and not an acronym)."""
    for word in WORD.findall(value):
        folded = fold_chars(word)
        if folded in PARTICLES or len(folded) < 3:
            continue
        if is_name_word(folded) or not is_ordinary(folded):
            return True
    return False


def listed(text: str) -> Iterator[Finding]:
    """Runs that hold a known name: ``Lucía Ortega Prado``, ``ORTEGA PRADO, LUCIA``, a lone ``Lucía``.

    Also in lower case, where a listed word is nothing else in Spanish. Not after a street or school.
    """
    last = 0
    for match in WORD.finditer(text):
        if match.start() < last:
            continue
        folded = fold_chars(match[0])
        given, surname = folded in given_names(), folded in surnames()
        if not (given or surname) or (folded in place_words() and not given):
            continue
        if after_place_head(text, match.start()):
            continue
        capital = _capital(match[0])
        if not capital and (is_ordinary(folded) or len(folded) < (4 if given else 5)):
            continue
        end = _run(text, match.start(), lower=not capital)
        if end is None:
            continue
        words = [fold_chars(w) for w in WORD.findall(text[match.start() : end])]
        words = [w for w in words if w not in PARTICLES]
        comma = _COMMA.match(text, end)
        if capital and comma and surname and len(words) <= 3:
            stop = _run(text, comma.end(), lower=False, limit=3)
            first = WORD.match(text, comma.end())
            if stop and first and fold_chars(first[0]) in given_names():
                last = stop
                yield Finding(match.start(), stop, "PERSONA", RANK, "list")
                continue
        if _believable(text, match.start(), words, given):
            last = end
            yield Finding(match.start(), end, "PERSONA", RANK, "list")


_PREPOSITION = re.compile(  # "Ayuntamiento de Villaverde", "en Villaverde": towns bear surnames too
    r"(?i)(?<!\w)(?:(?:en|desde|hasta|hacia)|(?:ayuntamiento|alcald[íi]a|municipios?|municipalidad|pueblo|villa|ciudad|localidad|vecin[oa]s|provincia|"
    r"cant[óo]n|parroquia|diputaci[óo]n|cabildo|gad|fiestas|feria|pedan[íi]a|comarca|natural|junta|universidad|obispado|comunidad|gobierno|alcalde|alcaldesa|regi[óo]n)(?: \w+)? del?)\s+$"
)
_COMMA = re.compile(r",[ ](?=[^\W\d_])")
_SAINT = re.compile(
    r"(?i)(?:\bsan|\bsanta|\bsanto|\bsto\.?|\bsta\.?|\bvirgen (?:de )?(?:la |los |las |del )?)\s*$"
)


def _believable(text: str, start: int, words: list[str], given: bool) -> bool:
    if not words or _SAINT.search(text[max(0, start - 16) : start]):
        return False
    if len(words) == 1:
        placed = not given and _PREPOSITION.search(text[max(0, start - 40) : start]) is not None
        return not placed and not is_ordinary(words[0]) and len(words[0]) > (3 if given else 4)
    if given:
        return any(is_name_word(w) for w in words[1:]) or not all(is_ordinary(w) for w in words)
    return not all(is_ordinary(w) for w in words) and is_name_word(words[0])


def after_place_head(text: str, start: int) -> bool:
    """Whether a street, school or the like stands before, with nothing but particles and titles between."""
    window = text[max(0, start - 40) : start]
    for word in reversed(_TOKENS.findall(window)):
        folded = fold_chars(word)
        if folded in _PLACE_HEADS:
            return True
        if folded not in PARTICLES and folded not in _HONOURS and not folded.isdigit():
            return False
    return False


_TOKENS = re.compile(r"\w+|[.,;:!?()\n]")
_PLACE_HEADS = frozenset(vocabulary()["place heads"]) - {
    "hermanos",
    "casa",
    "grupo",
    "familia",
    "virgen",
    "san",
    "santa",
    "santo",
    "sto",
    "sta",
    "ley",
    "plan",
    "c",
}
_HONOURS = frozenset(
    [
        "doctor",
        "doctora",
        "dr",
        "general",
        "padre",
        "alcalde",
        "maestro",
        "maestra",
        "poeta",
        "pintor",
        "obispo",
        "conde",
        "duque",
        ".",
    ]
)


def speakers(text: str) -> Iterator[Finding]:
    """Names that stand where a speaker or a list of members stands: ``Ceballos: ...``, ``Ausentes: X, Y``."""
    for match in _SPEAKER.finditer(text):
        words = [fold_chars(w) for w in WORD.findall(match[1]) if fold_chars(w) not in PARTICLES]
        lone_acronym = len(words) == 1 and (len(words[0]) < 4 or (match[1].isupper() and len(words[0]) < 6))
        if (
            words
            and not lone_acronym
            and not any(w in role_words() for w in words)
            and not all(map(is_ordinary, words))
        ):
            yield Finding(match.start(1), match.end(1), "PERSONA", RANK, "speaker")
    for label in _LIST_LABEL.finditer(text):
        at: int | None = label.end()
        while at is not None:
            end = _run(text, at, lower=False, limit=7)
            if end is None:
                break
            value = text[at:end]
            if _has_name(value) and not (value.isupper() and len(value) < 5):
                yield Finding(at, end, "PERSONA", RANK, "speaker")
            link = _LIST_LINK.match(text, end)
            at = link.end() if link else None


_SPEAKER = re.compile(
    rf"(?m)^[ \t]*(?:[-–•*][ ]*|\d{{1,3}}[.)-]+[ ]*)?({_CAPITAL}(?:[ ](?:(?:de|del|la|las|los|i)[ ]){{0,2}}{_CAPITAL}){{0,4}})[ ]?(?::|[.][ ]?[-–])(?=\s|$)"
)
_LIST_LABEL = re.compile(
    r"(?i)(?<!\w)(?:asistentes|presentes|ausentes?|excusan su asistencia|excusad[oa]s|votan a favor|votos a favor|votan en contra|votos en contra|"
    r"a favor|en contra|se abstienen|abstenci[óo]n(?:es)?|concejales|concejalas|miembros|vocales)[ ]?:[ ]*(?:(?:D|Dña|D[ªa]|Don|Doña|Sra?)[.ªº]*[ ]?)?"
)
_LIST_LINK = re.compile(
    r"(?:, (?:y )?|; ?| y | e | [|] )(?:(?:D|Dña|D[ªa]|Don|Doña|don|doña|Sra?)[.ªº]*[ ]?)?(?=[^\W\d_])"
)
_TAIL = frozenset(["y", "e", "gracias", "que", "señor", "señora", "don", "doña", "sr", "sra"])
_HEAD = frozenset(
    ["el", "la", "los", "las", "y", "e", "a", "al", "con", "que", "gracias", "señor", "señora", "señores"]
)
_STARTS = re.compile(r"(?:^|[.!?\n¿¡…]\s*)$")


def mend(text: str, start: int, end: int) -> tuple[int, int] | None:
    """What a model's person span should be: whole words, no title, no tail; None when it is no person.

    A span of nothing but ordinary words needs a title, a label or a known surname to stay.
    """
    while start > 0 and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum() and text[end - 1].isalnum():
        end += 1
    lead = _TITLE.match(text, start, end)
    while lead and lead.end() < end and (lead[0][-1].isspace() or lead[0].rstrip()[-1] in ".ªº:"):
        start = lead.end()
        lead = _TITLE.match(text, start, end)
    titled_before = bool(_STRONG_TITLE.search(text[max(0, start - 14) : start]))
    placed = titled_before or bool(_LABEL.search(text[max(0, start - 28) : start]))
    words = _trimmed(text, list(WORD.finditer(text, start, end)), titled_before, placed)
    if not words:
        return None
    start, end = words[0].start(), words[-1].end()
    if end < len(text) and text[end] == "." and len(words[-1][0]) == 1 and len(words) > 1:
        end += 1
    folded = [fold_chars(w[0]) for w in words if fold_chars(w[0]) not in PARTICLES]
    if not folded or all(len(w) == 1 for w in folded) or all(w in role_words() for w in folded):
        return None
    if placed:
        return start, end
    if not any(_capital(w[0]) for w in words) and not any(_name_like(w[0]) for w in words):
        return None
    if all(map(is_ordinary, folded)):
        known = _capital(words[0][0]) and any(map(is_name_word, folded))
        lone_start = len(folded) == 1 and _STARTS.search(text[max(0, start - 4) : start]) is not None
        speaks = re.match(r"[ ]?:\s", text[end : end + 3]) is not None and not any(
            w in role_words() for w in folded
        )
        if not (
            (known and not (lone_start and folded[0] not in given_names())) or (speaks and len(folded) > 1)
        ):
            return None
    return start, end


def _trimmed(text: str, words: list[re.Match[str]], titled_before: bool, placed: bool) -> list[re.Match[str]]:
    """A person's words without what does not belong at the head and the tail."""

    def folded(index: int) -> str:
        return fold_chars(words[index][0])

    while words and (folded(-1) in PARTICLES or folded(-1) in _TAIL):
        words.pop()
    while words and folded(0) in _HEAD:
        if titled_before and len(words) > 1 and folded(0) in PARTICLES:
            break
        words.pop(0)
    while (
        len(words) > 1
        and not placed
        and not _name_like(words[0][0])
        and any(_name_like(w[0]) for w in words[1:])
    ):
        opens = _STARTS.search(text[max(0, words[0].start() - 4) : words[0].start()]) is not None
        if _capital(words[0][0]) and not opens and folded(0) not in role_words():
            break
        words.pop(0)
    while len(words) > 1 and not _capital(words[-1][0]) and not _name_like(words[-1][0]):
        words.pop()
    while len(words) > 1 and folded(-1) in role_words() and not is_name_word(folded(-1)):
        words.pop()
    for position in range(2, len(words)):
        if (
            folded(position) in role_words()
            and not is_name_word(folded(position))
            and folded(position - 1) in PARTICLES
        ):
            words = words[:position]
            break
    while words and folded(-1) in PARTICLES:
        words.pop()
    return words


def _name_like(word: str) -> bool:
    folded = fold_chars(word)
    return folded not in PARTICLES and (is_name_word(folded) or not is_ordinary(folded))


def extend(text: str, start: int, end: int) -> int:
    """New end of a person's span: the surname the model cut off ("Bel [Accensi]") belongs to it."""
    at = end
    while True:
        join = re.compile(r"(?:[ ]{1,2}|-)(?:(?:de la|de los|de las|del|de|i|d['’])[ ])?").match(text, at)
        match = join and WORD.match(text, join.end())
        if not match:
            return end
        folded = fold_chars(match[0])
        link = join[0].strip() if join else ""
        upper = match[0].isupper() and len(match[0]) > 1
        if not _capital(match[0]) or folded in role_words() or folded in PARTICLES:
            return end
        if upper and not text[start:end].isupper():
            return end
        known = folded in surnames() or (folded in given_names() and not link)
        if link and not (known and not is_ordinary(folded)):
            return end
        if not known and is_ordinary(folded):
            return end
        if known and upper and folded in ordinary_words():
            return end
        at = end = match.end()
