"""Processes beside us on a laptop: Postgres and Redis from wheels, and the development supervisor.

May import ``errors``, ``settings``, ``store``. Knows no tenant, no document, no stage of the loop.
"""
