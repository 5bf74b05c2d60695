"""The panel in Debian's Chromium, as people use it: ``make browser-test``.

Marked ``browser``: it needs ``chromium`` and ``chromium-driver`` of the distribution, and Selenium and
axe-core, which :mod:`tools` fetches. axe judges by the rules of WCAG 2.0 to 2.2, levels A and AA; what it
cannot decide by itself (text over a picture) is not counted as held.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from astra_learn_assets.api.app import create_app
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import dictionary, documents, trainings
from astra_learn_assets_tests.browser import council, tools
from astra_learn_assets_tests.browser.council import TENANT, Town
from astra_learn_assets_tests.browser.driver import DESK, PHONE, browser, log_in, look, served, until

pytestmark = pytest.mark.browser
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_SAID = (
    "r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target + ' ' + n.failureSummary.slice(0, 240))"
    ".join(' | ')).join(' || ')"
)
PAGES = ("", "/trainings", "/examples", "/dictionary", "/quarantine", "/blocklist", "/privacy")


@pytest.fixture
def town(platform: Platform) -> Town:
    return council.build(platform)


@pytest.fixture
def address(settings: Settings, town: Town) -> Iterator[str]:
    with (
        Platform.open(settings.model_copy(update={"api_compare_processes": 0}), for_api=True) as opened,
        served(create_app(platform=opened)) as found,
    ):
        yield found


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Any]:
    with browser(tmp_path / "profile") as opened:
        yield opened


def click(driver: Any, selector: str) -> None:
    element = driver.find_element("css selector", selector)
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    element.click()


def text(driver: Any, selector: str = "main") -> str:
    return str(driver.find_element("css selector", selector).text)


def complaints(driver: Any) -> list[str]:
    """What the browser wrote to its console: a refused script or style would be there.

    But for the form that asks for the key, whose answer is a 401.
    """
    said = [str(entry["message"]) for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
    return [one for one in said if "status of 401" not in one]


def test_who_logs_in_follows_a_training_live_until_it_ends(
    driver: Any, address: str, town: Town, platform: Platform
) -> None:
    log_in(driver, address, TENANT, town.keys["viewer"])
    assert "¿Cómo está aprendiendo mi IA?" in text(driver)
    driver.get(f"{address}/panel/{TENANT}/trainings/{town.running}")
    until(lambda: text(driver, ".live") == "En directo")
    assert "Paso 12 de 60 (20 %)" in text(driver, ".said")
    assert driver.execute_script("return document.querySelectorAll('table.log tbody tr').length") == 12
    with platform.database.session() as session:
        council.advance(session, town.running, 30)
    until(lambda: "Paso 30 de 60 (50 %), quedan unos 5 min" in text(driver, ".said"))
    rows = "return document.querySelectorAll('table.log tbody tr').length"
    until(lambda: driver.execute_script(rows) == 30)
    value = driver.execute_script("return document.querySelector('.running progress').value")
    assert value == pytest.approx(0.5)
    with platform.database.session() as session:
        trainings.update(session, town.running, state="rejected", reason="no better")
    until(lambda: "Ha terminado" in text(driver, ".said"))
    assert complaints(driver) == []


def test_an_editor_undoes_a_name(driver: Any, address: str, town: Town, platform: Platform) -> None:
    log_in(driver, address, TENANT, town.keys["editor"])
    driver.get(f"{address}/panel/{TENANT}/dictionary")
    driver.find_element("id", "q").send_keys("hortegg")
    click(driver, "form[role=search] button")
    until(lambda: "1 entradas" in text(driver))
    click(driver, "form[action$='/undo'] button")
    until(lambda: driver.find_elements("css selector", ".done"))
    assert "La entrada se ha retirado" in text(driver, ".done")
    assert "se retiró" in text(driver)
    with platform.database.session() as session:
        assert [entry.wrong for entry in dictionary.read(session, TENANT)[1]] == ["Zubeldía"]
    assert complaints(driver) == []


def test_the_administrator_releases_what_was_kept_out(
    driver: Any, address: str, town: Town, platform: Platform
) -> None:
    log_in(driver, address, TENANT, town.keys["admin"])
    click(driver, "nav a[href$='/quarantine']")
    until(lambda: town.kept_out in text(driver))
    click(driver, "form[action$='/release'] button")
    until(lambda: "El acta se ha admitido" in text(driver))
    assert "No hay ninguna acta apartada" in text(driver)
    with platform.database.session() as session:
        assert documents.get(session, TENANT, town.kept_out).review == "released"


def test_a_table_is_taken_away_as_csv(driver: Any, address: str, town: Town, tmp_path: Path) -> None:
    folder = tmp_path / "downloads"
    folder.mkdir()
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
    log_in(driver, address, TENANT, town.keys["viewer"])
    click(driver, "a[href$='/exports/trainings.csv']")
    (file,) = until(lambda: list(folder.glob("trainings-villaverde.csv")))
    data = until(file.read_bytes)
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert len(rows) == 7
    assert rows[0]["run_id"] == town.running


def test_on_a_phone_nothing_is_wider_than_the_screen(driver: Any, address: str, town: Town) -> None:
    log_in(driver, address, TENANT, town.keys["admin"])
    look(driver, size=PHONE)
    for path in (*PAGES, f"/trainings/{town.promoted}"):
        driver.get(f"{address}/panel/{TENANT}{path}")
        width = driver.execute_script("return document.documentElement.scrollWidth")
        assert width <= PHONE[0], (path, width)
        small = driver.execute_script(
            "return [...document.querySelectorAll('main button, main .button, header nav a')]"
            ".filter(e => e.getBoundingClientRect().height < 24).length"
        )
        assert small == 0, (path, "a target lower than 24 px (WCAG 2.5.8)")


def test_the_language_is_switched_and_kept(driver: Any, address: str, town: Town) -> None:
    log_in(driver, address, TENANT, town.keys["viewer"])
    click(driver, "a[hreflang=en]")
    until(lambda: "How is my AI learning?" in text(driver))
    click(driver, "nav a[href$='/privacy']")
    until(lambda: "What is kept" in text(driver))
    assert driver.execute_script("return document.documentElement.lang") == "en"
    click(driver, "a[hreflang=es]")
    until(lambda: "Qué se guarda" in text(driver))


def test_everything_is_reached_with_the_keyboard_alone(driver: Any, address: str, town: Town) -> None:
    from selenium.webdriver.common.keys import Keys

    driver.get(f"{address}/panel/{TENANT}")
    driver.find_element("id", "key").send_keys(town.keys["viewer"], Keys.ENTER)
    until(lambda: driver.find_elements("css selector", "header nav"))
    driver.switch_to.active_element.send_keys(Keys.TAB)
    assert driver.switch_to.active_element.get_attribute("class") == "skip"
    reached = set()
    for _ in range(80):
        driver.switch_to.active_element.send_keys(Keys.TAB)
        reached.add(driver.switch_to.active_element.get_attribute("href"))
    assert f"{address}/panel/{TENANT}/privacy" in reached
    assert f"{address}/panel/{TENANT}/exports/trainings.csv" in reached


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_against_wcag_aa(
    driver: Any, address: str, town: Town, size: tuple[int, int], dark: bool
) -> None:
    script = tools.axe_script()
    log_in(driver, address, TENANT, town.keys["admin"])
    look(driver, size=size, dark=dark)
    ways = [f"/panel/{TENANT}{path}" for path in (*PAGES, f"/trainings/{town.promoted}")]
    ways += [f"/panel/{TENANT}/trainings/{town.running}", f"/panel/{TENANT}?lang=en", "/panel", "/", "/docs"]
    ways += [f"/panel/{TENANT}/privacy/report", f"/panel/{TENANT}/trainings/none"]
    found = []
    for path in ways:
        driver.get(f"{address}{path}")
        driver.execute_script("for (const one of document.querySelectorAll('details')) one.open = true")
        # through the debugger, which our policy does not bind; the page itself may run nothing of ours
        driver.execute_cdp_cmd("Runtime.evaluate", {"expression": script})
        run = f"axe.run(document, {{runOnly: {RULES}}}).then(r => {_SAID})"
        answer = driver.execute_cdp_cmd(
            "Runtime.evaluate", {"expression": run, "awaitPromise": True, "returnByValue": True}
        )
        assert "value" in answer["result"], (path, answer)
        if answer["result"]["value"]:
            found.append((path, answer["result"]["value"][:1_500]))
    assert found == []


def test_by_night_the_page_is_dark(driver: Any, address: str, town: Town) -> None:
    driver.get(f"{address}/panel")
    ground = "return getComputedStyle(document.body).backgroundColor"
    assert driver.execute_script(ground) == "rgb(255, 255, 255)"
    look(driver, dark=True)
    assert driver.execute_script(ground) == "rgb(18, 22, 28)"


def test_a_script_in_a_name_does_not_run(driver: Any, address: str, town: Town, platform: Platform) -> None:
    import sqlalchemy as sa

    from astra_learn_assets.store.tables import Tenant

    attack = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
    with platform.database.session() as session:
        session.execute(sa.update(Tenant).values(display_name=attack))
    log_in(driver, address, TENANT, town.keys["viewer"])
    assert "onerror" in text(driver, "header")
    assert driver.title != "taken"
    assert httpx.get(f"{address}/static/panel.js").headers["content-type"].startswith("text/javascript")
