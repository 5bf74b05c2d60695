"""One training of one tenant: when it is due (``policy``), who is next, its row, its process.

May import what ``learning`` may. Must not know Dagster or import the trainer: it is another process.
"""
