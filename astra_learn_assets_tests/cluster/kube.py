"""The API server as plain dictionaries: the ``kubernetes`` client's connection without its classes.

A node agent reads and writes parts of objects; dictionaries are what the API's own documentation shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes
from kubernetes.client.exceptions import ApiException

Object = dict[str, Any]
NOT_FOUND, CONFLICT, FORBIDDEN = 404, 409, 403
_SECONDS = 10
_PATCH = "application/strategic-merge-patch+json"


class Kube:
    """One identity's connection. Every method raises ApiException (with ``status``) when refused."""

    def __init__(self, kubeconfig: Path) -> None:
        self._client = kubernetes.config.new_client_from_config(str(kubeconfig))

    def get(self, path: str, **query: str) -> Object:
        """The object or list at ``path``, such as ``/api/v1/nodes/cpu``."""
        return self._call("GET", path, query=query)

    def find(self, path: str) -> Object | None:
        """The object at ``path``; None when there is none."""
        try:
            return self.get(path)
        except ApiException as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def create(self, path: str, body: Object) -> Object:
        """POST ``body`` to a collection."""
        return self._call("POST", path, body=body)

    def patch(self, path: str, body: Object) -> Object:
        """A strategic merge patch: what ``body`` does not name stays."""
        return self._call("PATCH", path, body=body, content=_PATCH)

    def replace(self, path: str, body: Object) -> Object:
        """PUT the whole object."""
        return self._call("PUT", path, body=body)

    def delete(self, path: str, body: Object | None = None) -> Object:
        """DELETE with options such as ``gracePeriodSeconds``."""
        return self._call("DELETE", path, body=body)

    def watch(self, path: str, seconds: int, **query: str) -> Iterator[Object]:
        """Events ``{type, object}`` of a collection, for at most ``seconds``."""
        query |= {"watch": "true", "timeoutSeconds": str(seconds)}
        response = self._raw("GET", path, query=query, timeout=seconds + _SECONDS)
        try:
            pending = b""
            for piece in response.stream(65536):
                *lines, pending = (pending + piece).split(b"\n")
                yield from (json.loads(line) for line in lines if line)
        finally:
            response.close()
            response.release_conn()

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Object | None = None,
        content: str = "application/json",
    ) -> Object:
        response = self._raw(method, path, query=query, body=body, content=content)
        return dict(json.loads(response.data))

    def _raw(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Object | None = None,
        content: str = "application/json",
        timeout: float = _SECONDS,
    ) -> Any:
        return self._client.call_api(
            path,
            method,
            query_params=list((query or {}).items()),
            header_params={"Accept": "application/json", "Content-Type": content},
            body=body,
            auth_settings=["BearerToken"],
            _preload_content=False,
            _return_http_data_only=True,
            _request_timeout=timeout,
        )
