"""What each asset does, as plain functions over a :class:`Platform`: one module per stage of the loop.

May import every decision module (comparator, privacy, datasets, evaluation, registry, store).
Must not know Dagster: assets call these functions, and so do tests and the command line.
"""
