"""One text has one form, one set of examples has one file."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astra_learn_assets.contracts import Pair
from astra_learn_assets.datasets import instruct, jsonl
from astra_learn_assets.errors import BadInput, BadJsonl, InvalidId
from astra_learn_assets.spanish.text import normal_form
from astra_learn_assets_tests.datasets.builders import example, replay

_PAIR = Pair(chunk_id="c1", route=3, before="x", after="y", audio_uri="s3://a/b.mp3", start_ms=0, end_ms=900)


def _make(**changes: object) -> object:
    arguments: dict[str, object] = {
        "pair": _PAIR,
        "before": "la reunion",
        "after": "La reunión",
        "entities": {},
        "tenant_id": "villaverde",
        "document_id": "d-1",
        "engine_version": "1",
    }
    return instruct.make_example(**{**arguments, **changes})  # type: ignore[arg-type]


def test_every_route_gets_the_exact_spanish_instruction() -> None:
    expected = "Corrige la transcripción del acta conservando el sentido y los marcadores."
    assert {instruct.instruction(route) for route in (1, 2, 3)} == {expected}


def test_an_example_carries_the_audio_of_its_pair_and_only_placeholders_that_are_there() -> None:
    made = instruct.make_example(
        pair=_PAIR,
        before="<PERSONA_2> habla",
        after="<PERSONA_2> habla.",
        entities={"<PERSONA_2>": 2, "<PERSONA_1>": 1},
        tenant_id="villaverde",
        document_id="d-1",
        engine_version="1",
    )
    assert (made.meta.audio_uri, made.meta.start_ms, made.meta.end_ms) == ("s3://a/b.mp3", 0, 900)
    assert made.meta.entities == {"<PERSONA_2>": 2}


def test_the_id_follows_content_and_not_engine_or_spelling_of_unicode() -> None:
    base = example("la reunion", "La reunión")
    assert example("la reunion", "La reunio\u0301n").meta.example_id == base.meta.example_id
    assert example("la  reunion ", "La\u00a0reuni\u00adón").meta.example_id == base.meta.example_id
    others = [
        example("la reunion", "La reunión."),
        example("la reunion", "La reunión", document="doc-2"),
        example("la reunion", "La reunión", tenant="otro"),
        example("la reunion", "La reunión", chunk="c2"),
    ]
    assert len({item.meta.example_id for item in (base, *others)}) == 5


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("document_id", "../x", InvalidId),
        ("before", "medio \ud800 carácter", BadInput),
    ],
)
def test_what_cannot_be_stored_is_refused(field: str, value: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        _make(**{field: value})


def test_a_dump_is_canonical_and_reads_back() -> None:
    items = [example("el  señor dijo: «no»", "El señor dijo: «no».\nFin"), *replay(3)]
    data = jsonl.dump(items)
    assert data.endswith(b"\n")
    assert data.count(b"\n") == 4
    assert "señor".encode() in data
    first = json.loads(data.split(b"\n")[0])
    assert list(first) == sorted(first)
    assert list(first["meta"]) == sorted(first["meta"])
    assert jsonl.load(data) == items
    assert jsonl.dump(jsonl.load(data)) == data
    assert jsonl.dump([]) == b""
    assert jsonl.load(b"") == []


def test_a_newline_before_a_combining_mark_does_not_break_the_escape() -> None:
    item = example("a", "b").model_copy(update={"output": "línea\n\u0303fin\u2028aparte"})
    assert jsonl.load(jsonl.dump([item]))[0].output == "línea\n\u0303fin\u2028aparte"


def test_windows_line_ends_and_byte_order_mark_are_read() -> None:
    items = replay(2)
    data = jsonl.dump(items)
    assert jsonl.load(b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n")) == items
    assert jsonl.load(data.removesuffix(b"\n")) == items


_GOOD = jsonl.dump(replay(1))


@pytest.mark.parametrize(
    "bad",
    [
        b"\n",
        b"   \n",
        b"{\n",
        b"[]\n",
        b"null\n",
        b'"text"\n',
        b"{}\n",
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        b'{"instruction": NaN}\n',
        _GOOD.replace(b'"route":1', b'"route":4'),
        _GOOD.replace(b'"route":1', b'"route":"1"'),
        _GOOD.replace(b'"input":', b'"input":1,"input":'),
        _GOOD.replace(b'"input":', b'"extra":1,"input":'),
        _GOOD.replace(b'"input":"', b'"input":null,"x":"'),
        _GOOD[: len(_GOOD) // 2],
    ],
)
def test_a_broken_line_is_named_by_its_number(bad: bytes) -> None:
    with pytest.raises(BadJsonl) as caught:
        jsonl.load(_GOOD + bad + _GOOD)
    assert caught.value.line == 2
    assert "Corrige" not in str(caught.value)


def test_half_a_character_cannot_be_dumped() -> None:
    item = example("a", "b").model_copy(update={"output": "x\ud800"})
    with pytest.raises(BadInput):
        jsonl.dump([item])


@given(st.text(), st.text())
def test_any_text_survives_the_file(before: str, after: str) -> None:
    try:
        made = example(before, after)
    except BadInput:
        return
    assert jsonl.load(jsonl.dump([made])) == [made]
    assert normal_form(made.output) == made.output
