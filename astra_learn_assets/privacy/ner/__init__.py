"""The named-entity model: the shipped one in ``model/``, how any is loaded, what of a text it reads.

May import spaCy (inside functions) and ``people``. Must not know pairs, files or gates.
"""
