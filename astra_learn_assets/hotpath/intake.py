"""The hot path as plain functions: a draft comes in, a final comes in, name fixes are live.

::

    summary = submit_final(platform, tenant_id="villaverde", session_id="pleno-3", version=1,
                           data=docx, uploaded_by="marta")

Order of :func:`submit_final`, and why nothing is ever half done: everything that can refuse comes
before anything is written; the DOCX object is written before the row that names it; row, summary,
dictionary, history, outbox and audit are one transaction; the event is published after the commit and,
if Redis is away, by a later relay. The same bytes again find their row and get the stored summary, also
when two identical uploads arrive at once: the second waits on the unique row of the first.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import redis
from sqlalchemy import orm

from astra_learn_assets import ids, tracing
from astra_learn_assets.comparator.docx.admission import refuse
from astra_learn_assets.comparator.names.breadth import too_broad
from astra_learn_assets.contracts import Delta, DictionaryEntry, Rejection
from astra_learn_assets.errors import BadInput, BaseMissing, NotFound
from astra_learn_assets.hotpath import comparisons, second_voice
from astra_learn_assets.hotpath.comparison_process import compare_here
from astra_learn_assets.hotpath.comparisons import Compare
from astra_learn_assets.hotpath.drafts import Place, note, place_of, register_draft, register_session
from astra_learn_assets.hotpath.summary import LiveEntity, SubmitSummary, left_out, sentence
from astra_learn_assets.hotpath.wording import told
from astra_learn_assets.ids import TenantId
from astra_learn_assets.platform import Platform
from astra_learn_assets.spanish.fold import entry_key
from astra_learn_assets.store import artifacts, dictionary, erasure, outbox, paths, tenants
from astra_learn_assets.store.tables import Artifact, Dictionary

__all__ = ["compare_artifacts", "register_draft", "register_session", "relay_now", "submit_final"]


@dataclass(frozen=True)
class _Base:
    """The draft a final is compared with."""

    artifact: Artifact
    replaced: bool


def _ignore(_what: str, _seconds: float) -> None:
    return None


@tracing.traced("submit_final")
def submit_final(
    platform: Platform,
    *,
    tenant_id: TenantId,
    session_id: str,
    version: int,
    data: bytes,
    uploaded_by: str,
    generated_id: str | None = None,
    request_id: str | None = None,
    observe: Callable[[str, float], None] = _ignore,
    publish: Callable[[], object] | None = None,
    compare: Compare = compare_here,
) -> SubmitSummary:
    """Take a clerk's final: compare it, put its name fixes into the dictionary, keep it for learning.

    ``generated_id`` is the draft the caller believes to be the base; the draft of the final's own session
    and version is used whatever it says. ``publish`` is called after the commit (default: relay the
    outbox now; Redis away is no failure). ``observe(stage, seconds)`` gets ``compare`` and ``hotfix``.
    ``compare`` runs the comparison (the API gives it processes of its own).

    Raises:
        UploadRefused: not a DOCX the gate lets in; nothing stored.
        BaseMissing: no draft of this session and version; nothing stored.
        TenantErased: the tenant's data was destroyed; nothing stored.
        InvalidId, UnknownTenant, Unavailable.
    """
    started = time.perf_counter()
    place = place_of(tenant_id, session_id, version)
    if len(data) > platform.settings.upload_max_bytes:
        refuse("too_large")  # the rest of the gate is the comparison's: it unpacks the file only once
    sha256 = hashlib.sha256(data).hexdigest()
    final_id = artifacts.artifact_id(place.session_id, place.version, "final", sha256)
    with platform.database.session() as session:
        tenant = tenants.get(session, place.tenant_id)
        known = _stored_summary(session, place, final_id, sha256)
        if known is not None:
            return known
        base = _choose_base(session, place, generated_id)
        asked = comparisons.question(platform, session, base.artifact, final_id=final_id, final_sha256=sha256)
    compared = time.perf_counter()
    with tracing.span(platform.settings, "compare"):
        made = comparisons.answer(platform, asked, data, wrapped_key=tenant.wrapped_key, compare=compare)
    observe("compare", time.perf_counter() - compared)
    delta = made.delta
    live, refused = live_entities(delta)

    key = paths.final_docx(place.tenant_id, place.session_id, place.version, sha256)
    with platform.database.session() as session:
        wrapped_key = erasure.hold_open(session, place.tenant_id)
        platform.vault.write(place.tenant_id, key, data)
        kept = comparisons.keep(platform, place.tenant_id, asked.inputs, made, wrapped_key=wrapped_key)
        artifact, created = artifacts.add_artifact(
            session,
            place.tenant_id,
            session_id=place.session_id,
            version=place.version,
            kind="final",
            uri=key,
            sha256=sha256,
            uploaded_by=uploaded_by,
            trace=tracing.current(platform.settings),
        )
        if not created and artifact.summary is not None:
            return _again(artifact)
        others = {"but_of": place.session_id, "but_by": uploaded_by}
        written = artifacts.names_written(session, place.tenant_id, **others) if live else ()
        doubts = second_voice.doubts(live, roster=asked.roster, written=written)
        held = dictionary.hold(session, place.tenant_id) if live else None
        if held is not None and held.version != asked.inputs.dictionary_version:
            # what was live then may wait by now, and would find no second voice in this one
            _, voices = artifacts.told_of_names(session, place.tenant_id, but_of=place.session_id)
            asked = replace(asked, voices=voices)
        divided = _divide(held, asked, live, doubts, uploaded_by)
        version_live = _apply(session, place.tenant_id, divided.live, artifact.artifact_id, uploaded_by, held)
        artifact.base_id, artifact.dictionary_version = delta.base_id, asked.inputs.dictionary_version
        artifact.known_people = asked.people.to_json()
        artifact.comparison, artifact.diff_sha256 = kept.digest, kept.sha256
        artifact.names = list(made.names) or None
        waiting = tuple(change for change, _ in divided.waiting)
        summary = _summarise(
            delta, base, divided.live, refused, version_live, artifact.artifact_id, contradicting=waiting
        )
        # but for the commit, which cannot be part of what it commits
        summary = summary.model_copy(update={"live_seconds": round(time.perf_counter() - started, 3)})
        artifact.summary = summary.model_dump(mode="json")
        note(session, place, uploaded_by, "final.submit", artifact.artifact_id, request_id)
    observe("hotfix", time.perf_counter() - started)
    if publish is not None:
        publish()
    else:
        relay_now(platform)
    return summary


def compare_artifacts(
    platform: Platform,
    tenant_id: TenantId,
    generated_id: str,
    final_id: str,
    *,
    compare: Compare = compare_here,
) -> Delta:
    """The delta of a stored final against its right base: the one kept when it was uploaded.

    Raises:
        NotFound: an id that this tenant does not have.
        BadInput: the ids are not a draft and a final.
        BaseMissing: no draft of the final's session and version.
    """
    for value in (generated_id, final_id):
        ids.name(value, "artifact id")
    with platform.database.session() as session:
        tenants.get(session, tenant_id)
        generated = artifacts.get_artifact(session, tenant_id, generated_id)
        final = artifacts.get_artifact(session, tenant_id, final_id)
        if generated.kind != "generated" or final.kind != "final":
            raise told(BadInput("'generated_id' debe ser un borrador y 'final_id' un documento final"))
        base = _choose_base(session, Place(tenant_id, final.session_id, final.version), generated_id)
        if base.replaced:  # not one of its session and version: the final's own
            base = _Base(artifacts.own_base(session, final), replaced=True)
    delta, _ = comparisons.of_final(platform, final, draft=base.artifact, compare=compare)
    return delta.model_copy(update={"base_replaced": base.replaced})


def relay_now(platform: Platform) -> int:
    """Publish committed events; 0 when Redis is away (the next relay sends them)."""
    try:
        return outbox.relay(platform.database, platform.redis)
    except (redis.RedisError, OSError):
        return 0


def _stored_summary(session: orm.Session, place: Place, final_id: str, sha256: str) -> SubmitSummary | None:
    try:
        artifact = artifacts.get_artifact(session, place.tenant_id, final_id)
    except NotFound:
        return None
    return _again(artifact) if artifact.summary is not None and artifact.sha256 == sha256 else None


def _again(artifact: Artifact) -> SubmitSummary:
    return SubmitSummary.model_validate({**(artifact.summary or {}), "already_received": True})


def _choose_base(session: orm.Session, place: Place, named: str | None) -> _Base:
    newest = artifacts.base_for(session, place.tenant_id, place.session_id, place.version)
    if newest is None:
        raise BaseMissing(
            f"no hay borrador de la sesión '{place.session_id}' versión {place.version}: "
            "no se ha guardado ni aprendido nada; registre primero el borrador de esa versión"
        )
    if named is None or named == newest.artifact_id:
        return _Base(newest, replaced=False)
    try:
        asked = artifacts.get_artifact(session, place.tenant_id, ids.name(named, "artifact id"))
    except NotFound:
        return _Base(newest, replaced=True)
    same = (asked.kind, asked.session_id, asked.version) == ("generated", place.session_id, place.version)
    return _Base(asked, replaced=False) if same else _Base(newest, replaced=True)


def live_entities(delta: Delta) -> tuple[tuple[LiveEntity, ...], list[Rejection]]:
    """The name fixes that may go into the dictionary, and why the others may not."""
    if delta.quarantined is not None:
        return (), []
    live: dict[str, LiveEntity] = {}
    refused: list[Rejection] = []
    for change in delta.entity_changes:
        reason = too_broad(change)
        if reason is not None:
            refused.append(Rejection(reason=f"too_broad:{reason}"))
            continue
        live[entry_key(change.wrong)] = LiveEntity(wrong=change.wrong, right=change.right, kind=change.kind)
    return tuple(live.values()), refused


def _divide(
    held: Dictionary | None,
    asked: comparisons.Question,
    live: Sequence[LiveEntity],
    doubts: Mapping[LiveEntity, str],
    author: str,
) -> second_voice.Divided:
    """What of ``live`` contradicts nothing that is known, or was said by somebody else as well."""
    if held is None:
        return second_voice.Divided((), ())
    wrongs = {entry_key(change.wrong) for change in live}
    voices = [second_voice.Voice(*voice) for voice in asked.voices]
    waited = {entry_key(voice.wrong) for voice in voices if voice.author == author}
    concerned = {
        key: DictionaryEntry.model_validate(entry)
        for key, entry in held.entries.items()
        if key in wrongs or key in waited or entry_key(entry["right"]) in wrongs
    }
    return second_voice.divide(
        live,
        roster=asked.roster,
        entries=concerned,
        voices=voices,
        doubts=doubts,
        author=author,
        brought=sum(entry["author"] == author for entry in held.entries.values()),
        now=datetime.now(UTC),
    )


def _apply(
    session: orm.Session,
    tenant_id: TenantId,
    live: Sequence[LiveEntity],
    source: str,
    author: str,
    held: Dictionary | None,
) -> int:
    """Put ``live`` into the dictionary (``held``: its locked row); return the version that holds them."""
    now = datetime.now(UTC)
    update = dictionary.apply(
        session,
        tenant_id,
        [
            DictionaryEntry(
                wrong=item.wrong,
                right=item.right,
                kind=item.kind,
                source_document=source,
                author=author,
                created_at=now,
            )
            for item in live
        ],
        held=held,
    )
    return update.version if update is not None else dictionary.version_of(session, tenant_id)


def _summarise(
    delta: Delta,
    base: _Base,
    live: tuple[LiveEntity, ...],
    refused: Sequence[Rejection],
    dictionary_version: int,
    artifact_id: str,
    *,
    contradicting: tuple[LiveEntity, ...] = (),
) -> SubmitSummary:
    pairs = 0 if delta.quarantined is not None else len(delta.examples)
    left = left_out([*delta.rejected, *refused])
    unread = any(rejection.reason.startswith("unread_") for rejection in delta.rejected)
    unchanged = set(delta.metrics.counts) <= {"equal"} and not unread
    waiting = tuple(
        LiveEntity(wrong=change.wrong, right=change.right, kind=change.kind)
        for change in delta.entities_waiting
    )
    return SubmitSummary(
        artifact_id=artifact_id,
        base_id=delta.base_id,
        base_replaced=base.replaced,
        entities_live=live,
        entities_waiting=(*contradicting, *waiting),
        dictionary_version=dictionary_version,
        pairs_waiting=pairs,
        left_out=left,
        quarantined=delta.quarantined,
        message=sentence(
            base_replaced=base.replaced,
            entities=len(live),
            waiting=len(waiting),
            contradicting=len(contradicting),
            pairs=pairs,
            left=left,
            quarantined=delta.quarantined,
            unchanged=unchanged,
        ),
    )
