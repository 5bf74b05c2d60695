"""The one place that builds object keys. A tenant id is one already; every other part goes through
:mod:`astra_learn_assets.ids` first.

``diffs/`` and ``datasets/`` are encrypted under the tenant's key (:func:`is_encrypted`).
"""

from __future__ import annotations

from astra_learn_assets import ids
from astra_learn_assets.ids import TenantId

ENCRYPTED_PREFIXES = ("diffs/", "datasets/")
_ROOTS = ("sessions", "diffs", "datasets", "models/adapters", "quarantine")


def draft_docx(tenant: TenantId, session: str, version: int) -> str:
    """``sessions/{tenant}/{session}/v{n}/draft.docx``"""
    return f"{_session(tenant, session, version)}/draft.docx"


def redraft_docx(tenant: TenantId, session: str, version: int, sha256: str) -> str:
    """``sessions/{tenant}/{session}/v{n}/draft-{16 of sha256}.docx``: a draft made anew, same version."""
    return f"{_session(tenant, session, version)}/draft-{ids.digest(sha256, 'draft digest')[:16]}.docx"


def manifest_of(draft_key: str) -> str:
    """The key of the manifest stored beside the draft at ``draft_key`` (``artifacts.uri``)."""
    return f"{draft_key.removesuffix('.docx')}.json"


def final_docx(tenant: TenantId, session: str, version: int, sha256: str) -> str:
    """``sessions/{tenant}/{session}/v{n}/final-{16 of sha256}.docx``: a second upload never overwrites."""
    return f"{_session(tenant, session, version)}/final-{ids.digest(sha256, 'final digest')[:16]}.docx"


def diff(tenant: TenantId, document: str, comparison: str | None = None) -> str:
    """``diffs/{tenant}/{document}.{16 of comparison}.parquet``: ``comparison`` is the digest of all inputs.

    Without it ``diffs/{tenant}/{document}.parquet``, where diffs lay before they were named by their inputs.
    """
    named = f".{ids.digest(comparison, 'comparison digest')[:16]}" if comparison is not None else ""
    return f"diffs/{tenant}/{ids.name(document, 'document id')}{named}.parquet"


def drafts(tenant: TenantId) -> str:
    """``diffs/{tenant}/drafts`` (a folder): a cache, which may be emptied."""
    return f"diffs/{tenant}/drafts"


def prepared_draft(tenant: TenantId, digest: str) -> str:
    """``diffs/{tenant}/drafts/{digest}.json``: the blocks of a draft, read once."""
    return f"diffs/{tenant}/drafts/{ids.digest(digest, 'draft digest')}.json"


def pairs(tenant: TenantId, document: str) -> str:
    """``datasets/{tenant}/pairs/{document}.jsonl``"""
    return f"datasets/{tenant}/pairs/{ids.name(document, 'document id')}.jsonl"


def corpus(tenant: TenantId, dataset_hash: str) -> str:
    """``datasets/{tenant}/corpora/{dataset_hash}.jsonl``"""
    return f"datasets/{tenant}/corpora/{ids.digest(dataset_hash, 'dataset hash')}.jsonl"


def golden(tenant: TenantId, golden_hash: str) -> str:
    """``datasets/{tenant}/golden/{golden_hash}.jsonl``"""
    return f"datasets/{tenant}/golden/{ids.digest(golden_hash, 'golden hash')}.jsonl"


def audio_manifest(tenant: TenantId, digest: str) -> str:
    """``datasets/{tenant}/audio/{digest}.jsonl``"""
    return f"datasets/{tenant}/audio/{ids.digest(digest, 'manifest digest')}.jsonl"


def golden_curated(tenant: TenantId, curated_id: str) -> str:
    """``datasets/{tenant}/golden/curated/{curated_id}.jsonl``"""
    return f"datasets/{tenant}/golden/curated/{ids.name(curated_id, 'curated id')}.jsonl"


def predictions(tenant: TenantId, evaluation_hash: str) -> str:
    """``datasets/{tenant}/predictions/{evaluation_hash}.jsonl``"""
    return f"datasets/{tenant}/predictions/{ids.digest(evaluation_hash, 'evaluation hash')}.jsonl"


def verdict_page(tenant: TenantId, report_digest: str) -> str:
    """``datasets/{tenant}/verdicts/{report_digest}.html``"""
    return f"datasets/{tenant}/verdicts/{ids.digest(report_digest, 'report digest')}.html"


def adapter(adapter_id: str) -> str:
    """``models/adapters/{tenant}/{adapter_id}`` (a folder)."""
    return f"models/adapters/{ids.tenant_of_adapter(adapter_id)}/{adapter_id}"


def promotion_record(tenant: TenantId) -> str:
    """``models/adapters/{tenant}/promotion/promotion.json``: the signed record of what serves."""
    return f"{promotion_folder(tenant)}/promotion.json"


def promotion_folder(tenant: TenantId) -> str:
    """``models/adapters/{tenant}/promotion`` (a folder); no adapter id can be called so."""
    return f"models/adapters/{tenant}/promotion"


def corpora(tenant: TenantId) -> str:
    """``datasets/{tenant}/corpora`` (a folder)."""
    return f"datasets/{tenant}/corpora"


def golden_sets(tenant: TenantId) -> str:
    """``datasets/{tenant}/golden`` (a folder)."""
    return f"datasets/{tenant}/golden"


def adapters(tenant: TenantId) -> str:
    """``models/adapters/{tenant}`` (a folder)."""
    return f"models/adapters/{tenant}"


def quarantined(tenant: TenantId, key: str) -> str:
    """``quarantine/{tenant}/{key}``: the bytes of a damaged object, as they were found."""
    return f"quarantine/{tenant}/{key}"


def certificates(tenant: TenantId) -> str:
    """``certificates/{tenant}`` (a folder): what was erased; not one of the tenant's own prefixes."""
    return f"certificates/{tenant}"


def certificate(tenant: TenantId, name: str) -> str:
    """``certificates/{tenant}/{name}.json``"""
    return f"{certificates(tenant)}/{name}.json"


def tenant_prefixes(tenant: TenantId) -> tuple[str, ...]:
    """Every prefix that holds something of ``tenant``, each with a trailing slash."""
    return tuple(f"{root}/{tenant}/" for root in _ROOTS)


def is_encrypted(key: str) -> bool:
    """Whether objects under ``key`` are sealed with the tenant's key."""
    return key.startswith(ENCRYPTED_PREFIXES)


def _session(tenant: TenantId, session: str, version: int) -> str:
    return f"sessions/{tenant}/{ids.name(session, 'session id')}/v{ids.version(version)}"
