"""Tables of words: text files, one term a line, in the folders ``lexicon`` and ``tables``.

The first line says the form of the terms, ``# form: FORM``; more lines with ``#`` say what the table is
for. Then come the terms, sorted by their folded form (so that ``ámbar`` stands beside ``ambos``)::

    # form: folded
    # Heads of streets: the name behind one of them is no citizen's.
    alameda
    avenida

Forms: ``folded`` (lower case, no accents, ``ñ`` kept), ``lower`` (lower case with accents), ``printed``
(as printed, compared blind to case), ``printed, with origins`` (a tab and origins parted by commas).

``python -m astra_learn_assets.spanish.word_tables`` checks every table of the package; with
``--sort FILE...`` it writes tables anew in their order.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from astra_learn_assets.spanish.fold import fold_chars

PACKAGE = Path(__file__).resolve().parents[1]
FOLDERS = ("lexicon", "tables")
ORIGINS_FORM = "printed, with origins"
FORMS = ("folded", "lower", "printed", ORIGINS_FORM)
_FORM = "# form: "


def read_table(path: Path) -> tuple[str, ...]:
    """The terms of a table in its order; of a table with origins, the lines as they stand."""
    return tuple(_body(path).split("\n")[:-1])


def read_folded(path: Path) -> frozenset[str]:
    """The terms of a table, folded; not for tables with origins."""
    return frozenset(fold_chars(_body(path)).split("\n")[:-1])


def read_origins(path: Path) -> dict[str, tuple[str, ...]]:
    """``origin -> terms`` of a table with origins; a term of two origins stands under both."""
    found: dict[str, list[str]] = {}
    for line in read_table(path):
        term, _, origins = line.partition("\t")
        for origin in origins.split(","):
            found.setdefault(origin, []).append(term)
    return {origin: tuple(terms) for origin, terms in found.items()}


def _body(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    while text.startswith("#"):
        text = text.partition("\n")[2]
    return text


def faults(path: Path) -> Iterator[str]:
    """What is wrong with a table, one sentence each, with file and line; nothing for a good one."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        yield f"{path}: is not UTF-8 (byte {error.start}); save it as UTF-8"
        return
    if not text.endswith("\n"):
        yield f"{path}: the last line has no line end; add one"
    lines = text.removesuffix("\n").split("\n")
    form = lines[0].removeprefix(_FORM) if lines[0].startswith(_FORM) else None
    if form not in FORMS:
        yield f"{path}:1: the first line must be one of {', '.join(repr(_FORM + name) for name in FORMS)}"
        return
    first = next((at for at, line in enumerate(lines) if not line.startswith("#")), len(lines))
    if first == len(lines):
        yield f"{path}: holds no term; fill it or delete it"
    seen: dict[str, int] = {}
    previous = ""
    for number, line in enumerate(lines[first:], start=first + 1):
        where = f"{path}:{number}"
        term, tab, origins = line.partition("\t")
        if form != ORIGINS_FORM:
            term, tab, origins = line, "", ""
        problem = _term_fault(term, form) or _origins_fault(tab, origins, form)
        if problem:
            yield f"{where}: {line!r} {problem}"
            continue
        key = term.casefold()
        if key in seen:
            yield f"{where}: {term!r} stands in line {seen[key]} already; keep one of them"
        elif previous and order(term) < order(previous):
            yield (
                f"{where}: {term!r} belongs before {previous!r}; sort the table with "
                f"python -m astra_learn_assets.spanish.word_tables --sort {path}"
            )
        seen.setdefault(key, number)
        previous = term


def _term_fault(term: str, form: str) -> str | None:
    if not term.strip():
        return "is no term; delete the line"
    if term.startswith("#"):
        return "is a comment among the terms; comments stand above the first term"
    if term != " ".join(term.split()):
        return "has blanks around it, or more than one inside"
    if term != unicodedata.normalize("NFC", term):
        return f"is not composed (NFC); write {unicodedata.normalize('NFC', term)!r} with single characters"
    if not term.isprintable():
        return "holds an invisible character; type it anew"
    if form == "folded" and term != fold_chars(term):
        return f"is not folded; write {fold_chars(term)!r}"
    if form == "lower" and term != term.casefold():
        return f"is not in lower case; write {term.casefold()!r}"
    return None


def _origins_fault(tab: str, origins: str, form: str) -> str | None:
    if form != ORIGINS_FORM:
        return None
    names = origins.split(",")
    if not tab or not all(name.isalpha() and name == fold_chars(name) for name in names):
        return "needs a tab and its origins behind the name, such as 'Ainhoa\\teu,faker'"
    if names != sorted(set(names)):
        return f"names its origins out of order or twice; write {','.join(sorted(set(names)))!r}"
    return None


def order(term: str) -> tuple[str, str]:
    """What a table is sorted by."""
    return fold_chars(term), term


def tables(root: Path) -> list[Path]:
    """Every table below ``root``."""
    return sorted(path for path in root.rglob("*.txt") if path.parent.name in FOLDERS)


def sort(path: Path) -> None:
    """Write a table anew, its terms in order and each line once."""
    lines = path.read_text(encoding="utf-8").splitlines()
    head = [line for line in lines if line.startswith("#")]
    terms = {line.strip() for line in lines if line.strip() and not line.startswith("#")}
    ordered = sorted(terms, key=lambda line: order(line.partition("\t")[0]))
    path.write_text("\n".join([*head, *ordered]) + "\n", encoding="utf-8")


def main(arguments: Sequence[str], root: Path = PACKAGE) -> int:
    """Check all tables below ``root`` (or sort those named); the exit status, 1 when one has a fault."""
    if arguments[:1] == ["--sort"]:
        for name in arguments[1:]:
            sort(Path(name))
        return 0
    found = [sentence for path in tables(root) for sentence in faults(path)]
    for sentence in found:
        sys.stderr.write(f"{sentence}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
