from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from fastapi import FastAPI
from fastapi.testclient import TestClient

from astra_learn_assets.api.app import create_app
from astra_learn_assets.api.routes import health
from astra_learn_assets.contracts import DictionaryEntry
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import api_keys, dictionary, trainings
from astra_learn_assets_tests.api.conftest import Headers, Issue
from astra_learn_assets_tests.api.files import DOCX, NAME_FIX, TEXT_FIX, DraftFiles, make_draft, zip_bomb
from astra_learn_assets_tests.audit_lines import audit_lines
from astra_learn_assets_tests.conftest import MakeTenant

PLACE = "/v1/tenants/villaverde/sessions/pleno-1/versions/1"
DICTIONARY = "/v1/tenants/villaverde/dictionary"


def upload(client: TestClient, headers: Headers, data: bytes, place: str = PLACE) -> Any:
    return client.post(f"{place}/final", content=data, headers={**headers, "Content-Type": DOCX})


def test_from_draft_to_dictionary_over_http(
    client: TestClient, issue: Issue, make_tenant: MakeTenant, platform: Platform
) -> None:
    make_tenant()
    builder, clerk, core = issue("platform"), issue("editor"), issue("platform")
    files = make_draft()
    draft = client.put(
        f"{PLACE}/draft",
        files={"docx": ("d.docx", files.docx, DOCX), "manifest": ("d.json", files.manifest)},
        data={"roster": json.dumps(["Lucía Ortega"])},
        headers=builder,
    )
    assert draft.status_code == 200, draft.text
    received = threading.Event()
    listener = platform.redis.pubsub(ignore_subscribe_messages=True)
    listener.subscribe(DICTIONARY_UPDATED=lambda _message: received.set())
    thread = listener.run_in_thread(sleep_time=0.01)
    started = time.monotonic()
    final = upload(client, clerk, files.final(NAME_FIX, TEXT_FIX))
    assert final.status_code == 200, final.text
    read = client.get(DICTIONARY, headers=core).json()
    assert received.wait(2)
    assert time.monotonic() - started < 2
    thread.stop()
    thread.join()
    assert [(entry["wrong"], entry["right"]) for entry in read["entries"]] == [("Hortegga", "Ortega")]
    assert final.json()["base_id"] == draft.json()["artifact_id"]
    delta = client.post(
        "/v1/compare",
        json={"generated_id": draft.json()["artifact_id"], "final_id": final.json()["artifact_id"]},
        headers=clerk,
    )
    assert delta.status_code == 200
    assert delta.json()["metrics"]["counts"]["modified"] == 2


def test_a_final_may_come_as_a_form(client: TestClient, issue: Issue, draft: DraftFiles) -> None:
    final = draft.final(NAME_FIX)  # a file holds the time it was made at
    answer = client.post(f"{PLACE}/final", files={"file": ("acta.docx", final)}, headers=issue("editor"))
    assert answer.status_code == 200
    again = upload(client, issue("editor"), final)
    assert again.json()["already_received"] is True


def test_the_dictionary_answers_304_until_it_changes(
    client: TestClient, issue: Issue, draft: DraftFiles
) -> None:
    headers = issue("editor")
    first = client.get(DICTIONARY, headers=headers)
    same = client.get(DICTIONARY, headers={**headers, "If-None-Match": f'"x", W/{first.headers["etag"]}'})
    assert (same.status_code, same.content) == (304, b"")
    upload(client, headers, draft.final(NAME_FIX))
    changed = client.get(DICTIONARY, headers={**headers, "If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.json()["version"] == 1


def test_an_entry_can_be_undone_and_readers_catch_up(
    client: TestClient, issue: Issue, draft: DraftFiles
) -> None:
    headers = issue("editor")
    upload(client, headers, draft.final(NAME_FIX))
    entry = client.get(DICTIONARY, headers=headers).json()["entries"][0]
    gone = client.delete(f"{DICTIONARY}/{entry['entry_id']}", headers=headers)
    assert gone.json()["version"] == 2
    assert client.get(DICTIONARY, headers=headers).json()["entries"] == []
    assert client.delete(f"{DICTIONARY}/{entry['entry_id']}", headers=headers).status_code == 404
    changes = client.get(f"{DICTIONARY}/changes?since=0", headers=headers).json()
    assert [(change["version"], change["action"]) for change in changes["changes"]] == [
        (1, "added"),
        (2, "removed"),
    ]
    late = client.get(f"{DICTIONARY}/changes?since=1", headers=headers).json()
    assert [change["action"] for change in late["changes"]] == ["removed"]
    assert (late["version"], late["since"]) == (2, 1)


@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [
        (b"", 422, "empty"),
        (b"no es un docx", 422, None),
        (zip_bomb(), 422, None),
    ],
)
def test_bad_uploads_get_one_clear_answer(
    client: TestClient, issue: Issue, draft: DraftFiles, content: bytes, status: int, reason: str | None
) -> None:
    answer = upload(client, issue("editor"), content)
    body = answer.json()
    assert answer.status_code == status
    assert body["code"] == "upload_refused"
    assert reason is None or body["reason"] == reason
    assert body["request_id"] == answer.headers["x-request-id"]


def test_too_many_bytes_are_refused_while_they_arrive(
    api_platform: Platform, issue: Issue, draft: DraftFiles
) -> None:
    api_platform.settings = api_platform.settings.model_copy(update={"upload_max_bytes": 50_000})
    headers = issue("editor")
    sent = 0

    def endless() -> Any:
        nonlocal sent
        for _ in range(1_000):
            sent += 1
            yield b"x" * 10_000

    with TestClient(create_app(platform=api_platform)) as client:
        declared = upload(client, headers, b"x" * 1_000_000)
        chunked = client.post(f"{PLACE}/final", content=endless(), headers=headers)
        small_route = client.put(PLACE, content=b" " * 2_000_000, headers=headers)
    assert declared.status_code == chunked.status_code == 413
    assert declared.json()["code"] == "body_too_large"
    assert small_route.status_code in (403, 413)


def test_a_form_cut_short_is_refused(client: TestClient, issue: Issue, draft: DraftFiles) -> None:
    headers = {**issue("editor"), "Content-Type": "multipart/form-data; boundary=b"}
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.docx"\r\n\r\nPK'
    answer = client.post(f"{PLACE}/final", content=body, headers=headers)
    assert answer.status_code == 422


def test_a_final_without_its_draft_is_409(client: TestClient, issue: Issue, draft: DraftFiles) -> None:
    answer = upload(
        client, issue("editor"), draft.final(NAME_FIX), place=PLACE.replace("versions/1", "versions/2")
    )
    assert answer.status_code == 409
    assert answer.json()["code"] == "base_missing"


def test_keys_can_expire_and_be_revoked(client: TestClient, issue: Issue, platform: Platform) -> None:
    short = issue("platform", expires_at=datetime.now(UTC) + timedelta(hours=1))
    long = issue("platform")
    unknown = {"Authorization": "Bearer astra_nobody"}
    url = "/v1/tenants/villaverde/dictionary"
    assert client.get(url, headers=short).status_code == 404
    with platform.database.session() as session:
        api_keys.listing(session)[0].expires_at = datetime.now(UTC)
    assert client.get(url, headers=short).status_code == 401
    with platform.database.session() as session:
        for row in api_keys.listing(session):
            api_keys.revoke(session, row.key_id)
    for headers in (long, unknown, {"Authorization": "Basic x"}, {}):
        answer = client.get(url, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_key_that_asks_too_often_is_slowed_down(
    api_platform: Platform, issue: Issue, draft: DraftFiles
) -> None:
    api_platform.settings = api_platform.settings.model_copy(update={"api_rate_per_second": 5})
    first, second = issue("viewer"), issue("viewer")
    with TestClient(create_app(platform=api_platform)) as client:
        statuses = [client.get(DICTIONARY, headers=first).status_code for _ in range(15)]
        assert statuses.count(200) >= 10
        limited = client.get(DICTIONARY, headers=first)
        while limited.status_code == 200:
            limited = client.get(DICTIONARY, headers=first)
        assert limited.status_code == 429
        assert int(limited.headers["retry-after"]) >= 1
        assert client.get(DICTIONARY, headers=second).status_code == 200


def test_guessing_keys_is_slowed_down(client: TestClient) -> None:
    statuses = {
        client.get(DICTIONARY, headers={"Authorization": f"Bearer astra_{number}"}).status_code
        for number in range(40)
    }
    assert statuses == {401, 429}


def test_health_says_what_is_away(
    client: TestClient, api_platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_FRESH_SECONDS", 0.0)
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    api_platform.redis = redis.Redis(port=1, socket_connect_timeout=0.2)
    degraded = client.get("/readyz")
    assert degraded.json()["redis"] == "down"
    assert (degraded.status_code, degraded.json()["status"]) == (200, "degraded")


def test_any_number_of_probes_cost_one_question(
    client: TestClient, api_platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_FRESH_SECONDS", 60.0)
    assert client.get("/readyz").json()["redis"] == "ok"
    api_platform.redis = redis.Redis(port=1, socket_connect_timeout=0.2)
    assert {client.get("/readyz").json()["redis"] for _ in range(20)} == {"ok"}


def test_without_postgres_every_answer_is_503(platform: Platform) -> None:
    from astra_learn_assets.store.db import Database

    away = Platform(
        platform.settings,
        Database("postgresql://nobody@127.0.0.1:1/none"),
        platform.objects,
        platform.vault,
        platform.redis,
    )
    with TestClient(create_app(platform=away)) as client:
        headers = {"Authorization": "Bearer astra_x"}
        answer = client.get(DICTIONARY, headers=headers)
        ready = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert "127.0.0.1" not in answer.text
    assert ready.status_code == 503
    assert ready.json()["database"] == "down"


def test_metrics_count_finals_and_name_routes_by_template(
    client: TestClient, issue: Issue, draft: DraftFiles
) -> None:
    upload(client, issue("editor"), draft.final(NAME_FIX))
    text = client.get("/metrics").text
    assert 'astra_finals_total{outcome="learned"} 1.0' in text
    assert "astra_hotfix_seconds_count 1.0" in text
    assert "astra_compare_seconds_count 1.0" in text
    assert "astra_entities_live_total 1.0" in text
    assert 'route="/v1/tenants/{tenant}/sessions/{session}/versions/{version}/final"' in text
    assert "villaverde" not in text
    assert "pleno-1" not in text


def test_no_name_and_no_text_reaches_the_log(
    api_platform: Platform, issue: Issue, draft: DraftFiles, capfd: pytest.CaptureFixture[str]
) -> None:
    with TestClient(create_app(platform=api_platform), raise_server_exceptions=False) as client:
        headers = issue("admin")
        upload(client, headers, draft.final(NAME_FIX, TEXT_FIX))
        client.get(DICTIONARY, headers=headers)
        client.post("/v1/tenants/villaverde/blocklist", json={"term": "Carmen Villalobos"}, headers=headers)
        client.get("/v1/tenants/Lucía Ortega/dictionary", headers=headers)
        client.get("/Carmen/Villalobos?q=Hortegga", headers=headers)
        client.post("/v1/compare", json={"generated_id": "Hortegga", "final_id": "Ortega"}, headers=headers)
    logged = capfd.readouterr()
    lines = [json.loads(line) for line in logged.err.splitlines() if line.startswith("{")]
    assert len(lines) >= 6
    assert all(line["request_id"] for line in lines if line["event"] == "request")
    for secret in ("Hortegga", "Ortega", "Villalobos", "Luc", "pliego", "Bearer", "astra_"):
        assert secret not in logged.err + logged.out


def test_an_unexpected_error_shows_no_python(api_platform: Platform, issue: Issue, draft: DraftFiles) -> None:
    app = create_app(platform=api_platform)

    @app.get("/boom")
    def boom() -> None:
        raise RuntimeError("Lucía Ortega")

    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/boom", headers={"X-Request-ID": "abc-1"})
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "abc-1"
    assert "Ortega" not in answer.text
    assert "Traceback" not in answer.text


def test_unknown_paths_and_methods_answer_in_the_same_shape(client: TestClient, issue: Issue) -> None:
    for answer in (
        client.get("/nope"),
        client.patch(DICTIONARY, headers=issue("platform")),
        client.post("/v1/compare", content=b"{", headers=issue("platform")),
        client.post("/v1/compare", json={"final_id": 3}, headers=issue("platform")),
    ):
        assert answer.status_code in (404, 405, 422)
        assert set(answer.json()) >= {"code", "message", "request_id"}


def test_the_blocklist_is_kept_by_admins(client: TestClient, issue: Issue, make_tenant: MakeTenant) -> None:
    make_tenant()
    admin, url = issue("admin"), "/v1/tenants/villaverde/blocklist"
    added = client.post(url, json={"term": "  Carmen   Villalobos "}, headers=admin).json()
    assert added["term"] == "Carmen Villalobos"
    client.post(url, json={"term": "Calle Mayor", "action": "allow", "kind": "street"}, headers=admin)
    assert len(client.get(url, headers=admin).json()["terms"]) == 2
    left = client.delete(f"{url}/{added['term_id']}", headers=admin).json()
    assert [term["term"] for term in left["terms"]] == ["Calle Mayor"]
    assert client.delete(f"{url}/{added['term_id']}", headers=admin).status_code == 404
    for bad in (
        {"term": "\x00\x00\x00"},
        {"term": "x"},
        {"term": "ab", "action": "no"},
        {"term": "\u202eab"},
    ):
        assert client.post(url, json=bad, headers=admin).status_code == 422


def test_writes_are_in_the_audit_log_without_names(
    client: TestClient, issue: Issue, draft: DraftFiles, platform: Platform
) -> None:
    admin = issue("admin")
    upload(client, admin, draft.final(NAME_FIX))
    entry = client.get(DICTIONARY, headers=admin).json()["entries"][0]
    client.delete(f"{DICTIONARY}/{entry['entry_id']}", headers=admin)
    client.post("/v1/tenants/villaverde/blocklist", json={"term": "Carmen Villalobos"}, headers=admin)
    with platform.database.session() as session:
        rows = audit_lines(session, "villaverde")
    actions = {row.action for row in rows}
    assert actions >= {"final.submit", "dictionary.remove", "blocklist.add", "draft.register"}
    assert all(row.request_id for row in rows if row.action != "draft.register")
    assert not any("Villalobos" in f"{row.target}{row.actor}" for row in rows)


def learned(platform: Platform) -> None:
    with platform.database.session() as session:
        run = trainings.start(session, "villaverde", through_seq=40, attempt=1, dagster_run_id="run-1")
        trainings.update(
            session,
            run.run_id,
            state="rejected",
            reason="=cmd|' /C calc'!A0",
            metrics={"examples": 40, "wer": {"base_wer": 0.12, "candidate_wer": 0.2, "champion_wer": 0.05}},
        )
        trainings.start(session, "villaverde", through_seq=80, attempt=1, dagster_run_id=None)


def test_the_learning_routes_tell_of_trainings(
    client: TestClient, issue: Issue, draft: DraftFiles, platform: Platform
) -> None:
    learned(platform)
    viewer, url = issue("viewer"), "/v1/tenants/villaverde/learning"
    upload(client, issue("editor"), draft.final(NAME_FIX))
    status = client.get(f"{url}/status", headers=viewer).json()
    assert (status["activity"], status["training_now"]) == ("queued", False), "no process is at it"
    assert status["dictionary_entries"] == 1
    assert status["champion"] is None
    runs = client.get(f"{url}/trainings", headers=viewer).json()["trainings"]
    ended = next(run for run in runs if run["state"] == "rejected")
    assert (ended["wer_before"], ended["wer_after"], ended["examples"]) == (0.05, 0.2, 40)
    whole = client.get(f"{url}/trainings/{ended['run_id']}", headers=viewer).json()
    assert {name: whole[name] for name in ended} == ended
    logs = client.get(f"{url}/trainings/{ended['run_id']}/logs", headers=viewer).json()
    assert logs["metrics"]["wer"]["candidate_wer"] == 0.2
    metrics = client.get(f"{url}/metrics", headers=viewer).json()
    assert (metrics["trainings"], metrics["rejected"]) == (2, 1)
    table = client.get(f"{url}/export.csv", headers=viewer)
    assert table.headers["content-type"].startswith("text/csv")
    assert len(table.text.splitlines()) == 3
    assert "'=cmd" in table.text
    assert client.get(f"{url}/trainings/unknown", headers=viewer).status_code == 404


def test_the_openapi_file_is_the_one_the_app_answers(app: FastAPI) -> None:
    stored = Path(__file__).parents[2] / "docs" / "openapi.json"
    assert json.loads(stored.read_text()) == app.openapi(), (
        "run: python -m astra_learn_assets.api.openapi > docs/openapi.json"
    )


def test_events_wait_for_redis_and_then_arrive_in_order_once(
    platform: Platform, api_platform: Platform, issue: Issue, draft: DraftFiles
) -> None:
    back = platform.redis
    listener = back.pubsub(ignore_subscribe_messages=True)
    listener.subscribe("DICTIONARY_UPDATED")
    api_platform.redis = redis.Redis(port=1, socket_connect_timeout=0.2)
    versions: list[int] = []
    with TestClient(create_app(platform=api_platform)) as client:
        headers = issue("editor")
        for right in ("Ortega", "Hortega", "Ortegha"):
            answer = upload(client, headers, draft.final({"Hortegga": right}))
            assert answer.status_code == 200
        assert client.get(DICTIONARY, headers=headers).json()["version"] == 3
        assert client.get("/readyz").json()["status"] == "degraded"
        api_platform.redis = back
        deadline = time.monotonic() + 10
        while len(versions) < 3 and time.monotonic() < deadline:
            message = listener.get_message(timeout=0.2)
            if message is not None:
                versions.append(json.loads(message["data"])["version"])
        time.sleep(1.2)  # one more tick of the relay
        assert listener.get_message(timeout=0.1) is None
    listener.close()
    assert versions == [1, 2, 3]


def test_two_thousand_entries_are_read_and_caught_up_with(
    client: TestClient, issue: Issue, make_tenant: MakeTenant, platform: Platform
) -> None:
    make_tenant()
    now = datetime.now(UTC)
    entries = [
        DictionaryEntry(
            wrong=f"Zubirolea{number}",
            right=f"Zubirolia{number}",
            kind="person",
            source_document="d",
            author="a",
            created_at=now,
        )
        for number in range(2_000)
    ]
    with platform.database.session() as session:
        dictionary.apply(session, "villaverde", entries)
    headers = issue("viewer")
    read = client.get(DICTIONARY, headers=headers).json()
    assert (read["version"], len(read["entries"])) == (1, 2_000)
    assert len({entry["entry_id"] for entry in read["entries"]}) == 2_000
    assert len(client.get(f"{DICTIONARY}/changes", headers=headers).json()["changes"]) == 2_000


def test_a_reader_that_was_away_long_catches_up_in_parts(
    client: TestClient, issue: Issue, draft: DraftFiles
) -> None:
    headers = issue("editor")
    upload(client, headers, draft.final(NAME_FIX))
    upload(client, headers, draft.final(NAME_FIX, {"Zubeldía": "Zubeldia"}))
    first = client.get(f"{DICTIONARY}/changes?since=0&limit=1", headers=headers).json()
    assert (first["version"], first["more"], len(first["changes"])) == (1, True, 1)
    rest = client.get(f"{DICTIONARY}/changes?since={first['version']}&limit=1", headers=headers).json()
    assert (rest["version"], rest["more"], len(rest["changes"])) == (2, False, 1)
    nothing = client.get(f"{DICTIONARY}/changes?since=2", headers=headers).json()
    assert (nothing["version"], nothing["more"], nothing["changes"]) == (2, False, [])
