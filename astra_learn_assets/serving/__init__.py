"""What CORE imports: verified adapters with hot swap, and the dictionary that keeps itself current.

May import: contracts, errors, ids, ``store.objects`` and ``store.paths``, ``registry.signature``, redis.
Must not know: Dagster, MLflow, torch, the database, or how an adapter came to be promoted.
"""
