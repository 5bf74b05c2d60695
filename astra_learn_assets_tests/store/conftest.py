"""What several tests of the store open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from astra_learn_assets.settings import Settings
from astra_learn_assets.store.db import Database


@pytest.fixture
def api(settings: Settings) -> Iterator[Database]:
    """The database as the API sees it."""
    assert settings.api_database_url is not None
    database = Database(settings.api_database_url, row_security=True)
    yield database
    database.dispose()
