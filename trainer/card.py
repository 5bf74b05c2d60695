"""What this card and its compiler can do, tried out once: Triton's kernels, ours or Liger's."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec

import torch

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
        expected = _plain_attention(theirs, cos.float(), sin.float(), lengths)
        wanted = [expected.detach(), *torch.autograd.grad(expected, theirs, weights)]
        try:
            found = attend(mine[0], mine[1], mine[2], cos, sin, tiles(starts, sum(lengths)), width**-0.5)
            results = [found, *torch.autograd.grad(found, mine, weights.to(dtype))]
        except torch.OutOfMemoryError:
            raise
        except or_not_compiled(RuntimeError) as error:
            log.warning("the attention kernels do not run here, torch's are used: %s", error)
            return False
    apart = max(
        float((a.detach().float() - b).norm() / b.norm()) for a, b in zip(results, wanted, strict=True)
    )
    if not apart <= 8 * torch.finfo(dtype).eps:
        log.warning("the attention kernels are %.1g apart from torch's, which are used", apart)
        return False
    return True


def _plain_attention(
    qkv: Sequence[torch.Tensor], cos: torch.Tensor, sin: torch.Tensor, lengths: Sequence[int]
) -> torch.Tensor:
    """Llama's rotation and attention, an example at a time; shapes as in ``attention_kernels.attend``."""
    width, outs = cos.shape[-1], []

    def turned(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        first, second = x.chunk(2, -1)
        return x * cos + torch.cat([-second, first], -1) * sin

    parts = zip(*(torch.split(x, list(lengths), 1) for x in (*qkv, cos, sin)), strict=True)
    for q, k, v, c, s in parts:
        q, k, v = (x.unflatten(-1, (-1, width)).transpose(1, 2) for x in (q, k, v))
        out = torch.nn.functional.scaled_dot_product_attention(
            turned(q, c, s), turned(k, c, s), v, is_causal=True, enable_gqa=True
        )
        outs.append(out.transpose(1, 2).flatten(2))
    return torch.cat(outs, 1)
