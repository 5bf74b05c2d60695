"""One container: a command in namespaces of its own, on a copy-on-write image of this machine's file system.

The image's root is an overlay over ``/``: what the container writes is gone with it. On top lie a ``/tmp`` of
its own, the volumes at their ``mountPath`` and an ``/etc/hosts`` that knows the Services of the cluster. So a
path in a pod's specification means what it says, and nothing has to be rewritten. The process is number 1 of
its own process namespace: when it ends, or is killed, nothing that it started is left. The network is the
machine's. **Not** enforced: user and group, capabilities, CPU and memory limits.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from astra_learn_assets_tests.cluster.programs import namespaces

KILLED = 137
_CHECKOUT = Path(__file__).resolve().parents[2]
_SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_SCRIPT = f"""
set -eu
own_path=${{{{PATH-}}}}
PATH={_SYSTEM_PATH}
hostname "$HOSTNAME"
mount -t tmpfs tmpfs {{base}}
mkdir {{base}}/upper {{base}}/work {{base}}/root
root={{base}}/root
mount -t overlay overlay "$root" -o lowerdir=/,upperdir={{base}}/upper,workdir={{base}}/work
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
{{binds}}
chroot=$(command -v chroot)
PATH=$own_path
exec "$chroot" "$root" /bin/sh -c 'cd "$0" && exec "$@"' {{directory}} {{command}}
"""


@dataclass(frozen=True)
class Image:
    """What a container image is here: an environment, a command (CMD, without an ENTRYPOINT), and the folders
    that its programs lie in.
    """

    environment: Mapping[str, str] = field(default_factory=lambda: {"PATH": f"/usr/local/bin:{_SYSTEM_PATH}"})
    command: tuple[str, ...] = ("/bin/sh",)
    folders: tuple[Path, ...] = ()
    directory: str = "/"


def this_checkout(home: str | None = None) -> Image:
    """This checkout and this Python as an image: of a run, or with ``home`` as home and working directory."""
    return Image(
        environment={
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": str(_CHECKOUT),
            "PYTHONUNBUFFERED": "1",
            "HOME": home or "/tmp",
        },
        folders=(_CHECKOUT, Path(sys.prefix), Path(sys.base_prefix)),
        directory=home or "/",
    )


@dataclass(frozen=True)
class Mount:
    """``source`` of this machine at ``target`` in the container."""

    source: Path
    target: str
    read_only: bool = False


class Container:
    """A started container. ``environment`` must hold ``HOSTNAME``; ``folder`` is the container's own."""

    def __init__(
        self,
        command: list[str],
        *,
        image: Image,
        environment: Mapping[str, str],
        mounts: list[Mount],
        folder: Path,
        log: Path,
        directory: str | None = None,
        read_only_root: bool = False,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        script = _script(
            command, image, mounts, folder, directory or image.directory, read_only_root=read_only_root
        )
        self._killed = False
        # The parent's death is the container's: nothing outlives a killed test run.
        tied = [_tool("setpriv"), "--pdeathsig", "KILL", _tool("unshare"), *namespaces()]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*tied, "/bin/sh", "-c", script],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,
            )

    @property
    def exit_code(self) -> int | None:
        """The process's exit code, 137 after :meth:`kill`; None while it runs."""
        code = self._process.poll()
        # unshare itself does not pass a signal on: some versions end with 1.
        return KILLED if code is not None and self._killed else code

    def terminate(self) -> None:
        """SIGTERM to the container's first process, which may take its time or ignore it."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to the container's first process; the kernel ends all others. Waits for it."""
        while self._process.poll() is None:
            self._killed = True
            self._signal(signal.SIGKILL)
            try:
                self._process.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                continue  # it had not forked yet

    def execute(self, command: list[str], seconds: float) -> int | None:
        """The exit code of another command inside the container; None when it took longer or cannot begin."""
        for pid in self._children():
            enter = [_tool("nsenter"), "--target", str(pid), "--mount", "--pid", "--uts", "--root"]
            enter += [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
            try:
                environ = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
                values = dict(item.partition("=")[::2] for item in environ if item)
                completed = subprocess.run(
                    # the working directory is still this machine's, which the container's root does not reach
                    [*enter, "/bin/sh", "-c", 'cd / && exec "$@"', "sh", *command],
                    env=values,
                    capture_output=True,
                    timeout=seconds,
                    check=False,
                )
            except (OSError, subprocess.TimeoutExpired):
                return None
            return completed.returncode
        return None

    def _signal(self, number: signal.Signals) -> None:
        for pid in self._children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _children(self) -> list[int]:
        """The container's first process, as this machine numbers it; none before it was forked."""
        pid = self._process.pid
        try:
            return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            return []


def _script(
    command: list[str], image: Image, mounts: list[Mount], base: Path, directory: str, *, read_only_root: bool
) -> str:
    """The shell script that makes the container's file system around itself and becomes its command."""
    elsewhere = [Mount(path, str(path), read_only=True) for path in image.folders if _hidden(path)]
    binds = [line for item in (*elsewhere, *mounts) for line in _bind(item)]
    if read_only_root:
        binds.append('mount -o remount,ro,bind "$root"')
    return _SCRIPT.format(
        base=shlex.quote(str(base)),
        binds="\n".join(binds),
        directory=shlex.quote(directory),
        command=shlex.join(command),
    )


def _bind(item: Mount) -> list[str]:
    source, target = shlex.quote(str(item.source)), shlex.quote(item.target)
    inside = 'chroot "$root"'
    if item.source.is_dir():
        lines = [f"{inside} mkdir -p {target}"]
    else:
        parent = shlex.quote(str(Path(item.target).parent))
        lines = [f"{inside} mkdir -p {parent}", f"{inside} touch {target}"]
    # Followed inside: /var/run is a link to /run, and from outside that would be this machine's own.
    lines += [f"place=$root$({inside} readlink -f {target})", f'mount --rbind {source} "$place"']
    if item.read_only:
        lines.append('mount -o remount,ro,bind "$place"')
    return lines


def _hidden(path: Path) -> bool:
    """Whether the overlay does not show ``path``: it lies below /tmp or on another file system than ``/``."""
    return path.is_relative_to("/tmp") or path.stat().st_dev != Path("/").stat().st_dev


def _tool(name: str) -> str:
    """The absolute path of a system program: the container's PATH is not ours."""
    found = shutil.which(name, path=_SYSTEM_PATH)
    assert found is not None, f"{name} is needed to start containers"
    return found
