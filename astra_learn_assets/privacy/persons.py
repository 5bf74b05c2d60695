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
from typing import NamedTuple

from astra_learn_assets.privacy.cleaning import fold_chars
from astra_learn_assets.privacy.lexicon import (
    frequent_words,
    given_names,
    kept_phrases,
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
_TITLE_HEADS = frozenset(vocabulary()["title heads"])  # the first words of _TITLE: only there is it tried
_FULL_STOP = re.compile(  # "ese señor. Usted": a title written out takes no full stop
    r"(?i)(?:señor(?:a|es|as|ita)?|don|doña|doctora?|alcald(?:e|esa)|concejala?|secretari[oa]|president[ea]|vecin[oa]|ciudadan[oa]|diputad[oa]|"
    r"ministr[oa]|consejer[oa]|portavoz|directora?|compañer[oa]s?|famili[a]|padre|jefe|jefa|vocal|juez|jueza|interventora?|tesorer[oa])[.][ ]+$"
)
_ABBREVIATED = frozenset(
    ["dª", "dñª", "dr", "dra", "lic", "lcd", "ing", "abg", "arq", "econ", "prof", "mtro", "mtra", "crnl", "sgto", "tlgo", "tlga", "mons", "fdo", "excmo", "excma"]
)  # fmt: skip
_CITIZEN = re.compile(r"(?i)(?<!\w)(?:el|la|los|las|al|del)[ ]+c[.]")
_WEAK_TITLE = re.compile(
    r"(?i)(?<!\w)(?:concejal[ae]?|edila?|regidora?|alcald(?:e|esa)|síndic[oa]|diputad[oa]|portavoz|vecin[oa]|ciudadan[oa]|compañer[oa]s?|licenciad[oa]|"
    r"abogad[oa]|arquitect[oa]|ingenier[oa]|economista|profesora?|maestr[oa]|familia(?: de)?|herman[oa]s|viuda de|herederos de|hij[oa] de|señor[ai]ta)[ ]+$"
)
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


TITLE_WORDS = frozenset(vocabulary()["titles"]) | {
    "licenciado",
    "licenciada",
    "abogado",
    "abogada",
    "alcalde",
    "alcaldesa",
    "familia",
}
_CONNECTIVES = frozenset(["a", "e", "o", "u", "y"])


@lru_cache(maxsize=65536)
def is_name_word(word: str) -> bool:
    """Whether a folded word is in the lists of given names or surnames."""
    return word in given_names() or word in surnames()


class Tokens(NamedTuple):
    """The words of a text, folded, with their spans; which of them open a title or are listed names."""

    spans: list[tuple[int, int]]
    words: list[str]
    titles: list[int]
    names: list[int]


def tokens(text: str) -> Tokens:
    """The words of a text; remembered for short texts, because many rules ask."""
    return _short_tokens(text) if len(text) < 3000 else _read_tokens(text)


def _read_tokens(text: str) -> Tokens:
    folded = fold_chars(text)
    spans = [m.span() for m in WORD.finditer(text)]
    words = [folded[start:end] for start, end in spans]
    known = _name_words()
    return Tokens(
        spans,
        words,
        [i for i, word in enumerate(words) if word in _TITLE_HEADS],
        [i for i, word in enumerate(words) if word in known],
    )


_short_tokens = lru_cache(maxsize=1024)(_read_tokens)


@lru_cache(maxsize=1)
def _name_words() -> frozenset[str]:
    return given_names() | surnames()


@lru_cache(maxsize=65536)
def is_ordinary(word: str) -> bool:
    """Whether a folded word is everyday Spanish, a place or an institution rather than a name."""
    return word in _CONNECTIVES or word in ordinary_words() or word in role_words() or word in place_words()


@lru_cache(maxsize=65536)
def is_common(word: str) -> bool:
    """Whether a folded word is so common, or so plainly an office or a place, that no span should end on it.

    "corona" and "pala" are everyday words too, but rare ones: where the model calls them a person they
    are one.
    """
    return (
        word in _CONNECTIVES
        or word in frequent_words()
        or word in role_words()
        or word in place_words()
        or word in PARTICLES
    )


_CLITIC = r"(?:se|me|te|nos|l[aeo]s?)"
_INFLECTED = re.compile(
    rf"(?:(?:[aei]r|[aie]ndo|[aei]mo|[ae]d|en){_CLITIC}{{1,2}}|[aei]rs?|ando|[iy]endo|[ae]d|[ai]d[oa]s?|[ai]n|e[ns]|[aoe]s|"
    r"[aei]mos|[ai]ste|a[bs]a[ns]?|ción|ciones|mente|[ae]ra[ns]?|it[oa]s?)$"
)


@lru_cache(maxsize=65536)
def is_inflected(word: str) -> bool:
    """Whether a folded word that no list knows looks like a form of an everyday one ("vitorear", "llámenle")."""
    ending = _INFLECTED.search(word)
    if ending is None or ending.start() < 4 or word in given_names():
        return False
    stem = word[: ending.start()]
    return any(
        stem + tail in ordinary_words()
        for tail in ("", "a", "o", "e", "ar", "er", "ir", "ado", "as", "os", "es")
    )


def _in_prose(text: str, start: int, end: int) -> bool:
    """Whether the text around a span is written with capitals, so that a lower-case word is no name."""
    return any(c.isupper() for c in text[max(0, start - 150) : start] + text[end : end + 60])


def _capital(word: str) -> bool:
    return word[:1].isupper()


def _run(
    text: str, start: int, *, lower: bool, limit: int = 7, titled: bool = False, known: bool = False
) -> int | None:
    """End of the run of name words that begins at ``start``, or None.

    ``lower`` accepts lower case, ``titled`` everyday words with a capital; ``known`` takes capitals only,
    two words or more, one of them a listed name and nothing else ("SR. D. CALLE PEDRO").
    """
    if known:
        match = re.compile(r"[^\W\d_]+(?: [^\W\d_]+){1,2}(?!\w)").match(text, start)
        if (
            match is None
            or not _listed_name(match[0])
            or any(fold_chars(w) in role_words() for w in match[0].split())
        ):
            return None
        return match.end()
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
        elif _is_link(text, match) or not _accept(
            value, folded, first=end is None, lower=lower, titled=titled
        ):
            break
        else:
            end = match.end()
            count += 1
        join = re.compile(r"[ ]{1,3}|-|[.](?=[ ]?[A-ZÁÉÍÓÚÑ])[ ]?").match(text, match.end())
        if join is None or (join[0].startswith(".") and len(value) > 2 and folded not in _PREFIX):
            break
        at = join.end()
    return end


def _is_link(text: str, word: re.Match[str]) -> bool:
    """Whether a word is "Y" or "E" between names in capitals and no initial."""
    return fold_chars(word[0]) in _CONNECTIVES and text[word.end() : word.end() + 1] != "."


def _accept(value: str, folded: str, *, first: bool, lower: bool, titled: bool) -> bool:
    known = is_name_word(folded)
    if folded in _ABBREVIATED or (folded in role_words() and not (known and not first and _capital(value))):
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
    last = 0
    spans, _, heads, _ = tokens(text)
    for start, _ in (spans[i] for i in heads):
        match = _TITLE.match(text, start) if start >= last else None
        if match is None:
            continue
        last = match.end()
        lead = match[0]
        if not lead[-1:].isspace() and not lead.rstrip().endswith((".", "ª", "º", ":", "-")):
            continue
        if _FULL_STOP.search(lead):
            continue
        strong = _STRONG_TITLE.search(lead) is not None
        single = re.search(r"(?:^|\s)[dD][.]?\s*$", lead)
        if single and not lead.rstrip().endswith((".", "ª")):
            continue
        lower = strong and not single and not lead.rstrip().endswith((".", ":", "-"))
        all_capitals = lead.isupper() and len(lead.strip(" .")) > 2
        weak = (
            not strong
            and _WEAK_TITLE.search(lead) is not None
            and _capital(text[match.end() : match.end() + 1])
        )
        end = _run(text, match.end(), lower=lower, titled=(strong or weak) and not all_capitals)
        if end is None and strong and all_capitals:
            end = _before_colon(text, match.end()) or _run(
                text, match.end(), lower=False, limit=3, titled=True, known=True
            )
        if end is not None and (
            strong
            or _has_name(text[match.end() : end])
            or (weak and not is_common(fold_chars(text[match.end() : end])))
        ):
            if _acronym(text[match.end() : end]) and not all_capitals:
                continue
            yield Finding(match.end(), end, "PERSONA", RANK, "title")
            yield from second(text, end)


def _before_colon(text: str, start: int) -> int | None:
    """End of the one word of "SRA. CALLE:", an everyday word that only its place makes a name."""
    match = re.compile(r"([^\W\d_]{3,})(?=[ ]?(?::|[.]-))").match(text, start)
    return match.end() if match and fold_chars(match[1]) not in role_words() else None


def _acronym(value: str) -> bool:
    """Whether a run is "de UPN", a party and no person."""
    words = [w for w in WORD.findall(value) if fold_chars(w) not in PARTICLES]
    return (
        len(words) == 1
        and len(words[0]) < 6
        and words[0].isupper()
        and value[:1].islower()
        and not is_name_word(fold_chars(words[0]))
    )


_AND = re.compile(r", (?:[yeYE] )?| [yeYE] ")


def second_surname(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The "y Grande" of "Ofelia Yaprnov y Grande", where the model saw one person: up to two words, no office."""
    link = re.compile(r"[ ][yeYE][ ]").match(text, start, end)
    words = list(WORD.finditer(text, link.end(), end)) if link else []
    named = [fold_chars(w[0]) for w in words if fold_chars(w[0]) not in PARTICLES]
    if not 0 < len(named) < 3 or any(w in role_words() or w in place_words() for w in named):
        return None
    return words[0].start(), words[-1].end()


def second(text: str, end: int, *, listed_only: bool = False) -> Iterator[Finding]:
    """The other person of "los señores Ábalos e Iglesias" or "Ruiz, Soto y Vega"."""
    link = _AND.match(text, end)
    while link:
        stop = _run(text, link.end(), lower=False, limit=5)
        words = [fold_chars(w) for w in WORD.findall(text[link.end() : stop])] if stop else []
        if stop is None or not _has_name(text[link.end() : stop]) or all(w in place_words() for w in words):
            return
        if listed_only and not _listed_name(text[link.end() : stop]):
            return
        yield Finding(link.end(), stop, "PERSONA", RANK, "title")
        link = _AND.match(text, stop)


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
    spans, found, _, names = tokens(text)
    for (begin, stop), folded in ((spans[i], found[i]) for i in names):
        if begin < last:
            continue
        given, surname = folded in given_names(), folded in surnames()
        capital = text[begin].isupper()
        if (folded in place_words() and not given) or after_place_head(text, begin):
            continue
        if not capital and (is_ordinary(folded) or len(folded) < (4 if given else 5)):
            continue
        if not capital and not given and is_inflected(folded) and _in_prose(text, begin, stop):
            continue
        end = _run(text, begin, lower=not capital)
        if end is None:
            continue
        words = [fold_chars(w) for w in WORD.findall(text[begin:end])]
        words = [w for w in words if w not in PARTICLES]
        comma = _COMMA.match(text, end)
        if capital and comma and surname and len(words) <= 3:
            after = _run(text, comma.end(), lower=False, limit=3)
            first = WORD.match(text, comma.end())
            if after and first and fold_chars(first[0]) in given_names():
                last = after
                yield Finding(begin, after, "PERSONA", RANK, "list")
                continue
        if _believable(text, begin, words, given):
            last = end
            yield Finding(begin, end, "PERSONA", RANK, "list")


_PREPOSITION = re.compile(  # "Ayuntamiento de Villaverde", "en Villaverde": towns bear surnames too
    r"(?i)(?<!\w)(?:(?:en|desde|hasta|hacia)|(?:ayuntamiento|alcald[íi]a|municipios?|municipalidad|pueblo|villa|ciudad|localidad|vecin[oa]s|provincia|"
    r"cant[óo]n|parroquia|diputaci[óo]n|cabildo|gad|fiestas|feria|pedan[íi]a|comarca|natural|junta|universidad|obispado|comunidad|gobierno|alcalde|alcaldesa|regi[óo]n)(?: \w+)? del?)\s+$"
)
_TOWN_ARTICLE = re.compile(r"(?<!\w)(?:El|La|Los|Las) $")  # "Las Rozas"
_COMMA = re.compile(r",[ ](?=[^\W\d_])")
_SAINT = re.compile(
    r"(?i)(?:\bsan|\bsanta|\bsanto|\bsto\.?|\bsta\.?|\bvirgen (?:de )?(?:la |los |las |del )?)\s*$"
)


def _believable(text: str, start: int, words: list[str], given: bool) -> bool:
    if not words or _SAINT.search(text[max(0, start - 16) : start]):
        return False
    if len(words) == 1:
        town = not given or words[0] in place_words()
        if town and _TOWN_ARTICLE.search(text[max(0, start - 4) : start]):
            return False
        placed = town and _PREPOSITION.search(text[max(0, start - 40) : start]) is not None
        return not placed and not is_ordinary(words[0]) and len(words[0]) > (3 if given else 4)
    if given:
        return any(is_name_word(w) for w in words[1:]) or not all(is_ordinary(w) for w in words)
    return not all(is_ordinary(w) for w in words) and is_name_word(words[0])


@lru_cache(maxsize=1)
def _kept() -> re.Pattern[str]:
    phrases = "|".join(re.escape(p) for p in kept_phrases())
    return re.compile(rf"(?<!\w)(?:{phrases}|(?:{_LOCAL_LIST}) (?:por|para|con) [^\W\d_]+)(?!\w)")


_LOCAL_LIST = (  # what a town's own electoral list is called: "Vecinos por Villaverde"
    "vecinos|ciudadanos|juntos|unidos|independientes|alternativa|ganemos|iniciativa|coalicion|compromiso|progreso|agrupacion"
)


def kept_places(text: str) -> list[tuple[int, int]]:
    """Spans of feasts and regions that read like persons ("Castilla y León", "Inmaculada Concepción")."""
    return [m.span() for m in _kept().finditer(fold_chars(text))]


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
    for match in _SPEAKER.finditer(text) if _SPEAKS.search(text) else ():
        words = [fold_chars(w) for w in WORD.findall(match[1]) if fold_chars(w) not in PARTICLES]
        lone_acronym = len(words) == 1 and (len(words[0]) < 4 or (match[1].isupper() and len(words[0]) < 6))
        if (
            words
            and not lone_acronym
            and not any(w in role_words() for w in words)
            and not all(map(is_ordinary, words))
            and (not any(map(is_common, words)) or _listed_name(match[1]) or not match[1].isupper())
        ):
            yield Finding(match.start(1), match.end(1), "PERSONA", RANK, "speaker")
    labelled = ":" in text or not _LIST_WORDS.isdisjoint(tokens(text).words)
    for label in _LIST_LABEL.finditer(text) if labelled else ():
        at: int | None = label.end()
        items: list[tuple[int, int]] = []
        while at is not None:
            end = _run(
                text,
                at,
                lower=False,
                limit=7,
                titled=not text[at : at + 4].isupper() and text[at : at + 1].isupper(),
            )
            if end is None:
                break
            items.append((at, end))
            link = _LIST_LINK.match(text, end)
            at = link.end() if link else None
        people = any(_listed_name(text[s:e]) for s, e in items)
        for start, end in items:
            value = text[start:end]
            words = [fold_chars(w) for w in WORD.findall(value)]
            if value.isupper() and len(value) < 5:
                continue
            if _has_name(value) or (
                people and not any(w in role_words() or w in place_words() for w in words)
            ):
                yield Finding(start, end, "PERSONA", RANK, "speaker")


def _listed_name(value: str) -> bool:
    """Whether a word of ``value`` is a listed name and nothing else."""
    words = [fold_chars(w) for w in WORD.findall(value)]
    return any(is_name_word(w) and not is_ordinary(w) for w in words)


_SPEAKER = re.compile(
    rf"(?m)^[ \t]*(?:[-–•*][ ]*|\d{{1,3}}[.)-]+[ ]*)?({_CAPITAL}(?:[ ](?:(?:de|del|la|las|los|i)[ ]){{0,2}}{_CAPITAL}){{0,4}})[ ]?(?::|[.][ ]?[-–])(?=\s|$)"
)
_SPEAKS = re.compile(r":|[.][ ]?[-–]")  # what every _SPEAKER ends on
_LIST_WORDS = frozenset(
    ["favor", "contra", "voto", "votos", "abstencion", "abstenciones"]
)  # in a _LIST_LABEL without a colon
_LIST_LABEL = re.compile(
    r"(?i)(?<!\w)(?:asistentes|presentes|ausentes?|excusan su asistencia|excusad[oa]s|votan a favor|votos a favor|votan en contra|votos en contra|"
    r"a favor|en contra|se abstienen|abstenci[óo]n(?:es)?|concejales|concejalas|miembros|vocales)[ ]?:[ ]*(?:(?:D|Dña|D[ªa]|Don|Doña|Sra?)(?!\w)[.ªº]*[ ]?)?"
    r"|(?<!\w)(?:votos? (?:a favor|en contra|favorables?) de|abstenci[óo]n(?:es)? de|a favor|en contra)[ ]+(?=[^\W\d_])"
)
_LIST_LINK = re.compile(
    r"(?:, (?:[yY] )?|; ?| [yeYE] | [|] )(?i:(?:D|Dña|D[ªa]|Don|Doña|Sra?)(?!\w)[.ªº]*[ ]?)?(?=[^\W\d_])"
)
_TAIL = frozenset(["y", "e", "gracias", "que", "señor", "señora", "don", "doña", "sr", "sra"])
_HEAD = frozenset(
    ["el", "la", "los", "las", "y", "e", "a", "al", "con", "que", "gracias", "señor", "señora", "señores"]
)
_LINE_START = re.compile(r"(?:^|\n)[\s\-–•*\d.)]*$")
_STARTS = re.compile(r"(?:^|[.!?\n¿¡…]\s*)$")


def is_citizen(text: str, start: int) -> bool:
    """Whether ``C.`` at ``start`` is the Mexican title ("la C. Xóchitl") and no initial."""
    return (
        _CITIZEN.search(text[max(0, start - 5) : start + 2]) is not None
        and text[start : start + 2].upper() == "C."
    )


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
    if is_citizen(text, start):
        start = text.index(".", start) + 1
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
    if _initial(text, words[0]) and len(words) > 1 and not is_common(folded[-1]):
        return start, end
    if _WEAK_TITLE.search(text[max(0, start - 16) : start]) and not is_common(folded[0]):
        return start, end
    if (
        len(words) == 1
        and folded[0] in place_words()
        and _PREPOSITION.search(text[max(0, start - 40) : start])
    ):
        return None
    if not any(_capital(w[0]) for w in words) and not any(_name_like(w[0]) for w in words):
        return None
    if len(words) == 1 and words[0][0].islower() and is_inflected(folded[0]) and _in_prose(text, start, end):
        return None
    if all(map(is_ordinary, folded)):
        lone_start = len(folded) == 1 and _STARTS.search(text[max(0, start - 4) : start]) is not None
        known = _capital(words[0][0]) and (
            any(map(is_name_word, folded))
            or (not text[start:end].isupper() and not any(map(is_common, folded)))
        )
        speaks = re.match(r"[ ]?:\s", text[end : end + 3]) is not None and not any(
            w in role_words() or (text[start:end].isupper() and is_common(w)) for w in folded
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

    lower = not any(_capital(w[0]) for w in words)
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
        and (folded(0) in role_words() or not _whole_line(text, words))
        and (is_common(folded(0)) or not lower)
        and not _initial(text, words[0])
        and any(_name_like(w[0]) for w in words[1:])
    ):
        opens = _STARTS.search(text[max(0, words[0].start() - 4) : words[0].start()]) is not None
        if _capital(words[0][0]) and not opens and folded(0) not in role_words():
            break
        words.pop(0)
    while (
        len(words) > 1
        and not _capital(words[-1][0])
        and not _name_like(words[-1][0])
        and not (lower and not is_common(folded(-1)))
    ):
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


def _whole_line(text: str, words: list[re.Match[str]]) -> bool:
    """Whether a span fills its line or begins one up to a comma, as a name in a list of members does."""
    start, end = words[0].start(), words[-1].end()
    return (
        text[end : end + 1] in ("", "\n", ",", ";")
        and _LINE_START.search(text[max(0, start - 8) : start]) is not None
    )


def _initial(text: str, word: re.Match[str]) -> bool:
    return len(word[0]) == 1 and text[word.end() : word.end() + 1] == "."


def _name_like(word: str) -> bool:
    folded = fold_chars(word)
    return folded not in PARTICLES and (is_name_word(folded) or not is_ordinary(folded))


_NEXT = re.compile(r"[ -](?=([^\W\d_]+))")


def more_surnames(text: str, start: int, end: int) -> int:
    """New end of a person found by any detector: surnames that are everyday words too stand right behind.

    "Roso Zaragoza [Plaza]", "ARIELA RUIZ [CALLE]", "pasqual li gomis [vela]": in printed text a capital is
    enough for what no office is, elsewhere the word must be a listed name.
    """
    capitals = text[start:end].isupper()
    while match := _NEXT.match(text, end):
        word = match[1]
        folded = fold_chars(word)
        stop = match.end(1)
        if len(word) < 3 or folded in PARTICLES or folded in role_words() or folded in _TITLE_HEADS:
            return end
        if capitals:
            fits = word.isupper() and is_name_word(folded)
        elif text[start].isupper():
            fits = word.istitle() and (is_name_word(folded) or not is_common(folded))
        else:
            fits = word.islower() and folded in surnames() and not is_common(folded)
        if not fits:
            return end
        end = stop
    return end


def addressed(text: str) -> Iterator[Finding]:
    """A given name that is an everyday word too, where someone is spoken to or says who they are.

    "No, Concepción, eso no", "como ha dicho antes Consuelo", "buenas tardes soy encarna", "el menor Yeray".
    """
    found = tokens(text)
    for i in found.names:
        (start, end), folded = found.spans[i], found.words[i]
        if not is_ordinary(folded) or folded not in given_names() or folded in PARTICLES:
            continue
        before = text[max(0, start - 40) : start]
        if folded in role_words() or _GOES_ON.match(text, end):
            continue
        if _IS_SELF.search(before) or (
            text[start].isupper()
            and (_SAYS.search(before) or (_VOCATIVE.search(before) and text[end : end + 1] in ",.?!"))
        ):
            yield Finding(start, end, "PERSONA", RANK, "title")
    for match in _KIN.finditer(text) if not _KIN_WORDS.isdisjoint(found.words) else ():
        folded = fold_chars(match[1])
        if folded not in PARTICLES and folded not in role_words() and not is_ordinary(folded):
            yield Finding(match.start(1), match.end(1), "PERSONA", RANK, "title")


_GOES_ON = re.compile(r"[\w-]|[ ](?:de|del)[ ]|[ ][A-ZÁÉÍÓÚÑ]")
_IS_SELF = re.compile(r"(?i)(?<!\w)(?:soy|me llamo|mi nombre es)[ ]$")
_SAYS = re.compile(
    r"(?i)(?<!\w)(?:dicho|comentado|explicado|preguntado|pedido|dice|dijo|decía|comenta|pregunta|contesta|responde|explica|según|hij[oa]|herman[oa])"
    r"(?:[ ](?:antes|ahora|ayer|hoy|bien))?[ ]$"
)
_VOCATIVE = re.compile(r",[ ]$|(?i:(?<!\w)gracias[ ])$")
_KIN_WORDS = frozenset(
    ["menor", "hijo", "hija", "hermano", "hermana", "niño", "niña", "soy", "llamo", "nombre"]
)  # one is in each _KIN
_KIN = re.compile(
    r"(?<!\w)(?:menor|hij[oa]|herman[oa]|niñ[oa]|soy|me llamo|mi nombre es) ([A-ZÁÉÍÓÚÑ][a-záéíóúüñ]{2,})(?![\w-])"
)


def extend(text: str, start: int, end: int) -> int:
    """New end of a person's span: the surname the model cut off ("Bel [Accensi]") belongs to it."""
    at = end
    while True:
        join = re.compile(r"(?:[ ]{1,2}|-)(?:(?:de la|de los|de las|del|de|i|San|Santa|d['’])[ ])?").match(
            text, at
        )
        match = join and WORD.match(text, join.end())
        if not match:
            return end
        folded = fold_chars(match[0])
        link = join[0].strip().removeprefix("San").removeprefix("ta") if join else ""
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
