"""The pseudonymizer's placeholders, ``<PERSONA_1>``: one expression for whoever reads or keeps them.

Kinds are capitals of ASCII, whatever their Spanish name has (``DIRECCION``). A ``<DIRECCIÓN_1>`` was
typed by somebody: it is text to the search for persons and a broken placeholder to the quality rules.
"""

from __future__ import annotations

import re

PLACEHOLDER = re.compile(r"<([A-Z]+(?:_[A-Z]+)*)_([0-9]+)>")
"""Group 1 is the kind, group 2 the number."""
BROKEN = re.compile(r"<[A-ZÁÉÍÓÚÜÑ_]+_\d*|[A-ZÁÉÍÓÚÜÑ]{3,}_\d+>")
"""What is left of a placeholder that lost a part; asked after the whole ones are taken out."""


def placeholders(text: str) -> list[str]:
    """The placeholders of ``text`` in order, with repetitions."""
    return [match[0] for match in PLACEHOLDER.finditer(text)]
