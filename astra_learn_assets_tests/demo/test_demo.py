"""The demo's verdict: each promise fails on its own figures; and what its home remembers."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from astra_learn_assets.settings import Settings, get_settings, remember
from astra_learn_assets.simulation.demo.desk import Tally
from astra_learn_assets.simulation.demo.figures import CouncilFigures, Promise, Sabotage, Serving, promises
from astra_learn_assets.simulation.demo.sabotage import shuffled
from astra_learn_assets.simulation.demo.story import Options, _demo_settings, nothing_from_outside

TALLY = Tally(
    uploaded=40, name_fixes=9, hostile_sent=4, hostile_kept_out=4, readable_after=[0.2, 0.3],
    event_after=[0.2, 0.3], done=True,
)  # fmt: skip
COUNCIL = CouncilFigures(
    tenant_id="villaverde", tally=TALLY, examples=300, hostile_learned=0, state="promoted", reason="",
    adapter_id="villaverde--1", draft_wer=0.10, dictionary_wer=0.09, table_wer=0.07, base_wer=0.06,
    adapter_wer=0.03, clean_wer=0.004,
)  # fmt: skip
REJECTED = Sabotage(
    "villaverde--2", wer=0.9, reference_wer=0.01, rejected=True, reason="worse", still_served="villaverde--1"
)
SERVING = Serving({"villaverde": "villaverde--1"}, refused_to_other=True, refusal="not an adapter of it")


def broken(council: CouncilFigures, sabotage: Sabotage | None, serving: Serving) -> list[str]:
    found: list[Promise] = promises([council], sabotage, serving)
    return [promise.text for promise in found if not promise.kept]


def test_every_promise_holds_for_a_loop_that_worked() -> None:
    assert broken(COUNCIL, REJECTED, SERVING) == []


@pytest.mark.parametrize(
    ("council", "text"),
    [
        (replace(COUNCIL, adapter_wer=0.09), "beats draft, dictionary, substitution table and base"),
        (replace(COUNCIL, dictionary_wer=0.03), "beats draft, dictionary, substitution table and base"),
        (replace(COUNCIL, table_wer=0.02), "beats draft, dictionary, substitution table and base"),
        (replace(COUNCIL, base_wer=0.03), "beats draft, dictionary, substitution table and base"),
        (replace(COUNCIL, draft_wer=0.01), "beats draft, dictionary, substitution table and base"),
        (replace(COUNCIL, base_wer=None), "beats draft, dictionary, substitution table and base"),
        (replace(COUNCIL, clean_wer=0.011), "text that is right"),
        (replace(COUNCIL, clean_wer=None), "text that is right"),
        (replace(COUNCIL, tally=replace(TALLY, readable_after=[0.1, 2.1])), "readable"),
        (replace(COUNCIL, tally=replace(TALLY, readable_after=[])), "readable"),
        (replace(COUNCIL, tally=replace(TALLY, event_after=[2.0])), "subscriber"),
        (replace(COUNCIL, tally=replace(TALLY, hostile_kept_out=3)), "hostile"),
        (replace(COUNCIL, tally=replace(TALLY, hostile_sent=0, hostile_kept_out=0)), "hostile"),
        (replace(COUNCIL, hostile_learned=1), "hostile"),
    ],
)
def test_a_council_whose_figures_are_bad_breaks_the_promise_they_belong_to(
    council: CouncilFigures, text: str
) -> None:
    (found,) = broken(council, REJECTED, SERVING)
    assert text in found


def test_an_adapter_that_answers_as_the_dictionary_does_breaks_the_promise_also_when_it_is_refused() -> None:
    as_dictionary = replace(COUNCIL, adapter_wer=COUNCIL.dictionary_wer, clean_wer=0.0)
    assert len(broken(as_dictionary, REJECTED, SERVING)) == 1
    refused = replace(as_dictionary, state="rejected", reason="not better than the dictionary alone")
    found = broken(refused, None, Serving())
    assert "An adapter was promoted" in found[0]
    assert any("AdapterStore serves" in text for text in found)


def test_one_promoted_council_that_learned_does_not_hide_another_that_did_not() -> None:
    other = replace(COUNCIL, tenant_id="rio-claro", adapter_id="rio-claro--1", adapter_wer=0.08)
    serving = replace(SERVING, served={"villaverde": "villaverde--1", "rio-claro": "rio-claro--1"})
    found = [promise.text for promise in promises([COUNCIL, other], REJECTED, serving) if not promise.kept]
    assert len(found) == 1
    assert "beats draft" in found[0]
    refused = replace(other, state="rejected", adapter_id=None)
    assert all(promise.kept for promise in promises([COUNCIL, refused], REJECTED, SERVING))


def test_a_fix_that_was_lost_breaks_both_promises_of_the_hot_path() -> None:
    lost = replace(COUNCIL, tally=replace(TALLY, lost=["session 3: version 4 never came"]))
    assert len(broken(lost, REJECTED, SERVING)) == 2


@pytest.mark.parametrize(
    "sabotage",
    [
        None,
        replace(REJECTED, rejected=False),
        replace(REJECTED, still_served="villaverde--2"),
        replace(REJECTED, wer=None, reason="on hold: the golden set has 3 words"),
        replace(REJECTED, reference_wer=None),
        replace(REJECTED, wer=0.01),
    ],
)
def test_a_worse_adapter_that_was_not_tried_not_rejected_or_is_served_breaks_a_promise(
    sabotage: Sabotage | None,
) -> None:
    (found,) = broken(COUNCIL, sabotage, SERVING)
    assert "worse on purpose" in found


def test_an_adapter_given_to_the_other_tenant_or_not_served_breaks_a_promise() -> None:
    assert len(broken(COUNCIL, REJECTED, replace(SERVING, refused_to_other=False))) == 1
    assert len(broken(COUNCIL, REJECTED, replace(SERVING, served={"villaverde": "villaverde--0"}))) == 1


def test_no_answer_of_the_spoiled_corpus_belongs_to_its_question() -> None:
    lines = [{"input": f"entrada {n}", "output": f"salida {n} del acta de hoy"} for n in range(30)]
    corpus = "".join(json.dumps(line) + "\n" for line in lines).encode()
    spoiled = [json.loads(line) for line in shuffled(corpus, seed=3).splitlines()]
    assert [line["input"] for line in spoiled] == [line["input"] for line in lines]
    same = sum(
        new["output"] == old["output"][: len(new["output"])] for new, old in zip(spoiled, lines, strict=True)
    )
    assert same <= 3


def test_a_process_that_joins_the_demos_home_has_its_thresholds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(tmp_path, {"train_threshold": 123, "golden_maximum_examples": 45})
    get_settings.cache_clear()
    joined = get_settings(tmp_path)
    assert (joined.train_threshold, joined.golden_maximum_examples, joined.home) == (123, 45, tmp_path)
    assert get_settings().train_threshold != 123
    monkeypatch.setenv("ASTRA_HOME", str(tmp_path))
    get_settings.cache_clear()
    assert get_settings().train_threshold == 123, "a process that is told of the home by its environment"
    monkeypatch.setenv("ASTRA_TRAIN_THRESHOLD", "7")
    get_settings.cache_clear()
    assert get_settings().train_threshold == 7, "the environment has the last word"
    monkeypatch.undo()
    get_settings.cache_clear()


def test_the_demo_and_its_processes_know_no_place_and_no_key_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = {
        "ASTRA_DATABASE_URL": "postgresql://u:p@db.prod/astra",
        "ASTRA_OBJECT_STORE_URL": "s3://prod",
        "ASTRA_MLFLOW_TRACKING_URI": "https://mlflow.prod",
        "ASTRA_MLFLOW_ARTIFACT_ROOT": "s3://prod-mlflow",
        "ASTRA_MASTER_KEY": "cHJvZA==",
        "ASTRA_MASTER_KEY_KMS": "alias/prod",
        "ASTRA_OBJECT_STORE_KMS_KEY": "alias/prod",
        "ASTRA_SIGNING_KEY_FILE": "/prod/sign.pem",
        "ASTRA_VERIFY_KEY_FILE": "/prod/verify.pem",
        "ASTRA_CHECKPOINT_DIR": "/prod/checkpoints",
        "ASTRA_DAGSTER_URL": "https://dagster.prod",
    }
    dotenv = tmp_path / ".env"
    dotenv.write_text("".join(f"{name}={value}\n" for name, value in outside.items()))
    monkeypatch.setenv("ASTRA_SIGNING_KEY_FILE", "/prod/other.pem")
    monkeypatch.setenv("ASTRA_HOME", str(tmp_path / "home"))
    given = Settings(_env_file=dotenv)  # type: ignore[call-arg]
    assert given.database_url is not None
    assert str(given.signing_key_file) == "/prod/other.pem"
    names = [name.removeprefix("ASTRA_").lower() for name in outside]
    made = _demo_settings(given, Options())
    assert {name: getattr(made, name) for name in names} == dict.fromkeys(names)
    with nothing_from_outside():
        child = Settings(_env_file=dotenv)  # type: ignore[call-arg]
    assert {name: getattr(child, name) for name in names} == dict.fromkeys(names)
    assert os.environ["ASTRA_SIGNING_KEY_FILE"] == "/prod/other.pem"
    assert "ASTRA_DATABASE_URL" not in os.environ
