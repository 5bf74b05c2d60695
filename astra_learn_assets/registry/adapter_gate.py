"""``adapter_gate``: is what the trainer left behind a sound LoRA of this tenant?

It asks whether the training went well (loss finite and lower at the end than at the start, the saved
adapter answers like the one in memory), whether the file is what it says (safetensors with LoRA matrices
only, A and B of each module in matching shapes, all numbers finite), whether each module is one of the base
model's, in its shape, and moves its weights neither not at all (a no-op ties with the base for ever) nor
beyond reason (weights times a million answer noise), whether its steady substitutions are such as a clerk may
have (:func:`datasets.steady.is_habit`), and whether the folder is signed for the tenant. Whether it is any
*good* is for ``wer_gate``.

How far a module moves its weights is ``|scale * B A| / |W|`` (Frobenius norms); trained adapters lie between
.001 and 1. Where the base's weights are not on this machine the root mean square of the update is bounded.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.datasets.steady import STEADY, is_habit, read_steady
from astra_learn_assets.errors import AdapterRefused
from astra_learn_assets.ids import TenantId
from astra_learn_assets.registry.manifest import CONFIG, METRICS, WEIGHTS, Scalar, digest_of
from astra_learn_assets.registry.signature import verify_folder
from astra_learn_assets.registry.tensors import Tensor, read_header, values

_LORA = re.compile(r"(?P<module>.+)\.lora_(?P<side>[AB])(?:\.[A-Za-z0-9_-]+)?\.weight")
_PREFIX = "base_model.model."
_LEAST, _MOST = 1e-6, 10.0  # |scale * B A| / |W|
_LEAST_RMS, _MOST_RMS = 1e-9, 100.0  # of scale * B A, where W is not at hand
_MUST_BE_FINITE = ("train_loss_first", "train_loss_last")
_MAY_BE_FINITE = ("validation_loss_first", "validation_loss_last", "perplexity")


def adapter_gate(
    folder: Path,
    *,
    tenant_id: TenantId,
    digest: str,
    verify_key: Ed25519PublicKey,
    base: Path | None = None,
) -> GateVerdict:
    """Judge the signed adapter in ``folder``, which must be ``tenant_id``'s with content ``digest``.

    ``base``: folder of the base model's safetensors files, where this machine has them.

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
        faults += _weight_faults(folder / WEIGHTS, config, base, details)
        faults += _steady_faults(folder / STEADY, details)
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


def _steady_faults(path: Path, details: dict[str, Scalar]) -> list[str]:
    """An imported adapter brings what somebody else has counted."""
    if not path.exists():
        return []
    steady = read_steady(path.read_bytes())
    details["steady_substitutions"] = len(steady)
    odd = [one for one in steady if not is_habit(tuple(one.said.split()), tuple(one.written.split()))]
    return [f"{STEADY}: {len(odd)} of {len(steady)} substitutions are no clerk's habit"] if odd else []


def _weight_faults(
    path: Path, config: Mapping[str, Any], base: Path | None, details: dict[str, Scalar]
) -> list[str]:
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
    details["modules"] = len(sides)
    known = None if base is None else base_modules(base)
    details["base_at_hand"] = known is not None
    return _update_faults(path, sides, config, known, details)


def _update_faults(
    path: Path,
    sides: Mapping[str, Mapping[str, Tensor]],
    config: Mapping[str, Any],
    known: Mapping[str, tuple[Path, Tensor]] | None,
    details: dict[str, Scalar],
) -> list[str]:
    """Is each module the base's, and does it move its weights by a sane amount?"""
    least, most = (_LEAST_RMS, _MOST_RMS) if known is None else (_LEAST, _MOST)
    smallest, largest, still = math.inf, 0.0, 0
    faults = []
    for module, pair in sorted(sides.items()):
        read = list(values(path, [pair["A"], pair["B"]]))
        for tensor, numbers in read:
            if not np.isfinite(numbers).all():
                return [f"{WEIGHTS}: {tensor.name!r:.120} has NaN or infinity"]
        (_, a), (_, b) = read
        # |B A|^2 is the trace of (B'B)(A A'): two small matrices instead of one of the layer's size
        norm = _scale(config, module, a.shape[0]) * math.sqrt(max(float(np.sum((b.T @ b) * (a @ a.T))), 0.0))
        if known is None:
            moved = norm / math.sqrt(max(b.shape[0] * a.shape[1], 1))
        else:
            found = known.get(module.removeprefix(_PREFIX))
            if found is None:
                return [f"{WEIGHTS}: the base model has no module {module!r:.120}"]
            file, weight = found
            if weight.shape not in ((b.shape[0], a.shape[1]), (a.shape[1], b.shape[0])):
                return [f"{WEIGHTS}: {module!r:.120} does not fit the base model's {weight.shape}"]
            moved = norm / max(_norm(file, weight), 1e-30)
        smallest, largest = min(smallest, moved), max(largest, moved)
        still += moved < least
    details |= {"smallest_update": smallest, "largest_update": largest, "modules_that_do_nothing": still}
    if still:
        faults.append(f"{WEIGHTS}: {still} of {len(sides)} modules change nothing, a no-op")
    if not largest <= most:
        faults.append(f"{WEIGHTS}: a module moves its weights by {largest:.3g}, at most {most:g} is sane")
    return faults


def base_modules(folder: Path) -> dict[str, tuple[Path, Tensor]]:
    """Module name -> file and weight matrix of every linear module in the safetensors files of ``folder``.

    Raises:
        AdapterRefused: when there is none, or a file is malformed.
    """
    found = {
        tensor.name.removesuffix(".weight"): (file, tensor)
        for file in sorted(folder.glob("*.safetensors"))
        for tensor in read_header(file)
        if tensor.name.endswith(".weight") and len(tensor.shape) == 2
    }
    if not found:
        raise AdapterRefused(f"the base model in {folder.name} holds no weight matrix")
    return found


def _norm(file: Path, weight: Tensor) -> float:
    return float(sum(np.sqrt(np.sum(numbers**2)) for _, numbers in values(file, [weight])))


def _scale(config: Mapping[str, Any], module: str, rank: int) -> float:
    """``alpha / r`` as PEFT computes it (``alpha / sqrt(r)`` with rsLoRA), patterns included."""
    alpha: object = config.get("lora_alpha")
    patterns = config.get("alpha_pattern")
    if isinstance(patterns, dict):
        alpha = next((value for name, value in patterns.items() if module.endswith(name)), alpha)
    if not isinstance(alpha, int | float) or isinstance(alpha, bool):
        return 1.0
    return float(alpha) / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _ranks(config: Mapping[str, Any]) -> set[int]:
    pattern = config.get("rank_pattern")
    found = {config.get("r"), *(pattern.values() if isinstance(pattern, dict) else ())}
    return {rank for rank in found if isinstance(rank, int) and not isinstance(rank, bool)}
