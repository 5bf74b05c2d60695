"""Audio manifests: which stretches, in which order, in both forms."""

from __future__ import annotations

import json

from astra_learn_assets.contracts import Example, ExampleMeta
from astra_learn_assets.datasets import audio


def example(number: int, text: str = "Se aprueba el acta.", **meta: object) -> Example:
    whole = {
        "example_id": f"{number:064x}", "tenant_id": "alfa", "document_id": f"d{number % 2}", "route": 3,
        "audio_uri": "s3://audio/pleno.wav", "start_ms": 1000 * number, "end_ms": 1000 * number + 2500,
        "engine_version": "1",
    } | meta  # fmt: skip
    return Example(instruction="i", input="x", output=text, meta=ExampleMeta.model_validate(whole))


def test_examples_without_audio_or_with_an_empty_stretch_are_left_out() -> None:
    given = [
        example(1, audio_uri=None), example(2, start_ms=None), example(3, end_ms=None),
        example(4, start_ms=9000, end_ms=9000), example(5, text=" "), example(6),
    ]  # fmt: skip
    assert [row.example_id for row in audio.stretches(given)] == [f"{6:064x}"]


def test_rows_go_by_document_and_time_whatever_their_order() -> None:
    given = [example(n) for n in (5, 2, 4, 1)]
    assert [row.start_ms for row in audio.stretches(given)] == [2000, 4000, 1000, 5000]
    assert audio.stretches(given) == audio.stretches(reversed(given))


def test_nemo_counts_seconds_into_the_recording() -> None:
    (row,) = map(json.loads, audio.manifest(audio.stretches([example(3)]), "nemo", policy="p1").splitlines())
    assert row["audio_filepath"] == "s3://audio/pleno.wav"
    assert (row["offset"], row["duration"], row["text"]) == (3.0, 2.5, "Se aprueba el acta.")
    assert (row["pii_gate"], row["privacy_policy"], row["placeholders"]) == ("passed", "p1", 0)


def test_audiofolder_names_a_clip_and_where_to_cut_it_and_a_placeholder_is_counted() -> None:
    rows = audio.stretches([example(3, text="Habla <PERSONA_1> por <ORG_1>.")])
    (row,) = map(json.loads, audio.manifest(rows, "audiofolder", policy="p1").splitlines())
    assert row["file_name"] == f"{3:064x}.wav"
    assert (row["source"], row["start"], row["end"]) == ("s3://audio/pleno.wav", 3.0, 5.5)
    assert row["placeholders"] == 2
