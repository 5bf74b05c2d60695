"""The documents build without a warning, their links lead somewhere, their schemas are the models'."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from astra_learn_assets.comparator.draft_manifest import parse_manifest
from astra_learn_assets.contracts import NewModelAvailable
from astra_learn_assets.errors import BadManifest
from astra_learn_assets.hotpath.summary import LeftOut, sentence, went_back
from astra_learn_assets.settings import REPOSITORY
from astra_learn_assets_tests.api.files import make_draft
from astra_learn_assets_tests.deploy.chart import load, missing

DOCS = REPOSITORY / "docs"
schemas = load(DOCS / "schemas.py")


def _mkdocs() -> Path:
    """The program of ``make docs``' own environment, or one on the PATH."""
    own = REPOSITORY / "build" / "docs-venv" / "bin" / "mkdocs"
    found = str(own) if own.is_file() else shutil.which("mkdocs")
    if found is None:
        missing("mkdocs is not installed: `make docs` makes an environment with it")
        raise AssertionError
    return Path(found)


def _build(config: Path, site: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [_mkdocs(), "build", "--strict", "--quiet", "--config-file", config, "--site-dir", site],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )


def test_the_documents_build_without_a_word(tmp_path: Path) -> None:
    done = _build(REPOSITORY / "mkdocs.yml", tmp_path / "site")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    built = {path.relative_to(tmp_path / "site") for path in (tmp_path / "site").rglob("*.html")}
    assert Path("es/secretaria.html") in built
    text = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "fonts.googleapis" not in text, "nothing is fetched from elsewhere"


@pytest.mark.parametrize("broken", ["[x](nowhere.md)", "[x](security.md#nowhere)", "[x](../nowhere/x.py)"])
def test_a_link_that_leads_nowhere_ends_the_build(tmp_path: Path, broken: str) -> None:
    for name in ("docs", "mkdocs.yml"):
        source = REPOSITORY / name
        shutil.copytree(source, tmp_path / name) if source.is_dir() else shutil.copy(source, tmp_path)
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "README.md").write_text("x", encoding="utf-8")
    page = tmp_path / "docs" / "notices.md"
    page.write_text(f"{page.read_text(encoding='utf-8')}\n{broken}\n", encoding="utf-8")
    assert _build(tmp_path / "mkdocs.yml", tmp_path / "site").returncode != 0


def _pages(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    return [page for one in (nav.values() if isinstance(nav, dict) else nav) for page in _pages(one)]


def test_every_page_is_in_the_menu_once_and_the_menu_has_no_other() -> None:
    pages = _pages(yaml.safe_load((REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    assert sorted(pages) == sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))


@pytest.mark.parametrize("name", sorted(schemas.MODELS))
def test_a_schema_file_is_what_the_model_says(name: str) -> None:
    written = (DOCS / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")
    assert written == schemas.schema(name), "python docs/schemas.py"
    jsonschema.Draft202012Validator.check_schema(json.loads(written))


def _examples() -> list[dict[str, Any]]:
    text = (DOCS / "contracts.md").read_text(encoding="utf-8")
    return [json.loads(block) for block in re.findall(r"(?ms)^```json\n(.*?)^```", text)]


def test_the_examples_of_the_contracts_are_what_the_schemas_and_the_readers_take() -> None:
    manifest, promoted = _examples()
    validator = jsonschema.Draft202012Validator(json.loads(schemas.schema("draft-manifest")))
    validator.validate(manifest)
    parse_manifest(json.dumps(manifest).encode())
    record = NewModelAvailable.model_validate(promoted)
    jsonschema.Draft202012Validator(json.loads(schemas.schema("new-model-available"))).validate(promoted)
    assert record.adapter_id.endswith(record.sha256[:16])


def test_a_real_manifest_passes_the_schema_and_what_the_schema_refuses_the_reader_refuses() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(schemas.schema("draft-manifest")))
    good = json.loads(make_draft().manifest)
    validator.validate(good)
    chunk = good["chunks"][0]
    for change in (
        {"version": 0}, {"version": 1000}, {"more": 1}, {"session_id": 7},
        {"chunks": [{**chunk, "chunk_id": ""}]}, {"chunks": [{**chunk, "status": "LOST"}]},
        {"chunks": [{**chunk, "start_ms": -1}]}, {"chunks": [{"chunk_id": "a"}]},
    ):  # fmt: skip
        wrong = {**good, **change}
        assert list(validator.iter_errors(wrong)), change
        with pytest.raises(BadManifest):
            parse_manifest(json.dumps(wrong).encode())


def test_what_the_clerks_guide_quotes_is_what_the_program_says() -> None:
    text = " ".join((DOCS / "es" / "secretaria.md").read_text(encoding="utf-8").split())
    said = " ".join(
        sentence(
            base_replaced=False, entities=9, waiting=waiting, contradicting=waiting, pairs=14,
            left=[LeftOut(reason="x", count=1, explanation="motivo")] if waiting else [],
            quarantined=quarantined, unchanged=False,
        )
        for waiting, quarantined in ((0, None), (1, None), (0, "Motivo."))
    )  # fmt: skip
    quoted = [one.rstrip("…. ") for one in re.findall("«([^»]+)»", text) if len(one) > 11]
    assert len(quoted) == 6
    said += went_back(1)
    for one in quoted:
        assert one in said, one
