"""Wait for a call that knows no time limit of its own, for so long and no longer.

::

    found = bounded.within(5.0, socket.getaddrinfo, host, port)

The resolver, a library's flush: Python cannot end them, only stop waiting. So the call goes on in a daemon
thread, which does not hold up the process's end, and what it comes to is dropped. For calls that end by
themselves some day; what can be cut off, like a socket, is cut off instead.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

R = TypeVar("R")


def within(seconds: float, call: Callable[..., R], /, *args: Any, **kwargs: Any) -> R:
    """What ``call`` returns or raises.

    Raises:
        TimeoutError: it took longer than ``seconds``.
    """
    future: Future[R] = Future()

    def run() -> None:
        try:
            future.set_result(call(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - raised again by result(), in the caller's thread
            future.set_exception(error)

    threading.Thread(target=run, name="bounded", daemon=True).start()
    return future.result(seconds)
