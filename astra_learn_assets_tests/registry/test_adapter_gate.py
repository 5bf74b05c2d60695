"""The gate passes a sound LoRA and says what is wrong with any other."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.datasets.steady import STEADY, Steady, dump_steady
from astra_learn_assets.errors import AdapterRefused
from astra_learn_assets.registry.adapter_gate import adapter_gate
from astra_learn_assets.registry.manifest import build_manifest, digest_of
from astra_learn_assets.registry.signature import sign_folder
from astra_learn_assets.registry.tensors import read_header, values
from astra_learn_assets_tests.registry.builders import (
    BASE,
    DATASET,
    KEY,
    OTHER_KEY,
    manifest_of,
    resign,
    signed_folder,
    tensors,
    trained_folder,
)

_CONFIG = "adapter_config.json"
_WEIGHTS = "adapter_model.safetensors"
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


def _zero_a(made: dict[str, np.ndarray[Any, Any]]) -> None:
    for name in made:
        if "lora_A" in name:
            made[name][:] = 0


def _tiny(made: dict[str, np.ndarray[Any, Any]]) -> None:
    for name in made:
        made[name] *= 1e-6


def _huge(made: dict[str, np.ndarray[Any, Any]]) -> None:
    for name in made:
        if "lora_B" in name:
            made[name] *= 1e6


def _base_weight(made: dict[str, np.ndarray[Any, Any]]) -> None:
    made["base_model.model.lm_head.weight"] = np.zeros((4, 4), np.float32)


def _only_a(made: dict[str, np.ndarray[Any, Any]]) -> None:
    del made[f"{_Q}.lora_B.weight"]


def _other_rank(made: dict[str, np.ndarray[Any, Any]]) -> None:
    made[f"{_Q}.lora_B.weight"] = np.ones((8, 5), np.float32)


def _no_rank(made: dict[str, np.ndarray[Any, Any]]) -> None:
    made[f"{_Q}.lora_A.weight"] = np.ones((0, 8), np.float32)
    made[f"{_Q}.lora_B.weight"] = np.ones((8, 0), np.float32)


def _twice(made: dict[str, np.ndarray[Any, Any]]) -> None:
    made[f"{_Q}.lora_A.other.weight"] = made[f"{_Q}.lora_A.weight"]


def _three_dimensions(made: dict[str, np.ndarray[Any, Any]]) -> None:
    made[f"{_Q}.lora_A.weight"] = np.ones((4, 8, 1), np.float32)


def _whole_numbers(made: dict[str, np.ndarray[Any, Any]]) -> None:
    made[f"{_Q}.lora_A.weight"] = np.ones((4, 8), np.int32)


def test_a_sound_adapter_passes_for_its_digest(tmp_path: Path) -> None:
    manifest = signed_folder(tmp_path / "a")
    verdict = _judge(tmp_path / "a", digest_of(manifest))
    sizes = []
    made = tensors()
    for name in sorted(made):
        if "lora_A" in name:
            a, b = made[name], made[name.replace("lora_A", "lora_B")]
            update = 2.0 * b.astype(np.float64) @ a.astype(np.float64)  # alpha 8, rank 4
            sizes.append(float(np.sqrt(np.mean(update**2))))
    largest, smallest = verdict.details["largest_update"], verdict.details["smallest_update"]
    assert (largest, smallest) == (pytest.approx(max(sizes)), pytest.approx(min(sizes)))
    assert verdict == GateVerdict(
        gate="adapter_gate",
        tenant_id="villaverde",
        digest=digest_of(manifest),
        passed=True,
        reason="signed, finite, loss fell, reload equals",
        details={
            "adapter_id": manifest.adapter_id,
            "files": len(manifest.files),
            "train_loss_first": 2.1,
            "train_loss_last": 0.4,
            "validation_loss_first": 2.0,
            "validation_loss_last": 0.6,
            "perplexity": 1.8,
            "modules": 2,
            "base_at_hand": False,
            "smallest_update": smallest,
            "largest_update": largest,
            "modules_that_do_nothing": 0,
        },
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_nan, f"{_WEIGHTS}: '{_Q}.lora_A.weight' has NaN or infinity"),
        (_infinite, f"{_WEIGHTS}: '{_Q}.lora_B.weight' has NaN or infinity"),
        (_zero_b, f"{_WEIGHTS}: 2 of 2 modules change nothing, a no-op"),
        (_zero_a, f"{_WEIGHTS}: 2 of 2 modules change nothing, a no-op"),
        (_tiny, f"{_WEIGHTS}: 2 of 2 modules change nothing, a no-op"),
        (_huge, f"{_WEIGHTS}: a module moves its weights by"),
        (_base_weight, f"{_WEIGHTS}: 'base_model.model.lm_head.weight' is not a LoRA matrix"),
        (_twice, "is not a LoRA matrix"),
        (_only_a, f"{_WEIGHTS}: '{_Q}' has only one of its two matrices"),
        (_other_rank, f"{_WEIGHTS}: the matrices of '{_Q}' do not fit the rank"),
        (_no_rank, f"{_WEIGHTS}: the matrices of '{_Q}' do not fit the rank"),
        (_three_dimensions, f"{_WEIGHTS}: '{_Q}.lora_A.weight' is not a LoRA matrix"),
        (_whole_numbers, "of type I32"),
        (dict.clear, f"{_WEIGHTS} holds no LoRA matrix"),
    ],
)
def test_weights_that_are_no_sound_lora_do_not_pass(
    tmp_path: Path, change: Callable[[dict[str, np.ndarray[Any, Any]]], None], words: str
) -> None:
    manifest = signed_folder(tmp_path / "a", weights=_changed(change))
    verdict = _judge(tmp_path / "a", digest_of(manifest))
    assert not verdict.passed
    assert words in verdict.reason


_RELOAD = "the trainer does not confirm that the saved adapter answers like the trained one"


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ({"train_loss_last": 2.1}, "the training loss did not fall (2.1000 to 2.1000)"),
        ({"train_loss_last": 3.0}, "the training loss did not fall (2.1000 to 3.0000)"),
        ({"train_loss_last": float("nan")}, "train_loss_last is missing or not a finite number"),
        ({"train_loss_first": float("inf")}, "train_loss_first is missing or not a finite number"),
        ({"train_loss_last": None}, "train_loss_last is missing or not a finite number"),
        ({"train_loss_first": None}, "train_loss_first is missing or not a finite number"),
        ({"train_loss_last": "0.1"}, "train_loss_last is missing or not a finite number"),
        ({"train_loss_last": True}, "train_loss_last is missing or not a finite number"),
        ({"validation_loss_last": float("nan")}, "validation_loss_last is missing or not a finite number"),
        ({"reload_equal": False}, _RELOAD),
        ({"reload_equal": None}, _RELOAD),
        ({"reload_equal": "true"}, _RELOAD),
        ({"finite": False}, "the trainer does not confirm that losses and gradients were finite"),
        (
            {"finite": 1, "reload_equal": 1},
            f"the trainer does not confirm that losses and gradients were finite; {_RELOAD}",
        ),
    ],
)
def test_a_training_that_went_wrong_does_not_pass(
    tmp_path: Path, metrics: dict[str, Any], words: str
) -> None:
    manifest = signed_folder(tmp_path / "a", metrics=metrics)
    verdict = _judge(tmp_path / "a", digest_of(manifest))
    assert not verdict.passed
    assert verdict.reason == words


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"peft_type": "IA3"}, f"{_CONFIG}: peft_type is not LORA"),
        (
            {"modules_to_save": ["lm_head"]},
            f"{_CONFIG}: modules_to_save would replace layers of the base model",
        ),
        ({"bias": "all"}, f"{_CONFIG}: bias must be 'none'"),
        ({"auto_mapping": {"parent_library": "os"}}, f"{_CONFIG}: auto_mapping would import code"),
        ({"r": 16}, f"{_WEIGHTS}: the matrices of '{_Q}' do not fit the rank"),
        (
            {"r": True, "rank_pattern": {"q_proj": 16}},
            f"{_WEIGHTS}: the matrices of '{_Q}' do not fit the rank",
        ),
    ],
)
def test_a_config_that_would_do_more_than_lora_does_not_pass(
    tmp_path: Path, config: dict[str, Any], reason: str
) -> None:
    manifest = signed_folder(tmp_path / "a", config=config)
    verdict = _judge(tmp_path / "a", digest_of(manifest))
    assert (verdict.passed, verdict.reason) == (False, reason)


@pytest.mark.parametrize(
    "config",
    [{"r": 16, "rank_pattern": {"q_proj": 4}}, {"r": None}, {"r": None, "rank_pattern": "q_proj"}],
)
def test_a_rank_that_the_config_names_or_does_not_name_passes(tmp_path: Path, config: dict[str, Any]) -> None:
    manifest = signed_folder(tmp_path / "a", config=config)
    assert _judge(tmp_path / "a", digest_of(manifest)).passed


def test_a_config_without_a_bias_has_none(tmp_path: Path) -> None:
    folder = trained_folder(tmp_path / "a")
    config = json.loads((folder / _CONFIG).read_bytes())
    del config["bias"]
    (folder / _CONFIG).write_text(json.dumps(config))
    assert _judge(folder, digest_of(resign(folder))).passed


def test_one_module_that_does_nothing_is_a_fault_and_is_counted(tmp_path: Path) -> None:
    def first_only(made: dict[str, np.ndarray[Any, Any]]) -> None:
        kept = made[f"{_Q}.lora_B.weight"].copy()
        _zero_b(made)
        made[f"{_Q}.lora_B.weight"] = kept

    manifest = signed_folder(tmp_path / "a", weights=_changed(first_only))
    verdict = _judge(tmp_path / "a", digest_of(manifest))
    assert verdict.reason == f"{_WEIGHTS}: 1 of 2 modules change nothing, a no-op"
    assert verdict.details["modules_that_do_nothing"] == 1


def test_small_numbers_and_a_single_rank_are_weights_too(tmp_path: Path) -> None:
    def odd(made: dict[str, np.ndarray[Any, Any]]) -> None:
        made.clear()
        made[f"{_Q}.lora_A.weight"] = np.full((1, 8), 1e-3, np.float32)
        made[f"{_Q}.lora_B.weight"] = np.full((8, 1), 1e-3, np.float32)

    manifest = signed_folder(tmp_path / "a", weights=_changed(odd), config={"r": 1})
    verdict = _judge(tmp_path / "a", digest_of(manifest))
    assert verdict.passed, verdict.reason
    assert verdict.details["modules"] == 1


def test_without_the_base_at_hand_an_update_is_judged_by_its_own_size(tmp_path: Path) -> None:
    def ten_times(made: dict[str, np.ndarray[Any, Any]]) -> None:
        for name in made:
            made[name] *= math.sqrt(10)

    manifest = signed_folder(tmp_path / "a", weights=_changed(ten_times))
    verdict = _judge(tmp_path / "a", digest_of(manifest))
    assert verdict.passed, verdict.reason
    assert 10 < float(verdict.details["largest_update"] or 0) < 100


def _base(folder: Path, *, layers: int = 2, width: int = 8, size: float = 10.0) -> Path:
    folder.mkdir()
    names = [f"model.layers.{layer}.self_attn.q_proj.weight" for layer in range(layers)]
    weights = {name: np.full((width, width), size, np.float32) for name in names}
    save_file({**weights, "model.norm.weight": np.ones(width, np.float32)}, folder / "model.safetensors")
    return folder


def test_each_module_must_be_one_of_the_base_in_its_shape_and_move_it_sanely(tmp_path: Path) -> None:
    manifest = signed_folder(tmp_path / "a")
    digest = digest_of(manifest)

    def judged(base: Path) -> GateVerdict:
        return adapter_gate(
            tmp_path / "a", tenant_id="villaverde", digest=digest, verify_key=KEY.public_key(), base=base
        )

    sound = judged(_base(tmp_path / "base"))
    assert sound.passed, sound.reason
    assert sound.details["base_at_hand"] is True
    assert "the base model has no module" in judged(_base(tmp_path / "short", layers=1)).reason
    assert "does not fit the base model's (16, 16)" in judged(_base(tmp_path / "wide", width=16)).reason
    assert "moves its weights by" in judged(_base(tmp_path / "light", size=1e-3)).reason
    assert "change nothing" in judged(_base(tmp_path / "heavy", size=1e9)).reason
    (tmp_path / "empty").mkdir()
    assert "holds no weight matrix" in judged(tmp_path / "empty").reason


def _against(base: Path, folder: Path, weights: dict[str, np.ndarray[Any, Any]]) -> GateVerdict:
    manifest = signed_folder(folder, weights=weights)
    return adapter_gate(
        folder, tenant_id="villaverde", digest=digest_of(manifest), verify_key=KEY.public_key(), base=base
    )


@pytest.mark.parametrize(
    ("shape", "fits"), [((16, 8), True), ((8, 16), True), ((4, 8), False), ((16, 4), False)]
)
def test_a_layer_that_is_no_square_fits_either_way_round(
    tmp_path: Path, shape: tuple[int, int], fits: bool
) -> None:
    random = np.random.default_rng(1)
    weights = {
        f"{_Q}.lora_A.weight": random.normal(size=(4, 8)).astype(np.float32),
        f"{_Q}.lora_B.weight": random.normal(size=(16, 4)).astype(np.float32),
    }
    (tmp_path / "base").mkdir()
    layer = {"model.layers.0.self_attn.q_proj.weight": np.full(shape, 10.0, np.float32)}
    save_file(layer, tmp_path / "base" / "model.safetensors")
    verdict = _against(tmp_path / "base", tmp_path / "a", weights)
    assert verdict.passed is fits, verdict.reason
    assert fits or "does not fit the base model's" in verdict.reason


def test_a_small_layer_is_moved_too_far_by_little(tmp_path: Path) -> None:
    made = {name: values * np.float32(0.1) for name, values in tensors().items()}
    verdict = _against(_base(tmp_path / "base", size=1e-3), tmp_path / "a", made)
    assert "moves its weights by" in verdict.reason


def test_a_vector_of_the_base_is_no_module_to_adapt(tmp_path: Path) -> None:
    made = {name.replace("layers.0.self_attn.q_proj", "norm"): values for name, values in tensors().items()}
    verdict = _against(_base(tmp_path / "base"), tmp_path / "a", made)
    assert "the base model has no module 'base_model.model.model.norm'" in verdict.reason


@pytest.mark.parametrize(
    ("config", "scales"),
    [
        ({"lora_alpha": 8}, (2.0, 2.0)),
        ({"lora_alpha": 8, "use_rslora": True}, (4.0, 4.0)),
        ({"lora_alpha": 8, "alpha_pattern": {"layers.1.self_attn.q_proj": 20}}, (2.0, 5.0)),
        ({"lora_alpha": 8, "alpha_pattern": {"k_proj": 20}}, (2.0, 2.0)),
        ({"lora_alpha": True}, (1.0, 1.0)),
        ({"lora_alpha": None}, (1.0, 1.0)),
    ],
)
def test_an_update_is_as_large_as_the_config_scales_it_beside_the_bases_weights(
    tmp_path: Path, config: dict[str, Any], scales: tuple[float, float]
) -> None:
    made = tensors()
    sizes = []
    for layer, scale in enumerate(scales):
        name = f"base_model.model.model.layers.{layer}.self_attn.q_proj.lora_{{}}.weight"
        a, b = (made[name.format(side)].astype(np.float64) for side in "AB")
        sizes.append(float(np.linalg.norm(scale * b @ a)) / (10.0 * 8))  # 8 x 8 weights of 10
    manifest = signed_folder(tmp_path / "a", config=config)
    verdict = adapter_gate(
        tmp_path / "a",
        tenant_id="villaverde",
        digest=digest_of(manifest),
        verify_key=KEY.public_key(),
        base=_base(tmp_path / "base"),
    )
    found = (verdict.details["smallest_update"], verdict.details["largest_update"])
    assert found == (pytest.approx(min(sizes)), pytest.approx(max(sizes)))


def test_a_rank_of_zero_fits_no_config(tmp_path: Path) -> None:
    manifest = signed_folder(tmp_path / "a", weights=_changed(_no_rank), config={"r": None})
    reason = _judge(tmp_path / "a", digest_of(manifest)).reason
    assert reason == f"{_WEIGHTS}: the matrices of '{_Q}' do not fit the rank"


def test_a_figure_that_is_missing_hides_no_other(tmp_path: Path) -> None:
    manifest = signed_folder(tmp_path / "a", metrics={"validation_loss_first": None})
    details = _judge(tmp_path / "a", digest_of(manifest)).details
    assert "validation_loss_first" not in details
    assert (details["validation_loss_last"], details["perplexity"]) == (0.6, 1.8)


def test_a_loss_over_one_is_a_loss_and_every_fault_is_named(tmp_path: Path) -> None:
    manifest = signed_folder(
        tmp_path / "a", metrics={"finite": False, "train_loss_last": 9.0}, config={"bias": "all"}
    )
    reason = _judge(tmp_path / "a", digest_of(manifest)).reason
    assert reason == (
        "the training loss did not fall (2.1000 to 9.0000); "
        "the trainer does not confirm that losses and gradients were finite; "
        f"{_CONFIG}: bias must be 'none'"
    )


@pytest.mark.parametrize("name", ["metrics.json", "adapter_config.json"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "is not a JSON object"),
    ],
)
def test_a_file_of_the_trainers_that_cannot_be_read_is_the_reason(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    folder = trained_folder(tmp_path / "a")
    manifest = manifest_of(folder)
    (folder / name).write_bytes(content)
    described = build_manifest(
        folder,
        tenant_id="villaverde",
        base_model=BASE,
        base_revision=None,
        dataset_hash=DATASET,
        hyperparameters=manifest.hyperparameters,
        metrics={},
        commit="c" * 40,
    )
    sign_folder(folder, described, KEY)
    verdict = _judge(folder, digest_of(described))
    assert (verdict.passed, verdict.reason) == (False, f"{name} {words}")


def test_small_validation_sets_may_have_no_validation_loss(tmp_path: Path) -> None:
    manifest = signed_folder(tmp_path / "a", metrics={"validation_loss_last": None, "perplexity": None})
    assert _judge(tmp_path / "a", digest_of(manifest)).passed


def test_a_folder_without_the_trainers_account_does_not_pass(tmp_path: Path) -> None:
    folder = trained_folder(tmp_path / "a")
    manifest = manifest_of(folder)
    (folder / "metrics.json").unlink()
    described = build_manifest(
        folder,
        tenant_id="villaverde",
        base_model=BASE,
        base_revision=None,
        dataset_hash=DATASET,
        hyperparameters=manifest.hyperparameters,
        metrics={},
        commit="c" * 40,
    )
    sign_folder(folder, described, KEY)
    assert _judge(folder, digest_of(described)).reason == "metrics.json is missing"


def test_unsigned_foreign_changed_and_mistaken_folders_do_not_pass(tmp_path: Path) -> None:
    manifest = signed_folder(tmp_path / "a")
    digest = digest_of(manifest)
    assert not _judge(tmp_path / "a", digest, tenant="otra-villa").passed
    other = _judge(tmp_path / "a", "0" * 64)
    assert (other.passed, other.digest) == (False, "0" * 64)
    assert other.reason == f"the folder holds another adapter, {manifest.adapter_id}"
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


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[1]", "steady.json is malformed"),
        (dump_steady([Steady("a favor", "en contra", 9, 9)]), "1 of 1 substitutions are no clerk's habit"),
        (dump_steady([Steady("también", "asimismo", 24, 27)]), ""),
    ],
)
def test_steady_words_that_no_clerk_has_for_a_habit_are_refused(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    signed_folder(tmp_path / "a")
    (tmp_path / "a" / STEADY).write_bytes(content)
    verdict = _judge(tmp_path / "a", digest_of(resign(tmp_path / "a")))
    assert verdict.passed == (not reason)
    assert reason in verdict.reason
    assert verdict.details.get("steady_substitutions") == (None if content == b"[1]" else 1)
