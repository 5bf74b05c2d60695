"""Loading the base model: device, precision, attention; and a name for it that means the same everywhere."""

from __future__ import annotations

import gc
import hashlib
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from trainer.errors import BadBase, BaseTooLarge, NoGpu

Precision = Literal["auto", "fp32", "bf16", "fp16", "nf4"]
DeviceChoice = Literal["auto", "cpu", "cuda"]
DECISIVE_FILES = (
    "*.safetensors", "*.safetensors.index.json", "pytorch_model*.bin", "pytorch_model.bin.index.json",
    "config.json", "tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab.*", "merges.txt",
    "*.model", "*.tiktoken", "chat_template*", "*.jinja",
)  # fmt: skip


@dataclass(frozen=True)
class Placement:
    """Where and how the model computes. ``precision`` is never "auto" here."""

    device: str
    precision: str

    @property
    def dtype(self) -> Any:
        """Type of the frozen weights (of the computation, for NF4)."""
        import torch

        names = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
        if self.precision == "nf4":
            return (
                torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
            )
        return names[self.precision]


def place(device: DeviceChoice, precision: Precision, *, require_gpu: bool = False) -> Placement:
    """Choose what the card does best: bf16 on sm80 and newer, fp16 before, fp32 on a CPU.

    On a CPU bf16 would halve the memory and lose accuracy and, without AMX, time.
    """
    import torch

    has_gpu = torch.cuda.is_available()
    if (require_gpu or device == "cuda") and not has_gpu:
        raise NoGpu("no CUDA device is visible; run on a GPU node or leave --require-gpu/--device cuda out")
    on = "cuda" if has_gpu and device != "cpu" else "cpu"
    if precision == "auto":
        if on == "cpu":
            precision = "fp32"
        else:
            precision = "bf16" if torch.cuda.get_device_capability()[0] >= 8 else "fp16"
    if on == "cpu" and precision in ("fp16", "nf4"):
        raise NoGpu(f"precision {precision} needs a CUDA device; use fp32 or bf16 on a CPU")
    return Placement(on, precision)


def placements(device: DeviceChoice, precision: Precision, *, require_gpu: bool = False) -> list[Placement]:
    """What :func:`place` chooses, then what to fall back to when the card's memory is too small for it.

    Four-bit weights take a quarter of the memory and a tenth more time, so they come second; and only
    where nobody asked for a precision by name.
    """
    chosen = [place(device, precision, require_gpu=require_gpu)]
    if precision == "auto" and chosen[0].device == "cuda" and find_spec("bitsandbytes"):
        chosen.append(Placement("cuda", "nf4"))
    return chosen


def room_on_card() -> str:
    """What this process may hold of the card, in words."""
    import torch

    if not torch.cuda.is_available():
        return "memory"
    whole = torch.cuda.get_device_properties(0).total_memory
    share = torch.cuda.get_per_process_memory_fraction()
    return f"{share * whole / (1 << 30):.1f} GiB that this process may use of the card"


def use_threads(count: int) -> None:
    """So many of the processor's; 0 = OMP_NUM_THREADS, else all that this process may use."""
    import torch

    if count or "OMP_NUM_THREADS" not in os.environ:  # which torch has read already
        torch.set_num_threads(count or len(os.sched_getaffinity(0)))


def release() -> None:
    """Give the memory of what is no longer referenced back to the card."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def base_identity(base: str, revision: str | None) -> tuple[str, str | None]:
    """(name, revision) to record: a Hub id as given; a local folder by its name and a digest of its files.

    A folder's path would make the adapter's hash depend on the machine. The digest covers the files that
    decide what the model answers: weights, config, tokenizer, chat template. A changed model card, training
    figures or generation defaults (never read here) leave the base what it is. The platform has the same
    definition in stages/train.py; a test holds the two together, as neither imports the other.
    """
    folder = Path(base).expanduser()
    if not folder.is_dir():
        return base, revision
    digest = hashlib.sha256()
    for name, size, hashed in _decisive(folder.resolve()):
        digest.update(f"{name}\0{size}\0".encode())
        digest.update(hashed.result())
    return folder.resolve().name, digest.hexdigest()


def hash_ahead(base: str) -> None:
    """Begin what :func:`base_identity` will be asked: reading 16 GB takes 13 s, loading them 3."""
    folder = Path(base).expanduser()
    if folder.is_dir():
        _decisive(folder.resolve())


def _decisive(folder: Path) -> list[tuple[str, int, Future[bytes]]]:
    """Name, size and digest, once it is there, of each file that decides: side by side, once a process."""
    found: list[tuple[str, int, Future[bytes]]] = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_file() and any(fnmatchcase(entry.name, pattern) for pattern in DECISIVE_FILES):
            known = entry.stat()
            stamp = (entry, known.st_size, known.st_mtime_ns)
            if stamp not in _HASHED:
                _HASHED[stamp] = Future()
                # a thread that the end of the process need not wait for
                threading.Thread(target=_hash, args=(entry, _HASHED[stamp]), daemon=True).start()
            found.append((entry.name, known.st_size, _HASHED[stamp]))
    return found


Stamp = tuple[Path, int, int]  # a file as it was: where, bytes, nanoseconds
_HASHED: dict[Stamp, Future[bytes]] = {}


def digests(base: str) -> dict[Stamp, bytes]:
    """The digests of a base's files, all of them read; for :func:`remember` in another process."""
    if not Path(base).expanduser().is_dir():
        return {}
    base_identity(base, None)
    return {stamp: hashed.result() for stamp, hashed in _HASHED.items()}


def remember(known: Mapping[Stamp, bytes]) -> None:
    """Take what :func:`digests` found: a file whose size and time have changed since is read again."""
    for stamp, digest in known.items():
        _HASHED[stamp] = Future()
        _HASHED[stamp].set_result(digest)


HELD: dict[tuple[str, str | None, Placement], Callable[[], Any]] = {}
"""Bases that this process has been given (:mod:`trainer.tenant`): each call makes a model of the weights."""
# Large: a thread that comes back from reading or hashing waits behind what Python does meanwhile. Half the
# time of 256 KB, hashlib's own, even where nothing else runs.
_READ = 64 << 20


def _hash(file: Path, into: Future[bytes]) -> None:
    try:
        digest = hashlib.sha256()
        room = memoryview(bytearray(min(_READ, max(1, file.stat().st_size))))
        with file.open("rb", buffering=0) as data:
            while count := data.readinto(room):
                digest.update(room[:count])
        into.set_result(digest.digest())
    except OSError as error:
        into.set_exception(BadBase(f"the base model's {file.name} cannot be read: {error}"))


def load_tokenizer(base: str, revision: str | None) -> Any:
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(base, revision=revision)
    except (OSError, ValueError, KeyError) as error:
        raise BadBase(f"no tokenizer can be loaded from {base!r}: {_first_line(error)}") from error


def plain_attention(base: str, revision: str | None) -> str:
    """``sdpa``, but where scores are capped or have sinks, which only the library's own way computes."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(base, revision=revision).get_text_config()
    capped = getattr(config, "attn_logit_softcapping", None) or config.model_type == "gpt_oss"
    return "eager" if capped else "sdpa"


def generation_config(base: str, revision: str | None) -> Any:
    """What the base says of its own generation; None when it says nothing."""
    from transformers import GenerationConfig

    try:
        return GenerationConfig.from_pretrained(base, revision=revision or "main")
    except (OSError, ValueError):
        return None


def load_base(base: str, revision: str | None, placement: Placement, *, packed: bool) -> Any:
    """The frozen base model; ``packed`` with the attention of :mod:`trainer.attention`, else plain SDPA.

    Raises :class:`BadBase` when it is missing, incomplete or not a causal LM, :class:`BaseTooLarge` when
    the card cannot hold it.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    from trainer.attention import register

    held = HELD.get((base, revision, placement))
    if held is not None:
        return _as_asked(held(), base, revision, placement, packed=packed)
    device = torch.device(placement.device)
    options: dict[str, Any] = {"revision": revision, "dtype": placement.dtype}
    if placement.precision == "nf4":
        from transformers import BitsAndBytesConfig

        quantization: Any = BitsAndBytesConfig
        options["quantization_config"] = quantization(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=placement.dtype,
        )
    if placement.device != "cpu":
        options["device_map"] = {
            "": placement.device
        }  # from the file to the card, not by way of the processor
    attention = register(device, placement.dtype) if packed else None
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(
            base, attn_implementation=attention or plain_attention(base, revision), **options
        )
    except torch.OutOfMemoryError as error:
        raise BaseTooLarge(
            f"the base model does not fit the {room_on_card()} in {placement.precision}; "
            "use --precision nf4, a smaller base or a larger card"
        ) from error
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError, ImportError) as error:
        raise BadBase(
            f"no causal language model can be loaded from {base!r}: {_first_line(error)}"
        ) from error
    model.config.use_cache = not packed
    return model.eval().requires_grad_(False)


def _as_asked(model: Any, base: str, revision: str | None, placement: Placement, *, packed: bool) -> Any:
    """A held base with the attention that a freshly loaded one would have."""
    import torch

    from trainer.attention import register

    attention = register(torch.device(placement.device), placement.dtype) if packed else None
    model.set_attn_implementation(attention or plain_attention(base, revision))
    model.config.use_cache = not packed
    return model.eval().requires_grad_(False)


def text_tower(model: Any) -> list[str]:
    """The linear layers of the text model inside a multimodal base; none where the base reads text alone.

    What sees or hears is never asked by a corrector, so an adapter there would be weight for nothing.
    """
    import torch

    if model.config.get_text_config() is model.config:
        return []
    decoder = model.get_decoder()
    (inside,) = (name for name, module in model.named_modules() if module is decoder)
    linear = (name for name, module in decoder.named_modules() if isinstance(module, torch.nn.Linear))
    return [f"{inside}.{name}" for name in linear]


def longest_context(model: Any) -> int | None:
    """Tokens of the longest example that the model reads whole; None where its config sets no bound.

    A sliding window counts: packs are read without one, so a longer example would be learned as the model
    never sees it.
    """
    config = model.config.get_text_config()
    bounds = [getattr(config, name, None) for name in ("max_position_embeddings", "sliding_window")]
    return min((bound for bound in bounds if bound), default=None)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
