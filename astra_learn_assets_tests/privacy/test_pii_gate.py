"""The verdict of ``pii_gate``: counts, kinds and versions, the leak as a number, and never a text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.errors import BadJsonl
from astra_learn_assets.privacy.pseudonymizer import VERSION, PseudonymizedPair, Pseudonymizer
from astra_learn_assets.privacy.scan import pii_gate as gate_module
from astra_learn_assets.privacy.scan.canary import CanaryResult, run_canaries
from astra_learn_assets.privacy.scan.pii_gate import batch_canary, pii_gate
from astra_learn_assets.privacy.scan.residual import ResidualScanner
from astra_learn_assets_tests.privacy.test_residual import CLEAN, jsonl


def verdict(data: bytes, scanner: ResidualScanner, pseudonymizer: Pseudonymizer):  # type: ignore[no-untyped-def]
    digest = hashlib.sha256(data).hexdigest()
    return pii_gate(data, scanner=scanner, pseudonymizer=pseudonymizer, tenant_id="villaverde", digest=digest)


def test_the_gate_passes_clean_bytes_and_tells_its_leak_estimate(
    scanner: ResidualScanner, pseudonymizer: Pseudonymizer
) -> None:
    passed = verdict(jsonl(*CLEAN), scanner, pseudonymizer)
    assert passed.passed, passed.reason
    assert passed.details["canaries"] == 60
    assert 0 <= float(passed.details["leak_low"] or 0) <= float(passed.details["leak_high"] or 0) < 0.15
    assert "detector.presidio-analyzer" in passed.details


def test_the_gate_blocks_one_remaining_name_and_says_the_kind_only(
    scanner: ResidualScanner, pseudonymizer: Pseudonymizer
) -> None:
    refused = verdict(jsonl(*CLEAN, "Interviene Pedro García López."), scanner, pseudonymizer)
    assert not refused.passed
    assert "PERSONA" in refused.reason
    assert "García" not in refused.model_dump_json()


NO_LEAK = CanaryResult(60, 7, 2, 0.0123456, 0.0987654, 1, 1)


def judged(
    data: bytes, scanner: ResidualScanner, pseudonymizer: Pseudonymizer, canary: CanaryResult
) -> GateVerdict:
    return pii_gate(
        data,
        scanner=scanner,
        pseudonymizer=pseudonymizer,
        tenant_id="villaverde",
        digest="a" * 64,
        canary=canary,
    )


def figures(scanner: ResidualScanner, pseudonymizer: Pseudonymizer, **counts: int) -> dict[str, object]:
    """The details of a verdict with :data:`NO_LEAK`, of texts with one person's placeholder."""
    return {
        "masked.PERSONA": 1,
        "canary_batch": NO_LEAK.batch,
        "detector.pseudonymizer": f"{VERSION} with {pseudonymizer.model_name}",
        **{f"detector.{name}": value for name, value in scanner.detectors.items()},
        **counts,
        "canaries": 60,
        "canaries_missed": 2,
        "canaries_missed_by_pseudonymizer": 7,
        "canary_recall": 0.9667,
        "leak_low": 0.0123,
        "leak_high": 0.0988,
    }


def test_a_passing_verdict_tells_detectors_counts_and_leak(
    scanner: ResidualScanner, pseudonymizer: Pseudonymizer
) -> None:
    counts = {"lines": 2, "hits": 0, "lines_with_hits": 0}
    assert judged(jsonl(*CLEAN[:2]), scanner, pseudonymizer, NO_LEAK) == GateVerdict(
        gate="pii_gate",
        tenant_id="villaverde",
        digest="a" * 64,
        passed=True,
        reason="2 lines clean; canary leak 2/60 (95 % interval 1.2% to 9.9%)",
        details=figures(scanner, pseudonymizer, **counts),  # type: ignore[arg-type]
    )


def test_a_refusal_tells_kinds_and_how_many_lines(
    scanner: ResidualScanner, pseudonymizer: Pseudonymizer
) -> None:
    data = jsonl(CLEAN[0], "Escriba a pedro@villaverde.es y a ana@villaverde.es")
    refused = judged(data, scanner, pseudonymizer, NO_LEAK)
    assert (refused.passed, refused.tenant_id, refused.digest) == (False, "villaverde", "a" * 64)
    assert refused.reason == "1 of 2 lines still hold personal data (EMAIL 4)"
    counts = {"lines": 2, "hits": 4, "lines_with_hits": 1, "hits.EMAIL": 4}
    assert refused.details == figures(scanner, pseudonymizer, **counts)


def test_a_refusal_tells_every_kind(scanner: ResidualScanner, pseudonymizer: Pseudonymizer) -> None:
    data = jsonl("Escriba a pedro@villaverde.es. Interviene Pedro García López.")
    refused = judged(data, scanner, pseudonymizer, NO_LEAK)
    found = scanner.scan_jsonl(data).by_kind
    assert {"EMAIL", "PERSONA"} <= found.keys()
    kinds = ", ".join(f"{kind} {count}" for kind, count in found.items())
    assert refused.reason == f"1 of 1 lines still hold personal data ({kinds})"


@pytest.mark.parametrize(("missed", "passed"), [(3, True), (4, False)])
def test_the_gate_lets_one_canary_in_twenty_pass_and_no_more(
    scanner: ResidualScanner, pseudonymizer: Pseudonymizer, missed: int, passed: bool
) -> None:
    verdict = judged(jsonl(CLEAN[0]), scanner, pseudonymizer, replace(NO_LEAK, missed=missed))
    assert verdict.passed is passed
    if not passed:
        assert verdict.reason == "4 of 60 planted canaries were missed: the detectors do not fit"


def test_canaries_are_planted_among_the_files_own_texts_and_drawn_by_its_content(
    scanner: ResidualScanner, pseudonymizer: Pseudonymizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Sequence[str], dict[str, object]]] = []

    def planted(texts: Sequence[str], **arguments: object) -> CanaryResult:
        asked.append((texts, arguments))
        return NO_LEAK

    monkeypatch.setattr(gate_module, "run_canaries", planted)
    line = {"instruction": "Corrige.", "input": "uno", "output": "  ", "text": "dos", "meta": {"a": 1}}
    other = {"input": 3, "output": "tres"}
    data = json.dumps(line).encode() + b"\n\n" + json.dumps(other).encode()
    arguments = {"pseudonymizer": pseudonymizer, "scanner": scanner}
    pii_gate(data, tenant_id="villaverde", digest="a" * 64, **arguments)  # type: ignore[arg-type]
    assert asked.pop() == (["uno", "dos", "tres"], {**arguments, "seed": "a" * 64})
    result = batch_canary([data, b"no json", jsonl("Cuatro.")], **arguments)  # type: ignore[arg-type]
    assert result == NO_LEAK
    seed = hashlib.sha256(data + b"no json" + jsonl("Cuatro.")).hexdigest()
    assert asked.pop() == (["uno", "dos", "tres", "cuatro.", "Cuatro."], {**arguments, "seed": seed})


def test_a_file_that_is_no_jsonl_gets_a_verdict_with_the_line(
    scanner: ResidualScanner, pseudonymizer: Pseudonymizer
) -> None:
    refused = judged(jsonl(CLEAN[0]) + b"\n{", scanner, pseudonymizer, NO_LEAK)
    with pytest.raises(BadJsonl) as error:
        scanner.scan_jsonl(jsonl(CLEAN[0]) + b"\n{")
    assert refused == GateVerdict(
        gate="pii_gate",
        tenant_id="villaverde",
        digest="a" * 64,
        passed=False,
        reason=str(error.value),
        details={"detector.pseudonymizer": f"{VERSION} with {pseudonymizer.model_name}"},
    )


def test_the_gate_refuses_what_is_no_jsonl(scanner: ResidualScanner, pseudonymizer: Pseudonymizer) -> None:
    assert not verdict(b"not json", scanner, pseudonymizer).passed


def test_the_gate_blocks_when_the_detectors_do_not_work(
    scanner: ResidualScanner, pseudonymizer: Pseudonymizer
) -> None:
    class Blind(Pseudonymizer):
        def __init__(self) -> None:
            self.model_name = "blind"

        def pairs(self, items):  # type: ignore[no-untyped-def]
            return [PseudonymizedPair(b, a, {}) for b, a, _ in items]

    class BlindScanner(ResidualScanner):
        def scan_text(self, text: str) -> list[tuple[int, int, str, str]]:
            return []

    refused = verdict(jsonl(*CLEAN), BlindScanner(), Blind())
    assert not refused.passed
    assert "canaries" in refused.reason
    seen = run_canaries(CLEAN, pseudonymizer=Blind(), scanner=scanner, seed="x")
    assert seen.missed_first == seen.planted


def test_a_street_once_masked_by_mistake_in_every_agreement_does_not_stop_a_municipality(
    scanner: ResidualScanner, pseudonymizer: Pseudonymizer
) -> None:
    repeated = [
        f"Se aprueba el plan de la urbanización Villa <PERSONA_1>, previo informe número {number}."
        for number in range(6)
    ]
    result = run_canaries(repeated, pseudonymizer=pseudonymizer, scanner=scanner, seed="x")
    assert result.missed_persons <= 1


def test_a_canary_still_stands_where_the_text_had_a_person(
    scanner: ResidualScanner, pseudonymizer: Pseudonymizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    pairs = pseudonymizer.pairs

    def listen(texts: Sequence[tuple[str, str, str]]) -> list[PseudonymizedPair]:
        seen.extend(text for text, *_ in texts)
        return pairs(texts)

    monkeypatch.setattr(pseudonymizer, "pairs", listen)
    run_canaries(
        ["La vecina <PERSONA_1> vive en la calle <PERSONA_2>."],
        pseudonymizer=pseudonymizer,
        scanner=scanner,
        seed="x",
    )
    assert sum(text.endswith("vive en la calle <PERSONA_2>.") for text in seen) == 40
