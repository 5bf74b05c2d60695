"""Small files that once failed, each of a kind: what a person would say of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from astra_learn_assets.comparator.engine import compare
from astra_learn_assets.contracts import Delta
from astra_learn_assets.errors import UploadRefused

CASES = Path(__file__).parent / "data" / "cases"


def of(name: str) -> Delta:
    files = [(CASES / f"{name}_{side}.docx").read_bytes() for side in "ab"]
    return compare(files[0], files[1], generated_id="draft", final_id="final")


@pytest.mark.parametrize("name", ["mergedel_ids", "mergedel_noids"])
def test_neighbours_that_were_joined_across_a_deleted_paragraph_are_one_merge(name: str) -> None:
    delta = of(name)
    assert Counter(block.op for block in delta.blocks if block.op != "equal") == {"merged": 1, "deleted": 1}
    (merged,) = (block for block in delta.blocks if block.op == "merged")
    (deleted,) = (block for block in delta.blocks if block.op == "deleted")
    assert deleted.before not in merged.before
    for pair in delta.examples:  # no pair teaches to add text
        assert len(pair.after.split()) <= len(pair.before.split())


@pytest.mark.parametrize("name", ["replaced1", "replaced2"])
def test_another_utterance_typed_where_a_block_stood_is_deleted_and_inserted(name: str) -> None:
    delta = of(name)
    assert Counter(block.op for block in delta.blocks if block.op != "equal") == {
        "deleted": 1,
        "inserted": 1,
    }
    assert delta.examples == ()
    assert delta.entity_changes == ()


def test_sixty_thousand_fields_that_never_close_are_refused() -> None:
    data = (CASES / "02_fields_60k_unclosed.docx").read_bytes()
    with pytest.raises(UploadRefused) as refused:
        compare(data, data, generated_id="draft", final_id="final")
    assert refused.value.reason in ("suspicious", "too_complex", "too_long")


def test_text_imported_from_another_part_is_told_of() -> None:
    data = (CASES / "10_altchunk.docx").read_bytes()
    delta = compare(data, data, generated_id="draft", final_id="final")
    assert {rejection.reason for rejection in delta.rejected} == {"unread_altchunk"}
