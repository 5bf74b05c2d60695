"""A document that was kept out is released or dropped by a person, and nobody else."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from astra_learn_assets.cli.main import app
from astra_learn_assets.errors import Conflict, NotFound
from astra_learn_assets.learning import anonymize, compare, review
from astra_learn_assets.store import documents, examples
from astra_learn_assets.store.tables import AuditEntry
from astra_learn_assets_tests.graph.conftest import Town


@pytest.fixture
def kept_out(town: Town) -> str:
    """A document that the comparison keeps out, beside an honest one."""
    hostile = next(
        index
        for index in range(60)
        if town.council.is_hostile(index)
        and (truth := town.council.session(index).truth).expected_quarantine
        and not truth.expected_refusal
    )
    honest = next(index for index in range(60) if not town.council.is_hostile(index))
    town.submit(hostile, honest)
    compare.compare_waiting_finals(town.platform, town.tenant_id)
    (found,) = review.kept_out(town.platform, town.tenant_id)
    assert found.reason
    return found.document_id


def _usable(town: Town, document_id: str) -> int:
    with town.platform.database.session() as session:
        rows = examples.of_document(session, town.tenant_id, document_id)
    return sum(row.usable for row in rows)


def test_nothing_is_learned_before_a_person_releases_it_and_then_it_is(town: Town, kept_out: str) -> None:
    platform = town.platform
    anonymize.anonymize_documents(platform, town.tenant_id)
    assert _usable(town, kept_out) == 0
    review.release(platform, town.tenant_id, kept_out, by="ana")
    assert review.kept_out(platform, town.tenant_id) == []
    anonymize.anonymize_documents(platform, town.tenant_id)
    with platform.database.session() as session:
        row = documents.get(session, town.tenant_id, kept_out)
        noted = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "quarantine.release")).all()
    assert (row.state, row.review, row.reviewed_by) == ("anonymized", "released", "ana")
    assert [(entry.actor, entry.target) for entry in noted] == [("ana", kept_out)]
    with pytest.raises(Conflict, match="is not kept out"):
        review.release(platform, town.tenant_id, kept_out, by="ana")


def test_a_dropped_document_waits_for_nobody_and_stays_out(town: Town, kept_out: str) -> None:
    review.drop(town.platform, town.tenant_id, kept_out, by="ana")
    assert review.kept_out(town.platform, town.tenant_id) == []
    (shown,) = review.kept_out(town.platform, town.tenant_id, dropped=True)
    assert (shown.document_id, shown.review, shown.reviewed_by) == (kept_out, "dropped", "ana")
    anonymize.anonymize_documents(town.platform, town.tenant_id)
    assert _usable(town, kept_out) == 0


def test_what_was_never_compared_cannot_be_released(town: Town, kept_out: str) -> None:
    with town.platform.database.session() as session:
        row = documents.get(session, town.tenant_id, kept_out)
        documents.record(
            session, town.tenant_id, document_id=kept_out, artifact_id=row.artifact_id, state="quarantined",
            reason="roto", unreadable=True,
        )  # fmt: skip
    with pytest.raises(Conflict, match="never compared"):
        review.release(town.platform, town.tenant_id, kept_out, by="ana")
    for call in (review.release, review.drop):
        with pytest.raises(NotFound):
            call(town.platform, town.tenant_id, "nada", by="ana")


def test_the_command_line_lists_and_shows_what_waits(town: Town, kept_out: str) -> None:
    home = ["--home", str(town.platform.settings.home_path)]
    listed = CliRunner().invoke(app, ["quarantine", "list", town.tenant_id, "-o", "json", *home])
    assert listed.exit_code == 0, listed.output
    assert kept_out in listed.output
    shown = CliRunner().invoke(app, ["quarantine", "show", town.tenant_id, kept_out, *home])
    assert shown.exit_code == 0, shown.output
    dropped = CliRunner().invoke(app, ["quarantine", "drop", town.tenant_id, kept_out, *home])
    assert "dropped" in dropped.output
    again = CliRunner().invoke(app, ["quarantine", "list", town.tenant_id, "-o", "json", *home])
    assert kept_out not in again.output
