"""The closed loop through the real K8sRunLauncher: from the N-th example to promotion on a training node."""

from __future__ import annotations

import itertools

import dagster as dg
import pytest

from astra_learn_assets_tests.cluster.cluster import phase
from astra_learn_assets_tests.cluster.kube import Object
from astra_learn_assets_tests.cluster.learning import IMAGE, TRAIN, Learning
from astra_learn_assets_tests.cluster.nodes import GPU, POOL_LABEL
from astra_learn_assets_tests.cluster.profiles import PRIORITY

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(2400)]
FAILURE = dg.DagsterRunStatus.FAILURE
LEARN = ["golden_set", "training_corpus", "lora_adapter", "evaluation_report", "promoted_adapter"]


def test_the_nth_example_trains_on_the_training_node_and_ends_in_one_promotion(learning: Learning) -> None:
    town = learning.new_town("villaverde")
    threshold = learning.settings.train_threshold
    sessions = learning.sessions(town)
    while learning.pending(town.tenant_id) < threshold:
        assert not learning.runs(town.tenant_id), "nothing trains below the threshold"
        before = learning.pending(town.tenant_id)
        town.submit(*itertools.islice(sessions, 3))
        learning.until(lambda known=before: learning.pending(town.tenant_id) > known, "pairs are anonymized")
    learning.until(lambda: learning.promotions(town.tenant_id), "an adapter is promoted")
    (run,) = learning.runs(town.tenant_id)
    learning.until(lambda: learning.status(run.run_id) == dg.DagsterRunStatus.SUCCESS, "the run succeeds")

    (row,) = learning.trainings(town.tenant_id)
    assert (row.state, row.attempt) == ("promoted", 1)
    assert learning.promotions(town.tenant_id) == [row.adapter_id]
    learning.until(lambda: learning.pointer(town.tenant_id) == row.adapter_id, "CORE is told")

    learning.until(lambda: [phase(pod) for pod in learning.pods(run.run_id)] == ["Succeeded"], "its pod ends")
    (trained,) = learning.pods(run.run_id)
    assert trained["spec"]["nodeName"] == "gpu-train"
    _asks_for_a_card(trained)
    prepared = [
        pod for run in learning.runs(town.tenant_id, "prepare_examples") for pod in learning.pods(run.run_id)
    ]
    assert prepared
    assert {pod["spec"]["nodeName"] for pod in prepared} == {"cpu"}


def test_every_way_into_a_training_asks_for_one_card_in_the_training_pool(learning: Learning) -> None:
    town = learning.new_town("rio-claro")
    learning.cluster.nodes["gpu-train"].hold_starts()  # what is asked for is the question; nothing need train

    by_hand = learning.dagster.launch(TRAIN, town.tenant_id)
    _asks_for_a_card(_pod_of(learning, by_hand))
    learning.dagster.cancel(by_hand)

    again = learning.dagster.execute_again(by_hand)
    _asks_for_a_card(_pod_of(learning, again))
    learning.dagster.cancel(again)

    some = learning.dagster.launch("__ASSET_JOB", town.tenant_id, ["lora_adapter"])
    _asks_for_a_card(_pod_of(learning, some))
    learning.dagster.cancel(some)

    backfill = learning.dagster.backfill(LEARN, [town.tenant_id])
    of_backfill = dg.RunsFilter(tags={"dagster/backfill": backfill})
    (run, *_) = learning.until(lambda: learning.instance.get_runs(of_backfill), "the backfill has its run")
    _asks_for_a_card(_pod_of(learning, run.run_id))


def _pod_of(learning: Learning, run_id: str) -> Object:
    learning.until(lambda: learning.pods(run_id) or learning.status(run_id) == FAILURE, "the run has its pod")
    assert learning.status(run_id) != FAILURE, learning.messages(run_id)
    (pod,) = learning.pods(run_id)
    return dict(pod)


def _asks_for_a_card(pod: Object) -> None:
    (container,) = pod["spec"]["containers"]
    assert container["image"] == IMAGE
    assert container["args"][:3] == ["dagster", "api", "execute_run"]
    assert container["resources"]["limits"] == {"cpu": "2", "memory": "8Gi", GPU: "1"}
    assert "envFrom" not in container, "no whole Secret in a training pod"
    assert pod["spec"]["nodeSelector"] == {POOL_LABEL: "training"}
    assert any(item["key"] == GPU for item in pod["spec"]["tolerations"])
    assert pod["spec"]["restartPolicy"] == "Never"
    assert pod["spec"]["priorityClassName"] == PRIORITY
