"""The opponent of the demo's adapters: a table learned from the same pairs."""

from __future__ import annotations

import random

from astra_learn_assets.simulation.substitutions import Table, error_rate
from astra_learn_assets_tests.datasets import builders

PAIRS = [
    ("el lleno vota", "el pleno vota"),
    ("en el lleno", "en el pleno"),
    ("una cesión más", "una sesión más"),
]


def test_what_was_seen_twice_and_mostly_means_one_thing_is_put_right() -> None:
    table = Table(PAIRS)
    assert table.apply("abre el lleno, y el lleno vota") == "abre el lleno, y el pleno vota"
    assert table.apply("una cesión") == "una cesión", "seen once"


def test_a_word_that_is_right_as_often_is_left_alone() -> None:
    right = [("está lleno", "está lleno"), ("vaso lleno", "vaso lleno"), ("muy lleno", "muy lleno")]
    assert Table([*PAIRS, *right]).apply("un lleno") == "un lleno"


def test_a_word_is_taken_out_where_the_clerk_always_does() -> None:
    table = Table([("el señor eh habla", "el señor habla"), ("la señora eh calla", "la señora calla")])
    assert table.apply("quien eh vota") == "quien vota"


def test_of_nothing_it_leaves_every_text_as_it_is() -> None:
    assert Table([]).apply("el lleno vota") == "el lleno vota"


def test_its_error_rate_lies_below_the_drafts_and_replay_teaches_it_nothing() -> None:
    draw = random.Random(1)
    texts = [builders.sentence(draw) + " El presupuesto de los vecinos es un acuerdo." for _ in range(12)]
    examples = [builders.example(builders.noisy(text), text) for text in texts]
    untouched = error_rate([], examples[8:])
    assert error_rate(examples[:8], examples[8:]) < 0.5 * untouched
    replay = [
        e.model_copy(update={"meta": e.meta.model_copy(update={"tenant_id": "replay"})}) for e in examples
    ]
    assert error_rate(replay, examples[8:]) == untouched
