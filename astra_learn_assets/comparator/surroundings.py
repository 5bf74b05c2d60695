"""What stands around a changed word: titles, street words, other names, the name of a known body."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from astra_learn_assets.comparator import lexicon
from astra_learn_assets.comparator.word_diff import Link, Token

Recognizer = Callable[[str], Sequence[tuple[int, int]]]


def has_capital(text: str) -> bool:
    """Whether some letter of ``text`` is a capital."""
    return text[0].isupper() or any(c.isupper() for c in text[1:])


class Surroundings:
    """The corrected text ``after`` as ``new`` tokens, asked about one change at a time.

    ``capitals``: the text is written in capitals, which then say nothing.
    """

    def __init__(
        self, after: str, new: Sequence[Token], *, capitals: bool, recognize: Recognizer | None
    ) -> None:
        self.after, self.new = after, new
        self.capitals = capitals
        self.recognize = recognize
        self._spans: Sequence[tuple[int, int]] | None = None

    def before(self, position: int) -> Token | None:
        """The token before ``position``."""
        return self.new[position - 1] if position > 0 else None

    def after_title(self, link: Link) -> bool:
        """Directly after "don", "la señora", "el Sr." (the dot of the abbreviation apart)."""
        position = link.a0 - 1
        if position >= 1 and self.new[position].text == ".":
            position -= 1
        return position >= 0 and self.new[position].text.casefold() in lexicon.PERSON_TITLES

    def after_head(self, link: Link, heads: frozenset[str], *, through_connectors: bool) -> bool:
        """After a word that announces a place or body; "calle Doctor Olaizola" reaches across capitals."""
        for position in range(link.a0 - 1, max(-1, link.a0 - 5), -1):
            text = self.new[position].text
            word = text.casefold()
            if word in heads:
                return True
            crossed = text[0].isupper() or (
                through_connectors and (word in lexicon.CONNECTORS or word.isdecimal())
            )
            if not crossed:
                return False
        return False

    def names_institution(self, link: Link) -> bool:
        """Whether the change stands inside a body's name that is written with its capitals."""
        first, last = max(0, link.a0 - 3), min(len(self.new), link.a1 + 3)
        for start in range(first, link.a0 + 1):
            for end in range(max(link.a1, start + 2), last + 1):
                words = [token.text for token in self.new[start:end]]
                if " ".join(words).casefold() in lexicon.INSTITUTIONS and words[-1][0].isupper():
                    return True
        return False

    def beside_name(self, link: Link) -> bool:
        """A neighbour that did not change is a name: listed, or capitalized and no ordinary word."""
        for position, step in ((link.a0 - 1, -1), (link.a1, 1)):
            while 0 <= position < len(self.new) and self.new[position].text.casefold() in ("de", "del", "la"):
                position += step
            if not 0 <= position < len(self.new):
                continue
            token = self.new[position]
            if (
                not token.is_word
                or not has_capital(token.text)
                or (token.text.isupper() and not self.capitals)
            ):
                continue
            word = token.text.casefold()
            if word in lexicon.PERSON_TITLES or word in lexicon.PLACE_HEADS:
                continue
            if lexicon.is_personal_name(word) and not (token.initial and lexicon.is_common(word)):
                return True
            if not lexicon.is_common(word):
                return True
        return False

    def recognized(self, link: Link) -> bool:
        """Whether the model, if there is one, sees a name here; it is asked once per text."""
        if self.recognize is None:
            return False
        if self._spans is None:
            self._spans = self.recognize(self.after)
        start, end = self.new[link.a0].start, self.new[link.a1 - 1].end
        return any(a < end and start < b for a, b in self._spans)
