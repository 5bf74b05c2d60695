"""Phones, mail, accounts, plates, passports, health numbers and dates of birth, for every country.

Phones go through libphonenumber with the tenant's region; bare digit strings count only where the
region's numbering makes them a phone beyond doubt, or where a word like "teléfono" stands by. Nothing
here opens a network connection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from astra_learn_assets.privacy.identifiers.countries import country_pack
from astra_learn_assets.privacy.identifiers.rules import Finding, Rule, listed, words
from astra_learn_assets.privacy.identifiers.validators import card, stdnum
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.name_words import tokens

_NOT_BEFORE = r"(?<![\w.\-/])"
_E = r"(?![\w/]|[.\-,]\d)"
_MONTH = "enero|febrero|marzo|abril|mayo|junio|julio|agosto|sep?tiembre|octubre|noviembre|diciembre"
_DATE = (
    rf"(?:\d{{1,2}}\s?[-/.]\s?\d{{1,2}}\s?[-/.]\s?\d{{2,4}}|\d{{4}}-\d{{2}}-\d{{2}}|"
    rf"\d{{1,2}}(?:º|°)?\s+(?:de\s+)?(?:{_MONTH})(?:\s+(?:del?\s+)?(?:año\s+)?\d{{4}})?)"
)
_UNITS = "uno?|dos|tres|cuatro|cinco|seis|siete|ocho|nueve"
_TEENS = "diez|once|doce|trece|catorce|quince|dieci[a-zéó]+|veint[a-zéóú]+"
_TENS = "treinta|cuarenta|cincuenta|sesenta|setenta|ochenta|noventa"
_SPOKEN_DATE = (
    rf"(?:primero|{_UNITS}|{_TEENS}|treinta(?: y uno?)?)\s+de\s+(?:{_MONTH})"
    rf"(?:\s+(?:de|del año)\s+(?:mil|dos mil)"
    rf"(?:\s+(?:y|nov[a-z]+|oc[a-z]+|sete[a-z]+|{_TEENS}|{_TENS}|{_UNITS})(?!\w)){{0,5}})?"
)
_PHONE_WORDS = frozenset(listed("phone"))
_PLATE_WORDS = frozenset(listed("plate"))
_MAIL = r"[\w.+%'’\-]{1,64}\s?@\s?(?:[\w\-]{1,63}\s?\.\s?){1,5}[A-Za-z]{2,24}"
_SPOKEN_MAIL = (
    r"(?<![\w.\-])[\w.\-]{1,64}(?:\s+(?:punto|guion bajo|guión bajo|guion|guión)\s+[\w\-]+){0,4}\s*[(\[]?\s*"
    r"(?:(?<=\W)arroba(?=\W)|\[at\]|\(at\))\s*[)\]]?\s*[\w\-]+(?:(?:\s+punto\s+|\s*[\[(](?:dot|punto)[\])]\s*|\s?\.\s?)[\w\-]{2,12}){1,3}"
)
_WEB = ("://", "www.", ".com/")
# Spanish plates of before 2000 begin with their province.
_PROVINCES = (
    "A|AB|AL|AV|B|BA|BI|BU|C|CA|CC|CE|CO|CR|CS|CU|GC|GE|GI|GR|GU|H|HU|IB|J|L|LE|LO|LU|M|MA|ML|MU|NA|O|OR|OU|P"
    "|PM|PO|S|SA|SE|SG|SO|SS|T|TE|TF|TO|V|VA|VI|Z|ZA"
)

CONTACT: tuple[Rule, ...] = (
    Rule("EMAIL", re.compile(rf"(?<![\w.+]){_MAIL}"), strong=True, rank=80, needs=("@",)),
    Rule("EMAIL", re.compile(_SPOKEN_MAIL, re.I), strong=True, rank=80, needs=("arroba", "[at]", "(at)")),
    Rule(
        "USUARIO",
        re.compile(r"(?<![\w@./])@[A-Za-z_]\w{2,29}(?![\w@])"),
        strong=True,
        rank=40,
        needs=("@",),
    ),
    Rule(
        "URL",
        re.compile(r"(?:https?://|www\.)[^\s<>\"'»”)\]]{3,}[^\s<>\"'»”)\].,;:!?…]", re.I),
        strong=True,
        rank=75,
        needs=_WEB,
    ),
    Rule(
        "URL",
        re.compile(r"(?<![\w@.])(?:facebook|instagram|linkedin|twitter|tiktok|x)\.com/[\w./\-]+", re.I),
        strong=True,
        rank=75,
        needs=_WEB,
    ),
    Rule(
        "CUENTA",
        re.compile(
            r"(?<!\w)[A-Za-z]{2}\d{2}(?:[ \-.]?(?=[A-Za-z]{0,3}\d)[A-Za-z0-9]{4}){2,7}"
            r"(?:[ \-.]?(?=[A-Za-z]{0,2}\d)[A-Za-z0-9]{1,3})?(?!\w)"
        ),
        stdnum("iban"),
        strong=True,
        context=words("iban|cuenta|c/c|ccc|domiciliar|bancaria|transferencia"),
        rank=78,
    ),
    Rule(
        "CUENTA",
        re.compile(r"(?<![\w.\-/])\d{4}[ .\-]?\d{4}[ .\-]?\d{2}[ .\-]?\d{10}(?![\w/])"),
        stdnum("es.ccc"),
        strong=True,
        context=words("cuenta|ccc|bancaria|c/c"),
        rank=70,
    ),
    Rule(
        "CUENTA",
        re.compile(rf"{_NOT_BEFORE}\d{{3,6}}(?:[ .\-]?\d{{2,10}}){{1,4}}{_E}"),
        lambda n: 8 <= len(n) <= 24,
        context=words(
            "numero de cuenta|cuenta corriente|cuenta bancaria|cuenta de ahorros|cuenta n|clabe|cbu|cci|iban"
        ),
        context_only_if_valid=True,
        rank=48,
    ),
    Rule(
        "TARJETA",
        re.compile(
            rf"{_NOT_BEFORE}(?:\d{{4}}[ .\-]?){{3}}\d{{1,7}}{_E}"
            rf"|{_NOT_BEFORE}3[47]\d{{2}}[ .\-]?\d{{6}}[ .\-]?\d{{5}}{_E}"
        ),
        card,
        strong=True,
        context=words("tarjeta|visa|mastercard|crédito|débito"),
        rank=68,
    ),
    Rule(
        "IP",
        re.compile(
            r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w]|\.\d)"
        ),
        lambda n: len(n) >= 7,
        strong=True,
        rank=55,
        veto_before=re.compile(
            r"(?:art[íi]culos?|apartados?|puntos?|secci[óo]n|anexos?|cap[íi]tulo"
            r"|versi[óo]n|n[º°.]|núm\.?)\s*$",
            re.I,
        ),
    ),
    Rule(
        "IP",
        re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){3,7}(?::?[0-9A-Fa-f]{1,4})(?![\w:])"),
        strong=True,
        rank=55,
    ),
    Rule(
        "MATRICULA",
        re.compile(r"(?<![\w\-.,/])(?!(?:19|20)\d{2} )\d{4}[ \-]?[BCDFGHJKLMNPRSTVWXYZ]{3}(?!\w)"),
        strong=True,
        context=_PLATE_WORDS,
        rank=57,
    ),
    Rule(
        "MATRICULA",
        re.compile(rf"(?<![\w\-.])(?:{_PROVINCES})[ \-]\d{{4}}[ \-][A-Z]{{1,2}}(?!\w)"),
        strong=True,
        context=_PLATE_WORDS,
        rank=57,
    ),
    Rule(
        "MATRICULA",
        re.compile(
            r"(?<![\w\-.])(?=[A-Za-z0-9 \-]*\d)[A-Z0-9]{1,4}[ \-]?\d{2,4}[ \-]?[A-Z]{0,3}(?!\w)"
            r"|(?<![\w\-.])(?:[A-Z]{2,3}[ \-]?|[a-z]{2,3}-?)\d{3,4}[A-Za-z]?(?!\w)"
            r"|(?<![\w\-.])\d{4}(?:[ \-]?[A-Z]{3}|-?[a-z]{3})(?!\w)"
        ),
        lambda n: 5 <= len(n) <= 8 and any(c.isalpha() for c in n) and any(c.isdigit() for c in n),
        context=_PLATE_WORDS,
        context_only_if_valid=True,
        rank=46,
    ),
    Rule(
        "PASAPORTE",
        re.compile(r"(?<![\w.\-])[A-Za-z]{0,3}[ \-]?\d{5,9}[A-Za-z]?(?!\w)"),
        context=words("pasaporte|pasaportes|passport"),
        rank=63,
    ),
    Rule(
        "FECHA_NACIMIENTO",
        re.compile(
            r"(?:(?i:nacid[oa]s?|naci[óo]|nac(?:imiento|\.)|natalicio|f\. ?n\.|fdn|dob))"
            rf"[^\n.;]{{0,40}}?(?P<id>{_DATE}|{_SPOKEN_DATE})(?!\w)",
            re.I,
        ),
        strong=True,
        rank=59,
        needs=("nac", "natal", "fdn", "dob", "f. n", "f.n"),
    ),
    Rule(
        "SALUD",
        re.compile(rf"{_NOT_BEFORE}(?:[A-Za-z]{{2,6}}[ \-]?)?\d{{2,}}(?:[ \-/.]?\d+){{0,5}}{_E}"),
        lambda n: 4 <= sum(c.isdigit() for c in n) <= 20,
        context=frozenset(listed("health")),
        context_only_if_valid=True,
        rank=47,
    ),
    Rule(
        "SALUD",
        re.compile(
            rf"(?i:n[º°.o]\s?col(?:egiad[oa])?|nhc|cipa|nass)[.\s:/#\-]{{1,6}}(?:nhc[\-/ ]?)?"
            rf"(?P<id>\d{{2,}}(?:[ \-/.]?\d+){{0,5}}){_E}"
        ),
        strong=True,
        rank=48,
    ),
    Rule(
        "SALUD",
        re.compile(r"(?<!\w)(?:BBBBBBBB[A-Z]{2}\d{6}|[A-Z]{4}\d{10}|AN\d{10}|CYL[A-Z]{4}\d{12})(?!\w)"),
        strong=True,
        rank=58,
    ),
)

_DIGIT_RUN = re.compile(r"\d(?:[ .\-/()]{0,3}\d){6,}")
_YEARS = re.compile(r"(?:19|20)\d\d\s?[-–/ ]\s?(?:19|20)\d\d")
_UNIT = re.compile(
    r"\s{0,2}(?:€|euros?\b|\$|USD\b|dólares|pesos|soles|bolivianos|millones|habitantes|m2|m²|kg|votos|%|/\d)",
    re.I,
)
_CURRENCY = re.compile(
    r"(?:€|\$|S/\.?|Bs\.?|USD|expediente|exp\.|registro|factura|decreto|nº|núm\.)\s{0,2}$", re.I
)
_GROUPED = re.compile(
    r"^(?:\(?0?\d{1,4}\)?[ .\-/]?)?(?:\d{3}[ .\-]\d{3}[ .\-]\d{3,4}|\d{3}[ .\-]\d{2}[ .\-]\d{2}[ .\-]\d{2}"
    r"|\d{2}[ .\-]\d{3}[ .\-]\d{2}[ .\-]\d{2}|\d{2}[ .\-]\d{3}[ .\-]\d{3,4}|\d{4}[ \-]\d{4}|\d{3}[ \-]\d{4}"
    r"|\d{2}[ .\-]\d{4}[ .\-]\d{4}|\d[ .\-]\d{4}[ .\-]\d{4}|\d{3}[ .\-]\d{6}|\d{4}[ .\-]\d{3}[ .\-]\d{3}"
    r"|\d{3}[ .\-]\d{2}[ .\-]\d{4})$"
)
_CONTEXT = Rule("TELEFONO", re.compile(""), context=_PHONE_WORDS)
_CLOSE = re.compile(
    r"(?<!\w)(?:tel|tfno|tlf|tlfn|telf|telefonos?|moviles|movil|celular(?:es)?|cel|whatsapp|fax)[ .:]{1,4}"
    r"(?:(?:numero|n[º°.o]*|de contacto|es|es el)[ .:]{0,3})?\+?\(?$"
)
_VISITORS = (
    "ES",
    "EC",
    "CO",
    "MX",
    "AR",
)  # regions whose numbers a word like "teléfono" may announce anywhere
_NUMBER_WORDS = listed("spoken_numbers")
_SAID = frozenset((*_NUMBER_WORDS, *"abcdefghijklmnopqrstuvwxyz"))
_NUMBER_WORD = "|".join(_NUMBER_WORDS)
_SPOKEN = re.compile(
    rf"(?<!\w)(?:{_NUMBER_WORD})(?:[\s,.\-]+(?:y[\s]+)?(?:{_NUMBER_WORD}|[a-z](?=\W|$)))+(?!\w)"
)
_SPOKEN_CONTEXT = Rule(
    "NUMERO",
    re.compile(""),
    context=_PHONE_WORDS
    | words("dni|nie|nif|cedula|documento|identidad|cuenta|tarjeta|pasaporte|rut|curp|c.i"),
)


def phones(text: str, country: str) -> Iterator[Finding]:
    """Phone numbers in a cleaned text of a tenant in ``country`` (lower-case code)."""
    if not _DIGIT_RUN.search(text):
        return
    folded = fold_chars(text)
    plan = country_pack(country).phone
    for run in _DIGIT_RUN.finditer(text):
        start, end = run.span()
        while start > 0 and text[start - 1] in "+(" and text[start - 1 : end].count("(") <= 1:
            start -= 1
        raw = text[start:end]
        digits = re.sub(r"\D", "", raw)
        if _YEARS.fullmatch(raw) or _UNIT.match(text, end) or _glued(text, start, end) or len(digits) > 16:
            continue
        context = _CONTEXT.near(text, folded, start, end)
        if not context and _CURRENCY.search(text[max(0, start - 14) : start]):
            continue
        international = raw.startswith("+") or digits.startswith("00")
        bare = plan.bare is not None and plan.bare.fullmatch(digits)
        if not (international or context or bare or _GROUPED.match(raw.strip(" -."))):
            continue
        regions = (plan.region, *_VISITORS) if context else (plan.region,)
        if (context and 7 <= len(digits) <= 15) or any(_valid(raw, r) for r in regions):
            close = _CLOSE.search(folded, max(0, start - 28), start) is not None
            rank = 68 if close else 58 if context or international else 53
            yield Finding(start, end, "TELEFONO", rank, "TELEFONO")


def _glued(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 2]
    return before.isalnum() or (before in "_#€$" and before != "") or after[:1].isalpha() or after[:1] == "_"


def _valid(raw: str, region: str) -> bool:
    from phonenumbers import NumberParseException, is_valid_number, parse

    value = "+" + re.sub(r"\D", "", raw)[2:] if re.sub(r"\D", "", raw).startswith("00") else raw
    try:
        return is_valid_number(parse(value, region))
    except NumberParseException:
        return False


def spoken_numbers(text: str) -> Iterator[Finding]:
    """Numbers said word by word near "teléfono", "DNI", "cuenta" ("seis doce treinta y cuatro")."""
    if sum(map(_SAID.__contains__, tokens(text).words)) < 3:
        return
    folded = fold_chars(text)
    if not _SPOKEN_CONTEXT.hinted(folded):
        return
    for run in _SPOKEN.finditer(folded):
        said = [w for w in re.findall(r"\w+", run[0]) if w not in ("y", "guion", "punto")]
        if len(said) >= 4 and _SPOKEN_CONTEXT.near(text, folded, *run.span()):
            yield Finding(run.start(), run.end(), "NUMERO", 52, "spoken")
