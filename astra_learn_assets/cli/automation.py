"""Commands about who is trained when: tier, maintenance, and what a municipality may use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from astra_learn_assets.cli.access import tenant_app
from astra_learn_assets.cli.output import (
    Format,
    FormatOption,
    answering,
    print_facts,
    print_json,
    print_table,
)
from astra_learn_assets.cli.platform import HomeOption, TenantArgument, platform
from astra_learn_assets.errors import BadInput
from astra_learn_assets.ids import TenantId

if TYPE_CHECKING:
    from sqlalchemy import orm


class Lane(StrEnum):
    """A lane of runs."""

    prepare = "prepare"
    learn = "learn"


tier_app = typer.Typer(help="What municipalities of a tier may use.", no_args_is_help=True)
maintenance_app = typer.Typer(help="Times in which no training starts.", no_args_is_help=True)

TierArgument = Annotated[str, typer.Argument(help="Name of the tier.")]
_NONE = "none"
Quota = Annotated[str | None, typer.Option("--weekly-quota", help="Trainings a week; 0 stops them.")]
Budget = Annotated[
    str | None, typer.Option("--gpu-minutes", help="GPU minutes a month; 'none' takes the bound away.")
]


@tier_app.command("list")
def tier_list(home: HomeOption = None, output: FormatOption = Format.text) -> None:
    """Every tier."""
    from astra_learn_assets.store import tiers

    with answering(output):
        with platform(home) as opened, opened.database.session() as session:
            rows = [_tier(row) for row in tiers.listing(session)]
        if output is Format.json:
            print_json(rows)
        else:
            columns = list(rows[0]) if rows else ["tier"]
            print_table("tiers", columns, [list(row.values()) for row in rows])


@tier_app.command("set")
def tier_set(
    tier: TierArgument,
    weekly_quota: Quota = None,
    gpu_minutes: Budget = None,
    patience_hours: Annotated[
        float | None, typer.Option("--patience-hours", help="How long a training waits before it goes first.")
    ] = None,
    hours: Annotated[
        str | None, typer.Option("--hours", help="When trainings start, 22:00-06:00 in UTC; 'none': always.")
    ] = None,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Make a tier, or change what is named of it; it holds from the next look on."""
    from astra_learn_assets.store import tiers

    with answering(output):
        with _audited(home, f"tier.set {tier}") as session:
            row = tiers.put(
                session,
                tier,
                weekly_quota=None if weekly_quota is None else int(_number("--weekly-quota", weekly_quota)),
                gpu_minutes_month=_or_unset("--gpu-minutes", gpu_minutes),
                patience_hours=patience_hours,
                training_hours=tiers.UNSET if hours is None else None if hours == _NONE else hours,
            )
            facts = _tier(row)
        _print(facts, output)


@tier_app.command("remove")
def tier_remove(tier: TierArgument, home: HomeOption = None, output: FormatOption = Format.text) -> None:
    """Take a tier away that no municipality has."""
    from astra_learn_assets.store import tiers

    with answering(output):
        with _audited(home, f"tier.remove {tier}") as session:
            tiers.remove(session, tier)
        _print({"removed": tier}, output)


@maintenance_app.command("add")
def maintenance_add(
    reason: Annotated[str, typer.Argument(help="What people are told.")],
    minutes: Annotated[float, typer.Option("--minutes", min=1, help="How long.")] = 60,
    at: Annotated[
        str | None, typer.Option("--at", help="When it begins, as 2026-12-01T22:00Z; default: now.")
    ] = None,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Let no training start for a while; those that run go on."""
    from astra_learn_assets.store import tiers

    with answering(output):
        try:
            begins = datetime.now(UTC) if at is None else datetime.fromisoformat(at)
        except ValueError:
            raise BadInput(f"--at {at!r:.40}: write it as 2026-12-01T22:00Z") from None
        with _audited(home, "maintenance.add") as session:
            row = tiers.maintain(session, begins, begins + timedelta(minutes=minutes), reason)
            facts = _maintenance(row)
        _print(facts, output)


@maintenance_app.command("list")
def maintenance_list(home: HomeOption = None, output: FormatOption = Format.text) -> None:
    """Those that are not over."""
    from astra_learn_assets.store import tiers

    with answering(output):
        with platform(home) as opened, opened.database.session() as session:
            rows = [_maintenance(row) for row in tiers.maintenances(session, datetime.now(UTC))]
        if output is Format.json:
            print_json(rows)
        else:
            columns = ["maintenance", "from", "until", "reason"]
            print_table("maintenance", columns, [[row[column] for column in columns] for row in rows])


@maintenance_app.command("end")
def maintenance_end(
    number: Annotated[int, typer.Argument(help="Its number in 'maintenance list'.")],
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """End one that is under way, or call one off."""
    from astra_learn_assets.store import tiers

    with answering(output):
        with _audited(home, f"maintenance.end {number}") as session:
            tiers.end_maintenance(session, number, datetime.now(UTC))
        _print({"ended": number}, output)


@tenant_app.command("allow")
def tenant_allow(
    tenant: TenantArgument,
    tier: Annotated[str | None, typer.Option("--tier", help="Another tier.")] = None,
    weekly_quota: Annotated[
        str | None, typer.Option("--weekly-quota", help="Its own quota; 'none': its tier's.")
    ] = None,
    gpu_minutes: Annotated[
        str | None, typer.Option("--gpu-minutes", help="Its own GPU minutes a month; 'none': its tier's.")
    ] = None,
    canary_share: Annotated[
        str | None,
        typer.Option("--canary-share", help="Share of its sessions that try a new adapter; 'none': as all."),
    ] = None,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Change what a municipality may use."""
    from astra_learn_assets.store import tenants, tiers

    with answering(output):
        name, quota = TenantId(tenant), _or_unset("--weekly-quota", weekly_quota)
        with _audited(home, "tenant.allow", name) as session:
            row = tenants.allow(
                session,
                name,
                tier=tier,
                weekly_quota=quota if isinstance(quota, tiers.Unset) or quota is None else int(quota),
                gpu_minutes_month=_or_unset("--gpu-minutes", gpu_minutes),
                canary_share=_or_unset("--canary-share", canary_share),
            )
            facts = {
                "tenant_id": row.tenant_id,
                "tier": row.tier,
                "weekly_quota": row.weekly_quota,
                "gpu_minutes_month": row.gpu_minutes_month,
                "canary_share": row.canary_share,
            }
        _print(facts, output)


@tenant_app.command("pause")
def tenant_pause(
    tenant: TenantArgument,
    reason: Annotated[str, typer.Argument(help="Why; shown wherever its learning is shown.")],
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Let no training of a municipality start."""
    from astra_learn_assets.store import tenants

    with answering(output):
        name = TenantId(tenant)
        with _audited(home, "tenant.pause", name) as session:
            tenants.pause(session, name, reason, datetime.now(UTC))
        _print({"tenant_id": name, "paused": reason}, output)


@tenant_app.command("resume")
def tenant_resume(
    tenant: TenantArgument, home: HomeOption = None, output: FormatOption = Format.text
) -> None:
    """End a pause, or bring back a municipality that was retired."""
    from astra_learn_assets.store import tenants

    with answering(output):
        name = TenantId(tenant)
        with _audited(home, "tenant.resume", name) as session:
            tenants.resume(session, name)
        _print({"tenant_id": name, "resumed": True}, output)


@tenant_app.command("retire")
def tenant_retire(
    tenant: TenantArgument, home: HomeOption = None, output: FormatOption = Format.text
) -> None:
    """Learn nothing of a municipality any more; its model stays in service, 'erase' forgets it."""
    from astra_learn_assets.store import tenants

    with answering(output):
        name = TenantId(tenant)
        with _audited(home, "tenant.retire", name) as session:
            tenants.retire(session, name, datetime.now(UTC))
        _print({"tenant_id": name, "retired": True}, output)


@tenant_app.command("retry")
def tenant_retry(tenant: TenantArgument, home: HomeOption = None, output: FormatOption = Format.text) -> None:
    """Try again what was given up: no failure since the last success counts any more."""
    from astra_learn_assets.store import tenants, trainings

    with answering(output):
        name = TenantId(tenant)
        with _audited(home, "tenant.retry", name) as session:
            tenants.get(session, name)
            forgiven = trainings.forgive(session, name)
        _print({"tenant_id": name, "failures_forgiven": forgiven}, output)


@tenant_app.command("explain")
def tenant_explain(
    tenant: TenantArgument, home: HomeOption = None, output: FormatOption = Format.text
) -> None:
    """What would be decided now, and from what."""
    from astra_learn_assets.learning.training import plan
    from astra_learn_assets.store import tenants

    with answering(output):
        name = TenantId(tenant)
        with platform(home) as opened:
            with opened.database.session() as session:
                tenants.get(session, name)
            decision, facts, rules = plan.explain(opened, name)
        shown: dict[str, Any] = {
            "tenant_id": name,
            "train": decision.train,
            "code": decision.code,
            "reason": decision.reason,
            "until": decision.until,
            "examples waiting": facts.pending,
            "documents being prepared": facts.preparing,
            "trainings this week": f"{facts.started_this_week} of {rules.weekly_quota}",
            "GPU minutes this month": f"{facts.gpu_minutes_used:.1f} of {_bound(rules.gpu_minutes_month)}",
        }
        _print(shown, output)


def backfill(
    lane: Annotated[Lane, typer.Argument(help="What to look at anew: preparing, learning.")],
    by_age: Annotated[
        bool, typer.Option("--by-age", help="Learning: fewer examples do, if they are old enough.")
    ] = False,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Look at every municipality anew; runs are asked for only where there is something to do."""
    from astra_learn_assets.store import looks

    with answering(output):
        if by_age and lane is Lane.prepare:
            raise BadInput("--by-age is for learning: finals are prepared whatever their age")
        with _audited(home, f"backfill {lane.value}") as session:
            asked = looks.ask_again(session, lane.value, by_age=by_age)
        _print({"lane": lane.value, "municipalities": asked}, output)


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``; those of ``tenant`` are added where that is."""
    app.command()(backfill)
    app.add_typer(tier_app, name="tier")
    app.add_typer(maintenance_app, name="maintenance")


@contextmanager
def _audited(home: Path | None, action: str, tenant: TenantId | None = None) -> Iterator[orm.Session]:
    """A transaction on the platform of ``home`` that leaves a line in the audit log."""
    from astra_learn_assets.store import audit

    verb, _, target = action.partition(" ")
    with platform(home) as opened, opened.database.session() as session:
        yield session
        audit.record(
            session,
            tenant_id=tenant,
            actor="cli",
            action=verb,
            target=tenant or target or verb,
            outcome="done",
            request_id=None,
        )


def _number(option: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadInput(f"{option} {text!r:.30}: use a number, or 'none'") from None


def _or_unset(option: str, text: str | None) -> Any:
    from astra_learn_assets.store import tiers

    if text is None:
        return tiers.UNSET
    return None if text == _NONE else _number(option, text)


def _bound(minutes: float | None) -> str:
    return "no bound" if minutes is None else f"{minutes:g}"


def _tier(row: Any) -> dict[str, Any]:
    return {
        "tier": row.tier,
        "weekly_quota": row.weekly_quota,
        "gpu_minutes_month": row.gpu_minutes_month,
        "patience_hours": row.patience_hours,
        "training_hours": row.training_hours,
    }


def _maintenance(row: Any) -> dict[str, Any]:
    return {
        "maintenance": row.maintenance_id,
        "from": row.starts_at.isoformat(),
        "until": row.ends_at.isoformat(),
        "reason": row.reason,
    }


def _print(facts: dict[str, Any], output: Format) -> None:
    if output is Format.json:
        print_json(facts)
    else:
        print_facts(facts)
