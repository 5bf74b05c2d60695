"""The chart writes the file, the platform reads it: both mean the same, down to the pod that is launched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from astra_learn_assets_tests.deploy.chart import (
    NAME,
    VALUES,
    dagster_yaml,
    profiles,
    render,
)
from astra_learn_assets_tests.deploy.test_gpu_pod import TRAINING, compare

compute = pytest.importorskip("astra_learn_assets.automation.compute")


def policy(values: str, folder: Path) -> Any:
    path = folder / "profiles.json"
    path.write_text(json.dumps(profiles(render(VALUES[values]))), encoding="utf-8")
    return compute.load(path)


@pytest.mark.parametrize("values", VALUES)
def test_the_platform_takes_every_profile_of_the_chart(values: str, tmp_path: Path) -> None:
    read = policy(values, tmp_path)
    assert set(read.profiles) == set(profiles(render(VALUES[values]))["profiles"])
    for tier in ("standard", "large", "unheard-of"):
        assert read.profiles[read.name_for("training", tier)].gpu >= 1
        assert read.profiles[read.name_for("default", tier)].gpu == 0


@pytest.mark.parametrize("values", VALUES)
def test_the_launcher_lets_through_everything_that_a_profile_stamps(values: str, tmp_path: Path) -> None:
    allowed = dagster_yaml(render(VALUES[values]))["run_launcher"]["config"][
        "only_allow_user_defined_k8s_config_fields"
    ]
    for profile in policy(values, tmp_path).profiles.values():
        for section, fields in profile.as_config().items():
            if section != "merge_behavior":
                assert {name for name in fields if not allowed[section].get(name)} == set(), section


@pytest.mark.parametrize(("values", "name"), TRAINING.items())
def test_the_job_of_a_training_is_the_stored_one(values: str, name: str, tmp_path: Path) -> None:
    """Built by dagster-k8s itself from the launcher's configuration and the profile's tag."""
    from dagster_k8s.container_context import K8sContainerContext
    from dagster_k8s.job import UserDefinedDagsterK8sConfig, construct_dagster_k8s_job
    from kubernetes.client import ApiClient

    launcher = dagster_yaml(render(VALUES[values]))["run_launcher"]["config"]
    tag = policy(values, tmp_path).profiles[name].as_config()
    context = K8sContainerContext(
        image_pull_policy=launcher["image_pull_policy"],
        service_account_name=launcher["service_account_name"],
        volumes=launcher["volumes"],
        volume_mounts=launcher["volume_mounts"],
        labels=launcher["labels"],
        namespace=launcher["job_namespace"],
        run_k8s_config=UserDefinedDagsterK8sConfig.from_dict(launcher["run_k8s_config"]),
    ).merge(K8sContainerContext(run_k8s_config=UserDefinedDagsterK8sConfig.from_dict(tag)))
    job = construct_dagster_k8s_job(
        job_config=context.get_k8s_job_config(job_image="platform:never-used", run_launcher=_Home()),
        args=["dagster", "api", "execute_run"],
        job_name="dagster-run-1",
        user_defined_k8s_config=context.run_k8s_config,
    )
    found = ApiClient().sanitize_for_serialization(job)
    pod = found["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == f"{NAME}-training"
    assert pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert "envFrom" not in pod["containers"][0] or not pod["containers"][0]["envFrom"]
    for labels in (found["metadata"]["labels"], found["spec"]["template"]["metadata"]["labels"]):
        labels.pop("app.kubernetes.io/version", None)  # Dagster's
    compare(f"job-{name}", found)


class _Home:
    dagster_home = "/etc/astra/dagster"
    instance_config_map = f"{NAME}-dagster"
    postgres_password_secret = None
    job_image = None
