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
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from astra_learn_assets.comparator.names import phonetics
from astra_learn_assets.comparator.names.breadth import is_plain, too_broad
from astra_learn_assets.comparator.names.extent import extent, is_adrift, name_beside
from astra_learn_assets.comparator.names.given_names import (
    NOBODY_KNOWN,
    KnownPeople,
    are_names,
    exists,
    is_short_form,
)
from astra_learn_assets.comparator.names.rows import Verdict
from astra_learn_assets.comparator.names.rows import names as names_of
from astra_learn_assets.comparator.names.surroundings import Recognizer, Surroundings, has_capital
from astra_learn_assets.comparator.names.word_diff import (
    Difference,
    Link,
    Token,
    difference,
    is_written_out,
)
from astra_learn_assets.contracts import EntityChange, EntityKind
from astra_learn_assets.spanish import lexicon
from astra_learn_assets.spanish.fold import fold_chars, letters

_ACRONYM = re.compile(
    r"(?=.*[A-ZÁÉÍÓÚÜÑ].*[A-ZÁÉÍÓÚÜÑ])[A-ZÁÉÍÓÚÜÑ0-9+&/.·\-]{2,12}|[A-ZÑ]{2,8}s?|[A-Z]+[a-z]?[A-Z]+"
)
_ROMAN = re.compile(r"(?=[MDCLXVI])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_ALIKE, _ALIKE_WITH_EVIDENCE = 0.55, 0.5
_ALIKE_PLAIN = 0.75  # an ordinary word in small letters for a name
_ALIKE_WORDS = 0.7  # one ordinary word for another
_ALIKE_ADRIFT = 0.7  # where no word beside it stayed: the sentence was written anew
_ALIKE_SHORT_ACRONYMS = 0.8  # of three letters the one that differs must sound nearly the same
_ALIKE_ACRONYMS = 0.65  # one for another: "IBI" is not "ICIO"


@dataclass(frozen=True)
class Judgement:
    """``changes``: the names put right. ``only_entities``: the two texts differ in nothing else.

    ``waiting``: one existing name for another; content, until roster or a second correction say otherwise.
    ``too_broad``: names put right that no dictionary may replace everywhere, and why; a correction of the
    sentence like any other.
    """

    changes: tuple[EntityChange, ...]
    only_entities: bool
    waiting: tuple[EntityChange, ...] = ()
    too_broad: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spellings:
    """A tenant's dictionary as :func:`judge` asks it: made once a comparison, for both may be long."""

    right_of: Mapping[str, str]
    rights: Collection[str]

    @classmethod
    def of(cls, dictionary: Mapping[str, str]) -> Self:
        """Of wrong -> right, whatever the capitals."""
        right_of = {_key(wrong): _key(right) for wrong, right in dictionary.items()}
        return cls(right_of, frozenset(right_of.values()))


NO_SPELLINGS = Spellings({}, frozenset())


def judge(
    before: str,
    after: str,
    *,
    chunk_id: str | None = None,
    spellings: Spellings = NO_SPELLINGS,
    names: frozenset[str] = frozenset(),
    people: KnownPeople = NOBODY_KNOWN,
    recognize: Recognizer | None = None,
    found: Difference | None = None,
) -> Judgement:
    """Compare the two texts of one block; ``found`` is their difference if it is known already.

    ``spellings`` is the tenant's dictionary; ``names`` are words (folded) that the final writes with a
    capital inside sentences elsewhere; ``people`` is what the tenant told of given names.
    """
    old, new, changed = found or difference(before, after)
    scene = _Scene(after, old, new, spellings, names, people, recognize)
    verdicts = [(link, scene.judge(link)) for link in changed]
    runs, all_names = names_of(old, new, verdicts, scene.around)
    entries = [scene.change(run, chunk_id) for run in runs]
    refused = [too_broad(entry) for entry in entries]
    waiting = [(link, verdict) for link, verdict in verdicts if verdict is not None and verdict.waits]
    return Judgement(
        tuple(entry for entry, reason in zip(entries, refused, strict=True) if reason is None),
        bool(entries) and all_names and not any(refused),
        tuple(scene.change([one], chunk_id) for one in waiting),
        tuple(reason for reason in refused if reason is not None),
    )


class _Scene:
    """One pair of texts, and what is known around each change."""

    def __init__(
        self,
        after: str,
        old: list[Token],
        new: list[Token],
        spellings: Spellings,
        names: frozenset[str],
        people: KnownPeople,
        recognize: Recognizer | None,
    ) -> None:
        self.old, self.new = old, new
        self.spellings, self.names, self.people = spellings, names, people
        letters = sum(map(str.isalpha, after))
        self.capitals = letters > 3 and sum(map(str.isupper, after)) > 0.7 * letters
        self.around = Surroundings(after, new, capitals=self.capitals, recognize=recognize)

    # -- the judgement -------------------------------------------------------------------------

    def judge(self, link: Link) -> Verdict | None:
        """The kind of name that ``link`` puts right, or None for any other change."""
        wrongs = [t.text for t in self.old[link.b0 : link.b1]]
        rights = [t.text for t in self.new[link.a0 : link.a1]]
        wrong, right = " ".join(wrongs), " ".join(rights)
        if not wrongs or not rights or not all(text[0].isalpha() for text in (*wrongs, *rights)):
            return None
        if any(c.isdigit() for c in wrong + right):
            return None
        if self.spellings.right_of.get(_key(wrong)) == _key(right):
            return Verdict(self._kind(link, rights), 1.0)
        if all(_ROMAN.fullmatch(text) for text in rights) and not self.capitals and len(right) < 6:
            return None
        if all(_key(text) in lexicon.CONNECTORS for text in rights):
            return None
        if self._is_acronym(rights):
            return self._judge_acronym(link, wrongs, rights)
        return self._judge_name(link, wrongs, rights)

    def _judge_acronym(self, link: Link, wrongs: list[str], rights: list[str]) -> Verdict | None:
        right = letters("".join(rights))
        wrong = letters("".join(wrongs))
        if phonetics.spelled(tuple(wrongs)) == right or wrong == phonetics.said_aloud(right):
            return Verdict("acronym", 0.95)
        if wrong == right:
            if lexicon.is_common(right) and len(right) > 3 and not self.around.stands_as_name(link.a0):
                return None  # a heading in capitals
            shouted = all(text.isupper() for text in wrongs) and "." not in "".join(wrongs)
            dotted = "".join(wrongs).casefold().replace(".", "") == "".join(rights).casefold().replace(
                ".", ""
            )
            dotted = dotted and ("." in "".join(wrongs) or "".join(wrongs) == "".join(rights))
            if dotted and len(wrongs) == len(rights):
                return None  # P.P. or PP is a matter of style
            return Verdict("acronym", 0.9) if not shouted or len(wrongs) > 1 else None
        value = max(phonetics.likeness(wrong, right), phonetics.likeness(wrong, phonetics.said_aloud(right)))
        looks = any(text.isupper() for text in wrongs) or not all(map(lexicon.is_common, wrongs))
        needed = _ALIKE_WITH_EVIDENCE if looks else 0.65
        if len(wrongs) == len(rights) == 1 and self._is_acronym(wrongs):
            needed = _ALIKE_ACRONYMS
            if abs(len(wrong) - len(right)) > 1 and (wrong.startswith(right) or right.startswith(wrong)):
                return None  # "SENASA" is no SENA
            if max(len(wrong), len(right)) <= 3 and sorted(wrong) != sorted(right):
                value, needed = phonetics.nearness(wrong, right), _ALIKE_SHORT_ACRONYMS
                if _vowels(wrong) != _vowels(right):
                    return None  # the ear knows the vowels of "EPS" and "IPS": their names are their sounds
        if is_adrift(self.old, self.new, link):
            needed = max(needed, _ALIKE_ADRIFT)
        return Verdict("acronym", value) if value >= needed else None

    def _judge_name(self, link: Link, wrongs: list[str], rights: list[str]) -> Verdict | None:
        wrong, right = " ".join(wrongs), " ".join(rights)
        heart = [
            text
            for text, previous in zip(rights, ["", *rights], strict=False)
            if text.casefold() not in lexicon.CONNECTORS
            and not (text == "den" and previous in ("Van", "van"))
        ]
        if not heart or not all(has_capital(text) for text in heart):
            return None
        if wrong.casefold() == right.casefold() and not self._restores_capital(
            wrongs, rights, whole=self.around.in_surnames_place(link) or self.around.ends_a_name(link)
        ):
            return None
        initial = self.new[link.a0].initial and self.new[link.a0].text == heart[0]
        recased = wrong.casefold() == right.casefold()
        restored = not recased and all(text.islower() for text in wrongs)
        misspelled = all(has_capital(w) and not lexicon.is_common(w) for w in wrongs)
        # "Organico" -> "Orgánico": an accent in an ordinary word is spelling, whatever stands beside it
        accented = not (recased or restored) and letters(wrong) == letters(right)
        accented = accented and all(map(lexicon.is_common, heart))
        if len(wrongs) > 1 == len(rights) and self._joins_a_word(wrongs):
            return None  # "que Mario" is no Quemario
        if is_written_out(self.old, self.new, link):
            return None
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
        value = phonetics.heard(wrong, right)
        if value < (_ALIKE_WITH_EVIDENCE if evidence >= 2 else _ALIKE):
            return None
        if value < _ALIKE_ADRIFT and is_adrift(self.old, self.new, link):
            return None
        words = not recased and all(map(lexicon.is_common, (*wrongs, *rights)))
        if words and phonetics.likeness(wrong, right) < _ALIKE_WORDS:
            return None  # "Mayor" is no "Menor"
        known = len(wrongs) == 1 and exists(wrong) and not phonetics.one_name(wrong, right)
        if known and not recased and value < _ALIKE_WORDS:
            return None  # "López" was heard well, and "Lopera" is somebody else
        if restored and value < _ALIKE_PLAIN and all(map(is_plain, wrongs)):
            return None  # "quien" is no Quiñones
        if is_short_form(wrong, right):
            return None
        confidence = min(0.99, 0.45 + 0.1 * min(evidence, 3) + 0.25 * value)
        kind = self._kind(link, rights)
        if not self._two_people(link, wrongs, rights):
            return Verdict(kind, confidence)
        # what is named after somebody is that one's whole name: no other José Mari Pando is meant
        whole = kind == "place" and name_beside(self.old, self.new, link)
        return Verdict(kind, confidence, waits=not whole, whole=whole)

    def _parted(self, link: Link) -> bool:
        """What was written as one word that is none, or the other way round: "vialsur" -> "Vial Sur"."""
        wrongs = [t.text for t in self.old[link.b0 : link.b1]]
        rights = [t.text for t in self.new[link.a0 : link.a1]]
        return (
            len(wrongs) != len(rights)
            and letters("".join(wrongs)) == letters("".join(rights))
            and not all(map(is_plain, wrongs))
            and not lexicon.PLAIN_SUBJECTS.issuperset(text.casefold() for text in rights)
        )

    @staticmethod
    def _is_listed(word: str) -> bool:
        """A well-known place or body."""
        return word in lexicon.PLACES or fold_chars(word) in lexicon.organisation_words()

    def _two_people(self, link: Link, wrongs: list[str], rights: list[str]) -> bool:
        """Whether one name was put for another; see :mod:`given_names` for what speaks against it."""
        if not are_names(wrongs, rights) or phonetics.one_name("".join(wrongs), "".join(rights)):
            return False
        surname = {word.casefold() for word in rights} <= lexicon.spelled_surnames()
        known = {word.casefold() for word in wrongs} <= lexicon.spelled_surnames()
        if surname and not known and self.around.after_given_name(link):
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
            heads = lexicon.PLACE_HEADS | lexicon.FACILITIES
            return 2 * self.around.after_head(link, heads, through_connectors=True)
        common = [lexicon.is_common(word) for word in folded]
        listed = sum(lexicon.is_personal_name(word) for word in folded)
        title = self.around.after_title(link)
        place = self.around.after_head(link, lexicon.PLACE_HEADS, through_connectors=True)
        place = place or (not initial and not accented and self.around.after_article(link))
        organization = self.around.after_head(link, lexicon.ORGANIZATION_HEADS, through_connectors=False)
        named_after = self.around.after_event(link) or self.around.after_facility(link)
        organization = organization or (named_after and not initial)
        if recased and not initial and lexicon.SOLE_BODIES.issuperset(folded):
            return 2
        beside = self.around.beside_name(link)
        known = sum(word in self.names or _key(word) in self.spellings.rights for word in folded)
        if self.around.recognized(link):
            known += 1
        if any(word in lexicon.PERSON_TITLES or word in lexicon.ABBREVIATIONS for word in folded):
            return 0  # "señor Arcalde" -> "señor Alcalde", "Ecmo." -> "Excmo.": an office, not a name
        supported = title or place or organization or beside or known
        if recased and listed and not supported and self.around.after_plain_article(link):
            return 0  # "la cruz" -> "la Cruz": many surnames are things
        office = all(word in lexicon.ADMINISTRATION for word in folded)
        subject = all(word in lexicon.PLAIN_SUBJECTS for word in folded)
        by_title = title and not place and not self.around.after_given_name(link)
        if subject and not (initial or known) and (by_title or self.around.of_an_office(link)):
            return 0  # "concejala de hacienda" -> "concejala de Hacienda", "director General"
        if not initial and not accented and (restored or not office):
            # Part of a longer name; an office, or a capital alone, is less sure of that beyond a "de".
            far = not (office or recased)
            place = place or self.around.inside_capitals(link, beyond=far)
        if all(common) and self.capitals:
            return 2 * title + 2 * place + 2 * all(word in lexicon.PLACES for word in folded)
        if all(common):
            # An ordinary word with a capital is a name only where its place says so. What opens a sentence
            # before a name is mostly its verb: "Espuso Cano" -> "Expuso Cano".
            points = (
                2 * (title or (beside and bool(listed or not (recased or initial))))
                + 2 * place
                + (organization and not initial)
            )
            points += 2 * (not initial and all(map(self._is_listed, folded)))
            points += 2 * (recased and self.around.after_noble_particle(link))
            points += 2 * (restored and not initial and self._parted(link))
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
    def _joins_a_word(wrongs: list[str]) -> bool:
        """A short word of the language beside an existing name: two things, however they sound together."""
        short = (w.islower() and len(w) < 4 and w not in lexicon.CONNECTORS for w in wrongs)
        frequent = [
            one and fold_chars(w) in lexicon.frequent_words() for one, w in zip(short, wrongs, strict=True)
        ]
        return any(frequent) and any(
            exists(w) and not w.islower() and not plain for w, plain in zip(wrongs, frequent, strict=True)
        )

    @staticmethod
    def _name_like(folded: list[str]) -> bool:
        """Opening a sentence: verbs and adverbs unknown to the word list must not pass as names."""
        return not any(
            re.search(r"(mente|ción|ciones|mos|aron|ieron|ando|iendo|aba|aban|rse|rlo|rla|ísim[oa]s?)$", word)
            for word in folded
        )

    @staticmethod
    def _restores_capital(wrongs: list[str], rights: list[str], *, whole: bool) -> bool:
        """Only capitals differ: "villaverde" -> "Villaverde" is a fix; "PÉREZ" -> "Pérez" is style, and so
        is "calle" -> "Calle" where it is no surname and ends no name ("Mercado Central"): ``whole``."""
        heads = lexicon.PLACE_HEADS | lexicon.ORGANIZATION_HEADS
        if all(text.casefold() in heads for text in rights) and not whole:
            return False
        return all(
            w == r or (w.islower() and not r.islower()) or (w.istitle() and not r.isupper())
            for w, r in zip(wrongs, rights, strict=False)
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

    def change(self, run: Sequence[tuple[Link, Verdict]], chunk_id: str | None) -> EntityChange:
        """The dictionary entry of a run, widened until its wrong side is safe to replace anywhere."""
        kinds = [verdict.kind for _, verdict in run]
        first, last = run[0][0], run[-1][0]
        b0, b1, a0, a1 = extent(
            self.old,
            self.new,
            first,
            last,
            acronym=kinds[0] == "acronym",
            whole=any(verdict.whole for _, verdict in run),
        )
        kind: EntityKind = next((k for k in kinds if k != "other"), "other")
        return EntityChange(
            wrong=self._text(self.old, b0, b1, shout=False),
            right=self._text(self.new, a0, a1, shout=self.capitals),
            kind=kind,
            chunk_id=chunk_id,
            confidence=round(min(verdict.confidence for _, verdict in run), 3),
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


def _vowels(word: str) -> list[str]:
    return [sign for sign in word if sign in "aeiou"]


def _key(text: str) -> str:
    return " ".join(text.casefold().split())
