"""promoted_adapter: the candidate becomes the champion, if every verdict for its digest says so."""

from __future__ import annotations

from dataclasses import dataclass

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.errors import GateRefused
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry import promoter
from astra_learn_assets.stages import training_run
from astra_learn_assets.store import adapters, promotions, verdicts


@dataclass(frozen=True)
class PromoteResult:
    """The champion after the step; ``changed`` is False when it was the champion already."""

    adapter_id: str
    digest: str
    previous_adapter_id: str | None
    mlflow_version: str | None
    changed: bool
    verdict: GateVerdict


def promote_candidate(
    platform: Platform, tenant_id: str, *, promoted_by: str, adapter_id: str | None = None
) -> PromoteResult:
    """Promote the newest training's adapter, or the named one. Idempotent.

    Raises:
        GateRefused: without a passing verdict of adapter_gate and wer_gate for the exact digest.
    """
    training = training_run.newest(platform, tenant_id) if adapter_id is None else None
    chosen = adapter_id or (training.adapter_id if training else None)
    if chosen is None:
        raise GateRefused(f"tenant {tenant_id}: the newest training has no adapter yet")
    with platform.database.session() as session:
        before = promotions.current(session, tenant_id)
        row = adapters.get(session, tenant_id, chosen)
        verdict = verdicts.require_passed(session, tenant_id, "wer_gate", row.digest)
    if (
        training is not None
        and training.state == "promoted"
        and before is not None
        and before.kind == "rollback"
    ):
        # A re-materialization must not undo what an operator rolled back; `astra-learn promote` can.
        return PromoteResult(before.adapter_id, row.digest, chosen, before.mlflow_version, False, verdict)
    promotion = promoter.promote(platform, tenant_id, chosen, promoted_by=promoted_by)
    if training is not None:
        training_run.end(platform, training, state="promoted", reason=verdict.reason)
    return PromoteResult(
        adapter_id=chosen,
        digest=row.digest,
        previous_adapter_id=promotion.previous_adapter_id,
        mlflow_version=promotion.mlflow_version,
        changed=before is None or before.adapter_id != chosen,
        verdict=verdict,
    )
