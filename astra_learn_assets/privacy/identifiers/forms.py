"""What the country files write their forms with, and the two rules that every country has.

Each fragment is the text of a regular expression; :func:`rule` adds what all rules for papers share.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from astra_learn_assets.privacy.identifiers.rules import Rule

S = r"(?: ?[.\-–] ?| )?"  # what may part two groups of digits
B = r"(?<![\w.\-/])"  # where a number may begin
E = r"(?![\w/]|[.\-–,]\d)"  # where it may end
MILLIONS = r"\d{1,2}[. ]?\d{3}[. ]?\d{3}"
_MONEY = re.compile(
    r"\s{0,2}(?:€|euros?\b|\$|USD\b|dólares|pesos|soles|bolivianos|millones|habitantes"
    r"|metros|m2|m²|kg|votos|%)",
    re.I,
)
_DOLLAR = re.compile(r"(?:€|\$|S/\.?|Bs\.?|USD)\s{0,2}$", re.I)


def grouped(*sizes: int) -> str:
    """Groups of so many digits, parted or not."""
    return S.join(rf"\d{{{size}}}" for size in sizes)


def rule(
    kind: str,
    form: str,
    check: Callable[[str], bool] | None = None,
    *,
    rank: int,
    strong: bool = False,
    context: frozenset[str] = frozenset(),
    context_only_if_valid: bool = False,
    keep_separators: bool = False,
    name: str = "",
) -> Rule:
    """A rule for a paper; without ``context`` it waits for any word that names one. No sums of money."""
    return Rule(
        kind,
        re.compile(form),
        check,
        strong=strong,
        context=context,
        context_only_if_valid=context_only_if_valid,
        rank=rank,
        veto_after=_MONEY,
        veto_before=_DOLLAR,
        name=name,
        keep_separators=keep_separators,
    )


def introduced(kind: str) -> Rule:
    """Whatever follows "cédula", "documento", "C.C." and looks like a number of a person."""
    form = (
        r"(?:(?<![\w.\-/])(?!(?i:dni|nif|nie|cc|ci|cui|dpi|dui|rut|run|rfc|nit|rif|ruc|nui|ti|le|lc|no|n))"
        r"[A-Za-z]{1,3}-?|(?<![\d.\-/])(?<![^\W\d]{5}))\d{1,}(?:(?: ?[.\-–] ?| )\d{2,}){0,3}"
        r"(?:[ .\-–]{0,3}\d)?(?:(?:[.\-–]?[A-Za-z]|[ \-–]{1,3}[B-DF-HJ-NP-TV-Zb-df-hj-np-tvwz])(?!\w))?"
        rf"(?:[ \-–](?:LP|CB|SC|OR|PT|CH|TJ|BE|PD|lp|cb|sc|pt|ch|tj|pd)(?!\w))?{E}"
    )

    def enough(number: str) -> bool:
        return 5 <= sum(c.isdigit() for c in number) <= 16

    return rule(kind, form, enough, context_only_if_valid=True, rank=45, name=f"{kind}:context")


def spelled(kind: str) -> Rule:
    """Read out digit by digit: "1 2 3 4 5 6 7 8 Z"."""
    return rule(
        kind,
        r"(?<![\w.\-/])\d(?: \d){5,12}(?: [A-Za-z](?!\w))?(?![\w/]|[.\-–,]\d)",
        rank=63,
        name="spelled",
    )
