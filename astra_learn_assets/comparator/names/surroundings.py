"""What stands around a changed word: titles, street words, other names, the name of a known body."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from astra_learn_assets.comparator.names.word_diff import Link, Token, tokenize
from astra_learn_assets.spanish import lexicon

_PARTICLES = frozenset({"De", "Del", "de", "del", "la", "La", "los", "Los", "las"})
_JOINTS = frozenset({"de", "del", "la", "las", "los", "y"})
_FEASTS = frozenset({"fiestas", "romería", "carnaval", "feria", "festival", "festividad"})
_EVENTS = _FEASTS | {
    "programa",
    "proyecto",
    "plan",
    "operación",
    "campaña",
    "premio",
    "certamen",
    "torneo",
    "ley",
}
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
        """After "don", "la señora", "el Sr." (the dot of the abbreviation apart), or behind one of them
        after a given name or the particle of a surname: "doña Socorro Amador", "señor Del Olmo"."""
        position = link.a0 - 1
        while position > 0 and (
            self.new[position].text in _PARTICLES
            or (
                self.new[position].text[0].isupper()
                and self.new[position].text.casefold() in lexicon.spelled_given_names()
            )
        ):
            position -= 1
        if position >= 1 and self.new[position].text == ".":
            position -= 1
        return position >= 0 and self.new[position].text.casefold() in lexicon.PERSON_TITLES

    def after_given_name(self, link: Link) -> bool:
        """In the surname's place: right behind a given name."""
        previous = self.before(link.a0)
        return (
            previous is not None
            and previous.text[0].isupper()
            and previous.text.casefold() in lexicon.spelled_given_names()
        )

    def in_surnames_place(self, link: Link) -> bool:
        """Right behind a title, or behind a given name and the particles of a surname: "señor Puente",
        "señora De la Calle", but not "vecino de la Calle"."""
        position = link.a0 - 1
        particles = []
        while position > 0 and self.new[position].text in _PARTICLES:
            particles.append(self.new[position].text)
            position -= 1
        if position < 0:
            return False
        token = self.new[position]
        if token.text == "." and position > 0:
            token = self.new[position - 1]
        word = token.text.casefold()
        if word in lexicon.PERSON_TITLES:
            return not particles or particles[-1] in ("De", "Del")
        if not token.text[0].isupper():
            return False
        return word in lexicon.spelled_given_names() or not (token.initial or lexicon.is_common(word))

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

    def after_event(self, link: Link) -> bool:
        """After what announces the name of a plan or a feast: "programa Erasmus", "fiestas de Moros y
        Cristianos"; after an acronym, which is a body's: "ONG Médicos del Mundo"."""
        previous = self.before(link.a0)
        if previous is None or self.capitals:
            return False
        word = previous.text.casefold()
        if word in _EVENTS or (previous.text.isupper() and 2 <= len(word) <= 5):
            return True
        return self.after_head(link, _FEASTS, through_connectors=True)

    def ends_a_name(self, link: Link) -> bool:
        """Right behind a building's word that has a capital too."""
        previous = self.before(link.a0)
        return (
            previous is not None
            and previous.text[0].isupper()
            and not previous.initial
            and previous.text.casefold() in lexicon.FACILITIES | lexicon.PLACE_HEADS
        )

    def after_facility(self, link: Link) -> bool:
        """Right after a building's word, or after its adjective: "centro cívico Aurora"."""
        position = link.a0 - 1
        if position > 0 and self.new[position].text.islower() and self.new[position].text not in _JOINTS:
            word = self.new[position].text
            if (
                word not in lexicon.FACILITIES
                and self.new[position - 1].text.casefold() in lexicon.FACILITIES
            ):
                return True
        return position >= 0 and self.new[position].text.casefold() in lexicon.FACILITIES

    def after_noble_particle(self, link: Link) -> bool:
        """After a name and "de la", "del", "de los": "Calderón de la Barca"."""
        position = link.a0 - 1
        while position > 0 and self.new[position].text in ("la", "las", "los", "el"):
            position -= 1
        far = position < link.a0 - 1 or (position >= 0 and self.new[position].text == "del")
        if position >= 1 and self.new[position].text in ("van", "von", "der", "Van", "Von"):
            return True
        if not far or position < 1 or self.new[position].text not in ("de", "del"):
            return False
        name = self.new[position - 1]
        return name.text[0].isupper() and not name.initial and lexicon.is_personal_name(name.text)

    def names_institution(self, link: Link) -> bool:
        """Whether the change stands inside a body's name that is written with its capitals."""
        first, last = max(0, link.a0 - 3), min(len(self.new), link.a1 + 3)
        for start in range(first, link.a0 + 1):
            for end in range(max(link.a1, start + 2), last + 1):
                words = [token.text for token in self.new[start:end]]
                if " ".join(words).casefold() in lexicon.INSTITUTIONS and all(
                    word[0].isupper() or len(word) <= 3 for word in words
                ):
                    return True
        return False

    def after_article(self, link: Link) -> bool:
        """After an article with a capital that no sentence's start explains: "en La Victoria"."""
        previous = self.before(link.a0)
        return (
            previous is not None
            and not self.capitals
            and not previous.initial
            and previous.text in ("El", "La", "Los", "Las")
        )

    def after_plain_article(self, link: Link) -> bool:
        """After an article in lower case or at the sentence's start: "la Cruz", "los Rosales"."""
        previous = self.before(link.a0)
        return (
            previous is not None
            and previous.text.casefold() in ("el", "la", "los", "las", "un", "una", "al", "del")
            and not self.after_article(link)
        )

    def stands_as_name(self, position: int) -> bool:
        """After an article or a preposition, in lower case: "el CORE", "la ANDA", "plan EDIL"; after the head
        of a body's name: "Fundación ONCE"."""
        previous = self.before(position)
        if previous is not None and previous.text.casefold() in lexicon.ORGANIZATION_HEADS:
            return True
        return previous is not None and previous.text in (
            "el", "la", "los", "las", "al", "del", "El", "La", "plan", "programa", "proyecto", "impuesto",
        )  # fmt: skip

    def of_an_office(self, link: Link) -> bool:
        """After "Plan", "concejala de", "Comisión de": a subject, not a name."""
        position = link.a0 - 1
        if position < 0:
            return False
        if self.new[position].text.casefold() in lexicon.ADMINISTRATION:
            return True
        if self.new[position].text.casefold() not in lexicon.CONNECTORS:
            return False
        while position > 0 and self.new[position].text.casefold() in lexicon.CONNECTORS:
            position -= 1
        word = self.new[position].text.casefold()
        return word in lexicon.ADMINISTRATION or word in lexicon.PERSON_TITLES

    def inside_capitals(self, link: Link, *, beyond: bool) -> bool:
        """Part of a name of several words: a neighbour has a capital too that its place does not explain
        ("Ronda Sur"); ``beyond``: also one beyond "de", "del", "y" ("Virgen de los Dolores").

        Words of the administration announce a subject, not a name ("Comisión de Hacienda").
        """
        if self.capitals:
            return False
        for position, step in ((link.a0 - 1, -1), (link.a1, 1)):
            crossed = False
            while beyond and 0 <= position < len(self.new) and self.new[position].text in _JOINTS:
                position, crossed = position + step, True
            if not 0 <= position < len(self.new):
                continue
            token = self.new[position]
            word = token.text.casefold()
            if (
                token.is_word
                and not token.initial
                and token.text[0].isupper()
                and len(token.text) > 1
                and not token.text.isupper()
                and word not in lexicon.PERSON_TITLES
                and not lexicon.is_personal_name(word)
                and (word not in lexicon.CONNECTORS or word in ("san", "santa", "santo", "dos"))
                and not (word in lexicon.ADMINISTRATION and (crossed or step < 0))
            ):
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


_CAPITALIZED = re.compile(r"[A-ZÀ-ÖØ-ÞĀ-Ž][^\W_]+(?:['’·\-][^\W_]+)*")
_INSIDE = re.compile(r"[^\W_],? ")


def capitalized_inside(texts: Sequence[str]) -> frozenset[str]:
    """Folded words, none of them ordinary, that ``texts`` write with a capital inside a sentence.

    A capital after a plain word or a comma needs no look at the sentence; only texts with a word seen
    nowhere else like that are tokenized.
    """
    found: set[str] = set()
    doubtful: dict[str, set[int]] = {}
    for number, text in enumerate(texts):
        for match in _CAPITALIZED.finditer(text):
            written = match[0]
            if (
                written in found
                or written.isupper()
                or not written[0].isupper()
                or lexicon.is_common(written)
            ):
                continue
            start = match.start()
            if _INSIDE.fullmatch(text, max(0, start - 3), start) or _INSIDE.fullmatch(
                text, max(0, start - 2), start
            ):
                found.add(written)
            else:
                doubtful.setdefault(written, set()).add(number)
    unsettled = {number for written, where in doubtful.items() if written not in found for number in where}
    for number in unsettled:
        for written, _, _, initial in tokenize(texts[number]):
            if not initial and written[0].isupper() and not written.isupper():
                found.add(written)
    return frozenset(written.casefold() for written in found if not lexicon.is_common(written))
