"""Which Dagster instance a command of the platform takes part in."""

from __future__ import annotations

from pathlib import Path

import pytest

from astra_learn_assets.errors import BadConfiguration
from astra_learn_assets.services import stack
from astra_learn_assets.settings import Settings


def test_a_checkout_lends_its_instance_to_the_home(tmp_path: Path) -> None:
    found = stack.environment(Settings(home=str(tmp_path)))
    assert (Path(found["DAGSTER_HOME"]) / "dagster.yaml").read_bytes() == (
        stack.REPOSITORY / "dagster.yaml"
    ).read_bytes()


def test_an_installed_wheel_uses_the_instance_that_the_pod_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = tmp_path / "instance"
    instance.mkdir()
    (instance / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setattr(stack, "REPOSITORY", tmp_path / "site-packages")
    monkeypatch.setenv("DAGSTER_HOME", str(instance))
    assert stack.environment(Settings(home=str(tmp_path)))["DAGSTER_HOME"] == str(instance)


def test_without_checkout_and_instance_the_command_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack, "REPOSITORY", tmp_path / "site-packages")
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    with pytest.raises(BadConfiguration, match="set DAGSTER_HOME to the folder"):
        stack.environment(Settings(home=str(tmp_path)))
