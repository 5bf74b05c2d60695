"""A name fix that contradicts what is known waits until somebody else says the same.

A fix is live for a whole municipality within seconds, so one account could rename its councillors. Two kinds
are not believed of one voice:

* *roster*: what the wrong side loses are names of somebody on a roster, which the municipality itself has
  told: every mention of that person would become another's;
* *entry*: another author has said within :data:`RECENT` what is right for the same wrong form, or that this
  wrong form is the right one of another.

A second voice is another author's final of another session that says the very same. Its own later finals are
no second voice, however many; nor is what the author itself said before: that it may change alone. What
contradicts nothing goes live at once, which is most of what clerks put right. A person can add an entry by
hand, or put the name on the roster.

Pure: what is known is given.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from astra_learn_assets.contracts import DictionaryEntry
from astra_learn_assets.hotpath.summary import LiveEntity
from astra_learn_assets.spanish.fold import entry_key, letters

RECENT = timedelta(days=90)
ROSTER, ENTRY = "contradicts_roster", "contradicts_entry"
_SHORTEST = 3  # letters: "de" and "la" stand in many names


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
    author: str,
    now: datetime,
) -> Divided:
    """Divide the name fixes of one final.

    ``roster``: full names. ``entries``: the dictionary by :func:`entry_key` of the wrong form. ``voices``:
    what finals of other sessions left waiting. ``author``: who sent this final.
    """
    names = {word for name in roster for word in _words(name)}
    rights: dict[str, list[DictionaryEntry]] = {}
    for entry in entries.values():
        rights.setdefault(entry_key(entry.right), []).append(entry)
    seconded = {(entry_key(one.wrong), entry_key(one.right)) for one in voices if one.author != author}
    live: list[LiveEntity] = []
    waiting: list[tuple[LiveEntity, str]] = []
    for change in changes:
        wrong, right = entry_key(change.wrong), entry_key(change.right)
        reason = None
        if _takes_from_roster(change, names):
            reason = ROSTER
        elif any(
            entry.author != author and now - entry.created_at < RECENT and entry_key(entry.right) != right
            for entry in (*([entries[wrong]] if wrong in entries else []), *rights.get(wrong, ()))
        ):
            reason = ENTRY
        if reason is None or (wrong, right) in seconded:
            live.append(change)
        else:
            waiting.append((change, reason))
    return Divided(tuple(live), tuple(waiting))


def _takes_from_roster(change: LiveEntity, names: Collection[str]) -> bool:
    wrong, right = _words(change.wrong), _words(change.right)
    lost = [word for word in wrong if word not in right]
    return bool(lost) and all(word in names for word in lost)


def _words(name: str) -> list[str]:
    words = (letters(word) for word in name.replace(",", " ").split())
    return [word for word in words if len(word) >= _SHORTEST]
