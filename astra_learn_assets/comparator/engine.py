"""Compare a draft with the clerk's final: the one call the rest of the platform makes.

    delta = compare(draft_bytes, final_bytes, generated_id="…", final_id="…", manifest=manifest)

Draft and final are read, aligned and judged; every block gets its operation, error rates, audio and
route; what may be learned comes out as pairs, proper nouns as entity changes, and everything that
is not learned is counted with its reason. Routes:

1. text correction: a pair;
2. nothing but proper nouns put right: the dictionary, no pair;
3. audio that was pending, written down by the human: a pair with its stretch of audio.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from astra_learn_assets import comparator, contracts, spanish
from astra_learn_assets.comparator.comparison import Comparison
from astra_learn_assets.comparator.docx.blocks import Document
from astra_learn_assets.comparator.docx.reader import read_document
from astra_learn_assets.comparator.names.given_names import NOBODY_KNOWN, KnownPeople
from astra_learn_assets.comparator.names.surroundings import Recognizer
from astra_learn_assets.comparator.quarantine import reason_to_quarantine
from astra_learn_assets.contracts import Delta, EntityChange, Manifest, Rejection
from astra_learn_assets.errors import BadManifest
from astra_learn_assets.settings import DOCUMENT_CONFIDENCE_MINIMUM
from astra_learn_assets.spanish.fold import entry_key

ENGINE_VERSION = "1.4.1"


@cache
def fingerprint() -> str:
    """16 hexadecimal digits over all that decides what the engine says: its code, the language's, the tables.

    Changes with any edit of these files, so that results of other code are never taken for this one's.
    """
    digest = hashlib.sha256(f"{ENGINE_VERSION}\0".encode())
    for package in (Path(comparator.__file__).parent, Path(spanish.__file__).parent):
        for source in sorted(package.rglob("*")):
            if source.is_file() and source.suffix != ".pyc":
                digest.update(f"{source.relative_to(package).as_posix()}\0".encode() + source.read_bytes())
    digest.update(Path(contracts.__file__).read_bytes())
    return digest.hexdigest()[:16]


def compare(
    generated: bytes,
    final: bytes,
    *,
    generated_id: str,
    final_id: str,
    manifest: Manifest | None = None,
    base_id: str | None = None,
    base_replaced: bool = False,
    dictionary: Mapping[str, str] | None = None,
    people: KnownPeople = NOBODY_KNOWN,
    confidence_minimum: float = DOCUMENT_CONFIDENCE_MINIMUM,
    recognize: Recognizer | None = None,
) -> Delta:
    """What the human changed in ``generated`` to make ``final``, and what may be learned from it.

    ``base_id`` is the draft really compared (the caller chose it), ``base_replaced`` whether it is
    another than the caller named. ``dictionary`` is the tenant's (wrong -> right), ``people`` what it told
    of given names, ``recognize`` an optional NER. A quarantined delta has ``quarantined`` set and neither
    pairs nor entity changes.

    Raises:
        UploadRefused: a file is not let in, or has no text.
        BadManifest: the manifest belongs to another document than the draft.
    """
    known = {chunk.chunk_id for chunk in manifest.chunks} if manifest is not None else set()
    return compare_documents(
        read_document(generated, known_ids=known),
        read_document(final, known_ids=known),
        generated_id=generated_id,
        final_id=final_id,
        manifest=manifest,
        base_id=base_id,
        base_replaced=base_replaced,
        dictionary=dictionary,
        people=people,
        confidence_minimum=confidence_minimum,
        recognize=recognize,
    )


def compare_documents(
    draft_document: Document,
    final_document: Document,
    *,
    generated_id: str,
    final_id: str,
    manifest: Manifest | None = None,
    base_id: str | None = None,
    base_replaced: bool = False,
    dictionary: Mapping[str, str] | None = None,
    people: KnownPeople = NOBODY_KNOWN,
    confidence_minimum: float = DOCUMENT_CONFIDENCE_MINIMUM,
    recognize: Recognizer | None = None,
) -> Delta:
    """:func:`compare` for who has read both files already (with the manifest's chunk ids as ``known_ids``).

    Raises:
        UploadRefused, BadManifest: as :func:`compare`.
    """
    if manifest is not None and draft_document.document_id not in (None, manifest.document_id):
        raise BadManifest(
            f"manifest of document {manifest.document_id!r:.60} does not belong to the draft, "
            f"which is {draft_document.document_id!r:.60}"
        )
    comparison = Comparison(draft_document, final_document, manifest, dictionary or {}, people, recognize)
    comparison.run()
    quarantined = reason_to_quarantine(comparison.evidence, confidence_minimum=confidence_minimum)
    learn = quarantined is None
    return Delta(
        generated_id=generated_id,
        final_id=final_id,
        base_id=base_id or generated_id,
        base_replaced=base_replaced,
        document_id=draft_document.document_id or (manifest.document_id if manifest is not None else None),
        blocks=tuple(comparison.blocks),
        metrics=comparison.metrics(),
        entity_changes=_merge_entities(comparison.entity_changes) if learn else (),
        entities_waiting=_merge_entities(comparison.entities_waiting) if learn else (),
        examples=tuple(comparison.pairs) if learn else (),
        rejected=_rejections(comparison.rejected, len(comparison.pairs), quarantined),
        quarantined=quarantined,
        engine_version=ENGINE_VERSION,
    )


def _merge_entities(changes: Sequence[EntityChange]) -> tuple[EntityChange, ...]:
    """One entry for each wrong spelling; when a document puts it right in two ways, the more frequent
    one counts and is doubted, and neither does when both are as frequent. What is right in one entry and
    wrong in another is two names, and both entries would undo each other."""
    by_wrong: dict[str, list[EntityChange]] = {}
    for change in changes:
        by_wrong.setdefault(entry_key(change.wrong), []).append(change)
    rights = {entry_key(change.right) for change in changes if entry_key(change.right) in by_wrong}
    rights -= {entry_key(change.wrong) for change in changes if _only_recased(change)}
    merged: list[EntityChange] = []
    for wrong, group in by_wrong.items():
        votes = Counter(change.right for change in group).most_common(2)
        tied = len(votes) > 1 and votes[0][1] == votes[1][1]
        right = votes[0][0]
        if tied or wrong in rights or (entry_key(right) in rights and not _only_recased(group[0])):
            continue
        chosen = next(change for change in group if change.right == right)
        confidence = max(change.confidence for change in group if change.right == right)
        if len(votes) > 1:
            confidence = min(confidence, 0.5)
        merged.append(chosen.model_copy(update={"confidence": confidence}))
    return tuple(merged)


def _only_recased(change: EntityChange) -> bool:
    return entry_key(change.wrong) == entry_key(change.right)


def _rejections(counts: Counter[str], pairs: int, quarantined: str | None) -> tuple[Rejection, ...]:
    rejected = [Rejection(reason=reason, count=n) for reason, n in sorted(counts.items())]
    if quarantined is not None:
        rejected.insert(0, Rejection(reason="quarantined", detail=quarantined, count=max(pairs, 1)))
    return tuple(rejected)
