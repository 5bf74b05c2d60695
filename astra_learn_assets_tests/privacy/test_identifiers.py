"""Every country pack masks what is valid, in every spelling, and leaves ordinary numbers alone."""

from __future__ import annotations

import random

import pytest

from astra_learn_assets.privacy.identifiers.countries import country_packs, es, gt, hn, ni, pa, sv, uy
from astra_learn_assets.privacy.identifiers.samples import spellings
from astra_learn_assets_tests.privacy.conftest import covered, identifiers

COUNTRIES = tuple(country_packs())


@pytest.mark.parametrize("country", COUNTRIES)
def test_valid_identifiers_are_masked_in_five_spellings_with_context_and_without_where_strong(
    country: str,
) -> None:
    rng = random.Random(country)
    for sample in country_packs()[country].samples:
        for number in range(200):
            for value in spellings(sample.make(rng)):
                contexts = [f"Consta {sample.word} {{}} en el escrito"]
                if number % 10 == 0:
                    contexts.append(f"El número {{}} ({sample.word}) consta")
                if sample.stands_alone(value):
                    contexts.append("Consta {} en el escrito")
                assert covered(country, value, *contexts), value


@pytest.mark.parametrize("country", COUNTRIES)
def test_random_digits_are_rarely_taken_for_an_identity(country: str) -> None:
    rng = random.Random(7)
    texts = []
    for _ in range(1000):
        digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(5, 13)))
        grouped = f"{int(digits):,}"
        for written in (digits, grouped.replace(",", "."), grouped.replace(",", " ")):
            texts.append(f"Se anotó {written} en el libro.")
    hits = sum(any(f.kind != "TELEFONO" for f in found) for found in identifiers(country, texts))
    assert hits / len(texts) < 0.02


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
    (found,) = identifiers(country, [text])
    assert not [f for f in found if text[f.start : f.end] in kept]


def test_an_identity_read_out_digit_by_digit_is_masked_after_its_word() -> None:
    assert covered("es", "1 2 3 4 5 6 7 8 Z", "Mi DNI es el {}.")
    assert identifiers("es", ["Votan los puntos 1 2 3 4 5 6 7 8 juntos."]) == [[]]


@pytest.mark.parametrize(
    "text",
    [
        "Ley 7/1985, de 2 de abril.", "expediente 2023/000123", "12.345.678 euros", "612.345.678 euros",
        "de 2015 a 2019, 2015-2019", "artículo 12.3.4.1", "a las 20:30 horas del 12/10/2020", "año 2024",
        "el 45,5 % de 1.234.567 habitantes", "Real Decreto 1234/2020 PGR", "COVID-19", "factura 2023-00045",
        "punto 3.2.1 del orden del día", "finca 12, parcela 345", "1.234,56 €",
    ],
)  # fmt: skip
def test_ordinary_numbers_stay(text: str) -> None:
    for country in COUNTRIES:
        assert identifiers(country, [text]) == [[]], country


@pytest.mark.parametrize(
    ("country", "number"),
    [
        ("es", "924 366 001"), ("es", "612345678"), ("es", "+34 612 34 56 78"), ("es", "0034 612 345 678"),
        ("es", "91 123 45 67"), ("ec", "0991234567"), ("ec", "+593 99 123 4567"), ("ec", "02-234-5678"),
        ("co", "3001234567"), ("co", "300 123 4567"), ("mx", "+52 55 1234 5678"), ("mx", "55 1234 5678"),
        ("cl", "+56 9 1234 5678"), ("pe", "912345678"), ("ar", "+54 9 11 1234 5678"), ("cr", "8888-1234"),
        ("sv", "7777-1234"), ("gt", "5555-1234"), ("hn", "9999-1234"), ("pa", "6666-1234"),
        ("ve", "0414-1234567"), ("do", "809-555-1234"), ("uy", "099 123 456"), ("bo", "+591 71234567"),
        ("py", "0981 123456"), ("ni", "8888-1234"),
    ],
)  # fmt: skip
def test_phones_of_every_region_are_found(country: str, number: str) -> None:
    text = f"Llame al {number} mañana."
    (found,) = identifiers(country, [text])
    assert [(f.kind, text[f.start : f.end]) for f in found] == [("TELEFONO", number)]


def test_numbers_said_word_by_word_need_a_reason() -> None:
    told, votes = identifiers(
        "es",
        ["mi teléfono es seis uno dos tres cuatro cinco", "votan uno dos tres cuatro cinco y seis a favor"],
    )
    assert [f.kind for f in told] == ["NUMERO"]
    assert votes == []


def test_check_digits_of_own_validators() -> None:
    assert uy.ci("12345672")
    assert not uy.ci("12345673")
    assert sv.dui("000162975")
    assert not sv.dui("000162976")
    assert es.nss("281234567840")
    assert not es.nss("281234567841")
    assert pa.cedula("8-123-4567")
    assert not pa.cedula("14-123-4567")
    assert hn.dni("0801199012345")
    assert not hn.dni("1901199012345")
    assert ni.cedula("0010101900001A")
    assert not ni.cedula("0013213900001A")
    assert not gt.dpi("1234567890199")
    assert sv.nit("06141705690013")
    assert not sv.nit("06149905690013")
    assert sv.nit("95011705690013")  # born abroad
    assert not sv.nit("89141705690013")
