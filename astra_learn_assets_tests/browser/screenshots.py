"""Pictures of the panel for the documents: ``make screenshots`` writes ``docs/panel-*.png``."""

from __future__ import annotations

import base64
import io
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from astra_learn_assets.api.app import create_app
from astra_learn_assets.platform import Platform
from astra_learn_assets.services.embedded import embedded
from astra_learn_assets.settings import Settings
from astra_learn_assets_tests.browser import council
from astra_learn_assets_tests.browser.driver import DESK, PHONE, browser, log_in, look, served

DOCS = Path(__file__).resolve().parents[2] / "docs"
TENANT = council.TENANT


def main(folder: Path = DOCS) -> None:
    """Take them all."""
    with tempfile.TemporaryDirectory(prefix="astra-shots-") as work:
        home = Path(work, "home")
        with embedded(Settings(home=home, api_compare_processes=0), durable=False) as settings:
            with Platform.open(settings) as opened:
                town = council.build(opened)
            with served(create_app(settings)) as address, browser(Path(work, "profile")) as driver:
                _take(driver, address, town, folder)


def _take(driver: Any, address: str, town: council.Town, folder: Path) -> None:
    log_in(driver, address, TENANT, town.keys["admin"])
    panel = f"{address}/panel/{TENANT}"
    _shot(driver, folder, "overview", whole=True)
    driver.get(f"{panel}/quarantine")
    _shot(driver, folder, "quarantine", whole=True)
    driver.get(f"{panel}/trainings/{town.promoted}")
    _shot(driver, folder, "training", whole=True)
    look(driver, size=PHONE)
    driver.get(panel)
    _shot(driver, folder, "phone")
    look(driver, size=DESK, dark=True)
    driver.get(f"{panel}?lang=en")
    _shot(driver, folder, "dark-english")


def _shot(driver: Any, folder: Path, name: str, *, whole: bool = False) -> None:
    """The screen, or the ``whole`` page, in 128 colours: a page of text needs no more, and git keeps it."""
    size = driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
    asked = {"format": "png", **({"captureBeyondViewport": True, "clip": clip} if whole else {})}
    picture = base64.b64decode(driver.execute_cdp_cmd("Page.captureScreenshot", asked)["data"])
    image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(128)
    image.save(folder / f"panel-{name}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS)
