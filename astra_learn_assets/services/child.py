"""What a process of the platform asks of the kernel before it begins."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def end_with_parent(niceness: int = 0) -> None:
    """For ``preexec_fn``: stand back by ``niceness``, and on Linux get SIGTERM when the parent dies.

    Nobody else would end it then: a killed parent runs no ``finally``.
    """
    os.nice(niceness)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
