"""Does a locked version have a known hole? ``make audit``: pip-audit over the locks, where it can.

Exit code 0: none known, or the data cannot be had, which is said. 1: there is one.
"""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from importlib.metadata import version
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock", "trainer/torch.lock", "trainer/requirements-cuda.lock")
DATA = f"https://pypi.org/pypi/pip-audit/{version('pip-audit')}/json"  # as pip-audit asks, version by version


def main() -> int:
    """The worst of pip-audit's answers."""
    try:
        with urllib.request.urlopen(DATA, timeout=10) as answer:
            has_data = b'"vulnerabilities"' in answer.read()
    except OSError as error:
        has_data = False
        sys.stdout.write(f"{DATA}: {error}. ")
    if not has_data:
        sys.stdout.write("Nothing was audited: PyPI's list of known holes cannot be had here.\n")
        return 0
    # --strict: a package that nothing is known of is no clean one. The locks name every package
    # with its hash, so that nothing has to be resolved or installed.
    named = [part for lock in LOCKS for part in ("-r", str(REPOSITORY / lock))]
    command = [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", "--strict", *named]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
