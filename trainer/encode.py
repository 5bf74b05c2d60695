"""From checked records to what is trained on: encoded, split, and with what the recipe adds to it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trainer.data import REPLAY_TENANT, Encoded, Record, Template, split_validation
from trainer.errors import BadBase, BadData
from trainer.made import made_records
from trainer.model import longest_context
from trainer.options import Recipe

log = logging.getLogger("trainer")
_SPARE_IDS = 256


@dataclass(frozen=True)
class Corpus:
    """Encoded examples of both parts."""

    train: Sequence[Encoded]
    validation: Sequence[Encoded]
    replay_examples: int
    made_examples: int = 0
    too_long: int = 0


def encode(
    records: Sequence[Record],
    template: Template,
    recipe: Recipe,
    model: Any,
    *,
    file: str,
    skip_too_long: bool,
    validation_share: float,
) -> Corpus:
    """Split and encode; an example that recipe or model cannot hold is refused, or left out and counted."""
    longest = recipe.longest_example
    most = min(longest, longest_context(model) or longest)
    encoded = {}
    for record in records:
        example = template.encode(record, changed_weight=recipe.changed_weight)
        if len(example) <= most:
            encoded[record.example_id] = example
        elif not skip_too_long:
            raise BadData(
                f"the example has {len(example)} tokens, more than the {most} that the recipe and the base "
                "model hold; --skip-too-long leaves such examples out",
                file=file, line=record.line,
            )  # fmt: skip
    kept = [record for record in records if record.example_id in encoded]
    if len(kept) < len(records):
        log.warning("%d of %d examples are too long and left out", len(records) - len(kept), len(records))
    if not kept:
        raise BadData("every example is too long for the base model", file=file)
    train_records, validation_records = split_validation(kept, validation_share)
    own = [r for r in train_records if r.tenant_id != REPLAY_TENANT]
    replay = [r for r in train_records if r.tenant_id == REPLAY_TENANT]
    made = made_records(
        own, share=recipe.made_share, clean=recipe.clean_share, minimum=recipe.made_minimum, seed=recipe.seed
    )
    added = [e for r in made if len(e := template.encode(r, changed_weight=recipe.changed_weight)) <= most]
    # replay keeps its share of what is trained on: without it what is made would dilute it
    wanted = round(len(replay) * (len(own) + len(added)) / max(1, len(own)))
    again = [replay[i % len(replay)] for i in range(len(replay), wanted)] if replay else []
    return Corpus(
        train=[encoded[r.example_id] for r in (*train_records, *again)] + added,
        validation=[encoded[r.example_id] for r in validation_records],
        replay_examples=len(replay) + len(again),
        made_examples=len(added),
        too_long=len(records) - len(kept),
    )


def check_fits(model: Any, tokenizer: Any, corpus: Corpus) -> None:
    """Raises :class:`BadBase` where the tokenizer's ids are not the model's."""
    rows = model.get_input_embeddings().weight.shape[0]
    highest = max(max(e.tokens) for e in (*corpus.train, *corpus.validation))
    # a few ids more than rows are harmless while none of them is used (Gemma 3 1B has one)
    if highest >= rows or len(tokenizer) > rows + _SPARE_IDS:
        raise BadBase(
            f"the tokenizer knows {len(tokenizer)} tokens and the model {rows}; they do not belong together"
        )
