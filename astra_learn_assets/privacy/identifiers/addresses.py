"""Street addresses.

A street with a house number is where somebody lives: it is masked, with floor, door, corner and postal
code. So is what stands behind "Domicilio:", and a name with a number right before a postal code and a
town. A street without a number is a public place (:mod:`~astra_learn_assets.privacy.people.public_places`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from astra_learn_assets.privacy.identifiers.rules import Finding
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.name_words import tokens

UP = r"[A-ZÁÉÍÓÚÜÑÀÈÒÇ]"
STREET = (
    r"(?:calle|c/\.?|avenida|avda\.?|avd\.?|av\.?|plaza|pza\.?|plz\.|pl\.|plazuela|plazoleta|glorieta|"
    r"paseo|pº|camino|cno\.?|cmno\.?|carretera|ctra\.?|carrera|cra\.|kra\.|travesía|trav\.|pasaje|"
    r"psje\.?|pje\.?|ronda|rda\.|rambla|callejón|cjón\.?|calleja|cuesta|costanilla|bulevar|boulevard|"
    r"blvr?d\.?|jirón|jr\.|transversal|diagonal|circunvalación|urbanización|urb\.?|urbanizacion|"
    r"residencial|conjunto|ciudadela|cdla\.?|lotización|barriada|bda\.?|alameda|autopista|vía|av/|pz\.?|"
    r"pso\.|crta\.?|p/|travessera|raval|vialidad|carrer|plaça|avinguda|passeig|kalea|etorbidea|rúa|"
    r"praza|praça|calzada|privada|andador|cerrada|prolongación|malecón|pasadizo|polígono|pol\.)"
)
_WORD = rf"(?:{UP}[\w’'´.\-]*|\d{{1,2}}|N\d{{2}})"
_LINK = r"(?:de|del|da|do|dos|das|les|els|la|las|los|el|y|e|i|d['’]|en|san|santa)"
_NAME = rf"(?:{_LINK}\s+){{0,3}}{_WORD}(?:[ ]+(?:(?:{_LINK})[ ]+){{0,3}}{_WORD}){{0,6}}"
_LOOSE = r"(?:[\w’'´.\-]+[ ]+){0,6}?[\w’'´.\-]+"
_NUMBER = (
    r"(?:\s*,\s*|\s+(?!(?:19|20)\d\d\b)|\s*#\s*)"
    r"(?:(?:n\.?[º°o]\.?|núm\.?|num\.?|número|numero|nro\.?|no\.?|#|portal|casa|lote"
    r"|mz\.?|manzana|km\.?)\s*)?"
    r"(?:\d{1,5}(?:[.,]\d{1,3})?(?![\d.]*\s*(?:€|euros|metros|m2|m²|%|horas|años|vecinos|votos))"
    r"(?!\s?[.]?[º°ª])"
    r"|s\s?/\s?n(?!\w)|sn(?!\w)|[NSEO]\d{1,3}-\d{1,4})"
    r"(?:\s?(?:bis|dup\.?)|[A-Za-z](?!\w)|(?-i:\s[A-H])(?!\w))?(?:\s?[\-–/]\s?\d{1,4}[A-Za-z]?(?!\w))?"
)
_SAID_NUMBER = r"[\s,]+(?:en\s+el\s+|al\s+)?n[úu]mero\s+(?:\d{1,5}|(?:\w+\s+y\s+)?\w+)"
_SIDE = r"(?:izq|dcha|der|izda|izquierda|derecha)"
_FLOOR = (
    r"(?:[\s,.\-]{1,3}(?:(?:piso|planta|pta\.?|puerta|puerta|escalera|esc\.?|bloque|blq\.?|portal|dpto\.?"
    r"|departamento|depto\.?|apto\.?|apartamento|interior|int\.?|bajo|ático|"
    r"entresuelo|local|edificio|torre|letra|casa|oficina|of\.?|código postal|c\.?p\.?)\s?[\w\-]{0,6}"
    rf"|\d{{1,2}}\s?[.]?(?:[º°ª]\s?[a-z]?|[a-d])(?!\w)[,]?(?:\s?[A-Za-z](?!\w)|\s?{_SIDE}\w*\.?)?"
    r"|\d{1,2}[A-Z](?!\w)|"
    rf"(?:primero|segundo|tercero|cuarto|quinto|sexto)\s+(?:{_SIDE}\w*|[a-d](?!\w))"
    r"|(?:izq|dcha|izda|izquierda|derecha)\.?(?!\w)|"
    rf"\d{{1,2}}\s?,\s?\d{{1,2}}(?=\s*(?:[.;)\n]|$))|\d{{1,2}}[\s,]{{1,2}}"
    r"(?:[a-z](?!\w)|(?:izq|dcha|izda|izquierda|derecha)\w*)|#\s?\d{1,6}|principal(?!\w)|"
    r"(?:esquina|esq\.?)(?:[ ](?:a|con))?[ ](?-i:[A-ZÁÉÍÓÚÑ])[\w’'´\-]*"
    r"(?:[ ](?-i:[A-ZÁÉÍÓÚÑ])[\w’'´\-]*){0,2}|\d{5}(?!\d)(?!\s*(?:€|euros))))"
)
_ADDRESS = re.compile(rf"(?<!\w)(?i:{STREET})\s*{_NAME}(?i:{_NUMBER})(?i:{_FLOOR}){{0,4}}")
_ADDRESS_SAID = re.compile(rf"(?<!\w)(?i:{STREET})\s+{_LOOSE}(?i:{_SAID_NUMBER})(?i:{_FLOOR}){{0,4}}")
_ADDRESS_LOWER = re.compile(
    rf"(?<!\w)(?:calle|c/|avenida|avda\.?|av\.|plaza|paseo|camino|carretera|travesía|pasaje"
    rf"|jirón|carrera|ronda)\s+{_LOOSE}\s*(?:,|n[º°]|núm\.?|nro\.?|#)\s*\d{{1,4}}(?!\d)"
    rf"(?!\s*(?:€|euros|de\s+\w+\s+de))(?i:{_FLOOR}){{0,4}}"
)
_PLAIN = r"(?!(?:que|se|con|por|para|un|una|es|ha|al|no|y|o)\s)[^\W\d_][\w’'´\-]*"
# "Av. puerta de hierro 47, 5G": a capital and an end behind the number instead of a comma
_ADDRESS_MIXED = re.compile(
    rf"(?<!\w)(?:Calle|CALLE|C/|c/|Avenida|Avda\.?|Av\.|Av/|Plaza|Pza\.?|Paseo|Camino"
    rf"|Carretera|Ctra\.?|Travesía|Pasaje|Jirón|Ronda|Rúa)\s*"
    rf"(?:{_PLAIN}\.?\s+){{0,4}}?"
    rf"{_PLAIN}(?i:{_NUMBER})(?i:{_FLOOR}){{0,4}}(?=\s*(?:[.,;)\n\-–]|$))"
)
_LABELLED = re.compile(
    r"(?<!\w)(?i:domicilio(?: social| fiscal| habitual| actual| particular)?"
    r"|direcci[óo]n(?: postal| particular)?|dom\.)\s?:[ \t]*"
    r"(?P<address>(?=[^\n;|:]{0,90}?(?:\d|(?i:s\s?/\s?n)))"
    r"(?:[^\n.;|:]|\.(?!\s|$)|\.(?=[ ]{1,2}[\d#a-z])|(?<=(?<!\w)[^\W\d_])\."
    r"|(?<=(?<!\w)[^\W\d_]{2})\.|"
    r"(?<=(?<!\w)(?i:pza|plz|avd|urb|esc|pta|int|col|núm|nro))\."
    r"|(?<=(?<!\w)(?i:avda|ctra|crta|dpto|blvd|gral|psje|cdla))\.){3,100})"
)
_BOX = re.compile(
    r"(?<!\w)(?i:apartado(?: de correos| postal)|apdo\.?(?: de correos| postal)?)"
    r"\s*(?i:n[º°.o]\.?\s*)?\d{1,6}(?!\d)"
)
_POSTED = re.compile(  # "Hermanos Falcó, s/n - 02006 Albacete": no word says street, the postal code does
    rf"(?<![\w.])(?:{UP}[\w’'´\-]+\s(?:(?:{_LINK})\s){{0,2}}){{0,3}}{UP}[\w’'´\-]+"
    rf"(?:,?\s?(?i:n[º°.o]\.?)?\s?\d{{1,4}}|,\s(?i:s\s?/\s?n))(?i:{_FLOOR}){{0,3}}"
    rf"[\s,.;\-–(]{{1,4}}(?:E-)?\d{{5}}[ ,]{{1,2}}(?={UP}[a-záéíóúñ])"
    r"(?!(?i:euros?|pesos|soles|d[óo]lares|metros|habitantes|votos|vecinos)(?!\w))"
)
_POSTAL_CODE = re.compile(r"\d{5}[ ,]{1,2}[A-ZÁÉÍÓÚÑ]")
_GRID = re.compile(
    r"(?<!\w)(?i:calle|cl\.?|carrera|cra\.?|kra\.?|cr\.|transversal|tv\.?|diagonal|dg\.?|avenida|av\.?)"
    r"\s*\d{1,3}\s?[A-Za-z]{0,2}(?:\s?(?i:bis|sur|norte|este|oeste))?\s*"
    r"(?:#|(?i:no\.?|n[º°]|nro\.?))\s*\d{1,3}\s?[A-Za-z]?\s?[\-–]\s?\d{1,3}"
    r"(?:\s?(?i:sur|norte|este|oeste))?"
    rf"(?i:{_FLOOR}){{0,4}}"
)
_BLOCK = re.compile(
    r"(?<!\w)(?i:mz\.?|manzana)\s?[\"“']?[A-Z0-9]{1,3}[\"”']?[\s,]+"
    r"(?i:lt\.?|lote)\s?[\"“']?\d{1,3}[A-Z]?[\"”']?"
)
_POSTAL = re.compile(r"(?<!\w)(?i:c\.?p\.?|código postal)\s*:?\s*\d{5}(?!\d)")

_NUMBERED = re.compile(r"\d|[sS]\s?/\s?[nN]|(?<=[ ,])sn(?!\w)|n[úu]mero|N[ÚU]MERO")


def first_words(heads: str) -> tuple[frozenset[str], tuple[str, ...]]:
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


_STREET_WORDS, _STREET_BEGINNINGS = first_words(STREET)
_ADDRESS_WORDS = _STREET_WORDS.union(
    ("cl", "cra", "kra", "cr", "tv", "dg", "c", "cp", "codigo"),  # _GRID's and _POSTAL's
    ("domicilio", "direccion", "dom", "apartado", "apdo"),
)
_ADDRESS_BEGINNINGS = (*_STREET_BEGINNINGS, "mz", "manzana", "apdo")
WITHIN = re.compile(r"['’·]")


@lru_cache(maxsize=65_536)
def _opens_address(word: str) -> bool:
    return any(part in _ADDRESS_WORDS or part.startswith(_ADDRESS_BEGINNINGS) for part in WITHIN.split(word))


def heads_in(text: str, opens: Iterable[bool]) -> list[int]:
    """Where in ``text`` a word stands that ``opens`` a form, and the parts of it behind an apostrophe."""
    found = []
    for (start, end), does in zip(tokens(text).spans, opens, strict=True):
        if does:
            found += [start, *(m.end() for m in WITHIN.finditer(text, start, end))]
    return found


_WINDOW = 110


def addresses(text: str) -> Iterator[Finding]:
    """Street addresses that name a house, in a cleaned text."""
    words = tokens(text).words
    coded = [m.start() for m in _POSTAL_CODE.finditer(text)]
    if not coded and not any(map(_opens_address, words)):
        return
    heads = heads_in(text, map(_opens_address, words))
    for low, high in windows(text, [m.start() for m in _NUMBERED.finditer(text)]):
        inside = tuple(at - low for at in heads if low <= at < high)
        if inside or any(low <= at < high for at in coded):
            base = max(0, low - 1)
            for start, end in _addresses_in(text[base:high], low - base, inside):
                yield Finding(base + start, base + end, "DIRECCION", 65, "address")


def at_heads(form: re.Pattern[str], piece: str, low: int, heads: Sequence[int]) -> Iterator[re.Match[str]]:
    """What ``form.finditer`` gives, tried only at ``heads`` (counted from ``low``)."""
    last = 0
    for head in heads:
        match = form.match(piece, low + head) if low + head >= last else None
        if match:
            last = match.end()
            yield match


@lru_cache(maxsize=4096)
def _addresses_in(piece: str, low: int, heads: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for form in (_GRID, _ADDRESS, _ADDRESS_SAID, _ADDRESS_LOWER, _ADDRESS_MIXED, _BLOCK, _POSTAL, _BOX):
        found += [match.span() for match in at_heads(form, piece, low, heads)]
    found += [match.span("address") for match in at_heads(_LABELLED, piece, low, heads)]
    if _POSTAL_CODE.search(piece, low):
        found += [match.span() for match in _POSTED.finditer(piece, low)]
    return tuple((start, start + len(piece[start:end].rstrip(" ,.;-–(\n"))) for start, end in found)


def windows(text: str, near: Sequence[int]) -> list[tuple[int, int]]:
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
