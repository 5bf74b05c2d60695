"""What this card and its compiler can do, tried out once: Triton's kernels, ours or Liger's."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec

import torch
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

from trainer.attention import scatter_attention

log = logging.getLogger(__name__)


def or_not_compiled(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """``others``, and what Triton raises where it cannot compile."""
    if not find_spec("triton"):
        return others
    from triton.errors import TritonError

    return (*others, TritonError)


@cache
def has_kernels() -> bool:
    """Whether Triton's kernels run here, ours or Liger's: tried out once.

    Triton compiles where it runs: it needs a card it knows, a C compiler and Python's header files.
    """
    if not (torch.cuda.is_available() and find_spec("triton")):
        return False
    probe = torch.ones(1, 16, device="cuda", dtype=torch.float16)
    try:
        from trainer.kernels import add_norm

        normed, _ = add_norm(probe, probe, probe[0], 0.0)
    # AssertionError: Triton did not find the driver's library, though the loader did
    except or_not_compiled(
        RuntimeError, ImportError, OSError, AssertionError, subprocess.CalledProcessError
    ) as error:
        log.warning("Triton does not run here, training is slower without it: %s", error)
        return False
    return bool((normed == 1).all())


def has_attention_kernels(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether :mod:`trainer.attention_kernels` serves here; other cards keep torch's flash kernel.

    Their tiles were chosen, and measured, for a Hopper card.
    """
    return (
        device.type == "cuda"
        and torch.cuda.get_device_capability(device) == (9, 0)
        and dtype in (torch.bfloat16, torch.float16)
        and has_kernels()
    )


@cache
def attention_kernels_agree(width: int, groups: int, dtype: torch.dtype) -> bool:
    """Whether their results and gradients are torch's, on three examples: a compiler may err, or give up.

    ``groups``: heads of queries to each of keys and values, whose width is ``width``.
    """
    from trainer.attention_kernels import attend, tiles

    lengths, device = [65, 130, 5], torch.device("cuda")
    draw = torch.Generator(device).manual_seed(0)
    sizes = [groups * width, width, width]

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=draw, device=device)

    with torch.inference_mode(False), torch.enable_grad():
        whole, weights = random(1, sum(lengths), sum(sizes)), random(1, sum(lengths), sizes[0])
        angle = random(1, sum(lengths), width // 2).repeat(1, 1, 2)
        cos, sin = angle.cos().to(dtype), angle.sin().to(dtype)
        starts = torch.tensor([0, *lengths], device=device).cumsum(0).to(torch.int32)
        mine = [x.to(dtype).requires_grad_() for x in torch.split(whole, sizes, -1)]
        theirs = [x.detach().float().requires_grad_() for x in mine]
        expected = _plain_attention(theirs, cos.float(), sin.float(), starts, max(lengths))
        wanted = [expected, *torch.autograd.grad(expected, theirs, weights)]
        try:
            found = attend(mine[0], mine[1], mine[2], cos, sin, tiles(starts, sum(lengths)), width**-0.5)
            results = [found, *torch.autograd.grad(found, mine, weights.to(dtype))]
        except torch.OutOfMemoryError:
            raise
        except or_not_compiled(RuntimeError) as error:
            log.warning("the attention kernels do not run here, torch's are used: %s", error)
            return False
    apart = _apart(results, wanted)
    if not apart <= 8 * torch.finfo(dtype).eps:
        log.warning("the attention kernels are %.1g apart from torch's, which are used", apart)
        return False
    return True


def _apart(found: Sequence[torch.Tensor], wanted: Sequence[torch.Tensor]) -> float:
    """The largest relative difference of a pair; not a number where one holds such a value."""
    pairs = zip(found, wanted, strict=True)
    # torch's max keeps a value that is no number, Python's loses it
    return float(torch.stack([(a.detach().float() - b).norm() / b.norm() for a, b in pairs]).detach().max())


def _plain_attention(
    qkv: Sequence[torch.Tensor], cos: torch.Tensor, sin: torch.Tensor, starts: torch.Tensor, longest: int
) -> torch.Tensor:
    """The library's rotation, then the attention of older cards; shapes as ``attention_kernels.attend``'s."""
    q, k, v = (x.view(*x.shape[:-1], -1, cos.shape[-1]).transpose(1, 2) for x in qkv)
    q, k = apply_rotary_pos_emb(q, k, cos, sin)
    out, _ = scatter_attention(torch.nn.Module(), q, k, v, None, cu_seq_lens_q=starts, max_length_q=longest)
    return out.flatten(2)
