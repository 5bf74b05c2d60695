"""How the shipped entity model is made: names, municipal sentences, corpora with their spans.

May import Faker and spaCy (inside functions); used by ``train_ner`` and benchmarks only, never at run time.
Must not know the pseudonymizer or anything that runs in production.
"""
