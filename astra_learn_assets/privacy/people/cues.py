"""Persons by the words around them: who is given the floor, thanked, quoted, or does what only people do.

There a listed name is a person though it is an everyday word too ("le cedo la palabra a rosa"), and so
is a word that no list knows ("por alusiones, Chuquimarca niega"). Offices and institutions never are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from astra_learn_assets.privacy.identifiers.rules import Finding
from astra_learn_assets.privacy.people.name_runs import RANK
from astra_learn_assets.privacy.people.tables import words
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.lexicon import given_names, place_words, role_words, surnames
from astra_learn_assets.spanish.name_words import (
    PARTICLES,
    TITLE_WORDS,
    WORD,
    is_common,
    is_inflected,
    is_name_word,
    is_ordinary,
    tokens,
)

_SAID = (
    r"(?:dicho|dijo|dice|decía|explic(?:ado|ó|a|aba)|coment(?:ado|ó|a|aba)|pregunt(?:ado|ó|a|aba)|"
    r"contest(?:ado|ó|a)|respond(?:ido|ió|e)|"
    r"señal(?:ado|ó|a)|indic(?:ado|ó|a)|pedido|pidió|pide|propuesto|propuso|propone|planteado|planteó|"
    r"plantea|recordado|recordó|recuerda)"
)
_GIVEN_FLOOR = re.compile(  # a person stands behind, whatever the word
    r"(?i)(?<!\w)(?:(?:ced|pas|conced|otorg)[a-zéó]{1,5} (?:la palabra|el micro(?:fono|́fono|ófono)?|"
    r"la voz|el turno|el uso de la (?:palabra|voz)) a|"
    r"(?:doy|damos|da|dar|dan) (?:la palabra|la voz|paso) a|(?:tiene|tienes|toma|con) la palabra,?|"
    r"gracias,?|por alusiones,?|"
    r"llam(?:é|ó|o|amos|aron|ado|ar) a|(?:hablé|habló|hablado|hablaron|reuní|reunió|reunido) con|dej(?:a|"
    r"ad|ar|en|e|adle|ale) (?:hablar|terminar|acabar|seguir) a|"
    r"(?:pregunt|respond|contest|explic|coment|cont|ped)[aáeéií]r?(?:se)?(?:l[eoa]s?)? a|(?:pregúnta|"
    r"explíca|cuénta|píde|díga|coménta)se?l[oae]s? a|"
    r"(?:se )?l[eo]s? (?:he |ha |hemos )?(?:dije|dicho|digo|pregunté|preguntado|pregunto|pedí|pedido|pido|"
    r"comenté|comentado) a|"
    rf"(?:como|según|eso|esto) (?:bien |ya )?(?:l[oe] )?(?:ha |han |había )?{_SAID}|"
    rf"l[oa] (?:ha )?(?:llev(?:a|ado|aba)|habl(?:ó|ado)|traj(?:o)|present(?:ó|ado)|firm(?:ó|ado))) {{1,2}}$"
)
_CALLED = re.compile(  # a given name stands behind, if any does
    r"(?i)(?<!\w)(?:a ver|oye|oiga|mira|mire|perdona|perdone|disculp[ae]|escuch[ae]|hola|adelante|"
    r"compañer[oa]|concejal[ae]?|edil|ingenier[oa]|arquitect[oa]|"
    r"abogad[oa]|licenciad[oa]|vecin[oa]|soy|me llamo|mi nombre es|(?:conste(?: en acta)?|decir) que|"
    r"¿?dónde está|(?:escrito|instancia|solicitud|recurso|renuncia|denuncia|moción|"
    r"presidencia) (?:presentad[oa] por|de)),? {1,2}$"
)
_COURTESY = re.compile(r"(?i)(?<!\w)(?:señor(?:a|ita)?|sr[.]?|sra[.]?|don|doña|d[.]|dña[.]?) $")
_ASKED = re.compile(r"(?i)¿(?:y |qué (?:dice|opina|piensa) |está |viene |ha venido |dónde está )?$")
_DOES = re.compile(  # what only people do
    r"(?i) (?:niega (?:que|haber)|(?:toma|pide|solicita) la palabra|interviene|se abstiene|se ausenta|"
    r"se incorpora|abandona (?:el salón|la sala|la sesión)|"
    r"no ha contestado|contesta|replica|puntualiza|matiza|vota (?:a favor|en contra|sí|no|que)|"
    r"qué (?:opina|dice|piensa))(?!\w)"
)
_TOLD = re.compile(  # "Victoria, deja hablar"
    r"(?i), (?:por favor|d[eé]ja(?:l[eoa]|me|nos)?|tienes|te (?:ruego|pido|cedo|toca)|termin[ae]|puedes|"
    r"espera|calla|escucha|perdona|adelante|gracias)(?!\w)"
)
_NEXT = re.compile(r"[ -](?=[^\W\d_]{2})")
_NO_NAME = (  # listed names, but not in speech
    frozenset(["bueno", "claro", "presente", "todos", "todas", "dios"]) | TITLE_WORDS | PARTICLES
)
_CUE_ENDS = words("cue_ends")
_ACTS = words("acts")


def cued(text: str) -> Iterator[Finding]:
    """Persons beside the words of giving the floor, thanking, quoting, asking and voting, in any case."""
    found = tokens(text)
    acts = not _ACTS.isdisjoint(found.words)
    last = 0
    for i, ((start, _), folded) in enumerate(zip(found.spans, found.words, strict=True)):
        told = (i == 0 or text[start - 2 : start] in (". ", "? ", "! ", ": ")) and folded in given_names()
        if told and (text[start].isupper()) and _TOLD.match(text, found.spans[i][1]):
            last = found.spans[i][1]
            yield Finding(start, last, "PERSONA", RANK, "title")
        behind = i > 0 and found.words[i - 1] in _CUE_ENDS
        if start < last or not (behind or (acts and text[start].isupper())):
            continue
        if folded in PARTICLES and _PARTICLED.match(text, start) is None:
            continue
        word = _head(text, start)
        if word is not None and _is_person(text, start, word, behind=behind):
            last = _run(text, word.end())
            yield Finding(start, last, "PERSONA", RANK, "title")


def _is_person(text: str, start: int, head: re.Match[str], *, behind: bool) -> bool:
    """Whether a cue makes a person of the name at ``start`` whose first word is ``head``."""
    word, name = head[0], fold_chars(head[0])
    given, capital = name in given_names(), head[0][0].isupper()
    if len(word) < 2 or name in _NO_NAME or (name in role_words() and not (given and len(name) > 3)):
        return False
    unlisted = _is_unlisted(name)
    before = text[max(0, start - 44) : start]
    if behind and (given or unlisted or name in surnames()):
        if _GIVEN_FLOOR.search(before):
            return given or (not is_common(name) and len(name) > 2) or (capital and name in surnames())
        if _COURTESY.search(before):
            return is_name_word(name) and len(name) > 2
        if _CALLED.search(before):
            return given and len(name) > 2 and (not capital or text.isupper())
    if not capital or name in place_words() or (word.isupper() and not text.isupper()):
        return False
    asked = _ASKED.search(before) is not None
    does = _DOES.match(text, _run(text, head.end())) is not None
    return (asked and does) or ((asked or does) and (is_name_word(name) or unlisted))


def _is_unlisted(word: str) -> bool:
    """Whether a folded word is no Spanish that a list or an ending tells of."""
    return not (is_ordinary(word) or is_inflected(word))


_PARTICLED = re.compile(r"(?i)(?:(?:de|del|san|santa|da|dos)(?: (?:la|las|los))? )([^\W\d_]{3,})")


def _head(text: str, start: int) -> re.Match[str] | None:
    """The first word of the name at ``start``, behind its particles."""
    led = _PARTICLED.match(text, start)
    return WORD.match(text, led.start(1) if led else start)


def _run(text: str, end: int) -> int:
    """New end of a name: listed words that are no more than names, in printed text any capital, follow."""
    for _ in range(4):
        link = _NEXT.match(text, end)
        if link is None:
            break
        led = _PARTICLED.match(text, link.end())
        word = WORD.match(text, led.start(1) if led else link.end())
        if word is None:
            break
        folded = fold_chars(word[0])
        if folded in role_words() or folded in _NO_NAME:
            break
        printed = word[0][0].isupper() and not word[0].isupper()
        if not ((is_name_word(folded) and (printed or not is_common(folded))) or _is_unlisted(folded)):
            break
        end = word.end()
    return end
