"""document_diffs: every final that waits is compared with its own draft; each diff is one Parquet file.

The hot path has compared the same two files already, to answer the clerk, and its answer is the one that
is learned from (:mod:`hotpath.comparisons`); only where it is lost is it made again, from the same inputs.
A document that cannot be learned from is recorded with the reason, never dropped.

What a final says of names that one voice alone put in is asked here too (:mod:`taking_back`), where no clerk
waits for it.

One bad document never holds up the others. What the engine refuses is kept out for good; what cannot be
read (missing, or not the bytes that were uploaded) is kept out until a later run can read it, and every
run tries. A store or database that does not answer is nobody's document: that ends the run.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field

from astra_learn_assets import tracing
from astra_learn_assets.contracts import Delta
from astra_learn_assets.errors import BadInput, BaseMissing
from astra_learn_assets.hotpath import comparisons, stored_file
from astra_learn_assets.hotpath.comparison_process import compare_here
from astra_learn_assets.hotpath.comparisons import Compare
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import measured, taking_back
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import artifacts, documents
from astra_learn_assets.store.tables import Artifact, Document


@dataclass(frozen=True)
class CompareResult:
    """What one pass over a tenant's finals did; ``digest`` covers every stored diff of the tenant, ``blocks``
    are the rows in all of them."""

    digest: str
    compared: int
    total: int
    blocks: int
    quarantined: dict[str, str]
    operations: dict[str, int] = field(default_factory=dict)
    pairs: int = 0
    pairs_by_route: dict[int, int] = field(default_factory=dict)
    wer_by_document: dict[str, float] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()
    """Finals kept out because a file of theirs could not be read; a person should look."""


def compare_waiting_finals(
    platform: Platform, tenant_id: TenantId, *, compare: Compare = compare_here
) -> CompareResult:
    """The diff of each final of ``tenant_id`` that has no document row yet or could not be read before.

    ``compare`` makes what the hot path has not left behind (the asset gives it a bounded process).
    """
    with platform.database.session() as session:
        waiting = artifacts.finals_without_document(session, tenant_id)
        waiting += documents.unreadable_finals(session, tenant_id)
    operations: Counter[str] = Counter()
    routes: Counter[int] = Counter()
    wer: dict[str, float] = {}
    for final in waiting:
        with (
            measured.stage(platform, "document_diffs") as seen,
            tracing.span(platform.settings, "document_diffs", parent=final.trace, tenant_id=tenant_id),
        ):
            delta = _compare_one(platform, tenant_id, final, compare, seen)
        if delta is not None:
            operations.update(delta.metrics.counts)
            routes.update(pair.route for pair in delta.examples)
            wer[final.artifact_id] = delta.metrics.wer
    tracing.flush(platform.settings)
    with platform.database.session() as session:
        rows = documents.listing(session, tenant_id)
        return CompareResult(
            digest=diffs_digest(rows),
            compared=len(waiting),
            total=len(rows),
            blocks=sum(int(row.metrics.get("blocks", 0)) for row in rows),
            quarantined={row.document_id: row.reason or "" for row in rows if row.state == "quarantined"},
            operations=dict(operations),
            pairs=sum(routes.values()),
            pairs_by_route=dict(routes),
            wer_by_document=wer,
            unreadable=tuple(row.document_id for row in rows if row.unreadable),
        )


def diffs_digest(rows: list[Document]) -> str:
    """SHA-256 over the ids and hashes of all diffs, independent of the order of ``rows``."""
    lines = sorted(f"{row.document_id} {row.diff_sha256 or row.state}" for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _compare_one(
    platform: Platform, tenant_id: TenantId, final: Artifact, compare: Compare, seen: measured.Seen
) -> Delta | None:
    """Record the diff of one final; None when it could not be compared at all."""
    try:
        delta, kept = comparisons.of_final(platform, final, blocks=False, compare=compare)
    except stored_file.Unreadable as error:
        _record(platform, tenant_id, final, reason=str(error), unreadable=True)
        seen.result = "unreadable"
        return None
    except (BadInput, BaseMissing) as error:
        _record(platform, tenant_id, final, reason=str(error))
        seen.result = "quarantined"
        return None
    if delta.quarantined is None:
        taking_back.look_again(platform, final)  # before it counts as compared: a run that dies looks again
    _record(platform, tenant_id, final, reason=delta.quarantined, delta=delta, diff_sha256=kept.sha256)
    seen.result = "compared" if delta.quarantined is None else "quarantined"
    return delta


def _record(
    platform: Platform,
    tenant_id: TenantId,
    final: Artifact,
    *,
    reason: str | None,
    delta: Delta | None = None,
    diff_sha256: str | None = None,
    unreadable: bool = False,
) -> None:
    metrics: dict[str, float] = {}
    if delta is not None:
        metrics = {
            "wer": delta.metrics.wer,
            "confidence": delta.metrics.confidence,
            "blocks": sum(delta.metrics.counts.values()),
        }
    with platform.database.session() as session:
        documents.record(
            session,
            tenant_id,
            document_id=final.artifact_id,
            artifact_id=final.artifact_id,
            state="compared" if reason is None else "quarantined",
            reason=reason,
            diff_sha256=diff_sha256,
            unreadable=unreadable,
            metrics=metrics,
        )
