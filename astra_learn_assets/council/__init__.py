"""The simulated municipality: drafts, clerks, careless and hostile editors, and the truth beside them.

May import ``contracts``, ``ids`` and ``comparator.chunk_ids`` (the Builder's writer); python-docx and lxml.
Must not know the comparison engine, the store, or any model: it is what they are scored against.
"""
