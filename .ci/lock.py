"""Write every lock anew from pyproject.toml and trainer/*.in: ``make lock`` (ARGS=--upgrade: newest).

| lock | what for |
|---|---|
| requirements.lock | running: all that a machine without a cluster needs, torch apart |
| requirements-platform.lock | the platform's image: the same without what only trains |
| requirements-dev.lock | developing: the same versions, and the tools, test doubles and embedded services |
| trainer/requirements.lock, -cuda.lock | the trainer's own image; -cuda: what only a card can use |
| docs/requirements.txt | what builds the documents, in an environment of its own |
| trainer/torch.lock | torch from PyPI, on Linux with CUDA's libraries |
| trainer/torch-cpu.lock | the same torch from PyTorch's index, for processors |

All have hashes, and markers for every platform and for Python 3.11 and 3.12. A version in a lock stays unless
``--upgrade`` is given or pyproject.toml no longer allows it. The processor's wheels have hashes of their own,
read from PyTorch's index; where that does not answer those in the lock stay, if torch stays.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
TRAINER = REPOSITORY / "trainer"
DOCUMENTS = REPOSITORY / "docs" / "requirements.txt"
INDEX = "https://download.pytorch.org/whl/cpu"
TORCH_VERSION = "2.13.0"  # what the trainer's figures were measured with; its kernels look into torch
WITH_TORCH = re.compile(r"^(torch|triton|nvidia-.*|cuda-.*)$")
CPU_WHEEL = re.compile(r"torch-([\d.]+)(?:%2B|\+)cpu-cp31[12]-cp31[12]-manylinux\w+\.whl#sha256=(\w{64})")
UV = [
    str(Path(sys.prefix) / "bin" / "uv"),
    "pip",
    "compile",
    "--quiet",
    "--no-header",
    "--universal",
    "--no-annotate",
]


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 when every lock was written."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        build = work / "build.in"
        # setuptools: the images build the package without asking the network again
        build.write_text("setuptools>=77\n", encoding="utf-8")
        pin = work / "torch.txt"
        pin.write_text(f"torch=={TORCH_VERSION}\n", encoding="utf-8")
        known = [REPOSITORY / "requirements.lock", TRAINER / "torch.lock"]
        project = [str(REPOSITORY / "pyproject.toml"), str(build), "-c", str(pin)]
        running = _compile(work / "run", known, [*project, "--extra", "trainer", *arguments])
        same = ["-c", str(work / "run")]
        platform = _compile(work / "platform", known, [*project, *same])
        extras = [part for name in ("trainer", "embedded", "dev") for part in ("--extra", name)]
        known_dev = [REPOSITORY / "requirements-dev.lock", *known]
        developing = _compile(work / "dev", known_dev, [*project, *extras, *same, *arguments])
        trainer = _compile(work / "trainer", known, [str(TRAINER / "requirements.in"), *same])
        known_card = [TRAINER / "requirements-cuda.lock", *known]
        inputs = [str(TRAINER / "requirements-cuda.in"), *same, *arguments]
        card = _compile(work / "card", known_card, inputs)
        pages = _compile(work / "docs", [DOCUMENTS], [str(DOCUMENTS.with_suffix(".in")), *arguments])
    torch = {name: text for name, text in running.items() if WITH_TORCH.match(name)}
    only_card = {name: text for name, text in card.items() if name not in trainer}
    hashes = _processor_hashes()
    if hashes is None:
        sys.stderr.write(
            f"{INDEX} does not answer and trainer/torch-cpu.lock is not of torch {TORCH_VERSION}: no lock "
            "was written; run this where the index answers\n"
        )
        return 1
    _write(REPOSITORY / "requirements.lock", _without_torch(running))
    _write(REPOSITORY / "requirements-platform.lock", _without_torch(platform))
    _write(REPOSITORY / "requirements-dev.lock", _without_torch(developing))
    _write(TRAINER / "requirements.lock", _without_torch(trainer))
    _write(TRAINER / "requirements-cuda.lock", _without_torch(only_card), "-r requirements.lock\n")
    _write(DOCUMENTS, pages)
    _write(TRAINER / "torch.lock", torch)
    hashed = [f"    --hash=sha256:{digest}" for digest in hashes]
    listed = " \\\n".join([f"torch=={TORCH_VERSION}+cpu", *hashed])
    _write(TRAINER / "torch-cpu.lock", {"torch": f"{listed}\n"}, f"--index-url {INDEX}\n")
    return 0


def stanzas(text: str) -> dict[str, str]:
    """The lock's packages by name, each with version, marker and hashes."""
    found = re.findall(r"^(?:[a-z0-9][\w.-]*==.*\n)(?:[ \t]+.*\n)*", text, re.MULTILINE)
    return {stanza.split("==", 1)[0]: stanza for stanza in found}


def _compile(output: Path, known: Sequence[Path], arguments: Sequence[str]) -> dict[str, str]:
    """uv keeps the versions that it finds in the file it writes to."""
    locked = [stanzas(path.read_text("utf-8")) for path in known if path.exists()]
    output.write_text("".join(text for lock in locked for text in lock.values()), encoding="utf-8")
    command = [*UV, "--python-version", "3.11", "--generate-hashes", *arguments, "-o", str(output)]
    subprocess.run(command, check=True, cwd=REPOSITORY)
    return stanzas(output.read_text("utf-8"))


def _without_torch(packages: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in packages.items() if not WITH_TORCH.match(name)}


def _processor_hashes() -> list[str] | None:
    """Of torch for Python 3.11 and 3.12 on Linux, from the index or else the lock; None: from neither."""
    try:
        with urllib.request.urlopen(f"{INDEX}/torch/", timeout=10) as answer:
            page = answer.read().decode()
    except OSError:
        present = TRAINER / "torch-cpu.lock"
        text = present.read_text("utf-8") if present.exists() else ""
        kept = re.findall(r"sha256:([0-9a-f]{64})", text)
        return kept if f"torch=={TORCH_VERSION}+cpu" in text else None
    found = CPU_WHEEL.findall(page)
    return sorted({digest for version, digest in found if version == TORCH_VERSION}) or None


def _write(path: Path, packages: dict[str, str], first: str = "") -> None:
    body = "".join(text for _, text in sorted(packages.items()))
    path.write_text(f"# Written by `make lock`: do not edit.\n{first}{body}", encoding="utf-8")
    sys.stdout.write(f"{path.relative_to(REPOSITORY)}: {len(packages)} packages\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
