"""The pod that trains: what it asks for, gets, may reach. Stored snapshots show every change in a review.

``UPDATE_SNAPSHOTS=1 python -m pytest astra_learn_assets_tests/deploy/test_gpu_pod.py`` writes them anew.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from astra_learn_assets_tests.deploy.chart import NAME, VALUES, named, profiles, render

SNAPSHOTS = Path(__file__).parent / "snapshots"
TRAINING = {"minimal": "gpu", "aws-t4": "gpu-t4", "aws-l4": "gpu-l4"}


def compare(name: str, found: Any) -> None:
    path = SNAPSHOTS / f"{name}.yaml"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(yaml.safe_dump(found, sort_keys=True), encoding="utf-8")
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == found, f"{path.name} differs"


@pytest.mark.parametrize(("values", "profile"), TRAINING.items())
def test_the_profile_of_a_training_is_the_stored_one(values: str, profile: str) -> None:
    compare(f"profile-{profile}", profiles(render(VALUES[values]))["profiles"][profile])


@pytest.mark.parametrize("values", ["minimal", "aws-t4"])
def test_the_smoke_pod_is_the_stored_one(values: str) -> None:
    compare(f"smoke-{values}", named(render(VALUES[values]), "Job", f"{NAME}-smoke"))


@pytest.mark.parametrize("values", VALUES)
def test_helm_test_goes_where_trainings_go_with_what_they_get(values: str) -> None:
    objects = render(VALUES[values])
    written = profiles(objects)
    profile = written["profiles"][written["kinds"]["training"]["standard"]]
    pod = named(objects, "Job", f"{NAME}-smoke")["spec"]["template"]
    container = pod["spec"]["containers"][0]
    assert pod["spec"]["nodeSelector"] == profile["node_selector"]
    assert pod["spec"]["tolerations"] == profile["tolerations"]
    assert pod["spec"]["serviceAccountName"] == profile["service_account"]
    assert pod["spec"]["priorityClassName"] == profile["priority_class"]
    assert container["image"] == profile["image"]
    assert container["resources"]["limits"] == {**profile["limits"], "nvidia.com/gpu": profile["gpu"]}
    for label, value in profile["labels"].items():
        if not label.startswith("app.kubernetes.io/"):  # policies and queues treat both alike
            assert pod["metadata"]["labels"][label] == value
    assert container["command"][:4] == ["python", "-m", "trainer", "smoke"]
    assert "--require-gpu" in container["command"]


@pytest.mark.parametrize("values", VALUES)
def test_only_a_training_signs_and_only_it_holds_no_password_of_redis(values: str) -> None:
    for name, profile in profiles(render(VALUES[values]))["profiles"].items():
        environment = {entry["name"]: entry for entry in profile["env"]}
        mounts = {mount["mountPath"] for mount in profile["volume_mounts"]}
        trains = profile["gpu"] > 0
        assert ("ASTRA_SIGNING_KEY_FILE" in environment) is trains, name
        assert ("/etc/astra/keys" in mounts) is trains, name
        assert ("secretKeyRef" in environment["ASTRA_REDIS_URL"]) is not trains, name
        assert all(entry.keys() in ({"name", "value"}, {"name", "secretKeyRef"}) for entry in profile["env"])


def test_the_key_that_signs_is_where_its_variable_says() -> None:
    profile = profiles(render(VALUES["aws-t4"]))["profiles"]["gpu-t4"]
    path = Path(next(e["value"] for e in profile["env"] if e["name"] == "ASTRA_SIGNING_KEY_FILE"))
    volume = next(volume for volume in profile["volumes"] if volume["name"] == "keys")
    assert path.name in {item["path"] for item in volume["secret"]["items"]}
    assert volume["secret"]["defaultMode"] == 0o440


def test_kueue_gets_its_queue_on_trainings_alone() -> None:
    written = profiles(render(VALUES["aws-l4"]))["profiles"]
    queues = {name: item["labels"].get("kueue.x-k8s.io/queue-name") for name, item in written.items()}
    assert queues == {"cpu": None, "gpu-t4": "astra-learn-training", "gpu-l4": "astra-learn-training"}


def test_the_quota_bounds_exactly_what_trainings_priority_class_takes() -> None:
    for values in VALUES.values():
        objects = render(values)
        quota = named(objects, "ResourceQuota", f"{NAME}-training")["spec"]
        wanted = [{"scopeName": "PriorityClass", "operator": "In", "values": [f"{NAME}-training"]}]
        assert quota["scopeSelector"]["matchExpressions"] == wanted
        for profile in profiles(objects)["profiles"].values():
            assert (profile["priority_class"] == f"{NAME}-training") is (profile["gpu"] > 0)


def test_training_gives_way_to_everything_and_pushes_nobody_out() -> None:
    classes = {
        item["metadata"]["name"].removeprefix(f"{NAME}-"): item
        for item in render(VALUES["default"])
        if item["kind"] == "PriorityClass"
    }
    assert classes["training"]["value"] < 0 <= classes["preparation"]["value"] < classes["control"]["value"]
    assert classes["control"]["value"] < classes["online"]["value"]
    assert {name for name, item in classes.items() if item["preemptionPolicy"] == "Never"} == {
        "training", "preparation",
    }  # fmt: skip
