"""The way of an adapter, from documents to promotions: what is not sound is named, link by link."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from mlflow import MlflowClient
from typer.testing import CliRunner

from astra_learn_assets.cli import app
from astra_learn_assets.contracts import Example, ExampleMeta, GateVerdict
from astra_learn_assets.datasets import jsonl
from astra_learn_assets.errors import ForeignTenant, NotFound
from astra_learn_assets.learning import lineage, promoter, provenance, publisher
from astra_learn_assets.learning.provenance import BROKEN, CHANGED, SOUND
from astra_learn_assets.platform import Platform
from astra_learn_assets.services.embedded import export_env
from astra_learn_assets.settings import get_settings
from astra_learn_assets.store import artifacts, documents, paths, trainings, verdicts
from astra_learn_assets.store.tables import Adapter
from astra_learn_assets_tests.registry.builders import BASE, METRICS, manifest_of, trained_folder
from astra_learn_assets_tests.registry.conftest import TENANT
from astra_learn_assets_tests.registry.test_promoter import _judge

DOCX = b"the final as it was uploaded"


def _example(document_id: str, number: int) -> Example:
    text = f"párrafo {number} de {document_id}"
    return Example(
        instruction="Corrige.",
        input=text,
        output=f"{text}.",
        meta=ExampleMeta(
            example_id=hashlib.sha256(text.encode()).hexdigest(),
            tenant_id=TENANT,
            document_id=document_id,
            route=1,
            engine_version="test",
        ),
    )


def _document(platform: Platform, session_id: str) -> list[Example]:
    """A final with two examples, stored as the learning path leaves it."""
    sha256 = hashlib.sha256(DOCX + session_id.encode()).hexdigest()
    key = paths.final_docx(TENANT, session_id, 1, sha256)
    platform.objects.put(key, DOCX + session_id.encode())
    with platform.database.session() as session:
        artifacts.register_session(session, TENANT, session_id=session_id, version=1)
        row, _ = artifacts.add_artifact(
            session,
            TENANT,
            session_id=session_id,
            version=1,
            kind="final",
            uri=key,
            sha256=sha256,
            uploaded_by="ana",
        )
        document_id = row.artifact_id
    made = [_example(document_id, number) for number in (1, 2)]
    _pairs(platform, document_id, made)
    return made


def _pairs(platform: Platform, document_id: str, made: list[Example]) -> None:
    data = jsonl.dump(made)
    platform.vault.write(TENANT, paths.pairs(TENANT, document_id), data, overwrite=True)
    with platform.database.session() as session:
        documents.record(
            session,
            TENANT,
            document_id=document_id,
            artifact_id=document_id,
            state="anonymized",
            pairs_sha256=jsonl.digest(data),
            pii_policy="p" * 16,
        )


@pytest.fixture
def trained(town: Platform, tmp_path: Path) -> Adapter:
    """An adapter of two documents, trained, judged and promoted."""
    lines = [*_document(town, "pleno-1"), *_document(town, "pleno-2")]
    data = jsonl.dump(lines)
    digest = jsonl.digest(data)
    town.vault.write(TENANT, paths.corpus(TENANT, digest), data)
    folder = trained_folder(
        tmp_path / "out", metrics={**METRICS, provenance.TRAINED_BY: "run-1", "package.torch": "2.11"}
    )
    manifest = manifest_of(folder, dataset_hash=digest)
    held = provenance.documents_of(town, TENANT, digest)
    given = lineage.Input("training_corpus", digest, paths.corpus(TENANT, digest), held)
    run_id = lineage.log_training(
        town.settings, manifest, folder=folder, dagster_run_id="run-1", inputs=[given]
    )
    recipe = publisher.recipe_hash(
        dataset_hash=digest, base_model=BASE, base_revision=None, hyperparameters={"seed": 1}
    )
    row = publisher.publish(town, folder, manifest, recipe_hash=recipe, mlflow_run_id=run_id)
    with town.database.session() as session:
        trainings.start(session, TENANT, through_seq=1, attempt=1, dagster_run_id="run-1")
        trainings.update(
            session,
            f"{TENANT}-1-1",
            state="promoted",
            dataset_hash=digest,
            adapter_id=row.adapter_id,
            mlflow_run_id=run_id,
        )
    _judge(town, row)
    promoter.promote(town, TENANT, row.adapter_id, promoted_by="ana")
    return row


def _states(platform: Platform, row: Adapter) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for link in provenance.walk(platform, TENANT, row.adapter_id):
        found.setdefault(link.step, set()).add(link.state)
    return found


def test_every_link_of_a_sound_adapter_is_there_in_order_and_says_what_it_is(
    town: Platform, trained: Adapter
) -> None:
    links = provenance.walk(town, TENANT, trained.adapter_id)
    assert [link.step for link in links] == [
        *("document", "pairs") * 2, "corpus", "training", "adapter", "verdict", "verdict", "promotion"
    ]  # fmt: skip
    assert {link.state for link in links} == {SOUND}
    by_step = {link.step: link for link in links}
    assert by_step["corpus"].digest == trained.dataset_hash
    assert "4 examples of 2 documents" in by_step["corpus"].said
    assert "Dagster run run-1" in by_step["adapter"].said
    assert "promotion by ana, after the base model" in by_step["promotion"].said


def test_a_run_that_only_found_the_adapter_does_not_claim_to_have_trained_it(
    town: Platform, trained: Adapter
) -> None:
    with town.database.session() as session:
        trainings.start(session, TENANT, through_seq=1, attempt=2, dagster_run_id="backfill")
        trainings.update(
            session,
            f"{TENANT}-1-2",
            state="promoted",
            dataset_hash=trained.dataset_hash,
            adapter_id=trained.adapter_id,
        )
    (adapter,) = [one for one in provenance.walk(town, TENANT, trained.adapter_id) if one.step == "adapter"]
    assert "Dagster run run-1" in adapter.said
    assert "backfill" not in adapter.said


def test_each_thing_that_is_not_what_it_was_breaks_its_own_link(town: Platform, trained: Adapter) -> None:
    with town.database.session() as session:
        first, second = documents.listing(session, TENANT)
        final = artifacts.get_artifact(session, TENANT, first.artifact_id)
    town.objects.put(final.uri, b"another final", overwrite=True)
    assert _states(town, trained)["document"] == {SOUND, BROKEN}
    made = [_example(second.document_id, 1), _example(second.document_id, 3)]
    _pairs(town, second.document_id, made)  # under another privacy policy
    assert _states(town, trained)["pairs"] == {SOUND, CHANGED}
    town.objects.delete(paths.pairs(TENANT, second.document_id))
    assert _states(town, trained)["pairs"] == {SOUND, BROKEN}
    town.objects.put(f"{paths.adapter(trained.adapter_id)}/adapter_config.json", b"{}", overwrite=True)
    assert _states(town, trained)["adapter"] == {BROKEN}
    with town.database.session() as session:
        verdict = GateVerdict(
            gate="wer_gate", tenant_id=TENANT, digest=trained.digest, passed=True, reason="by somebody"
        )
        verdicts.record(session, verdict)
    assert _states(town, trained)["verdict"] == {SOUND, BROKEN}
    town.objects.delete(paths.corpus(TENANT, trained.dataset_hash))
    states = _states(town, trained)
    assert states["corpus"] == {BROKEN}
    assert "document" not in states  # who its documents were stood in the corpus


def test_another_tenants_adapter_and_one_that_never_was_are_refused(town: Platform, trained: Adapter) -> None:
    with pytest.raises(ForeignTenant):
        provenance.walk(town, "otra-villa", trained.adapter_id)
    with pytest.raises(NotFound):
        provenance.walk(town, TENANT, f"{TENANT}--{'0' * 16}")


def test_mlflow_has_the_corpus_with_the_hash_of_each_document_and_all_that_was_really_used(
    town: Platform, trained: Adapter
) -> None:
    client = MlflowClient(tracking_uri=str(town.settings.mlflow_tracking_uri))
    run = client.get_run(str(trained.mlflow_run_id))
    (given,) = run.inputs.dataset_inputs
    assert given.dataset.name == "training_corpus"
    assert trained.dataset_hash in given.dataset.profile
    with town.database.session() as session:
        for row in documents.listing(session, TENANT):
            assert f'"{row.document_id}": "{row.pairs_sha256}"' in given.dataset.profile
    assert run.data.params["package.torch"] == "2.11"
    assert run.data.params["rank"] == "4"
    assert run.data.tags["dagster_run_id"] == "run-1"


def test_the_command_ends_with_1_at_a_broken_link(
    town: Platform, trained: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in export_env(town.settings).items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    answer = CliRunner().invoke(app, ["lineage", trained.adapter_id])
    assert answer.exit_code == 0, answer.output
    assert trained.dataset_hash[:16] in answer.output
    town.objects.delete(paths.corpus(TENANT, trained.dataset_hash))
    assert CliRunner().invoke(app, ["lineage", trained.adapter_id]).exit_code == 1
    get_settings.cache_clear()
