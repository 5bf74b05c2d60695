"""evaluation_report: the candidate and all it has to beat answer the same golden set.

The predictions are a file named by everything that decides them, so evaluating again finds them.
A candidate that was promoted already is compared with the champion it replaced: evaluating it once
more then gives the report it was promoted on.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.datasets import replay
from astra_learn_assets.datasets.golden import GoldenSet
from astra_learn_assets.errors import GateRefused, TrainingFailed
from astra_learn_assets.evaluation import results, wer_gate
from astra_learn_assets.evaluation.predictions import BEST, CANDIDATE, CHAMPION
from astra_learn_assets.evaluation.results import EvaluationReport
from astra_learn_assets.evaluation.verdict_rules import GateLimits
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import (
    assemble,
    lineage,
    measured,
    opponents,
    predict,
    promoter,
    rulings,
    verdict_pages,
)
from astra_learn_assets.learning.training import faults, progress, train
from astra_learn_assets.learning.training import run as training_run
from astra_learn_assets.learning.training.plan import setup_key
from astra_learn_assets.learning.training.process import Runner
from astra_learn_assets.learning.training.run import Step
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import adapters, dictionary, documents, paths
from astra_learn_assets.store.tables import Adapter


@dataclass(frozen=True)
class Contest:
    """Who is compared with whom on what; ``evaluation_hash`` names the predictions' file.

    ``champion`` is what is served now; ``best`` the one that was best of all that were served, so that ten
    promotions that are each a little worse do not add up unseen. The base model always takes part.
    ``of_another_base``: adapters of a base that is no longer served, which cannot answer beside the others
    and which nothing can load any more; the candidate then has the new base to beat.
    """

    tenant_id: TenantId
    candidate: Adapter
    champion: Adapter | None
    best: Adapter | None
    golden_hash: str
    base: str
    of_another_base: tuple[str, ...] = ()

    @property
    def others(self) -> dict[str, Adapter]:
        """The adapters the candidate is compared with, by their name in the predictions."""
        named = {CHAMPION: self.champion, BEST: self.best}
        return {name: adapter for name, adapter in named.items() if adapter is not None}

    @property
    def evaluation_hash(self) -> str:
        """SHA-256 over golden and generic set, base and every adapter's digest."""
        others = sorted(f"{name}={adapter.digest}" for name, adapter in self.others.items())
        generic = replay.generic_set().golden_hash
        content = " ".join([self.golden_hash, generic, self.base, self.candidate.digest, *others])
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True)
class EvaluateResult:
    """The report and what it was made of."""

    contest: Contest
    report: EvaluationReport
    reused: bool


@training_run.stage("evaluation_report", lambda made: "reused" if made.reused else "done")
def evaluate_candidate(platform: Platform, step: Step, *, run: Runner) -> EvaluateResult:
    """Evaluate the adapter of the step's training, or the named one, on the golden set.

    Raises:
        GateRefused: when the adapter has no passing adapter_gate verdict for its digest.
        TrainingFailed: when the trainer ends with an error.
    """
    tenant_id = step.tenant_id
    training = training_run.of_step(platform, step) if step.adapter_id is None else None
    contest = contest_of(platform, step, training)
    key = paths.predictions(tenant_id, contest.evaluation_hash)
    reused = platform.vault.exists(tenant_id, key)
    if not reused:
        if training is not None:
            training_run.note(platform, training, metrics={}, state="evaluating")
        try:
            with progress.watched(platform, training, "evaluating"):
                predicted = _predict(platform, contest, run)
            platform.vault.write(tenant_id, key, predicted)
        except TrainingFailed as error:
            if training is not None:
                training_run.end(
                    platform,
                    training,
                    state="failed",
                    reason=f"evaluation: {error}",
                    fault=faults.of_exit_code(error.exit_code),
                    setup=setup_key(platform.settings),
                )
            raise
    return EvaluateResult(contest, report_of(platform, contest), reused)


def contest_of(platform: Platform, step: Step, training: training_run.Training | None) -> Contest:
    """Candidate, the champion it must not be worse than, and the golden set they answer."""
    tenant_id, adapter_id = step.tenant_id, step.adapter_id
    if training is not None:
        adapter_id, golden_hash = training.adapter_id, training.golden_hash
    elif adapter_id is not None:
        golden_hash = assemble.build_golden_set(platform, tenant_id).golden_hash
    if adapter_id is None:
        raise GateRefused(f"tenant {tenant_id}: the training has no adapter yet")
    base = train.base_identity(platform.settings)
    with platform.database.session() as session:
        candidate = adapters.get(session, tenant_id, adapter_id)
        rulings.require_passed(platform, session, tenant_id, "adapter_gate", candidate.digest)
        _require_base(candidate, base)
        met = opponents.of_candidate(session, tenant_id, candidate)
    return Contest(
        tenant_id,
        candidate,
        met.champion,
        met.best,
        golden_hash,
        f"{base[0]}@{base[1]}",
        met.of_another_base,
    )


def _require_base(candidate: Adapter, base: tuple[str, str | None]) -> None:
    if opponents.base_of(candidate) != base:
        name, revision = opponents.base_of(candidate)
        raise GateRefused(
            f"{candidate.adapter_id} was trained on {name}@{revision}, "
            f"this platform serves {base[0]}@{base[1]}: train again"
        )


def report_of(platform: Platform, contest: Contest) -> EvaluationReport:
    """The report, from the stored predictions alone."""
    tenant_id = contest.tenant_id
    data = platform.vault.read(tenant_id, paths.predictions(tenant_id, contest.evaluation_hash))
    return results.evaluate(
        tenant_id=tenant_id,
        golden=_golden(platform, contest),
        generic=replay.generic_set(),
        predictions=data,
        candidate_digest=contest.candidate.digest,
        champion_digest=contest.champion.digest if contest.champion else None,
        best_digest=contest.best.digest if contest.best else None,
    )


def _golden(platform: Platform, contest: Contest) -> GoldenSet:
    key = paths.golden(contest.tenant_id, contest.golden_hash)
    return GoldenSet.read(platform.vault.read(contest.tenant_id, key))


def _golden_input(platform: Platform, contest: Contest, golden: GoldenSet) -> lineage.Input:
    tested = {example.meta.document_id for example in golden.examples}
    with platform.database.session() as session:
        rows = documents.listing(session, contest.tenant_id)
    held = {row.document_id: str(row.pairs_sha256) for row in rows if row.document_id in tested}
    key = paths.golden(contest.tenant_id, contest.golden_hash)
    return lineage.Input("golden_set", contest.golden_hash, key, held)


def limits_of(settings: Settings) -> GateLimits:
    """The gate's thresholds as they are set."""
    return GateLimits(
        tolerance_points=settings.wer_tolerance_points,
        margin_points=settings.wer_margin_points,
        cer_points=settings.cer_tolerance_points,
        entity_points=settings.entity_tolerance_points,
        clean_points=settings.clean_tolerance_points,
        generic_points=settings.generic_tolerance_points,
        minimum_words=settings.golden_minimum_words,
        minimum_documents=settings.golden_minimum_documents,
        minimum_power=settings.golden_minimum_power,
    )


@training_run.stage("wer_gate", measured.of_verdict)
def judge(platform: Platform, step: Step) -> GateVerdict:
    """wer_gate: judge the candidate from the stored predictions; record it; close a refused training."""
    training = training_run.of_step(platform, step) if step.adapter_id is None else None
    contest = contest_of(platform, step, training)
    scores = report_of(platform, contest)
    settings = platform.settings
    verdict = wer_gate.wer_gate(
        scores,
        limits=limits_of(settings),
        digest=contest.candidate.digest,
        tenant_id=step.tenant_id,
        golden_hash=contest.golden_hash,
    )
    if contest.of_another_base:
        left_out = f"not compared, of another base model: {', '.join(contest.of_another_base)}"
        verdict = verdict.model_copy(update={"reason": f"{verdict.reason}; {left_out}"})
    bound = {"dataset_hash": contest.candidate.dataset_hash, "base": contest.base}
    verdict = verdict.model_copy(update={"details": {**verdict.details, **bound}})
    with platform.database.session() as session:
        rulings.record(platform, session, verdict, dagster_run_id=step.dagster_run_id)
    promoter.withdraw_revoked(platform, step.tenant_id, by=f"dagster:{step.dagster_run_id}")
    golden = _golden(platform, contest)
    page = verdict_pages.write(
        platform,
        verdict,
        scores,
        adapter_id=contest.candidate.adapter_id,
        predictions=platform.vault.read(
            contest.tenant_id, paths.predictions(contest.tenant_id, contest.evaluation_hash)
        ),
        golden_ids=frozenset(one.meta.example_id for one in golden.examples),
    )
    lineage.log_evaluation(
        settings,
        contest.candidate.mlflow_run_id,
        scores,
        verdict,
        inputs=[_golden_input(platform, contest, golden)],
        page=page,
    )
    if training is not None:
        training_run.note(platform, training, metrics={"wer": verdict.details})
        if not verdict.passed:
            training_run.end(platform, training, state="rejected", reason=verdict.reason)
    return verdict


def _predict(platform: Platform, contest: Contest, run: Runner) -> bytes:
    with platform.database.session() as session:
        _, known = dictionary.replacements(session, contest.tenant_id)
    wanted = predict.Wanted(
        contest.tenant_id,
        contest.base,
        {**contest.others, CANDIDATE: contest.candidate},
        predict.asked(platform, contest.tenant_id, contest.golden_hash),
        known,
    )
    return predict.predict(platform, wanted, run)
