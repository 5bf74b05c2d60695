"""Replay examples: general corrections of no municipality, so that an adapter keeps the base's skill.

The generic set is the part of them that is never taught: an adapter that has forgotten the base's skill shows
there. It ships apart, and no corpus may hold its text.

They are synthetic noise over public minutes, made with the base model, and shipped beside this module.
``meta.tenant_id`` and ``meta.document_id`` are ``replay``, which no municipality may be called.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from astra_learn_assets.contracts import Example
from astra_learn_assets.datasets import jsonl
from astra_learn_assets.datasets.golden import GoldenSet
from astra_learn_assets.errors import BadConfiguration, BadJsonl

REPLAY = "replay"
GENERIC = Path(__file__).with_name("generic_es.jsonl")
SHIPPED = Path(__file__).with_name("replay_es.jsonl")


def load_replay(path: Path | None = None) -> list[Example]:
    """The replay examples of ``path``, or the shipped ones.

    Raises:
        BadConfiguration: when the file cannot be read or holds nothing.
        BadJsonl: for a broken line, or one that is not marked as replay.
    """
    source = path or SHIPPED
    try:
        data = source.read_bytes()
    except OSError as error:
        raise BadConfiguration(
            f"replay file {source}: {error.strerror or error}; set ASTRA_REPLAY_FILE to a JSONL file"
        ) from None
    examples = list(_parse(data))
    if not examples:
        raise BadConfiguration(f"replay file {source} is empty; set ASTRA_REPLAY_FILE to a JSONL file")
    return examples


@lru_cache(maxsize=1)
def generic_set() -> GoldenSet:
    """What no adapter may have seen: 75 general corrections and correct sentences in 25 blocks.

    Raises:
        BadJsonl: for a broken file.
    """
    return GoldenSet.read(GENERIC.read_bytes())


@lru_cache(maxsize=2)
def _parse(data: bytes) -> tuple[Example, ...]:
    examples = tuple(jsonl.load(data))
    for line, example in enumerate(examples, start=1):
        if example.meta.tenant_id != REPLAY or example.meta.document_id != REPLAY:
            raise BadJsonl(line, "not a replay example: meta.tenant_id and meta.document_id must be 'replay'")
    return examples
