"""promoted_adapter: the candidate becomes the champion, if every verdict for its digest says so."""

from __future__ import annotations

from dataclasses import dataclass

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.errors import GateRefused
from astra_learn_assets.learning import promoter, rulings
from astra_learn_assets.learning.training import run as training_run
from astra_learn_assets.learning.training.run import Step
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import adapters, promotions


@dataclass(frozen=True)
class PromoteResult:
    """The champion after the step; ``changed`` is False when it was the champion already."""

    adapter_id: str
    digest: str
    previous_adapter_id: str | None
    mlflow_version: str | None
    changed: bool
    verdict: GateVerdict


@training_run.stage("promoted_adapter", lambda made: "done" if made.changed else "unchanged")
def promote_candidate(platform: Platform, step: Step) -> PromoteResult:
    """Promote the adapter of the step's training, or the named one. Idempotent.

    An adapter that was in service before an operator rolled back stays out: only a new one, or
    ``astra-learn promote``, comes after a rollback.

    Raises:
        GateRefused: without a passing verdict of adapter_gate and wer_gate for the exact digest.
        Superseded: the training was closed or given to another run meanwhile.
    """
    tenant_id = step.tenant_id
    training = training_run.of_step(platform, step) if step.adapter_id is None else None
    chosen = step.adapter_id or (training.adapter_id if training else None)
    if chosen is None:
        raise GateRefused(f"tenant {tenant_id}: the training has no adapter yet")
    with platform.database.session() as session:
        before = promotions.current(session, tenant_id)
        row = adapters.get(session, tenant_id, chosen)
        verdict = rulings.require_passed(platform, session, tenant_id, "wer_gate", row.digest)
        served = {past.adapter_id for past in promotions.history(session, tenant_id)}
        kept = adapters.get(session, tenant_id, before.adapter_id) if before is not None else None
    if (
        before is not None
        and kept is not None
        and before.kind == "rollback"
        and training
        and chosen in served
    ):
        return PromoteResult(
            adapter_id=kept.adapter_id,
            digest=kept.digest,
            previous_adapter_id=before.previous_adapter_id,
            mlflow_version=before.mlflow_version,
            changed=False,
            verdict=verdict,
        )
    if training is not None:
        training_run.require_own(platform, training)
    promotion = promoter.promote(platform, tenant_id, chosen, promoted_by=f"dagster:{step.dagster_run_id}")
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
