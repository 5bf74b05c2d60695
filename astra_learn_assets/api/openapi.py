"""The OpenAPI document: ``python -m astra_learn_assets.api.openapi > docs/openapi.json`` writes it.

What operations ask for and answer FastAPI finds by itself. A draft's manifest is a file inside a form: its
JSON Schema is added to the components, the same as docs/schemas/draft-manifest.schema.json.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from astra_learn_assets.contracts import Manifest

_COMPONENTS = "#/components/schemas/{model}"
MANIFEST = _COMPONENTS.format(model=Manifest.__name__)


class Documented(FastAPI):
    """FastAPI, whose document also has the structures of files that are uploaded."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            _, made = models_json_schema([(Manifest, "validation")], ref_template=_COMPONENTS)
            schemas = super().openapi()["components"]["schemas"]
            added = schemas | made["$defs"]
            schemas.clear()
            schemas.update({name: added[name] for name in sorted(added)})
        assert self.openapi_schema is not None
        return self.openapi_schema


def main() -> None:
    """The document of this version of the code; no service is opened."""
    from astra_learn_assets.api.app import create_app
    from astra_learn_assets.settings import Settings

    document = create_app(Settings()).openapi()
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
