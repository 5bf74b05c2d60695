"""What people are told of their learning, in their language: why it waits, how a training ended.

    said("es").text("why.quota", started=3, quota=3)

The sentences are data (``plain_words_es.txt``, ``plain_words_en.txt``); here is which one fits. Spanish is
what a municipality reads; English is for who switches the panel. The technical reason stays beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

from astra_learn_assets.learning.training.policy import Decision, Facts, Rules

Language = Literal["es", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
ENDLESS = timedelta(hours=24)
"""A training that runs longer is said to: none of ours took a day, see ``benchmarks/README.md``."""
SKEW = timedelta(minutes=2)
"""How far in the future a time may lie before it is a clock that is wrong."""


class Phrases:
    """Sentences by key, from a file with one ``key = text`` a line; what is put in is never markup here."""

    def __init__(self, path: Path, language: Language) -> None:
        self.language = language
        self._texts = read(path)

    def text(self, key: str, **values: object) -> str:
        """The sentence of ``key``.

        Raises:
            KeyError: there is none; a test holds every key that is used against the files.
        """
        return self._texts[key].format(**{name: self.shown(value) for name, value in values.items()})

    def counted(self, key: str, number: int, **values: object) -> str:
        """The sentence of ``key``, or of ``key.one`` for a single one."""
        one = f"{key}.one"
        return self.text(one if number == 1 and one in self._texts else key, n=number, **values)

    def get(self, key: str, otherwise: str) -> str:
        """The sentence of ``key`` where there is one."""
        return self._texts.get(key, otherwise)

    def shown(self, value: object) -> str:
        """A number with the language's separators; anything else as it is."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return str(value)
        text = f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
        return text.translate(_SPANISH) if self.language == "es" else text


_SPANISH = str.maketrans({",": ".", ".": ","})


def read(path: Path) -> dict[str, str]:
    """The sentences of a file; a line that begins with ``#`` is a comment.

    Raises:
        ValueError: a line that is no ``key = text``, or a key that is there twice.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        key, equals, text = line.partition(" = ")
        if not equals or key in found:
            raise ValueError(f"{path.name}, line {number}: expected 'key = text' with a key of its own")
        found[key] = text.strip()
    return found


@lru_cache
def said(language: Language) -> Phrases:
    """The sentences of this room in ``language``."""
    return Phrases(Path(__file__).with_name(f"plain_words_{language}.txt"), language)


def waiting(decision: Decision, facts: Facts, rules: Rules, *, language: Language = "es") -> str:
    """Why the next training begins or waits."""
    return said(language).text(
        f"why.{decision.code}",
        pending=facts.pending,
        threshold=rules.threshold,
        minimum=rules.minimum,
        started=facts.started_this_week,
        quota=rules.weekly_quota,
        used=round(facts.gpu_minutes_used),
        budget=round(rules.gpu_minutes_month or 0),
        preparing=facts.preparing,
    )


def next_possible(decision: Decision, facts: Facts, rules: Rules, now: datetime) -> datetime | None:
    """When the next training may begin if nothing else happens; None: something has to happen first.

    Fewer examples than the threshold learn by age: with the minimum there, when the oldest is old enough.
    """
    if decision.train:
        return now
    if decision.until is not None:
        return decision.until
    enough = facts.pending >= rules.minimum and facts.oldest_at is not None
    if decision.code in ("below_threshold", "too_young") and enough and facts.oldest_at is not None:
        return max(now, facts.oldest_at + timedelta(hours=rules.max_age_hours))
    return None


def ended(
    state: str,
    *,
    fault: str | None,
    reason: str | None,
    details: Mapping[str, object] | None = None,
    language: Language = "es",
) -> str:
    """How a training ended, in a sentence for people. ``details``: of its verdict, if it has one."""
    phrases = said(language)
    own = (details or {}).get("reason_es")
    if state in ("promoted", "rejected") and isinstance(own, str) and language == "es":
        return own
    for gate in ("corpus_gate", "adapter_gate"):
        if reason is not None and reason.startswith(f"{gate}:"):
            return phrases.text(f"ended.{gate}")
    if state == "failed":
        return phrases.text(f"ended.{fault or 'examples'}")
    if state == "rejected" and (details or {}).get("outcome") == "hold":
        return phrases.text("ended.hold")
    return phrases.text(f"ended.{state}")


def odd_times(
    began: datetime, ended_at: datetime | None, now: datetime, *, running: bool, language: Language = "es"
) -> str | None:
    """What is odd about the times of a training: a clock that is wrong, or a run that does not end."""
    phrases = said(language)
    if began > now + SKEW or (ended_at is not None and (ended_at > now + SKEW or ended_at < began)):
        return phrases.text("clock.ahead")
    if running and now - began > ENDLESS:
        return phrases.text("clock.endless", hours=int((now - began).total_seconds() // 3600))
    return None
