"""The two Dockerfiles: linted, unprivileged, and fit for what starts them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from astra_learn_assets.settings import REPOSITORY
from astra_learn_assets_tests.deploy.chart import missing

PLATFORM, TRAINER = REPOSITORY / "deploy" / "Dockerfile", REPOSITORY / "trainer" / "Dockerfile"
BOTH = pytest.mark.parametrize("file", [PLATFORM, TRAINER], ids=["platform", "trainer"])


def last_stage(file: Path) -> str:
    return file.read_text(encoding="utf-8").split("\nFROM ")[-1]


@BOTH
def test_hadolint_finds_nothing(file: Path) -> None:
    program = Path(sys.executable).with_name("hadolint")
    found = str(program) if program.exists() else shutil.which("hadolint")
    if found is None:
        missing("hadolint is not installed: make deploy-check")
    done = subprocess.run([str(found), str(file)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@BOTH
def test_the_user_is_a_number_that_is_not_root(file: Path) -> None:
    users = re.findall(r"(?m)^USER (.+)$", last_stage(file))
    assert users == ["10001"]


@BOTH
def test_the_base_can_be_pinned_by_digest_from_outside(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert re.findall(r"(?m)^FROM (\S+)", text) == ["${BASE}", "${BASE}"]
    assert re.search(r"(?m)^ARG BASE=\S+:\S+$", text)


@BOTH
def test_no_entry_point_stands_before_a_runs_command(file: Path) -> None:
    """Dagster's launcher gives the whole command as arguments."""
    assert "ENTRYPOINT" not in file.read_text(encoding="utf-8")


@BOTH
def test_each_image_carries_a_list_of_what_is_in_it(file: Path) -> None:
    assert "-o /opt/astra/sbom.cdx.json" in file.read_text(encoding="utf-8")


@BOTH
def test_everything_that_is_written_goes_below_two_folders(file: Path) -> None:
    variables = dict(
        re.findall(r"\b(ASTRA_HOME|HOME|HF_HOME|TRITON_CACHE_DIR|MPLCONFIGDIR)=(\S+)", last_stage(file))
    )
    assert {"ASTRA_HOME", "HOME", "MPLCONFIGDIR"} <= variables.keys()
    assert all(value.startswith(("/var/lib/astra", "/tmp")) for value in variables.values())


def test_what_the_platform_image_loads_needs_no_torch() -> None:
    """It is not in that image: code location, API and coordinator start where it cannot be imported."""
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in {'torch', 'transformers', 'peft', 'accelerate', 'safetensors'}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "import astra_learn_assets.definitions\n"
        "import astra_learn_assets.api.app\n"
        "import astra_learn_assets.automation.run_coordinator\n"
        "import astra_learn_assets.cli\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
