"""Is a change a proper noun put right? Words of a change, what stands around them, how they sound.

May import ``spanish``. Must not know DOCX, alignment or the dictionary's tables.
"""
