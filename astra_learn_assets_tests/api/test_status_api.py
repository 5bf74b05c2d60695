"""The status API on a real Postgres: pages, a log that is followed live, quarantine, history, CSV."""

from __future__ import annotations

import csv
import io
import json
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from astra_learn_assets.ids import TenantId
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import dictionary, documents, examples, signs, trainings
from astra_learn_assets.store.tables import ExampleRow, TrainingRun
from astra_learn_assets_tests.api.conftest import Headers, Issue
from astra_learn_assets_tests.api.files import DOCX, NAME_FIX, TEXT_FIX, DraftFiles
from astra_learn_assets_tests.audit_lines import audit_lines
from astra_learn_assets_tests.browser.driver import served, until

TENANT = TenantId("villaverde")
API = "/v1/tenants/villaverde"
STATES = ("promoted", "rejected", "failed")


def history(platform: Platform, number: int) -> None:
    """So many ended trainings, an hour between them; two of each three were measured."""
    now = datetime.now(UTC)
    with platform.database.session() as session:
        session.execute(
            sa.insert(TrainingRun),
            [
                {
                    "run_id": f"villaverde-{one}-1", "tenant_id": TENANT, "attempt": 1, "through_seq": one,
                    "state": STATES[one % 3], "created_at": now - timedelta(hours=one),
                    "metrics": {} if one % 3 == 2 else
                    {"wer": {"candidate_wer": 0.01 * (one % 7), "champion_wer": 0.05}},
                }
                for one in range(1, number + 1)
            ],
        )  # fmt: skip


def upload(client: TestClient, headers: Headers, data: bytes) -> dict[str, Any]:
    answer = client.post(
        f"{API}/sessions/pleno-1/versions/1/final", content=data, headers={**headers, "Content-Type": DOCX}
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def kept_out(platform: Platform, document_id: str, *, diff: str | None = "d" * 64) -> None:
    with platform.database.session() as session:
        documents.record(
            session, TENANT, document_id=document_id, artifact_id=document_id, state="quarantined",
            reason="Demasiados cambios.", diff_sha256=diff, metrics={"wer": 0.6},
        )  # fmt: skip


# -- trainings, page by page --------------------------------------------------------------------------------


@pytest.mark.parametrize("sort", ["newest", "oldest", "best"])
def test_pages_lead_through_every_training_once_and_in_order(
    client: TestClient, issue: Issue, draft: DraftFiles, platform: Platform, sort: str
) -> None:
    history(platform, 23)
    key, seen, cursor = issue("viewer"), [], None
    while True:
        asked = {"limit": 4, "sort": sort, **({"cursor": cursor} if cursor else {})}
        answer = client.get(f"{API}/learning/trainings", params=asked, headers=key).json()
        assert len(answer["trainings"]) <= 4
        seen += answer["trainings"]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    ids = [one["run_id"] for one in seen]
    assert len(ids) == len(set(ids)) == (15 if sort == "best" else 23), "best: those that were measured"
    value = "wer_after" if sort == "best" else "created_at"
    values = [one[value] for one in seen]
    assert values == sorted(values, reverse=sort == "newest")


def test_a_page_is_of_the_states_that_are_asked_for(
    client: TestClient, issue: Issue, draft: DraftFiles, platform: Platform
) -> None:
    history(platform, 9)
    url, key = f"{API}/learning/trainings", issue("viewer")
    asked = client.get(url, params={"state": ["promoted", "failed"]}, headers=key).json()["trainings"]
    assert Counter(one["state"] for one in asked) == {"promoted": 3, "failed": 3}
    assert client.get(url, params={"state": "asleep"}, headers=key).status_code == 422


def test_what_comes_in_while_somebody_pages_shifts_nothing(
    client: TestClient, issue: Issue, draft: DraftFiles, platform: Platform
) -> None:
    history(platform, 6)
    url, key = f"{API}/learning/trainings", issue("viewer")
    first = client.get(url, params={"limit": 3}, headers=key).json()
    with platform.database.session() as session:
        trainings.start(session, TENANT, through_seq=99, attempt=1, dagster_run_id=None)
    rest = client.get(url, params={"limit": 50, "cursor": first["next_cursor"]}, headers=key).json()
    assert [one["run_id"] for one in (*first["trainings"], *rest["trainings"])] == [
        f"villaverde-{one}-1" for one in range(1, 7)
    ]


@pytest.mark.parametrize(
    "cursor", ["x", "W10", "WyJ0cmFpbmluZ3M6bmV3ZXN0IiwgIngiLCAieSJd", "é", "A" * 1_999, "W251bGxd"]
)
def test_a_cursor_that_is_not_ours_is_refused_in_spanish(
    client: TestClient, issue: Issue, draft: DraftFiles, platform: Platform, cursor: str
) -> None:
    for path in ("learning/trainings", "quarantine", "dictionary/history"):
        answer = client.get(f"{API}/{path}", params={"cursor": cursor}, headers=issue("viewer"))
        assert answer.status_code == 422, path
        assert "no es de esta lista" in answer.json()["message"]


def test_a_cursor_of_one_sorting_is_none_of_another(
    client: TestClient, issue: Issue, draft: DraftFiles, platform: Platform
) -> None:
    history(platform, 5)
    url, key = f"{API}/learning/trainings", issue("viewer")
    cursor = client.get(url, params={"limit": 2}, headers=key).json()["next_cursor"]
    assert client.get(url, params={"cursor": cursor, "sort": "best"}, headers=key).status_code == 422


def test_one_training_is_told_in_full(client: TestClient, issue: Issue, platform: Platform) -> None:
    from astra_learn_assets_tests.browser import council

    town = council.build(platform)
    found = client.get(f"{API}/learning/trainings/{town.promoted}", headers=issue("viewer")).json()
    assert found["hyperparameters"] == {"lora_rank": 16, "learning_rate": 0.001, "epochs": 4}
    assert found["files"].keys() == {"adapter_model.safetensors"}
    against = {(one["against"], one["measure"]): one for one in found["differences"]}
    champion = against["champion", "wer"]
    assert champion["low"] < champion["points"] < champion["high"] < 0
    assert found["rates"]["draft"] == {"wer": 0.132, "cer": 0.044}
    (verdict,) = found["verdicts"]
    assert (verdict["gate"], verdict["passed"], verdict["outcome"]) == ("wer_gate", True, "promote")
    assert verdict["reason_es"].startswith("Entra en servicio")
    assert found["explanation"] == verdict["reason_es"]
    assert found["links"]["verdict"].endswith(f"/panel/villaverde/verdicts/{found['report_digest']}")


# -- the state now ------------------------------------------------------------------------------------------


def test_the_status_says_what_waits_why_and_when_it_may_begin(
    client: TestClient, issue: Issue, draft: DraftFiles, platform: Platform
) -> None:
    url, key = f"{API}/learning/status", issue("viewer")
    nothing = client.get(url, headers=key).json()["decision"]
    assert (nothing["code"], nothing["next_possible"]) == ("nothing_pending", None)
    assert nothing["reason_es"] == "No hay correcciones nuevas desde el último entrenamiento."
    long_ago = datetime.now(UTC) - timedelta(days=3)
    with platform.database.session() as session:
        rows = [
            {"tenant_id": TENANT, "example_id": f"{one:064x}", "document_id": "d", "route": 1,
             "created_at": long_ago} for one in range(platform.settings.train_minimum)
        ]  # fmt: skip
        session.execute(sa.insert(ExampleRow), rows)
    some = client.get(url, headers=key).json()
    assert some["decision"]["code"] == "below_threshold"
    assert some["decision"]["reason_es"].startswith(f"Hay {platform.settings.train_minimum} de ")
    due = datetime.fromisoformat(some["decision"]["next_possible"])
    old_enough = long_ago + timedelta(hours=platform.settings.train_max_age_hours)
    assert abs(due - max(old_enough, datetime.now(UTC))) < timedelta(minutes=2)
    assert (some["decision"]["weekly_quota"], some["decision"]["gpu_minutes_this_month"]) == (7, 0.0)


def test_an_upload_is_seen_before_anything_has_prepared_it(
    client: TestClient, issue: Issue, draft: DraftFiles
) -> None:
    summary = upload(client, issue("editor"), draft.final(NAME_FIX, TEXT_FIX))
    key = issue("viewer")
    assert client.get(f"{API}/learning/status", headers=key).json()["finals_received"] == 1
    (seen,) = client.get(f"{API}/learning/uploads", headers=key).json()["uploads"]
    assert (seen["document_id"], seen["state"]) == (summary["artifact_id"], "received")
    assert (seen["live"], seen["waiting"]) == (1, summary["pairs_waiting"])
    assert 0 < seen["live_seconds"] < 60
    assert seen["corrections"] == seen["live"] + seen["waiting"] + seen["unconfirmed"] + seen["left_out"]


def test_the_counts_that_triggers_keep_are_the_counts(platform: Platform, draft: DraftFiles) -> None:
    new = [
        examples.NewExample(f"{one:064x}", f"d{one % 2}", 1 + one % 3, one % 5 == 0, one % 4 != 0, None)
        for one in range(40)
    ]
    with platform.database.session() as session:
        examples.add(session, TENANT, new)
        examples.add(session, TENANT, new)
        examples.exclude(session, TENANT, [one.example_id for one in new[:9]], "changed")
        session.execute(sa.delete(ExampleRow).where(ExampleRow.example_id == new[20].example_id))
        session.execute(sa.update(ExampleRow).values(golden=False).where(ExampleRow.document_id == "d1"))
    with platform.database.session() as session:
        rows = session.scalars(sa.select(ExampleRow)).all()
        kinds = Counter(
            "excluded" if not row.usable else "golden" if row.golden else "usable" for row in rows
        )
        found = examples.counts(session, TENANT)
        assert {name: found[name] for name in ("usable", "golden", "excluded")} == dict(kinds)
        assert found["total"] == len(rows) == 39
        assert sum(found[f"route_{route}"] for route in (1, 2, 3)) == found["usable"]


def test_figures_over_time_keep_documents_that_are_kept_out_from_the_rate(
    client: TestClient, issue: Issue, draft: DraftFiles, platform: Platform
) -> None:
    history(platform, 6)
    editor = issue("editor")
    one = upload(client, editor, draft.final(NAME_FIX))["artifact_id"]
    other = upload(client, editor, draft.final(TEXT_FIX))["artifact_id"]
    with platform.database.session() as session:
        documents.record(
            session, TENANT, document_id=one, artifact_id=one, state="compared",
            metrics={"wer": 0.02, "examples": 6},
        )  # fmt: skip
    kept_out(platform, other)
    found = client.get(f"{API}/learning/metrics", headers=issue("viewer")).json()
    month = found["months"][-1]
    assert (month["documents"], month["quarantined"], month["corrections"]) == (2, 1, 6)
    assert (month["corrected"], month["accepted"]) == (0.02, 0.98), "0.6 is another text"
    assert month["corrected_low"] is None, "one document has no interval"
    assert month["hotfixes"] == 1
    assert (found["promoted"], found["rejected"], found["failed"]) == (2, 2, 2)
    assert found["acceptance"] == 0.5
    assert [point["promoted"] for point in found["points"]].count(True) == 2


# -- the log, live ------------------------------------------------------------------------------------------


def running(platform: Platform) -> str:
    with platform.database.session() as session:
        row = trainings.start(session, TENANT, through_seq=7, attempt=1, dagster_run_id="r")
        trainings.update(session, row.run_id, state="training")
        run_id: str = row.run_id
    say(platform, run_id, 1)
    return run_id


def say(platform: Platform, run_id: str, step: int) -> None:
    with platform.database.session() as session:
        signs.sign(session, run_id, TENANT, phase="training", step=step, steps=9, eta_seconds=9.0 - step)
        signs.add_lines(session, run_id, TENANT, [{"step": step, "steps": 9, "loss": 1.0 / step}])


def events(lines: list[str]) -> list[tuple[str, Any]]:
    names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    data = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    return list(zip(names, data, strict=True))


def test_a_training_is_followed_while_it_runs_and_its_log_stays(
    app: FastAPI, issue: Issue, draft: DraftFiles, platform: Platform
) -> None:
    run_id, key = running(platform), {**issue("viewer"), "Accept": "text/event-stream"}
    heard: list[str] = []

    def listen(address: str) -> None:
        url = f"{address}{API}/learning/trainings/{run_id}/logs"
        with httpx.stream("GET", url, headers=key, timeout=60) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            heard.extend(answer.iter_lines())

    with served(app) as address:
        thread = threading.Thread(target=listen, args=(address,))
        thread.start()
        until(lambda: any(name == "line" for name, _ in events(heard)))
        say(platform, run_id, 2)
        until(lambda: sum(name == "line" for name, _ in events(heard)) == 2)
        with platform.database.session() as session:
            trainings.update(session, run_id, state="rejected", reason="no better")
        thread.join(timeout=30)
        assert not thread.is_alive()
        stored = httpx.get(
            f"{address}{API}/learning/trainings/{run_id}/logs", headers={**key, "Accept": "*/*"}
        ).json()
    told = events(heard)
    assert [datum["step"] for name, datum in told if name == "line"] == [1, 2]
    shares = [datum["progress"]["share"] for name, datum in told if name == "state" and datum["progress"]]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(2 / 9)
    assert told[-1][0] == "end"
    assert told[-1][1]["state"] == "rejected"
    assert [line["step"] for line in stored["lines"]] == [1, 2]
    assert stored["ended"]


def test_who_was_cut_off_goes_on_behind_the_last_step_he_heard(
    client: TestClient, issue: Issue, draft: DraftFiles, platform: Platform
) -> None:
    run_id = running(platform)
    for step in (2, 3, 4):
        say(platform, run_id, step)
    with platform.database.session() as session:
        trainings.update(session, run_id, state="promoted")
    headers = {**issue("viewer"), "Accept": "text/event-stream", "Last-Event-ID": "2"}
    answer = client.get(f"{API}/learning/trainings/{run_id}/logs", headers=headers)
    told = events(answer.text.splitlines())
    assert [datum["step"] for name, datum in told if name == "line"] == [3, 4]
    assert told[-1][0] == "end"


def test_a_run_that_never_ends_holds_no_connection_and_fills_no_table(platform: Platform) -> None:
    import asyncio

    from astra_learn_assets.api import streaming
    from astra_learn_assets.learning.training_history import Moment

    given_back: list[bool] = []
    endless = Moment(state="training", progress=None, lines=(), ended=False)

    async def listen() -> list[str]:
        stream = streaming.follow(
            lambda _: endless, after=-1, done=lambda: given_back.append(True), look=0.01, longest=0.2
        )
        return [piece async for piece in stream]

    told = asyncio.run(listen())
    assert "event: again" in told[-1]
    assert given_back == [True]
    assert not signs._is_kept(100 * signs.LINES + 1, 0), "steps without an end"
    kept = sum(signs._is_kept(step, 50_000) for step in range(1, 50_001))
    assert signs.LINES - 1 <= kept <= signs.LINES + 2


def test_a_key_follows_a_few_trainings_at_once_and_no_more(app: FastAPI) -> None:
    from astra_learn_assets.api.limits import TooManyRequests

    places = app.state.astra.followers
    back = [places.take("key-1") for _ in range(places.each)]
    with pytest.raises(TooManyRequests):
        places.take("key-1")
    back[0]()
    back[0]()
    places.take("key-1")
    with pytest.raises(TooManyRequests):
        places.take("key-1")


# -- quarantine and history ---------------------------------------------------------------------------------


def test_an_administrator_releases_and_drops_and_it_is_written_down(
    client: TestClient, issue: Issue, draft: DraftFiles, platform: Platform
) -> None:
    editor, admin = issue("editor"), issue("admin")
    ids = [upload(client, editor, draft.final(change))["artifact_id"] for change in (NAME_FIX, TEXT_FIX)]
    for document_id in ids:
        kept_out(platform, document_id)
    url = f"{API}/quarantine"
    found = client.get(url, headers=editor).json()["documents"]
    assert {one["document_id"] for one in found} == set(ids)
    assert found[0]["reason"] == "Demasiados cambios."
    assert client.post(f"{url}/{ids[0]}/release", headers=editor).status_code == 403
    assert client.post(f"{url}/{ids[0]}/release", headers=admin).json()["review"] == "released"
    assert client.post(f"{url}/{ids[1]}/drop", headers=admin).json()["review"] == "dropped"
    assert client.post(f"{url}/{ids[0]}/release", headers=admin).status_code == 409, "it is released"
    assert client.get(url, headers=editor).json()["documents"] == []
    (dropped,) = client.get(url, params={"dropped": True}, headers=editor).json()["documents"]
    assert dropped["reviewed_by"].startswith("admin (key-")
    with platform.database.session() as session:
        assert documents.get(session, TENANT, ids[0]).state == "compared"
        lines = [row for row in audit_lines(session, "villaverde") if row.action.startswith("quarantine.")]
    assert [(row.action, row.target) for row in lines] == [
        ("quarantine.drop", ids[1]), ("quarantine.release", ids[0])
    ]  # fmt: skip
    assert all(row.request_id for row in lines)


def test_what_was_never_compared_cannot_be_released(
    client: TestClient, issue: Issue, draft: DraftFiles, platform: Platform
) -> None:
    document_id = upload(client, issue("editor"), draft.final(NAME_FIX))["artifact_id"]
    kept_out(platform, document_id, diff=None)
    admin = issue("admin")
    assert client.get(f"{API}/quarantine/{document_id}", headers=admin).json()["comparable"] is False
    assert client.post(f"{API}/quarantine/{document_id}/release", headers=admin).status_code == 409


def test_the_history_of_the_dictionary_says_who_put_in_and_who_took_out(
    client: TestClient, issue: Issue, draft: DraftFiles
) -> None:
    editor = issue("editor")
    upload(client, editor, draft.final(NAME_FIX))
    entry = client.get(f"{API}/dictionary", headers=editor).json()["entries"][0]
    client.delete(f"{API}/dictionary/{entry['entry_id']}", headers=issue("admin"))
    first = client.get(f"{API}/dictionary/history", params={"limit": 1}, headers=editor).json()
    (removed,) = first["changes"]
    assert (removed["action"], removed["wrong"], removed["right"], removed["before"]) == (
        "removed", "Hortegga", None, "Ortega",
    )  # fmt: skip
    assert removed["author"].startswith("admin (key-")
    rest = client.get(
        f"{API}/dictionary/history", params={"cursor": first["next_cursor"]}, headers=editor
    ).json()
    (added,) = rest["changes"]
    assert (added["action"], added["right"], rest["next_cursor"]) == ("added", "Ortega", None)


# -- CSV ----------------------------------------------------------------------------------------------------

HOSTILE = '=HYPERLINK("http://x")\n+1;=2'


def test_every_table_is_a_csv_without_a_formula(
    client: TestClient, issue: Issue, draft: DraftFiles, platform: Platform
) -> None:
    from astra_learn_assets.contracts import DictionaryEntry
    from astra_learn_assets.learning.exports import NAMES

    document_id = upload(client, issue("editor"), draft.final(NAME_FIX))["artifact_id"]
    history(platform, 3)
    with platform.database.session() as session:
        documents.record(
            session, TENANT, document_id=document_id, artifact_id=document_id, state="quarantined",
            reason=HOSTILE,
        )  # fmt: skip
        trainings.update(session, "villaverde-1-1", reason=HOSTILE)
        entry = DictionaryEntry(
            wrong="@SUM(A1)", right="-Peña", kind="person", source_document="d", author="=cmd",
            created_at=datetime.now(UTC),
        )  # fmt: skip
        dictionary.apply(session, TENANT, [entry])
    key = issue("viewer")
    for name in NAMES:
        answer = client.get(f"{API}/exports/{name}.csv", params={"bom": True}, headers=key)
        assert answer.status_code == 200, name
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.content.startswith(b"\xef\xbb\xbf"), name
        rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        assert {len(row) for row in rows} == {len(rows[0])}, name
        assert len(rows) > 1, name
        for cell in [cell for row in rows for cell in row]:
            if not _is_number(cell):
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), (name, cell)
                assert ";=" not in cell
    plain = client.get(f"{API}/exports/dictionary.csv", headers=key)
    assert not plain.content.startswith(b"\xef\xbb\xbf")
    assert "'@SUM(A1)" in plain.text
    assert "'-Peña" in plain.text
    with platform.database.session() as session:
        taken = [row.target for row in audit_lines(session, "villaverde") if row.action == "export.csv"]
    assert taken[::-1] == [*NAMES, "dictionary"], "newest first"


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_a_long_table_is_whole(
    client: TestClient, issue: Issue, draft: DraftFiles, platform: Platform
) -> None:
    history(platform, 2_350)
    text = client.get(f"{API}/exports/trainings.csv", headers=issue("viewer")).text
    assert len({row[0] for row in csv.reader(io.StringIO(text))}) == 2_351


def test_what_is_kept_and_masked_is_counted(client: TestClient, issue: Issue, platform: Platform) -> None:
    from astra_learn_assets_tests.browser import council

    council.build(platform)
    found = client.get(f"{API}/privacy", headers=issue("viewer")).json()
    assert found["scans"]["masked"] == {"PERSONA": 244, "TELEFONO": 12, "DIRECCION": 28}
    assert found["scans"]["found_after_masking"] == {"PERSONA": 1}
    assert (found["scans"]["counted"], found["scans"]["refused"]) == (4, 1)
    assert found["quarantine"] == {"waiting": 1, "dropped": 0}
    assert (found["held"]["drafts"], found["held"]["blocklist"], found["examples"]["total"]) == (3, 2, 312)


def test_a_training_that_writes_a_log_has_it_kept_line_by_line(tmp_path: Any) -> None:
    from astra_learn_assets.learning.training import progress

    log = tmp_path / "train_log.jsonl"
    assert progress.lines_of(log, 0) == ([], 0)
    log.write_text('{"step": 1, "steps": 3, "loss": 2.5, "gradient_norm": null}\nnot json\n{"step": 2, "st')
    first, read = progress.lines_of(log, 0)
    assert first == [{"step": 1, "steps": 3, "loss": 2.5}]
    with log.open("a") as file:
        file.write('eps": 3, "loss": NaN}\n')
    time.sleep(0)
    assert progress.lines_of(log, read)[0] == [{"step": 2, "steps": 3}]
