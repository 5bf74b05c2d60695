"""A page from its template: everything put in is escaped, unknown names are errors, in two languages.

    render("overview.html", "es", status=status, ...)

What people typed (names, reasons) may be hostile: it is escaped by the template engine, bounded in length
(:func:`shown`), and every right-to-left mark or control character in it becomes visible, so that a name
cannot turn round the sentence it stands in (Unicode TR 36, "bidirectional text spoofing").
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from astra_learn_assets.learning.plain_words import LANGUAGES, Language, Phrases

FOLDER = Path(__file__).parent
LONGEST_TEXT = 240
_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}


@lru_cache
def texts(language: Language) -> Phrases:
    """The panel's sentences in ``language``."""
    return Phrases(FOLDER / f"texts_{language}.txt", language)


def language_of(asked: str | None, kept: str | None) -> Language:
    """The language asked for, else the one kept, else Spanish."""
    return next((known for wish in (asked, kept) for known in LANGUAGES if known == wish), "es")


def render(template: str, language: Language, **values: Any) -> str:
    """The page as HTML."""
    phrases = texts(language)
    page = _environment().get_template(template)
    return page.render(
        lang=language,
        other=next(known for known in LANGUAGES if known != language),
        t=phrases.text,
        n=phrases.counted,
        named=phrases.get,
        integer=phrases.shown,
        percent=lambda rate: percent(rate, phrases),
        seconds=lambda value: phrases.shown(float(value)),
        day=day,
        moment=moment,
        **values,
    )


def percent(rate: float | None, phrases: Phrases) -> str:
    """A rate as errors of a hundred: ``2,1 %``; a dash where nothing is known."""
    return "–" if rate is None else f"{phrases.shown(100.0 * rate)}\u00a0%"


def day(at: datetime | None) -> str:
    """A day in UTC, as 30/11/2026."""
    return "–" if at is None else f"{at.astimezone(UTC):%d/%m/%Y}"


def moment(at: datetime | None) -> str:
    """A minute in UTC, said to be."""
    return "–" if at is None else f"{at.astimezone(UTC):%d/%m/%Y %H:%M} UTC"


def shown(value: object, longest: int = LONGEST_TEXT) -> str:
    """Text of somebody else, bounded, with what cannot be seen made visible as ``⟨U+202E⟩``."""
    text = str(value)
    cut = text[:longest]
    seen = "".join(
        f"⟨U+{ord(char):04X}⟩" if unicodedata.category(char) in _INVISIBLE and char not in "\n\t" else char
        for char in cut
    )
    return f"{seen}… ({len(text)})" if len(text) > longest else seen


def query(**values: str) -> str:
    """A query of a link; values of somebody else are quoted."""
    return "?" + urlencode(values)


@lru_cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["shown"] = shown
    environment.filters["drawn"] = Markup  # for the curve alone, which escapes by itself
    return environment
