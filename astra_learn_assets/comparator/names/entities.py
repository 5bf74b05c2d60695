"""Which changes are a proper noun put right, and which are spelling, grammar or content?

A fixed name goes to the tenant's dictionary within seconds and is applied to every coming
transcript, so a false one does harm: "haya" -> "halla" in a dictionary would ruin minutes. The
judgement rests on four questions, cheap enough for the hot path and without a model:

1. Does the new text *look* like a name: capitals that the sentence's start does not explain, an
   acronym, a word the language does not have, a listed name, a name of the tenant's dictionary?
2. Does its *place* announce one: after a title, a street word, beside another name?
3. Does it *sound* like the old text? Another person's name is content, not a mishearing, and another given
   name that exists is another person however alike (:mod:`given_names`).
4. Is the old text safe to replace everywhere? If it is an ordinary word ("iba" -> "IVA"), the entry
   takes the word before it along ("el iba" -> "el IVA").

``recognize`` may add a model's opinion: a callable from text to spans (start, end) of names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from astra_learn_assets.comparator.names import phonetics
from astra_learn_assets.comparator.names.given_names import NOBODY_KNOWN, KnownPeople, are_given_names
from astra_learn_assets.comparator.names.surroundings import Recognizer, Surroundings, has_capital
from astra_learn_assets.comparator.names.word_diff import Difference, Link, Token, difference
from astra_learn_assets.contracts import EntityChange, EntityKind
from astra_learn_assets.spanish import lexicon
from astra_learn_assets.spanish.fold import letters

_ACRONYM = re.compile(
    r"(?=.*[A-ZÁÉÍÓÚÜÑ].*[A-ZÁÉÍÓÚÜÑ])[A-ZÁÉÍÓÚÜÑ0-9+&/.·\-]{2,12}|[A-ZÑ]{2,8}s?|[A-Z]+[a-z]?[A-Z]+"
)
_ROMAN = re.compile(r"(?=[MDCLXVI])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_ALIKE, _ALIKE_WITH_EVIDENCE = 0.55, 0.5
_ALIKE_ACRONYMS = 0.65  # one for another: "IBI" is not "ICIO"
_ARTICLES = frozenset({"El", "La", "Los", "Las"})


@dataclass(frozen=True)
class Judgement:
    """``changes``: the names put right. ``only_entities``: the two texts differ in nothing else.

    ``waiting``: one given name for another; content, until roster or a second correction say otherwise.
    """

    changes: tuple[EntityChange, ...]
    only_entities: bool
    waiting: tuple[EntityChange, ...] = ()


def judge(
    before: str,
    after: str,
    *,
    chunk_id: str | None = None,
    dictionary: Mapping[str, str] | None = None,
    names: frozenset[str] = frozenset(),
    people: KnownPeople = NOBODY_KNOWN,
    recognize: Recognizer | None = None,
    found: Difference | None = None,
) -> Judgement:
    """Compare the two texts of one block; ``found`` is their difference if it is known already.

    ``dictionary`` maps wrong to right spellings of the tenant; ``names`` are words (folded) that the
    final writes with a capital inside sentences elsewhere; ``people`` is what the tenant told of given names.
    """
    old, new, changed = found or difference(before, after)
    scene = _Scene(after, old, new, dictionary or {}, names, people, recognize)
    verdicts = [(link, scene.judge(link)) for link in changed]
    waiting = [(link, verdict) for link, verdict in verdicts if verdict is not None and verdict.waits]
    judged = scene.with_articles([(link, None if v is None or v.waits else v) for link, v in verdicts])
    changes: list[EntityChange] = []
    for run in scene.runs(judged):
        changes.append(scene.change(run, chunk_id))
    only = bool(judged) and all(kind is not None for _, kind in judged)
    return Judgement(tuple(changes), only, tuple(scene.change([one], chunk_id) for one in waiting))


@dataclass(frozen=True)
class _Verdict:
    kind: EntityKind
    confidence: float
    waits: bool = False


class _Scene:
    """One pair of texts, and what is known around each change."""

    def __init__(
        self,
        after: str,
        old: list[Token],
        new: list[Token],
        dictionary: Mapping[str, str],
        names: frozenset[str],
        people: KnownPeople,
        recognize: Recognizer | None,
    ) -> None:
        self.old, self.new = old, new
        self.dictionary = {_key(wrong): right for wrong, right in dictionary.items()}
        self.rights = {_key(right) for right in dictionary.values()}
        self.names, self.people = names, people
        letters = sum(map(str.isalpha, after))
        self.capitals = letters > 3 and sum(map(str.isupper, after)) > 0.7 * letters
        self.around = Surroundings(after, new, capitals=self.capitals, recognize=recognize)

    # -- the judgement -------------------------------------------------------------------------

    def judge(self, link: Link) -> _Verdict | None:
        """The kind of name that ``link`` puts right, or None for any other change."""
        wrongs = [t.text for t in self.old[link.b0 : link.b1]]
        rights = [t.text for t in self.new[link.a0 : link.a1]]
        wrong, right = " ".join(wrongs), " ".join(rights)
        if not wrongs or not rights or not all(text[0].isalpha() for text in (*wrongs, *rights)):
            return None
        if any(c.isdigit() for c in wrong + right):
            return None
        if _key(self.dictionary.get(_key(wrong), "\0")) == _key(right):
            return _Verdict(self._kind(link, rights), 1.0)
        if all(_ROMAN.fullmatch(text) for text in rights) and not self.capitals and len(right) < 6:
            return None
        if all(_key(text) in lexicon.CONNECTORS for text in rights):
            return None
        if self._is_acronym(rights):
            return self._judge_acronym(link, wrongs, rights)
        return self._judge_name(link, wrongs, rights)

    def _judge_acronym(self, link: Link, wrongs: list[str], rights: list[str]) -> _Verdict | None:
        right = letters("".join(rights))
        wrong = letters("".join(wrongs))
        if phonetics.spelled(tuple(wrongs)) == right or wrong == phonetics.said_aloud(right):
            return _Verdict("acronym", 0.95)
        if wrong == right:
            if lexicon.is_common(right) and len(right) > 3 and not self.around.stands_as_name(link.a0):
                return None  # a heading in capitals
            shouted = all(text.isupper() for text in wrongs) and "." not in "".join(wrongs)
            dotted = "".join(wrongs).replace(".", "") == "".join(rights).replace(".", "")
            if dotted and len(wrongs) == len(rights):
                return None  # P.P. or PP is a matter of style
            return _Verdict("acronym", 0.9) if not shouted or len(wrongs) > 1 else None
        value = max(phonetics.likeness(wrong, right), phonetics.likeness(wrong, phonetics.said_aloud(right)))
        looks = any(text.isupper() for text in wrongs) or not all(map(lexicon.is_common, wrongs))
        needed = _ALIKE_WITH_EVIDENCE if looks else 0.65
        if len(wrongs) == len(rights) == 1 and self._is_acronym(wrongs):
            needed = _ALIKE_ACRONYMS
        return _Verdict("acronym", value) if value >= needed else None

    def with_articles(self, judged: list[tuple[Link, _Verdict | None]]) -> list[tuple[Link, _Verdict | None]]:
        """What changed together with the name after it belongs to the name: an article or a street word
        that got its capital ("ronda sur" -> "Ronda Sur"), one article for another ("Las Ramblas")."""
        heads = lexicon.PLACE_HEADS | lexicon.ORGANIZATION_HEADS
        for n in range(len(judged) - 2, -1, -1):
            (link, verdict), (following, name) = judged[n], judged[n + 1]
            if verdict is not None or name is None or (link.b1, link.a1) != (following.b0, following.a0):
                continue
            written = [t.text for t in self.old[link.b0 : link.b1]]
            rights = [t.text for t in self.new[link.a0 : link.a1]]
            folded = [text.casefold() for text in rights]
            if not folded or self.new[link.a0].initial:
                continue
            same = [text.casefold() for text in written] == folded
            connectors = all(word in lexicon.CONNECTORS for word in folded)
            articles = len(written) == len(rights) == 1 and {written[0], rights[0]} <= _ARTICLES
            if articles or (same and (connectors or all(word in heads for word in folded))):
                judged[n] = (link, name)
        return judged

    def runs(self, judged: Sequence[tuple[Link, _Verdict | None]]) -> list[list[tuple[Link, _Verdict]]]:
        """Names whose changed words stand side by side are one name: "Jhon Peres" -> "John Pérez"."""
        runs: list[list[tuple[Link, _Verdict]]] = []
        for link, verdict in judged:
            if verdict is None:
                continue
            last = runs[-1][-1] if runs else None
            if (
                last is not None
                and "acronym" not in (verdict.kind, last[1].kind)
                and self._one(last[0], link)
            ):
                runs[-1].append((link, verdict))
            else:
                runs.append([(link, verdict)])
        return runs

    def _one(self, left: Link, right: Link) -> bool:
        """Side by side; or, of ordinary words, with a connector between: "once de noviembre"."""
        if (left.b1, left.a1) == (right.b0, right.a0):
            return True
        between = [token.text for token in self.old[left.b1 : right.b0]]
        return (
            between == [token.text for token in self.new[left.a1 : right.a0]]
            and len(between) == 1
            and between[0] in ("de", "del", "en")
            and (
                self._unsafe(left.b0, left.b1)
                or all(lexicon.is_common(token.text) for token in self.new[left.a0 : left.a1])
            )
        )

    def _judge_name(self, link: Link, wrongs: list[str], rights: list[str]) -> _Verdict | None:
        wrong, right = " ".join(wrongs), " ".join(rights)
        heart = [text for text in rights if text.casefold() not in lexicon.CONNECTORS]
        if not heart or not all(has_capital(text) for text in heart):
            return None
        if wrong.casefold() == right.casefold() and not self._restores_capital(wrongs, rights):
            return None
        initial = self.new[link.a0].initial and self.new[link.a0].text == heart[0]
        recased = wrong.casefold() == right.casefold()
        restored = not recased and all(text.islower() for text in wrongs)
        misspelled = all(has_capital(w) and not lexicon.is_common(w) for w in wrongs)
        # "Organico" -> "Orgánico": an accent in an ordinary word is spelling, whatever stands beside it
        accented = not (recased or restored) and letters(wrong) == letters(right)
        accented = accented and all(map(lexicon.is_common, heart))
        evidence = self._evidence(
            link,
            heart,
            initial,
            recased=recased,
            restored=restored,
            misspelled=misspelled and not accented,
            accented=accented,
        )
        if evidence <= 0:
            return None
        value = phonetics.likeness(wrong, right)
        if value < (_ALIKE_WITH_EVIDENCE if evidence >= 2 else _ALIKE):
            return None
        confidence = min(0.99, 0.45 + 0.1 * min(evidence, 3) + 0.25 * value)
        return _Verdict(self._kind(link, rights), confidence, waits=self._two_people(link, wrongs, rights))

    def _two_people(self, link: Link, wrongs: list[str], rights: list[str]) -> bool:
        """Whether one given name was put for another; see :mod:`given_names` for what speaks against it."""
        if not are_given_names(wrongs, rights) or phonetics.one_name("".join(wrongs), "".join(rights)):
            return False
        surname = {word.casefold() for word in rights} <= lexicon.spelled_surnames()
        if surname and self.around.after_given_name(link):
            return False
        return not self.people.says_misheard(wrongs, rights)

    def _evidence(
        self,
        link: Link,
        heart: list[str],
        initial: bool,
        *,
        recased: bool,
        restored: bool,
        misspelled: bool,
        accented: bool,
    ) -> int:
        """Points for being a name; zero or less is no name. ``recased``: nothing but capitals changed;
        ``restored``: letters, and the capital was missing too; ``misspelled``: the old words had their
        capitals and are none of the language; ``accented``: ordinary words that lacked an accent."""
        folded = [text.casefold() for text in heart]
        if self.around.names_institution(link):
            return 2
        if any(word in lexicon.MONTHS_AND_DAYS for word in folded):
            return 2 * self.around.after_head(link, lexicon.PLACE_HEADS, through_connectors=True)
        common = [lexicon.is_common(word) for word in folded]
        listed = sum(lexicon.is_personal_name(word) for word in folded)
        title = self.around.after_title(link)
        place = self.around.after_head(link, lexicon.PLACE_HEADS, through_connectors=True)
        organization = self.around.after_head(link, lexicon.ORGANIZATION_HEADS, through_connectors=False)
        beside = self.around.beside_name(link)
        known = sum(word in self.names or _key(word) in self.rights for word in folded)
        if self.around.recognized(link):
            known += 1
        if any(word in lexicon.PERSON_TITLES for word in folded):
            return 0  # "señor Arcalde" -> "señor Alcalde": an office, not a name
        supported = title or place or organization or beside or known
        if recased and listed and not supported and self.around.after_plain_article(link):
            return 0  # "la cruz" -> "la Cruz": many surnames are things
        office = all(word in lexicon.ADMINISTRATION for word in folded)
        if not initial and not accented and (restored or not office):
            # Part of a longer name; an office, or a capital alone, is less sure of that beyond a "de".
            place = place or self.around.after_article(link)
            far = not (office or recased)
            place = place or self.around.inside_capitals(link, beyond=far)
        if all(common) and self.capitals:
            return 2 * title + 2 * place + 2 * all(word in lexicon.PLACES for word in folded)
        if all(common):
            # An ordinary word with a capital is a name only where its place says so.
            points = (
                2 * (title or (beside and bool(listed or not recased)))
                + 2 * place
                + (organization and not initial)
            )
            points += 2 * (not initial and all(word in lexicon.PLACES for word in folded))
            points += misspelled and not initial and not office and not self.around.of_an_office(link)
            if listed and not initial and (title or beside):
                points += 1
            return points
        if any(common) and not (listed or title or place or beside or organization or known or not initial):
            return 0
        if initial or self.capitals:
            # The capital says nothing here; the word must be unknown to the language and look like a name.
            support = listed + known + title + place + beside + organization
            support += all(word in lexicon.PLACES for word in folded)
            return (
                support if support else int(not any(common) and not self.capitals and self._name_like(folded))
            )
        return 1 + listed + known + title + place + organization + beside

    @staticmethod
    def _name_like(folded: list[str]) -> bool:
        """Opening a sentence: verbs and adverbs unknown to the word list must not pass as names."""
        return not any(
            re.search(r"(mente|ción|ciones|mos|aron|ieron|ando|iendo|aba|aban|rse|rlo|rla|ísim[oa]s?)$", word)
            for word in folded
        )

    def _restores_capital(self, wrongs: list[str], rights: list[str]) -> bool:
        """Only capitals differ: "villaverde" -> "Villaverde" is a fix; "PÉREZ" -> "Pérez" is style, and so
        is "calle" -> "Calle"."""
        heads = lexicon.PLACE_HEADS | lexicon.ORGANIZATION_HEADS
        if all(text.casefold() in heads for text in rights):
            return False
        return all(
            w == r or (w.islower() and not r.islower()) for w, r in zip(wrongs, rights, strict=False)
        ) and len(wrongs) == len(rights)

    # -- form and kind -------------------------------------------------------------------------

    def _is_acronym(self, rights: list[str]) -> bool:
        if self.capitals:
            return False
        hearts = [text for text in rights if text not in ("y", "de")]
        return bool(hearts) and all(_ACRONYM.fullmatch(text) is not None for text in hearts)

    def _kind(self, link: Link, rights: list[str]) -> EntityKind:
        if self._is_acronym(rights):
            return "acronym"
        if self.around.after_head(link, lexicon.PLACE_HEADS, through_connectors=True):
            return "place"
        if self.around.after_title(link):
            return "person"
        if self.around.after_head(link, lexicon.ORGANIZATION_HEADS, through_connectors=True):
            return "organization"
        previous = self.around.before(link.a0)
        if previous is not None and previous.text.casefold() in ("en", "desde", "hasta", "hacia"):
            return "place"
        if any(lexicon.is_personal_name(text) for text in rights) or self.around.beside_name(link):
            return "person"
        return "other"

    def change(self, run: Sequence[tuple[Link, _Verdict]], chunk_id: str | None) -> EntityChange:
        """The dictionary entry of a run, widened until its wrong side is safe to replace anywhere."""
        b0, b1 = run[0][0].b0, run[-1][0].b1
        a0, a1 = run[0][0].a0, run[-1][0].a1
        kinds = [verdict.kind for _, verdict in run]
        confidence = min(verdict.confidence for _, verdict in run)
        if self._unsafe(b0, b1):
            left = b0 > 0 and a0 > 0 and self._same_word(b0 - 1, a0 - 1)
            if left:
                b0, a0 = b0 - 1, a0 - 1
                while (
                    self.old[b0].text.casefold() in lexicon.CONNECTORS
                    and b0 > 0
                    and a0 > 0
                    and b1 - b0 < 6
                    and kinds[0] != "acronym"
                    and self._same_word(b0 - 1, a0 - 1)
                ):
                    b0, a0 = b0 - 1, a0 - 1
            elif b1 < len(self.old) and a1 < len(self.new) and self._same_word(b1, a1):
                b1, a1 = b1 + 1, a1 + 1
            else:
                confidence = min(confidence, 0.4)
        kind: EntityKind = next((k for k in kinds if k != "other"), "other")
        return EntityChange(
            wrong=self._text(self.old, b0, b1, shout=False),
            right=self._text(self.new, a0, a1, shout=self.capitals),
            kind=kind,
            chunk_id=chunk_id,
            confidence=round(confidence, 3),
        )

    def _same_word(self, b: int, a: int) -> bool:
        return self.old[b].is_word and self.old[b].text == self.new[a].text

    def _unsafe(self, b0: int, b1: int) -> bool:
        """Ordinary words, one or two of them; a row of letter names ("pe pe") is no text of its own."""
        written = [t.text for t in self.old[b0:b1]]
        words = [text.casefold() for text in written]
        if len(words) > 2 or (len(words) == 2 and all(w in lexicon.LETTERS for w in words)):
            return False
        lower = all(text.islower() for text in written)
        return all(
            w in lexicon.common_words() or w in lexicon.CONNECTORS or (lower and lexicon.is_inflection(w))
            for w in words
        )

    @staticmethod
    def _text(tokens: list[Token], start: int, end: int, *, shout: bool) -> str:
        pieces: list[str] = []
        for position in range(start, end):
            token = tokens[position]
            text = token.text
            if shout and len(text) > 1:
                text = text.lower() if text.casefold() in lexicon.CONNECTORS else text.capitalize()
            glued = position > start and tokens[position - 1].end == token.start
            pieces.append(text if glued or not pieces else " " + text)
        return "".join(pieces)


def _key(text: str) -> str:
    return " ".join(text.casefold().split())
