"""Every command block of README and docs that can run is run by a test, as it is written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from astra_learn_assets.platform import Platform
from astra_learn_assets.services.embedded import export_env
from astra_learn_assets.settings import REPOSITORY
from astra_learn_assets.store import dictionary
from astra_learn_assets_tests.docs.blocks import Block, command_blocks, documents, exceptions
from astra_learn_assets_tests.telling.receivers import smtp_server

# what runs the blocks of a document; each of these fails when the document gets one that it does not run
ELSEWHERE = {
    "docs/api.md": "api/test_examples.py",
    "docs/disaster-recovery.md": "registry/test_disaster_drills.py",
}
README_BLOCK = (
    "astra-learn council sample sample          # a draft, its manifest, a clerk's final, their pairs"
)


def _runnable(document: str) -> list[Block]:
    known = exceptions()
    return [one for one in command_blocks(REPOSITORY / document) if (one.document, one.first) not in known]


def test_every_command_block_is_run_somewhere_or_is_an_exception_with_a_reason() -> None:
    tests = REPOSITORY / "astra_learn_assets_tests"
    for document, where in ELSEWHERE.items():
        assert Path(document).name in (tests / where).read_text(encoding="utf-8")
    left = [
        (block.document, block.first)
        for path in documents()
        for block in command_blocks(path)
        if block.document not in (*ELSEWHERE, "docs/first-council.md")
        and (block.document, block.first) not in exceptions()
    ]
    # cli/test_cli.py runs the last block of the README
    assert left == [("README.md", README_BLOCK)], "run the new block in a test, or say why none can"


def test_no_exception_is_of_a_block_that_is_not_there() -> None:
    there = {(block.document, block.first) for path in documents() for block in command_blocks(path)}
    assert exceptions().keys() <= there
    assert all(len(why) > 20 for why in exceptions().values())


@pytest.mark.timeout(900)
def test_your_first_council_works_as_written(platform: Platform, tmp_path: Path) -> None:
    blocks = _runnable("docs/first-council.md")
    assert len(blocks) == 4
    program = tmp_path / "bin" / "astra-learn"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nfrom astra_learn_assets.cli import main\nmain()\n")
    program.chmod(0o755)
    with smtp_server() as mailbox:
        env = {
            **os.environ,
            **export_env(platform.settings),
            "ASTRA_SMTP_URL": f"smtp+plain://127.0.0.1:{mailbox.port}",
            "ASTRA_SMTP_FROM": "astra@proveedor.example",
            "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(REPOSITORY),
        }
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "".join(block.text for block in blocks)],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert done.stderr == "Keep the key now: it cannot be shown again.\n", "and no library's warning"
    assert "live: " in done.stdout
    with platform.database.session() as session:
        version, entries = dictionary.read(session, "villaverde")
    assert version >= 1
    assert entries
