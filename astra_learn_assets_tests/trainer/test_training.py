"""A real training on the shipped base: it learns, repeats itself, and publishes all or nothing."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from astra_learn_assets_tests.trainer.examples import line, write
from trainer.__main__ import main
from trainer.errors import BadUsage, NotFinite

Run = Callable[..., dict[str, Any]]


def _digest(folder: Path) -> dict[str, str]:
    names = ("adapter_config.json", "adapter_model.safetensors")
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def _train(data: Path, out: Path, base: str, *extra: str) -> list[str]:
    return ["train", "--data", str(data), "--base", base, "--tenant", "alfa", "--out", str(out),
            "--device", "cpu", "--threads", "1", *extra]  # fmt: skip


def test_the_loss_falls_and_the_folder_is_complete(trained: tuple[Path, dict[str, Any]]) -> None:
    folder, metrics = trained
    assert metrics["train_loss_last"] < 0.5 * metrics["train_loss_first"]
    assert metrics["validation_loss_last"] < 0.7 * metrics["validation_loss_first"]
    assert metrics["reload_equal"] is True
    assert sorted(f.name for f in folder.iterdir()) == [
        "adapter_config.json", "adapter_model.safetensors", "metrics.json", "train_log.jsonl",
    ]  # fmt: skip
    log = [json.loads(text) for text in (folder / "train_log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in log] == list(range(1, metrics["steps"] + 1))
    assert json.loads((folder / "metrics.json").read_text()) == metrics
    assert not folder.with_name("adapter.partial").exists()
    assert len({f.stat().st_mode for f in folder.iterdir()}) == 1  # whoever may read one may read all


def test_the_adapter_names_its_base_without_a_path_of_this_machine(
    trained: tuple[Path, dict[str, Any]],
) -> None:
    config = json.loads((trained[0] / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "base_model"
    assert len(config["revision"]) == 64
    assert config["target_modules"] == sorted(config["target_modules"])


def test_the_same_corpus_and_seed_give_the_same_bytes(tmp_path: Path, run: Run) -> None:
    data = write(tmp_path / "corpus.jsonl", [line(i) for i in range(8)])
    run(data, tmp_path / "first", epochs=1.0)
    run(data, tmp_path / "second", epochs=1.0)
    assert _digest(tmp_path / "first") == _digest(tmp_path / "second")


def test_small_packs_with_accumulation_learn_the_same_as_large_ones(tmp_path: Path, run: Run) -> None:
    from safetensors.torch import load_file

    data = write(tmp_path / "corpus.jsonl", [line(i) for i in range(6)])
    recipe = {"epochs": 1.0, "batch_tokens": 4096, "learning_rate": 1e-3, "warmup_share": 0.0}
    whole = run(data, tmp_path / "whole", pack_tokens=4096, **recipe)
    parts = run(data, tmp_path / "parts", pack_tokens=100, **recipe)
    assert whole["steps"] == parts["steps"] == 1
    assert whole["train_loss_first"] == pytest.approx(parts["train_loss_first"], rel=1e-4)
    one, other = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("whole", "parts"))
    for name in one:
        # One step of Adam is the sign of the gradient, so a tiny gradient may flip: compare in the mean.
        assert float((one[name] - other[name]).abs().mean()) < 1e-4


def test_an_adapter_folder_is_never_overwritten(
    trained: tuple[Path, dict[str, Any]], run: Run, tmp_path: Path
) -> None:
    before = _digest(trained[0])
    with pytest.raises(BadUsage, match="never overwritten"):
        run(write(tmp_path / "c.jsonl", [line(1)]), trained[0])
    assert _digest(trained[0]) == before


def test_a_loss_that_is_not_finite_publishes_nothing(tmp_path: Path, run: Run) -> None:
    data = write(tmp_path / "corpus.jsonl", [line(i) for i in range(12)])
    with pytest.raises(NotFinite) as caught:
        run(data, tmp_path / "adapter", learning_rate=1e20, epochs=4.0)
    assert caught.value.exit_status == 6
    assert [f.name for f in tmp_path.iterdir()] == ["corpus.jsonl"]


@pytest.mark.parametrize(
    ("text", "extra", "status", "message"),
    [
        ("{\n", (), 3, "line 1: is not JSON"),
        (json.dumps(line(1, tenant="beta")), (), 3, "belongs to tenant 'beta'"),
        (json.dumps(line(1, input="palabra " * 900)), ("--longest-example", "512"), 3, "more than the 512"),
        (json.dumps(line(1, input="palabra " * 1100)), (), 3, "more than the 1024"),
        (json.dumps(line(1)), ("--require-gpu", "--device", "auto"), 5, "no CUDA device"),
        (json.dumps(line(1)), ("--precision", "nf4"), 5, "needs a CUDA device"),
        (json.dumps(line(1)), ("--rank", "0"), 2, "--rank must be a positive number"),
        (json.dumps(line(1)), ("--target-modules", "nothing_like_it"), 2, "does not fit this base model"),
    ],
)
def test_bad_input_ends_with_its_own_status_and_leaves_nothing(
    tmp_path: Path,
    base: str,
    capsys: pytest.CaptureFixture[str],
    text: str,
    extra: tuple[str, ...],
    status: int,
    message: str,
) -> None:
    import torch

    if status == 5 and torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    data = tmp_path / "corpus.jsonl"
    data.write_text(text, encoding="utf-8")
    assert main(_train(data, tmp_path / "adapter", base, *extra)) == status
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""
    assert [f.name for f in tmp_path.iterdir()] == ["corpus.jsonl"]


def test_a_missing_or_broken_base_is_status_4(
    tmp_path: Path, base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write(tmp_path / "corpus.jsonl", [line(1)])
    assert main(_train(data, tmp_path / "adapter", str(tmp_path / "nowhere"))) == 4
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in Path(base).iterdir():
        content = file.read_bytes()
        (broken / file.name).write_bytes(content[:100_000] if file.suffix == ".safetensors" else content)
    assert main(_train(data, tmp_path / "adapter", str(broken))) == 4
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "adapter").exists()


def test_sigterm_publishes_nothing_and_does_not_disturb_the_next_run(
    tmp_path: Path, base: str, run: Run
) -> None:
    data = write(tmp_path / "corpus.jsonl", [line(i) for i in range(8)])
    log = tmp_path / "adapter.partial" / "train_log.jsonl"
    arguments = _train(data, tmp_path / "adapter", base, "--epochs", "500", "--batch-tokens", "128")
    process = subprocess.Popen(
        [sys.executable, "-m", "trainer", *arguments],
        stderr=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    deadline = time.monotonic() + 240
    while not (log.exists() and log.read_text().count("\n") >= 2):
        assert process.poll() is None, process.communicate()[1].decode()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    error = process.communicate(timeout=120)[1].decode()
    assert process.returncode == 75, error
    assert "nothing was published" in error
    assert sorted(f.name for f in tmp_path.iterdir()) == ["corpus.jsonl"]
    (tmp_path / "adapter.partial").mkdir()  # what kill -9 would leave
    (tmp_path / "adapter.partial" / "adapter_model.safetensors").write_bytes(b"half")
    run(data, tmp_path / "adapter", epochs=0.5)
    assert sorted(f.name for f in tmp_path.iterdir()) == ["adapter", "corpus.jsonl"]


def test_a_library_that_wraps_what_fails_beneath_it_does_not_hide_a_sigterm(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def opens_a_card(*_: Any, **__: Any) -> dict[str, Any]:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        except Exception as error:
            raise RuntimeError("failed lazily at initialization") from error
        return {}

    monkeypatch.setattr("trainer.smoke.smoke", opens_a_card)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        assert main(["smoke"]) == 75
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert "interrupted by SIGTERM" in capsys.readouterr().err


def test_a_stopped_training_goes_on_from_its_checkpoint_to_the_very_same_adapter(
    tmp_path: Path, base: str
) -> None:
    data = write(tmp_path / "corpus.jsonl", [line(i) for i in range(24)])
    folder = tmp_path / "checkpoints"

    def arguments(name: str) -> list[str]:
        return _train(
            data, tmp_path / name, base, "--epochs", "6", "--batch-tokens", "256",
            "--validation-share", "0.2", "--threads", "1",
        )  # fmt: skip

    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    (folder / "checkpoint-999").mkdir(parents=True)  # what kill -9 in the middle of one would leave
    (folder / "checkpoint-999" / "adapter_model.safetensors").write_bytes(b"half")
    stopped = subprocess.Popen(
        [sys.executable, "-m", "trainer", *arguments("stopped"), "--checkpoints", str(folder)],
        stderr=subprocess.PIPE, env=environment,
    )  # fmt: skip
    log = tmp_path / "stopped.partial" / "train_log.jsonl"
    deadline = time.monotonic() + 200
    while not (log.exists() and log.read_text().count("\n") >= 3):
        assert stopped.poll() is None, stopped.communicate()[1].decode()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    stopped.send_signal(signal.SIGTERM)
    error = stopped.communicate(timeout=100)[1].decode()
    assert stopped.returncode == 75, error
    assert "goes on from there" in error
    assert not (tmp_path / "stopped").exists()
    (kept,) = folder.iterdir()
    assert (kept / "complete.json").is_file()
    done = subprocess.run(
        [sys.executable, "-m", "trainer", *arguments("stopped"), "--checkpoints", str(folder)],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"going on from {kept.name}" in done.stderr
    assert not folder.exists()
    assert main(arguments("undisturbed")) == 0
    assert _digest(tmp_path / "stopped") == _digest(tmp_path / "undisturbed")
    logs = [
        [
            (e["step"], e["loss"])
            for e in map(json.loads, (tmp_path / n / "train_log.jsonl").read_text().splitlines())
        ]
        for n in ("stopped", "undisturbed")
    ]
    assert logs[0] == logs[1]


def test_a_checkpoint_of_another_recipe_or_corpus_is_not_resumed_from(tmp_path: Path) -> None:
    from trainer import checkpoint

    here = checkpoint.identity(b"corpus", recipe={"seed": 7})
    folder = tmp_path / "checkpoint-4"
    folder.mkdir()
    checkpoint.seal(folder, here, {"validation": [1.0]})
    found = checkpoint.newest(tmp_path, here)
    assert found is not None
    assert found[1] == {"validation": [1.0]}
    assert checkpoint.newest(tmp_path, checkpoint.identity(b"corpus", recipe={"seed": 8})) is None
    assert checkpoint.newest(tmp_path, checkpoint.identity(b"corpus2", recipe={"seed": 7})) is None
    (folder / "complete.json").write_text("{")
    assert checkpoint.newest(tmp_path, here) is None


def test_an_example_too_long_for_the_base_is_refused_or_left_out_and_counted(
    tmp_path: Path, base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = " ".join(f"{n * 7919:,}" for n in range(150))
    lines = [line(0), line(1, input=figures, output=figures), *(line(i) for i in range(2, 8))]
    data = write(tmp_path / "corpus.jsonl", lines)
    plain = ("--epochs", "1", "--validation-share", "0", "--clean-share", "0")
    arguments = _train(data, tmp_path / "adapter", base, *plain)
    assert main(arguments) == 3
    assert "line 2: the example has" in capsys.readouterr().err
    assert not (tmp_path / "adapter").exists()
    assert main([*arguments, "--skip-too-long"]) == 0
    metrics = json.loads((tmp_path / "adapter" / "metrics.json").read_text())
    assert (metrics["too_long_examples"], metrics["train_examples"]) == (1, 7)
    only = write(tmp_path / "only.jsonl", [line(1, input=figures, output=figures)])
    assert main([*_train(only, tmp_path / "none", base), "--skip-too-long"]) == 3


_GUARDED = """
import socket, sys
def refuse(*arguments, **_):
    sys.stderr.write(f"outside: {arguments}\\n")
    raise OSError("nothing outside is asked")
socket.getaddrinfo = refuse
socket.socket.connect = refuse
from trainer.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def test_training_and_evaluation_ask_nobody_outside(tmp_path: Path, base: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")}
    data = write(tmp_path / "corpus.jsonl", [line(i) for i in range(6)])
    golden = write(tmp_path / "golden.jsonl", [line(50)])

    def guarded(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", _GUARDED, *arguments],
            capture_output=True, text=True, check=False, env=environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stderr

    out = tmp_path / "adapter"
    first = guarded(*_train(data, out, base, "--epochs", "1"))
    second = guarded(
        "evaluate", "--data", str(golden), "--base", base, "--tenant", "alfa", "--device", "cpu",
        "--adapter", f"candidate={out}", "--out", str(tmp_path / "answers.jsonl"),
    )  # fmt: skip
    assert "outside" not in first + second
    assert "config file" not in first + second


def test_a_terminal_shows_a_progress_bar_and_a_file_does_not(tmp_path: Path, base: str) -> None:
    import fcntl
    import pty
    import struct
    import termios

    data = write(tmp_path / "corpus.jsonl", [line(i) for i in range(6)])
    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    child = subprocess.Popen(
        [sys.executable, "-m", "trainer", *_train(data, tmp_path / "seen", base, "--epochs", "1")],
        stdout=subprocess.DEVNULL, stderr=there,
    )  # fmt: skip
    os.close(there)
    shown = b""
    try:
        while part := os.read(here, 4096):
            shown += part
    except OSError:  # the other end is closed: the training is over
        pass
    os.close(here)
    assert child.wait() == 0, shown
    steps = json.loads((tmp_path / "seen" / "metrics.json").read_text())["steps"]
    assert f"step {steps}/{steps} |" in shown.decode()
    assert "tokens/s" in shown.decode()
    assert b"\n" in shown.rpartition(b"|")[2]
    done = subprocess.run(
        [sys.executable, "-m", "trainer", *_train(data, tmp_path / "unseen", base, "--epochs", "1")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "tokens/s" not in done.stderr


@pytest.mark.parametrize("rate", ["nan", "inf", "-1", "0"])
def test_a_rate_that_is_no_positive_number_is_bad_usage(tmp_path: Path, base: str, rate: str) -> None:
    data = write(tmp_path / "corpus.jsonl", [line(i) for i in range(2)])
    assert main(_train(data, tmp_path / "adapter", base, f"--learning-rate={rate}")) == BadUsage.exit_status
    assert not (tmp_path / "adapter").exists()


def test_the_recipe_goes_by_the_bases_size_and_the_number_of_pairs() -> None:
    from trainer.options import recipe_for

    few = recipe_for(17_300_000, {}, examples=300, tokens=40_000)
    assert (few.epochs, few.batch_tokens, few.learning_rate) == (6.0, 2048, 2e-3)
    many = recipe_for(17_300_000, {}, examples=1200, tokens=160_000)
    assert (many.epochs, many.learning_rate) == (3.0, 1e-3)
    assert recipe_for(17_300_000, {}, examples=10, tokens=500).batch_tokens == 512
    rates = [recipe_for(n, {}, examples=300, tokens=40_000).learning_rate for n in (10**8, 6 * 10**8)]
    assert few.learning_rate > rates[0] > rates[1] > 2e-4
    assert recipe_for(8 * 10**9, {}, examples=300).learning_rate == 2e-4
    chosen = recipe_for(17_300_000, {"epochs": 1.0, "clean_share": 0.0}, examples=300, tokens=40_000)
    assert (chosen.epochs, chosen.clean_share) == (1.0, 0.0)
