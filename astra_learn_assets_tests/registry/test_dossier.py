"""The AI Act's documentation says what can be shown, marks what it cannot know, and is refused otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from astra_learn_assets.cli import app
from astra_learn_assets.errors import ForeignTenant, LineageBroken, NotFound
from astra_learn_assets.learning import dossier, promoter
from astra_learn_assets.platform import Platform
from astra_learn_assets.services.embedded import export_env
from astra_learn_assets.settings import get_settings
from astra_learn_assets.store import documents, paths
from astra_learn_assets.store.tables import Adapter
from astra_learn_assets_tests.registry.conftest import TENANT
from astra_learn_assets_tests.registry.test_promoter import _publish
from astra_learn_assets_tests.registry.test_provenance import trained

__all__ = ["trained"]

ANNEX_IV = [
    "1. Descripción general del sistema de IA",
    "2. Descripción detallada de los elementos del sistema de IA y de su proceso de desarrollo",
    "3. Supervisión, funcionamiento y control del sistema de IA",
    "4. Idoneidad de los parámetros de rendimiento",
    "5. Sistema de gestión de riesgos (artículo 9)",
    "6. Cambios pertinentes durante el ciclo de vida",
    "7. Normas armonizadas aplicadas",
    "8. Declaración UE de conformidad",
    "9. Vigilancia tras la comercialización (artículo 72)",
]


@pytest.fixture
def env(town: Platform, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in export_env(town.settings).items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def test_an_adapter_whose_corpus_is_gone_gets_no_document(town: Platform, trained: Adapter) -> None:
    town.objects.delete(paths.corpus(TENANT, trained.dataset_hash))
    with pytest.raises(LineageBroken, match=r"corpus \w{16} does not check; 'astra-learn lineage' says why"):
        dossier.write(town, TENANT, trained.adapter_id)


def test_an_adapter_with_a_changed_byte_gets_no_document(town: Platform, trained: Adapter) -> None:
    key = f"{paths.adapter(trained.adapter_id)}/adapter_model.safetensors"
    town.objects.put(key, town.objects.get(key)[:-1] + b"x", overwrite=True)
    with pytest.raises(LineageBroken, match=f"adapter {trained.adapter_id} does not check"):
        dossier.write(town, TENANT, trained.adapter_id)


def test_an_adapter_that_nobody_has_judged_gets_no_document(town: Platform, tmp_path: Path) -> None:
    row = _publish(town, tmp_path, 5)
    with pytest.raises(LineageBroken):
        dossier.write(town, TENANT, row.adapter_id)


def test_another_municipalitys_adapter_is_not_documented(town: Platform, trained: Adapter) -> None:
    with pytest.raises((ForeignTenant, NotFound)):
        dossier.write(town, "otra-villa", trained.adapter_id)


def test_the_document_has_every_heading_of_annex_iv_and_the_adapters_figures(
    town: Platform, trained: Adapter
) -> None:
    text = dossier.write(town, TENANT, trained.adapter_id)
    headings = re.findall(r"(?m)^## (\d.*)$", text)
    assert headings == ANNEX_IV
    for shown in (
        trained.adapter_id, trained.digest, trained.dataset_hash, "4 ejemplos de 2 documentos y 0 generales",
        "| torch | 2.11 |", "| wer_gate |", "| superada | comprobado |", "entrado en\nservicio: 1.",
    ):  # fmt: skip
        assert shown in text, shown
    assert "$" not in text, "a place that was not filled"
    assert "| None" not in text
    marked = text.count(dossier.OPEN) - 1
    assert f"{marked} apartados" in text
    assert marked >= 8


def test_no_document_id_and_no_clerk_is_named(town: Platform, trained: Adapter) -> None:
    text = dossier.write(town, TENANT, trained.adapter_id)
    with town.database.session() as session:
        names = [row.document_id for row in documents.listing(session, TENANT)]
    assert len(names) == 2
    assert not [name for name in (*names, "pleno-1", "ana") if re.search(rf"\b{name}\b", text)]


def test_a_way_back_is_a_change_of_its_own(town: Platform, trained: Adapter) -> None:
    promoter.rollback(town, TENANT, by="ana", to="base")
    promoter.rollback(town, TENANT, by="ana", to=trained.adapter_id)
    text = dossier.write(town, TENANT, trained.adapter_id)
    assert "servicio: 2." in text
    assert "| vuelta atrás a este |" in text


def test_the_command_writes_the_file_or_says_why_not(
    town: Platform, trained: Adapter, env: None, tmp_path: Path
) -> None:
    out = tmp_path / "dossier.md"
    done = CliRunner().invoke(app, ["dossier", trained.adapter_id, "--out", str(out)])
    assert done.exit_code == 0
    assert out.read_text(encoding="utf-8").startswith(
        f"# Documentación técnica del sistema de IA: adaptador {TENANT}"
    )
    assert "left to fill in" in done.stdout
    assert CliRunner().invoke(app, ["dossier", trained.adapter_id]).stdout == out.read_text(encoding="utf-8")
    town.objects.delete(paths.corpus(TENANT, trained.dataset_hash))
    refused = CliRunner().invoke(app, ["dossier", trained.adapter_id, "-o", "json"])
    assert refused.exit_code == 1
    assert '"lineage_broken"' in refused.stdout
