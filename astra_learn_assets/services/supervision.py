"""Restart what died, say so, and give up with a sentence.

A part that ends is started again at once, then after 2, 4, 8 … seconds; the sixth end within ten minutes is
no accident any more, and :class:`Unavailable` says which part it was and where its log lies. Nothing here
knows what the parts are.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from astra_learn_assets.errors import Unavailable

RESTARTS = 5
WINDOW_SECONDS = 600.0


@dataclass
class Part:
    """Something that is to run. ``alive`` says whether it does, ``start`` starts it anew.

    ``start`` may raise :class:`Unavailable`: that counts as one more end.
    """

    name: str
    alive: Callable[[], bool]
    start: Callable[[], None]
    log: str
    ends: deque[float] = field(default_factory=deque)
    not_before: float = 0.0
    down: bool = False


class Supervisor:
    """Watches parts; :meth:`look` is called every second or so."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._parts: list[Part] = []

    def add(self, part: Part) -> None:
        """Watch ``part`` from now on; those added first are started first."""
        self._parts.append(part)

    def look(self) -> list[str]:
        """Start again what has ended; returns a sentence for each end and each restart.

        Raises:
            Unavailable: a part ended once too often.
        """
        told: list[str] = []
        for part in self._parts:
            if not part.down and part.alive():
                continue
            if not part.down:
                told.append(self._ended(part))
            if self._clock() < part.not_before:
                continue
            try:
                part.start()
            except Unavailable as error:
                told.append(self._ended(part, f" did not start again ({error})"))
            else:
                part.down = False
                told.append(f"{part.name} runs again")
        return told

    def _ended(self, part: Part, how: str = " ended") -> str:
        now = self._clock()
        while part.ends and now - part.ends[0] >= WINDOW_SECONDS:
            part.ends.popleft()
        part.ends.append(now)
        part.down = True
        count = len(part.ends)
        if count > RESTARTS:
            raise Unavailable(
                f"{part.name} ended {count} times within {WINDOW_SECONDS / 60:.0f} minutes and is not "
                f"started again: see {part.log}"
            )
        part.not_before = now if count == 1 else now + 2.0 ** (count - 1)
        return f"{part.name}{how}; started again" + ("" if count == 1 else f" in {2 ** (count - 1)} s")
