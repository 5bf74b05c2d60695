"""pii_gate, corpus_gate, adapter_gate, wer_gate: thin checks over the stages' judges."""

from collections import Counter

import dagster as dg

from astra_learn_assets.assets import step_of
from astra_learn_assets.assets.anonymized_pairs import anonymized_pairs
from astra_learn_assets.assets.evaluation_report import evaluation_report
from astra_learn_assets.assets.lora_adapter import lora_adapter
from astra_learn_assets.assets.training_corpus import training_corpus
from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.learning import anonymize, assemble, evaluate, verdict_pages
from astra_learn_assets.learning.training import train
from astra_learn_assets.partitions import tenant_of, tenant_partitions
from astra_learn_assets.resources import PlatformResource


@dg.asset_check(asset=anonymized_pairs, blocking=True, partitions_def=tenant_partitions)
def pii_gate(context: dg.AssetCheckExecutionContext, platform: PlatformResource) -> dg.AssetCheckResult:
    """Nothing that names or identifies a citizen is left in any example file of the tenant."""
    with platform.open() as opened:
        verdicts = anonymize.judge(opened, tenant_of(context), dagster_run_id=context.run.run_id)
        failed = [verdict for verdict in verdicts if not verdict.passed]
    totals: Counter[str] = Counter()
    for verdict in verdicts:
        counted = {k: v for k, v in verdict.details.items() if k == "lines" or k.startswith("hits")}
        totals.update({k: int(v or 0) for k, v in counted.items()})
    newest = verdicts[-1].details if verdicts else {}
    shown = {k: v for k, v in newest.items() if k.startswith(("detector.", "canar", "leak_"))}
    return dg.AssetCheckResult(
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR,
        description=failed[0].reason if failed else _passed(len(verdicts)),
        metadata={
            "files": len(verdicts),
            "failed": len(failed),
            **totals,
            **shown,
            # text stays out of the event log, which nobody can erase; the command shows it
            **({} if failed or not verdicts else {"preview": f"astra-learn examples {tenant_of(context)}"}),
        },
    )


@dg.asset_check(asset=training_corpus, blocking=True, partitions_def=tenant_partitions)
def corpus_gate(context: dg.AssetCheckExecutionContext, platform: PlatformResource) -> dg.AssetCheckResult:
    """Replay share, no golden example, no poisoning, enough examples."""
    with platform.open() as opened:
        return _result(assemble.judge(opened, step_of(context)))


@dg.asset_check(asset=lora_adapter, blocking=True, partitions_def=tenant_partitions)
def adapter_gate(context: dg.AssetCheckExecutionContext, platform: PlatformResource) -> dg.AssetCheckResult:
    """Finite, the loss fell, it reloads to the same logits, signed for this tenant."""
    with platform.open() as opened:
        return _result(train.judge(opened, step_of(context)))


@dg.asset_check(asset=evaluation_report, blocking=True, partitions_def=tenant_partitions)
def wer_gate(context: dg.AssetCheckExecutionContext, platform: PlatformResource) -> dg.AssetCheckResult:
    """Not worse than the champion and not worse than the frozen baseline, on enough words."""
    with platform.open() as opened:
        verdict = evaluate.judge(opened, step_of(context))
        page = verdict_pages.url(opened.settings, verdict.tenant_id, str(verdict.details["report_digest"]))
    return _result(verdict, page=dg.MetadataValue.url(page))


def _passed(files: int) -> str:
    return f"{files} files passed" if files else "holds: no examples yet"


def _result(verdict: GateVerdict, **shown: dg.MetadataValue) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=verdict.passed,
        severity=dg.AssetCheckSeverity.ERROR,
        description=verdict.reason,
        metadata={
            **shown,
            "digest": verdict.digest,
            **{k: v for k, v in verdict.details.items() if v is not None},
        },
    )


gates = [pii_gate, corpus_gate, adapter_gate, wer_gate]
