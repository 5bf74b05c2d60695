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
        _require_partition(complete, wanted)
        code = run_inside(complete, wanted)
    raise typer.Exit(code)


def _require_partition(settings: Settings, command: list[str]) -> None:
    """Say in a sentence what Dagster would say in a traceback: that there is no such partition.

    Raises:
        NotFound, InvalidTenantId: the municipality is none, was erased or retired.
    """
    named = [value for option, value in pairwise(command) if option == "--partition"]
    named += [word.removeprefix("--partition=") for word in command if word.startswith("--partition=")]
    if not named or Path(command[0]).name != "dagster":
        return
    from astra_learn_assets.platform import Platform
    from astra_learn_assets.store import tenants

    with Platform.open(settings) as opened, opened.database.session() as session:
        for name in named:
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
