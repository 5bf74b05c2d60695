"""Commands about what is stored and whence it came: verify, lineage, dossier, rotate."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from astra_learn_assets.cli import files
from astra_learn_assets.cli.output import (
    Format,
    FormatOption,
    answering,
    print_facts,
    print_json,
    print_table,
)
from astra_learn_assets.cli.platform import HomeOption, platform, user
from astra_learn_assets.errors import BadInput
from astra_learn_assets.ids import TenantId

if TYPE_CHECKING:
    from astra_learn_assets.learning.healing import Done
    from astra_learn_assets.learning.verification import Inspection
    from astra_learn_assets.platform import Platform

rotate_app = typer.Typer(help="Replace a key.", no_args_is_help=True)
OneTenant = Annotated[str | None, typer.Argument(help="Id of the municipality; none: all of them.")]


def verify(
    tenant: OneTenant = None,
    repair: Annotated[bool, typer.Option("--repair", help="Put right what can be put right.")] = False,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="A copy of the bucket, or CORE's cache, to take lost files from."),
    ] = None,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Check every stored file against its hash or signature. Ends with 1 while something is wrong."""
    from astra_learn_assets.learning import healing, verification

    with answering(output):
        if source is not None and not repair:
            raise BadInput("--from needs --repair: without it nothing is changed")
        if source is not None and not source.is_dir():
            raise BadInput(f"{source} is no folder: name a copy of the bucket, or CORE's cache")
        inspections: list[Inspection] = []
        done: list[tuple[TenantId, Done]] = []
        with platform(home) as opened:
            for name in _named(opened, tenant):
                found = verification.inspect(opened, name)
                inspections.append(found)
                if repair:
                    healed = healing.repair(opened, name, found.faults, by=user(), source=source)
                    done += [(name, one) for one in healed]
        rows: list[dict[str, Any]] = [
            {"tenant_id": name, **asdict(one.fault), "healed": one.healed, "what": one.what}
            for name, one in done
        ] or [
            {"tenant_id": one.tenant_id, **asdict(fault), "healed": False, "what": ""}
            for one in inspections
            for fault in one.faults
        ]
        checked = sum(one.checked for one in inspections)
        left = sum(not row["healed"] for row in rows)
        if output is Format.json:
            print_json({"checked": checked, "faults": rows, "left": left})
        else:
            if rows:
                columns = ["tenant_id", "kind", "name", "reason", "what"]
                print_table("faults", columns, [[row[column] for column in columns] for row in rows])
            typer.echo(f"{checked} checked, {len(rows)} at fault, {left} left")
    if left:
        raise typer.Exit(1)


def lineage(
    adapter_id: Annotated[str, typer.Argument(help="The adapter.")],
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """From documents to promotions: the way of an adapter. Ends with 1 at a broken link."""
    from astra_learn_assets import ids
    from astra_learn_assets.learning import provenance

    with answering(output):
        tenant = ids.tenant_of_adapter(adapter_id)
        with platform(home) as opened:
            links = provenance.walk(opened, tenant, adapter_id)
        if output is Format.json:
            print_json([asdict(link) for link in links])
        else:
            print_table(
                f"lineage of {adapter_id}",
                ["step", "name", "state", "sha256", "when", "said"],
                [
                    [
                        link.step,
                        link.name,
                        link.state,
                        (link.digest or "")[:16],
                        f"{link.at:%Y-%m-%d %H:%M}" if link.at else "",
                        link.said,
                    ]
                    for link in links
                ],
            )
    if any(link.state == provenance.BROKEN for link in links):
        raise typer.Exit(1)


def dossier(
    adapter_id: Annotated[str, typer.Argument(help="The adapter.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write; default: standard output.")
    ] = None,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Technical documentation of an adapter by Annex IV of the EU AI Act, in Spanish (Markdown).

    Refused when a link of its lineage does not check. What only the provider can say is marked.
    """
    from astra_learn_assets import ids
    from astra_learn_assets.learning import dossier as documentation

    with answering(output):
        tenant = ids.tenant_of_adapter(adapter_id)
        with platform(home) as opened:
            text = documentation.write(opened, tenant, adapter_id)
        if out is not None:
            files.write(out, text.encode())
        if output is Format.json:
            print_json({"adapter_id": adapter_id, "out": str(out) if out else None, "markdown": text})
        elif out is None:
            typer.echo(text, nl=False)
        else:
            print_facts({"out": str(out), "left to fill in": text.count(documentation.OPEN) - 1})


@rotate_app.command("signing")
def rotate_signing(
    old: Annotated[
        Path, typer.Option("--old-verify-key", help="Public key of the one before, PEM.", readable=False)
    ],
    tenant: OneTenant = None,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Sign adapters, verdicts and promotions anew with the key that is configured now."""
    from astra_learn_assets.learning import rekeying
    from astra_learn_assets.registry.keys import read_verify_key

    with answering(output):
        with platform(home) as opened:
            key = read_verify_key(old)
            signed = [rekeying.sign_anew(opened, name, old=key) for name in _named(opened, tenant)]
        if output is Format.json:
            print_json([asdict(one) for one in signed])
        else:
            columns = ["tenant", "adapters", "verdicts", "refused"]
            rows = [[one.tenant_id, one.adapters, one.verdicts, "; ".join(one.refused)] for one in signed]
            print_table("signed anew", columns, rows)
    if any(one.refused for one in signed):
        raise typer.Exit(1)


@rotate_app.command("master")
def rotate_master(
    old: Annotated[
        Path, typer.Option("--old-key", help="File with the one before: base64 of 32 bytes.", readable=False)
    ],
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Wrap every municipality's key with the master key that is configured now."""
    from astra_learn_assets.learning import rekeying
    from astra_learn_assets.store.crypto import read_master

    with answering(output):
        with platform(home) as opened:
            changed = rekeying.wrap_anew(opened, old=read_master(old))
        if output is Format.json:
            print_json({"wrapped": changed})
        else:
            print_facts({"wrapped anew": changed})


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    for command in (verify, lineage, dossier):
        app.command()(command)
    app.add_typer(rotate_app, name="rotate")


def _named(opened: Platform, tenant: str | None) -> list[TenantId]:
    """The one that is named, or all that were not erased."""
    from astra_learn_assets.store import tenants

    if tenant is not None:
        return [TenantId(tenant)]
    with opened.database.session() as session:
        return [row.tenant_id for row in tenants.list_all(session) if row.wrapped_key is not None]
