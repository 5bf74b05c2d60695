"""What /metrics says of the learning: from the database, without a municipality, not asked for too often."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from astra_learn_assets.api import learning_figures
from astra_learn_assets.api.app import create_app
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import anonymize
from astra_learn_assets.learning.compare import compare_waiting_finals
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import stage_figures
from astra_learn_assets_tests.api.conftest import Issue
from astra_learn_assets_tests.api.files import NAME_FIX, TEXT_FIX, DraftFiles
from astra_learn_assets_tests.api.test_routes import upload

TENANT = TenantId("villaverde")


def test_a_final_is_seen_waiting_and_then_counted_at_each_stage(
    client: TestClient,
    issue: Issue,
    draft: DraftFiles,
    platform: Platform,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(learning_figures, "FRESH_SECONDS", 0.0)
    upload(client, issue("editor"), draft.final(NAME_FIX, TEXT_FIX))
    assert 'astra_waiting{stage="document_diffs"} 1.0' in client.get("/metrics").text
    compare_waiting_finals(platform, TENANT)
    text = client.get("/metrics").text
    assert 'astra_waiting{stage="document_diffs"} 0.0' in text
    assert 'astra_waiting{stage="anonymized_pairs"} 1.0' in text
    anonymize.anonymize_documents(platform, TENANT)
    assert 'astra_waiting{stage="pii_gate"} 1.0' in client.get("/metrics").text
    assert [verdict.passed for verdict in anonymize.judge(platform, TENANT)] == [True]
    text = client.get("/metrics").text
    for stage, result in (
        ("document_diffs", "compared"),
        ("anonymized_pairs", "anonymized"),
        ("pii_gate", "passed"),
    ):
        assert f'astra_stage_seconds_count{{result="{result}",stage="{stage}"}} 1.0' in text
        assert f'astra_stage_seconds_bucket{{le="+Inf",result="{result}",stage="{stage}"}} 1.0' in text
        assert f'astra_oldest_waiting_seconds{{stage="{stage}"}} 0.0' in text
    assert "villaverde" not in text


def test_without_the_database_the_other_figures_are_there(
    api_platform: Platform, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    with platform.database.session() as session:
        stage_figures.note(session, "swap", "done", 1.0)
    monkeypatch.setattr(learning_figures, "FRESH_SECONDS", 0.0)
    with TestClient(create_app(platform=api_platform)) as client:
        assert 'stage="swap"' in client.get("/metrics").text
        api_platform.database.engine.dispose()
        url = api_platform.database.engine.url.set(port=1)
        away = type(api_platform.database)(url.render_as_string(hide_password=False))
        client.app.state.astra.telemetry.learning.of(away)  # type: ignore[attr-defined]
        text = client.get("/metrics").text
    assert 'stage="swap"' not in text
    assert "# TYPE astra_stage_seconds histogram" in text
    assert "astra_http_requests_total" in text


def test_all_callers_together_cost_one_question_in_ten_seconds(
    api_platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(stage_figures, "tallies", lambda session: asked.append(session) or [])
    figures = learning_figures.LearningFigures()
    figures.of(api_platform.database)
    for _ in range(5):
        assert [metric.name for metric in figures.collect()] == list(learning_figures.LABELS)
    assert len(asked) == 1
