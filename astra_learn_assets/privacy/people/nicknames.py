"""People by what they are called or by their initials: «Garbancito», (a) Monchín, "A.G.R.", "J. Soto".

Also names that are not written as words: glued ("EduvigesRoldán"), joined ("X_Roldán", "rimachi_jose"),
letters apart ("E d u v i g e s").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from astra_learn_assets.privacy.identifiers.rules import Finding
from astra_learn_assets.privacy.people.name_runs import AS_IT_STANDS
from astra_learn_assets.privacy.people.runs import (
    case_at,
    is_given,
    is_strong,
    may_be_name,
    never_names,
    strong_run,
)
from astra_learn_assets.privacy.people.tables import words as table
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.lexicon import given_names
from astra_learn_assets.spanish.name_words import PARTICLES, WORD, is_inflected, is_ordinary

_ACRONYMS = table("dotted_acronyms")
_TITLE_LETTERS = frozenset(["d", "c", "h"])  # don, ciudadano, honorable
_CAP = r"[A-ZÁÉÍÓÚÜÑ]"
_OPEN, _CLOSE = r"[\"“«'‘(—–\-]", r"[\"”»'’),—–\-]"  # a dash of any length is read as the short one
_NICK = re.compile(
    rf"(?<![^\W_])({_OPEN})(?:([eE]l|[lL]a|[lL]os|[lL]as)[ ])?"
    rf"([^\W\d_]{{3,}}(?:[ ][^\W\d_]{{3,}})?)(?:{_CLOSE})"
)
_CALLED = re.compile(
    r"(?i)(?<!\w)(?:alias|\(a\)|a[.]k[.]a[.]|apodad[oa]s?|apodo de|por apodo|mote de|de mote|sobrenombre de|"
    r"mentad[oa]|(?:le|les|lo|la|me|nos) (?:dicen|decían|llaman|llamaban|apodan)|"
    r"conocid[oa]s? (?:\w+ )?(?:como|por)|los amigos|todos le dicen)[ ]?[:,]?\s"
    r"[\"“«'‘]?(?:(el|la)[ ])?[\"“«'‘]?([^\W\d_]{3,}(?:[ ](?-i:[A-ZÁÉÍÓÚÜÑ])[^\W\d_]+)?)"
)
_INITIALS = re.compile(r"(?<![\w.])(?:[^\W\d_][.][ ]?){2,5}(?![^\W\d_])")
_OF_AN_OFFICE = re.compile(r"(?i)(?:(?<!\w)(?:el|la|los|las|al|del)|\d/\d{1,4})[ ]$")
"""Before letters that are an office's, a paper's or a currency's: "la I.M.", "del H.C.D.", "00/100 M.N."."""
_INITIALLED = re.compile(rf"(?<![\w.])(?:{_CAP}[.][ ]?){{1,3}}(?={_CAP}[^\W\d_])")
_LOWER_INITIALLED = re.compile(r"(?<![\w.])(?:[^\W\d_][.][ ]){1,3}(?=[^\W\d_]{3})")
_TIMED = re.compile(
    r"(?m)^[ ]*[\[(]?\d{1,2}[:.]\d{2}(?:[:.]\d{2})?[\])]?[ ]*[-–]?[ ]*"
    r"([^\W\d_][^\n:>\t]{1,60}?)[ ]?(?:>>|>|:|\t)"
)
_GLUED = re.compile(rf"(?<![^\W_])({_CAP}[a-záéíóúüñ]{{2,}})({_CAP}[a-záéíóúüñ]{{2,}})(?![^\W_])")
_JOINED = re.compile(r"(?<![\w@/.])@?(?:[^\W_]+_)+[^\W_]+(?![\w@])")
_APART = re.compile(r"(?<![^\W_])(?:[^\W\d_] ){4,19}[^\W\d_](?![^\W_])")


def nicknamed(text: str) -> Iterator[Finding]:
    """Nicknames behind their announcement or in quotes beside a name, and that name."""
    for match in _CALLED.finditer(text):
        article, value = match[1], match[2]
        start = match.start(2)
        sure = (
            article is not None
            or text[start - 1] in "\"“«'‘"
            or match[0].lower().startswith(("alias", "(a)", "apod"))
        )
        first = fold_chars(value.split()[0])
        if first in never_names() or first in ("que", "como", "una", "uno"):
            continue
        if not (value[0].isupper() or (sure and case_at(text, start) == "lower")):
            continue
        if value[0].islower():
            value = value.split()[0]
        stop = start + len(value)
        yield Finding(start, stop, "PERSONA", AS_IT_STANDS, "title")
        yield from _behind_quote(text, stop)
    for match in _NICK.finditer(text):
        value, start, stop = match[3], match.start(3), match.end(3)
        head = fold_chars(value.split()[0])
        if head in never_names():
            continue
        before, after = _name_before(text, match.start()), _name_after(text, match.end())
        if re.match(r",? apodo", text[match.end() : match.end() + 8]):
            yield Finding(start, stop, "PERSONA", AS_IT_STANDS, "title")
        if match[1] in "—–-(" and not (match[2] and before):
            continue
        if case_at(text, start) == "printed" and not value[0].isupper():
            continue
        if before or (after and (before or match[1] not in "(—–-")):
            yield Finding(start, stop, "PERSONA", AS_IT_STANDS, "title")
            if before:
                yield Finding(*before, "PERSONA", AS_IT_STANDS, "title")
            if after:
                yield Finding(*after, "PERSONA", AS_IT_STANDS, "title")


def _behind_quote(text: str, at: int) -> Iterator[Finding]:
    if text[at : at + 1] in ("'", '"', "»", "”", "’"):
        after = _name_after(text, at + 1)
        if after:
            yield Finding(*after, "PERSONA", AS_IT_STANDS, "title")


def _name_before(text: str, at: int) -> tuple[int, int] | None:
    """The name that ends right before a quote: its last word is one."""
    match = re.search(r"([^\W\d_]{2,})[ ,(]{0,3}$", text[max(0, at - 30) : at])
    if match is None:
        return None
    start = max(0, at - 30) + match.start(1)
    word = fold_chars(match[1])
    printed = case_at(text, start) != "lower"
    if printed and not match[1][0].isupper():
        return None
    if word in never_names() or not (may_be_name(word) or not is_ordinary(word)):
        return None
    return start, start + len(match[1])


def _name_after(text: str, at: int) -> tuple[int, int] | None:
    """The surname right behind a quote."""
    if text[at : at + 1] != " ":
        return None
    stop = strong_run(text, at + 1, case_at(text, at + 1), limit=3, sure=True)
    return (at + 1, stop) if stop else None


def initials(text: str) -> Iterator[Finding]:
    """Initials alone ("A.G.R.") and before a surname ("J. Soto")."""
    for match in _INITIALS.finditer(text):
        letters = fold_chars(re.sub(r"[. ]", "", match[0]))
        if letters in _ACRONYMS or (len(letters) == 2 and not _both_capital(match[0])):
            continue
        after = text[match.end() : match.end() + 1]
        if match[0].endswith(" ") and after and after.isalnum():
            continue
        if _OF_AN_OFFICE.search(text, max(0, match.start() - 7), match.start()):
            continue
        yield Finding(match.start(), match.start() + len(match[0].rstrip()), "PERSONA", AS_IT_STANDS, "title")
    for match in _INITIALLED.finditer(text):
        yield from _with_surname(text, match)
    if "." in text and not any(map(str.isupper, text[:400])):
        for match in _LOWER_INITIALLED.finditer(text):
            yield from _with_surname(text, match)


def _both_capital(value: str) -> bool:
    return all(c.isupper() for c in value if c.isalpha())


def _with_surname(text: str, match: re.Match[str]) -> Iterator[Finding]:
    letters = fold_chars(re.sub(r"[. ]", "", match[0]))
    at = match.end()
    if letters in _ACRONYMS and len(letters) > 1:
        return
    word = WORD.match(text, at)
    if word is None:
        return
    first = fold_chars(word[0])
    opens = match.start() == 0 or text[match.start() - 1] == "\n"
    if first in never_names() or (opens and is_ordinary(first) and not may_be_name(first)):
        return
    case = case_at(text, at)
    stop = strong_run(text, at, case, limit=4, sure=not opens)
    if stop is None:
        return
    if case != "printed" and not may_be_name(first) and is_ordinary(first):
        return
    start = at if letters in _TITLE_LETTERS else match.start()
    for _ in range(2):  # "Digna L. Castillo"
        before = re.search(r"([^\W\d_]{3,}) $", text[max(0, start - 24) : start])
        if (
            start == at
            or before is None
            or not may_be_name(fold_chars(before[1]))
            or before[1][0].isupper() != text[at].isupper()
        ):
            break
        start -= len(before[0])
    yield Finding(start, stop, "PERSONA", AS_IT_STANDS, "title")


def timed(text: str) -> Iterator[Finding]:
    """Who writes in a chat: "[10:06] Puma >> Apruebo"."""
    for match in _TIMED.finditer(text):
        start = match.start(1)
        stop = strong_run(text, start, case_at(text, start), limit=5, sure=True, wrapped=False)
        if stop is not None and stop >= match.end(1) - 1:
            yield Finding(start, stop, "PERSONA", AS_IT_STANDS, "title")


_LONG_NAME = 9  # letters: what is longer is hardly one name


@lru_cache(maxsize=256)
def _is_heading(letters: str) -> bool:
    """Whether letters set apart are everyday words in a row: "S E S I Ó N O R D I N A R I A"."""
    ends = {0}  # how far whole words reach
    for stop in range(2, len(letters) + 1):
        if any(
            at in ends and (is_ordinary(part) if len(part) > 2 else part in PARTICLES)
            for at in range(max(0, stop - 16), stop - 1)
            if (part := letters[at:stop])
        ):
            ends.add(stop)
    return len(letters) > _LONG_NAME and len(letters) in ends


def odd_shapes(text: str) -> Iterator[Finding]:
    """Names glued to one another, joined by underscores, or with their letters apart."""
    for match in _GLUED.finditer(text):
        left, right = fold_chars(match[1]), fold_chars(match[2])
        if (is_strong(left) or is_strong(right)) and all(
            may_be_name(w) or not is_ordinary(w) for w in (left, right)
        ):
            yield Finding(*match.span(), "PERSONA", AS_IT_STANDS, "title")
    for match in _JOINED.finditer(text) if "_" in text else ():
        parts = [fold_chars(p) for p in match[0].lstrip("@").split("_") if p.isalpha()]
        if any(map(is_strong, parts)):
            yield Finding(*match.span(), "PERSONA", AS_IT_STANDS, "title")
    for match in _APART.finditer(text):
        joined = fold_chars(match[0].replace(" ", ""))
        if not is_strong(joined) and _is_heading(joined):
            continue
        if (
            is_given(joined)
            or is_strong(joined)
            or joined in given_names()
            or (
                len(joined) > 4
                and match[0][0].isupper()
                and not is_ordinary(joined)
                and not is_inflected(joined)
            )
        ):
            yield Finding(*match.span(), "PERSONA", AS_IT_STANDS, "title")
