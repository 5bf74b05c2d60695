"""Where things are kept: tables, queries, object paths, the object store, encryption.

May import ``errors``, ``ids``, ``contracts``, ``settings`` and which countries have a pack
(``privacy.countries``). Knows no Dagster, no model, no DOCX.
"""
