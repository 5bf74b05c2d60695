"""Identifiers however they are grouped: ``171 003 406-5``, ``GOMC 800101 HDFNRL 09``, ``b – 35685494``.

The forms of :mod:`~astra_learn_assets.privacy.identifiers.countries` know how an identifier is printed.
People part the digits where they please. Here neighbouring groups of letters and digits are put together
and the whole is held against the country's compact forms; nothing without a check digit or a full
structure is one, and where the check digit is weak (``cl.rut``) it must stand apart behind a hyphen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from astra_learn_assets.privacy.identifiers.countries import country_pack
from astra_learn_assets.privacy.identifiers.pack import CompactForm
from astra_learn_assets.privacy.identifiers.rules import Finding, number_windows

RANK = 60
_GROUP = re.compile(r"[A-Za-z0-9Ññ&]+")
_JOINT = re.compile(r" ?[.\-–/] ?| {1,2}| [\-–]{1,2} ")
_MOST_GROUPS = 12
_LEAST_DIGITS = 6  # no country's form has fewer
_DIGIT = re.compile(r"\d[^\d\n]{0,4}\d[^\d\n]{0,4}\d")
_SUM = re.compile(
    r"\s{0,2}(?:€|euros?\b|\$|USD\b|dólares|pesos|soles|bolivianos|bolívares|quetzales|lempiras|córdobas|"
    r"guaraníes|colones|millones|habitantes|metros|m2|m²|kg|votos|%)",
    re.IGNORECASE,
)
_CURRENCY = re.compile(r"(?:€|\$|S/\.?|Bs\.?|USD)\s{0,2}$", re.IGNORECASE)


def compact_identities(text: str, country: str) -> Iterator[Finding]:
    """Identifiers of ``country`` (lower-case code) in two groups or more, in a cleaned text."""
    forms = country_pack(country).compact
    if not forms or not _DIGIT.search(text):
        return
    last = 0
    for low, high in number_windows(text):
        if sum(map(str.isdecimal, text[low:high])) < _LEAST_DIGITS:
            continue
        while low > 0 and text[low - 1].isalnum() and text[low].isalnum():
            low -= 1
        while high < len(text) and text[high - 1].isalnum() and text[high].isalnum():
            high += 1
        groups = [m.span() for m in _GROUP.finditer(text, low, high)]
        for at, (start, _) in enumerate(groups):
            if start < last or not _opens(text, groups, at) or _continues(text, start, -1):
                continue
            found = _longest(text, groups, at, forms)
            if found:
                last = found.end
                yield found


def _opens(text: str, groups: list[tuple[int, int]], at: int) -> bool:
    """Whether a group has digits, or letters with digits in the next group."""
    start, end = groups[at]
    if text[start].isdigit() or not text[start:end].isalpha():
        return True
    after = groups[at + 1] if at + 1 < len(groups) else (0, 0)
    if end - start > 6 or text[slice(*after)].isalpha():
        return False
    lone_word = (
        end - start == 1 and text[start] in "aeoyu" and text[end : end + 2].strip()[:1] not in ("-", ".", "–")
    )
    return not lone_word and any(c.isdigit() for c in text[slice(*after)])


def _longest(
    text: str,
    groups: list[tuple[int, int]],
    at: int,
    forms: tuple[CompactForm, ...],
) -> Finding | None:
    start, end = groups[at]
    whole = text[start:end].upper()
    best: Finding | None = None
    for begin, stop in groups[at + 1 : at + _MOST_GROUPS]:
        joint = text[end:begin]
        if not _JOINT.fullmatch(joint) or len(whole) > 18:
            break
        if stop - begin == 1 and text[begin] in "aeoyu" and joint == " ":  # "12345678 y"
            break
        whole += text[begin:stop].upper()
        apart = stop - begin == 1 and joint.strip() in ("-", "–", "--")
        end = stop
        for form in forms:
            if (apart or not form.hyphen) and _fits(form, whole):
                sum_of_money = _SUM.match(text, stop) or _CURRENCY.search(text[max(0, start - 6) : start])
                if not _continues(text, stop, 1) and not sum_of_money:
                    best = Finding(start, stop, form.kind, RANK, f"{form.kind}:grouped")
    return best


def _fits(form: CompactForm, whole: str) -> bool:
    return form.form.fullmatch(whole) is not None and (form.check is None or form.check(whole))


def _continues(text: str, at: int, step: int) -> bool:
    """Whether the number goes on beyond ``at``, so that what was found is a part of something else."""
    near = text[at : at + 2] if step > 0 else text[max(0, at - 2) : at][::-1]
    return len(near) == 2 and near[0] in ".-–/," and near[1].isdigit()
