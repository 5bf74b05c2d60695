"""What tiers allow, maintenance, and the life of a tenant: ugly input first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from astra_learn_assets.errors import BadInput, Conflict, NotFound, TenantErased
from astra_learn_assets.learning.training import plan
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import tenants, tiers, trainings
from astra_learn_assets_tests.conftest import MakeTenant

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"weekly_quota": -1}, "invalid quota -1"),
        ({"gpu_minutes_month": -0.5}, "invalid budget -0.5"),
        ({"gpu_minutes_month": float("nan")}, "invalid budget nan"),
        ({"patience_hours": 0.0}, "invalid patience 0"),
        ({"training_hours": "06:00-06:00"}, "never open"),
        ({"training_hours": "tonight"}, "HH:MM-HH:MM"),
    ],
)
def test_what_cannot_hold_is_refused_with_a_sentence(
    platform: Platform, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadInput, match=said), platform.database.session() as session:
        tiers.put(session, "gold", **given)
    with platform.database.session() as session:
        assert [row.tier for row in tiers.listing(session)] == ["premium", "standard"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"weekly_quota": -1}, "invalid quota -1"),
        ({"gpu_minutes_month": -60.0}, "invalid budget -60"),
        ({"gpu_minutes_month": float("inf")}, "invalid budget inf"),
    ],
)
def test_a_municipalitys_own_quota_and_budget_are_refused_alike(
    platform: Platform, make_tenant: MakeTenant, given: dict[str, Any], said: str
) -> None:
    make_tenant("villaverde")
    with pytest.raises(BadInput, match=said), platform.database.session() as session:
        tenants.allow(session, "villaverde", **given)
    with platform.database.session() as session:
        row = tenants.get(session, "villaverde")
        assert (row.weekly_quota, row.gpu_minutes_month) == (None, None)


def test_a_tier_that_does_not_exist_is_refused_and_those_that_do_are_named(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    with pytest.raises(NotFound, match="no tier 'gold': there are premium, standard"):
        make_tenant("villaverde", tier="gold")
    make_tenant("villaverde")
    with pytest.raises(NotFound), platform.database.session() as session:
        tenants.allow(session, "villaverde", tier="gold")


def test_a_tier_is_made_changed_and_removed_only_when_nobody_has_it(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    with platform.database.session() as session:
        made = tiers.put(session, "gold", gpu_minutes_month=60.0, training_hours="22:00-06:00")
        assert (made.weekly_quota, made.patience_hours) == (7, 24)
        assert tiers.put(session, "gold", gpu_minutes_month=None).training_hours == "22:00-06:00"
        assert tiers.get(session, "gold").gpu_minutes_month is None
    make_tenant("villaverde", tier="gold")
    for name, said in (("gold", "1 municipalities have it"), ("standard", "begin with it")):
        with pytest.raises(Conflict, match=said), platform.database.session() as session:
            tiers.remove(session, name)
    with platform.database.session() as session:
        tenants.allow(session, "villaverde", tier="premium")
        tiers.remove(session, "gold")


@pytest.mark.parametrize(
    ("begins", "ends", "reason", "said"),
    [
        (NOW, NOW, "x", "before it begins"),
        (NOW, NOW - timedelta(hours=1), "x", "before it begins"),
        (NOW.replace(tzinfo=None), NOW, "x", "time zone"),
        (NOW, NOW + timedelta(hours=1), " ", "needs a reason"),
    ],
)
def test_a_maintenance_that_is_none_is_refused(
    platform: Platform, begins: datetime, ends: datetime, reason: str, said: str
) -> None:
    with pytest.raises(BadInput, match=said), platform.database.session() as session:
        tiers.maintain(session, begins, ends, reason)


def test_a_maintenance_is_listed_until_it_is_over_and_can_be_ended(platform: Platform) -> None:
    with platform.database.session() as session:
        running = tiers.maintain(session, NOW - timedelta(hours=1), NOW + timedelta(hours=1), "driver")
        coming = tiers.maintain(session, NOW + timedelta(days=1), NOW + timedelta(days=2), "disks")
        assert [row.reason for row in tiers.maintenances(session, NOW)] == ["driver", "disks"]
        tiers.end_maintenance(session, running.maintenance_id, NOW)
        tiers.end_maintenance(session, coming.maintenance_id, NOW)
        assert tiers.maintenances(session, NOW) == []
        with pytest.raises(NotFound):
            tiers.end_maintenance(session, running.maintenance_id, NOW)


def test_a_pause_needs_a_reason_and_ends(platform: Platform, make_tenant: MakeTenant) -> None:
    make_tenant("villaverde")
    for reason in ("", " ", "x" * 201, "a\x00b"):
        with pytest.raises(BadInput), platform.database.session() as session:
            tenants.pause(session, "villaverde", reason, NOW)
    with platform.database.session() as session:
        tenants.pause(session, "villaverde", "contract  under review", NOW)
    assert plan.explain(platform, "villaverde")[0].reason == "paused: contract under review"
    with platform.database.session() as session:
        tenants.resume(session, "villaverde")
    assert plan.explain(platform, "villaverde")[0].code == "nothing_pending"


def test_a_retired_tenant_is_looked_at_no_more_and_an_erased_one_cannot_come_back(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant("villaverde")
    make_tenant("rio-claro")
    with platform.database.session() as session:
        tenants.retire(session, "villaverde", NOW)
        assert tenants.standing(session) == {"villaverde": False, "rio-claro": True}
    assert set(plan.look(platform, lambda rows: {}).reasons) == {"rio-claro"}
    assert plan.explain(platform, "villaverde")[0].code == "paused"
    platform.vault.erase_tenant("villaverde")
    with pytest.raises(TenantErased), platform.database.session() as session:
        tenants.resume(session, "villaverde")


def test_what_was_given_up_is_tried_again_when_a_person_says_so(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant("villaverde")
    with platform.database.session() as session:
        for attempt in (1, 2):
            row = trainings.start(session, "villaverde", through_seq=9, attempt=attempt, dagster_run_id=None)
            trainings.update(session, row.run_id, state="failed", fault="permanent", reason="no base model")
    assert plan.explain(platform, "villaverde")[1].failure is not None
    with platform.database.session() as session:
        assert trainings.forgive(session, "villaverde") == 2
    assert plan.explain(platform, "villaverde")[1].failure is None
