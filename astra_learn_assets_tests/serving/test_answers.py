"""Figures, placeholders and known names of a draft survive whatever a model makes of it."""

from __future__ import annotations

import pytest

from astra_learn_assets.serving.answers import as_served, guarded


@pytest.mark.parametrize(
    ("draft", "answer", "shown"),
    [
        # what a model must not change
        ("se pagan 1.200 euros", "Se pagan 1.020 euros", "Se pagan 1.200 euros"),
        ("con <PERSONA_1> de acuerdo", "con él de acuerdo", "con <PERSONA_1> de acuerdo"),
        ("pide <PERSONA_2> la vez", "Pide <PERSONA_1> la vez", "Pide <PERSONA_2> la vez"),
        ("son 12 votos y 3 en contra", "Son 12 votos y tres en contra", "Son 12 votos y tres en contra"),
        ("son 12 votos", "Son trece votos", "Son 12 votos"),
        ("son doce votos", "Son 13 votos", "Son doce votos"),
        ("hubo votos a favor", "Hubo 7 votos a favor", "Hubo votos a favor"),
        ("queda <DNI_1> unido al acta", "Queda unido al acta.", "Queda <DNI_1> unido al acta."),
        ("en el año 2020", "En el año", "En el año 2020"),
        # what is the model's to write
        ("son doce votos", "Son 12 votos", "Son 12 votos"),
        ("mil doscientos euros", "1.200 euros", "1.200 euros"),
        ("el treinta y cinco por ciento", "El 35 %", "El 35 %"),
        ("cero coma veinticinco puntos", "0,25 puntos", "0,25 puntos"),
        ("dos millones y medio de euros", "2,5 millones de euros", "2,5 millones de euros"),
        ("dos millones y medio de euros", "2,6 millones de euros", "dos millones y medio de euros"),
        ("tres mil setecientos", "3.070", "tres mil setecientos"),
        ("a las 14 40 horas", "A las 14:40 horas", "A las 14:40 horas"),
        ("un 1 200 por ciento", "Un 1.200 por ciento", "Un 1.200 por ciento"),
        ("el 1 12 2020 vence", "El 1.12.2020 vence", "El 1.12.2020 vence"),
        ("el 1.12.2020 vence", "El 1.12.2021 vence", "El 1.12.2020 vence"),
        ("se habre la sesion", "Se abre la sesión.", "Se abre la sesión."),
        ("se abre  la  sesión", "Se abre\nla sesión", "Se abre\nla sesión"),
        ("", "Nadie dijo 7", "Nadie dijo 7"),
        ("se habre", "", ""),
    ],
)  # fmt: skip
def test_figures_and_placeholders_are_those_of_the_draft(draft: str, answer: str, shown: str) -> None:
    if not draft:
        assert guarded(draft, answer) == ""  # where nothing was heard, nothing was said
    else:
        assert guarded(draft, answer) == shown


def test_what_stands_around_a_changed_figure_stays_the_models() -> None:
    draft = "el alcalde habre la sesion y paga 1.200 euros a los vesinos"
    answer = "El alcalde abre la sesión y paga 2.200 euros a los vecinos"
    assert guarded(draft, answer) == "El alcalde abre la sesión y paga 1.200 euros a los vecinos"


def test_known_names_are_put_right_after_the_model_has_answered() -> None:
    known = {"Hortega": "Ortega", "Hortega Ruis": "Ortega Ruiz"}
    shown = as_served("habla hortega con Hortega Ruis y 3 mas", "Habla Hortega Ruis con 4 más", known)
    assert "Ortega Ruiz" in shown
    assert "Hortega" not in shown
    assert "4" not in shown
