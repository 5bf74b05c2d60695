"""A table of words is sorted, folded as it says, and holds each term once; what is not says where."""

from __future__ import annotations

from pathlib import Path

import pytest

from astra_learn_assets.spanish import word_tables

HEAD = "# form: folded\n# Heads of streets.\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "lexicon").mkdir()
    return tmp_path / "lexicon" / "heads.txt"


def found(table: Path, text: str) -> list[str]:
    table.write_bytes(text.encode())
    return list(word_tables.faults(table))


@pytest.mark.parametrize(
    ("form", "terms", "line", "says"),
    [
        ("folded", "calle\ncalle\n", 3, "'calle' stands in line 2 already"),
        ("printed", "Ana\nANA\n", 3, "'ANA' stands in line 2 already"),
        ("folded", "plaza\ncalle\n", 3, "'calle' belongs before 'plaza'"),
        ("lower", "ambos\nazul\námbar\n", 4, "'ámbar' belongs before 'azul'"),
        ("folded", "autovía\n", 2, "is not folded; write 'autovia'"),
        ("folded", "Calle\n", 2, "is not folded; write 'calle'"),
        ("folded", "pen\u0303a\n", 2, "is not composed (NFC)"),
        ("lower", "autovi\u0301a\n", 2, "is not composed (NFC)"),
        ("lower", "Calle\n", 2, "is not in lower case; write 'calle'"),
        ("folded", " calle\n", 2, "has blanks around it"),
        ("folded", "calle \n", 2, "has blanks around it"),
        ("folded", "calle\t\n", 2, "has blanks around it"),
        ("folded", "calle\r\n", 2, "has blanks around it"),
        ("folded", "calle  real\n", 2, "or more than one inside"),
        ("folded", "calle\n\nplaza\n", 3, "is no term"),
        ("folded", "calle\n# squares\nplaza\n", 3, "comments stand above the first term"),
        ("folded", "ca\u200blle\n", 2, "holds an invisible character"),
        ("printed, with origins", "Ainhoa\n", 2, "needs a tab and its origins"),
        ("printed, with origins", "Ainhoa\t\n", 2, "needs a tab and its origins"),
        ("printed, with origins", "Ainhoa\tEU\n", 2, "needs a tab and its origins"),
        ("printed, with origins", "Ainhoa\tfaker,eu\n", 2, "write 'eu,faker'"),
        ("printed, with origins", "Ainhoa\teu,eu\n", 2, "write 'eu'"),
        ("printed, with origins", "Ainhoa \teu\n", 2, "has blanks around it"),
        ("printed, with origins", "Ana\tes\nAna\teu\n", 3, "stands in line 2 already"),
    ],
)
def test_a_bad_term_is_named_with_file_and_line(
    table: Path, form: str, terms: str, line: int, says: str
) -> None:
    sentences = found(table, f"# form: {form}\n{terms}")
    assert len(sentences) == 1, sentences
    assert sentences[0].startswith(f"{table}:{line}: ")
    assert says in sentences[0]


@pytest.mark.parametrize(
    "text", ["calle\n", "# streets\ncalle\n", "# form: bent\ncalle\n", "", "\ufeff" + HEAD]
)
def test_a_table_that_does_not_say_its_form_is_refused(table: Path, text: str) -> None:
    sentences = found(table, text)
    assert any(s.startswith(f"{table}:1: the first line must be one of '# form: folded'") for s in sentences)


def test_a_table_without_terms_or_a_last_line_end_or_of_another_encoding_is_refused(table: Path) -> None:
    assert "holds no term" in found(table, HEAD)[0]
    assert "no line end" in found(table, f"{HEAD}calle")[0]
    table.write_bytes(f"{HEAD}peña\n".encode("latin-1"))
    assert "is not UTF-8" in next(iter(word_tables.faults(table)))


def test_every_fault_of_a_table_is_told_at_once(table: Path) -> None:
    sentences = found(table, f"{HEAD}calle \nplaza\nCalle\nplaza\n")
    assert [s.split(":")[1] for s in sentences] == ["3", "5", "6"]


def test_a_good_table_is_read_as_it_stands(table: Path) -> None:
    assert found(table, "# form: lower\námbar\nambos\nde la\nñandú\n") == []
    assert word_tables.read_table(table) == ("ámbar", "ambos", "de la", "ñandú")
    assert word_tables.read_folded(table) == {"ambos", "ambar", "de la", "ñandu"}


def test_a_name_of_two_origins_stands_under_both(table: Path) -> None:
    assert found(table, "# form: printed, with origins\nAinhoa\teu,faker\nAna\tes\n") == []
    assert word_tables.read_origins(table) == {"eu": ("Ainhoa",), "faker": ("Ainhoa",), "es": ("Ana",)}


def test_sorting_mends_order_blanks_and_repeats_and_keeps_the_head(table: Path) -> None:
    table.write_text(f"{HEAD}plaza\n calle\nplaza\n\nñu\nnube\n")
    word_tables.sort(table)
    assert table.read_text() == f"{HEAD}calle\nnube\nplaza\nñu\n"
    assert list(word_tables.faults(table)) == []


def test_only_the_folders_of_tables_are_looked_into(table: Path, tmp_path: Path) -> None:
    table.write_text(f"{HEAD}calle\n")
    (tmp_path / "notes.txt").write_text("no table")
    assert word_tables.tables(tmp_path) == [table]


def test_the_command_fails_on_a_bad_table_and_passes_on_ours(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert word_tables.main([]) == 0
    assert len(word_tables.tables(word_tables.PACKAGE)) > 40
    table.write_text(f"{HEAD}plaza\ncalle\n")
    assert word_tables.main([], tmp_path) == 1
    assert capsys.readouterr().err.startswith(f"{table}:4: 'calle' belongs before 'plaza'")
    assert word_tables.main(["--sort", str(table)]) == 0
    assert word_tables.main([], tmp_path) == 0
