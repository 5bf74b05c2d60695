"""What CORE imports: verified adapters with hot swap, the dictionary that keeps itself current, and what a
model's answer becomes before it is shown.

May import: contracts, errors, ids, spanish, ``store.objects`` and ``store.paths``, ``registry.signature``,
redis, and of ``datasets`` what compares two texts and what an adapter's steady words are.
Must not know: Dagster, MLflow, torch, the database, or how an adapter came to be promoted.
"""
