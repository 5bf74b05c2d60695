# ruff: noqa: E501  (tables: one row, one line)
"""Every country pack masks what is valid, in every spelling, and leaves ordinary numbers alone."""

from __future__ import annotations

import random

import pytest

from astra_learn_assets.privacy.identifiers import validators
from astra_learn_assets.privacy.identifiers.contact import CONTACT, phones, spoken_numbers
from astra_learn_assets.privacy.identifiers.countries import COUNTRIES, find_identities
from astra_learn_assets.privacy.identifiers.rules import find_all
from astra_learn_assets.privacy.identifiers.samples import makers, may_stand_alone, spellings


def covered(country: str, text: str, value: str) -> bool:
    at = text.index(value)
    found = find_identities(text, country)
    places = [i for i in range(at, at + len(value)) if text[i].isalnum()]
    return all(any(f.start <= i < f.end for f in found) for i in places)


@pytest.mark.parametrize("country", COUNTRIES)
def test_valid_identifiers_are_masked_in_five_spellings_with_context_and_without_where_strong(
    country: str,
) -> None:
    rng = random.Random(country)
    for _, word, strong, make in makers(country):
        for number in range(200):
            for value in spellings(make(rng)):
                assert covered(country, f"Consta {word} {value} en el escrito", value), value
                if number % 10 == 0:
                    assert covered(country, f"El número {value} ({word}) consta", value), value
                if may_stand_alone(strong, value):
                    assert covered(country, f"Consta {value} en el escrito", value), value


@pytest.mark.parametrize("country", COUNTRIES)
def test_random_digits_are_rarely_taken_for_an_identity(country: str) -> None:
    rng = random.Random(7)
    hits = 0
    for _ in range(1000):
        digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(5, 13)))
        grouped = f"{int(digits):,}"
        for written in (digits, grouped.replace(",", "."), grouped.replace(",", " ")):
            hits += bool(find_identities(f"Se anotó {written} en el libro.", country))
    assert hits / 3000 < 0.02


@pytest.mark.parametrize(
    ("country", "text", "kept"),
    [
        ("es", "Pagó 12 345 678 e hizo constar la entrega.", "12 345 678 e hizo"),
        ("ec", "Suman 1.710.034.065 dólares.", "1.710.034.065 dólares"),
        ("uy", "El expediente 2023-25-1-000123 sigue.", "2023-25-1-000123"),
    ],
)
def test_sums_and_files_are_no_identity_because_their_groups_add_up(
    country: str, text: str, kept: str
) -> None:
    assert not [f for f in find_identities(text, country) if text[f.start : f.end] in kept]


def test_an_identity_read_out_digit_by_digit_is_masked_after_its_word() -> None:
    assert covered("es", "Mi DNI es el 1 2 3 4 5 6 7 8 Z.", "1 2 3 4 5 6 7 8 Z")
    assert not find_identities("Votan los puntos 1 2 3 4 5 6 7 8 juntos.", "es")


@pytest.mark.parametrize(
    "text",
    [
        "Ley 7/1985, de 2 de abril.", "expediente 2023/000123", "12.345.678 euros", "612.345.678 euros", "de 2015 a 2019, 2015-2019",
        "artículo 12.3.4.1", "a las 20:30 horas del 12/10/2020", "el 45,5 % de 1.234.567 habitantes", "Real Decreto 1234/2020 PGR", "COVID-19",
        "punto 3.2.1 del orden del día", "factura 2023-00045", "finca 12, parcela 345", "1.234,56 €", "año 2024",
    ],
)  # fmt: skip
def test_ordinary_numbers_stay(text: str) -> None:
    for country in COUNTRIES:
        found = [*find_identities(text, country), *find_all(CONTACT, text), *phones(text, country)]
        assert found == [], (country, found)


@pytest.mark.parametrize(
    ("country", "number"),
    [
        ("es", "924 366 001"), ("es", "612345678"), ("es", "+34 612 34 56 78"), ("es", "0034 612 345 678"), ("es", "91 123 45 67"),
        ("ec", "0991234567"), ("ec", "+593 99 123 4567"), ("ec", "02-234-5678"), ("co", "3001234567"), ("co", "300 123 4567"),
        ("mx", "+52 55 1234 5678"), ("mx", "55 1234 5678"), ("cl", "+56 9 1234 5678"), ("pe", "912345678"), ("ar", "+54 9 11 1234 5678"),
        ("cr", "8888-1234"), ("sv", "7777-1234"), ("gt", "5555-1234"), ("hn", "9999-1234"), ("pa", "6666-1234"), ("ve", "0414-1234567"),
        ("do", "809-555-1234"), ("uy", "099 123 456"), ("bo", "+591 71234567"), ("py", "0981 123456"), ("ni", "8888-1234"),
    ],
)  # fmt: skip
def test_phones_of_every_region_are_found(country: str, number: str) -> None:
    text = f"Llame al {number} mañana."
    assert any(text[f.start : f.end] == number for f in phones(text, country)), [*phones(text, country)]


def test_numbers_said_word_by_word_need_a_reason() -> None:
    assert list(spoken_numbers("mi teléfono es seis uno dos tres cuatro cinco"))
    assert not list(spoken_numbers("votan uno dos tres cuatro cinco y seis a favor"))


def test_check_digits_of_own_validators() -> None:
    assert validators.uy_ci("12345672")
    assert not validators.uy_ci("12345673")
    assert validators.sv_dui("000162975")
    assert not validators.sv_dui("000162976")
    assert validators.es_nss("281234567840")
    assert not validators.es_nss("281234567841")
    assert validators.pa_cedula("8-123-4567")
    assert not validators.pa_cedula("14-123-4567")
    assert validators.hn_dni("0801199012345")
    assert not validators.hn_dni("1901199012345")
    assert validators.ni_cedula("0010101900001A")
    assert not validators.ni_cedula("0013213900001A")
    assert not validators.gt_dpi("1234567890199")
    assert validators.sv_nit("06141705690013")
    assert not validators.sv_nit("06149905690013")
    assert validators.sv_nit("95011705690013")  # born abroad
    assert not validators.sv_nit("89141705690013")
