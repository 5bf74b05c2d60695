"""Addresses: masked with everything behind the number, and nothing masked that only looks like one."""

from __future__ import annotations

import pytest

from astra_learn_assets.privacy.identifiers.addresses import addresses, first_words
from astra_learn_assets.privacy.people.public_places import public_places


def masked(text: str) -> list[str]:
    spans: list[list[int]] = []
    for start, end in sorted((f.start, f.end) for f in addresses(text)):
        if spans and start <= spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], end)
        else:
            spans.append([start, end])
    return [text[start:end] for start, end in spans]


@pytest.mark.parametrize(
    "address",
    [
        "calle Mayor, 12",
        "C/ Sauceda 3, 1º A esquina San Telmo",
        "Avenida de concha espina 16, 2,1",
        "Av. puerta de hierro 47, 5G",
        "Av/ pio XII 67, 3B",
        "Rúa da Senra, 7, 10A",
        "Travessera de les Corts, 279 4D",
        "Calle de José Ortega y Gasset, 24, 3, Izq",
        "C/ Sta Mª Valverde 2 3ºC",
        "Avda. Valdecilla s / n",
        "Paseo de la castellana 206",
        "apartado de correos 20134",
        "Calle Pancasinos, 14, #63462 6 A",
    ],
)
@pytest.mark.parametrize("frame", ["Reside en {}.", "Vive en {}\nSe da traslado.", "({})"])
def test_an_address_is_masked_to_its_last_door(address: str, frame: str) -> None:
    assert masked(frame.format(address)) == [address]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Domicilio: Tlatetilpa 14\nLocalidad: Cuenca", "Tlatetilpa 14"),
        ("Domicilio: C/ Oro 3. 1A esq. Luna. El pleno lo acepta.", "C/ Oro 3. 1A esq. Luna"),
        ("Dirección: Av. Sol. 326 | Teléfono", "Av. Sol. 326"),
        ("del hospital. Hermanos Falcó, s/n - 02006 Albacete", "Hermanos Falcó, s/n - 02006"),
        ("la consulta. Loureiro Crespo, 2 36002 Pontevedra", "Loureiro Crespo, 2 36002"),
    ],
)
def test_a_label_or_a_postal_code_stands_for_the_word_street(text: str, address: str) -> None:
    assert masked(text) == [address]


@pytest.mark.parametrize(
    "text",
    [
        "La calle Mayor se asfaltará en 2025.",
        "El camino de la ermita tendrá 12 farolas nuevas.",
        "Plaza que costará 15 millones.",
        "La vía se cerrará 3 horas, y la avenida otras 2.",
        "Se aprueba la Ley Orgánica 3, 10500 Euros de sanción.",
        "Intervienen 12 vecinos, 28007 firmas presentadas.",
        "La dirección: no hay ninguna.",
        "La Dirección General 4 informa.",
        "Av. de la Constitución",
        "Domicilio: el del interesado.",
        "",
    ],
)
def test_a_street_without_a_house_stays_readable(text: str) -> None:
    assert masked(text) == []


def test_a_glued_head_and_one_behind_an_apostrophe_are_tried() -> None:
    assert masked("Vive en CalleMayor 5.") == ["CalleMayor 5"]
    assert masked("Viu a l'avinguda Diagonal, 12.") == ["avinguda Diagonal, 12"]


def test_first_words_cover_every_alternative() -> None:
    whole, glued = first_words(
        r"(?:calle|c/\.?|blvr?d\.|casa de (?:la )?cultura|centro(?: cívico| de día)?|pº|jr\.)"
    )
    assert whole == {"c", "casa", "blvd", "blvrd", "jr"}
    assert glued == ("calle", "centro", "pº")


def test_a_place_is_found_only_around_what_is_asked() -> None:
    text = "El colegio Pedro Ruiz abre. " + "x " * 200 + "La empresa Hermanos García S.L. cierra."
    near = [text.index("Pedro"), text.index("García")]
    assert [text[s:e] for s, e in public_places(text, near)] == ["colegio Pedro Ruiz", "Hermanos García S.L."]
    assert list(public_places(text, [])) == []
