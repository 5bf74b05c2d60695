"""Keep one careless or hostile editor from teaching the model: what a batch of documents says together.

The comparator already quarantines documents that are no correction of their draft, and
:mod:`quality` leaves out pairs that are no correction of their text. What is left are pairs that look
like corrections one by one. This module compares documents with each other:

=====================  =========================================================================
``injected_link``      the output has a URL or e-mail address that the input has not
``injected_insult``    the output has an insult that the input has not
``repeated_insertion`` the same four added words in three or more pairs of one or two documents
``against_majority``   a word replaced otherwise than three or more other documents replace it
``repeated_output``    more than five different inputs with one output: the rest are left out
``hostile_document``   the whole document, because of one of the three below
``document_share``     one document gives more than a quarter of all pairs: the rest are left out
``contributor_share``  one editor of three or more gives more than half: the rest are left out
=====================  =========================================================================

The last two are :func:`trim_shares` and come when everything else has been left out; the others are
:func:`screen`.

A whole document goes when (1) three, or a fifth, of its pairs carry injected words; (2) three or more of its
word substitutions contradict the other documents: half of those that can be compared, or 15 % when the
others do not merely keep the word but replace it by another, or replace the other way round (keeping a word
that one clerk rewords is taste, mending it differently is not); (3) the words it adds are unknown to every
other document (at least 15 % of its words), or it takes words away (at least 10 %), far more than the other
documents do (median + 6 * MAD).

Every statistic is a median or a majority over *documents*, so the share of hostile documents must reach
half before they define what is normal. What this does not see: a patient attacker who is the majority, or
one who only makes changes that no other document can be compared with; the golden set and ``wer_gate``
stand behind it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from astra_learn_assets.contracts import Example
from astra_learn_assets.datasets.word_changes import changed_stretches
from astra_learn_assets.spanish.text import folded_words

_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>]+|[\w.+-]+@[\w-]+\.[\w.]+|\b[\w-]+\.[a-z]{2,12}/\S*"
    r"|\bpunto (?:com|net|org|es|info)\b"
    r"|\b[\w-]{2,}\.(?:com|net|org|info|biz|xyz|top|ru|cn|io|tk|es|gob|gov)\b(?:/\S*)?",
    re.IGNORECASE,
)
# folded (no accents, n for ñ); words that minutes also use in their plain sense are not in it
_DISGUISED = str.maketrans("013457@$", "oieastas")
_SPELLED = re.compile(r"\b\w(?:[ .\-*_]\w){3,}\b")
_INSULT = re.compile(
    r"idiotas?|imbecil(?:es)?|gilipollas|subnormal(?:es)?|estupid[oa]s?|cretin[oa]s?|mamon(?:es)?"
    r"|cabron(?:a|as|es)?|hij[oa]s?puta|hijueputas?|hdp|put[oa]s?|mierdas?|pendej[oa]s?|bolud[oa]s?"
    r"|pelotud[oa]s?|huevon(?:es)?|weon(?:es)?|culer[oa]s?|maricon(?:es)?|zorras?|payas[oa]s?"
    r"|sinverguenzas?|ladron(?:a|as|es)?|corrupt[oa]s?|mafios[oa]s?|canallas?|tont[oa]s?|asqueros[oa]s?"
    r"|joder|verga|carajo|malparid[oa]s?|gonorreas?|fascistas?|nazis?"
)


@dataclass(frozen=True)
class PoisoningLimits:
    """Bounds of :func:`screen`; shares in 0..1, counts of pairs or documents."""

    max_document_share: float = 0.25
    max_contributor_share: float = 0.5
    share_floor: int = 40
    max_same_output: int = 5
    insertion_words: int = 4
    insertion_repeats: int = 3
    insertion_documents: int = 2
    max_injected: int = 3
    max_injected_share: float = 0.2
    min_contradictions: int = 3
    max_contradiction_share: float = 0.5
    max_opposition_share: float = 0.15
    min_witnesses: int = 3
    outlier_deviations: float = 6.0
    novelty_floor: float = 0.15
    deletion_floor: float = 0.1
    outlier_documents: int = 8


DEFAULT_LIMITS = PoisoningLimits()


@dataclass(frozen=True)
class Screening:
    """What may be learned from, and what not and why. ``kept`` is in the order given."""

    kept: tuple[Example, ...]
    left_out: dict[str, str] = field(default_factory=dict)
    """``example_id`` -> reason, one of the table above."""
    documents: dict[str, str] = field(default_factory=dict)
    """``document_id`` -> why the whole document is out: injected | contradictory | vocabulary | deletions."""


@dataclass(frozen=True)
class _View:
    """An example as this module sees it: folded words and what was changed among them."""

    example: Example
    before: tuple[str, ...]
    after: tuple[str, ...]
    substituted: dict[tuple[str, ...], tuple[str, ...]]
    inserted: tuple[tuple[str, ...], ...]
    deleted: int
    injected: str | None

    @property
    def document(self) -> str:
        return self.example.meta.document_id


def screen(
    examples: Sequence[Example],
    limits: PoisoningLimits = DEFAULT_LIMITS,
    *,
    contributors: Mapping[str, str] | None = None,
) -> Screening:
    """Leave out what looks poisoned among a tenant's examples; the same set gives the same answer.

    ``contributors`` maps document to author: documents of one author are one witness, not many.

    Cost: one word alignment per example, about 50 microseconds each.
    """
    views = [_view(example) for example in sorted(examples, key=_identity)]
    left_out: dict[str, str] = {}
    opposed = _compare_decisions(views, limits, _authors(views, contributors))
    documents = _hostile_documents(views, opposed, limits)

    def drop(chosen: Iterable[_View], reason: str) -> None:
        for view in chosen:
            left_out.setdefault(_identity(view.example), reason)

    drop((view for view in views if view.document in documents), "hostile_document")
    for view in views:
        if view.injected:
            drop([view], view.injected)
    drop(
        (view for view in views if view.substituted.items() & opposed[view.document].pairs),
        "against_majority",
    )
    drop(_repeated_insertions(views, limits), "repeated_insertion")
    rest = [view.example for view in views if _identity(view.example) not in left_out]
    beyond = set(_beyond(rest, lambda item: " ".join(folded_words(item.output)), limits.max_same_output))
    drop((view for view in views if _identity(view.example) in beyond), "repeated_output")
    kept = tuple(example for example in examples if _identity(example) not in left_out)
    return Screening(kept=kept, left_out=left_out, documents=documents)


def trim_shares(
    examples: Sequence[Example],
    limits: PoisoningLimits = DEFAULT_LIMITS,
    *,
    contributors: Mapping[str, str] | None = None,
) -> Screening:
    """Leave out what one document, or one editor of three or more, gives beyond its share.

    ``contributors`` maps document to editor; a document without one counts as its own editor.
    """
    left_out: dict[str, str] = {}

    def trim(key: Callable[[Example], str], share: float, reason: str) -> None:
        rest = [example for example in examples if _identity(example) not in left_out]
        sizes = Counter(map(key, rest))
        # the cap c solves c <= share * sum(min(size, c)): taking from the largest lowers the total too
        cap = max(sizes.values(), default=0)
        while cap > limits.share_floor and cap > share * sum(min(size, cap) for size in sizes.values()):
            cap -= 1
        for identity in _beyond(rest, key, cap):
            left_out[identity] = reason

    trim(lambda item: item.meta.document_id, limits.max_document_share, "document_share")
    if contributors:
        editors = {
            example.meta.document_id: contributors.get(example.meta.document_id, example.meta.document_id)
            for example in examples
        }
        if len(set(editors.values())) >= 3:
            trim(
                lambda item: editors[item.meta.document_id],
                limits.max_contributor_share,
                "contributor_share",
            )
    kept = tuple(example for example in examples if _identity(example) not in left_out)
    return Screening(kept=kept, left_out=left_out)


def injected(example: Example) -> str | None:
    """``injected_link`` or ``injected_insult`` when the output adds one, else None."""
    if _links(example.output) - _links(example.input):
        return "injected_link"
    added = _plain_words(example.output) - _plain_words(example.input)
    return "injected_insult" if any(_INSULT.fullmatch(word) for word in added) else None


def _plain_words(text: str) -> set[str]:
    """The folded words, and those that were hidden: ``1d10ta``, ``i.d.i.o.t.a``, ``i d i o t a``."""
    read = text.translate(_DISGUISED)
    spelled = {re.sub(r"[\W_]", "", match[0]) for match in _SPELLED.finditer(read)}
    return {word for part in (text, read, *spelled) for word in folded_words(part)}


def _links(text: str) -> set[str]:
    return {match.casefold().rstrip(".,;:!?)\"'»") for match in _LINK.findall(text)}


def _identity(example: Example) -> str:
    return example.meta.example_id


def _beyond(examples: Iterable[Example], key: Callable[[Example], str], most: int) -> list[str]:
    """Ids after the first ``most`` of each key, in the order of their hashes, so no one can aim."""
    seen: Counter[str] = Counter()
    beyond = []
    for example in sorted(examples, key=_identity):
        seen[key(example)] += 1
        if seen[key(example)] > most:
            beyond.append(_identity(example))
    return beyond


def _view(example: Example) -> _View:
    before, after = folded_words(example.input), folded_words(example.output)
    substituted: dict[tuple[str, ...], tuple[str, ...]] = {}
    inserted: list[tuple[str, ...]] = []
    deleted = 0
    for block in changed_stretches(before, after):
        was, now = before[block[0] : block[1]], after[block[2] : block[3]]
        if len(now) > len(was):
            inserted.append(now)
        deleted += max(len(was) - len(now), 0)
        if was and now and len(was) <= 3 and len(now) <= 3:
            substituted[was] = now
    return _View(example, before, after, substituted, tuple(inserted), deleted, injected(example))


def _repeated_insertions(views: Sequence[_View], limits: PoisoningLimits) -> list[_View]:
    width = limits.insertion_words
    carriers: defaultdict[tuple[str, ...], dict[str, _View]] = defaultdict(dict)
    for view in views:
        for words in view.inserted:
            for start in range(len(words) - width + 1):
                carriers[words[start : start + width]][_identity(view.example)] = view
    chosen: dict[str, _View] = {}
    for found in carriers.values():
        spread = {view.document for view in found.values()}
        if len(found) >= limits.insertion_repeats and len(spread) <= limits.insertion_documents:
            chosen.update(found)
    return [chosen[identity] for identity in sorted(chosen)]


@dataclass(frozen=True)
class _Opposed:
    """How a document's substitutions compare with the others': counts, and those others mend otherwise."""

    compared: int
    contradicted: int
    pairs: frozenset[tuple[tuple[str, ...], tuple[str, ...]]]


def _hostile_documents(
    views: Sequence[_View], opposed: Mapping[str, _Opposed], limits: PoisoningLimits
) -> dict[str, str]:
    by_document = _by_document(views)
    hostile: dict[str, str] = {}
    for document, own in sorted(by_document.items()):
        marked = sum(1 for view in own if view.injected)
        if marked >= limits.max_injected or (marked > 1 and marked > limits.max_injected_share * len(own)):
            hostile[document] = "injected"
    for document, found in sorted(opposed.items()):
        least = limits.min_contradictions
        if (
            found.contradicted >= max(least, limits.max_contradiction_share * found.compared)
            or len(found.pairs) >= max(least, limits.max_opposition_share * found.compared)
        ):  # fmt: skip
            hostile.setdefault(document, "contradictory")
    if len(by_document) >= limits.outlier_documents:
        novelty, deletions = _novelty(by_document), _deletions(by_document)
        for document in _outliers(novelty, limits.novelty_floor, limits):
            hostile.setdefault(document, "vocabulary")
        for document in _outliers(deletions, limits.deletion_floor, limits):
            hostile.setdefault(document, "deletions")
    return hostile


def _by_document(views: Sequence[_View]) -> dict[str, list[_View]]:
    grouped: defaultdict[str, list[_View]] = defaultdict(list)
    for view in views:
        grouped[view.document].append(view)
    return grouped


def _authors(views: Sequence[_View], contributors: Mapping[str, str] | None) -> dict[str, str]:
    """Document -> author. With one author, or none known, every document speaks for itself."""
    authors = {view.document: (contributors or {}).get(view.document, view.document) for view in views}
    if len(set(authors.values())) < 2:
        return {document: document for document in authors}
    return authors


def _compare_decisions(
    views: Sequence[_View], limits: PoisoningLimits, authors: Mapping[str, str]
) -> dict[str, _Opposed]:
    """Each document's substitutions against what the other authors' documents do with the same words.

    A document's decision on a word is what it does with it most often: one replacement, or keeping it.
    Words of one or two letters are skipped: their replacement depends on the sentence. A decision is
    contradicted when more than four times as many others decide otherwise as alike. Those who agree are
    counted by author, so that nobody confirms himself with a second document; those who do not are documents
    of other authors, at most ``min_witnesses`` of each.
    """
    decisions = {document: _decisions(own) for document, own in _by_document(views).items()}
    votes: defaultdict[tuple[str, ...], defaultdict[tuple[str, ...], Counter[str]]] = defaultdict(
        lambda: defaultdict(Counter)
    )
    for document, own in decisions.items():
        for wrong, right in own.items():
            votes[wrong][right][authors[document]] += 1
    single = len(set(authors.values())) == len(authors)

    def against(wrong: tuple[str, ...], right: tuple[str, ...], author: str) -> int:
        """Documents of other authors that make ``right`` of ``wrong``."""
        found = votes[wrong][right] if wrong in votes and right in votes[wrong] else Counter[str]()
        most = 10**9 if single else limits.min_witnesses
        return sum(min(count, most) for name, count in found.items() if name != author)

    result: dict[str, _Opposed] = {}
    for document, own in decisions.items():
        author = authors[document]
        compared = contradicted = 0
        pairs = set()
        for wrong, right in own.items():
            if wrong == right or len("".join(wrong)) < 3:
                continue
            agreeing = sum(1 for name in votes[wrong][right] if name != author)
            others = {word: against(wrong, word, author) for word in votes[wrong] if word != right}
            # those who replace right by wrong contradict as well
            reverse = against(right, wrong, author)
            otherwise = max((count for word, count in others.items() if word != wrong), default=0)
            total = sum(others.values()) + agreeing
            if max(total, reverse) < limits.min_witnesses:
                continue
            compared += 1
            contradicted += max(sum(others.values()), reverse) > 4 * agreeing
            mended = max(otherwise, reverse)
            if mended >= limits.min_witnesses and mended > 4 * agreeing:
                pairs.add((wrong, right))
        result[document] = _Opposed(compared, contradicted, frozenset(pairs))
    return result


def _decisions(views: Sequence[_View]) -> dict[tuple[str, ...], tuple[str, ...]]:
    counts: defaultdict[tuple[str, ...], Counter[tuple[str, ...]]] = defaultdict(Counter)
    for view in views:
        for wrong, right in view.substituted.items():
            counts[wrong][right] += 1
        touched = {word for wrong in view.substituted for word in wrong}
        for word in set(view.before) & set(view.after) - touched:
            counts[(word,)][(word,)] += 1
    return {wrong: max(sorted(seen), key=lambda right: seen[right]) for wrong, seen in counts.items()}


def _novelty(by_document: Mapping[str, list[_View]]) -> dict[str, float]:
    """Share of a document's output words that neither its input nor any other document has."""
    known: Counter[str] = Counter()
    for views in by_document.values():
        known.update({word for view in views for word in (*view.before, *view.after)})
    shares: dict[str, float] = {}
    for document, views in by_document.items():
        own_before = {word for view in views for word in view.before}
        words = [word for view in views for word in view.after]
        strange = sum(1 for word in words if known[word] == 1 and word not in own_before)
        shares[document] = strange / len(words) if words else 0.0
    return shares


def _deletions(by_document: Mapping[str, list[_View]]) -> dict[str, float]:
    """Share of a document's input words that its output takes away without replacing them."""
    return {
        document: sum(view.deleted for view in views) / max(sum(len(view.before) for view in views), 1)
        for document, views in by_document.items()
    }


def _outliers(shares: Mapping[str, float], floor: float, limits: PoisoningLimits) -> list[str]:
    middle = median(shares.values())
    spread = 1.4826 * median(abs(share - middle) for share in shares.values())
    bound = max(floor, middle + limits.outlier_deviations * spread)
    return sorted(document for document, share in shares.items() if share > bound)
