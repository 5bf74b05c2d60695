"""What a municipality may use, over HTTP: who may say it, what is refused, what is shown."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from astra_learn_assets.platform import Platform
from astra_learn_assets.store import tiers
from astra_learn_assets_tests.api.conftest import Issue
from astra_learn_assets_tests.audit_lines import audit_lines
from astra_learn_assets_tests.conftest import MakeTenant

TENANT = "/v1/tenants/villaverde"


def test_a_platform_key_changes_what_a_tenant_may_use_and_nobody_else_does(
    client: TestClient, issue: Issue, make_tenant: MakeTenant, platform: Platform
) -> None:
    make_tenant()
    change = {"tier": "premium", "weekly_quota": 3, "gpu_minutes_month": 90.5}
    for role in ("viewer", "editor", "admin"):
        assert client.patch(f"{TENANT}/tenancy", json=change, headers=issue(role)).status_code == 403
    answer = client.patch(f"{TENANT}/tenancy", json=change, headers=issue("platform"))
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert (shown["tier"]["tier"], shown["weekly_quota"], shown["gpu_minutes_month"]) == ("premium", 3, 90.5)
    back = client.patch(f"{TENANT}/tenancy", json={"weekly_quota": None}, headers=issue("platform")).json()
    assert (back["weekly_quota"], back["tier"]["tier"], back["gpu_minutes_month"]) == (None, "premium", 90.5)
    with platform.database.session() as session:
        assert "tenant.allow" in {line.action for line in audit_lines(session)}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"tier": "gold"}, 404),
        ({"tier": ""}, 422),
        ({"tier": "a\x00b"}, 422),
        ({"weekly_quota": -1}, 422),
        ({"gpu_minutes_month": -0.1}, 422),
        ({"gpu_minutes_month": "much"}, 422),
        ({"quota": 5}, 422),
    ],
)
def test_what_cannot_hold_is_refused(
    client: TestClient, issue: Issue, make_tenant: MakeTenant, change: dict[str, Any], status: int
) -> None:
    make_tenant()
    assert client.patch(f"{TENANT}/tenancy", json=change, headers=issue("platform")).status_code == status


def test_a_pause_is_shown_with_its_reason_wherever_learning_is_shown(
    client: TestClient, issue: Issue, make_tenant: MakeTenant
) -> None:
    make_tenant()
    admin = issue("admin")
    assert client.post(f"{TENANT}/learning/pause", json={"reason": "\x00"}, headers=admin).status_code == 422
    assert client.post(f"{TENANT}/learning/pause", json={"reason": "vacaciones"}, headers=admin).is_success
    for path in ("decision", "status"):
        answer = client.get(f"{TENANT}/learning/{path}", headers=issue("viewer")).json()
        decision = answer if path == "decision" else answer["decision"]
        assert (decision["code"], decision["reason"]) == ("paused", "paused: vacaciones")
    panel = client.get("/panel/villaverde", headers=issue("viewer")).text
    assert "en pausa" in panel
    assert client.post(f"{TENANT}/learning/resume", headers=admin).json()["paused_at"] is None
    assert client.get(f"{TENANT}/learning/decision", headers=admin).json()["code"] == "nothing_pending"


def test_a_tenant_that_is_retired_by_a_platform_key_says_so(
    client: TestClient, issue: Issue, make_tenant: MakeTenant, platform: Platform
) -> None:
    make_tenant()
    assert client.post(f"{TENANT}/retire", headers=issue("admin")).status_code == 403
    assert client.post(f"{TENANT}/retire", headers=issue("platform")).json()["retired_at"] is not None
    assert client.get(f"{TENANT}/learning/decision", headers=issue("viewer")).json()["train"] is False
    with platform.database.session() as session:
        tiers.put(session, "standard", weekly_quota=2)
    assert client.get(f"{TENANT}/tenancy", headers=issue("viewer")).json()["tier"]["weekly_quota"] == 2
