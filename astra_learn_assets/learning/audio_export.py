"""``export audio``: the tenant's pairs of audio and text, as a manifest for those who adapt the recognizer.

Only documents are read whose very bytes ``pii_gate`` has passed under today's policy, golden ones left out:
a recognizer that has heard the test would make the drafts that are tested. A copy stays in the tenant's
encrypted store, where erasing the tenant erases it; what is written elsewhere is the operator's to erase.
"""

from __future__ import annotations

from dataclasses import dataclass

from astra_learn_assets.datasets import audio, jsonl
from astra_learn_assets.errors import GateRefused
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import assemble, masking
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import paths


@dataclass(frozen=True)
class AudioExport:
    """``digest`` names the stored copy; ``data`` is the manifest; seconds are of audio."""

    digest: str
    data: bytes
    rows: int
    documents: int
    seconds: float


def export(platform: Platform, tenant_id: TenantId, form: audio.Form) -> AudioExport:
    """Write the manifest of everything with audio.

    Raises:
        GateRefused: when nothing with audio has passed the privacy gate.
    """
    rows = audio.stretches(
        example
        for row in assemble.approved_documents(platform, tenant_id, of_golden=False)
        for example in assemble.examples_of(platform, tenant_id, row)
    )
    if not rows:
        raise GateRefused(
            f"tenant {tenant_id} has no example with audio that passed pii_gate: "
            "materialize document_diffs and anonymized_pairs first"
        )
    policy = masking.policy_of(platform, tenant_id).fingerprint
    data = audio.manifest(rows, form, policy=policy)
    digest = jsonl.digest(data)
    platform.vault.write(tenant_id, paths.audio_manifest(tenant_id, digest), data)
    return AudioExport(
        digest=digest,
        data=data,
        rows=len(rows),
        documents=len({row.document_id for row in rows}),
        seconds=sum(row.end_ms - row.start_ms for row in rows) / 1000,
    )
