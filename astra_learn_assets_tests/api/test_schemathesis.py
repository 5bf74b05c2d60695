"""Schemathesis over ``docs/openapi.json`` against a listening server: what the file says is what happens.

Bounded: a few examples per operation, half of them valid by the schema and half broken on purpose, the same
ones in every run. ``ASTRA_SCHEMATHESIS_EXAMPLES=500`` looks harder.
"""

from __future__ import annotations

import copy
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import checks
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi import checks as openapi_checks

from astra_learn_assets_tests.api.conftest import Headers, Issue
from astra_learn_assets_tests.api.files import DraftFiles

EXAMPLES = int(os.environ.get("ASTRA_SCHEMATHESIS_EXAMPLES", "8"))
DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
OPERATIONS = sorted((method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item)
pytestmark = pytest.mark.slow
CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.negative_data_rejection,
]


@pytest.fixture
def url(app: FastAPI) -> Iterator[str]:
    """The API on a real port."""
    app.state.astra.limiter.rate = app.state.astra.limiter.burst = 1e9
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=10)


def test_the_operations_of_the_file_are_known() -> None:
    assert len(OPERATIONS) >= 17


def known_ids(document: dict[str, Any]) -> dict[str, Any]:
    """The document with ids that exist, or nothing behind them would ever be reached."""
    narrowed: dict[str, Any] = copy.deepcopy(document)
    exists = {"tenant": "villaverde", "session": "pleno-1", "version": 1}
    for item in narrowed["paths"].values():
        for operation in item.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] in exists:
                    parameter["schema"] = {"enum": [exists[parameter["name"]]]}
    return narrowed


def ask(cases: SearchStrategy[schemathesis.Case], url: str, headers: Headers) -> int:
    """Send a bounded number of ``cases`` and check every answer; returns how many there were."""
    asked = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def check(case: schemathesis.Case) -> None:
        nonlocal asked
        asked += 1
        case.validate_response(case.call(base_url=url, headers=headers), checks=CHECKS)

    with suppress(Unsatisfiable):  # nothing can be wrong with a request that has no parameter
        check()
    return asked


@pytest.mark.parametrize(
    ("role", "document"), [("admin", known_ids(DOCUMENT)), ("platform", DOCUMENT)], ids=["admin", "platform"]
)
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
def test_every_operation_answers_as_the_file_says(
    url: str,
    issue: Issue,
    draft: DraftFiles,
    role: str,
    document: dict[str, Any],
    mode: schemathesis.GenerationMode,
) -> None:
    headers = issue(role)
    schema = schemathesis.openapi.from_dict(document)
    asked, failed = 0, []
    for method, path in OPERATIONS:
        try:
            asked += ask(schema[path][method].as_strategy(generation_mode=mode), url, headers) > 0
        except (FailureGroup, Failure) as failure:
            failed.append(f"{method} {path}: {failure}")
    assert not failed, "\n\n".join(failed)
    assert asked >= len(OPERATIONS) - 3
