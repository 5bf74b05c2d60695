"""Refusals speak Spanish to people and English to programs, never both in one sentence."""

from __future__ import annotations

import inspect

import pytest
from fastapi.testclient import TestClient

from astra_learn_assets import errors
from astra_learn_assets.api import limits
from astra_learn_assets.hotpath import wording
from astra_learn_assets.learning import csv_text
from astra_learn_assets_tests.api.conftest import Issue
from astra_learn_assets_tests.api.files import DraftFiles

TOWN = "/v1/tenants/villaverde"
ALL = [
    kind
    for module in (errors, limits)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, errors.AstraError)
]
ENGLISH = ("the ", "invalid", "not found", "expected", "must ", "should ", " has no ", "unknown", "already")


def test_every_error_has_a_spanish_sentence_of_its_own_or_of_its_kind() -> None:
    for kind in ALL:
        error = kind.__new__(kind, "the message")
        error.for_people = False
        assert wording.sentence(error)
        assert not any(word in wording.sentence(error).lower() for word in ENGLISH), kind


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/v1/tenants/villa--verde/dictionary", "validation"),
        ("GET", "/v1/tenants/no-such-town/dictionary", "unknown_tenant"),
        ("GET", f"{TOWN}/dictionary/changes?since=x", "validation"),
        ("GET", f"{TOWN}/dictionary/changes?sinse=1", "bad_input"),
        ("GET", f"{TOWN}/learning/trainings/none", "not_found"),
        ("DELETE", f"{TOWN}/dictionary/0123456789abcdef", "not_found"),
        ("PUT", f"{TOWN}/sessions/pleno-1/versions/1/draft", "bad_input"),
        ("PUT", f"{TOWN}/sessions/pleno-1/versions/1000", "validation"),
        ("POST", f"{TOWN}/sessions/nunca/versions/1/final", "base_missing"),
        ("POST", f"{TOWN}/sessions/pleno-1/versions/1/final", "upload_refused"),
        ("POST", "/v1/compare", "validation"),
        ("GET", "/no/such/place", "not_found"),
        ("PATCH", f"{TOWN}/dictionary", "method_not_allowed"),
    ],
)
def test_what_a_person_reads_is_spanish_and_what_a_program_reads_is_stable(
    client: TestClient, issue: Issue, draft: DraftFiles, method: str, path: str, code: str
) -> None:
    body = {"content": b"no es un docx"} if path.endswith("/final") else {}
    answer = client.request(method, path, headers=issue("platform"), **body).json()
    assert answer["code"] == code
    assert not any(word in answer["message"].lower() for word in ENGLISH), answer
    assert set(answer) <= {"code", "message", "request_id", "reason", "detail"}


def test_a_key_that_opens_nothing_is_told_so_in_spanish(client: TestClient) -> None:
    for headers in ({}, {"Authorization": "Bearer astra_nobody"}):
        message = client.get(f"{TOWN}/dictionary", headers=headers).json()["message"]
        assert "clave" in message
        assert not any(word in message for word in ENGLISH)


def test_a_misspelt_question_is_refused_and_not_taken_for_no_question(
    client: TestClient, issue: Issue, draft: DraftFiles
) -> None:
    answer = client.get(f"{TOWN}/dictionary/changes?sinse=5", headers=issue("viewer"))
    assert answer.status_code == 422
    assert "since" in answer.json()["message"]


def test_a_roster_nested_without_end_is_refused(client: TestClient, issue: Issue, draft: DraftFiles) -> None:
    sent = {"docx": ("d.docx", draft.docx), "manifest": ("d.json", draft.manifest)}
    answer = client.put(
        f"{TOWN}/sessions/pleno-1/versions/1/draft",
        files=sent,
        data={"roster": "[" * 200_000},
        headers=issue("admin"),
    )
    assert answer.status_code == 422
    assert "roster" in answer.json()["message"]


@pytest.mark.parametrize(
    ("value", "cell"),
    [("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("\n=1", "'\n'=1"), ("", ""), (None, ""), (-0.5, "-0.5")],
)
def test_no_cell_of_the_export_runs_as_a_formula(value: object, cell: str) -> None:
    assert csv_text.cell(value) == cell
