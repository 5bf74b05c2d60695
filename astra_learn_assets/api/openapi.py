"""Write the OpenAPI document: ``python -m astra_learn_assets.api.openapi > docs/openapi.json``."""

from __future__ import annotations

import json
import sys

from astra_learn_assets.api.app import create_app
from astra_learn_assets.settings import Settings


def main() -> None:
    """The document of this version of the code; no service is opened."""
    document = create_app(Settings()).openapi()
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
