"""The resident base's Job: when it is made, what it is, and which policies are refused."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from astra_learn_assets.automation import compute, resident
from astra_learn_assets.automation.compute import ResidentBase
from astra_learn_assets.errors import BadConfiguration
from astra_learn_assets_tests.automation.test_compute import POLICY, PROFILE, load

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
CLAIM = {"name": "queue", "persistentVolumeClaim": {"claimName": "astra-queue"}}
MOUNT = {"name": "queue", "mountPath": "/var/lib/queue"}
QUEUE = [
    {"name": "ASTRA_TRAINER_QUEUE", "value": "/var/lib/queue/gpu-t4"},
    {"name": "ASTRA_TRAINER_QUEUE_WAIT_MINUTES", "value": "45"},
]
SERVED: dict[str, Any] = {
    **PROFILE,
    "gpu": 0,
    "env": [*PROFILE["env"], *QUEUE],
    "volumes": [*PROFILE["volumes"], CLAIM],
    "volume_mounts": [*PROFILE["volume_mounts"], MOUNT],
}
RESIDENT: dict[str, Any] = {
    "job_name": "council-astra-learn-resident-gpu-t4",
    "pod": {
        **PROFILE,
        "env": [{"name": "HF_HOME", "value": "/models"}],
        "volumes": [CLAIM],
        "volume_mounts": [MOUNT],
        "service_account": "astra-learn-resident",
        "labels": {"astra-learn/workload": "resident"},
    },
    "queue": "/var/lib/queue/gpu-t4",
    "base": None,
    "base_revision": None,
    "idle_minutes": 10,
    "job_minutes": 240,
}


def policy(*, served: dict[str, Any] | None = None, **change: Any) -> dict[str, Any]:
    """A policy whose trainings are served; ``served`` changes their profile, the rest who serves them."""
    whole = copy.deepcopy(POLICY)
    whole["profiles"]["gpu-t4"] = {**SERVED, **(served or {})}
    whole["resident"] = {"gpu-t4": {**RESIDENT, **change}}
    return whole


def pod(**change: Any) -> dict[str, Any]:
    return {**RESIDENT["pod"], **change}


def job(*conditions: tuple[str, str, float], failures: str = "0", **meta: Any) -> dict[str, Any]:
    """The Job as the API shows it; ``conditions``: type, status, minutes ago."""
    return {
        "metadata": {"uid": "u-1", "annotations": {resident.FAILED_ANNOTATION: failures}, **meta},
        "status": {
            "conditions": [
                {
                    "type": kind,
                    "status": status,
                    "reason": "BackoffLimitExceeded",
                    "lastTransitionTime": (NOW - timedelta(minutes=ago)).isoformat().replace("+00:00", "Z"),
                }
                for kind, status, ago in conditions
            ]
        },
    }


@pytest.mark.parametrize(
    ("found", "move", "failures", "uid"),
    [
        (None, "make", 0, None),
        ({"metadata": {"uid": "u-1"}}, "keep", 0, None),
        ({"metadata": {"uid": "u-1"}, "status": {"active": 1}}, "keep", 0, None),
        (job(("Failed", "False", 5)), "keep", 0, None),
        (job(("Suspended", "True", 5)), "keep", 0, None),
        (job(("FailureTarget", "True", 5)), "keep", 0, None),
        (job(("SuccessCriteriaMet", "True", 1), ("Complete", "True", 0)), "remake", 0, "u-1"),
        (job(("Complete", "True", 0), failures="4"), "remake", 0, "u-1"),
        (job(("Complete", "True", 9), deletionTimestamp="2026-12-01T12:00:00Z"), "wait", 0, None),
        (job(("Failed", "True", 0.5)), "wait", 1, None),
        (job(("Failed", "True", 1)), "remake", 1, "u-1"),
        (job(("Failed", "True", 1), failures="1"), "wait", 2, None),
        (job(("Failed", "True", 2), failures="1"), "remake", 2, "u-1"),
        (job(("Failed", "True", 29), failures="400"), "wait", 401, None),
        (job(("Failed", "True", 30), failures="400"), "remake", 401, "u-1"),
        (job(("Failed", "True", 1), failures="by hand"), "remake", 1, "u-1"),
        (job(("Failed", "True", 1), annotations=None), "remake", 1, "u-1"),
    ],
)
def test_a_job_that_has_ended_is_made_anew_and_one_that_failed_after_a_pause(
    found: dict[str, Any] | None, move: str, failures: int, uid: str | None
) -> None:
    decision = resident.decide(found, NOW)
    assert (decision.move, decision.failures, decision.uid) == (move, failures, uid)
    assert decision.reason


@pytest.mark.parametrize(("served", "move", "failures"), [(40, "remake", 1), (20, "wait", 6)])
def test_one_that_was_evicted_after_long_service_is_the_first_in_its_row(
    served: float, move: str, failures: int
) -> None:
    found = job(("Failed", "True", 5), failures="5")
    found["status"]["startTime"] = (NOW - timedelta(minutes=5 + served)).isoformat()
    decision = resident.decide(found, NOW)
    assert (decision.move, decision.failures) == (move, failures)


def test_a_failure_is_told_with_its_reason_and_when_it_is_tried_again() -> None:
    said = resident.decide(job(("Failed", "True", 1), failures="2"), NOW).reason
    assert said == "it failed (BackoffLimitExceeded), 3 in a row; tried again 4 minutes after"


@pytest.mark.parametrize(
    ("ended", "needed"),
    [
        (set(), True),
        ({"training_corpus"}, True),
        ({"training_corpus", "lora_adapter"}, True),
        ({"lora_adapter", "evaluation_report"}, False),
    ],
)
def test_a_card_is_held_only_while_a_run_has_work_for_it(ended: set[str], needed: bool) -> None:
    pools = {"training_corpus": None, "lora_adapter": "gpu", "evaluation_report": "gpu", "promoted": None}
    assert resident.is_needed(pools, ended, "gpu") is needed
    assert not resident.is_needed({"training_corpus": None}, set(), "gpu")


def served(tmp_path: Path, **change: Any) -> ResidentBase:
    return load(tmp_path, policy(**change)).resident["gpu-t4"]


def test_the_job_serves_the_folder_with_the_card_and_leaves_by_itself(tmp_path: Path) -> None:
    made = resident.manifest("gpu-t4", served(tmp_path), namespace="learning", failures=3)
    assert made["metadata"]["name"] == "council-astra-learn-resident-gpu-t4"
    assert made["metadata"]["annotations"] == {
        "astra-learn/lane": "gpu-t4", "astra-learn/failures-in-a-row": "3",
    }  # fmt: skip
    spec = made["spec"]
    assert (spec["backoffLimit"], spec["ttlSecondsAfterFinished"]) == (0, 3600)
    inside = spec["template"]["spec"]
    assert inside["restartPolicy"] == "Never"
    assert inside["automountServiceAccountToken"] is False
    assert inside["terminationGracePeriodSeconds"] == 90  # of a training, and the owner's leaving
    (container,) = inside["containers"]
    assert container["command"] == [
        "python", "-m", "trainer", "serve-queue", "--spool", "/var/lib/queue/gpu-t4", "--require-gpu",
        "--idle-minutes", "10", "--job-minutes", "240", "--grace-seconds", "60",
    ]  # fmt: skip
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert container["env"] == [{"name": "HF_HOME", "value": "/models"}]
    assert spec["template"]["metadata"]["labels"] == {"astra-learn/workload": "resident"}


def test_the_command_is_one_that_the_trainer_takes(tmp_path: Path) -> None:
    from trainer.__main__ import _parser

    base = [{"name": "ASTRA_BASE_MODEL", "value": "org/base"}, {"name": "ASTRA_BASE_REVISION", "value": "v2"}]
    found = served(
        tmp_path,
        served={"env": [*SERVED["env"], *base]},
        base="org/base",
        base_revision="v2",
        idle_minutes=2.5,
    )
    taken = _parser().parse_args(resident.command(found)[3:])
    assert (taken.base, taken.base_revision) == ("org/base", "v2")
    assert (str(taken.spool), taken.idle_minutes, taken.require_gpu) == ("/var/lib/queue/gpu-t4", 2.5, True)
    default = _parser().parse_args(resident.command(served(tmp_path))[3:])
    assert Path(default.base).name == "base_model"


def test_a_token_of_the_hub_is_taken_from_its_secret(tmp_path: Path) -> None:
    token = {"name": "HF_TOKEN", "secretKeyRef": {"name": "hub", "key": "token"}}
    found = served(tmp_path, pod=pod(env=[token]))
    (container,) = resident.manifest("gpu-t4", found, namespace="x")["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [
        {"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hub", "key": "token"}}}
    ]


def test_who_pulls_with_a_secret_pulls_the_server_with_it(tmp_path: Path) -> None:
    made = resident.manifest(
        "gpu-t4", served(tmp_path), namespace="x", pull_policy="Always", pull_secrets=("registry",)
    )
    inside = made["spec"]["template"]["spec"]
    assert inside["imagePullSecrets"] == [{"name": "registry"}]
    assert inside["containers"][0]["imagePullPolicy"] == "Always"


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a server without a card": ({"pod": pod(gpu=0)}, "asks for no GPU"),
    "a server with the database's password": (
        {"pod": pod(env=[{"name": "PGPASSWORD", "secretKeyRef": {"name": "astra-learn", "key": "p"}}])},
        "PGPASSWORD, which is the platform's alone",
    ),
    "a server with the master key": (
        {"pod": pod(env=[{"name": "ASTRA_MASTER_KEY", "value": "x"}])},
        "ASTRA_MASTER_KEY, which is the platform's alone",
    ),
    "a server with the signing key": (
        {"pod": pod(volumes=[CLAIM, *PROFILE["volumes"]])},
        "mounts the secret volume 'keys'",
    ),
    "a server on the inference pool": (
        {"pod": pod(node_selector={"astra-learn/pool": "inference"})},
        "profile 'resident.gpu-t4' selects the inference pool",
    ),
    "two cards for one training": ({"served": {"gpu": 1}}, "the profile still asks for a GPU"),
    "another folder": ({"queue": "/var/lib/queue/other"}, "does not name /var/lib/queue/other"),
    "a folder of everybody": ({"queue": "/queue"}, "queue: String should match pattern"),
    "nobody waits": ({"served": {"env": QUEUE[:1]}}, "waits 0 minutes"),
    "waits less than the old base stays": ({"idle_minutes": 45}, "it must wait longer"),
    "another base": ({"base": "org/other"}, "trains None at None, and org/other at None is served"),
    "another revision": ({"base_revision": "v2"}, "trains None at None, and None at v2 is served"),
    "no claim": ({"served": {"volumes": [], "volume_mounts": []}}, "must both mount a claim"),
    "a claim each": (
        {"pod": pod(volumes=[{"name": "queue", "persistentVolumeClaim": {"claimName": "mine"}}])},
        "mount different claims",
    ),
    "a folder of the pod's own": (
        {"pod": pod(volumes=[{"name": "queue", "emptyDir": {}}])},
        "must both mount a claim",
    ),
    "two images": ({"pod": pod(image="astra-trainer:v2")}, "runs astra-trainer:v1, and astra-trainer:v2"),
    "a name that is none": ({"job_name": "Gpu_T4"}, "job_name"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_could_serve_nobody_or_too_much_is_refused(tmp_path: Path, case: str) -> None:
    change, sentence = REFUSED[case]
    with pytest.raises(BadConfiguration, match="ASTRA_COMPUTE_PROFILES") as refused:
        load(tmp_path, policy(**change))
    assert sentence in str(refused.value)


def test_one_that_serves_an_unknown_profile_and_two_in_one_folder_are_refused(tmp_path: Path) -> None:
    whole = policy()
    whole["resident"]["gpu-l4"] = RESIDENT
    with pytest.raises(BadConfiguration, match=r"resident\.gpu-l4: there is no such profile"):
        load(tmp_path, whole)
    whole["profiles"]["gpu-l4"] = SERVED
    with pytest.raises(BadConfiguration, match="two of them share a queue"):
        load(tmp_path, whole)


def test_a_training_without_a_card_and_without_a_server_stays_refused(tmp_path: Path) -> None:
    whole = policy()
    del whole["resident"]
    with pytest.raises(BadConfiguration, match="asks for no GPU"):
        load(tmp_path, whole)


def test_a_run_of_the_profile_is_stamped_without_a_card(tmp_path: Path) -> None:
    config = compute.merged(load(tmp_path, policy()).profiles["gpu-t4"], {})
    assert "nvidia.com/gpu" not in config["container_config"]["resources"]["limits"]
