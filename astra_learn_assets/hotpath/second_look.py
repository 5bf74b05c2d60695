"""A name that one voice put in before anybody else had spoken is asked for again once others have.

In a town that is new there is nothing to compare a name fix with, so :mod:`second_voice` believes it. Of the
false entries of an account that writes from the first day 1.7 and 4.6 % came in so and stayed
(``benchmarks/poisoning.py``). So when a final of somebody else has arrived, the entries that one author alone
has said are put to the same rules again, with what the others have written since. What is doubted then waits
for a second voice, as it would have if it had come later.

Never asked again: what another author said as well in another session, live or waiting, and what no final of
its author brought: a person put it in. Asked at most :data:`MOST` times: once for each of the first finals
of others, of which one author's first :data:`OF_ONE` count, so that no account uses them up alone.

The look takes from the town what it had, so it believes one account less than the rules for what is new do:

* a word is written here when *two* others wrote it, or a roster has it; else one hostile account would only
  have to write names wrong to take the right ones out of the dictionary;
* an entry contradicts when it has itself a second voice;
* what anybody else has written of what the entry makes of the name counts as written here, so what is doubted
  as written otherwise, near a known name, a known spelling or new falls with it, unless it is a swap then.
  What contradicts a roster or an entry, swaps two known names or is no mishearing stays doubted.

So at the first final of somebody else only rosters and entries with two voices speak against it; that others
write here, which the rules on spelling, mishearing and new names ask, takes two of them.

Pure: what is known is given.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from astra_learn_assets.contracts import DictionaryEntry
from astra_learn_assets.hotpath import second_voice
from astra_learn_assets.hotpath.second_voice import Voice
from astra_learn_assets.hotpath.summary import LiveEntity
from astra_learn_assets.hotpath.written_names import words_of
from astra_learn_assets.spanish.fold import entry_key, fix_keys

MOST = 30  # finals of others; the benchmark's known town has so many
OF_ONE = 15  # of these, of one author: the rules need two
AT_ONCE = 300  # entries of one author, the newest: a look takes its time for each of them
_OTHERS = 2
_Keys = tuple[str, str]
"""Of a fix: :func:`fix_keys`."""


@dataclass(frozen=True)
class Final:
    """What one final says of names.

    ``names``: the words of names in it (:mod:`written_names`). ``live``, ``waiting``: its fixes, (wrong,
    right), as its summary has them.
    """

    document_id: str
    session_id: str
    author: str
    names: Collection[str]
    live: Collection[tuple[str, str]]
    waiting: Collection[tuple[str, str]]


def authors_asked(others: Mapping[str, int], arrived: str) -> frozenset[str]:
    """Whose entries are asked for again now that a final of ``arrived`` is there.

    ``others``: how many finals others have sent than each author of an entry, ``arrived``'s included, of
    each of them at most :data:`OF_ONE`; nobody, where ``arrived`` has sent more.
    """
    return frozenset(author for author, count in others.items() if author != arrived and count <= MOST)


def doubted(
    entries: Mapping[str, DictionaryEntry],
    authors: Collection[str],
    finals: Sequence[Final],
    *,
    roster: Collection[str],
    now: datetime,
    only: Collection[str] | None = None,
) -> dict[str, str]:
    """The keys of the entries that go back to waiting, each with its reason: one of :mod:`second_voice`'s.

    ``entries``: the whole dictionary by :func:`entry_key` of the wrong form. ``authors``: of
    :func:`authors_asked`. ``finals``: all of others than they, those that brought the entries, and those that
    left something waiting. ``only``: no other keys are asked for. Of one author at most the newest
    :data:`AT_ONCE` are asked for.
    """
    alone = _said_by_one(entries, finals)
    by_author: dict[str, list[str]] = defaultdict(list)
    for key in alone:
        if entries[key].author in authors and (only is None or key in only):
            by_author[entries[key].author].append(key)
    if not by_author:
        return {}
    town = _Town(entries, finals, alone)
    back: dict[str, str] = {}
    for author, keys in sorted(by_author.items()):
        newest = sorted(keys, key=lambda key: (entries[key].created_at, key), reverse=True)[:AT_ONCE]
        back |= _doubted_of(author, sorted(newest), town, roster=roster, now=now)
    return back


def sent_back(final: Final, entry: DictionaryEntry) -> Final:
    """``final`` with the fix of ``entry`` among those that wait, if it was among its live ones."""
    taken = fix_keys(entry.wrong, entry.right)
    back = [fix for fix in final.live if fix_keys(*fix) == taken]
    if not back:
        return final
    live = [fix for fix in final.live if fix not in back]
    return replace(final, live=live, waiting=[*final.waiting, *back])


class _Town:
    """What all the questions of one look ask, put in order once."""

    def __init__(
        self, entries: Mapping[str, DictionaryEntry], finals: Sequence[Final], alone: Mapping[str, str]
    ) -> None:
        self.entries, self.alone = entries, alone
        self.brought = Counter(entry.author for entry in entries.values())
        self.by_right: dict[str, list[str]] = defaultdict(list)
        for key, entry in entries.items():
            self.by_right[entry_key(entry.right)].append(key)
        self.writers: dict[str, dict[str, set[str]]] = defaultdict(dict)
        """Of each word who writes it, and in which sessions."""
        self.of_session: dict[str, list[Final]] = defaultdict(list)
        self.waiting: dict[_Keys, set[tuple[str, str]]] = defaultdict(set)
        """Of each fix that waits in whose finals it does, and of which sessions."""
        for one in finals:
            self.of_session[one.session_id].append(one)
            for word in one.names:
                self.writers[entry_key(word)].setdefault(one.author, set()).add(one.session_id)
            for wrong, right in one.waiting:
                self.waiting[fix_keys(wrong, right)].add((one.author, one.session_id))

    def others_write(self, word: str, author: str, session_id: str | None) -> int:
        """How many others than ``author`` write the word in other sessions than this."""
        writers = self.writers.get(word, {})
        return sum(name != author and sessions != {session_id} for name, sessions in writers.items())

    def shared_with(self, author: str, session_id: str) -> str | None:
        """The session, if somebody else has sent a final of it as well: what those say does not count."""
        shared = any(one.author != author for one in self.of_session[session_id])
        return session_id if shared else None


def _doubted_of(
    author: str, keys: Sequence[str], town: _Town, *, roster: Collection[str], now: datetime
) -> dict[str, str]:
    """Of these entries of one author, those that go back."""
    groups: dict[str | None, list[str]] = defaultdict(list)
    for key in keys:
        groups[town.shared_with(author, town.alone[key])].append(key)
    own = {fix for fix, voices in town.waiting.items() if any(who == author for who, _ in voices)}
    listed = {entry_key(word) for name in roster for word in words_of(name)}
    written = {word for word in town.writers if town.others_write(word, author, None) >= _OTHERS}
    back: dict[str, str] = {}
    for session_id, group in groups.items():
        theirs = {entry_key(word) for one in town.of_session.get(session_id or "", ()) for word in one.names}
        apart = {word for word in theirs if town.others_write(word, author, session_id) < _OTHERS}
        changes = {_change(town.entries[key]): key for key in group}
        said = own | {(key, entry_key(town.entries[key].right)) for key in group}
        concerned = {*group, *(wrong for wrong, _ in own)}
        concerned.update(other for key in group for other in town.by_right.get(key, ()))
        divided = second_voice.divide(
            list(changes),
            roster=roster,
            entries={
                key: town.entries[key]
                for key in concerned
                if key in town.entries and (town.entries[key].author == author or key not in town.alone)
            },
            voices=[
                Voice(*fix, who)
                for fix in said
                for who, where in town.waiting.get(fix, ())
                if who == author or where != session_id
            ],
            doubts=_doubts(list(changes), author, session_id, town, known=written - apart, listed=listed),
            author=author,
            brought=town.brought[author],
            now=now,
        )
        back.update((changes[change], reason) for change, reason in divided.waiting)
    return back


def _said_by_one(entries: Mapping[str, DictionaryEntry], finals: Sequence[Final]) -> dict[str, str]:
    """The keys of entries that a final of their author brought and nobody else has said in another session,
    each with the session of that final."""
    brought = {one.document_id: one for one in finals}
    said: dict[_Keys, set[tuple[str, str]]] = defaultdict(set)
    for one in finals:
        for wrong, right in (*one.live, *one.waiting):
            said[fix_keys(wrong, right)].add((one.author, one.session_id))
    alone: dict[str, str] = {}
    for key, entry in entries.items():
        source = brought.get(entry.source_document)
        if source is None or source.author != entry.author:
            continue
        voices = said[key, entry_key(entry.right)]
        if all(author == entry.author or session == source.session_id for author, session in voices):
            alone[key] = source.session_id
    return alone


def _doubts(
    changes: Iterable[LiveEntity],
    author: str,
    session_id: str | None,
    town: _Town,
    *,
    known: Collection[str],
    listed: Collection[str],
) -> dict[LiveEntity, str]:
    """The doubts by what two others write (``known``) or a roster has (``listed``), but for those that fall
    with what one other writes."""
    words = {*known, *listed}
    found: dict[LiveEntity, str] = {}
    for change in changes:
        reason = second_voice.doubt(change, words, others_write=bool(known))
        gained = set(map(entry_key, words_of(change.right))) - set(map(entry_key, words_of(change.wrong)))
        also = {word for word in gained if town.others_write(word, author, session_id)}
        if reason is not None and also:
            reason = second_voice.doubt(change, words | also, others_write=True)
        if reason is not None:
            found[change] = reason
    return found


def _change(entry: DictionaryEntry) -> LiveEntity:
    return LiveEntity(wrong=entry.wrong, right=entry.right, kind=entry.kind)
