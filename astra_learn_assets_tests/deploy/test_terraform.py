"""deploy/aws is formatted, valid for the AWS provider, and grants what its own tests say.

They need terraform and the provider: from its registry, or from the folder of ``TF_PLUGIN_DIR`` (as made by
``terraform providers mirror``). Without them they are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from astra_learn_assets.settings import REPOSITORY

SOURCE = REPOSITORY / "deploy" / "aws"
TERRAFORM = shutil.which("terraform")
pytestmark = pytest.mark.skipif(TERRAFORM is None, reason="terraform is not on the PATH")


def terraform(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    assert TERRAFORM is not None
    # the developer's own configuration has no say
    environment = {**os.environ, "TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1"}
    return subprocess.run(
        [TERRAFORM, f"-chdir={folder}", *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )


@pytest.fixture(scope="module")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("terraform") / "aws"
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns(".terraform*"))
    plugins = os.environ.get("TF_PLUGIN_DIR")
    mirror = [f"-plugin-dir={plugins}"] if plugins else []
    done = terraform(folder, "init", "-backend=false", "-input=false", "-no-color", *mirror)
    if done.returncode != 0:
        pytest.skip(f"the AWS provider cannot be had (TF_PLUGIN_DIR?): {done.stderr.strip()[-300:]}")
    return folder


def test_it_is_formatted() -> None:
    done = terraform(SOURCE, "fmt", "-check", "-recursive", "-diff")
    assert done.returncode == 0, done.stdout


def test_it_is_valid_for_the_provider(initialised: Path) -> None:
    done = terraform(initialised, "validate", "-no-color")
    assert done.returncode == 0, done.stderr


def test_its_own_tests_pass(initialised: Path) -> None:
    done = terraform(initialised, "test", "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed, 0 failed" in done.stdout


def test_every_service_account_of_the_chart_has_a_role() -> None:
    from astra_learn_assets_tests.deploy.chart import NAME, VALUES, render

    accounts = {
        item["metadata"]["name"].removeprefix(f"{NAME}-")
        for item in render(VALUES["aws-t4"])
        if item["kind"] == "ServiceAccount"
        and "annotations" in item["metadata"]
        and "helm.sh/hook" not in item["metadata"]["annotations"]
    }
    text = (SOURCE / "roles.tf").read_text(encoding="utf-8")
    assert accounts == {"api", "code-location", "webserver", "daemon", "preparation", "training"}
    assert all(f"\n    {account} = {{" in text for account in accounts)
