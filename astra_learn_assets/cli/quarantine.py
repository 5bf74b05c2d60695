"""Commands about what is kept out of learning: quarantine list, show, release, drop; examples."""

from __future__ import annotations

from dataclasses import asdict
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
from astra_learn_assets.ids import TenantId

quarantine_app = typer.Typer(help="Documents that nothing is learned from.", no_args_is_help=True)
DocumentArgument = Annotated[str, typer.Argument(help="Id of the document.")]


@quarantine_app.command("list")
def listing(
    tenant: TenantArgument,
    dropped: Annotated[bool, typer.Option("--dropped", help="Also those that were dropped.")] = False,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """What waits for a person."""
    from astra_learn_assets.learning import review

    with answering(output):
        with platform(home) as opened:
            found = review.kept_out(opened, TenantId(tenant), dropped=dropped)
        if output is Format.json:
            print_json([_plain(one) for one in found])
        else:
            print_table(
                f"kept out of {tenant}",
                ["document", "since", "why", "reviewed"],
                [
                    [one.document_id, f"{one.created_at:%Y-%m-%d}", one.reason, one.reviewed_by or ""]
                    for one in found
                ],
            )


@quarantine_app.command()
def show(
    tenant: TenantArgument,
    document: DocumentArgument,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Why a document is kept out, with its figures."""
    from astra_learn_assets.learning import review

    with answering(output):
        with platform(home) as opened:
            found = review.show(opened, TenantId(tenant), document)
        if output is Format.json:
            print_json(_plain(found))
        else:
            print_facts({name: str(value) for name, value in _plain(found).items()})


@quarantine_app.command()
def release(
    tenant: TenantArgument,
    document: DocumentArgument,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Let a document be learned from; you have read it."""
    _review(tenant, document, home, output, "release", "released")


@quarantine_app.command()
def drop(
    tenant: TenantArgument,
    document: DocumentArgument,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Keep a document out for good."""
    _review(tenant, document, home, output, "drop", "dropped")


def examples(tenant: TenantArgument, home: HomeOption = None, output: FormatOption = Format.text) -> None:
    """A few of the newest anonymized examples that passed pii_gate."""
    from astra_learn_assets.learning import assemble

    with answering(output):
        with platform(home) as opened:
            found = assemble.preview(opened, TenantId(tenant))
        if output is Format.json:
            print_json([one.model_dump(mode="json") for one in found])
        else:
            print_table(
                f"examples of {tenant}",
                ["route", "as transcribed", "as corrected"],
                [[one.meta.route, one.input[:160], one.output[:160]] for one in found],
            )


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.add_typer(quarantine_app, name="quarantine")
    app.command()(examples)


def _review(tenant: str, document: str, home: Any, output: Format, verb: str, done: str) -> None:
    from astra_learn_assets.learning import review

    with answering(output):
        with platform(home) as opened:
            getattr(review, verb)(opened, TenantId(tenant), document, by=user())
        if output is Format.json:
            print_json({"document_id": document, "review": done})
        else:
            typer.echo(f"{document} is {done}")


def _plain(found: object) -> dict[str, Any]:
    values = asdict(found)  # type: ignore[call-overload]
    return {**values, "created_at": values["created_at"].isoformat()}
