"""How a council's recognizer writes a proper noun that it never learned: always alike, always wrong."""

from __future__ import annotations

import random
import re
from collections.abc import Collection

from astra_learn_assets.simulation.council.letters import without_accents

_STUTTER = re.compile(r"aa|ee|ii|oo|uu|(.)\1\1")

# (sound as a pattern, what is heard instead): spelling rules of Spanish and of the languages beside it
_SOUNDS = (
    ("ch", "tx"), ("v", "b"), ("b", "v"), ("z", "s"), ("ll", "y"), ("rr", "r"), ("gu(?=[aei])", "w"),
    ("ñ", "ni"),
    ("j", "g"), ("que", "ke"), ("qui", "ki"), ("ce", "se"), ("ci", "si"), ("ía", "ilia"), ("mp", "np"),
    ("al", "ar"), ("ar", "al"), ("er", "el"), ("or", "ur"), ("en", "in"), ("in", "en"), ("e", "i"),
    ("o", "u"), ("u", "o"), ("a", "e"), ("d", "t"), ("t", "d"), ("m", "n"), ("c", "k"), ("p", "b"),
    ("g", "c"), ("s", "z"), ("i", "e"), ("f", "p"), ("r", "l"), ("l", "r"), ("n", "m"), ("h", ""),
)  # fmt: skip


def mishear(name: str, rng: random.Random, *, avoid: Collection[str]) -> str:
    """``name`` with two sounds heard wrong; never only an accent or a capital away, never in ``avoid``."""
    taken = {without_accents(other).lower() for other in avoid} | {without_accents(name).lower()}
    for _ in range(1000):
        heard = name.lower()
        for sound, instead in rng.sample(_SOUNDS, len(_SOUNDS)):
            places = [match.span() for match in re.finditer(sound, heard)]
            if places:
                begin, end = rng.choice(places)
                heard = heard[:begin] + instead + heard[end:]
                if sum(a != b for a, b in zip(heard, name.lower(), strict=False)) >= 2:
                    break
        stuttered = _STUTTER.search(heard) is not None
        if without_accents(heard).lower() not in taken and abs(len(heard) - len(name)) <= 2 and not stuttered:
            return heard[0].upper() + heard[1:]
    raise ValueError(f"nothing sounds like {name!r}")


def mishear_acronym(acronym: str, rng: random.Random, *, avoid: Collection[str]) -> str:
    """An acronym as it is spelled out: a vowel too many, a letter lost, doubled or confused."""
    for _ in range(1000):
        place = rng.randrange(1, len(acronym))
        heard = rng.choice(
            (
                acronym[:place] + rng.choice("EA") + acronym[place:],
                acronym[: place - 1] + rng.choice("BDEMNPST") + acronym[place:],
                acronym[:place] + acronym[place - 1] + acronym[place:],
            )
        )
        if heard not in avoid and heard != acronym:
            return heard
    raise ValueError(f"nothing sounds like {acronym!r}")
