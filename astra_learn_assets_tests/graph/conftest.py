"""A small simulated council in the platform, and an instance whose runs see that platform."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg
import pytest

from astra_learn_assets.errors import UploadRefused
from astra_learn_assets.hotpath import intake
from astra_learn_assets.partitions import tenant_partitions
from astra_learn_assets.platform import Platform
from astra_learn_assets.services.embedded import export_env
from astra_learn_assets.settings import Settings, get_settings
from astra_learn_assets.simulation.council.simulator import Council, make_council
from astra_learn_assets_tests.conftest import MakeTenant

SMALL = {
    "golden_minimum_words": 40,
    "golden_minimum_documents": 2,
    "golden_share": 0.3,
    "golden_minimum_power": 0.6,  # eight sessions are four golden documents
    "corpus_minimum": 10,
    "train_threshold": 30,
    "train_minimum": 10,
    "epochs": 3.0,
    "learning_rate": 2e-3,
    "golden_maximum_examples": 60,
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Thresholds that fit a dozen sessions."""
    return settings.model_copy(update=SMALL)


@pytest.fixture
def instance(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An ephemeral Dagster instance; the process's settings are those of the test."""
    for name, value in export_env(settings).items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance
    get_settings.cache_clear()


@dataclass
class Town:
    """A tenant, its simulated council, and how to send its sessions."""

    tenant_id: str
    council: Council
    platform: Platform

    def submit(self, *indexes: int) -> None:
        """Send draft and final of each session as Builder and clerk would."""
        for index in indexes:
            simulated = self.council.session(index)
            place = {
                "tenant_id": self.tenant_id,
                "session_id": simulated.session_id,
                "version": simulated.version,
            }
            intake.register_draft(
                self.platform,
                **place,
                docx=simulated.draft_docx,
                manifest=simulated.manifest.model_dump_json().encode(),
                cloned_from=simulated.cloned_from,
                roster=self.council.roster,
            )
            try:
                clerk = f"clerk {index % 2 + 1}"  # what one alone rewords is not believed
                intake.submit_final(self.platform, **place, data=simulated.final_docx, uploaded_by=clerk)
            except UploadRefused:
                assert simulated.truth.expected_refusal


@pytest.fixture
def town(platform: Platform, make_tenant: MakeTenant, instance: dg.DagsterInstance) -> Town:
    """Villaverde, registered as a partition."""
    make_tenant("villaverde")
    instance.add_dynamic_partitions(str(tenant_partitions.name), ["villaverde"])
    return Town("villaverde", make_council("villaverde", seed=7), platform)
