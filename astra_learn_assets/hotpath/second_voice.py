"""A name fix that contradicts what is known waits until somebody else says the same.

A fix is live for a whole municipality within seconds, so one account could rename its councillors. Eight
kinds are not believed of one voice:

* *roster*: what the wrong side loses are names of somebody on a roster, which the municipality itself has
  told: every mention of that person would become another's;
* *entry*: another author has said within :data:`RECENT` what is right for the same wrong form, or that this
  wrong form is the right one of another;
* *written*: every word that the wrong side loses stands in finals of other authors or on a roster, and what
  the right side brings does not;
* *swapped*: both stand there, and do not sound alike: one of two names for the other;
* *near*: what the right side brings stands nowhere there, and sounds nearly like a word that does: the name
  is put right to something that is not quite the name;
* *spelling*: what the wrong side loses are names as the shipped lists spell them, and what the right side
  brings is none, nor written here: "Mejía" to "Meejía". Some families do spell theirs otherwise (3 of 100
  true fixes of the labelled sentences), so this is asked only where others write too;
* *no mishearing*: the change is none that a recognizer makes (:mod:`no_mishearing`); asked there too;
* *new, of one who is often alone*: at least :data:`OFTEN` fixes of this author wait that nobody has
  confirmed, and they are :data:`SHARE` or more of all that the author has brought first. Who contradicts a
  town so often is not believed about names that nobody else here has written either.

A second voice is another author's final of another session that says the very same. Its own later finals are
no second voice, however many; nor is what the author itself said before: that it may change alone. What
contradicts nothing goes live at once, which is most of what clerks put right. A person can add an entry by
hand, or put the name on the roster. What was said when nobody else had written anything yet is asked for
again (:mod:`second_look`).

Pure: what is known is given.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rapidfuzz import process
from rapidfuzz.distance import OSA

from astra_learn_assets.comparator.names.phonetics import nearness
from astra_learn_assets.contracts import DictionaryEntry
from astra_learn_assets.hotpath import no_mishearing
from astra_learn_assets.hotpath.summary import LiveEntity
from astra_learn_assets.hotpath.written_names import SHORTEST, words_of
from astra_learn_assets.spanish import lexicon
from astra_learn_assets.spanish.fold import entry_key, fix_keys, letters

RECENT = timedelta(days=90)
ROSTER, ENTRY = "contradicts_roster", "contradicts_entry"
WRITTEN, SWAPPED, NEAR = "contradicts_finals", "swaps_known_names", "near_a_known_name"
SPELLING, NEW = "leaves_a_known_spelling", "new_here_and_its_author_is_often_alone"
OFTEN, SHARE = 3, 0.4  # of the labelled sentences' true entries 6 of 100 would wait
_ALIKE = 0.75  # of phonetics.nearness: what the recognizer takes for one another is nearer
_LETTERS_SHARED = 0.5


@dataclass(frozen=True)
class Voice:
    """What an earlier final left waiting, and who sent it."""

    wrong: str
    right: str
    author: str


@dataclass(frozen=True)
class Divided:
    """What goes live, and what waits for which reason."""

    live: tuple[LiveEntity, ...]
    waiting: tuple[tuple[LiveEntity, str], ...]


def divide(
    changes: Sequence[LiveEntity],
    *,
    roster: Iterable[str],
    entries: Mapping[str, DictionaryEntry],
    voices: Collection[Voice],
    doubts: Mapping[LiveEntity, str],
    author: str,
    brought: int,
    now: datetime,
) -> Divided:
    """Divide the name fixes of one final.

    ``roster``: full names. ``entries``: the dictionary by :func:`entry_key` of the wrong form, as far as
    ``changes`` and the author's ``voices`` ask for it. ``voices``: what finals of other sessions left
    waiting. ``doubts``: of :func:`doubts`. ``author``: who sent this one; ``brought``: how many of the
    entries that are live this author made.
    """
    names = {word for name in roster for word in _words(name)}
    rights: dict[str, list[DictionaryEntry]] = {}
    for entry in entries.values():
        rights.setdefault(entry_key(entry.right), []).append(entry)
    seconded = {fix_keys(one.wrong, one.right) for one in voices if one.author != author}
    own = {fix_keys(one.wrong, one.right) for one in voices if one.author == author}
    alone = len(own - seconded - {(wrong, entry_key(entry.right)) for wrong, entry in entries.items()})
    believed = alone < max(OFTEN, SHARE * (alone + brought))
    live: list[LiveEntity] = []
    waiting: list[tuple[LiveEntity, str]] = []
    for change in changes:
        wrong, right = fix_keys(change.wrong, change.right)
        reason = None
        if _takes_from_roster(change, names):
            reason = ROSTER
        elif any(
            entry.author != author and now - entry.created_at < RECENT and entry_key(entry.right) != right
            for entry in (*([entries[wrong]] if wrong in entries else []), *rights.get(wrong, ()))
        ):
            reason = ENTRY
        else:
            reason = doubts.get(change)
            if reason == NEW and believed:
                reason = None
        if reason is None or (wrong, right) in seconded:
            live.append(change)
        else:
            waiting.append((change, reason))
    return Divided(tuple(live), tuple(waiting))


def _takes_from_roster(change: LiveEntity, names: Collection[str]) -> bool:
    wrong, right = _words(change.wrong), _words(change.right)
    lost = [word for word in wrong if word not in right]
    return bool(lost) and all(word in names for word in lost)


def doubts(
    changes: Sequence[LiveEntity], *, roster: Iterable[str], written: Collection[str]
) -> dict[LiveEntity, str]:
    """Which fixes go against what is written here, and why: needs no dictionary, so nobody waits for it.

    ``written``: the words of names in finals of other authors (:mod:`written_names`). Capitals do not count,
    as in the dictionary: "ALAMEDA" is what the others write as "Alameda". :data:`NEW` is a doubt only about
    an author who is often alone: :func:`divide` knows.
    """
    known = {entry_key(word) for name in roster for word in words_of(name)} | set(map(entry_key, written))
    found: dict[LiveEntity, str] = {}
    for change in changes:
        reason = doubt(change, known, others_write=bool(written))
        if reason is not None:
            found[change] = reason
    return found


def warm() -> None:
    """Read the lists of words now, which the first upload of a process would wait for: 55 to 80 ms."""
    doubts([LiveEntity(wrong="Ramires", right="Ramírez", kind="person")], roster=(), written=("Ruiz",))


def doubt(change: LiveEntity, known: Collection[str], *, others_write: bool) -> str | None:
    """The doubt about one fix. ``known``: the words that are written here or on a roster, by
    :func:`entry_key`; ``others_write``: whether any are written."""
    wrong, right = ([entry_key(word) for word in words_of(side)] for side in (change.wrong, change.right))
    lost = [word for word in wrong if word not in right]
    gained = [word for word in right if word not in wrong]
    new = [word for word in gained if word not in known]
    if lost and all(word in known for word in lost):
        if new or not gained:
            return WRITTEN
        if nearness(" ".join(lost), " ".join(gained)) < _ALIKE:
            return SWAPPED
    if any(_resembles(word, known) for word in new):
        return NEAR
    if not others_write:
        return None
    listed = lexicon.is_personal_name
    if lost and all(map(listed, lost)) and not all(map(listed, new)):
        return SPELLING
    unlike = no_mishearing.reason(lost, gained) if change.kind != "acronym" else None
    return unlike or (NEW if new else None)


def _resembles(word: str, known: Collection[str]) -> bool:
    """Whether it sounds nearly like one of ``known``; only those that share half its letters are heard."""
    spelled = process.extract_iter(
        word, known, scorer=OSA.normalized_similarity, score_cutoff=_LETTERS_SHARED
    )
    return any(nearness(word, other) >= _ALIKE for other, _, _ in spelled)


def _words(name: str) -> list[str]:
    words = (letters(word) for word in name.replace(",", " ").split())
    return [word for word in words if len(word) >= SHORTEST]
