"""What the browser tests need beside Debian's Chromium: Selenium and axe-core, kept in ``.browser/``.

``python -m astra_learn_assets_tests.browser.tools`` fetches what is missing with pip and npm, at the versions
below, and prints where Selenium lies. Neither is a dependency of anything that runs.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / ".browser"
SELENIUM, AXE = "4.49.0", "4.14.1"
AXE_SHA256 = "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745"


def axe_script() -> str:
    """axe-core, to be run inside a page.

    Raises:
        FileNotFoundError: it was not fetched: ``make browser-test`` does.
        ValueError: it is not the file that was looked at.
    """
    packed = FOLDER / f"axe-core-{AXE}.tgz"
    if hashlib.sha256(packed.read_bytes()).hexdigest() != AXE_SHA256:
        raise ValueError(f"{packed} is not axe-core {AXE}")
    with tarfile.open(packed) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()


def fetch() -> Path:
    """Have both; returns the folder that Selenium is imported from."""
    target = FOLDER / "python"
    FOLDER.mkdir(exist_ok=True)
    if not (target / "selenium").is_dir():
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "--target", str(target), f"selenium=={SELENIUM}"], check=True)
    if not (FOLDER / f"axe-core-{AXE}.tgz").exists():
        subprocess.run(
            ["npm", "pack", "--silent", f"axe-core@{AXE}"], cwd=FOLDER, check=True, stdout=subprocess.DEVNULL
        )
    axe_script()
    return target


if __name__ == "__main__":
    sys.stdout.write(f"{fetch()}\n")
