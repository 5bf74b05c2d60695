"""What a case is made of: paragraphs of a draft, paragraphs of a final, and the truth that ties them."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("equal", "corrected", "rewritten", "merged", "split", "inserted", "replaced")


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of the draft; ``id`` stands for the hidden chunk id that the draft's DOCX carries."""

    id: str
    text: str


@dataclass(frozen=True)
class FinalParagraph:
    """A paragraph of the final and where it comes from.

    ``sources``: draft ids that it says, in draft order; empty when ``kind`` is inserted or replaced.
    ``kept_id``: its paragraph in the DOCX still has the hidden id: the one of its first source, or, when
    ``kind`` is replaced, the one of the block in whose place it was typed (``replaces``).
    ``moved``: it does not stand in the draft's order (see README.md for which of two is the moved one).
    ``teaches``: the human corrected what was said, and nothing was left out, added or contradicted.
    ``content_change``: a numeral, a name or a negation says something else than the draft does.
    ``operations``: what was done, for reading a failure; not part of the truth.
    """

    text: str
    sources: tuple[str, ...]
    kept_id: bool
    kind: str
    moved: bool = False
    teaches: bool = False
    content_change: bool = False
    replaces: str | None = None
    operations: tuple[str, ...] = ()

    @property
    def carried_id(self) -> str | None:
        """The hidden id that the bench writes into this paragraph's DOCX, or None."""
        if not self.kept_id:
            return None
        return self.sources[0] if self.sources else self.replaces


@dataclass(frozen=True)
class Rewriting:
    """One draft, one final and the truth; ``twins`` are groups of draft ids whose text is the same."""

    id: str
    intensity: int
    ids: str
    origin: str
    draft: tuple[Paragraph, ...]
    final: tuple[FinalParagraph, ...]
    deleted: frozenset[str]
    twins: tuple[tuple[str, ...], ...]
