"""What is installed: locks with hashes, nothing for developing among what runs, one torch in two wheels."""

from __future__ import annotations

import importlib.util
import re
import socket
import threading
import time
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[1]
RUNNING, DEVELOPING = REPOSITORY / "requirements.lock", REPOSITORY / "requirements-dev.lock"
PLATFORM = REPOSITORY / "requirements-platform.lock"
TORCH, TORCH_CPU = REPOSITORY / "trainer" / "torch.lock", REPOSITORY / "trainer" / "torch-cpu.lock"
TRAINER = [REPOSITORY / "trainer" / f"requirements{kind}.lock" for kind in ("", "-cuda")]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"ci_{name}", REPOSITORY / ".ci" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


install, import_check = _script("install"), _script("import_check")


def _pinned(*locks: Path) -> dict[str, str]:
    text = "".join(lock.read_text(encoding="utf-8") for lock in locks)
    return dict(re.findall(r"^([a-z0-9][\w.-]*)==([^\s;]+)", text, re.MULTILINE))


def test_what_runs_has_no_tool_no_test_double_no_embedded_service() -> None:
    unwanted = {canonicalize_name(name) for name in import_check.UNWANTED}
    assert unwanted <= _pinned(DEVELOPING).keys()
    assert not unwanted & _pinned(RUNNING, TORCH, *TRAINER).keys()


@pytest.mark.parametrize(
    "lock", [RUNNING, PLATFORM, DEVELOPING, TORCH, TORCH_CPU, *TRAINER], ids=lambda lock: lock.name
)
def test_every_package_of_a_lock_has_a_hash(lock: Path) -> None:
    packages = re.findall(
        r"^[a-z0-9][\w.-]*==(?:.*\\\n)*.*\n", lock.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert packages
    assert [package for package in packages if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", package)] == []


def test_locks_agree_about_every_version() -> None:
    developing = _pinned(DEVELOPING)
    for name, version in _pinned(RUNNING, PLATFORM, *TRAINER).items():
        assert developing.get(name, version) == version, name
    assert _pinned(RUNNING).keys() <= developing.keys()


def test_the_platforms_image_has_what_the_package_asks_for_and_nothing_that_only_trains() -> None:
    platform, extras = _pinned(PLATFORM), PROJECT["optional-dependencies"]
    needed = {canonicalize_name(Requirement(text).name) for text in PROJECT["dependencies"]}
    assert needed | {"setuptools"} <= platform.keys()
    assert platform.keys() <= _pinned(RUNNING).keys()
    only_trains = {canonicalize_name(Requirement(text).name) for text in extras["trainer"]} - {
        "dagster-pipes"
    }
    assert not (only_trains - {"dagster-pipes"}) & platform.keys()


def test_torch_comes_in_two_wheels_of_one_version_and_only_one_brings_cuda() -> None:
    assert _pinned(TORCH_CPU) == {"torch": f"{_pinned(TORCH)['torch']}+cpu"}
    assert {"triton", "nvidia-cudnn-cu13"} <= _pinned(TORCH).keys()
    others = _pinned(RUNNING, DEVELOPING, *TRAINER)
    assert not [name for name in others if re.match(r"(torch|triton|nvidia-.*|cuda-.*)$", name)]
    hashes = [set(re.findall(r"sha256:(\w+)", install.stanza(lock, "torch"))) for lock in (TORCH, TORCH_CPU)]
    assert hashes[0].isdisjoint(hashes[1])
    assert len(hashes[1]) == 4, "Python 3.11 and 3.12, x86_64 and aarch64"
    assert install.index_of(TORCH_CPU) == "https://download.pytorch.org/whl/cpu"


def test_what_the_project_asks_for_is_locked_in_a_version_it_allows() -> None:
    extras = PROJECT["optional-dependencies"]
    running = _pinned(RUNNING, TORCH)
    for asked in map(Requirement, [*PROJECT["dependencies"], *extras["trainer"]]):
        assert asked.specifier.contains(running[canonicalize_name(asked.name)]), f"{asked}: run make lock"
    developing = _pinned(DEVELOPING, TORCH)
    for asked in map(Requirement, [*extras["embedded"], *extras["dev"]]):
        assert asked.specifier.contains(developing[canonicalize_name(asked.name)]), f"{asked}: run make lock"


def test_the_changelog_tells_of_this_version() -> None:
    changes = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (\S+)", changes, re.MULTILINE)
    assert headings[0].rstrip(",") == PROJECT["version"]


def test_every_file_that_the_notice_names_is_there() -> None:
    notice = (REPOSITORY / "NOTICE").read_text(encoding="utf-8")
    named = re.findall(r"^   ((?:trainer|astra_learn_assets)/[\w./]+?)/?(?:: (.*))?$", notice, re.MULTILINE)
    assert len(named) >= 5
    for folder, files in named:
        for pattern in re.findall(r"[\w*]+\.\w+", files) or ["."]:
            found = list((REPOSITORY / folder).parent.glob(f"{Path(folder).name}/{pattern}"))
            assert found, f"{folder}/{pattern}"


class _Index(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/torch/" else 404)
        self.end_headers()

    def log_message(self, *arguments: object) -> None: ...


@pytest.fixture
def index() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_index_that_answers_is_told_from_one_that_does_not(index: str) -> None:
    assert install.answers(f"{index}/torch/")
    assert not install.answers(f"{index}/nothing/")
    assert not install.answers("http://no-such-host.invalid/torch/")


def test_an_index_that_accepts_and_says_nothing_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        assert not install.answers(f"http://127.0.0.1:{silent.getsockname()[1]}/torch/", seconds=0.5)
        assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    ("wanted", "platform", "card", "answering", "there", "expected"),
    [
        ("auto", "linux", False, True, "", TORCH_CPU),
        ("auto", "linux", False, False, "", TORCH),
        ("auto", "linux", True, True, "", TORCH),
        ("auto", "darwin", False, True, "", TORCH),
        ("auto", "linux", False, False, "2.13.0+cpu", TORCH_CPU),
        ("cpu", "linux", True, False, "", TORCH_CPU),
        ("cuda", "linux", False, True, "2.13.0+cpu", TORCH),
    ],
)
def test_a_machine_without_a_card_gets_the_processors_torch_where_it_can_be_had(
    monkeypatch: pytest.MonkeyPatch,
    wanted: str,
    platform: str,
    card: bool,
    answering: bool,
    there: str,
    expected: Path,
) -> None:
    monkeypatch.setattr(install.sys, "platform", platform)
    monkeypatch.setattr(install, "sees_a_card", lambda: card)
    monkeypatch.setattr(install, "answers", lambda _url: answering)
    monkeypatch.setattr(install, "installed", lambda _package: there)
    assert install.torch_lock(wanted) == expected


def test_uv_is_told_what_pip_was_told() -> None:
    settings = {"index-url": "https://mirror/simple", "find-links": "/wheels", "timeout": "60"}
    assert install.uv_environment(settings, {}) == {
        "UV_DEFAULT_INDEX": "https://mirror/simple",
        "UV_FIND_LINKS": "/wheels",
    }
    assert install.uv_environment(settings, {"UV_DEFAULT_INDEX": "https://own"}) == {
        "UV_FIND_LINKS": "/wheels"
    }
