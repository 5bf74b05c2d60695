"""``astra-learn dev``: the whole platform in the foreground until Ctrl-C."""

from __future__ import annotations

import signal
import threading
from datetime import datetime
from types import FrameType

from rich.console import Console

from astra_learn_assets.services.stack import Stack, running_stack
from astra_learn_assets.settings import Settings


def run_dev(settings: Settings, console: Console | None = None) -> None:
    """Start everything, print where it is, wait for Ctrl-C or SIGTERM, end everything.

    Raises:
        Unavailable: when a part ends again and again.
    """
    console = console or Console()
    console.print("Starting Postgres, Redis, API, Dagster…")
    with running_stack(settings) as stack:
        announce(stack, console)
        wait_for_end(stack, console)
        console.print("Stopping…")


def announce(stack: Stack, console: Console) -> None:
    """Print the URLs."""
    console.print(f"  Dagster   {stack.dagster_url}")
    console.print(f"  API       {stack.api_url}/openapi.json")
    console.print(f"  Panel     {stack.api_url}/panel/{{tenant}}, with a viewer's key")
    console.print(f"  Logs      {stack.settings.home_path / 'logs'}")
    console.print("Press Ctrl-C to end everything.")


def wait_for_end(stack: Stack, console: Console) -> None:
    """Return on Ctrl-C or SIGTERM; until then start again what dies, and say so.

    Raises:
        Unavailable: when a part ends again and again.
    """
    asked = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        asked.set()

    previous = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while not asked.wait(1.0):
            for told in stack.mend():
                console.print(f"[{datetime.now():%H:%M:%S}] {told}", markup=False)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
