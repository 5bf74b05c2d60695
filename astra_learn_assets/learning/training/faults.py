"""Whose fault a failed run was, so that nothing is retried that a retry cannot change. Pure.

What is known of a failure: Dagster's reason for it, the classes of the errors in its chain, innermost last,
and the exit code of the trainer where that ended with one.
"""

from __future__ import annotations

from collections.abc import Sequence

from astra_learn_assets.contracts import Fault

# trainer/__main__.py documents them
_EXIT_CODES: dict[int, Fault] = {
    2: "permanent",  # wrong arguments
    3: "examples",  # broken data
    4: "permanent",  # the base model is missing or broken
    5: "capacity",  # no GPU where one is demanded
    6: "examples",  # loss or gradient not finite
    7: "permanent",  # out of memory at the smallest pack: this card is too small for this model
    8: "capacity",  # disk
    9: "permanent",  # nothing confines tenants' processes on that machine
    10: "examples",  # its process changed the resident base: it must not be let do so again and again
    11: "worker",  # its process was ended, as by a signal
    12: "capacity",  # no resident base came to serve it in time
    75: "worker",  # interrupted
    -9: "worker",
    -15: "worker",
    137: "worker",
    143: "worker",
}
_ERRORS: dict[str, Fault] = {
    "BadConfiguration": "permanent",
    "ModuleNotFoundError": "permanent",
    "ImportError": "permanent",
    "TenantErased": "permanent",
    "UnknownTenant": "permanent",
    "DagsterInvalidConfigError": "permanent",
    "GateRefused": "examples",
    "AdapterRefused": "examples",
    "Unavailable": "capacity",
    "Conflict": "worker",
    "Superseded": "superseded",
    "OSError": "capacity",
    "DagsterExecutionInterruptedError": "worker",
}
# Dagster's reasons for a run that failed without any step of it having failed
_REASONS: dict[str, Fault] = {
    "START_TIMEOUT": "capacity",
    "UNEXPECTED_TERMINATION": "worker",
    "RUN_WORKER_RESTART": "worker",
    "JOB_INITIALIZATION_FAILURE": "permanent",
    "UNKNOWN": "worker",
}


def of_exit_code(code: int) -> Fault:
    """Whose fault an exit code of the trainer says it was; an unknown one is the examples'."""
    return _EXIT_CODES.get(code, "examples")


def of_run(reason: str | None, errors: Sequence[str] = (), *, cancelled: bool = False) -> Fault:
    """Whose fault a failed run was: ``reason`` is Dagster's word, ``errors`` the classes in the chain.

    The innermost error that is known decides. A step that failed otherwise is the examples' fault, so that it
    is not tried for ever; so is a run that a person cancelled, for the back-off's sake.
    """
    if cancelled:
        return "examples"
    for name in reversed(errors):
        if name in _ERRORS:
            return _ERRORS[name]
    if reason == "STEP_FAILURE" or errors:
        return "examples"
    return _REASONS.get(reason or "UNKNOWN", "worker")
