"""The example of an environment file tells of every setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from astra_learn_assets.env_example import env_example
from astra_learn_assets.settings import REPOSITORY, Settings


def test_the_file_lists_every_setting_with_its_default() -> None:
    written = (REPOSITORY / ".env.example").read_text(encoding="utf-8")
    for name in Settings.model_fields:
        assert f"\n#ASTRA_{name.upper()}=" in written, f"{name} is missing: regenerate .env.example"
    assert written == env_example(), "python -m astra_learn_assets.env_example > .env.example"


def test_uncommenting_every_line_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    filled = tmp_path / "filled.env"
    lines = [line for line in env_example().splitlines() if line.startswith("#ASTRA_")]
    filled.write_text("\n".join(line.removeprefix("#") for line in lines), encoding="utf-8")
    ours, defaults = Settings(_env_file=filled), Settings(_env_file=None)
    assert Path(ours.base_model).resolve() == Path(defaults.base_model).resolve()
    same = {"base_model": defaults.base_model}
    assert ours.model_copy(update=same) == defaults
