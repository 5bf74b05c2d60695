"""Every word the councils use, and which of them are one word in another number, gender or tense."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache

from astra_learn_assets.simulation.council.clauses import TENSES, conjugate, participle, plural_of
from astra_learn_assets.simulation.council.letters import words
from astra_learn_assets.simulation.council.phrases import TOPICS
from astra_learn_assets.simulation.council.speech import SPEECH
from astra_learn_assets.simulation.council.word_lists import read


@cache
def vocabulary() -> frozenset[str]:
    """Words in lower case."""
    return frozenset().union(*_families()) | _phrases()


@cache
def _families() -> tuple[frozenset[str], ...]:
    """The forms of each noun, adjective and verb."""
    families = []
    for entry in read("nouns"):
        word = entry.partition(" ")[0]
        families.append({word, plural_of(word)})
    for word in read("adjectives"):
        forms = {word, word[:-1] + "a"} if word.endswith("o") else {word}
        families.append(forms | {plural_of(form) for form in forms})
    for entry in read("verbs"):
        verb = entry.partition(" ")[0]
        forms = {conjugate(verb, tense, plural=plural) for tense in TENSES[:-1] for plural in (False, True)}
        done = participle(verb)
        families.append({verb, *forms, done, plural_of(done), done[:-1] + "a", done[:-1] + "as"})
    return tuple(frozenset(family) for family in families)


@cache
def _phrases() -> frozenset[str]:
    texts = [option for rules in (TOPICS, SPEECH) for options in rules.values() for option in options]
    texts += [entry for name in ("sentences", "adverbials", "connectors", "subjects") for entry in read(name)]
    plain = (re.sub(r"\{[^}]*\}", " ", text) for text in texts)
    return frozenset(word for text in plain for word in words(text) if text)


@cache
def _kin() -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for family in _families():
        for word in family:
            found[word] |= {other for other in family if other != word and _near(word, other)}
    return {word: tuple(sorted(others)) for word, others in found.items() if others}


def _near(one: str, other: str) -> bool:
    """Whether the two differ in their last letters only, and in two at most."""
    shared = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    shared = min(len(one), len(other)) if shared is None else shared
    return max(len(one), len(other)) - shared <= 2


def other_endings(word: str) -> tuple[str, ...]:
    """What ``word`` is in another number, gender or tense, where that is heard easily."""
    return _kin().get(word, ())
