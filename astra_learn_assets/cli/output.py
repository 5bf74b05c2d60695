"""Printing: one JSON document or a table for people; errors as one sentence with an exit code.

With ``-o json`` standard output holds exactly one JSON document, also for an error:
``{"error": {"code", "message"}}``. The sentence goes to standard error either way. It is English: what the
API tells clerks in Spanish is said again for who runs the platform.
Exit codes: 0 fine, 1 bad input or a refusal, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Any, NoReturn

import typer

from astra_learn_assets.errors import AstraError, BaseMissing, UploadRefused

BAD_INPUT = 1
BROKEN_PIPE = 1
INTERRUPTED = 130


# by the reason of the upload gate
REFUSALS = {
    "empty": "the file is empty",
    "too_large": "the file is too large: take heavy pictures out (limit: ASTRA_UPLOAD_MAX_BYTES)",
    "encrypted": "the document is protected by a password: take it off and save again",
    "old_format": "this is an old Word document (.doc): save it as .docx",
    "not_docx": "this is no Word document (.docx)",
    "damaged": "the document is damaged or incomplete: open it, save it as .docx and try again",
    "macros": "the document holds macros (.docm): save it as .docx without them",
    "suspicious": "the file has a structure that no ordinary document has; it was not opened",
    "too_long": "a paragraph has over 25,000 words, or the text is no minutes' length: divide it",
    "too_complex": "the document is too complex to compare: split it, or take tables and formats out",
    "no_text": "a document holds no text: check both files",
}


class Format(StrEnum):
    """What a command prints."""

    text = "text"
    json = "json"


FormatOption = Annotated[
    Format, typer.Option("-o", "--output", help="'json' prints exactly one JSON document.")
]


@contextmanager
def answering(output: Format) -> Iterator[None]:
    """Turn a deliberate error inside the block, or one of the disk, into one sentence and exit code 1."""
    try:
        yield
    except AstraError as error:
        fail(in_english(error), code=error.code, output=output)
    except BrokenPipeError:
        raise  # nobody reads what would be said
    except OSError as error:
        what = error.strerror or str(error) or type(error).__name__
        fail(f"{error.filename}: {what}" if error.filename else what, code="os_error", output=output)


def in_english(error: AstraError) -> str:
    """``error`` as one sentence for an operator."""
    if isinstance(error, UploadRefused):
        return REFUSALS.get(error.reason, str(error))
    if isinstance(error, BaseMissing):
        return "no draft of this session and version is registered: the final has nothing to be compared with"
    return str(error)


def fail(message: str, *, code: str = "bad_input", output: Format = Format.text) -> NoReturn:
    """Say ``message`` on standard error and leave with exit code 1."""
    if output is Format.json:
        print_json({"error": {"code": code, "message": message}})
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(BAD_INPUT)


def print_json(value: Any) -> None:
    """``value`` as one JSON document; a pydantic model writes itself, without a tree of its parts."""
    if hasattr(value, "model_dump_json"):
        sys.stdout.write(value.model_dump_json(indent=2) + "\n")
    else:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table on a terminal; lines with tabs when the output is a file or a pipe."""
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for line in ([*columns], *cells):
            sys.stdout.write("\t".join(" ".join(cell.split()) for cell in line) + "\n")
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in cells:
        table.add_row(*(escape(cell) for cell in row))
    Console().print(table)


def print_facts(facts: Mapping[str, object]) -> None:
    """``name: value`` lines, aligned; None is left out."""
    shown = {name: value for name, value in facts.items() if value is not None}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        sys.stdout.write(f"{name:<{width}}  {value}\n")
