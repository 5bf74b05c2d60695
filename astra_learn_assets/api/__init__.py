"""The hot path and the HTTP API over it: uploads, dictionary, keys and roles, the learning page.

May import ``store``, ``comparator``, ``platform``; ``intake`` and ``learning`` know no FastAPI.
Must not know Dagster, a model or a trainer: the learning path is started by sensors, never from here.
"""
