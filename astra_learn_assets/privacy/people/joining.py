"""Persons found by several rules made one: loose ends off, neighbours joined, repeats of a name found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from astra_learn_assets.privacy.identifiers.rules import Finding, Spans
from astra_learn_assets.privacy.people import persons
from astra_learn_assets.privacy.people.name_runs import AS_IT_STANDS
from astra_learn_assets.privacy.people.runs import ABBREVIATIONS, is_given, may_be_name, never_names
from astra_learn_assets.privacy.people.tables import words
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.lexicon import given_names, role_words

_WORD_BEFORE = re.compile(r"(?<![\w’'-])([^\W\d_]+)[.]?[ ]$")
_ACTS = words("person_verbs")
_CALLED = words("person_nouns")
_FUNCTION = words("function_words")
_PLAIN_BRIDGE = re.compile(r"[ ]([^\W\d_]{3,})[ ]")
_JOINT = re.compile(r"[ ]{1,2}|-|")
_BRIDGE = re.compile(r"[ ]([A-ZÁÉÍÓÚÑÀÈÒÇ][a-záéíóúüñàèòç]{2,})[ ]")  # "Hilda [Barco] Samaniego"
_PRINTED_BEFORE = re.compile(r"(?<!\w)[a-záéíóúñ]{2,} $")
_LOOSE_WORD = re.compile(r"\w+")


def repeat_names(text: str, names: Sequence[str], kept: Sequence[tuple[int, int]] = ()) -> list[Finding]:
    """Places in ``text`` where a word of one of ``names`` stands again.

    Lower-case repeats count only for words that are no ordinary Spanish ("casado", "blanco").
    """
    words = {
        fold_chars(w)
        for name in names
        for w in persons.WORD.findall(name)
        if len(w) > 2 and fold_chars(w) not in persons.PARTICLES
    }
    if not words:
        return []
    found = []
    spans = Spans(kept)
    tokens = persons.tokens(text)
    for (start, end), folded in zip(tokens.spans, tokens.words, strict=True):
        if folded not in words or spans.hold(start, end):
            continue
        ordinary = persons.is_ordinary(folded)
        if ordinary and (
            not text[start].isupper()
            or _starts_sentence(text, start)
            or (persons.is_common(folded) and not _stands_alone(text, start, end))
        ):
            continue
        found.append(Finding(start, end, "PERSONA", persons.RANK - 5, "repeat"))
    return found


def join_names(text: str, found: Sequence[Finding], apart: frozenset[int] = frozenset()) -> list[Finding]:
    """Findings with persons trimmed of loose ends and joined where only a space or hyphen parts them.

    ``apart``: where another person begins for sure, so that no full name is joined to what stands before.
    """
    out: list[Finding] = []
    for finding in found:
        if finding.kind == "PERSONA":
            trimmed = _trim(text, finding)
            if trimmed is None:
                continue
            if trimmed.rank < AS_IT_STANDS and trimmed.detector != "repeat":
                last_word = persons.more_surnames(text, trimmed.start, trimmed.end)
                if last_word > trimmed.end and not any(trimmed.end < at < last_word for at in apart):
                    trimmed = replace(trimmed, end=last_word)
            last = out[-1] if out else None
            if last and last.end > trimmed.start:
                if last.end >= trimmed.end:
                    continue
                trimmed = replace(trimmed, start=last.end)
            if (
                last
                and last.kind == "PERSONA"
                and not (trimmed.start in apart and _both_full(text, last, trimmed))
                and _joined(text, last, trimmed)
            ):
                rank = max(last.rank, trimmed.rank)
                out[-1] = Finding(last.start, trimmed.end, "PERSONA", rank, last.detector)
                continue
            finding = (
                _with_given_name(text, trimmed) if last is None or last.end < trimmed.start - 24 else trimmed
            )
        out.append(finding)
    return out


_COURTESY = re.compile(
    r"(?<![\w.])(?:(?P<letter>[dD][.])|(?i:d[.]?[ªa][.]?|d[ñn]ª[.]?|dña[.]?|don|doña|sr(?:a|ta)?[.]))"
    r"(?:\s|\Z)\s*"
)
_COMMA = re.compile(r",\s")
_AS_IT_STANDS = 80  # above it are the municipality's own lists


def parted(text: str, found: Sequence[Finding]) -> list[Finding]:
    """Findings with the people of a row told apart: "Ana Ruiz Paz [D.] Luis Gil Mar, Eva Sol Roca".

    A courtesy inside a person's span begins the next one; "D." may be an initial ("Juan D. Ruiz"), so a name
    in full has to stand on both sides of it, as it has of a comma ("Ruiz Paz, Ana" is one person).
    """
    return [piece for finding in found for piece in _parted(text, finding)]


def _parted(text: str, finding: Finding) -> list[Finding]:
    if finding.kind != "PERSONA" or finding.rank > _AS_IT_STANDS:
        return [finding]
    out, at = [], finding.start
    cuts = [*_COURTESY.finditer(text, at, finding.end), *_COMMA.finditer(text, at, finding.end)]
    for cut in sorted(cuts, key=lambda one: one.start()):
        sure = cut.re is _COURTESY and not cut["letter"]
        before, after = (
            persons.WORD.findall(text[a:b]) for a, b in ((at, cut.start()), (cut.end(), finding.end))
        )
        ends = cut.re is _COMMA  # "Ruiz Paz, Ana María" has no surname behind the comma
        full = all(_is_in_full(w, ends) for w in (before, after))
        if not before or not (sure or not after or full or (ends and _is_sender(before, after))):
            continue
        out.append(replace(finding, start=at, end=at + len(text[at : cut.start()].rstrip())))
        at = cut.end()
    if at < finding.end:
        out.append(replace(finding, start=at))
    return out


def _is_sender(person: Sequence[str], words: Sequence[str]) -> bool:
    """Whether the office that sent somebody stands behind the comma: "Gisela Barraza, MINVU"."""
    office = len(words) == 1 and words[0].isupper() and not may_be_name(fold_chars(words[0]))
    return office and len(person) > 1 and person[-1].istitle()


def _is_in_full(words: Sequence[str], ends: bool) -> bool:
    """Whether words begin with a given name, and with ``ends`` do not end with one.

    A word of no list begins a name as well ("Koldo Arizcuren").
    """
    folded = [fold_chars(word) for word in words]
    if len(folded) < 2 or (ends and is_given(folded[-1])):
        return False
    return is_given(folded[0]) or not (may_be_name(folded[0]) or persons.is_ordinary(folded[0]))


def _both_full(text: str, first: Finding, second: Finding) -> bool:
    """Whether each of two findings has two words, a given name and a surname."""
    return " " in text[first.start : first.end].strip() and " " in text[second.start : second.end].strip()


def _joined(text: str, first: Finding, second: Finding) -> bool:
    """Whether nothing, or one more word of the same name, parts two persons."""
    plain = _PLAIN_BRIDGE.fullmatch(text, first.end, second.start)
    if plain and text[first.start : first.end].islower() and text[second.start : second.end].islower():
        return _is_bridge(fold_chars(plain[1])) and is_given(
            fold_chars(text[first.start : first.end]).split()[0]
        )
    bridge = _BRIDGE.fullmatch(text, first.end, second.start)
    if bridge is None or "repeat" in (first.detector, second.detector):
        return bridge is None and _JOINT.fullmatch(text, first.end, second.start) is not None
    return fold_chars(bridge[1]) not in role_words() and not text[second.start : second.end].isupper()


def _is_bridge(word: str) -> bool:
    """Whether a plain word between a given name and a surname is of the name: "naroa oscuro sánchez"."""
    return not (
        word in never_names()
        or word in persons.PARTICLES
        or word in role_words()
        or word in _ACTS
        or word in _CALLED
        or (persons.is_inflected(word) and not persons.is_ordinary(word))
        or word in _FUNCTION
    )


def _with_given_name(text: str, finding: Finding) -> Finding:
    """The finding with a given name or initial that stands right before it ("flora [millahual]")."""
    before = _WORD_BEFORE.search(text[max(0, finding.start - 24) : finding.start])
    if finding.rank >= AS_IT_STANDS or not before or fold_chars(before[1]) in ABBREVIATIONS | never_names():
        return finding
    word = fold_chars(before[1])
    head = finding.start - len(before[0])
    unlisted = (  # "interviene [Ion] Cruz": in printed text, behind a word that is none of it
        before[1].istitle()
        and not text[finding.start : finding.end].isupper()
        and before.start() > 0
        and not (persons.is_common(word) or word in persons.TITLE_WORDS)
        and _PRINTED_BEFORE.search(text[max(0, finding.start - 36) : head]) is not None
    )
    if word in persons.PARTICLES or not (
        word in given_names()
        or (is_given(word) and not before[1].istitle())
        or (len(word) == 1 and "." in before[0])
        or unlisted
    ):
        return finding
    if persons.is_citizen(text, finding.start - len(before[0])):
        return finding
    start = finding.start - len(before[0])
    return Finding(start, finding.end, finding.kind, finding.rank, finding.detector)


def _trim(text: str, finding: Finding) -> Finding | None:
    if (
        finding.rank >= AS_IT_STANDS and finding.detector == "title"
    ):  # initials and nicknames are what they are
        return finding
    words = list(_LOOSE_WORD.finditer(text, finding.start, finding.end))
    while words and fold_chars(words[0][0]) in ("y", "e", "i") and words[0][0].islower():
        words.pop(0)
    while (
        len(words) > 1
        and fold_chars(words[-1][0]) in persons.PARTICLES | {"y", "e", "a"}
        and _loose(text, words[-1])
    ):
        words.pop()
    if not words or (finding.rank < AS_IT_STANDS and not any(len(w[0]) > 1 for w in words)):
        return None
    end = words[-1].end()
    if len(words[-1][0]) == 1 and text[end : end + 1] == "." and end < finding.end:
        end += 1
    return Finding(words[0].start(), end, finding.kind, finding.rank, finding.detector)


def _loose(text: str, word: re.Match[str]) -> bool:
    """Whether a last word is a link and no initial: "de", also "DE" or "Y" in capitals, not "Y."."""
    return (
        word[0].islower()
        or (len(word[0]) > 1 and word[0].isupper())
        or text[word.end() : word.end() + 1] != "."
    )


_PLAIN_BEFORE = re.compile(r"(?:[,;(«\"]|(?<!\w)(?:a|que|según|y|o|e|no|entre|contra)) ?$")


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether a capital inside a sentence has no other reason: "sanciona a Calle y no a Colque"."""
    return (
        text[start:end].istitle()
        and _PLAIN_BEFORE.search(text[max(0, start - 10) : start]) is not None
        and not (text[end : end + 1] == " " and text[end + 1 : end + 2].isupper())
    )


def _starts_sentence(text: str, start: int) -> bool:
    return re.search(r"(?:^|[.!?¿¡:\n]\s*)$", text[max(0, start - 3) : start]) is not None
