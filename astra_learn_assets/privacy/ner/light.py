"""Load the detectors without the deep-learning libraries they never use here.

spaCy and Presidio import torch and transformers when they are installed, only to know that they are.
That is three quarters of the loading time of a command. Both do without them when the import fails, and
the shipped model needs neither.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import cast

_UNUSED = ("torch", "transformers")


@contextmanager
def without_deep_learning() -> Iterator[None]:
    """Inside, importing torch or transformers fails as if not installed; what is loaded already stays.

    For a process with one thread that then works with spaCy models only. A transformers model needs
    both: load it outside.
    """
    hidden = [name for name in _UNUSED if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = cast(ModuleType, None)
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
