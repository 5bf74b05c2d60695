"""Letters and words, as the simulated council counts them."""

from __future__ import annotations

import re
import unicodedata


def words(text: str) -> list[str]:
    """The lower-cased words of ``text``, without digits and punctuation."""
    return re.findall(r"[^\W\d_]+", text.lower())


def without_accents(text: str) -> str:
    """``text`` without acute accents and dieresis; ``ñ`` stays."""
    return unicodedata.normalize(
        "NFC", "".join(c for c in unicodedata.normalize("NFD", text) if c not in "\u0301\u0308")
    )
