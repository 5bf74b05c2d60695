"""The page of each verdict: written when it is reached, kept sealed, shown by link.

It holds anonymized text of the golden set, so it lies with the municipality's data and never in Dagster or
MLflow, which nobody can erase: there a link stands, and the panel asks for a key.
"""

from __future__ import annotations

from astra_learn_assets import ids
from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.errors import NotFound
from astra_learn_assets.evaluation import verdict_page
from astra_learn_assets.evaluation.predictions import load_predictions
from astra_learn_assets.evaluation.results import EvaluationReport
from astra_learn_assets.evaluation.verdict_page import Past
from astra_learn_assets.ids import TenantId
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import adapters, paths, verdicts

_PAST = 20


def write(
    platform: Platform,
    verdict: GateVerdict,
    report: EvaluationReport,
    *,
    adapter_id: str,
    predictions: bytes,
    golden_ids: frozenset[str],
) -> str:
    """Keep the page of ``verdict``; returns where it is shown.

    ``predictions``: everybody's answers; those to the golden set (``golden_ids``) are shown.
    """
    tenant_id = verdict.tenant_id
    rows = [row for row in load_predictions(predictions) if row.example_id in golden_ids]
    page = verdict_page.render(
        verdict,
        report,
        adapter_id=adapter_id,
        shown=verdict_page.choose(rows),
        past=past(platform, tenant_id),
    )
    platform.vault.write(
        tenant_id, paths.verdict_page(tenant_id, report.digest()), page.encode(), overwrite=True
    )
    return url(platform.settings, tenant_id, report.digest())


def read(platform: Platform, tenant_id: TenantId, report_digest: str) -> bytes:
    """A page, as HTML.

    Raises:
        InvalidId: no digest.
        NotFound: there is no page of it.
    """
    key = paths.verdict_page(tenant_id, ids.digest(report_digest, "report digest"))
    if not platform.vault.exists(tenant_id, key):
        raise NotFound(f"no verdict {report_digest[:16]} of {tenant_id}: evaluate again to have its page")
    return platform.vault.read(tenant_id, key)


def of_adapter(platform: Platform, tenant_id: TenantId, adapter_id: str) -> str:
    """The digest of the newest report on an adapter.

    Raises:
        ForeignTenant, NotFound: there is no such adapter, or nobody has judged it.
    """
    with platform.database.session() as session:
        row = adapters.get(session, tenant_id, adapter_id)
        verdict = verdicts.latest(session, tenant_id, "wer_gate", row.digest)
    digest = verdict.details.get("report_digest") if verdict is not None else None
    if not isinstance(digest, str):
        raise NotFound(f"wer_gate has not judged {adapter_id}")
    return digest


def past(platform: Platform, tenant_id: TenantId) -> list[Past]:
    """The tenant's verdicts, newest first."""
    with platform.database.session() as session:
        names = {row.digest: row.adapter_id for row in adapters.listing(session, tenant_id)}
        rows = verdicts.of_gate(session, tenant_id, "wer_gate", limit=_PAST)
        return [
            Past(
                names.get(row.digest, row.digest[:16]),
                "promote" if row.passed else str(row.details.get("outcome", "reject")),
                row.created_at,
                _number(row.details.get("candidate_wer")),
                _number(row.details.get("champion_wer")),
            )
            for row in rows
        ]


def url(settings: Settings, tenant_id: TenantId, report_digest: str) -> str:
    """Where the panel shows a page."""
    return f"{panel_url(settings, tenant_id)}/verdicts/{report_digest}"


def panel_url(settings: Settings, tenant_id: TenantId) -> str:
    """Where the municipality's panel is; without a public URL of the API, on this machine."""
    root = settings.api_url or f"http://{settings.api_host}:{settings.api_port}"
    return f"{root.rstrip('/')}/panel/{tenant_id}"


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
