"""The named-entity model: how the shipped one is built from spaCy parts, and how any one is loaded.

The shipped model (``model/``) is a blank ``es`` pipeline whose tokenizer is registered here: call
:func:`register` once before a plain ``spacy.load``; :func:`load_model` does. Two things differ
from stock spaCy:

* every punctuation mark is its own token, so ``D.Pedro`` and ``García/López`` come apart;
* the NORM, PREFIX and SUFFIX features are accent- and case-blind (``GARCIA`` = ``García``), while
  SHAPE keeps the case. Rosters in capitals without accents then look like the names they are.

A production model is named in the settings: a spaCy package, a folder, or a Hugging Face
token-classification model below a local path. Nothing is ever downloaded: a missing model is a
:class:`~astra_learn_assets.errors.BadConfiguration`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from astra_learn_assets.errors import BadConfiguration
from astra_learn_assets.privacy.ner.network import quick_model
from astra_learn_assets.spanish.fold import fold

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokenizer import Tokenizer

SHIPPED_MODEL = Path(__file__).resolve().parent / "model"
TOKENIZER = "astra.tokenizer.v1"
_MARK = re.compile(r"[^\w\s]|_")
_LABELS = {"PER": "PER", "PERSON": "PER", "PERS": "PER", "LOC": "LOC", "GPE": "LOC", "ORG": "ORG"}

Entity = tuple[int, int, str]


class EntityModel(Protocol):
    """What the pseudonymizer needs of a model: entities per text, in batches."""

    name: str

    def entities(self, texts: Iterable[str]) -> Iterator[list[Entity]]:
        """Per text the spans ``(start, end, "PER" | "LOC" | "ORG")``, in order of place."""
        ...


def _norm(text: str) -> str:
    return fold(text)


def _prefix(text: str) -> str:
    return fold(text)[:3]


def _suffix(text: str) -> str:
    return fold(text)[-3:]


def make_tokenizer(nlp: Language) -> Tokenizer:
    """The tokenizer of the shipped model; also sets the accent-blind lexeme features."""
    from spacy.attrs import NORM, PREFIX, SUFFIX
    from spacy.tokenizer import Tokenizer

    features: dict[int, Any] = nlp.vocab.lex_attr_getters  # type: ignore[attr-defined]
    features.update({NORM: _norm, PREFIX: _prefix, SUFFIX: _suffix})
    return Tokenizer(
        nlp.vocab,
        prefix_search=re.compile(r"^(?:[^\w\s]|_)").search,  # anchored: spaCy reloads it as a search
        suffix_search=re.compile(r"(?:[^\w\s]|_)$").search,
        infix_finditer=_MARK.finditer,
    )


def _tokenizer_factory() -> Callable[[Language], Tokenizer]:
    return make_tokenizer


def register() -> None:
    """Make the tokenizer known to spaCy."""
    from spacy.util import registry

    if TOKENIZER not in registry.tokenizers:
        registry.tokenizers(TOKENIZER, func=_tokenizer_factory)


class SpacyModel:
    """A spaCy pipeline reduced to what finds entities."""

    def __init__(self, nlp: Language, name: str) -> None:
        self.nlp = nlp
        self.name = name

    def entities(self, texts: Iterable[str]) -> Iterator[list[Entity]]:
        for doc in self.nlp.pipe(texts, batch_size=128):
            yield [
                (span.start_char, span.end_char, _LABELS[span.label_])
                for span in doc.ents
                if span.label_ in _LABELS
            ]


class TransformersModel:
    """A Hugging Face token-classification model in a local folder."""

    def __init__(self, pipeline: Any, name: str) -> None:
        self._pipeline = pipeline
        self.name = name

    def entities(self, texts: Iterable[str]) -> Iterator[list[Entity]]:
        for found in self._pipeline(list(texts), batch_size=32):
            yield [
                (int(item["start"]), int(item["end"]), _LABELS[item["entity_group"]])
                for item in found
                if item["entity_group"] in _LABELS
            ]


@lru_cache(maxsize=4)
def load_model(model: str | None = None) -> EntityModel:
    """The entity model by name or folder; ``None`` is the shipped one. Loaded once per process.

    Raises:
        BadConfiguration: when it is not installed, broken, or has no person label.
    """
    import spacy

    register()
    name = model or str(SHIPPED_MODEL)
    path = Path(name)
    if path.is_dir() and (path / "config.json").is_file() and not (path / "config.cfg").is_file():
        return _load_transformers(path)
    if not path.is_dir() and not spacy.util.is_package(name):
        raise BadConfiguration(
            f"entity model {name!r} is neither an installed spaCy package nor a folder: install it "
            "beforehand (nothing is downloaded at run time) or unset ASTRA_NER_MODEL"
        )
    try:
        nlp = spacy.load(name, exclude=["parser", "lemmatizer", "attribute_ruler", "textcat"])
    except (OSError, ValueError, ImportError, KeyError) as error:
        raise BadConfiguration(f"entity model {name!r} cannot be loaded: {error}") from error
    labels = {label for labels in nlp.pipe_labels.values() for label in labels}
    if not labels & {"PER", "PERSON", "PERS"}:
        raise BadConfiguration(f"entity model {name!r} finds no persons (labels {sorted(labels)[:8]})")
    _speed_up(nlp)
    meta = nlp.meta
    title = f"{meta.get('lang')}_{meta.get('name')} {meta.get('version')}"
    return quick_model(nlp, title) or SpacyModel(nlp, title)


def _speed_up(nlp: Language) -> None:
    """Multiply matrices with NumPy's BLAS instead of the packaged one: same entities, twice as fast."""
    import numpy as np
    from thinc.api import NumpyOps

    class _BlasOps(NumpyOps):  # type: ignore[misc]
        def gemm(self, x: Any, y: Any, out: Any = None, trans1: bool = False, trans2: bool = False) -> Any:
            left, right = (x.T if trans1 else x), (y.T if trans2 else y)
            return np.matmul(left, right) if out is None else np.matmul(left, right, out=out)

    ops = _BlasOps()
    for _, pipe in nlp.pipeline:
        model: Any = getattr(pipe, "model", None)
        for node in model.walk() if hasattr(model, "walk") else ():
            if type(node.ops) is NumpyOps:
                node.ops = ops


def _load_transformers(path: Path) -> EntityModel:
    try:
        from transformers import pipeline

        found = pipeline("token-classification", model=str(path), aggregation_strategy="first", device=-1)
    except (OSError, ValueError, ImportError) as error:
        raise BadConfiguration(f"entity model in {str(path)!r} cannot be loaded: {error}") from error
    return TransformersModel(found, f"transformers {path.name}")
