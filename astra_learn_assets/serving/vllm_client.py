"""Adapters of a vLLM server, under immutable names: the adapter's id is its name there.

    adapters = VllmAdapters("http://vllm:8000", folder=Path("/var/cache/vllm"))
    model = adapters.ensure(served)             # the name to give as "model" in a completion

vLLM runs with ``--enable-lora`` and ``VLLM_ALLOW_RUNTIME_LORA_UPDATING=True``, and sees ``folder`` under the
same path. It gets a private copy of the bytes that were checked, so nobody can change them under it. An id is
made of content, so a name that is loaded is that content: loading again is no error, unless the server has it
from somewhere else, which is refused. Who may reach these routes may load anything; they belong behind CORE.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import httpx

from astra_learn_assets import ids
from astra_learn_assets.errors import AdapterRefused, InvalidId, Unavailable
from astra_learn_assets.serving.served_adapter import ServedAdapter

_LOADED_ALREADY = "already been loaded"


class VllmAdapters:
    """One server. Safe to share between threads and processes: every call may be repeated."""

    def __init__(self, url: str, *, folder: Path, key: str | None = None, seconds: float = 30.0) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=url.rstrip("/"), headers=headers, timeout=seconds)
        self._folder = folder

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def loaded(self) -> dict[str, str]:
        """Adapter id -> the folder it was loaded from, of every adapter of ours that is loaded.

        Raises:
            Unavailable: the server does not answer, or not as vLLM does.
        """
        answer = self._call("GET", "/v1/models")
        try:
            models = [(str(one["id"]), str(one.get("root"))) for one in answer.json()["data"]]
        except (ValueError, KeyError, TypeError) as error:
            raise Unavailable("the server answers /v1/models unlike vLLM") from error
        return {name: root for name, root in models if _is_adapter(name)}

    def ensure(self, served: ServedAdapter) -> str:
        """Load ``served`` if it is not; returns its name.

        Raises:
            AdapterRefused: its files changed since they were checked, the server refuses them, or it has
                another folder under this name.
            Unavailable: the server does not answer.
        """
        place = self._folder / served.adapter_id
        known = self.loaded().get(served.adapter_id)
        if known == str(place):
            return served.adapter_id
        if known is not None:
            raise AdapterRefused(f"the server has {served.adapter_id} from {known}, not from {place}")
        self._copy(served, place)
        answer = self._call(
            "POST",
            "/v1/load_lora_adapter",
            {"lora_name": served.adapter_id, "lora_path": str(place)},
            refusals=True,
        )
        if answer.is_success or _LOADED_ALREADY in answer.text:  # another process was faster
            return served.adapter_id
        raise AdapterRefused(
            f"the server refuses {served.adapter_id}: {answer.status_code} {answer.text:.200}"
        )

    def drop(self, adapter_id: str) -> None:
        """Unload an adapter and delete its copy; one that is not loaded is fine.

        Raises:
            InvalidId: it is no adapter of ours: the server's other models are not ours to unload.
            Unavailable: the server does not answer.
        """
        ids.tenant_of_adapter(adapter_id)
        answer = self._call("POST", "/v1/unload_lora_adapter", {"lora_name": adapter_id}, refusals=True)
        if not answer.is_success and answer.status_code != httpx.codes.NOT_FOUND:
            raise Unavailable(f"the server does not unload {adapter_id}: {answer.status_code}")
        shutil.rmtree(self._folder / adapter_id, ignore_errors=True)

    def keep_only(self, wanted: Collection[str]) -> list[str]:
        """Drop every adapter of ours that is not in ``wanted``; returns which."""
        dropped = sorted(self.loaded().keys() - set(wanted))
        for adapter_id in dropped:
            self.drop(adapter_id)
        return dropped

    def _copy(self, served: ServedAdapter, place: Path) -> None:
        """The checked bytes under their name, whole or not at all; a copy that is there was made so."""
        partial = place.with_name(f".{place.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        served.copy_to(partial)
        shutil.rmtree(place, ignore_errors=True)  # of a server that was started anew: it may be anybody's
        partial.rename(place)

    def _call(
        self, method: str, path: str, body: dict[str, str] | None = None, *, refusals: bool = False
    ) -> httpx.Response:
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise Unavailable(f"the model server does not answer: {type(error).__name__}") from error
        if answer.is_server_error or (answer.is_error and not refusals):
            raise Unavailable(f"the model server answers {path} with {answer.status_code}")
        return answer


def _is_adapter(name: str) -> bool:
    with suppress(InvalidId):
        ids.tenant_of_adapter(name)
        return True
    return False
