"""A municipality that leaves is forgotten: no row and no object keeps a name of it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from astra_learn_assets.contracts import DictionaryEntry, GateVerdict
from astra_learn_assets.errors import TenantErased, Unauthorized
from astra_learn_assets.hotpath import blocklist_terms, drafts, intake
from astra_learn_assets.platform import Platform
from astra_learn_assets.serving.dictionary import DictionarySubscriber
from astra_learn_assets.store import (
    api_keys,
    artifacts,
    dictionary,
    documents,
    erasure,
    examples,
    paths,
    tenants,
    trainings,
    verdicts,
)
from astra_learn_assets.store.tables import Base
from astra_learn_assets_tests.api.files import NAME_FIX, make_draft
from astra_learn_assets_tests.audit_lines import audit_lines
from astra_learn_assets_tests.conftest import MakeTenant

PLANTED = ("Hortegga", "Ortega", "Zubeldía", "Villalobos", "marta")


def plant(platform: Platform, tenant_id: str) -> str:
    """Names wherever the code can put them; a key of the tenant."""
    files = make_draft()
    place: dict[str, Any] = {"tenant_id": tenant_id, "session_id": "pleno-1", "version": 1}
    with platform.database.session() as session:
        row, key = api_keys.issue(session, tenant_id=tenant_id, role="editor", label="marta")
    clerk = f"marta ({row.key_id})"
    drafts.register_draft(
        platform, **place, docx=files.docx, manifest=files.manifest, roster=["Ramiro Zubeldía"]
    )
    final = intake.submit_final(platform, **place, data=files.final(NAME_FIX), uploaded_by=clerk)
    platform.vault.write(tenant_id, paths.pairs(tenant_id, "doc"), b"Carmen Villalobos")
    with platform.database.session() as session:
        blocklist_terms.add_term(
            session,
            tenant_id,
            "Carmen Villalobos",
            action="mask",
            kind="person",
            actor=clerk,
            request_id=None,
        )
        dictionary.remove(session, tenant_id, "Hortegga", clerk)
        documents.record(
            session,
            tenant_id,
            document_id="doc",
            artifact_id=final.artifact_id,
            state="quarantined",
            reason="names Zubeldía",
            metrics={"who": "Villalobos"},
        )
        row_of = examples.NewExample("a" * 64, "doc", 1, False, False, "holds Zubeldía")
        examples.add(session, tenant_id, [row_of])
        verdicts.record(
            session,
            GateVerdict(
                gate="pii_gate", tenant_id=tenant_id, digest="a" * 64, passed=False, reason="Zubeldía is left"
            ),
        )
        trainings.start(session, tenant_id, through_seq=1, attempt=1, dagster_run_id=None)
    return key


def rows_with(platform: Platform, word: str) -> list[str]:
    """The tables in which any column of any row shows ``word``."""
    with platform.database.session() as session:
        return [
            name
            for name in Base.metadata.tables
            if session.scalar(
                sa.text(f"SELECT count(*) FROM {name} t WHERE t::text ILIKE :w"), {"w": f"%{word}%"}
            )
        ]


def test_no_row_and_no_object_of_an_erased_tenant_holds_a_name(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant("villaverde", display_name="Ayuntamiento de Villalobos")
    key = plant(platform, "villaverde")
    for word in PLANTED:
        assert rows_with(platform, word), f"{word} was planted nowhere: the test would prove nothing"
    platform.vault.erase_tenant("villaverde")
    assert {word: rows_with(platform, word) for word in PLANTED} == {word: [] for word in PLANTED}
    for prefix in paths.tenant_prefixes("villaverde"):
        assert platform.objects.list(prefix) == []
    with platform.database.session() as session:
        lines = audit_lines(session, "villaverde")
        assert (lines[0].action, lines[0].outcome) == ("tenant.erase", "done")
        assert {"final.submit", "draft.register", "blocklist.add"} <= {line.action for line in lines}
        assert any(line.actor.startswith("key-") for line in lines)
        assert tenants.get(session, "villaverde").display_name == "villaverde"
    with pytest.raises(Unauthorized), platform.database.session() as session:
        api_keys.verify(session, key)


def test_a_subscriber_empties_itself_of_an_erased_tenant(platform: Platform, make_tenant: MakeTenant) -> None:
    make_tenant()
    plant(platform, "villaverde")
    intake.relay_now(platform)

    def fetch(tenant_id: str) -> tuple[int, list[DictionaryEntry]]:
        with platform.database.session() as session:
            return dictionary.read(session, tenant_id)

    with platform.database.session() as session:
        now = datetime.now(UTC)
        entry = DictionaryEntry(
            wrong="Hortega", right="Ortega", kind="person", source_document="d", author="a", created_at=now
        )
        dictionary.apply(session, "villaverde", [entry])
    with DictionarySubscriber(platform.redis, fetch=fetch, tenants=["villaverde"]) as subscriber:
        held = subscriber.dictionary("villaverde")
        assert held.replacements == {"Hortega": "Ortega"}
        platform.vault.erase_tenant("villaverde")
        intake.relay_now(platform)
        assert subscriber.wait_for("villaverde", held.version + 1, timeout=5)
        assert subscriber.dictionary("villaverde").replacements == {}


def test_neighbours_keep_everything(platform: Platform, make_tenant: MakeTenant) -> None:
    make_tenant("villaverde")
    make_tenant("villaverde-2")
    plant(platform, "villaverde")
    plant(platform, "villaverde-2")
    tables = [table for table in Base.metadata.sorted_tables if "tenant_id" in table.columns]

    def neighbours() -> list[int]:
        with platform.database.session() as session:
            return [
                session.scalar(
                    sa.select(sa.func.count()).select_from(t).where(t.c.tenant_id == "villaverde-2")
                )
                or 0
                for t in tables
            ]

    before = neighbours()
    platform.vault.erase_tenant("villaverde")
    assert neighbours() == before
    platform.vault.erase_tenant("villaverde")  # again: finds nothing, breaks nothing


def test_nothing_can_be_written_for_an_erased_tenant(platform: Platform, make_tenant: MakeTenant) -> None:
    make_tenant()
    plant(platform, "villaverde")
    platform.vault.erase_tenant("villaverde")
    files = make_draft("pleno-2")
    place: dict[str, Any] = {"tenant_id": "villaverde", "session_id": "pleno-2", "version": 1}
    with pytest.raises(TenantErased):
        drafts.register_draft(platform, **place, docx=files.docx, manifest=files.manifest)
    with pytest.raises(TenantErased):
        drafts.register_session(platform, **place, roster=["Carmen Villalobos"])
    assert platform.objects.list("sessions/villaverde") == []
    assert rows_with(platform, "Villalobos") == []


def test_an_erasure_waits_for_an_upload_under_way_and_takes_it_along(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant()
    erased = threading.Thread(target=platform.vault.erase_tenant, args=("villaverde",))
    with platform.database.session() as session:
        erasure.hold_open(session, "villaverde")
        erased.start()
        erased.join(timeout=0.5)
        assert erased.is_alive()
        artifacts.register_session(
            session, "villaverde", session_id="s", version=1, roster=["Carmen Villalobos"]
        )
    erased.join(timeout=10)
    assert rows_with(platform, "Villalobos") == []


def test_the_role_of_the_api_can_not_erase(platform: Platform, make_tenant: MakeTenant) -> None:
    make_tenant()
    with Platform.open(platform.settings, for_api=True) as api, pytest.raises(sa.exc.ProgrammingError):
        api.of("villaverde").vault.erase_tenant("villaverde")
