"""Pairs of audio and text, for whoever adapts the recognizer: what was said in each stretch.

Two forms of one manifest, neither with the audio itself: NeMo's (JSON lines, ``offset`` and
``duration`` in seconds of ``audio_filepath``) and the ``metadata.jsonl`` of Hugging Face's ``audiofolder``
(``file_name`` is the clip to be cut: the example's id). The text is the anonymized one: a row whose text
holds a placeholder says so, since nobody said that word.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from astra_learn_assets.contracts import Example
from astra_learn_assets.spanish.placeholder import placeholders

Form = Literal["nemo", "audiofolder"]


@dataclass(frozen=True)
class Stretch:
    """A stretch of a recording, in milliseconds, and what the clerk says was said in it."""

    example_id: str
    document_id: str
    route: int
    audio_uri: str
    start_ms: int
    end_ms: int
    text: str
    placeholders: int


def stretches(examples: Iterable[Example]) -> list[Stretch]:
    """Of each example with audio and a stretch that is longer than nothing; by document, then by time."""
    found = []
    for example in examples:
        meta = example.meta
        if meta.audio_uri is None or meta.start_ms is None or meta.end_ms is None:
            continue
        if meta.end_ms <= meta.start_ms or not example.output.strip():
            continue
        found.append(
            Stretch(
                meta.example_id, meta.document_id, meta.route, meta.audio_uri, meta.start_ms, meta.end_ms,
                example.output, len(placeholders(example.output)),
            )
        )  # fmt: skip
    return sorted(found, key=lambda s: (s.document_id, s.audio_uri, s.start_ms, s.example_id))


def manifest(rows: Iterable[Stretch], form: Form, *, policy: str) -> bytes:
    """The manifest, one JSON object a line; ``policy`` is the privacy policy that every row has passed."""
    return b"".join(
        json.dumps(_row(row, form, policy), ensure_ascii=False, sort_keys=True).encode() + b"\n"
        for row in rows
    )


def _row(row: Stretch, form: Form, policy: str) -> dict[str, object]:
    common: dict[str, object] = {
        "example_id": row.example_id,
        "document_id": row.document_id,
        "route": row.route,
        "pii_gate": "passed",
        "privacy_policy": policy,
        "placeholders": row.placeholders,
    }
    start, seconds = row.start_ms / 1000, (row.end_ms - row.start_ms) / 1000
    if form == "nemo":
        own = {"audio_filepath": row.audio_uri, "offset": start, "duration": seconds, "text": row.text}
    else:
        own = {
            "file_name": f"{row.example_id}.wav", "transcription": row.text, "source": row.audio_uri,
            "start": start, "end": row.end_ms / 1000,
        }  # fmt: skip
    return common | own
