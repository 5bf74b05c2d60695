"""Which paragraph of the final came from which of the draft: candidates, likeness, moves, pieces.

May import rapidfuzz and the ground floor. Must not know DOCX or what a name is.
"""
