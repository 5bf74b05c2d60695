"""Values that would fail, leak or disturb inference later are refused at render time, with a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from astra_learn_assets_tests.deploy.chart import VALUES, refusal, run

INFERENCE = {"astra-learn/pool": "inference"}


def profile(**change: Any) -> dict[str, Any]:
    return {"computeProfiles": {"profiles": {"gpu-t4": change}}}


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "no Postgres host": (
        {"postgres": {"host": ""}},
        "postgres.host is empty: name the Postgres server",
    ),
    "no bucket": ({"objectStore": {"url": "file:///data"}}, 'objectStore.url is "file:///data"'),
    "no region": ({"objectStore": {"region": ""}}, "objectStore.region is empty"),
    "objects in clear": (
        {"encryption": {"objectStoreKmsKey": ""}},
        "objects would be stored without encryption at rest",
    ),
    "nothing wraps the keys": (
        {"encryption": {"masterKeyKms": ""}},
        "nothing would wrap the municipalities' keys",
    ),
    "two master keys": ({"encryption": {"masterKeyFromSecret": True}}, "so choose one"),
    "no signing key": ({"signingKey": {"secret": ""}}, "signingKey.secret is empty: name the Secret"),
    "no MLflow": ({"mlflow": {"trackingUri": ""}}, "mlflow.trackingUri is empty"),
    "no artifact root": (
        {"mlflow": {"artifactRoot": ""}},
        "with an MLflow server run files need a place that outlives the pod",
    ),
    "no secret": ({"secret": {"name": ""}}, "secret.name is empty"),
    "no CPU limit of the API": (
        {"api": {"resources": {"limits": {"cpu": None}}}},
        "api.resources has no limit of cpu",
    ),
    "no limits of the daemon": (
        {"daemon": {"resources": {"limits": None}}},
        "daemon.resources has no limit of memory",
    ),
    "no memory limit of a training": (
        profile(limits={"memory": None}),
        "computeProfiles.profiles.gpu-t4 has no limit of memory",
    ),
    "training on the inference pool": (
        profile(node_selector=INFERENCE),
        "computeProfiles.profiles.gpu-t4 could train on the inference pool",
    ),
    "preparation on the inference pool": (
        {"computeProfiles": {"profiles": {"cpu": {"node_selector": INFERENCE}}}},
        "computeProfiles.profiles.cpu selects inference's nodes by astra-learn/pool=inference",
    ),
    "no CPU request of a training": (
        profile(requests={"cpu": None}),
        "computeProfiles.profiles.gpu-t4 has no request of cpu",
    ),
    "training anywhere": (
        profile(node_selector={"astra-learn/pool": None}),
        "could train on the inference pool: its node_selector {} does not exclude",
    ),
    "training by a label that inference may have as well": (
        profile(node_selector={"astra-learn/pool": None, "gpu": "t4"}),
        "give both pools one label with different values",
    ),
    "training that tolerates every taint": (
        profile(tolerations=[{"operator": "Exists"}]),
        "tolerates every taint, that of the inference pool too",
    ),
    "training that tolerates inference's taint": (
        profile(tolerations=[{"key": "astra-learn/inference", "operator": "Exists"}]),
        "tolerates astra-learn/inference, the taint that keeps runs away from inference",
    ),
    "training without torch": (
        profile(image="platform"),
        "trains with the platform image, which has no torch",
    ),
    "training on a profile that may not sign": (
        {"computeProfiles": {"kinds": {"training": {"standard": "cpu"}}}},
        'the profile "cpu" has no GPU, may not sign adapters and has no torch',
    ),
    "a profile that is not there": (
        {"computeProfiles": {"kinds": {"training": {"large": "gpu-l4"}}}},
        'names the profile "gpu-l4", which is not among computeProfiles.profiles',
    ),
    "no profile for everybody": (
        {"computeProfiles": {"kinds": {"default": {"standard": ""}}}},
        "computeProfiles.kinds.default has no profile for `standard`",
    ),
    "a profile that brings its own database": (
        profile(env=[{"name": "PGPASSWORD", "value": "x"}]),
        "computeProfiles.profiles.gpu-t4.env: PGPASSWORD is the chart's to set",
    ),
    "more trainings than cards": (
        {"dagster": {"gpus": 3}},
        "dagster.gpus is 3 and quota.training allows 1",
    ),
    "a way to nowhere": (
        {"networkPolicy": {"destinations": {"objectStore": []}}},
        "networkPolicy.destinations.objectStore is empty: no pod could reach it",
    ),
    "a secret among the settings": (
        {"settings": {"ASTRA_MASTER_KEY": "aaaa"}},
        "settings.ASTRA_MASTER_KEY: the chart sets this variable itself, or it is a secret",
    ),
    "an external secret from nowhere": (
        {"externalSecret": {"enabled": True}},
        "externalSecret: store.name and remoteKey are needed",
    ),
}
SHAPES: dict[str, tuple[dict[str, Any], str]] = {
    "a word that is none": ({"postgres": {"hots": "x"}}, "additional properties 'hots' not allowed"),
    "a quantity that is none": (profile(limits={"memory": "lots"}), "does not match pattern"),
    "no deadline": (profile(active_deadline_seconds=None), "active_deadline_seconds"),
    "a folder of the node": (
        profile(volumes=[{"name": "x", "hostPath": {"path": "/"}}]),
        "/computeProfiles/profiles/gpu-t4/volumes/0",
    ),
    "a whole secret as environment": (
        profile(env_from=[{"secretRef": {"name": "astra-learn"}}]),
        "additional properties 'env_from' not allowed",
    ),
    "a digest that is none": ({"image": {"trainer": {"digest": "latest"}}}, "/image/trainer/digest"),
    "a setting that is none of ours": ({"settings": {"PATH": "/x"}}, "PATH"),
    "retries of a rollout switched off": (
        {"dagster": {"maxUserCodeFailureRetries": 0}},
        "/dagster/maxUserCodeFailureRetries",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_work_is_refused_with_a_sentence(case: str) -> None:
    change, sentence = CASES[case]
    message = refusal(change)
    assert "These values cannot work:" in message
    assert sentence in message


@pytest.mark.parametrize("case", SHAPES)
def test_what_has_the_wrong_shape_is_refused_by_the_schema(case: str) -> None:
    change, place = SHAPES[case]
    message = refusal(change)
    assert "values don't meet the specifications of the schema" in message
    assert place in message


def test_everything_that_is_wrong_is_said_at_once() -> None:
    message = refusal({"postgres": {"host": ""}, "signingKey": {"secret": ""}, "dagster": {"gpus": 9}})
    assert message.count("\n  - ") == 3


def test_the_bare_defaults_name_what_only_the_site_knows() -> None:
    done = run("template", None)
    assert done.returncode != 0
    for place in (
        "postgres.host",
        "objectStore.url",
        "encryption",
        "signingKey.secret",
        "mlflow.trackingUri",
    ):
        assert f"- {place}" in done.stderr


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {"ASTRA_SEED": 3, "ASTRA_TRAIN_THRESHOLD": 300}},
        {"encryption": {"objectStoreKmsKey": "", "storageEncrypts": True}},
        {"networkPolicy": {"enabled": False, "destinations": {"redis": []}}},
        {"computeProfiles": {"profiles": {"cpu": {"node_selector": {"astra-learn/pool": "cpu"}}}}},
    ],
    ids=["a setting", "a store that encrypts", "no policies", "preparation on a pool of its own"],
)
def test_what_can_work_is_not_refused(change: dict[str, Any]) -> None:
    done = run("template", VALUES["default"], change=change)
    assert done.returncode == 0, done.stderr
