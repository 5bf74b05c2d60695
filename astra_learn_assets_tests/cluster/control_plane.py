"""etcd, kube-apiserver, kube-scheduler and kube-controller-manager on this machine, for one ``with`` block.

Call::

    with ControlPlane(tmp_path / "control-plane", nodes=("cpu",)) as plane:
        plane.kubectl("get", "namespaces")

Everything listens on 127.0.0.1 on ports that the system picks. Clocks are shortened so that a test need not
wait as long as an operator would: a node is unreachable after ``UNREACHABLE_SECONDS`` without a heartbeat
(Kubernetes: 50), and its pods are thrown off ``EVICTION_SECONDS`` later (Kubernetes: 300).
Each process asks the kernel to be killed with its parent, so nothing outlives a killed test run.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from astra_learn_assets_tests.cluster import credentials
from astra_learn_assets_tests.cluster.programs import helm, program

UNREACHABLE_SECONDS = 8
EVICTION_SECONDS = 2
_START_SECONDS = 120
_STOP_SECONDS = 3


class ControlPlane:
    """The four processes and how to reach them. ``nodes``: which node agents may come, each as itself."""

    def __init__(self, folder: Path, *, nodes: tuple[str, ...]) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.credentials = credentials.make(folder / "pki", nodes)
        self.port = free_port()
        self.server = f"https://127.0.0.1:{self.port}"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.kubeconfig_of(credentials.ADMIN)

    def kubeconfig_of(self, user: str) -> Path:
        """The kubeconfig of one of the users in :mod:`.credentials`."""
        path = self.folder / f"{user.replace(':', '-')}.kubeconfig"
        if not path.exists():
            self._write_kubeconfig(path, self.credentials.tokens[user])
        return path

    def kubeconfig_of_account(self, namespace: str, name: str) -> Path:
        """A kubeconfig of a service account that exists, with a token the API server issued."""
        token = self.kubectl("create", "token", name, "-n", namespace, "--duration", "24h").strip()
        return self._write_kubeconfig(self.folder / f"{namespace}-{name}.kubeconfig", token, namespace)

    def __enter__(self) -> Self:
        try:
            self._start_etcd()
            self._start_api_server()
            self._start_controllers()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End every process and wait until it is gone."""
        for process in self._processes.values():
            process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for process in self._processes.values():
            try:
                process.wait(timeout=max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()  # the API server waits a minute for its clients; nothing of it is kept
                process.wait()
        self._processes.clear()

    def pids(self) -> dict[str, int]:
        """The process id of each running part."""
        return {name: process.pid for name, process in self._processes.items() if process.poll() is None}

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """What ``kubectl`` prints, as the administrator.

        Raises:
            AssertionError: it failed; the message holds what it said.
        """
        return self._tool(program("kubectl"), arguments, stdin)

    def helm(self, *arguments: str) -> str:
        """What ``helm`` prints, as the administrator.

        Raises:
            AssertionError: it failed; the message holds what it said.
        """
        return self._tool(helm(), arguments, None)

    def apply(self, *objects: dict[str, Any]) -> None:
        """``kubectl apply`` of objects as dictionaries."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(items))

    def _tool(self, tool: Path, arguments: tuple[str, ...], stdin: str | None) -> str:
        home = str(self.folder)
        completed = subprocess.run(
            [tool, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": os.environ["PATH"], "HOME": home, "KUBECONFIG": str(self.kubeconfig)},
        )
        assert completed.returncode == 0, f"{tool.name} {' '.join(arguments)}: {completed.stderr}"
        return completed.stdout

    def _start_etcd(self) -> None:
        self._etcd, peers = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        self._start(
            "etcd",
            *("--data-dir", str(self.folder / "etcd"), "--unsafe-no-fsync", "--name", "test"),
            *("--listen-client-urls", self._etcd, "--advertise-client-urls", self._etcd),
            *("--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers),
            *("--initial-cluster", f"test={peers}"),
        )
        self._wait("etcd", f"{self._etcd}/health")

    def _start_api_server(self) -> None:
        certificate, key = self.credentials.certificate("apiserver")
        account_key = str(self.credentials.folder / "service-accounts.key")
        self._start(
            "kube-apiserver",
            f"--etcd-servers={self._etcd}",
            f"--secure-port={self.port}",
            "--bind-address=127.0.0.1",
            # No node has an address that a kube-proxy would send to; nothing asks the network for one.
            "--advertise-address=192.0.2.1",
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.96.0.0/16",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
            f"--token-auth-file={self.credentials.token_file}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            f"--default-unreachable-toleration-seconds={EVICTION_SECONDS}",
            f"--default-not-ready-toleration-seconds={EVICTION_SECONDS}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={account_key}",
            f"--service-account-signing-key-file={account_key}",
            f"--kubelet-certificate-authority={self.credentials.authority}",
            "--kubelet-preferred-address-types=InternalIP",
        )
        self._wait("kube-apiserver", f"{self.server}/readyz")

    def _start_controllers(self) -> None:
        self._start(
            "kube-controller-manager",
            f"--kubeconfig={self.kubeconfig_of('system:kube-controller-manager')}",
            "--leader-elect=false",
            "--secure-port=0",
            "--use-service-account-credentials",
            f"--root-ca-file={self.credentials.authority}",
            f"--service-account-private-key-file={self.credentials.folder / 'service-accounts.key'}",
            "--node-monitor-period=1s",
            f"--node-monitor-grace-period={UNREACHABLE_SECONDS}s",
        )
        self._start(
            "kube-scheduler",
            f"--kubeconfig={self.kubeconfig_of('system:kube-scheduler')}",
            "--leader-elect=false",
            "--secure-port=0",
        )

    def _start(self, name: str, *arguments: str) -> None:
        setpriv = shutil.which("setpriv")
        assert setpriv is not None, "setpriv (util-linux) is needed to tie the processes to this one"
        with self._log(name).open("wb") as log:
            self._processes[name] = subprocess.Popen(
                [setpriv, "--pdeathsig", "KILL", program(name), *arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C is for the test run, which stops these in order
            )

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _wait(self, name: str, url: str) -> None:
        trust = ssl.create_default_context(cafile=str(self.credentials.authority))
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._processes[name].poll() is None:
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                context = trust if url.startswith("https") else None
                with urllib.request.urlopen(url, timeout=5, context=context):
                    return
            time.sleep(0.1)
        tail = self._log(name).read_text(errors="replace").splitlines()[-8:]
        raise AssertionError(f"{name} did not start; the end of {self._log(name)}:\n" + "\n".join(tail))

    def _write_kubeconfig(self, path: Path, token: str, namespace: str = "default") -> Path:
        authority = self.credentials.authority
        return credentials.kubeconfig(
            path, server=self.server, authority=authority, token=token, namespace=namespace
        )


def free_port() -> int:
    """A port on 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
