"""The town around the council: countries' words, streets, neighbourhoods, institutions, acronyms."""

from __future__ import annotations

import random
from dataclasses import dataclass

from astra_learn_assets.simulation.council.name_lists import ORIGINS, SURNAMES


@dataclass(frozen=True)
class Country:
    """The words of one country's municipal life; nouns without article are masculine."""

    code: str
    government: str
    organ: str
    entity: str
    mayor: tuple[str, str]
    councillor: tuple[str, str]
    currency: str
    amounts: tuple[int, int]
    institutions: tuple[str, ...]
    plans: tuple[str, ...]
    groups: tuple[str, ...]


_GROUPS = (
    "Vecinal", "Progresista", "Popular", "Independiente", "Verde", "Ciudadano", "Socialista", "Renovador",
    "Municipalista", "Agrario", "Unidad", "Alternativa",
)  # fmt: skip

COUNTRIES: dict[str, Country] = {
    "es": Country(
        "es", "Ayuntamiento", "pleno", "ayuntamiento", ("alcalde", "alcaldesa"), ("concejal", "concejala"),
        "euros", (900, 950_000),
        ("la Diputación Provincial", "la Confederación Hidrográfica", "la Delegación del Gobierno",
         "la Federación de Municipios", "el Consorcio de Aguas", "la Dirección General de Tráfico"),
        ("PGOU", "PEPRI", "PMUS", "PERI"), _GROUPS,
    ),
    "ec": Country(
        "ec", "GAD Municipal", "concejo", "municipio", ("alcalde", "alcaldesa"), ("concejal", "concejala"),
        "dólares", (900, 800_000),
        ("la Prefectura", "el Ministerio de Transporte", "la Contraloría General del Estado",
         "el Banco de Desarrollo", "la Junta Parroquial", "la Secretaría del Agua"),
        ("PDOT", "PUGS", "POA", "PAC"), _GROUPS,
    ),
    "co": Country(
        "co", "Alcaldía", "concejo", "municipio", ("alcalde", "alcaldesa"), ("concejal", "concejala"),
        "pesos", (9_000_000, 4_000_000_000),
        ("la Gobernación", "la Contraloría Departamental", "la Personería Municipal",
         "la Corporación Autónoma Regional", "el Ministerio de Vivienda", "la Procuraduría Regional"),
        ("POT", "PBOT", "PIGA", "POAI"), _GROUPS,
    ),
    "mx": Country(
        "mx", "Ayuntamiento", "cabildo", "ayuntamiento", ("presidente municipal", "presidenta municipal"),
        ("regidor", "regidora"), "pesos", (25_000, 40_000_000),
        ("la Secretaría de Finanzas", "el Congreso del Estado", "la Comisión Nacional del Agua",
         "la Auditoría Superior", "el Instituto de la Vivienda", "la Secretaría de Bienestar"),
        ("PMDU", "PDUM", "PAE", "POTA"), _GROUPS,
    ),
    "pe": Country(
        "pe", "Municipalidad", "concejo", "municipio", ("alcalde", "alcaldesa"), ("regidor", "regidora"),
        "soles", (2_500, 4_000_000),
        ("el Gobierno Regional", "el Ministerio de Vivienda", "la Contraloría General",
         "la Municipalidad Provincial", "la Autoridad Nacional del Agua", "la Defensoría del Pueblo"),
        ("PDU", "PIA", "PDC", "PAT"), _GROUPS,
    ),
    "cl": Country(
        "cl", "Municipalidad", "concejo", "municipio", ("alcalde", "alcaldesa"), ("concejal", "concejala"),
        "pesos", (2_000_000, 900_000_000),
        ("la Contraloría Regional", "el Gobierno Regional", "la Seremi de Vivienda",
         "la Subsecretaría de Desarrollo Regional", "la Dirección de Vialidad", "el Servicio de Salud"),
        ("PRC", "PLADECO", "PADEM", "PIM"), _GROUPS,
    ),
    "ar": Country(
        "ar", "Municipalidad", "concejo", "municipio", ("intendente", "intendenta"),
        ("concejal", "concejala"),        "pesos", (5_000_000, 900_000_000),
        ("la Legislatura Provincial", "el Ministerio de Obras", "el Tribunal de Cuentas",
         "la Cooperativa Eléctrica", "la Dirección de Vialidad", "el Banco de la Provincia"),
        ("POU", "PDUA", "PEM", "POT"), _GROUPS,
    ),
}  # fmt: skip

_STREET_KINDS = ("calle", "avenida", "plaza", "paseo", "travesía de", "camino de")
_STREET_NAMES = (
    "Mayor", "Real", "del Carmen", "de la Constitución", "San Antón", "San Roque", "Santa Águeda",
    "de la Merced", "Nueva", "del Molino", "de los Olivos", "Rosario Pino", "del Pósito", "Independencia",
    "Libertad",
    "Veinticuatro de Mayo", "Simón Bolívar", "Primero de Mayo", "de las Eras", "del Calvario", "San Blas",
    "Doce de Octubre", "de la Estación", "del Prado", "Santa Lucía", "Los Cipreses", "Las Acacias",
)  # fmt: skip
_STREET_TITLES = ("Doctor", "Maestro", "General", "Poeta", "Alcalde", "Ingeniera", "Maestra", "Hermanos", "")
_QUARTERS = (
    "La Vaguada", "Las Huertas", "El Ejido", "San Cosme", "Los Almendros", "Puerta del Río", "La Magdalena",
    "El Arenal", "Cerro Alto", "Las Lomas", "Santa Rita", "Villa Esperanza", "La Floresta", "El Mirador",
    "Los Pinares", "Fuente Vieja", "El Recreo", "La Alborada", "Barranco Hondo", "San Jacinto",
    "Las Palmeras", "El Porvenir", "La Concordia", "Monte Claro", "Los Sauces", "La Dehesa", "Tres Cruces",
    "El Batán",
    "Guayabal", "Quebrada Seca", "Loma Larga", "El Progreso", "Nuevo Horizonte", "Santa Marta", "La Ribera",
)  # fmt: skip
_QUARTER_KINDS = ("el barrio de", "el sector de", "la urbanización")
_SOCIETIES = (
    "la Fundación",
    "la Asociación Vecinal",
    "la Cooperativa",
    "el Club Deportivo",
    "la Comunidad de Regantes",
)
_CONSONANTS, _VOWELS = "BCDFGLMNPRSTV", "AEIOU"


@dataclass(frozen=True)
class Town:
    """Proper nouns of one municipality; streets, quarters and institutions carry kind or article."""

    streets: tuple[str, ...]
    quarters: tuple[str, ...]
    institutions: tuple[str, ...]
    bodies: tuple[str, ...]
    plans: tuple[str, ...]
    groups: tuple[str, ...]
    street_name_words: tuple[str, ...]
    society_name_words: tuple[str, ...]


def draw_town(rng: random.Random, country: Country) -> Town:
    """The town of one council: 14 streets, 8 quarters, 9 institutions, 4 public bodies, 4 groups."""
    eponyms = _eponyms(rng, country.code, 10)
    named = [f"{rng.choice(_STREET_TITLES)} {surname}".strip() for surname in eponyms[:7]]
    plain = rng.sample(_STREET_NAMES, 7)
    streets = tuple(
        [f"{rng.choice(_STREET_KINDS[:4])} {name}" for name in named]
        + [f"{rng.choice(_STREET_KINDS[:3])} {name}" for name in plain]
    )
    kind = rng.choice(_QUARTER_KINDS)
    societies = [f"{rng.choice(_SOCIETIES)} {surname}" for surname in eponyms[7:]]
    return Town(
        streets=streets,
        quarters=tuple(f"{kind} {name}" for name in rng.sample(_QUARTERS, 8)),
        institutions=(*country.institutions, *societies),
        bodies=tuple(_acronym(rng) for _ in range(4)),
        plans=tuple(rng.sample(country.plans, 2)),
        groups=tuple(f"el Grupo Municipal {name}" for name in rng.sample(country.groups, 4)),
        street_name_words=tuple(eponyms[:7]),
        society_name_words=tuple(eponyms[7:]),
    )


def _eponyms(rng: random.Random, code: str, count: int) -> list[str]:
    """Surnames long and rare enough that a street's name is no common word."""
    pool = sorted(
        {name for origin in set(ORIGINS[code]) - {"common"} for name in SURNAMES[origin] if len(name) >= 7}
    )
    return rng.sample(pool, count)


def _acronym(rng: random.Random) -> str:
    """Pronounceable company-like acronyms such as ``EMASA``: made up, so that none is anybody's."""
    return (
        rng.choice(("E", "A", ""))
        + "".join(rng.choice(_CONSONANTS) + rng.choice(_VOWELS) for _ in range(2))
        + rng.choice(("SA", "C", "R", "SAM", "P"))
    )
