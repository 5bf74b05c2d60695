"""evaluation_report: base, champion and candidate answer the same golden set in one process.

The predictions are a file named by everything that decides them, so evaluating again finds them.
A candidate that was promoted already is compared with the champion it replaced: evaluating it once
more then gives the report it was promoted on.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.datasets.golden import GoldenSet
from astra_learn_assets.errors import GateRefused, TrainingFailed
from astra_learn_assets.evaluation import results, wer_gate
from astra_learn_assets.evaluation.results import EvaluationReport
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import assemble, lineage
from astra_learn_assets.learning.training import faults, progress, train
from astra_learn_assets.learning.training import process as trainer_process
from astra_learn_assets.learning.training import run as training_run
from astra_learn_assets.learning.training.plan import setup_key
from astra_learn_assets.learning.training.process import Runner
from astra_learn_assets.learning.training.run import Step
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry import keys, signature
from astra_learn_assets.store import adapters, paths, promotions, verdicts
from astra_learn_assets.store.tables import Adapter


@dataclass(frozen=True)
class Contest:
    """Who is compared with whom on what; ``evaluation_hash`` names the predictions' file.

    ``champion`` is what is served now; ``baseline`` the tenant's first champion, frozen, so that ten
    promotions that are each a little worse do not add up unseen. The base model always takes part.
    ``of_another_base``: adapters of a base that is no longer served, which cannot answer beside the others
    and which nothing can load any more; the candidate then has the new base to beat.
    """

    tenant_id: TenantId
    candidate: Adapter
    champion: Adapter | None
    baseline: Adapter | None
    golden_hash: str
    base: str
    of_another_base: tuple[str, ...] = ()

    @property
    def others(self) -> dict[str, Adapter]:
        """The adapters the candidate is compared with, by their name in the predictions."""
        named = {"champion": self.champion, "baseline": self.baseline}
        return {name: adapter for name, adapter in named.items() if adapter is not None}

    @property
    def evaluation_hash(self) -> str:
        """SHA-256 over golden set, base and every adapter's digest."""
        others = sorted(f"{name}={adapter.digest}" for name, adapter in self.others.items())
        content = " ".join([self.golden_hash, self.base, self.candidate.digest, *others])
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True)
class EvaluateResult:
    """The report and what it was made of."""

    contest: Contest
    report: EvaluationReport
    reused: bool


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
        verdicts.require_passed(session, tenant_id, "adapter_gate", candidate.digest)
        _require_base(candidate, base)
        history = sorted(promotions.history(session, tenant_id), key=lambda row: row.promotion_id)
        champion_id, baseline_id = opponents([row.adapter_id for row in history], adapter_id)
        champion = adapters.get(session, tenant_id, champion_id) if champion_id else None
        baseline = adapters.get(session, tenant_id, baseline_id) if baseline_id else None
    stale = tuple(o.adapter_id for o in (champion, baseline) if o is not None and _base_of(o) != base)
    return Contest(
        tenant_id,
        candidate,
        champion if champion is not None and champion.adapter_id not in stale else None,
        baseline if baseline is not None and baseline.adapter_id not in stale else None,
        golden_hash,
        f"{base[0]}@{base[1]}",
        stale,
    )


def _base_of(adapter: Adapter) -> tuple[str | None, str | None]:
    return adapter.manifest.get("base_model"), adapter.manifest.get("base_revision")


def _require_base(candidate: Adapter, base: tuple[str, str | None]) -> None:
    if _base_of(candidate) != base:
        name, revision = _base_of(candidate)
        raise GateRefused(
            f"{candidate.adapter_id} was trained on {name}@{revision}, "
            f"this platform serves {base[0]}@{base[1]}: train again"
        )


def opponents(served: Sequence[str], candidate_id: str) -> tuple[str | None, str | None]:
    """Champion and frozen baseline for a candidate, from the adapters served so far, oldest first.

    The champion is the last one that is not the candidate itself; the baseline the first one, unless
    it is the champion or the candidate already.
    """
    before = served[: served.index(candidate_id)] if candidate_id in served else served
    champion = before[-1] if before else None
    baseline = before[0] if before and before[0] != champion else None
    return champion, baseline


def report_of(platform: Platform, contest: Contest) -> EvaluationReport:
    """The report, from the stored predictions alone."""
    tenant_id = contest.tenant_id
    data = platform.vault.read(tenant_id, paths.predictions(tenant_id, contest.evaluation_hash))
    golden = platform.vault.read(tenant_id, paths.golden(tenant_id, contest.golden_hash))
    return results.evaluate(
        tenant_id=tenant_id,
        golden=GoldenSet.read(golden),
        predictions=data,
        candidate_digest=contest.candidate.digest,
        champion_digest=contest.champion.digest if contest.champion else None,
        baseline_digest=contest.baseline.digest if contest.baseline else None,
        seed=platform.settings.seed,
    )


def judge(platform: Platform, step: Step) -> GateVerdict:
    """wer_gate: judge the candidate from the stored predictions; record it; close a refused training."""
    training = training_run.of_step(platform, step) if step.adapter_id is None else None
    contest = contest_of(platform, step, training)
    scores = report_of(platform, contest)
    settings = platform.settings
    verdict = wer_gate.wer_gate(
        scores,
        tolerance_points=settings.wer_tolerance_points,
        minimum_words=settings.golden_minimum_words,
        digest=contest.candidate.digest,
        tenant_id=step.tenant_id,
        golden_hash=contest.golden_hash,
    )
    if contest.of_another_base:
        left_out = f"not compared, of another base model: {', '.join(contest.of_another_base)}"
        verdict = verdict.model_copy(update={"reason": f"{verdict.reason}; {left_out}"})
    with platform.database.session() as session:
        verdicts.record(session, verdict, dagster_run_id=step.dagster_run_id)
    lineage.log_evaluation(settings, contest.candidate.mlflow_run_id, scores, verdict)
    if training is not None:
        training_run.note(platform, training, metrics={"wer": verdict.details})
        if not verdict.passed:
            training_run.end(platform, training, state="rejected", reason=verdict.reason)
    return verdict


def _predict(platform: Platform, contest: Contest, run: Runner) -> bytes:
    tenant_id = contest.tenant_id
    verify_key = keys.verify_key(platform.settings)
    with tempfile.TemporaryDirectory(prefix="astra-evaluate-") as work:
        data, out = Path(work, "golden.jsonl"), Path(work, "predictions.jsonl")
        data.write_bytes(platform.vault.read(tenant_id, paths.golden(tenant_id, contest.golden_hash)))
        folders: dict[str, Path] = {}
        for name, adapter in {**contest.others, "candidate": contest.candidate}.items():
            folders[name] = Path(work, name)
            platform.objects.get_folder(paths.adapter(adapter.adapter_id), folders[name])
            signature.verify_folder(folders[name], verify_key, tenant_id=tenant_id)
        run(
            trainer_process.evaluate_command(
                platform.settings, tenant_id=tenant_id, data=data, out=out, adapters=folders
            )
        )
        return out.read_bytes()
