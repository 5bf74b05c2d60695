"""A base's chat template: its own turn end, thinking off, the clock stopped, the system message told."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from trainer.data import Template, read_records
from trainer.errors import BadBase, BadData
from trainer.model import load_tokenizer

TURNS = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture
def tokenizer(base: str) -> Any:
    found = load_tokenizer(base, None)
    found.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>", "<in>", "<out>"]})
    found.chat_template = TURNS
    return found


def test_the_end_of_a_turn_is_the_templates_and_not_the_tokenizers(tokenizer: Any) -> None:
    template = Template(tokenizer, SimpleNamespace(eos_token_id=[1, 7]))
    assert template.eos == tokenizer.convert_tokens_to_ids("<|im_end|>") != tokenizer.eos_token_id
    assert template.stops == {template.eos, 1, 7}
    assert template.pad not in template.stops
    assert template.described()["turn_end"] == "<|im_end|>"


def test_the_shipped_base_ends_its_turn_with_its_eos(base: str) -> None:
    template = Template(load_tokenizer(base, None))
    assert template.eos == 1
    assert template.described() == {
        "prompt": "<in>{input}<out>", "system_message": "dropped", "turn_end": "<eos>", "stop_token_ids": "1",
    }  # fmt: skip


def test_thinking_is_switched_off_where_it_can_be_and_closed_where_it_cannot(tokenizer: Any) -> None:
    tokenizer.chat_template = TURNS + "{% if enable_thinking is not false %}<think>\n{% endif %}"
    assert "<think>" not in Template(tokenizer).prompt("i", "t")
    tokenizer.chat_template = TURNS + "<think>\n"
    assert Template(tokenizer).prompt("i", "t").endswith("<think>\n\n</think>\n\n")


def test_the_prompt_is_the_same_tomorrow(tokenizer: Any) -> None:
    tokenizer.chat_template = "{{ date_string }}|{{ strftime_now('%d %b %Y') }}|" + TURNS
    assert Template(tokenizer).prompt("i", "t").startswith("2024-07-26|2024-07-26|")


def test_a_system_message_that_is_refused_goes_before_the_text_and_a_dropped_one_is_told(
    tokenizer: Any,
) -> None:
    refusal = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    tokenizer.chat_template = refusal + TURNS
    template = Template(tokenizer)
    assert "user\ni\n\nt<|im_end|>" in template.prompt("i", "t")
    assert template.described()["system_message"] == "refused"
    tokenizer.chat_template = TURNS.replace("in messages", "in messages if m.role != 'system'")
    assert Template(tokenizer).described()["system_message"] == "dropped"


@pytest.mark.parametrize("broken", ["{{ raise_exception('nothing works') }}", "always the same"])
def test_a_broken_template_is_refused(tokenizer: Any, broken: str) -> None:
    tokenizer.chat_template = broken
    with pytest.raises(BadBase, match="chat template"):
        Template(tokenizer)


def test_a_base_without_a_template_gets_a_plain_prompt(tokenizer: Any) -> None:
    tokenizer.chat_template = None
    template = Template(tokenizer)
    assert template.prompt("Corrige.", "hola") == "Corrige.\n\nTexto transcrito: hola\nTexto corregido: "
    assert template.described()["system_message"] == "no template"


def test_a_byte_order_mark_is_accepted_and_half_a_character_is_bad_data(tmp_path: Path) -> None:
    text = (
        '{"instruction": "i", "input": "a", "output": "%s", '
        '"meta": {"example_id": "e", "document_id": "d", "tenant_id": "alfa"}}'
    )
    file = tmp_path / "corpus.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + (text % "b").encode())
    assert read_records(file, tenant_id="alfa")[0].output == "b"
    file.write_text(text % "\\\\ud800".replace("\\\\", "\\"), encoding="utf-8")
    with pytest.raises(BadData, match="half a character"):
        read_records(file, tenant_id="alfa")
