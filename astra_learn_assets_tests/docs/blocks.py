"""The command blocks of README and docs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from astra_learn_assets.settings import REPOSITORY

EXCEPTIONS = Path(__file__).with_name("exceptions.txt")
_FENCED = re.compile(r"(?ms)^```(\w*)\n(.*?)^```")
_PROGRAMS = ("astra-learn", "make", "source", "python", "curl", "helm", "kubectl", "pip")


@dataclass(frozen=True)
class Block:
    """A block of commands as a reader would copy it."""

    document: str
    text: str

    @property
    def first(self) -> str:
        return self.text.splitlines()[0].strip()


def documents() -> list[Path]:
    return [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]


def command_blocks(path: Path) -> list[Block]:
    """Those that say they are shell, and those without a language that begin with a program."""
    found = []
    for language, text in _FENCED.findall(path.read_text(encoding="utf-8")):
        is_shell = language in ("sh", "bash", "console")
        if is_shell or (not language and text.split(maxsplit=1)[0] in _PROGRAMS):
            found.append(Block(str(path.relative_to(REPOSITORY)), text))
    return found


def exceptions() -> dict[tuple[str, str], str]:
    """(document, first line) -> why no test runs the block."""
    lines = EXCEPTIONS.read_text(encoding="utf-8").splitlines()
    parts = [line.split(" | ") for line in lines if line and not line.startswith("#")]
    return {(document, first): why for document, first, why in parts}
