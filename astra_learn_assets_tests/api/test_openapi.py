"""Odd input on every documented operation: no 5xx, and no status the OpenAPI file does not name.

Schemathesis (``test_schemathesis.py``) asks by the schema; this one sends what has bitten before: bytes that
are no JSON, NUL and half surrogate pairs, numbers beyond every integer, names of fields nobody has.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import jsonschema
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from astra_learn_assets.settings import REPOSITORY
from astra_learn_assets_tests.api.conftest import Issue
from astra_learn_assets_tests.api.files import DraftFiles

ODD: list[Any] = [
    "", " ", "\x00", "\u202e", "é" * 300, "../..", "%2e%2e", "a/b", "0", "-1", "999999999999999999999999",
    "null", "' OR 1=1 --", "<script>", "villaverde", "pleno-1", "0" * 16, "0" * 80, 0, -1, 2**63, 1e308, True,
    None, [], {}, [[]], {"a": {}}, ["\x00"], "\ud800",
]  # fmt: skip
ROUNDS = 12


def operations(app: FastAPI) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in app.openapi()["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def body_of(operation: dict[str, Any], document: dict[str, Any], rng: random.Random) -> bytes | None:
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return rng.randbytes(rng.choice([0, 1, 2_000])) if content else None
    name = content["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    fields = document["components"]["schemas"][name]["properties"]
    chosen = {field: rng.choice(ODD) for field in fields if rng.random() < 0.8}
    if rng.random() < 0.2:
        chosen["\ud800"] = 1
    value = rng.choice([chosen, chosen, chosen, rng.choice(ODD)])
    return rng.choice([json.dumps(value).encode()] * 9 + [b"{", b"\xff\xfe", b""])


@pytest.mark.parametrize("seed", range(2))
def test_odd_input_never_breaks_an_operation(
    app: FastAPI, client: TestClient, issue: Issue, draft: DraftFiles, seed: int
) -> None:
    rng = random.Random(seed)
    document = app.openapi()
    keys = [issue("admin"), issue("platform")]
    app.state.astra.limiter.rate = app.state.astra.limiter.burst = 1e9
    wrong = []
    for method, path, operation in operations(app):
        for _ in range(ROUNDS):
            good = {"tenant": "villaverde", "session": "pleno-1", "version": "1"}
            url, query = path, {}
            for parameter in operation.get("parameters", []):
                name = parameter["name"]
                value = good.get(name)
                if value is None or rng.random() < 0.2:
                    value = str(rng.choice(ODD)).encode("utf-8", "replace").decode()
                if parameter["in"] == "path":
                    url = url.replace(f"{{{name}}}", quote(value, safe=""))
                elif parameter["in"] == "query":
                    query[name] = value
            body = body_of(operation, document, rng)
            headers = {**rng.choice(keys), "Content-Type": "application/json"}
            answer = client.request(method, url, params=query, content=body, headers=headers)
            documented = {int(status) for status in operation["responses"]} | {404, 405, 307}
            if answer.status_code >= 500 or answer.status_code not in documented:
                wrong.append((method, url, query, body and body[:80], answer.status_code))
    assert wrong == []


def test_the_manifest_is_in_the_components_as_its_schema_file_has_it(app: FastAPI) -> None:
    document = app.openapi()
    path = "/v1/tenants/{tenant}/sessions/{session}/versions/{version}/draft"
    form = document["paths"][path]["put"]["requestBody"]["content"]["multipart/form-data"]
    manifest = form["schema"]["properties"]["manifest"]
    assert manifest["contentMediaType"] == form["encoding"]["manifest"]["contentType"] == "application/json"
    name = manifest["contentSchema"]["$ref"].rsplit("/", 1)[1]
    schemas = document["components"]["schemas"]
    written = json.loads((REPOSITORY / "docs" / "schemas" / "draft-manifest.schema.json").read_text("utf-8"))
    same = json.loads(json.dumps(schemas).replace("#/components/schemas/", "#/$defs/"))
    assert same[name] == {key: value for key, value in written.items() if not key.startswith("$")}
    assert {key: same[key] for key in written["$defs"]} == written["$defs"]


def test_the_components_manifest_takes_a_real_one_and_refuses_what_the_reader_refuses(
    app: FastAPI, draft: DraftFiles
) -> None:
    document = app.openapi()
    validator = jsonschema.Draft202012Validator(
        {"$ref": "#/components/schemas/Manifest", "components": document["components"]}
    )
    good = json.loads(draft.manifest)
    validator.validate(good)
    for change in ({"version": 0}, {"more": 1}, {"session_id": "../x"}, {"chunks": [{"chunk_id": ""}]}):
        assert list(validator.iter_errors({**good, **change})), change


def test_every_reference_of_the_document_leads_somewhere(app: FastAPI) -> None:
    document = app.openapi()
    asked = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert {"Manifest", "ManifestChunk"} <= asked <= set(document["components"]["schemas"])


def test_the_browsable_page_shows_the_form_and_leads_to_the_manifest(client: TestClient) -> None:
    page = client.get("/docs").text
    assert '<a href="#schema-Manifest"><code>Manifest</code></a>' in page
    assert 'id="schema-ManifestChunk"' in page
