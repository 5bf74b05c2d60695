"""Commands for those who run the platform: any program inside its environment, and migrations."""

from __future__ import annotations

from typing import Annotated

import typer

from astra_learn_assets.cli.output import Format, answering
from astra_learn_assets.cli.platform import HomeOption, read_settings


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
        code = run_inside(complete, [*command, *context.args])
    raise typer.Exit(code)


def migrate(home: HomeOption = None) -> None:
    """Bring the database of ASTRA_DATABASE_URL (or the embedded one) to this version's tables."""
    from astra_learn_assets.services.embedded import embedded
    from astra_learn_assets.store import db

    with answering(Format.text), embedded(read_settings(home)) as settings:
        if settings.database_url is not None:
            db.migrate(settings.database_url)
        typer.echo("The database has this version's tables.")
