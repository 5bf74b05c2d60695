"""Clerks who contradict each other, who are nearly always wrong, who corrected one paragraph or none at all.

What becomes of their pairs is decided here and at ``corpus_gate``; what comes through all the same is
``wer_gate``'s to judge.
"""

from __future__ import annotations

import random
import re

from astra_learn_assets.contracts import Example
from astra_learn_assets.datasets import jsonl
from astra_learn_assets.datasets.corpus import Corpus, build_corpus
from astra_learn_assets.datasets.corpus_gate import corpus_gate
from astra_learn_assets.datasets.golden import GoldenSet
from astra_learn_assets.datasets.replay import REPLAY
from astra_learn_assets.simulation.council.sounds import Ear
from astra_learn_assets.simulation.council.vocabulary import vocabulary
from astra_learn_assets_tests.datasets.builders import documents, example, replay, sentence, unchanged

WORDS = re.compile(r"[^\W\d_]{5,}")


def built(examples: list[Example], **more: dict[str, str]) -> Corpus:
    given = {"examples": examples, "replay": replay(), "golden": [], **more}
    return build_corpus(tenant_id="villaverde", cap=1_000, replay_share=0.2, **given)


def learned(corpus: Corpus) -> list[Example]:
    return [item for item in jsonl.load(corpus.data) if item.meta.tenant_id != REPLAY]


def refusal(corpus: Corpus) -> str:
    verdict = corpus_gate(corpus, GoldenSet.of(()), replay_share=0.2, minimum=20)
    assert not verdict.passed
    return verdict.reason


def test_of_two_answers_to_one_text_the_one_of_more_documents_is_taught_and_the_rest_counted() -> None:
    heard = "el lleno aprueba el presupuesto de la plaza mayor"
    one, other = (f"{text} aprueba el presupuesto de la plaza mayor" for text in ("El pleno", "el llano"))
    pairs = [example(heard, one, document=f"doc-{n}") for n in range(2)]
    pairs += [example(heard, other, document=f"doc-{n}") for n in range(2, 5)]
    corpus = built(pairs)
    assert [item.output for item in learned(corpus)] == [other]
    assert corpus.left_out["contradicted"] == 2


def test_as_many_documents_for_either_answer_are_settled_alike_every_time() -> None:
    pairs = [
        example("se habre la sesión del lleno", answer, document=f"doc-{n}")
        for n, answer in enumerate(("se abre la sesión del pleno", "se abre la cesión del pleno"))
    ]
    assert built(pairs).data == built(pairs[::-1]).data
    assert len(learned(built(pairs))) == 1


def test_one_example_is_no_corpus() -> None:
    corpus = built([example("se habre la sesión del pleno", "se abre la sesión del pleno")])
    assert corpus.tenant_examples == 1
    assert "1 examples, at least 20 are needed" in refusal(corpus)


def test_a_council_whose_drafts_are_right_has_nothing_to_teach() -> None:
    corpus = built(unchanged(1, 30) + unchanged(2, 30))
    assert corpus.tenant_examples == 0
    assert corpus.left_out == {"unchanged": 60}
    assert "0 examples" in refusal(corpus)


def test_answers_that_belong_to_other_texts_are_not_taught_though_nine_in_ten_are_such() -> None:
    honest = documents(10, 12)
    rng = random.Random(2)
    dealt = [item.output for item in honest]
    rng.shuffle(dealt)
    spoiled = [
        example(item.input, dealt[n] if n % 10 else item.output, document=item.meta.document_id)
        for n, item in enumerate(honest)
    ]
    corpus = built(spoiled)
    right = {item.output for item in honest}
    taught = [(item.input, item.output) for item in learned(corpus)]
    assert all((before, after) in {(i.input, i.output) for i in honest} for before, after in taught), right
    assert corpus.left_out["rewritten"] > 50
    assert "at least 20 are needed" in refusal(corpus)


def test_of_corrections_that_are_new_mishearings_nine_in_ten_nearly_none_are_taught() -> None:
    """Words put into others that sound so: each a likely correction, but nobody else makes the same one."""
    rng, ear = random.Random(5), Ear("a careless clerk", lisping=True, words=vocabulary())

    def wrong(text: str) -> str:
        word = rng.choice(WORDS.findall(text)[1:])
        return text.replace(word, (ear.takes_for(word.lower()) or (word,))[0], 1)

    texts = [sentence(rng) for _ in range(200)]
    pairs = []
    for n, text in enumerate(texts):
        heard, after = wrong(text), text if n % 10 == 0 else wrong(text)
        pairs.append(example(heard, after, document=f"doc-{n // 10}"))
    corpus = built(pairs, contributors={f"doc-{n}": f"clerk-{n % 2}" for n in range(20)})
    right = set(texts)
    bad = [item for item in learned(corpus) if item.output not in right]
    assert len(bad) < 0.25 * sum(pair.output not in right for pair in pairs), len(bad)
