"""The command line ``astra-learn``: each command reads its arguments, calls one function and prints.

May import everything below ``astra_learn_assets``, lazily: ``--help`` answers in under a second.
Must not hold a rule of its own; what a command does is in ``api``, ``comparator``, ``privacy``, ``registry``.
"""

from astra_learn_assets.cli.main import app, main

__all__ = ["app", "main"]
