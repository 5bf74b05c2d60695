"""Between an upload and a corpus: what is read, what is shown, and what becomes of a bad document."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from astra_learn_assets.automation import preparing
from astra_learn_assets.automation.sensors import feedback
from astra_learn_assets.comparator import diff_file
from astra_learn_assets.contracts import Example, GateVerdict
from astra_learn_assets.datasets import golden, instruct, jsonl
from astra_learn_assets.errors import BadConfiguration, BadInput, GateRefused
from astra_learn_assets.learning import anonymize, assemble, compare, masking
from astra_learn_assets.learning.masking import Policy
from astra_learn_assets.learning.training.run import Step
from astra_learn_assets.partitions import tenant_partitions
from astra_learn_assets.platform import Platform
from astra_learn_assets.privacy import pseudonymizer
from astra_learn_assets.store import artifacts, blocklist, documents, examples, paths, verdicts
from astra_learn_assets.store.documents import Outstanding
from astra_learn_assets_tests.conftest import MakeTenant
from astra_learn_assets_tests.datasets import builders
from astra_learn_assets_tests.graph.conftest import Town
from astra_learn_assets_tests.graph.test_loop import PREPARE, run_assets

NAME = "Remedios Quintanilla Batres"
TENANT = "villaverde"
BY_HAND = Step(TENANT, "by-hand")


def _judged(
    platform: Platform, number: int, *, of_golden: bool = False, pairs: int = 10, editor: str = "clerk"
) -> str:
    """A document whose examples passed pii_gate under today's policy; returns its id."""
    share = platform.settings.golden_share
    sha = hashlib.sha256(f"final {number} {of_golden}".encode()).hexdigest()
    names = (f"pleno-{number}-{n}" for n in range(1000))
    session_id = next(
        name
        for name in names
        if golden.is_golden(artifacts.artifact_id(name, 1, "final", sha), share) is of_golden
    )
    policy = masking.policy_of(platform, TENANT)
    with platform.database.session() as session:
        artifacts.register_session(session, TENANT, session_id=session_id, version=1)
        final, _ = artifacts.add_artifact(
            session,
            TENANT,
            session_id=session_id,
            version=1,
            kind="final",
            uri=f"sessions/{TENANT}/{session_id}/v1/final.docx",
            sha256=sha,
            uploaded_by=editor,
        )
        made = [
            builders.example(item.input, item.output, document=final.artifact_id, chunk=f"c{n}")
            for n, item in enumerate(builders.document(number, pairs))
        ]
        _write(platform, final.artifact_id, made)
        examples.add(
            session,
            TENANT,
            [
                examples.NewExample(
                    item.meta.example_id, final.artifact_id, 1, golden=of_golden, usable=True, reason=None
                )
                for item in made
            ],
        )
        row = documents.record(
            session,
            TENANT,
            document_id=final.artifact_id,
            artifact_id=final.artifact_id,
            state="anonymized",
            diff_sha256="a" * 64,
            pairs_sha256=jsonl.digest(jsonl.dump(made)),
            pii_policy=policy.fingerprint,
        )
        verdicts.record(
            session,
            GateVerdict(
                gate="pii_gate", tenant_id=TENANT, digest=anonymize.gate_digest(row), passed=True, reason="ok"
            ),
        )
        assert documents.judged(
            session,
            TENANT,
            row.document_id,
            pairs_sha256=str(row.pairs_sha256),
            pii_policy=policy.fingerprint,
            approved=True,
        )
        return final.artifact_id


def _write(platform: Platform, document_id: str, lines: Sequence[Example]) -> None:
    key = paths.pairs(TENANT, document_id)
    platform.vault.write(TENANT, key, jsonl.dump(lines), overwrite=True)


def _swap(platform: Platform, document_id: str) -> None:
    """Somebody with access to the bucket and the key puts a name into the judged file."""
    key = paths.pairs(TENANT, document_id)
    first, *rest = jsonl.load(platform.vault.read(TENANT, key))
    _write(platform, document_id, [first.model_copy(update={"output": f"{first.output} {NAME}"}), *rest])


def _build(platform: Platform) -> assemble.CorpusResult:
    return assemble.build_training_corpus(platform, BY_HAND)


def _outstanding(platform: Platform) -> Outstanding:
    return anonymize.outstanding(platform, TENANT)


def _states(platform: Platform) -> dict[str, str]:
    with platform.database.session() as session:
        return {row.document_id: row.state for row in documents.listing(session, TENANT)}


@pytest.mark.parametrize("of_golden", [False, True])
def test_an_example_file_that_changed_after_its_verdict_is_refused_by_name_and_made_anew(
    platform: Platform, make_tenant: MakeTenant, settings: object, of_golden: bool
) -> None:
    make_tenant(TENANT)
    for number in range(4):
        _judged(platform, number)
    changed = _judged(platform, 9, of_golden=of_golden)
    assert _build(platform).tenant_examples > 0
    _swap(platform, changed)
    with pytest.raises(GateRefused, match=changed) as refused:
        _build(platform)
    assert "Quintanilla" not in str(refused.value)
    assert _states(platform)[changed] == "compared"
    assert _outstanding(platform).stale == (changed,)


def test_the_golden_set_takes_only_examples_that_the_index_holds_as_usable(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant(TENANT)
    document = _judged(platform, 1, of_golden=True)
    before = assemble.build_golden_set(platform, TENANT)
    with platform.database.session() as session:
        one = examples.of_document(session, TENANT, document)[0].example_id
        examples.exclude(session, TENANT, [one], "a clerk took it back")
    assert assemble.build_golden_set(platform, TENANT).examples == before.examples - 1


def test_a_document_made_under_an_older_policy_is_in_no_corpus_golden_set_or_preview(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant(TENANT)
    for number in range(4):
        _judged(platform, number)
    _judged(platform, 9, of_golden=True)
    _build(platform)
    assert assemble.preview(platform, TENANT)
    with platform.database.session() as session:
        blocklist.add(session, TENANT, NAME)
    verdict = assemble.judge(platform, BY_HAND)
    assert not verdict.passed, "a corpus built a moment ago is not trained on any more"
    assert "privacy policy" in verdict.reason
    assert assemble.build_golden_set(platform, TENANT).examples == 0
    assert assemble.preview(platform, TENANT) == ()
    with pytest.raises(GateRefused, match="privacy policy"):
        _build(platform)
    judged = anonymize.judge(platform, TENANT)
    assert len(judged) == 5
    assert not any(one.passed for one in judged)
    assert len(_outstanding(platform).stale) == 5


def test_one_editor_of_three_does_not_fill_the_corpus(platform: Platform, make_tenant: MakeTenant) -> None:
    make_tenant(TENANT)
    editors = {0: "bea", 1: "carlos", **dict.fromkeys(range(2, 10), "ana")}
    for number, editor in editors.items():
        _judged(platform, number, editor=editor)
    assert _build(platform).left_out["contributor_share"] > 0


def test_the_policy_changes_with_the_detectors_and_with_the_model_s_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fingerprint(model: str | None = None) -> str:
        masking.detectors.cache_clear()
        return Policy("es", (), (), model).fingerprint

    shipped = fingerprint()
    assert fingerprint() == shipped
    model = tmp_path / "model"
    model.mkdir()
    (model / "weights").write_bytes(b"1")
    first = fingerprint(str(model))
    (model / "weights").write_bytes(b"2")
    assert fingerprint(str(model)) != first, "the folder was overwritten"
    with monkeypatch.context() as patch:
        patch.setattr(pseudonymizer, "VERSION", "another")
        assert fingerprint() != shipped
    with pytest.raises(BadConfiguration, match="no_such_model"):
        fingerprint("no_such_model")
    masking.detectors.cache_clear()


def test_one_missing_final_does_not_hold_up_the_others_and_is_read_when_it_is_back(
    instance: dg.DagsterInstance, town: Town
) -> None:
    platform = town.platform
    town.submit(0, 1, 3)
    with platform.database.session() as session:
        lost = artifacts.finals_without_document(session, TENANT)[0]
    data = platform.objects.get(lost.uri)
    platform.objects.delete(lost.uri)
    platform.objects.delete(paths.diff(TENANT, lost.artifact_id, lost.comparison))
    result = compare.compare_waiting_finals(platform, TENANT)
    assert result.unreadable == (lost.artifact_id,)
    assert "falta el fichero" in result.quarantined[lost.artifact_id]
    assert "compared" in _states(platform).values(), "the others were compared"
    platform.objects.put(lost.uri, b"another file")
    again = compare.compare_waiting_finals(platform, TENANT)
    assert "no es el que se registró" in again.quarantined[lost.artifact_id]
    assert feedback(instance, platform).run_requests
    platform.objects.put(lost.uri, data, overwrite=True)
    assert compare.compare_waiting_finals(platform, TENANT).unreadable == ()
    assert not _outstanding(platform).unreadable


def test_a_damaged_diff_keeps_out_its_document_alone_until_it_is_compared_again(town: Town) -> None:
    platform = town.platform
    town.submit(0, 1, 3)
    compare.compare_waiting_finals(platform, TENANT)
    bad, good, *_ = [name for name, state in _states(platform).items() if state == "compared"]
    with platform.database.session() as session:
        comparison = artifacts.get_artifact(session, TENANT, bad).comparison
    platform.vault.write(TENANT, paths.diff(TENANT, bad, comparison), b"PAR1 not a diff", overwrite=True)
    result = anonymize.anonymize_documents(platform, TENANT)
    assert result.unreadable == (bad,)
    assert (_states(platform)[bad], _states(platform)[good]) == ("quarantined", "anonymized")
    with platform.database.session() as session:
        assert "no es el que se registró" in str(documents.get(session, TENANT, bad).reason)
    assert [v.reason for v in anonymize.judge(platform, TENANT) if not v.passed] == []
    assert _outstanding(platform).unreadable == (bad,)

    compare.compare_waiting_finals(platform, TENANT)
    anonymize.anonymize_documents(platform, TENANT)
    key = paths.pairs(TENANT, bad)
    _swap(platform, bad)
    failed = [verdict for verdict in anonymize.judge(platform, TENANT) if not verdict.passed]
    assert [bad in verdict.reason for verdict in failed] == [True], "its file is not the one recorded"
    anonymize.anonymize_documents(platform, TENANT)
    assert all(verdict.passed for verdict in anonymize.judge(platform, TENANT))
    assert NAME.encode() not in platform.vault.read(TENANT, key)
    assert not _outstanding(platform)


def test_a_document_that_cannot_become_examples_is_kept_out_alone(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = town.platform
    town.submit(0, 1, 3)
    compare.compare_waiting_finals(platform, TENANT)
    bad, good, *_ = [name for name, state in _states(platform).items() if state == "compared"]
    real = instruct.make_example

    def picky(**kwargs: Any) -> Example:
        if kwargs["document_id"] == bad:
            raise BadInput("half a character")
        return real(**kwargs)

    monkeypatch.setattr(instruct, "make_example", picky)
    assert anonymize.anonymize_documents(platform, TENANT).refused == (bad,)
    assert (_states(platform)[bad], _states(platform)[good]) == ("quarantined", "anonymized")
    assert not _outstanding(platform).stale
    assert not _outstanding(platform).unreadable


def test_a_run_that_died_after_the_comparison_or_before_the_gate_is_asked_for_again(
    instance: dg.DagsterInstance, town: Town
) -> None:
    platform = town.platform
    town.submit(0, 1)
    keys = []
    for step in (
        compare.compare_waiting_finals,
        anonymize.anonymize_documents,
        anonymize.judge,
    ):
        (request,) = feedback(instance, platform).run_requests or []
        keys.append(request.run_key)
        step(platform, TENANT)
    assert len(set(keys)) == 3, "other work, another key"
    silent = feedback(instance, platform)
    assert not silent.run_requests
    assert silent.skip_reason is not None
    assert "nothing waits" in str(silent.skip_reason.skip_message)
    with platform.database.session() as session:
        blocklist.add(session, TENANT, NAME)
    assert feedback(instance, platform).run_requests, "yesterday's documents are stale"


def test_work_that_six_runs_did_not_change_needs_a_person_and_is_tried_again_a_day_later(
    instance: dg.DagsterInstance, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "RETRY_AFTER", timedelta(0))
    town.submit(0)
    keys = set()
    for _ in range(6):
        (request,) = feedback(instance, town.platform).run_requests or []
        keys.add(request.run_key)
        _fail(instance, request)
    assert len(keys) == 6
    result = feedback(instance, town.platform)
    assert not result.run_requests
    assert result.skip_reason is not None
    said = str(result.skip_reason.skip_message)
    assert "a person must look" in said
    assert "new finals" in said
    monkeypatch.setattr(preparing, "WINDOW", timedelta(0))
    (later,) = feedback(instance, town.platform).run_requests or []
    assert later.run_key not in keys


def test_an_erased_tenant_leaves_the_partitions_and_never_comes_back(
    instance: dg.DagsterInstance, town: Town
) -> None:
    town.submit(0)
    town.platform.vault.erase_tenant(TENANT)
    result = feedback(instance, town.platform)
    (removal,) = result.dynamic_partitions_requests or []
    assert isinstance(removal, dg.DeleteDynamicPartitionsRequest)
    assert removal.partition_keys == [TENANT]
    assert not result.run_requests
    instance.delete_dynamic_partition(str(tenant_partitions.name), TENANT)
    assert not feedback(instance, town.platform).dynamic_partitions_requests


def test_a_tenant_without_examples_does_not_turn_a_backfill_red(
    instance: dg.DagsterInstance, town: Town
) -> None:
    chain = ["document_diffs", "anonymized_pairs", "golden_set", "training_corpus", "lora_adapter"]
    result = run_assets(instance, town.tenant_id, [*chain, "evaluation_report", "promoted_adapter"])
    assert result.success
    made = {event.asset_key for event in result.get_asset_materialization_events()}
    assert made == {dg.AssetKey(name) for name in chain[:3]}, "there is no corpus, so nothing is trained"
    (gate,) = result.get_asset_check_evaluations()
    assert gate.check_name == "pii_gate"
    assert "no examples" in str(gate.description)


def test_text_is_shown_only_after_its_gate(instance: dg.DagsterInstance, town: Town) -> None:
    town.submit(0, 1)
    result = run_assets(instance, town.tenant_id, ["document_diffs", "anonymized_pairs"])
    for name in ("document_diffs", "anonymized_pairs"):
        event = instance.get_latest_materialization_event(dg.AssetKey(name))
        assert event is not None
        assert event.asset_materialization is not None
        assert "preview" not in event.asset_materialization.metadata
    (gate,) = result.get_asset_check_evaluations()
    assert gate.passed
    assert gate.metadata["preview"]
    with town.platform.database.session() as session:
        row = documents.listing(session, TENANT, state="anonymized")[0]
        verdicts.record(
            session,
            GateVerdict(
                gate="pii_gate", tenant_id=TENANT, digest=anonymize.gate_digest(row), passed=False, reason="x"
            ),
        )
    failed = run_assets(instance, town.tenant_id, ["anonymized_pairs"], raise_on_error=False)
    (gate,) = failed.get_asset_check_evaluations()
    assert not gate.passed
    assert "preview" not in gate.metadata


def _fail(instance: dg.DagsterInstance, request: dg.RunRequest) -> None:
    @dg.op
    def nothing() -> None:
        return None

    @dg.job(name="prepare_examples")
    def prepare_examples() -> None:
        nothing()

    tags = {**request.tags, "dagster/partition": TENANT}
    instance.report_run_failed(instance.create_run_for_job(prepare_examples, tags=tags))


def test_a_materialization_counts_the_rows_of_all_files_also_when_it_made_none(
    instance: dg.DagsterInstance, town: Town
) -> None:
    town.submit(0, 1)
    assert run_assets(instance, TENANT, PREPARE).success
    with town.platform.database.session() as session:
        rows = documents.listing(session, TENANT)
        compared = {
            row.document_id: artifacts.get_artifact(session, TENANT, row.artifact_id).comparison
            for row in rows
            if row.diff_sha256
        }
    read = town.platform.vault.read
    diffs = [read(TENANT, paths.diff(TENANT, name, inputs)) for name, inputs in compared.items()]
    pairs = [read(TENANT, paths.pairs(TENANT, row.document_id)) for row in rows if row.pairs_sha256]
    held = {
        "document_diffs": sum(len(diff_file.decode(data).blocks) for data in diffs),
        "anonymized_pairs": sum(len(jsonl.load(data)) for data in pairs),
    }
    assert min(held.values()) > 0
    assert _row_counts(instance) == held
    assert run_assets(instance, TENANT, PREPARE).success
    assert _row_counts(instance) == held


def _row_counts(instance: dg.DagsterInstance) -> dict[str, object]:
    counts = {}
    for name in PREPARE:
        event = instance.get_latest_materialization_event(dg.AssetKey(name))
        assert event is not None
        assert event.asset_materialization is not None
        counts[name] = event.asset_materialization.metadata["dagster/row_count"].value
    return counts
