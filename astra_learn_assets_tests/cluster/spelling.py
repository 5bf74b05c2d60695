"""A council whose clerks spell in a way of their own, so that forty pairs are enough to learn something.

What few pairs of a realistic council teach is no more than chance, and the gate rightly keeps the base then.
The tests of the cluster are about pods and not about learning, and each has to end in a promotion.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, replace

from astra_learn_assets.simulation.council.simulator import Council, SimulatedSession

_TEXT = re.compile(r"(<w:t[^>]*>)([^<]*)")
_WORD = re.compile(r"(?<!\w)([a-záéíóúñü]+)ción(?!\w)")


@dataclass(frozen=True)
class OwnSpelling:
    """``council`` with finals that say "votazión" where the minutes had "votación"."""

    council: Council

    def session(self, index: int) -> SimulatedSession:
        """The session, its final respelled."""
        simulated = self.council.session(index)
        return replace(simulated, final_docx=respelled(simulated.final_docx))

    def __getattr__(self, name: str) -> object:
        return getattr(self.council, name)


def respelled(docx: bytes) -> bytes:
    """The document with every lower-case word in "-ción" ending in "-zión"."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(docx)) as package,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for part in package.infolist():
            data = package.read(part)
            if part.filename == "word/document.xml":
                text = _TEXT.sub(lambda run: run[1] + _WORD.sub(r"\1zión", run[2]), data.decode())
                data = text.encode()
            made.writestr(part, data)
    return out.getvalue()
