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
from astra_learn_assets.errors import GateRefused
from astra_learn_assets.evaluation import gate, predictions
from astra_learn_assets.evaluation.report import EvaluationReport, build_report
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry import lineage, signature
from astra_learn_assets.stages import corpus, train, trainer_process, training_run
from astra_learn_assets.stages.trainer_process import Runner
from astra_learn_assets.store import adapters, paths, promotions, verdicts
from astra_learn_assets.store.tables import Adapter, Promotion


@dataclass(frozen=True)
class Contest:
    """Who is compared with whom on what; ``evaluation_hash`` names the predictions' file."""

    tenant_id: str
    candidate: Adapter
    champion: Adapter | None
    golden_hash: str
    base: str

    @property
    def evaluation_hash(self) -> str:
        """SHA-256 over golden set, base and both adapters' digests."""
        champion = self.champion.digest if self.champion else "-"
        content = f"{self.golden_hash} {self.base} {self.candidate.digest} {champion}"
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True)
class EvaluateResult:
    """The report and what it was made of."""

    contest: Contest
    report: EvaluationReport
    reused: bool


def evaluate_candidate(
    platform: Platform, tenant_id: str, *, run: Runner, adapter_id: str | None = None
) -> EvaluateResult:
    """Evaluate the newest training's adapter, or the named one, on the golden set.

    Raises:
        GateRefused: when the adapter has no passing adapter_gate verdict for its digest.
        TrainingFailed: when the trainer ends with an error.
    """
    contest = contest_of(platform, tenant_id, adapter_id)
    key = paths.predictions(tenant_id, contest.evaluation_hash)
    reused = platform.vault.exists(tenant_id, key)
    if not reused:
        if adapter_id is None:
            training = training_run.newest(platform, tenant_id)
            training_run.note(platform, training, metrics={}, state="evaluating")
        platform.vault.write(tenant_id, key, _predict(platform, contest, run))
    return EvaluateResult(contest, report_of(platform, contest), reused)


def contest_of(platform: Platform, tenant_id: str, adapter_id: str | None) -> Contest:
    """Candidate, the champion it must not be worse than, and the golden set they answer."""
    if adapter_id is None:
        training = training_run.newest(platform, tenant_id)
        adapter_id, golden_hash = training.adapter_id, training.golden_hash
        if adapter_id is None:
            raise GateRefused(f"tenant {tenant_id}: the newest training has no adapter yet")
    else:
        golden_hash = corpus.build_golden_set(platform, tenant_id).golden_hash
    with platform.database.session() as session:
        candidate = adapters.get(session, tenant_id, adapter_id)
        verdicts.require_passed(session, tenant_id, "adapter_gate", candidate.digest)
        champion_id = _opponent(promotions.history(session, tenant_id), adapter_id)
        champion = adapters.get(session, tenant_id, champion_id) if champion_id else None
    base, revision = train.base_identity(platform.settings)
    return Contest(tenant_id, candidate, champion, golden_hash, f"{base}@{revision}")


def report_of(platform: Platform, contest: Contest) -> EvaluationReport:
    """The report, from the stored predictions alone."""
    data = platform.vault.read(
        contest.tenant_id, paths.predictions(contest.tenant_id, contest.evaluation_hash)
    )
    golden = platform.vault.read(contest.tenant_id, paths.golden(contest.tenant_id, contest.golden_hash))
    return build_report(
        predictions.load(data),
        golden=golden,
        tenant_id=contest.tenant_id,
        golden_hash=contest.golden_hash,
        seed=platform.settings.seed,
    )


def judge(
    platform: Platform, tenant_id: str, adapter_id: str | None = None, *, dagster_run_id: str | None = None
) -> GateVerdict:
    """wer_gate: judge the candidate from the stored predictions; record it; close a refused training."""
    contest = contest_of(platform, tenant_id, adapter_id)
    report = report_of(platform, contest)
    settings = platform.settings
    verdict = gate.wer_gate(
        report,
        tolerance_points=settings.wer_tolerance_points,
        minimum_words=settings.golden_minimum_words,
        digest=contest.candidate.digest,
        tenant_id=tenant_id,
    )
    with platform.database.session() as session:
        verdicts.record(session, verdict, dagster_run_id=dagster_run_id)
    lineage.log_evaluation(settings, contest.candidate.mlflow_run_id, report, verdict)
    if adapter_id is None:
        training = training_run.newest(platform, tenant_id)
        training_run.note(platform, training, metrics={"wer": verdict.details})
        if not verdict.passed:
            training_run.end(platform, training, state="rejected", reason=verdict.reason)
    return verdict


def _opponent(history: Sequence[Promotion], candidate_id: str) -> str | None:
    """The adapter served now, or, when that is the candidate itself, the one served before it."""
    newest_first = sorted(history, key=lambda row: row.promotion_id, reverse=True)
    return next((row.adapter_id for row in newest_first if row.adapter_id != candidate_id), None)


def _predict(platform: Platform, contest: Contest, run: Runner) -> bytes:
    tenant_id = contest.tenant_id
    verify_key = signature.verify_key(platform.settings)
    with tempfile.TemporaryDirectory(prefix="astra-evaluate-") as work:
        data, out = Path(work, "golden.jsonl"), Path(work, "predictions.jsonl")
        data.write_bytes(platform.vault.read(tenant_id, paths.golden(tenant_id, contest.golden_hash)))
        folders: dict[str, Path] = {}
        for name, adapter in (("champion", contest.champion), ("candidate", contest.candidate)):
            if adapter is None:
                continue
            folders[name] = Path(work, name)
            platform.objects.get_folder(paths.adapter(adapter.adapter_id), folders[name])
            signature.verify_folder(folders[name], verify_key, tenant_id=tenant_id)
        run(
            trainer_process.evaluate_command(
                platform.settings, tenant_id=tenant_id, data=data, out=out, adapters=folders
            )
        )
        return out.read_bytes()
