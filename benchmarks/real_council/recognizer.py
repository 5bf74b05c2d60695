"""A recognizer that errs in its own way: sounds from a drawn confusion model, answered by real words.

Each council draws once how often each kind of error comes, which sounds its recognizer confuses, which
context words it takes for which, and what of punctuation and capitals it loses. Words it mishears mostly
come out the same way again.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from benchmarks.heavy_rewriting.numerals import in_words

HERE = Path(__file__).parent
KINDS = (
    "homophone", "agreement", "sound", "segmentation", "accent", "numeral", "filler", "lost word",
    "punctuation", "case", "style",
)  # fmt: skip
_BARE = re.compile(r"^(\W*)(.*?)(\W*)$", re.DOTALL)
# sound that was said, sound that is heard; "" is silence
_SLIPS = (
    ("p", "b"), ("b", "p"), ("t", "d"), ("d", "t"), ("k", "g"), ("g", "k"), ("m", "n"), ("n", "m"),
    ("l", "r"), ("r", "l"), ("s", ""), ("d", ""), ("n", ""), ("r", ""), ("e", "i"), ("i", "e"), ("o", "u"),
    ("u", "o"), ("a", "e"), ("e", "a"), ("f", "s"), ("b", "g"), ("x", "k"), ("y", "l"), ("s", "f"),
    ("", "s"), ("", "n"), ("o", "a"), ("a", "o"),
)  # fmt: skip
_ENDINGS = (
    ("aron", "aran"), ("ó", "o"), ("aba", "aban"), ("aban", "aba"), ("ía", "ían"), ("ían", "ía"),
    ("ará", "ara"), ("emos", "imos"), ("ado", "ados"), ("ados", "ado"), ("ada", "adas"), ("adas", "ada"),
    ("os", "o"), ("as", "a"), ("es", "e"), ("an", "a"), ("en", "e"), ("a", "as"), ("o", "os"),
    ("ido", "idos"), ("amos", "ábamos"), ("ción", "ciones"), ("ciones", "ción"), ("a", "an"), ("e", "en"),
)  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """A stretch that is one thing: ``said`` as it should be written, ``heard`` as transcribed (words)."""

    right: tuple[str, ...]
    heard: tuple[str, ...]
    kind: str | None = None


def read_list(name: str) -> list[str]:
    """The lines of a data file of this package, comments and empty lines left out."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def read_pairs(name: str) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    found = []
    for line in read_list(name):
        left, _, right = line.partition("|")
        found.append((tuple(left.split()), tuple(right.split())))
    return found


def plain(text: str) -> str:
    """``text`` without acute accents; ``ñ`` and ``ü`` stay."""
    parts = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in parts if c != "\u0301"))


@cache
def sounds(word: str) -> str:
    """Latin American phonemes of a lower-case word, one letter each (``x`` = jota, ``k``, ``c`` = ch)."""
    w = plain(word).replace("ch", "\1").replace("h", "").replace("\1", "c#")
    w = w.replace("qu", "k").replace("ll", "y").replace("v", "b").replace("z", "s").replace("rr", "R")
    w = re.sub(r"g(?=[ei])|j", "x", w)
    w = re.sub(r"gu(?=[ei])", "g", w).replace("ü", "u")
    w = re.sub(r"c(?=[ei])", "s", w)
    w = re.sub(r"c(?!#)", "k", w).replace("c#", "c").replace("w", "gu")
    return re.sub(r"y$", "i", w)


class Lexicon:
    """Real words by how they sound, the frequent ones first."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._by_sound: defaultdict[str, list[str]] = defaultdict(list)
        for word, number in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            if number >= 5:
                self._by_sound[sounds(word)].append(word)
        self.words = frozenset(word for words in self._by_sound.values() for word in words)

    def alike(self, heard: str) -> list[str]:
        return self._by_sound.get(heard, [])


def lexicon(texts: Iterable[str]) -> Lexicon:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(w for w in re.findall(r"[^\W\d_]+", text) if w.islower())
    return Lexicon(counts)


@dataclass
class Recognizer:
    """One council's; ``rates`` are chances per word that could have the error."""

    random: random.Random
    words: Lexicon
    load: float = 1.3
    rates: dict[str, float] = field(default_factory=dict)
    steady: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        r = self.random

        def about(rate: float) -> float:
            return self.load * rate * r.uniform(0.4, 1.6)

        self.rates = {
            "homophone": about(0.3), "agreement": about(0.035), "sound": about(0.025),
            "segmentation": about(0.003), "accent": about(0.05), "numeral": min(0.95, about(0.8)),
            "filler": about(0.012), "lost word": about(0.004), "stop": about(0.16), "comma": about(0.16),
            "start": about(0.16), "name": about(0.05),
        }  # fmt: skip
        kept = [pair for pair in read_pairs("confusions.txt") if r.random() < 0.55]
        self.context: dict[tuple[str, ...], list[tuple[tuple[str, ...], float]]] = {}
        for right, heard in kept:
            common = len(right) == 1 and len(right[0]) <= 3
            weight = r.uniform(0.02, 0.18) if common else r.uniform(0.3, 2.2)
            self.context.setdefault(right, []).append((heard, weight))
        self.slips = [(slip, r.expovariate(1.0)) for slip in r.sample(_SLIPS, 12)]
        self.endings = r.sample(_ENDINGS, 9)
        self.fillers = r.sample(read_list("fillers.txt"), 5)

    # -- one word ---------------------------------------------------------------------------

    def _misheard(self, word: str) -> str | None:
        """Another word for ``word``: mostly a real one, mostly the one it was heard as before."""
        r = self.random
        known = self.steady.get(word)
        if known is not None and r.random() < 0.75:
            return known
        said = sounds(word)
        for _ in range(6):
            (old, new), _ = r.choices(self.slips, [weight for _, weight in self.slips])[0]
            places = [i for i in range(1, len(said) + 1) if said.startswith(old, i)] if said else []
            if not places:
                continue
            at = r.choice(places)
            heard = said[:at] + new + said[at + len(old) :]
            real = [w for w in self.words.alike(heard) if w != word][:4]
            if real:
                found = r.choice(real)
            elif r.random() < 0.25:
                found = _spelled(heard, r)
            else:
                continue
            if found != word:
                self.steady[word] = found
                return found
        return None

    def _agreement(self, word: str) -> str | None:
        r = self.random
        for old, new in r.sample(self.endings, len(self.endings)):
            if len(word) > len(old) + 2 and word.endswith(old):
                other = word[: -len(old)] + new if old else word + new
                if other in self.words.words and other != word:
                    return other
        return None

    # -- one text ---------------------------------------------------------------------------

    def hear(self, units: list[Unit]) -> list[Unit]:
        """The units with this recognizer's errors put into ``heard``; each unit holds one error at most."""
        out: list[Unit] = []
        at = 0
        while at < len(units):
            unit = units[at]
            if unit.kind is not None:
                out.append(unit)
                at += 1
                continue
            taken, made = self._one(units, at)
            out += made
            at += taken
        return self._marks(out)

    def _one(self, units: list[Unit], at: int) -> tuple[int, list[Unit]]:
        r, rates, unit = self.random, self.rates, units[at]
        token = unit.right[0]
        left, word, right = _BARE.match(token).groups()  # type: ignore[union-attr]
        low = word.lower()
        before: list[Unit] = []
        if r.random() < rates["filler"]:
            if r.random() < 0.25 and low.isalpha():
                before.append(Unit((), (low,), "filler"))
            else:
                before.append(Unit((), tuple(r.choice(self.fillers).split()), "filler"))
        if any(c.isdigit() for c in word):
            if r.random() < rates["numeral"] and (said := said_number(word)):
                return 1, [*before, Unit((token,), (*said[:-1], said[-1] + right), "numeral")]
            return 1, [*before, unit]
        if not low.isalpha():
            return 1, [*before, unit]
        following = units[at + 1] if at + 1 < len(units) and units[at + 1].kind is None else None
        if following is not None and not right:
            two = (low, _BARE.match(following.right[0]).group(2).lower())  # type: ignore[union-attr]
            for heard, weight in self.context.get(two, ()):
                if r.random() < rates["homophone"] * weight:
                    tail = _BARE.match(following.right[0]).group(3)  # type: ignore[union-attr]
                    words = (*heard[:-1], heard[-1] + tail)
                    rights = (*unit.right, *following.right)
                    return 2, [*before, Unit(rights, _cased(word, words), "homophone")]
        for heard, weight in self.context.get((low,), ()):
            if r.random() < rates["homophone"] * weight:
                words = _cased(word, (*heard[:-1], heard[-1] + right))
                return 1, [*before, Unit(unit.right, (left + words[0], *words[1:]), "homophone")]
        if word != low and at:  # names are another matter: the dictionary's
            return 1, [*before, unit]
        chance = r.random()
        new: str | None = None
        kind = ""
        if len(low) > 3 and chance < rates["sound"]:
            new, kind = self._misheard(low), "sound"
        elif len(low) > 3 and chance < rates["sound"] + rates["agreement"]:
            new, kind = self._agreement(low), "agreement"
        elif plain(low) != low and r.random() < rates["accent"]:
            new, kind = plain(low), "accent"
        elif len(low) < 5 and r.random() < rates["lost word"]:
            return 1, [*before, Unit(unit.right, (), "lost word")]
        elif r.random() < rates["segmentation"]:
            if following is not None and not right and len(low) < 4 and following.right[0].isalpha():
                joined = (left + word + following.right[0].lower(),)
                return 2, [*before, Unit((*unit.right, *following.right), joined, "segmentation")]
            if len(low) > 6:
                cut = r.randint(2, len(word) - 3)
                return 1, [*before, Unit(unit.right, (left + word[:cut], word[cut:] + right), "segmentation")]
        if new is not None and new != low:
            return 1, [*before, Unit(unit.right, (left + _cased(word, (new,))[0] + right,), kind)]
        return 1, [*before, unit]

    def _marks(self, units: list[Unit]) -> list[Unit]:
        """Punctuation and capitals lost: an error of its own where the unit was right before."""
        r, rates = self.random, self.rates
        out = []
        first = True
        for unit in units:
            if not unit.heard:
                out.append(unit)
                continue
            words, kind = list(unit.heard), unit.kind
            last = words[-1]
            ends = bool(unit.right) and unit.right[-1][-1:] in ".?!…"
            if (last[-1:] in ",;:" and r.random() < rates["comma"]) or (
                last[-1:] in ".?!" and len(last) > 1 and r.random() < rates["stop"]
            ):
                words[-1], kind = last[:-1], kind or "punctuation"
            head = words[0]
            if first and head[:1].isupper() and r.random() < rates["start"]:
                words[0], kind = head[0].lower() + head[1:], kind or "case"
            elif not first and head[:1].isupper() and not head.isupper() and r.random() < rates["name"]:
                words[0], kind = head.lower(), kind or "case"
            if head[:1] in "¿¡«" and r.random() < rates["comma"]:
                words[0], kind = words[0][1:] or words[0], kind or "punctuation"
            out.append(replace(unit, heard=tuple(words), kind=kind))
            first = ends
        return out


def _cased(like: str, words: tuple[str, ...]) -> tuple[str, ...]:
    if like[:1].isupper():
        return (words[0][:1].upper() + words[0][1:], *words[1:])
    return words


def _spelled(heard: str, r: random.Random) -> str:
    """A spelling of phonemes that is no word: what a recognizer without a lexicon writes."""
    out = []
    for place, sound in enumerate(heard):
        following = heard[place + 1 : place + 2]
        if sound == "k":
            out.append("qu" if following in ("e", "i") else "c")
        elif sound == "s":
            out.append(r.choice("cs") if following in ("e", "i") else r.choice("ssz"))
        else:
            out.append({"b": r.choice("bv"), "R": "rr", "c": "ch", "x": "j", "y": r.choice(("y", "ll"))}.get(
                sound, sound))  # fmt: skip
    return "".join(out)


def said_number(token: str) -> tuple[str, ...]:
    """A token with figures as it is said: whole numbers, decimals, per cent, times; empty when unsure."""
    if match := re.fullmatch(r"(\d{1,3}(?:\.\d{3})+|\d{1,9})(?:,(\d{1,2}))?(%)?\W?", token):
        whole, part, percent = match.groups()
        words = in_words(int(whole.replace(".", ""))).split()
        if part:
            words += ["coma", *in_words(int(part)).split()]
        return tuple(words + (["por", "ciento"] if percent else []))
    if match := re.fullmatch(r"(\d{1,2}):(\d{2})", token):
        hour, minutes = (in_words(int(x)).split() for x in match.groups())
        return ("las", *hour, "y", *minutes) if int(match[2]) else ("las", *hour)
    if match := re.fullmatch(r"(\d{1,6})/(\d{4})", token):
        one, two = (in_words(int(x)).split() for x in match.groups())
        return (*one, "barra", *two)
    return ()
