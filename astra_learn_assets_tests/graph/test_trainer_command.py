"""What the platform tells the trainer: what somebody chose, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from astra_learn_assets.errors import BadConfiguration
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning.training import train
from astra_learn_assets.learning.training.process import hyperparameters, train_command
from astra_learn_assets.settings import Settings


def _command(settings: Settings, overrides: dict[str, float | int]) -> list[str]:
    return train_command(
        settings, tenant_id="alfa", data=Path("corpus.jsonl"), out=Path("adapter"),
        hyperparameters=hyperparameters(settings, overrides),
    )  # fmt: skip


def test_what_depends_on_the_base_models_size_is_left_to_the_trainer_when_nobody_chose_it() -> None:
    command = _command(Settings(), {})
    assert not {"--learning-rate", "--epochs", "--batch-tokens"} & set(command)
    assert command[command.index("--rank") + 1] == "16"


def test_settings_and_a_runs_config_are_passed_on_and_the_config_wins() -> None:
    command = _command(Settings(learning_rate=1e-3, epochs=2), {"epochs": 4})
    assert command[command.index("--learning-rate") + 1] == "0.001"
    assert command[command.index("--epochs") + 1] == "4"
    assert "--batch-tokens" not in command


def test_a_runs_config_may_name_what_the_settings_leave_open() -> None:
    assert train.overrides({"batch_tokens": 1024.0, "learning_rate": 1e-3}) == {
        "batch_tokens": 1024, "learning_rate": 1e-3,
    }  # fmt: skip
    with pytest.raises(BadConfiguration, match="whole number"):
        train.overrides({"batch_tokens": 0.5})
    with pytest.raises(BadConfiguration, match=r"unknown hyperparameter 'temperature': use alpha"):
        train.overrides({"temperature": 1.0})


def test_bin_weights_are_asked_for_only_where_a_run_says_so() -> None:
    settings = Settings()
    paths = {"data": Path("corpus.jsonl"), "out": Path("adapter"), "hyperparameters": {}}
    assert "--bin" not in train_command(settings, tenant_id=TenantId("alfa"), **paths)  # type: ignore[arg-type]
    command = train_command(settings, tenant_id=TenantId("alfa"), also_bin=True, **paths)  # type: ignore[arg-type]
    assert command[-1] == "--bin"


def test_the_trainer_is_given_the_golden_set_to_answer_and_a_place_for_the_answers() -> None:
    command = train_command(
        Settings(), tenant_id=TenantId("alfa"), data=Path("corpus.jsonl"), out=Path("adapter"),
        hyperparameters={}, judge=(Path("golden.jsonl"), Path("answers.jsonl")),
    )  # fmt: skip
    assert command[-4:] == ["--judge", "golden.jsonl", "--answers", "answers.jsonl"]


def test_with_a_queue_in_the_settings_its_server_is_asked_and_without_one_nobody(tmp_path: Path) -> None:
    paths = {"data": Path("corpus.jsonl"), "out": Path("adapter"), "hyperparameters": {}}
    command = train_command(Settings(trainer_queue=tmp_path), tenant_id=TenantId("alfa"), **paths)  # type: ignore[arg-type]
    assert command[command.index("--queue") + 1] == str(tmp_path)
    assert "--queue" not in train_command(Settings(), tenant_id=TenantId("alfa"), **paths)  # type: ignore[arg-type]
