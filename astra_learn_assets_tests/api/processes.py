"""The API as a process of its own, to be killed, and a subscriber that writes down what it hears."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import redis

from astra_learn_assets.services.embedded import export_env
from astra_learn_assets.services.stack import free_port
from astra_learn_assets.settings import Settings


@dataclass
class ApiProcess:
    """A running ``uvicorn``; :meth:`kill` is ``kill -9``."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def api_process(settings: Settings, folder: Path) -> Iterator[ApiProcess]:
    """The API on a free port, ready; ended with the block, its log in ``folder``."""
    port = free_port(0)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ASTRA_")},
        **export_env(settings.model_copy(update={"api_compare_processes": 1, "api_rate_per_second": 10_000})),
    }
    log = folder / f"api-{port}.log"
    command = [sys.executable, "-m", "uvicorn", "--factory", "astra_learn_assets.api.app:create_app"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--no-access-log"],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    api = ApiProcess(f"http://127.0.0.1:{port}", process, log)
    try:
        _wait_until_it_answers(api)
        yield api
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            api.kill()


def _wait_until_it_answers(api: ApiProcess) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and api.process.poll() is None:
        try:
            if httpx.get(f"{api.url}/healthz", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"the API did not start: {api.log.read_text()[-2000:]}")


@dataclass
class Heard:
    """Versions by tenant as they came, whatever was published; ``taken``: as a reader takes them."""

    raw: dict[str, list[int]] = field(default_factory=dict)

    def taken(self, tenant_id: str) -> list[int]:
        """What is left for a subscriber that passes over versions it already has."""
        newest, kept = 0, []
        for version in self.raw.get(tenant_id, []):
            if version > newest:
                kept.append(version)
                newest = version
        return kept


class Listener(threading.Thread):
    """Listens on ``DICTIONARY_UPDATED`` from the moment the constructor returns."""

    def __init__(self, url: str, heard: Heard) -> None:
        super().__init__(daemon=True)
        self._client = redis.Redis.from_url(url, decode_responses=True)
        self._pubsub = self._client.pubsub(ignore_subscribe_messages=True)
        self._pubsub.subscribe("DICTIONARY_UPDATED")
        self._pubsub.get_message(ignore_subscribe_messages=False, timeout=5)
        self._heard = heard
        self._ending = threading.Event()
        self.start()

    def run(self) -> None:
        while not self._ending.is_set():
            try:
                message = self._pubsub.get_message(timeout=0.1)
            except (redis.RedisError, OSError):
                return  # Redis is gone; a new listener is made when it is back
            if message is not None:
                event = json.loads(message["data"])
                self._heard.raw.setdefault(event["tenant_id"], []).append(event["version"])

    def stop(self) -> None:
        self._ending.set()
        self.join(timeout=5)
        self._client.close()


def wait_until(true: object, seconds: float = 20) -> bool:
    """Whether the callable ``true`` becomes true within ``seconds``."""
    assert callable(true)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return bool(true())
