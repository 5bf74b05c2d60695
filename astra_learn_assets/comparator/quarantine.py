"""Should anything be learned from this document at all?

One careless or hostile upload can teach a municipality's model nonsense, so the document is looked
at as a whole before its pairs are believed: another document, most of it gone, rewritten beyond
recognition, filled with one repeated text, with words no language has, with insults, one word
replaced by an unlike one all over, letters of another script among ours, accents gone everywhere, or the
names of one council replaced by those of another. The
first rule that fits gives the reason, in Spanish, for the clerk; a quarantined document changes
nothing until a person looks at it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from astra_learn_assets.comparator.metrics import count_words
from astra_learn_assets.comparator.names.phonetics import likeness
from astra_learn_assets.comparator.names.word_diff import Difference, difference
from astra_learn_assets.spanish import lexicon
from astra_learn_assets.spanish.fold import letters
from astra_learn_assets.spanish.text import accents, mixes_scripts

_WORD = re.compile(r"[^\W\d_]+")

_SCRIPTS, _ACCENTS = 2, 8
_REWRITTEN_WORDS, _CORRECTED_SHARE = 120, 0.45


@dataclass(frozen=True)
class Change:
    """One block of the draft and what became of it; "" where a side is missing."""

    before: str
    after: str
    similarity: float
    pending: bool = False

    @cached_property
    def difference(self) -> Difference:
        """Where the two texts differ."""
        return difference(self.before, self.after)

    @cached_property
    def replaced(self) -> list[tuple[list[str], list[str]]]:
        """Words taken out and words put in, per stretch."""
        if self.before == self.after:
            return []
        old, new, links = self.difference
        return [
            (
                [t.text for t in old[link.b0 : link.b1] if t.text[0].isalpha()],
                [t.text for t in new[link.a0 : link.a1] if t.text[0].isalpha()],
            )
            for link in links
        ]


@dataclass(frozen=True)
class Evidence:
    """The document as a whole. ``confidence`` 0..1: how much of the draft found its place in the final."""

    changes: Sequence[Change]
    inserted: Sequence[str]
    deleted: Sequence[str]
    other_document_id: bool
    confidence: float
    too_much: bool = False  # more changes than are looked at one by one
    corrections: Sequence[bool] = ()  # of each change, whether it does nothing but correct


def document_confidence(
    changes: Sequence[Change], deleted: Sequence[str], confidences: Sequence[float]
) -> float:
    """Share of the draft's words that found a likely place in the final, 0..1.

    A paired block counts with the probability that it is the same utterance, text typed in another's place
    with none; deleted ones count half, for deleting is an ordinary edit; pending audio, which had no words,
    does not count.
    """
    total = kept = 0.0
    for change, confidence in zip(changes, confidences, strict=True):
        if change.pending:
            continue
        words = count_words(change.before) or 1
        total += words
        kept += words * confidence
    gone = sum(map(count_words, deleted))
    return 1.0 if total + gone == 0 else kept / (total + gone / 2)


def reason_to_quarantine(evidence: Evidence, *, confidence_minimum: float) -> str | None:
    """A Spanish sentence, or None when the document may be learned from."""
    if evidence.too_much:
        return "El documento tiene demasiados cambios para revisarlos solo: una persona debe hacerlo."
    changes = [c for c in evidence.changes if not c.pending]
    kept_words = sum(count_words(c.before) for c in changes)
    gone_words = sum(map(count_words, evidence.deleted))
    if evidence.other_document_id and evidence.confidence < max(0.8, confidence_minimum):
        return "El archivo es el acta de otro documento: suba la versión corregida de este borrador."
    if kept_words + gone_words >= 20 and gone_words > 0.7 * (kept_words + gone_words):
        written = sum(map(count_words, evidence.inserted))
        if written > 0.5 * gone_words:
            return "El texto no corresponde a este borrador: compruebe que es el acta de esta sesión."
        return "Falta la mayor parte del borrador: compruebe que subió el acta completa."
    for check in (
        _other_script,
        _accents_lost,
        _repeated,
        _shuffled,
        _insults,
        _garbage,
        _mass_replacement,
        _other_people,
        _mostly_rewritten,
        _hardly_corrected,
    ):
        reason = check(evidence, changes)
        if reason is not None:
            return reason
    if evidence.confidence < confidence_minimum:
        return (
            "El texto se parece demasiado poco al borrador (confianza "
            f"{evidence.confidence:.2f}, mínimo {confidence_minimum:.2f}): una persona debe revisarlo."
        )
    return None


def _other_script(evidence: Evidence, changes: Sequence[Change]) -> str | None:
    """Latin words with a look-alike of another script in them: nobody types that by accident."""
    new = [word for change in changes for _, words in change.replaced for word in words]
    new += [word for text in evidence.inserted for word in _WORD.findall(text)]
    if sum(mixes_scripts(word) for word in new) >= _SCRIPTS:
        return "Hay letras de otro alfabeto dentro de las palabras: una persona debe revisarlo."
    return None


def _accents_lost(_: Evidence, changes: Sequence[Change]) -> str | None:
    """Accents taken away all over, as a program does that knows only ASCII; a clerk puts them in."""
    lost = gained = 0
    for change in changes:
        for old, new in change.replaced:
            for was, now in zip(old, new, strict=False):
                if letters(was) == letters(now):
                    lost += accents(was) > accents(now)
                    gained += accents(was) < accents(now)
    if lost >= _ACCENTS and lost > 3 * gained:
        return "El acta ha perdido las tildes en muchos sitios: compruebe con qué programa se guardó."
    return None


def _repeated(evidence: Evidence, changes: Sequence[Change]) -> str | None:
    """One new text in many places: "ASDF ASDF" everywhere, or one sentence appended to all paragraphs."""
    known = {c.before.casefold() for c in evidence.changes}
    texts = Counter(
        text.casefold()
        for text in [*(c.after for c in evidence.changes if c.before != c.after), *evidence.inserted]
        if text and text.casefold() not in known
    )
    total = len(evidence.changes) + len(evidence.inserted)
    if texts and max(texts.values()) >= max(4, 0.1 * total):
        return "El mismo texto nuevo se repite en muchos párrafos: una persona debe revisarlo."
    phrases: Counter[tuple[str, ...]] = Counter()
    blocks = 0
    for change in changes:
        added = [words for _, words in change.replaced if words]
        seen = {tuple(words[k : k + 3]) for words in added for k in range(len(words) - 2)}
        blocks += bool(added)
        phrases.update(seen)
    if phrases and max(phrases.values()) >= max(5, 0.3 * len(changes)):
        return "La misma frase nueva se repite en muchos párrafos: una persona debe revisarlo."
    return None


def _shuffled(_: Evidence, changes: Sequence[Change]) -> str | None:
    """The same words in another order, block after block: nobody corrects minutes like that."""
    changed = [c for c in changes if c.before != c.after]
    shuffled = sum(
        c.similarity < 0.8 and Counter(c.before.casefold().split()) == Counter(c.after.casefold().split())
        for c in changed
    )
    if shuffled >= 3 and shuffled > 0.3 * len(changed):
        return "Las palabras de muchos párrafos están desordenadas: una persona debe revisarlo."
    return None


def _insults(evidence: Evidence, changes: Sequence[Change]) -> str | None:
    new = [w for c in evidence.changes for _, words in c.replaced for w in words]
    new += [w for text in evidence.inserted for w in _WORD.findall(text)]
    insults = [word for word in map(letters, new) if word in lexicon.insults()]
    if not insults:
        return None
    spoken = {letters(word) for c in changes for word in _WORD.findall(c.before)}
    found = sum(word not in spoken for word in insults)
    if found >= 3 and found >= 0.01 * max(1, len(changes)):
        return "El acta contiene insultos que no están en el borrador: una persona debe revisarlo."
    return None


def _garbage(evidence: Evidence, changes: Sequence[Change]) -> str | None:
    """Most new words are words no Spanish text has, and unlike what they replace."""
    strange = total = 0
    for change in changes:
        for old, new in change.replaced:
            gone = "".join(old)
            for word in new:
                total += 1
                strange += _is_garbage(word) and likeness(gone[:60], word) < 0.5
    for text in evidence.inserted:
        for word in _WORD.findall(text):
            total += 1
            strange += _is_garbage(word)
    if strange >= 12 and strange > 0.4 * total:
        return "Muchas de las palabras nuevas no son palabras: una persona debe revisarlo."
    return None


def _is_garbage(word: str) -> bool:
    if lexicon.is_common(word) or lexicon.is_personal_name(word) or (word.isupper() and len(word) < 7):
        return False
    plain = letters(word)
    return (
        not re.search(r"[aeiouy]", plain)
        or bool(re.search(r"(.)\1\1|[^aeiouy]{5}", plain))
        or bool(re.search(r"asdf|qwer|sdfg|hjkl|zxcv|lorem|ipsum", plain))
        or not word[0].isupper()
    )


def _mass_replacement(_: Evidence, changes: Sequence[Change]) -> str | None:
    """One word replaced by an unlike one in many blocks; misheard words are alike and do not count."""
    swaps: Counter[tuple[str, str]] = Counter()
    for change in changes:
        pairs = {
            (old[0].casefold(), new[0].casefold())
            for old, new in change.replaced
            if len(old) == len(new) == 1 and likeness(old[0], new[0]) < 0.4
        }
        swaps.update(pairs)
    if swaps and max(swaps.values()) >= max(6, 0.25 * len(changes)):
        return (
            "La misma palabra se ha cambiado por otra muy distinta en todo el documento: "
            "una persona debe revisarlo."
        )
    return None


def _other_people(_: Evidence, changes: Sequence[Change]) -> str | None:
    """Many names replaced by names that sound nothing like them: no transcription mishears so.

    A clerk who puts right two or three speakers the draft took for others stays below the bounds.
    """
    swaps: Counter[tuple[str, str]] = Counter(
        (old[0], new[0])
        for change in changes
        for old, new in change.replaced
        if len(old) == len(new) == 1
        and _is_name(old[0])
        and _is_name(new[0])
        and likeness(old[0], new[0]) < 0.4
    )
    if len(swaps) >= 4 and swaps.total() >= 0.15 * len(changes):
        return (
            "Muchos nombres propios se han cambiado por otros que no se les parecen: "
            "una persona debe revisarlo."
        )
    return None


def _is_name(word: str) -> bool:
    return word[0].isupper() and (lexicon.is_personal_name(word) or not lexicon.is_common(word))


def _mostly_rewritten(_: Evidence, changes: Sequence[Change]) -> str | None:
    rewritten = sum(c.similarity < 0.45 for c in changes)
    if len(changes) >= 5 and rewritten > 0.6 * len(changes):
        return "La mayoría de los párrafos se han reescrito por completo: una persona debe revisarlo."
    return None


def _hardly_corrected(evidence: Evidence, _: Sequence[Change]) -> str | None:
    """Most of what changed was not corrected but shortened, added to, replaced or deleted."""
    corrected = other = 0.0
    for change, only in zip(evidence.changes, evidence.corrections, strict=False):
        if change.pending or change.before == change.after:
            continue
        words = count_words(change.before)
        corrected, other = corrected + words * only, other + words * (not only)
    other += sum(map(count_words, evidence.deleted)) / 2
    if other >= _REWRITTEN_WORDS and corrected < _CORRECTED_SHARE * (corrected + other):
        return "La mayor parte de los cambios no son correcciones de lo dicho: una persona debe revisarlo."
    return None
