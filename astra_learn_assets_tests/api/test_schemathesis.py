"""Schemathesis over ``docs/openapi.json`` against a listening server: what the file says is what happens.

The default run is bounded: a few requests per operation, half of them valid by the schema and half broken on
purpose, the same ones every time. ``-m slow`` asks more of them, from a seed that a failure tells
(``ASTRA_SCHEMATHESIS_SEED`` asks again, ``ASTRA_SCHEMATHESIS_EXAMPLES=500`` looks harder).
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import schemathesis
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import checks
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi import checks as openapi_checks

from astra_learn_assets_tests.api.conftest import Headers, Issue
from astra_learn_assets_tests.api.files import DraftFiles

FEW, SEED = 5, 7
ANY_SEED = int(os.environ.get("ASTRA_SCHEMATHESIS_SEED", random.randrange(10**6)))
MANY = int(os.environ.get("ASTRA_SCHEMATHESIS_EXAMPLES", "60"))
EXISTS = {"tenant": "villaverde", "session": "pleno-1", "version": 1}
DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
OPERATIONS = sorted((method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item)
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


def broken(case: schemathesis.Case, location: ParameterLocation) -> bool:
    """Whether that part of the request was broken on purpose."""
    return case.meta is not None and case.meta.is_negative_at(location)


def with_known_ids(case: schemathesis.Case) -> schemathesis.Case:
    """Ids that exist, or nothing behind them would ever be reached; broken ones stay as they are."""
    if not broken(case, ParameterLocation.PATH):
        for name in case.path_parameters.keys() & EXISTS.keys():
            case.path_parameters[name] = EXISTS[name]
    return case


def ask(
    cases: SearchStrategy[schemathesis.Case], url: str, headers: Headers, examples: int, start: int
) -> int:
    """Send a bounded number of ``cases`` and check every answer; returns how many there were."""
    asked = 0

    @seed(start)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def check(case: schemathesis.Case) -> None:
        nonlocal asked
        asked += 1
        # a request without its Authorization must not get ours: then nothing would be wrong with it
        sent = {} if broken(case, ParameterLocation.HEADER) else headers
        case.validate_response(case.call(base_url=url, headers=sent), checks=CHECKS)

    with suppress(Unsatisfiable):  # nothing can be wrong with a request that has no parameter
        check()
    return asked


def ask_all(
    url: str, headers: Headers, mode: schemathesis.GenerationMode, *, known: bool, examples: int, start: int
) -> None:
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    asked, failed = 0, []
    for method, path in OPERATIONS:
        cases = schema[path][method].as_strategy(generation_mode=mode)
        try:
            asked += ask(cases.map(with_known_ids) if known else cases, url, headers, examples, start) > 0
        except (FailureGroup, Failure) as failure:
            failed.append(f"{method} {path}: {failure}")
    assert not failed, f"seed {start}\n\n" + "\n\n".join(failed)
    assert asked >= len(OPERATIONS) - 3


MODES = pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
ROLES = pytest.mark.parametrize(
    ("role", "known"), [("admin", True), ("platform", False)], ids=["admin", "platform"]
)


@ROLES
@MODES
def test_every_operation_answers_as_the_file_says(
    url: str, issue: Issue, draft: DraftFiles, role: str, known: bool, mode: schemathesis.GenerationMode
) -> None:
    ask_all(url, issue(role), mode, known=known, examples=FEW, start=SEED)


@pytest.mark.slow
@ROLES
@MODES
def test_every_operation_still_does_when_it_is_asked_for_longer(
    url: str, issue: Issue, draft: DraftFiles, role: str, known: bool, mode: schemathesis.GenerationMode
) -> None:
    ask_all(url, issue(role), mode, known=known, examples=MANY, start=ANY_SEED)
