"""The simulated municipality: drafts, clerks, careless and hostile editors, and the truth beside them.

May import ``contracts``, ``errors``, ``ids``, ``comparator.chunk_ids`` (its writer); python-docx, lxml.
Must not know the comparison engine, the store, or any model: it is what they are scored against.
"""
