"""No name and no text in any log, whatever goes wrong; a request id on every line about a request.

The API runs as it does in production, so the log is everything: its own lines, the server's, the workers'.
"""

from __future__ import annotations

import io
import json
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx

from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import outbox
from astra_learn_assets_tests.api.conftest import Issue
from astra_learn_assets_tests.api.files import DOCX, NAME_FIX, TEXT_FIX, DraftFiles, make_draft, zip_bomb
from astra_learn_assets_tests.api.processes import api_process, wait_until
from astra_learn_assets_tests.conftest import MakeTenant

NAMES = (
    "Hortegga",
    "Ortega",
    "Zubeld",
    "Villalobos",
    "Luc\\u00eda",
    "Lucía",
    "Lucia",
    "pliego",
    "Pleno aprueba",
)
SECRETS = ("Bearer", "astra_", "password")
OF_NO_REQUEST = {"outbox waits", "outbox flows again"}


def named_zip() -> bytes:
    """A ZIP whose entries are called like people."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        target.writestr("../Lucia Ortega.xml", "Carmen Villalobos")
    return out.getvalue()


def broken_xml(files: DraftFiles) -> bytes:
    """A DOCX whose document breaks off in the middle of a name."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(files.docx)) as source, zipfile.ZipFile(out, "w") as target:
        for item in source.infolist():
            content = source.read(item)
            if item.filename == "word/document.xml":
                content = content[: content.index(b"Hortegga") + 4] + b"&Villalobos;<"
            target.writestr(item.filename, content)
    return out.getvalue()


def misbehave(client: httpx.Client, files: DraftFiles) -> set[int]:
    """Names through every door there is; the statuses that came back."""
    town = "/v1/tenants/villaverde"
    place = f"{town}/sessions/pleno-1/versions/1"
    docx = {"Content-Type": DOCX}
    bad_manifest = json.dumps({**json.loads(files.manifest), "document_id": "Lucía Ortega"}).encode()
    draft = ("Lucía Ortega.docx", files.docx)
    answers = [
        client.post(f"{place}/final", content=files.final(NAME_FIX, TEXT_FIX), headers=docx),
        client.post(f"{place}/final", files={"file": ("Carmen Villalobos.docx", files.final(NAME_FIX))}),
        client.post(f"{place}/final?generated_id=Lucía", content=files.docx, headers=docx),
        client.post(f"{place}/final?generated_id=Hortegga", content=files.docx, headers=docx),
        *(
            client.post(f"{place}/final", content=data, headers=docx)
            for data in (b"Lucia Ortega", named_zip(), broken_xml(files), zip_bomb(), b"")
        ),
        client.post(f"{place}/final", files={"Lucía Ortega": ("x", b"Villalobos")}),
        client.post(
            f"{place}/final",
            content=b'--b\r\nContent-Disposition: form-data; name="Hortegga"',
            headers={"Content-Type": "multipart/form-data; boundary=b"},
        ),
        client.post(f"{town}/sessions/Villalobos/versions/9/final", content=files.docx, headers=docx),
        client.put(f"{place}/draft", files={"docx": draft, "manifest": ("Ortega.json", bad_manifest)}),
        client.put(f"{place}/draft", files={"docx": draft, "manifest": ("m", b"{Lucia Ortega")}),
        client.put(place, json={"roster": ["Lucía Ortega", "Carmen Villalobos"]}),
        client.put(place, json={"roster": "Lucía Ortega", "Carmen Villalobos": 1}),
        client.get(f"{town}/dictionary"),
        client.get(f"{town}/dictionary/changes?since=Ortega"),
        client.get("/v1/tenants/lucia-ortega-Villalobos/dictionary"),
        client.get("/v1/tenants/Lucía Ortega/dictionary"),
        client.delete(f"{town}/dictionary/Hortegga"),
        client.post(f"{town}/blocklist", json={"term": "Carmen Villalobos"}),
        client.post(f"{town}/blocklist", json={"term": "Carmen Villalobos", "kind": "Lucía"}),
        client.post("/v1/compare", json={"generated_id": "Hortegga", "final_id": "Ortega"}),
        client.post("/v1/compare", content=b'{"Lucia Ortega"'),
        client.patch(f"{town}/dictionary?who=Hortegga"),
        client.get("/Carmen/Villalobos?q=Hortegga"),
        client.get(f"{town}/dictionary", headers={"Authorization": "Bearer astra_Hortegga"}),
        client.get(f"{town}/dictionary", headers={"X-Request-ID": "Lucia Ortega"}),
        client.get("/panel/villaverde"),
        client.post("/panel/villaverde", data={"key": "Carmen Villalobos"}),
    ]
    return {answer.status_code for answer in answers}


def test_no_log_line_of_the_running_service_holds_a_name(
    platform: Platform, settings: Settings, issue: Issue, draft: DraftFiles, tmp_path: Path
) -> None:
    with (
        api_process(settings, tmp_path) as api,
        httpx.Client(base_url=api.url, headers=issue("admin"), timeout=60) as client,
    ):
        statuses = misbehave(client, draft)
        stored = next((tmp_path / "home" / "objects" / "sessions").rglob("draft.json"))
        stored.write_bytes(b"{Carmen Villalobos")  # an object store that gives back something else
        other = draft.final({"Ramiro Zubeldía": "Ramiro Zubeldia"})
        place = "/v1/tenants/villaverde/sessions/pleno-1/versions/1/final"
        statuses.add(client.post(place, content=other, headers={"Content-Type": DOCX}).status_code)
    assert statuses >= {200, 401, 404, 405, 409, 422}
    log = api.log.read_text()
    assert [word for word in (*NAMES, *SECRETS) if word in log] == []
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert len(lines) > 25
    assert [line for line in lines if not line.get("request_id") and line["event"] not in OF_NO_REQUEST] == []
    assert "Traceback" not in log


def test_an_answer_of_5xx_is_logged_with_its_request_id_and_without_its_cause(
    issue: Issue, make_tenant: MakeTenant, settings: Settings, tmp_path: Path
) -> None:
    make_tenant()
    headers = issue("editor")
    away = settings.model_copy(update={"api_database_url": "postgresql://Hortegga:secreto@127.0.0.1:1/none"})
    with api_process(away, tmp_path) as api:
        answer = httpx.get(
            f"{api.url}/v1/tenants/villaverde/dictionary", headers={**headers, "X-Request-ID": "r-1"}
        )
    assert answer.status_code == 503
    log = api.log.read_text()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    about = [line for line in lines if line.get("request_id") == "r-1"]
    assert {line["event"] for line in about} == {"refused", "request"}
    assert "secreto" not in log


def test_a_comparison_worker_that_crashes_tells_the_place_and_not_the_text() -> None:
    program = (
        "import sys; from astra_learn_assets.hotpath import comparison_process as comparison\n"
        "def crash(job): raise ValueError('Carmen Villalobos')\n"
        "comparison.answer = crash\n"
        "comparison.serve(3_000_000_000)\n"
    )
    job = io.BytesIO()
    from astra_learn_assets.hotpath.comparison_process import send

    send(job, make_draft())
    ended = subprocess.run(
        [sys.executable, "-c", program], input=job.getvalue(), capture_output=True, check=False
    )
    assert ended.returncode == 1
    assert b"Villalobos" not in ended.stderr
    assert json.loads(ended.stderr)["error"] == "ValueError"


def test_an_upload_cut_off_in_the_middle_leaves_nothing_and_the_next_one_works(
    platform: Platform, settings: Settings, issue: Issue, draft: DraftFiles, tmp_path: Path
) -> None:
    key, final = issue("editor")["Authorization"], draft.final(NAME_FIX)
    place = "/v1/tenants/villaverde/sessions/pleno-1/versions/1/final"
    with api_process(settings, tmp_path) as api:
        head = (
            f"POST {place} HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\nX-Request-ID: cut\r\n"
            f"Content-Type: {DOCX}\r\nContent-Length: {len(final)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", httpx.URL(api.url).port or 0), timeout=10) as line:
            line.sendall(head.encode() + final[: len(final) // 2])
        assert wait_until(lambda: '"request_id": "cut"' in api.log.read_text())
        before = platform.objects.list("sessions/villaverde")
        assert not [key for key in before if "final" in key]
        with platform.database.session() as session:
            assert outbox.backlog(session) == 0
        answer = httpx.post(
            f"{api.url}{place}", content=final, headers={"Authorization": key, "Content-Type": DOCX}
        )
    assert answer.status_code == 200
    assert answer.json()["already_received"] is False
    line_of_it = next(text for text in api.log.read_text().splitlines() if '"cut"' in text)
    assert json.loads(line_of_it)["status"] == 400
