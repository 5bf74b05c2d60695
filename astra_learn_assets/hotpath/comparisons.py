"""One final, one answer: what a comparison depends on, and its result, kept once and read by everybody.

A final is compared when a clerk uploads it, with the dictionary of that moment. The clerk's summary, the
learning path and ``POST /compare`` must tell the same story of it, today and after the dictionary, the
settings or the engine have moved on: a fix that went to the dictionary is not also a training pair, and what
was learned from a document does not change behind its back. So :class:`Inputs` names all that a result
depends on, the result lies below ``diffs/`` under the digest of its inputs, and the final's row says which
result is its own. Who comes later reads it; if the file is lost, it is made again from the same inputs, the
dictionary of then (its history brings any version back) and the given names known then included.

Finals from before this rule have no result of their own: the first who asks gives them one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import orm

from astra_learn_assets.comparator import diff_file, engine
from astra_learn_assets.comparator.names.given_names import KnownPeople
from astra_learn_assets.contracts import Delta
from astra_learn_assets.errors import BadInput, DecryptionFailed, NotFound
from astra_learn_assets.hotpath import prepared, stored_file
from astra_learn_assets.hotpath.comparison_process import Compared, Comparison, compare_here
from astra_learn_assets.ids import TenantId
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import artifacts, dictionary, paths
from astra_learn_assets.store.tables import Artifact

Compare = Callable[[Comparison], Compared]


@dataclass(frozen=True)
class Inputs:
    """Everything that the result of a comparison depends on. Hashes are SHA-256 of the stored bytes."""

    generated_id: str
    draft_sha256: str
    manifest_sha256: str
    final_id: str
    final_sha256: str
    dictionary_version: int
    people_sha256: str
    confidence_minimum: float
    engine: str

    @property
    def digest(self) -> str:
        """SHA-256 of the inputs as canonical JSON: the name of the result."""
        return _digest(asdict(self))


@dataclass(frozen=True)
class Kept:
    """A stored result: ``digest`` of its inputs, ``sha256`` of its file (:mod:`comparator.diff_file`).

    A result from before they were named by their inputs has no ``digest``.
    """

    digest: str | None
    sha256: str


@dataclass(frozen=True)
class Question:
    """A comparison to be made: its inputs, and what is needed to make it.

    ``roster`` and ``voices``: what ``people`` were made of, where they are today's
    (``artifacts.told_of_names``).
    """

    inputs: Inputs
    draft: Artifact
    replacements: Mapping[str, str]
    people: KnownPeople
    roster: Sequence[str] = ()
    voices: Sequence[tuple[str, str, str]] = ()


def question(
    platform: Platform,
    session: orm.Session,
    draft: Artifact,
    *,
    final_id: str,
    final_sha256: str,
    dictionary_version: int | None = None,
    people: KnownPeople | None = None,
) -> Question:
    """What comparing a final with ``draft`` depends on, with the dictionary of today or of that version,
    and with the people known today or ``people``.

    Raises:
        stored_file.Unreadable: the draft's manifest is missing.
    """
    if dictionary_version is None:
        version, replacements = dictionary.replacements(session, draft.tenant_id)
    else:
        version = dictionary_version
        replacements = dictionary.replacements_at(session, draft.tenant_id, version)
    roster: list[str] = []
    voices: list[tuple[str, str, str]] = []
    if people is None:
        roster, voices = artifacts.told_of_names(session, draft.tenant_id, but_of=draft.session_id)
        people = known_people(roster, voices)
    return Question(
        Inputs(
            generated_id=draft.artifact_id,
            draft_sha256=draft.sha256,
            manifest_sha256=draft.manifest_sha256 or _manifest_digest(platform, draft),
            final_id=final_id,
            final_sha256=final_sha256,
            dictionary_version=version,
            people_sha256=_digest(people.to_json()),
            confidence_minimum=platform.settings.document_confidence_minimum,
            engine=engine.fingerprint(),
        ),
        draft,
        replacements,
        people,
        roster,
        voices,
    )


def known_people(roster: Sequence[str], voices: Sequence[tuple[str, str, str]]) -> KnownPeople:
    """The people of ``artifacts.told_of_names``: what was corrected counts, whoever said it."""
    return KnownPeople.of(roster, [(wrong, right) for wrong, right, _ in voices])


def answer(
    platform: Platform,
    asked: Question,
    final: bytes,
    *,
    wrapped_key: bytes | None = None,
    compare: Compare = compare_here,
) -> Compared:
    """Compare. Nothing is stored: :func:`keep` does that.

    Raises:
        UploadRefused, BadManifest: the engine refuses a file.
        stored_file.Unreadable: the draft is missing or is not the one registered.
        TenantErased, UnknownTenant, Unavailable.
    """
    draft = asked.draft
    return compare(
        Comparison(
            draft=prepared.fetch(platform, draft, asked.inputs.manifest_sha256, wrapped_key=wrapped_key),
            final=final,
            generated_id=draft.artifact_id,
            final_id=asked.inputs.final_id,
            dictionary=asked.replacements or None,
            people=asked.people,
            confidence_minimum=asked.inputs.confidence_minimum,
            upload_max_bytes=platform.settings.upload_max_bytes,
        )
    )


def keep(
    platform: Platform,
    tenant_id: TenantId,
    inputs: Inputs,
    made: Compared,
    *,
    wrapped_key: bytes | None = None,
) -> Kept:
    """Store a result under its inputs; the same inputs again find it there.

    ``wrapped_key``: the tenant's, if the caller has it: who is inside a transaction needs no second one.
    """
    key = paths.diff(tenant_id, inputs.final_id, inputs.digest)
    vault = platform.vault
    # A clerk waits for this, and :func:`of_final` makes a lost or damaged result again: no wait for the disk.
    if not vault.write(tenant_id, key, made.diff, wrapped_key=wrapped_key, durable=False) and not _is_kept(
        platform, tenant_id, key, made, wrapped_key
    ):
        vault.write(tenant_id, key, made.diff, overwrite=True, wrapped_key=wrapped_key)  # damaged: mend it
    return Kept(inputs.digest, hashlib.sha256(made.diff).hexdigest())


def of_final(
    platform: Platform,
    final: Artifact,
    *,
    draft: Artifact | None = None,
    blocks: bool = True,
    compare: Compare = compare_here,
) -> tuple[Delta, Kept]:
    """The delta of a stored final: the one kept for it, made and kept if there is none.

    ``draft``: another draft than the final's own; its result is kept too, beside the final's. ``blocks``: all
    of it, or without its blocks, which may be thousands.

    Raises:
        BaseMissing: no draft of the final's session and version.
        stored_file.Unreadable: a file is missing or is not the one recorded.
        UploadRefused, BadManifest: the engine refuses a file.
    """
    decode = diff_file.decode if blocks else diff_file.decode_head
    own = draft is None or draft.artifact_id == final.base_id or final.base_id is None
    if own and final.diff_sha256 is not None:
        kept = Kept(final.comparison, final.diff_sha256)
        delta = _read(platform, final, kept, decode)
        if delta is not None:
            return delta, kept
    tenant_id = final.tenant_id
    with platform.database.session() as session:
        base = draft or artifacts.own_base(session, final)
        asked = question(
            platform,
            session,
            base,
            final_id=final.artifact_id,
            final_sha256=final.sha256,
            dictionary_version=final.dictionary_version,
            people=None if final.known_people is None else KnownPeople.from_json(final.known_people),
        )
    other = None if own else _found(platform, final, asked.inputs, decode)
    if other is not None:
        return other
    made = answer(platform, asked, stored_file.of_artifact(platform, final), compare=compare)
    kept = keep(platform, tenant_id, asked.inputs, made)
    if own:
        with platform.database.session() as session:
            artifacts.note_comparison(
                session,
                final,
                base_id=base.artifact_id,
                dictionary_version=asked.inputs.dictionary_version,
                known_people=asked.people.to_json(),
                comparison=asked.inputs.digest,
                diff_sha256=kept.sha256,
            )
    return decode(made.diff), kept


def _read(platform: Platform, final: Artifact, kept: Kept, decode: Callable[[bytes], Delta]) -> Delta | None:
    """The kept delta; None when its file is lost or damaged."""
    key = paths.diff(final.tenant_id, final.artifact_id, kept.digest)
    try:
        data = stored_file.sealed(platform, final.tenant_id, key, kept.sha256, what=final.artifact_id)
        return decode(data)
    except (stored_file.Unreadable, BadInput):
        return None


def _found(
    platform: Platform, final: Artifact, inputs: Inputs, decode: Callable[[bytes], Delta]
) -> tuple[Delta, Kept] | None:
    """A result that no row names, under its inputs; the seal binds it to its key and tenant."""
    key = paths.diff(final.tenant_id, final.artifact_id, inputs.digest)
    try:
        data = platform.vault.read(final.tenant_id, key)
        return decode(data), Kept(inputs.digest, hashlib.sha256(data).hexdigest())
    except (NotFound, DecryptionFailed, BadInput):
        return None


def _is_kept(
    platform: Platform, tenant_id: TenantId, key: str, made: Compared, wrapped_key: bytes | None
) -> bool:
    try:
        return platform.vault.read(tenant_id, key, wrapped_key=wrapped_key) == made.diff
    except (NotFound, DecryptionFailed):
        return False


def _digest(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _manifest_digest(platform: Platform, draft: Artifact) -> str:
    return hashlib.sha256(stored_file.manifest_of(platform, draft)).hexdigest()
