"""Tiers, maintenance and new municipalities over HTTP: who may, what is refused, what then holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from astra_learn_assets.platform import Platform
from astra_learn_assets.store import tenants, tiers, trainings
from astra_learn_assets_tests.api.conftest import Issue
from astra_learn_assets_tests.audit_lines import audit_lines
from astra_learn_assets_tests.conftest import MakeTenant

TENANT = "/v1/tenants/villaverde"
SMALL = {"weekly_quota": 2, "gpu_minutes_month": 90, "patience_hours": 48, "training_hours": "22:00-06:00"}


def test_a_tier_is_made_changed_given_and_taken_away_and_each_is_in_the_audit_log(
    client: TestClient, issue: Issue, make_tenant: MakeTenant, platform: Platform
) -> None:
    make_tenant()
    key = issue("platform")
    assert client.put("/v1/tiers/small", json=SMALL, headers=key).json() == {"tier": "small", **SMALL}
    changed = client.put("/v1/tiers/small", json={"gpu_minutes_month": None}, headers=key).json()
    assert changed == {"tier": "small", **SMALL, "gpu_minutes_month": None}
    assert {row["tier"] for row in client.get("/v1/tiers", headers=key).json()} == {
        "standard",
        "premium",
        "small",
    }
    assert client.patch(f"{TENANT}/tenancy", json={"tier": "small"}, headers=key).is_success
    taken = client.delete("/v1/tiers/small", headers=key)
    assert (taken.status_code, "municipalities have it" in taken.json()["detail"]) == (409, True)
    assert client.patch(f"{TENANT}/tenancy", json={"tier": "standard"}, headers=key).is_success
    assert client.delete("/v1/tiers/small", headers=key).status_code == 204
    assert client.delete("/v1/tiers/small", headers=key).status_code == 404
    assert client.delete("/v1/tiers/standard", headers=key).status_code == 409
    with platform.database.session() as session:
        done = [line.action for line in audit_lines(session) if line.target == "small"]
    assert done == ["tier.remove", "tier.set", "tier.set"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"training_hours": "08:00-08:00"}, "never open"),
        ({"training_hours": "late"}, "HH:MM-HH:MM"),
        ({"weekly_quota": -1}, ""),
        ({"weekly_quota": 1.5}, ""),
        ({"gpu_minutes_month": -0.1}, ""),
        ({"patience_hours": 0}, ""),
        ({"quota": 3}, ""),
    ],
)
def test_a_tier_that_cannot_hold_is_refused_and_none_is_made(
    client: TestClient, issue: Issue, platform: Platform, change: dict[str, Any], sentence: str
) -> None:
    answer = client.put("/v1/tiers/odd", json=change, headers=issue("platform"))
    assert answer.status_code == 422
    assert sentence in answer.text
    with platform.database.session() as session:
        assert "odd" not in {row.tier for row in tiers.listing(session)}


def test_a_maintenance_holds_until_it_is_ended(client: TestClient, issue: Issue, platform: Platform) -> None:
    key = issue("platform")
    made = client.post("/v1/maintenance", json={"reason": "discos nuevos", "minutes": 30}, headers=key)
    assert made.status_code == 201, made.text
    with platform.database.session() as session:  # what the policy is asked with
        (held,) = tiers.maintenances(session, datetime.now(UTC))
        assert (held.reason, held.ends_at - held.starts_at) == ("discos nuevos", timedelta(minutes=30))
    (listed,) = client.get("/v1/maintenance", headers=key).json()
    assert listed == made.json()
    path = f"/v1/maintenance/{listed['maintenance_id']}"
    assert client.delete(path, headers=key).status_code == 204
    assert client.delete(path, headers=key).status_code == 404
    assert client.get("/v1/maintenance", headers=key).json() == []


@pytest.mark.parametrize(
    "body",
    [
        {"reason": " "},
        {"reason": "a\x00b"},
        {"reason": "x", "minutes": -5},
        {"reason": "x", "starts_at": "2026-12-01T22:00"},
        {"reason": "x", "starts_at": "0001-01-01T00:00:00+14:00"},
        {"reason": "x", "starts_at": "9999-12-31T23:59:59Z"},
        {"reason": "x", "starts_at": (datetime.now(UTC) + timedelta(days=400)).isoformat()},
    ],
)
def test_a_maintenance_that_never_is_is_refused(
    client: TestClient, issue: Issue, body: dict[str, Any]
) -> None:
    key = issue("platform")
    assert client.post("/v1/maintenance", json=body, headers=key).status_code == 422
    assert client.get("/v1/maintenance", headers=key).json() == []


def test_a_municipality_that_was_made_over_http_can_be_worked_in_at_once(
    client: TestClient, issue: Issue, platform: Platform
) -> None:
    key = issue("platform")
    body = {"tenant_id": "rio-claro", "display_name": "Río Claro", "country": "co", "tier": "premium"}
    made = client.post("/v1/tenants", json=body, headers=key)
    assert made.status_code == 201, made.text
    assert (made.json()["tenant_id"], made.json()["tier"]["tier"]) == ("rio-claro", "premium")
    again = client.post("/v1/tenants", json=body, headers=key)
    assert again.status_code == 409
    assert client.get("/v1/tenants/rio-claro/dictionary", headers=issue("viewer", "rio-claro")).is_success
    with platform.database.session() as session:
        row = tenants.get(session, "rio-claro")
        assert (row.display_name, row.country) == ("Río Claro", "co")
        assert row.wrapped_key is not None
        assert "tenant.add" in {line.action for line in audit_lines(session, "rio-claro")}
    term = {"term": "Ramiro Zubeldía"}  # sealed under the municipality's own key
    admin = issue("admin", "rio-claro")
    assert client.post("/v1/tenants/rio-claro/blocklist", json=term, headers=admin).is_success


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"tenant_id": "Río Claro"}, 422),
        ({"tenant_id": "replay"}, 422),
        ({"tenant_id": "../x"}, 422),
        ({"country": "zz"}, 422),
        ({"tier": "gold"}, 404),
        ({"display_name": "a\x00b"}, 422),
        ({"display_name": " "}, 422),
        ({"key": "x"}, 422),
    ],
)
def test_a_municipality_that_cannot_be_is_not_made(
    client: TestClient, issue: Issue, platform: Platform, change: dict[str, Any], status: int
) -> None:
    body = {"tenant_id": "rio-claro", **change}
    assert client.post("/v1/tenants", json=body, headers=issue("platform")).status_code == status
    with platform.database.session() as session:
        assert tenants.list_all(session) == []


def test_a_key_of_a_municipality_opens_none_of_it_and_is_noted(
    client: TestClient, issue: Issue, make_tenant: MakeTenant, platform: Platform
) -> None:
    make_tenant()
    for role in ("viewer", "editor", "admin"):
        assert (
            client.put("/v1/tiers/standard", json={"weekly_quota": 900}, headers=issue(role)).status_code
            == 403
        )
        assert (
            client.post("/v1/tenants", json={"tenant_id": "rio-claro"}, headers=issue(role)).status_code
            == 403
        )
    with platform.database.session() as session:
        assert tiers.get(session, "standard").weekly_quota == 7
        refused = [line.target for line in audit_lines(session, "villaverde") if line.outcome == "refused"]
    assert refused == ["forbidden:*"] * 6


def test_failures_that_were_put_right_are_forgiven_over_http(
    client: TestClient, issue: Issue, make_tenant: MakeTenant, platform: Platform
) -> None:
    make_tenant()
    with platform.database.session() as session:
        run = trainings.start(session, "villaverde", through_seq=1, attempt=1, dagster_run_id=None)
        run.state = "failed"
    answer = client.post(f"{TENANT}/learning/retry", headers=issue("platform"))
    assert (answer.status_code, answer.json()) == (200, {"failures_forgiven": 1})
    assert client.post(f"{TENANT}/learning/retry", headers=issue("platform")).json()["failures_forgiven"] == 0
