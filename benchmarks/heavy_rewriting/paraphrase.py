"""From what was said to what a clerk writes: corrections, formal register, order of clauses, contradictions.

Pure functions of a sentence or a text, and of the random choices that are handed in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from random import Random

from benchmarks.heavy_rewriting.lexicon import negations, phrase_rules, terms
from benchmarks.heavy_rewriting.speech import NUMERIC, Sentence, Value, draw_value, finished, join

_ORDERS = (
    (re.compile(r"^(?P<a>[^,]{12,}?) porque (?P<b>[^,]{6,})\.$"), "Debido a que {b}, {a}."),
    (re.compile(r"^(?P<a>[^,]{12,}?) cuando (?P<b>[^,]{6,})\.$"), "Cuando {b}, {a}."),
    (re.compile(r"^(?P<a>[^,]{12,}?) desde (?P<b>el \d[^,]*|\d{4})\.$"), "Desde {b}, {a}."),
    (re.compile(r"^(?P<a>[^,]{12,}?) antes de(?P<b>l \d[^,]*|l invierno)\.$"), "Antes de{b}, {a}."),
    (re.compile(r"^(?P<a>[^,]{12,}?) según (?P<b>[^,]{6,})\.$"), "Según {b}, {a}."),
    (re.compile(r"^(?P<a>[^,]{4,40}?) dice que (?P<b>.{8,})\.$"), "Según {a}, {b}."),
    (re.compile(r"^(?P<a>[^,]{4,40}?) (?:pidió|pide) (?P<b>.{8,})\.$"), "Por parte de {a} se solicita {b}."),
    (
        re.compile(r"^(?P<a>[^,]{4,40}?) propone que (?P<b>.{8,})\.$"),
        "A propuesta de {a}, se plantea que {b}.",
    ),
)


def heard(sentence: Sentence) -> str:
    """The sentence as the draft shows it."""
    return join([token.heard for token in sentence.tokens])


def corrected(sentence: Sentence, rng: Random, care: float = 1.0) -> str:
    """The sentence with each of the recognizer's errors put right with chance ``care``."""
    return join([token.right if rng.random() < care else token.heard for token in sentence.tokens])


def written(sentence: Sentence, rng: Random, boldness: float) -> str:
    """The sentence in the formal register: by hand where there is such a form, else by rule.

    ``boldness`` (0 to 1) is the chance of each step. All that was said is still said.
    """
    if sentence.formal and rng.random() < 0.4 + boldness:
        return sentence.formal
    text = corrected(sentence, rng)
    if rng.random() < boldness:
        text = reordered(text)
    return by_phrase_rules(text, rng, 0.3 + 0.7 * boldness)


def reordered(text: str) -> str:
    """The text with its clauses in another order, or unchanged when no pattern fits."""
    for pattern, frame in _ORDERS:
        if found := pattern.match(text):
            parts = {key: lowered(part) if key == "a" else part for key, part in found.groupdict().items()}
            return finished(frame.format(**parts))
    return text


def by_phrase_rules(text: str, rng: Random, chance: float) -> str:
    """The text with spoken phrases replaced by written ones, the longest first, each with the given chance.

    A place that a longer phrase fits is settled by it, replaced or not: no rule works on a part of it.
    """
    settled: list[str] = []
    for pattern, phrase in phrase_rules():
        replaced = rng.random() < chance

        def settle(match: re.Match[str], phrase: str = phrase, replaced: bool = replaced) -> str:
            capital = match[0][0].isupper()
            settled.append((phrase[0].upper() + phrase[1:] if capital else phrase) if replaced else match[0])
            return f"\x00{len(settled) - 1}\x00"

        text = pattern.sub(settle, text)
    return join(re.sub(r"\x00(\d+)\x00", lambda mark: settled[int(mark[1])], text).split())


def lowered(text: str) -> str:
    """The text with a small first letter where its first word is an ordinary one."""
    first = text.split(" ", 1)[0].lower()
    return text[0].lower() + text[1:] if first in _ordinary_starts() else text


@cache
def _ordinary_starts() -> frozenset[str]:
    return frozenset(terms("lowered_starts.txt"))


def reported(who: str, sentences: Sequence[str], rng: Random) -> str:
    """The sentences as reported speech of somebody: "Don N manifiesta que …"."""
    verb = rng.choice(terms("saying_verbs.txt"))
    first = re.sub(r"^Se (manifiesta|sostiene|señala|indica) que ", "", sentences[0])
    return join([finished(who).rstrip("."), verb, lowered(first), *sentences[1:]])


def contradicted(text: str, values: Sequence[Value], rng: Random) -> tuple[str, str] | None:
    """The text with another numeral, name or negation, and which of them; None when it has none."""
    ways = ["numeral", "name", "negation"]
    rng.shuffle(ways)
    for way in ways:
        if way == "negation":
            changed = _negated(text)
        else:
            fitting = [value for value in values if (value.slot in NUMERIC) == (way == "numeral")]
            changed = _other_value(text, fitting, rng)
            if changed is None and way == "numeral":
                changed = _other_figure(text, rng)
        if changed is not None and changed != text:
            return changed, way
    return None


def _negated(text: str) -> str | None:
    for pattern, contrary in negations():
        if pattern.search(text):
            return pattern.sub(contrary, text, count=1)
    return None


def _other_value(text: str, values: Sequence[Value], rng: Random) -> str | None:
    for value in values:
        for form in dict.fromkeys((value.formal, value.spoken, value.misheard)):
            if found := re.search(rf"(?<![\w.,/]){re.escape(form)}(?![\w/]|[.,]\d)", text):
                others = [draw_value(value.slot, rng) for _ in range(8)]
                other = next((other.formal for other in others if other.formal != value.formal), None)
                if other is not None:
                    return text[: found.start()] + _same_unit(form, other) + text[found.end() :]
    return None


def _same_unit(form: str, other: str) -> str:
    for unit in ("pesos", "soles", "quetzales"):
        if form.endswith(unit):
            return other.replace("euros", unit)
    return other


def _other_figure(text: str, rng: Random) -> str | None:
    figures = list(re.finditer(r"\d+", text))
    if not figures:
        return None
    chosen = rng.choice(figures)
    return text[: chosen.start()] + str(int(chosen[0]) + rng.randrange(1, 40)) + text[chosen.end() :]
