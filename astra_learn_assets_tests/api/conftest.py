"""The API over real services, and keys for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from astra_learn_assets.api.app import create_app
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import api_keys
from astra_learn_assets_tests.api.files import DraftFiles, make_draft
from astra_learn_assets_tests.conftest import MakeTenant

Headers = dict[str, str]
Issue = Callable[..., Headers]


@pytest.fixture
def api_platform(settings: Settings) -> Iterator[Platform]:
    """What the API works on: the same services, as the database role under row-level security.

    It compares in this process: workers take a second to start; tests that are about them ask for them.
    """
    with Platform.open(settings.model_copy(update={"api_compare_processes": 0}), for_api=True) as opened:
        yield opened


@pytest.fixture
def app(api_platform: Platform) -> FastAPI:
    return create_app(platform=api_platform)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def issue(platform: Platform) -> Issue:
    """``issue("editor")`` gives the headers of a new key; ``issue("platform", tenant_id=None)``."""

    def make(role: str, tenant_id: str | None = "villaverde", **more: object) -> Headers:
        with platform.database.session() as session:
            tenant = None if role == "platform" else tenant_id
            _, key = api_keys.issue(session, tenant_id=tenant, role=role, label=role, **more)  # type: ignore[arg-type]
        return {"Authorization": f"Bearer {key}"}

    return make


@pytest.fixture
def draft(platform: Platform, make_tenant: MakeTenant) -> DraftFiles:
    """Tenant ``villaverde`` with a registered draft of session ``pleno-1``."""
    from astra_learn_assets.hotpath.intake import register_draft

    make_tenant()
    files = make_draft()
    register_draft(
        platform,
        tenant_id="villaverde",
        session_id=files.session_id,
        version=files.version,
        docx=files.docx,
        manifest=files.manifest,
    )
    return files
