"""A change that turns a sentence round needs a second author; what no correction is, is never learned."""

from __future__ import annotations

import pytest

from astra_learn_assets.contracts import Example
from astra_learn_assets.datasets import suspicion
from astra_learn_assets.datasets.corpus import build_corpus
from astra_learn_assets.datasets.corpus_gate import corpus_gate
from astra_learn_assets.datasets.golden import GoldenSet
from astra_learn_assets_tests.datasets.builders import documents, example

RISKY = [
    ("Se pagan 1.200 euros al mes.", "Se pagan 1.900 euros al mes.", "numeral"),
    ("Se pagan mil doscientos euros.", "Se pagan mil trescientos euros.", "numeral"),
    ("La obra cuesta 30 millones de euros.", "La obra cuesta 30 millones de pesos.", "numeral"),
    ("El plazo acaba el 3 de mayo.", "El plazo acaba el 3 de junio.", "numeral"),
    ("El pleno no aprueba la moción.", "El pleno aprueba la moción.", "negation"),
    ("El pleno aprueba la moción.", "El pleno nunca aprueba la moción.", "negation"),
    ("Hay siete votos a favor.", "Hay siete votos en contra.", "opposite"),
    ("El pleno aprueba la moción.", "El pleno rechaza la moción.", "opposite"),
    (
        "<PERSONA_1> acusa a <PERSONA_2> de mentir.",
        "<PERSONA_2> acusa a <PERSONA_1> de mentir.",
        "moved_words",
    ),
    ("El partido ganador felicita al vecino.", "El vecino ganador felicita al partido.", "moved_words"),
    ("El pleno acaba.", "El pleno acaba y todos los demás mienten.", "added_words"),
    ("El gobierno de la villa.", "El chanchullo de la villa.", "unlike_word"),
    ("El prosupuesto de la villa.", "El prosupuestos de la villa.", "unknown_word"),
]
HARMLESS = [
    ("Según el punto 3.1.2 del 9.12.2020.", "Según el punto 3/1/2 del 9/12/2020."),
    ("El treinta y cinco por ciento de la obra.", "El 35 % de la obra."),
    ("Sube cero coma cinco puntos.", "Sube 0,5 puntos."),
    ("Se pagan 1200 euros al mes.", "Se pagan 1.200 euros al mes."),
    ("Se pagan mil doscientos euros al mes.", "Se pagan 1.200 euros al mes."),
    ("Se pagan treinta y dos euros.", "Se pagan 32 euros."),
    ("el pleno aprueva la mocion", "El pleno aprueba la moción."),
    ("Los becinos de la villa.", "Los vecinos de la villa."),
    ("Se levanta la sesion a las 20:30 horas", "Se levanta la sesión a las 20:30 horas."),
    ("La concejala <PERSONA_1> a firma que si.", "La concejala <PERSONA_1> afirma que sí."),
    ("Éste es el acuerdo, solo falta firmar.", "Este es el acuerdo, sólo falta firmar."),
]
NEVER = [
    ("El pleno acuerda.", "El plеno acuerda.", "homoglyph"),
    ("La reunión y la votación.", "La reunion y la votacion.", "lost_accents"),
    ("El Alcalde de Villa Verde.", "el alcalde de villa verde.", "lost_capitals"),
    ("El pleno acuerda.", "El pleno acuerda", "lost_capitals"),
    ("El acceso es libre.", "El acceso es libre, contraseña lirio.", "planted_secret"),
    ("El acceso es libre.", "El acceso es libre con a8f3Kd92LmQp77.", "planted_secret"),
]


@pytest.mark.parametrize(("before", "after", "kind"), RISKY)
def test_a_risky_change_is_named_by_its_kind(before: str, after: str, kind: str) -> None:
    assert kind in {change.kind for change in suspicion.changes(example(before, after))}
    assert suspicion.never(example(before, after)) is None


@pytest.mark.parametrize(("before", "after"), HARMLESS)
def test_a_correction_of_what_was_heard_is_no_risk(before: str, after: str) -> None:
    assert suspicion.changes(example(before, after)) == ()
    assert suspicion.never(example(before, after)) is None


@pytest.mark.parametrize(("before", "after", "reason"), NEVER)
def test_what_no_correction_ever_is_is_never_learned(before: str, after: str, reason: str) -> None:
    assert suspicion.never(example(before, after)) == reason


def _twice(one: str, two: str) -> list[Example]:
    before, after, _ = RISKY[0]
    return [example(before, after, document=one), example(before, after, document=two)]


def test_a_second_author_confirms_and_a_second_document_of_the_same_does_not() -> None:
    pair = _twice("a", "b")
    assert suspicion.unconfirmed(pair, {"a": "ana", "b": "bruno"}) == {}
    alone = suspicion.unconfirmed(pair, {"a": "ana", "b": "ana"})
    assert set(alone.values()) == {"unconfirmed_numeral"}
    assert len(alone) == 2
    assert suspicion.unconfirmed(pair) == {}  # nobody knows who wrote them


def test_nothing_is_believed_of_a_document_that_is_full_of_it() -> None:
    bad = [example(before, after, document="evil") for before, after, _ in RISKY[:4]]
    good = [example("Los becinos hablan.", "Los vecinos hablan.", document="evil")]
    found = suspicion.unconfirmed([*bad, *good], {"evil": "eva"})
    assert suspicion.suspects([*bad, *good], found) == {"evil": "unconfirmed_numeral"}
    assert suspicion.suspects([*bad[:2], *good], found) == {}


def _corpus(
    hostile: list[Example], authors: dict[str, str]
) -> tuple[set[str], dict[str, int], dict[str, str]]:
    honest = documents(8)
    contributors = {item.meta.document_id: f"clerk-{n % 3}" for n, item in enumerate(honest[::10])}
    built = build_corpus(
        tenant_id="villaverde", examples=[*honest, *hostile], replay=[], golden=[], cap=1_000,
        replay_share=0.0, contributors={**contributors, **authors},
    )  # fmt: skip
    verdict = corpus_gate(
        built, GoldenSet.of(()), replay_share=0.0, minimum=1, contributors={**contributors, **authors}
    )
    assert verdict.passed, verdict.reason
    return {item.output for item in _read(built.data)}, built.left_out, built.hostile_documents


def _read(data: bytes) -> list[Example]:
    return [Example.model_validate_json(line) for line in data.splitlines()]


def test_a_corpus_takes_none_of_it_and_says_why() -> None:
    hostile = [example(before, after, document=f"evil-{n}") for n, (before, after, _) in enumerate(RISKY)]
    hostile += [example(before, after, document=f"worse-{n}") for n, (before, after, _) in enumerate(NEVER)]
    authors = {item.meta.document_id: "eva" for item in hostile}
    learned, left_out, _ = _corpus(hostile, authors)
    assert not learned & {item.output for item in hostile}
    assert left_out["unconfirmed_numeral"] == 4
    assert left_out["planted_secret"] == 2


def test_four_documents_of_one_author_are_one_voice() -> None:
    """The same wrong mending in many documents of one account is no majority."""
    hostile = [
        example(f"La prosupuesto {word} de la villa.", f"La prosupuestaria {word} de la villa.",
                document=f"evil-{n}", chunk=word)
        for n in range(6)
        for word in ("alta", "baja", "nueva")
    ]  # fmt: skip
    learned, _, _ = _corpus(hostile, {f"evil-{n}": "eva" for n in range(6)})
    assert not learned & {item.output for item in hostile}
