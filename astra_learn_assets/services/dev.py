"""``astra-learn dev``: the whole platform in the foreground until Ctrl-C."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from rich.console import Console

from astra_learn_assets.errors import Unavailable
from astra_learn_assets.services.stack import Stack, running_stack
from astra_learn_assets.settings import Settings


def run_dev(settings: Settings, console: Console | None = None) -> None:
    """Start everything, print where it is, wait for Ctrl-C or SIGTERM, end everything.

    Raises:
        Unavailable: when a part ends by itself.
    """
    console = console or Console()
    console.print("Starting Postgres, Redis, API, Dagster…")
    with running_stack(settings) as stack:
        announce(stack, console)
        wait_for_end(stack)
        console.print("Stopping…")


def announce(stack: Stack, console: Console) -> None:
    """Print the URLs."""
    console.print(f"  Dagster   {stack.dagster_url}")
    console.print(f"  API       {stack.api_url}/openapi.json")
    console.print(f"  Panel     {stack.api_url}/panel/{{tenant}}, with a viewer's key")
    console.print(f"  Logs      {stack.settings.home_path / 'logs'}")
    console.print("Press Ctrl-C to end everything.")


def wait_for_end(stack: Stack) -> None:
    """Return on Ctrl-C or SIGTERM.

    Raises:
        Unavailable: when a part ends by itself.
    """
    asked = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        asked.set()

    previous = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while not asked.wait(1.0):
            ended = stack.ended()
            if ended is not None:
                raise Unavailable(f"{ended} ended; see {stack.settings.home_path / 'logs' / ended}.log")
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
