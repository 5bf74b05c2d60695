"""Is a container ready? Its startup and readiness probes, asked once a look."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request

from astra_learn_assets_tests.cluster.container import Container
from astra_learn_assets_tests.cluster.kube import Object


def passed(spec: Object, container: Container) -> bool:
    """Whether all the probes that decide about readiness pass now; a container without one is ready."""
    asked = [spec[kind] for kind in ("startupProbe", "readinessProbe") if kind in spec]
    return all(_ask(probe, spec, container) for probe in asked)


def _ask(probe: Object, spec: Object, container: Container) -> bool:
    seconds = probe.get("timeoutSeconds", 1)
    if "exec" in probe:
        return container.execute(probe["exec"]["command"], seconds) == 0
    kind = next(name for name in ("httpGet", "tcpSocket", "grpc") if name in probe)
    port = _port(probe[kind]["port"], spec)
    try:
        if kind != "httpGet":
            with socket.create_connection(("127.0.0.1", port), timeout=seconds):
                return True
        path = probe[kind].get("path", "/")
        headers = {item["name"]: item["value"] for item in probe[kind].get("httpHeaders", [])}
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=seconds) as response:
            return bool(response.status < 400)
    except OSError:
        return False


def _port(port: int | str, spec: Object) -> int:
    if isinstance(port, int):
        return port
    return next(item["containerPort"] for item in spec["ports"] if item.get("name") == port)
