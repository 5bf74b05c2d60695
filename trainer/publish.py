"""From a trained model to a folder that may be believed: saved, loaded again, compared, named at once."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from trainer.data import Encoded
from trainer.errors import BadUsage, NotFinite, TrainerError
from trainer.fused import fuse
from trainer.loss import model_inputs, to_device
from trainer.packing import collate


def save_checked(
    model: Any, examples: Sequence[Encoded], folder: Path, *, also_bin: bool = False, alone: bool = False
) -> Any:
    """Save, load again into the same base, and compare keys and logits; returns the base alone.

    ``alone``: the base is not told of packs (:func:`trainer.packing.collate`).
    ``also_bin`` adds the same tensors as ``adapter_model.bin``, for servers that read nothing else.

    Raises:
        NotFinite: a value that is not finite, or an adapter that has learned nothing.
        TrainerError: what was saved is not what was trained.
    """
    import torch
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors.torch import load_file

    # With save_embedding_layers="auto" PEFT asks the Hub about the base model's vocabulary, here and below.
    expected = get_peft_model_state_dict(model, save_embedding_layers=False)
    model.eval()
    probe = to_device(model_inputs(collate([min(examples, key=len)], alone=alone)), model.device)
    with torch.inference_mode():
        before = model(**probe, use_cache=False).logits
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty model card
    _settle_config(folder / "adapter_config.json")

    saved = load_file(folder / "adapter_model.safetensors")
    if also_bin:
        torch.save(saved, folder / "adapter_model.bin")
    if set(saved) != set(expected):
        raise TrainerError("the saved adapter has other tensors than the trained one; nothing was published")
    if not all(bool(torch.isfinite(t).all()) for t in saved.values()):
        raise NotFinite("the adapter holds a value that is not finite; nothing was published")
    if not any(bool(t.any()) for name, t in saved.items() if "lora_B" in name):
        raise NotFinite("every lora_B of the adapter is zero: it has learned nothing; nothing was published")
    again = PeftModel.from_pretrained(model.unload(), folder).eval()
    with torch.inference_mode():
        plain = again(**probe, use_cache=False).logits  # the layers that serve the adapter
        fuse(again)
        after = again(**probe, use_cache=False).logits
    if not torch.equal(before, after):
        raise TrainerError("the saved adapter gives other logits than the trained one; nothing was published")
    apart = float((plain.float() - after.float()).norm() / after.float().norm())
    if not apart <= _rounding(after.dtype, model.config.get_text_config().num_hidden_layers):
        raise TrainerError(
            f"PEFT's own layers give other logits than the trained ones ({apart:.1%}); nothing was published"
        )
    return again.unload()


def _rounding(dtype: Any, layers: int) -> float:
    """How far apart (relative) two ways to the same logits may be: two roundings a layer add up as a random
    walk does, three times that. A model of random weights, 32 layers of bf16: 5.8 %, 19 % allowed."""
    import torch

    return max(1e-3, float(3 * torch.finfo(dtype).eps * (2 * layers) ** 0.5))


def _settle_config(file: Path) -> None:
    """Sorted keys and target modules: PEFT writes a set in an order that changes from run to run."""
    value = json.loads(file.read_text(encoding="utf-8"))
    if isinstance(value.get("target_modules"), list):
        value["target_modules"] = sorted(value["target_modules"])
    write_json(file, value)


def write_json(file: Path, value: Mapping[str, Any]) -> None:
    """Indented, with sorted keys."""
    file.write_text(json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def publish(partial: Path, out: Path) -> None:
    """Give the folder its name in one step, after its content has reached the disk."""
    # safetensors writes for its owner alone; some network mounts know no modes
    mode = stat.S_IMODE((partial / "adapter_config.json").stat().st_mode)
    for file in partial.iterdir():
        with suppress(PermissionError, NotImplementedError):
            file.chmod(mode)
        with file.open("rb") as data:
            os.fsync(data.fileno())
    if out.exists():
        raise BadUsage(f"{out} appeared meanwhile; an adapter folder is never overwritten")
    os.rename(partial, out)
