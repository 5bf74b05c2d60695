"""``make docs-check``: every file, folder and module that the documents name exists.

Looks at README.md and docs/*.md. A name in backticks or a code block counts when it looks like a path of this
repository (``store/db.py``, ``learning/training/``) or a module (``astra_learn_assets.api.app``); paths are
looked for from the repository's root and inside the package.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOMES = (ROOT, ROOT / "astra_learn_assets", ROOT / "docs")
_MODULE = re.compile(r"\b((?:astra_learn_assets|trainer|benchmarks)(?:\.[a-z_][a-z0-9_]*)+)")
_PATH = re.compile(
    r"(?<![\w./{}<>:-])((?:[a-z_][a-z0-9_]*/)+(?:[a-z0-9_]+\.(?:py|md|yaml|toml))?)(?![\w{<-])"
)
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def missing(document: Path) -> list[str]:
    """One sentence for each name in ``document`` that stands for nothing."""
    found: list[str] = []
    rooms = {path.name for path in HOMES[1].iterdir() if path.is_dir()} | {
        path.name for path in ROOT.iterdir() if path.is_dir()
    }
    for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), start=1):
        names = [(match[1], _is_module(match[1])) for match in _MODULE.finditer(line)]
        for match in _PATH.finditer(line):
            if match[1].split("/", 1)[0] in rooms:
                names.append((match[1], any((home / match[1]).exists() for home in HOMES)))
        names += [(match[1], (document.parent / match[1]).exists()) for match in _LINK.finditer(line)]
        found += [
            f"{document.relative_to(ROOT)}:{number}: {name} does not exist: mend the document"
            for name, exists in names
            if not exists
        ]
    return found


def _is_module(dotted: str) -> bool:
    """Whether ``dotted`` is a module or an attribute of one (``package.module.Class`` counts)."""
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:end])
        if path.with_suffix(".py").is_file():
            return len(parts) - end <= 2
        if path.is_dir():
            return end == len(parts)
    return False


def main() -> int:
    """Print what is missing; 1 if anything is."""
    documents = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    complaints = [line for document in documents for line in missing(document)]
    print("\n".join(complaints) or f"{len(documents)} documents name nothing that does not exist")  # noqa: T201
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
