"""The golden set: whole documents kept aside for ever, so that every adapter is judged on unseen text.

A document is golden by a hash of its session, not by a draw: the answer is the same on every machine, for
every engine version, before and after a database is restored, and a document can never move into a
corpus. The set grows with the documents until ``maximum`` examples; after that it keeps the documents
with the smallest hashes, so an arriving document changes it rarely, and ``golden_hash`` says when it did.

A golden document brings the paragraphs that the clerk left alone as well, in their real share (route 0): on
corrected paragraphs alone, an adapter that spoils correct text would look as good as one that does not. They
test and are never taught.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from astra_learn_assets.contracts import Example
from astra_learn_assets.datasets import jsonl, poisoning, quality
from astra_learn_assets.errors import ForeignTenant
from astra_learn_assets.spanish.text import folded_words, normal_form

UNCHANGED = 0
"""Route of an example whose paragraph the clerk left as it was."""

# ids of finals, as store.artifacts makes them: session, version, kind, 12 digits of the hash
_FINAL = re.compile(r"(?P<session>.+)-v\d+-final-[0-9a-f]{12}")


@dataclass(frozen=True)
class GoldenSet:
    """``data`` is canonical JSONL and ``golden_hash`` its SHA-256; ``words`` counts reference words."""

    data: bytes
    golden_hash: str
    examples: tuple[Example, ...]
    words: int

    @property
    def documents(self) -> frozenset[str]:
        """The documents it is made of."""
        return frozenset(example.meta.document_id for example in self.examples)

    @classmethod
    def of(cls, examples: Iterable[Example]) -> GoldenSet:
        """The golden set of exactly these examples, in this order."""
        kept = tuple(examples)
        data = jsonl.dump(kept)
        words = sum(len(folded_words(example.output)) for example in kept)
        return cls(data=data, golden_hash=jsonl.digest(data), examples=kept, words=words)

    @classmethod
    def read(cls, data: bytes) -> GoldenSet:
        """The golden set stored as ``data``.

        Raises:
            BadJsonl: naming the broken line.
        """
        return cls.of(jsonl.load(data))


def is_golden(document_id: str, share: float) -> bool:
    """Whether a document belongs to the golden set when ``share`` (0..1) of sessions do.

    Versions of a session, and finals sent twice, share most of their sentences: all are golden or none.
    """
    match = _FINAL.fullmatch(document_id)
    source = match["session"] if match else document_id
    return int.from_bytes(_hash("document", source)[:8], "big") < share * 2**64


def build_golden(examples: Sequence[Example], maximum: int, *, context: Sequence[Example] = ()) -> GoldenSet:
    """At most ``maximum`` fit examples of golden documents, spread over as many documents as there are.

    Takes one example of each document in turn (documents and examples in hash order), because errors
    cluster by document and the interval of the WER depends on how many documents there are. ``context``:
    the tenant's other examples, so that a hostile golden document is seen against its peers.

    Raises:
        ForeignTenant: when the examples are of more than one tenant.
    """
    tenants = {example.meta.tenant_id for example in examples}
    if len(tenants) > 1:
        raise ForeignTenant(f"a golden set is of one tenant; these examples are of {sorted(tenants)}")
    everything = {example.meta.example_id: example for example in (*context, *examples)}
    fit = [example for example in everything.values() if quality.assess(example) is None]
    # a formula that comes often is a danger for learning, not for measuring
    screened = poisoning.screen([example for example in fit if example.meta.route != UNCHANGED])
    refused = {identity for identity, reason in screened.left_out.items() if reason != "repeated_output"}
    # what a hostile editor left alone is no evidence that it was right
    fit = [
        example
        for example in fit
        if example.meta.route != UNCHANGED or example.meta.document_id not in screened.documents
    ]
    wanted = {example.meta.example_id for example in examples} - refused
    by_document: defaultdict[str, list[Example]] = defaultdict(list)
    seen: set[tuple[str, str]] = set()
    for example in sorted(fit, key=lambda item: _hash("example", item.meta.example_id)):
        text = (normal_form(example.input), normal_form(example.output))
        if example.meta.example_id in wanted and text not in seen:
            seen.add(text)
            by_document[example.meta.document_id].append(example)
    chosen: list[Example] = []
    queues = [by_document[document] for document in sorted(by_document, key=lambda d: _hash("document", d))]
    for turn in range(max(map(len, queues), default=0)):
        chosen += [queue[turn] for queue in queues if turn < len(queue)]
    kept = sorted(chosen[: max(maximum, 0)], key=lambda item: item.meta.example_id)
    return GoldenSet.of(kept)


def _hash(kind: str, value: str) -> bytes:
    return hashlib.sha256(f"golden:{kind}:{value}".encode()).digest()
