"""National identifiers: one file a country, found by its name, plus what is masked everywhere on context.

``countries/<code>.py`` exports ``PACK``
(:class:`~astra_learn_assets.privacy.identifiers.pack.CountryPack`): what may fire by form and check
digit alone in that country. A number introduced as "cédula", "DNI", "CURP" and the like is masked in every
country, because visitors bring their papers along; only bare numbers need the country's own pack.

A file that lacks a part stops every country, not its own alone: whoever wrote it is to see it first.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from astra_learn_assets.errors import BadConfiguration, BadInput
from astra_learn_assets.privacy.identifiers.forms import introduced, spelled
from astra_learn_assets.privacy.identifiers.pack import CountryPack
from astra_learn_assets.privacy.identifiers.rules import Rule, listed
from astra_learn_assets.spanish.fold import fold_chars

_NOT_LETTERS = re.compile(r"[^a-zñ]")


@lru_cache(maxsize=1)
def country_packs() -> Mapping[str, CountryPack]:
    """Every country's pack by its code (ISO 3166 alpha-2, lower case), in order of the codes.

    Raises:
        BadConfiguration: for a file without a whole pack, naming country and part.
    """
    codes = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {code: _pack(code) for code in codes}


def _pack(code: str) -> CountryPack:
    if not re.fullmatch(r"[a-z]{2}", code):
        raise BadConfiguration(f"country file {code}.py: name it by two lower-case letters, as 'es.py'")
    try:
        pack = getattr(importlib.import_module(f"{__name__}.{code}"), "PACK", None)
    except (BadConfiguration, re.error) as error:
        raise BadConfiguration(f"country {code!r} ({code}.py): {error}") from error
    if not isinstance(pack, CountryPack):
        raise BadConfiguration(f"country {code!r} ({code}.py): no PACK, a CountryPack with every part")
    return pack


def country_code(country: str) -> str:
    """The ISO 3166 code of a country that has a pack, in lower case: ``" ES"`` is ``"es"``.

    Raises:
        BadInput: there is no pack, listing those there are: without one nobody's number would be masked.
        BadConfiguration: one of the country files is not whole.
    """
    code = country.strip().lower()
    packs = country_packs()
    if code not in packs:
        raise BadInput(f"no country pack {country!r:.20}: use one of {', '.join(packs)}")
    return code


def country_pack(country: str) -> CountryPack:
    """The pack of a country that comes from settings or a table.

    Raises:
        BadConfiguration: there is none, listing those there are.
    """
    try:
        return country_packs()[country_code(country)]
    except BadInput as error:  # whoever typed it was told so
        raise BadConfiguration(str(error)) from error


@lru_cache(maxsize=1)
def identity_words() -> frozenset[str]:
    """Words that name a paper in any country, folded."""
    return frozenset(listed("papers")).union(*(pack.identity_words for pack in country_packs().values()))


def names_paper(text: str, start: int, end: int) -> bool:
    """Whether a span is nothing but what a paper is called ("R.I.F.", "RUT N" before "°"): it stays."""
    letters = _NOT_LETTERS.sub("", fold_chars(text[start:end]))
    if text[end : end + 1] in ("°", "º", ".") and letters[-1:] == "n":
        letters = letters[:-1]
    return letters in identity_words()


@lru_cache(maxsize=32)
def identity_rules(country: str) -> tuple[Rule, ...]:
    """All rules for identity documents of a tenant in ``country`` (ISO 3166 alpha-2, lower case).

    Raises:
        BadConfiguration: for a country without a pack, listing those there are.
    """
    pack = country_pack(country)
    abroad = [rule for other in country_packs().values() for rule in other.abroad]
    rules = (*pack.rules, *abroad, spelled(pack.kind), introduced(pack.kind))
    return tuple(map(with_words, rules))


def with_words(rule: Rule) -> Rule:
    """The rule, waiting for any word that names a paper if it has no context words of its own."""
    return rule if rule.context else replace(rule, context=identity_words())


country_packs()  # a file that is not whole is an error here, not in a run
