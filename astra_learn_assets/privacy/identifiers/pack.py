"""What one country's file says about the numbers of its people; every part is required.

A country is one file, ``countries/<code>.py`` under its ISO 3166 code, which exports ``PACK``. Nothing else
has to know of it: :mod:`~astra_learn_assets.privacy.identifiers.countries` finds the file, and
``python -m astra_learn_assets.privacy.identifiers.check`` (in ``make lint``) holds the rules against the
samples.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import Enum
from typing import Self

from astra_learn_assets.errors import BadConfiguration
from astra_learn_assets.privacy.identifiers.rules import Rule

_KIND = re.compile(r"[A-Z][A-Z_]*")  # a placeholder's word


class Alone(Enum):
    """Whether an identifier is promised to be found without any word around it."""

    ALWAYS = "always"
    HYPHEN = "hyphen"  # only where a hyphen tells it from a sum of money
    NEVER = "never"


@dataclass(frozen=True)
class CompactForm:
    """An identifier without separators, however it was grouped; ``check`` None: the form says enough.

    ``hyphen``: the check is weak, so the last character must stand apart behind a hyphen.
    """

    kind: str
    form: re.Pattern[str]
    check: Callable[[str], bool] | None
    hyphen: bool


@dataclass(frozen=True)
class PhonePlan:
    """``region`` as libphonenumber names it; ``bare``: national numbers that without any separator are
    phones and little else (None: in this plan no length or beginning says so)."""

    region: str
    bare: re.Pattern[str] | None


@dataclass(frozen=True)
class Sample:
    """Makes valid identifiers of one kind as printed, ``word`` being what introduces them in a text."""

    kind: str
    word: str
    alone: Alone
    make: Callable[[random.Random], str]

    def stands_alone(self, spelling: str) -> bool:
        """Whether the rules promise to find this spelling without any word around it."""
        return self.alone is Alone.ALWAYS or (
            self.alone is Alone.HYPHEN and re.search(r"[-–]", spelling) is not None
        )


@dataclass(frozen=True, kw_only=True)
class CountryPack:
    """One country. Rules without context words of their own wait for any word that names a paper.

    kind: of the personal id, for numbers that only a word like "documento" makes one.
    identity_words: what papers are called here; they count in every country.
    rules: what may fire at home, most of it by form and check digit alone.
    abroad: forms so plain, or so plainly from here, that they hold in every country: visitors bring papers.
    compact: identifiers found however they are grouped; none where nothing but the form could be checked.
    samples: at least one of the personal id's kind; the canaries plant them, the tests look for them.
    examples: phrases for the rules that no sample reaches.

    Raises:
        BadConfiguration: naming the part that is missing, empty or double.
    """

    kind: str
    identity_words: frozenset[str]
    rules: tuple[Rule, ...]
    abroad: tuple[Rule, ...]
    compact: tuple[CompactForm, ...]
    phone: PhonePlan
    samples: tuple[Sample, ...]
    examples: tuple[str, ...]

    def __new__(cls, **parts: object) -> Self:
        """Says which parts are missing: Python's own TypeError would not stop at the boundary of a file."""
        missing = [part.name for part in fields(cls) if part.name not in parts]
        if missing:
            raise BadConfiguration(f"the pack lacks {', '.join(missing)}")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for part in ("identity_words", "rules", "samples"):
            if not getattr(self, part):
                raise BadConfiguration(f"the pack's part {part} is empty")
        for part, kinds in (
            ("samples", [sample.kind for sample in self.samples]),
            ("compact", [form.kind for form in self.compact]),
        ):
            twice = sorted(kind for kind, count in Counter(kinds).items() if count > 1)
            if twice:
                raise BadConfiguration(f"the pack's part {part} has the kind {', '.join(twice)} twice")
        if len(set(self.rules)) < len(self.rules) or len(set(self.abroad)) < len(self.abroad):
            raise BadConfiguration("the pack has one rule twice")
        for kind in (self.kind, *(rule.kind for rule in (*self.rules, *self.abroad))):
            if not _KIND.fullmatch(kind):
                raise BadConfiguration(f"the kind {kind!r} is no placeholder's word: use capitals and _")
        if self.kind not in {sample.kind for sample in self.samples}:
            raise BadConfiguration(f"the pack's part samples has none of the personal id, {self.kind}")
