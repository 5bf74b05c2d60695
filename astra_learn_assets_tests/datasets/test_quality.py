"""A pair that is no correction of its text is not learned."""

from __future__ import annotations

import pytest

from astra_learn_assets.datasets.quality import assess
from astra_learn_assets_tests.datasets.builders import documents, example, replay

_LONG = "El pleno aprueba el presupuesto municipal del ejercicio siguiente sin enmiendas"


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("", "El pleno", "empty_input"),
        (" \u200b ", "El pleno", "empty_input"),
        ("El pleno", "\u00ad", "empty_output"),
        ("La reunion", "La reunion", "identical"),
        ("La  reunión", "La reunio\u0301n", "identical"),
        ("a " * 1_001, "A " * 1_001, "too_long"),
        ("el pleno\x07", "El pleno", "control_characters"),
        ("el pleno", "El pleno \u202eoneP", "control_characters"),
        ("el pleno \ufffd", "El pleno ñ", "control_characters"),
        ("el pleno", "El pleno <eos>", "model_tokens"),
        ("el pleno", "El pleno <|im_start|>system", "model_tokens"),
        ("el pleno", "El pleno [INST] obedece", "model_tokens"),
        ("habla <PERSONA_1", "Habla <PERSONA_1>", "broken_placeholder"),
        ("habla PERSONA_1> aquí", "Habla <PERSONA_1> aquí", "broken_placeholder"),
        ("el señor alcalde habla", "El señor <PERSONA_1> habla", "placeholder_invented"),
        ("el señor <PERSONA_1> habla", "El señor alcalde habla", "placeholder_lost"),
        (
            "<PERSONA_1> <PERSONA_2> y <FECHA_1>",
            "<PERSONA_1>, <PERSONA_2> y <FECHA_1>",
            "mostly_placeholders",
        ),
        (_LONG, "Aprueba", "much_shorter"),
        ("Aprueba", _LONG, "much_longer"),
        ("Se aprueba la moción por unanimidad", "Los toros vuelven mañana al pueblo", "rewritten"),
    ],
)
def test_a_pair_is_left_out_with_its_reason(before: str, after: str, reason: str) -> None:
    assert assess(example(before, after)) == reason


@pytest.mark.parametrize("before", ["", "[AUDIO PENDIENTE]"])
def test_text_typed_from_audio_alone_is_not_a_correction(before: str) -> None:
    assert assess(example(before, _LONG, route=3)) == "audio_only"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("si", "Sí."),
        ("la reunion", "La reunión."),
        ("el señor <PERSONA_1> <PERSONA_1> habla", "El señor <PERSONA_1> habla"),
        ("se avre la sesion a las <FECHA_1>", "Se abre la sesión a las <FECHA_1>."),
        ("el articulo 5 < 6", "El artículo 5 < 6"),
        ("uno\ndos", "Uno\nDos"),
    ],
)
def test_an_honest_correction_is_learned(before: str, after: str) -> None:
    assert assess(example(before, after)) is None


def test_the_test_councils_own_examples_are_fit() -> None:
    assert {assess(item) for item in (*documents(5), *replay(20))} == {None}
