"""The evidence for a security lead: figures of what stands, each batch of canaries once, and never a text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from astra_learn_assets.api.privacy_page import report_page
from astra_learn_assets.cli.main import app
from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.errors import NotFound
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import anonymize, compare
from astra_learn_assets.learning.privacy_report import pooled_leak, privacy_report
from astra_learn_assets.platform import Platform
from astra_learn_assets.privacy.scan.canary import clopper_pearson
from astra_learn_assets.store import blocklist
from astra_learn_assets_tests.graph.conftest import Town

TENANT = TenantId("villaverde")


def _verdict(batch: str, missed: int, planted: int = 60, digest: str = "a") -> GateVerdict:
    details: dict[str, float | int | str | bool | None] = {
        "canary_batch": batch,
        "canaries": planted,
        "canaries_missed": missed,
        "canaries_missed_by_pseudonymizer": missed + 1,
    }
    return GateVerdict(
        gate="pii_gate", tenant_id=TENANT, digest=digest * 64, passed=True, reason="", details=details
    )


def test_a_batch_counts_once_however_many_files_it_had() -> None:
    leak = pooled_leak([_verdict("one", 2), _verdict("one", 2, digest="b"), _verdict("two", 1, digest="c")])
    assert (leak.batches, leak.canaries, leak.missed, leak.missed_by_pseudonymizer) == (2, 120, 3, 5)
    assert (leak.low, leak.high) == clopper_pearson(3, 120)
    assert leak.share == 3 / 120


def test_without_canaries_there_is_no_share_and_the_interval_is_everything() -> None:
    leak = pooled_leak([])
    assert (leak.share, leak.low, leak.high) == (None, 0.0, 1.0)


def test_the_report_of_an_unknown_tenant_is_not_an_empty_one(platform: Platform) -> None:
    with pytest.raises(NotFound):
        privacy_report(platform, TenantId("nowhere"))


def test_the_report_tells_what_stands_and_no_name(town: Town, tmp_path: Path) -> None:
    town.submit(0, 1, 2)
    compare.compare_waiting_finals(town.platform, TENANT)
    made = anonymize.anonymize_documents(town.platform, TENANT)
    before = privacy_report(town.platform, TENANT)
    assert before.files.waiting == made.total_documents > 0
    assert (before.lines, before.masked, before.leak.batches) == (0, {}, 0)

    judged = anonymize.judge(town.platform, TENANT)
    report = privacy_report(town.platform, TENANT)
    assert report.files.approved == sum(verdict.passed for verdict in judged)
    assert report.files.approved + report.files.refused == made.total_documents
    assert report.lines == made.examples
    assert report.masked["PERSONA"] >= made.entities["PERSONA"] > 0
    assert (report.leak.batches, report.leak.canaries) == (1, 60)
    assert any(name.startswith("entity model ") for name in report.detectors)
    assert report.uncounted_files == 0

    page = report_page(report)
    for person in town.council.roster:
        assert person not in page
        assert person not in report.model_dump_json()
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "Fuga estimada" in page

    target = tmp_path / "report.html"
    told = CliRunner().invoke(app, ["privacy", "report", TENANT, "--html", str(target), "-o", "json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["masked"] == report.masked
    assert "Informe de privacidad" in target.read_text(encoding="utf-8")


def test_files_of_another_policy_are_told_as_stale(town: Town) -> None:
    town.submit(0, 1)
    compare.compare_waiting_finals(town.platform, TENANT)
    anonymize.anonymize_documents(town.platform, TENANT)
    anonymize.judge(town.platform, TENANT)
    with town.platform.database.session() as session:
        blocklist.add(session, TENANT, term="Farola Reservada", action="mask")
    report = privacy_report(town.platform, TENANT)
    assert report.files.stale == 2
    assert report.files.approved == 0
    assert report.masked_terms == 1
