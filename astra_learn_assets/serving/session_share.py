"""Which sessions a new adapter gets while it is on trial."""

from __future__ import annotations

import hashlib

from astra_learn_assets.contracts import CanaryShare, NewModelAvailable


def is_chosen(session_id: str, adapter_id: str, share: float) -> bool:
    """Whether this session is one of the ``share`` (0..1) that ``adapter_id`` is tried with.

    The same everywhere and always: the adapter's id is part of the digest, so that the sessions of one trial
    are not those of the next.
    """
    digest = hashlib.sha256(f"{adapter_id}:{session_id}".encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


def passed_over(session_id: str | None, record: NewModelAvailable) -> CanaryShare | None:
    """The trial that a session has no part in; None where it gets the new adapter, as one without a name."""
    trial = record.canary
    if trial is None or session_id is None or is_chosen(session_id, record.adapter_id, trial.share):
        return None
    return trial
