"""End the trials of new adapters from what clerks still correct: finished, or rolled back. Nobody decides.

:func:`judge_all` is asked at every tick of the outbox sensor. Rolling back rejects the adapter for good, with
a signed verdict, so that nothing promotes it again; what served the other sessions serves all of them.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

import structlog

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.errors import AstraError
from astra_learn_assets.evaluation.canary_rules import CanaryLimits, Judged, judge
from astra_learn_assets.learning import promoter, rulings
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import adapters, canaries
from astra_learn_assets.store.canaries import Trial

ACTOR = "canary"
_LOG = structlog.get_logger(__name__)


def limits(settings: Settings) -> CanaryLimits:
    """The gate's tolerance, and how long a trial may take."""
    return CanaryLimits(
        sessions=settings.canary_sessions,
        days=settings.canary_days,
        tolerance_points=settings.wer_tolerance_points,
        margin_points=settings.wer_margin_points,
    )


def judge_all(platform: Platform, now: datetime | None = None) -> int:
    """End every trial that can be ended; how many were. One that fails does not hold back the others.

    Raises:
        Unavailable: Postgres does not answer.
    """
    moment = now or datetime.now(UTC)
    bounds = limits(platform.settings)
    with platform.database.session() as session:
        trials = canaries.trials(session)
    ended = 0
    for trial in trials:
        try:
            if trial.failed:
                _withdraw(platform, trial)
                continue
            days = (moment - trial.since).total_seconds() / 86_400
            ended += _end(platform, trial, judge(trial.of_new, trial.of_stable, days=days, limits=bounds))
        except AstraError as error:
            _LOG.warning("a trial could not be ended", tenant_id=trial.tenant_id, error=str(error))
    return ended


def _end(platform: Platform, trial: Trial, judged: Judged) -> bool:
    if judged.outcome == "wait":
        return False
    _LOG.info("a trial ends", tenant_id=trial.tenant_id, adapter_id=trial.adapter_id, **_figures(judged))
    with platform.database.session() as session:
        outcome = "finished" if judged.outcome == "finish" else "rolled_back"
        if not canaries.end(session, trial.promotion_id, outcome=outcome, details=_figures(judged)):
            return False  # somebody put another adapter in service meanwhile
        if judged.outcome == "roll_back":
            # in one transaction: what was found to be worse is rejected, or still on trial
            row = adapters.get(session, trial.tenant_id, trial.adapter_id)
            rulings.record(platform, session, _rejection(trial, row.digest, judged))
    if judged.outcome == "roll_back":
        _withdraw(platform, trial)
    return True  # the announcement follows the table: announcing.republish


def _withdraw(platform: Platform, trial: Trial) -> None:
    promoter.withdraw_revoked(platform, trial.tenant_id, by=ACTOR, to=trial.stable)


def _rejection(trial: Trial, digest: str, judged: Judged) -> GateVerdict:
    return GateVerdict(
        gate="wer_gate",
        tenant_id=trial.tenant_id,
        digest=digest,
        passed=False,
        reason=f"in service: {judged.reason}",
        details={"outcome": "reject", "rule": "canary", **_figures(judged)},
    )


def _figures(judged: Judged) -> dict[str, float | int | str | bool | None]:
    """For JSON, which has no infinity."""
    ends = {"points": judged.points, "low": judged.low, "high": judged.high}
    known = {name: value for name, value in ends.items() if value is not None and math.isfinite(value)}
    return {"reason": judged.reason, **known}
