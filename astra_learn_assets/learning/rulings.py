"""Verdicts that decide what may be served: signed when they are recorded, checked when they are used.

A row of ``gate_verdicts`` counts for a promotion only with our signature over gate, tenant, digest, outcome
and every figure, among them the golden set, the opponents, the corpus, the base and the gate's version that
it was reached with. So neither an inserted row nor an edited one, nor a verdict of other days, puts anything
in service.

A *rejection* of an adapter revokes it, whenever it comes: it is never served again, by a rollback either. A
verdict that holds only says that a set was too small. Recording takes the tenant's promotion lock, so that a
rejection either is seen by a promotion under way or comes after it, and then withdraws it.
"""

from __future__ import annotations

from sqlalchemy import orm

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.errors import AdapterRevoked, GateRefused, SealBroken
from astra_learn_assets.evaluation import wer_gate
from astra_learn_assets.ids import TenantId
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry import keys, seals
from astra_learn_assets.store import locks, promotions, verdicts
from astra_learn_assets.store.tables import Adapter

GATES = ("adapter_gate", "wer_gate")


def record(
    platform: Platform, session: orm.Session, verdict: GateVerdict, *, dagster_run_id: str | None = None
) -> None:
    """Append a signed verdict."""
    locks.hold(session, promotions.LOCK, verdict.tenant_id)
    signature = seals.seal(keys.signing_key(platform.settings), "verdict", verdict.model_dump(mode="json"))
    verdicts.record(session, verdict, dagster_run_id=dagster_run_id, signature=signature)


def require_passed(
    platform: Platform, session: orm.Session, tenant_id: TenantId, gate: str, digest: str
) -> GateVerdict:
    """The newest verdict, if it passed and is signed.

    Raises:
        GateRefused: never judged, or the newest verdict refused.
        SealBroken: it passes, and nobody of ours said so.
    """
    verdict = verdicts.require_passed(session, tenant_id, gate, digest)
    signature = verdicts.signature_of_latest(session, tenant_id, gate, digest)
    try:
        seals.check(keys.verify_key(platform.settings), "verdict", verdict.model_dump(mode="json"), signature)
    except SealBroken as error:
        raise SealBroken(f"{gate} on {digest[:16]} of tenant {tenant_id}: {error}") from None
    return verdict


def revocation(session: orm.Session, row: Adapter) -> str | None:
    """Why an adapter may not be served any more; None when nothing speaks against it."""
    for gate in GATES:
        verdict = verdicts.latest(session, row.tenant_id, gate, row.digest)
        if verdict is not None and not verdict.passed and verdict.details.get("outcome") != "hold":
            return f"{gate}: {verdict.reason}"
    return None


def require_standing(session: orm.Session, row: Adapter) -> None:
    """Nothing, when no later verdict rejects the adapter.

    Raises:
        AdapterRevoked: otherwise.
    """
    if (reason := revocation(session, row)) is not None:
        raise AdapterRevoked(f"{row.adapter_id} was rejected after it had passed: {reason}")


def require_bound(verdict: GateVerdict, row: Adapter, *, champion: str | None, best: str | None) -> None:
    """Nothing, when a wer verdict is of this adapter's corpus and base, these opponents and this gate.

    Raises:
        GateRefused: naming the first that is not; evaluating again mends all of them.
    """
    details = verdict.details
    base = f"{row.manifest.get('base_model')}@{row.manifest.get('base_revision')}"
    wanted: dict[str, object] = {
        "gate_version": wer_gate.VERSION,
        "dataset_hash": row.dataset_hash,
        "base": base,
        "champion_digest": champion,
        "best_digest": best,
    }
    said = {
        "gate_version": "by another version of the gate",
        "dataset_hash": "as trained on another corpus",
        "base": "on another base model",
        "champion_digest": "against another champion than the present one",
        "best_digest": "against another best adapter than the present one",
    }
    for name, value in wanted.items():
        if name not in details or details[name] != value:
            raise GateRefused(f"{row.adapter_id} was judged {said[name]}; evaluate it again")
