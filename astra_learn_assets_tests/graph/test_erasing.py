"""What is erased is nowhere: its words are searched in a dump of everything the platform has written."""

from __future__ import annotations

import io
import itertools
import re
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from astra_learn_assets.automation import retention
from astra_learn_assets.comparator import diff_file
from astra_learn_assets.comparator.docx.reader import read_document
from astra_learn_assets.contracts import DictionaryEntry, GateVerdict
from astra_learn_assets.datasets import golden, jsonl, replay
from astra_learn_assets.errors import AdapterRevoked, DecryptionFailed, NotFound, TenantErased
from astra_learn_assets.evaluation import wer_gate
from astra_learn_assets.hotpath import intake
from astra_learn_assets.learning import (
    assemble,
    erasing,
    healing,
    lineage,
    opponents,
    promoter,
    publisher,
    rulings,
    verification,
)
from astra_learn_assets.learning.training.run import Step
from astra_learn_assets.platform import Platform
from astra_learn_assets.services import servers
from astra_learn_assets.store import artifacts, dictionary, documents, examples, paths, promotions
from astra_learn_assets.store.db import normalise_url
from astra_learn_assets.store.tables import Adapter, Document
from astra_learn_assets_tests.graph.conftest import Town
from astra_learn_assets_tests.graph.test_loop import PREPARE, run_assets
from astra_learn_assets_tests.registry.builders import BASE, manifest_of, trained_folder
from astra_learn_assets_tests.serving.real_adapters import store_of

_WORD = re.compile(r"\w+")
_SHINGLE = 5


def test_nothing_of_an_erased_document_is_left_anywhere(
    town: Town, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    platform, tenant_id = town.platform, town.tenant_id
    town.submit(0, 1, 2, 3)
    assert run_assets(instance, tenant_id, PREPARE).success
    older = _served(platform, tmp_path, 1, _replayed(platform, tenant_id))
    corpus = assemble.build_training_corpus(platform, Step(tenant_id, "run-1"))
    newer = _served(platform, tmp_path, 2, corpus.dataset_hash)
    core = store_of(platform, tmp_path / "core")
    assert core.current(tenant_id).adapter_id == newer.adapter_id
    chosen = _that_teaches(platform, tenant_id)
    words = _words_of(platform, tenant_id, chosen.document_id) | _plant(
        platform, tenant_id, chosen.document_id
    )
    before = _found(words, platform, instance, tmp_path)
    assert {"object", "postgres"} <= {place.split(" ")[0] for place in before}, (
        "planted nowhere, proves nothing"
    )

    certificate = erasing.erase_document(platform, tenant_id, chosen.document_id, by="ana")

    assert _found(words, platform, instance, tmp_path) == {}
    assert certificate.adapters == (newer.adapter_id,)
    assert certificate.rows > 0
    assert erasing.certificates(platform, tenant_id) == [certificate]
    with platform.database.session() as session:
        current = promotions.current(session, tenant_id)
        assert current is not None
        assert current.adapter_id == older.adapter_id
    with pytest.raises((AdapterRevoked, NotFound)):
        promoter.rollback(platform, tenant_id, by="ana", to=newer.adapter_id)
    assert core.current(tenant_id).adapter_id == older.adapter_id
    assert not (tmp_path / "core" / tenant_id / newer.adapter_id).exists()
    assert {fault.kind for fault in verification.inspect(platform, tenant_id).faults} <= {"mlflow"}
    # what is left is prepared and learned from as before
    assert run_assets(instance, tenant_id, PREPARE).success
    again = assemble.build_training_corpus(platform, Step(tenant_id, "run-2"))
    lines = jsonl.load(platform.vault.read(tenant_id, paths.corpus(tenant_id, again.dataset_hash)))
    assert chosen.document_id not in {line.meta.document_id for line in lines}
    assert {line.meta.document_id for line in lines if line.meta.tenant_id == tenant_id}


def test_nothing_of_an_erased_municipality_is_left_anywhere(
    town: Town, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    platform, tenant_id = town.platform, town.tenant_id
    town.submit(0, 1)
    assert run_assets(instance, tenant_id, PREPARE).success
    served = _served(platform, tmp_path, 1, _replayed(platform, tenant_id))
    core = store_of(platform, tmp_path / "core")
    core.current(tenant_id)
    with platform.database.session() as session:
        finals = [row.artifact_id for row in artifacts.listing(session, tenant_id) if row.kind == "final"]
    words = set().union(*(_words_of(platform, tenant_id, name) for name in finals))
    words |= _plant(platform, tenant_id, finals[0])
    sealed = {key: platform.objects.get(key) for key in platform.objects.list(f"datasets/{tenant_id}")}
    assert _found(words, platform, instance, tmp_path)

    certificate = erasing.erase_tenant(platform, tenant_id, by="ana")
    intake.relay_now(platform)
    retention.forget(instance, [tenant_id], seconds=60)

    assert _found(words, platform, instance, tmp_path) == {}
    assert certificate.adapters == (served.adapter_id,)
    assert not instance.get_runs()
    with pytest.raises(NotFound, match="base model"):
        core.current(tenant_id)
    assert not (tmp_path / "core" / tenant_id).exists()
    assert lineage.champion(platform.settings, tenant_id) is None
    for key, data in sealed.items():  # a backup of the bucket opens no more
        platform.objects.put(key, data)
        with pytest.raises(TenantErased):
            platform.vault.read(tenant_id, key)
        platform.objects.delete(key)


def test_a_database_restored_from_before_an_erasure_is_found_and_erased_again(
    town: Town, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    platform, tenant_id = town.platform, town.tenant_id
    town.submit(0, 1)
    with platform.database.session() as session:
        final = next(row for row in artifacts.listing(session, tenant_id) if row.kind == "final")
    assert run_assets(instance, tenant_id, PREPARE[:1]).success
    backup = {key: platform.objects.get(key) for key in platform.objects.list(f"sessions/{tenant_id}")}
    dump = tmp_path / "backup.dump"
    subprocess.run([_programs() / "pg_dump", "-Fc", "-f", dump, _url(platform)], check=True)
    erasing.erase_document(platform, tenant_id, final.artifact_id, by="ana")
    platform.database.dispose()
    restore = [_programs() / "pg_restore", "--clean", "--if-exists", "-d", _url(platform), dump]
    subprocess.run(restore, check=True, capture_output=True)
    for key, data in backup.items():
        platform.objects.put(key, data)
    faults = verification.inspect(platform, tenant_id).faults
    assert [fault.name for fault in faults if fault.kind == "erased"] == [final.artifact_id]
    healing.repair(platform, tenant_id, faults, by="ana")
    assert "erased" not in {fault.kind for fault in verification.inspect(platform, tenant_id).faults}
    with platform.database.session() as session, pytest.raises(NotFound):
        artifacts.get_artifact(session, tenant_id, final.artifact_id)


def test_a_document_that_is_sent_again_after_its_erasure_is_a_new_one(town: Town) -> None:
    platform, tenant_id = town.platform, town.tenant_id
    town.submit(0)
    with platform.database.session() as session:
        final = next(row for row in artifacts.listing(session, tenant_id) if row.kind == "final")
    erasing.erase_document(platform, tenant_id, final.artifact_id, by="ana")
    with platform.database.session() as session:
        assert artifacts.listing(session, tenant_id) == []
    town.submit(0)
    assert "erased" not in {fault.kind for fault in verification.inspect(platform, tenant_id).faults}


def test_a_certificate_that_we_did_not_sign_is_none(town: Town) -> None:
    platform, tenant_id = town.platform, town.tenant_id
    town.submit(0)
    with platform.database.session() as session:
        final = next(row for row in artifacts.listing(session, tenant_id) if row.kind == "final")
    erasing.erase_document(platform, tenant_id, final.artifact_id, by="ana")
    (key,) = platform.objects.list(paths.certificates(tenant_id))
    forged = platform.objects.get(key).replace(b'"ana"', b'"eva"')
    platform.objects.put(key, forged, overwrite=True)
    assert erasing.certificates(platform, tenant_id) == []


def _served(platform: Platform, tmp_path: Path, seed: int, dataset_hash: str) -> Adapter:
    """A judged and promoted adapter that says it was trained on ``dataset_hash``."""
    folder = trained_folder(tmp_path / f"out-{seed}", seed=seed)
    manifest = manifest_of(folder, dataset_hash=dataset_hash)
    recipe = publisher.recipe_hash(
        dataset_hash=dataset_hash, base_model=BASE, base_revision=None, hyperparameters={"seed": seed}
    )
    run_id = lineage.log_training(platform.settings, manifest, folder=folder)
    row = publisher.publish(platform, folder, manifest, recipe_hash=recipe, mlflow_run_id=run_id)
    test = assemble.build_golden_set(platform, row.tenant_id).golden_hash
    with platform.database.session() as session:
        met = opponents.of_candidate(session, row.tenant_id, row, anew=True)
        for gate in rulings.GATES:
            verdict = GateVerdict(
                gate=gate,  # type: ignore[arg-type]
                tenant_id=row.tenant_id,
                digest=row.digest,
                passed=True,
                reason="test",
                details={
                    "outcome": "promote",
                    "gate_version": wer_gate.VERSION,
                    "dataset_hash": dataset_hash,
                    "base": f"{BASE}@None",
                    "golden_hash": test,
                    "champion_digest": met.champion.digest if met.champion else None,
                    "best_digest": met.best.digest if met.best else None,
                },
            )
            rulings.record(platform, session, verdict)
    promoter.promote(platform, row.tenant_id, row.adapter_id, promoted_by="test")
    return row


def _replayed(platform: Platform, tenant_id: str) -> str:
    """A corpus in which the tenant has no part."""
    data = jsonl.dump(replay.load_replay(None)[:20])
    digest = jsonl.digest(data)
    platform.vault.write(tenant_id, paths.corpus(tenant_id, digest), data)
    return digest


def _that_teaches(platform: Platform, tenant_id: str) -> Document:
    with platform.database.session() as session:
        for row in documents.listing(session, tenant_id, state="anonymized"):
            taught = [one for one in examples.of_document(session, tenant_id, row.document_id) if one.usable]
            if taught and not golden.is_golden(row.document_id, platform.settings.golden_share):
                return row
    raise AssertionError("no document teaches")


def _words_of(platform: Platform, tenant_id: str, final_id: str) -> set[str]:
    """Every run of five words of a final and its draft that no other document and no replay has."""
    with platform.database.session() as session:
        final = artifacts.get_artifact(session, tenant_id, final_id)
        rows = artifacts.listing(session, tenant_id)
    here = [row for row in rows if (row.session_id, row.version) == (final.session_id, final.version)]
    own, others = set(), set()
    for row in rows:
        text = " ".join(block.text for block in read_document(platform.objects.get(row.uri)).blocks)
        (own if row in here else others).update(_shingles(text))
    others |= set().union(*(_shingles(f"{one.input} {one.output}") for one in replay.load_replay(None)))
    assert len(own - others) > 20
    return own - others


def _plant(platform: Platform, tenant_id: str, final_id: str) -> set[str]:
    """Names that the document brought into the dictionary, its history and its events; told and untold."""
    entry = DictionaryEntry(
        wrong="Kintanija Borruel",
        right="Quintanilla Borruel",
        kind="person",
        source_document=final_id,
        author="clerk",
        created_at=datetime.now(UTC),
    )
    with platform.database.session() as session:
        dictionary.apply(session, tenant_id, [entry])
    intake.relay_now(platform)
    changed = entry.model_copy(update={"right": "Quintanija Borruel"})
    with platform.database.session() as session:
        dictionary.apply(session, tenant_id, [changed])
    return {"kintanija", "quintanilla", "quintanija"}


def _shingles(text: str) -> set[str]:
    words = _WORD.findall(text.casefold())
    return {" ".join(words[n : n + _SHINGLE]) for n in range(len(words) - _SHINGLE + 1)}


def _found(
    words: set[str], platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> dict[str, set[str]]:
    """Place -> those of ``words`` that stand there."""
    told = {}
    names = {word for word in words if word.count(" ") < _SHINGLE - 1}
    for place, text in _everything(platform, instance, tmp_path):
        lower = text.casefold()
        if hits := (words & _shingles(text)) | {name for name in names if name in lower}:
            told[place] = hits
    return told


def _everything(
    platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> Iterator[tuple[str, str]]:
    dumped = subprocess.run([_programs() / "pg_dump", _url(platform)], check=True, capture_output=True)
    yield "postgres", dumped.stdout.decode()
    for key in platform.redis.keys("*"):
        yield f"redis {key}", str(platform.redis.get(key))
    for run in instance.get_runs():
        yield f"dagster {run.run_id}", str(run) + "\n".join(map(str, instance.all_logs(run.run_id)))
    objects = Path(str(platform.settings.object_store_url).removeprefix("file://"))
    for path in itertools.chain(platform.settings.home_path.rglob("*"), (tmp_path / "core").rglob("*")):
        if not path.is_file():
            continue
        data = path.read_bytes()
        if not path.is_relative_to(objects):
            yield f"file {path.name}", data.decode("utf-8", "replace")
            continue
        key = path.relative_to(objects).as_posix()
        for text in _texts_of_object(platform, key, data):
            yield f"object {key}", text


def _texts_of_object(platform: Platform, key: str, data: bytes) -> Iterator[str]:
    yield data.decode("utf-8", "replace")
    if key.endswith(".docx"):
        yield " ".join(block.text for block in read_document(data).blocks)
    if zipfile.is_zipfile(io.BytesIO(data)):
        return
    if paths.is_encrypted(key):
        tenant_id = key.split("/")[1]
        try:
            plain = platform.vault.read(tenant_id, key)
        except (DecryptionFailed, TenantErased):
            return
        yield diff_file.decode(plain).model_dump_json() if key.endswith(".parquet") else plain.decode()


def _programs() -> Path:
    site, installed, _ = servers._postgres_files()
    return Path(site, installed, "bin")


def _url(platform: Platform) -> str:
    url = normalise_url(str(platform.settings.database_url))
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
