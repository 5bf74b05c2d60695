"""Everything a laptop needs, running for as long as somebody uses it.

Call::

    with embedded(get_settings()) as settings:
        platform = Platform.open(settings)

``settings`` has every URL filled in. What is already set (a production Postgres, a Redis elsewhere) is
left alone; what is not set is started below ``ASTRA_HOME``, or shared with the processes that started
it before: tests, demo and daemon may run at once. When the last of them leaves, or is killed, the
servers stop; the data stays and is found again at the next start.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from astra_learn_assets.errors import NotFound, Unavailable
from astra_learn_assets.services import membership, servers
from astra_learn_assets.services.servers import Server
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import db

if TYPE_CHECKING:
    import sqlalchemy as sa

DATABASE, DAGSTER_DATABASE = "astra", "dagster"
API_ROLE = "astra_api"
_STARTERS = {"postgres": servers.start_postgres, "redis": servers.start_redis}


@contextmanager
def embedded(settings: Settings, *, durable: bool = True, found: bool = True) -> Iterator[Settings]:
    """Run what ``settings`` leaves open, and yield a copy of it with every URL filled in.

    The database is migrated. ``durable=False`` trades safety against a power cut for speed (tests).
    ``found=False`` is for who only asks a platform something: a home without one, perhaps a slip of the
    pen, is refused instead of being made into an empty platform.

    Raises:
        NotFound: ``found=False`` and there is no platform.
        Unavailable: a server does not start; the message holds the end of its log.
        BadConfiguration: a wheel is missing, or the home folder belongs to another user.
    """
    home = settings.home_path
    if found:
        _make_home(home)
    else:
        _require_platform(settings)
    if settings.database_url is not None and settings.redis_url is not None:
        yield filled(settings, {})
        return
    with membership.exclusive(home):
        running = _ensure(settings, home, durable)
        handle = membership.join(home)
    try:
        complete = filled(settings, running)
        if settings.database_url is None and complete.database_url is not None:
            db.migrate(complete.database_url)
        yield complete
    finally:
        membership.leave(home, handle)


def stands(home: Path, name: str) -> bool:
    """Whether the server ``name`` of ``home`` runs."""
    return name in membership.servers(home)


def revive(settings: Settings, name: str) -> None:
    """Start the server ``name`` again, at the port that everybody knows; for who uses the home already.

    Raises:
        Unavailable: it does not start, or another program has taken its port meanwhile.
    """
    home = settings.home_path
    with membership.exclusive(home):
        known = membership.last_known(home)
        if stands(home, name):
            return  # another user of the home was faster
        port = known[name].port
        started = _STARTERS[name](home / name, durable=True, preferred_port=port)
        if started.port != port:
            servers.stop(started, postgres=name == "postgres")
            raise Unavailable(f"port {port} of {name} was taken by another program: free it, or start again")
        membership.write_down(home, known | {name: started})


def attach(settings: Settings) -> Settings:
    """``settings`` with the URLs of the servers that already run in its home; starts nothing.

    Raises:
        Unavailable: something is neither set nor running.
    """
    return filled(settings, membership.servers(settings.home_path))


def filled(settings: Settings, running: dict[str, Server]) -> Settings:
    """A copy of ``settings`` in which nothing that names a place is empty.

    Raises:
        Unavailable: a URL is neither set nor does ``running`` hold the server for it.
    """
    home = settings.home_path
    values: dict[str, Any] = {"home": home}
    if settings.database_url is None:
        server = _running(running, "postgres", "ASTRA_DATABASE_URL")
        values["database_url"] = _postgres_url(home, server, DATABASE)
        if settings.api_database_url is None:
            values["api_database_url"] = (
                f"postgresql+psycopg2://{API_ROLE}:{_api_password(home)}@127.0.0.1:{server.port}/{DATABASE}"
            )
    if settings.dagster_database_url is None:
        values["dagster_database_url"] = (
            # Table names do not clash, so without a word about it Dagster shares a given database.
            db.normalise_url(settings.database_url).render_as_string(hide_password=False)
            if settings.database_url is not None
            else _postgres_url(home, running["postgres"], DAGSTER_DATABASE)
        )
    if settings.redis_url is None:
        server = _running(running, "redis", "ASTRA_REDIS_URL")
        values["redis_url"] = f"redis://:{servers.password(home / 'redis')}@127.0.0.1:{server.port}/0"
    if settings.object_store_url is None:
        values["object_store_url"] = (home / "objects").as_uri()
    if settings.mlflow_tracking_uri is None:
        values["mlflow_tracking_uri"] = f"sqlite:///{home / 'mlflow.db'}"
    if settings.mlflow_artifact_root is None:
        values["mlflow_artifact_root"] = (home / "mlflow-artifacts").as_uri()
    return settings.model_copy(update=values)


def export_env(settings: Settings) -> dict[str, str]:
    """Every set field of ``settings`` as ``ASTRA_*`` variables, for a subprocess; holds secrets."""
    exported: dict[str, str] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if value is None:
            continue
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        elif isinstance(value, Path):
            value = value.expanduser().resolve()
        exported[f"ASTRA_{name.upper()}"] = str(value)
    return exported


def _ensure(settings: Settings, home: Path, durable: bool) -> dict[str, Server]:
    """Start what is needed and does not run; under the lock."""
    running, known = membership.servers(home), membership.last_known(home)
    wanted = [
        name
        for name, url in (("postgres", settings.database_url), ("redis", settings.redis_url))
        if url is None
    ]
    try:
        for name in wanted:
            if name not in running:
                port = known[name].port if name in known else None
                running[name] = _STARTERS[name](home / name, durable=durable, preferred_port=port)
                membership.write_down(home, known | running)
        if "postgres" in wanted:
            _create_databases(home, running["postgres"])
        if "guardian" not in running:
            running["guardian"] = servers.start_guardian(home, membership.__name__)
            membership.write_down(home, known | running)
    except BaseException:
        membership.stop_if_unused(home)  # a half-made start leaves no process behind
        raise
    return running


def _create_databases(home: Path, server: Server) -> None:
    import sqlalchemy as sa

    engine = sa.create_engine(_postgres_url(home, server, "postgres"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            existing = set(connection.scalars(sa.text("SELECT datname FROM pg_database")))
            for name in (DATABASE, DAGSTER_DATABASE):
                if name not in existing:
                    connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
            _create_api_role(connection, home)
    finally:
        engine.dispose()


def _create_api_role(connection: sa.Connection, home: Path) -> None:
    """The API's role, with a password; its rights are a matter of the migrations."""
    import sqlalchemy as sa

    rights = "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE"
    query = sa.text("SELECT rolcanlogin FROM pg_roles WHERE rolname = :role")
    may_log_in: bool | None = connection.scalar(query, {"role": API_ROLE})
    if not may_log_in:
        verb = "CREATE" if may_log_in is None else "ALTER"
        connection.execute(sa.text(f"{verb} ROLE {API_ROLE} {rights} PASSWORD '{_api_password(home)}'"))


def _api_password(home: Path) -> str:
    """Made from the owner's password, which cannot be told from it."""
    secret = servers.password(home / "postgres")
    return hashlib.sha256(f"{API_ROLE}:{secret}".encode()).hexdigest()


def _postgres_url(home: Path, server: Server, database: str) -> str:
    secret = servers.password(home / "postgres")
    return f"postgresql+psycopg2://{servers.USER}:{secret}@127.0.0.1:{server.port}/{database}"


def _running(running: dict[str, Server], name: str, variable: str) -> Server:
    if name not in running:
        raise Unavailable(
            f"{variable} is not set and no embedded {name} runs: start 'astra-learn dev', or set {variable}"
        )
    return running[name]


def _require_platform(settings: Settings) -> None:
    """Raises :class:`NotFound` when something is to be in the home and no platform ever was."""
    home = settings.home_path
    elsewhere = (settings.database_url, settings.redis_url, settings.object_store_url)
    if None not in elsewhere and (settings.master_key_kms or settings.master_key) is not None:
        return
    if not any((home / mark).exists() for mark in ("services.json", "postgres", "keys/master.key")):
        raise NotFound(
            f"no platform in {home}: name the folder of one with --home or ASTRA_HOME ('make demo' has its "
            "own in .astra/demo), or make one there with 'astra-learn tenant add' or 'astra-learn dev'"
        )


def _make_home(home: Path) -> None:
    if not home.exists():
        home.mkdir(parents=True, exist_ok=True)
        # Off Linux root's servers walk here as somebody else: services/unprivileged.py.
        os.chmod(home, 0o711 if os.geteuid() == 0 and sys.platform != "linux" else 0o700)
