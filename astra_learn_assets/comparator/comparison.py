"""Every block of two aligned documents gets its operation, error rates, audio and route.

One :class:`Comparison` is made per call of ``engine.compare``; it gathers what was learned, what was
refused and why, and the evidence for the quarantine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypedDict

from astra_learn_assets.comparator.align.alignment import Alignment, Group, align
from astra_learn_assets.comparator.align.similarity import Unit, Vocabulary
from astra_learn_assets.comparator.docx import audio_marks
from astra_learn_assets.comparator.docx.admission import refuse
from astra_learn_assets.comparator.docx.blocks import Block, Document
from astra_learn_assets.comparator.metrics import NO_ERRORS, Errors, count_errors, count_words
from astra_learn_assets.comparator.names.entities import Judgement, Spellings, judge
from astra_learn_assets.comparator.names.given_names import KnownPeople
from astra_learn_assets.comparator.names.surroundings import Recognizer, capitalized_inside
from astra_learn_assets.comparator.quarantine import Change, Evidence, document_confidence
from astra_learn_assets.comparator.utterance import (
    CERTAIN,
    LEARNED,
    SHOWN,
    Belief,
    belief,
    features,
    typed_over,
)
from astra_learn_assets.contracts import (
    BlockDelta,
    BlockOp,
    DeltaMetrics,
    EntityChange,
    Manifest,
    ManifestChunk,
    Pair,
    Route,
)
from astra_learn_assets.errors import UploadRefused

_NAMED, _TAUGHT = 0.5, 0.8
"""Probability of being the same utterance from which names are looked for, and pairs are learned."""
REWRITTEN_BELOW = 0.35
"""Similarity under which a corrected block no longer tells what was misheard."""
_OUTSIDE = ("comment",)
# Comparing two paragraphs costs the product of their words: 25,000 words are half a second.
_PARAGRAPH_WORDS, _WORDS = 25_000, 600_000
_SQUARED_WORDS = 1_300_000_000
_WORD_LETTERS = 10_000
_CHANGED_WORDS, _CHANGED_PARAGRAPHS = 200_000, 4_000
"""Changed paragraphs, and their words, both sides together, that are looked at one by one, in two seconds;
minutes of a whole year have fewer, and what has more is not learned from before a person has seen it."""


_OWN = 5_000
"""Paragraphs that the other side does not have, on either side: pairing so many takes two seconds."""


@dataclass
class _Side:
    """Blocks of one document that take part, as text and as units."""

    blocks: list[Block]
    texts: list[str] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)

    def prepare(self, vocabulary: Vocabulary) -> None:
        self.units = vocabulary.units(block.text for block in self.blocks)
        self.texts = [unit.text for unit in self.units]


def _side(document: Document, which: str) -> _Side:
    blocks = [b for b in document.blocks if b.location.part not in _OUTSIDE]
    if not blocks:
        raise UploadRefused("no_text", f"El documento {which} no contiene texto: compruebe el archivo.")
    words = [count_words(b.text) for b in blocks]
    if sum(words) > _WORDS or max(words) > _PARAGRAPH_WORDS or sum(n * n for n in words) > _SQUARED_WORDS:
        refuse("too_long")
    if any(len(b.text) > _WORD_LETTERS < max(map(len, b.text.split())) for b in blocks):
        refuse("too_long")
    return _Side(blocks)


def _refuse_two_documents(before: Sequence[str], after: Sequence[str]) -> None:
    """Refuse, before it has cost, what has more paragraphs of its own on each side than a year of minutes."""
    known, now = set(before), set(after)
    if min(sum(text not in now for text in before), sum(text not in known for text in after)) > _OWN:
        refuse("too_complex")


class Comparison:
    """Draft against final; ``run`` first, then read the results."""

    def __init__(
        self,
        draft: Document,
        final: Document,
        manifest: Manifest | None,
        dictionary: Mapping[str, str],
        people: KnownPeople,
        recognize: Recognizer | None,
    ) -> None:
        self.before, self.after = _side(draft, "generado"), _side(final, "final")
        self.other_document = None not in (draft.document_id, final.document_id) and (
            draft.document_id != final.document_id
        )
        self.chunks = {c.chunk_id: c for c in manifest.chunks} if manifest is not None else None
        self.has_ids = any(block.chunk_ids for block in self.before.blocks)
        self.spellings, self.people = Spellings.of(dictionary), people
        self.recognize = recognize
        self.blocks: list[BlockDelta] = []
        self.pairs: list[Pair] = []
        self.entity_changes: list[EntityChange] = []
        self.entities_waiting: list[EntityChange] = []
        self.rejected: Counter[str] = Counter()
        for document in (draft, final):
            self.rejected.update({f"unread_{what}": count for what, count in document.unread.items()})
        self.changes: list[Change] = []
        self.confidences: list[float] = []
        self.errors: Errors = NO_ERRORS
        self.too_much = False
        self.beliefs: dict[int, Belief] = {}  # by the group's first paragraph of the final
        self.corrections: list[bool] = []
        self.replaced: list[Change] = []
        self.taken_apart: tuple[set[int], set[int]] = (set(), set())
        self._changes: dict[int, Change] = {}
        self._chunks: dict[tuple[int, ...], tuple[tuple[str, ...], list[ManifestChunk]]] = {}

    def run(self) -> None:
        """Align and judge every group, in the order of the final; deletions at their old place."""
        vocabulary = Vocabulary()
        self.before.prepare(vocabulary)
        self.after.prepare(vocabulary)
        _refuse_two_documents(self.before.texts, self.after.texts)
        self.alignment: Alignment = align(
            self.before.units,
            self.after.units,
            [block.chunk_ids for block in self.before.blocks],
            [block.chunk_ids for block in self.after.blocks],
            vocabulary=vocabulary,
            placeholders=[i for i, text in enumerate(self.before.texts) if audio_marks.is_only_pending(text)],
        )
        changed = [
            count_words(self.before.texts[i]) + count_words(self.after.texts[j])
            for group in self.alignment.groups
            for i, j in zip(group.before, group.after, strict=False)
            if self.before.texts[i] != self.after.texts[j]
        ]
        self.too_much = sum(changed) > _CHANGED_WORDS or len(changed) > _CHANGED_PARAGRAPHS
        self._believe()
        entries = [
            (group.after[0], 0, group.before[0], self._group(group)) for group in self.alignment.groups
        ]
        entries += [(j, 0, 0, self._inserted(j)) for j in self.alignment.inserted]
        place = {i: g.after[-1] for g in self.alignment.groups for i in g.before}
        last = -1
        deleted = set(self.alignment.deleted)
        for i in range(len(self.before.texts)):
            if i in deleted:
                entries.append((last, 1, i, self._deleted(i)))
            else:
                last = place[i]
        entries.sort(key=lambda entry: entry[:3])
        self.blocks = [block for *_, block in entries]

    def _believe(self) -> None:
        """Ask of every changed group whether it is the same utterance; what is not falls apart."""
        if self.too_much:
            return
        place: dict[int, int] = {}
        for group in self.alignment.groups:
            place[group.before[0]], place[group.before[-1]] = group.after[0], group.after[-1]
        place |= {-1: -1, len(self.before.texts): len(self.after.texts)}
        ids_survived = 2 * sum(bool(b.chunk_ids) for b in self.after.blocks) > len(self.before.blocks)
        kept: list[Group] = []
        for group in self.alignment.groups:
            change = self._change(group)
            if change.pending or change.before == change.after or not change.before or not change.after:
                kept.append(group)
                continue
            beside = (place.get(group.before[0] - 1) == group.after[0] - 1) + (
                place.get(group.before[-1] + 1) == group.after[-1] + 1
            )
            there = {c for j in group.after for c in self.after.blocks[j].chunk_ids}
            known = any(c in there for i in group.before for c in self.before.blocks[i].chunk_ids)
            believed = belief(
                features(
                    change.difference,
                    similarity=group.similarity,
                    shared_id=known,
                    lost_id=ids_survived and not known,
                    neighbours=beside,
                    far=group.moved,
                ),
                typed_over=typed_over(change.difference),
            )
            self.beliefs[group.after[0]] = believed
            if believed.same >= SHOWN:
                kept.append(group)
                continue
            self.rejected["replaced"] += 1
            self.replaced.append(change)
            self.taken_apart[0].update(group.before)
            self.taken_apart[1].update(group.after)
        self.alignment = Alignment(
            tuple(kept),
            tuple(sorted({*self.alignment.deleted, *self.taken_apart[0]})),
            tuple(sorted({*self.alignment.inserted, *self.taken_apart[1]})),
        )

    def _change(self, group: Group) -> Change:
        known = self._changes.get(group.after[0])
        if known is None:
            before = " ".join([self.before.texts[i] for i in group.before])
            after = " ".join([self.after.texts[j] for j in group.after])
            chunks = self._chunks_of(group)[1]
            pending = audio_marks.is_pending(before) or (bool(chunks) and chunks[0].status == "AUDIO_PENDING")
            if pending:
                before, after = audio_marks.strip_pending(before), audio_marks.strip_pending(after)
            known = self._changes[group.after[0]] = Change(before, after, group.similarity, pending)
        return known

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of the final, which only a change asks for."""
        return capitalized_inside(self.after.texts)

    # -- one operation each --------------------------------------------------------------------

    def _group(self, group: Group) -> BlockDelta:
        before_parts = tuple(self.before.texts[i] for i in group.before)
        after_parts = tuple(self.after.texts[j] for j in group.after)
        before, after = " ".join(before_parts), " ".join(after_parts)
        ids, chunks = self._chunks_of(group)
        change = self._change(group)
        spoken, written = change.before, change.after
        errors = count_errors(spoken, written)
        self.errors += errors
        believed = self.beliefs.get(group.after[0])
        if ids or not self.has_ids:
            self.changes.append(change)
            self.confidences.append(group.confidence if believed is None else believed.same)
            self.corrections.append(believed is None or believed.corrected >= LEARNED)
        route: Route | None = None
        if spoken != written:
            route = self._learn(ids, chunks, change, group)
        return BlockDelta(
            op=_operation(group, before, after),
            chunk_ids=ids,
            **_audio(chunks),
            before=before,
            after=after,
            before_index=group.before[0],
            after_index=group.after[0],
            before_parts=before_parts if len(before_parts) > 1 else (),
            after_parts=after_parts if len(after_parts) > 1 else (),
            wer=errors.wer,
            cer=errors.cer,
            similarity=round(group.similarity, 4),
            confidence=round(group.confidence, 4),
            moved_from=group.before[0] if group.moved else None,
            route=route,
            same_utterance=None if believed is None else round(believed.same, 4),
            corrected=None if believed is None else round(believed.corrected, 4),
        )

    def _inserted(self, j: int) -> BlockDelta:
        text = self.after.texts[j]
        errors = count_errors("", text)
        self.errors += errors
        ids = self.after.blocks[j].chunk_ids
        if not audio_marks.is_pending(text) and j not in self.taken_apart[1]:
            self.rejected["duplicate_chunk" if ids else "no_chunk"] += 1
        return BlockDelta(
            op="inserted", after=text, after_index=j, wer=errors.wer, cer=errors.cer, similarity=0.0
        )

    def _deleted(self, i: int) -> BlockDelta:
        text = self.before.texts[i]
        ids = self.before.blocks[i].chunk_ids
        errors = count_errors(audio_marks.strip_pending(text), "")
        self.errors += errors
        return BlockDelta(
            op="deleted",
            chunk_ids=ids,
            **_audio(self._known(ids)),
            before=text,
            before_index=i,
            wer=errors.wer,
            cer=errors.cer,
            similarity=0.0,
        )

    # -- learning ------------------------------------------------------------------------------

    def _learn(
        self, ids: tuple[str, ...], chunks: list[ManifestChunk], change: Change, group: Group
    ) -> Route | None:
        """Offer the changed block for learning, or count why not; the route it takes."""
        if self.too_much:
            self.rejected["too_much_changed"] += 1
            return None
        before, after, pending = change.before, change.after, change.pending
        judgement = Judgement((), False)
        believed = self.beliefs.get(group.after[0], CERTAIN)
        if not pending and group.similarity >= REWRITTEN_BELOW and believed.same >= _NAMED:
            judgement = judge(
                before,
                after,
                chunk_id=ids[0] if ids else None,
                spellings=self.spellings,
                names=self.names,
                people=self.people,
                recognize=self.recognize,
                found=change.difference,
            )
        self.entity_changes.extend(judgement.changes)
        self.entities_waiting.extend(judgement.waiting)
        self.rejected.update(f"too_broad:{reason}" for reason in judgement.too_broad)
        chunk = chunks[0] if chunks else None
        reason = self._reason_against(ids, chunk, before, after, group, pending)
        if judgement.only_entities:
            return 2
        if reason is not None:
            self.rejected[reason] += 1
            return None
        route: Route = 3 if pending else 1
        heard = (chunk.asr_text.strip() if chunk is not None else "") or before if pending else before
        self.pairs.append(
            Pair(
                chunk_id=ids[0] if ids else None,
                route=route,
                before=" ".join(heard.split()),
                after=after,
                **_audio(chunks),
            )
        )
        return route

    def _reason_against(
        self,
        ids: tuple[str, ...],
        chunk: ManifestChunk | None,
        before: str,
        after: str,
        group: Group,
        pending: bool,
    ) -> str | None:
        if not ids and (self.has_ids or self.before.blocks[group.before[0]].location.part != "body"):
            return "no_chunk"
        if self.chunks is not None and chunk is None:
            return "unknown_chunk"
        if not after:
            return "emptied"
        if pending:
            return None
        if not before:
            return "no_draft_text"
        believed = self.beliefs.get(group.after[0], CERTAIN)
        if believed.corrected < LEARNED or believed.same < _TAUGHT:
            return "rewritten"
        return "rewritten" if group.similarity < REWRITTEN_BELOW else None

    def _chunks_of(self, group: Group) -> tuple[tuple[str, ...], list[ManifestChunk]]:
        """Chunk ids of the draft's blocks (the final's are a stranger's word), and what the manifest says
        of them."""
        found = self._chunks.get(group.before)
        if found is None:
            ids = tuple(dict.fromkeys([c for i in group.before for c in self.before.blocks[i].chunk_ids]))
            found = self._chunks[group.before] = ids, self._known(ids)
        return found

    def _known(self, ids: Sequence[str]) -> list[ManifestChunk]:
        return [self.chunks[c] for c in ids if c in self.chunks] if self.chunks is not None else []

    # -- the whole -----------------------------------------------------------------------------

    @cached_property
    def evidence(self) -> Evidence:
        """What the quarantine looks at; of a draft with chunk ids only the chunks, for titles and
        tables of a template stay the same in any document of the council."""
        deleted = [
            self.before.texts[i]
            for i in self.alignment.deleted
            if i not in self.taken_apart[0] and (self.before.blocks[i].chunk_ids or not self.has_ids)
        ]
        deleted = [text for text in deleted if not audio_marks.is_pending(text)]
        return Evidence(
            changes=[*self.changes, *self.replaced],
            corrections=[*self.corrections, *[False] * len(self.replaced)],
            inserted=[self.after.texts[j] for j in self.alignment.inserted if j not in self.taken_apart[1]],
            deleted=deleted,
            other_document_id=self.other_document,
            too_much=self.too_much,
            confidence=document_confidence(
                [*self.changes, *self.replaced], deleted, [*self.confidences, *[0.0] * len(self.replaced)]
            ),
        )

    def metrics(self) -> DeltaMetrics:
        counts = Counter(block.op for block in self.blocks)
        return DeltaMetrics(
            wer=self.errors.wer,
            cer=self.errors.cer,
            counts=dict(sorted(counts.items())),
            confidence=round(self.evidence.confidence, 4),
        )


def _operation(group: Group, before: str, after: str) -> BlockOp:
    if len(group.after) > 1:
        return "split"
    if len(group.before) > 1:
        return "merged"
    if group.moved:
        return "moved"
    return "equal" if before == after else "modified"


class _Audio(TypedDict, total=False):
    audio_uri: str | None
    start_ms: int
    end_ms: int


def _audio(chunks: Sequence[ManifestChunk]) -> _Audio:
    """The stretch of audio of a block; several chunks of one recording make one longer stretch."""
    if not chunks:
        return {}
    same = [c for c in chunks if c.audio_uri == chunks[0].audio_uri]
    return {
        "audio_uri": chunks[0].audio_uri,
        "start_ms": min(c.start_ms for c in same),
        "end_ms": max(c.end_ms for c in same),
    }
