"""``pii_gate``: nothing personal is left in these exact bytes, as far as the second detector sees.

Blocks on any hit of the residual scan and when the canary test shows that the detectors no longer
work (leak above :data:`MAXIMUM_LEAK`). The verdict holds counts by kind, the leak estimate with its
interval, what was masked by kind and the versions of all detectors; never text.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Sequence

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.errors import BadJsonl
from astra_learn_assets.ids import TenantId
from astra_learn_assets.privacy.pseudonymizer import VERSION, Pseudonymizer
from astra_learn_assets.privacy.record import SIDES
from astra_learn_assets.privacy.scan.canary import CanaryResult, run_canaries
from astra_learn_assets.privacy.scan.residual import ResidualScanner, parse_line
from astra_learn_assets.spanish.placeholder import PLACEHOLDER

MAXIMUM_LEAK = 0.05


def pii_gate(
    jsonl: bytes,
    *,
    scanner: ResidualScanner,
    pseudonymizer: Pseudonymizer,
    tenant_id: TenantId,
    digest: str,
    canary: CanaryResult | None = None,
) -> GateVerdict:
    """The verdict on the final JSONL bytes of ``digest``. A file that is no JSONL fails.

    ``canary``: the test of the batch the file belongs to (:func:`batch_canary`); without it the file is a
    batch of its own.
    """
    details: dict[str, float | int | str | bool | None] = {
        "detector.pseudonymizer": f"{VERSION} with {pseudonymizer.model_name}"
    }
    try:
        report = scanner.scan_jsonl(jsonl)
        texts = _texts(jsonl)
    except BadJsonl as error:
        return GateVerdict(
            gate="pii_gate",
            tenant_id=tenant_id,
            digest=digest,
            passed=False,
            reason=str(error),
            details=details,
        )
    details |= {f"detector.{name}": value for name, value in report.detectors.items()}
    details |= {"lines": report.lines, "hits": report.found, "lines_with_hits": report.lines_with_hits}
    details |= {f"hits.{kind}": count for kind, count in report.by_kind.items()}
    details |= {f"masked.{kind}": count for kind, count in sorted(_masked(texts).items())}
    if canary is None:
        canary = run_canaries(texts, pseudonymizer=pseudonymizer, scanner=scanner, seed=digest)
    details |= {
        "canary_batch": canary.batch,
        "canaries": canary.planted,
        "canaries_missed": canary.missed,
        "canaries_missed_by_pseudonymizer": canary.missed_first,
        "canary_recall": round(canary.recall, 4),
        "leak_low": round(canary.low, 4),
        "leak_high": round(canary.high, 4),
    }
    if report.found:
        kinds = ", ".join(f"{kind} {count}" for kind, count in report.by_kind.items())
        passed, reason = (
            False,
            f"{report.lines_with_hits} of {report.lines} lines still hold personal data ({kinds})",
        )
    elif canary.recall < 1 - MAXIMUM_LEAK:
        passed, reason = (
            False,
            (f"{canary.missed} of {canary.planted} planted canaries were missed: the detectors do not fit"),
        )
    else:
        passed, reason = (
            True,
            (
                f"{report.lines} lines clean; canary leak {canary.missed}/{canary.planted} "
                f"(95 % interval {canary.low:.1%} to {canary.high:.1%})"
            ),
        )
    return GateVerdict(
        gate="pii_gate", tenant_id=tenant_id, digest=digest, passed=passed, reason=reason, details=details
    )


def batch_canary(
    files: Sequence[bytes], *, pseudonymizer: Pseudonymizer, scanner: ResidualScanner
) -> CanaryResult:
    """Plant canaries in a copy of all ``files`` of one batch: one leak estimate, seeded by their content.

    A file that is no JSONL takes no part; its own verdict says so.
    """
    texts: list[str] = []
    seed = hashlib.sha256()
    for data in files:
        seed.update(data)
        with contextlib.suppress(BadJsonl):
            texts += _texts(data)
    return run_canaries(texts, pseudonymizer=pseudonymizer, scanner=scanner, seed=seed.hexdigest())


def _masked(texts: Sequence[str]) -> Counter[str]:
    """Placeholders by kind."""
    return Counter(match[1] for text in texts for match in PLACEHOLDER.finditer(text))


def _texts(jsonl: bytes) -> list[str]:
    texts = []
    for number, line in enumerate(jsonl.splitlines(), 1):
        if line.strip():
            values = parse_line(number, line)
            texts += [values[name] for name in SIDES if isinstance(values.get(name), str)]
    return [text for text in texts if text.strip()]
