"""What a clerk waits for: drafts and finals come in, are compared, name fixes go live, a summary comes out.

May import ``comparator``, ``store``, ``platform``. Must not know HTTP or Dagster.
"""
