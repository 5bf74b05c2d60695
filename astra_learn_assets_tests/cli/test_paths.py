"""The Builder's and the clerk's way on the command line; what goes wrong is a sentence that says where."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from astra_learn_assets.api.app import create_app
from astra_learn_assets.cli import app, remote
from astra_learn_assets.ids import TenantId
from astra_learn_assets.platform import Platform
from astra_learn_assets.services.embedded import export_env
from astra_learn_assets.settings import REPOSITORY, get_settings
from astra_learn_assets.store import api_keys, erasure
from astra_learn_assets_tests.api.files import NAME_FIX, TEXT_FIX, make_draft
from astra_learn_assets_tests.conftest import MakeTenant

TENANT = TenantId("villaverde")


@pytest.fixture
def here(
    platform: Platform, make_tenant: MakeTenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A folder with a draft, its manifest and its final; the process's settings are the test's."""
    make_tenant()
    for name, value in export_env(platform.settings).items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    files = make_draft()
    (tmp_path / "draft.docx").write_bytes(files.docx)
    (tmp_path / "draft.json").write_bytes(files.manifest)
    (tmp_path / "final.docx").write_bytes(files.final(NAME_FIX, TEXT_FIX))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    get_settings.cache_clear()


def astra(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(one) for one in arguments])


def _json(*arguments: object) -> Any:
    return json.loads(astra(*arguments, "-o", "json").stdout)


def _manifest(here: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((here / "draft.json").read_text(encoding="utf-8"))
    return found


def _write(here: Path, content: Any) -> Path:
    path = here / "other.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_from_a_draft_to_live_names_on_the_command_line(here: Path) -> None:
    checked = _json("draft", "check", "draft.json", "--docx", "draft.docx")
    assert checked["faults"] == []
    assert checked["paragraphs with a chunk"] == checked["chunks"] > 0
    place = _manifest(here)
    register = ("draft", "register", "draft.docx", "draft.json", "--tenant", TENANT)
    made = _json(*register, "--roster", "Lucía Ortega")
    assert (made["session_id"], made["version"]) == (place["session_id"], place["version"])
    assert _json(*register) == made, "nothing twice"
    summary = _json("submit", "final.docx", "--tenant", TENANT, "--manifest", "draft.json")
    assert summary["base_id"] == made["artifact_id"]
    assert summary["entities_live"]
    again = _json("submit", "final.docx", "--tenant", TENANT, "--session", place["session_id"])
    assert again["already_received"] is True


def test_the_same_way_through_the_api(
    here: Path, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    with platform.database.session() as session:
        _, key = api_keys.issue(session, tenant_id=None, role="platform", label="builder")
    with TestClient(create_app(platform.settings)) as client:

        def through(method: str, url: str, **sent: Any) -> Any:
            sent.pop("timeout")
            return client.request(method, url.removeprefix("http://api.example"), **sent)

        monkeypatch.setattr("httpx.request", through)
        sending = ("--tenant", TENANT, "--url", "http://api.example/")
        refused = astra("draft", "register", "draft.docx", "draft.json", *sending)
        assert refused.exit_code == 1
        assert "--url needs a key" in refused.stderr
        sending = (*sending, "--key", key)
        made = _json(
            "draft", "register", "draft.docx", "draft.json", *sending, "--roster", "Lucía Ortega Prado"
        )
        summary = _json("submit", "final.docx", "--manifest", "draft.json", *sending)
        assert summary["base_id"] == made["artifact_id"]
        manifest = _manifest(here)
        other = _write(here, {**manifest, "document_id": "another"})
        wrong = _json("draft", "register", "draft.docx", other, *sending)
        assert wrong["error"]["code"] == "bad_manifest"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 0}, ["manifest: version: "]),
        ({"version": "two"}, ["manifest: version: "]),
        ({"sesion_id": "x"}, ["manifest: sesion_id: Extra inputs are not permitted"]),
        ({"document_id": None}, ["manifest: document_id: "]),
        (
            {"chunks": [{"chunk_id": "a", "start_ms": -1, "end_ms": 2}, {"chunk_id": "b", "start_ms": 1}]},
            ["manifest: chunks.0.start_ms: ", "manifest: chunks.1.end_ms: Field required"],
        ),
        (
            {"chunks": [{"chunk_id": "a", "start_ms": n, "end_ms": 2} for n in (5, 0)]},
            ["chunk id 'a' occurs more than once", "manifest: chunks.0: end_ms is before start_ms"],
        ),
        ({"chunks": [{"chunk_id": "", "start_ms": 0, "end_ms": 2}]}, ["chunks.0.chunk_id: use 1 to 64"]),
    ],
)  # fmt: skip
def test_every_field_of_a_manifest_that_is_wrong_is_named(
    here: Path, change: dict[str, Any], said: list[str]
) -> None:
    answer = astra("draft", "check", _write(here, {**_manifest(here), **change}))
    assert answer.exit_code == 1
    for sentence in said:
        assert sentence in answer.stderr
    assert "Traceback" not in answer.stderr
    assert "pydantic" not in answer.stderr
    assert len(_json("draft", "check", "other.json")["faults"]) == len(said)


@pytest.mark.parametrize("content", ["", "[]", "{", "null", '{"a": 1}', "\x00"])
def test_what_is_no_manifest_at_all_is_one_sentence(here: Path, content: str) -> None:
    answer = astra("draft", "check", _write(here, content))
    assert answer.exit_code == 1
    assert answer.stderr.startswith("error: manifest: ")


def test_a_manifest_of_another_draft_is_told_by_its_document_id_and_missing_chunks(here: Path) -> None:
    manifest = _manifest(here)
    other = _write(here, {**manifest, "document_id": "another", "chunks": manifest["chunks"][1:]})
    found = _json("draft", "check", other, "--docx", "draft.docx")["faults"]
    assert len(found) == 2
    assert found[0].startswith("manifest: document_id is 'another', the draft's own is ")
    assert "1 that the draft carries are missing" in found[1]


def test_a_final_without_a_session_is_asked_for_one(here: Path) -> None:
    answer = astra("submit", "final.docx", "--tenant", TENANT)
    assert answer.exit_code == 1
    assert "--session, or --manifest" in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tenant", "add", "otra", "--tier", "gold"), "tier"),
        (("tenant", "allow", "villaverde", "--tier", "gold"), "tier"),
        (("tenant", "explain", "nowhere"), "no tenant 'nowhere'"),
        (("status", "--tenant", "nowhere"), "no tenant 'nowhere'"),
        (("quarantine", "list", "nowhere"), "no tenant 'nowhere'"),
        (("golden", "list", "nowhere"), "no tenant 'nowhere'"),
        (("examples", "nowhere"), "no tenant 'nowhere'"),
        (("blocklist", "list", "nowhere"), "no tenant 'nowhere'"),
        (("notice", "list", "nowhere"), "no tenant 'nowhere'"),
        (("rollback", "nowhere"), "no tenant 'nowhere'"),
        (("submit", "final.docx", "--tenant", "nowhere", "--session", "s"), "no tenant 'nowhere'"),
        (("draft", "register", "draft.docx", "draft.json", "--tenant", "nowhere"), "no tenant 'nowhere'"),
        (("tenant", "pause", "nowhere", "why"), "no tenant 'nowhere'"),
        (("status", "--tenant", "../etc"), "invalid tenant id"),
        (("exec", "--", "dagster", "asset", "materialize", "--partition", "nowhere"), "no tenant 'nowhere'"),
        (("exec", "--", "dagster", "asset", "materialize", "--partition=a/b"), "invalid tenant id"),
    ],
)
def test_an_unknown_tier_or_municipality_is_one_sentence(
    here: Path, arguments: tuple[str, ...], said: str
) -> None:
    answer = astra(*arguments)
    assert answer.exit_code == 1, answer.output
    assert said in answer.stderr
    assert answer.stderr.startswith("error: ")
    assert answer.stderr.count("\n") == 1, "one sentence"


def test_an_erased_municipality_is_marked_wherever_it_is_listed(here: Path, platform: Platform) -> None:
    with platform.database.session() as session:
        erasure.erase_rows(session, TENANT, actor="test")
    assert _json("tenant", "list")[0]["state"] == "erased"
    assert astra("tenant", "list").stdout.splitlines()[1].split("\t")[-1] == "erased"
    assert "erased" in astra("status").stdout
    assert "was erased" in astra("status", "--tenant", TENANT).stdout
    told = astra("exec", "--", "dagster", "asset", "materialize", "--partition", TENANT)
    assert "is erased: nothing of it can be materialized" in told.stderr


def test_a_municipality_that_is_no_partition_yet_is_a_sentence_and_no_traceback(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    what = ("-m", "astra_learn_assets.definitions", "--select", "document_diffs", "--partition", TENANT)
    code = "import sys; from astra_learn_assets.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "exec", "--", "dagster", "asset", "materialize", *what],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "error: villaverde is no partition of Dagster's yet" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr


def test_a_broken_line_of_an_imported_file_is_named(here: Path) -> None:
    (here / "terms.txt").write_text("# nombres\nPedro Sánchez\n\nx\n", encoding="utf-8")
    answer = astra("blocklist", "import", TENANT, "terms.txt")
    assert answer.exit_code == 1
    assert "line 4: a term has 2 to 200 visible characters" in answer.stderr
    assert _json("blocklist", "list", TENANT) == [], "all of a file or nothing"
    lines = '{"document": "a", "input": "b", "output": "c"}\n{"x": 1}\n'
    (here / "golden.jsonl").write_text(lines, encoding="utf-8")
    assert "line 2" in astra("golden", "add", TENANT, "golden.jsonl").stderr


def _commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        yield (*path, name), command
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))


def test_help_of_every_command_and_option_reads_as_text() -> None:
    whole = typer.main.get_command(app)
    seen = 0
    for path, command in _commands(whole):
        texts = [command.help or "", *(getattr(one, "help", None) or "" for one in command.params)]
        assert command.help, f"{' '.join(path)} says nothing"
        for text in texts:
            assert "`" not in text, f"{' '.join(path)}: a raw backtick in {text!r}"
        for one in command.params:
            assert one.help or one.param_type_name != "option", f"{' '.join(path)} {one.opts[0]} says nothing"
        seen += 1
    assert seen > 50


def test_no_library_speaks_between_our_lines() -> None:
    code = """
import warnings
from astra_learn_assets.cli import app, main

@app.command()
def warns() -> None:
    warnings.warn("a library", FutureWarning)

main()
"""
    done = subprocess.run(
        [sys.executable, "-c", code, "warns"], capture_output=True, text=True, check=False, cwd=REPOSITORY
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_refusal_of_the_api_keeps_its_code_and_its_detail(monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx

    def answer(*_: Any, **__: Any) -> httpx.Response:
        return httpx.Response(
            422, json={"code": "bad_manifest", "message": "no sirve", "detail": "version: x"}
        )

    monkeypatch.setattr("httpx.request", answer)
    with pytest.raises(remote.RemoteRefusal, match=r"no sirve \(version: x\)") as refused:
        remote.call("PUT", "http://api.example", "/x", key="k", home=None)
    assert refused.value.code == "bad_manifest"
