"""The data that travels between stages: one frozen type per arrow of the loop.

DOCX -> blocks -> :class:`Delta` -> :class:`Pair` -> :class:`Example` -> corpus -> adapter ->
predictions -> :class:`GateVerdict` -> promotion. The types that cross a process or a file are
pydantic models, so what is read is validated; unknown fields are refused where we own the writer.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from astra_learn_assets.ids import NAME_PATTERN, TenantId

BlockOp = Literal["equal", "modified", "moved", "inserted", "deleted", "split", "merged"]
Route = Literal[1, 2, 3]
ExampleRoute = Literal[0, 1, 2, 3]
"""As :data:`Route`; 0 is a paragraph that the clerk left as it was, which tests and never teaches."""
Fault = Literal["examples", "capacity", "worker", "permanent", "superseded"]
"""Whose fault a failed training is: see :mod:`learning.training.policy`."""
EntityKind = Literal["person", "place", "organization", "acronym", "other"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ManifestChunk(_Frozen):
    """One stretch of audio and what the recognizer heard; times in milliseconds."""

    chunk_id: str = Field(json_schema_extra={"minLength": 1, "maxLength": 64})
    audio_uri: str | None = None
    start_ms: int = Field(ge=0)
    end_ms: int = Field(ge=0)
    asr_text: str = ""
    status: Literal["OK", "AUDIO_PENDING"] = "OK"


class Manifest(_Frozen):
    """What the Builder stores beside a draft, as `draft.json`."""

    document_id: str
    session_id: str = Field(json_schema_extra={"pattern": NAME_PATTERN})
    version: int = Field(ge=1, le=999)
    chunks: tuple[ManifestChunk, ...] = ()


class BlockDelta(_Frozen):
    """One operation of the delta. ``before``/``after`` are None where the side has no text.

    ``moved_from`` is the index of the block in the draft when its place changed. A split has one
    ``before`` and several entries in ``after_parts``; a merge several entries in ``before_parts``.
    ``route``: 1 text correction, 2 entity hotfix, 3 ``AUDIO_PENDING`` filled in; None = not learned.
    Of a changed block, the probabilities (0..1) that ``after`` is the utterance of ``before``
    (``same_utterance``) and that nothing was done to it but correcting (``corrected``); else None.
    """

    op: BlockOp
    chunk_ids: tuple[str, ...] = ()
    audio_uri: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    before: str | None = None
    after: str | None = None
    before_index: int | None = None
    after_index: int | None = None
    before_parts: tuple[str, ...] = ()
    after_parts: tuple[str, ...] = ()
    wer: float = 0.0
    cer: float = 0.0
    similarity: float = 1.0
    confidence: float = 1.0
    moved_from: int | None = None
    route: Route | None = None
    same_utterance: float | None = None
    corrected: float | None = None


class EntityChange(_Frozen):
    """A proper noun the clerk put right; ``confidence`` in 0..1."""

    wrong: str
    right: str
    kind: EntityKind
    chunk_id: str | None = None
    confidence: float = Field(ge=0, le=1)


class Pair(_Frozen):
    """Text as transcribed and as corrected, before anonymization. Never leaves ``diffs/``."""

    chunk_id: str | None
    route: Route
    before: str
    after: str
    audio_uri: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None


class Rejection(_Frozen):
    """Something that is not learned, and why. ``detail`` holds no document text."""

    reason: str
    detail: str = ""
    count: int = 1


class DeltaMetrics(_Frozen):
    wer: float
    cer: float
    counts: dict[str, int]
    confidence: float = 1.0


class Delta(_Frozen):
    """Answer of the diff engine for one draft and one final.

    ``quarantined`` says why nothing of the document may be learned (None = it may). ``entities_waiting``:
    one existing given name put for another; not for the dictionary before another session says the same.
    """

    generated_id: str
    final_id: str
    base_id: str
    base_replaced: bool = False
    document_id: str | None = None
    blocks: tuple[BlockDelta, ...]
    metrics: DeltaMetrics
    entity_changes: tuple[EntityChange, ...] = ()
    entities_waiting: tuple[EntityChange, ...] = ()
    examples: tuple[Pair, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    quarantined: str | None = None
    engine_version: str


class ExampleMeta(_Frozen):
    example_id: str
    tenant_id: TenantId
    document_id: str
    chunk_id: str | None = None
    route: ExampleRoute
    audio_uri: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    entities: dict[str, int] = Field(default_factory=dict)
    engine_version: str


class Example(_Frozen):
    """One anonymized training example: a line of JSONL."""

    instruction: str
    input: str
    output: str
    meta: ExampleMeta


class DictionaryEntry(_Frozen):
    """One proper noun of a tenant's dictionary."""

    wrong: str
    right: str
    kind: EntityKind
    source_document: str
    author: str
    created_at: datetime


class DictionaryUpdated(_Frozen):
    """Message on channel ``DICTIONARY_UPDATED``; readers that missed some catch up by version."""

    tenant_id: TenantId
    version: int
    changed: tuple[str, ...]


class CanaryShare(_Frozen):
    """The ``share`` of sessions (between 0 and 1) that a new adapter gets; the others keep the stable one.

    ``stable_adapter_id`` and ``stable_sha256`` are empty when that is the base model.
    """

    share: float = Field(gt=0, lt=1)
    stable_adapter_id: str
    stable_sha256: str


class NewModelAvailable(_Frozen):
    """Value of key ``NEW_MODEL_AVAILABLE:{tenant_id}``: the promotion record, signed (``registry.seals``).

    ``adapter_id`` is empty when the base model serves. Of two records the one with the later
    ``promoted_at`` counts: an older one that comes back is a replay. ``forget``: adapters that learned from
    what was erased since: whoever has a copy deletes it. ``canary``: the adapter is on trial; who knows
    nothing of trials gives it to every session.
    """

    tenant_id: TenantId
    adapter_id: str
    sha256: str
    base_model: str
    promoted_at: datetime
    forget: tuple[str, ...] = ()
    canary: CanaryShare | None = None
    signature: str | None = None

    def content(self) -> dict[str, Any]:
        """What is signed; without what is empty, so that records of before it came keep their signature."""
        added_later = {"forget": self.forget, "canary": self.canary}
        left_out = {name for name, value in added_later.items() if not value}
        return self.model_dump(mode="json", exclude={"signature", *left_out})

    @classmethod
    def nothing(cls, tenant_id: TenantId, since: datetime) -> NewModelAvailable:
        """No adapter serves since then: it was withdrawn, or the tenant was erased."""
        return cls(tenant_id=tenant_id, adapter_id="", sha256="", base_model="", promoted_at=since)


class GateVerdict(_Frozen):
    """What a gate said about one exact digest. A step that goes on asks for the passing one."""

    gate: Literal["pii_gate", "corpus_gate", "adapter_gate", "wer_gate"]
    tenant_id: TenantId
    digest: str
    passed: bool
    reason: str
    details: dict[str, float | int | str | bool | None] = Field(default_factory=dict)


class AdapterManifest(_Frozen):
    """``manifest.json`` of an adapter folder; signed (Ed25519) in ``manifest.sig``.

    ``files`` maps file name to SHA-256; the adapter's digest covers tenant, base model and revision,
    dataset hash, hyperparameters and ``files`` but no time and no metric: same content, same id.
    """

    adapter_id: str
    tenant_id: TenantId
    base_model: str
    base_revision: str | None
    dataset_hash: str
    commit_hash: str
    hyperparameters: dict[str, float | int | str | bool | None]
    metrics: dict[str, float | int | str | bool | None]
    files: dict[str, str]
    created_at: datetime
