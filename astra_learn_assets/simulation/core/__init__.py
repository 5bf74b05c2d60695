"""A reference CORE: sessions that ask a model with the municipality's adapter, swapped between them.

Stands on ``serving/``, as CORE does; knows nothing of Dagster, tables or the simulated council.
"""
