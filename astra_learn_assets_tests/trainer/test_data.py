"""Lines become token sequences, or a message with the line's number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from astra_learn_assets.learning.training.train import base_identity as platform_identity
from astra_learn_assets.settings import Settings
from astra_learn_assets_tests.trainer.examples import line, write
from trainer.data import Template, read_records, split_validation
from trainer.errors import BadBase, BadData
from trainer.model import base_identity, load_tokenizer

GOOD = json.dumps(line(1), ensure_ascii=False)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "must be an object"),
        ("null", "must be an object"),
        (json.dumps({"instruction": "a", "input": "b", "output": "c"}), "must be an object"),
        (json.dumps(line(2, output=3)), "output must be text"),
        (json.dumps(line(2, input="  ")), "input is empty"),
        (json.dumps(line(2, tenant="beta")), "belongs to tenant 'beta', not to 'alfa'"),
        (GOOD, "repeats the example of line 1"),
    ],
)
def test_a_bad_line_is_named_by_its_number(tmp_path: Path, broken: str, message: str) -> None:
    file = tmp_path / "corpus.jsonl"
    file.write_text(f"{GOOD}\n\n{broken}\n", encoding="utf-8")
    with pytest.raises(BadData, match=r"corpus\.jsonl, line 3: ") as caught:
        read_records(file, tenant_id="alfa")
    assert message in str(caught.value)
    assert caught.value.exit_status == 3


def test_text_that_is_not_utf8_an_empty_file_and_a_missing_one_are_bad_data(tmp_path: Path) -> None:
    file = tmp_path / "corpus.jsonl"
    file.write_bytes(b'{"input": "\xff"}\n')
    with pytest.raises(BadData, match="line 1: is not UTF-8"):
        read_records(file, tenant_id="alfa")
    file.write_bytes(b"\n\n")
    with pytest.raises(BadData, match="holds no example"):
        read_records(file, tenant_id="alfa")
    with pytest.raises(BadData, match="cannot be read"):
        read_records(tmp_path / "none.jsonl", tenant_id="alfa")


def test_line_separators_inside_a_text_do_not_split_a_line(tmp_path: Path) -> None:
    value = line(1, input="uno\u2028dos\x85tres", output="Uno, dos y tres.")
    file = write(tmp_path / "c.jsonl", [value])
    assert read_records(file, tenant_id="alfa")[0].input == "uno\u2028dos\x85tres"


def test_replay_may_train_but_not_be_evaluated_on(tmp_path: Path) -> None:
    file = write(tmp_path / "c.jsonl", [line(1), line(2, tenant="replay")])
    assert len(read_records(file, tenant_id="alfa")) == 2
    with pytest.raises(BadData, match="line 2"):
        read_records(file, tenant_id="alfa", replay_allowed=False)


def test_validation_is_chosen_by_hash_and_never_holds_replay(tmp_path: Path) -> None:
    lines = [line(i) for i in range(200)] + [line(i, tenant="replay") for i in range(100)]
    records = read_records(write(tmp_path / "c.jsonl", lines), tenant_id="alfa")
    train, validation = split_validation(records, 0.1)
    again, same = split_validation(list(reversed(records)), 0.1)
    assert {r.example_id for r in validation} == {r.example_id for r in same}
    assert {r.tenant_id for r in validation} == {"alfa"}
    assert 5 <= len(validation) <= 40
    assert len(train) + len(validation) == 300 == len(again) + len(same)
    without_replay = split_validation(records[:200], 0.1)[1]
    assert {r.example_id for r in validation} == {r.example_id for r in without_replay}


def test_a_small_corpus_trains_on_everything(tmp_path: Path) -> None:
    records = read_records(write(tmp_path / "c.jsonl", [line(i) for i in range(19)]), tenant_id="alfa")
    assert split_validation(records, 0.2) == (records, [])


def test_the_prompt_is_a_prefix_and_the_end_is_learned(base: str, tmp_path: Path) -> None:
    template = Template(load_tokenizer(base, None))
    record = read_records(write(tmp_path / "c.jsonl", [line(5)]), tenant_id="alfa")[0]
    encoded = template.encode(record)
    assert list(encoded.tokens[: encoded.prompt]) == template.prompt_tokens(record)
    assert encoded.tokens[-1] == template.eos != template.pad
    assert template.decode(encoded.tokens[encoded.prompt :]) == record.output


def test_text_that_spells_a_special_token_cannot_end_the_prompt(base: str, tmp_path: Path) -> None:
    template = Template(load_tokenizer(base, None))
    value = line(5, input="fin <eos> y <out>otra cosa", output="Fin <eos>.")
    encoded = template.encode(read_records(write(tmp_path / "c.jsonl", [value]), tenant_id="alfa")[0])
    assert encoded.tokens.count(template.eos) == 1
    assert encoded.tokens.count(3) == 1


def test_a_tokenizer_without_chat_template_or_system_role_gets_the_instruction_in_the_prompt(
    base: str,
) -> None:
    tokenizer: Any = load_tokenizer(base, None)
    tokenizer.chat_template = None
    assert Template(tokenizer).prompt("Corrige.", "hola").startswith("Corrige.\n\n")
    tokenizer.chat_template = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('System role not supported') }}"
        "{% endif %}[{{ m.content }}]{% endfor %}"
    )
    assert Template(tokenizer).prompt("Corrige.", "hola") == "[Corrige.\n\nhola]"
    tokenizer.eos_token = None
    with pytest.raises(BadBase, match="end-of-sequence"):
        Template(tokenizer)


def test_a_local_base_has_the_same_name_and_revision_wherever_it_lies(base: str, tmp_path: Path) -> None:
    import shutil

    copied = tmp_path / "elsewhere" / "base_model"
    shutil.copytree(base, copied)
    assert base_identity(base, None) == base_identity(str(copied), None)
    (copied / "README.md").write_text("another model card")
    (copied / "training_figures.json").write_text("{}")
    (copied / "generation_config.json").write_text("{}")
    assert base_identity(base, None) == base_identity(str(copied), None)
    for name in ("config.json", "tokenizer.json", "chat_template.jinja", "model.safetensors"):
        kept = (copied / name).read_bytes()
        (copied / name).write_bytes(kept + b" ")
        assert base_identity(base, None) != base_identity(str(copied), None), name
        (copied / name).write_bytes(kept)
    assert base_identity("organization/model", "abc") == ("organization/model", "abc")


def test_platform_and_trainer_mean_the_same_base_by_the_same_name(base: str, tmp_path: Path) -> None:
    import shutil

    copied = tmp_path / "base_model"
    shutil.copytree(base, copied)
    for change in (None, "tokenizer.json", "config.json", "README.md", "model.safetensors", "merges.txt"):
        if change is not None:
            with (copied / change).open("ab") as file:
                file.write(b" ")
        settings = Settings(base_model=str(copied))
        assert platform_identity(settings) == base_identity(str(copied), None), change
    hub = Settings(base_model="organization/model", base_revision="abc")
    assert platform_identity(hub) == base_identity("organization/model", "abc")
