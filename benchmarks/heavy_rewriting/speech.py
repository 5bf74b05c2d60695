"""What is said at a session: sentences with their right words, and how a recognizer hears them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from benchmarks.heavy_rewriting.lexicon import Template, mapping, names, terms
from benchmarks.heavy_rewriting.numerals import in_figures, in_words

MONTHS = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
]
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Value:
    """What fills a slot: as it is written, as it is said, and as it is misheard (the same when it is not)."""

    slot: str
    formal: str
    spoken: str
    misheard: str


@dataclass(frozen=True)
class Token:
    """A word, or a slot's value: what a careful clerk types and what the draft shows; either can be empty."""

    right: str
    heard: str


@dataclass(frozen=True)
class Sentence:
    """A sentence: its tokens, the written form (empty: by rule), a summary (or empty), its slots' values."""

    tokens: tuple[Token, ...]
    formal: str = ""
    summary: str = ""
    values: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Voice:
    """How one session sounds: chances of the recognizer's errors, and what it writes; one per draft."""

    accent_loss: float
    stop_loss: float
    mishearing: float
    name_mishearing: float
    filler: float
    repetition: float
    number_words: bool
    currency: str


def draw_voice(rng: Random) -> Voice:
    """The sound of a session, from a nearly clean recognizer to a poor one."""
    poor = rng.choice((0.2, 0.6, 1.0, 1.6))
    return Voice(
        accent_loss=0.12 * poor,
        stop_loss=0.25 * poor,
        mishearing=0.2 * poor,
        name_mishearing=min(0.9, 0.45 * poor),
        filler=0.05 * poor,
        repetition=0.012 * poor,
        number_words=rng.random() < 0.5,
        currency=rng.choice(("euros", "pesos", "soles", "quetzales")),
    )


def draw_value(slot: str, rng: Random, currency: str = "euros") -> Value:
    """A value for a slot; KeyError when there is no such slot."""
    match slot:
        case "money":
            amount = rng.randrange(2, 999) * 10 ** rng.choice((1, 2, 3, 3, 4))
            return _number(slot, amount, f" {currency}")
        case "n" | "n2":
            return _number(slot, rng.choice([number for number in range(2, 61) if number % 10 != 1]))
        case "pct":
            percent = rng.randrange(2, 46)
            return Value(slot, f"{percent} %", f"{in_words(percent)} por ciento", f"{percent} por ciento")
        case "date":
            day, month = rng.randrange(2, 29), rng.choice(MONTHS)
            return Value(slot, f"{day} de {month}", f"{in_words(day)} de {month}", f"{day} de {month}")
        case "year":
            year = rng.randrange(2009, 2029)
            return Value(slot, str(year), in_words(year), str(year))
        case "exp":
            serial, year = rng.randrange(11, 900), rng.randrange(2015, 2026)
            said = f"{in_words(serial)} barra {in_words(year)}"
            return Value(slot, f"{serial}/{year}", said, f"{serial} barra {year}")
        case "topic":
            topic = rng.choice(("Hacienda", "Obras", "Aguas", "Fiestas", "Seguridad", "Educación", "Sanidad"))
            return Value(slot, topic, topic, topic.lower())
        case "person" | "woman" | "man":
            given = rng.choice(names()[slot if slot != "person" else rng.choice(("woman", "man"))])
            family = rng.choice(names()["surname"])
            right, misheard = f"{given[0]} {family[0]}", f"{given[1] or given[0]} {family[1] or family[0]}"
            return Value(slot, right, right, misheard)
        case _:
            right, misheard = rng.choice(names()[slot])
            return Value(slot, right, right, misheard or right)


def _number(slot: str, number: int, unit: str = "") -> Value:
    return Value(slot, f"{in_figures(number)}{unit}", f"{in_words(number)}{unit}", f"{number}{unit}")


NUMERIC = frozenset({"money", "n", "n2", "pct", "date", "year", "exp"})


class Speaker:
    """Says templates with one session's voice; a name is misheard in the same way all through a session."""

    def __init__(self, rng: Random, voice: Voice) -> None:
        self.rng, self.voice = rng, voice
        self._misheard: dict[str, bool] = {}
        self._words = mapping("misheard_words.tsv")
        self._fillers = terms("fillers.txt")

    def say(self, template: Template) -> Sentence:
        """The template with its slots filled, and heard with this voice's errors."""
        found = dict.fromkeys(_SLOT.findall(template.spoken + template.formal + template.summary))
        values = {slot: draw_value(slot, self.rng, self.voice.currency) for slot in found}
        tokens: list[Token] = []
        for part in re.split(r"(\{\w+\})", finished(template.spoken)):
            if slot := _SLOT.fullmatch(part):
                tokens.append(self._value_token(values[slot[1]]))
            else:
                tokens += [Token(word, word) for word in part.split()]
        return Sentence(
            self.hear(tokens),
            finished(_fill(template.formal, values)),
            finished(_fill(template.summary, values)),
            tuple(values.values()),
        )

    def read(self, text: str) -> Sentence:
        """A real sentence, heard with this voice's errors."""
        return Sentence(self.hear([Token(word, word) for word in text.split()]))

    def name(self, value: Value, after: str = "") -> Token:
        """A name alone, such as a speaker's label."""
        token = self._value_token(value)
        return Token(token.right + after, token.heard + after)

    def _value_token(self, value: Value) -> Token:
        if value.slot in NUMERIC:
            return Token(value.formal, value.spoken if self.voice.number_words else value.misheard)
        if value.formal not in self._misheard:
            self._misheard[value.formal] = self.rng.random() < self.voice.name_mishearing
        return Token(value.formal, value.misheard if self._misheard[value.formal] else value.formal)

    def hear(self, tokens: Iterable[Token]) -> tuple[Token, ...]:
        """The tokens with the recognizer's errors: accents, stops, words, fillers, repeated words."""
        voice, rng, result = self.voice, self.rng, []
        for position, token in enumerate(tokens):
            heard = token.heard
            if token.right == token.heard:
                bare = heard.strip(".,;:¿?¡!").lower()
                if bare in self._words and rng.random() < voice.mishearing:
                    heard = re.sub(re.escape(bare), self._words[bare], heard, flags=re.IGNORECASE)
                elif rng.random() < voice.accent_loss:
                    heard = without_accents(heard)
                if rng.random() < voice.stop_loss:
                    heard = heard.rstrip(".,;:")
                if position == 0 and rng.random() < voice.stop_loss:
                    heard = heard.lower()
            if rng.random() < voice.filler:
                result.append(Token("", rng.choice(self._fillers)))
            result.append(Token(token.right, heard))
            if token.right.isalpha() and len(token.right) < 4 and rng.random() < voice.repetition * 4:
                result.append(Token("", heard))
        return tuple(result)


def _fill(text: str, values: dict[str, Value]) -> str:
    return _SLOT.sub(lambda slot: values[slot[1]].formal, text)


def join(words: Sequence[str]) -> str:
    """Words as running text: no space before a stop, and "de el" and "a el" in one word."""
    text = re.sub(r"\s+([.,;:?!])", r"\1", " ".join(word for word in words if word))
    return re.sub(r"\b([dD])e el\b", r"\1el", re.sub(r"\b([aA]) el\b", r"\1l", text))


def finished(text: str) -> str:
    """The text with a capital and a stop; empty text stays empty."""
    text = join(text.split())
    if not text:
        return text
    return text[0].upper() + text[1:] + ("" if text[-1] in ".?!:" else ".")


def without_accents(text: str) -> str:
    """The text without accents on vowels; ñ and ü stay."""
    return "".join(
        unicodedata.normalize("NFD", letter)[0] if letter in "áéíóúÁÉÍÓÚ" else letter for letter in text
    )
