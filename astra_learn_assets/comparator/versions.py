"""Which draft a final is compared with: always the one of its own session and version.

A council may clone a session and correct it again as V2. Compared with V1's draft, everything the
recognizer did better the second time would look like a correction by the clerk, so a caller who
names another version's draft gets the right one and is told so; when there is no right one,
nothing is compared and nothing learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from astra_learn_assets.errors import BaseMissing


@dataclass(frozen=True)
class DraftRef:
    """A stored draft (``generated``), as far as choosing needs it."""

    artifact_id: str
    session_id: str
    version: int


@dataclass(frozen=True)
class BaseChoice:
    """The draft to compare with; ``replaced`` when it is not the one the caller named."""

    base_id: str
    replaced: bool


def choose_base(
    session_id: str, version: int, drafts: Sequence[DraftRef], *, named: str | None = None
) -> BaseChoice:
    """Pick the draft for a final of ``session_id`` in ``version``.

    ``drafts`` in order of arrival; the newest of the session and version counts, unless the caller
    ``named`` another one of the same session and version.

    Raises:
        BaseMissing: no draft of that session and version exists.
    """
    own = [d.artifact_id for d in drafts if d.session_id == session_id and d.version == version]
    if not own:
        raise BaseMissing(
            f"no existe el borrador de la sesión {session_id} en su versión {version}: "
            "registre ese borrador y vuelva a subir el acta corregida"
        )
    if named is not None and named in own:
        return BaseChoice(named, False)
    return BaseChoice(own[-1], named is not None)
