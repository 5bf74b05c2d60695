"""Is one pair fit to learn from? Rules on a single example; :mod:`poisoning` looks at many.

An example stays stored when a rule leaves it out: it is marked unusable with the reason, so a clerk's
work is visible and an ASR team can still use the audio pairs. The rules lean towards leaving out. A
municipality has thousands of pairs and a LoRA learns its errors from three hundred, so a doubtful pair
costs more in than out.

Where the bounds come from: unrelated paragraphs of real documents reach a character similarity of .44 at
the 99th percentile and of .48 for the best of a thousand, so above .5 edit distance (per character of the
longer side) two texts are no longer known to be the same sentence.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from rapidfuzz.distance import Levenshtein

from astra_learn_assets.contracts import Example
from astra_learn_assets.spanish.placeholder import BROKEN, PLACEHOLDER, placeholders
from astra_learn_assets.spanish.text import normal_form

Reason = Literal[
    "empty_input",
    "empty_output",
    "identical",
    "not_identical",
    "too_long",
    "control_characters",
    "model_tokens",
    "broken_placeholder",
    "placeholder_invented",
    "placeholder_lost",
    "mostly_placeholders",
    "much_shorter",
    "much_longer",
    "rewritten",
    "audio_only",
]

_MODEL_TOKEN = re.compile(
    r"<\|[^|<>]{0,40}\|>|</?(?:s|in|out|eos|bos|pad|unk|sep|cls|mask|system|user|assistant)>"
    r"|\[/?(?:INST|SYS)\]|<</?SYS>>|<(?:start|end)_of_turn>",
    re.IGNORECASE,
)
_ALLOWED_CONTROLS = "\n"


@dataclass(frozen=True)
class QualityLimits:
    """Bounds of :func:`assess`; lengths in characters, shares in 0..1."""

    max_characters: int = 2_000
    max_edit_share: float = 0.5
    edit_slack: int = 4
    max_length_ratio: float = 2.0
    length_slack: int = 20
    max_placeholder_share: float = 0.5


DEFAULT_LIMITS = QualityLimits()


def assess(example: Example, limits: QualityLimits = DEFAULT_LIMITS) -> Reason | None:
    """Why ``example`` is left out, or None when it is fit. Route 0 is fit when nothing was changed."""
    before, after = normal_form(example.input), normal_form(example.output)
    if not before:
        return "audio_only" if example.meta.route == 3 and after else "empty_input"
    if not after:
        return "empty_output"
    unchanged = example.meta.route == 0
    if (before == after) is not unchanged:
        return "not_identical" if unchanged else "identical"
    if max(len(before), len(after)) > limits.max_characters:
        return "too_long"
    return (
        _forbidden_characters(before + after)
        or _placeholder_fault(before, after, limits)
        or _distance_fault(before, after, limits, audio=example.meta.route == 3)
    )


def _forbidden_characters(text: str) -> Reason | None:
    for character in set(text) - set(_ALLOWED_CONTROLS):
        # Cc control, Cf invisible format (bidirectional overrides), Cs surrogate, Co private, Cn unassigned
        if unicodedata.category(character)[0] == "C" or character == "\ufffd":
            return "control_characters"
    return "model_tokens" if _MODEL_TOKEN.search(text) else None


def _placeholder_fault(before: str, after: str, limits: QualityLimits) -> Reason | None:
    if any(BROKEN.search(PLACEHOLDER.sub(" ", side)) for side in (before, after)):
        return "broken_placeholder"
    was, now = set(placeholders(before)), set(placeholders(after))
    if now - was:
        return "placeholder_invented"
    if was - now:
        # the instruction says "conservando los marcadores": dropping one must never be taught
        return "placeholder_lost"
    for side in (before, after):
        names = len(placeholders(side))
        words = len(PLACEHOLDER.sub(" ", side).split())
        if names and names > limits.max_placeholder_share * (names + words):
            return "mostly_placeholders"
    return None


def _distance_fault(before: str, after: str, limits: QualityLimits, *, audio: bool) -> Reason | None:
    # placeholders count as one character each, or their names would outweigh the words around them
    before, after = PLACEHOLDER.sub("\ue000", before), PLACEHOLDER.sub("\ue000", after)
    longer = max(len(before), len(after))
    fault: Reason | None = None
    if len(after) * limits.max_length_ratio + limits.length_slack < len(before):
        fault = "much_shorter"
    elif len(before) * limits.max_length_ratio + limits.length_slack < len(after):
        fault = "much_longer"
    elif Levenshtein.distance(before, after) > limits.edit_slack + limits.max_edit_share * longer:
        fault = "rewritten"
    return "audio_only" if fault and audio else fault
