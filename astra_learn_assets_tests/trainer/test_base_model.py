"""The base model that ships with the project is complete, small and documented."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trainer.data import Template
from trainer.making.noise import word_errors
from trainer.model import load_tokenizer


@pytest.fixture(scope="module")
def tokenizer(base: str) -> Any:
    return load_tokenizer(base, None)


def test_the_weights_stay_under_40_megabytes(base: str) -> None:
    assert sum(f.stat().st_size for f in Path(base).rglob("*.safetensors")) <= 40_000_000


def test_the_card_names_data_licence_command_and_figures(base: str) -> None:
    card = (Path(base) / "README.md").read_text(encoding="utf-8")
    for needed in (
        "ParlaMint-ES",
        "CC BY 4.0",
        "python -m trainer.making.pretrain_base",
        "Seed",
        "WER after restoring",
    ):
        assert needed in card
    figures = json.loads((Path(base) / "training_figures.json").read_text(encoding="utf-8"))
    assert figures["wer_restored"] < 0.5 * figures["wer_noisy_input"]
    assert f"{figures['wer_restored']} %" in card


def test_the_chat_template_drops_the_system_message_and_ends_the_answer(tokenizer: Any) -> None:
    messages = [
        {"role": "system", "content": "Corrige."},
        {"role": "user", "content": "hola"},
        {"role": "assistant", "content": "Hola."},
    ]
    assert tokenizer.apply_chat_template(messages, tokenize=False) == "<in>hola<out>Hola.<eos>"


@pytest.mark.parametrize(
    "text",
    [
        "La <PERSONA_1> llamó al <TELEFONO_12>.",
        "ÑANDÚ ¿qué? 12.345,67 €",
        "日本 😀",
        " doble  espacio ",
        "tab\ty\nsalto",
    ],
)
def test_any_text_survives_the_tokenizer(tokenizer: Any, text: str) -> None:
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert tokenizer.decode(ids, skip_special_tokens=True) == text
    assert tokenizer.unk_token_id is None or tokenizer.unk_token_id not in ids


def test_it_restores_a_noisy_sentence_and_copies_placeholders_and_clean_text(
    base: str, tokenizer: Any
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from trainer.generate import generate

    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    template = Template(tokenizer)
    noisy = "la señora <PERSONA_1> presenta la cituacion economica del govierno"
    clean = "Se aprueba la propuesta de la comisión y se da las gracias a <PERSONA_2>."
    prompts = [
        tokenizer(template.prompt("", t), add_special_tokens=False)["input_ids"] for t in (noisy, clean)
    ]
    made = generate(model, prompts, [60, 60], eos=template.eos, pad=template.pad, batch_size=2)
    restored, copied = map(template.decode, made)
    assert (
        word_errors("La señora <PERSONA_1> presenta la situación económica del Gobierno.", restored)[0] <= 1
    )
    assert copied == clean


def test_batched_generation_equals_the_library_one_by_one(base: str, tokenizer: Any) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from trainer.generate import generate

    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    texts = [
        "el acta de la cesion",
        "se abre la sesion a las diez de la mañana con la asistencia de todos",
        "no",
    ]
    prompts = [tokenizer(f"<in>{t}<out>", add_special_tokens=False)["input_ids"] for t in texts]
    ours = generate(model, prompts, [24] * 3, eos=1, pad=0, batch_size=2)
    for prompt, made in zip(prompts, ours, strict=True):
        whole = model.generate(torch.tensor([prompt]), max_new_tokens=24, do_sample=False)[
            0, len(prompt) :
        ].tolist()
        assert made == [token for token in whole if token != 1]


def test_guessing_from_the_prompt_changes_no_answer(base: str, tokenizer: Any) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from trainer.generate import generate

    trained: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    torch.manual_seed(3)
    random: Any = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(base)).float().eval()
    texts = [
        "la comicion, la comicion y la comicion de asienda aprueva la cuenta general",
        "a",
        "el señor <PERSONA_1> pide la palabra y la señora <PERSONA_2> pide la palabra al señor <PERSONA_1>",
        "se aprueva por hunanimidad",
        "1507/2023 1507/2024 1507/2023",
    ]
    prompts = [tokenizer(f"<in>{t}<out>", add_special_tokens=False)["input_ids"] for t in texts]
    for model in (trained, random):
        for limits in ([48] * 5, [1, 2, 3, 4, 5]):
            for batch_size in (2, 5):
                plain, guessed = (
                    generate(model, prompts, limits, eos=1, pad=0, batch_size=batch_size, lookup=lookup)
                    for lookup in (False, True)
                )
                assert guessed == plain


def test_a_guess_is_what_follows_the_same_words_nearest_to_where_the_answer_stands() -> None:
    from trainer.generate import guess

    prompt = [7, 8, 1, 2, 3, 4, 1, 2, 9, 5]
    assert guess(prompt, [1, 2], near=3, longest=2) == ([3, 4], 4)
    assert guess(prompt, [1, 2], near=8, longest=9) == ([9, 5], 8)
    assert guess(prompt, [4, 1, 2], near=0, longest=1) == ([9], 8)
    assert guess(prompt, [6], near=4, longest=3) == ([], 4)
    assert guess(prompt, [], near=0, longest=3) == ([], 0)
    assert guess(prompt, [1, 2], near=3, longest=0) == ([], 3)
