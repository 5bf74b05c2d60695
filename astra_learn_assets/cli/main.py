"""The front door: the list of commands, and what happens to the errors none of them expects."""

from __future__ import annotations

import os
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from astra_learn_assets.cli import (
    access,
    automation,
    council,
    documents,
    drafts,
    golden,
    learning,
    notices,
    privacy,
    quarantine,
    recovery,
    system,
)
from astra_learn_assets.cli.output import BAD_INPUT, BROKEN_PIPE, INTERRUPTED, Format, answering
from astra_learn_assets.cli.platform import HomeOption, read_settings, require_simulation
from astra_learn_assets.errors import AstraError

if TYPE_CHECKING:
    from astra_learn_assets.settings import Settings

app = typer.Typer(
    name="astra-learn",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"astra-learn {version('astra-learn')}")
        raise typer.Exit


@app.callback()
def front_door(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Corrected council minutes in, a better adapter out, one municipality at a time."""


@app.command()
def demo(
    exit_when_done: Annotated[
        bool, typer.Option("--exit", help="End with 0 or 1 instead of leaving the UI up.")
    ] = False,
    sessions: Annotated[int, typer.Option(min=1, max=2000, help="Corrected sessions per council.")] = 40,
    seed: Annotated[int, typer.Option(help="Another seed makes other councils.")] = 7,
    home: HomeOption = None,
) -> None:
    """Watch two simulated councils teach their models, end to end."""
    with answering(Format.text):
        require_simulation()
        from astra_learn_assets.simulation.demo.story import Options, run_demo

        options = Options(sessions=sessions, seed=seed, exit_when_done=exit_when_done)
        held = run_demo(_settings(home), options)
    raise typer.Exit(0 if held else 1)


@app.command()
def dev(
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the API.")] = None,
    dagster_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the Dagster UI.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address both listen on.")] = None,
    home: HomeOption = None,
) -> None:
    """Run services, API, Dagster webserver and daemon together until Ctrl-C."""
    from astra_learn_assets.services.dev import run_dev

    with answering(Format.text):
        run_dev(_settings(home, api_host=host, api_port=port, dagster_port=dagster_port))


drafts.add_to(app)
documents.register(app)
privacy.register(app)
quarantine.register(app)
golden.register(app)
learning.register(app)
access.register(app)
notices.register(app)
automation.register(app)
recovery.register(app)
council.register(app)
system.register(app)


def _settings(home: Path | None, **given: object) -> Settings:
    """The process's settings with what the command line names; for the processes it starts as well."""
    values = {name: value for name, value in given.items() if value is not None}
    return read_settings(home).model_copy(update=values)


def main() -> None:
    """Entry point; every way out has an exit code and none shows a traceback for a user's mistake.

    What libraries warn each other of is nobody's concern here; ``python -W default`` shows it.
    """
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    try:
        app()
        sys.stdout.flush()
    except BrokenPipeError:
        # whoever read our output has gone; closing quietly must not raise once more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except (AstraError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(BAD_INPUT)
