# ruff: noqa: E501  (tables: one row, one line)
"""Measure anonymization on minutes of another hand than the rules': leak, over-masking, merged people.

    python benchmarks/privacy_minutes.py                     both halves, 400 pieces, three forms
    python benchmarks/privacy_minutes.py --half development --verbose 40
    python benchmarks/privacy_minutes.py --quick             a quarter of it

The minutes are :mod:`foreign_minutes`. Half of its layouts, and the pieces of even number of its
handwritten sets, are for development: failures may be shown and mended. Of the other half only figures are printed, and
``--verbose`` is refused there. The halves take different seeds.

=================  ===================================================================================
column             what
=================  ===================================================================================
leak               mentions of which one word is readable (two letters or more and no particle; of
                   initials, any letter), with the exact interval of Clopper and Pearson
whole              mentions of two words or more of which every word is readable
false per          characters of text for each masked person that touches no mention
ordinary           share of the words outside mentions that lie in a masked person
protected          share of the spans that must stay of which a word lies in a masked person
merged             share of the masked persons that touch mentions of two people
swallowed          share of the masked persons that touch a mention and hold a word of no mention
=================  ===================================================================================

Stock is Presidio with its own recognizers for Spanish and the same entity model, over the same texts.
Ends with 1 when a bound of :data:`BOUNDS` is broken on the held-out half.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: spinning threads count as CPU time

from foreign_minutes.generate import LAYOUTS, generate
from foreign_minutes.minutes import Mention, Minutes, variants
from privacy_stock import Spans, by_stock

from astra_learn_assets.privacy.pseudonymizer import Pseudonymizer
from astra_learn_assets.privacy.scan.canary import clopper_pearson
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.placeholder import PLACEHOLDER

_FOLDER = Path(__file__).with_name("foreign_minutes")
HANDWRITTEN = {
    "handwritten": _FOLDER / "handwritten.jsonl",
    "second": _FOLDER / "handwritten_2.jsonl",
    "third": _FOLDER / "handwritten_3.jsonl",
    "fourth": _FOLDER / "handwritten_4.jsonl",
    "fifth": _FOLDER / "handwritten_5.jsonl",
}
SEEDS = {"development": 1, "held-out": 2}
DEVELOPMENT_LAYOUTS = frozenset(sorted(LAYOUTS)[::2])
BOUNDS = {"printed": 0.007, "capitals": 0.015, "lower": 0.015}
"""Leak at most, share of the mentions, on the generator's held-out half."""
LOOSE = frozenset(
    [
        "de",
        "del",
        "la",
        "las",
        "los",
        "y",
        "e",
        "i",
        "da",
        "do",
        "dos",
        "das",
        "van",
        "von",
        "der",
        "den",
        "di",
        "du",
        "el",
    ]
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass
class Figures:
    """What was counted over some texts."""

    mentions: int = 0
    leaked: int = 0
    whole: int = 0
    characters: int = 0
    spans: int = 0
    false: int = 0
    merged: int = 0
    swallowed: int = 0
    words: int = 0
    masked_words: int = 0
    protected: int = 0
    protected_hit: int = 0
    kinds: dict[str, list[int]] = field(default_factory=dict)

    @property
    def leak(self) -> float:
        """Share of the mentions that leak."""
        return self.leaked / max(1, self.mentions)

    @property
    def characters_per_false(self) -> int:
        """Characters of text for each false person."""
        return self.characters // max(1, self.false)


def pieces(half: str, count: int, seed: int | None = None) -> list[Minutes]:
    """The generated pieces of one half; ``count`` is that of both halves together."""
    chosen = generate(SEEDS[half] if seed is None else seed, count)
    return [m for m in chosen if (m.layout in DEVELOPMENT_LAYOUTS) == (half == "development")]


def handwritten(half: str, name: str = "handwritten") -> list[Minutes]:
    """The handwritten pieces of one half of a set, by the parity of their number."""
    made = []
    for number, line in enumerate(HANDWRITTEN[name].read_text(encoding="utf-8").splitlines()):
        if (number % 2 == 0) == (half == "development"):
            record = json.loads(line)
            mentions = tuple(
                Mention(s, e, kind, person, "citizen") for s, e, kind, person in record["mentions"]
            )
            made.append(Minutes(record["text"], record["country"], record["layout"], mentions, ()))
    return made


@cache
def _masker(country: str) -> Pseudonymizer:
    return Pseudonymizer(country=country)


def by_ours(minutes: Sequence[Minutes]) -> list[Spans]:
    """What is masked in each piece as it is written, by the pack of its country."""
    return [_masked(m.text, _masker(m.country).text(m.text, "0")[0]) for m in minutes]


def _masked(text: str, written: str) -> Spans:
    """The spans of ``text`` in whose place ``written`` has placeholders.

    The first look alone would say less: the text that it leaves is looked at again, until nothing is found.
    """
    kinds = [m[1] for m in PLACEHOLDER.finditer(written)]
    kept = map(re.escape, PLACEHOLDER.sub("\0", written).split("\0"))
    found = re.fullmatch("(.+?)".join(kept), text, re.DOTALL)
    if found is None:
        raise SystemExit(f"what was written is not the text with placeholders: {written[:80]!r}")
    return [(*found.span(at), kind) for at, kind in enumerate(kinds, 1)]


def words_of(text: str, mention: Mention) -> list[tuple[int, int]]:
    """The words of a mention that must not be read; of initials, their letters."""
    spans = [
        m.span() for m in _WORD.finditer(text, mention.start, mention.end) if fold_chars(m[0]) not in LOOSE
    ]
    return spans or [m.span() for m in _LETTER.finditer(text, mention.start, mention.end)]


def readable(text: str, mention: Mention, masked: Spans) -> tuple[int, int]:
    """How many words of a mention can be read, and how many it has."""
    words = words_of(text, mention)
    return sum(not any(s <= a and b <= e for s, e, _ in masked) for a, b in words), len(words)


def measure(minutes: Sequence[Minutes], masked: Sequence[Spans], show: Shown | None = None) -> Figures:
    """Count leaks and what was masked too much."""
    out = Figures()
    for piece, spans in zip(minutes, masked, strict=True):
        text = piece.text
        out.characters += len(text)
        for mention in piece.mentions:
            left, count = readable(text, mention, spans)
            out.mentions += 1
            out.leaked += left > 0
            out.whole += left == count > 1 and mention.kind != "initials"
            kind = out.kinds.setdefault(mention.kind, [0, 0])
            kind[0] += 1
            kind[1] += left > 0
            if left and show:
                show.line("leak", piece, mention.start, mention.end)
        people = [(s, e) for s, e, kind in spans if kind == "PERSONA"]
        inside = [(m.start, m.end) for m in piece.mentions]
        for start, end in people:
            touched = {m.person for m in piece.mentions if m.start < end and start < m.end}
            out.spans += 1
            out.false += not touched
            out.merged += len(touched) > 1
            loose = [w for w in _WORD.finditer(text, start, end) if not _within(w.span(), inside)]
            out.swallowed += bool(touched and [w for w in loose if fold_chars(w[0]) not in LOOSE])
            if show and (loose or not touched or len(touched) > 1):
                kind = "merged" if len(touched) > 1 else "swallowed" if touched else "false"
                show.line(kind, piece, start, end)
        for word in _WORD.finditer(text):
            if not _within(word.span(), inside):
                out.words += 1
                out.masked_words += _within(word.span(), people)
        for start, end in piece.protected:
            out.protected += 1
            out.protected_hit += any(s < end and start < e for s, e in people)
    return out


def _within(span: tuple[int, int], spans: Sequence[tuple[int, int]]) -> bool:
    return any(s <= span[0] and span[1] <= e for s, e in spans)


class Shown:
    """Prints the first failures of each kind and layout; for development only."""

    def __init__(self, most: int, only: str = "") -> None:
        self.left = most
        self.only = only
        self.seen: Counter[tuple[str, str]] = Counter()

    def line(self, what: str, piece: Minutes, start: int, end: int) -> None:
        """One failure with its surroundings."""
        if self.only and what not in self.only.split(","):
            return
        self.seen[what, piece.layout] += 1
        if self.seen[what, piece.layout] > self.left:
            return
        text = piece.text
        before, after = text[max(0, start - 45) : start], text[end : end + 25]
        print(f"  {what:<9} {piece.country} {piece.layout:<20} {before!r}[{text[start:end]!r}]{after!r}")


HEAD = (f"{'form':<10}{'mentions':>9}{'leaked':>7}{'leak %':>8}  {'95 % interval':<15}{'whole':>6}{'false per':>10}"
        f"{'ordinary %':>11}{'protected %':>12}{'merged %':>9}{'swallowed %':>12}{'stock leak %':>13}")  # fmt: skip


def row(form: str, f: Figures, stock: Figures | None) -> str:
    """One line of the table."""
    low, high = clopper_pearson(f.leaked, f.mentions)
    theirs = f"{100 * stock.leak:.2f}" if stock else "-"
    return (f"{form:<10}{f.mentions:>9}{f.leaked:>7}{100 * f.leak:>8.2f}  {f'{100 * low:.2f} - {100 * high:.2f}':<15}{f.whole:>6}"
            f"{f.characters_per_false:>10}{100 * f.masked_words / max(1, f.words):>11.2f}"
            f"{100 * f.protected_hit / max(1, f.protected):>12.2f}{100 * f.merged / max(1, f.spans):>9.2f}"
            f"{100 * f.swallowed / max(1, f.spans):>12.2f}{theirs:>13}")  # fmt: skip


def table(
    title: str, minutes: Sequence[Minutes], forms: Sequence[str], *, stock: bool, verbose: int, only: str = ""
) -> dict[str, Figures]:
    """Measure and print one set of pieces in each form."""
    print(f"\n{title}: {len(minutes)} pieces\n{HEAD}")
    found = {}
    for form in forms:
        texts = [variants(m)[form] for m in minutes]
        theirs = measure(texts, by_stock([m.text for m in texts])) if stock else None
        shown = Shown(verbose, only) if verbose else None
        found[form] = measure(texts, by_ours(texts), shown)
        print(row(form, found[form], theirs))
        kinds = (f"{k} {bad}/{n}" for k, (n, bad) in sorted(found[form].kinds.items()) if bad)
        print(f"{'':<10}leaked by kind: {', '.join(kinds) or 'none'}", flush=True)
    return found


def broken(figures: dict[str, Figures]) -> Iterator[str]:
    """The promises that the generator's held-out half does not keep."""
    for form, f in figures.items():
        if form in BOUNDS and f.leak > BOUNDS[form]:
            yield f"{form}: leak {f.leak:.2%}, promised at most {BOUNDS[form]:.2%}"
    printed = figures.get("printed")
    if printed:
        if printed.whole:
            yield f"printed: {printed.whole} whole names readable, promised none"
        if printed.characters_per_false < 5000:
            yield f"printed: a false person in {printed.characters_per_false} characters, promised 1 in 5,000"
        if printed.masked_words > 0.003 * printed.words:
            yield f"printed: {printed.masked_words / printed.words:.2%} of ordinary words masked, promised .3 %"
        if printed.merged > 0.005 * printed.spans:
            yield f"printed: {printed.merged / printed.spans:.2%} of persons merged, promised .5 %"


def main() -> None:
    """Measure the halves asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--half", choices=("development", "held-out", "both"), default="both")
    parser.add_argument("--count", type=int, default=400, help="generated pieces of both halves together")
    parser.add_argument("--seed", type=int, default=None, help="of the generated minutes")
    parser.add_argument("--forms", default="printed,capitals,lower,asr")
    parser.add_argument(
        "--verbose", type=int, default=0, help="show so many failures of each kind and layout"
    )
    parser.add_argument("--only", default="", help="of --verbose: leak,false,merged,swallowed")
    parser.add_argument("--part", choices=("generated", *HANDWRITTEN, "both"), default="both")
    parser.add_argument("--stock", action="store_true", help="measure stock Presidio beside it")
    parser.add_argument("--quick", action="store_true", help="100 pieces, with stock")
    given = parser.parse_args()
    if given.verbose and given.half != "development":
        parser.error("failures are shown of the development half only: --half development")
    forms = given.forms.split(",")
    count = 106 if given.quick else given.count
    faults: list[str] = []
    for half in ("development", "held-out") if given.half == "both" else (given.half,):
        for part, made in (
            ("generated", pieces(half, count, given.seed)),
            *((name, handwritten(half, name)) for name in HANDWRITTEN),
        ):
            if given.part not in (part, "both"):
                continue
            title = f"{part}, {half} half"
            figures = table(
                title, made, forms, stock=given.stock or given.quick, verbose=given.verbose, only=given.only
            )
            if half == "held-out" and part == "generated":
                faults += broken(figures)
    for fault in faults:
        sys.stdout.write(f"BROKEN {fault}\n")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
