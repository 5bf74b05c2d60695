"""`status` shows the settings of the platform that runs, not those of the shell it is asked in."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from astra_learn_assets.api.app import create_app
from astra_learn_assets.cli import app
from astra_learn_assets.learning import running_settings
from astra_learn_assets.platform import Platform
from astra_learn_assets.services.embedded import export_env
from astra_learn_assets.settings import Settings, get_settings
from astra_learn_assets_tests.conftest import MakeTenant


@pytest.fixture
def shell(platform: Platform, make_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """A terminal that reaches the platform, and has the settings of the test otherwise."""
    make_tenant()
    for name, value in export_env(platform.settings).items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    yield platform
    get_settings.cache_clear()


def _status(*arguments: str) -> str:
    answer = CliRunner().invoke(app, ["status", *arguments], env={"COLUMNS": "200"})
    assert answer.exit_code == 0, answer.output
    return answer.output


def _run_with(platform: Platform, **settings: object) -> None:
    running = Platform.open(platform.settings.model_copy(update=settings))
    running_settings.say(running, "learning")
    running.close()


def test_status_follows_the_daemon_and_names_what_this_shell_has_otherwise(shell: Platform) -> None:
    before = _status()
    assert "0/500" in before
    assert "running platform" not in before
    _run_with(shell, train_threshold=30, lora_rank=8)
    after = _status()
    assert "0/30" in after
    for name, running, here in (("ASTRA_TRAIN_THRESHOLD", "30", "500"), ("ASTRA_LORA_RANK", "8", "16")):
        (line,) = (line for line in after.splitlines() if name in line)
        assert all(value in line for value in ("learning", running, here))
    assert json.loads(_status("--tenant", "villaverde", "-o", "json"))["train_threshold"] == 30
    assert "ASTRA_TRAIN_THRESHOLD" in _status("--tenant", "villaverde")


def test_where_both_have_the_same_nothing_is_said(shell: Platform) -> None:
    _run_with(shell)
    assert "running platform" not in _status()


def test_what_was_said_is_forgotten_with_the_part_that_said_it(shell: Platform) -> None:
    _run_with(shell, train_threshold=30)
    assert 0 < shell.redis.ttl("SETTINGS:learning") <= running_settings.FORGOTTEN.total_seconds()
    shell.redis.delete("SETTINGS:learning")
    assert "0/500" in _status()


@pytest.mark.parametrize(
    "said",
    ["no JSON", "[]", '{"train_threshold": -1}', '{"train_threshold": "<script>"}', '{"unknown": 1}',
     '{"database_url": "postgresql://elsewhere/x", "key": "x"}'],
)  # fmt: skip
def test_what_cannot_be_a_setting_changes_nothing_that_is_asked(shell: Platform, said: str) -> None:
    shell.redis.set("SETTINGS:learning", said)
    assert "0/500" in _status()


def test_no_secret_and_no_address_is_said(settings: Settings) -> None:
    whole = settings.model_copy(
        update={"smtp_from": "astra@proveedor.example", "master_key_kms": "arn:x", "base_revision": "main"}
    )
    said = running_settings.plain(whole)
    text = json.dumps(said)
    for secret in ("postgresql", "redis://", "file://", "sqlite", "arn:x", "@", str(settings.home)):
        assert secret not in text
    assert said["train_threshold"] == 500
    assert said["base_revision"] == "main"
    assert {"key", "master_key", "smtp_url", "signing_key_file"} & said.keys() == set()


def test_the_api_says_what_it_runs_with(settings: Settings, shell: Platform) -> None:
    own = settings.model_copy(update={"api_compare_processes": 0, "api_rate_per_second": 7.0})
    with Platform.open(own, for_api=True) as opened, TestClient(create_app(platform=opened)):
        pass  # the relay says it once before it ends
    (differing,) = [
        one
        for one in running_settings.differing(shell.settings, running_settings.heard(shell))
        if one.name == "api_rate_per_second"
    ]
    assert (differing.part, differing.running, differing.here) == ("api", 7.0, 50.0)
