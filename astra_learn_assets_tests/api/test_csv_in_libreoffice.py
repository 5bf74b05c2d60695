"""The CSV in a real spreadsheet, LibreOffice: accents as they were, no formula; and that it would run one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from astra_learn_assets.learning import csv_text

pytestmark = pytest.mark.skipif(
    shutil.which("soffice") is None, reason="LibreOffice (soffice) is not installed"
)
NAMES = ("Peña Güell", "Ñandú – «María»", "áéíóú Çà")
ATTACKS = ('=HYPERLINK("http://x";"y")', "+1+1", "@SUM(A1)", "-2-3", "\t=1", "a;=1+1", "x\n=2+2", "＝1+1")


def opened(folder: Path, data: str) -> str:
    """The sheet as LibreOffice reads it, as flat XML."""
    file = folder / "table.csv"
    file.write_bytes(data.encode())
    command = [
        "soffice",
        f"-env:UserInstallation=file://{folder}/profile",
        "--headless",
        "--convert-to",
        "fods",
    ]
    subprocess.run(
        [*command, "--infilter=CSV:44,34,76", "--outdir", str(folder), str(file)],
        check=True,
        capture_output=True,
        timeout=240,
    )
    return (folder / "table.fods").read_text("utf-8")


@pytest.mark.parametrize("bom", [True, False])
def test_a_table_opens_with_right_accents_and_without_a_formula(tmp_path: Path, bom: bool) -> None:
    rows = [[name, attack, -1.5] for name in NAMES for attack in ATTACKS]
    sheet = opened(tmp_path, "".join(csv_text.lines(["nombre", "texto", "n"], rows, bom=bom)))
    for name in NAMES:
        assert f"<text:p>{name}</text:p>" in sheet
    assert "table:formula" not in sheet
    assert 'office:value="-1.5"' in sheet, "a number stays a number"


def test_the_same_text_unguarded_would_run(tmp_path: Path) -> None:
    assert "table:formula" in opened(tmp_path, "a,b\n=1+1,=2+2\n")
