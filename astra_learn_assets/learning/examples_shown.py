"""What the newest corrections changed, word by word: only of files that pii_gate passed."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from astra_learn_assets.datasets.word_changes import changed_stretches
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import assemble
from astra_learn_assets.platform import Platform


class BeforeAndAfter(BaseModel):
    """A corrected paragraph in pieces: (text, whether it was changed)."""

    model_config = ConfigDict(frozen=True)

    before: tuple[tuple[str, bool], ...]
    after: tuple[tuple[str, bool], ...]


def newest(platform: Platform, tenant_id: TenantId) -> tuple[BeforeAndAfter, ...]:
    """A few of the newest examples that teach.

    Raises:
        UnknownTenant: there is no such tenant.
    """
    return tuple(pieces(one.input, one.output) for one in assemble.preview(platform, tenant_id))


def pieces(before: str, after: str) -> BeforeAndAfter:
    """Both texts, cut where they differ."""
    old, new = before.split(), after.split()
    changed = changed_stretches(old, new)
    return BeforeAndAfter(
        before=_cut(old, [(start, end) for start, end, _, _ in changed]),
        after=_cut(new, [(start, end) for _, _, start, end in changed]),
    )


def _cut(words: Sequence[str], stretches: Sequence[tuple[int, int]]) -> tuple[tuple[str, bool], ...]:
    found: list[tuple[str, bool]] = []
    position = 0
    for start, end in (*stretches, (len(words), len(words))):
        found.append((" ".join(words[position:start]), False))
        found.append((" ".join(words[start:end]), True))
        position = end
    return tuple(piece for piece in found if piece[0])
