"""The second look: other detectors over the bytes that will be trained on, canaries, ``pii_gate``.

May import Presidio (inside functions) and the rest of ``privacy``. Must not know where files are stored.
"""
