# ruff: noqa: E501  (tables: one form, one line)
"""Street addresses, and places named after people.

A street with a house number is where somebody lives: it is masked. A street, school or hospital
without one is a public place: the person it is named after is not masked there, unless the tenant's
blocklist or roster says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from astra_learn_assets.privacy.cleaning import fold_chars
from astra_learn_assets.privacy.persons import tokens
from astra_learn_assets.privacy.rules import Finding

_UP = r"[A-ZÁÉÍÓÚÜÑÀÈÒÇ]"
_STREET = (
    r"(?:calle|c/\.?|avenida|avda\.?|avd\.?|av\.?|plaza|pza\.?|plz\.|pl\.|plazuela|plazoleta|glorieta|paseo|pº|camino|cno\.?|cmno\.?|"
    r"carretera|ctra\.?|carrera|cra\.|kra\.|travesía|trav\.|pasaje|psje\.?|pje\.?|ronda|rda\.|rambla|"
    r"callejón|cjón\.?|calleja|cuesta|costanilla|bulevar|boulevard|blvr?d\.?|jirón|jr\.|transversal|diagonal|circunvalación|"
    r"urbanización|urb\.?|urbanizacion|residencial|conjunto|ciudadela|cdla\.?|lotización|barriada|bda\.?|alameda|autopista|vía|"
    r"carrer|plaça|avinguda|passeig|kalea|etorbidea|rúa|praza|praça|calzada|privada|andador|cerrada|prolongación|malecón|pasadizo|polígono|pol\.)"
)
_WORD = rf"(?:{_UP}[\w’'´.\-]*|\d{{1,2}}|N\d{{2}})"
_LINK = r"(?:de|del|la|las|los|el|y|e|i|d['’]|en|san|santa)"
_NAME = rf"(?:{_LINK}\s+){{0,3}}{_WORD}(?:[ ]+(?:(?:{_LINK})[ ]+){{0,3}}{_WORD}){{0,6}}"
_LOOSE = r"(?:[\w’'´.\-]+[ ]+){0,6}?[\w’'´.\-]+"
_NUMBER = (
    r"(?:\s*,\s*|\s+(?!(?:19|20)\d\d\b)|\s*#\s*)(?:(?:n\.?[º°o]\.?|núm\.?|num\.?|número|numero|nro\.?|no\.?|#|portal|casa|lote|mz\.?|manzana|km\.?)\s*)?"
    r"(?:\d{1,5}(?:[.,]\d{1,3})?(?![\d.]*\s*(?:€|euros|metros|m2|m²|%|horas|años|vecinos|votos))(?!\s?[.]?[º°ª])|s/n|[NSEO]\d{1,3}-\d{1,4})"
    r"(?:\s?(?:bis|dup\.?)|[A-Za-z](?!\w)|(?-i:\s[A-H])(?!\w))?(?:\s?[\-–/]\s?\d{1,4}[A-Za-z]?(?!\w))?"
)
_SAID_NUMBER = r"[\s,]+(?:en\s+el\s+|al\s+)?n[úu]mero\s+(?:\d{1,5}|(?:\w+\s+y\s+)?\w+)"
_FLOOR = (
    r"(?:[\s,.\-]{1,3}(?:(?:piso|planta|pta\.?|puerta|puerta|escalera|esc\.?|bloque|blq\.?|portal|dpto\.?|departamento|depto\.?|apto\.?|apartamento|interior|int\.?|bajo|ático|"
    r"entresuelo|local|edificio|torre|letra|casa|oficina|of\.?|código postal|c\.?p\.?)\s?[\w\-]{0,6}|\d{1,2}\s?[.]?[º°ªa-dA-D](?!\w)[,]?(?:\s?[A-Za-z](?!\w)|\s?(?:izq|dcha|der|izda|izquierda|derecha)\w*\.?)?|\d{1,2}[A-Z](?!\w)|"
    r"(?:primero|segundo|tercero|cuarto|quinto|sexto)\s+(?:(?:izq|dcha|der|izda|izquierda|derecha)\w*|[a-d](?!\w))|(?:izq|dcha|izda|izquierda|derecha)\.?(?!\w)|\d{5}(?!\d)(?!\s*(?:€|euros))))"
)
_ADDRESS = re.compile(rf"(?<!\w)(?i:{_STREET})\s*{_NAME}(?i:{_NUMBER})(?i:{_FLOOR}){{0,4}}")
_ADDRESS_SAID = re.compile(rf"(?<!\w)(?i:{_STREET})\s+{_LOOSE}(?i:{_SAID_NUMBER})(?i:{_FLOOR}){{0,4}}")
_ADDRESS_LOWER = re.compile(
    rf"(?<!\w)(?:calle|c/|avenida|avda\.?|av\.|plaza|paseo|camino|carretera|travesía|pasaje|jirón|carrera|ronda)\s+{_LOOSE}\s*(?:,|n[º°]|núm\.?|nro\.?|#)\s*\d{{1,4}}(?!\d)(?!\s*(?:€|euros|de\s+\w+\s+de))(?i:{_FLOOR}){{0,4}}"
)
_GRID = re.compile(
    r"(?<!\w)(?i:calle|cl\.?|carrera|cra\.?|kra\.?|cr\.|transversal|tv\.?|diagonal|dg\.?|avenida|av\.?)\s*\d{1,3}\s?[A-Za-z]{0,2}(?:\s?(?i:bis|sur|norte|este|oeste))?\s*(?:#|(?i:no\.?|n[º°]|nro\.?))\s*\d{1,3}\s?[A-Za-z]?\s?[\-–]\s?\d{1,3}(?:\s?(?i:sur|norte|este|oeste))?(?i:"
    + _FLOOR
    + r"){0,4}"
)
_BLOCK = re.compile(
    r"(?<!\w)(?i:mz\.?|manzana)\s?[\"“']?[A-Z0-9]{1,3}[\"”']?[\s,]+(?i:lt\.?|lote)\s?[\"“']?\d{1,3}[A-Z]?[\"”']?"
)
_POSTAL = re.compile(r"(?<!\w)(?i:c\.?p\.?|código postal)\s*:?\s*\d{5}(?!\d)")

_PLACE_HEAD = (
    rf"(?:{_STREET}|hospital|clínica|ies|i\.e\.s\.|ceip|c\.e\.i\.p\.|cpr|colegio|escuela|instituto|institución educativa|liceo|preparatoria|"
    r"unidad educativa|u\.e\.|biblioteca|teatro|pabellón|polideportivo|estadio|parque|jardines|jardín|bosque|casa de (?:la )?cultura|"
    r"fundación|universidad|museo|auditorio|mercado|barrio|bº|parroquia|cantón|municipio|distrito|provincia|iglesia|ermita|convento|"
    r"catedral|basílica|playa|río|arroyo|monte|cerro|cementerio|aeropuerto|estación|coliseo|guardería|escuela infantil|conservatorio|"
    r"ludoteca|velódromo|piscina|campo de fútbol|isla|islas|lago|volcán|cofradía|santuario|virgen)"
)
# These name a place only when the name follows at once: "la casa de Pedro García" is a citizen's.
_PLACE_HEAD_DIRECT = (
    r"(?:centro(?: cívico| cultural| social| de salud| de mayores| de día| de interpretación| deportivo)?|casa|residencia|premio|premios|puente|colonia|"
    r"sector|departamento|estado|cine|sala|salón|monumento|estatua|busto|memorial|torneo|trofeo|copa|concurso|certamen|beca|becas|cátedra|"
    r"ley|plan|operación|edificio|complejo|comuna|comunidad|asociación|construcciones|transportes|talleres|excavaciones|ampa|afa|peña|club)"
)
_TITLE = r"(?:(?:Doctora?|Dra?\.|General|Gral\.|Padre|P\.|Alcalde|Maestr[oa]|Profesora?|Capitán|Comandante|Coronel|Almirante|Poeta|Pintora?|Escultora?|Presidente|Libertador|Mariscal|Cardenal|Obispo|Arzobispo|Marqués|Conde|Duque|Rey|Reina|Infanta|Príncipe|Fray|Sor|San|Santa|Santo|Beato|Virgen|Hermanos|Ingeniero|Arquitecto|Músico|Juan de Dios)\s+)?"
_AFTER_HEAD = (
    r"(?:(?:municipal|público|pública|provincial|nacional|general|universitario|cultural|social|cívico|deportivo|infantil|comarcal|"
    r"de salud|de mayores|de día|regional|especial)\s+){0,3}"
)
_NAMED = rf"[\"“'«]?(?!(?i:don|doña|d|dña|señora?|sra?)(?!\w))(?P<name>{_TITLE}{_UP}[\w’'´\-]+(?:[ ]+(?:(?:de|del|la|las|los|y|e|i)[ ]+){{0,2}}{_UP}[\w’'´\-]+){{0,4}})"
_PLACE = re.compile(
    rf"(?<![\w’'])(?i:{_PLACE_HEAD})[ ]+{_AFTER_HEAD}(?i:(?:de|del|de la|de los|de las|d['’])[ ]+)?{_NAMED}"
)
_PLACE_DIRECT = re.compile(rf"(?<![\w’'])(?i:{_PLACE_HEAD_DIRECT})[ ]+{_AFTER_HEAD}{_NAMED}")
_COMPANY = re.compile(
    rf"(?P<name>{_UP}[\w’'´\-]+(?:[ ]+(?:(?:y|e|de|del|la|e hijos)[ ]+)?{_UP}[\w’'´\-]+){{0,4}}(?:[ ]+e hijos)?),?\s?(?:S\.? ?L\.?(?: ?U\.?)?|S\.? ?A\.?(?: ?U\.?)?|S\.? ?C\.?|C\.? ?B\.?|S\.? ?A\.? ?S\.?|Ltda\.?|Cía\.?|S\. ?Coop\.?|E\.?I\.?R\.?L\.?|S\. de R\.L\.?)(?!\w)"
)


_NUMBERED = re.compile(r"\d|s/n|n[úu]mero|N[ÚU]MERO|S/N")
_COMPANY_ENDS = re.compile(
    r"S\.? ?[LAC]|C\.? ?B|Ltda|Cía|S\. ?Coop|E\.?I\.?R\.?L|S\. de R"
)  # what _COMPANY ends on


def _first_words(heads: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """Folded first words of the alternatives of ``heads``, a regex: those that are whole words, and those
    that a name may be glued to ("CalleMayor"), by their beginnings.

    Every form above begins with such a word; knowing where they stand spares trying it everywhere else.
    """
    depth, alternatives = 0, [""]
    for character in heads.removeprefix("(?:").removesuffix(")"):
        depth += (character == "(") - (character == ")")
        if character == "|" and not depth:
            alternatives.append("")
        else:
            alternatives[-1] += character
    whole: set[str] = set()
    glued: set[str] = set()
    for alternative in alternatives:
        spelled = [alternative]
        if optional := re.match(r"([^\W\d_]*)([^\W\d_])\?", alternative):  # "blvr?d"
            rest = alternative[optional.end() :]
            spelled = [optional[1] + rest, optional[1] + optional[2] + rest]
        for form in spelled:
            word = re.match(r"[^\W\d_]+", form)
            if word:
                may_end = re.fullmatch(r"(?:\\\.\?|\(\?:.*\)\?)?", form[word.end() :])
                (glued if may_end else whole).add(fold_chars(word[0]))
    return frozenset(whole), tuple(sorted(glued))


_STREET_WORDS, _STREET_BEGINNINGS = _first_words(_STREET)
_ADDRESS_WORDS = _STREET_WORDS | {
    "cl",
    "cra",
    "kra",
    "cr",
    "tv",
    "dg",
    "c",
    "cp",
    "codigo",
}  # also _GRID's and _POSTAL's
_ADDRESS_BEGINNINGS = (*_STREET_BEGINNINGS, "mz", "manzana")
_PLACE_WORDS = frozenset(
    w for heads in (_PLACE_HEAD, _PLACE_HEAD_DIRECT, _STREET) for found in _first_words(heads) for w in found
)
_WITHIN = re.compile(r"['’·]")


@lru_cache(maxsize=65_536)
def _opens_address(word: str) -> bool:
    return any(part in _ADDRESS_WORDS or part.startswith(_ADDRESS_BEGINNINGS) for part in _WITHIN.split(word))


@lru_cache(maxsize=65_536)
def _opens_place(word: str) -> bool:
    return any(part in _PLACE_WORDS for part in _WITHIN.split(word))


def _heads(text: str, opens: Iterable[bool]) -> list[int]:
    """Where in ``text`` a word stands that ``opens`` a form, and the parts of it behind an apostrophe."""
    found = []
    for (start, end), does in zip(tokens(text).spans, opens, strict=True):
        if does:
            found += [start, *(m.end() for m in _WITHIN.finditer(text, start, end))]
    return found


_WINDOW = 110


def addresses(text: str) -> Iterator[Finding]:
    """Street addresses that name a house, in a cleaned text."""
    words = tokens(text).words
    if not any(map(_opens_address, words)):
        return
    heads = _heads(text, map(_opens_address, words))
    for low, high in _windows(text, [m.start() for m in _NUMBERED.finditer(text)]):
        inside = tuple(at - low for at in heads if low <= at < high)
        if inside:
            base = max(0, low - 1)
            for start, end in _addresses_in(text[base:high], low - base, inside):
                yield Finding(base + start, base + end, "DIRECCION", 65, "address")


def _at_heads(form: re.Pattern[str], piece: str, low: int, heads: Sequence[int]) -> Iterator[re.Match[str]]:
    """What ``form.finditer`` gives, tried only at ``heads`` (counted from ``low``)."""
    last = 0
    for head in heads:
        match = form.match(piece, low + head) if low + head >= last else None
        if match:
            last = match.end()
            yield match


@lru_cache(maxsize=4096)
def _addresses_in(piece: str, low: int, heads: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    found = []
    for form in (_GRID, _ADDRESS, _ADDRESS_SAID, _ADDRESS_LOWER, _BLOCK, _POSTAL):
        for match in _at_heads(form, piece, low, heads):
            end = match.end()
            while end > match.start() and piece[end - 1] in " ,.;-\n":
                end -= 1
            found.append((match.start(), end))
    return tuple(found)


def public_places(text: str, near: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Spans of streets, institutions and companies around the offsets ``near`` whose names are no citizens'."""
    heads = _heads(text, map(_opens_place, tokens(text).words)) if near else []
    for low, high in _windows(text, near):
        base = max(0, low - 12)
        inside = tuple(at - low for at in heads if low <= at < high)
        if inside or _COMPANY_ENDS.search(text, low, high):
            for start, end in _places_in(text[base:high], low - base, inside):
                yield base + start, base + end


@lru_cache(maxsize=4096)
def _places_in(piece: str, low: int, heads: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    companies = _COMPANY.finditer(piece, low) if _COMPANY_ENDS.search(piece, low) else ()
    return tuple(
        match.span()
        for found in (
            _at_heads(_PLACE, piece, low, heads),
            _at_heads(_PLACE_DIRECT, piece, low, heads),
            companies,
        )
        for match in found
        if not _TITLED.search(piece[max(0, match.start() - 10) : match.start()])
    )


def _windows(text: str, near: Sequence[int]) -> list[tuple[int, int]]:
    """Stretches of ``text`` around the offsets, cut between words, overlapping ones joined."""
    windows: list[tuple[int, int]] = []
    for at in sorted(near):
        low, high = max(0, at - _WINDOW), min(len(text), at + _WINDOW)
        while low > 0 and text[low - 1].isalnum() and low < at:
            low += 1
        while high < len(text) and text[high].isalnum() and high < at + 2 * _WINDOW:
            high += 1
        if windows and low <= windows[-1][1]:
            windows[-1] = windows[-1][0], high
        else:
            windows.append((low, high))
    return windows


_TITLED = re.compile(
    r"(?i)(?<!\w)(?:señor|señora|don|doña|sra?\.?|d\.|dª\.?|dña\.?)\s*$"
)  # "la señora Calle Ruiz"
