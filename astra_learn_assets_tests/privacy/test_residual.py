"""The last scan sees what was left, says where and never what, and lets ordinary minutes through."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from astra_learn_assets.errors import BadInput, BadJsonl
from astra_learn_assets.privacy.files import anonymize_file, scan_file
from astra_learn_assets.privacy.pseudonymizer import Pseudonymizer
from astra_learn_assets.privacy.scan.canary import clopper_pearson, run_canaries, survives
from astra_learn_assets.privacy.scan.residual import ResidualScanner
from astra_learn_assets_tests.privacy.conftest import engine

CLEAN = [
    "La concejala <PERSONA_1> pregunta por las obras de la calle Simón Bolívar.",
    "El Ayuntamiento de Villaverde aprueba la Ordenanza Fiscal a propuesta de la Concejalía de Urbanismo.",
    "El Grupo Municipal Socialista y el Partido Popular votan a favor; Vox se abstiene.",
    "Se visita el IES Miguel de Cervantes, el Hospital Eugenio Espejo y la plaza del Doctor Fleming.",
    "RUEGOS Y PREGUNTAS",
    "PRIMERO.- Aprobación, si procede, del acta de la sesión anterior, de 3 de mayo de 2023.",
    "Real Decreto Legislativo 2/2004, de 5 de marzo, Texto Refundido de la Ley de Haciendas Locales.",
    "El Sr. Alcalde-Presidente levanta la sesión a las 21:30 horas. Doy fe, la Secretaria General.",
    "La Junta de Gobierno Local adjudica a Construcciones García S.L. por 12.345,67 euros el 2023/000123.",
    "La Mancomunidad, la Diputación Provincial y la Policía Local colaboran en Semana Santa.",
    "Don <PERSONA_2>, con DNI <DNI_1>, vive en la <DIRECCION_1>, teléfono <TELEFONO_1>.",
]
DIRTY = {
    "Interviene Pedro García López.": "PERSONA",
    "gracias don pedro garcía": "PERSONA",
    "SR. QUISPE MAMANI: No.": "PERSONA",
    "Escriba a pedro@villaverde.es": "EMAIL",
    "Su DNI es 12345678Z": "DNI",
    "Llame al 924 366 001": "TELEFONO",
    "Cuenta ES91 2100 0418 4502 0005 1332": "CUENTA",
    "Pe\u200bdro Gar\u200bcía López firma": "PERSONA",
}


def jsonl(*texts: str) -> bytes:
    lines = [{"instruction": "Corrige la transcripción.", "input": t.lower(), "output": t} for t in texts]
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode()


def test_ordinary_masked_minutes_pass(scanner: ResidualScanner) -> None:
    report = scanner.scan_jsonl(jsonl(*CLEAN))
    assert (report.lines, report.hits, report.passed) == (len(CLEAN), [], True)


@pytest.mark.parametrize("text", DIRTY)
def test_what_was_left_is_found_with_line_field_and_kind_but_without_text(
    scanner: ResidualScanner, text: str
) -> None:
    data = json.dumps({"input": "Se abre la sesión.", "output": text}).encode()
    report = scanner.scan_jsonl(jsonl(CLEAN[0]) + b"\n" + data)
    assert DIRTY[text] in report.by_kind
    assert {(hit.line, hit.field) for hit in report.hits} == {(2, "output")}
    assert "garc" not in str([asdict(hit) for hit in report.hits]).lower()


def test_a_blocklisted_surname_is_found_alone(scanner: ResidualScanner) -> None:
    text = json.dumps({"text": "Lo dijo Zutxaga ayer."}).encode()
    assert scanner.scan_jsonl(text).passed
    assert not ResidualScanner(mask_terms=["Ane Zutxaga"]).scan_jsonl(text).passed


def test_what_is_blocked_is_found_in_the_second_scan_though_it_is_allowed_too() -> None:
    """An allowed street hides a name from the last scan, never one on the tenant's blocklist."""
    text = "Se reparan las aceras de la calle Ane Zutxaga y de la calle Pedro García López."
    streets = ["calle Ane Zutxaga", "calle Pedro García López"]
    assert ResidualScanner(allow_terms=streets).scan_text(text) == []
    blocked = ResidualScanner(allow_terms=streets, mask_terms=["Ane Zutxaga"]).scan_text(text)
    assert [(text[start:end], detector) for start, end, _, detector in blocked] == [
        ("Ane Zutxaga", "blocklist")
    ]


@pytest.mark.parametrize("bad", [b"{", b"[1]", b"\xff\xfe", b'"text"', b"{'a': 1}"])
def test_a_broken_line_is_named_by_its_number(scanner: ResidualScanner, bad: bytes) -> None:
    with pytest.raises(BadJsonl) as error:
        scanner.scan_jsonl(jsonl(CLEAN[0]) + b"\n" + bad)
    assert error.value.line == 2


@pytest.mark.parametrize("country", ["es", "ec", "cl", "mx", "pa"])
def test_canaries_of_every_country_are_caught_by_working_detectors(country: str) -> None:
    seen = run_canaries(
        CLEAN, pseudonymizer=engine(country), scanner=ResidualScanner(country=country), seed=country
    )
    assert (seen.planted, seen.missed_identifiers) == (60, 0)
    assert seen.missed_persons <= 1


def test_a_zero_width_letter_a_look_alike_and_markup_hide_no_name_in_any_case(
    pseudonymizer: Pseudonymizer,
) -> None:
    for hidden in (
        "Pe\u200bdro García",
        "P\u0435dro García",
        "<b>Pedro</b> García",
        "Pe\x00dro García",
        "PEDRO GARCÍA",
    ):
        masked = pseudonymizer.text(f"Interviene {hidden} López y nadie más.", 1)[0]
        assert "Garc" not in masked.title()
        assert masked.endswith("y nadie más.")


def test_a_line_of_five_megabytes_is_masked(pseudonymizer: Pseudonymizer) -> None:
    filler = "La obra sigue su curso y la acera se repara. " * 115_000
    masked = pseudonymizer.text(f"{filler}Habla Pedro García López.", 1)[0]
    assert len(filler) > 5_000_000
    assert masked == f"{filler}Habla <PERSONA_1>."


def test_the_interval_is_clopper_and_pearson() -> None:
    low, high = clopper_pearson(0, 60)
    assert (low, round(high, 4)) == (0.0, 0.0596)
    low, high = clopper_pearson(3, 100)
    assert (round(low, 4), round(high, 4)) == (0.0062, 0.0852)
    assert clopper_pearson(0, 0) == (0.0, 1.0)


def test_the_interval_holds_where_plain_powers_underflow() -> None:
    low, high = clopper_pearson(755, 3452)
    assert (round(low, 4), round(high, 4)) == (0.2050, 0.2329)
    low, high = clopper_pearson(9_000, 10_000)
    assert (round(low, 4), round(high, 4)) == (0.8940, 0.9058)


def test_a_canary_counts_as_leaked_by_a_single_word() -> None:
    assert survives("Lucía Ortega", "habla ORTEGA hoy")
    assert survives("12345678", "es 12.345.678-Z")
    assert not survives("Lucía Ortega", "habla <PERSONA_1> hoy")


def test_a_file_is_anonymized_line_by_line_and_scans_clean(
    tmp_path: Path, scanner: ResidualScanner, pseudonymizer: Pseudonymizer
) -> None:
    lines = [
        {
            "input": "habla pedro garcía lópez con dni 12345678z",
            "output": "Habla Pedro García López con DNI 12345678Z.",
        },
        {"text": "Interviene Zulanor Pextimel.", "other": 1},
        {"instruction": "Corrige.", "input": "a", "output": "b", "meta": {"example_id": "e", "entities": {}}},
    ]
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("\ufeff" + "\n\n".join(json.dumps(line) for line in lines) + "\n", encoding="utf-8")
    seen: list[tuple[int, int]] = []
    report = anonymize_file(
        source,
        target,
        pseudonymizer=pseudonymizer,
        scanner=scanner,
        progress=lambda a, b: seen.append((a, b)),
    )
    out = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert (report.lines, report.written, report.quarantined) == (3, 3, ())
    assert out[0]["output"] == "Habla <PERSONA_1> con DNI <DNI_1>."
    assert out[0]["input"] == "habla <PERSONA_1> con dni <DNI_1>"
    assert out[1] == {"text": "Interviene <PERSONA_1>.", "other": 1}
    assert out[2] == lines[2]
    assert scan_file(target, scanner=scanner).passed
    assert seen[-1] == (source.stat().st_size, source.stat().st_size)
    again = tmp_path / "again.jsonl"
    anonymize_file(target, again, pseudonymizer=pseudonymizer, scanner=scanner)
    assert again.read_bytes() == target.read_bytes()


def test_a_broken_file_leaves_no_output_behind(tmp_path: Path, pseudonymizer: Pseudonymizer) -> None:
    source = tmp_path / "in.jsonl"
    for bad, line in [("{}", 2), ('{"input": 3, "output": "x"}', 2), ("nope", 2), ('{"input": "x"', 2)]:
        source.write_text('{"text": "Hola."}\n' + bad + "\n")
        with pytest.raises(BadJsonl) as error:
            anonymize_file(source, tmp_path / "out.jsonl", pseudonymizer=pseudonymizer)
        assert error.value.line == line
        assert [p.name for p in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_missing_input_and_input_as_output_are_refused(
    tmp_path: Path, pseudonymizer: Pseudonymizer
) -> None:
    source = tmp_path / "in.jsonl"
    with pytest.raises(BadInput, match="no file"):
        anonymize_file(source, tmp_path / "out.jsonl", pseudonymizer=pseudonymizer)
    source.write_text('{"text": "Hola."}\n')
    with pytest.raises(BadInput, match="same file"):
        anonymize_file(source, source, pseudonymizer=pseudonymizer)


def test_null_bytes_and_a_very_long_line_are_masked(tmp_path: Path, pseudonymizer: Pseudonymizer) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    text = "La obra sigue su curso. " * 2000 + "Habla Pe\x00dro Gar\x00cía López." + "x" * 20_000
    source.write_text(json.dumps({"text": text}) + "\n")
    anonymize_file(source, target, pseudonymizer=pseudonymizer)
    out = json.loads(target.read_text())["text"]
    assert "Habla <PERSONA_1>." in out
    assert out.endswith("x" * 20_000)


def test_worker_processes_give_the_same_file(tmp_path: Path, pseudonymizer: Pseudonymizer) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text(
        "".join(json.dumps({"text": f"Habla Pedro García López, punto {n}."}) + "\n" for n in range(300))
    )
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    first = anonymize_file(source, one, pseudonymizer=pseudonymizer)
    second = anonymize_file(source, two, pseudonymizer=pseudonymizer, processes=2)
    assert first == second
    assert one.read_bytes() == two.read_bytes()


def test_a_file_full_of_persons_is_counted_whole_and_named_in_part(
    tmp_path: Path, scanner: ResidualScanner
) -> None:
    file = tmp_path / "leaky.jsonl"
    file.write_bytes(
        jsonl(*(f"Interviene Pedro Ruiz Soto, con DNI 12345678Z, turno {i}." for i in range(30)))
    )
    whole = scan_file(file, scanner=scanner)
    part = scan_file(file, scanner=scanner, places=7)
    assert len(whole.hits) == whole.found == sum(whole.by_kind.values()) >= 60
    assert part.hits == whole.hits[:7]
    assert (part.found, part.by_kind, part.lines_with_hits) == (whole.found, whole.by_kind, 30)
    assert not part.passed
    assert not scan_file(file, scanner=scanner, places=0).passed
