"""A name that one voice put in before anybody else had spoken is asked for again once others have.

In a town that is new there is nothing to compare a name fix with, so :mod:`second_voice` believes it. Of the
false entries of an account that writes from the first day 1.7 and 4.6 % came in so and stayed
(``benchmarks/poisoning.py``). So when a final of somebody else has arrived, the entries that one author alone
has said are put to the same rules again, with what the others have written since. What is doubted then waits
for a second voice, as it would have if it had come later.

Never asked again: what another author said as well in another session, live or waiting, and what no final of
its author brought: a person put it in. Asked at most :data:`MOST` times: once for each of the first finals
of others.

The look takes from the town what it had, so it believes one account less than the rules for what is new do:

* a word is written here when *two* others wrote it, or a roster has it; else one hostile account would only
  have to write names wrong to take the right ones out of the dictionary;
* an entry contradicts when it has itself a second voice;
* a doubt falls when anybody else has written what the entry makes of the name.

Pure: what is known is given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from astra_learn_assets.contracts import DictionaryEntry
from astra_learn_assets.hotpath import second_voice
from astra_learn_assets.hotpath.second_voice import Voice
from astra_learn_assets.hotpath.summary import LiveEntity
from astra_learn_assets.hotpath.written_names import words_of
from astra_learn_assets.spanish.fold import entry_key

MOST = 30  # finals of others; the benchmark's known town has so many
_OTHERS = 2


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

    ``others``: how many finals others have sent than each author of an entry, ``arrived``'s included; who
    counts may stop above :data:`MOST`.
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
    left something waiting. ``only``: no other keys are asked for.
    """
    alone = _said_by_one(entries, finals)
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key, session_id in alone.items():
        if entries[key].author in authors and (only is None or key in only):
            groups[entries[key].author, session_id].append(key)
    back: dict[str, str] = {}
    for (author, session_id), keys in sorted(groups.items()):
        others = [one for one in finals if one.author != author and one.session_id != session_id]
        changes = {_change(entries[key]): key for key in sorted(keys)}
        divided = second_voice.divide(
            list(changes),
            roster=roster,
            entries={
                key: entry for key, entry in entries.items() if entry.author == author or key not in alone
            },
            voices=[
                Voice(wrong, right, one.author)
                for one in finals
                if one.author == author or one.session_id != session_id
                for wrong, right in one.waiting
            ],
            doubts=_doubts(list(changes), others, roster),
            author=author,
            brought=sum(entry.author == author for entry in entries.values()),
            now=now,
        )
        back.update((changes[change], reason) for change, reason in divided.waiting)
    return back


def sent_back(final: Final, entry: DictionaryEntry) -> Final:
    """``final`` with the fix of ``entry`` among those that wait, if it was among its live ones."""
    moved = (entry.wrong, entry.right)
    if moved not in final.live:
        return final
    live = [fix for fix in final.live if fix != moved]
    return replace(final, live=live, waiting=[*final.waiting, moved])


def _said_by_one(entries: Mapping[str, DictionaryEntry], finals: Sequence[Final]) -> dict[str, str]:
    """The keys of entries that a final of their author brought and nobody else has said in another session,
    each with the session of that final."""
    brought = {one.document_id: one for one in finals}
    said: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for one in finals:
        for wrong, right in (*one.live, *one.waiting):
            said[entry_key(wrong), entry_key(right)].add((one.author, one.session_id))
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
    changes: Sequence[LiveEntity], others: Iterable[Final], roster: Collection[str]
) -> dict[LiveEntity, str]:
    """The doubts by what two others write, but for those that fall with what one other writes."""
    writers: dict[str, set[str]] = defaultdict(set)
    for one in others:
        for word in one.names:
            writers[entry_key(word)].add(one.author)
    known = {word for word, authors in writers.items() if len(authors) >= _OTHERS}
    found: dict[LiveEntity, str] = {}
    for change in second_voice.doubts(changes, roster=roster, written=known):
        gained = set(map(entry_key, words_of(change.right))) - set(map(entry_key, words_of(change.wrong)))
        also = {word for word in gained if word in writers}
        found |= second_voice.doubts([change], roster=roster, written=known | also)
    return found


def _change(entry: DictionaryEntry) -> LiveEntity:
    return LiveEntity(wrong=entry.wrong, right=entry.right, kind=entry.kind)
