"""Rows of capitals that name one body, law or feast: "Junta de Andalucía", "Código Nacional de Policía".

Most of their words are ordinary ones, so the row is judged as a whole: what it begins with (a head), and
whether the rest says which one. What a town hall has and does every day ("Servicios Sociales", "Junta de
Portavoces", "Proyecto Piloto") is no name, whoever writes it with capitals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from astra_learn_assets.comparator.names.word_diff import Token
from astra_learn_assets.contracts import EntityKind
from astra_learn_assets.spanish import lexicon

_JOINTS = lexicon.CONNECTORS | {"por", "para", "con", "a", "en", "sin", "contra", "al"}
_ARTICLES = frozenset({"El", "La", "Los", "Las"})
_ANY = frozenset({"junta", "comisión", "comité", "consejo", "dirección", "secretaría", "oficina", "unidad",
                  "centro", "jefatura", "servicio", "casa", "escuela", "red", "cuerpo", "organismo", "unión",
                  "institución", "cámara", "federación", "tesorería", "instituto"})  # fmt: skip
"""Heads that a town hall has too: one adjective behind them ("Secretaría General") says nothing yet."""
_ONE_SUBJECT = frozenset({"ley", "código", "estatuto", "pacto", "agenda"})
_SAYS_NOTHING = frozenset({"orgánica", "orgánico", "general", "municipal", "local"})
_LONGEST = 12


class Body(NamedTuple):
    """Tokens ``start:end`` of the corrected text."""

    start: int
    end: int
    kind: EntityKind


def bodies(tokens: Sequence[Token]) -> Iterator[Body]:
    """The bodies named in a corrected text, none inside another."""
    position = 0
    while position < len(tokens):
        if not _capital(tokens[position]):
            position += 1
            continue
        ends = list(_ends(tokens, position))
        found = next(
            (
                (end, kind)
                for end in reversed(ends)
                if (kind := kind_of([token.text for token in tokens[position:end]])) is not None
            ),
            None,
        )
        if found is None:
            position += 1
        else:
            yield Body(position, *found)
            position = found[0]


def _capital(token: Token) -> bool:
    return token.text[0].isupper() and token.is_word


def _ends(tokens: Sequence[Token], start: int) -> Iterator[int]:
    """Where a row of capitals from ``start`` on may end; joints only before a further capital."""
    end = start + 1
    yield end
    while end < len(tokens) and end - start < _LONGEST:
        beyond = end
        while beyond < len(tokens) and beyond - end < 3 and tokens[beyond].text in _JOINTS:
            beyond += 1
        if beyond >= len(tokens) or not _capital(tokens[beyond]):
            return
        if beyond > end and tokens[end].text in ("y", "e", "a", "en", "con"):
            word = tokens[beyond].text.casefold()
            if word in lexicon.BODY_HEADS or word in lexicon.ORGANIZATION_HEADS:
                return  # another body
        if beyond > end and tokens[end].text in ("y", "e"):
            word, alone = tokens[beyond].text, end == start + 1
            if alone and (word.isupper() or beyond > end + 1):
                return  # "Policía y el INE", "Museo y a la Biblioteca"
            if word.casefold() in lexicon.PERSON_TITLES or word.casefold() in lexicon.spelled_given_names():
                return  # "Colegio San José y Doña Ana"
        end = beyond + 1
        yield end


def kind_of(words: Sequence[str]) -> EntityKind | None:
    """What a row of words with capitals is the name of, or None."""
    if " ".join(words).casefold() in lexicon.INSTITUTIONS:
        return "organization"
    hearts = [word.casefold() for word in words if word.casefold() not in lexicon.CONNECTORS]
    if len(hearts) < 2 or words[0].casefold() in lexicon.CONNECTORS:
        return None
    head, rest = hearts[0], hearts[1:]
    article = any(word in _ARTICLES for word in words[1:])
    told = any(map(_says_which, rest))
    said = sum(word not in lexicon.PLAIN_SUBJECTS for word in rest)
    if head in lexicon.BODY_HEADS:
        level = any(word in lexicon.BODY_QUALIFIERS for word in rest)
        if told or head in lexicon.MINISTRY_HEADS or (level and (head not in _ANY or len(rest) > 1)):
            return "organization"
    if head in lexicon.ORGANIZATION_HEADS and (told or article or (said and len(rest) > 1)):
        return "organization"
    if head in lexicon.FIRM_HEADS and said:
        return "organization"
    if head in lexicon.LAW_HEADS and said and len(rest) > 1:
        return "other"
    if head in _ONE_SUBJECT and not _SAYS_NOTHING.issuperset(rest):
        return "other"
    if head in lexicon.FEAST_HEADS and said:
        return "other"
    return None


def _says_which(word: str) -> bool:
    """A place, an adjective of a region, or a word that neither the language nor the town hall has."""
    if word in lexicon.PLACES or word in lexicon.DEMONYMS:
        return True
    return not (word in lexicon.PLAIN_SUBJECTS or word in lexicon.BODY_QUALIFIERS or lexicon.is_common(word))
