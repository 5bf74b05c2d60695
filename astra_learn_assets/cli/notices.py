"""Commands about who is told of a municipality's learning: notice add, list, remove, test."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from astra_learn_assets.cli.output import (
    Format,
    FormatOption,
    answering,
    print_facts,
    print_json,
    print_table,
)
from astra_learn_assets.cli.platform import HomeOption, TenantArgument, platform, user
from astra_learn_assets.errors import NotFound
from astra_learn_assets.ids import TenantId

notice_app = typer.Typer(help="Who is told, by webhook or e-mail.", no_args_is_help=True)
SubscriptionArgument = Annotated[str, typer.Argument(help="Id of the subscription, like sub-1f….")]


@notice_app.command()
def add(
    tenant: TenantArgument,
    webhook: Annotated[
        str | None, typer.Option("--webhook", help="URL that gets a signed POST (docs/notices.md).")
    ] = None,
    email: Annotated[str | None, typer.Option("--email", help="Address that gets an e-mail.")] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(
            "--event",
            help="promotion, rejection, hold, rollback, quarantine or budget; may be repeated. Default: all.",
        ),
    ] = None,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Have somebody told. The secret of a webhook is shown once, here."""
    from astra_learn_assets.learning.telling import delivery
    from astra_learn_assets.store import subscriptions

    with answering(output):
        with platform(home) as opened:
            made = delivery.subscribe(
                opened,
                TenantId(tenant),
                url=webhook,
                email=email,
                events=event or subscriptions.EVENTS,
                actor=user(),
            )
        facts: dict[str, Any] = {"subscription": made.subscription_id, "secret": made.secret}
        if output is Format.json:
            print_json(facts)
        else:
            print_facts(facts)


@notice_app.command("list")
def listing(tenant: TenantArgument, home: HomeOption = None, output: FormatOption = Format.text) -> None:
    """Who is told of what, and who could not be reached."""
    from astra_learn_assets.store import subscriptions, tenants

    with answering(output):
        tenant = TenantId(tenant)
        with platform(home) as opened, opened.database.session() as session:
            tenants.get(session, tenant)
            waiting = subscriptions.waiting(session, tenant)
            rows = [
                {
                    "subscription": row.subscription_id,
                    "kind": row.kind,
                    "address": row.address,
                    "events": row.events,
                    "waiting": waiting.get(row.subscription_id, 0),
                    "failing_since": row.failing_since,
                    "error": row.error,
                }
                for row in subscriptions.listing(session, tenant)
            ]
        if output is Format.json:
            print_json(rows)
            return
        columns = ["subscription", "kind", "address", "events", "waiting", "failing since", "error"]
        print_table(
            f"who is told of {tenant}",
            columns,
            [
                [", ".join(value) if isinstance(value, list) else value for value in row.values()]
                for row in rows
            ],
        )


@notice_app.command()
def remove(
    tenant: TenantArgument,
    subscription: SubscriptionArgument,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Tell this address nothing more; what waits to be sent to it is dropped."""
    from astra_learn_assets.learning.telling import delivery

    with answering(output):
        with platform(home) as opened:
            delivery.unsubscribe(opened, TenantId(tenant), subscription, actor=user())
        if output is Format.json:
            print_json({"removed": subscription})
        else:
            typer.echo("removed")


@notice_app.command("test")
def try_now(
    tenant: TenantArgument,
    subscription: SubscriptionArgument,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Send this address a message of no consequence, now, with everything that is due."""
    from astra_learn_assets.learning.telling import delivery
    from astra_learn_assets.store import subscriptions

    with answering(output):
        tenant = TenantId(tenant)
        with platform(home) as opened:
            with opened.database.session() as session:
                if not subscriptions.tell(session, tenant, subscriptions.TEST, {}, only=subscription):
                    raise NotFound(f"tenant {tenant!r} has no subscription {subscription!r:.40}")
            done = delivery.deliver(opened)
            with opened.database.session() as session:
                row = next(
                    one
                    for one in subscriptions.listing(session, tenant)
                    if one.subscription_id == subscription
                )
        facts = {"sent": done.sent, "waiting": done.waiting, "given up": done.given_up, "error": row.error}
        if output is Format.json:
            print_json(facts)
        else:
            print_facts(facts)


def register(app: typer.Typer) -> None:
    """Add the command group to ``app``."""
    app.add_typer(notice_app, name="notice")
