"""The whole platform on one machine: services, API, Dagster's code server, webserver and daemon.

``running_stack`` is what ``astra-learn dev`` and ``astra-learn demo`` share. The children write to
``.astra/logs/``; they end with the block, and on Linux also when their parent is killed. Each is a process of
its own, so that one that dies is started again alone: :meth:`Stack.mend`. Not ``dagster dev``: it watches the
webserver and the daemon and ends with either, and a dead code server it does not notice.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx

from astra_learn_assets.errors import BadConfiguration, Unavailable
from astra_learn_assets.services.child import end_with_parent
from astra_learn_assets.services.embedded import embedded, export_env, revive, stands
from astra_learn_assets.services.supervision import Part, Supervisor
from astra_learn_assets.settings import REPOSITORY, Settings

START_SECONDS = 300  # two busy cores and a cold disk need two minutes; a part that ended is not waited for
STOP_SECONDS = 20
LEARNING_NICENESS = 10
CODE_LOCATION = "astra_learn"


@dataclass
class Stack:
    """A running platform: where to reach it, and the environment its processes have."""

    settings: Settings
    api_url: str
    dagster_url: str
    environment: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    supervisor: Supervisor = field(default_factory=Supervisor)

    def mend(self) -> list[str]:
        """Start again what has ended; returns what there is to tell. To be called every second or so.

        Raises:
            Unavailable: a part ends again and again.
        """
        return self.supervisor.look()


@contextmanager
def running_stack(
    settings: Settings, *, dagster: bool = True, learning_niceness: int = LEARNING_NICENESS
) -> Iterator[Stack]:
    """Start everything, wait until it answers, yield it, end everything.

    ``learning_niceness``: how far Dagster's processes and their runs stand back behind the API.

    Raises:
        Unavailable: when a part does not answer within five minutes; the message holds its last lines.
        BadConfiguration: when a port is taken.
    """
    with ExitStack() as stack:
        complete = stack.enter_context(embedded(settings))
        ports = {"ASTRA_API_PORT": settings.api_port, "ASTRA_DAGSTER_PORT": settings.dagster_port}
        for variable, port in ports.items():
            _require_free(settings.api_host, port, variable)
        host = complete.api_host
        dagster_url = f"http://{host}:{complete.dagster_port}"
        api_url = f"http://{host}:{complete.api_port}"
        links = {"dagster_url": complete.dagster_url or dagster_url, "api_url": complete.api_url or api_url}
        complete = complete.model_copy(update=links)
        running = Stack(
            settings=complete,
            api_url=api_url,
            dagster_url=dagster_url,
            environment={**os.environ, **environment(complete)},
        )
        stack.callback(_stop_all, running)
        _watch_services(running, settings)
        api = [*_python("uvicorn"), "--factory", "astra_learn_assets.api.app:create_app"]
        _start(running, "api", [*api, "--host", host, "--port", str(complete.api_port), "--no-access-log"])
        if dagster:
            # A clerk waits for the API; nobody waits for a training. On a small machine both want all cores.
            for name, command in _dagster_parts(running).items():
                _start(running, name, command, niceness=learning_niceness)
        _wait_until_ready(running, "api", f"{running.api_url}/readyz")
        if dagster:
            _wait_until_ready(running, "webserver", f"{running.dagster_url}/server_info")
        yield running


def _dagster_parts(stack: Stack) -> dict[str, list[str]]:
    """Code server, daemon and webserver, which find the first by the workspace that is written here.

    The code server's port stays, so that the others find it again after it was started anew.
    """
    port = free_port(stack.settings.dagster_port + 1)
    location = {"host": "127.0.0.1", "port": port, "location_name": CODE_LOCATION}
    workspace = Path(stack.environment["DAGSTER_HOME"]) / "workspace.yaml"
    workspace.write_text(json.dumps({"load_from": [{"grpc_server": location}]}), encoding="utf-8")  # is YAML
    code = ["-m", "astra_learn_assets.definitions", "-d", str(REPOSITORY), "--location-name", CODE_LOCATION]
    ui = ["-h", stack.settings.api_host, "-p", str(stack.settings.dagster_port)]
    return {
        "code-server": [*_python("dagster"), "api", "grpc", *code, "-h", "127.0.0.1", "-p", str(port)],
        "daemon": [*_python("dagster._daemon"), "run", "-w", str(workspace)],
        "webserver": [*_python("dagster_webserver"), "-w", str(workspace), *ui],
    }


def _watch_services(stack: Stack, given: Settings) -> None:
    """Postgres and Redis, where they are ours; first, because everything else needs them."""
    home = given.home_path
    for name, url in (("postgres", given.database_url), ("redis", given.redis_url)):
        if url is None:
            stack.supervisor.add(
                Part(name, partial(stands, home, name), partial(revive, given, name), f"{home / name}.log")
            )


def environment(settings: Settings) -> dict[str, str]:
    """What a process needs to take part: ``ASTRA_*`` and Dagster's instance; writes ``dagster.yaml``.

    The wheel has no ``dagster.yaml``: where the platform is installed from one, as in the image, the instance
    is the one that ``DAGSTER_HOME`` names.

    Raises:
        BadConfiguration: neither a checkout nor ``DAGSTER_HOME`` has one.
    """
    if not (REPOSITORY / "dagster.yaml").exists():
        instance = os.environ.get("DAGSTER_HOME", "")
        if not instance or not (Path(instance) / "dagster.yaml").exists():
            raise BadConfiguration(
                "no dagster.yaml here: set DAGSTER_HOME to the folder that holds the instance's, "
                "or run from a checkout"
            )
        return {**export_env(settings), "DAGSTER_HOME": instance, "PYTHONUNBUFFERED": "1"}
    home = settings.home_path / "dagster"
    storage = home / "storage"
    storage.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(REPOSITORY / "dagster.yaml", home / "dagster.yaml")
    return {
        **export_env(settings),
        "DAGSTER_HOME": str(home),
        "ASTRA_DAGSTER_STORAGE": str(storage),
        "PYTHONUNBUFFERED": "1",
    }


def run_inside(
    settings: Settings, command: Sequence[str], *, instead: Mapping[str, str] | None = None
) -> int:
    """Run ``command`` in the platform's environment, with this Python's programs first; its exit code.

    ``instead``: what is said in place of a traceback at the end that holds a key of it.

    Raises:
        BadConfiguration: when there is no such program.
    """
    here = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    # what Dagster's libraries warn each other of is nothing that who materializes can change
    quiet = {"PYTHONWARNINGS": os.environ.get("PYTHONWARNINGS", "ignore")}
    full = {**os.environ, **environment(settings), **quiet, "PATH": here}
    program = shutil.which(command[0], path=here)
    if program is None:
        raise BadConfiguration(f"no program {command[0]!r} on the PATH")
    whole = [program, *command[1:]]
    if not instead:
        return subprocess.run(whole, env=full, check=False).returncode
    held: list[str] = []
    with subprocess.Popen(whole, env=full, stderr=subprocess.PIPE, text=True, errors="replace") as process:
        assert process.stderr is not None  # a pipe was asked for
        for line in process.stderr:
            if held or line.startswith("Traceback (most recent call last)"):
                held.append(line)
            else:
                sys.stderr.write(line)
        code = process.wait()
    traceback = "".join(held)
    sentence = next((said for key, said in instead.items() if key in traceback), None)
    sys.stderr.write(f"error: {sentence}\n" if sentence else traceback)
    return code


def free_port(preferred: int, host: str = "127.0.0.1") -> int:
    """``preferred`` if it is free, else one the system picks."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, preferred))
        except OSError:
            probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _require_free(host: str, port: int, variable: str) -> None:
    if free_port(port, host) != port:
        raise BadConfiguration(f"port {port} is in use: stop what uses it or set {variable} to another")


def _python(module: str) -> list[str]:
    return [sys.executable, "-m", module]


def _start(stack: Stack, name: str, command: Sequence[str], *, niceness: int = 0) -> None:
    log = _log(stack, name)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)

    def start() -> None:
        with log.open("ab") as output:
            stack.processes[name] = subprocess.Popen(
                command,
                env=stack.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=partial(end_with_parent, niceness),
            )

    start()
    stack.supervisor.add(Part(name, lambda: stack.processes[name].poll() is None, start, str(log)))


def _log(stack: Stack, name: str) -> Path:
    return stack.settings.home_path / "logs" / f"{name}.log"


def _wait_until_ready(stack: Stack, name: str, url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if stack.processes[name].poll() is not None:
            break
        try:
            if httpx.get(url, timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    tail = _log(stack, name).read_text(errors="replace").splitlines()[-8:]
    raise Unavailable(f"{name} did not start; the end of {_log(stack, name)}:\n" + "\n".join(tail))


def _stop_all(stack: Stack) -> None:
    """SIGTERM to each child's whole session, time to end, then SIGKILL."""
    for process in stack.processes.values():
        _signal(process, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    for process in stack.processes.values():
        try:
            process.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()
    for process in stack.processes.values():
        _signal(process, signal.SIGKILL)  # what the child left behind in its session


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
