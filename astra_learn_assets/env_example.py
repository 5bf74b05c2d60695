"""Write ``.env.example`` from the settings: ``python -m astra_learn_assets.env_example > .env.example``.

A test compares the file with this text, so a new setting cannot be forgotten in it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from astra_learn_assets.settings import REPOSITORY, Settings

_HEAD = """\
# Every setting of ASTRA-LEARN and its default. Copy to .env and change what you need; with nothing
# set, everything runs embedded below .astra/. Made by: python -m astra_learn_assets.env_example
"""


def env_example() -> str:
    """The text: one commented assignment per setting, its meaning above it."""
    return _HEAD + "".join(_entry(name, field) for name, field in Settings.model_fields.items())


def _entry(name: str, field: FieldInfo) -> str:
    meaning = field.description or name.replace("_", " ")
    bounds = ", ".join(_bound(rule) for rule in field.metadata if _bound(rule))
    return f"\n# {meaning}{f' ({bounds})' if bounds else ''}\n#ASTRA_{name.upper()}={_value(field)}\n"


def _bound(rule: Any) -> str:
    signs = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
    return " and ".join(
        f"{sign} {getattr(rule, name)}"
        for name, sign in signs.items()
        if getattr(rule, name, None) is not None
    )


def _value(field: FieldInfo) -> str:
    default = field.default
    if default is None or field.default_factory is not None:
        return ""  # an empty variable means the default; a factory's may differ per machine
    path = Path(str(default))
    # the same file on every machine
    return str(path.relative_to(REPOSITORY)) if path.is_relative_to(REPOSITORY) else str(default)


if __name__ == "__main__":
    sys.stdout.write(env_example())
