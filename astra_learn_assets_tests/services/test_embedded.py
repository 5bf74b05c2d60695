"""The embedded services: shared, counted, cleaned up, whatever happens to those who use them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
import redis
import sqlalchemy as sa

from astra_learn_assets.errors import BadConfiguration, Unavailable
from astra_learn_assets.platform import Platform
from astra_learn_assets.services import membership, servers
from astra_learn_assets.services.embedded import attach, embedded, export_env
from astra_learn_assets.services.unprivileged import Owner, _can_run, owner_of
from astra_learn_assets.settings import REPOSITORY, Settings
from astra_learn_assets.store.db import normalise_url

# A user of the services: says where they are, then waits until its standard input ends.
_USER = """
import json, sys
from pathlib import Path
from astra_learn_assets.services.embedded import embedded
from astra_learn_assets.settings import Settings
with embedded(Settings(home=Path(sys.argv[1]), _env_file=None), durable=False) as settings:
    print(json.dumps([settings.database_url, settings.redis_url]), flush=True)
    sys.stdin.read()
"""


class User:
    """A process that uses the services of ``home``."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _USER, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
        )

    def urls(self) -> list[str]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read() if self.process.stderr else ""
        return [str(url) for url in json.loads(line)]

    def leave(self) -> None:
        _, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, errors

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=20)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Path]:
    """A home that nobody used yet."""
    folder = tmp_path / "home"
    yield folder
    for server in membership.servers(folder).values():  # only after a failed test
        servers.stop(server)


@pytest.fixture(scope="module")
def _used_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("used") / "home"
    with embedded(Settings(home=folder), durable=False):
        pass
    return folder


@pytest.fixture
def home(fresh: Path, _used_before: Path) -> Path:
    """A home that was used before and is at rest: saves making the database anew in every test."""
    subprocess.run(["cp", "-a", str(_used_before), str(fresh)], check=True)
    return fresh


def _wait(condition: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def _answers(url: str) -> bool:
    try:
        psycopg2.connect(url.replace("+psycopg2", "")).close()
    except psycopg2.OperationalError:
        return False
    return True


def test_two_processes_that_start_at_once_share_one_server_until_the_last_leaves(fresh: Path) -> None:
    users = [User(fresh) for _ in range(3)]
    urls = [user.urls() for user in users]
    assert urls[0] == urls[1] == urls[2]
    users[0].leave()
    assert _answers(urls[0][0])
    users[1].leave()
    assert _answers(urls[0][0])
    known = membership.servers(fresh)
    assert set(known) == {"postgres", "redis", "guardian"}
    users[2].leave()
    assert membership.servers(fresh) == {}
    assert not _answers(urls[0][0])
    assert not any(server.alive() for server in known.values())


def test_a_killed_user_is_not_waited_for_and_the_last_one_killed_leaves_nothing_running(home: Path) -> None:
    first, second = User(home), User(home)
    urls = first.urls()
    assert second.urls() == urls
    known = membership.servers(home)
    first.kill()
    assert _answers(urls[0])
    second.kill()  # nobody is left to stop anything: the guardian does
    assert _wait(lambda: not any(server.alive() for server in known.values()))


def test_the_next_user_cleans_up_when_even_the_guardian_was_killed(home: Path) -> None:
    first = User(home)
    urls = first.urls()
    known = membership.servers(home)
    os.kill(known["guardian"].pid, signal.SIGKILL)
    first.kill()
    assert _answers(urls[0])
    second = User(home)
    assert second.urls() == urls  # found running, and taken over
    second.leave()
    assert not any(server.alive() for server in known.values())
    assert membership.servers(home) == {}


def test_data_and_address_survive_a_restart(home: Path) -> None:
    settings = Settings(home=home)
    with embedded(settings) as first, Platform.open(first) as platform:
        with platform.database.session() as session:
            session.execute(sa.text("CREATE TABLE kept AS SELECT 42 AS answer"))
        platform.redis.set("kept", "yes")
    with embedded(settings) as second, Platform.open(second) as platform:
        with platform.database.session() as session:
            assert session.scalar(sa.text("SELECT answer FROM kept")) == 42
        assert platform.redis.get("kept") == "yes"
        assert (second.database_url, second.redis_url) == (first.database_url, first.redis_url)


def test_servers_that_were_killed_are_started_again_with_what_was_committed(home: Path) -> None:
    settings = Settings(home=home)
    with embedded(settings) as first:
        with Platform.open(first) as platform, platform.database.session() as session:
            session.execute(sa.text("CREATE TABLE kept AS SELECT 42 AS answer"))
        for server in membership.servers(home).values():
            os.kill(server.pid, signal.SIGKILL)
        assert _wait(lambda: membership.servers(home) == {})
        with (
            embedded(settings) as again,
            Platform.open(again) as platform,
            platform.database.session() as session,
        ):
            assert session.scalar(sa.text("SELECT answer FROM kept")) == 42
    assert membership.servers(home) == {}


def test_a_lost_note_of_the_running_servers_starts_no_second_one_over_the_same_files(home: Path) -> None:
    settings = Settings(home=home)
    with embedded(settings) as first:
        old = membership.servers(home)
        (home / "services.json").unlink()
        with embedded(settings) as second, Platform.open(second) as platform:
            platform.database.ping()
            new = membership.servers(home)
            assert not old["postgres"].alive()
            assert not old["redis"].alive()
            assert new["postgres"].pid != old["postgres"].pid
        assert first.database_url is not None
    assert membership.servers(home) == {}
    assert _wait(lambda: not old["guardian"].alive())


def test_a_pid_file_that_names_a_stranger_harms_neither(home: Path) -> None:
    settings = Settings(home=home)
    stranger = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    (home / "postgres" / "data" / "postmaster.pid").write_text(f"{stranger.pid}\n{home}\n", encoding="utf-8")
    (home / "redis" / "redis.pid").write_text(f"{stranger.pid}\n", encoding="utf-8")
    with embedded(settings) as running, Platform.open(running) as platform:
        platform.database.ping()
        platform.redis.ping()
    assert stranger.poll() is None
    stranger.communicate(timeout=10)


def test_an_initdb_that_was_killed_half_way_is_done_anew(fresh: Path) -> None:
    partial = fresh / "postgres" / "data.partial"
    partial.mkdir(parents=True)
    (partial / "PG_VERSION").write_text("18")
    if os.geteuid() == 0:
        owner_of(fresh / "postgres").give(fresh / "postgres")
    with embedded(Settings(home=fresh)) as running, Platform.open(running) as platform:
        platform.database.ping()


def test_a_home_with_spaces_quotes_and_a_very_long_path_works() -> None:
    # Longer than a unix socket's path may be, and as root below a folder that only root may enter.
    root = Path(tempfile.mkdtemp())
    home = root / 'it\'s a "home" $HOME ñ %41' / ("long" * 40)
    try:
        with embedded(Settings(home=home), durable=False) as running, Platform.open(running) as platform:
            platform.database.ping()
            platform.redis.set("a", "b")
            platform.objects.put("a/b", b"c")
            assert (home / "objects" / "a" / "b").read_bytes() == b"c"
            assert running.dagster_database_url is not None
            assert _answers(running.dagster_database_url)
    finally:
        shutil.rmtree(root)


def test_nobody_without_the_password_gets_in(services: Settings) -> None:
    assert services.database_url is not None
    assert services.redis_url is not None
    url = normalise_url(services.database_url)
    for password in ("wrong", ""):
        with pytest.raises(psycopg2.OperationalError):
            psycopg2.connect(
                host=url.host, port=url.port, user=url.username, password=password, dbname="astra"
            )
    port = int(services.redis_url.rsplit(":", 1)[1].split("/")[0])
    with redis.Redis(port=port) as client, pytest.raises(redis.AuthenticationError):
        client.ping()
    for name in ("postgres", "redis"):
        secret = services.home_path / name / "password"
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_postgres_never_runs_as_root(services: Settings) -> None:
    pid = membership.servers(services.home_path)["postgres"].pid
    assert Path(f"/proc/{pid}").stat().st_uid != 0


def test_a_port_that_somebody_took_meanwhile_is_replaced(home: Path) -> None:
    old = membership.last_known(home)
    with socket.socket() as one, socket.socket() as two:
        for taken, name in ((one, "postgres"), (two, "redis")):
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", old[name].port))
            taken.listen()
        with embedded(Settings(home=home), durable=False) as running, Platform.open(running) as platform:
            platform.database.ping()
            platform.redis.ping()
            assert membership.servers(home)["postgres"].port != old["postgres"].port


def test_a_port_taken_between_looking_and_starting_is_replaced(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = iter([taken.getsockname()[1]] * 2)
        free = servers._free_port
        monkeypatch.setattr(servers, "_free_port", lambda: next(ports, None) or free())
        with embedded(Settings(home=home), durable=False) as running, Platform.open(running) as platform:
            platform.database.ping()
            platform.redis.ping()


def test_what_is_set_is_left_alone_and_nothing_is_started(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path / "h", database_url="postgres://u:p@db:1/astra", redis_url="redis://r:1/0"
    )
    with embedded(settings) as complete:
        assert membership.servers(tmp_path / "h") == {}
        assert complete.database_url == "postgres://u:p@db:1/astra"
        assert complete.redis_url == "redis://r:1/0"
        assert complete.dagster_database_url == "postgresql+psycopg2://u:p@db:1/astra"
        assert complete.object_store_url == f"file://{tmp_path}/h/objects"


def test_with_a_database_of_ones_own_only_redis_is_started(services: Settings, fresh: Path) -> None:
    with embedded(Settings(home=fresh, database_url=services.database_url), durable=False) as complete:
        assert set(membership.servers(fresh)) == {"redis", "guardian"}
        with Platform.open(complete) as platform:
            platform.redis.ping()
            platform.database.ping()


def test_a_platform_finds_what_runs_and_says_what_to_do_when_nothing_does(home: Path) -> None:
    with pytest.raises(Unavailable, match="ASTRA_DATABASE_URL"):
        Platform.open(Settings(home=home))
    with embedded(Settings(home=home), durable=False) as running:
        assert attach(Settings(home=home)) == running
        with Platform.open(Settings(home=home)) as platform:
            platform.database.ping()
    with pytest.raises(BadConfiguration):
        Platform.open(running.model_copy(update={"redis_url": "http://x"}))


def test_a_subprocess_gets_the_same_settings_by_environment(services: Settings, tmp_path: Path) -> None:
    special = services.model_copy(update={"train_threshold": 77, "replay_file": Path("relative.jsonl")})
    program = "from astra_learn_assets.settings import Settings; print(Settings().model_dump_json())"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ASTRA_")}
    completed = subprocess.run(
        [sys.executable, "-c", program],
        env={**environment, **export_env(special), "PYTHONPATH": str(REPOSITORY)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    expected = special.model_copy(update={"replay_file": Path("relative.jsonl").resolve()})
    assert Settings.model_validate_json(completed.stdout) == expected


def test_a_server_that_cannot_start_says_why_and_leaves_no_process(home: Path) -> None:
    (home / "postgres" / "data" / "global" / "pg_control").write_bytes(b"damaged")
    with (
        pytest.raises(Unavailable, match=r"Postgres does not start.*pg_control"),
        embedded(Settings(home=home)),
    ):
        pass
    assert membership.servers(home) == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv")
def test_an_ordinary_user_runs_it_too_and_is_told_when_the_files_are_not_his() -> None:
    site, installed, _ = servers._postgres_files()
    if not _can_run(Owner(65534, 65534), site / installed / "bin" / "postgres"):
        pytest.skip("this environment is in a folder that an ordinary user may not enter")
    place = Path(tempfile.mkdtemp())
    place.chmod(0o777)
    # This Python may lie below /root: the one right that nobody keeps here is to read it there.
    right = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *right]
    program = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r})\n" + _USER
    command = [*as_nobody, sys.executable, "-c", program, str(place / "home")]

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, check=False, cwd=place, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )

    try:
        first = run()
        assert first.returncode == 0, first.stderr
        assert (place / "home" / "postgres" / "data").stat().st_uid == 65534
        with embedded(Settings(home=place / "home"), durable=False):  # root afterwards: as the files' owner
            pid = membership.servers(place / "home")["postgres"].pid
            assert Path(f"/proc/{pid}").stat().st_uid == 65534
        os.chown(place / "home" / "postgres", 1, 1)
        second = run()
        assert second.returncode != 0
        assert "belongs to another user" in second.stderr
    finally:
        shutil.rmtree(place)
