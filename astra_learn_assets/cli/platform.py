"""The platform for the length of one command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from astra_learn_assets.platform import Platform


@contextmanager
def platform() -> Iterator[Platform]:
    """The configured platform; what no setting names runs embedded until the command ends.

    Raises:
        Unavailable, BadConfiguration.
    """
    from astra_learn_assets.platform import Platform
    from astra_learn_assets.services.embedded import embedded
    from astra_learn_assets.settings import get_settings

    with embedded(get_settings()) as settings, Platform.open(settings) as opened:
        yield opened
