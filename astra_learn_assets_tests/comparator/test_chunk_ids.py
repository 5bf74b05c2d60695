"""Chunk ids survive suffixes, rounding and sorting, and no damaged or foreign id passes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from astra_learn_assets.comparator.docx.arbitration import arbitrate
from astra_learn_assets.comparator.docx.blocks import Carrier, Claim
from astra_learn_assets.comparator.docx.chunk_ids import (
    MAXIMUM_INDEX,
    W,
    chunk_id_of_bookmark,
    chunk_id_of_tabs,
    find_chunk_ids,
    is_chunk_id,
    mint_chunk_id,
    strip_hidden_tokens,
    tab_positions,
    write_chunk_id,
)
from astra_learn_assets.errors import InvalidId

indices = st.integers(0, MAXIMUM_INDEX)
documents = st.text(min_size=1, max_size=20)


@given(documents, indices)
def test_an_id_is_fixed_in_length_and_of_one_document_and_index(document: str, index: int) -> None:
    chunk_id = mint_chunk_id(document, index)
    assert len(chunk_id) == 13
    assert len("_astra_" + chunk_id + "_Copy_999") <= 40
    assert is_chunk_id(chunk_id)
    assert mint_chunk_id(document + "x", index) != chunk_id
    assert mint_chunk_id(document, (index + 1) % (MAXIMUM_INDEX + 1)) != chunk_id


@given(documents, indices, st.lists(st.sampled_from((-1, 0, 1)), min_size=6, max_size=6), st.randoms())
def test_tab_stops_spell_the_id_in_any_order_and_after_rounding(
    document: str, index: int, rounding: list[int], rng: object
) -> None:
    chunk_id = mint_chunk_id(document, index)
    positions = tab_positions(chunk_id)
    assert all(20_000 <= n <= 31_680 for n in positions)
    moved = [n + r for n, r in zip(positions, rounding, strict=True)]
    rng.shuffle(moved)  # type: ignore[attr-defined]
    assert chunk_id_of_tabs([*moved, 708, 1416]) == chunk_id
    assert chunk_id_of_tabs(moved[:5]) is None


def test_off_page_stops_of_a_style_do_not_hide_the_id() -> None:
    chunk_id = mint_chunk_id("acta", 42)
    assert chunk_id_of_tabs([*tab_positions(chunk_id), 22_222, 30_001]) == chunk_id
    assert chunk_id_of_tabs(range(20_000, 31_000, 50)) is None


@given(documents, indices, st.integers(1, 12), st.sampled_from("0123456789abcdefghjkmnpqrstvwxyz"))
def test_a_wrong_letter_is_noticed(document: str, index: int, place: int, letter: str) -> None:
    chunk_id = mint_chunk_id(document, index)
    damaged = chunk_id[:place] + letter + chunk_id[place + 1 :]
    # 15 bits of checksum: one damaged id in 32,768 passes, and is then unknown to the draft
    if damaged != chunk_id and is_chunk_id(damaged):
        assert damaged != mint_chunk_id(document, index)


def test_most_damaged_ids_are_refused() -> None:
    chunk_id = mint_chunk_id("acta", 7)
    variants = {
        chunk_id[:k] + letter + chunk_id[k + 1 :]
        for k in range(1, 13)
        for letter in "0123456789abcdefghjkmnpqrstvwxyz"
    } - {chunk_id}
    assert sum(map(is_chunk_id, variants)) <= 2


def test_bookmark_suffixes_and_capitals_do_not_matter() -> None:
    chunk_id = mint_chunk_id("acta", 3)
    for name in (
        f"_astra_{chunk_id}",
        f"_astra_{chunk_id}_Copy_1",
        f"_ASTRA_{chunk_id.upper()}_Copy_1_Copy_2",
    ):
        assert chunk_id_of_bookmark(name) == chunk_id
    for name in ("_astra_", "_Toc123456", f"x_astra_{chunk_id}", "_astra_czzzzzzzzzzzz"):
        assert chunk_id_of_bookmark(name) is None


def test_ids_are_found_in_links_and_tags_but_not_inside_longer_words() -> None:
    chunk_id = mint_chunk_id("acta", 3)
    assert find_chunk_ids(f"https://astra.example/{chunk_id}?x=1") == [chunk_id]
    assert find_chunk_ids(f"abc{chunk_id}") == find_chunk_ids(f"{chunk_id}9") == []
    assert strip_hidden_tokens(f"a[#{chunk_id}]b") == ("ab", [chunk_id])


@pytest.mark.parametrize("index", [-1, MAXIMUM_INDEX + 1, True])
def test_an_index_out_of_range_is_refused(index: int) -> None:
    with pytest.raises(InvalidId, match="chunk index"):
        mint_chunk_id("acta", index)


def test_only_a_paragraph_takes_an_id_and_only_a_valid_one() -> None:
    with pytest.raises(InvalidId, match="w:p"):
        write_chunk_id(etree.Element(f"{{{W}}}tbl"), mint_chunk_id("a", 1), bookmark_id=1)
    with pytest.raises(InvalidId):
        write_chunk_id(etree.Element(f"{{{W}}}p"), "c000000000000", bookmark_id=1)


def test_tab_stops_stand_where_the_schema_wants_them() -> None:
    paragraph = etree.fromstring(
        f'<w:p xmlns:w="{W}"><w:pPr><w:pStyle w:val="a"/><w:spacing w:after="0"/></w:pPr></w:p>'
    )
    write_chunk_id(paragraph, mint_chunk_id("a", 1), bookmark_id=1)
    order = [etree.QName(e).localname for e in paragraph[0]]
    assert order == ["pStyle", "tabs", "spacing"]


claims = st.lists(
    st.lists(
        st.builds(
            Claim,
            st.sampled_from([mint_chunk_id("acta", n) for n in range(5)]),
            st.sampled_from(("bookmark", "hidden", "sdt", "comment", "field", "link", "tab")),
        ),
        max_size=4,
    ),
    max_size=12,
)


@given(claims)
def test_strong_carriers_always_win_and_a_tab_claims_once_and_only_what_nobody_else_does(
    blocks: list[list[Claim]],
) -> None:
    resolved = arbitrate(blocks)
    assert len(resolved) == len(blocks)
    strong: list[set[str]] = [{c.chunk_id for c in block if c.carrier != "tab"} for block in blocks]
    everywhere = set().union(*strong) if strong else set()
    by_tab: list[str] = []
    for block, mine, ids in zip(blocks, strong, resolved, strict=True):
        assert len(set(ids)) == len(ids)
        if mine:
            assert set(ids) == mine
        elif ids:
            assert ids[0] in {c.chunk_id for c in block if c.carrier == "tab"}
            assert ids[0] not in everywhere
            by_tab.extend(ids)
    assert len(set(by_tab)) == len(by_tab)


@given(claims)
def test_arbitration_does_not_depend_on_the_order_of_a_blocks_carriers(blocks: list[list[Claim]]) -> None:
    one_tab = [
        [c for c in b if c.carrier != "tab"] + [c for c in b if c.carrier == "tab"][:1] for b in blocks
    ]
    forwards = [frozenset(ids) for ids in arbitrate(one_tab)]
    backwards = [frozenset(ids) for ids in arbitrate([block[::-1] for block in one_tab])]
    assert forwards == backwards


def test_a_bookmark_that_only_passes_through_is_believed_where_nothing_else_speaks() -> None:
    """The middle of a paragraph split in three has it alone; one pasted there has an id of its own."""
    whole, pasted, copied = (mint_chunk_id("acta", n) for n in range(3))
    blocks = [
        [Claim(whole, "bookmark")],
        [Claim(pasted, "hidden"), Claim(whole, "span")],
        [Claim(whole, "span")],
        [Claim(copied, "tab"), Claim(whole, "span")],
        [Claim(whole, "bookmark"), Claim(pasted, "hidden"), Claim(whole, "hidden")],
        [],
    ]
    assert arbitrate(blocks) == [(whole,), (pasted,), (whole,), (whole,), (whole, pasted), ()]


def test_a_tab_stop_claims_what_nobody_else_does_where_it_stands_first() -> None:
    one, two, three = (mint_chunk_id("acta", n) for n in range(3))
    blocks = [
        [Claim(one, "tab")],  # its own block says so further down
        [Claim(two, "tab"), Claim(three, "tab")],
        [Claim(two, "tab")],  # made with Enter
        [Claim(one, "hidden"), Claim(three, "tab")],
        [Claim(three, "tab")],
    ]
    assert arbitrate(blocks) == [(), (two,), (), (one,), (three,)]


def test_carriers_are_a_closed_set() -> None:
    assert set(Carrier.__args__) == {"bookmark", "hidden", "sdt", "comment", "field", "link", "span", "tab"}  # type: ignore[attr-defined]
