"""Persons after a title: ``el señor García López``, ``Dña.Pilar``, ``los señores Ábalos e Iglesias``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from astra_learn_assets.privacy.identifiers.rules import Finding
from astra_learn_assets.privacy.people.name_runs import RANK, has_listed_name, has_name, name_run
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.lexicon import place_words, role_words
from astra_learn_assets.spanish.name_words import (
    PARTICLES,
    WORD,
    is_capital,
    is_common,
    is_name_word,
    tokens,
)

TITLE = re.compile(
    r"(?<![\w.])(?:(?:señor(?:a|es|as|ita)?|sr(?:e?s|a|as|ta)?|don|doña|dn|dña|dñª|dª|d[.]ª|d|doctora?|"
    r"dra?|licenciad[oa]|lic|lcd[oa]|"
    r"ing|ingenier[oa]|abg|abogad[oa]|arq|arquitect[oa]|econ|economista|prof|profesora?|mtr[oa]|maestr[oa]|"
    r"tlg[oa]|crnl|coronel|sgto|cap|"
    r"capitán|comandante|inspectora?|agente|fray|sor|padre|párroco|monseñor|mons|concejal|concejala|"
    r"conceller|edil|edila|regidora?|alcalde|"
    r"alcaldesa|vicealcalde|vicealcaldesa|tte|síndic[oa]|diputad[oa]|senadora?|consejer[oa]|ministr[oa]|"
    r"portavoz|secretari[oa]|interventora?|"
    r"tesorer[oa]|vocal|presidente|presidenta|vicepresident[ea]|vecin[oa]|ciudadan[oa]|compañer[oa]s?|"
    r"tí[oa]|prefect[oa]|intendent[ea]|"
    r"asambleísta|director|directora|jef[ea]|técnic[oa]|testigo|denunciante|solicitante|contribuyente|"
    r"herman[oa]s|herederos de|viuda de|"
    r"hij[oa]s? de|familia|letrad[oa]|notari[oa]|juez|jueza|gobernadora?|fdo|firmado|"
    r"atentamente)(?!\w)(?:[ ]*[.:ªº]+)?[ ]*(?:[-–:][ ]*)?)+",
    re.IGNORECASE,
)  # fmt: skip
_FULL_STOP = re.compile(  # "ese señor. Usted": a title written out takes no full stop
    r"(?i)(?:señor(?:a|es|as|ita)?|don|doña|doctora?|alcald(?:e|esa)|concejala?|secretari[oa]|"
    r"president[ea]|vecin[oa]|ciudadan[oa]|diputad[oa]|"
    r"ministr[oa]|consejer[oa]|portavoz|directora?|compañer[oa]s?|famili[a]|padre|jefe|jefa|vocal|juez|"
    r"jueza|interventora?|tesorer[oa])[.][ ]+$"
)
WEAK_TITLE = re.compile(
    r"(?i)(?<!\w)(?:concejal[ae]?|edila?|regidora?|alcald(?:e|esa)|síndic[oa]|diputad[oa]|portavoz|"
    r"vecin[oa]|ciudadan[oa]|compañer[oa]s?|licenciad[oa]|"
    r"abogad[oa]|arquitect[oa]|ingenier[oa]|economista|profesora?|maestr[oa]|familia(?: de)?|herman[oa]s|"
    r"viuda de|herederos de|hij[oa] de|señor[ai]ta)[ ]+$"
)
STRONG_TITLE = re.compile(
    r"(?:señor(?:a|es|as|ita)?|sr(?:e?s|a|as|ta)?|don|doña|dn|dña|dñª|dª|d|d[.]ª|doctora?|dra?|lic|lcd[oa]|"
    r"ing|abg|arq|econ|mtr[oa]|fray|sor|fdo)(?:[ ]*[.:ªº]+)?[ ]*$",
    re.IGNORECASE,
)


COURTESY = re.compile(
    r"(?i)(?<!\w)(?:señor(?:a|es|as|ita)?|sr(?:a|es|as|ta)?[.]?|don|doña|d[.]ª?|dª[.]?|dña[.]?)[ ]$"
)


def is_titled(text: str, start: int) -> bool:
    """Whether a courtesy stands right before ``start``."""
    return COURTESY.search(text[max(0, start - 12) : start]) is not None


def titled(text: str) -> Iterator[Finding]:
    """Persons after a title: ``el señor García López``, ``Dña.Pilar``, ``don pedro garcía``."""
    last = 0
    spans, _, heads, _ = tokens(text)
    for start, _ in (spans[i] for i in heads):
        match = TITLE.match(text, start) if start >= last else None
        if match is None:
            continue
        last = match.end()
        lead = match[0]
        if not lead[-1:].isspace() and not lead.rstrip().endswith((".", "ª", "º", ":", "-")):
            continue
        if _FULL_STOP.search(lead):
            continue
        strong = STRONG_TITLE.search(lead) is not None
        single = re.search(r"(?:^|\s)[dD][.]?\s*$", lead)
        if single and not lead.rstrip().endswith((".", "ª")):
            continue
        lower = strong and not single and not lead.rstrip().endswith((".", ":", "-"))
        all_capitals = lead.isupper() and len(lead.strip(" .")) > 2
        weak = (
            not strong
            and WEAK_TITLE.search(lead) is not None
            and is_capital(text[match.end() : match.end() + 1])
        )
        end = name_run(text, match.end(), lower=lower, titled=(strong or weak) and not all_capitals)
        if end is None and strong and all_capitals:
            end = _before_colon(text, match.end()) or name_run(
                text, match.end(), lower=False, limit=3, titled=True, known=True
            )
        if end is not None and (
            strong
            or has_name(text[match.end() : end])
            or (weak and not is_common(fold_chars(text[match.end() : end])))
        ):
            if _acronym(text[match.end() : end]) and not all_capitals:
                continue
            yield Finding(match.end(), end, "PERSONA", RANK, "title")
            yield from second(text, end, towns=_PLURAL.search(lead) is not None)


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


_PLURAL = re.compile(r"(?i)(?<!\w)(?:señor[ae]s|sr[ea]?s|herman[oa]s|compañer[oa]s)[. ]*$")
_AND = re.compile(r", (?:[yeYE] )?| [yeYE] ")


def second_surname(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The "y Grande" of "Ofelia Yaprnov y Grande", seen as one person: up to two words, no office."""
    link = re.compile(r"[ ][yeYE][ ]").match(text, start, end)
    words = list(WORD.finditer(text, link.end(), end)) if link else []
    named = [fold_chars(w[0]) for w in words if fold_chars(w[0]) not in PARTICLES]
    if not 0 < len(named) < 3 or any(w in role_words() or w in place_words() for w in named):
        return None
    return words[0].start(), words[-1].end()


def second(text: str, end: int, *, listed_only: bool = False, towns: bool = False) -> Iterator[Finding]:
    """The other person of "los señores Ábalos e Iglesias" or "Ruiz, Soto y Vega".

    ``towns``: behind a title for several, a town's name is a person's too ("los señores Ruiz y Salamanca").
    """
    link = _AND.match(text, end)
    while link:
        stop = name_run(text, link.end(), lower=False, limit=5)
        words = [fold_chars(w) for w in WORD.findall(text[link.end() : stop])] if stop else []
        if stop is None and towns:
            town = WORD.match(text, link.end())
            if town and town[0].istitle() and fold_chars(town[0]) not in role_words():
                stop, words = town.end(), [fold_chars(town[0])]
        if stop is None:
            return
        if not towns and (not has_name(text[link.end() : stop]) or all(w in place_words() for w in words)):
            return
        if listed_only and not has_listed_name(text[link.end() : stop]):
            return
        yield Finding(link.end(), stop, "PERSONA", RANK, "title")
        link = _AND.match(text, stop)
