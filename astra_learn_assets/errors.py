"""Every error ASTRA-LEARN raises on purpose, as one small tree.

Catch :class:`AstraError` to catch them all. ``code`` is stable and machine-readable, ``http_status``
is what the API answers, the message says what is wrong and what to do. Messages that reach a
municipality's people are Spanish and say so (``for_people``); messages for operators are English, and the
API puts a Spanish sentence before them. No message carries document text or a citizen's name.
"""

from __future__ import annotations

import traceback


class AstraError(Exception):
    """Base of all deliberate errors; ``str(error)`` is safe to log and to show."""

    code = "error"
    http_status = 500
    for_people = False


class BadInput(AstraError):
    """The caller sent something that cannot be used; nothing was stored."""

    code = "bad_input"
    http_status = 422


class InvalidTenantId(BadInput):
    code = "invalid_tenant_id"


class InvalidId(BadInput):
    code = "invalid_id"


class UploadRefused(BadInput):
    """A document the upload gate does not let in. ``reason`` is a stable machine-readable word."""

    code = "upload_refused"
    for_people = True

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class BadManifest(BadInput):
    code = "bad_manifest"


class BadJsonl(BadInput):
    """A JSONL file with a broken line; ``line`` counts from 1."""

    code = "bad_jsonl"

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


class BadConfiguration(AstraError):
    """A setting that cannot work (missing model, malformed URL, unreadable key file)."""

    code = "bad_configuration"


class Unauthorized(AstraError):
    """No valid key; ``key_id`` names one that was valid once."""

    key_id: str | None = None
    code = "unauthorized"
    http_status = 401
    for_people = True


class Forbidden(AstraError):
    code = "forbidden"
    http_status = 403


class ForeignTenant(Forbidden):
    """Something of one tenant was asked for, or offered, in the name of another."""

    code = "foreign_tenant"


class NotFound(AstraError):
    code = "not_found"
    http_status = 404


class UnknownTenant(NotFound):
    code = "unknown_tenant"


class Conflict(AstraError):
    """The request is well formed but the present state does not allow it."""

    code = "conflict"
    http_status = 409


class TenantErased(AstraError):
    """The tenant's key was destroyed; what was sealed with it cannot be read by anybody any more."""

    code = "tenant_erased"
    http_status = 410


class DecryptionFailed(AstraError):
    """A sealed object or key that does not open: damaged, moved, or sealed with another key."""

    code = "decryption_failed"


class BaseMissing(Conflict):
    """No draft of the final's own session and version exists; nothing is learned."""

    code = "base_missing"
    for_people = True


class AlreadyExists(Conflict):
    code = "already_exists"


class GateRefused(Conflict):
    """A step was asked to go on with a digest whose gate has no passing verdict."""

    code = "gate_refused"


class SealBroken(GateRefused):
    """A verdict or a promotion that carries no signature of ours, or was changed after it was signed."""

    code = "seal_broken"


class AdapterRevoked(GateRefused):
    """An adapter that a gate rejected after it had passed: it is never served again."""

    code = "adapter_revoked"


class NeverServed(GateRefused):
    """A rollback to an adapter that was never in service."""

    code = "never_served"


class LineageBroken(Conflict):
    """An adapter whose way from its documents cannot be shown: nothing is claimed of it."""

    code = "lineage_broken"


class Superseded(Conflict):
    """A training that is not needed any more: another one has learned its examples, or has its row."""

    code = "superseded"


class AdapterRefused(AstraError):
    """An adapter that must not be loaded: tenant, signature or hash does not fit."""

    code = "adapter_refused"
    http_status = 403


class TrainingFailed(AstraError):
    """The trainer ended with a documented exit code; ``exit_code`` says which."""

    code = "training_failed"

    def __init__(self, exit_code: int, message: str) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Unavailable(AstraError):
    """A service we depend on (Postgres, Redis, object store) does not answer."""

    code = "unavailable"
    http_status = 503


class NotReached(Unavailable):
    """A host that nobody who asks it now would get an answer from: no connection, no answer in time."""


def where(error: BaseException) -> list[str]:
    """The innermost frames of ``error`` as ``file:line function``; no message and no values."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames]
