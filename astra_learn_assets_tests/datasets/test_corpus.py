"""A corpus is one file, made of fit and unseen examples with a fifth of replay."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from astra_learn_assets.contracts import Example, GateVerdict
from astra_learn_assets.datasets import jsonl, poisoning
from astra_learn_assets.datasets.corpus import Corpus, build_corpus
from astra_learn_assets.datasets.corpus_gate import corpus_gate
from astra_learn_assets.datasets.golden import GoldenSet, build_golden, is_golden
from astra_learn_assets.datasets.replay import load_replay
from astra_learn_assets.errors import BadConfiguration, BadJsonl, ForeignTenant
from astra_learn_assets_tests.datasets.builders import document, documents, example, noisy, replay

EMPTY = GoldenSet.of([])
REPLAY = replay(400)


def _split(count: int = 30) -> tuple[list[Example], GoldenSet]:
    everything = documents(count)
    golden = [item for item in everything if is_golden(item.meta.document_id, 0.2)]
    rest = [item for item in everything if not is_golden(item.meta.document_id, 0.2)]
    return rest, build_golden(golden, 50, context=rest)


def _build(examples: list[Example], golden: GoldenSet = EMPTY, **changes: object) -> Corpus:
    arguments: dict[str, object] = {
        "tenant_id": "villaverde",
        "examples": examples,
        "replay": REPLAY,
        "golden": golden,
        "cap": 20_000,
        "replay_share": 0.2,
    }
    return build_corpus(**{**arguments, **changes})  # type: ignore[arg-type]


def _gate(corpus: Corpus, golden: GoldenSet = EMPTY, golden_share: float | None = None) -> tuple[bool, str]:
    verdict = corpus_gate(corpus, golden, replay_share=0.2, minimum=50, golden_share=golden_share)
    assert verdict.digest == corpus.dataset_hash
    return verdict.passed, verdict.reason


def _rewritten(corpus: Corpus, examples: list[Example]) -> Corpus:
    data = jsonl.dump(examples)
    return replace(corpus, data=data, dataset_hash=jsonl.digest(data))


def test_a_corpus_of_honest_documents_passes_its_gate() -> None:
    rest, golden = _split()
    corpus = _build(rest, golden)
    assert corpus.dataset_hash == jsonl.digest(corpus.data)
    assert corpus.replay_examples == pytest.approx(
        0.2 * (corpus.tenant_examples + corpus.replay_examples), abs=1
    )
    assert corpus.tenant_examples > 200
    assert _gate(corpus, golden, golden_share=0.2) == (True, "the corpus keeps all rules")
    assert Corpus.read("villaverde", corpus.data).tenant_examples == corpus.tenant_examples


def test_the_verdict_counts_what_is_in_the_corpus() -> None:
    rest, golden = _split()
    corpus = _build(rest, golden)
    own, extra = corpus.tenant_examples, corpus.replay_examples
    verdict = corpus_gate(corpus, golden, replay_share=0.2, minimum=50, golden_share=0.2)
    assert verdict == GateVerdict(
        gate="corpus_gate",
        tenant_id="villaverde",
        digest=corpus.dataset_hash,
        passed=True,
        reason="the corpus keeps all rules",
        details={
            "golden_hash": golden.golden_hash,
            "golden_examples": len(golden.examples),
            "minimum": 50,
            "replay_share_wanted": 0.2,
            "lines": own + extra,
            "tenant_examples": own,
            "replay_examples": extra,
            "replay_share": round(extra / (own + extra), 4),
            "documents": own // 10,
            "golden_leaks": 0,
            "repeated": 0,
            "unfit": 0,
            "suspected": 0,
            "hostile_documents": 0,
            "largest_document_share": round(10 / own, 4),
        },
    )


def _figures(corpus: Corpus, golden: GoldenSet = EMPTY, **changes: Any) -> tuple[str, dict[str, Any]]:
    arguments: dict[str, Any] = {"replay_share": 0.2, "minimum": 0, **changes}
    verdict = corpus_gate(corpus, golden, **arguments)
    return verdict.reason, dict(verdict.details)


def test_an_empty_or_unreadable_corpus_is_told_as_such() -> None:
    reason, details = _figures(_build([]), minimum=1)
    assert reason == "0 examples, at least 1 are needed; replay is 0.0% of the corpus instead of 20%"
    assert details["replay_share"] == details["largest_document_share"] == 0.0
    broken = replace(_build(documents(12)), data=b"{\n")
    reason, details = _figures(broken, minimum=7)
    assert reason.startswith("the file cannot be read: ")
    assert details == {
        "golden_hash": EMPTY.golden_hash,
        "golden_examples": 0,
        "minimum": 7,
        "replay_share_wanted": 0.2,
    }


def test_just_enough_examples_and_a_replay_share_at_the_edge_pass() -> None:
    lines = jsonl.load(_build(documents(12)).data)
    own = [item for item in lines if item.meta.tenant_id != "replay"]
    extra = [item for item in lines if item.meta.tenant_id == "replay"]
    corpus = _build(documents(12))
    hundred = _rewritten(corpus, sorted([*own[:98], *extra[:2]], key=lambda item: item.meta.example_id))
    good = "the corpus keeps all rules"
    assert _figures(hundred, replay_share=0.0, minimum=98)[0] == good
    assert _figures(hundred, replay_share=0.0, minimum=99)[0] == "98 examples, at least 99 are needed"
    three = _rewritten(corpus, [*own[:97], *extra[:3]])
    assert "replay is 3.0% of the corpus instead of 0%" in _figures(three, replay_share=0.0)[0]
    # of ten lines one is a tenth: a small corpus may be off by one line and no more
    one, two = _rewritten(corpus, [*own[:9], *extra[:1]]), _rewritten(corpus, [*own[:8], *extra[:2]])
    assert "replay" not in _figures(one, replay_share=0.0)[0]
    assert "replay is 20.0% of the corpus instead of 0%" in _figures(two, replay_share=0.0)[0]


def test_every_fault_is_a_sentence_with_its_count() -> None:
    corpus = _build(documents(12))
    lines = jsonl.load(corpus.data)
    own = [item for item in lines if item.meta.tenant_id != "replay"]
    strangers = [document(1, tenant="otro")[0], document(2, tenant="otro")[0]]
    twin = own[0].model_copy(
        update={"meta": own[0].meta.model_copy(update={"example_id": "f" * 64, "document_id": "copy"})}
    )
    unfit = [example("igual", "igual"), example("otra cosa igual", "otra cosa igual")]
    insult = [example("el alcalde hablo", "El alcalde, idiota, habló")]
    cases: dict[str, list[Example]] = {
        "2 lines are of another municipality": [*lines, *strangers],
        "2 examples are repeated": [*lines, own[0]],
        "1 examples are repeated": [*lines, twin],
        "injected_insult in 1 examples": [*lines, *insult],
    }
    for reason, changed in cases.items():
        assert _figures(_rewritten(corpus, changed))[0] == reason
    assert _figures(_rewritten(corpus, [*lines, own[0]]))[1]["repeated"] == 2
    reason, details = _figures(_rewritten(corpus, [*lines, *unfit]))
    assert reason == "unfit examples: identical 2"
    assert details["unfit"] == 2
    calm = example("El pleno queda enterado.", "El pleno queda enterado.", unchanged=True)
    reason, details = _figures(_rewritten(corpus, [*lines, calm]))
    assert reason == "unfit examples: unchanged 1"
    assert details["unfit"] == 1
    assert _figures(_rewritten(corpus, [*lines, *insult]))[1]["suspected"] == 1
    assert (
        _figures(replace(corpus, dataset_hash="0" * 64))[0] == "dataset_hash is not the SHA-256 of the file"
    )
    loose = corpus.data.replace(b'":"', b'": "')
    canonical = replace(corpus, data=loose, dataset_hash=jsonl.digest(loose))
    assert _figures(canonical)[0] == "the file is not canonical JSONL"


def test_what_leaked_from_the_golden_set_is_counted_by_kind() -> None:
    rest, golden = _split()
    corpus = _build(rest, golden)
    stolen = golden.examples[0]
    copies = [stolen, example(stolen.input, stolen.output, document="copy")]
    reason, details = _figures(
        _rewritten(corpus, [*jsonl.load(corpus.data), *copies]), golden, golden_share=0.2
    )
    assert reason == (
        "the golden set leaked into the corpus (golden_document 1, golden_text 1); 1 examples are repeated"
    )
    assert details["golden_leaks"] == 2


def test_hostile_and_dominant_documents_are_named() -> None:
    corpus = _build(documents(15))
    lines = jsonl.load(corpus.data)
    hostile = [
        example(item.output, noisy(item.output).replace("e", "o"), document="evil", chunk=item.meta.chunk_id)
        for item in document(77, pairs=30)
    ]
    reason, details = _figures(_rewritten(corpus, [*lines, *hostile]), replay_share=0.17)
    assert reason.startswith("1 documents look hostile (evil)")
    assert "hostile_document in" not in reason
    assert (details["hostile_documents"], details["suspected"]) == (1, 30)
    big = _rewritten(corpus, [*lines, *document(99, pairs=300)])
    trimmed = len(
        poisoning.trim_shares(
            [item for item in jsonl.load(big.data) if item.meta.tenant_id != "replay"],
            poisoning.DEFAULT_LIMITS,
        ).left_out
    )
    reason, details = _figures(big, replay_share=0.08)
    assert reason == f"one document gives too much of the corpus ({trimmed} examples over its share)"
    assert details["largest_document_share"] == round(300 / 450, 4)
    free = replace(poisoning.DEFAULT_LIMITS, max_document_share=1.0)
    assert _figures(big, replay_share=0.08, limits=free)[0] == "the corpus keeps all rules"


def test_what_is_never_learned_is_found_whoever_sent_it_and_several_faults_stand_side_by_side() -> None:
    corpus = _build(documents(12))
    lines = jsonl.load(corpus.data)
    secret = example("El acceso es libre.", "El acceso es libre con a8f3Kd92LmQp77.")
    assert _figures(_rewritten(corpus, [*lines, secret]))[0] == "planted_secret in 1 examples"
    unfit = [example("igual", "igual"), example("", "Se aprueba.")]
    reason, details = _figures(_rewritten(corpus, [*lines, *unfit]))
    assert reason == "unfit examples: empty_input 1, identical 1"
    assert details["unfit"] == 2
    hostile = [
        example(item.output, noisy(item.output).replace("e", "o"), document=f"evil-{n}", chunk=f"c{place}")
        for n in (1, 2)
        for place, item in enumerate(document(76 + n, pairs=30))
    ]
    reason, _ = _figures(_rewritten(corpus, [*lines, *hostile]), replay_share=0.14)
    assert reason.startswith("2 documents look hostile (evil-1, evil-2)")


def test_the_limits_of_a_corpus_are_the_callers() -> None:
    corpus = _build(documents(12))
    same = [
        example(text, "Se levanta la sesión.") for text in ("se lebanta la sesion", "se levanta la sesion")
    ]
    lines = [*jsonl.load(corpus.data), *same]
    assert _figures(_rewritten(corpus, lines))[0] == "the corpus keeps all rules"
    strict = replace(poisoning.DEFAULT_LIMITS, max_same_output=1)
    assert _figures(_rewritten(corpus, lines), limits=strict)[0] == "repeated_output in 1 examples"


def test_one_example_is_the_whole_of_a_corpus_of_one() -> None:
    alone = _rewritten(_build(documents(1)), document(1)[:1])
    assert _figures(alone, replay_share=0.0)[1]["largest_document_share"] == 1.0


def test_an_editor_who_gives_too_much_is_found_and_what_the_builder_trimmed_passes() -> None:
    rest = documents(30)
    editors = {f"doc-{number}": "ana" if number < 24 else f"b{number % 2}" for number in range(30)}
    untrimmed = _build(rest)
    assert _figures(untrimmed)[0] == "the corpus keeps all rules"
    reason, _ = _figures(untrimmed, contributors=editors)
    assert reason == "one editor gives too much of the corpus (180 examples over its share)"
    trimmed = _build(rest, contributors=editors)
    assert trimmed.left_out == {"contributor_share": 180}
    assert _figures(trimmed, contributors=editors)[0] == "the corpus keeps all rules"


def test_an_editor_cannot_confirm_a_wrong_word_with_further_documents_of_his_own() -> None:
    wrong = [
        example(item.input, item.output.replace("presupuesto", "presupuestado"), document=f"eva-{number}")
        for number in range(5)
        for item in document(200 + number, pairs=60)
        if "presupuesto" in item.output
    ]
    lines = sorted([*documents(30), *wrong], key=lambda item: item.meta.example_id)
    corpus = _rewritten(_build(documents(30)), lines)
    editors = {f"doc-{number}": f"clerk-{number % 3}" for number in range(30)}
    apart = {**editors, **{f"eva-{number}": f"eva-{number}" for number in range(5)}}
    alone = {**editors, **{f"eva-{number}": "eva" for number in range(5)}}
    assert _figures(corpus, replay_share=0.0, contributors=apart)[0] == "the corpus keeps all rules"
    reason, details = _figures(corpus, replay_share=0.0, contributors=alone)
    assert reason == f"against_majority in {details['suspected']} examples"
    assert details["suspected"] == 50  # of 51: in one the alignment takes the word and its neighbour together


def test_the_hash_does_not_depend_on_the_order_of_the_input() -> None:
    rest, golden = _split()
    shuffle = random.Random(4)
    first = _build([*rest, *rest[:20]], golden)
    for _ in range(3):
        other = _build(shuffle.sample(rest, len(rest)), golden, replay=shuffle.sample(REPLAY, len(REPLAY)))
        assert other.data == first.data


def test_the_newest_examples_stay_when_the_cap_cuts() -> None:
    rest = documents(20)
    corpus = _build(rest, cap=100)
    assert corpus.tenant_examples == 100
    kept = {item.meta.document_id for item in jsonl.load(corpus.data)} - {"replay"}
    assert kept == {f"doc-{number}" for number in range(10)}
    assert corpus.left_out["over_cap"] == 100


def test_too_little_replay_takes_the_oldest_examples_and_keeps_the_share() -> None:
    corpus = _build(documents(20), replay=REPLAY[:25])
    assert (corpus.tenant_examples, corpus.replay_examples) == (100, 25)
    assert corpus.left_out["replay_too_small"] == 100
    assert _gate(corpus)[0]


def test_no_replay_at_all_is_a_configuration_error() -> None:
    with pytest.raises(BadConfiguration, match="ASTRA_REPLAY_FILE"):
        _build(documents(3), replay=[])
    with pytest.raises(BadConfiguration):
        _build(documents(3), replay_share=1.0)
    assert _build(documents(3), replay=[], replay_share=0.0).replay_examples == 0


def test_an_empty_tenant_gives_an_empty_corpus_that_the_gate_refuses() -> None:
    corpus = _build([])
    assert (corpus.data, corpus.tenant_examples) == (b"", 0)
    assert not _gate(corpus)[0]


def test_another_tenants_example_is_an_error_and_not_left_out() -> None:
    with pytest.raises(ForeignTenant):
        _build([*documents(3), *document(1, tenant="otro")])
    with pytest.raises(ForeignTenant):
        _build(documents(3), replay=documents(1))


def test_golden_text_is_kept_out_even_when_it_comes_in_another_document() -> None:
    rest, golden = _split()
    stolen = golden.examples[0]
    copies = [
        example(stolen.input, stolen.output, document="copy-a"),
        example(stolen.input.upper(), stolen.output.replace(".", " !"), document="copy-b"),
        example(stolen.input + " y", stolen.output + " Y más.", document="copy-c"),
        stolen,
    ]
    corpus = _build([*rest, *copies], golden)
    assert corpus.data == _build(rest, golden).data
    assert corpus.left_out["golden_document"] == 1
    assert corpus.left_out["golden_text"] + corpus.left_out["golden_near"] == 3


@pytest.mark.parametrize("copy", range(3))
def test_the_gate_finds_golden_text_that_was_smuggled_in(copy: int) -> None:
    rest, golden = _split()
    corpus = _build(rest, golden)
    stolen = golden.examples[0]
    smuggled = [
        stolen,
        example(stolen.input, stolen.output, document="copy"),
        example(stolen.input + " y", stolen.output.lower() + " y", document="copy"),
    ][copy]
    passed, reason = _gate(_rewritten(corpus, [*jsonl.load(corpus.data), smuggled]), golden)
    assert not passed
    assert "golden" in reason


def test_the_gate_refuses_a_golden_document_the_capped_set_does_not_hold() -> None:
    number = next(n for n in range(1_000, 2_000) if is_golden(f"doc-{n}", 0.2))
    corpus = _build(_split(12)[0])
    smuggled = _rewritten(corpus, [*jsonl.load(corpus.data), document(number)[0]])
    assert _gate(smuggled)[0]
    reason, details = _figures(smuggled, golden_share=0.2)
    assert reason == "the golden set leaked into the corpus (golden_document 1)"
    assert details["golden_leaks"] == 1


def test_the_gate_judges_bytes_and_not_claims() -> None:
    corpus = _build(documents(12))
    lines = jsonl.load(corpus.data)
    own = [item for item in lines if item.meta.tenant_id != "replay"]
    cases = {
        "SHA-256": replace(corpus, dataset_hash="0" * 64),
        "canonical": replace(
            corpus,
            data=corpus.data.replace(b'":"', b'": "'),
            dataset_hash=jsonl.digest(corpus.data.replace(b'":"', b'": "')),
        ),
        "another municipality": _rewritten(corpus, [*lines, document(1, tenant="otro")[0]]),
        "replay is": _rewritten(corpus, own),
        "at least 50": _rewritten(corpus, lines[:30]),
        "repeated": _rewritten(corpus, [*lines, own[0]]),
        "unfit": _rewritten(corpus, [*lines, example("igual", "igual")]),
        "injected_insult": _rewritten(
            corpus, [*lines, example("el alcalde hablo", "El alcalde, idiota, habló")]
        ),
        "cannot be read": _rewritten(replace(corpus), []),
    }
    cases["cannot be read"] = replace(corpus, data=b"{\n")
    for words, broken in cases.items():
        passed, reason = _gate(broken)
        assert not passed
        assert words in reason


def test_the_gate_passes_what_the_builder_made_from_a_dominant_document() -> None:
    corpus = _build([*documents(12), *document(99, pairs=300)])
    assert corpus.left_out["document_share"] > 200
    assert _gate(corpus)[0]


def test_a_hostile_document_is_named_and_not_in_the_corpus() -> None:
    hostile = [
        example(item.output, noisy(item.output).replace("e", "o"), document="evil", chunk=item.meta.chunk_id)
        for item in document(77, pairs=30)
    ]
    corpus = _build([*hostile, *documents(15)])
    assert "evil" in corpus.hostile_documents
    assert b'"evil"' not in corpus.data
    assert _gate(corpus)[0]


def test_one_input_with_several_outputs_keeps_what_most_documents_say() -> None:
    pairs = [example("la sesion ordinaria", "La sesión ordinaria.", document=f"d-{n}") for n in range(3)]
    odd = example("la sesion ordinaria", "La sección ordinaria.", document="d-9")
    corpus = _build([odd, *pairs])
    outputs = [item.output for item in jsonl.load(corpus.data) if item.meta.tenant_id != "replay"]
    assert outputs == ["La sesión ordinaria."]
    assert (corpus.left_out["duplicate"], corpus.left_out["contradicted"]) == (2, 1)


def test_a_fifth_of_documents_is_golden_and_the_answer_never_changes() -> None:
    names = [f"pleno-{number}-v1-final-{number:012x}" for number in range(5_000)]
    chosen = [name for name in names if is_golden(name, 0.2)]
    assert 0.18 < len(chosen) / len(names) < 0.22
    assert {name for name in names if is_golden(name, 0.1)} < set(chosen)
    assert not any(is_golden(name, 0.0) for name in names)
    assert is_golden("doc-1", 0.2) == is_golden("doc-1", 0.2)


def test_the_golden_set_is_capped_over_many_documents_and_ignores_order() -> None:
    examples = documents(20)
    golden = build_golden(examples, 40)
    assert len(golden.examples) == 40
    assert len(golden.documents) == 20
    assert golden.words == 40 * 14 or golden.words > 400
    assert golden.golden_hash == jsonl.digest(golden.data)
    assert build_golden(list(reversed(examples)), 40).golden_hash == golden.golden_hash
    assert GoldenSet.read(golden.data) == golden


def test_unfit_and_hostile_examples_do_not_judge_anyone() -> None:
    bad = [
        example("igual", "igual", document="doc-1"),
        example("el pleno", "El pleno, idiotas.", document="doc-2"),
    ]
    assert (
        build_golden([*documents(10), *bad], 500).golden_hash == build_golden(documents(10), 500).golden_hash
    )
    with pytest.raises(ForeignTenant):
        build_golden([*documents(1), *documents(1, tenant="otro")], 10)
    assert build_golden([], 10).words == 0


def test_a_replay_file_is_read_and_its_faults_are_named(tmp_path: Path) -> None:
    path = tmp_path / "replay.jsonl"
    path.write_bytes(jsonl.dump(REPLAY[:5]))
    assert load_replay(path) == REPLAY[:5]
    path.write_bytes(jsonl.dump([*REPLAY[:2], *documents(1)]))
    with pytest.raises(BadJsonl) as caught:
        load_replay(path)
    assert caught.value.line == 3
    path.write_bytes(b"")
    with pytest.raises(BadConfiguration):
        load_replay(path)
    with pytest.raises(BadConfiguration):
        load_replay(tmp_path / "missing.jsonl")


def test_both_versions_of_a_session_and_a_final_sent_twice_are_on_the_same_side() -> None:
    for number in range(50):
        finals = [
            f"2024-{number}-v{version}-final-{sha}" for version in (1, 2) for sha in ("0" * 12, "a1" * 6)
        ]
        assert len({is_golden(final, 0.5) for final in finals}) == 1
