"""The platform for the length of one command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from astra_learn_assets.errors import BadConfiguration

if TYPE_CHECKING:
    from astra_learn_assets.platform import Platform
    from astra_learn_assets.settings import Settings


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


@contextmanager
def platform() -> Iterator[Platform]:
    """The configured platform; what no setting names runs embedded until the command ends.

    Raises:
        Unavailable, BadConfiguration.
    """
    from astra_learn_assets.platform import Platform
    from astra_learn_assets.services.embedded import embedded

    with embedded(read_settings()) as settings, Platform.open(settings) as opened:
        yield opened
