"""What is deployed and what runs on a laptop say the same about who waits for whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from astra_learn_assets.automation.run_coordinator import GPU_TAG, LANE_TAG
from astra_learn_assets.settings import REPOSITORY

CHART = yaml.safe_load((REPOSITORY / "deploy" / "values-dagster.yaml").read_text())
LOCAL = yaml.safe_load((REPOSITORY / "dagster.yaml").read_text())


def _limits(entries: list[dict[str, Any]]) -> dict[str, int]:
    return {entry["key"]: entry["limit"] for entry in entries}


@pytest.mark.parametrize(
    ("limits", "pools"),
    [
        (
            _limits(
                CHART["dagsterDaemon"]["runCoordinator"]["config"]["customRunCoordinator"]["config"][
                    "tag_concurrency_limits"
                ]
            ),
            (CHART["concurrency"]["pools"]["granularity"], CHART["concurrency"]["pools"]["defaultLimit"]),
        ),
        (
            _limits(LOCAL["concurrency"]["runs"]["tag_concurrency_limits"]),
            (
                LOCAL["concurrency"]["pools"]["granularity"],
                LOCAL["concurrency"]["pools"]["default_limit"],
            ),
        ),
    ],
    ids=["chart", "laptop"],
)
def test_the_gpu_pool_lets_as_many_runs_pass_as_the_gpu_tag(
    limits: dict[str, int], pools: tuple[str, int]
) -> None:
    assert limits.keys() == {LANE_TAG, GPU_TAG}
    assert limits[LANE_TAG] == 1
    assert pools == ("run", limits[GPU_TAG])


def test_the_images_command_and_coordinator_exist() -> None:
    coordinator = CHART["dagsterDaemon"]["runCoordinator"]["config"]["customRunCoordinator"]
    assert (coordinator["module"], coordinator["class"]) == (
        LOCAL["run_coordinator"]["module"],
        LOCAL["run_coordinator"]["class"],
    )
    assert Path(REPOSITORY, *coordinator["module"].split(".")).with_suffix(".py").is_file()
