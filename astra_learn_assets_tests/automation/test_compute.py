"""The compute policy: what it refuses, what a run may bring, what a pod gets."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from astra_learn_assets.automation import compute
from astra_learn_assets.errors import BadConfiguration

PROFILE: dict[str, Any] = {
    "requests": {"cpu": "3", "memory": "12Gi"},
    "limits": {"cpu": "4", "memory": "15Gi", "ephemeral-storage": "40Gi"},
    "gpu": 1,
    "node_selector": {"astra-learn/pool": "training"},
    "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
    "priority_class": "training",
    "active_deadline_seconds": 21600,
    "ttl_seconds": 3600,
    "volumes": [{"name": "keys", "secret": {"secretName": "astra-learn-signing"}}],
    "volume_mounts": [{"name": "keys", "mountPath": "/etc/astra/keys", "readOnly": True}],
    "service_account": "astra-learn-training",
    "security_context": {"readOnlyRootFilesystem": True},
    "env": [
        {"name": "ASTRA_HOME", "value": "/var/lib/astra"},
        {"name": "PGPASSWORD", "secretKeyRef": {"name": "astra-learn", "key": "postgres-password"}},
    ],
    "image": "astra-trainer:v1",
    "labels": {"astra-learn/workload": "training"},
}
POLICY: dict[str, Any] = {
    "profiles": {"gpu-t4": PROFILE, "cpu": {**PROFILE, "gpu": 0, "node_selector": {}}},
    "kinds": {"training": {"standard": "gpu-t4"}, "default": {"standard": "cpu"}},
    "inference": {"labels": {"astra-learn/pool": "inference"}, "taints": ["astra-learn/inference"]},
}


def load(tmp_path: Path, policy: dict[str, Any]) -> compute.ComputePolicy:
    path = tmp_path / "profiles.json"
    path.write_text(json.dumps(policy))
    return compute.load(path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"limits": {"memory": "1Gi"}}, "no cpu limit: a run without limits can starve its whole node"),
        ({"limits": {}}, "no cpu limit"),
        ({"requests": {"cpu": "1"}}, "no memory request"),
        ({"requests": {"cpu": "5", "memory": "1Gi"}}, r"requests more cpu \(5\) than its limit \(4\)"),
        ({"limits": {"cpu": "much", "memory": "1Gi"}}, "'much' is no Kubernetes quantity"),
        ({"limits": {"cpu": "4", "memory": "15Gi", "nvidia.com/gpu": "1"}}, "say how many cards with gpu"),
        ({"gpu": -1}, "gpu: Input should be greater than or equal to 0"),
        ({"node_selector": {}}, "asks for a GPU and selects no node pool"),
        (
            {"node_selector": {"astra-learn/pool": "inference"}},
            "'gpu-t4' selects the inference pool .*training must not disturb inference",
        ),
        ({"tolerations": [{"key": "astra-learn/inference"}]}, "tolerates the inference pool's taint"),
        ({"tolerations": [{"operator": "Exists"}]}, "tolerates every taint"),
        ({"volumes": [{"name": "x", "hostPath": {"path": "/"}}]}, "hostPath gives a run its node's files"),
        ({"active_deadline_seconds": 0}, "active_deadline_seconds"),
        ({"env": [{"name": "A"}]}, "variable A: give a value or one key of a Secret"),
        ({"env_from": [{"secretRef": {"name": "astra-learn"}}]}, "env_from: Extra inputs are not permitted"),
        ({"service_account": ""}, "service_account"),
    ],
)
def test_a_profile_that_would_do_harm_is_refused_with_a_sentence(
    tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    policy = copy.deepcopy(POLICY)
    policy["profiles"]["gpu-t4"].update(change)
    with pytest.raises(BadConfiguration, match=f"(?s)ASTRA_COMPUTE_PROFILES.*{sentence}"):
        load(tmp_path, policy)


@pytest.mark.parametrize(
    ("kinds", "sentence"),
    [
        (
            {"training": {"standard": "gpu-a100"}, "default": {"standard": "cpu"}},
            "'gpu-a100', which is not there",
        ),
        ({"training": {"premium": "gpu-t4"}, "default": {"standard": "cpu"}}, "tier 'standard'"),
        ({"training": {"standard": "gpu-t4"}}, "kinds.default needs a profile"),
        ({"training": {"standard": "cpu"}, "default": {"standard": "cpu"}}, "'cpu' asks for no GPU"),
        ({}, "kinds.training needs a profile"),
    ],
)
def test_a_kind_without_a_sound_profile_is_refused(
    tmp_path: Path, kinds: dict[str, dict[str, str]], sentence: str
) -> None:
    with pytest.raises(BadConfiguration, match=sentence):
        load(tmp_path, {**POLICY, "kinds": kinds})


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '"gpu"'])
def test_a_file_that_is_no_policy_is_refused_with_the_variables_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "profiles.json"
    path.write_text(content)
    with pytest.raises(BadConfiguration, match="ASTRA_COMPUTE_PROFILES"):
        compute.load(path)
    with pytest.raises(BadConfiguration, match="cannot be read"):
        compute.load(tmp_path / "missing.json")


def test_a_pod_gets_requests_limits_card_place_rights_and_only_listed_variables(tmp_path: Path) -> None:
    config = load(tmp_path, POLICY).profiles["gpu-t4"].as_config()
    container, pod = config["container_config"], config["pod_spec_config"]
    assert container["resources"]["limits"] == {
        "cpu": "4",
        "memory": "15Gi",
        "ephemeral-storage": "40Gi",
        "nvidia.com/gpu": "1",
    }
    assert container["resources"]["requests"]["nvidia.com/gpu"] == "1"
    assert [variable["name"] for variable in container["env"]] == ["ASTRA_HOME", "PGPASSWORD"]
    assert "env_from" not in container
    assert pod["node_selector"] == {"astra-learn/pool": "training"}
    assert pod["priority_class_name"] == "training"
    assert config["job_spec_config"] == {
        "active_deadline_seconds": 21600,
        "ttl_seconds_after_finished": 3600,
        "backoff_limit": 0,
    }


def test_dagster_accepts_the_tag(tmp_path: Path) -> None:
    from dagster_k8s.job import USER_DEFINED_K8S_CONFIG_KEY, UserDefinedDagsterK8sConfig

    config = load(tmp_path, POLICY).profiles["gpu-t4"].as_config()
    parsed = UserDefinedDagsterK8sConfig.from_dict(config)
    assert parsed.container_config["volume_mounts"] == [
        {"name": "keys", "mount_path": "/etc/astra/keys", "read_only": True}
    ]
    assert USER_DEFINED_K8S_CONFIG_KEY == "dagster-k8s/config"


def test_what_a_run_brings_is_taken_over_where_it_narrows(tmp_path: Path) -> None:
    profile = load(tmp_path, POLICY).profiles["gpu-t4"]
    own = {
        "container_config": {
            "resources": {"limits": {"cpu": "2"}},
            "env": [{"name": "EXTRA", "value": "1"}],
        },
        "pod_template_spec_metadata": {"labels": {"team": "urbanismo"}},
        "pod_spec_config": {"node_selector": {"zone": "b"}},
        "job_spec_config": {"active_deadline_seconds": 60},
    }
    config = compute.merged(profile, own)
    assert config["container_config"]["resources"] == {
        "requests": {"cpu": "2", "memory": "12Gi", "nvidia.com/gpu": "1"},
        "limits": {"cpu": "2", "memory": "15Gi", "ephemeral-storage": "40Gi", "nvidia.com/gpu": "1"},
    }
    assert config["container_config"]["env"][-1] == {"name": "EXTRA", "value": "1"}
    assert config["pod_template_spec_metadata"]["labels"] == {
        "astra-learn/workload": "training",
        "team": "urbanismo",
    }
    assert config["pod_spec_config"]["node_selector"] == {"astra-learn/pool": "training", "zone": "b"}
    assert config["job_spec_config"]["active_deadline_seconds"] == 60


def test_an_empty_tag_of_a_runs_own_changes_nothing(tmp_path: Path) -> None:
    profile = load(tmp_path, POLICY).profiles["gpu-t4"]
    assert compute.merged(profile, {}) == profile.as_config()


@pytest.mark.parametrize(
    "own",
    [
        {"container_config": {"resources": {"limits": {"nvidia.com/gpu": "0"}}}},
        {"container_config": {"resources": {"limits": {"memory": "64Gi"}}}},
        {"container_config": {"resources": {"limits": {"hugepages-2Mi": "1Gi"}}}},
        {"container_config": {"resources": {"claims": {"name": "x"}}}},
        {"container_config": {"image": "evil:latest"}},
        {"container_config": {"env_from": [{"secret_ref": {"name": "astra-learn"}}]}},
        {"container_config": {"env": [{"name": "ASTRA_HOME", "value": "/elsewhere"}]}},
        {"container_config": {"env": [{"name": "KEY", "value_from": {"secret_key_ref": {"name": "x"}}}]}},
        {"container_config": {"security_context": {"privileged": True}}},
        {"container_config": {"command": ["sh"]}},
        {"pod_spec_config": {"node_selector": {"astra-learn/pool": "inference"}}},
        {"pod_spec_config": {"tolerations": [{"operator": "Exists"}]}},
        {"pod_spec_config": {"service_account_name": "admin"}},
        {"pod_spec_config": {"host_network": True}},
        {"pod_spec_config": {"priority_class_name": "system-node-critical"}},
        {"job_spec_config": {"active_deadline_seconds": 999999}},
        {"job_spec_config": {"backoff_limit": 5}},
        {"pod_template_spec_metadata": {"labels": {"astra-learn/workload": "api"}}},
        {"pod_template_spec_metadata": {"annotations": {"team": "urbanismo"}}},
        {"pod_template_spec_metadata": {"name": "x"}},
        {"job_config": {"spec": {}}},
    ],
)
def test_what_would_weaken_the_profile_is_refused_by_name(tmp_path: Path, own: dict[str, Any]) -> None:
    profile = load(tmp_path, POLICY).profiles["gpu-t4"]
    with pytest.raises(BadConfiguration, match="would weaken its compute profile"):
        compute.merged(profile, own)


@pytest.mark.parametrize(
    ("text", "value"), [("500m", "0.5"), ("2", "2"), ("1.5", "1.5"), ("2Gi", "2147483648"), ("3k", "3000")]
)
def test_quantities_are_read_as_kubernetes_reads_them(text: str, value: str) -> None:
    assert compute.quantity(text) == compute.Decimal(value)


def test_a_tier_without_a_profile_of_its_own_gets_the_standard_one(tmp_path: Path) -> None:
    policy = load(
        tmp_path,
        {
            **POLICY,
            "profiles": {**POLICY["profiles"], "gpu-l4": PROFILE},
            "kinds": {
                "training": {"standard": "gpu-t4", "premium": "gpu-l4"},
                "default": {"standard": "cpu"},
            },
        },
    )
    assert policy.name_for("training", "premium") == "gpu-l4"
    assert policy.name_for("training", "small") == "gpu-t4"
    assert policy.by_tier("training")
    assert not policy.by_tier("default")
