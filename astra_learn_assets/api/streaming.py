"""A training followed while it runs: server-sent events, each with what is new since the last.

    event: state    {"state": "training", "progress": {"step": 12, "steps": 60, "share": 0.2, ...}}
    event: line     {"step": 12, "at": "...", "entry": {"loss": 0.41, ...}}     id: 12
    event: end      {"state": "promoted", ...}                                  the training is over
    event: again    {}                                                          ask anew, from the last id on

A stream ends after :data:`LONGEST` seconds and the reader asks again, as browsers do by themselves: so a run
that never ends holds no connection for ever, and a key that is revoked stops following within that time.
Between two looks nothing is held, no thread and no connection to the database.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable

import sqlalchemy as sa
from starlette.concurrency import run_in_threadpool

from astra_learn_assets.errors import AstraError
from astra_learn_assets.hotpath import wording
from astra_learn_assets.learning.training_history import Moment

MEDIA_TYPE = "text/event-stream"
LOOK_SECONDS = 1.0
QUIET_SECONDS = 15.0
LONGEST = 40.0  # less than an API that is told to end waits for its requests (45 s in the chart)


async def follow(
    ask: Callable[[int], Moment],
    *,
    after: int,
    done: Callable[[], None],
    look: float = LOOK_SECONDS,
    longest: float = LONGEST,
) -> AsyncIterator[str]:
    """The events of one training behind step ``after``.

    ``ask`` reads the store; ``done`` is called when nobody listens any more.
    """
    told: tuple[object, ...] | None = None
    until = time.monotonic() + longest
    spoke = time.monotonic()
    try:
        yield "retry: 2000\n\n"
        while True:
            try:
                found = await run_in_threadpool(ask, after)
            except (AstraError, sa.exc.SQLAlchemyError) as error:
                yield event("problem", {"message": _sentence(error)})
                return
            for line in found.lines:
                after = line.step
                yield event("line", line.model_dump(mode="json"), line.step)
            state = {"state": found.state, "progress": found.progress}
            if (found.state, str(found.progress)) != told:
                told = (found.state, str(found.progress))
                yield event("state", state)
                spoke = time.monotonic()
            if found.ended:
                yield event("end", state)
                return
            if time.monotonic() >= until:
                yield event("again", {})
                return
            if time.monotonic() - spoke > QUIET_SECONDS:
                spoke = time.monotonic()
                yield ": still here\n\n"  # a proxy closes what is silent
            await asyncio.sleep(look)
    finally:
        done()


def event(name: str, data: object, number: int | None = None) -> str:
    """One event; JSON has no line break of its own, so a datum is one line."""
    identity = "" if number is None else f"id: {number}\n"
    return f"{identity}event: {name}\ndata: {json.dumps(data, ensure_ascii=False, default=str)}\n\n"


def _sentence(error: AstraError | sa.exc.SQLAlchemyError) -> str:
    return wording.sentence(error) if isinstance(error, AstraError) else wording.INTERNAL
