"""Install locked requirements into the environment of this Python, and say what happens.

    .venv/bin/python .ci/install.py [--torch auto|cpu|cuda] [--project DIR] LOCK...

* **uv** installs where its wheel can be had (47 s instead of 305 s for everything, on two cores and with
  nothing cached), pip where not. Either is told every package's hash and resolves nothing: a lock is whole.
* **torch** comes as one of two wheels. ``trainer/torch.lock`` is PyPI's, on Linux with CUDA's libraries (3 GB
  to download). ``trainer/torch-cpu.lock`` is the processor's, from PyTorch's own index; ``auto`` takes it on
  Linux when no card is seen and that index answers within five seconds.

Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
import urllib.request
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
DEVELOPING = REPOSITORY / "requirements-dev.lock"
TORCH, TORCH_CPU = REPOSITORY / "trainer" / "torch.lock", REPOSITORY / "trainer" / "torch-cpu.lock"
ANSWER_SECONDS = 5.0

# What pip was told by its own settings, and the variable by which uv is told the same.
AS_PIP = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
}
PIP_ALONE = {"no-index", "trusted-host", "client-cert", "proxy"}


def stanza(lock: Path, package: str) -> str:
    """What ``lock`` says of ``package``: its version and its hashes.

    Raises:
        KeyError: it says nothing.
    """
    found = re.search(rf"^{re.escape(package)}==(?:.*\\\n)*.*\n", lock.read_text("utf-8"), re.MULTILINE)
    if found is None:
        raise KeyError(f"{lock} does not have {package}")
    return found[0]


def index_of(lock: Path) -> str:
    """The index that ``lock`` takes everything from."""
    found = re.search(r"^--index-url (\S+)$", lock.read_text("utf-8"), re.MULTILINE)
    if found is None:
        raise KeyError(f"{lock} names no index")
    return found[1]


def answers(url: str, seconds: float = ANSWER_SECONDS) -> bool:
    """Whether ``url`` can be read within ``seconds``, name look-up included (which no time-out covers)."""
    seen: list[bool] = []

    def look() -> None:
        try:
            with urllib.request.urlopen(url, timeout=seconds) as answer:
                seen.append(answer.status == 200)
        except OSError:
            seen.append(False)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(seconds)
    return seen == [True]


def sees_a_card() -> bool:
    """Whether an NVIDIA driver is loaded here."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def torch_lock(wanted: str) -> Path:
    """The lock to take torch from; says why."""
    index = index_of(TORCH_CPU)
    if wanted == "cpu":
        return TORCH_CPU
    if wanted == "cuda" or sys.platform != "linux":
        return TORCH
    if installed("torch").endswith("+cpu"):
        return TORCH_CPU
    if sees_a_card():
        say("torch: a CUDA card is here, so the wheel with CUDA's libraries (a download of some 3 GB).")
        return TORCH
    if answers(f"{index}/torch/"):
        say("torch: no CUDA card is here, so the processor's wheel (TORCH=cuda takes the other).")
        return TORCH_CPU
    say(
        f"torch: no CUDA card is here, but {index} does not answer within {ANSWER_SECONDS:.0f} s, so PyPI's "
        "wheel with CUDA's libraries (a download of some 3 GB)."
    )
    return TORCH


def installed(package: str) -> str:
    """The version of ``package`` in this environment, or an empty string."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


class Installer:
    """pip, or uv once :meth:`bring_uv` succeeded."""

    def __init__(self) -> None:
        self.uv: Path | None = None
        self.environment = dict(os.environ)

    def bring_uv(self) -> None:
        """Get uv's wheel; without it pip goes on."""
        settings = pip_settings()
        alone = sorted(PIP_ALONE & settings.keys())
        if alone:
            say(f"pip is set up with {', '.join(alone)}, which uv is not told: pip installs.")
            return
        say("Installing uv, which installs the rest (a download of 20 MB)…")
        with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as requirement:
            requirement.write(stanza(DEVELOPING, "uv"))
            requirement.flush()
            arguments = ["install", "--quiet", "--no-deps", "--require-hashes", "-r", requirement.name]
            got = _run([sys.executable, "-m", "pip", *arguments])
        program = Path(sysconfig.get_path("scripts")) / "uv"
        if got and program.exists() and _run([str(program), "--version"]):
            self.uv = program
            self.environment |= uv_environment(settings, os.environ)
        else:
            say("uv is not to be had here: pip installs (some five minutes).")

    def install(self, arguments: Sequence[str]) -> bool:
        """``pip install ARGUMENTS`` or uv's twin of it; on uv's failure once more with pip."""
        if self.uv is not None:
            uv = [str(self.uv), "pip", "install", "--python", sys.executable]
            if _run([*uv, *arguments], self.environment):
                return True
            say("uv failed: pip tries.")
        return _run([sys.executable, "-m", "pip", "install", *arguments])


def pip_settings() -> dict[str, str]:
    """pip's settings by their plain names, from its files and from the environment."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=False, capture_output=True, text=True
    )
    found = re.findall(r"^(?:global|install|:env:)\.([\w-]+)=(.*)$", listed.stdout, re.MULTILINE)
    return {name: value.strip("'\"") for name, value in found}


def uv_environment(settings: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that tell uv what pip was told, where it was not told something of its own."""
    return {
        variable: settings[name]
        for name, variable in AS_PIP.items()
        if settings.get(name) and variable not in environment
    }


def size_mb(folder: Path) -> int:
    """Megabytes on the disk below ``folder``."""
    blocks = sum(path.lstat().st_blocks for path in folder.rglob("*") if not path.is_dir())
    return blocks * 512 // 1_000_000


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> bool:
    return subprocess.run(command, check=False, env=environment).returncode == 0


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 when everything is installed."""
    parser = argparse.ArgumentParser(description="Install locked requirements; see the module's docstring.")
    parser.add_argument("--torch", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--project", type=Path, help="this folder's package, editable")
    parser.add_argument("locks", nargs="+", type=Path)
    asked = parser.parse_args(arguments)
    if sys.prefix == sys.base_prefix:
        say("This Python has no environment of its own: make one first (make setup does).")
        return 2
    started = time.monotonic()
    installer = Installer()
    installer.bring_uv()
    locked = ["--no-deps", "--require-hashes"]
    torch = torch_lock(asked.torch)
    say(f"Installing torch from {torch.name}…")
    if not installer.install([*locked, "-r", str(torch)]):
        if torch == TORCH or asked.torch == "cpu":
            return 1
        say("The processor's wheel is not to be had: PyPI's with CUDA's libraries instead.")
        if not installer.install([*locked, "-r", str(TORCH)]):
            return 1
    for lock in asked.locks:
        count = len(re.findall(r"^[a-z0-9][\w.-]*==", lock.read_text("utf-8"), re.MULTILINE))
        say(f"Installing the {count} packages of {lock.name}…")
        if not installer.install([*locked, "-r", str(lock)]):
            return 1
    if asked.project is not None:
        project = ["--no-deps", "--no-build-isolation", "--editable", str(asked.project)]
        if not installer.install(project):
            return 1
    prefix = Path(sys.prefix)
    say(f"Installed in {time.monotonic() - started:.0f} s; {prefix} has {size_mb(prefix):,} MB.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
