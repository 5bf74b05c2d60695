"""One loaded engine for the whole folder: loading takes seconds, masking milliseconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import pytest

from astra_learn_assets.privacy.detector import Detector
from astra_learn_assets.privacy.identifiers.rules import Finding
from astra_learn_assets.privacy.ner.nlp import Entity
from astra_learn_assets.privacy.pseudonymizer import Pseudonymizer
from astra_learn_assets.privacy.scan.residual import ResidualScanner


@lru_cache(maxsize=32)
def engine(country: str = "es") -> Pseudonymizer:
    """A pseudonymizer without tenant lists, shared."""
    return Pseudonymizer(country=country)


class NamesNobody:
    """An entity model for tests of what is no name: loads nothing and finds no person."""

    name = "nobody"

    def entities(self, texts: Iterable[str]) -> Iterator[list[Entity]]:
        """No entities."""
        return iter([[] for _ in texts])


@lru_cache(maxsize=32)
def detector(country: str) -> Detector:
    """The detector of a tenant without lists, its entity model left out."""
    return Detector(NamesNobody(), country=country)


def identifiers(country: str, texts: Sequence[str]) -> list[list[Finding]]:
    """What the detector masks in each text as a number or an address, so not as a person."""
    return [[f for f in found if f.kind != "PERSONA"] for found in detector(country).find(texts)]


def covered(country: str, value: str, *contexts: str) -> bool:
    """Whether every letter and digit of ``value`` is masked in each context, ``{}`` being its place."""
    texts = [context.format(value) for context in contexts]
    return all(
        any(f.start <= i < f.end for f in found)
        for text, found in zip(texts, identifiers(country, texts), strict=True)
        for i in range(text.index(value), text.index(value) + len(value))
        if text[i].isalnum()
    )


@pytest.fixture(scope="session")
def pseudonymizer() -> Pseudonymizer:
    return engine()


@lru_cache(maxsize=1)
def _second_detector() -> ResidualScanner:
    return ResidualScanner(country="es")


@pytest.fixture(scope="session")
def scanner() -> ResidualScanner:
    return _second_detector()
