"""deploy/compose.yaml is one that Compose takes, and opens nothing to the network by accident."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from astra_learn_assets.settings import REPOSITORY

FOLDER = REPOSITORY / "deploy"
EXAMPLE = FOLDER / "compose.env.example"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
THEIRS = {"postgres", "redis", "s3"}  # images of other projects


def compose(*arguments: str) -> subprocess.CompletedProcess[str]:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True).returncode != 0:
        pytest.skip("docker compose is not installed")
    return subprocess.run([docker, "compose", *arguments], check=False, capture_output=True, text=True)


def filled(folder: Path) -> Path:
    path = folder / "filled.env"
    path.write_text(re.sub(r"(?m)^([A-Z0-9_]+)=$", r"\1=abc", EXAMPLE.read_text(encoding="utf-8")))
    return path


@pytest.mark.parametrize(
    "files", [["compose.yaml"], ["compose.yaml", "compose.gpu.yaml"]], ids=["cpu", "gpu"]
)
def test_compose_takes_it(files: list[str], tmp_path: Path) -> None:
    named = [part for file in files for part in ("-f", str(FOLDER / file))]
    done = compose(*named, "--env-file", str(filled(tmp_path)), "config")
    assert done.returncode == 0, done.stderr
    assert set(yaml.safe_load(done.stdout)["services"]) == set(SERVICES)


def test_compose_refuses_what_is_not_filled_in_with_the_variables_name(tmp_path: Path) -> None:
    empty = tmp_path / "empty.env"
    empty.write_text("")
    done = compose("-f", str(FOLDER / "compose.yaml"), "--env-file", str(empty), "config")
    assert done.returncode != 0
    assert re.search(r"set [A-Z_0-9]+ in deploy/\.env", done.stderr), done.stderr


def test_the_example_names_every_variable_that_is_demanded() -> None:
    demanded = set(re.findall(r"\$\{([A-Z0-9_]+):\?", (FOLDER / "compose.yaml").read_text(encoding="utf-8")))
    offered = set(re.findall(r"(?m)^([A-Z0-9_]+)=", EXAMPLE.read_text(encoding="utf-8")))
    assert demanded == offered


def test_ports_are_open_to_this_machine_alone() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports.keys() == {"api", "webserver"}
    assert all(port.startswith("127.0.0.1:") for published in ports.values() for port in published)


def test_our_containers_cannot_write_to_their_root_or_gain_rights() -> None:
    for name, service in SERVICES.items():
        if name not in THEIRS:
            assert service["read_only"] is True, name
            assert service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"], name


def test_the_api_is_not_the_owner_and_only_the_code_location_signs() -> None:
    assert "ASTRA_DATABASE_URL" not in SERVICES["api"]["environment"]
    signers = {
        name for name, item in SERVICES.items() if "ASTRA_SIGNING_KEY_FILE" in item.get("environment", {})
    }
    assert signers == {name for name, item in SERVICES.items() if item.get("secrets")} == {"code-location"}


def test_trainings_run_in_the_image_with_torch() -> None:
    images = {name: service["image"] for name, service in SERVICES.items() if name not in THEIRS}
    assert {name for name, image in images.items() if "astra-trainer" in image} == {"code-location"}


def test_what_a_container_is_configured_with_is_a_file() -> None:
    """Compose writes a ``content`` into the container, and refuses to where the root is read-only."""
    configs = yaml.safe_load((FOLDER / "compose.yaml").read_text())["configs"]
    assert {name: list(config) for name, config in configs.items()} == {name: ["file"] for name in configs}
    for config in configs.values():
        assert (FOLDER / config["file"]).resolve().is_file()
