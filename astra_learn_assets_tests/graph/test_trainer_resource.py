"""The trainer's process: it reports through Dagster Pipes and knows no secret of the platform."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from astra_learn_assets.resources.trainer import TrainerResource, inherited

SECRETS = {
    "ASTRA_MASTER_KEY": "k",
    "ASTRA_DATABASE_URL": "postgresql://u:p@db/astra",
    "ASTRA_SIGNING_KEY_FILE": "/keys/signing.pem",
    "ASTRA_DAGSTER_DATABASE_URL": "postgresql://u:p@db/dagster",
    "AWS_SECRET_ACCESS_KEY": "s",
    "DAGSTER_HOME": "/dagster",
    "PGPASSWORD": "p",
}
NEEDED = {
    "PATH": "/bin",
    "HOME": "/root",
    "PYTHONPATH": "/app",
    "LD_LIBRARY_PATH": "/lib",
    "CUDA_VISIBLE_DEVICES": "0",
    "NVIDIA_VISIBLE_DEVICES": "all",
    "HF_HOME": "/hf",
    "OMP_NUM_THREADS": "2",
    "PYTORCH_CUDA_ALLOC_CONF": "x",
    "TMPDIR": "/tmp",
    "LC_ALL": "C.UTF-8",
}


def test_only_what_a_python_with_cuda_needs_is_handed_on() -> None:
    assert inherited({**SECRETS, **NEEDED}) == NEEDED


def test_the_trainers_process_sees_pipes_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        if not name.startswith("DAGSTER"):
            monkeypatch.setenv(name, value)
    out = tmp_path / "environment.json"
    code = f"import json, os, pathlib; pathlib.Path({str(out)!r}).write_text(json.dumps(dict(os.environ)))"

    @dg.asset
    def trained(context: dg.AssetExecutionContext, trainer: TrainerResource) -> dg.MaterializeResult:
        trainer.runner(context)([sys.executable, "-c", code])
        return dg.MaterializeResult()

    assert dg.materialize([trained], resources={"trainer": TrainerResource()}).success
    seen = json.loads(out.read_text())
    assert not SECRETS.keys() & seen.keys()
    assert {"DAGSTER_PIPES_CONTEXT", "DAGSTER_PIPES_MESSAGES"} <= seen.keys()


_WORKER = """
import sys
import dagster as dg
from astra_learn_assets.resources.trainer import TrainerResource

@dg.asset
def trained(context: dg.AssetExecutionContext, trainer: TrainerResource) -> dg.MaterializeResult:
    code = "import os, pathlib, time; "
    code += f"pathlib.Path({sys.argv[1]!r}).write_text(str(os.getpid())); time.sleep(600)"
    trainer.runner(context)([sys.executable, "-c", code])
    return dg.MaterializeResult()

dg.materialize([trained], resources={"trainer": TrainerResource()})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_the_trainers_process_ends_with_a_worker_that_is_killed(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    worker = subprocess.Popen([sys.executable, "-c", _WORKER, str(told)], stderr=subprocess.DEVNULL)
    while not (told.exists() and told.read_text()):
        assert worker.poll() is None
        time.sleep(0.1)
    trainer = int(told.read_text())
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    deadline = time.monotonic() + 60
    while _lives(trainer):
        assert time.monotonic() < deadline, "the trainer goes on without its worker"
        time.sleep(0.1)


def _lives(pid: int) -> bool:
    """Not gone, nor a zombie that nobody has asked about yet."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
