"""Adapters on a vLLM server: a real HTTP server that keeps vLLM's contract of its adapter routes.

The contract, of vLLM's OpenAI server with runtime LoRA updating: ``POST /v1/load_lora_adapter`` with
lora_name and lora_path answers 200 with a sentence; 400 when a part is missing or the name is taken; 404 when
the folder holds no adapter. ``POST /v1/unload_lora_adapter`` answers 404 for an unknown name. ``GET
/v1/models`` lists the base and every adapter with its path as ``root``.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from astra_learn_assets.errors import AdapterRefused, InvalidId, Unavailable
from astra_learn_assets.serving.served_adapter import ServedAdapter
from astra_learn_assets.serving.vllm_client import VllmAdapters
from astra_learn_assets_tests.registry.builders import signed_folder

BASE = "base-es"


class _Vllm(ThreadingHTTPServer):
    """What a server holds; ``broken`` makes it fail as one does that is starting."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.adapters: dict[str, str] = {}
        self.loads = 0
        self.broken = False
        self.keys: set[str | None] = set()
        self.guard = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: _Vllm

    def do_GET(self) -> None:
        if self.server.broken:
            self._answer(503, {"error": "starting"})
            return
        entries: list[dict[str, Any]] = [{"id": BASE, "root": BASE, "parent": None}]
        entries += [{"id": name, "root": path, "parent": BASE} for name, path in self.server.adapters.items()]
        self._answer(200, {"object": "list", "data": entries})

    def do_POST(self) -> None:
        self.server.keys.add(self.headers.get("Authorization"))
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.guard:
            self._answer(*(self._load(body) if self.path == "/v1/load_lora_adapter" else self._unload(body)))

    def _load(self, body: dict[str, str]) -> tuple[int, object]:
        name, path = body.get("lora_name"), body.get("lora_path")
        if not name or not path:
            return 400, {"message": "Both 'lora_name' and 'lora_path' must be provided."}
        if name in self.server.adapters:
            return 400, {"message": f"The lora adapter '{name}' has already been loaded."}
        if not (Path(path) / "adapter_config.json").is_file():
            return 404, {"message": f"No adapter found for {path}"}
        self.server.adapters[name] = path
        self.server.loads += 1
        return 200, f"Success: LoRA adapter '{name}' added successfully."

    def _unload(self, body: dict[str, str]) -> tuple[int, object]:
        if self.server.adapters.pop(body["lora_name"], None) is None:
            return 404, {"message": f"The lora adapter '{body['lora_name']}' cannot be found."}
        return 200, f"Success: LoRA adapter '{body['lora_name']}' removed successfully."

    def _answer(self, status: int, body: object) -> None:
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def server() -> Iterator[_Vllm]:
    with _Vllm() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def adapters(server: _Vllm, tmp_path: Path) -> Iterator[VllmAdapters]:
    (tmp_path / "shared").mkdir()
    made = VllmAdapters(server.url, folder=tmp_path / "shared", key="secret")
    yield made
    made.close()


def _served(tmp_path: Path, seed: int = 1) -> ServedAdapter:
    folder = tmp_path / f"adapter-{seed}"
    manifest = signed_folder(folder, seed=seed)
    return ServedAdapter(manifest.adapter_id, folder, manifest)


def test_an_adapter_is_loaded_once_under_its_id_from_a_copy_of_the_checked_bytes(
    server: _Vllm, adapters: VllmAdapters, tmp_path: Path
) -> None:
    served = _served(tmp_path)
    assert adapters.ensure(served) == served.adapter_id == adapters.ensure(served)
    assert server.loads == 1
    copy = Path(server.adapters[served.adapter_id])
    assert copy.parent == tmp_path / "shared"
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == served.read()
    assert server.keys == {"Bearer secret"}


def test_two_that_load_at_once_both_succeed(server: _Vllm, adapters: VllmAdapters, tmp_path: Path) -> None:
    served = _served(tmp_path)
    real = adapters.loaded
    adapters.loaded = dict  # type: ignore[method-assign]  # as seen before the other one loaded it
    adapters.ensure(served)
    assert adapters.ensure(served) == served.adapter_id
    assert real().keys() == {served.adapter_id}
    assert server.loads == 1


def test_bytes_that_changed_since_they_were_checked_never_reach_the_server(
    server: _Vllm, adapters: VllmAdapters, tmp_path: Path
) -> None:
    served = _served(tmp_path)
    (served.path / "adapter_config.json").write_text("{}")
    with pytest.raises(AdapterRefused, match="not what was signed"):
        adapters.ensure(served)
    assert server.adapters == {}
    assert not (tmp_path / "shared" / served.adapter_id).exists()


def test_a_name_that_the_server_has_from_elsewhere_is_refused(
    server: _Vllm, adapters: VllmAdapters, tmp_path: Path
) -> None:
    served = _served(tmp_path)
    server.adapters[served.adapter_id] = "/somebody/elses"
    with pytest.raises(AdapterRefused, match="/somebody/elses"):
        adapters.ensure(served)


def test_what_the_server_refuses_is_refused_with_its_words(
    server: _Vllm, adapters: VllmAdapters, tmp_path: Path
) -> None:
    served = _served(tmp_path)
    hidden = VllmAdapters(server.url, folder=tmp_path / "shared")
    hidden._folder = tmp_path / "not-mounted-there"
    hidden._copy = lambda *_: None  # type: ignore[method-assign]  # the server does not see our folder
    with pytest.raises(AdapterRefused, match=r"404.*No adapter found"):
        hidden.ensure(served)


def test_only_adapters_are_listed_and_dropped_never_the_base(
    server: _Vllm, adapters: VllmAdapters, tmp_path: Path
) -> None:
    first, second = _served(tmp_path, 1), _served(tmp_path, 2)
    for served in (first, second):
        adapters.ensure(served)
    assert adapters.loaded().keys() == {first.adapter_id, second.adapter_id}
    assert adapters.keep_only([second.adapter_id]) == [first.adapter_id]
    assert server.adapters.keys() == {second.adapter_id}
    assert not (tmp_path / "shared" / first.adapter_id).exists()
    adapters.drop(first.adapter_id)  # again: it is gone already
    with pytest.raises(InvalidId):
        adapters.drop(BASE)


def test_a_server_that_is_away_or_starting_is_unavailable(
    server: _Vllm, adapters: VllmAdapters, tmp_path: Path
) -> None:
    server.broken = True
    with pytest.raises(Unavailable, match="503"):
        adapters.ensure(_served(tmp_path))
    nobody = VllmAdapters("http://127.0.0.1:1", folder=tmp_path)
    with pytest.raises(Unavailable):
        nobody.loaded()
    nobody.close()
