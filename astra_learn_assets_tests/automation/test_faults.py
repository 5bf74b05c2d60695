"""Whose fault a failure was."""

from __future__ import annotations

import pytest

from astra_learn_assets import errors
from astra_learn_assets.contracts import Fault
from astra_learn_assets.learning.training import faults, process


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (2, "permanent"), (3, "examples"), (4, "permanent"), (5, "capacity"), (6, "examples"),
        (7, "permanent"), (8, "capacity"), (9, "permanent"),
        (10, "examples"), (11, "worker"), (12, "capacity"), (75, "worker"),
        (-9, "worker"), (137, "worker"), (1, "examples"),
    ],
)  # fmt: skip
def test_every_exit_code_of_the_trainer_has_somebody_to_blame(code: int, fault: Fault) -> None:
    assert faults.of_exit_code(code) == fault


def test_no_documented_exit_code_is_forgotten() -> None:
    assert set(process.MEANING) <= set(faults._EXIT_CODES)


@pytest.mark.parametrize(
    ("reason", "chain", "fault"),
    [
        ("STEP_FAILURE", ["DagsterExecutionStepExecutionError", "BadConfiguration"], "permanent"),
        (
            "STEP_FAILURE",
            ["DagsterExecutionStepExecutionError", "Unavailable", "OperationalError"],
            "capacity",
        ),
        ("STEP_FAILURE", ["DagsterExecutionStepExecutionError", "ZeroDivisionError"], "examples"),
        ("STEP_FAILURE", ["BadConfiguration", "Unavailable"], "capacity"),
        ("START_TIMEOUT", [], "capacity"),
        ("UNKNOWN", [], "worker"),
        (None, [], "worker"),
        ("SOMETHING_NEW", [], "worker"),
        ("JOB_INITIALIZATION_FAILURE", [], "permanent"),
    ],
)
def test_the_innermost_known_error_decides(reason: str | None, chain: list[str], fault: Fault) -> None:
    assert faults.of_run(reason, chain) == fault


def test_a_run_that_a_person_cancelled_waits_as_after_a_failure() -> None:
    assert faults.of_run(None, cancelled=True) == "examples"


def test_the_errors_that_are_named_exist() -> None:
    ours = {name for name in faults._ERRORS if hasattr(errors, name)}
    assert ours >= {"BadConfiguration", "GateRefused", "Unavailable", "Superseded", "TenantErased"}
