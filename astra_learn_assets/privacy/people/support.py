"""What speaks for a person beside the detector that found one.

A name of the lists, a word of no list, a courtesy before it: that is somebody. A finding made of everyday
words alone ("Concejales [Titulares]", "Asesor [Legal]", "[Nieves] y heladas") is somebody only where the
tagger, which reads the place and not the word, thinks so too. Names on a municipality's own lists do not pass
here: they are masked whatever speaks against them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from astra_learn_assets.privacy.identifiers.rules import Finding
from astra_learn_assets.privacy.people.bounds import CALLED
from astra_learn_assets.privacy.people.name_runs import AS_IT_STANDS
from astra_learn_assets.privacy.people.runs import ABBREVIATIONS, may_be_name, never_names
from astra_learn_assets.privacy.people.second_reader import Reading
from astra_learn_assets.privacy.people.tables import words as table
from astra_learn_assets.privacy.people.titles import is_titled
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.lexicon import given_names, ordinary_words, place_words, role_words
from astra_learn_assets.spanish.name_words import PARTICLES, WORD, is_common, is_inflected, is_ordinary

PLAIN, EVERYDAY, COORDINATED, PLURAL = 0.9, 0.3, 0.6, 0.97
"""How likely the tagger must hold a finding of plain words; a lone name that is a word; one that stands
beside a thing ("Mercedes y privilegios"); a lone plural, or a lone plain word, behind an article."""
_VERBS = table("person_verbs")
_FIRMS = table("firm_openings")
_FIRM_ENDS = re.compile(
    r"(?i)(?:[ ,])(?:s[.] ?a[.](?: ?[cus][.])?|s[.] ?l[.](?: ?[ul][.])?|s[.] ?c[.]|c[.] ?v[.]|"
    r"s[.] ?r[.] ?l[.]|ltda[.]?|cía[.]?|s[.]a[.]s[.]?|e[.]i[.]r[.]l[.]?)\Z"
)
_ARTICLE = re.compile(r"(?i)(?<!\w)(?:el|la|los|las|del|al|un|una|unos|unas|lo)\s$")
_PLURAL = re.compile(r"(?i)(?<!\w)(?:los|las|unos|unas|estos|estas|sus|nuestros|nuestras|varios|varias)\s$")
_PEOPLE = re.compile(
    r"(?i)(?:señores|señoras|sres[.]|sras[.]|hermanos|hermanas|familia|herederos de)\s\w+\s$"
)
_OPENS = re.compile(r"(?:^|[.!?¿¡…\n:;]|[-–—•][ ])[ ]*$")
_THING = re.compile(r"(?:,[ ][^\W\d_]+)?[ ](?:y|o|e|u)[ ](?:otr[ao]s?[ ])?([^\W\d_]{4,})")
_ROMAN = re.compile(r"[IVX]{1,4}[.][ ](?=[^\W\d_]{2})")
_ORDINALS = table("ordinals")
_KIN = table("kin_beside")


def supported(text: str, found: Sequence[Finding], reading: Reading) -> Iterator[Finding]:
    """The findings for which something speaks; see :func:`_stands`.

    Who is named in full is known in the whole text: "Refugio" is somebody where a Refugio Cruz is.
    """
    known = _known(text, found, reading)
    for finding in found:
        if _ROMAN.match(text, finding.start, finding.end) and not _names(text, finding):
            continue  # "I. Comprobación": an item of a list
        if (
            finding.rank >= AS_IT_STANDS
            or is_titled(text, finding.start)
            or fold_chars(text[finding.start : finding.end]) in known
            or _stands(text, finding, reading)
        ):
            yield finding


def _known(text: str, found: Sequence[Finding], reading: Reading) -> frozenset[str]:
    """Folded words of the names in full of which the tagger is sure."""
    words: set[str] = set()
    for finding in found:
        inside = WORD.findall(text[finding.start : finding.end])
        if len(inside) > 1 and reading.likeliest(finding.start, finding.end) >= PLAIN:
            words.update(w for w in map(fold_chars, inside) if may_be_name(w) and w not in PARTICLES)
    return frozenset(words)


def _names(text: str, finding: Finding) -> bool:
    words = [fold_chars(w) for w in WORD.findall(text[finding.start : finding.end])]
    return any(not is_plain(word) for word in words if len(word) > 1)


def is_plain(word: str) -> bool:
    """Whether a folded word is everyday Spanish, a form of it or an office, and in no list of names."""
    return not may_be_name(word) and (
        is_ordinary(word)
        or is_inflected(word)
        or word in never_names()
        or word in CALLED
        or word in role_words()
        or word in _VERBS
        or (word.endswith("se") and any(word[:-3] + end in ordinary_words() for end in ("ar", "er", "ir")))
    )


def _stands(text: str, finding: Finding, reading: Reading) -> bool:
    words = list(WORD.finditer(text, finding.start, finding.end))
    core = [w for w in words if len(w[0]) > 1 and fold_chars(w[0]) not in PARTICLES]
    if not core:
        return True
    folded = [fold_chars(w[0]) for w in core]
    if _FIRM_ENDS.search(text[finding.start : finding.end]) or (len(core) > 1 and folded[0] in _FIRMS):
        return False
    likely = [reading.likeliest(*w.span()) for w in core]
    if all(map(is_plain, folded)):
        lone = len(core) == 1 and _behind_article(text, finding.start)
        return min(likely) >= (PLURAL if lone else PLAIN) and folded[0] not in _ORDINALS
    if len(core) > 1 or len(words) > 1:
        known = any(not is_ordinary(w) and not is_plain(w) for w in folded)
        titled = finding.detector == "title" and reading.printed and text[finding.start].isupper()
        return known or titled or max(likely) >= EVERYDAY  # "la edil Dos Santos"
    return _lone(text, finding, folded[0], likely[0], reading)


def _lone(text: str, finding: Finding, word: str, likely: float, reading: Reading) -> bool:
    """Whether a finding of one word that is or may be a name is somebody here."""
    before = text[max(0, finding.start - 30) : finding.start]
    if word in _ORDINALS and not is_titled(text, finding.start):
        return False
    if word in ABBREVIATIONS and text[finding.end : finding.end + 1] in (".", "ª"):
        return False
    if (
        (_PLURAL.search(before) and not _PEOPLE.search(before) and word.endswith("s"))
        and not (reading.printed and text[finding.start].isupper())
        and likely < PLURAL
    ):
        return False
    thing = _THING.match(text, finding.end)
    if (
        thing
        and likely < COORDINATED
        and thing[1].islower()
        and (_OPENS.search(before) or "otr" in thing[0])
        and (is_ordinary(fold_chars(thing[1])) or fold_chars(thing[1]).endswith("s"))
        and not may_be_name(fold_chars(thing[1]))
        and fold_chars(thing[1]) not in _KIN
        and fold_chars(thing[1]) not in CALLED
    ):
        return False
    if not is_ordinary(word):
        return True
    if finding.detector in ("speaker", "announced") or (word in given_names() and not is_common(word)):
        return True
    if _behind_article(text, finding.start) and word not in given_names():
        return likely >= PLURAL
    return likely >= EVERYDAY or (word in given_names() and word not in place_words())


def _behind_article(text: str, start: int) -> bool:
    return _ARTICLE.search(text[max(0, start - 6) : start]) is not None
