"""The trainer's process: it reports through Dagster Pipes and knows no secret of the platform."""

import json
import sys
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
