"""What an adapter's manifest says of how it is asked and where its answers end."""

from __future__ import annotations

from pathlib import Path

import pytest

from astra_learn_assets.datasets.steady import STEADY, Steady, dump_steady
from astra_learn_assets.errors import AdapterRefused
from astra_learn_assets.serving.served_adapter import ServedAdapter
from astra_learn_assets.settings import REPOSITORY
from astra_learn_assets_tests.registry.builders import METRICS, resign, signed_folder
from trainer.data import Template
from trainer.model import load_tokenizer


def _served(tmp_path: Path, **metrics: object) -> ServedAdapter:
    folder = tmp_path / "adapter"
    manifest = signed_folder(folder, metrics={**METRICS, **metrics})
    return ServedAdapter(manifest.adapter_id, folder, manifest)


def test_the_prompt_is_rendered_as_the_trainer_renders_it(tmp_path: Path) -> None:
    template = Template(load_tokenizer(str(REPOSITORY / "trainer" / "base_model"), None))
    served = _served(tmp_path, **template.described())
    for text in ("Se abre la sesión.", "con {llaves} y {input} y {instruction}"):
        assert served.prompt("Corrige.", text) == template.prompt("Corrige.", text)
    assert set(served.stop_token_ids) == template.stops


def test_both_places_are_filled_and_no_text_is_taken_for_a_place(tmp_path: Path) -> None:
    served = _served(tmp_path, prompt="<s>{instruction}\n{input}</s>{instruction}", stop_token_ids="2 7")
    assert served.prompt("I", "t {instruction}") == "<s>I\nt {instruction}</s>I"
    assert served.stop_token_ids == (2, 7)


@pytest.mark.parametrize("metrics", [{}, {"prompt": "no place"}, {"prompt": 3}])
def test_a_manifest_without_a_prompt_is_refused(tmp_path: Path, metrics: dict[str, object]) -> None:
    with pytest.raises(AdapterRefused, match="no prompt"):
        _served(tmp_path, **metrics).prompt("I", "t")


@pytest.mark.parametrize("named", ["", "eos", "1 x"])
def test_a_manifest_without_stop_tokens_is_refused(tmp_path: Path, named: str) -> None:
    with pytest.raises(AdapterRefused, match="stop tokens"):
        _ = _served(tmp_path, stop_token_ids=named).stop_token_ids


def test_steady_words_are_those_that_were_signed_and_an_adapter_without_has_none(tmp_path: Path) -> None:
    served = _served(tmp_path)
    assert served.steady() == ()
    words = (Steady("también", "asimismo", 24, 27),)
    (served.path / STEADY).write_bytes(dump_steady(words))
    served = ServedAdapter(served.adapter_id, served.path, resign(served.path))
    assert served.steady() == words
    (served.path / STEADY).write_bytes(dump_steady([Steady("sí", "no", 9, 9)]))
    with pytest.raises(AdapterRefused, match=r"steady\.json is not what was signed"):
        served.steady()
