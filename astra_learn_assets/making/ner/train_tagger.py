"""Train the tagger: ``python -m astra_learn_assets.making.ner.train_tagger --data DIR --out tagger.npz``.

From invented minutes (:mod:`invented_minutes`),
municipal sentences (:mod:`grammar`), clinical records, silver minutes
and minutes labelled by their speaker list (:mod:`corpora`). The case of a text is only one feature of its
words, so each piece is met as printed, in lower case, in capitals and without its punctuation. Some words, of
names
more, are hidden or lose what the lexicon knows of them, so that the place has to tell. ``--words`` bounds the
work: 18 million take some seven minutes of one core. Same seed, data and versions give the same weights.

Needs torch (any build; ``--device cuda`` where there is a card) and the dev extra (Faker).
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from astra_learn_assets.making.ner import corpora, grammar, invented_minutes
from astra_learn_assets.making.ner.grammar import Sentence
from astra_learn_assets.making.ner.invented_names import NameFactory
from astra_learn_assets.privacy.ner import tagger
from astra_learn_assets.spanish.fold import fold_chars

if TYPE_CHECKING:
    import torch

WIDTH = 80
LENGTH = 160  # tokens of one training window
IGNORED = -100
_LABELS = {"PER": 1, "LOC": 3, "ORG": 5}
_NAMED = (1 << 0) | (1 << 1) | (1 << 10)  # the bits of the name lists


def encode(sentences: Iterable[Sentence]) -> np.ndarray[Any, Any]:
    """``(tokens, 7)``: word, prefix, suffix, ending, bits, shape, tag; a line of zeros between two pieces."""
    rows: list[tuple[int, ...]] = []
    for text, spans in sentences:
        found = tagger.tokens(text)
        tags = [0] * len(found)
        at = 0
        for start, end, label in sorted(spans):
            while at < len(found) and found[at][0] < start:
                at += 1
            first = True
            while at < len(found) and found[at][0] < end:
                tags[at] = _LABELS[label] + (not first) if label in _LABELS else IGNORED
                first = False
                at += 1
        for (start, end), tag in zip(found, tags, strict=True):
            token = text[start:end]
            rows.append((*tagger.features(fold_chars(token)), tagger.shape(token), tag))
        rows.append((0, 0, 0, 0, 0, 0, IGNORED))
    return np.array(rows, dtype=np.int32)


def plain_sentences(found: Sequence[Sentence]) -> list[str]:
    """Sentences with no capital but the first: they name nobody."""
    return [t for t, _ in found if 20 < len(t) < 220 and sum(map(str.isupper, t)) == t[0].isupper()]


def corpus(data: Path, seed: int, *, made: int, log: Any = sys.stderr) -> np.ndarray[Any, Any]:
    """All training tokens, ``made`` pieces of invented minutes among them."""
    rng = random.Random(seed)
    names = NameFactory(rng)
    distant = corpora.distant(data / "actas_congreso", 60_000, rng)
    clinical = corpora.clinical(data / "ner" / "meddocan_train.jsonl.xz")
    silver = corpora.silver(data / "ner" / "parlamint_silver.jsonl.xz")
    real = [*distant, *clinical, *clinical, *silver, *silver]
    swapped = [corpora.swap_names(s, names) for s in [*rng.sample(distant, 30_000), *clinical, *silver]]
    prose = plain_sentences(distant)
    log.write(f"{len(real)} real sentences, {len(prose)} of prose\n")
    parts = [encode(real), encode(swapped), encode(islice(grammar.sentences(seed + 1), 60_000))]
    parts.append(encode(islice(invented_minutes.documents(seed + 2, prose), made)))
    log.write(f"tokens: {[len(part) for part in parts]}\n")
    return np.concatenate(parts)


class Batches:
    """Windows of the corpus in the case of some office; see :meth:`draw`."""

    def __init__(self, tokens: np.ndarray[Any, Any], seed: int) -> None:
        self.tokens = tokens
        self.rng = np.random.default_rng(seed)

    def draw(self, count: int) -> np.ndarray[Any, Any]:
        """``(count, LENGTH, 7)`` windows; the tokens of other pieces in a window are padding."""
        starts = self.rng.integers(0, len(self.tokens) - 2 * LENGTH, count)
        return np.stack([self._window(int(start)) for start in starts])

    def _window(self, start: int) -> np.ndarray[Any, Any]:
        rng = self.rng
        window = self.tokens[start : start + 2 * LENGTH].copy()
        if rng.random() < 0.12:  # as a recognizer writes: no marks, no lines
            window = window[~np.isin(window[:, 5], (tagger.LINE, tagger.GAP, tagger.MARK))]
        window = window[:LENGTH]
        if len(window) < LENGTH:
            window = np.concatenate([window, np.zeros((LENGTH - len(window), 7), dtype=np.int32)])
            window[-1, 6] = IGNORED
        shapes = window[:, 5]
        letters = (shapes >= tagger.LOWER) & (shapes <= tagger.MIXED)
        roll = rng.random()
        if roll < 0.36:
            shapes[letters] = tagger.LOWER
        elif roll < 0.52:
            single = letters & (window[:, 4] >> 13 & 1 == 1) & (shapes == tagger.LETTER)
            shapes[letters] = tagger.UPPER
            shapes[single] = tagger.LETTER
        elif roll < 0.56:
            named = (window[:, 6] == 1) | (window[:, 6] == 2)
            shapes[letters & named] = tagger.LOWER
        named = (window[:, 6] == 1) | (window[:, 6] == 2)
        hidden = rng.random(LENGTH) < np.where(named, 0.22, 0.04)
        window[hidden, 0] = 1
        part = hidden & (rng.random(LENGTH) < 0.5)
        window[part, 1:4] = 1
        bare = named & (rng.random(LENGTH) < 0.1)
        window[bare, 4] &= ~_NAMED
        return window


def build() -> torch.nn.Module:
    """The untrained network, of the form that :class:`tagger.Tagger` computes."""
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.word = nn.Embedding(tagger.WORD_ROWS, WIDTH)
            self.prefix, self.suffix, self.ending = (nn.Embedding(tagger.AFFIX_ROWS, WIDTH) for _ in range(3))
            self.shape = nn.Embedding(tagger.SHAPES, WIDTH)
            self.bits = nn.Linear(tagger.BITS, WIDTH, bias=False)
            for table in (self.word, self.prefix, self.suffix, self.ending, self.shape):
                nn.init.normal_(table.weight, std=0.25)
            self.layers = nn.ModuleList(nn.Linear(3 * WIDTH, WIDTH) for _ in tagger.DILATIONS)
            self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in tagger.DILATIONS)
            self.out = nn.Linear(WIDTH, len(tagger.TAGS))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            real = (x[..., 5] > 0).unsqueeze(-1)
            bits = (x[..., 4:5] >> torch.arange(tagger.BITS, device=x.device) & 1).float()
            h = (
                self.word(x[..., 0])
                + self.prefix(x[..., 1])
                + self.suffix(x[..., 2])
                + self.ending(x[..., 3])
            )
            h = h + self.shape(x[..., 5]) + self.bits(bits)
            h = nn.functional.dropout(h, 0.1, self.training) * real
            for distance, layer, norm in zip(tagger.DILATIONS, self.layers, self.norms, strict=True):
                around = nn.functional.pad(h, (0, 0, distance, distance))
                joined = torch.cat([around[:, : -2 * distance], h, around[:, 2 * distance :]], dim=-1)
                h = norm(h + torch.relu(layer(joined))) * real
            return self.out(h)  # type: ignore[no-any-return]

    return Network()


def weights_of(network: Any) -> dict[str, np.ndarray[Any, Any]]:
    """The weights by the names that the NumPy network reads, half precision."""
    state = {
        name: value.detach().cpu().numpy().astype("float16") for name, value in network.state_dict().items()
    }
    out = {name: state[f"{name}.weight"] for name in ("word", "prefix", "suffix", "ending", "shape")}
    out["bits"] = state["bits.weight"].T
    for at in range(len(tagger.DILATIONS)):
        out |= {f"layer{at}": state[f"layers.{at}.weight"].T, f"bias{at}": state[f"layers.{at}.bias"]}
        out |= {f"scale{at}": state[f"norms.{at}.weight"], f"shift{at}": state[f"norms.{at}.bias"]}
    return out | {"out": state["out.weight"].T, "out_bias": state["out.bias"]}


def state_of(path: Path) -> dict[str, torch.Tensor]:
    """The state of :func:`build` from weights that :func:`weights_of` wrote."""
    import torch

    with np.load(path) as stored:
        w = {name: torch.from_numpy(stored[name].astype("float32")) for name in stored.files}
    out = {f"{name}.weight": w[name] for name in ("word", "prefix", "suffix", "ending", "shape")}
    out["bits.weight"] = w["bits"].T
    for at in range(len(tagger.DILATIONS)):
        out |= {f"layers.{at}.weight": w[f"layer{at}"].T, f"layers.{at}.bias": w[f"bias{at}"]}
        out |= {f"norms.{at}.weight": w[f"scale{at}"], f"norms.{at}.bias": w[f"shift{at}"]}
    return out | {"out.weight": w["out"].T, "out.bias": w["out_bias"]}


def train(
    data: np.ndarray[Any, Any],
    *,
    seed: int,
    words: int,
    device: str,
    out: Path,
    start: Path | None = None,
    rate: float = 3e-3,
    log: Any = sys.stderr,
) -> Any:
    """Train for ``words`` tokens; the running average of the weights is kept, and written now and then."""
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(1)  # the layers are small: more threads wait for each other
    network = build()
    if start is not None:
        network.load_state_dict(state_of(start))
    network = network.to(device)
    averaging: Any = torch.optim.swa_utils
    average = averaging.AveragedModel(network, multi_avg_fn=averaging.get_ema_multi_avg_fn(0.995))
    batches, count = Batches(data, seed), 48
    steps = words // (count * LENGTH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps + 1, pct_start=0.08)
    weight = torch.tensor([1.0, 1.6, 1.6, 0.8, 0.8, 0.8, 0.8], device=device)  # a lost person is dear
    started, loss_sum = time.monotonic(), 0.0
    for step in range(1, steps + 1):
        batch = torch.from_numpy(batches.draw(count).astype("int64")).to(device)
        logits = network(batch)
        loss = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), batch[..., 6].flatten(), weight=weight, ignore_index=IGNORED
        )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        average.update_parameters(network)
        loss_sum += float(loss.detach())
        if step % 100 == 0:
            seconds = time.monotonic() - started
            log.write(f"{step:>6}/{steps}  {seconds:5.0f} s  loss {loss_sum / 100:.4f}\n")
            log.flush()
            loss_sum = 0.0
        if step % 300 == 0 or step == steps:
            save(average.module, out)
    return average.module


def save(network: Any, out: Path) -> None:
    """Write the weights beside ``out`` and rename."""
    partial = out.with_name(out.name + ".partial.npz")
    weights: dict[str, Any] = dict(weights_of(network))
    np.savez_compressed(partial, **weights)
    partial.rename(out)


def main() -> None:
    """Train as told."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with ner/ and actas_congreso/")
    parser.add_argument("--out", type=Path, required=True, help="file to write, tagger.npz")
    parser.add_argument("--words", type=int, default=18_000_000, help="training length in tokens")
    parser.add_argument("--made", type=int, default=20_000, help="pieces of invented minutes")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rate", type=float, default=3e-3, help="learning rate at its highest")
    parser.add_argument("--start", type=Path, help="go on from these weights")
    parser.add_argument(
        "--corpus",
        type=Path,
        help="encoded corpus, .npz: read where it is there (then --data is not needed), else written",
    )
    given = parser.parse_args()
    if given.corpus and given.corpus.is_file():
        with np.load(given.corpus) as stored:
            data = stored["tokens"].astype("int32")
    elif given.data is None:
        parser.error("name the --data to make the corpus of, or a --corpus that was made")
    else:
        data = corpus(given.data, given.seed, made=given.made)
        if given.corpus:
            np.savez_compressed(given.corpus, tokens=data.astype("int16"))
    started = time.monotonic()
    train(
        data,
        seed=given.seed,
        words=given.words,
        device=given.device,
        out=given.out,
        start=given.start,
        rate=given.rate,
    )
    record = {
        "seed": given.seed,
        "words": given.words,
        "made": given.made,
        "seconds": round(time.monotonic() - started),
    }
    given.out.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
