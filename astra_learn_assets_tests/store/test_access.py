"""Keys, blocklist and audit log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from astra_learn_assets.errors import BadInput, NotFound, Unauthorized, UnknownTenant
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import api_keys, audit, blocklist
from astra_learn_assets.store.tables import ApiKey
from astra_learn_assets_tests.audit_lines import audit_lines
from astra_learn_assets_tests.conftest import MakeTenant


@pytest.fixture
def tenant(make_tenant: MakeTenant) -> str:
    return make_tenant().tenant_id


def test_a_key_opens_its_own_door_and_is_stored_only_as_a_hash(platform: Platform, tenant: str) -> None:
    with platform.database.session() as session:
        row, plaintext = api_keys.issue(session, tenant_id=tenant, role="editor", label="mesa")
        assert api_keys.verify(session, plaintext).key_id == row.key_id
        stored = session.execute(sa.select(ApiKey.__table__)).one()
        assert plaintext not in str(stored)
        assert plaintext.removeprefix("astra_") not in str(stored)
        assert [key.key_id for key in api_keys.listing(session)] == [row.key_id]
        assert api_keys.listing(session, "otra") == []


@pytest.mark.parametrize(
    "plaintext", ["", "astra_", "astra_x", "astra_" + "x" * 5000, "astra_\0", "astra_ñ", "Bearer x"]
)
def test_a_key_that_was_never_issued_opens_nothing(platform: Platform, tenant: str, plaintext: str) -> None:
    with platform.database.session() as session, pytest.raises(Unauthorized):
        api_keys.verify(session, plaintext)


def test_a_revoked_or_expired_key_opens_nothing(platform: Platform, tenant: str) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    with platform.database.session() as session:
        revoked, first = api_keys.issue(session, tenant_id=None, role="platform", label="builder")
        expiring, second = api_keys.issue(
            session, tenant_id=tenant, role="viewer", label="x", expires_at=soon
        )
    with platform.database.session() as session:
        api_keys.verify(session, second)
        api_keys.revoke(session, revoked.key_id)
        api_keys.revoke(session, revoked.key_id)
        session.execute(
            sa.update(ApiKey).where(ApiKey.key_id == expiring.key_id).values(expires_at=sa.func.now())
        )
    with platform.database.session() as session:
        for plaintext in (first, second):
            with pytest.raises(Unauthorized):
                api_keys.verify(session, plaintext)
        with pytest.raises(NotFound):
            api_keys.revoke(session, "key-none")


def test_a_key_with_an_impossible_scope_is_not_issued(platform: Platform, tenant: str) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with platform.database.session() as session:
        for tenant_id, role, label, expires_at in (
            (None, "admin", "x", None),
            (tenant, "platform", "x", None),
            (tenant, "root", "x", None),
            (tenant, "viewer", " ", None),
            (tenant, "viewer", "x", yesterday),
            (tenant, "viewer", "x", datetime(2099, 1, 1)),
        ):
            with pytest.raises(BadInput):
                api_keys.issue(session, tenant_id=tenant_id, role=role, label=label, expires_at=expires_at)
        with pytest.raises(UnknownTenant):
            api_keys.issue(session, tenant_id="nowhere", role="viewer", label="x")


def test_terms_are_kept_once_and_change_their_action(platform: Platform, tenant: str) -> None:
    with platform.database.session() as session:
        blocklist.add(session, tenant, " Calle  Mayor ")
        assert blocklist.add(session, tenant, "Calle Mayor", action="allow", kind="place").action == "allow"
        assert [(row.term, row.action) for row in blocklist.listing(session, tenant)] == [
            ("Calle Mayor", "allow")
        ]
        blocklist.remove(session, tenant, "Calle Mayor")
        with pytest.raises(NotFound):
            blocklist.remove(session, tenant, "Calle Mayor")
        for term, action in (("", "mask"), ("a\0b", "mask"), ("x" * 201, "mask"), ("x", "hide")):
            with pytest.raises(BadInput):
                blocklist.add(session, tenant, term, action=action)


def test_a_refusal_is_noted_as_it_was_asked_even_if_it_was_nonsense(platform: Platform, tenant: str) -> None:
    with platform.database.session() as session:
        audit.record(
            session,
            tenant_id="no/such\0tenant" * 20,
            actor="key\0",
            action="x" * 9_000,
            target="\ud800",
            outcome="refused",
            request_id="r" * 500,
        )
        audit.record(
            session, tenant_id=tenant, actor="a", action="b", target=None, outcome="done", request_id=None
        )
    with platform.database.session() as session:
        assert [entry.outcome for entry in audit_lines(session)] == ["done", "refused"]
        assert len(audit_lines(session, tenant)) == 1
