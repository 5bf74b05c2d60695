"""Every string of an example is masked and scanned, whatever its field is called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from astra_learn_assets.datasets.instruct import INSTRUCTION
from astra_learn_assets.privacy import record
from astra_learn_assets.privacy.files import anonymize_file
from astra_learn_assets.privacy.pseudonymizer import Pseudonymizer
from astra_learn_assets.privacy.scan.residual import ResidualScanner

PAIR = {"input": "se aprueva el acta", "output": "Se aprueba el acta."}
OURS = {
    "example_id": "0a" * 32,
    "tenant_id": "villaverde",
    "document_id": "pleno-3-v1-final-0a1b2c3d4e5f",
    "chunk_id": "c-0012",
    "route": 1,
    "audio_uri": "s3://audio/villaverde/pleno-3/0012.wav",
    "start_ms": 100,
    "end_ms": 4200,
    "entities": {},
    "engine_version": "1.1.0",
}


@pytest.fixture(scope="module")
def masker() -> Pseudonymizer:
    return Pseudonymizer(country="es")


@pytest.fixture(scope="module")
def scanner() -> ResidualScanner:
    return ResidualScanner(country="es")


def written(
    tmp_path: Path, masker: Pseudonymizer, scanner: ResidualScanner, *lines: dict[str, Any]
) -> list[Any]:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    anonymize_file(source, target, pseudonymizer=masker, scanner=scanner)
    return [json.loads(line) for line in target.read_text().splitlines()]


@pytest.mark.parametrize(
    "line",
    [
        {
            **PAIR,
            "instruction": "Corrige lo que dijo la señora Eduviges Calpiñan con DNI 12345678Z",
            "meta": {},
        },
        {**PAIR, "meta": {"revisor": "Eduviges Calpiñan", "correo": "e.calpinan@example.org"}},
        {**PAIR, "meta": {"notas": ["visto por doña Eduviges Calpiñan", {"de": "Eduviges Calpiñan"}]}},
        {**PAIR, "meta": {"Eduviges Calpiñan": "sí"}},
        {**PAIR, "meta": {"eduviges calpiñan": {"eduviges calpiñan": 1}}},
        {**PAIR, "meta": {"document_id": "visto por Eduviges Calpiñan"}},
        {**PAIR, "observaciones": "Lo pidió don Eduviges Calpiñan."},
        {**PAIR, "text": "Lo pidió don Eduviges Calpiñan."},
        {"text": "Se aprueba.", "quien": "Eduviges Calpiñan"},
    ],
)
def test_a_name_in_any_string_is_gone_from_what_is_written(
    tmp_path: Path, masker: Pseudonymizer, scanner: ResidualScanner, line: dict[str, Any]
) -> None:
    out = written(tmp_path, masker, scanner, line)
    text = json.dumps(out, ensure_ascii=False).casefold()
    for part in ("eduviges", "calpiñan", "calpinan", "12345678z"):
        assert part not in text
    for one in out:
        assert one.get("output", "Se aprueba el acta.") == "Se aprueba el acta."


def test_a_person_has_one_number_in_instruction_sides_and_meta(
    tmp_path: Path, masker: Pseudonymizer, scanner: ResidualScanner
) -> None:
    (out,) = written(
        tmp_path,
        masker,
        scanner,
        {
            "instruction": "Corrige lo que dijo la señora Eduviges Calpiñan.",
            "input": "la señora Eduviges Calpiñan pide la palavra",
            "output": "La señora Eduviges Calpiñan pide la palabra.",
            "meta": {"habla": "señora Eduviges Calpiñan"},
        },
    )
    number = out["instruction"].partition("<PERSONA_")[2].partition(">")[0]
    assert number.isdigit()
    assert out["input"] == f"la señora <PERSONA_{number}> pide la palavra"
    assert out["meta"] == {"habla": f"señora <PERSONA_{number}>"}


def test_our_own_identifiers_stay_as_they_are(
    tmp_path: Path, masker: Pseudonymizer, scanner: ResidualScanner
) -> None:
    line = {"instruction": INSTRUCTION, **PAIR, "meta": OURS}
    assert written(tmp_path, masker, scanner, line) == [line]
    assert [place for place, _ in record.strings(line)] == [("instruction",), ("input",), ("output",)]


def test_a_line_whose_audio_is_named_after_somebody_is_not_written(
    tmp_path: Path, masker: Pseudonymizer, scanner: ResidualScanner
) -> None:
    named = {**PAIR, "meta": {**OURS, "audio_uri": "s3://audio/villaverde/juana_ramos/0012.wav"}}
    assert written(tmp_path, masker, scanner, named, {**PAIR, "meta": OURS}) == [{**PAIR, "meta": OURS}]
    assert {hit.detector for hit in scanner.scan_values(1, named)} == {"address"}


def test_the_scanner_looks_where_the_masker_looks(scanner: ResidualScanner) -> None:
    values = {
        "instruction": "Corrige lo de don Eduviges Calpiñan",
        **PAIR,
        "meta": {"x": {"y": "dice don Juan Pérez"}},
    }
    assert {hit.field for hit in scanner.scan_values(1, values)} == {"instruction", "meta.*"}


def test_two_keys_that_become_one_lose_no_value_but_the_line(
    tmp_path: Path, masker: Pseudonymizer, scanner: ResidualScanner
) -> None:
    line = {**PAIR, "meta": {"doña Eduviges Calpiñan": 1, "Doña Eduviges Calpiñan": 2, "otra": 3}}
    out = written(tmp_path, masker, scanner, line)
    assert out == [] or sorted(out[0]["meta"].values()) == [1, 2, 3]


def test_a_fields_name_is_no_person_unless_a_name_stands_in_it() -> None:
    fields = {
        "other": 1,
        "reviewed_by": 2,
        "meta": {"sha256_of_audio": "x", "juana": "y", "juana_ramos": "z"},
    }
    keys = [text for place, text in record.strings(fields) if place[-1] == "key"]
    assert keys == ["juana", "juana_ramos"]
