"""A platform with two towns and an MLflow of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from astra_learn_assets.learning import lineage
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings

TENANT = "villaverde"
Make = Callable[..., object]


@pytest.fixture(scope="module")
def empty_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database with its tables: making one takes seconds, copying one does not."""
    home = tmp_path_factory.mktemp("mlflow")
    assert (
        lineage.champion(Settings(home=home, mlflow_tracking_uri=f"sqlite:///{home / 'mlflow.db'}"), TENANT)
        is None
    )
    return home / "mlflow.db"


@pytest.fixture
def town(platform: Platform, make_tenant: Make, empty_mlflow: Path) -> Platform:
    platform.settings.home_path.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(empty_mlflow, platform.settings.home_path / "mlflow.db")
    make_tenant(TENANT)
    make_tenant("otra-villa")
    return platform
