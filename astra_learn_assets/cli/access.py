"""Commands about municipalities and who may see what: tenant, key, blocklist."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

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
from astra_learn_assets.cli.platform import HomeOption, TenantArgument, chosen_country, platform
from astra_learn_assets.errors import BadInput
from astra_learn_assets.ids import TenantId

tenant_app = typer.Typer(help="Municipalities.", no_args_is_help=True)
key_app = typer.Typer(help="Keys of the API.", no_args_is_help=True)
blocklist_app = typer.Typer(help="Names always masked, places never masked.", no_args_is_help=True)


class Role(StrEnum):
    """What a key may do."""

    viewer = "viewer"
    editor = "editor"
    admin = "admin"
    platform = "platform"


class Action(StrEnum):
    """What happens to a term of the blocklist."""

    mask = "mask"
    allow = "allow"


@tenant_app.command("add")
def tenant_add(
    tenant: TenantArgument,
    name: Annotated[str | None, typer.Option("--name", help="Name for people; default: the id.")] = None,
    country: Annotated[
        str | None,
        typer.Option(
            "--country", help="Two letters: whose national ids to look for; default: ASTRA_COUNTRY."
        ),
    ] = None,
    tier: Annotated[str, typer.Option("--tier", help="Decides the weekly quota of trainings.")] = "standard",
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Make a municipality, with its own encryption key."""
    from astra_learn_assets.store import audit, tenants

    with answering(output):
        tenant = TenantId(tenant)
        code = chosen_country(country, home)
        if not (1 <= len(tier) <= 20 and tier.isascii() and tier.isalnum()):
            raise BadInput(f"tier {tier!r:.30}: use 1 to 20 letters or digits")
        if name is not None and not (name.strip() and name.isprintable() and len(name) <= 200):
            raise BadInput("--name: use 1 to 200 printable characters")
        with platform(home, found=True) as opened, opened.database.session() as session:
            made = tenants.create(
                session,
                tenant,
                display_name=name or tenant,
                country=code,
                tier=tier,
                wrapped_key=opened.vault.new_tenant_key(),
            )
            audit.record(
                session,
                tenant_id=tenant,
                actor="cli",
                action="tenant.add",
                target=tenant,
                outcome="done",
                request_id=None,
            )
            facts = {"tenant_id": made.tenant_id, "display_name": made.display_name, "country": made.country}
        if output is Format.json:
            print_json(facts)
        else:
            typer.echo(f"made {tenant}; next: astra-learn key issue --tenant {tenant} --role editor")


@tenant_app.command("list")
def tenant_list(home: HomeOption = None, output: FormatOption = Format.text) -> None:
    """Every municipality."""
    from astra_learn_assets.store import tenants

    with answering(output):
        with platform(home) as opened, opened.database.session() as session:
            rows = [
                {
                    "tenant_id": row.tenant_id,
                    "display_name": row.display_name,
                    "country": row.country,
                    "tier": row.tier,
                    "created_at": row.created_at.isoformat(),
                    "state": tenants.state_of(row),
                }
                for row in tenants.list_all(session)
            ]
        if output is Format.json:
            print_json(rows)
        else:
            columns = ["tenant_id", "display_name", "country", "tier", "state"]
            print_table("municipalities", columns, [[row[column] for column in columns] for row in rows])


@key_app.command("issue")
def key_issue(
    role: Annotated[Role, typer.Option("--role", help="viewer, editor, admin, or platform for services.")],
    tenant: Annotated[str | None, typer.Option("--tenant", help="Municipality; none for platform.")] = None,
    label: Annotated[str, typer.Option("--label", help="Who holds it; shown in the audit log.")] = "key",
    days: Annotated[int | None, typer.Option("--days", min=1, max=3650, help="Expires after.")] = None,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Make a key. It is shown once and stored hashed."""
    from astra_learn_assets.store import api_keys, audit

    with answering(output):
        if (role is Role.platform) != (tenant is None):
            raise BadInput(
                "a platform key takes no --tenant"
                if tenant
                else f"a key with role {role.value} needs --tenant"
            )
        tenant_id = None if tenant is None else TenantId(tenant)
        expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
        with platform(home) as opened, opened.database.session() as session:
            row, plaintext = api_keys.issue(
                session, tenant_id=tenant_id, role=role.value, label=label, expires_at=expires_at
            )
            audit.record(
                session,
                tenant_id=tenant,
                actor="cli",
                action="key.issue",
                target=row.key_id,
                outcome="done",
                request_id=None,
            )
            facts = {
                "key_id": row.key_id,
                "key": plaintext,
                "tenant_id": tenant,
                "role": role.value,
                "label": label,
                "expires_at": expires_at.isoformat() if expires_at else None,
            }
        if output is Format.json:
            print_json(facts)
        else:
            print_facts(facts)
            typer.echo("Keep the key now: it cannot be shown again.", err=True)


@key_app.command("list")
def key_list(
    tenant: Annotated[str | None, typer.Option("--tenant", help="Only of this municipality.")] = None,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Every key, without its secret."""
    from astra_learn_assets.store import api_keys

    with answering(output):
        with platform(home) as opened, opened.database.session() as session:
            rows = [
                {
                    "key_id": row.key_id,
                    "tenant_id": row.tenant_id,
                    "role": row.role,
                    "label": row.label,
                    "created_at": row.created_at.isoformat(),
                    "expires_at": row.expires_at.isoformat() if row.expires_at else None,
                    "revoked_at": row.revoked_at.isoformat() if row.revoked_at else None,
                }
                for row in api_keys.listing(session)
                if tenant is None or row.tenant_id == tenant
            ]
        if output is Format.json:
            print_json(rows)
        else:
            columns = ["key_id", "tenant_id", "role", "label", "expires_at", "revoked_at"]
            print_table("keys", columns, [[row[column] for column in columns] for row in rows])


@key_app.command("revoke")
def key_revoke(
    key_id: Annotated[str, typer.Argument(help="key_id, as 'key list' shows it.")],
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Make a key useless from now on."""
    from astra_learn_assets.store import api_keys, audit

    with answering(output):
        with platform(home) as opened, opened.database.session() as session:
            api_keys.revoke(session, key_id)
            audit.record(
                session,
                tenant_id=None,
                actor="cli",
                action="key.revoke",
                target=key_id,
                outcome="done",
                request_id=None,
            )
        if output is Format.json:
            print_json({"key_id": key_id, "revoked": True})
        else:
            typer.echo(f"revoked {key_id}")


@blocklist_app.command("add")
def blocklist_add(
    tenant: TenantArgument,
    term: Annotated[str, typer.Argument(help="The name or place.")],
    action: Annotated[Action, typer.Option("--action", help="mask always, or allow always.")] = Action.mask,
    kind: Annotated[str, typer.Option("--kind", help="person, street, institution, ...")] = "person",
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Add a term; the same term again takes the new action."""
    with answering(output):
        _add_terms(TenantId(tenant), [term], action, kind, home)
        if output is Format.json:
            print_json({"tenant_id": tenant, "added": 1})
        else:
            typer.echo("added")


@blocklist_app.command("import")
def blocklist_import(
    tenant: TenantArgument,
    file: Annotated[
        Path, typer.Argument(help="UTF-8 text, one term a line; '#' starts a comment line.", readable=False)
    ],
    action: Annotated[Action, typer.Option("--action", help="mask always, or allow always.")] = Action.mask,
    kind: Annotated[str, typer.Option("--kind", help="person, street, institution, ...")] = "person",
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Add every term of a file, or none when one is impossible."""
    with answering(output):
        try:
            text = files.read(file, maximum=10_000_000).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadInput(f"{file} is not UTF-8 text (byte {error.start})") from None
        terms = _terms(text)
        _add_terms(TenantId(tenant), terms, action, kind, home)
        if output is Format.json:
            print_json({"tenant_id": tenant, "added": len(terms)})
        else:
            typer.echo(f"added {len(terms)} terms")


@blocklist_app.command("remove")
def blocklist_remove(
    tenant: TenantArgument,
    term: Annotated[str, typer.Argument(help="The term, as 'blocklist list' shows it.")],
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Take a term out."""
    from astra_learn_assets.hotpath.blocklist_terms import remove_term

    with answering(output):
        tenant = TenantId(tenant)
        with platform(home) as opened, opened.database.session() as session:
            remove_term(session, tenant, term, actor="cli", request_id=None)
        if output is Format.json:
            print_json({"tenant_id": tenant, "removed": 1})
        else:
            typer.echo("removed")


@blocklist_app.command("list")
def blocklist_list(
    tenant: TenantArgument, home: HomeOption = None, output: FormatOption = Format.text
) -> None:
    """Every term of a municipality."""
    from astra_learn_assets.store import blocklist, tenants

    with answering(output):
        tenant = TenantId(tenant)
        with platform(home) as opened, opened.database.session() as session:
            tenants.get(session, tenant)
            rows = [
                {"term": row.term, "action": row.action, "kind": row.kind}
                for row in blocklist.listing(session, tenant)
            ]
        if output is Format.json:
            print_json(rows)
        else:
            columns = ["term", "action", "kind"]
            print_table("blocklist", columns, [[row[column] for column in columns] for row in rows])


def register(app: typer.Typer) -> None:
    """Add the command groups to ``app``."""
    app.add_typer(tenant_app, name="tenant")
    app.add_typer(key_app, name="key")
    app.add_typer(blocklist_app, name="blocklist")


def _terms(text: str) -> list[str]:
    """The terms of a file, one a line.

    Raises:
        BadInput: naming the first line that holds none.
    """
    from astra_learn_assets.hotpath.blocklist_terms import clean_term

    found = []
    # only \n ends a line: a U+2028 pasted into a name must not make two terms of it
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.strip().startswith("#"):
            continue
        try:
            found.append(clean_term(line))
        except BadInput:
            raise BadInput(f"line {number}: a term has 2 to 200 visible characters") from None
    return found


def _add_terms(tenant: TenantId, terms: list[str], action: Action, kind: str, home: Path | None) -> None:
    from astra_learn_assets.hotpath.blocklist_terms import add_term, clean_term

    cleaned = [clean_term(term) for term in terms]  # all are good before the first is stored
    with platform(home) as opened, opened.database.session() as session:
        for term in cleaned:
            add_term(session, tenant, term, action=action.value, kind=kind, actor="cli", request_id=None)
