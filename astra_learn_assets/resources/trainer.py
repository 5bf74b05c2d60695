"""The trainer as a Dagster resource: a subprocess that speaks Dagster Pipes.

``PipesSubprocessClient`` reports a failure without its exit code and stops a child with SIGINT. The
trainer documents its exit codes and saves its work on SIGTERM, so this resource opens the Pipes
session itself and keeps both.

The trainer reads files and writes files, so it gets the variables that a Python with CUDA needs and no
others: the master key, the database's password and the cloud's credentials stay with the platform, out of
reach of whatever a base model's or a library's code might do.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

import dagster as dg

from astra_learn_assets.learning.training import process as trainer_process
from astra_learn_assets.learning.training.process import Runner
from astra_learn_assets.services.child import end_with_parent

_INHERITED = (
    "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LANG", "LC_*", "XDG_CACHE_HOME",
    "PYTHON*", "LD_LIBRARY_PATH", "CUDA*", "NVIDIA*", "NCCL_*", "PYTORCH_*", "TORCH*", "TRITON_*",
    "OMP*", "GOMP*", "MKL_*", "HF_*", "TOKENIZERS_PARALLELISM",
    # a base model by its Hugging Face id is fetched through the site's proxy
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
)  # fmt: skip


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """The part of ``environment`` that the trainer may see."""
    return {
        name: value
        for name, value in environment.items()
        if any(fnmatchcase(name, pattern) for pattern in _INHERITED)
    }


class TrainerResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Runs ``python -m trainer …``; its progress arrives as log messages of the asset."""

    termination_seconds: float = 60.0

    def runner(self, context: dg.AssetExecutionContext) -> Runner:
        """A runner whose commands report to ``context``; raises TrainingFailed on a non-zero exit."""

        def run(command: Sequence[str]) -> None:
            with (
                tempfile.TemporaryFile(mode="w+", encoding="utf-8", errors="replace") as stderr,
                dg.open_pipes_session(
                    context=context,
                    context_injector=dg.PipesTempFileContextInjector(),
                    message_reader=dg.PipesTempFileMessageReader(),
                ) as session,
            ):
                environment = {**inherited(os.environ), **session.get_bootstrap_env_vars()}
                process = subprocess.Popen(
                    command,
                    env=environment,
                    stderr=stderr,
                    preexec_fn=end_with_parent,  # beside the retry of a killed run it would use the card
                )
                try:
                    exit_code = process.wait()
                finally:
                    self._stop(process)
                    stderr.seek(0)
                    written = stderr.read()
                    sys.stderr.write(written)
                if exit_code != 0:
                    raise trainer_process.failure(exit_code, written)

        return run

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        """End a child that outlived its run: SIGTERM, time to save a checkpoint, then SIGKILL."""
        if process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(timeout=self.termination_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
