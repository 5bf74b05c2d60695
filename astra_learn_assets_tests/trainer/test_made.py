"""Self-made pairs: a council's confusions, counted and put into its own finished sentences."""

from __future__ import annotations

import random

from trainer.data import Record
from trainer.made import corrupted, count, made_records

PAIRS = [
    ("el lleno aprueba la noción", "El Pleno aprueba la moción."),
    ("Se abre el lleno ordinario de marzo.", "Se abre el Pleno ordinario de marzo."),
    ("Habla eh el señor concejal del lleno.", "Habla el Sr. concejal del Pleno."),
    ("Vota eh el señor alcalde en el lleno.", "Vota el Sr. alcalde en el Pleno."),
    ("La noción decae.", "La moción decae."),
]


def record(number: int, before: str, after: str) -> Record:
    return Record(number + 1, f"e{number}", f"d{number}", "alfa", "Corrige.", before, after)


def made(text: str, *, minimum: int = 2, times: int = 200) -> set[str]:
    habits, draw = count(PAIRS, minimum), random.Random(1)
    return {corrupted(text, habits, draw) for _ in range(times)}


def test_a_confusion_comes_back_in_another_sentence_with_its_case_and_marks() -> None:
    found = made("Consta en el Pleno, y la moción.")
    assert any("en el lleno" in text and "noción" in text for text in found)
    assert any("Sr." not in text and "señor" in text for text in made("Interviene el Sr. interventor."))


def test_fillers_come_between_words_and_words_that_the_recognizer_lost_are_not_made_up() -> None:
    assert any(" eh " in f" {text} " for text in made("Se levanta la sesión a las doce."))
    lost = [("Se aprueba acta.", "Se aprueba el acta.")] * 3
    habits = count(lost, 2)
    assert corrupted("Se aprueba el acta.", habits, random.Random(1)) == "Se aprueba el acta."


def test_what_was_seen_once_is_taken_for_the_clerks_slip() -> None:
    pairs = [*PAIRS, ("Se vota el gasto.", "Se vota el pasto.")]
    habits = count(pairs, 2)
    assert ("pasto",) not in habits.heard
    assert ("pasto",) in count(pairs, 1).heard


def test_placeholders_are_never_touched() -> None:
    text = "<PERSONA_1> habla en el Pleno con <PERSONA_2>."
    for heard in made(text):
        assert heard.count("<PERSONA_1>") == heard.count("<PERSONA_2>") == 1


def test_records_are_marked_bounded_and_the_same_for_the_same_seed() -> None:
    own = [record(i, before, after) for i, (before, after) in enumerate(PAIRS)]
    one, other = (made_records(own, share=2.0, clean=0.4, minimum=2, seed=7) for _ in range(2))
    assert one == other
    assert sum(r.example_id.startswith("made-") for r in one) == 10
    clean = [r for r in one if r.example_id.startswith("clean-")]
    assert len(clean) == 2
    assert all(r.input == r.output for r in clean)
    assert {r.output for r in one} <= {after for _, after in PAIRS}
    assert {r.tenant_id for r in one} == {"alfa"}


def test_of_nothing_nothing_is_made() -> None:
    assert made_records([], share=2.0, clean=1.0, minimum=2, seed=7) == []
    assert made_records([record(0, "a", "b")], share=0.0, clean=0.0, minimum=2, seed=7) == []


def test_pairs_that_are_clean_already_are_made_clean() -> None:
    own = [record(i, "Se aprueba el acta.", "Se aprueba el acta.") for i in range(3)]
    assert {r.input for r in made_records(own, share=2.0, clean=0.0, minimum=2, seed=7)} == {
        "Se aprueba el acta."
    }
