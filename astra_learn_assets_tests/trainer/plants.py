"""What a tenant's process may try, by the tenant's name: called inside it, where its data would be read.

``python plants.py serve-queue …`` is ``python -m trainer serve-queue …`` with these tenants among the others.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def dies(_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def crashes(_: Any) -> None:
    ctypes.string_at(8)


def hangs(_: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
    time.sleep(3600)


def leaves_a_daemon(_: Any) -> None:
    """A grandchild of a session of its own, whose parent is dead, that fills memory and stays."""
    if os.fork() == 0:
        os.setsid()
        daemon = os.fork()
        if daemon == 0:
            held = bytearray(32 << 20)
            while held:
                time.sleep(1)
        _say(f"daemon {daemon}")
        os._exit(0)
    os.wait()


def reads_what_is_not_its_own(_: Any) -> None:
    from trainer.versions import code

    secret = Path(os.environ["PLANT_SECRET"])
    server = os.getppid()
    others = [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
    libc = ctypes.CDLL(None, use_errno=True)
    room = ctypes.create_string_buffer(64)

    def looked_into(process: int) -> Any:
        vector = (ctypes.c_size_t * 2)(ctypes.addressof(room), 64)
        there = (ctypes.c_size_t * 2)(int(os.environ["PLANT_ADDRESS"]), 64)
        if libc.process_vm_readv(process, vector, 1, there, 1, 0) < 0:
            raise OSError(ctypes.get_errno(), "process_vm_readv")
        return room.raw

    def traced(process: int) -> Any:
        if libc.ptrace(16, process, None, None) < 0:  # attach
            raise OSError(ctypes.get_errno(), "ptrace")
        return process

    def copied() -> str:
        done = subprocess.run(["cat", str(secret)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise OSError(done.stderr)
        return done.stdout

    spool = Path(os.environ["PLANT_SPOOL"])
    tries: dict[str, Callable[[], Any]] = {
        "read": secret.read_text, "list": lambda: os.listdir(secret.parent), "cat": copied,
        "empty": lambda: os.truncate(secret, 0), "remove": secret.unlink,
        "link": lambda: os.link(secret, "stolen"), "move": lambda: secret.rename("stolen"),
        "write beside": lambda: Path("../job.json").write_text("{}"),
        "another's job": lambda: [p.read_text() for p in spool.glob("*/*/job.json")] or _none(),
        "the spool": lambda: os.listdir(spool),
        "own result": lambda: Path("../result.json").write_text("{}"),
        "server's environment": lambda: Path(f"/proc/{server}/environ").read_bytes(),
        "a file of the server's": lambda: [
            Path(f"/proc/{server}/fd/{n}").read_bytes() for n in os.listdir(f"/proc/{server}/fd")
        ],
        "memory": lambda: [looked_into(p) for p in others[-20:]],
        "trace": lambda: [traced(p) for p in others[-20:]],
        "signal": lambda: os.kill(server, 0),
        "kernel": lambda: Path("/proc/sys/kernel/core_pattern").write_text("|/tmp/x"),
        "code": lambda: Path(ctypes.__file__).write_text(""),
        "kernels of all": lambda: (spool / f"kernels-{code()[:16]}" / "mine").write_text("x"),
        "shared memory": lambda: Path("/dev/shm/planted").write_text("x"),
        "temporary": lambda: Path("/tmp/planted").write_text("x"),
        "call": lambda: socket.create_connection(("127.0.0.1", int(os.environ["PLANT_PORT"])), 2),
        "listen": lambda: socket.create_server(("127.0.0.1", 0)),
    }  # fmt: skip
    for name, attempt in tries.items():
        try:
            _say(f"WENT THROUGH: {name} {attempt()!r:.60}")
        except OSError as error:
            _say(f"refused: {name} ({error.errno})")


def _none() -> Any:
    raise OSError("there was none")


def writes_to_the_base(_: Any) -> None:
    """As a program would by mistake. On a processor that kills it; on a card the sum finds it."""
    import torch

    with torch.no_grad():
        next(iter(_base().parameters())).view(-1)[0] += 1


def changes_the_base(_: Any) -> None:
    """On purpose: the memory's protection is lifted first; two changes that cancel."""
    import torch

    weights = next(iter(_base().parameters())).data.view(torch.int32).view(-1)
    if not weights.is_cuda:
        libc = ctypes.CDLL(None, use_errno=True)
        page = weights.data_ptr() & ~4095
        assert libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(8192), 3) == 0, ctypes.get_errno()
    else:
        driver, at, size = ctypes.CDLL("libcuda.so.1"), ctypes.c_uint64(), ctypes.c_size_t()
        address = ctypes.c_uint64(weights.data_ptr())
        assert driver.cuMemGetAddressRange_v2(ctypes.byref(at), ctypes.byref(size), address) == 0
        access = (ctypes.c_int * 3)(1, 0, 3)  # this card, to read and write
        assert driver.cuMemSetAccess(at, size, ctypes.byref(access), ctypes.c_size_t(1)) == 0
    weights[0] += 1
    weights[1] -= 1
    if weights.is_cuda:
        torch.cuda.synchronize()


def links_to_anothers_file(options: Any) -> None:
    options.out.mkdir()
    for name in ("adapter_config.json", "metrics.json"):
        (options.out / name).write_text("{}")
    (options.out / "adapter_model.safetensors").symlink_to(os.environ["PLANT_SECRET"])
    Path("report.json").write_text("{}")
    os._exit(0)


def draws_and_remembers(_: Any) -> None:
    """Uses up random numbers and fills caches: nothing of it may reach the next one."""
    import random

    import torch

    random.seed(99)
    torch.manual_seed(99)
    torch.rand(1000)
    torch.set_default_dtype(torch.float64)
    os.environ["TRITON_INTERPRET"] = "1"
    Path(os.environ["TRITON_CACHE_DIR"], "planted").write_text("x")
    os._exit(3)


def _base() -> Any:
    from trainer.model import HELD

    (make,) = HELD.values()
    return make()


PLANTS: dict[str, Callable[[Any], None]] = {
    "muere": dies, "revienta": crashes, "cuelga": hangs, "deja": leaves_a_daemon,
    "lee": reads_what_is_not_its_own, "yerra": writes_to_the_base, "cambia": changes_the_base,
    "enlaza": links_to_anothers_file, "ensucia": draws_and_remembers,
}  # fmt: skip


def main() -> int:
    from trainer import confine, tenant
    from trainer.__main__ import main as trainer

    honest = tenant.work

    def work(options: Any, threads: int) -> dict[str, Any]:
        if options.tenant in PLANTS:
            PLANTS[options.tenant](options)
        return honest(options, threads)

    tenant.work = work
    if os.environ.get("PLANT_NO_LANDLOCK"):
        confine.landlock_version = lambda: 0
    return trainer(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
