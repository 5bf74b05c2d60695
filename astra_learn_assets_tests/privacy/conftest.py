"""One loaded engine for the whole folder: loading takes seconds, masking milliseconds."""

from __future__ import annotations

from functools import lru_cache

import pytest

from astra_learn_assets.privacy.pseudonymizer import Pseudonymizer
from astra_learn_assets.privacy.scan.residual import ResidualScanner


@lru_cache(maxsize=32)
def engine(country: str = "es") -> Pseudonymizer:
    """A pseudonymizer without tenant lists, shared."""
    return Pseudonymizer(country=country)


@pytest.fixture(scope="session")
def pseudonymizer() -> Pseudonymizer:
    return engine()


@pytest.fixture(scope="session")
def scanner() -> ResidualScanner:
    return ResidualScanner(country="es")
