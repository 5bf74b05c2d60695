"""Which code is running: the commit, for manifests and lineage."""

from __future__ import annotations

import re
import subprocess

from astra_learn_assets.settings import REPOSITORY, get_settings

UNKNOWN = "unknown"
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


def commit_hash() -> str:
    """``ASTRA_COMMIT_HASH`` (set when the image is built), else what git says, else ``unknown``."""
    given = (get_settings().commit_hash or "").strip().lower()
    if _COMMIT.fullmatch(given):
        return given
    if not (REPOSITORY / ".git").exists():
        # an installed package may lie inside somebody else's repository
        return UNKNOWN
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        ).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return UNKNOWN
    return answer if _COMMIT.fullmatch(answer) else UNKNOWN
