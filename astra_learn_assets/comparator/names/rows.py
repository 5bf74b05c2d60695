"""Which judged changes are parts of one name.

:mod:`.entities` judges each change alone. A name of several words says more than they do: the rest of a
body's name is part of it, an article or a particle belongs to the name behind it, and "cambio" in
"ciudadanos por el cambio" to the party. :func:`names` gives the changes of each name together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from astra_learn_assets.comparator.names.bodies import bodies
from astra_learn_assets.comparator.names.breadth import hearts_of, is_ordinary
from astra_learn_assets.comparator.names.dropped import dropped
from astra_learn_assets.comparator.names.extent import is_pair
from astra_learn_assets.comparator.names.phonetics import likeness
from astra_learn_assets.comparator.names.surroundings import Surroundings, has_capital
from astra_learn_assets.comparator.names.word_diff import Link, Token
from astra_learn_assets.contracts import EntityKind
from astra_learn_assets.spanish import lexicon
from astra_learn_assets.spanish.fold import letters

_ARTICLES = frozenset({"El", "La", "Los", "Las"})
_SAINTS = frozenset({"San", "Santa", "Santo", "Sant"})
_JOINTS = frozenset(
    {"de", "del", "la", "las", "los", "el", "les", "l", "d", "do", "da", "dos", "por", "para"}
)
_DESCRIBES = re.compile(r"(al|ar|ari[oa]|iv[oa]|ic[oa]|ble|[aeiuí]d[oa]|or|ora|ista|ante|ente)s?$")
"""Adjectives that say what kind a thing is ("Hospital Comarcal"), not which one."""
_HEADS = lexicon.PLACE_HEADS | lexicon.ORGANIZATION_HEADS


@dataclass(frozen=True)
class Verdict:
    """A change that puts a name right; ``waits``: for what the municipality says of two existing names;
    ``whole``: right only together with the rest of its name."""

    kind: EntityKind
    confidence: float
    waits: bool = False
    whole: bool = False
    body: int | None = None  # which body's name it is part of


Judged = tuple[Link, Verdict | None]
Run = list[tuple[Link, Verdict]]


def names(
    old: Sequence[Token], new: Sequence[Token], judged: Sequence[Judged], around: Surroundings
) -> tuple[list[Run], bool]:
    """The changes of each name, and whether every change is part of one; those that wait are of none."""
    rows = _Rows(old, new, around)
    found = [(link, None if verdict is None or verdict.waits else verdict) for link, verdict in judged]
    if not around.capitals:
        found = rows.with_bodies(found)
    found = rows.with_articles(found)
    found = rows.with_dropped_particles(found)
    if not around.capitals:
        found = rows.with_the_rest(found)
    runs = [run for run in rows.runs(found) if not rows.is_subject(run)]
    return runs, sum(map(len, runs)) == len(found)


class _Rows:
    def __init__(self, old: Sequence[Token], new: Sequence[Token], around: Surroundings) -> None:
        self.old, self.new, self.around = old, new, around

    def _wrongs(self, link: Link) -> list[str]:
        return [token.text for token in self.old[link.b0 : link.b1]]

    def _rights(self, link: Link) -> list[str]:
        return [token.text for token in self.new[link.a0 : link.a1]]

    def _recased(self, link: Link) -> bool:
        """Whether nothing but capitals came."""
        wrongs, rights = self._wrongs(link), self._rights(link)
        return wrongs != rights and [w.casefold() for w in wrongs] == [r.casefold() for r in rights]

    def _respelled(self, link: Link) -> bool:
        """Whether nothing but capitals and the spaces between words changed: "villa nueva", "Villanueva"."""
        wrongs, rights = "".join(self._wrongs(link)), "".join(self._rights(link))
        return wrongs != rights and wrongs.casefold() == rights.casefold()

    # -- bodies --------------------------------------------------------------------------------

    def with_bodies(self, judged: list[Judged]) -> list[Judged]:
        """What lies in the name of a body, law or feast that got its capitals is part of it."""
        for number, body in enumerate(bodies(self.new)):
            inside = [n for n, (link, _) in enumerate(judged) if body.start <= link.a0 < link.a1 <= body.end]
            across = any(
                link.a0 < body.end and body.start < link.a1
                for n, (link, _) in enumerate(judged)
                if n not in inside
            )
            links = [judged[n][0] for n in inside]
            capitals = [link for link in links if self._got_capitals(link)]
            # of a law or a feast the head alone is no name: "Día del libro"
            rest = body.kind == "organization" or any(link.a0 > body.start for link in capitals)
            if across or not capitals or not rest or not all(map(self._heard_alike, links)):
                continue
            first = capitals[0].a0 == body.start and capitals[0].a1 - capitals[0].a0 == 1
            head_alone = first or is_ordinary([word for link in capitals for word in self._wrongs(link)])
            head_alone = head_alone and len(capitals) == 1
            for n in inside:
                link, verdict = judged[n]
                # what was only misspelt is an entry of its own, unless the rest is none without it
                acronym = verdict is not None and verdict.kind == "acronym"
                if not acronym and (verdict is None or link in capitals or head_alone):
                    judged[n] = (link, Verdict(body.kind, 0.9, body=number))
        return judged

    def _got_capitals(self, link: Link) -> bool:
        return any(map(str.islower, self._wrongs(link))) and all(map(has_capital, self._rights(link)))

    def _heard_alike(self, link: Link) -> bool:
        wrong, right = "".join(self._wrongs(link)), "".join(self._rights(link))
        return bool(wrong) and likeness(wrong, right) >= 0.6

    # -- what belongs to the name behind it ----------------------------------------------------

    def with_articles(self, judged: list[Judged]) -> list[Judged]:
        """What changed together with the name after it belongs to the name: an article, a particle, a
        saint's title or a street word that got its capital ("ronda sur" -> "Ronda Sur"), one article for
        another ("Las Ramblas"). Alone it belongs to the name that did not change ("el Escorial")."""
        for n in range(len(judged) - 1, -1, -1):
            link, verdict = judged[n]
            rights = self._rights(link)
            folded = [text.casefold() for text in rights]
            if verdict is not None or not folded or self.new[link.a0].initial:
                continue
            same = [text.casefold() for text in self._wrongs(link)] == folded
            connectors = all(word in lexicon.CONNECTORS for word in folded)
            if connectors and not same and self._joined(link):
                behind = judged[n + 1] if n + 1 < len(judged) else None
                changed = behind is not None and (behind[0].b0, behind[0].a0) == (link.b1, link.a1)
                verdict_behind = behind[1] if behind is not None and changed else None
                judged[n] = (link, verdict_behind) if verdict_behind else self._of_an_unchanged_name(link)
                continue
            articles = link.b1 - link.b0 == len(rights) == 1 and {*self._wrongs(link), *rights} <= _ARTICLES
            if not (articles or (same and (connectors or self._announces(link, folded)))):
                continue
            following = judged[n + 1] if n + 1 < len(judged) else None
            between = self._rights(Link(0, 0, link.a1, following[0].a0)) if following is not None else []
            if (
                following is not None
                and following[1] is not None
                and following[0].b0 - link.b1 == len(between)
                and all(word in lexicon.CONNECTORS for word in between)
                and (connectors or not between or self._recased(following[0]))
            ):
                judged[n] = (link, following[1])
            elif connectors and same and all(map(has_capital, rights)):
                judged[n] = self._of_an_unchanged_name(link)
        return judged

    def with_dropped_particles(self, judged: list[Judged]) -> list[Judged]:
        """A particle or article alone that came into a name or went out of it, with its neighbours."""
        for n, (link, verdict) in enumerate(judged):
            if verdict is None and (found := dropped(self.old, self.new, link, self.around)) is not None:
                wider, kind = found
                taken = n and judged[n - 1][0].b1 > wider.b0
                judged[n] = judged[n] if taken else (wider, Verdict(kind, 0.8))
        return judged

    def _announces(self, link: Link, folded: Sequence[str]) -> bool:
        """Heads of places and bodies; a title in a street's name ("calle doctor Fleming")."""
        if all(word in _HEADS for word in folded):
            return True
        return all(word in lexicon.PERSON_TITLES for word in folded) and self.around.after_head(
            link, _HEADS, through_connectors=True
        )

    def _joined(self, link: Link) -> bool:
        """Particles that were heard as one word, or one as two: "Delos", "Dela"."""
        wrong, right = letters("".join(self._wrongs(link))), letters("".join(self._rights(link)))
        return bool(wrong) and wrong == right and link.b1 - link.b0 != link.a1 - link.a0

    def _of_an_unchanged_name(self, link: Link) -> Judged:
        """An article or particle that alone changed, with the name behind it."""
        end = link.a1
        while end < len(self.new) and self.new[end].text in ("la", "los", "las", "el"):
            end += 1
        name = self.new[end] if end < len(self.new) else None
        if self.around.capitals or name is None or not name.is_word or not name.text[0].isupper():
            return link, None
        was = link.b1 + end - link.a1
        if was >= len(self.old) or self.old[was].text.casefold() != name.text.casefold():
            return link, None  # "El Plan" -> "El Bosque" is no article put right
        word = name.text.casefold()
        if word in lexicon.PERSON_TITLES or word in lexicon.ADMINISTRATION or word in lexicon.PLAIN_SUBJECTS:
            return link, None
        first = self.new[link.a0].text
        person = first.casefold() in (
            "de",
            "del",
            "la",
            "van",
            "von",
            "der",
            "di",
            "da",
        ) and self.around.in_surnames_place(link)
        if not person and first not in _ARTICLES | _SAINTS:
            return link, None
        more = end + 1 - link.a1
        wider = Link(link.b0, link.b1 + more, link.a0, link.a1 + more)
        return wider, Verdict("person" if person else "place", 0.8)

    # -- the rest of a row of capitals ---------------------------------------------------------

    def with_the_rest(self, judged: list[Judged]) -> list[Judged]:
        """A word that got its capital in one row with a name that did belongs to that name."""
        for step in (1, -1):
            order = range(len(judged)) if step == 1 else range(len(judged) - 1, -1, -1)
            for n in order:
                link, verdict = judged[n]
                beside = judged[n - step] if 0 <= n - step < len(judged) else None
                if (
                    verdict is None
                    and beside is not None
                    and beside[1] is not None
                    and beside[1].kind != "acronym"
                    and self._recased(link)
                    and self._got_capitals(link)
                    and self._of_one_row(beside[0], link)
                    and self._may_join(link, beside, behind=step == 1)
                ):
                    judged[n] = (link, beside[1])
        return judged

    def _may_join(self, link: Link, beside: Judged, *, behind: bool) -> bool:
        words = [text.casefold() for text in self._rights(link)]
        if all(word in lexicon.CONNECTORS for word in words):
            return False
        first, last = sorted((link, beside[0]))
        between = self._wrongs(Link(first.b1, last.b0, 0, 0))
        if any(word in lexicon.MONTHS_AND_DAYS for word in words):
            return not between  # "Julio Romero", "Consultores Abril"
        if self.new[link.a0].initial:
            return all(map(lexicon.is_personal_name, words))
        if behind or between == ["y"]:
            return True
        return not any(
            word in lexicon.PLAIN_SUBJECTS or word in lexicon.PERSON_TITLES or word in lexicon.ADMINISTRATION
            for word in words
        )

    def _of_one_row(self, one: Link, other: Link) -> bool:
        """Side by side, or with "de", "del", "por" and articles between, the same in both; of ordinary words
        with "en" or "y" too."""
        first, last = sorted((one, other))
        between = self._wrongs(Link(first.b1, last.b0, 0, 0))
        if between != self._rights(Link(0, 0, first.a1, last.a0)):
            return False
        ordinary = all(map(lexicon.is_common, (*self._rights(first), *self._rights(last))))
        if ordinary and between in (["en"], ["y"]):  # "Familias en Acción"
            return True
        return all(word in _JOINTS or word in ("san", "santa") for word in between)

    # -- together ------------------------------------------------------------------------------

    def runs(self, judged: Sequence[Judged]) -> list[Run]:
        """Names whose changed words stand side by side are one name: "Jhon Peres" -> "John Pérez"."""
        runs: list[Run] = []
        for link, verdict in judged:
            if verdict is None:
                continue
            if runs and self._one(runs[-1][-1], (link, verdict)):
                runs[-1].append((link, verdict))
            else:
                runs.append([(link, verdict)])
        return runs

    def _one(self, left: tuple[Link, Verdict], right: tuple[Link, Verdict]) -> bool:
        """Of one body; side by side; capitals of one row; or, of ordinary words, with a connector between:
        "once de noviembre"."""
        (one, verdict), (other, next_verdict) = left, right
        if verdict.body is not None or next_verdict.body is not None:
            return verdict.body == next_verdict.body
        adjacent = (one.b1, one.a1) == (other.b0, other.a0)
        if "acronym" in (verdict.kind, next_verdict.kind):
            # "cadena ser" -> "Cadena SER": the head got its capital with letters that alone are a word
            plain = is_ordinary(self._wrongs(other)) and self._recased(one) and self._recased(other)
            return adjacent and plain and not self._rights(one)[-1].isupper()
        if adjacent:
            return True
        between = self._wrongs(Link(one.b1, other.b0, 0, 0))
        if between != self._rights(Link(0, 0, one.a1, other.a0)):
            return False
        if len(between) == 1 and is_pair(self.new[one.a1 - 1].text, between[0], self.new[other.a0].text):
            return True
        if self._respelled(one) and self._respelled(other) and self._of_one_row(one, other):
            return True
        if all(word.casefold() in lexicon.CONNECTORS for word in (*self._rights(one), *between)):
            return True
        return (
            len(between) == 1
            and between[0] in ("de", "del", "en")
            and (is_ordinary(self._wrongs(one)) or all(map(lexicon.is_common, self._rights(one))))
        )

    def is_subject(self, run: Run) -> bool:
        """What a town hall speaks of, with capitals for once: "Servicios Sociales", "Agua Potable"."""
        if not all(self._recased(link) and verdict.body is None for link, verdict in run):
            return False
        if run[0][1].kind == "acronym":
            return False
        words = [text for link, _ in run for text in self._rights(link)]
        hearts = [word.casefold() for word in hearts_of(words)]
        if not hearts:
            return False
        if hearts[0] in _HEADS:  # "Estación de Autobuses"
            return len(hearts) > 1 and lexicon.PLAIN_SUBJECTS.issuperset(hearts[1:])
        first = run[0][0]
        if self.around.after_head(first, _HEADS, through_connectors=True) or self.around.after_title(first):
            return False
        if not all(word in lexicon.PLAIN_SUBJECTS or lexicon.is_common(word) for word in hearts):
            return False
        return hearts[0] in lexicon.PLAIN_SUBJECTS or (
            len(hearts) == 2
            and _DESCRIBES.search(hearts[1]) is not None
            and not self.around.after_event(first)
        )
