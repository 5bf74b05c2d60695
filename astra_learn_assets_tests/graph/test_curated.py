"""Golden examples that a person chose test, never teach, and are masked like any other."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from astra_learn_assets.cli.main import app
from astra_learn_assets.datasets.golden import GoldenSet
from astra_learn_assets.errors import AlreadyExists, BadInput, BadJsonl, NotFound
from astra_learn_assets.learning import assemble, curated
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import blocklist, paths
from astra_learn_assets_tests.conftest import MakeTenant
from astra_learn_assets_tests.datasets.builders import documents, unchanged

TENANT = "villaverde"
LINES = [
    {"document": document, "input": before, "output": after}
    for document, before, after in (
        ("pleno-7", "El pleno aprueva la mocion de la calle.", "El pleno aprueba la moción de la calle."),
        ("pleno-7", "Se levanta la sesión a las ocho.", "Se levanta la sesión a las ocho."),
        ("pleno-8", "La obra de la plasa acaba en mayo.", "La obra de la plaza acaba en mayo."),
    )
]


def _file(lines: list[dict[str, str]]) -> bytes:
    return b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)


@pytest.fixture
def town(platform: Platform, make_tenant: MakeTenant) -> Platform:
    make_tenant(TENANT)
    return platform


def test_what_is_added_tests_and_what_is_retired_does_not(town: Platform) -> None:
    made = curated.add(town, TENANT, _file(LINES), by="ana")
    assert (made.examples, made.added_by) == (3, "ana")
    now = assemble.build_golden_set(town, TENANT)
    assert (now.examples, now.documents) == (3, 2)
    assert now.unchanged_words > 0
    stored = GoldenSet.read(town.vault.read(TENANT, paths.golden(TENANT, now.golden_hash)))
    assert sorted(example.meta.route for example in stored.examples) == [0, 1, 1]
    with pytest.raises(AlreadyExists):
        curated.add(town, TENANT, _file(LINES), by="ana")
    curated.retire(town, TENANT, made.curated_id, by="eva")
    assert assemble.build_golden_set(town, TENANT).examples == 0
    assert town.vault.exists(TENANT, paths.golden(TENANT, now.golden_hash)), "a version is frozen"
    (row,) = curated.listing(town, TENANT)
    assert row.retired_by == "eva"
    with pytest.raises(NotFound):
        curated.retire(town, TENANT, "curated-0", by="eva")


def test_a_citizen_in_the_file_is_masked_and_a_new_name_of_the_blocklist_is_masked_later(
    town: Platform,
) -> None:
    line = {
        "document": "pleno-9",
        "input": "Don Ernesto Valdivieso Quiroga pregunta por la farola de la Bermella.",
        "output": "Don Ernesto Valdivieso Quiroga pregunta por la farola de la Bermella hoy.",
    }
    curated.add(town, TENANT, _file([line]), by="ana")
    (example,) = curated.examples(town, TENANT)
    assert "Valdivieso" not in f"{example.input} {example.output}"
    with town.database.session() as session:
        blocklist.add(session, TENANT, "Bermella")
    (example,) = curated.examples(town, TENANT)
    assert "Bermella" not in f"{example.input} {example.output}"


@pytest.mark.parametrize("data", [b"", b"no\n", b'{"document": "a", "input": "x"}\n', b'{"document": 1}\n'])
def test_a_file_that_is_none_is_refused(town: Platform, data: bytes) -> None:
    with pytest.raises((BadInput, BadJsonl)):
        curated.add(town, TENANT, data, by="ana")
    assert curated.listing(town, TENANT) == []


def test_a_set_that_is_small_old_or_blind_says_so() -> None:
    settings = Settings()
    now = datetime.now(UTC)

    def said(golden: GoldenSet, newest: datetime | None = now) -> str:
        return " ".join(assemble.golden_warnings(golden, newest, settings))

    whole = GoldenSet.of([*documents(25, pairs=12), *(item for n in range(25) for item in unchanged(n, 9))])
    assert said(whole) == ""
    assert "400 days old" in said(whole, now - timedelta(days=400))
    small = GoldenSet.of(documents(2, pairs=3))
    assert "words; 5000 are recommended" in said(small)
    assert "2 documents; 20 are recommended" in said(small)
    assert "damage to correct text" in said(small)
    assert "an improvement would not be seen" in said(GoldenSet.of(unchanged(1, 3)))


@pytest.mark.usefixtures("instance")  # its processes see the settings of the test
def test_the_command_line_adds_lists_and_retires(town: Platform, tmp_path: Path) -> None:
    home = ["--home", str(town.settings.home_path), "-o", "json"]
    file = tmp_path / "golden.jsonl"
    file.write_bytes(_file(LINES))
    added = CliRunner().invoke(app, ["golden", "add", TENANT, str(file), *home])
    assert added.exit_code == 0, added.output
    name = json.loads(added.output)["curated_id"]
    listed = CliRunner().invoke(app, ["golden", "list", TENANT, *home])
    assert json.loads(listed.output)["examples"] == 3
    assert CliRunner().invoke(app, ["golden", "retire", TENANT, name, *home]).exit_code == 0
    assert CliRunner().invoke(app, ["golden", "add", TENANT, "nothing.jsonl", *home]).exit_code == 1
