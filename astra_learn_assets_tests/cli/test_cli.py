from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from astra_learn_assets.cli import app
from astra_learn_assets.cli.output import REFUSALS
from astra_learn_assets.comparator.docx import admission
from astra_learn_assets.platform import Platform
from astra_learn_assets.privacy.identifiers.countries import country_packs
from astra_learn_assets.services.embedded import export_env
from astra_learn_assets.settings import REPOSITORY, get_settings
from astra_learn_assets_tests.api.files import NAME_FIX, TEXT_FIX, DraftFiles, make_draft
from astra_learn_assets_tests.conftest import MakeTenant

COMMAND = [sys.executable, "-c", "from astra_learn_assets.cli import main; main()"]


def astra(*arguments: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **(env or {})},
    )


@pytest.fixture
def env(platform: Platform) -> dict[str, str]:
    """The settings of the test for a process of its own."""
    return export_env(platform.settings)


@pytest.fixture
def files(tmp_path: Path) -> DraftFiles:
    files = make_draft()
    (tmp_path / "draft.docx").write_bytes(files.docx)
    (tmp_path / "draft.json").write_bytes(files.manifest)
    (tmp_path / "final.docx").write_bytes(files.final(NAME_FIX, TEXT_FIX))
    return files


def test_help_answers_quickly_and_lists_every_command() -> None:
    started = time.monotonic()
    answer = astra("--help")
    seconds = time.monotonic() - started
    assert answer.returncode == 0
    commands = ("demo", "dev", "tenant", "key", "submit", "compare", "blocks", "anonymize", "scan")
    for command in (*commands, "status", "promote", "rollback", "blocklist", "adapter", "council"):
        assert command in answer.stdout
    assert seconds < 5, "about 0.4 s on an idle machine"


def test_the_version_is_the_packages() -> None:
    assert astra("--version").stdout == f"astra-learn {version('astra-learn')}\n"


@pytest.mark.parametrize("command", ["demo --exit", "council sample somewhere"])
def test_an_installed_package_has_no_simulated_councils_and_says_so(tmp_path: Path, command: str) -> None:
    code = "from astra_learn_assets.cli import main, platform; platform.find_spec = lambda name: None; main()"
    answer = subprocess.run(
        [sys.executable, "-c", code, *command.split()],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert answer.returncode == 1
    assert answer.stderr.startswith("error: the simulated councils are not in the installed package")
    assert not list(tmp_path.iterdir())


def test_help_loads_no_heavy_module() -> None:
    code = (
        "import sys; from astra_learn_assets.cli import app; "
        "print([m for m in ('fastapi','sqlalchemy','lxml','spacy','torch','dagster') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_compare_prints_one_json_document(tmp_path: Path, files: DraftFiles) -> None:
    arguments = (tmp_path / "draft.docx", tmp_path / "final.docx", "--manifest", tmp_path / "draft.json")
    answer = astra("compare", *arguments, "-o", "json")
    assert answer.returncode == 0, answer.stderr
    delta = json.loads(answer.stdout)
    assert delta["metrics"]["counts"]["modified"] == 2
    assert [(change["wrong"], change["right"]) for change in delta["entity_changes"]] == [
        ("Hortegga", "Ortega")
    ]
    text = astra("compare", *arguments)
    assert "Hortegga" in text.stdout


def test_a_sample_session_is_there_to_compare_and_the_same_every_time(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "sample"
    made = json.loads(astra("council", "sample", folder, "-o", "json").stdout)
    assert [Path(file).name for file in made["files"]] == [
        "draft.docx", "draft.json", "final.docx", "pairs.jsonl"
    ]  # fmt: skip
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    draft, manifest, final, pairs = map(Path, made["files"])
    answer = astra("compare", draft, final, "--manifest", manifest, "-o", "json")
    delta = json.loads(answer.stdout)
    learned = [json.loads(line) for line in pairs.read_text(encoding="utf-8").splitlines()]
    assert [(pair["before"], pair["after"]) for pair in delta["examples"]] == [
        (pair["input"], pair["output"]) for pair in learned
    ]
    assert learned
    assert delta["entity_changes"]

    assert astra("council", "sample", folder).returncode == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    other = astra("council", "sample", folder, "--seed", "8")
    assert other.returncode == 1
    assert "draft.docx is there already" in other.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_sample_nothing_may_be_learned_from_says_so(tmp_path: Path) -> None:
    answer = astra("council", "sample", tmp_path / "hostile", "--number", "7")
    assert answer.returncode == 0, answer.stderr
    assert "editor: hostile" in answer.stdout
    assert (tmp_path / "hostile" / "pairs.jsonl").read_bytes() == b""
    assert "anonymize" not in answer.stdout


def test_every_refusal_of_the_upload_gate_has_an_english_sentence() -> None:
    assert REFUSALS.keys() == admission._MESSAGES.keys() | {"no_text"}


def test_what_a_command_says_is_english(env: dict[str, str], make_tenant: MakeTenant, tmp_path: Path) -> None:
    make_tenant()
    (tmp_path / "text.docx").write_text("esto no es un documento")
    (tmp_path / "empty.docx").touch()
    refused = astra("compare", tmp_path / "text.docx", tmp_path / "text.docx")
    assert refused.stderr == f"error: {tmp_path / 'text.docx'}: {REFUSALS['not_docx']}\n"
    assert astra("blocks", tmp_path / "empty.docx").stderr == f"error: {REFUSALS['empty']}\n"
    status = astra("status", "--tenant", "villaverde", env=env)
    assert status.returncode == 0
    assert not {"Todavía", "correcciones"} & set(status.stdout.split())


def test_blocks_lists_text_and_chunk_ids(tmp_path: Path, files: DraftFiles) -> None:
    document = json.loads(astra("blocks", tmp_path / "draft.docx", "-o", "json").stdout)
    assert document["document_id"] == "doc-pleno-1-1"
    assert len(document["blocks"]) == 7
    assert all(len(block["chunk_ids"]) == 1 for block in document["blocks"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("compare", "missing.docx", "missing.docx"),
        ("blocks", "."),
        ("blocks", "text.docx"),
        ("blocks", "empty.docx"),
        ("compare", "draft.docx", "text.docx"),
        ("compare", "draft.docx", "final.docx", "--manifest", "text.docx"),
        ("compare", "draft.docx", "final.docx", "--html", "no/such/folder/x.html"),
        ("blocks", "secret.docx"),
        ("anonymize", "text.docx", "out.jsonl"),
        ("anonymize", "missing.jsonl", "out.jsonl"),
        ("anonymize", "half.jsonl", "out.jsonl"),
        ("scan", "missing.jsonl"),
        ("submit", "missing.docx", "--tenant", "villaverde", "--session", "s"),
        ("submit", "final.docx", "--tenant", "villaverde", "--session", "s", "--url", "http://127.0.0.1:1"),
        (
            "submit", "final.docx", "--tenant", "villaverde", "--session", "s",
            "--url", "http://127.0.0.1:1", "--key", "astra_x",
        ),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence_and_exit_code_1(
    tmp_path: Path, files: DraftFiles, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.docx").write_text("esto no es un documento")
    Path("half.jsonl").write_text('{"input": "a"')
    Path("empty.docx").touch()
    Path("secret.docx").write_bytes(files.docx)
    Path("secret.docx").chmod(0)
    if os.geteuid() == 0 and "secret.docx" in arguments:
        pytest.skip("root reads everything")
    answer = astra(*arguments, "-o", "json", env={"ASTRA_HOME": str(tmp_path / "home")})
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert set(json.loads(answer.stdout)["error"]) == {"code", "message"}
    assert answer.stderr.startswith("error: ")
    assert "Traceback" not in answer.stderr
    assert not Path("out.jsonl").exists()


@pytest.mark.parametrize(
    "arguments", [("nope",), ("compare",), ("compare", "a", "b", "-o", "xml"), ("submit", "a"), ("blocks",)]
)
def test_wrong_usage_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    answer = astra(*arguments)
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("country", ["zz", "españa", "e", ""])
@pytest.mark.parametrize(
    "command", ["tenant add villaverde", "anonymize in.jsonl out.jsonl", "scan in.jsonl"]
)
def test_a_country_without_a_pack_is_refused_with_the_list_of_those_there_are(
    tmp_path: Path, command: str, country: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").write_text('{"input": "a", "output": "b"}\n')
    home = tmp_path / "home"
    answer = astra(*command.split(), "--country", country, "-o", "json", env={"ASTRA_HOME": str(home)})
    assert answer.returncode == 1, answer.stdout + answer.stderr
    error = json.loads(answer.stdout)["error"]
    assert error["code"] == "bad_input"
    assert error["message"].endswith(f"use one of {', '.join(country_packs())}")
    assert not home.exists(), "nothing is started for a country nobody knows"
    assert not Path("out.jsonl").exists()


@pytest.mark.parametrize(
    "command", ["tenant add villaverde", "anonymize in.jsonl out.jsonl", "scan in.jsonl"]
)
def test_a_country_setting_without_a_pack_is_refused_by_its_name(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").write_text('{"input": "a", "output": "b"}\n')
    home = tmp_path / "home"
    settings = {"ASTRA_HOME": str(home), "ASTRA_COUNTRY": "zz"}
    answer = astra(*command.split(), "-o", "json", env=settings)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    error = json.loads(answer.stdout)["error"]
    assert error["code"] == "bad_configuration"
    assert error["message"].startswith("ASTRA_COUNTRY: no country pack 'zz': use one of ar, bo,")
    assert not home.exists(), "nothing is started for a country nobody knows"
    assert not Path("out.jsonl").exists()


def test_a_tenant_of_no_named_country_is_in_the_settings_country(env: dict[str, str]) -> None:
    settings = {**env, "ASTRA_COUNTRY": "EC"}
    made = astra("tenant", "add", "villaverde", "-o", "json", env=settings)
    assert json.loads(made.stdout)["country"] == "ec", made.stderr
    named = astra("tenant", "add", "pueblo", "--country", "co", "-o", "json", env=settings)
    assert json.loads(named.stdout)["country"] == "co"
    listed = json.loads(astra("tenant", "list", "-o", "json", env=settings).stdout)
    assert {row["tenant_id"]: row["country"] for row in listed} == {"pueblo": "co", "villaverde": "ec"}


def test_a_setting_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    answer = astra("status", env={"ASTRA_API_PORT": "ochenta", "ASTRA_HOME": str(tmp_path)})
    assert answer.returncode == 1
    assert "ASTRA_API_PORT" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_an_error_of_the_disk_is_one_json_document_and_one_sentence_too(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("a file where a folder should be")
    answer = astra("status", "--home", home, "-o", "json")
    assert answer.returncode == 1
    assert set(json.loads(answer.stdout)["error"]) == {"code", "message"}
    assert answer.stderr.startswith("error: ")
    assert str(home) in answer.stderr
    assert "Traceback" not in answer.stderr


def test_every_command_of_the_platform_takes_a_home() -> None:
    commands = (
        "status", "promote", "rollback", "adapter import", "submit", "migrate", "exec", "dev", "demo",
        "tenant add", "tenant list", "erase", "verify", "lineage", "rotate signing", "rotate master",
        "key issue", "key list", "key revoke",
        "blocklist add", "blocklist import", "blocklist remove", "blocklist list",
    )  # fmt: skip
    known = {name: command.params for name, command in _leaves(typer.main.get_command(app), "")}
    for name in commands:
        assert "--home" in {option for param in known[name] for option in param.opts}, name


FOUNDING = ("demo", "dev", "migrate", "tenant add")
# What each command needs to get as far as the platform; a new command must be added here.
ARGUMENTS = {
    "status": "", "exec": "true",
    "promote": "villaverde villaverde--0123456789abcdef", "rollback": "villaverde",
    "adapter import": f"villaverde . --dataset-hash {'0' * 64}",
    "submit": "final.docx --tenant villaverde --session s",
    "tenant list": "", "erase": "--tenant villaverde --yes",
    "adapter report": "villaverde--0123456789abcdef page.html",
    "verify": "villaverde", "lineage": "villaverde--0123456789abcdef",
    "rotate signing": "--old-verify-key verify.pem", "rotate master": "--old-key master.key",
    "key issue": "--tenant villaverde --role viewer", "key list": "", "key revoke": "key-1",
    "blocklist add": "villaverde Ana", "blocklist import": "villaverde terms.txt",
    "blocklist remove": "villaverde Ana", "blocklist list": "villaverde",
    "anonymize": "in.jsonl out.jsonl --tenant villaverde", "scan": "in.jsonl --tenant villaverde",
    "privacy report": "villaverde", "examples": "villaverde",
    "export audio": "villaverde audio.jsonl", "backfill": "learn",
    "golden list": "villaverde", "golden add": "villaverde in.jsonl", "golden retire": "villaverde c",
    "quarantine list": "villaverde", "quarantine show": "villaverde d",
    "quarantine release": "villaverde d", "quarantine drop": "villaverde d",
    "tenant allow": "villaverde", "tenant explain": "villaverde", "tenant pause": "villaverde summer",
    "tenant resume": "villaverde", "tenant retire": "villaverde", "tenant retry": "villaverde",
    "tier list": "", "tier set": "premium", "tier remove": "premium",
    "maintenance list": "", "maintenance add": "move", "maintenance end": "1",
    "draft register": "draft.docx draft.json --tenant villaverde",
    "notice list": "villaverde", "notice add": "villaverde --email a@b.example",
    "notice remove": "villaverde sub-1", "notice test": "villaverde sub-1",
    "dossier": "villaverde--0123456789abcdef",
}  # fmt: skip
WITHOUT_PLATFORM = {"compare", "blocks", "council sample", "draft check"}


def test_every_command_is_known_to_found_a_platform_or_not() -> None:
    known = {name for name, _ in _leaves(typer.main.get_command(app), "")}
    assert known == {*FOUNDING, *ARGUMENTS, *WITHOUT_PLATFORM}


@pytest.mark.parametrize("command", ARGUMENTS)
def test_a_slip_of_the_pen_in_home_makes_no_platform(
    tmp_path: Path, files: DraftFiles, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").write_text('{"input": "a", "output": "b"}\n')
    Path("terms.txt").write_text("Ana Ruiz\n")
    before = set(tmp_path.iterdir())
    arguments = [*command.split(), *ARGUMENTS[command].split()]
    answer = astra(*arguments, env={"ASTRA_HOME": str(tmp_path / "typo")})
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert answer.stderr.startswith(f"error: no platform in {tmp_path / 'typo'}: ")
    assert "--home" in answer.stderr
    assert set(tmp_path.iterdir()) == before


def test_a_folder_of_something_else_is_no_platform(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    answer = astra("status", "--home", tmp_path, "-o", "json")
    assert json.loads(answer.stdout)["error"]["code"] == "not_found"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys", "notes.txt"]


def test_with_every_place_set_by_url_no_home_is_needed_and_none_is_made(
    env: dict[str, str], tmp_path: Path
) -> None:
    elsewhere = {**env, "ASTRA_HOME": str(tmp_path / "none"), "ASTRA_MASTER_KEY": "QUFB" * 10 + "QUE="}
    answer = astra("tenant", "list", "-o", "json", env=elsewhere)
    assert (answer.returncode, json.loads(answer.stdout)) == (0, []), answer.stderr
    assert not (tmp_path / "none").exists()
    without_key = {name: value for name, value in elsewhere.items() if name != "ASTRA_MASTER_KEY"}
    assert astra("tenant", "list", env=without_key).stderr.startswith("error: no platform in")


@pytest.mark.parametrize("founding", ["migrate", "tenant add villaverde"])
def test_migrate_and_tenant_add_found_a_platform_that_the_others_then_find(
    tmp_path: Path, founding: str
) -> None:
    home = tmp_path / "new"
    made = astra(*founding.split(), "--home", home)
    assert made.returncode == 0, made.stderr
    expected = ["villaverde"] if "villaverde" in founding else []
    listed = json.loads(astra("tenant", "list", "-o", "json", "--home", home).stdout)
    assert [row["tenant_id"] for row in listed] == expected


def _leaves(command: Any, name: str) -> list[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        return [(name, command)]
    return [
        leaf
        for child, inner in command.commands.items()
        for leaf in _leaves(inner, f"{name} {child}".strip())
    ]


def test_the_key_for_another_api_is_a_setting(tmp_path: Path, files: DraftFiles) -> None:
    arguments = ("submit", tmp_path / "final.docx", "--tenant", "villaverde", "--session", "s")
    remote = (*arguments, "--url", "http://127.0.0.1:1", "-o", "json")
    without = json.loads(astra(*remote).stdout)["error"]
    assert "ASTRA_KEY" in without["message"]
    with_key = json.loads(astra(*remote, env={"ASTRA_KEY": "astra_x"}).stdout)["error"]
    assert "does not answer" in with_key["message"]


def test_a_closed_pipe_is_no_error_message(tmp_path: Path, files: DraftFiles) -> None:
    command = " ".join(f"'{part}'" for part in [*COMMAND, "blocks", str(tmp_path / "draft.docx")])
    answer = subprocess.run(
        ["bash", "-c", f"{command} | head -c 1"], capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.stderr == ""


def test_from_tenant_to_undo_on_the_command_line(
    env: dict[str, str], platform: Platform, tmp_path: Path, files: DraftFiles
) -> None:
    from astra_learn_assets.hotpath.intake import register_draft

    add = ["tenant", "add", "villaverde", "--country", "EC", "-o", "json"]
    made = astra(*add, "--name", "Villaverde del Río", env=env)
    assert json.loads(made.stdout)["country"] == "ec"
    assert json.loads(made.stdout)["display_name"] == "Villaverde del Río"
    twice = astra("tenant", "add", "villaverde", env=env)
    assert (twice.returncode, "Traceback" in twice.stderr) == (1, False)
    register_draft(
        platform,
        tenant_id="villaverde",
        session_id="pleno-1",
        version=1,
        docx=files.docx,
        manifest=files.manifest,
    )
    submit = (
        "submit",
        tmp_path / "final.docx",
        "--tenant",
        "villaverde",
        "--session",
        "pleno-1",
        "-o",
        "json",
    )
    first = astra(*submit, env=env)
    summary = json.loads(first.stdout)
    assert summary["entities_live"] == [{"wrong": "Hortegga", "right": "Ortega", "kind": "person"}]
    assert json.loads(astra(*submit, env=env).stdout)["already_received"] is True
    status = json.loads(astra("status", "--tenant", "villaverde", "-o", "json", env=env).stdout)
    assert status["dictionary_entries"] == 1
    assert "villaverde" in astra("status", env=env).stdout
    foreign = astra("rollback", "villaverde", "--to", "rio-claro--0123456789abcdef", env=env)
    assert (foreign.returncode, "rio-claro" in foreign.stderr) == (1, True)


def test_keys_and_blocklist_on_the_command_line(
    env: dict[str, str], make_tenant: MakeTenant, tmp_path: Path
) -> None:
    make_tenant()
    issued = json.loads(
        astra("key", "issue", "--tenant", "villaverde", "--role", "editor", "-o", "json", env=env).stdout
    )
    assert issued["key"].startswith("astra_")
    listed = astra("key", "list", "-o", "json", env=env).stdout
    assert issued["key"] not in listed
    assert json.loads(listed)[0]["key_id"] == issued["key_id"]
    assert astra("key", "revoke", issued["key_id"], env=env).returncode == 0
    assert astra("key", "revoke", "key-unknown", env=env).returncode == 1
    assert astra("key", "issue", "--role", "editor", env=env).returncode == 1
    terms = tmp_path / "terms.txt"
    terms.write_text("# vecinos\nCarmen Villalobos\n\n  Ramiro   Zubeldía \n", encoding="utf-8")
    assert json.loads(astra("blocklist", "import", "villaverde", terms, "-o", "json", env=env).stdout) == {
        "tenant_id": "villaverde",
        "added": 2,
    }
    terms.write_text("Ana\u2028Ruiz\x85Sanz\r\n\u2028Luz Gil\n", encoding="utf-8", newline="")
    assert astra("blocklist", "import", "villaverde", terms, env=env).returncode == 0
    listed = json.loads(astra("blocklist", "list", "villaverde", "-o", "json", env=env).stdout)
    assert {"Ana Ruiz Sanz", "Luz Gil"} < {term["term"] for term in listed}
    for name in ("Ana Ruiz Sanz", "Luz Gil"):
        assert astra("blocklist", "remove", "villaverde", name, env=env).returncode == 0
    terms.write_text("Uno Dos\nx\n")
    assert astra("blocklist", "import", "villaverde", terms, env=env).returncode == 1
    assert astra("blocklist", "remove", "villaverde", "Carmen Villalobos", env=env).returncode == 0
    left = json.loads(astra("blocklist", "list", "villaverde", "-o", "json", env=env).stdout)
    assert [term["term"] for term in left] == ["Ramiro Zubeldía"]


def test_anonymize_and_scan_a_file(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    pair = {
        "input": "La vecina Carmen Villalobos, con DNI 12345678Z, pide una farola.",
        "output": "La vecina doña Carmen Villalobos, con DNI 12345678Z, pide una farola.",
    }
    source.write_text(json.dumps(pair, ensure_ascii=False) + "\n", encoding="utf-8")
    found = astra("scan", source, "-o", "json")
    assert found.returncode == 1
    assert json.loads(found.stdout)["clean"] is False
    answer = astra("anonymize", source, target, "-o", "json")
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["written"] == 1
    text = target.read_text(encoding="utf-8")
    assert "Villalobos" not in text
    assert "12345678" not in text
    clean = astra("scan", target)
    assert clean.returncode == 0, clean.stdout


def test_the_commands_of_the_readme_that_need_no_platform_work_as_written(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (block,) = [part for part in readme.split("```") if "astra-learn council sample" in part]
    commands = [line.split("#")[0].strip() for line in block.strip().splitlines()]
    assert [command.split()[1] for command in commands] == ["council", "compare", "anonymize", "scan"]
    (tmp_path / "astra-learn").write_text(
        f"#!{sys.executable}\nfrom astra_learn_assets.cli import main\nmain()\n"
    )
    (tmp_path / "astra-learn").chmod(0o755)
    for command in commands:
        answer = subprocess.run(
            command.split(), capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path,
            env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        )  # fmt: skip
        assert answer.returncode == 0, f"{command}\n{answer.stdout}{answer.stderr}"


def test_what_a_municipality_may_use_is_said_on_the_command_line(
    env: dict[str, str], make_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tenant()
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()

    def ask(*arguments: str) -> Any:
        return CliRunner().invoke(app, arguments)  # a process each would be a minute of starting

    wrong = {
        ("tier", "set", "gold", "--weekly-quota", "-1"): "invalid quota",
        ("tier", "set", "gold", "--hours", "06:00-06:00"): "never open",
        ("tier", "remove", "standard"): "begin with it",
        ("tenant", "allow", "villaverde", "--tier", "gold"): "no tier 'gold'",
        ("tenant", "pause", "villaverde", " "): "needs a reason",
        ("maintenance", "add", "x", "--at", "tonight"): "write it as",
        ("maintenance", "end", "7"): "no maintenance 7",
        ("tenant", "explain", "nadie"): "no tenant 'nadie'",
    }
    for command, said in wrong.items():
        answer = ask(*command)
        assert answer.exit_code == 1, command
        assert said in answer.stderr, command
    made = ask("tier", "set", "gold", "--weekly-quota", "3", "--gpu-minutes", "60", "-o", "json")
    assert json.loads(made.stdout)["gpu_minutes_month"] == 60
    assert ask("tenant", "allow", "villaverde", "--tier", "gold").exit_code == 0
    assert ask("tenant", "pause", "villaverde", "contract under review").exit_code == 0
    told = json.loads(ask("tenant", "explain", "villaverde", "-o", "json").stdout)
    assert (told["code"], told["trainings this week"]) == ("paused", "0 of 3")
    backfill = json.loads(ask("backfill", "learn", "-o", "json").stdout)
    assert backfill == {"lane": "learn", "municipalities": 0}, "nobody has been looked at yet"
    get_settings.cache_clear()
