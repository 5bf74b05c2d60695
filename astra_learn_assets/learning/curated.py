"""Golden examples that a person chose: added from a file, masked like any other, retired by name.

    add(platform, tenant_id, data, by="ana")    # JSONL: {"document": "pleno-7", "input": "…", "output": "…"}

A line whose sides are equal is a paragraph that was right, and tests for damage. Text is masked under today's
policy and scanned by the second detector; one residual hit refuses the whole file, for a person can mend it.
Only the masked text is kept. When the policy changes it is masked once more, which takes new names away.

The documents of a set are called ``curated-…`` and teach nothing; whoever offers the same text as a pair
finds it kept out of the corpus like any golden text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm

from astra_learn_assets.contracts import Example, Pair
from astra_learn_assets.datasets import instruct, jsonl, quality
from astra_learn_assets.datasets.golden import GoldenSet
from astra_learn_assets.errors import AlreadyExists, BadInput, NotFound
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import masking
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import audit, paths, tenants
from astra_learn_assets.store.learning_tables import GoldenCurated

PREFIX = "curated-"
_ENGINE = "curated-1"


@dataclass(frozen=True)
class Curated:
    """One added file; ``retired_by`` None = it tests."""

    curated_id: str
    examples: int
    words: int
    added_by: str
    retired_by: str | None
    created_at: datetime


def add(platform: Platform, tenant_id: TenantId, data: bytes, *, by: str) -> Curated:
    """Mask and store the lines of ``data`` as golden examples.

    Raises:
        BadJsonl: naming the broken line. BadInput: nothing usable, or personal data that no detector masks.
        AlreadyExists: the same file was added before.
    """
    with platform.database.session() as session:
        tenants.get(session, tenant_id)
    curated_id = f"{PREFIX}{hashlib.sha256(data).hexdigest()[:12]}"
    lines = [_line(number, line) for number, line in jsonl.numbered_lines(data)]
    made = _examples(platform, tenant_id, curated_id, lines)
    if not made:
        raise BadInput(
            "no line is fit to test with: give corrected paragraphs, and unchanged ones beside them"
        )
    stored, golden = jsonl.dump(made), GoldenSet.of(made)
    platform.vault.write(tenant_id, paths.golden_curated(tenant_id, curated_id), stored, overwrite=True)
    with platform.database.session() as session:
        if session.get(GoldenCurated, (tenant_id, curated_id)) is not None:
            raise AlreadyExists(f"{curated_id} was added before")
        row = GoldenCurated(
            tenant_id=tenant_id,
            curated_id=curated_id,
            sha256=jsonl.digest(stored),
            pii_policy=masking.policy_of(platform, tenant_id).fingerprint,
            examples=len(made),
            words=golden.words,
            added_by=by,
        )
        session.add(row)
        session.flush()
        session.refresh(row)
        _note(session, tenant_id, curated_id, by, "golden.add")
        return _of(row)


def listing(platform: Platform, tenant_id: TenantId) -> list[Curated]:
    """Every added file, oldest first, retired ones included."""
    return [_of(row) for row in rows(platform, tenant_id)]


def rows(platform: Platform, tenant_id: TenantId) -> list[GoldenCurated]:
    """The same, with the hash of each file."""
    with platform.database.session() as session:
        return list(session.scalars(_all(tenant_id)))


def retire(platform: Platform, tenant_id: TenantId, curated_id: str, *, by: str) -> None:
    """Stop testing with a file; golden versions that it was part of stay as they are.

    Raises:
        NotFound: it was never added.
    """
    with platform.database.session() as session:
        row = session.get(GoldenCurated, (tenant_id, curated_id))
        if row is None:
            raise NotFound(f"tenant {tenant_id!r} has no curated golden file {curated_id!r:.40}")
        row.retired_by = row.retired_by or by
        _note(session, tenant_id, curated_id, by, "golden.retire")


def examples(platform: Platform, tenant_id: TenantId) -> list[Example]:
    """What tests now, masked under today's policy."""
    policy = masking.policy_of(platform, tenant_id).fingerprint
    found: list[Example] = []
    for row in rows(platform, tenant_id):
        if row.retired_by is not None:
            continue
        key = paths.golden_curated(tenant_id, row.curated_id)
        made = jsonl.load(platform.vault.read(tenant_id, key))
        if row.pii_policy != policy:
            lines = [(item.meta.document_id, item.input, item.output) for item in made]
            made = _examples(platform, tenant_id, row.curated_id, lines)
            stored = jsonl.dump(made)
            platform.vault.write(tenant_id, key, stored, overwrite=True)
            with platform.database.session() as session:
                known = session.get(GoldenCurated, (tenant_id, row.curated_id))
                if known is not None:
                    known.pii_policy, known.sha256 = policy, jsonl.digest(stored)
        found += made
    return found


def is_curated(document_id: str) -> bool:
    """Whether an example's document is one that a person added."""
    return document_id.startswith(PREFIX)


def _examples(
    platform: Platform, tenant_id: TenantId, curated_id: str, lines: Sequence[tuple[str, str, str]]
) -> list[Example]:
    policy = masking.policy_of(platform, tenant_id)
    masked = policy.pseudonymizer().pairs(
        [(before, after, f"{curated_id}/{n}") for n, (_, before, after) in enumerate(lines)]
    )
    documents: dict[str, str] = {}
    made: list[Example] = []
    for number, ((document, _, _), both) in enumerate(zip(lines, masked, strict=True)):
        if not is_curated(document):
            document = documents.setdefault(document, f"{curated_id}-{len(documents)}")
        example = instruct.make_example(
            pair=Pair(chunk_id=f"c{number}", route=1, before="", after=""),
            before=both.before,
            after=both.after,
            entities=both.entities,
            tenant_id=tenant_id,
            document_id=document,
            engine_version=_ENGINE,
            unchanged=both.before == both.after,
        )
        if quality.assess(example) is None:
            made.append(example)
    hits = policy.scanner().scan_jsonl(jsonl.dump(made)).hits
    if hits:
        raise BadInput(
            f"{len(hits)} places still look like personal data, the first in example "
            f"{min(hit.line for hit in hits)}: take them out of the file"
        )
    return made


def _line(number: int, line: bytes) -> tuple[str, str, str]:
    record = jsonl.load_object(number, line)
    values = tuple(record.get(name) for name in ("document", "input", "output"))
    if not all(isinstance(value, str) and value for value in values):
        raise BadInput(f"line {number}: give 'document', 'input' and 'output' as text")
    return values  # type: ignore[return-value]


def _all(tenant_id: TenantId) -> sa.Select[GoldenCurated]:
    return (
        sa.select(GoldenCurated)
        .where(GoldenCurated.tenant_id == tenant_id)
        .order_by(GoldenCurated.created_at, GoldenCurated.curated_id)
    )


def _of(row: GoldenCurated) -> Curated:
    return Curated(row.curated_id, row.examples, row.words, row.added_by, row.retired_by, row.created_at)


def _note(session: orm.Session, tenant_id: TenantId, curated_id: str, by: str, action: str) -> None:
    audit.record(
        session,
        tenant_id=tenant_id,
        actor=by,
        action=action,
        target=curated_id,
        outcome="done",
        request_id=None,
    )
