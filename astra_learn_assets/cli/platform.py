"""The platform for the length of one command."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from astra_learn_assets.errors import BadConfiguration, BadInput

if TYPE_CHECKING:
    from astra_learn_assets.platform import Platform
    from astra_learn_assets.settings import Settings

TenantArgument = Annotated[str, typer.Argument(help="Id of the municipality.")]
HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of everything embedded, like .astra/demo; default: ASTRA_HOME."),
]


def read_settings(home: Path | None = None) -> Settings:
    """The process's settings, in another ``home`` if one is named.

    Raises:
        BadConfiguration: naming the variable that cannot be read.
    """
    from pydantic import ValidationError

    from astra_learn_assets.settings import get_settings

    try:
        return get_settings(home)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        raise BadConfiguration(f"ASTRA_{name}: {first['msg']}") from None


def chosen_country(option: str | None, home: Path | None = None) -> str:
    """The code of the country pack that ``--country`` names; without it the one of ``ASTRA_COUNTRY``.

    Raises:
        BadInput, BadConfiguration: there is no such pack, listing those there are.
    """
    from astra_learn_assets.privacy.identifiers.countries import country_code

    if option is not None:
        return country_code(option)
    try:
        return country_code(read_settings(home).country)
    except BadInput as error:
        raise BadConfiguration(f"ASTRA_COUNTRY: {error}") from None


def require_simulation() -> None:
    """The simulated councils are part of the checkout, not of the package.

    Raises:
        BadConfiguration: they are not here.
    """
    if find_spec("astra_learn_assets.simulation") is None:
        raise BadConfiguration(
            "the simulated councils are not in the installed package: use a checkout of the code"
        )


def user() -> str:
    """Who is at the keyboard, as the audit log is to say; ``cli`` where nobody has a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "cli"


@contextmanager
def platform(home: Path | None = None, *, found: bool = False) -> Iterator[Platform]:
    """The configured platform, or the one in ``home``; what no setting names runs embedded meanwhile.

    ``found``: make one where there is none.

    Raises:
        NotFound, Unavailable, BadConfiguration.
    """
    from astra_learn_assets.platform import Platform
    from astra_learn_assets.services.embedded import embedded

    with embedded(read_settings(home), found=found) as settings, Platform.open(settings) as opened:
        yield opened
