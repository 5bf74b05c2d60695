"""Only what the clerk corrected of what was said becomes a training pair."""

from __future__ import annotations

import pytest

from astra_learn_assets.comparator.engine import compare
from astra_learn_assets.contracts import BlockDelta, Delta
from astra_learn_assets_tests.comparator.packages import bookmark, p, package, t
from astra_learn_assets_tests.comparator.test_engine import chunk

SPEECH = [
    "Se abre la sesión por la señora alcaldesa a las nueve y media con quórum suficiente.",
    "La tesorera explica que la partida de caminos está agotada desde octubre y propone un crédito nuevo.",
    "Esperen un momento, que se ha ido la luz en la sala.",
    "El portavoz vecinal pregunta cuánto costará el tejado de la escuela y por qué no figura en el anexo.",
    "La secretaria advierte de que falta el informe jurídico sobre la permuta de la parcela.",
    "Se aprueba la moción por ocho votos a favor y tres abstenciones.",
]


def minutes(*parts: str) -> bytes:
    return package("".join(parts))


def marked(n: int, text: str = "") -> str:
    return bookmark(f"_astra_{chunk(n)}", t(text or SPEECH[n]), n)


def run(final: list[str], *, ids: bool) -> Delta:
    draft = minutes(*(p(marked(n) if ids else t(SPEECH[n])) for n in range(len(SPEECH))))
    return compare(draft, minutes(*final), generated_id="g", final_id="f")


def changed(delta: Delta) -> list[BlockDelta]:
    return [block for block in delta.blocks if block.op != "equal"]


@pytest.mark.parametrize("ids", [True, False])
def test_neighbours_of_a_deleted_paragraph_joined_are_one_merge_of_exactly_these_two(ids: bool) -> None:
    joined = marked(1) + t(" ") + marked(3) if ids else t(f"{SPEECH[1]} {SPEECH[3]}")
    rest = [p(marked(n) if ids else t(SPEECH[n])) for n in (4, 5)]
    delta = run([p(marked(0) if ids else t(SPEECH[0])), p(joined), *rest], ids=ids)
    merged, deleted = changed(delta)
    assert (merged.op, merged.before_parts) == ("merged", (SPEECH[1], SPEECH[3]))
    assert (deleted.op, deleted.before) == ("deleted", SPEECH[2])
    assert delta.examples == ()  # nothing was corrected


@pytest.mark.parametrize("ids", [True, False])
def test_a_merge_over_a_deletion_that_was_corrected_too_teaches_both_and_no_more(ids: bool) -> None:
    first, second = SPEECH[1].replace("crédito nuevo", "nuevo crédito"), SPEECH[3].replace("anexo", "anejo")
    joined = marked(1, first) + t(" ") + marked(3, second) if ids else t(f"{first} {second}")
    rest = [p(marked(n) if ids else t(SPEECH[n])) for n in (4, 5)]
    delta = run([p(marked(0) if ids else t(SPEECH[0])), p(joined), *rest], ids=ids)
    (pair,) = delta.examples
    assert pair.before == f"{SPEECH[1]} {SPEECH[3]}"
    assert pair.after == f"{first} {second}"


def test_a_paragraph_split_around_new_text_is_one_split() -> None:
    head, tail = SPEECH[1].split(" y propone ")
    final = [
        p(t(text)) for text in (SPEECH[0], f"{head}.", "Suena la alarma.", f"Propone {tail}", *SPEECH[2:])
    ]
    (split,) = [block for block in changed(run(final, ids=False)) if block.op == "split"]
    assert split.after_parts == (f"{head}.", f"Propone {tail}")


def test_another_utterance_typed_over_a_block_is_deleted_and_inserted_and_teaches_nothing() -> None:
    other = "pues nosotros vamos a votar que no, porque lo que hace falta es arreglar el pabellón de una vez"
    final = [p(marked(n)) if n != 1 else p(t(other)) for n in range(len(SPEECH))]
    delta = run(final, ids=True)
    assert sorted(block.op for block in changed(delta)) == ["deleted", "inserted"]
    assert delta.examples == ()
    assert delta.entity_changes == ()


@pytest.mark.parametrize("ids", [True, False])
def test_another_utterance_in_the_frame_of_the_old_one_is_deleted_and_inserted(ids: bool) -> None:
    other = (
        "El portavoz vecinal pide que se podará la acequia de los molinos y por qué no figura en el pliego."
    )
    final = [
        p(marked(n, other if n == 3 else "") if ids else t(other if n == 3 else SPEECH[n]))
        for n in range(len(SPEECH))
    ]
    delta = run(final, ids=ids)
    assert sorted(block.op for block in changed(delta)) == ["deleted", "inserted"]
    assert delta.examples == ()


def test_the_same_utterance_said_formally_is_still_shown_as_one() -> None:
    formal = "Se aprueba la propuesta con ocho votos favorables y tres abstenciones."
    final = [p(marked(n, formal if n == 5 else "")) for n in range(len(SPEECH))]
    assert [block.op for block in changed(run(final, ids=True))] == ["modified"]


@pytest.mark.parametrize(
    "text",
    [
        SPEECH[1] + " Además anuncia que dimite y que no piensa volver nunca a este salón de plenos.",
        "La tesorera explica que la partida está agotada.",
        "La tesorera ruega que se limpie la acequia del molino y propone un paseo nuevo.",
    ],
)
def test_text_added_left_out_or_replaced_teaches_nothing(text: str) -> None:
    final = [p(t(SPEECH[n] if n != 1 else text)) for n in range(len(SPEECH))]
    assert run(final, ids=False).examples == ()


def test_a_correction_teaches_and_says_how_sure_it_is() -> None:
    corrected = SPEECH[1].replace("agotada", "ajotada")
    draft = minutes(*(p(t(corrected if n == 1 else SPEECH[n])) for n in range(len(SPEECH))))
    delta = compare(draft, minutes(*(p(t(text)) for text in SPEECH)), generated_id="g", final_id="f")
    (pair,) = delta.examples
    assert (pair.before, pair.after) == (corrected, SPEECH[1])
    (block,) = changed(delta)
    assert block.same_utterance is not None
    assert block.corrected is not None
    assert block.same_utterance > 0.95
    assert block.corrected > 0.5
