"""What a cluster does to a training, and what is left of it: one promotion, never two.

| fault                                | end                                                            |
|--------------------------------------|----------------------------------------------------------------|
| pod evicted                          | its run fails, a retry ends the training, charged to nobody     |
| node lost, process and all           | the same, when a node is back                                   |
| node cut off, its process goes on    | its result is refused, the retry's is the one that is promoted  |
| image cannot be pulled               | the same run goes on when it can, within the start time-out     |
| start time-out                       | the retry trains; the late pod does not                         |
| two pods for one run                 | the second leaves at once                                       |
| every card taken                     | runs wait; no attempt is spent                                  |
| over the quota                       | the run waits for its pod                                       |
| code rolled out while runs wait      | what waited runs, with the image it asked for                   |
"""

from __future__ import annotations

import copy

import dagster as dg
import pytest

from astra_learn_assets_tests.cluster.cluster import phase, waiting_reason
from astra_learn_assets_tests.cluster.container import Image
from astra_learn_assets_tests.cluster.kube import Object
from astra_learn_assets_tests.cluster.learning import IMAGE, NAMESPACE, Learning
from astra_learn_assets_tests.cluster.nodes import GPU
from astra_learn_assets_tests.cluster.objects import IMAGE as SHELL
from astra_learn_assets_tests.cluster.objects import gpu_container, pod, training_placement

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(2400)]

FAILURE, SUCCESS = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS
QUEUED, STARTING = dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING


def ready_town(learning: Learning, tenant_id: str) -> str:
    """A tenant with enough examples: the sensor will ask for its training at its next look."""
    learning.prepare(learning.new_town(tenant_id))
    return tenant_id


def first_run(learning: Learning, tenant: str) -> str:
    """The id of the run that the sensor asks for."""
    (run,) = learning.until(lambda: learning.runs(tenant), f"a training of {tenant} is asked for")
    return str(run.run_id)


def training_pod(learning: Learning, tenant: str, run_id: str) -> Object:
    """The run's pod, once its training is under way."""
    learning.until(
        lambda: [row for row in learning.trainings(tenant) if row.state == "training"], f"{tenant} trains"
    )
    (found,) = learning.pods(run_id)
    return dict(found)


def one_promotion(
    learning: Learning, tenant: str, *, runs: list[dg.DagsterRunStatus], anew: bool = False
) -> None:
    """Wait for the end: these runs, one training, and one adapter in service.

    ``anew``: the ended process may have had the time to say so. Then its step has failed, Dagster retries
    nothing, and the sensor begins a second training; the first is the worker's fault and charged to nobody.
    """
    learning.until(
        lambda: [learning.status(run.run_id) for run in learning.runs(tenant)] == runs,
        f"the runs of {tenant} end as {[status.value for status in runs]}",
    )
    rows = learning.trainings(tenant)
    assert [(row.state, row.fault) for row in rows[:-1]] in ([], [("failed", "worker")] if anew else [])
    assert (rows[-1].state, rows[-1].attempt) == ("promoted", len(rows))
    assert learning.promotions(tenant) == [rows[-1].adapter_id]
    learning.until(lambda: learning.pointer(tenant) == rows[-1].adapter_id, "CORE is told")


def steps_of(
    learning: Learning, run_id: str, what: dg.DagsterEventType = dg.DagsterEventType.STEP_START
) -> list[str]:
    """The steps that a run began, or of which it noted ``what``."""
    logs = learning.instance.all_logs(run_id, of_type=what)
    return [str(entry.dagster_event.step_key) for entry in logs if entry.dagster_event]


def said(learning: Learning, run_id: str, words: str) -> bool:
    """Whether an event of the run says ``words``."""
    return any(words in message for message in learning.messages(run_id))


def test_an_evicted_pods_training_ends_in_the_retry(learning: Learning) -> None:
    tenant = ready_town(learning, "evicted")
    run = first_run(learning, tenant)
    name = training_pod(learning, tenant, run)["metadata"]["name"]
    learning.cluster.nodes["gpu-train"].evict(NAMESPACE, name)
    one_promotion(learning, tenant, runs=[FAILURE, SUCCESS], anew=True)


def test_a_training_whose_node_died_ends_on_the_node_that_came_back(learning: Learning) -> None:
    tenant = ready_town(learning, "crashed")
    run = first_run(learning, tenant)
    training_pod(learning, tenant, run)
    learning.cluster.nodes["gpu-train"].crash()
    learning.until(lambda: learning.status(run) == FAILURE, "the run is given up")
    learning.cluster.nodes["gpu-train"].recover()
    one_promotion(learning, tenant, runs=[FAILURE, SUCCESS])


def test_a_process_on_a_node_that_is_cut_off_and_its_retry_promote_once(learning: Learning) -> None:
    tenant = ready_town(learning, "cut-off")
    run = first_run(learning, tenant)
    training_pod(learning, tenant, run)
    node = learning.cluster.nodes["gpu-train"]
    node.cut_off()
    learning.until(lambda: not learning.cluster.ready("gpu-train"), "the node is seen to be lost")
    learning.until(lambda: learning.status(run) == FAILURE, "the run is given up")
    learning.until(
        lambda: (
            learning.promotions(tenant)
            or "lora_adapter" in steps_of(learning, run, dg.DagsterEventType.STEP_FAILURE)
        ),
        "the process that nobody can stop ends its work",
    )
    node.recover()
    learning.until(lambda: learning.promotions(tenant), "somebody promotes")
    learning.until(
        lambda: (
            all(learning.status(run.run_id) in (FAILURE, SUCCESS) for run in learning.runs(tenant))
            and all(row.state in ("promoted", "failed") for row in learning.trainings(tenant))
        ),
        "every run and training has ended",
    )
    assert learning.promotions(tenant) == [learning.pointer(tenant)]
    assert [row.state for row in learning.trainings(tenant)].count("promoted") == 1


def test_a_run_whose_image_can_be_pulled_again_goes_on_as_the_same_attempt(learning: Learning) -> None:
    node = learning.cluster.nodes["gpu-train"]
    node.hold_starts()
    tenant = ready_town(learning, "no-image")
    run = first_run(learning, tenant)
    image = learning.cluster.images.pop(IMAGE)
    node.release_starts()
    learning.until(
        lambda: [waiting_reason(pod) for pod in learning.pods(run)] == ["ImagePullBackOff"], "the pull fails"
    )
    assert learning.status(run) == STARTING
    learning.cluster.images[IMAGE] = image
    one_promotion(learning, tenant, runs=[SUCCESS])


def test_a_pod_that_starts_after_its_time_out_does_not_train_beside_the_retry(learning: Learning) -> None:
    node = learning.cluster.nodes["gpu-train"]
    node.hold_starts()
    tenant = ready_town(learning, "late")
    run = first_run(learning, tenant)
    learning.until(lambda: learning.status(run) == FAILURE, "the start times out")
    (_, retry) = learning.until(
        lambda: len(learning.runs(tenant)) == 2 and learning.runs(tenant), "it is retried"
    )
    learning.until(lambda: learning.pods(retry.run_id), "the retry has its pod")
    node.release_starts()
    one_promotion(learning, tenant, runs=[FAILURE, SUCCESS])
    assert steps_of(learning, run) == []
    assert steps_of(learning, retry.run_id)
    for late in learning.pods(run):
        assert phase(late) in ("Succeeded", "Failed")


def test_a_second_pod_of_a_run_leaves_without_training(learning: Learning) -> None:
    tenant = ready_town(learning, "twice")
    run = first_run(learning, tenant)
    original = training_pod(learning, tenant, run)
    learning.cluster.apply(_twin_of(original))
    learning.until(lambda: said(learning, run, "Ignoring a duplicate run"), "the second pod sees the first")
    learning.until(
        lambda: phase(learning.cluster.pod("twin", NAMESPACE)) == "Succeeded", "the second pod leaves"
    )
    one_promotion(learning, tenant, runs=[SUCCESS])
    assert len(steps_of(learning, run)) == len(set(steps_of(learning, run)))


def _twin_of(original: Object) -> Object:
    """The same command on another node, as after a partition that a Job controller did not survive."""
    spec = copy.deepcopy(original["spec"])
    for key in ("nodeName", "nodeSelector"):
        spec.pop(key)
    spec["containers"][0]["resources"] = {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "twin", "namespace": NAMESPACE},
        "spec": spec,
    }


def test_trainings_wait_for_a_card_without_spending_an_attempt(learning: Learning) -> None:
    learning.cluster.images[SHELL] = Image()
    other = pod(
        "another-teams-pod", NAMESPACE, "sleep 3600", container=gpu_container(), **training_placement()
    )
    learning.cluster.apply(other)
    learning.until(
        lambda: phase(learning.cluster.pod("another-teams-pod", NAMESPACE)) == "Running", "it runs"
    )
    first, second = ready_town(learning, "waits-first"), ready_town(learning, "waits-second")
    runs = [first_run(learning, tenant) for tenant in (first, second)]
    learning.until(
        lambda: sorted(learning.status(run).value for run in runs) == ["QUEUED", "STARTING"],
        "one run waits for its pod, the other for the first",
    )
    learning.until(lambda: any(f"Insufficient {GPU}" in event for event in _unscheduled(learning)), "no card")
    learning.cluster.kube.delete(f"/api/v1/namespaces/{NAMESPACE}/pods/another-teams-pod")
    for tenant in (first, second):
        one_promotion(learning, tenant, runs=[SUCCESS])


def _unscheduled(learning: Learning) -> list[str]:
    return learning.cluster.events("FailedScheduling", NAMESPACE)


def test_a_run_over_the_quota_waits_for_its_pod_and_goes_on_when_there_is_room(learning: Learning) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "cards", "namespace": NAMESPACE},
        "spec": {"hard": {f"requests.{GPU}": "0"}},
    }
    learning.cluster.apply(quota)
    try:
        tenant = ready_town(learning, "over-quota")
        run = first_run(learning, tenant)
        learning.until(
            lambda: any(
                "exceeded quota: cards" in event
                for event in learning.cluster.events("FailedCreate", NAMESPACE)
            ),
            "admission refuses the pod",
        )
        assert learning.pods(run) == []
    finally:
        learning.cluster.kube.delete(f"/api/v1/namespaces/{NAMESPACE}/resourcequotas/cards")
    one_promotion(learning, tenant, runs=[SUCCESS])


def test_runs_that_were_queued_during_a_rollout_run_afterwards(learning: Learning) -> None:
    """One holds the card; the other is queued when the code server goes, and its turn comes meanwhile."""
    node = learning.cluster.nodes["gpu-train"]
    node.hold_starts()
    first, second = ready_town(learning, "rollout-first"), ready_town(learning, "rollout-second")
    runs = [first_run(learning, tenant) for tenant in (first, second)]
    learning.until(
        lambda: sorted(learning.status(run).value for run in runs) == ["QUEUED", "STARTING"], "one waits"
    )
    learning.cluster.images["astra-trainer:v2"] = learning.cluster.images[IMAGE]
    learning.dagster.stop("code")
    node.release_starts()
    started, waiting = sorted(runs, key=lambda run: learning.status(run) == QUEUED)
    learning.until(lambda: learning.status(started) == SUCCESS, "a run needs no code server")
    learning.dagster.start_code_server("astra-trainer:v2")
    try:
        for tenant in (first, second):
            one_promotion(learning, tenant, runs=[SUCCESS])
        (pod,) = learning.pods(waiting)
        assert pod["spec"]["containers"][0]["image"] == IMAGE
    finally:
        learning.dagster.stop("code")
        learning.dagster.start_code_server(IMAGE)
        learning.dagster.wait_until_loaded()
