"""A tenant id is made once, where it enters, and nothing else is taken for one."""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import dagster as dg
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from pydantic import ValidationError
from typer.testing import CliRunner

import astra_learn_assets
from astra_learn_assets import ids
from astra_learn_assets.api.app import create_app
from astra_learn_assets.cli.main import app as cli
from astra_learn_assets.contracts import DictionaryUpdated, GateVerdict
from astra_learn_assets.datasets import jsonl
from astra_learn_assets.errors import AdapterRefused, BadJsonl, InvalidTenantId
from astra_learn_assets.ids import TenantId
from astra_learn_assets.partitions import tenant_of, tenant_partitions
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry.manifest import dump_manifest, load_manifest
from astra_learn_assets.services.embedded import export_env
from astra_learn_assets.serving.adapter_store import AdapterStore
from astra_learn_assets.serving.dictionary import DictionarySubscriber
from astra_learn_assets.settings import get_settings
from astra_learn_assets.store import api_keys, tenants
from astra_learn_assets.store.tables import Session, Tenant
from astra_learn_assets_tests.conftest import MakeTenant
from astra_learn_assets_tests.datasets.builders import example
from astra_learn_assets_tests.registry.builders import manifest_of, trained_folder

BAD = ["", "a", "A", "Villaverde", "a/b", "../x", "a\n", "a--b", "ééé", "x" * 64, "-ab", "a_b", "a b", "*"]
RULE = "invalid tenant id .*2 to 63 lower-case letters"
PACKAGE = Path(astra_learn_assets.__file__).parent
# Where an id enters, and nowhere else. ``serving`` is called by CORE, ``demo`` names its own two towns.
EDGES = {
    "ids.py",
    "automation/run_coordinator.py",
    "partitions.py",
    "store/table_base.py",
    "api/auth.py",
    "api/routes/operation.py",
    "api/visitors.py",
    "cli/access.py",
    "cli/automation.py",
    "cli/council.py",
    "cli/documents.py",
    "cli/drafts.py",
    "cli/golden.py",
    "cli/learning.py",
    "cli/notices.py",
    "cli/privacy.py",
    "cli/quarantine.py",
    "cli/recovery.py",
    "cli/system.py",
    "serving/adapter_store.py",
    "serving/dictionary.py",
    "simulation/core/reference.py",
    "simulation/council/__main__.py",
    "simulation/demo/story.py",
}


@pytest.mark.parametrize("bad", BAD)
def test_what_breaks_the_rule_is_no_tenant_id(bad: str) -> None:
    with pytest.raises(InvalidTenantId, match=RULE):
        TenantId(bad)


@pytest.mark.parametrize("bad", [None, 7, b"villaverde", ["villaverde"]])
def test_only_text_is_a_tenant_id(bad: Any) -> None:
    with pytest.raises(InvalidTenantId, match=RULE):
        TenantId(bad)


def test_a_tenant_id_is_a_string_everywhere_and_itself_when_made_again() -> None:
    made = TenantId("rio-claro-2")
    assert made == "rio-claro-2"
    assert (f"{made}", repr(made), {made: 1}["rio-claro-2"]) == ("rio-claro-2", "'rio-claro-2'", 1)
    assert TenantId(made) is made
    assert type(str(made)) is str
    assert json.dumps({"tenant": made}) == '{"tenant": "rio-claro-2"}'
    again = pickle.loads(pickle.dumps(made))
    assert (again, type(again)) == (made, TenantId)


def test_an_adapter_id_tells_its_tenant() -> None:
    tenant = ids.tenant_of_adapter(f"rio-claro--{'a' * 16}")
    assert (tenant, type(tenant)) == ("rio-claro", TenantId)
    with pytest.raises(InvalidTenantId):
        ids.tenant_of_adapter(f"rio--claro--{'a' * 16}")


# -- the edges ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", ["a/b", "a--b", "A", ""])
def test_edge_partition_key(bad: str) -> None:
    with pytest.raises(InvalidTenantId, match=RULE):
        tenant_of(Mock(spec=dg.AssetExecutionContext, partition_key=bad))


def test_edge_partition_key_of_a_real_run_ends_before_anything_is_touched(tmp_path: Path) -> None:
    touched: list[str] = []

    @dg.asset(partitions_def=tenant_partitions)
    def asset(context):  # type: ignore[no-untyped-def]  # Dagster wants the class itself, not its name
        touched.append(tenant_of(context))

    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("tenant", ["a/b", "villaverde"])
        with pytest.raises(InvalidTenantId, match=RULE):
            dg.materialize([asset], instance=instance, partition_key="a/b")
        assert dg.materialize([asset], instance=instance, partition_key="villaverde").success
    assert touched == ["villaverde"]


@pytest.fixture
def api(platform: Platform, make_tenant: MakeTenant) -> Iterator[TestClient]:
    make_tenant()
    with platform.database.session() as session:
        _, key = api_keys.issue(session, tenant_id=None, role="platform", label="core")
    settings = platform.settings.model_copy(update={"api_compare_processes": 0})
    with (
        Platform.open(settings, for_api=True) as opened,
        TestClient(create_app(platform=opened), headers={"Authorization": f"Bearer {key}"}) as client,
    ):
        yield client


def test_edge_api_route_body_and_page(api: TestClient) -> None:
    # what the path's own pattern lets through and the rule does not
    for answer in (
        api.post("/v1/compare", json={"tenant_id": "a--b", "generated_id": "a", "final_id": "b"}),
        api.post("/v1/compare", json={"tenant_id": "A/B", "generated_id": "a", "final_id": "b"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_tenant_id"), answer.text
    assert api.get("/v1/tenants/a--b/dictionary").status_code == 422
    assert api.get("/panel/a--b").status_code == 422
    assert api.post("/panel/a--b", data={"key": "k"}).status_code == 422


@pytest.mark.parametrize(
    "command",
    [
        ["tenant", "add", "a--b"],
        ["erase", "--tenant", "a--b", "--yes"],
        ["key", "issue", "--role", "viewer", "--tenant", "a--b"],
        ["blocklist", "add", "a--b", "Calle Mayor"],
        ["blocklist", "remove", "a--b", "Calle Mayor"],
        ["blocklist", "list", "a--b"],
        ["status", "--tenant", "a--b"],
        ["promote", "a--b", f"villaverde--{'a' * 16}"],
        ["rollback", "a--b"],
    ],
)
def test_edge_command_line(command: list[str], platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in export_env(platform.settings).items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    answer = CliRunner().invoke(cli, [*command, "-o", "json"])
    assert answer.exit_code != 0
    assert re.search(RULE, answer.output), answer.output
    with platform.database.session() as session:
        assert tenants.list_all(session) == []


def test_edge_message(platform: Platform) -> None:
    asked: list[str] = []

    def fetch(tenant_id: str) -> tuple[int, list[Any]]:
        asked.append(tenant_id)
        return 1, []

    subscriber = DictionarySubscriber(platform.redis, fetch=fetch)
    subscriber.receive(json.dumps({"tenant_id": "../x", "version": 1, "changed": []}))
    assert asked == []
    for enter in (subscriber.track, subscriber.refresh):
        with pytest.raises(InvalidTenantId, match=RULE):
            enter("../x")
    subscriber.receive(json.dumps({"tenant_id": "villaverde", "version": 1, "changed": []}))
    assert [(name, type(name)) for name in asked] == [("villaverde", TenantId)]


def test_edge_core_never_reaches_outside_its_cache(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "cache").mkdir()
    store = AdapterStore(Mock(), verify_key=Mock(), cache_dir=tmp_path / "cache", max_bytes=1)
    for enter in (store.current, store.forget, lambda bad: store.load(bad, f"villaverde--{'a' * 16}")):
        with pytest.raises(InvalidTenantId, match=RULE):
            enter("../outside")
    assert outside.is_dir()


def test_edge_manifest_and_lines(tmp_path: Path) -> None:
    manifest = manifest_of(trained_folder(tmp_path / "a"))
    assert type(load_manifest(dump_manifest(manifest)).tenant_id) is TenantId
    with pytest.raises(AdapterRefused, match="malformed"):
        load_manifest(dump_manifest(manifest).replace(b'"villaverde"', b'"../verde"'))
    line = jsonl.dump([example("la reunion", "La reunión")])
    tenant = example("la reunion", "La reunión").meta.tenant_id
    with pytest.raises(BadJsonl, match="line 1"):
        jsonl.load(line.replace(f'"{tenant}"'.encode(), b'"../x"'))


def test_edge_contract() -> None:
    verdict = GateVerdict(gate="pii_gate", tenant_id="villaverde", digest="a" * 64, passed=True, reason="r")
    assert type(verdict.tenant_id) is TenantId
    assert type(GateVerdict.model_validate_json(verdict.model_dump_json()).tenant_id) is TenantId
    assert verdict.model_dump(mode="json")["tenant_id"] == "villaverde"
    with pytest.raises(ValidationError, match=RULE):
        DictionaryUpdated(tenant_id="a--b", version=1, changed=())


def test_edge_database_row(platform: Platform, make_tenant: MakeTenant) -> None:
    make_tenant()
    with platform.database.session() as session:
        (row,) = tenants.list_all(session)
        assert type(row.tenant_id) is TenantId
        session.add(Session(tenant_id=row.tenant_id, session_id="s", version=1))
    with platform.database.session() as session:
        assert type(session.scalar(sa.select(Session.tenant_id))) is TenantId
        session.execute(sa.text("INSERT INTO tenants VALUES ('A B', 'x', 'es', 'standard', NULL, now())"))
        with pytest.raises(InvalidTenantId, match=RULE):
            session.scalars(sa.select(Tenant)).all()
        session.rollback()


# -- and nowhere else ---------------------------------------------------------------------------------------


def _modules() -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith("store/migrations/"):
            yield name, path.read_text(encoding="utf-8")


def test_no_module_below_the_edges_makes_a_tenant_id_again() -> None:
    making = {name for name, text in _modules() if re.search(r"\bTenantId\(", text)}
    assert making == EDGES


def test_below_the_edges_no_function_takes_a_plain_string_for_a_tenant() -> None:
    rooms = ("store/", "learning/", "hotpath/", "registry/", "datasets/", "evaluation/", "automation/")
    loose = {
        f"{name}: {found[0]}"
        for name, text in _modules()
        if name.startswith(rooms)
        for found in re.finditer(r"\btenant(?:_id)?: (?:str|Any)\b.*", text)
    }
    # the audit log keeps what a stranger asked for, a run's tag is an edge, three answers of the API are text
    allowed = {
        "store/audit.py",
        "automation/run_coordinator.py",
        "learning/status.py",
        "learning/privacy_report.py",
    }
    assert {line.partition(":")[0] for line in loose} == allowed, loose


def test_the_type_checker_refuses_a_plain_string(tmp_path: Path) -> None:
    caller = tmp_path / "caller.py"
    caller.write_text(
        "from astra_learn_assets.ids import TenantId\n"
        "from astra_learn_assets.store import paths\n"
        'paths.pairs("villaverde", "d")\n'
        'paths.pairs(TenantId("villaverde"), "d")\n'
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", str(caller)],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert len(errors) == 1, done.stdout + done.stderr
    assert ':3: error: Argument 1 to "pairs" has incompatible type "str"; expected "TenantId"' in errors[0]
