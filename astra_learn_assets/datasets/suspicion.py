"""Changes that turn a sentence against its meaning: they need a second author, or never teach.

A correction of what was heard sounds like it. A changed amount, a negation that went or came, two people who
changed places, a vote turned round: each is one small edit that no quality rule minds, and each may be
right, because recognizers do mishear numbers. So such a change counts when a second author made the same
one; what no correction ever is, is left out at once. Three such changes, or three in ten, and nothing of the
document is believed.

=====================  ==============================================================================
``numeral``            the numbers are others (digits or words), or their unit or magnitude is
``negation``           a negation came or went
``opposite``           a word became its opposite (a favor, en contra; aprueba, rechaza)
``moved_words``        words or people changed places
``added_words``        four words or more in a row that nobody had heard
``unlike_word``        a word became one that neither sounds nor looks like it
``unknown_word``       a new word, in lower case, that the lexicon has not
---------------------  ------------------------------------------------------------------------------
``homoglyph``          letters of another script between Latin ones
``lost_accents``       accents that were there are gone (the few that the Academy lets go apart)
``lost_capitals``      capitals and full stops that were there are gone
``planted_secret``     a password, a key, an account: words that announce one, or a token that looks like one
=====================  ==============================================================================

The first seven are *unconfirmed* until a second author has them (:func:`unconfirmed`); the last four are
never learned (:func:`never`).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from astra_learn_assets.contracts import Example
from astra_learn_assets.datasets.word_changes import changed_stretches
from astra_learn_assets.spanish import lexicon
from astra_learn_assets.spanish.fold import near_fold
from astra_learn_assets.spanish.placeholder import PLACEHOLDER
from astra_learn_assets.spanish.text import accents
from astra_learn_assets.spanish.word_tables import read_folded, read_table

_FOLDER = Path(__file__).with_name("tables")
_TOKEN = re.compile(rf"{PLACEHOLDER.pattern}|\d+(?:[.,:/]\d+)*|[^\W\d_]+")
_SECRET = re.compile(
    r"(?=\w*\d)(?=\w*[A-Za-z])[\w-]{12,}|\b[A-Z]{2}\d{2}(?: ?\d{4}){3,}\b|\w+-\w+-\w+(?:-\w+)*"
)
_LIKE = 0.45  # share of letters that a mishearing keeps
_ADDED = 4
_CAPITALS = 2
_SUSPECT, _SUSPECT_SHARE = 3, 0.3


@dataclass(frozen=True)
class Change:
    """What was changed into what, folded; equal changes of two authors confirm each other."""

    kind: str
    was: tuple[str, ...]
    now: tuple[str, ...]


def never(example: Example) -> str | None:
    """Why an example is never learned, whoever sent it; None when nothing speaks against it."""
    before, after = example.input, example.output
    if _foreign_letters(after) - _foreign_letters(before):
        return "homoglyph"
    was, now = _tokens(before), _tokens(after)
    if _lost_accents(was, now):
        return "lost_accents"
    if _lost_capitals(before, after):
        return "lost_capitals"
    if _secrets(after) - _secrets(before):
        return "planted_secret"
    return None


def changes(example: Example) -> tuple[Change, ...]:
    """The changes of an example that need a second author."""
    was = [near_fold(word) for word in _tokens(example.input)]
    raw = _tokens(example.output)
    now = [near_fold(word) for word in raw]
    found = list(_whole_sentence(was, now))
    removed: Counter[str] = Counter()
    added: Counter[str] = Counter()
    for block in changed_stretches(was, now):
        left, right = tuple(was[block[0] : block[1]]), tuple(now[block[2] : block[3]])
        removed.update(left)
        added.update(right)
        found += _block(left, right, raw[block[2] : block[3]])
    moved = {word for word in removed & added if len(word) > 3 or word.startswith("<")}
    if moved:
        found.append(Change("moved_words", tuple(sorted(moved)), tuple(now)))
    return tuple(dict.fromkeys(found))


def changes_the_sense(was: Sequence[str], now: Sequence[str]) -> bool:
    """Whether words that became others hold a figure, a number, a negation, a unit or an opposite."""
    left, right = [[plain for word in words if (plain := near_fold(word))] for words in (was, now)]
    numeral = any(word[0].isdigit() or word in number_words() for word in (*left, *right))
    opposite = any((word, other) in _opposites() for word in left for other in right)
    return numeral or opposite or any(True for _ in _whole_sentence(left, right))


def unconfirmed(examples: Sequence[Example], contributors: Mapping[str, str] | None = None) -> dict[str, str]:
    """``example_id`` -> kind, of every example with a change that one author alone has made.

    ``contributors`` maps document to author; a document without one counts as an author of its own.
    """
    authors: defaultdict[Change, set[str]] = defaultdict(set)
    made: dict[str, tuple[Change, ...]] = {}
    for example in examples:
        document = example.meta.document_id
        made[example.meta.example_id] = own = changes(example)
        for change in own:
            authors[change].add((contributors or {}).get(document, document))
    return {
        identity: f"unconfirmed_{alone.kind}"
        for identity, own in made.items()
        if (alone := next((change for change in own if len(authors[change]) < 2), None))
    }


def suspects(examples: Sequence[Example], found: Mapping[str, str]) -> dict[str, str]:
    """Documents of which so much was ``found`` that the rest is not believed either: document -> why."""
    sizes = Counter(example.meta.document_id for example in examples)
    hits: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for example in examples:
        if (reason := found.get(example.meta.example_id)) is not None:
            hits[example.meta.document_id][reason] += 1
    return {
        document: reasons.most_common(1)[0][0]
        for document, reasons in sorted(hits.items())
        if reasons.total() >= max(_SUSPECT, _SUSPECT_SHARE * sizes[document])
    }


def _block(left: tuple[str, ...], right: tuple[str, ...], raw: Sequence[str]) -> Iterator[Change]:
    """What one changed stretch of words does."""
    if len(right) - len(left) >= _ADDED:
        yield Change("added_words", left, right)
    opposites = _opposites()
    for word in left:
        if any((word, other) in opposites for other in right):
            yield Change("opposite", left, right)
            break
    known = set("".join(left))
    for folded, word in zip(right, raw, strict=True):
        if not folded[0].isalpha():
            continue
        if word.islower() and not _is_known(word, folded):
            yield Change("unknown_word", left, (folded,))
    if left and right and known and not _is_alike(left, right):
        yield Change("unlike_word", left, right)


def _whole_sentence(was: Sequence[str], now: Sequence[str]) -> Iterator[Change]:
    """Numbers and negations are counted over the sentence: written otherwise they stay what they are."""
    before, after = numbers(was), numbers(now)
    if before != after:
        yield Change("numeral", tuple(sorted(before.elements())), tuple(sorted(after.elements())))
    units = _table("units")
    left = Counter(word for word in was if word in units)
    right = Counter(word for word in now if word in units)
    if left != right:
        yield Change("numeral", tuple(sorted(left.elements())), tuple(sorted(right.elements())))
    negations = _table("negations")
    gone = Counter(word for word in was if word in negations)
    come = Counter(word for word in now if word in negations)
    if gone.total() != come.total():
        yield Change("negation", tuple(sorted(gone.elements())), tuple(sorted(come.elements())))


_MILLION = frozenset({"millon", "millones"})
_FIGURES = re.compile(r"\d+(?:[.,]\d+)*")


def numbers(words: Sequence[str]) -> Counter[str]:
    """The values in a text of folded words: "mil doscientos" and "1.200" are the same one, "tres coma cinco"
    and "3,5", "dos millones y medio" and "2,5 millones", "05" and "cinco"; "por ciento" is no hundred."""
    values = number_words()
    found: Counter[str] = Counter()
    position = 0
    while position < len(words):
        word = words[position]
        if word[0].isdigit():
            position += 1
            millions = position < len(words) and words[position] in _MILLION
            for figures in _FIGURES.findall(word):
                for number in _of_figures(figures):
                    found[_value(number * (1_000_000 if millions else 1))] += 1
        elif values.get(word) == 1 and values.get("".join(words[position + 1 : position + 2]), 1_000) < 1_000:
            position += 1  # "un ocho por ciento"
        elif word in values and not (word == "ciento" and words[position - 1 : position] == ["por"]):
            value, position = _spoken(words, position, values)
            found[_value(value)] += 1
        else:
            position += 1
    found.pop("1", None)  # "un", "una": an article far more often than a number
    return found


def _of_figures(figures: str) -> list[Decimal]:
    """As it is written in Spanish: a point or comma before three figures parts thousands, one other mark
    parts decimals; with more of them it is a date or a heading ("9.12.2020", "3.1.2"), a number a part."""
    plain = re.sub(r"[.,](?=\d{3}(?:\D|$))", "", figures).replace(",", ".")
    return [Decimal(plain)] if plain.count(".") < 2 else [Decimal(part) for part in plain.split(".")]


def _value(number: Decimal) -> str:
    return format(number.normalize(), "f")


def _spoken(words: Sequence[str], start: int, values: Mapping[str, int]) -> tuple[Decimal, int]:
    """The number in words that begins at ``start``, and where it ends."""
    whole = total = run = 0
    position = start
    while position < len(words):
        word = words[position]
        following = words[position + 1] if position + 1 < len(words) else ""
        if word in values:
            if values[word] == 1_000:
                total, run = total + max(run, 1) * 1_000, 0
            else:
                run += values[word]
        elif word in _MILLION:
            whole, total, run = whole + (total + run) * 1_000_000, 0, 0
            if words[position + 1 : position + 3] == ["y", "medio"]:
                return Decimal(whole + 500_000), position + 3
        elif word == "coma" and following in values:
            decimals, end = _decimals(words, position + 1, values)
            return Decimal(f"{whole + total + run}.{decimals}"), end
        elif word == "y" and following in ("medio", "media"):
            return Decimal(whole + total + run) + Decimal("0.5"), position + 2
        elif not (word == "y" and run % 100 in range(20, 100, 10) and values.get(following, 10) < 10):
            break  # "dos mil ocho y dos mil nueve" are two
        position += 1
    return Decimal(whole + total + run), position


def _decimals(words: Sequence[str], start: int, values: Mapping[str, int]) -> tuple[str, int]:
    """What is said behind the comma, figure by figure ("cero cinco") or as a number ("treinta y cuatro")."""
    zeros, position = "", start
    while position < len(words) and values.get(words[position]) == 0:
        zeros, position = f"{zeros}0", position + 1
    if position == len(words) or words[position] not in values:
        return zeros, position
    value, end = _spoken(words, position, values)
    return f"{zeros}{int(value)}", end


def _is_alike(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Whether what was written can be what was heard: most letters in the same order."""
    one, two = "".join(left), "".join(right)
    if any(part[0].isdigit() or part.startswith("<") for part in (*left, *right)):
        return True  # numbers and people have rules of their own
    return Levenshtein.normalized_similarity(one, two) >= _LIKE or min(len(one), len(two)) <= 3


def _is_known(word: str, folded: str) -> bool:
    return lexicon.is_common(word) or folded in lexicon.ordinary_words() or len(folded) < 3


def _lost_accents(was: Sequence[str], now: Sequence[str]) -> bool:
    free = _table("accents_let_go")
    before, after = [near_fold(word) for word in was], [near_fold(word) for word in now]
    lost = gained = 0
    for code in Levenshtein.opcodes(before, after):
        if code.tag != "equal":
            continue
        for left, right in zip(
            was[code.src_start : code.src_end], now[code.dest_start : code.dest_end], strict=True
        ):
            if near_fold(left) in free:
                continue
            lost += accents(left) > accents(right)
            gained += accents(left) < accents(right)
    return lost > gained


def _lost_capitals(before: str, after: str) -> bool:
    was = sum(word[0].isupper() for word in _tokens(before) if not word.startswith("<"))
    now = sum(word[0].isupper() for word in _tokens(after) if not word.startswith("<"))
    ends = before.rstrip().endswith(".") and not after.rstrip().endswith((".", "?", "!", "…", ":", ";"))
    return (was > 0 and now == 0 and before[:1].isupper()) or was - now > _CAPITALS or ends


def _secrets(text: str) -> set[str]:
    words = {near_fold(word) for word in _tokens(text)}
    return (words & _table("secret_words")) | {
        match[0] for match in _SECRET.finditer(PLACEHOLDER.sub(" ", text)) if not match[0].isdigit()
    }


def _foreign_letters(text: str) -> set[str]:
    """Letters of other scripts; the ordinals ª and º are called by their gender."""
    latin = ("LATIN", "FEMININE", "MASCULINE")
    return {c for c in text if c.isalpha() and not unicodedata.name(c, "LATIN").startswith(latin)}


def _tokens(text: str) -> list[str]:
    return [match[0] for match in _TOKEN.finditer(text)]


@lru_cache(maxsize=8)
def _table(name: str) -> frozenset[str]:
    return frozenset(map(near_fold, read_folded(_FOLDER / f"{name}.txt")))


@lru_cache(maxsize=1)
def _opposites() -> frozenset[tuple[str, str]]:
    """Both ways; a line of the table is ``word=opposite``."""
    found = set()
    for line in read_table(_FOLDER / "opposites.txt"):
        one, _, two = line.partition("=")
        found |= {(one, two), (two, one)}
    return frozenset(found)


@lru_cache(maxsize=1)
def number_words() -> Mapping[str, int]:
    """Lower-case words for numbers, with their accents, and their values."""
    found = {}
    for line in read_table(_FOLDER / "number_words.txt"):
        word, _, value = line.partition("=")
        found[word] = int(value)
    return found
