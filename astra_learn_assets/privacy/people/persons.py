"""Persons by rule: what the detector asks of them, each from the module that decides it.

The model (:mod:`~astra_learn_assets.privacy.ner.nlp`) finds most persons; these rules catch what it drops
and keep out what no person is. They are precise on purpose: ordinary words, institutions and public
places stay readable.

- :mod:`.name_words`: what kind of word a word is
- :mod:`.name_runs`: how far a name runs
- :mod:`.titles`, :mod:`.listed_names`, :mod:`.speakers`, :mod:`.cues`: where a person stands
- :mod:`.mending`: what a span found by any of them, or by the model, should be
"""

from __future__ import annotations

from astra_learn_assets.privacy.people.cues import cued
from astra_learn_assets.privacy.people.listed_names import after_place_head, is_full_name, kept_places, listed
from astra_learn_assets.privacy.people.mending import extend, is_citizen, mend, more_surnames
from astra_learn_assets.privacy.people.name_runs import RANK
from astra_learn_assets.privacy.people.speakers import addressed, speakers
from astra_learn_assets.privacy.people.titles import is_titled, second, second_surname, titled
from astra_learn_assets.spanish.name_words import (
    PARTICLES,
    TITLE_WORDS,
    WORD,
    Tokens,
    is_common,
    is_inflected,
    is_name_word,
    is_ordinary,
    tokens,
)

__all__ = [
    "PARTICLES",
    "RANK",
    "TITLE_WORDS",
    "WORD",
    "Tokens",
    "addressed",
    "after_place_head",
    "cued",
    "extend",
    "is_citizen",
    "is_common",
    "is_full_name",
    "is_inflected",
    "is_name_word",
    "is_ordinary",
    "is_titled",
    "kept_places",
    "listed",
    "mend",
    "more_surnames",
    "second",
    "second_surname",
    "speakers",
    "titled",
    "tokens",
]
