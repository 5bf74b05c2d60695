"""Words that a scanner has worn: a figure for the letter that it looks like, at the same place.

"Val1ejo" is two pieces of a word to whatever splits text into words. Only a one or a nought between letters
of a word is read as a letter, so that a number stays one; identifiers are looked for in the text as it is.
"""

from __future__ import annotations

import re

_SMALL = "a-záéíóúüñ"
_CAPITAL = "A-ZÁÉÍÓÚÜÑ"
_FIGURE = re.compile(
    rf"(?<=[{_SMALL}])[01](?=[{_SMALL}])|(?<=[{_CAPITAL}])[01](?=[{_SMALL}]{{2}})"
    rf"|(?<=[{_CAPITAL}]{{2}})0(?=[{_CAPITAL}])"
)
_VOWELS = "aeiouáéíóúü"


def mended(text: str) -> str:
    """``text`` with letters for such figures; as long as before, letter by letter at the same place."""
    return _FIGURE.sub(_letter, text) if "0" in text or "1" in text else text


def _letter(match: re.Match[str]) -> str:
    text, at = match.string, match.start()
    before, after = text[at - 1].lower(), text[at + 1].lower()
    if match[0] == "0":
        return "O" if text[at - 1].isupper() and text[at + 1].isupper() else "o"
    # an i behind a consonant ("Mar1a"), an l behind another one, or behind a vowel and before one ("Gal1ego")
    if before in _VOWELS:
        return "l" if after in _VOWELS or after == "c" else "i"
    return "l" if before == "l" else "i"
