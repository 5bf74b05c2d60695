"""A base in shared memory computes what its own copy does; what is written to it is found."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from astra_learn_assets_tests.trainer.architectures import build
from trainer import owner, resident, tenant
from trainer.errors import OutOfMemory
from trainer.recipe import liger_for


def _open(slab: Any) -> torch.Tensor:
    return resident.open_slab("cpu", slab.memory, slab.numel())


@pytest.mark.parametrize("family", ["Llama, Salamandra", "Llama, tied", "Qwen 3 MoE", "Granite hybrid"])
def test_a_thawed_base_is_the_frozen_one_to_the_bit(family: str) -> None:
    model = build(family).eval()
    known = {name: value.clone() for name, value in model.state_dict().items()}
    ids = torch.arange(3, 19).unsqueeze(0)
    with torch.no_grad():
        expected = model(input_ids=ids).logits
    slab, skeleton = resident.freeze(model)
    del model
    thawed = resident.thaw(skeleton, _open(slab))
    assert {name: bool(torch.equal(known[name], value)) for name, value in thawed.state_dict().items()} == (
        dict.fromkeys(known, True)
    )
    with torch.no_grad():
        assert torch.equal(thawed(input_ids=ids).logits, expected)


def test_weights_of_a_thawed_base_lie_in_the_slab_and_tied_ones_are_one() -> None:
    slab, skeleton = resident.freeze(build("Llama, tied"))
    mapped = _open(slab)
    thawed = resident.thaw(skeleton, mapped)
    within = range(mapped.data_ptr(), mapped.data_ptr() + mapped.numel())
    assert all(parameter.data_ptr() in within for parameter in thawed.parameters())
    assert thawed.lm_head.weight is thawed.model.embed_tokens.weight
    attention = thawed.model.layers[0].self_attn
    rows = attention.q_proj.weight
    assert attention.k_proj.weight.data_ptr() == rows.data_ptr() + rows.numel() * rows.element_size()


def test_the_skeleton_holds_no_weight() -> None:
    _, skeleton = resident.freeze(build("Llama, Salamandra"))
    assert len(skeleton) < 100_000


def test_a_merge_reaches_a_copy_and_not_the_slab() -> None:
    from peft import LoraConfig, get_peft_model

    slab, skeleton = resident.freeze(build("Llama, Salamandra"))
    before = slab.clone()
    adapted: Any = get_peft_model(
        resident.thaw(skeleton, _open(slab)),
        LoraConfig(r=2, target_modules="all-linear", init_lora_weights=False),
    )
    resident.own_weights(adapted)
    adapted.merge_and_unload()
    assert torch.equal(slab, before)


@pytest.mark.parametrize(
    "changes",
    [{0: 1}, {3: 128}, {-1: 1}, {4: 1, 8: 255}, dict.fromkeys(range(3, 800, 8), 128)],
    ids=["one", "a sign", "the last", "two that cancel", "many signs"],
)
def test_a_changed_byte_changes_the_sum(changes: dict[int, int]) -> None:
    slab = torch.randint(0, 256, (1 << 16,), dtype=torch.uint8)
    for key in range(20):
        before = resident.keyed_sum(slab, key)
        assert resident.keyed_sum(slab, key) == before
        changed = slab.clone()
        for at, by in changes.items():
            changed[at] += by
        assert resident.keyed_sum(changed, key) != before


def test_a_sum_without_its_key_is_another() -> None:
    slab = torch.randint(0, 256, (1 << 12,), dtype=torch.uint8)
    assert len({resident.keyed_sum(slab, key) for key in range(50)}) == 50


def test_a_card_that_a_resident_base_fills_is_too_small_with_the_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (7 << 30, 23 << 30))
    with pytest.raises(OutOfMemory, match=r"holds 15.0 GiB .* leaves 7.0 of 23.0 GiB .* without a queue"):
        owner._check_room(15 << 30)
    owner._check_room(6 << 30)


def test_copied_kernels_are_found_where_they_are_now(tmp_path: Path) -> None:
    """Triton's lists name files by whole paths: of a folder that was moved it would compile all anew."""
    known = tmp_path / "known" / "ABC"
    known.mkdir(parents=True)
    (known / "add.cubin").write_bytes(b"kernel")
    (known / "__grp__add.json").write_text(json.dumps({"child_paths": {"add.cubin": "/gone/ABC/add.cubin"}}))
    tenant._copy_kernels(tmp_path / "known", tmp_path / "own")
    listed = json.loads((tmp_path / "own" / "ABC" / "__grp__add.json").read_text())
    assert listed == {"child_paths": {"add.cubin": str(tmp_path / "own" / "ABC" / "add.cubin")}}
    assert os.path.exists(listed["child_paths"]["add.cubin"])


def test_triton_itself_finds_copied_kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = pytest.importorskip("triton.runtime.cache")
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path / "first"))
    manager = cache.FileCacheManager("ABC")
    path = manager.put(b"kernel", "add.cubin", binary=True)
    manager.put_group("add.json", {"add.cubin": path})
    (tmp_path / "first").rename(tmp_path / "moved")
    tenant._copy_kernels(tmp_path / "moved", tmp_path / "own")
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path / "own"))
    found = cache.FileCacheManager("ABC").get_group("add.json")
    assert found == {"add.cubin": str(tmp_path / "own" / "ABC" / "add.cubin")}


@pytest.mark.parametrize(("family", "gated"), [("Qwen 3 Next", False), ("Llama, Salamandra", True)])
def test_wrapped_experts_do_not_get_ligers_gated_unit(family: str, gated: bool) -> None:
    """Liger would put its forward on PEFT's wrapper, which has none of the experts' fields."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM")
    assert liger_for(get_peft_model(build(family), config))["swiglu"] is gated
