"""Anonymization: recognizers, pseudonymizer, residual scan and the PII gate, with the small NER they share.

May import contracts, errors, ids and settings; Presidio and spaCy only inside functions.
Must not know Dagster, the database, the object store or where a pair came from.
"""
