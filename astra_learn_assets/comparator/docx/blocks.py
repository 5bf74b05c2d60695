"""What the reader hands on: blocks of text with their place, their chunk ids and what was odd."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

PartKind = Literal["body", "header", "footer", "footnote", "endnote", "comment"]
Carrier = Literal["bookmark", "hidden", "sdt", "comment", "field", "link", "span", "tab"]
"""``span``: a bookmark that began in a paragraph above and ends in one below."""
Flag = Literal[
    "hidden_inherited",  # typed inside the hidden run: kept, a person should look
    "hidden_dropped",  # hidden on purpose: not part of the text
    "audio_link",  # holds a link to its audio (not part of the text)
    "audio_pending",  # holds the placeholder of audio nobody has written down yet
    "comment_anchored",
    "tracked_changes",
    "merged",  # its paragraph mark was deleted with change tracking
    "textbox",
    "copy",  # its bookmark is a pasted duplicate
]


Unread = Literal["altchunk", "chart", "smartart", "embedded", "subdocument"]
"""Text that Word shows and that is not read: imported from another part, or drawn by another program."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a block stands. ``cells``: (table, row, column) from the outermost table inwards, from 0."""

    part: PartKind = "body"
    cells: tuple[tuple[int, int, int], ...] = ()
    list_level: int | None = None
    heading_level: int | None = None
    heading_path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """One carrier says the block is chunk ``chunk_id``."""

    chunk_id: str
    carrier: Carrier


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph with text. ``chunk_ids`` is what arbitration made of ``claims``."""

    text: str
    chunk_ids: tuple[str, ...] = ()
    location: Location = Location()
    flags: frozenset[Flag] = frozenset()
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A read DOCX: its blocks in document order, the document_id it carries, if any, and how often it holds
    text that was not read: with any of that, what is missing in the blocks need not be missing."""

    document_id: str | None
    blocks: tuple[Block, ...]
    unread: Mapping[Unread, int] = field(default_factory=dict)
