"""The house as its documents state it: names that are true, and documents that name only what exists."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "astra_learn_assets"
# One module per subject, named for the subject that a room below has too: a route or a command of it.
NAMED_FOR_A_SUBJECT = ("api/routes", "cli", "assets", "resources")


@pytest.fixture
def check() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_check", REPOSITORY / "docs" / "check.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_two_modules_share_a_name_without_need() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for path in PACKAGE.rglob("*.py"):
        room = path.parent.relative_to(PACKAGE).as_posix()
        if path.name not in {"__init__.py", "__main__.py"} and room not in NAMED_FOR_A_SUBJECT:
            homes[path.name].append(room)
    # what a table holds, and what CORE reads of it
    homes.pop("dictionary.py")
    assert {name: rooms for name, rooms in homes.items() if len(rooms) > 1} == {}


def test_every_room_says_what_it_is_for() -> None:
    for init in PACKAGE.rglob("__init__.py"):
        if any(init.parent.glob("*.py")) and "migrations/versions" not in init.as_posix():
            text = init.read_text(encoding="utf-8")
            assert text.startswith('"""'), init.relative_to(REPOSITORY)


def test_no_file_is_too_long_to_read_in_one_sitting() -> None:
    long = {
        path.relative_to(REPOSITORY).as_posix(): lines
        for path in (*PACKAGE.rglob("*.py"), *(REPOSITORY / "trainer").rglob("*.py"))
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 450
    }
    assert not {name for name in long if "/making/" not in name}, long


def test_the_documents_name_only_what_exists() -> None:
    done = subprocess.run(
        [sys.executable, "docs/check.py"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_a_document_that_names_a_module_that_is_gone_is_told(
    check: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "ROOT", tmp_path)
    monkeypatch.setattr(check, "HOMES", (tmp_path, tmp_path / "astra_learn_assets"))
    room = tmp_path / "astra_learn_assets" / "store"
    room.mkdir(parents=True)
    (room / "db.py").touch()
    document = tmp_path / "page.md"
    document.write_text(
        "`store/db.py`, `store/gone.py` and `astra_learn_assets.store.db.Database`\n"
        "`astra_learn_assets.stages.compare` and [this](nowhere.md), `https://example.org/store/x.py`\n",
        encoding="utf-8",
    )
    assert [line.partition(" does")[0] for line in check.missing(document)] == [
        "page.md:1: store/gone.py",
        "page.md:2: astra_learn_assets.stages.compare",
        "page.md:2: nowhere.md",
    ]
