"""Persons by their place in minutes: who speaks, votes, attends, is spoken to or introduced."""

from __future__ import annotations

import re
from collections.abc import Iterator

from astra_learn_assets.privacy.identifiers.rules import Finding
from astra_learn_assets.privacy.people.name_runs import RANK, has_listed_name, has_name, name_run
from astra_learn_assets.privacy.people.tables import words as table
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.lexicon import given_names, place_words, role_words
from astra_learn_assets.spanish.name_words import (
    PARTICLES,
    WORD,
    is_common,
    is_inflected,
    is_name_word,
    is_ordinary,
    tokens,
)

_CAPITAL = r"[A-ZÁÉÍÓÚÜÑÀÈÒÇ][^\W\d_]*(?:['’·-][^\W\d_]+)*"
_SPEAKER = re.compile(
    rf"(?m)^[ \t]*(?:[-–•*][ ]*|\d{{1,3}}[.)-]+[ ]*)?({_CAPITAL}(?:[ ](?:(?:de|del|la|las|los|"
    rf"i)[ ]){{0,2}}{_CAPITAL}){{0,4}})[ ]?(?::|[.][ ]?[-–])(?=\s|$)"
)
_SPEAKS = re.compile(r":|[.][ ]?[-–]")  # what every _SPEAKER ends on
_LIST_WORDS = table("list_words")  # in a _LIST_LABEL without a colon
_LIST_LABEL = re.compile(
    r"(?i)(?<!\w)(?:asistentes|presentes|ausentes?|excusan su asistencia|excusad[oa]s|votan a favor|"
    r"votos a favor|votan en contra|votos en contra|"
    r"a favor|en contra|se abstienen|abstenci[óo]n(?:es)?|concejales|concejalas|miembros|"
    r"vocales)[ ]?:[ ]*(?:(?:D|Dña|D[ªa]|Don|Doña|Sra?)(?!\w)[.ªº]*[ ]?)?"
    r"|(?<!\w)(?:votos? (?:a favor|en contra|favorables?) de|abstenci[óo]n(?:es)? de|a favor|en contra|"
    r"vot(?:an?|aron) (?:que )?(?:sí|si|no)|"
    r"los (?:señores )?(?:ediles|concejales)|las (?:señoras )?(?:edilas|concejalas)|(?:conste|"
    r"apunte) que)[ ]+(?=[^\W\d_])"
)
_LIST_LINK = re.compile(
    r"(?:, (?:[yY] )?|; ?| [yeYE] | [|] |  )(?i:(?:D|Dña|D[ªa]|Don|Doña|Sra?)(?!\w)[.ªº]*[ ]?)?(?=[^\W\d_])"
)


def speakers(text: str) -> Iterator[Finding]:
    """Names where a speaker or a list of members stands: ``Ceballos: ...``, ``Ausentes: X, Y``."""
    for match in _SPEAKER.finditer(text) if _SPEAKS.search(text) else ():
        words = [fold_chars(w) for w in WORD.findall(match[1]) if fold_chars(w) not in PARTICLES]
        lone_acronym = len(words) == 1 and (len(words[0]) < 4 or (match[1].isupper() and len(words[0]) < 6))
        if len(words) == 1 and (lone_acronym or is_ordinary(words[0])):
            if len(words[0]) > 2 and is_name_word(words[0]) and not is_common(words[0]):
                yield Finding(match.start(1), match.end(1), "PERSONA", RANK, "speaker")
        elif (
            words
            and not any(w in role_words() for w in words)
            and not all(map(is_ordinary, words))
            and (not any(map(is_common, words)) or has_listed_name(match[1]) or not match[1].isupper())
        ):
            yield Finding(match.start(1), match.end(1), "PERSONA", RANK, "speaker")
    yield from _rostered(text)
    labelled = ":" in text or not _LIST_WORDS.isdisjoint(tokens(text).words)
    for label in _LIST_LABEL.finditer(text) if labelled else ():
        items = _members(text, label.end())
        sure = ":" in label[0]
        people = any(
            has_listed_name(text[s:e])
            or is_name_word(fold_chars(text[s:e].split()[-1] if sure else text[s:e]))
            for s, e in items
        )
        for start, end in items:
            value = text[start:end]
            words = [fold_chars(w) for w in WORD.findall(value)]
            if value.isupper() and len(value) < 5 and not is_name_word(fold_chars(value)):
                continue
            loose = not value[0].isupper() or value.isupper()
            if (has_name(value) and not loose) or (
                people and not any(w in role_words() or (w in place_words() and not loose) for w in words)
            ):
                yield Finding(start, end, "PERSONA", RANK, "speaker")


def _rostered(text: str) -> Iterator[Finding]:
    """Surnames and given name of one line of a roster: "3) Cruz Toro, Gregorio"."""
    for match in _ROSTER.finditer(text) if "," in text else ():
        words = [fold_chars(w) for w in WORD.findall(match[1]) if fold_chars(w) not in PARTICLES]
        named = [is_name_word(w) and not is_ordinary(w) for w in words]
        last = fold_chars(WORD.findall(match[1].split(",")[1])[0])
        if any(named) and (last in given_names() or sum(named) > 1):
            yield Finding(match.start(1), match.end(1), "PERSONA", RANK, "speaker")


_ROSTER_NAME = rf"(?:(?:(?i:de|del|san|santa) (?:(?i:la|las|los) )?)?{_CAPITAL})"
_ROSTER = re.compile(
    rf"(?:^|[\n;|]|\d[.)]-?)[ ]*({_ROSTER_NAME}(?: {_ROSTER_NAME}){{0,2}}, {_CAPITAL}(?: {_CAPITAL}){{0,2}})"
    rf"(?=$|[ ]*(?:[\n;|]|[.](?=\s*(?:\n|$)))|[ ]+\d{{1,3}}[.)])"
)


def _members(text: str, at: int) -> list[tuple[int, int]]:
    """Spans of the people listed from ``at`` on, up to the first item that cannot be one."""
    items: list[tuple[int, int]] = []
    while True:
        lead = _LEAD.match(text, at)
        first = lead.end() if lead else at
        upper = text[first : first + 4].isupper()
        end = name_run(
            text, first, lower=False, limit=7, titled=not upper and text[first : first + 1].isupper()
        )
        if end is None or text[end : end + 1] == "-":
            item = _ITEM.match(text, first)
            words = [fold_chars(w) for w in WORD.findall(item[0])] if item else []
            if (
                item is None
                or not (item[0].islower() or item[0].isupper())
                or not all(map(_may_be_named, words))
            ):
                return items
            end = item.end()
        items.append((at, end))
        link = _LIST_LINK.match(text, end)
        if link is None:
            return items
        at = link.end()


def _may_be_named(word: str) -> bool:
    """Whether a folded word of a list of people can be part of a name: no office, no form of a verb."""
    return word not in role_words() and (is_name_word(word) or not is_inflected(word))


_LEAD = re.compile(r"(?i)(?:(?:de|del|san|santa)(?: (?:la|las|los))? )(?=[^\W\d_]{3})")
_ITEM = re.compile(  # up to four words of a list in lower case or capitals, with the links inside a name
    r"[^\W\d_]{3,}(?:['’-][^\W\d_]+)*(?: (?:(?:i|de|del|de la|de los|de las|I|DE|DEL|DE LA|DE LOS|"
    r"DE LAS) )?[^\W\d_]{3,}(?:['’-][^\W\d_]+)*){0,3}"
    r"(?=$|[.,;:\n]| [yeYE|] |  )"
)


_GOES_ON = re.compile(r"[\w-]|[ ](?:de|del)[ ]|[ ][A-ZÁÉÍÓÚÑ]")
_IS_SELF = re.compile(r"(?i)(?<!\w)(?:soy|me llamo|mi nombre es)[ ]$")
_SAYS = re.compile(
    r"(?i)(?<!\w)(?:dicho|comentado|explicado|preguntado|pedido|dice|dijo|decía|comenta|comentó|pregunta|"
    r"preguntó|contesta|contestó|responde|respondió|explica|explicó|según|hij[oa]|herman[oa])"
    r"(?:[ ](?:antes|ahora|ayer|hoy|bien))?[ ]$"
)
_VOCATIVE = re.compile(r",[ ]$|(?i:(?<!\w)gracias[ ])$")
_INTRODUCES = re.compile(r"(?i)(?<!\w)(?:(me llamo|mi nombre es)|soy) (?=[^\W\d_]{3})")
_KIN_WORDS = frozenset(
    ["menor", "hijo", "hija", "hermano", "hermana", "niño", "niña", "soy", "llamo", "nombre"]
)  # one is in each _KIN
_KIN = re.compile(
    r"(?<!\w)(?:menor|hij[oa]|herman[oa]|niñ[oa]|soy|me llamo|"
    r"mi nombre es) ([A-ZÁÉÍÓÚÑ][a-záéíóúüñ]{2,})(?![\w-])"
)


def addressed(text: str) -> Iterator[Finding]:
    """A given name that is an everyday word too, where someone is spoken to or says who they are.

    "No, Concepción, eso no", "como ha dicho Consuelo", "buenas tardes soy encarna", "el menor Yeray".
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
    for match in _INTRODUCES.finditer(text) if not _KIN_WORDS.isdisjoint(found.words) else ():
        stop = name_run(text, match.end(), lower=match[1] is not None, limit=6)
        words = [fold_chars(w) for w in WORD.findall(text[match.end() : stop or match.end()])]
        if stop and (match[1] or len(words) > 1) and not any(map(is_inflected, words[:1])):
            yield Finding(match.end(), stop, "PERSONA", RANK, "title")
    for match in _KIN.finditer(text) if not _KIN_WORDS.isdisjoint(found.words) else ():
        folded = fold_chars(match[1])
        if folded not in PARTICLES and folded not in role_words() and not is_ordinary(folded):
            yield Finding(match.start(1), match.end(1), "PERSONA", RANK, "title")
