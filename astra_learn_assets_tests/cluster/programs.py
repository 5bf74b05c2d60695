"""The programs of the control plane: built once from ``deploy/cluster/go.mod``, kept outside the repository.

``python -m astra_learn_assets_tests.cluster.programs`` builds what is missing. The folder is
``$ASTRA_CLUSTER_CACHE`` (default ``~/.cache/astra-learn/cluster``) ``/<Kubernetes version>-<digest>``; the
digest is that of ``go.mod`` and ``go.sum``, so that another version of any part is another folder. Helm is
not built: it is the one that checks the chart.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

MODULE = Path(__file__).resolve().parents[2] / "deploy" / "cluster"
PACKAGES = {
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    "etcd": "go.etcd.io/etcd/server/v3",
}
_HELM = MODULE.parent / "tools" / "fetch_helm.py"


def version(module: str = "k8s.io/kubernetes") -> str:
    """The version of ``module`` that ``go.mod`` asks for, such as ``v1.37.2``."""
    found = re.search(rf"^\s*{re.escape(module)} (v\S+)", (MODULE / "go.mod").read_text(), re.MULTILINE)
    assert found, f"{MODULE / 'go.mod'} does not require {module}"
    return found[1]


def folder() -> Path:
    """Where the programs of this version are, or will be."""
    home = os.environ.get("ASTRA_CLUSTER_CACHE") or Path.home() / ".cache" / "astra-learn" / "cluster"
    digest = hashlib.sha256((MODULE / "go.mod").read_bytes() + (MODULE / "go.sum").read_bytes()).hexdigest()
    return Path(home).expanduser() / f"{version()}-{digest[:8]}"


def program(name: str) -> Path:
    """The path of one program, built or not."""
    return folder() / name


@cache
def helm() -> Path:
    """The Helm that checks the chart, fetched at the first call."""
    done = subprocess.run([sys.executable, _HELM], check=True, capture_output=True, text=True)
    return Path(done.stdout.strip())


def why_not() -> str | None:
    """Why the control plane cannot run here, in a sentence; None when it can."""
    if sys.platform != "linux":
        return "the node agent runs pods in Linux namespaces; this is not Linux"
    missing = [name for name in PACKAGES if not program(name).is_file()]
    if missing and shutil.which("go") is None:
        return f"{', '.join(missing)}: not built, and there is no Go on the PATH to build them with"
    if missing:
        return f"{', '.join(missing)}: not built yet; run make cluster-test"
    refused = subprocess.run(
        ["unshare", *namespaces(), "mount", "-t", "tmpfs", "tmpfs", "/tmp"],
        capture_output=True,
        text=True,
        check=False,
    )
    if refused.returncode != 0:
        return f"this user may not make namespaces for the pods: {refused.stderr.strip()}"
    return None


def namespaces() -> list[str]:
    """Arguments of ``unshare`` for a pod's container: mounts, processes and host name of its own."""
    rootless = [] if os.geteuid() == 0 else ["--map-root-user"]
    return [*rootless, "--mount", "--pid", "--uts", "--fork", "--kill-child"]


def build() -> Path:
    """Build what is missing; the folder appears whole or not at all. Minutes the first time.

    Raises:
        subprocess.CalledProcessError: Go failed; what it said is on standard error.
    """
    target = folder()
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        partial = Path(temporary) / "bin"
        partial.mkdir()
        for name, package in PACKAGES.items():
            print(f"building {name} …", flush=True)  # noqa: T201
            _go_build(package, partial / name)
        partial.rename(target)
    return target


def _go_build(package: str, output: Path) -> None:
    number = version()
    major, minor, _ = number.removeprefix("v").split(".")
    # Unset, the API server calls itself v0.0.0 and Helm refuses every chart with a kubeVersion.
    stamped = {"gitVersion": number, "gitMajor": major, "gitMinor": minor}
    flags = " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in stamped.items())
    subprocess.run(
        ["nice", "go", "build", "-trimpath", "-ldflags", f"-s -w {flags}", "-o", str(output), package],
        cwd=MODULE,
        env={**os.environ, "CGO_ENABLED": "0"},
        check=True,
    )


if __name__ == "__main__":
    if shutil.which("go") is None and not folder().is_dir():
        print("There is no Go on the PATH: the control plane is not built, its tests will be skipped.")  # noqa: T201
    else:
        print(f"Kubernetes {version()}, etcd {version('go.etcd.io/etcd/server/v3')}: {build()}")  # noqa: T201
