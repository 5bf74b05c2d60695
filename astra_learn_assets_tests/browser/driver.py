"""Debian's Chromium, driven by Selenium: a phone or a desk, light or dark, nothing fetched from elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

PHONE, DESK = (390, 844), (1280, 900)


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """``app`` on a free port of this machine; its address."""
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_level="error", access_log=False, timeout_graceful_shutdown=2)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)


@contextmanager
def browser(folder: Path, *, size: tuple[int, int] = DESK, dark: bool = False) -> Iterator[Any]:
    """A Chromium of its own profile in ``folder``."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars",
        "--lang=es", f"--window-size={size[0]},{size[1]}", f"--user-data-dir={folder}",
    ):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        driver.set_page_load_timeout(60)
        look(driver, size=size, dark=dark)
        yield driver
    finally:
        driver.quit()


def look(driver: Any, *, size: tuple[int, int] = DESK, dark: bool = False) -> None:
    """As on a screen of that size, by day or by night. A phone is told by its width, as style sheets do."""
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def log_in(driver: Any, address: str, tenant: str, key: str) -> None:
    """Type the key into the form, as a person does."""
    driver.get(f"{address}/panel/{tenant}")
    driver.find_element("id", "key").send_keys(key)
    driver.find_element("css selector", "main form button").click()
    until(lambda: driver.find_elements("css selector", "header nav"))


def until(true: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Wait for ``true()``; returns what it says. A page that is being left, or not there yet, says no."""
    absent: tuple[type[Exception], ...] = ()
    if "selenium" in sys.modules:  # without a browser there is no page
        from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException

        absent = (NoSuchElementException, StaleElementReferenceException)
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = true()
        except absent:
            found = None
        if found:
            return found
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
