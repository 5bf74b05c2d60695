"""The shipped entity network computed faster than spaCy does, to the same entities.

    quick = quick_model(nlp, name)    # None where the network is built otherwise

Most of what spaCy spends on a sentence is bookkeeping and work done before. Here

* what the network knows of a word alone (four hash embeddings and the layer that mixes them) depends on
  nothing but its spelling: computed once a word, remembered for :data:`MOST_WORDS` words;
* the convolutions over neighbouring words are computed once for the same words in a row, which draft and
  final share, over arrays that fit the processor's cache;
* outside an entity, what comes next depends on the word alone, not on the steps before: all words are
  decided at once, and only where an entity opens are its further words gone through, all entities abreast.

The tokenizer stays spaCy's. The rules of which step may follow which are those of
``spacy.pipeline._parser_internals.ner`` (3.8) for documents without preset entities or sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from spacy.language import Language
    from spacy.tokens import Doc

    from astra_learn_assets.privacy.ner.nlp import Entity

    Array = np.ndarray[Any, Any]

MOST_WORDS = 30_000  # rows of 96 floats: 12 MB
BATCH_WORDS = 10_000
ROWS = 512  # words computed together: 288 floats each stay in the second-level cache
_SPELLING = frozenset(["ORTH", "NORM", "LOWER", "PREFIX", "SUFFIX", "SHAPE"])  # a lexeme's, not a token's


def quick_model(nlp: Language, name: str) -> QuickModel | None:
    """The entity model of ``nlp``, computed the fast way; None for any other build than the shipped one's."""
    if nlp.pipe_names != ["ner"] or nlp.config["nlp"]["tokenizer"]["@tokenizers"] != "astra.tokenizer.v1":
        return None
    model = nlp.config["components"]["ner"]["model"]
    embed, encode = model["tok2vec"]["embed"], model["tok2vec"]["encode"]
    built_alike = (
        model["@architectures"] == "spacy.TransitionBasedParser.v2"
        and model["state_type"] == "ner"
        and not model["extra_state_tokens"]
        and model["use_upper"]
        and model["maxout_pieces"] > 1
        and embed["@architectures"] == "spacy.MultiHashEmbed.v2"
        and not embed["include_static_vectors"]
        and _SPELLING.issuperset(embed["attrs"])
        and encode["@architectures"] == "spacy.MaxoutWindowEncoder.v2"
        and encode["window_size"] == 1
    )
    return QuickModel(nlp, name) if built_alike else None


class QuickModel:
    """An :class:`~astra_learn_assets.privacy.ner.nlp.EntityModel`. Not thread-safe (it remembers words)."""

    def __init__(self, nlp: Language, name: str) -> None:
        self.nlp = nlp
        self.name = name
        component: Any = nlp.get_pipe("ner")
        tok2vec = component.model.get_ref("tok2vec")
        inner, _, narrow = tok2vec.layers
        encoder = inner.get_ref("encode")
        self._words = _Words(nlp, inner.get_ref("embed"))
        self._layers = [_Layer.of(block) for block in encoder.layers[0].layers]
        self._pad = int(encoder.attrs["pad"])
        self._narrow = narrow.get_param("W").T, narrow.get_param("b")
        self._steps = _Steps(component)

    def entities(self, texts: Iterable[str]) -> Iterator[list[Entity]]:
        """As :meth:`~astra_learn_assets.privacy.ner.nlp.EntityModel.entities`."""
        docs = map(self.nlp.make_doc, texts)
        while batch := list(islice(docs, 512)):
            for part in _parts(batch):
                yield from self._read(part)

    def _read(self, docs: Sequence[Doc]) -> Iterator[list[Entity]]:
        rows = self._words.rows(docs, self._pad)
        hidden = _encode(self._words.table, rows, self._layers)
        weights, bias = self._narrow
        spaces = self._words.space[rows[rows > 0]]
        found = self._steps.entities(hidden @ weights + bias, spaces, [len(doc) for doc in docs])
        for doc, spans in zip(docs, found, strict=True):
            yield [(doc[first].idx, doc[last].idx + len(doc[last]), label) for first, last, label in spans]


def _parts(docs: Sequence[Doc]) -> Iterator[list[Doc]]:
    part: list[Doc] = []
    words = 0
    for doc in docs:
        if part and words + len(doc) > BATCH_WORDS:
            yield part
            part, words = [], 0
        part.append(doc)
        words += len(doc)
    if part:
        yield part


class _Words:
    """What the network's first layers make of a word; row 0 of both tables is padding.

    ``table`` has one row of floats a word, ``space`` says whether it is nothing but space.
    """

    def __init__(self, nlp: Language, embed: Any) -> None:
        import numpy as np

        self._vocab = nlp.vocab
        self._embed = embed
        self._rows: dict[int, int] = {}
        self.table = np.zeros((1, embed.get_dim("nO")), dtype="float32")
        self.space = np.zeros(1, dtype=bool)

    def rows(self, docs: Sequence[Doc], pad: int) -> Array:
        """The row of each word of ``docs`` in order, ``pad`` times the row of padding around each text."""
        import numpy as np
        from spacy.attrs import ORTH

        spelled = [doc.to_array(ORTH).tolist() for doc in docs]
        new = {word for words in spelled for word in words if word not in self._rows}
        if new:
            if len(self._rows) + len(new) > MOST_WORDS:
                self._rows.clear()
                self.table, self.space = self.table[:1], self.space[:1]
                new = {word for words in spelled for word in words}
            self._learn(sorted(new))
        gap = [0] * pad
        rows = list(gap)
        for words in spelled:
            rows += map(self._rows.__getitem__, words)
            rows += gap
        return np.array(rows)

    def _learn(self, new: Sequence[int]) -> None:
        import numpy as np
        from spacy.tokens import Doc

        doc = Doc(self._vocab, words=[self._vocab.strings[word] for word in new])
        self._rows.update((word, len(self.table) + i) for i, word in enumerate(new))
        self.table = np.concatenate([self.table, self._embed.predict([doc])[0]])
        self.space = np.concatenate([self.space, np.array([word.is_space for word in doc])])


@dataclass(frozen=True)
class _Layer:
    """A residual block: ``pieces`` maxout pieces of the three neighbouring words, then normalized."""

    weights: Array  # (3 * width, pieces * width), a piece's columns side by side
    bias: Array
    pieces: int
    scale: Array
    shift: Array

    @classmethod
    def of(cls, block: Any) -> _Layer:
        """Read from thinc's layers, whose maxout weights are ``(width, pieces, 3 * width)``."""
        import numpy as np

        nodes = {node.name: node for node in block.walk()}
        maxout, norm = nodes["maxout"], nodes["layernorm"]
        weights = maxout.get_param("W")
        width, pieces, size = weights.shape
        return cls(
            np.ascontiguousarray(weights.transpose(2, 1, 0).reshape(size, pieces * width)),
            np.ascontiguousarray(maxout.get_param("b").T.reshape(-1)),
            pieces,
            norm.get_param("G"),
            norm.get_param("b"),
        )


def _encode(table: Array, rows: Array, layers: Sequence[_Layer]) -> Array:
    """``(words, width)`` for the words ``table[rows]`` among their neighbours, without the padding (row 0).

    After ``n`` layers a word depends on ``n`` words to each side: the same words in a row are computed once.
    Padding takes part in all layers but the last, as in spaCy.
    """
    import numpy as np

    hidden, numbers = table, rows
    for layer in layers:
        nothing = len(hidden)  # stands before the first row and behind the last
        around = np.stack([np.append(nothing, numbers[:-1]), numbers, np.append(numbers[1:], nothing)])
        if layer is layers[-1]:
            around = around[:, rows > 0]
        left, middle, right = around
        _, places, numbers = np.unique(
            (left * (nothing + 1) + middle) * (nothing + 1) + right, return_index=True, return_inverse=True
        )
        source = np.concatenate([hidden, np.zeros((1, hidden.shape[1]), dtype="float32")])
        wanted = around[:, places].T
        hidden = np.concatenate(
            [_layer_of(source, wanted[at : at + ROWS], layer) for at in range(0, max(1, len(wanted)), ROWS)]
        )
    return hidden[numbers]


def _layer_of(source: Array, around: Array, layer: _Layer) -> Array:
    """One layer for the rows of ``source`` that ``around`` names as ``(left, itself, right)``."""
    import numpy as np

    width = source.shape[1]
    made = source[around].reshape(len(around), 3 * width) @ layer.weights
    made += layer.bias
    best = made[:, :width]
    for piece in range(1, layer.pieces):
        best = np.maximum(best, made[:, piece * width : (piece + 1) * width])
    best = best - best.mean(axis=1, keepdims=True)
    spread = np.einsum("ij,ij->i", best, best)[:, None] / np.float32(width) + np.float32(1e-8)
    best *= spread ** np.float32(-0.5)
    best *= layer.scale
    best += layer.shift
    best += source[around[:, 1]]
    return best  # type: ignore[no-any-return]


class _Steps:
    """The steps Begin, In, Last, Unit and Out over the words, each the best of those allowed."""

    def __init__(self, component: Any) -> None:
        import numpy as np

        lower, upper = component.model.get_ref("lower"), component.model.get_ref("upper")
        weights = lower.get_param("W")  # (word | first of the entity | word before, hidden, pieces, input)
        places, self._hidden, self._pieces, size = weights.shape
        self._lower = [
            np.ascontiguousarray(weights[i].reshape(self._hidden * self._pieces, size).T)
            for i in range(places)
        ]
        self._bias = lower.get_param("b").reshape(-1)
        self._absent = lower.get_param("pad")[0].reshape(places, -1)
        self._upper = np.ascontiguousarray(upper.get_param("W").T), upper.get_param("b")
        names = [component.moves.get_class_name(i) for i in range(component.moves.n_moves)]
        self._labels = sorted({name[2:] for name in names if name[1:2] == "-" and len(name) > 2})
        number = {name: i for i, name in enumerate(names)}
        self._inside = np.array([number[f"I-{label}"] for label in self._labels])
        self._last = np.array([number[f"L-{label}"] for label in self._labels])
        self._out = number["O"]
        self._opens = np.full(len(names), -1)  # per step the label of the entity it opens
        self._units = np.full(len(names), -1)
        for at, label in enumerate(self._labels):
            self._opens[number[f"B-{label}"]] = at
            self._units[number[f"U-{label}"]] = at
        self._closed = (self._opens >= 0) | (self._units >= 0)
        self._closed[self._out] = True

    def entities(
        self, words: Array, spaces: Array, lengths: Sequence[int]
    ) -> list[list[tuple[int, int, str]]]:
        """Per text of so many ``words`` its entities ``(first word, last word, label)``."""
        import numpy as np

        ends = np.cumsum(lengths)
        step = self._outside(words, spaces, ends[np.asarray(lengths) > 0] - 1)
        starts = np.flatnonzero((self._opens[step] >= 0) | (self._units[step] >= 0))
        texts = np.searchsorted(ends, starts, side="right")
        stops, labels = self._followed(words, starts, step, ends[texts] - 1)
        found: list[list[tuple[int, int, str]]] = [[] for _ in lengths]
        free = 0
        for start, stop, label, text in zip(
            starts.tolist(), stops.tolist(), labels.tolist(), texts.tolist(), strict=True
        ):
            if start >= free:
                low = int(ends[text]) - lengths[text]
                found[text].append((start - low, stop - low, self._labels[label]))
                free = stop + 1
        return found

    def _outside(self, words: Array, spaces: Array, last: Array) -> Array:
        """The best step for each word where no entity is open."""
        import numpy as np

        scores = self._scores(words @ self._lower[0] + self._absent[1] + self._absent[2])
        scores[:, ~self._closed] = -np.inf
        scores[np.ix_(spaces, np.arange(scores.shape[1]) != self._out)] = -np.inf
        scores[np.ix_(last, self._opens >= 0)] = -np.inf  # nothing could close it
        return scores.argmax(axis=1)  # type: ignore[no-any-return]

    def _followed(self, words: Array, starts: Array, step: Array, last: Array) -> tuple[Array, Array]:
        """Per start the entity's last word and its label; ``last`` is the last word of its text."""
        import numpy as np

        opened = self._opens[step[starts]]
        labels = np.where(opened >= 0, opened, self._units[step[starts]])
        stops = starts.copy()
        going = np.flatnonzero((opened >= 0) & (starts < last))
        first = words[starts] @ self._lower[1]
        while len(going):
            at = stops[going] + 1
            scores = self._scores(words[at] @ self._lower[0] + first[going] + words[at - 1] @ self._lower[2])
            rows = np.arange(len(going))
            closes = scores[rows, self._last[labels[going]]] > scores[rows, self._inside[labels[going]]]
            stops[going] = at
            going = going[~closes & (at < last[going])]
        return stops, labels

    def _scores(self, summed: Array) -> Array:
        """Scores of all steps from the summed features ``(states, hidden * pieces)``."""
        import numpy as np

        summed += self._bias
        pieces = summed.reshape(len(summed), self._hidden, self._pieces)
        best = pieces[:, :, 0]
        for piece in range(1, self._pieces):
            best = np.maximum(best, pieces[:, :, piece])
        weights, bias = self._upper
        return best @ weights + bias  # type: ignore[no-any-return]
