"""Pairs without persons: one placeholder map over both sides.

    Pseudonymizer(country="ec", mask_terms=["Lucía Ortega Prado"]).pairs([(before, after, seed)])

Titles, articles and punctuation stay outside the placeholder, so "la concejala <PERSONA_1>" keeps its
gender. Numbers are shuffled per pair by the seed, so that no number comes to mean the mayor. A name
the clerk put right becomes the same placeholder on both sides; a pair that thereby becomes identical
teaches nothing and is the caller's to drop. What is already a placeholder stays; the output is
looked through again until nothing is found, so a second call changes nothing.
"""

from __future__ import annotations

import random
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from astra_learn_assets.privacy.detector import Detector
from astra_learn_assets.privacy.identifiers.rules import Finding, Spans, resolve
from astra_learn_assets.privacy.ner.nlp import load_model
from astra_learn_assets.privacy.ner.tagger import shipped_tagger
from astra_learn_assets.privacy.people import aliases
from astra_learn_assets.privacy.people.aliases import Mention
from astra_learn_assets.privacy.people.joining import join_names, repeat_names
from astra_learn_assets.privacy.people.persons import PARTICLES, WORD, is_ordinary, is_titled
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.placeholder import PLACEHOLDER
from astra_learn_assets.spanish.visible import INLINE_TAG, Cleaned, clean

VERSION = "8"
ROUNDS = 5


@dataclass(frozen=True)
class PseudonymizedPair:
    """Both sides masked; ``entities`` counts each placeholder over both sides."""

    before: str
    after: str
    entities: dict[str, int] = field(default_factory=dict)

    @property
    def identical(self) -> bool:
        """Whether nothing is left to learn."""
        return self.before == self.after


class Pseudonymizer:
    """Masks personal data of one tenant. Not thread-safe; make one per process.

    Args:
        model: spaCy or transformers model by name or folder; None = the shipped one.
        country: ISO 3166 alpha-2 code of the tenant, for national identifiers and phones.
        mask_terms: blocklist and roster; always masked.
        allow_terms: streets and institutions that stay readable.

    Raises:
        BadConfiguration: for an unknown country or a missing model.
    """

    def __init__(
        self,
        *,
        model: str | None = None,
        country: str = "es",
        mask_terms: Sequence[str] = (),
        allow_terms: Sequence[str] = (),
    ) -> None:
        self._arguments = {
            "model": model,
            "country": country,
            "mask_terms": tuple(mask_terms),
            "allow_terms": tuple(allow_terms),
        }
        loaded = load_model(model)
        self.model_name = loaded.name
        self._detector = Detector(
            loaded,
            country=country,
            mask_terms=mask_terms,
            allow_terms=allow_terms,
            tagger=shipped_tagger(),
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as its arguments: a worker process loads the model itself."""
        return _rebuild, (self._arguments,)

    def names(self, texts: Sequence[str]) -> tuple[str, ...]:
        """The names that a document, paragraph by paragraph, leaves no doubt about; in no order of theirs.

        In full, behind a title, at the head of a turn, in a roster. Who is listed as present in one
        paragraph is known by the surname in every other: hand them to :meth:`pairs` as ``known``.
        """
        return self._detector.names([clean(text).text for text in dict.fromkeys(texts)])

    def pairs(
        self, items: Sequence[tuple[str, str, str | int]], known: tuple[str, ...] = ()
    ) -> list[PseudonymizedPair]:
        """Each ``(before, after, seed)`` masked; the same for the same ``known`` names, in any batch."""
        texts = [[before, after] for before, after, _ in items]
        active = list(range(len(items)))
        for number in range(ROUNDS):
            views = [clean(text) for i in active for text in texts[i]]
            both = [tuple(view.text for view in views[at : at + 2]) for at in range(0, len(views), 2)]
            alignments = [
                aliases.align(left, right) if left and right and left != right else None
                for left, right in both
            ]
            looks: list[list[tuple[int, int]] | None] = []
            for one in alignments:
                looks += [aliases.unexplained(one) if one else None, None]
            found = self._detector.find([view.text for view in views], looks, known)
            still = []
            for at, i in enumerate(active):
                sides = views[2 * at : 2 * at + 2]
                mentions = _both_sides(sides, found[2 * at : 2 * at + 2], alignments[at])
                if mentions:
                    texts[i] = _replace(sides, mentions, f"{items[i][2]}/{number}")
                    still.append(i)
            active = still
            if not active:
                break
        return [
            PseudonymizedPair(before, after, count_placeholders(before, after)) for before, after in texts
        ]

    def text(self, text: str, seed: str | int) -> tuple[str, dict[str, int]]:
        """One text masked, and the count of each placeholder in it."""
        pair = self.pairs([(text, "", seed)])[0]
        return pair.before, pair.entities

    def mask_spans(
        self, pair: PseudonymizedPair, spans: Sequence[Sequence[tuple[int, int, str]]], seed: str | int
    ) -> PseudonymizedPair:
        """``pair`` with further ``(start, end, kind)`` spans of each side masked (the residual scan's)."""
        views = [clean(pair.before), clean(pair.after)]
        found = []
        for view, side in zip(views, spans, strict=True):
            places = {view.span(i, i + 1)[0]: i for i in range(len(view.text))}
            found.append(
                [Finding(places[s], _last(view, e), kind, 30, "scan") for s, e, kind in side if s in places]
            )
        left, right = views[0].text, views[1].text
        alignment = aliases.align(left, right) if left and right and left != right else None
        before, after = _replace(views, _both_sides(views, found, alignment), f"{seed}/scan")
        return PseudonymizedPair(before, after, count_placeholders(before, after))

    def findings(self, text: str) -> list[tuple[int, int, str]]:
        """What would be masked in ``text``, as ``(start, end, kind)`` of the text as given."""
        return self.findings_of([text])[0]

    def findings_of(self, texts: Sequence[str]) -> list[list[tuple[int, int, str]]]:
        """:meth:`findings` of each text, all through the entity model together."""
        views = [clean(text) for text in texts]
        found = self._detector.find([view.text for view in views])
        return [
            [(*view.span(f.start, f.end), f.kind) for f in one]
            for view, one in zip(views, found, strict=True)
        ]


def _rebuild(arguments: dict[str, Any]) -> Pseudonymizer:
    return Pseudonymizer(**arguments)


def _last(view: Cleaned, end: int) -> int:
    """The cleaned offset just after the character that ends at ``end`` of the original."""
    if view.ends is None:
        return end
    return max(i for i, e in enumerate(view.ends) if e <= end) + 1


def count_placeholders(*texts: str) -> dict[str, int]:
    """How often each placeholder stands in ``texts``."""
    counts = Counter(m[0] for text in texts for m in PLACEHOLDER.finditer(text))
    return dict(sorted(counts.items()))


def _both_sides(
    views: Sequence[Cleaned], found: Sequence[list[Finding]], alignment: aliases.Alignment | None
) -> list[tuple[Mention, int]]:
    """Mentions of both sides with the number of their entity; empty when nothing is found."""
    left, right = views[0].text, views[1].text
    if not found[0] and not found[1]:
        return []
    sides = [list(found[0]), list(found[1])]
    if left == right:
        longer = resolve([*sides[0], *sides[1]])
        sides = [longer, longer]
    elif alignment is not None:
        names = [views[i].text[f.start : f.end] for i in (0, 1) for f in sides[i] if f.kind == "PERSONA"]
        for i in (0, 1):
            kept = [m.span() for m in PLACEHOLDER.finditer(views[i].text)]
            sides[i] = resolve([*sides[i], *repeat_names(views[i].text, names, kept)])
        sides = [_agreed(sides[i], sides[1 - i], [v.text for v in views], alignment, i) for i in (0, 1)]
        added = [
            _carried(sides[1 - i], views[1 - i].text, views[i].text, alignment, forward=i == 1)
            for i in (0, 1)
        ]
        for i in (0, 1):
            sides[i] = join_names(views[i].text, resolve([*sides[i], *added[i]]))
    mentions = [
        Mention(i, f.start, f.end, f.kind, views[i].text[f.start : f.end]) for i in (0, 1) for f in sides[i]
    ]
    mentions, fixes = _matched(mentions, alignment)
    return list(zip(mentions, aliases.group(mentions, fixes), strict=True))


def _agreed(
    found: Sequence[Finding],
    others: Sequence[Finding],
    texts: Sequence[str],
    alignment: aliases.Alignment,
    side: int,
) -> list[Finding]:
    """Persons of one side without the ends that the other side shows to be plain words.

    "kispe de las ovras" beside "Quispe de las obras" ends after "kispe".
    """
    out = []
    masked = Spans((f.start, f.end) for f in others)
    for finding in found:
        words = (
            list(WORD.finditer(texts[side], finding.start, finding.end)) if finding.kind == "PERSONA" else []
        )
        plain = [_is_plain(m, masked, texts[1 - side], alignment, side == 0) for m in words]
        if len(words) == 1 and plain[0] and finding.rank < 80 and not is_titled(texts[side], finding.start):
            continue  # "las ocho y diaz" beside "las ocho y diez"
        if (
            finding.rank < 80
            and any(plain)
            and not all(p or fold_chars(m[0]) in PARTICLES for m, p in zip(words, plain, strict=True))
        ):
            while plain[-1] or fold_chars(words[-1][0]) in PARTICLES:
                words.pop()
                plain.pop()
            while plain[0] or fold_chars(words[0][0]) in PARTICLES:
                words.pop(0)
                plain.pop(0)
            finding = Finding(words[0].start(), words[-1].end(), finding.kind, finding.rank, finding.detector)
        out.append(finding)
    return out


def _is_plain(
    word: re.Match[str], masked: Spans, other: str, alignment: aliases.Alignment, forward: bool
) -> bool:
    span = aliases.project(alignment, word.span(), forward=forward)
    if span is None or masked.touch(*span):
        return False
    wrote = other[span[0] : span[1]]
    return wrote.islower() and all(
        is_ordinary(fold_chars(w)) or fold_chars(w) in PARTICLES for w in WORD.findall(wrote)
    )


def _carried(
    found: Sequence[Finding], source: str, target: str, alignment: aliases.Alignment, *, forward: bool
) -> list[Finding]:
    """Findings of one side carried to the words of the other side that stand in their place."""
    from rapidfuzz import fuzz

    out = []
    for finding in found:
        span = aliases.project(alignment, (finding.start, finding.end), forward=forward)
        if span is None:
            continue
        said, wrote = source[finding.start : finding.end], target[span[0] : span[1]]
        if "<" in wrote or ">" in wrote:
            continue
        if fold_chars(said) != fold_chars(wrote):
            if finding.kind == "PERSONA":
                words = list(WORD.finditer(target, *span))
                alike = fuzz.ratio(fold_chars(said), fold_chars(wrote)) >= aliases.SIMILAR
                while words and not alike and is_ordinary(fold_chars(words[0][0])):
                    words.pop(0)
                while words and not alike and is_ordinary(fold_chars(words[-1][0])):
                    words.pop()
                if not words or all(fold_chars(w[0]) in PARTICLES for w in words):
                    continue
                span = words[0].start(), words[-1].end()
            elif sum(c.isdigit() for c in wrote) < 3 and fuzz.ratio(fold_chars(said), fold_chars(wrote)) < 70:
                continue
        out.append(Finding(span[0], span[1], finding.kind, finding.rank - 10, "other side"))
    return out


def _matched(
    mentions: list[Mention], alignment: aliases.Alignment | None
) -> tuple[list[Mention], list[tuple[Mention, Mention]]]:
    """Pairs of mentions at the same aligned place, kinds made equal (the clerk's side decides)."""
    if alignment is None:
        return mentions, []
    left = [m for m in mentions if m.side == 0]
    right = [m for m in mentions if m.side == 1]
    key_sides = [{aliases.key_words(m.text) for m in side} for side in (left, right)]
    out_left, fixes = [], []
    used: set[int] = set()
    ends = [m.end for m in right]  # in order of place, without overlap
    for mention in left:
        span = aliases.project(alignment, (mention.start, mention.end), forward=True)
        first = bisect_right(ends, span[0]) if span else len(right)
        partner = next(
            (r for r in right[first : first + 8] if span and r.start < span[1] and id(r) not in used), None
        )
        if (
            partner is not None
            and mention.kind != partner.kind
            and "PERSONA" not in (mention.kind, partner.kind)
        ):
            mention = Mention(0, mention.start, mention.end, partner.kind, mention.text)
        if partner is not None and mention.kind == partner.kind:
            own, others = aliases.key_words(mention.text), aliases.key_words(partner.text)
            known_both = own != others and own in key_sides[1] and others in key_sides[0]
            if not known_both:
                used.add(id(partner))
                fixes.append((mention, partner))
        out_left.append(mention)
    return [*out_left, *right], fixes


def _replace(views: Sequence[Cleaned], mentions: Sequence[tuple[Mention, int]], seed: str) -> list[str]:
    """The original texts with each mention replaced by its placeholder."""
    taken: dict[str, set[int]] = {}
    for view in views:
        for match in PLACEHOLDER.finditer(view.original):
            taken.setdefault(match[1], set()).add(int(match[2]))
    kind_of: dict[int, str] = {}
    for mention, entity in mentions:
        kind_of[entity] = mention.kind
    names: dict[int, str] = {}
    rng = random.Random(seed)
    for kind in sorted(set(kind_of.values())):
        entities = [e for e, k in kind_of.items() if k == kind]
        free: list[int] = []
        number = 0
        while len(free) < len(entities):
            number += 1
            if number not in taken.get(kind, ()):
                free.append(number)
        rng.shuffle(free)
        names.update({e: f"<{kind}_{n}>" for e, n in zip(entities, free, strict=True)})
    texts = []
    for side, view in enumerate(views):
        out, last = [], 0
        for mention, entity in sorted((m for m in mentions if m[0].side == side), key=lambda m: m[0].start):
            start, end = view.span(mention.start, mention.end)
            inside = "".join(m[0] for m in INLINE_TAG.finditer(view.original[start:end]))
            out += [view.original[last:start], names[entity], inside]
            last = end
        texts.append("".join([*out, view.original[last:]]))
    return texts
