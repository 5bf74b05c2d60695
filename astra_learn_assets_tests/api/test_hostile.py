"""Services die in the middle of the work: nothing is lost, nothing is applied twice, order is kept.

Real processes: the API under uvicorn, a Redis and a Postgres of the test's own that are killed and come back.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from astra_learn_assets.hotpath.intake import register_draft
from astra_learn_assets.platform import Platform
from astra_learn_assets.services import membership, servers
from astra_learn_assets.services.embedded import embedded
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import api_keys, dictionary, outbox, tenants
from astra_learn_assets_tests.api.files import DOCX, DraftFiles, make_draft
from astra_learn_assets_tests.api.processes import Heard, Listener, api_process, wait_until
from astra_learn_assets_tests.conftest import MakeTenant

TOWNS = ("villaverde", "rio-claro")
WRONG = ("Zubeldia", "Hortegga", "Villalovos", "Barrutya", "Echebarria", "Mendizaval", "Urquixo", "Salavert")
RIGHT = ("Zubeldía", "Ortega", "Villalobos", "Barrutia", "Etxeberria", "Mendizábal", "Urquijo", "Salaverte")
TEXT = tuple(
    f"Don Ramiro {wrong} pregunta por el punto {number} del orden del día y por los plazos de la licitación."
    for number, wrong in enumerate(WRONG, start=1)
)


@dataclass
class OwnRedis:
    """A Redis that only this test uses."""

    folder: Path
    server: servers.Server

    @property
    def url(self) -> str:
        return f"redis://:{servers.password(self.folder)}@127.0.0.1:{self.server.port}/0"

    def kill(self) -> None:
        os.kill(self.server.pid, signal.SIGKILL)
        assert wait_until(lambda: not self.server.alive())

    def start(self) -> None:
        self.server = servers.start_redis(self.folder, durable=False, preferred_port=self.server.port)


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    folder = tmp_path / "redis"
    running = OwnRedis(folder, servers.start_redis(folder, durable=False))
    yield running
    if running.server.alive():
        os.kill(running.server.pid, signal.SIGCONT)
        servers.stop(running.server)


@dataclass(eq=False)
class Clerk(threading.Thread):
    """Corrects one more name of its draft at a time; asks again as long as the answer is "try again"."""

    url: str
    town: str
    key: str
    files: DraftFiles
    pause: float = 0.0
    statuses: list[int] = field(default_factory=list)
    codes: set[str] = field(default_factory=set)
    done: int = 0

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        for count in range(1, len(WRONG) + 1):
            final = self.files.final(dict(zip(WRONG[:count], RIGHT[:count], strict=True)))
            while not self._upload(final):
                time.sleep(0.1)
            self.done = count
            time.sleep(self.pause)

    def _upload(self, final: bytes) -> bool:
        place = f"{self.url}/v1/tenants/{self.town}/sessions/{self.files.session_id}/versions/1/final"
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": DOCX}
        try:
            answer = httpx.post(place, content=final, headers=headers, timeout=30)
        except httpx.TransportError:
            return False
        self.statuses.append(answer.status_code)
        if answer.status_code != 200:
            self.codes.add(answer.json()["code"])
        return answer.status_code == 200


def clerk(platform: Platform, url: str, town: str, **more: Any) -> Clerk:
    files = make_draft("pleno-1", paragraphs=TEXT)
    register_draft(
        platform, tenant_id=town, session_id="pleno-1", version=1, docx=files.docx, manifest=files.manifest
    )
    with platform.database.session() as session:
        _, key = api_keys.issue(session, tenant_id=town, role="editor", label="x")
    return Clerk(url, town, key, files, **more)


def state(platform: Platform, town: str) -> tuple[int, dict[str, str], list[tuple[int, str]]]:
    """Version, replacements and history of a town's dictionary."""
    with platform.database.session() as session:
        version, entries = dictionary.read(session, town)
        history = [(change.version, change.key) for change in dictionary.changes_since(session, town, 0)]
    return version, {entry.wrong: entry.right for entry in entries}, history


def assert_each_name_was_learned_once(platform: Platform, town: str) -> None:
    version, replacements, history = state(platform, town)
    assert replacements == dict(zip(WRONG, RIGHT, strict=True))
    assert version == len(WRONG)
    assert history == [(number, word.casefold()) for number, word in enumerate(WRONG, start=1)]


def nothing_waits(platform: Platform) -> Callable[[], bool]:
    def empty() -> bool:
        with platform.database.session() as session:
            return outbox.backlog(session) == 0

    return empty


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """The process does nothing during the block."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_redis_killed_during_uploads_and_back_loses_repeats_and_reorders_nothing(
    platform: Platform, settings: Settings, make_tenant: MakeTenant, own_redis: OwnRedis, tmp_path: Path
) -> None:
    heard = Heard()
    listener = Listener(own_redis.url, heard)
    with api_process(settings.model_copy(update={"redis_url": own_redis.url}), tmp_path) as api:
        clerks = []
        for town in TOWNS:
            make_tenant(town)
            clerks.append(clerk(platform, api.url, town))
        for each in clerks:
            each.start()
        assert wait_until(lambda: all(each.done >= 2 for each in clerks))
        own_redis.kill()
        for each in clerks:
            each.join(timeout=60)
        assert [each.done for each in clerks] == [len(WRONG)] * 2
        assert {status for each in clerks for status in each.statuses} == {200}  # no clerk noticed
        with platform.database.session() as session:
            assert outbox.backlog(session) > 0
        with stopped(api.process.pid):  # the subscriber is back before the events are
            own_redis.start()
            listener.stop()
            listener = Listener(own_redis.url, heard)
        assert wait_until(nothing_waits(platform))
        assert wait_until(lambda: all(heard.taken(town)[-1:] == [len(WRONG)] for town in TOWNS))
    listener.stop()
    for town in TOWNS:
        assert heard.taken(town) == list(range(1, len(WRONG) + 1))
        assert_each_name_was_learned_once(platform, town)


def test_the_api_killed_between_commit_and_publish_delivers_after_its_restart(
    platform: Platform, settings: Settings, make_tenant: MakeTenant, own_redis: OwnRedis, tmp_path: Path
) -> None:
    make_tenant("villaverde")
    heard = Heard()
    listener = Listener(own_redis.url, heard)
    mine = settings.model_copy(update={"redis_url": own_redis.url})
    with api_process(mine, tmp_path) as api:
        person = clerk(platform, api.url, "villaverde")
        with stopped(own_redis.server.pid):  # committed, and stuck on the way to Redis
            person.start()
            person.join(timeout=60)
            assert person.statuses == [200] * len(WRONG)
            assert not nothing_waits(platform)()
            api.kill()
    assert not nothing_waits(platform)()
    with api_process(mine, tmp_path):
        assert wait_until(nothing_waits(platform))
        assert wait_until(lambda: heard.taken("villaverde")[-1:] == [len(WRONG)])
    listener.stop()
    assert heard.taken("villaverde") == list(range(1, len(WRONG) + 1))
    assert_each_name_was_learned_once(platform, "villaverde")


def test_the_api_killed_during_uploads_applies_each_of_them_once(
    platform: Platform, settings: Settings, make_tenant: MakeTenant, tmp_path: Path
) -> None:
    make_tenant("villaverde")
    with api_process(settings, tmp_path) as api:
        person = clerk(platform, api.url, "villaverde")
        person.start()
        assert wait_until(lambda: person.done >= 2)
        api.kill()
    with api_process(settings, tmp_path) as again:
        person.url = again.url
        person.join(timeout=60)
        assert person.done == len(WRONG)
        assert set(person.statuses) == {200}
        assert wait_until(nothing_waits(platform))
    assert_each_name_was_learned_once(platform, "villaverde")


def test_postgres_restarted_in_the_middle_is_503_and_then_everything_is_there_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    restarted: servers.Server | None = None
    with embedded(Settings(home=home), durable=False) as settings:
        try:
            with Platform.open(settings) as platform, api_process(settings, tmp_path) as api:
                clerks = []
                for town in TOWNS:
                    with platform.database.session() as session:
                        tenants.create(
                            session,
                            town,
                            display_name=town,
                            country="es",
                            wrapped_key=platform.vault.new_tenant_key(),
                        )
                    clerks.append(clerk(platform, api.url, town))
                for each in clerks:
                    each.start()
                assert wait_until(lambda: all(each.done >= 2 for each in clerks))
                server = membership.servers(home)["postgres"]
                servers.stop(server, postgres=True)
                assert wait_until(lambda: all(503 in each.statuses for each in clerks))
                assert httpx.get(f"{api.url}/readyz", timeout=20).status_code == 503
                restarted = servers.start_postgres(
                    home / "postgres", durable=False, preferred_port=server.port
                )
                assert restarted.port == server.port
                for each in clerks:
                    each.join(timeout=60)
                assert [each.done for each in clerks] == [len(WRONG)] * 2
                assert {status for each in clerks for status in each.statuses} == {200, 503}
                assert {code for each in clerks for code in each.codes} == {"unavailable"}
                assert wait_until(nothing_waits(platform))
                for town in TOWNS:
                    assert_each_name_was_learned_once(platform, town)
                assert "Traceback" not in api.log.read_text()
        finally:
            if restarted is not None:
                servers.stop(restarted, postgres=True)
