"""Where things are kept: tables, queries, object paths, the object store, encryption.

May import ``errors``, ``ids``, ``contracts``, ``settings``. Knows no Dagster, no model, no DOCX.
"""
