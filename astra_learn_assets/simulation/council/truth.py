"""What a perfect comparison would find in one simulated final: written beside it, so it can be scored."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from astra_learn_assets.contracts import BlockOp, EntityKind, Route
from astra_learn_assets.simulation.council.people import Citizen


@dataclass(frozen=True)
class ChunkTruth:
    """What happened to one chunk of the draft. Texts are without audio link, hidden ids and markup.

    ``op`` is ``moved`` for a chunk that changed place, whether or not its text changed as well.
    ``after`` of a split chunk is its parts joined by a space (the parts are in ``after_parts``);
    ``before`` of a merged chunk is its own text and ``after`` the paragraph it became part of.
    """

    chunk_id: str
    op: BlockOp
    before: str
    after: str | None
    after_parts: tuple[str, ...] = ()
    route: Route | None = None
    retyped: bool = False
    link_deleted: bool = False


@dataclass(frozen=True)
class EntityFix:
    """A proper noun that was put right: the misheard words alone, not the whole name."""

    wrong: str
    right: str
    kind: EntityKind
    chunk_id: str


@dataclass(frozen=True)
class PairTruth:
    """A pair that must be learned; ``before`` is empty where audio was pending (route 3).

    Route 2 (proper nouns only) makes no pair: it goes to the dictionary.
    """

    chunk_ids: tuple[str, ...]
    route: Route
    before: str
    after: str


@dataclass(frozen=True)
class Truth:
    """Everything known about one final.

    ``expected_quarantine``: nothing of it may be learned; ``quarantine_kind`` says what was done to it.
    ``expected_refusal``: it is no readable DOCX, so that already the upload must be refused.
    """

    session_id: str
    version: int
    editor: str
    chunks: tuple[ChunkTruth, ...] = ()
    inserted: tuple[str, ...] = ()
    entity_fixes: tuple[EntityFix, ...] = ()
    pairs: tuple[PairTruth, ...] = ()
    citizens: tuple[Citizen, ...] = ()
    tracked_changes: bool = False
    draft_word_errors: int = 0
    draft_words: int = 0
    expected_quarantine: bool = False
    quarantine_kind: str | None = None
    expected_refusal: bool = False

    @property
    def citizen_names(self) -> tuple[str, ...]:
        """Full names of the citizens in the draft or the final, for leak tests."""
        return tuple(sorted({citizen.person.full_name for citizen in self.citizens}))

    @property
    def citizen_identities(self) -> tuple[str, ...]:
        """Identity numbers, phones, e-mails and addresses of the citizens, for leak tests."""
        found = {value for c in self.citizens for value in (c.identity, c.phone, c.email, c.address)}
        return tuple(sorted(found))

    def write_truth(self, path: Path) -> None:
        """Write as JSON, whole or not at all."""
        partial = path.with_name(path.name + ".partial")
        partial.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        os.replace(partial, path)
