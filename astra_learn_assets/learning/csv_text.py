"""Rows as CSV (RFC 4180) that a spreadsheet opens without running anything of it.

Text that a spreadsheet would take for a formula (it begins with ``=``, ``+``, ``-``, ``@``, their wide forms,
a tab or a carriage return) gets an apostrophe before it (OWASP, "CSV injection"). So does such a beginning
behind a semicolon or a line break inside a cell: a Spanish spreadsheet splits there, whatever we quoted.
Numbers of ours stay numbers. With a byte order mark Excel reads the accents right.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

BOM = "\ufeff"
_FORMULA = re.compile(r"(^|[;\t\r\n])([^\S\t\r\n]*[=+\-@＝＋－＠])")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


def lines(columns: Sequence[str], rows: Iterable[Sequence[object]], *, bom: bool = False) -> Iterator[str]:
    """A line each, the header first."""
    yield (BOM if bom else "") + _line(columns)
    for row in rows:
        yield _line([cell(value) for value in row])


def cell(value: object) -> str:
    """A value as the text of its cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return harmless(str(value))


def harmless(text: str) -> str:
    """``text`` with every beginning of a formula taken its force."""
    text = _CONTROL.sub("", text.encode("utf-8", "replace").decode())
    text = _FORMULA.sub(r"\1'\2", text)
    return f"'{text}" if text.startswith(("\t", "\r", "\n")) else text


def _line(values: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(values)
    return buffer.getvalue()
