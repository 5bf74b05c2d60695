"""What only a CUDA card can show. Run with ``pytest -m gpu``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from astra_learn_assets_tests.trainer.examples import line, write

BASE = str(Path(__file__).parents[2] / "trainer" / "base_model")
pytestmark = [pytest.mark.gpu, pytest.mark.timeout(240)]


@pytest.fixture(scope="module", autouse=True)
def _card() -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")


def _train(folder: Path, *arguments: str, count: int = 160) -> subprocess.CompletedProcess[str]:
    data = write(folder / "corpus.jsonl", [line(i) for i in range(count)])
    return subprocess.run(
        [sys.executable, "-m", "trainer", "train", "--data", str(data), "--base", BASE, "--tenant", "alfa",
         "--out", str(folder / "adapter"), "--require-gpu", *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("precision", ["bf16", "fp16", "nf4", "fp32"])
def test_training_learns_in_every_precision(tmp_path: Path, precision: str) -> None:
    if precision == "nf4":
        pytest.importorskip("bitsandbytes")
    golden = write(tmp_path / "golden.jsonl", [line(i) for i in range(1000, 1020)])
    answers = tmp_path / "answers.jsonl"
    done = _train(
        tmp_path, "--precision", precision, "--epochs", "3", "--batch-tokens", "1024",
        "--judge", str(golden), "--answers", str(answers),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    metrics = json.loads(done.stdout)
    assert metrics["precision"] == precision
    assert metrics["validation_loss_last"] < 0.5 * metrics["validation_loss_first"]
    judged = subprocess.run(
        [sys.executable, "-m", "trainer", "evaluate", "--data", str(golden), "--base", BASE,
        "--tenant", "alfa",
         "--adapter", f"candidate={tmp_path / 'adapter'}", "--out", str(tmp_path / "p.jsonl"),
         "--precision", precision],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert judged.returncode == 0, judged.stderr
    rows = [json.loads(text) for text in (tmp_path / "p.jsonl").read_text(encoding="utf-8").splitlines()]
    wrong = {
        name: sum(r["predictions"][name]["text"] != r["reference"] for r in rows)
        for name in ("base", "candidate")
    }
    assert wrong["candidate"] < wrong["base"]
    assert metrics["judged"] is True
    here = [json.loads(text)["predictions"]["candidate"] for text in answers.read_text().splitlines()]
    assert here == [row["predictions"]["candidate"] for row in rows]


def test_varlen_gradients_equal_those_of_single_examples_in_fp32() -> None:
    import torch

    from trainer.data import Encoded
    from trainer.loss import label_losses, to_device
    from trainer.model import load_base, place
    from trainer.packing import collate

    draw = torch.Generator().manual_seed(1)
    examples = [
        Encoded(tuple(torch.randint(4, 8000, (length,), generator=draw).tolist()), length // 2)
        for length in (17, 90, 33, 61)
    ]

    def gradient(precision: str, packs: list[list[Encoded]]) -> torch.Tensor:
        model = load_base(BASE, None, place("cuda", precision), packed=True)  # type: ignore[arg-type]
        model = model.float().requires_grad_(True)
        total = 0
        with torch.autocast("cuda", torch.bfloat16, enabled=precision == "bf16"):
            for pack in packs:
                total = total + label_losses(model, to_device(collate(pack), "cuda"))[0].sum()
        total.backward()  # type: ignore[attr-defined]
        return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])

    reference = gradient("fp32", [[e] for e in examples])
    packed = gradient("bf16", [examples])
    single = gradient("bf16", [[e] for e in examples])
    error = (packed - reference).norm() / reference.norm()
    plain = (single - reference).norm() / reference.norm()
    assert error < 1.2 * plain + 1e-4, (float(error), float(plain))


_SMALL_CARD = """
import sys, trainer, torch
from pathlib import Path
torch.cuda.set_per_process_memory_fraction(float(sys.argv[1]))
from trainer.__main__ import main
sys.exit(main(["train", "--data", sys.argv[2], "--base", sys.argv[3], "--tenant", "alfa", "--out",
sys.argv[4],
  "--epochs", "1", "--batch-tokens", "32768", "--pack-tokens", "32768", "--require-gpu"]))
"""


def test_too_little_memory_is_planned_for_and_the_adapter_published_still(tmp_path: Path) -> None:
    import torch

    data = write(tmp_path / "corpus.jsonl", [line(i) for i in range(1200)])
    share = 1.1e9 / torch.cuda.get_device_properties(0).total_memory
    done = subprocess.run(
        [sys.executable, "-c", _SMALL_CARD, str(share), str(data), BASE, str(tmp_path / "adapter")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "plan: packs of" in done.stderr
    assert "out of memory" not in done.stderr  # it was found out before step 1
    metrics = json.loads(done.stdout)
    chosen = metrics["hyperparameters"]
    assert chosen["pack_tokens"] < 32768 or chosen["computed_again"]["units"] > 0
    assert metrics["peak_memory_bytes"] < 1.1e9


def test_no_memory_at_all_ends_with_status_7_and_nothing_published(tmp_path: Path) -> None:
    import torch

    data = write(tmp_path / "corpus.jsonl", [line(i) for i in range(60)])
    share = 9.5e7 / torch.cuda.get_device_properties(0).total_memory
    done = subprocess.run(
        [sys.executable, "-c", _SMALL_CARD, str(share), str(data), BASE, str(tmp_path / "adapter")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 7, (done.returncode, done.stderr)
    assert not (tmp_path / "adapter").exists()
    assert not (tmp_path / "adapter.partial").exists()


_CARD_OF_15_GIB = """
import sys, trainer, torch
torch.cuda.set_per_process_memory_fraction(15 * 2**30 / torch.cuda.get_device_properties(0).total_memory)
from trainer.__main__ import main
sys.exit(main(["train", "--data", sys.argv[1], "--base", sys.argv[2], "--tenant", "alfa", "--out",
sys.argv[3], "--epochs", "1", "--require-gpu"]))
"""


@pytest.mark.timeout(540)
def test_an_8b_shape_trains_inside_15_gib_and_the_trainer_finds_out_how(tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    from benchmarks.lora import make_base

    base = tmp_path / "base"
    make_base(base, layers=32)
    data = write(tmp_path / "corpus.jsonl", [line(i) for i in range(250)])
    done = subprocess.run(
        [sys.executable, "-c", _CARD_OF_15_GIB, str(data), str(base), str(tmp_path / "adapter")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "again with precision nf4" in done.stderr
    metrics = json.loads(done.stdout)
    assert metrics["precision"] == "nf4"
    assert "gated units" in done.stderr  # some are computed again, and not every layer whole
    assert metrics["peak_memory_bytes"] < 15 * 2**30
    print(done.stderr[-600:], json.dumps(metrics, indent=1))  # noqa: T201


_BF16_THEN_15_GIB = """
import sys, trainer, torch
from trainer.model import Placement, load_base, release
model = load_base(sys.argv[1], None, Placement("cuda", "bf16"), packed=True)
model(torch.ones(1, 4, dtype=torch.long, device="cuda"))  # the libraries' own buffers lie behind its weights
del model
release()
print(torch.cuda.memory_reserved() >> 20)
torch.cuda.set_per_process_memory_fraction(15 * 2**30 / torch.cuda.get_device_properties(0).total_memory)
load_base(sys.argv[1], None, Placement("cuda", "nf4"), packed=True)
"""


@pytest.mark.timeout(540)
def test_a_base_that_was_let_go_leaves_its_room_to_the_next(tmp_path: Path) -> None:
    """One small buffer that lives on must not keep 15 GiB of weights' room with it."""
    pytest.importorskip("bitsandbytes")
    from benchmarks.lora import make_base

    make_base(tmp_path / "base", layers=32)
    done = subprocess.run(
        [sys.executable, "-c", _BF16_THEN_15_GIB, str(tmp_path / "base")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) < 1024, "MiB that are held without a model"


def test_what_is_computed_again_gives_the_same_bits_and_fp16_errs_no_more_than_bf16(tmp_path: Path) -> None:
    """fp16 is what cards without bf16 train in: its loss is scaled, or small gradients would be zero."""
    import torch

    from benchmarks.lora import _gradient, gradient_error, make_base, make_examples

    base, examples = tmp_path / "base", make_examples(12)
    make_base(base, layers=3)
    assert torch.equal(_gradient(base, examples, "packed"), _gradient(base, examples, "again"))
    bf16, fp16 = (gradient_error(base, examples, kind) for kind in ("packed", "fp16"))
    torch.cuda.empty_cache()
    assert fp16 <= bf16, (fp16, bf16)


def test_the_recorded_decoder_answers_as_the_plain_one() -> None:
    import random

    from trainer.generate import generate
    from trainer.model import load_base, load_tokenizer, place
    from trainer.static_generate import generate_static

    model = load_base(BASE, None, place("cuda", "fp32"), packed=False)
    tokenizer = load_tokenizer(BASE, None)
    draw = random.Random(3)
    prompts = [draw.choices(range(4, 8000), k=draw.randint(1, 90)) for _ in range(20)]
    prompts += [tokenizer(f"<in>el alcalde abre la sesion numero {i}<out>")["input_ids"] for i in range(20)]
    limits = [draw.randint(0, 40) for _ in prompts]
    options: dict[str, Any] = {"eos": tokenizer.eos_token_id, "pad": 0, "batch_size": 16}
    expected = generate(model, prompts, limits, **options)
    assert generate_static(model, prompts, limits, **options) == expected
    assert generate_static(model, prompts, limits, lookup=False, **options) == expected


def test_the_fused_layer_on_the_card_equals_peft(tmp_path: Path) -> None:
    """Loss and adapter gradient in bf16, Liger's kernels included, against PEFT's own layers in fp32."""
    import torch

    from benchmarks.lora import gradient_error, make_base, make_examples

    make_base(tmp_path / "base", layers=2)
    errors = {
        kind: gradient_error(tmp_path / "base", make_examples(12), kind)
        for kind in ("packed", "padded", "unbounded")
    }
    torch.cuda.empty_cache()
    assert errors["packed"] <= 1.1 * errors["padded"], errors
    assert errors["unbounded"] > 0.5, errors
