"""Every route, as every role and as a foreign tenant, with ids guessed from another tenant.

The routes are those of the running application, so a new one cannot be forgotten; what the API's own role may
do in Postgres is ``store/test_row_security.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from astra_learn_assets.api import streaming
from astra_learn_assets.api.routes import dictionary
from astra_learn_assets.hotpath import blocklist_terms
from astra_learn_assets.hotpath.intake import register_draft, submit_final
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import api_keys, paths, trainings
from astra_learn_assets.store.tables import Base
from astra_learn_assets_tests.api.conftest import Headers, Issue
from astra_learn_assets_tests.api.files import DOCX, NAME_FIX, make_draft
from astra_learn_assets_tests.audit_lines import audit_lines
from astra_learn_assets_tests.conftest import MakeTenant

ROLES = ("viewer", "editor", "admin", "platform")
# what each route needs; a route that is missing here fails the test
NEEDS: dict[tuple[str, str], set[str]] = {
    ("POST", "/v1/compare"): set(ROLES),
    ("PUT", "/v1/tenants/{tenant}/sessions/{session}/versions/{version}"): {"admin", "platform"},
    ("PUT", "/v1/tenants/{tenant}/sessions/{session}/versions/{version}/draft"): {"admin", "platform"},
    ("POST", "/v1/tenants/{tenant}/sessions/{session}/versions/{version}/draft"): {"admin", "platform"},
    ("POST", "/v1/tenants/{tenant}/sessions/{session}/versions/{version}/final"): {
        "editor",
        "admin",
        "platform",
    },
    ("GET", "/v1/tenants/{tenant}/dictionary"): set(ROLES),
    ("GET", "/v1/tenants/{tenant}/dictionary/changes"): set(ROLES),
    ("DELETE", "/v1/tenants/{tenant}/dictionary/{entry_id}"): {"editor", "admin", "platform"},
    ("GET", "/v1/tenants/{tenant}/blocklist"): {"admin"},
    ("POST", "/v1/tenants/{tenant}/blocklist"): {"admin"},
    ("DELETE", "/v1/tenants/{tenant}/blocklist/{term_id}"): {"admin"},
    ("GET", "/v1/tenants/{tenant}/learning/status"): set(ROLES),
    ("GET", "/v1/tenants/{tenant}/learning/trainings"): set(ROLES),
    ("GET", "/v1/tenants/{tenant}/learning/trainings/{run_id}"): set(ROLES),
    ("GET", "/v1/tenants/{tenant}/learning/trainings/{run_id}/logs"): set(ROLES),
    ("GET", "/v1/tenants/{tenant}/learning/metrics"): set(ROLES),
    ("GET", "/v1/tenants/{tenant}/learning/export.csv"): set(ROLES),
    ("GET", "/v1/tenants/{tenant}/learning/decision"): set(ROLES),
    ("POST", "/v1/tenants/{tenant}/learning/pause"): {"admin"},
    ("POST", "/v1/tenants/{tenant}/learning/resume"): {"admin"},
    ("POST", "/v1/tenants/{tenant}/learning/retry"): {"platform"},
    ("GET", "/v1/tenants/{tenant}/tenancy"): set(ROLES),
    ("PATCH", "/v1/tenants/{tenant}/tenancy"): {"platform"},
    ("POST", "/v1/tenants/{tenant}/retire"): {"platform"},
    ("GET", "/v1/tenants/{tenant}/privacy/report"): set(ROLES),
    ("GET", "/v1/tenants/{tenant}/privacy/report.html"): set(ROLES),
    ("GET", "/v1/tenants/{tenant}/learning/uploads"): set(ROLES),
    ("GET", "/v1/tenants/{tenant}/dictionary/history"): set(ROLES),
    ("GET", "/v1/tenants/{tenant}/quarantine"): set(ROLES),
    ("GET", "/v1/tenants/{tenant}/quarantine/{document_id}"): set(ROLES),
    ("POST", "/v1/tenants/{tenant}/quarantine/{document_id}/release"): {"admin"},
    ("POST", "/v1/tenants/{tenant}/quarantine/{document_id}/drop"): {"admin"},
    ("GET", "/v1/tenants/{tenant}/privacy"): set(ROLES),
    ("GET", "/v1/tenants/{tenant}/exports/{name}.csv"): set(ROLES),
    ("GET", "/panel/{tenant}"): set(ROLES),
    ("GET", "/panel/{tenant}/trainings"): set(ROLES),
    ("GET", "/panel/{tenant}/trainings/{run_id}"): set(ROLES),
    ("GET", "/panel/{tenant}/trainings/{run_id}/events"): set(ROLES),
    ("GET", "/panel/{tenant}/verdicts/{report}"): set(ROLES),
    ("GET", "/panel/{tenant}/examples"): set(ROLES),
    ("GET", "/panel/{tenant}/dictionary"): set(ROLES),
    ("GET", "/panel/{tenant}/quarantine"): set(ROLES),
    ("GET", "/panel/{tenant}/blocklist"): set(ROLES),
    ("GET", "/panel/{tenant}/privacy"): set(ROLES),
    ("GET", "/panel/{tenant}/privacy/report"): set(ROLES),
    ("GET", "/panel/{tenant}/exports/{name}.csv"): set(ROLES),
    ("POST", "/panel/{tenant}/logout"): set(ROLES),
    ("POST", "/panel/{tenant}/dictionary/{entry_id}/undo"): {"editor", "admin", "platform"},
    ("POST", "/panel/{tenant}/quarantine/{document_id}/release"): {"admin"},
    ("POST", "/panel/{tenant}/quarantine/{document_id}/drop"): {"admin"},
    ("POST", "/panel/{tenant}/blocklist"): {"admin"},
    ("POST", "/panel/{tenant}/blocklist/{term_id}/remove"): {"admin"},
}
PANEL = {path for _, path in NEEDS if path.startswith("/panel")}
OF_NO_TENANT: dict[tuple[str, str], set[str]] = {
    ("GET", "/v1/tiers"): {"platform"},
    ("PUT", "/v1/tiers/{tier}"): {"platform"},
    ("DELETE", "/v1/tiers/{tier}"): {"platform"},
    ("GET", "/v1/maintenance"): {"platform"},
    ("POST", "/v1/maintenance"): {"platform"},
    ("DELETE", "/v1/maintenance/{number}"): {"platform"},
    ("POST", "/v1/tenants"): {"platform"},
}
OPEN = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("HEAD", "/openapi.json"),
    ("POST", "/panel/{tenant}"),
    ("POST", "/panel"),
    ("GET", "/panel"),
    ("GET", "/"),
    ("GET", "/docs"),
    ("GET", "/static/{name}"),
}


@dataclass(frozen=True)
class Theirs:
    """Ids that exist in one tenant and are guessed from another."""

    draft_id: str
    final_id: str
    run_id: str
    entry_id: str
    term_id: str


def fill(platform: Platform, tenant_id: str) -> Theirs:
    files = make_draft()
    draft = register_draft(
        platform,
        tenant_id=tenant_id,
        session_id="pleno-1",
        version=1,
        docx=files.docx,
        manifest=files.manifest,
    )
    final = submit_final(
        platform,
        tenant_id=tenant_id,
        session_id="pleno-1",
        version=1,
        data=files.final(NAME_FIX),
        uploaded_by="clerk",
    )
    with platform.database.session() as session:
        run = trainings.start(session, tenant_id, through_seq=1, attempt=1, dagster_run_id=None)
        term = blocklist_terms.add_term(
            session,
            tenant_id,
            "Carmen Villalobos",
            action="mask",
            kind="person",
            actor="admin",
            request_id=None,
        )
    entry_id = dictionary.id_of_entry("Hortegga")
    return Theirs(
        draft.artifact_id, final.artifact_id, run.run_id, entry_id, blocklist_terms.id_of_term(term)
    )


@pytest.fixture
def theirs(platform: Platform, make_tenant: MakeTenant) -> Theirs:
    make_tenant("villaverde")
    make_tenant("rio-claro")
    return fill(platform, "villaverde")


def call(client: TestClient, method: str, path: str, tenant: str, theirs: Theirs, headers: Headers) -> Any:
    url = path.format(
        tenant=tenant,
        session="pleno-1",
        version=1,
        entry_id=theirs.entry_id,
        term_id=theirs.term_id,
        run_id=theirs.run_id,
        tier="small",
        number=1,
        report="a" * 64,
        document_id=theirs.final_id,
        name="trainings",
    )
    files = make_draft()
    body: dict[str, Any] = {}
    if path.endswith("/final"):
        body = {"content": files.final(NAME_FIX), "headers": {"Content-Type": DOCX}}
    elif path.endswith("/draft"):
        body = {"files": {"docx": ("d.docx", files.docx), "manifest": ("d.json", files.manifest)}}
    elif path == "/v1/compare":
        ids = {"generated_id": theirs.draft_id, "final_id": theirs.final_id, "tenant_id": tenant}
        body = {"json": ids}
    elif method in ("POST", "PUT"):
        body = {"json": {"term": "Ramiro Zubeldía"} if "blocklist" in path else {}}
    sent = {**headers, **body.pop("headers", {})}
    return client.request(method, url, headers=sent, follow_redirects=False, **body)


def routes(router: Any) -> set[tuple[str, str]]:
    """Method and path of all that the application answers, routers within routers included."""
    found: set[tuple[str, str]] = set()
    for route in router.routes:
        inner = getattr(route, "original_router", None) or getattr(route, "app", None)
        if inner is not None and hasattr(inner, "routes"):
            found |= routes(inner)
        else:
            found |= {(method, route.path) for method in route.methods}
    return found


def rows_of(platform: Platform, tenant_id: str) -> dict[str, list[Any]]:
    """Every row of a tenant but its audit log, and the keys of its objects."""
    found: dict[str, list[Any]] = {}
    with platform.database.session() as session:
        for table in Base.metadata.sorted_tables:
            if "tenant_id" in table.columns and table.name != "audit_log":
                rows = session.execute(sa.select(table).where(table.c.tenant_id == tenant_id)).all()
                found[table.name] = sorted(map(repr, rows))
    found["objects"] = [
        key for prefix in paths.tenant_prefixes(tenant_id) for key in platform.objects.list(prefix)
    ]
    return found


def test_every_route_is_in_the_table_of_rights(app: FastAPI) -> None:
    known = set(NEEDS) | set(OF_NO_TENANT) | OPEN
    assert routes(app) == known
    documented = {(method.upper(), path) for path, item in app.openapi()["paths"].items() for method in item}
    assert documented <= known
    assert {path for _, path in known - documented} <= {
        "/openapi.json",
        "/panel",
        "/",
        "/docs",
        "/static/{name}",
        *PANEL,
        "/v1/tenants/{tenant}/sessions/{session}/versions/{version}/draft",  # POST beside the documented PUT
    }


def test_every_role_may_do_what_the_table_says_and_nothing_else(
    client: TestClient, issue: Issue, theirs: Theirs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        streaming.follow.__kwdefaults__, "longest", 0.0
    )  # a running training is followed for long
    keys = {role: issue(role) for role in ROLES}
    wrong = []
    for (method, path), allowed in {**NEEDS, **OF_NO_TENANT}.items():
        for role in ROLES:
            status = call(client, method, path, "villaverde", theirs, keys[role]).status_code
            may = status not in (401, 403)
            if may != (role in allowed) or status >= 500:
                wrong.append((method, path, role, status))
    assert wrong == []


def test_no_route_answers_without_a_key(client: TestClient, theirs: Theirs) -> None:
    for method, path in (*NEEDS, *OF_NO_TENANT):
        assert call(client, method, path, "villaverde", theirs, {}).status_code == 401, path


def test_no_key_of_another_tenant_opens_any_route(
    client: TestClient, issue: Issue, theirs: Theirs, platform: Platform
) -> None:
    refused, before = 0, rows_of(platform, "villaverde")
    for role in ("viewer", "editor", "admin"):
        key = issue(role, "rio-claro")
        for method, path in NEEDS:
            for tenant in ("villaverde", "no-such-town"):
                answer = call(client, method, path, tenant, theirs, key)
                assert answer.status_code == 403, (role, method, path, tenant)
                assert "Hortegga" not in answer.text
                refused += 1
    assert rows_of(platform, "villaverde") == before
    with platform.database.session() as session:
        rows = [row for row in audit_lines(session, "rio-claro") if row.outcome == "refused"]
    assert len(rows) == refused
    assert {row.target for row in rows} == {"foreign_tenant:villaverde", "foreign_tenant:no-such-town"}


def test_ids_guessed_from_another_tenant_are_unknown_in_ones_own(
    client: TestClient, issue: Issue, theirs: Theirs, platform: Platform
) -> None:
    key, before = issue("admin", "rio-claro"), rows_of(platform, "villaverde")
    guessed = ("{run_id}", "{entry_id}", "{term_id}", "{document_id}", "/v1/compare")
    asked = 0
    for method, path in NEEDS:
        if any(part in path for part in guessed):
            asked += 1
            answer = call(client, method, path, "rio-claro", theirs, key)
            assert answer.status_code == 404, path
            assert "Hortegga" not in answer.text
            assert "Villalobos" not in answer.text
    assert asked == 14
    assert rows_of(platform, "villaverde") == before


def test_the_draft_of_another_tenant_is_no_base_whoever_names_it(
    client: TestClient, issue: Issue, theirs: Theirs
) -> None:
    key, other = issue("admin", "rio-claro"), make_draft("pleno-2")
    place = "/v1/tenants/rio-claro/sessions/pleno-2/versions/1"
    sent = {"docx": ("d.docx", other.docx), "manifest": ("d.json", other.manifest)}
    own = client.put(f"{place}/draft", files=sent, headers=key).json()["artifact_id"]
    answer = client.post(
        f"{place}/final?generated_id={theirs.draft_id}",
        content=other.final(NAME_FIX),
        headers={**key, "Content-Type": DOCX},
    ).json()
    assert (answer["base_id"], answer["base_replaced"]) == (own, True)
    ids = {"generated_id": theirs.draft_id, "final_id": answer["artifact_id"]}
    assert client.post("/v1/compare", json=ids, headers=key).status_code == 404


def test_a_key_that_opens_nothing_is_in_the_audit_log_without_the_key(
    client: TestClient, issue: Issue, theirs: Theirs, platform: Platform
) -> None:
    revoked = issue("viewer")
    with platform.database.session() as session:
        row = next(key for key in api_keys.listing(session, "villaverde"))
        api_keys.revoke(session, row.key_id)
        key_id = row.key_id
    for headers in (revoked, {"Authorization": "Bearer astra_guessed"}):
        assert client.get("/v1/tenants/villaverde/dictionary", headers=headers).status_code == 401
    with platform.database.session() as session:
        rows = [row for row in audit_lines(session) if row.target == "unauthorized"]
    assert [(row.actor, row.tenant_id, row.outcome) for row in rows] == [
        ("unknown key", None, "refused"),
        (key_id, None, "refused"),
    ]
    assert "guessed" not in repr([vars(row) for row in rows])


def test_a_key_without_tenant_in_the_request_compares_only_its_own(
    client: TestClient, issue: Issue, theirs: Theirs
) -> None:
    ids = {"generated_id": theirs.draft_id, "final_id": theirs.final_id}
    assert client.post("/v1/compare", json=ids, headers=issue("viewer", "rio-claro")).status_code == 404
    assert client.post("/v1/compare", json=ids, headers=issue("viewer")).status_code == 200
    assert client.post("/v1/compare", json=ids, headers=issue("platform")).status_code == 422


@pytest.mark.parametrize(
    "tenant", ["..", "%2e%2e%2fvillaverde", "villaverde%00", "VILLAVERDE", "villaverde--x", "v" * 64, "%20"]
)
def test_odd_tenant_ids_never_reach_anything(
    client: TestClient, issue: Issue, theirs: Theirs, tenant: str
) -> None:
    answer = client.get(f"/v1/tenants/{tenant}/dictionary", headers=issue("platform"))
    assert answer.status_code in (404, 422)
    assert "Hortegga" not in answer.text
