"""The gate passes a sound LoRA and says what is wrong with any other."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.errors import AdapterRefused
from astra_learn_assets.registry.adapter_gate import adapter_gate
from astra_learn_assets.registry.manifest import digest_of
from astra_learn_assets.registry.tensors import read_header, values
from astra_learn_assets_tests.registry.builders import KEY, OTHER_KEY, resign, signed_folder, tensors

_Q = "base_model.model.model.layers.0.self_attn.q_proj"


def _judge(folder: Path, digest: str, tenant: str = "villaverde") -> GateVerdict:
    return adapter_gate(folder, tenant_id=tenant, digest=digest, verify_key=KEY.public_key())


def _changed(change: Callable[[dict[str, np.ndarray[Any, Any]]], None]) -> dict[str, np.ndarray[Any, Any]]:
    made = tensors()
    change(made)
    return made


def _nan(made: dict[str, np.ndarray[Any, Any]]) -> None:
    made[f"{_Q}.lora_A.weight"][1, 2] = np.nan


def _infinite(made: dict[str, np.ndarray[Any, Any]]) -> None:
    made[f"{_Q}.lora_B.weight"][0, 0] = -np.inf


def _zero_b(made: dict[str, np.ndarray[Any, Any]]) -> None:
    for name in made:
        if "lora_B" in name:
            made[name][:] = 0


def _base_weight(made: dict[str, np.ndarray[Any, Any]]) -> None:
    made["base_model.model.lm_head.weight"] = np.zeros((4, 4), np.float32)


def _only_a(made: dict[str, np.ndarray[Any, Any]]) -> None:
    del made[f"{_Q}.lora_B.weight"]


def _other_rank(made: dict[str, np.ndarray[Any, Any]]) -> None:
    made[f"{_Q}.lora_B.weight"] = np.ones((8, 5), np.float32)


def _three_dimensions(made: dict[str, np.ndarray[Any, Any]]) -> None:
    made[f"{_Q}.lora_A.weight"] = np.ones((4, 8, 1), np.float32)


def _whole_numbers(made: dict[str, np.ndarray[Any, Any]]) -> None:
    made[f"{_Q}.lora_A.weight"] = np.ones((4, 8), np.int32)


def test_a_sound_adapter_passes_for_its_digest(tmp_path: Path) -> None:
    manifest = signed_folder(tmp_path / "a")
    verdict = _judge(tmp_path / "a", digest_of(manifest))
    assert verdict.passed
    assert verdict.digest == digest_of(manifest)
    assert (verdict.details["modules"], verdict.details["nonzero_b"]) == (2, 2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_nan, "NaN"),
        (_infinite, "NaN"),
        (_zero_b, "does nothing"),
        (_base_weight, "not a LoRA matrix"),
        (_only_a, "only one of its two"),
        (_other_rank, "do not fit the rank"),
        (_three_dimensions, "not a LoRA matrix"),
        (_whole_numbers, "of type I32"),
        (dict.clear, "no LoRA matrix"),
    ],
)
def test_weights_that_are_no_sound_lora_do_not_pass(
    tmp_path: Path, change: Callable[[dict[str, np.ndarray[Any, Any]]], None], words: str
) -> None:
    manifest = signed_folder(tmp_path / "a", weights=_changed(change))
    verdict = _judge(tmp_path / "a", digest_of(manifest))
    assert not verdict.passed
    assert words in verdict.reason


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ({"train_loss_last": 2.1}, "did not fall"),
        ({"train_loss_last": 3.0}, "did not fall"),
        ({"train_loss_last": float("nan")}, "not a finite number"),
        ({"train_loss_first": float("inf")}, "not a finite number"),
        ({"train_loss_last": None}, "missing"),
        ({"train_loss_last": "0.1"}, "not a finite number"),
        ({"train_loss_last": True}, "not a finite number"),
        ({"validation_loss_last": float("nan")}, "validation_loss_last"),
        ({"reload_equal": False}, "saved adapter"),
        ({"reload_equal": None}, "saved adapter"),
        ({"finite": False}, "finite"),
    ],
)
def test_a_training_that_went_wrong_does_not_pass(
    tmp_path: Path, metrics: dict[str, Any], words: str
) -> None:
    manifest = signed_folder(tmp_path / "a", metrics=metrics)
    verdict = _judge(tmp_path / "a", digest_of(manifest))
    assert not verdict.passed
    assert words in verdict.reason


@pytest.mark.parametrize(
    "config",
    [
        {"peft_type": "IA3"},
        {"modules_to_save": ["lm_head"]},
        {"bias": "all"},
        {"auto_mapping": {"parent_library": "os"}},
        {"r": 16},
    ],
)
def test_a_config_that_would_do_more_than_lora_does_not_pass(tmp_path: Path, config: dict[str, Any]) -> None:
    manifest = signed_folder(tmp_path / "a", config=config)
    assert not _judge(tmp_path / "a", digest_of(manifest)).passed


def test_small_validation_sets_may_have_no_validation_loss(tmp_path: Path) -> None:
    manifest = signed_folder(tmp_path / "a", metrics={"validation_loss_last": None, "perplexity": None})
    assert _judge(tmp_path / "a", digest_of(manifest)).passed


def test_unsigned_foreign_changed_and_mistaken_folders_do_not_pass(tmp_path: Path) -> None:
    manifest = signed_folder(tmp_path / "a")
    digest = digest_of(manifest)
    assert not _judge(tmp_path / "a", digest, tenant="otra-villa").passed
    assert not _judge(tmp_path / "a", "0" * 64).passed
    assert not _judge(tmp_path / "missing", digest).passed
    resign(tmp_path / "a", OTHER_KEY)
    assert not _judge(tmp_path / "a", digest).passed
    resign(tmp_path / "a")
    (tmp_path / "a" / "metrics.json").unlink()
    assert "metrics.json is missing" in _judge(tmp_path / "a", digest).reason
    resign_without_metrics = json.loads((tmp_path / "a" / "manifest.json").read_bytes())
    assert "metrics.json" in resign_without_metrics["files"]


def _file(header: object, data: bytes) -> bytes:
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(encoded)) + encoded + data


_F4 = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 7,
        struct.pack("<Q", 2**63) + b"{}",
        _file(b"{", b""),
        _file(b"[]", b""),
        _file(b'{"a":1}', b""),
        _file(b"\xff", b""),
        _file({"a": _F4}, b"\0\0"),
        _file({"a": _F4}, b"\0" * 8),
        _file({"a": {**_F4, "data_offsets": [4, 8]}}, b"\0" * 8),
        _file({"a": _F4, "b": {**_F4, "data_offsets": [2, 6]}}, b"\0" * 6),
        _file({"a": {**_F4, "data_offsets": [4, 0]}}, b""),
        _file({"a": {**_F4, "shape": [2]}}, b"\0" * 4),
        _file({"a": {**_F4, "shape": [-1]}}, b"\0" * 4),
        _file({"a": {**_F4, "shape": [True]}}, b"\0" * 4),
        _file({"a": {**_F4, "dtype": "F8_E4M3"}}, b"\0" * 4),
        _file({"a": {**_F4, "dtype": 3}}, b"\0" * 4),
        _file({"a": {**_F4, "shape": [2**40, 2**40]}}, b"\0" * 4),
        _file(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":1}', b"\0" * 4),
        _file(b"[" * 100_000, b""),
        b"PK\x03\x04" + b"\0" * 100,
    ],
)
def test_a_malformed_weights_file_is_refused_and_never_crashes(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "adapter_model.safetensors"
    path.write_bytes(content)
    with pytest.raises(AdapterRefused):
        read_header(path)


def test_bfloat16_and_half_are_read_as_they_are(tmp_path: Path) -> None:
    numbers = np.array([1.5, -2.0, 0.0, 3.25], np.float32)
    upper = (numbers.view("<u4") >> 16).astype("<u2").tobytes()
    header = {
        "b": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]},
        "h": {"dtype": "F16", "shape": [4], "data_offsets": [8, 16]},
        "empty": {"dtype": "F32", "shape": [0, 4], "data_offsets": [16, 16]},
        "__metadata__": {"format": "pt"},
    }
    path = tmp_path / "x.safetensors"
    path.write_bytes(_file(header, upper + numbers.astype("<f2").tobytes()))
    read = {tensor.name: numbers_ for tensor, numbers_ in values(path, read_header(path))}
    assert read["b"].tolist() == [[1.5, -2.0], [0.0, 3.25]]
    assert read["h"].tolist() == [1.5, -2.0, 0.0, 3.25]
    assert read["empty"].size == 0
