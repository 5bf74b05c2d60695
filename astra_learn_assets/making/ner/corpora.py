"""Real text with spans: clinical records, silver minutes, and minutes labelled from their speaker list.

Distant supervision: a paragraph of the Congress names the people addressed in it ("la señora Oramas"),
and the file knows all speakers. A capitalised run made of speaker names, or led by a title, is a
person; capitalised words we cannot judge get the label ``-`` (no gradient). The year 2020 is never
read here: it is the test. Names are swapped for generated ones in half of the sentences, so the model
learns the places where names stand, not the names of one parliament.
"""

from __future__ import annotations

import json
import lzma
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from astra_learn_assets.making.ner.grammar import Sentence, Span
from astra_learn_assets.making.ner.invented_names import NameFactory
from astra_learn_assets.spanish.fold import fold

DISTANT_YEARS = (2015, 2016, 2017, 2018, 2019)
UNKNOWN = "-"
_CLINICAL = {
    "NOMBRE_SUJETO_ASISTENCIA": "PER",
    "NOMBRE_PERSONAL_SANITARIO": "PER",
    "CALLE": "LOC",
    "TERRITORIO": "LOC",
    "PAIS": "LOC",
    "HOSPITAL": "ORG",
    "INSTITUCION": "ORG",
    "CENTRO_SALUD": "ORG",
}
_CAPITAL = r"[A-ZÁÉÍÓÚÜÑÀÈÒÇ][\wÁÉÍÓÚÜÑáéíóúüñàèòïç’'·]*"
_RUN = re.compile(rf"{_CAPITAL}(?:[ -](?:(?:de la|de los|de las|del|de|i|y|e)[ ])?{_CAPITAL})*")
_TITLE_BEFORE = re.compile(r"(?:señor|señora|don|doña|señores|señoras)\s+$")
_NOT_NAME = frozenset(
    [
        "presidente",
        "presidenta",
        "ministro",
        "ministra",
        "secretario",
        "secretaria",
        "diputado",
        "diputada",
        "vicepresidente",
        "vicepresidenta",
        "portavoz",
        "letrado",
        "gobierno",
        "estado",
        "camara",
        "congreso",
        "senado",
        "letrada",
        "candidato",
        "defensor",
        "fiscal",
    ]
)
_SMALL = re.compile(r"(?<!\w)[a-záéíóúüñ]{3,}(?!\w)")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+(?=[A-ZÁÉÍÓÚ¿¡])")


def read_jsonl(path: Path) -> Iterator[dict[str, object]]:
    """The objects of one ``.jsonl.xz`` file."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def clinical(path: Path) -> list[Sentence]:
    """MEDDOCAN records cut into lines, labels PER, LOC, ORG (postal codes left out)."""
    out: list[Sentence] = []
    for record in read_jsonl(path):
        text = str(record["text"])
        spans = [
            (s, e, _CLINICAL[label])
            for s, e, label in record["spans"]  # type: ignore[attr-defined]
            if label in _CLINICAL and not text[s:e].isdigit()
        ]
        start = 0
        lines = text.split("\n")
        for group in range(0, len(lines), 3):
            piece = "\n".join(lines[group : group + 3])
            end = start + len(piece)
            inside = [(s - start, e - start, label) for s, e, label in spans if s >= start and e <= end]
            if piece.strip():
                out.append((piece, inside))
            start = end + 1
    return out


def silver(path: Path) -> list[Sentence]:
    """The machine-labelled minutes; persons after a title that the machine missed are added."""
    out: list[Sentence] = []
    for record in read_jsonl(path):
        text = str(record["text"])
        spans: list[Span] = [(s, e, label) for s, e, label in record["spans"] if label != "MISC"]  # type: ignore[attr-defined]
        for run in _RUN.finditer(text):
            if (
                _TITLE_BEFORE.search(text, 0, run.start())
                and fold(run[0].split()[0]) not in _NOT_NAME
                and not any(s < run.end() and e > run.start() for s, e, _ in spans)
            ):
                spans.append((run.start(), run.end(), "PER"))
        out.append((text, sorted(spans)))
    return out


def speaker_words(keys: Iterator[str]) -> set[str]:
    """The name words (accent-blind) in speaker keys such as ``CelsoLuisDelgadoArce``."""
    words: set[str] = set()
    for key in keys:
        words.update(fold(w) for w in re.findall(r"[A-ZÁÉÍÓÚÜÑÀÈÒÇ][^A-ZÁÉÍÓÚÜÑÀÈÒÇ]+", key) if len(w) > 2)
    return words - {"del", "los", "las", "san"}


def distant(folder: Path, limit: int, rng: random.Random) -> list[Sentence]:
    """Sentences of 2015 to 2019 with persons from the speaker list; about 1 in 3 has none.

    A span labelled :data:`UNKNOWN` is capitalised text that is neither.
    """
    pool: list[str] = []
    keys: set[str] = set()
    for year in DISTANT_YEARS:
        for record in read_jsonl(folder / f"{year}.jsonl.xz"):
            keys.add(str(record["who"]))
            if rng.random() < 0.5:
                pool += [s for s in _SENTENCE.split(str(record["text"])) if 15 < len(s) < 400]
    words = speaker_words(iter(keys))
    rng.shuffle(pool)
    with_person: list[Sentence] = []
    without: list[Sentence] = []
    for text in pool:
        sentence = text, _label_runs(text, words)
        target = with_person if any(label == "PER" for _, _, label in sentence[1]) else without
        if len(target) < (limit * 2 // 3 if target is with_person else limit // 3):
            target.append(sentence)
        if len(with_person) + len(without) >= limit // 3 + limit * 2 // 3:
            break
    return with_person + without


def alike(folder: Path, words: frozenset[str], most: int, rng: random.Random) -> list[Sentence]:
    """Sentences of 2015 to 2019 in which a word of ``words`` (folded) stands in small letters: no name.

    At most ``most`` for each word: a rare one ("prado") counts as much as a common one ("mayor").
    """
    pool: list[str] = []
    keys: set[str] = set()
    for year in DISTANT_YEARS:
        for record in read_jsonl(folder / f"{year}.jsonl.xz"):
            keys.add(str(record["who"]))
            pool += [s for s in _SENTENCE.split(str(record["text"])) if 25 < len(s) < 260]
    rng.shuffle(pool)
    speakers = speaker_words(iter(keys))
    met: Counter[str] = Counter()
    out: list[Sentence] = []
    for text in pool:
        inside = [w for w in map(fold, _SMALL.findall(text)) if w in words and met[w] < most]
        if inside:
            met.update(inside)
            out.append((text, _label_runs(text, speakers)))
    return out


def _label_runs(text: str, words: set[str]) -> list[Span]:
    spans: list[Span] = []
    for run in _RUN.finditer(text):
        tokens = [fold(w) for w in re.split(r"[ -]", run[0]) if w[:1].isupper()]
        known = [t in words for t in tokens]
        titled = bool(_TITLE_BEFORE.search(text, 0, run.start()))
        if tokens[0] in _NOT_NAME:
            continue
        if (titled and any(known)) or (len(tokens) > 1 and all(known)):
            spans.append((run.start(), run.end(), "PER"))
        elif run.start() > 0:
            spans.append((run.start(), run.end(), UNKNOWN))
    return spans


def swap_names(sentence: Sentence, names: NameFactory) -> Sentence:
    """The sentence with each person replaced by a generated one (lone surname stays lone)."""
    text, spans = sentence
    out, moved, last = "", [], 0
    for start, end, label in spans:
        out += text[last:start]
        value = text[start:end]
        if label == "PER" and "\n" not in value:
            count = len(value.split())
            value = names.surname() if count == 1 else names.surnames() if count == 2 else names.full()
        moved.append((len(out), len(out) + len(value), label))
        out += value
        last = end
    return out + text[last:], moved
