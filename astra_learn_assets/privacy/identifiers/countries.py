# ruff: noqa: E501  (tables: one form, one line)
"""National identifiers by country: one pack per tenant, plus what is masked everywhere on context.

A pack holds what may fire by form and check digit alone in that country. A number introduced as
"cédula", "DNI", "CURP" and the like is masked in every country (:data:`ANY`), because visitors bring
their papers along; only bare numbers need the pack. Shares are of random digit strings accepted.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from astra_learn_assets.errors import BadConfiguration, BadInput
from astra_learn_assets.privacy.identifiers import validators
from astra_learn_assets.privacy.identifiers.compact import compact_identities
from astra_learn_assets.privacy.identifiers.rules import Finding, Rule, RuleSet, words

COUNTRIES = (
    "es", "ec", "co", "mx", "cl", "ar", "pe", "uy", "py", "ve", "bo", "do", "cr", "gt", "sv", "pa", "hn", "ni",
)  # fmt: skip
_S = r"(?: ?[.\-–] ?| )?"
_B = r"(?<![\w.\-/])"
_E = r"(?![\w/]|[.\-–,]\d)"
_MONEY = re.compile(
    r"\s{0,2}(?:€|euros?\b|\$|USD\b|dólares|pesos|soles|bolivianos|millones|habitantes|metros|m2|m²|kg|votos|%)",
    re.I,
)
_DOLLAR = re.compile(r"(?:€|\$|S/\.?|Bs\.?|USD)\s{0,2}$", re.I)

IDENTITY = words(
    "dni|d n i|nif|n i f|nie|cif|documento|documento nacional|identidad|identificacion|identificado|identificada|"
    "identificados|cedula|cedulas|cédula de ciudadanía|ciudadanía|c c|cc|c i|ci|c.c|c.i|carnet|carné|carne de identidad|"
    "cui|dpi|dui|rut|run|curp|rfc|cuit|cuil|nit|rif|ruc|nui|nuip|clave de elector|credencial|tarjeta de identidad|t i|"
    "libreta de enrolamiento|libreta cívica|l.e|l.c|documento único|pasaporte|dimex|le|personal|rnc"
)
IDENTITY -= words("personal|le|carne de identidad")
_KIND_BY_COUNTRY = {
    "es": "DNI", "ec": "CEDULA", "co": "CEDULA", "mx": "CURP", "cl": "RUT", "ar": "DNI", "pe": "DNI", "uy": "CEDULA",
    "py": "CEDULA", "ve": "CEDULA", "bo": "CEDULA", "do": "CEDULA", "cr": "CEDULA", "gt": "DPI", "sv": "DUI",
    "pa": "CEDULA", "hn": "DNI", "ni": "CEDULA",
}  # fmt: skip


def _rule(kind: str, form: str, check: object = None, **options: object) -> Rule:
    options.setdefault("context", IDENTITY)
    options.setdefault("veto_after", _MONEY)
    options.setdefault("veto_before", _DOLLAR)
    return Rule(kind, re.compile(form), check, **options)  # type: ignore[arg-type]


def _digits(*groups: int) -> str:
    return _S.join(rf"\d{{{n}}}" for n in groups)


_DOTTED = r"\d{1,3}(?:[. ]\d{3}){2}"

# Forms so plain that only the words around them say what they are.
ANY: tuple[Rule, ...] = (
    _rule("DNI", rf"{_B}\d{{1,2}}[. ]?\d{{3}}[. ]?\d{{3}}(?:[.\-–]?[A-Za-z]|[ .\-–]{{1,3}}[A-Zb-df-hj-np-tvwz])(?!\w)", validators.es_dni,
          context=words("dni|d n i|nif|n i f|documento|identidad|identificación"), rank=62),
    _rule("NIE", rf"{_B}[XYZxyz]{_S}\d[. ]?\d{{3}}[. ]?\d{{3}}[ .\-–]{{0,3}}[A-Za-z](?![\w])",
          validators.stdnum("es.nie"), context=words("nie|n i e|extranjero|extranjería|documento|identidad"), rank=62),
    _rule("CURP", rf"{_B}[A-Za-z]{{4}}[ \-]?\d{{6}}[ \-]?[HMXhmx][A-Za-z]{{5}}[ \-]?[A-Za-z0-9]\d(?!\w)", None, strong=True, rank=66),
    _rule("RFC", rf"{_B}[A-Za-zÑñ&]{{3,4}}[ \-]?\d{{6}}[ \-]?[A-Za-z0-9]{{3}}(?!\w)", validators.stdnum("mx.rfc"),
          context=words("rfc|registro federal|contribuyente|contribuyentes"), rank=60),
    _rule("CLAVE_ELECTOR", rf"{_B}[A-Za-z]{{6}}\d{{8}}[HMhm]\d{{3}}(?!\w)", validators.mx_elector, strong=True, rank=66),
    _rule("RUT", rf"{_B}\d{{1,2}}[. ]?\d{{3}}[. ]?\d{{3}}[ ]?[\-–]?[ ]?[\dkK](?!\w)", validators.stdnum("cl.rut"),
          context=words("rut|run|rol único tributario|rol único nacional|rol único"), rank=58),
    _rule("CUIT", rf"{_B}(?:20|23|24|27|30|33|34){_S}\d{{2}}[. ]?\d{{3}}[. ]?\d{{3}}{_S}\d{_E}", validators.stdnum("ar.cuit"),
          context=words("cuit|cuil|cdi"), rank=60),
    _rule("RIF", rf"{_B}[VEJPGvejpg][ \-–]?\d{{8,9}}[ \-–]?\d?{_E}", validators.stdnum("ve.rif"), context=words("rif"), rank=60),
    _rule("CEDULA", rf"{_B}[VEve][ .\-–]{{1,2}}\d{{1,2}}[. ]?\d{{3}}[. ]?\d{{3}}{_E}", None, rank=56),
    _rule("NIT", rf"{_B}\d{{1,3}}(?:[. ]?\d{{3}}){{1,3}}[ ]?[\-–]?[ ]?[\dkK]?{_E}", None,
          context=words("nit|identificación tributaria"), rank=54),
    _rule("NIT", rf"{_B}{_digits(4, 6, 3, 1)}{_E}", None, context=words("nit"), rank=56),
    _rule("RUC", rf"{_B}\d{{10,13}}{_E}|{_B}\d{{5,8}}[\-–]\d{_E}|{_B}{_digits(10, 3)}{_E}", None, context=words("ruc|registro único de contribuyentes"), rank=58),
    _rule("DPI", rf"{_B}{_digits(4, 5, 4)}{_E}", validators.gt_dpi, context=words("dpi|cui|documento personal de identificación"), rank=58),
    _rule("DUI", rf"{_B}\d{{8}}[ \-–]?\d{_E}", validators.sv_dui, context=words("dui|documento único"), rank=58),
)  # fmt: skip


def _generic(kind: str) -> Rule:
    """Whatever follows "cédula", "documento", "C.C." and looks like a number of a person."""
    form = (
        rf"(?:(?<![\w.\-/])(?!(?i:dni|nif|nie|cc|ci|cui|dpi|dui|rut|run|rfc|nit|rif|ruc|nui|ti|le|lc|no|n))[A-Za-z]{{1,3}}-?|(?<![\d.\-/])(?<![^\W\d]{{5}}))\d{{1,}}(?:(?: ?[.\-–] ?| )\d{{2,}}){{0,3}}"
        rf"(?:[ .\-–]{{0,3}}\d)?(?:(?:[.\-–]?[A-Za-z]|[ \-–]{{1,3}}[B-DF-HJ-NP-TV-Zb-df-hj-np-tvwz])(?!\w))?(?:[ \-–](?:LP|CB|SC|OR|PT|CH|TJ|BE|PD|lp|cb|sc|pt|ch|tj|pd)(?!\w))?{_E}"
    )

    def enough(number: str) -> bool:
        return 5 <= sum(c.isdigit() for c in number) <= 16

    return _rule(kind, form, enough, context_only_if_valid=True, rank=45, name=f"{kind}:context")


_SPELLED = _rule(  # "1 2 3 4 5 6 7 8 Z", read out digit by digit
    "DNI",
    r"(?<![\w.\-/])\d(?: \d){5,12}(?: [A-Za-z](?!\w))?(?![\w/]|[.\-–,]\d)",
    None,
    rank=63,
    name="spelled",
)


def _pack(country: str) -> tuple[Rule, ...]:
    packs: dict[str, tuple[Rule, ...]] = {
        "es": (
            _rule("DNI", rf"{_B}\d{{1,2}}[. ]?\d{{3}}[. ]?\d{{3}}(?:[.\-–]| [\-–] ?)?[A-Z](?!\w)", validators.es_dni, strong=True, rank=64),
            _rule("DNI", rf"{_B}\d{{1,2}}[. ]?\d{{3}}[. ]?\d{{3}}(?:[.\-–]| [\-–] ?)?[a-z](?!\w)", validators.es_dni, strong=True, rank=64),
            _rule("DNI", rf"{_B}\d{{1,2}}[. ]?\d{{3}}[. ]?\d{{3}} {{1,2}}[A-Zb-df-np-tv-xz](?!\w)", validators.es_dni, strong=True, rank=64),
            _rule("NIE", rf"{_B}[XYZxyz]{_S}\d[. ]?\d{{3}}[. ]?\d{{3}}[ .\-–]{{0,3}}[A-Za-z](?!\w)", validators.stdnum("es.nie"), strong=True, rank=64),
            _rule("NIF", rf"{_B}[ABCDEFGHJKLMNPQRSUVWabcdefghjklmnpqrsuvw][ .\-–]?\d{{2}}[. ]?\d{{3}}[. ]?\d{{2}}[ .\-–]?[0-9A-Ja-j]{_E}",
                  validators.stdnum("es.nif"), strong=True, rank=61),
            _rule("NIF", rf"{_B}[KLMklm][ .\-–]{{0,3}}\d{{7}}(?:[.\-–]| [\-–] ?)?[A-Za-z](?!\w)", validators.stdnum("es.nif"), strong=True, rank=61),
            _rule("SALUD", rf"{_B}{_digits(2, 8, 2)}{_E}|{_B}\d{{2}}/\d{{8}}/\d{{2}}(?![\w/])", validators.es_nss, strong=True, rank=60),
            _rule("CATASTRO", rf"{_B}[0-9A-Z]{{7}} ?[0-9A-Z]{{7}} ?\d{{4}} ?[A-Z]{{2}}(?!\w)", validators.stdnum("es.referenciacatastral"),
                  strong=True, context=words("referencia catastral|catastral"), rank=66),
        ),
        "ec": (
            _rule("RUC", rf"{_B}\d{{9}}{_S}\d{_S}\d{{3}}{_E}", validators.stdnum("ec.ruc"), strong=True, rank=62),
            _rule("CEDULA", rf"{_B}(?:{_digits(9, 1)}|{_digits(2, 4, 4)}|{_digits(3, 3, 3, 1)}|{_digits(2, 4, 3, 1)}|{_digits(1, 3, 3, 3)}|{_digits(4, 3, 3)}){_E}",
                  validators.stdnum("ec.ci"), strong=True, rank=61),
        ),
        "co": (
            _rule("NIT", rf"{_B}\d{{3}}\.\d{{3}}\.\d{{3}}[ ]?[\-–][ ]?\d{_E}", validators.stdnum("co.nit"), strong=True, rank=60),
            _rule("CEDULA", rf"{_B}\d{{6,7}}{_E}|{_B}\d{{1,3}}[.]\d{{3}}(?:[.]\d{{3}})?{_E}", None, context=words("c e|c.e|ce|extranjería"), rank=56),
        ),
        "mx": (
            _rule("RFC", rf"{_B}[A-Za-zÑñ&]{{3,4}}[ \-]?\d{{6}}[ \-]?[A-Za-z0-9]{{3}}(?!\w)", validators.stdnum("mx.rfc"), strong=True, rank=61),
            _rule("SALUD", rf"{_B}{_digits(2, 2, 2, 4, 1)}{_E}", validators.luhn, context=words("nss|imss|issste|seguridad social|seguro social"), rank=60),
        ),
        "cl": (_rule("RUT", rf"{_B}\d{{1,2}}(?:\.\d{{3}}\.\d{{3}}|\d{{6}})[ ]?[\-–][ ]?[\dkK](?!\w)", validators.stdnum("cl.rut"), strong=True, rank=62),),
        "ar": (_rule("CUIT", rf"{_B}(?:20|23|24|27|30|33|34){_S}\d{{2}}[. ]?\d{{3}}[. ]?\d{{3}}{_S}\d{_E}", validators.stdnum("ar.cuit"), strong=True, rank=62),),
        "pe": (_rule("RUC", rf"{_B}(?:10|15|16|17|20){_S}\d{{8}}{_S}\d{_E}", validators.pe_ruc, strong=True, rank=62),),
        "uy": (
            _rule("CEDULA", rf"{_B}\d\.\d{{3}}\.\d{{3}}[ ]?[\-–][ ]?\d{_E}", validators.uy_ci, strong=True, rank=62),
            _rule("CEDULA", rf"{_B}\d{{6,7}}[ ]?[\-–][ ]?\d{_E}", validators.uy_ci, strong=True, rank=60),
            _rule("RUT", rf"{_B}{_digits(2, 6, 3, 1)}{_E}", validators.stdnum("uy.rut"), strong=True, rank=60),
        ),
        "py": (_rule("RUC", rf"{_B}\d{{5,8}}[\-–]\d{_E}", validators.stdnum("py.ruc"), context=words("ruc|contribuyente"), rank=58),),
        "ve": (
            _rule("CEDULA", rf"{_B}[VEve][ ]?[.\-–][ ]?\d{{1,2}}[. ]?\d{{3}}[. ]?\d{{3}}{_E}", None, strong=True, rank=62),
            _rule("RIF", rf"{_B}[VEJPGvejpg][ \-–]?\d{{2}}[. ]?\d{{3}}[. ]?\d{{3}}[ \-–]?\d{_E}", validators.stdnum("ve.rif"), strong=True, rank=63),
        ),
        "bo": (_rule("CEDULA", rf"{_B}\d{{5,8}}(?: ?[\-–]? ?\d[A-Za-z])?[ \-–.]{{0,3}}(?:LP|CB|CBBA|SC|OR|PT|CH|TJ|BE|PD|BN|lp|cb|cbba|sc|or|pt|ch|tj|be|pd|bn)(?!\w)", validators.bo_ci, strong=True, rank=60),),
        "do": (
            _rule("CEDULA", rf"{_B}\d{{3}}[ ]?[\-–][ ]?\d{{7}}[ ]?[\-–][ ]?\d{_E}", validators.luhn, strong=True, rank=62),
            _rule("CEDULA", rf"{_B}{_digits(3, 7, 1)}{_E}", validators.luhn, rank=58),
            _rule("RNC", rf"{_B}{_digits(3, 5, 1)}{_E}", validators.stdnum("do.rnc"), context=words("rnc"), rank=58),
        ),
        "cr": (_rule("CEDULA", rf"{_B}0?[1-9] ?[\-–] ?\d{{4}} ?[\-–] ?\d{{4}}{_E}|{_B}[1-9] \d{{4}} \d{{4}}{_E}", None, strong=True, rank=58),),
        "gt": (_rule("DPI", rf"{_B}{_digits(4, 5, 4)}{_E}", validators.gt_dpi, strong=True, rank=62),),
        "sv": (
            _rule("DUI", rf"{_B}\d{{8}}[ ]?[\-–][ ]?\d{_E}", validators.sv_dui, strong=True, rank=62),
            _rule("NIT", rf"{_B}\d{{4}} ?[\-–] ?\d{{6}} ?[\-–] ?\d{{3}} ?[\-–] ?\d{_E}", None, strong=True, rank=62),
        ),
        "pa": (
            _rule("CEDULA", rf"{_B}(?:1[0-3]|[1-9]|PE|E|N|pe|e|n) ?[\-–] ?(?:(?:AV|PI|NT|av|pi|nt) ?[\-–] ?)?\d{{1,4}} ?[\-–] ?\d{{1,6}}{_E}", validators.pa_cedula_alone, strong=True, rank=60, keep_separators=True),
            _rule("CEDULA", rf"{_B}(?:1[0-3]|[1-9]|PE|E|N|pe|e|n) ?[\-–] ?(?:(?:AV|PI|NT|av|pi|nt) ?[\-–] ?)?\d{{1,4}} ?[\-–] ?\d{{1,6}}{_E}", validators.pa_cedula, rank=58, keep_separators=True),
            _rule("CEDULA", rf"{_B}(?:(?:1[0-3]|[1-9]){_S}(?:AV|PI|NT|av|pi|nt)|PE|E|N){_S}\d{{1,4}}{_S}\d{{1,6}}{_E}|{_B}(?:1[0-3]|[1-9]) \d{{1,4}} \d{{2,6}}{_E}", None, rank=58),
        ),
        "hn": (
            _rule("DNI", rf"{_B}{_digits(4, 4, 5)}{_E}", validators.hn_dni, strong=True, rank=62),
            _rule("RTN", rf"{_B}{_digits(4, 4, 6)}{_E}|{_B}{_digits(4, 4, 5, 1)}{_E}", validators.hn_rtn, strong=True, context=words("rtn"), rank=63),
        ),
        "ni": (_rule("CEDULA", rf"{_B}{_digits(3, 6, 4)}{_S}[A-Za-z](?!\w)", validators.ni_cedula, strong=True, rank=62),),
    }  # fmt: skip
    return packs[country]


def country_code(country: str) -> str:
    """The ISO 3166 code of a country that has a pack, in lower case: ``" ES"`` is ``"es"``.

    Raises:
        BadInput: there is no pack, listing those there are: without one nobody's number would be masked.
    """
    code = country.strip().lower()
    if code not in COUNTRIES:
        raise BadInput(f"no country pack {country!r:.20}: use one of {', '.join(COUNTRIES)}")
    return code


@lru_cache(maxsize=32)
def identity_rules(country: str) -> tuple[Rule, ...]:
    """All rules for identity documents of a tenant in ``country`` (ISO 3166 alpha-2, lower case).

    Raises:
        BadConfiguration: for a country without a pack, listing those there are.
    """
    try:
        code = country_code(country)
    except BadInput as error:  # whoever typed it was told so; here it comes from settings or a table
        raise BadConfiguration(str(error)) from error
    kind = _KIND_BY_COUNTRY[code]
    return (*_pack(code), *ANY, replace(_SPELLED, kind=kind), _generic(kind))


def find_identities(text: str, country: str) -> list[Finding]:
    """All identity documents in a cleaned text, as printed and however grouped; overlaps are left in."""
    code = country.strip().lower()
    return [*_identity_set(code).find(text), *compact_identities(text, code)]


@lru_cache(maxsize=32)
def _identity_set(country: str) -> RuleSet:
    return RuleSet(identity_rules(country))
