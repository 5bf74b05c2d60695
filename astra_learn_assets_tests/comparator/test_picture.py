"""The page of a comparison, as a browser shows it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from astra_learn_assets.comparator.report import render_html
from astra_learn_assets_tests.comparator.test_engine import SPEECH, block, document, draft, run

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ORDER = (1, 2, 3, 4, 5, 0, 6, 7, 8, 9)


def page() -> str:
    """A paragraph moved down, one corrected, one split with words added, two merged, one gone."""
    texts = dict(enumerate(SPEECH))
    texts[2] = texts[2].replace("verano", "otoño")
    rows = [block(texts[n], n) for n in ORDER if n not in (4, 6, 8, 9)]
    rows[4:4] = [
        block("Una vecina pide que se repare cuanto antes el alumbrado del parque,", 6),
        block("junto a la escuela, y que se poden los árboles.", 6),
    ]
    rows.append(block(f"{texts[8]} {texts[9]}", 8))
    return render_html(run(draft(), document(rows)), title="Acta 3/2026")


def test_split_and_merged_paragraphs_show_their_parts_on_lines_of_their_own() -> None:
    html = page()
    assert html.count('<div class="row split">') == html.count('<div class="row merged">') == 1
    assert "¶ junto a la escuela" in html
    assert f"¶ {SPEECH[9]}" in html
    assert html.count("<ins>") == html.count("</ins>")
    assert html.count("<del>") == html.count("</del>")


def test_both_ends_of_a_move_lead_to_each_other() -> None:
    html = page()
    for anchor in re.findall(r'href="#([^"]+)"', html):
        assert f'id="{anchor}"' in html
    assert 'href="#origen-1"' in html
    assert 'href="#destino-1"' in html


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_a_browser_draws_a_line_for_each_move_and_runs_no_other_script(tmp_path: Path) -> None:
    assert BROWSER is not None
    path = tmp_path / "acta.html"
    path.write_text(page(), encoding="utf-8")
    ran = subprocess.run(
        [
            BROWSER,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path}/profile",
            "--virtual-time-budget=3000",
            "--dump-dom",
            path.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    lines = re.findall(
        r'<path stroke="#[0-9a-f]{6}" d="M([\d.]+) ([\d.]+) C[^"]* ([\d.]+) ([\d.]+)"', ran.stdout
    )
    assert len(lines) == ran.stdout.count("data-from=") == 1
    x, y, end_x, end_y = map(float, lines[0])
    assert end_x > x  # from the left column to the right one
    assert end_y > y + 100  # and down, where the paragraph went
