"""Count a stage and its seconds when it ends, however it ends.

::

    with measured.stage(platform, "document_diffs") as seen:
        ...
        seen.result = "quarantined"

What is counted is only to be looked at: a database that does not take it costs the figure and not the stage.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
import structlog

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.errors import AstraError, GateRefused
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import stage_figures

_LOG = structlog.get_logger(__name__)


@dataclass
class Seen:
    """How the stage ends, unless it raises."""

    result: str = "done"


@contextmanager
def stage(platform: Platform, name: str) -> Iterator[Seen]:
    """Count the block as one end of the stage: what it set, ``refused`` by a gate, ``failed``, or
    ``interrupted`` by whoever ended the process."""
    seen, began = Seen(), time.monotonic()
    try:
        yield seen
    except GateRefused:
        _note(platform, name, "refused", began)
        raise
    except Exception:
        _note(platform, name, "failed", began)
        raise
    except BaseException:
        _note(platform, name, "interrupted", began)
        raise
    _note(platform, name, seen.result, began)


def of_verdict(verdict: GateVerdict) -> str:
    """How a gate ended."""
    if verdict.passed:
        return "passed"
    return "held" if verdict.details.get("outcome") == "hold" else "refused"


def _note(platform: Platform, name: str, result: str, began: float) -> None:
    seconds = time.monotonic() - began
    try:
        with platform.database.session() as session:
            stage_figures.note(session, name, result, seconds)
    except (AstraError, sa.exc.SQLAlchemyError) as error:
        _LOG.warning("a stage was not counted", stage=name, result=result, error=type(error).__name__)
