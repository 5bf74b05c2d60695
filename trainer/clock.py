"""Where a command's seconds go: laps by name, of this process, from its start."""

from __future__ import annotations

import time
from pathlib import Path

_LOADED = time.monotonic()


def _seconds_before() -> float:
    """What had passed of the process when this module was loaded: Python, and what was imported before."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        up = float(Path("/proc/uptime").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0.0  # no Linux: not known
    return max(0.0, up - ticks / 100)


_BEFORE = _seconds_before()


def forked() -> None:
    """This process began now, as a copy of another: what that one had spent is not its own."""
    global _LOADED, _BEFORE
    _LOADED, _BEFORE = time.monotonic(), 0.0


class Clock:
    """``lap("base")`` ends what the base took; the first lap is "start", up to where the clock was made."""

    def __init__(self) -> None:
        self._last = self._began = time.monotonic()
        self._laps: dict[str, float] = {"start": _BEFORE + self._began - _LOADED}
        self._ends: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self._laps[name] = self._laps.get(name, 0.0) + now - self._last
        self._ends[name] = self._last = now

    def since(self, name: str) -> float:
        """Seconds since the end of that lap."""
        return time.monotonic() - self._ends.get(name, self._began)

    def metrics(self) -> dict[str, float]:
        """``seconds.NAME`` of each lap."""
        return {f"seconds.{name}": round(seconds, 2) for name, seconds in self._laps.items()}
