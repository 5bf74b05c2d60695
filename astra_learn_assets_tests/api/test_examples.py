"""The shell examples of ``docs/api.md``, run as they are written, one after the other."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from astra_learn_assets.platform import Platform
from astra_learn_assets.services.embedded import export_env
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import dictionary
from astra_learn_assets_tests.api.processes import api_process

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="the examples use curl and jq")
def test_the_examples_of_the_documentation_work_as_written(
    settings: Settings, platform: Platform, tmp_path: Path
) -> None:
    blocks = re.findall(r"^```bash\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 8
    with api_process(settings, tmp_path) as api:
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
            cwd=tmp_path,
            env={
                **os.environ,
                **export_env(settings),
                "API": api.url,
                "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            },
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    assert "304 Not Modified" in ended.stdout
    assert '"already_received":true' in ended.stdout
    with platform.database.session() as session:
        version, entries = dictionary.read(session, "villaverde")
    assert version == 2
    assert entries
