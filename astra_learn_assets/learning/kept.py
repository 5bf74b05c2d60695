"""What is kept of a municipality, what was masked in it, what is kept out: in counts, at once.

The evidence, every file that stands now with the leak measured by canaries, is :mod:`privacy_report`; it
reads as much as there is. Here is what a page shows: sums over the newest scans, counted by the database.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from astra_learn_assets.ids import TenantId
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import examples, tallies, tenants

NEWEST_SCANS = 500


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Scans(_Answer):
    """What the privacy gate said of the newest example files it judged."""

    counted: int = Field(description="How many scans the sums are of: the newest, 500 at most.")
    approved: int
    refused: int
    newest_at: datetime | None
    masked: dict[str, int] = Field(description="Placeholders by kind.")
    found_after_masking: dict[str, int] = Field(
        description="What the second detector still found, by kind: such a file is refused."
    )


class PrivacyCounts(_Answer):
    """What is known of a tenant's data, in counts; no text of a document and no name."""

    tenant_id: TenantId
    display_name: str
    country: str
    erased: bool
    scans: Scans
    quarantine: dict[str, int] = Field(
        description="Documents kept out: waiting for a person, dropped by one."
    )
    documents: dict[str, int] = Field(description="Compared finals by state.")
    examples: dict[str, int] = Field(description="Anonymized examples.")
    held: dict[str, int] = Field(description="Rows of each kind that are kept.")
    dictionary_entries: int


def privacy_counts(platform: Platform, tenant_id: TenantId) -> PrivacyCounts:
    """The counts of one tenant.

    Raises:
        UnknownTenant: there is none.
    """
    with platform.database.session() as session:
        tenant = tenants.get(session, tenant_id)
        scans = tallies.scans(session, tenant_id, newest=NEWEST_SCANS)
        return PrivacyCounts(
            tenant_id=tenant_id,
            display_name=tenant.display_name,
            country=tenant.country,
            erased=tenant.wrapped_key is None,
            scans=Scans(
                counted=scans.counted,
                approved=scans.approved,
                refused=scans.counted - scans.approved,
                newest_at=scans.newest_at,
                masked=scans.masked,
                found_after_masking=scans.hits,
            ),
            quarantine=tallies.kept_out_by_review(session, tenant_id),
            documents=tallies.documents_by_state(session, tenant_id),
            examples=examples.counts(session, tenant_id),
            held=tallies.held(session, tenant_id),
            dictionary_entries=tallies.dictionary_size(session, tenant_id)[1],
        )
