"""What is an ordinary word of Spanish, what is a name, and which words announce a name.

``common_words_es.txt`` holds the words seen in lower case in the minutes of the Spanish Congress
(ParlaMint-ES, CC BY 4.0; counts only, no text) and words of municipal life from both sides of the
Atlantic; the name lists come from Faker (MIT). Read on first use, about 15 ms.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _rules(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((ending, base) for ending, _, base in (rule.partition(">") for rule in text.split()))


PERSON_TITLES = _set(
    """
    don doña d dña dª d.ª sr sra srta sres sras señor señora señorita señores señoras dr dra doctor
    doctora licenciado licenciada lic ingeniero ingeniera ing arquitecto arquitecta arq abogado
    abogada abg econ ciudadano ciudadana alcalde alcaldesa concejal concejala concejales edil
    regidor regidora síndico síndica diputado diputada senador senadora presidente presidenta
    secretario secretaria interventor interventora tesorero tesorera portavoz vocal padre fray sor
    vecino vecina compañero compañera viuda hermanos intendente intendenta delegado delegada
    teniente gobernador gobernadora ministro ministra profesor profesora juez jueza
    """
)
PLACE_HEADS = _set(
    """
    calle calles avenida avda plaza pza plazuela paseo camino carretera barrio barriada urbanización
    urb polígono parque travesía ronda glorieta callejón pasaje cuesta puente río arroyo cerro
    sierra pedanía parroquia aldea vereda corregimiento comuna colonia cantón provincia municipio
    localidad pueblo ciudad sector ciudadela distrito alameda bulevar rambla jirón jr pasarela
    finca cortijo paraje ermita caserío laguna embalse quebrada valle puerto villa loma monte isla
    balneario playa cala partida población asentamiento ejido estero resguardo estación costanera
    carrera diagonal autopista ruta poblado bahía lago torrente canal presa mirador cementerio mercado
    polideportivo pabellón estadio auditorio teatro residencial conjunto delegación
    """
)
ORGANIZATION_HEADS = _set(
    """
    asociación fundación club peña cofradía hermandad empresa mercantil constructora consultora
    cooperativa sociedad partido coalición agrupación grupo colegio instituto ceip ies sindicato
    banda comparsa charanga compañía editorial diario radio farmacia bar restaurante hotel
    supermercado orquesta plataforma sala cine museo cadena marca aplicación revista periódico
    residencia escuela liceo academia clínica federación central
    consorcio candidatura movimiento frente firma proveedora adjudicataria contratista
    concesionaria laboratorio laboratorios galería librería imprenta taller talleres
    """
)
INSTITUTIONS = frozenset(
    line.strip()
    for line in """
    guardia civil
    policía nacional
    tribunal supremo
    tribunal constitucional
    tribunal de cuentas
    tribunal superior de justicia
    audiencia nacional
    audiencia provincial
    defensor del pueblo
    banco de españa
    unión europea
    consejo de estado
    cruz roja
    media luna roja
    protección civil
    seguridad social
    izquierda unida
    partido popular
    partido socialista
    esquerra republicana
    amnistía internacional
    médicos sin fronteras
    ecologistas en acción
    naciones unidas
    banco mundial
    corte constitucional
    corte suprema
    contraloría general
    procuraduría general
    fiscalía general
    registro civil
    ministerio público
    """.splitlines()
    if line.strip()
)
"""Names made of ordinary words, which only stand together for one body."""
ADMINISTRATION = _set(
    """
    comisión concejalía consejería ministerio delegación área departamento dirección secretaría junta
    plan ley ordenanza reglamento presupuesto servicio oficina registro acta punto moción decreto
    expediente grupo pleno ayuntamiento diputación gobierno alcaldía proyecto programa mesa consejo
    corporación presidencia intervención tesorería municipio municipalidad concejo cabildo estado
    reglamento constitución ministro ministra consejero consejera concejal concejala jefatura política
    """
)
"""Heads of names that say a subject or an office in ordinary words."""
PLACES = _set(
    """
    españa portugal francia italia alemania inglaterra marruecos europa américa méxico guatemala
    honduras nicaragua panamá cuba colombia venezuela ecuador perú bolivia chile argentina uruguay
    paraguay brasil andalucía aragón asturias baleares canarias cantabria castilla cataluña
    extremadura galicia madrid murcia navarra euskadi rioja valencia ceuta melilla álava albacete
    alicante almería ávila badajoz barcelona burgos cáceres cádiz castellón córdoba coruña cuenca
    gerona girona granada guadalajara guipúzcoa huelva huesca jaén león lérida lleida lugo málaga
    orense ourense palencia palmas pontevedra salamanca segovia sevilla soria tarragona teruel toledo
    valladolid vizcaya zamora zaragoza bilbao vitoria pamplona santander oviedo gijón quito guayaquil
    loja ambato manabí pichincha azuay bogotá medellín cali barranquilla cartagena lima cusco arequipa
    trujillo piura santiago valparaíso concepción rosario mendoza tucumán salta puebla monterrey
    oaxaca jalisco chiapas yucatán veracruz sonora ebro duero tajo guadiana guadalquivir júcar segura
    """
)
CONNECTORS = _set("de del la las los el y e i da do dos das san santa santo van von der")
MONTHS_AND_DAYS = _set(
    """
    enero febrero marzo abril mayo junio julio agosto septiembre setiembre octubre noviembre
    diciembre lunes martes miércoles jueves viernes sábado domingo
    """
)
LETTERS = {
    "a": "a", "be": "b", "ce": "c", "de": "d", "e": "e", "efe": "f", "ge": "g", "hache": "h", "i": "i",
    "jota": "j", "ka": "k", "ele": "l", "eme": "m", "ene": "n", "eñe": "ñ", "o": "o", "pe": "p", "cu": "q",
    "erre": "r", "ere": "r", "ese": "s", "te": "t", "u": "u", "uve": "v", "ve": "v", "equis": "x",
    "ye": "y", "zeta": "z", "ceta": "z",
}  # fmt: skip
_SUFFIXES = _rules(
    """
    mente>o mente>a mente> es> s> as>o a>o os>a o>a ces>z nes>n lo> la> los> las> le> les> se> nos>
    me> rlo>r rla>r rse>r ísimo>o ísima>a ito>o ita>a illo>o illa>a n> ra>do aron>ar ieron>er
    ieron>ir aba>ar aban>ar ando>ar iendo>er iendo>ir ado>ar ada>ar ido>ir ido>er ó>ar ió>ir ió>er
    ará>ar erá>er irá>ir aría>ar ería>er amos>ar emos>er imos>ir ían>er ían>ir ía>er ía>ir
    """
)
"""An inflected ending and what the word list may have instead."""


def _read(name: str) -> frozenset[str]:
    text = resources.files("astra_learn_assets.spanish").joinpath(name).read_text(encoding="utf-8")
    return frozenset(text.split())


@lru_cache(maxsize=1)
def common_words() -> frozenset[str]:
    """Lower-case Spanish words."""
    return _read("common_words_es.txt")


@lru_cache(maxsize=1)
def given_names() -> frozenset[str]:
    """Given names, lower case."""
    return _read("given_names_es.txt")


@lru_cache(maxsize=1)
def surnames() -> frozenset[str]:
    """Surnames, lower case."""
    return _read("surnames_es.txt")


@lru_cache(maxsize=50_000)
def is_common(word: str) -> bool:
    """Whether ``word`` is an ordinary word or an inflection of one; listed names are not."""
    folded = word.casefold()
    if folded in common_words():
        return True
    return folded not in given_names() and folded not in surnames() and is_inflection(folded)


def is_inflection(folded: str) -> bool:
    """Whether ``folded`` is, by its ending, a form of an ordinary word: "rosales" is."""
    words = common_words()
    return len(folded) >= 6 and any(
        folded.endswith(ending) and len(folded) - len(ending) >= 3 and folded[: -len(ending)] + base in words
        for ending, base in _SUFFIXES
    )


def is_personal_name(word: str) -> bool:
    """Whether ``word`` stands in a list of given names or surnames."""
    folded = word.casefold()
    return folded in given_names() or folded in surnames()
