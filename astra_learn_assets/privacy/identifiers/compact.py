"""Identifiers however they are grouped: ``171 003 406-5``, ``GOMC 800101 HDFNRL 09``, ``b – 35685494``.

The forms of :mod:`~astra_learn_assets.privacy.identifiers.countries` know how an identifier is printed.
People part the digits where they please. Here neighbouring groups of letters and digits are put together
and the whole is held against the country's strong validators; nothing without a check digit or a full
structure is tried, and where the check digit is weak (``cl.rut``) it must stand apart behind a hyphen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from astra_learn_assets.privacy.identifiers import validators
from astra_learn_assets.privacy.identifiers.rules import Finding, number_windows

RANK = 60
_GROUP = re.compile(r"[A-Za-z0-9Ññ&]+")
_JOINT = re.compile(r" ?[.\-–/] ?| {1,2}| [\-–]{1,2} ")
_MOST_GROUPS = 12
_LEAST_DIGITS = 6  # no form below has fewer
_DIGIT = re.compile(r"\d[^\d\n]{0,4}\d[^\d\n]{0,4}\d")
_SUM = re.compile(
    r"\s{0,2}(?:€|euros?\b|\$|USD\b|dólares|pesos|soles|bolivianos|bolívares|quetzales|lempiras|córdobas|guaraníes|colones|"
    r"millones|habitantes|metros|m2|m²|kg|votos|%)",
    re.IGNORECASE,
)
_CURRENCY = re.compile(r"(?:€|\$|S/\.?|Bs\.?|USD)\s{0,2}$", re.IGNORECASE)

Form = tuple[
    str, str, Callable[[str], bool] | None, bool
]  # kind, compact form, check, hyphen before the last
_FORMS: dict[str, tuple[Form, ...]] = {
    "es": (
        ("DNI", r"\d{8}[A-Z]", validators.es_dni, False),
        ("NIE", r"[XYZ]\d{7}[A-Z]", validators.stdnum("es.nie"), False),
        ("NIF", r"[ABCDEFGHJNPQRSUVW]\d{7}[0-9A-J]", validators.stdnum("es.cif"), False),
        ("SALUD", r"\d{12}", validators.es_nss, False),
    ),
    "ec": (
        ("CEDULA", r"\d{10}", validators.stdnum("ec.ci"), False),
        ("RUC", r"\d{13}", validators.stdnum("ec.ruc"), False),
    ),
    "co": (("NIT", r"\d{10}", validators.stdnum("co.nit"), True),),
    "mx": (
        ("CURP", r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d", None, False),
        ("RFC", r"[A-ZÑ&]{3,4}\d{6}[A-Z0-9]{3}", validators.stdnum("mx.rfc"), False),
        ("CLAVE_ELECTOR", r"[A-Z]{6}\d{8}[HM]\d{3}", validators.mx_elector, False),
    ),
    "cl": (("RUT", r"\d{7,8}[\dK]", validators.stdnum("cl.rut"), True),),
    "ar": (("CUIT", r"(?:20|23|24|27|30|33|34)\d{9}", validators.stdnum("ar.cuit"), False),),
    "pe": (("RUC", r"(?:10|15|16|17|20)\d{9}", validators.pe_ruc, False),),
    "uy": (
        ("CEDULA", r"\d{7,8}", validators.uy_ci, True),
        ("RUT", r"\d{12}", validators.stdnum("uy.rut"), False),
    ),
    "ve": (
        ("CEDULA", r"[VE]\d{7,8}", validators.ve_cedula, False),
        ("RIF", r"[VEJPG]\d{9}", validators.stdnum("ve.rif"), False),
    ),
    "do": (("CEDULA", r"\d{11}", validators.luhn, True),),
    "gt": (("DPI", r"\d{13}", validators.gt_dpi, False),),
    "sv": (
        ("DUI", r"\d{9}", validators.sv_dui, True),
        ("NIT", r"(?:0\d|1[0-4]|9\d)\d{12}", validators.sv_nit, True),
    ),
    "hn": (("DNI", r"\d{13}", validators.hn_dni, False),),
    "ni": (("CEDULA", r"\d{13}[A-Z]", validators.ni_cedula, False),),
}


@lru_cache(maxsize=32)
def _forms(country: str) -> tuple[tuple[str, re.Pattern[str], Callable[[str], bool] | None, bool], ...]:
    return tuple(
        (kind, re.compile(form), check, hyphen) for kind, form, check, hyphen in _FORMS.get(country, ())
    )


def compact_identities(text: str, country: str) -> Iterator[Finding]:
    """Identifiers of ``country`` (lower-case code) in two groups or more, in a cleaned text."""
    forms = _forms(country)
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
    forms: tuple[tuple[str, re.Pattern[str], Callable[[str], bool] | None, bool], ...],
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
        for kind, form, check, hyphen in forms:
            if (apart or not hyphen) and form.fullmatch(whole) and (check is None or check(whole)):
                sum_of_money = _SUM.match(text, stop) or _CURRENCY.search(text[max(0, start - 6) : start])
                if not _continues(text, stop, 1) and not sum_of_money:
                    best = Finding(start, stop, kind, RANK, f"{kind}:grouped")
    return best


def _continues(text: str, at: int, step: int) -> bool:
    """Whether the number goes on beyond ``at``, so that what was found is a part of something else."""
    near = text[at : at + 2] if step > 0 else text[max(0, at - 2) : at][::-1]
    return len(near) == 2 and near[0] in ".-–/," and near[1].isdigit()
