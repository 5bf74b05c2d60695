"""Evidence for whoever answers for a municipality's data: what finds names, what it missed, what was masked.

Counts, versions and rates only; no text of a document and no name. Everything comes from what ``pii_gate``
recorded of the example files that stand now, so the report says what was true when each file was judged. The
leak is pooled over the batches those files came in: canaries planted and missed by both detectors together,
with the exact interval of Clopper and Pearson. Canaries are invented names and numbers in the batch's own
sentences; they tell that the detectors work on this text, not how real names of it fare.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import anonymize, masking
from astra_learn_assets.platform import Platform
from astra_learn_assets.privacy.scan.canary import clopper_pearson
from astra_learn_assets.privacy.scan.pii_gate import MAXIMUM_LEAK
from astra_learn_assets.store import blocklist, documents, tenants, verdicts
from astra_learn_assets.store.tables import Document


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Leak(_Answer):
    """Canaries of the batches that the standing files came in; shares in 0..1."""

    batches: int
    canaries: int
    missed_by_pseudonymizer: int
    missed: int = Field(description="By both detectors together.")
    share: float | None = Field(description="missed / canaries; None when none was planted.")
    low: float = Field(description="Lower end of the 95 % interval of Clopper and Pearson.")
    high: float
    allowed: float = Field(description="A batch that misses a greater share is refused.")


class Files(_Answer):
    """Example files by what pii_gate says of them."""

    approved: int
    refused: int
    waiting: int = Field(description="Made, not judged yet.")
    stale: int = Field(description="Made under another policy: nothing is trained on them.")


class KeptOutDocument(_Answer):
    """One document that nothing is learned from. ``reason`` is Spanish, as the clerk read it."""

    document_id: str
    reason: str | None
    review: str | None
    since: datetime


class PrivacyReport(_Answer):
    """The evidence of one tenant."""

    tenant_id: str
    display_name: str
    country: str
    made_at: datetime
    policy: str = Field(description="Fingerprint of everything that decides what is masked.")
    detectors: tuple[str, ...] = Field(description="Code, models and tables of the policy, with versions.")
    masked_terms: int
    allowed_terms: int
    files: Files
    lines: int = Field(description="Examples in the judged files.")
    masked: dict[str, int] = Field(description="Placeholders in the judged files, by kind.")
    uncounted_files: int = Field(description="Judged before placeholders were counted.")
    residual: dict[str, int] = Field(description="What the second detector found in refused files, by kind.")
    leak: Leak
    quarantined: tuple[KeptOutDocument, ...]


def privacy_report(platform: Platform, tenant_id: TenantId) -> PrivacyReport:
    """The report as of now.

    Raises:
        NotFound: there is no such tenant.
    """
    policy = masking.policy_of(platform, tenant_id)
    with platform.database.session() as session:
        tenant = tenants.get(session, tenant_id)
        rows = documents.listing(session, tenant_id)
        made = [row for row in rows if row.pairs_sha256]
        terms = Counter(term.action for term in blocklist.listing(session, tenant_id))
        judged = verdicts.latest_of(
            session, tenant_id, "pii_gate", [anonymize.gate_digest(row) for row in made]
        )
    standing = [judged[d] for row in made if (d := anonymize.gate_digest(row)) in judged]
    return PrivacyReport(
        tenant_id=tenant_id,
        display_name=tenant.display_name,
        country=tenant.country,
        made_at=datetime.now(UTC),
        policy=policy.fingerprint,
        detectors=masking.detectors(policy.model),
        masked_terms=terms["mask"],
        allowed_terms=terms["allow"],
        files=_files(made, judged, policy.fingerprint),
        lines=sum(_count(verdict, "lines") for verdict in standing),
        masked=_sums(standing, "masked."),
        uncounted_files=sum("canary_batch" not in verdict.details for verdict in standing),
        residual=_sums(standing, "hits."),
        leak=pooled_leak(standing),
        quarantined=tuple(
            KeptOutDocument(
                document_id=row.document_id, reason=row.reason, review=row.review, since=row.created_at
            )
            for row in rows
            if row.state == "quarantined"
        ),
    )


def pooled_leak(judged: Sequence[GateVerdict]) -> Leak:
    """The canaries of all batches in ``judged``, each batch once."""
    batches = {
        str(verdict.details.get("canary_batch", verdict.digest)): verdict
        for verdict in judged
        if "canaries" in verdict.details
    }
    planted, first, missed = (
        sum(_count(verdict, name) for verdict in batches.values())
        for name in ("canaries", "canaries_missed_by_pseudonymizer", "canaries_missed")
    )
    low, high = clopper_pearson(missed, planted)
    return Leak(
        batches=len(batches),
        canaries=planted,
        missed_by_pseudonymizer=first,
        missed=missed,
        share=missed / planted if planted else None,
        low=low,
        high=high,
        allowed=MAXIMUM_LEAK,
    )


def _files(made: Sequence[Document], judged: dict[str, GateVerdict], policy: str) -> Files:
    count: Counter[str] = Counter()
    for row in made:
        verdict = judged.get(anonymize.gate_digest(row))
        if row.pii_policy != policy:
            count["stale"] += 1
        elif verdict is None:
            count["waiting"] += 1
        else:
            count["approved" if verdict.passed else "refused"] += 1
    return Files(**{name: count[name] for name in ("approved", "refused", "waiting", "stale")})


def _sums(judged: Sequence[GateVerdict], prefix: str) -> dict[str, int]:
    total: Counter[str] = Counter()
    for verdict in judged:
        for name in verdict.details:
            if name.startswith(prefix):
                total[name.removeprefix(prefix)] += _count(verdict, name)
    return dict(sorted(total.items()))


def _count(verdict: GateVerdict, name: str) -> int:
    value = verdict.details.get(name, 0)
    return value if isinstance(value, int) else 0
