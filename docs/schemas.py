"""Write the contracts' JSON Schemas from the models: ``python docs/schemas.py``; a test compares.

What BUILDER writes, what CORE and ORCHESTRATOR read. JSON Schema 2020-12, as pydantic makes it, with the ids'
patterns that our own validators hold and a schema would not show otherwise.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from astra_learn_assets.contracts import (  # noqa: E402  the checkout's, wherever this is called from
    AdapterManifest,
    DictionaryUpdated,
    Manifest,
    NewModelAvailable,
)

FOLDER = ROOT / "docs" / "schemas"
MODELS: dict[str, type[BaseModel]] = {
    "draft-manifest": Manifest,
    "adapter-manifest": AdapterManifest,
    "dictionary-updated": DictionaryUpdated,
    "new-model-available": NewModelAvailable,
}
_TENANT = {"type": "string", "pattern": "^(?!.*--)[a-z0-9][a-z0-9-]{1,62}$"}


def schema(name: str) -> str:
    """The text of one schema file."""
    model = MODELS[name]
    # a draft's manifest is written by others: what the writer may leave out, it may leave out
    content = model.model_json_schema(mode="validation" if model is Manifest else "serialization")
    content = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{name}.schema.json",
        **content,
    }
    properties: dict[str, Any] = content["properties"]
    if "tenant_id" in properties:
        properties["tenant_id"] |= _TENANT
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def main() -> int:
    """Write every file."""
    FOLDER.mkdir(exist_ok=True)
    for name in MODELS:
        (FOLDER / f"{name}.schema.json").write_text(schema(name), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
