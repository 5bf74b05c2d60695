"""Train the tagger: ``python -m astra_learn_assets.making.ner.train_tagger --data DIR --out tagger.npz``.

From what :mod:`tagger_corpus` gathers. The case of a text is only one feature of its words, so each piece
is met as printed, in lower case, in capitals and without its punctuation. Some words, of names more, are
hidden or lose what the lexicon knows of them, so that the place has to tell. ``--words`` bounds the work: 18
million take some seven minutes of one core. Same seed, data and versions give the same weights.

``--start`` goes on from weights that are there, ``--keep`` mixes them into the new ones, and ``--others``
those of other trainings from the same start: weights of one origin can be averaged, and the mean errs less
than any of them (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models" and "Model soups").

``--sentences`` keeps the real sentences and ``--corpus`` all tokens: a machine without the data can go on.

Needs torch (any build; ``--device cuda`` where there is a card) and the dev extra (Faker).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from astra_learn_assets.making.ner.tagger_corpus import IGNORED, Real, corpus, real_of
from astra_learn_assets.privacy.ner import tagger

if TYPE_CHECKING:
    import torch

WIDTH = 80
LENGTH = 160  # tokens of one training window
SAVED = 2_000  # steps between two copies on disk
HIDDEN = (0.22, 0.04)
"""Share of the words that are hidden from the network: of names, and of all others."""
_NAMED = (1 << 0) | (1 << 1) | (1 << 10)  # the bits of the name lists


class Batches:
    """Windows of the corpus in the case of some office; see :meth:`draw`."""

    def __init__(self, tokens: np.ndarray[Any, Any], seed: int, hidden: tuple[float, float] = HIDDEN) -> None:
        self.tokens = tokens
        self.hidden = hidden
        self.rng = np.random.default_rng(seed)

    def draw(self, count: int) -> np.ndarray[Any, Any]:
        """``(count, LENGTH, 7)`` windows; the tokens of other pieces in a window are padding."""
        starts = self.rng.integers(0, len(self.tokens) - 2 * LENGTH, count)
        return np.stack([self._window(int(start)) for start in starts])

    def _window(self, start: int) -> np.ndarray[Any, Any]:
        rng = self.rng
        window = self.tokens[start : start + 2 * LENGTH].astype(np.int32)
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
        hidden = rng.random(LENGTH) < np.where(named, *self.hidden)
        window[hidden, 0] = 1
        part = hidden & (rng.random(LENGTH) < 0.5)
        window[part, 1:4] = 1
        bare = named & (rng.random(LENGTH) < 0.1)
        window[bare, 4] &= ~_NAMED
        return window


def build(dilations: tuple[int, ...] = tagger.DILATIONS) -> torch.nn.Module:
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
            self.layers = nn.ModuleList(nn.Linear(3 * WIDTH, WIDTH) for _ in dilations)
            self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in dilations)
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
            for distance, layer, norm in zip(dilations, self.layers, self.norms, strict=True):
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
    for at in range(sum(name.startswith("norms.") and name.endswith(".bias") for name in state)):
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
    for at in range(sum(name.startswith("layer") for name in w)):
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
    hidden: tuple[float, float] = HIDDEN,
    dilations: tuple[int, ...] = tagger.DILATIONS,
    log: Any = sys.stderr,
) -> Any:
    """Train for ``words`` tokens; the running average of the weights is kept, and written now and then."""
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(1)  # the layers are small: more threads wait for each other
    network = build(dilations)
    if start is not None:
        network.load_state_dict(state_of(start))
    network = network.to(device)
    averaging: Any = torch.optim.swa_utils
    average = averaging.AveragedModel(network, multi_avg_fn=averaging.get_ema_multi_avg_fn(0.995))
    batches, count = Batches(data, seed, hidden), 48
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
        if step % SAVED == 0 or step == steps:
            save(average.module, out)
    return average.module


def save(network: Any, out: Path) -> None:
    """Write the weights beside ``out`` and rename."""
    _write(weights_of(network), out)


def _write(weights: dict[str, Any], out: Path) -> None:
    partial = out.with_name(out.name + ".partial.npz")
    np.savez_compressed(partial, **weights)
    partial.rename(out)


def mixed(old: Path, new: Sequence[Path], share: float) -> dict[str, np.ndarray[Any, Any]]:
    """The mean of files of weights, all of ``new`` trained on from ``old``, by the ``share`` of the old ones.

    Raises:
        ValueError: when they are no weights of one form.
    """
    before = _stored(old)
    after = [_stored(path) for path in new]
    for path, weights in zip(new, after, strict=True):
        if {n: w.shape for n, w in weights.items()} != {n: w.shape for n, w in before.items()}:
            raise ValueError(f"{old} and {path} are no weights of one form: train with --start {old}")
    return {
        name: (share * value + (1 - share) * sum(w[name] for w in after) / len(after)).astype("float16")
        for name, value in before.items()
    }


def _stored(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    with np.load(path) as stored:
        return {name: stored[name].astype("float32") for name in stored.files}


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))


def main() -> None:
    """Train as told."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with ner/ and actas_congreso/")
    parser.add_argument(
        "--out", type=Path, help="file to write, tagger.npz; without it only the corpus is made"
    )
    parser.add_argument("--words", type=int, default=18_000_000, help="training length in tokens")
    parser.add_argument("--made", type=int, default=20_000, help="pieces of invented minutes")
    parser.add_argument("--layouts", type=int, default=100_000, help="pieces of minutes of more layouts")
    parser.add_argument("--written", type=int, default=20_000, help="pieces of minutes written one by one")
    parser.add_argument("--workers", type=int, default=1, help="processes that make the corpus")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--sentences", type=Path, help="real sentences, .json.xz: read where it exists, else written"
    )
    parser.add_argument("--corpus", type=Path, help="all tokens, .npz: read where it exists, else written")
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--keep", type=float, default=0.0, help="share of --start that the result keeps")
    parser.add_argument(
        "--others", type=Path, nargs="*", default=[], help="weights trained from --start, mixed in equally"
    )
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument(
        "--hidden", type=_numbers, default=HIDDEN, help="share of hidden words: of names,of others"
    )
    parser.add_argument("--dilations", type=_numbers, default=tagger.DILATIONS, help="reach of each layer")
    given = parser.parse_args()
    if (given.keep or given.others) and given.start is None:
        parser.error("--keep and --others need the --start weights that all go on from")
    data = _corpus(parser, given)
    if given.out is None:
        return
    started = time.monotonic()
    train(
        data,
        seed=given.seed,
        words=given.words,
        device=given.device,
        out=given.out,
        start=given.start,
        rate=given.rate,
        hidden=given.hidden,
        dilations=tuple(map(int, given.dilations)),
    )
    if given.keep or given.others:
        _write(mixed(given.start, [given.out, *given.others], given.keep), given.out)
    record = {
        "seed": given.seed,
        "keep": given.keep,
        "others": len(given.others),
        "words": given.words,
        "made": given.made,
        "layouts": given.layouts,
        "written": given.written,
        "seconds": round(time.monotonic() - started),
    }
    given.out.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _corpus(parser: argparse.ArgumentParser, given: argparse.Namespace) -> np.ndarray[Any, Any]:
    if given.corpus and given.corpus.is_file():
        with np.load(given.corpus) as stored:
            return stored["tokens"]  # type: ignore[no-any-return]
    if given.sentences and given.sentences.is_file():
        real = Real.load(given.sentences)
    elif given.data is None:
        parser.error("name the --data to make the corpus of, or --sentences or a --corpus that were made")
    else:
        real = real_of(given.data, given.seed)
        if given.sentences:
            real.save(given.sentences)
    data = corpus(
        real,
        given.seed,
        made=given.made,
        layouts=given.layouts,
        written=given.written,
        workers=given.workers,
    )
    if given.corpus:
        np.savez(given.corpus, tokens=data)
    return data


if __name__ == "__main__":
    main()
