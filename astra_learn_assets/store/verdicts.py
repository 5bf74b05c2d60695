"""What the gates said, for ever. Whoever goes on asks here for the passing verdict of its exact digest.

A blocking check stops the run it is part of; a run that selects only later assets never sees it. So
the step after a gate calls :func:`require_passed` itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import orm

from astra_learn_assets import ids
from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.errors import GateRefused
from astra_learn_assets.ids import TenantId
from astra_learn_assets.store import subscriptions
from astra_learn_assets.store.tables import Verdict

_BATCH = 1_000
_OF_ADAPTERS = ("adapter_gate", "wer_gate")


def record(
    session: orm.Session,
    verdict: GateVerdict,
    dagster_run_id: str | None = None,
    *,
    signature: str | None = None,
) -> None:
    """Append a verdict; the newest of a digest counts. ``signature``: what makes it count for serving."""
    _tell_once(session, verdict)
    session.add(
        Verdict(
            tenant_id=verdict.tenant_id,
            gate=verdict.gate,
            digest=ids.digest(verdict.digest, "digest"),
            passed=verdict.passed,
            reason=verdict.reason,
            details=dict(verdict.details),
            dagster_run_id=dagster_run_id,
            signature=signature,
        )
    )
    session.flush()


def _tell_once(session: orm.Session, verdict: GateVerdict) -> None:
    """Tell who asked to be told of an adapter that is rejected or held, unless that was said before.

    One that fails its trial in service is told as the rollback that follows, not as a refused new one.
    """
    if verdict.details.get("rule") == "canary":
        return
    outcome = verdict.details.get("outcome", "reject")
    if verdict.passed or verdict.gate not in _OF_ADAPTERS or outcome not in ("reject", "hold"):
        return
    before = latest(session, verdict.tenant_id, verdict.gate, verdict.digest)
    if before is not None and not before.passed and before.details.get("outcome", "reject") == outcome:
        return
    subscriptions.tell(
        session,
        verdict.tenant_id,
        "hold" if outcome == "hold" else "rejection",
        {
            "adapter_id": ids.adapter_id(verdict.tenant_id, verdict.digest),
            "why": verdict.details.get("reason_es"),
        },
    )


def latest(session: orm.Session, tenant_id: TenantId, gate: str, digest: str) -> GateVerdict | None:
    """The newest verdict of ``gate`` on ``digest``, None when it was never judged."""
    row = newest(session, tenant_id, gate, digest)
    return None if row is None else said(row)


def said(row: Verdict) -> GateVerdict:
    """What a row says."""
    return GateVerdict(
        gate=row.gate,
        tenant_id=row.tenant_id,
        digest=row.digest,
        passed=row.passed,
        reason=row.reason,
        details=row.details,
    )


def latest_of(
    session: orm.Session, tenant_id: TenantId, gate: str, digests: Sequence[str]
) -> dict[str, GateVerdict]:
    """The newest verdict of ``gate`` on each of ``digests`` that was judged."""
    found: dict[str, GateVerdict] = {}
    for start in range(0, len(digests), _BATCH):
        rows = session.scalars(
            sa.select(Verdict)
            .where(
                Verdict.tenant_id == tenant_id,
                Verdict.gate == gate,
                Verdict.digest.in_([ids.digest(one, "digest") for one in digests[start : start + _BATCH]]),
            )
            .order_by(Verdict.verdict_id)
        )
        found |= {row.digest: said(row) for row in rows}
    return found


def signature_of_latest(session: orm.Session, tenant_id: TenantId, gate: str, digest: str) -> str | None:
    """What the newest verdict was signed with; None when it was not, or there is none."""
    row = newest(session, tenant_id, gate, digest)
    return None if row is None else row.signature


def newest(session: orm.Session, tenant_id: TenantId, gate: str, digest: str) -> Verdict | None:
    """The row that counts of ``gate`` on ``digest``."""
    row: Verdict | None = session.scalar(
        sa.select(Verdict)
        .where(
            Verdict.tenant_id == tenant_id,
            Verdict.gate == gate,
            Verdict.digest == ids.digest(digest, "digest"),
        )
        .order_by(Verdict.verdict_id.desc())
        .limit(1)
    )
    return row


def history(session: orm.Session, tenant_id: TenantId, gate: str, digest: str) -> list[Verdict]:
    """Everything a gate ever said of a digest, oldest first."""
    return list(
        session.scalars(
            sa.select(Verdict)
            .where(Verdict.tenant_id == tenant_id, Verdict.gate == gate, Verdict.digest == digest)
            .order_by(Verdict.verdict_id)
        )
    )


def of_gate(session: orm.Session, tenant_id: TenantId, gate: str, *, limit: int) -> list[Verdict]:
    """What a gate said of a tenant, newest first."""
    return list(
        session.scalars(
            sa.select(Verdict)
            .where(Verdict.tenant_id == tenant_id, Verdict.gate == gate)
            .order_by(Verdict.verdict_id.desc())
            .limit(limit)
        )
    )


def require_passed(session: orm.Session, tenant_id: TenantId, gate: str, digest: str) -> GateVerdict:
    """The newest verdict, if it passed.

    Raises:
        GateRefused: never judged, or the newest verdict refused.
    """
    verdict = latest(session, tenant_id, gate, digest)
    if verdict is None:
        raise GateRefused(f"{gate} has not judged {digest[:16]} of tenant {tenant_id}: run that check first")
    if not verdict.passed:
        raise GateRefused(f"{gate} refused {digest[:16]} of tenant {tenant_id}: {verdict.reason}")
    return verdict
