"""What a final of somebody else says of names that one voice alone put in: the second look, carried out.

It follows each final that is compared, not its upload: a clerk waits for none of it. Everything is asked for
twice. First without a lock, which is where the time goes, and mostly nothing is doubted; then, of what was
doubted, under the lock of the dictionary: a second voice, a person's word or an erasure may have come
between.

In one transaction the entries leave the dictionary as they do when a person takes them out, with their
reasons in its history, the summaries of the finals that hold them live say that they wait, and the audit log
that a look took some. From there they are fixes that wait like others: whoever says the same is the second
voice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import orm

from astra_learn_assets.contracts import DictionaryEntry
from astra_learn_assets.hotpath import second_look
from astra_learn_assets.hotpath.intake import relay_now
from astra_learn_assets.hotpath.summary import SubmitSummary
from astra_learn_assets.ids import TenantId
from astra_learn_assets.platform import Platform
from astra_learn_assets.spanish.fold import fix_keys
from astra_learn_assets.store import artifacts, audit, dictionary, erasure, voices
from astra_learn_assets.store.tables import Artifact

AUTHOR = "astra-learn"
"""Who has taken an entry out, in the dictionary's history."""


def look_again(platform: Platform, final: Artifact) -> dict[str, str]:
    """Take back what is doubted now that ``final`` is there; returns the keys with their reasons.

    Raises:
        TenantErased: the tenant was erased meanwhile.
        Unavailable.
    """
    tenant_id = final.tenant_id
    with platform.database.session() as session:
        arrived = final.uploaded_by or ""
        others = voices.finals_of_others(
            session, tenant_id, seq=final.seq, arrived=arrived, of_one=second_look.OF_ONE
        )
        authors = second_look.authors_asked(others, arrived)
        if not authors:
            return {}
        entries = _entries(dictionary.stored(session, tenant_id)[1])
        found = _doubted(session, tenant_id, entries, authors)
    if not found:
        return {}
    with platform.database.session() as session:
        erasure.hold_open(session, tenant_id)
        held = dictionary.hold(session, tenant_id)
        entries = _entries(held.entries)
        found = _doubted(session, tenant_id, entries, authors, only=found)
        if not found:
            return {}
        dictionary.take_back(session, found, AUTHOR, held=held)
        _note(session, tenant_id, [entries[key] for key in found])
        audit.record(
            session,
            tenant_id=tenant_id,
            actor=AUTHOR,
            action="dictionary.take_back",
            target=final.artifact_id,
            outcome="done",
            request_id=None,
        )
    relay_now(platform)
    return found


def _entries(stored: Mapping[str, Any]) -> dict[str, DictionaryEntry]:
    return {key: DictionaryEntry.model_validate(entry) for key, entry in stored.items()}


def _doubted(
    session: orm.Session,
    tenant_id: TenantId,
    entries: dict[str, DictionaryEntry],
    authors: Collection[str],
    only: Collection[str] | None = None,
) -> dict[str, str]:
    return second_look.doubted(
        entries,
        authors,
        [second_look.Final(*one) for one in voices.finals(session, tenant_id, authors)],
        roster=artifacts.rosters(session, tenant_id),
        now=datetime.now(UTC),
        only=only,
    )


def _note(session: orm.Session, tenant_id: TenantId, taken: Collection[DictionaryEntry]) -> None:
    """Let the finals that say these entries are live say that they wait."""
    keys = {fix_keys(entry.wrong, entry.right) for entry in taken}
    for final in voices.holding_live(session, tenant_id, keys):
        summary = SubmitSummary.model_validate(final.summary)
        for entry in taken:
            summary = summary.without(entry.wrong, entry.right)
        final.summary = summary.model_dump(mode="json")
    session.flush()
