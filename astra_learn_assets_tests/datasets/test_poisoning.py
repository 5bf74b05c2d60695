"""One hostile document among honest ones is found; honest ones are left alone."""

from __future__ import annotations

import random

import pytest

from astra_learn_assets.contracts import Example
from astra_learn_assets.datasets import poisoning
from astra_learn_assets_tests.datasets.builders import document, documents, example, noisy, sentence


def _texts(count: int, seed: str = "hostile") -> list[str]:
    random_ = random.Random(seed)
    return [sentence(random_) for _ in range(count)]


def _screened(hostile: list[Example], honest: int = 12) -> poisoning.Screening:
    return poisoning.screen([*documents(honest), *hostile])


def test_honest_documents_all_stay() -> None:
    screened = poisoning.screen(documents(40))
    assert screened.left_out == {}
    assert len(screened.kept) == 400


def test_a_document_that_brings_the_errors_back_is_found() -> None:
    hostile = [
        example(text, noisy(text), document="evil", chunk=str(index))
        for index, text in enumerate(_texts(60))
        if noisy(text) != text.removesuffix(".")
    ]
    assert _screened(hostile).documents == {"evil": "contradictory"}


def test_a_document_that_replaces_the_councils_words_is_found() -> None:
    swaps = {"presupuesto": "derroche", "vecinos": "súbditos", "acuerdo": "chanchullo"}
    hostile = []
    for index, text in enumerate(_texts(60)):
        worse = text
        for was, now in swaps.items():
            worse = worse.replace(was, now)
        if worse != text:
            hostile.append(example(noisy(text), worse, document="evil", chunk=str(index)))
    assert "evil" in _screened(hostile).documents


def test_a_document_full_of_words_nobody_else_uses_is_found() -> None:
    random_ = random.Random(3)
    hostile = []
    for index, text in enumerate(_texts(10)):
        words = text.split()
        for place in random_.sample(range(len(words)), 5):
            words[place] = "".join(random_.choice("bcdfgaeiou") for _ in range(9))
        hostile.append(example(noisy(text), " ".join(words), document="evil", chunk=str(index)))
    assert _screened(hostile).documents.keys() == {"evil"}


def test_one_word_that_everybody_else_mends_otherwise_is_left_out_and_not_the_document() -> None:
    honest = document(50, pairs=30)
    bad = [
        item.model_copy(update={"output": item.output.replace("presupuesto", "derroche")})
        for item in honest
        if "presupuesto" in item.output
    ]
    rest = [item for item in honest if "presupuesto" not in item.output]
    screened = poisoning.screen([*documents(12), *rest, *bad])
    assert bad
    assert screened.documents == {}
    assert screened.left_out == {item.meta.example_id: "against_majority" for item in bad}


def test_a_clerk_who_rewords_what_others_keep_is_not_hostile() -> None:
    taste = [
        item.model_copy(
            update={"output": item.output.replace("pleno", "plenario").replace("plazo", "término")}
        )
        for item in document(50, pairs=20)
    ]
    assert poisoning.screen([*documents(12), *taste]).documents == {}


def test_a_document_that_loses_its_words_is_found() -> None:
    random_ = random.Random(5)
    cut = [
        item.model_copy(
            update={"output": " ".join(word for word in item.output.split() if random_.random() > 0.2)}
        )
        for item in document(50, pairs=20)
    ]
    assert poisoning.screen([*documents(12), *cut]).documents == {"doc-50": "deletions"}


@pytest.mark.parametrize(
    "addition",
    [
        "Compre en https://malo.example/x",
        "Escriba a estafa@malo.example",
        "Visite www.malo.xyz",
        "El alcalde es un idiota",
        "Son todos unos LADRONES",
    ],
)
def test_links_and_insults_that_the_draft_has_not_are_left_out(addition: str) -> None:
    text = _texts(1)[0]
    bad = example(noisy(text), f"{text} {addition}.", document="doc-3")
    screened = poisoning.screen([*documents(12), bad])
    assert set(screened.left_out) == {bad.meta.example_id}


def test_an_insult_that_was_really_said_is_no_injection() -> None:
    assert poisoning.injected(example("le llamo ladron en el pleno", "Le llamó ladrón en el pleno.")) is None
    assert poisoning.injected(example("en www.villa.es", "En www.villa.es.")) is None


def test_three_injections_take_the_whole_document() -> None:
    hostile = [
        example(noisy(text), text + (" Idiotas." if index < 3 else ""), document="evil", chunk=str(index))
        for index, text in enumerate(_texts(10))
    ]
    screened = _screened(hostile)
    assert screened.documents == {"evil": "injected"}
    assert len(screened.left_out) == 10


def test_a_slogan_typed_into_several_paragraphs_is_left_out() -> None:
    hostile = [
        example(
            noisy(text), f"{text} Vote siempre al partido del progreso", document="doc-2", chunk=f"x{index}"
        )
        for index, text in enumerate(_texts(4))
    ]
    screened = _screened(hostile)
    assert set(screened.left_out) == {item.meta.example_id for item in hostile}
    assert set(screened.left_out.values()) <= {"repeated_insertion", "hostile_document"}


def test_one_output_for_many_inputs_is_kept_five_times() -> None:
    same = [
        example(f"se lebanta la sesion{'x' * index}", "Se levanta la sesión.", document=f"doc-{index}")
        for index in range(12)
    ]
    screened = poisoning.screen([*documents(12), *same])
    assert list(screened.left_out.values()) == ["repeated_output"] * 7


def test_a_document_gives_at_most_a_quarter() -> None:
    large = document(99, pairs=300)
    trimmed = poisoning.trim_shares([*documents(20), *large])
    from_large = sum(item.meta.document_id == "doc-99" for item in trimmed.kept)
    assert from_large == round(0.25 * len(trimmed.kept)) == 66
    assert set(trimmed.left_out.values()) == {"document_share"}


def test_a_small_town_with_two_documents_keeps_them() -> None:
    assert poisoning.trim_shares(documents(2, pairs=40)).left_out == {}


def test_one_editor_of_three_gives_at_most_half() -> None:
    examples = documents(30)
    editors = {f"doc-{number}": "ana" if number < 24 else f"b{number % 2}" for number in range(30)}
    trimmed = poisoning.trim_shares(examples, contributors=editors)
    by_ana = sum(editors[item.meta.document_id] == "ana" for item in trimmed.kept)
    assert by_ana == 60
    assert len(trimmed.kept) == 120
    one = poisoning.trim_shares(examples, contributors=dict.fromkeys(editors, "ana"))
    assert one.left_out == {}


def test_order_of_arrival_changes_nothing() -> None:
    examples = [*documents(12), *document(50, pairs=80)]
    shuffled = random.Random(1).sample(examples, len(examples))
    assert poisoning.screen(examples).left_out == poisoning.screen(shuffled).left_out
    assert poisoning.trim_shares(examples).left_out == poisoning.trim_shares(shuffled).left_out
