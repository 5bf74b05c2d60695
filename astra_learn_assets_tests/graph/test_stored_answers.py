"""What a model answered once is not generated again, whatever the model is called the next time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest

from astra_learn_assets.contracts import Example
from astra_learn_assets.datasets.steady import STEADY, Steady, dump_steady
from astra_learn_assets.errors import AdapterRefused
from astra_learn_assets.evaluation.predictions import (
    BASE,
    CANDIDATE,
    CHAMPION,
    Answer,
    Prediction,
    load_predictions,
)
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import predict
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import paths
from astra_learn_assets.store.tables import Adapter
from astra_learn_assets_tests.conftest import MakeTenant
from astra_learn_assets_tests.datasets.builders import example

TENANT = TenantId("villaverde")
EXAMPLES = (example("se habre la sesion", "Se abre la sesión."),)


def nobody_trains(_command: Sequence[str]) -> None:
    raise AssertionError("everything was answered before")


def test_a_champions_answers_are_those_that_it_gave_as_a_candidate(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant(TENANT)
    adapter = Adapter(adapter_id=f"{TENANT}--{'a' * 16}", digest="b" * 64, manifest={"files": {}})
    then = predict.Wanted(TENANT, "base@1", {CANDIDATE: adapter}, EXAMPLES, {})
    for system, text in ((BASE, "se abre la sesion"), (CANDIDATE, "Se abre la sesión.")):
        _answered(platform, then, system, text)

    now = predict.Wanted(TENANT, "base@1", {CHAMPION: adapter}, EXAMPLES, {})
    (found,) = load_predictions(predict.predict(platform, now, nobody_trains))
    answers = {name: answer.text for name, answer in found.predictions.items() if answer is not None}
    assert answers == {
        BASE: "se abre la sesion",
        CHAMPION: "Se abre la sesión.",
        "dictionary": "se habre la sesion",
    }


def test_what_a_candidate_answered_where_it_was_trained_is_not_asked_again(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant(TENANT)
    adapter = Adapter(
        adapter_id=f"{TENANT}--{'a' * 16}", tenant_id=TENANT, digest="b" * 64, manifest={"files": {}}
    )
    wanted = predict.Wanted(TENANT, "base@1", {CANDIDATE: adapter}, EXAMPLES, {})
    _answered(platform, wanted, BASE, "se abre la sesion")
    told = predict._dump([_row(EXAMPLES[0], CANDIDATE, "Se abre la sesión.")])
    assert predict.keep_answers(platform, adapter, base="base@1", examples=EXAMPLES, answers=told)
    (found,) = load_predictions(predict.predict(platform, wanted, nobody_trains))
    assert found.predictions[CANDIDATE] == Answer(text="Se abre la sesión.")


@pytest.mark.parametrize("fault", ["broken", "none", "twice", "another", "input", "system"])
def test_answers_that_are_not_one_to_each_example_are_not_kept_and_the_trainer_is_asked(
    platform: Platform, make_tenant: MakeTenant, fault: str
) -> None:
    make_tenant(TENANT)
    adapter = Adapter(
        adapter_id=f"{TENANT}--{'a' * 16}", tenant_id=TENANT, digest="b" * 64, manifest={"files": {}}
    )
    row = _row(EXAMPLES[0], CANDIDATE, "Se abre la sesión.")
    rows = {
        "broken": [], "none": [], "twice": [row, row],
        "another": [row.model_copy(update={"example_id": "f" * 64})],
        "input": [row.model_copy(update={"input": "otra cosa"})],
        "system": [_row(EXAMPLES[0], BASE, "Se abre la sesión.")],
    }[fault]  # fmt: skip
    told = b"{" if fault == "broken" else predict._dump(rows)
    assert not predict.keep_answers(platform, adapter, base="base@1", examples=EXAMPLES, answers=told)
    wanted = predict.Wanted(TENANT, "base@1", {CANDIDATE: adapter}, EXAMPLES, {})
    assert not platform.vault.exists(TENANT, wanted.key(CANDIDATE))


def _row(asked: Example, system: str, text: str) -> Prediction:
    return Prediction(
        example_id=asked.meta.example_id, document_id=asked.meta.document_id, input=asked.input,
        reference=asked.output, precision="fp32", predictions={system: Answer(text=text)},
    )  # fmt: skip


def _answered(platform: Platform, wanted: predict.Wanted, system: str, text: str) -> None:
    """Store what a system said to the one example."""
    (asked,) = wanted.examples
    platform.vault.write(TENANT, wanted.key(system), predict._dump([_row(asked, system, text)]))


def test_every_models_answer_is_compared_with_the_dictionarys_names_put_right(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    """As CORE serves it: or an adapter is refused for names that the dictionary puts right beside it."""
    make_tenant(TENANT)
    adapter = Adapter(adapter_id=f"{TENANT}--{'a' * 16}", digest="b" * 64, manifest={"files": {}})
    examples = (example("habla hortega de la obra", "Habla Ortega de la obra."),)
    wanted = predict.Wanted(TENANT, "base@1", {CANDIDATE: adapter}, examples, {"Hortega": "Ortega"})
    _answered(platform, wanted, BASE, "habla hortega de la obra")
    _answered(platform, wanted, CANDIDATE, "Habla Hortega de la obra.")
    (found,) = load_predictions(predict.predict(platform, wanted, nobody_trains))
    answers = {name: answer.text for name, answer in found.predictions.items() if answer is not None}
    assert answers == {
        BASE: "habla hortega de la obra",
        CANDIDATE: "Habla Ortega de la obra.",
        "dictionary": "habla hortega de la obra",
    }
    (kept,) = load_predictions(platform.vault.read(TENANT, wanted.key(CANDIDATE)))
    assert kept.predictions[CANDIDATE] == Answer(text="Habla Hortega de la obra."), "stored as it answered"


def test_each_adapter_is_judged_with_its_own_steady_words_and_the_base_without(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant(TENANT)
    content = dump_steady([Steady("también", "asimismo", 9, 10)])
    signed = {STEADY: hashlib.sha256(content).hexdigest()}
    adapter = Adapter(adapter_id=f"{TENANT}--{'a' * 16}", digest="b" * 64, manifest={"files": signed})
    examples = (example("se vota también hoy", "Se vota asimismo hoy."),)
    wanted = predict.Wanted(TENANT, "base@1", {CANDIDATE: adapter}, examples, {})
    _answered(platform, wanted, BASE, "Se vota también hoy.")
    _answered(platform, wanted, CANDIDATE, "Se vota también hoy.")
    place = f"{paths.adapter(adapter.adapter_id)}/{STEADY}"
    platform.objects.put(place, content)
    (found,) = load_predictions(predict.predict(platform, wanted, nobody_trains))
    assert found.predictions[CANDIDATE] == Answer(text="Se vota asimismo hoy.")
    assert found.predictions[BASE] == Answer(text="Se vota también hoy.")

    platform.objects.put(place, dump_steady([Steady("hoy", "ayer", 9, 10)]), overwrite=True)
    with pytest.raises(AdapterRefused, match="not what was signed"):
        predict.predict(platform, wanted, nobody_trains)
