"""The whole loop through Dagster with a real training: from a corrected DOCX to the adapter in service."""

from __future__ import annotations

import json

import dagster as dg
import pytest

from astra_learn_assets.datasets import jsonl
from astra_learn_assets.datasets.steady import count_steady
from astra_learn_assets.definitions import defs
from astra_learn_assets.errors import AdapterRefused, GateRefused
from astra_learn_assets.learning import assemble, promote
from astra_learn_assets.learning.training import run as training_run
from astra_learn_assets.learning.training import train
from astra_learn_assets.learning.training.run import Step
from astra_learn_assets.platform import Platform
from astra_learn_assets.privacy.people.persons import is_ordinary
from astra_learn_assets.spanish.lexicon import role_words
from astra_learn_assets.store import blocklist, documents, paths, promotions, trainings
from astra_learn_assets_tests.graph.conftest import Town
from astra_learn_assets_tests.serving.real_adapters import store_of

SESSIONS = tuple(range(8))
PREPARE = ["document_diffs", "anonymized_pairs"]
LEARN = ["golden_set", "training_corpus", "lora_adapter", "evaluation_report", "promoted_adapter"]


def run_assets(
    instance: dg.DagsterInstance, tenant_id: str, names: list[str], *, raise_on_error: bool = True
) -> dg.ExecuteInProcessResult:
    job = defs.resolve_implicit_global_asset_job_def()
    selection = [dg.AssetKey(name) for name in names]
    checks = [key for key in job.asset_layer.asset_graph.asset_check_keys if key.asset_key in selection]
    return job.get_subset(
        asset_selection=set(selection), asset_check_selection=set(checks)
    ).execute_in_process(instance=instance, partition_key=tenant_id, raise_on_error=raise_on_error)


def versions(instance: dg.DagsterInstance, names: list[str]) -> dict[str, str]:
    found = {}
    for name in names:
        event = instance.get_latest_materialization_event(dg.AssetKey(name))
        assert event is not None
        assert event.asset_materialization is not None
        found[name] = (event.asset_materialization.tags or {})["dagster/data_version"]
    return found


@pytest.mark.timeout(1500)
def test_a_corrected_docx_becomes_a_better_adapter_and_a_second_materialization_changes_no_hash(
    instance: dg.DagsterInstance, town: Town
) -> None:
    platform = town.platform
    town.submit(*SESSIONS)
    assert run_assets(instance, town.tenant_id, PREPARE).success
    assert run_assets(instance, town.tenant_id, LEARN).success

    _hostile_documents_taught_nothing(town)
    _no_citizen_is_in_any_example(town)
    with platform.database.session() as session:
        (training,) = trainings.listing(session, town.tenant_id)
        current = promotions.current(session, town.tenant_id)
    assert training.state == "promoted"
    assert current is not None
    assert current.adapter_id == training.adapter_id
    wer = training.metrics["wer"]
    assert wer["candidate_wer"] < wer["base_wer"]
    pointer = json.loads(platform.redis.get(f"NEW_MODEL_AVAILABLE:{town.tenant_id}"))
    assert pointer["adapter_id"] == training.adapter_id

    before = versions(instance, [*PREPARE, *LEARN])
    assert run_assets(instance, town.tenant_id, [*PREPARE, *LEARN]).success
    assert versions(instance, [*PREPARE, *LEARN]) == before
    with platform.database.session() as session:
        assert len(trainings.listing(session, town.tenant_id)) == 1
        assert len(promotions.history(session, town.tenant_id)) == 1

    _the_adapter_is_served_to_its_tenant_alone(platform, town.tenant_id, str(training.adapter_id))
    _a_changed_file_fails_the_gate_and_its_digest_goes_no_further(instance, town)


def _hostile_documents_taught_nothing(town: Town) -> None:
    hostile = {
        (simulated.session_id, simulated.version)
        for index in SESSIONS
        if town.council.is_hostile(index) and (simulated := town.council.session(index))
    }
    assert hostile
    with town.platform.database.session() as session:
        for row in documents.listing(session, town.tenant_id, state="anonymized"):
            assert not any(row.document_id.startswith(f"{name}-v{version}-") for name, version in hostile)


def _no_citizen_is_in_any_example(town: Town) -> None:
    texts = []
    with town.platform.database.session() as session:
        rows = documents.listing(session, town.tenant_id, state="anonymized")
    for row in rows:
        data = town.platform.vault.read(town.tenant_id, paths.pairs(town.tenant_id, row.document_id))
        texts += [f"{example.input} {example.output}".casefold() for example in jsonl.load(data)]
    assert texts
    everything = "\n".join(texts)
    for index in SESSIONS:
        for citizen in town.council.session(index).truth.citizens:
            assert citizen.person.full_name.casefold() not in everything
            for value in (citizen.identity, citizen.phone, citizen.email):
                assert value.casefold() not in everything


def _the_adapter_is_served_to_its_tenant_alone(platform: Platform, tenant_id: str, adapter_id: str) -> None:
    store = store_of(platform, platform.settings.home_path / "core")
    served = store.current(tenant_id)
    assert served.adapter_id == adapter_id
    assert (served.path / "adapter_model.safetensors").is_file()
    tenant, digest = served.manifest.tenant_id, served.manifest.dataset_hash
    corpus = jsonl.load(platform.vault.read(tenant, paths.corpus(tenant, digest)))
    assert served.steady() == count_steady(corpus)
    with pytest.raises(AdapterRefused):
        store.load("rio-claro", adapter_id)


def _a_changed_file_fails_the_gate_and_its_digest_goes_no_further(
    instance: dg.DagsterInstance, town: Town
) -> None:
    """Somebody swaps the corpus in the store: the gate says no, and a run of what follows does not start."""
    platform, tenant_id = town.platform, town.tenant_id
    row = training_run.newest(platform, tenant_id)
    key = paths.corpus(tenant_id, row.dataset_hash)
    lines = platform.vault.read(tenant_id, key).splitlines(keepends=True)
    platform.vault.write(tenant_id, key, b"".join(lines[1:]), overwrite=True)
    result = run_assets(instance, tenant_id, ["training_corpus"], raise_on_error=False)
    assert not result.success
    with pytest.raises(GateRefused):
        train.train_adapter(platform, Step(tenant_id, "by-hand"), run=_never, force=True)


def _never(command: object) -> None:
    raise AssertionError("the trainer must not be started")


def test_nothing_downstream_runs_without_examples_and_the_error_says_what_to_do(
    instance: dg.DagsterInstance, town: Town
) -> None:
    with pytest.raises(GateRefused, match="materialize document_diffs"):
        assemble.build_training_corpus(town.platform, Step(town.tenant_id, "test"))
    result = run_assets(instance, town.tenant_id, LEARN)
    made = [event.asset_key for event in result.get_asset_materialization_events()]
    assert made == [dg.AssetKey("golden_set")]
    with pytest.raises(GateRefused, match="materialize training_corpus"):
        promote.promote_candidate(town.platform, Step(town.tenant_id, "test"))


def test_a_name_on_the_blocklist_today_anonymizes_yesterdays_documents_anew(
    instance: dg.DagsterInstance, town: Town
) -> None:
    town.submit(0, 1)
    assert run_assets(instance, town.tenant_id, PREPARE).success
    with town.platform.database.session() as session:
        word = _a_name_of_the_town(town)
        blocklist.add(session, town.tenant_id, word)
    assert run_assets(instance, town.tenant_id, PREPARE).success
    with town.platform.database.session() as session:
        rows = documents.listing(session, town.tenant_id, state="anonymized")
    for row in rows:
        data = town.platform.vault.read(town.tenant_id, paths.pairs(town.tenant_id, row.document_id))
        for example in jsonl.load(data):
            assert word.casefold() not in f"{example.input} {example.output}".casefold().split()


def _a_name_of_the_town(town: Town) -> str:
    """A word of one of the town's proper nouns that the examples hold."""
    with town.platform.database.session() as session:
        rows = documents.listing(session, town.tenant_id, state="anonymized")
    plain = role_words()
    names = {
        word
        for name in (*town.council.facts.town.quarters, *town.council.facts.town.streets)
        for word in name.split()
        if word[0].isupper() and not is_ordinary(word) and word.casefold() not in plain
    }
    for row in rows:
        data = town.platform.vault.read(town.tenant_id, paths.pairs(town.tenant_id, row.document_id))
        for example in jsonl.load(data):
            for word in example.output.split()[1:]:
                if word in names and len(word) > 4:
                    return word
    raise AssertionError("no proper noun of the town in any example")
