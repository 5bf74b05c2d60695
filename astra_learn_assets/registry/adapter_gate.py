"""``adapter_gate``: is what the trainer left behind a sound LoRA of this tenant?

It asks whether the training went well (loss finite and lower at the end than at the start, the saved
adapter answers like the one in memory), whether the file is what it says (safetensors with LoRA matrices
only, A and B of each module in matching shapes, all numbers finite, some B not zero: a B of zeros is an
adapter that does nothing), and whether the folder is signed for the tenant. Whether it is any *good* is
for ``wer_gate``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.errors import AdapterRefused
from astra_learn_assets.ids import TenantId
from astra_learn_assets.registry.manifest import CONFIG, METRICS, WEIGHTS, Scalar, digest_of
from astra_learn_assets.registry.signature import verify_folder
from astra_learn_assets.registry.tensors import Tensor, read_header, values

_LORA = re.compile(r"(?P<module>.+)\.lora_(?P<side>[AB])(?:\.[A-Za-z0-9_-]+)?\.weight")
_MUST_BE_FINITE = ("train_loss_first", "train_loss_last")
_MAY_BE_FINITE = ("validation_loss_first", "validation_loss_last", "perplexity")


def adapter_gate(
    folder: Path, *, tenant_id: TenantId, digest: str, verify_key: Ed25519PublicKey
) -> GateVerdict:
    """Judge the signed adapter in ``folder``, which must be ``tenant_id``'s with content ``digest``.

    The trainer's account of the training is ``metrics.json`` in the folder, which the signature covers.
    Never raises for a bad folder: whatever is wrong is the verdict's reason.
    """
    details: dict[str, Scalar] = {}
    faults: list[str] = []
    try:
        manifest = verify_folder(folder, verify_key, tenant_id)
        details |= {"adapter_id": manifest.adapter_id, "files": len(manifest.files)}
        if digest_of(manifest) != digest:
            faults.append(f"the folder holds another adapter, {manifest.adapter_id}")
        faults += _training_faults(_json(folder, METRICS), details)
        config = _json(folder, CONFIG)
        faults += _config_faults(config)
        faults += _weight_faults(folder / WEIGHTS, config, details)
    except AdapterRefused as error:
        faults.append(str(error))
    return GateVerdict(
        gate="adapter_gate",
        tenant_id=tenant_id,
        digest=digest,
        passed=not faults,
        reason="; ".join(faults) if faults else "signed, finite, loss fell, reload equals",
        details=details,
    )


def _training_faults(metrics: Mapping[str, Any], details: dict[str, Scalar]) -> list[str]:
    faults = []
    for name in (*_MUST_BE_FINITE, *_MAY_BE_FINITE):
        value = metrics.get(name)
        if value is None and name in _MAY_BE_FINITE:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            faults.append(f"{name} is missing or not a finite number")
        else:
            details[name] = float(value)
    first, last = details.get("train_loss_first"), details.get("train_loss_last")
    if isinstance(first, float) and isinstance(last, float) and last >= first:
        faults.append(f"the training loss did not fall ({first:.4f} to {last:.4f})")
    if metrics.get("finite") is not True:
        faults.append("the trainer does not confirm that losses and gradients were finite")
    if metrics.get("reload_equal") is not True:
        faults.append("the trainer does not confirm that the saved adapter answers like the trained one")
    return faults


def _json(folder: Path, name: str) -> dict[str, Any]:
    try:
        content = json.loads((folder / name).read_bytes())
    except FileNotFoundError:
        raise AdapterRefused(f"{name} is missing") from None
    except (ValueError, RecursionError, OSError):
        raise AdapterRefused(f"{name} is not JSON") from None
    if not isinstance(content, dict):
        raise AdapterRefused(f"{name} is not a JSON object")
    return content


def _config_faults(config: Mapping[str, Any]) -> list[str]:
    faults = []
    if config.get("peft_type") != "LORA":
        faults.append(f"{CONFIG}: peft_type is not LORA")
    if config.get("modules_to_save"):
        faults.append(f"{CONFIG}: modules_to_save would replace layers of the base model")
    if config.get("bias", "none") != "none":
        faults.append(f"{CONFIG}: bias must be 'none'")
    if config.get("auto_mapping"):
        # PEFT imports the module named there when it loads the adapter
        faults.append(f"{CONFIG}: auto_mapping would import code")
    return faults


def _weight_faults(path: Path, config: Mapping[str, Any], details: dict[str, Scalar]) -> list[str]:
    tensors = read_header(path)
    sides: dict[str, dict[str, Tensor]] = {}
    for tensor in tensors:
        match = _LORA.fullmatch(tensor.name)
        if match is None or len(tensor.shape) != 2 or match["side"] in sides.get(match["module"], {}):
            return [f"{WEIGHTS}: {tensor.name!r:.120} is not a LoRA matrix"]
        sides.setdefault(match["module"], {})[match["side"]] = tensor
    if not sides:
        return [f"{WEIGHTS} holds no LoRA matrix"]
    ranks = _ranks(config)
    for module, pair in sides.items():
        if pair.keys() != {"A", "B"}:
            return [f"{WEIGHTS}: {module!r:.120} has only one of its two matrices"]
        rank = pair["A"].shape[0]
        if rank == 0 or rank != pair["B"].shape[1] or (ranks and rank not in ranks):
            return [f"{WEIGHTS}: the matrices of {module!r:.120} do not fit the rank"]
    nonzero = largest = 0.0
    for tensor, numbers in values(path, tensors):
        peak = float(abs(numbers).max(initial=0.0))
        if not math.isfinite(peak):
            return [f"{WEIGHTS}: {tensor.name!r:.120} has NaN or infinity"]
        largest = max(largest, peak)
        nonzero += ".lora_B" in tensor.name and peak > 0
    details |= {"modules": len(sides), "nonzero_b": int(nonzero), "largest_weight": largest}
    return [] if nonzero else [f"{WEIGHTS}: every B matrix is zero, the adapter does nothing"]


def _ranks(config: Mapping[str, Any]) -> set[int]:
    pattern = config.get("rank_pattern")
    found = {config.get("r"), *(pattern.values() if isinstance(pattern, dict) else ())}
    return {rank for rank in found if isinstance(rank, int) and not isinstance(rank, bool)}
