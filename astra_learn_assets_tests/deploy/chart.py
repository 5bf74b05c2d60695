"""Render the chart with a real helm, as a person would.

Where helm cannot be had the tests are skipped with the reason; ``DEPLOY_CHECK=1`` (``make deploy-check``)
makes that a failure.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from astra_learn_assets.settings import REPOSITORY

CHART = REPOSITORY / "deploy" / "helm" / "astra-learn"
VALUES = {
    "default": CHART / "ci" / "default-values.yaml",
    "minimal": CHART / "values-minimal.yaml",
    "aws-t4": CHART / "values-aws-t4.yaml",
    "aws-l4": CHART / "values-aws-l4.yaml",
}
RELEASE, NAMESPACE = "council", "learning"
NAME = f"{RELEASE}-astra-learn"
Manifest = dict[str, Any]


def missing(reason: str) -> None:
    """Skip, or fail where every tool has to be there."""
    if os.environ.get("DEPLOY_CHECK"):
        pytest.fail(reason)
    pytest.skip(reason)


def load(path: Path) -> ModuleType:
    """A Python file outside any package, as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@lru_cache(maxsize=1)
def helm() -> Path:
    tools = load(REPOSITORY / "deploy" / "tools" / "fetch_helm.py")
    try:
        return Path(tools.tool("helm"))
    except tools.NotAvailable as error:
        missing(str(error))
        raise


def run(
    command: str, values: Path | None, *, change: Manifest | None = None
) -> subprocess.CompletedProcess[str]:
    """``helm lint`` or ``helm template`` with a values file and changes on top of it."""
    name = [RELEASE] if command == "template" else []
    files = [] if values is None else ["--values", values]
    changes = [] if change is None else ["--values", "-"]
    return subprocess.run(
        [helm(), command, *name, CHART, "--namespace", NAMESPACE, *files, *changes],
        input=None if change is None else json.dumps(change),
        check=False,
        capture_output=True,
        text=True,
    )


def render(values: Path, change: Manifest | None = None) -> list[Manifest]:
    """Every object of the chart."""
    return list(_rendered(values, None if change is None else json.dumps(change)))


@lru_cache(maxsize=32)
def _rendered(values: Path, change: str | None) -> tuple[Manifest, ...]:
    done = run("template", values, change=None if change is None else json.loads(change))
    assert done.returncode == 0, done.stderr
    return tuple(item for item in yaml.safe_load_all(done.stdout) if item)


def refusal(change: Manifest, values: str = "default") -> str:
    """What helm says to values that the chart refuses."""
    done = run("template", VALUES[values], change=change)
    assert done.returncode != 0, "these values were rendered"
    return done.stderr


def named(objects: list[Manifest], kind: str, name: str) -> Manifest:
    """The one object of this kind and name."""
    found = [item for item in objects if item["kind"] == kind and item["metadata"]["name"] == name]
    assert len(found) == 1, f"{kind} {name}: {len(found)}"
    return found[0]


def pod_specs(objects: list[Manifest]) -> dict[str, Manifest]:
    """``kind/name`` -> pod spec of everything that becomes a pod."""
    specs: dict[str, Manifest] = {}
    for item in objects:
        where = f"{item['kind']}/{item['metadata']['name']}"
        if item["kind"] in {"Deployment", "Job"}:
            specs[where] = item["spec"]["template"]
        elif item["kind"] == "CronJob":
            specs[where] = item["spec"]["jobTemplate"]["spec"]["template"]
    return specs


def containers(pod: Manifest) -> list[Manifest]:
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def profiles(objects: list[Manifest]) -> Manifest:
    """The file of ASTRA_COMPUTE_PROFILES."""
    content = named(objects, "ConfigMap", f"{NAME}-compute")["data"]["profiles.json"]
    parsed: Manifest = json.loads(content)
    return parsed


def dagster_yaml(objects: list[Manifest]) -> Manifest:
    content = named(objects, "ConfigMap", f"{NAME}-dagster")["data"]["dagster.yaml"]
    parsed: Manifest = yaml.safe_load(content)
    return parsed
