"""Text for the base model: reading the minutes, drawing examples, filling packs in worker processes.

A pack is one flat row of a fixed number of tokens that holds whole examples end to end::

    <in>noisy<out>clean<eos>   loss on "clean<eos>"     (restore task)
    plain text<eos>            loss on every token       (language)
"""

from __future__ import annotations

import json
import lzma
import multiprocessing
import os
import queue
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from trainer.making.hearing import Hearing

PAD, EOS, IN, OUT = 0, 1, 2, 3
SPECIAL_TOKENS = ("<pad>", "<eos>", "<in>", "<out>")
LONGEST = 512
_SENTENCE_END = re.compile(r"(?<=[.?!…])\s+(?=[A-ZÁÉÍÓÚÑ¿¡«])")


@dataclass(frozen=True)
class Pack:
    """``labels[i]`` is the token that follows ``tokens[i]`` in the same example, or -100."""

    tokens: numpy.ndarray[Any, Any]
    labels: numpy.ndarray[Any, Any]
    positions: numpy.ndarray[Any, Any]
    starts: numpy.ndarray[Any, Any]


def read_paragraphs(files: Sequence[Path]) -> list[str]:
    """The ``text`` field of JSONL files (plain or .xz), white space collapsed, empty ones left out."""
    texts = []
    for file in files:
        data = file.read_bytes()
        lines = (lzma.decompress(data) if file.suffix == ".xz" else data).decode("utf-8").split("\n")
        texts += [" ".join(json.loads(line)["text"].split()) for line in lines if line.strip()]
    return [text for text in texts if text]


def sentences(paragraph: str) -> list[str]:
    return _SENTENCE_END.split(paragraph)


class ExampleSource:
    """Draws (noisy, clean) pairs and plain stretches from paragraphs already split into sentences."""

    def __init__(self, paragraphs: Sequence[Sequence[str]], noise: Hearing) -> None:
        self.paragraphs, self.noise, self.random = paragraphs, noise, noise.random

    def _stretch(self, characters: int) -> str:
        """One or more whole sentences in a row, at most about ``characters`` long."""
        r = self.random
        while True:
            paragraph = r.choice(self.paragraphs)
            if len(paragraph) < 3 and r.random() < 0.5:
                continue  # one-line paragraphs are half of all and say little
            first = r.randrange(len(paragraph))
            text = paragraph[first]
            for sentence in paragraph[first + 1 :]:
                if len(text) + len(sentence) > characters:
                    break
                text += " " + sentence
            if len(text) <= 900:
                return text

    def clean(self) -> str:
        """Text as a clerk leaves it: sentences, now and then a fragment, a list entry, a heading."""
        r = self.random
        text = self._stretch(r.choice((1, 1, 1, 120, 200, 300, 450, 700)))
        chance = r.random()
        if chance < 0.10:
            words = text.split(" ")
            first = r.randrange(max(1, len(words) - 4))
            text = " ".join(words[first : first + r.randint(3, 40)])
        elif chance < 0.18:
            text = (
                r.choice(
                    (f"{r.randint(1, 30)}. ", f"{r.choice('abcdefgh')}) ", "- ", "— ", "Punto primero. ")
                )
                + text
            )
        elif chance < 0.22:
            text = " ".join(text.split(" ")[: r.randint(2, 9)]).rstrip(".,;").upper()
        return self.noise.rename(text, placeholder_share=0.12, invented_share=0.18)

    def pair(self) -> tuple[str, str]:
        """(as transcribed, as corrected); three in ten are already clean."""
        text, r = self.clean(), self.random
        if r.random() < 0.3:
            return text, text
        if r.random() < 0.3:
            return self.noise.corrupt(text, r.uniform(0.3, 1.7)), text
        return self.noise.transcribe(text, r.uniform(0.1, 1.6)), text

    def plain(self) -> str:
        return self._stretch(self.random.choice((200, 600, 900)))


class PackFiller:
    """Fills packs of ``size`` tokens; ``restore_share`` is the share of examples of the restore task."""

    def __init__(self, source: ExampleSource, tokenizer: Any, size: int, restore_share: float) -> None:
        self.source, self.tokenizer, self.size, self.restore_share = source, tokenizer, size, restore_share
        self.ready: list[tuple[list[int], int]] = []

    def _more(self) -> None:
        random_ = self.source.random
        texts: list[str] = []
        kinds: list[bool] = []
        for _ in range(512):
            if random_.random() < self.restore_share:
                texts += self.source.pair()
                kinds.append(True)
            else:
                texts.append(self.source.plain())
                kinds.append(False)
        encoded = iter(e.ids for e in self.tokenizer.encode_batch(texts, add_special_tokens=False))
        for restore in kinds:
            if restore:
                prompt = [IN, *next(encoded), OUT]
                tokens, learned_from = prompt + next(encoded) + [EOS], len(prompt) - 1
            else:
                tokens, learned_from = [*next(encoded), EOS], 0
            if len(tokens) <= LONGEST:
                self.ready.append((tokens, learned_from))

    def fill(self) -> Pack:
        tokens = numpy.full(self.size, PAD, dtype=numpy.int32)
        labels = numpy.full(self.size, -100, dtype=numpy.int32)
        positions = numpy.zeros(self.size, dtype=numpy.int32)
        starts, at = [0], 0
        while True:
            if not self.ready:
                self._more()
            example, learned_from = self.ready[-1]
            if at + len(example) > self.size or len(starts) > self.size // 24:
                break
            self.ready.pop()
            end = at + len(example)
            tokens[at:end] = example
            labels[at + learned_from : end - 1] = example[learned_from + 1 :]
            positions[at:end] = numpy.arange(len(example))
            at = end
            starts.append(at)
        while at < self.size:  # what is left is padding, an example of its own that nothing learns from
            at = min(self.size, at + LONGEST)
            starts.append(at)
        # The number of examples varies; empty ones at the end keep the compiled shapes fixed.
        room = self.size // 24 + self.size // LONGEST + 3
        padded = numpy.full(room, self.size, dtype=numpy.int32)
        padded[: len(starts)] = starts
        return Pack(tokens, labels, positions, padded)


def _work(
    seed: int,
    paragraphs: Sequence[Sequence[str]],
    confusions: dict[str, list[str]],
    words: frozenset[str],
    tokenizer_file: str,
    size: int,
    restore_share: float,
    packs: Any,
    parent: int,
) -> None:
    from tokenizers import Tokenizer

    os.environ["TOKENIZERS_PARALLELISM"] = "0"
    random.seed(seed)
    filler = PackFiller(
        ExampleSource(paragraphs, Hearing(seed, confusions, words)),
        Tokenizer.from_file(tokenizer_file),
        size,
        restore_share,
    )
    while os.getppid() == parent:
        packs.put(filler.fill())


class PackStream:
    """Packs from worker processes. When they fall behind, an earlier pack is used again."""

    def __init__(
        self,
        paragraphs: Sequence[Sequence[str]],
        confusions: dict[str, list[str]],
        words: frozenset[str],
        tokenizer_file: Path,
        *,
        size: int,
        restore_share: float,
        workers: int,
        seed: int,
    ) -> None:
        context = multiprocessing.get_context("fork")  # the text is shared, not copied
        self.packs: Any = context.Queue(maxsize=workers * 4)
        self.processes = [
            context.Process(
                target=_work,
                args=(seed * 1000 + i, paragraphs, confusions, words, str(tokenizer_file), size,
                restore_share, self.packs, os.getpid()),
                daemon=True,
            )
            for i in range(workers)
        ]  # fmt: skip
        for process in self.processes:
            process.start()
        self.recent: list[Pack] = []
        self.random = random.Random(seed)
        self.reused = 0

    def next(self) -> Pack:
        try:
            pack: Pack = self.packs.get(block=len(self.recent) < 32)
        except queue.Empty:
            self.reused += 1
            return self.random.choice(self.recent)
        if len(self.recent) < 512:
            self.recent.append(pack)
        else:
            self.recent[self.random.randrange(512)] = pack
        return pack

    def close(self) -> None:
        for process in self.processes:
            process.terminate()
