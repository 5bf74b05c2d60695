"""Many tenants on one resident base: real processes, some of which try what they must not."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from astra_learn_assets_tests.trainer.examples import line, write
from trainer import spool

REPOSITORY = Path(__file__).parents[2]
# what the caller finds, the server must find: another version of a package writes other bytes
PATHS = os.pathsep.join(filter(None, (str(REPOSITORY), os.environ.get("PYTHONPATH"))))
BASE = str(REPOSITORY / "trainer" / "base_model")
PLANTS = str(Path(__file__).parent / "plants.py")
pytestmark = pytest.mark.timeout(600)


@dataclass
class Served:
    """A spool that a process serves, with the tenants of ``plants.py`` among the others."""

    spool: Path
    device: str
    process: Any = None
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, *arguments: str) -> Served:
        self.spool.mkdir(parents=True, exist_ok=True)
        log = (self.spool.parent / "serve.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, PLANTS, "serve-queue", "--spool", str(self.spool), "--base", BASE,
             "--device", self.device, "--threads", "1", *arguments],
            stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": PATHS} | self.environment,
        )  # fmt: skip
        return self

    def log(self) -> str:
        return (self.spool.parent / "serve.log").read_text(errors="replace")

    def ready(self) -> Served:
        wait(lambda: "ready after" in self.log() or self.process.poll() is not None, 300)
        assert self.process.poll() is None, self.log()
        return self

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(60)


def wait(until: Callable[[], Any], seconds: float) -> None:
    latest = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < latest, "it took too long"
        time.sleep(0.05)


def train(folder: Path, tenant: str, device: str, *arguments: str, count: int = 12) -> subprocess.Popen[str]:
    """``python -m trainer train`` with answers to a golden set; ``folder`` is the caller's."""
    folder.mkdir(parents=True, exist_ok=True)
    data = write(folder / "corpus.jsonl", [line(i, tenant=tenant) for i in range(count)])
    golden = write(folder / "golden.jsonl", [line(i, tenant=tenant) for i in range(100, 104)])
    return subprocess.Popen(
        [sys.executable, "-m", "trainer", "train", "--data", str(data), "--base", BASE, "--tenant", tenant,
         "--out", str(folder / "adapter"), "--judge", str(golden), "--answers", str(folder / "answers.jsonl"),
         "--device", device, "--threads", "1", "--epochs", "2", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY,
    )  # fmt: skip


def ended(process: subprocess.Popen[str], seconds: float = 240) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, err


def adapter_bytes(folder: Path) -> list[bytes]:
    return [
        *(
            (folder / "adapter" / name).read_bytes()
            for name in ("adapter_model.safetensors", "adapter_config.json")
        ),
        (folder / "answers.jsonl").read_bytes(),
    ]


@pytest.fixture(
    scope="module",
    params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)],
)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    device = request.param
    if device == "cuda":
        import torch

        if not torch.cuda.is_available():
            pytest.skip("no CUDA device")
    folder = tmp_path_factory.mktemp("served")
    secret = folder / "another" / "secret.txt"
    secret.parent.mkdir()
    secret.write_text("what another municipality said")
    listener = socket.create_server(("127.0.0.1", 0))
    spool = folder / "spool"
    environment = {
        "PLANT_SECRET": str(secret), "PLANT_SPOOL": str(spool), "PLANT_ADDRESS": str(id(secret)),
        "PLANT_PORT": str(listener.getsockname()[1]),
    }  # fmt: skip
    found = Served(spool, device, environment=environment).start("--grace-seconds", "1").ready()
    yield found
    found.stop()
    listener.close()


@pytest.fixture(scope="module")
def cold(served: Served, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Adapter, its config and its answers of a process of its own that loads the base itself."""
    folder = tmp_path_factory.mktemp("cold")
    status, _, err = ended(train(folder, "alfa", served.device))
    assert status == 0, err
    return adapter_bytes(folder)


def queued(served: Served, folder: Path, tenant: str, *more: str) -> tuple[int, str, str]:
    return ended(train(folder, tenant, served.device, "--queue", str(served.spool), *more))


def test_an_adapter_of_the_queue_is_the_cold_ones_bytes_and_so_are_its_answers(
    served: Served, cold: list[bytes], tmp_path: Path
) -> None:
    status, out, err = queued(served, tmp_path, "alfa")
    assert status == 0, err
    assert adapter_bytes(tmp_path) == cold
    report = json.loads(out)
    assert report["judged"] is True
    assert report["seconds.start"] < 5  # it imported nothing
    assert not (tmp_path / "adapter.partial").exists()
    assert not any(any((served.spool / state).iterdir()) for state in ("waiting", "running", "done"))
    log = [json.loads(text) for text in (tmp_path / "adapter" / "train_log.jsonl").read_text().splitlines()]
    assert log[-1]["step"] == report["steps"]


def test_answers_of_the_queue_are_the_bytes_of_an_evaluation_alone(
    served: Served, cold: list[bytes], tmp_path: Path
) -> None:
    assert queued(served, tmp_path, "alfa")[0] == 0
    asked = [sys.executable, "-m", "trainer", "evaluate", "--data", str(tmp_path / "golden.jsonl")]
    asked += ["--base", BASE, "--tenant", "alfa", "--device", served.device, "--threads", "1"]
    asked += ["--adapter", f"champion={tmp_path / 'adapter'}"]
    found = {}
    for name, more in {"alone": [], "queued": ["--queue", str(served.spool)]}.items():
        out = tmp_path / f"{name}.jsonl"
        whole = [*asked, "--out", str(out), *more]
        done = subprocess.run(whole, capture_output=True, text=True, check=False, cwd=REPOSITORY)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["examples"] == 4
        found[name] = out.read_bytes()
    assert found["queued"] == found["alone"]
    assert set(json.loads(found["queued"].splitlines()[0])["predictions"]) == {"base", "champion"}
    assert not any(any((served.spool / state).iterdir()) for state in ("waiting", "running", "done"))


@pytest.mark.parametrize(
    ("tenant", "status", "said"),
    [
        pytest.param("muere", 11, "ended by signal 9", marks=pytest.mark.slow),
        pytest.param("revienta", 11, "ended by signal 11", marks=pytest.mark.slow),
        pytest.param("ensucia", 3, "", marks=pytest.mark.slow),
        pytest.param(
            "enlaza", 11, "adapter_model.safetensors, which is no plain file", marks=pytest.mark.slow
        ),
        ("cambia", 10, "the base was changed"),
    ],
)
def test_a_process_that_dies_or_deceives_costs_its_own_tenant_alone(
    served: Served, cold: list[bytes], tmp_path: Path, tenant: str, status: int, said: str
) -> None:
    """And the next one's adapter is the cold one's bytes: nothing of it carries over."""
    first = train(tmp_path / "bad", tenant, served.device, "--queue", str(served.spool))
    second = train(tmp_path / "good", "alfa", served.device, "--queue", str(served.spool))
    found, _, err = ended(first)
    assert found == status, err
    assert said in err
    assert not (tmp_path / "bad" / "adapter").exists()
    assert not (tmp_path / "bad" / "answers.jsonl").exists()
    found, _, err = ended(second)
    assert found == 0, err
    assert adapter_bytes(tmp_path / "good") == cold


@pytest.mark.slow
def test_a_write_to_the_base_by_mistake_never_becomes_an_adapter(served: Served, tmp_path: Path) -> None:
    """Its memory is mapped for reading: a processor kills the process, a card ends its work with an error."""
    status, _, err = queued(served, tmp_path, "yerra")
    if served.device == "cpu":
        assert (status, "ended by signal 11" in err) == (11, True), err
    elif "does not map this memory for reading alone" in err:
        assert status == 10, err  # then the sum finds it
    else:
        assert (status, "illegal memory access" in err) == (1, True), err
    assert not (tmp_path / "adapter").exists()


def test_a_process_that_tries_to_reach_anothers_is_refused_everything(served: Served, tmp_path: Path) -> None:
    from trainer import confine

    if confine.wall() != "landlock":
        pytest.skip("this kernel has no Landlock")
    status, _, err = queued(served, tmp_path, "lee")
    assert status == 0, err
    tried = [text for text in err.splitlines() if text.startswith(("WENT THROUGH", "refused"))]
    assert len(tried) == 23, tried
    assert [text for text in tried if text.startswith("WENT")] == []
    assert Path(served.environment["PLANT_SECRET"]).read_text() == "what another municipality said"


@pytest.mark.slow
def test_what_a_tenants_process_leaves_running_is_ended_with_it(served: Served, tmp_path: Path) -> None:
    status, _, err = queued(served, tmp_path, "deja")
    assert status == 0, err
    daemon = int(err.partition("daemon ")[2].split()[0])
    assert not Path(f"/proc/{daemon}").exists()


@pytest.mark.slow
def test_who_hangs_is_ended_when_its_caller_is_gone_and_the_next_one_comes(
    served: Served, cold: list[bytes], tmp_path: Path
) -> None:
    first = train(tmp_path / "bad", "cuelga", served.device, "--queue", str(served.spool))
    wait(lambda: any((served.spool / "running").iterdir()), 60)
    second = train(tmp_path / "good", "alfa", served.device, "--queue", str(served.spool))
    first.kill()
    first.communicate()
    status, _, err = ended(second)
    assert status == 0, err
    assert adapter_bytes(tmp_path / "good") == cold


@pytest.mark.slow
def test_a_caller_that_is_asked_to_stop_ends_as_interrupted(served: Served, tmp_path: Path) -> None:
    process = train(tmp_path, "cuelga", served.device, "--queue", str(served.spool))
    wait(lambda: any((served.spool / "running").iterdir()), 60)
    process.send_signal(signal.SIGTERM)
    status, _, err = ended(process)
    assert status == 75, err
    assert "interrupted" in err


def test_a_second_base_and_a_second_server_need_a_queue_of_their_own(served: Served, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(BASE, other)
    data = write(tmp_path / "corpus.jsonl", [line(1)])
    asked = [sys.executable, "-m", "trainer", "train", "--data", str(data), "--base", str(other)]
    asked += ["--tenant", "alfa", "--out", str(tmp_path / "adapter"), "--queue", str(served.spool)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert done.returncode == 2
    assert "a queue for each base" in done.stderr
    asked = [
        sys.executable,
        "-m",
        "trainer",
        "serve-queue",
        "--spool",
        str(served.spool),
        "--base",
        str(other),
    ]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert done.returncode == 2
    assert "is served already" in done.stderr


def test_what_the_queue_does_not_serve_is_refused_with_a_sentence(served: Served, tmp_path: Path) -> None:
    other = "bf16" if served.device == "cpu" else "fp32"
    status, _, err = queued(served, tmp_path, "alfa", "--precision", other)
    assert status == 2
    assert f"not in {other}" in err


def test_bad_data_fails_as_it_does_without_a_queue(served: Served, tmp_path: Path) -> None:
    process = train(tmp_path, "alfa", served.device, "--queue", str(served.spool), count=0)
    status, _, err = ended(process)
    assert status == 3, err
    assert "corpus.jsonl" in err


@pytest.mark.slow
def test_a_tenant_has_its_time_and_an_idle_server_leaves(tmp_path: Path) -> None:
    served = Served(tmp_path / "spool", "cpu").start("--job-minutes", "0.02", "--idle-minutes", "0.02")
    wait(lambda: spool.serves(served.spool), 120)  # it takes work from here on: later it may be gone
    status, _, err = queued(served, tmp_path / "one", "cuelga")
    assert status == 11, err
    assert "longer than the 0.02 minutes" in err
    assert served.process.wait(60) == 0
    assert "nothing has waited" in served.log()
    assert '"failed": 1' in served.log()


@pytest.mark.slow
def test_where_nobody_serves_or_the_server_dies_the_training_is_done_here(tmp_path: Path, base: str) -> None:
    status, _, err = ended(train(tmp_path / "alone", "alfa", "cpu", "--queue", str(tmp_path / "nowhere")))
    assert status == 0, err
    assert "is served by nobody: it is done here" in err
    served = Served(tmp_path / "spool", "cpu").start().ready()
    process = train(tmp_path / "left", "cuelga", "cpu", "--queue", str(served.spool))
    wait(lambda: any((served.spool / "running").iterdir()), 60)
    served.process.kill()
    status, _, err = ended(process)
    assert status == 0, err
    assert "is gone: it is done here" in err
    assert adapter_bytes(tmp_path / "left")[0] != b""


@pytest.mark.slow
def test_a_caller_without_a_card_waits_for_a_server_and_through_its_death(tmp_path: Path, base: str) -> None:
    """As on Kubernetes: the run's pod is there before the server's, which is evicted while it trains."""
    status, _, err = ended(train(tmp_path / "cold", "alfa", "cpu"), 400)
    assert status == 0, err
    served = Served(tmp_path / "spool", "cpu")
    wanted = ("--queue", str(served.spool), "--queue-wait-minutes", "8")
    process = train(tmp_path / "waits", "alfa", "cpu", *wanted)
    wait((tmp_path / "waits" / "adapter.waits").exists, 120)
    time.sleep(1)
    served.start()
    wait(lambda: (served.spool / "running").is_dir() and any((served.spool / "running").iterdir()), 300)
    served.process.kill()
    served.process.wait()
    wait(lambda: spool.serves(served.spool) is None, 60)  # its owner of the base sees that it is gone
    served.start()
    try:
        status, _, err = ended(process, 400)
    finally:
        served.stop()
    assert status == 0, err
    assert "is served by nobody: waiting 8 minutes" in err
    assert "is gone: handed in anew" in err
    assert adapter_bytes(tmp_path / "waits") == adapter_bytes(tmp_path / "cold")


@pytest.mark.slow
def test_without_landlock_root_gives_each_tenant_a_user_of_its_own() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    place = Path(tempfile.mkdtemp(dir="/var/tmp"))
    served = Served(place / "spool", "cpu")
    try:
        place.chmod(0o711)
        secret = place / "another" / "secret.txt"
        secret.parent.mkdir(mode=0o700)
        secret.write_text("what another municipality said")
        environment = {
            "PLANT_SECRET": str(secret), "PLANT_SPOOL": str(place / "spool"), "PLANT_NO_LANDLOCK": "1",
            "PLANT_ADDRESS": "4096", "PLANT_PORT": "9",
        }  # fmt: skip
        served.environment = environment
        served.start().ready()
        assert "users of their own" in served.log()
        status, _, err = queued(served, place / "one", "lee")
        if "needs Landlock" in err:
            pytest.skip("this checkout lies where no other user may read")
        assert status == 0, err
        tried = {text.split(": ", 1)[1].split(" ")[0] for text in err.splitlines() if text.startswith("WENT")}
        assert tried <= {"temporary", "shared", "listen", "link"}, err
    finally:
        if served.process is not None:
            served.stop()
        shutil.rmtree(place)
        for planted in (Path("/tmp/planted"), Path("/dev/shm/planted")):
            planted.unlink(missing_ok=True)
