"""Commands for those who run the platform: any program inside its environment, and migrations."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from astra_learn_assets.cli.output import Format, answering
from astra_learn_assets.cli.platform import HomeOption, read_settings
from astra_learn_assets.errors import NotFound
from astra_learn_assets.ids import TenantId

if TYPE_CHECKING:
    from astra_learn_assets.settings import Settings

_NO_PARTITION = (
    "{} is no partition of Dagster's yet: the feedback sensor makes it one at its next tick; start "
    "'astra-learn dev', or its daemon"
)


def register(app: typer.Typer) -> None:
    """Add the commands of this module to ``app``."""
    app.command("exec", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(execute)
    app.command()(migrate)


def execute(
    context: typer.Context,
    command: Annotated[list[str], typer.Argument(help="The program and its arguments, after --.")],
    home: HomeOption = None,
) -> None:
    """Run a program with the platform's services up and ASTRA_* and DAGSTER_HOME set.

    Example: astra-learn exec -- dagster asset materialize -m astra_learn_assets.definitions
    --select document_diffs --partition villaverde
    """
    from astra_learn_assets.services.embedded import embedded
    from astra_learn_assets.services.stack import run_inside

    with answering(Format.text), embedded(read_settings(home), found=False) as complete:
        wanted = [*command, *context.args]
        partitions = _partitions(wanted)
        _require_tenants(complete, partitions)
        # what Dagster says of a key that it does not have yet
        unknown = {
            f"containing the passed partition key `{name}`": _NO_PARTITION.format(name) for name in partitions
        }
        code = run_inside(complete, wanted, instead=unknown)
    raise typer.Exit(code)


def _partitions(command: list[str]) -> list[str]:
    """The partitions that a command of Dagster's names."""
    if Path(command[0]).name != "dagster":
        return []
    named = [value for option, value in pairwise(command) if option == "--partition"]
    return named + [word.removeprefix("--partition=") for word in command if word.startswith("--partition=")]


def _require_tenants(settings: Settings, names: list[str]) -> None:
    """Say in a sentence what Dagster would say in a traceback: that there is no such partition.

    Raises:
        NotFound, InvalidTenantId: the municipality is none, was erased or retired.
    """
    if not names:
        return
    from astra_learn_assets.platform import Platform
    from astra_learn_assets.store import tenants

    with Platform.open(settings) as opened, opened.database.session() as session:
        for name in names:
            row = tenants.get(session, TenantId(name))
            if (state := tenants.state_of(row)) in ("erased", "retired"):
                raise NotFound(f"tenant {name!r} is {state}: nothing of it can be materialized")


def migrate(home: HomeOption = None) -> None:
    """Bring the database of ASTRA_DATABASE_URL (or the embedded one) to this version's tables."""
    from astra_learn_assets.services.embedded import embedded
    from astra_learn_assets.store import db

    with answering(Format.text), embedded(read_settings(home)) as settings:
        if settings.database_url is not None:
            db.migrate(settings.database_url)
        typer.echo("The database has this version's tables.")
