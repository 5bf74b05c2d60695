"""Which sessions a new adapter gets while it is on trial."""

from __future__ import annotations

import hashlib


def is_chosen(session_id: str, adapter_id: str, share: float) -> bool:
    """Whether this session is one of the ``share`` (0..1) that ``adapter_id`` is tried with.

    The same everywhere and always: the adapter's id is part of the digest, so that the sessions of one trial
    are not those of the next.
    """
    digest = hashlib.sha256(f"{adapter_id}:{session_id}".encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64
