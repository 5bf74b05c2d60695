"""By hand, by backfill and by sensor at once: three processes with a Dagster run each, past any queue."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import dagster as dg
import pytest

from astra_learn_assets.learning.training import run as training_run
from astra_learn_assets.learning.training.run import TAG, Step
from astra_learn_assets.partitions import tenant_partitions
from astra_learn_assets.store import trainings
from astra_learn_assets_tests.graph.conftest import Town
from astra_learn_assets_tests.graph.test_loop import PREPARE, run_assets

# one run of the corpus's stage, begun when the file is there
_RUN = """
import json, sys, time
from pathlib import Path
import dagster as dg
from astra_learn_assets.definitions import defs
go, tags = Path(sys.argv[1]), json.loads(sys.argv[2])
job = defs.resolve_implicit_global_asset_job_def()
corpus = job.get_subset(asset_selection={dg.AssetKey("training_corpus")})
with dg.DagsterInstance.get() as instance:
    print("ready", flush=True)
    while not go.exists():
        time.sleep(0.01)
    done = corpus.execute_in_process(
        instance=instance, partition_key="villaverde", tags=tags, raise_on_error=False
    )
    refused = "Superseded" in str([event.event_specific_data for event in done.get_step_failure_events()])
    print("trains" if done.success else "refused" if refused else "failed", flush=True)
"""


@pytest.mark.timeout(900)
def test_three_processes_that_begin_one_corpus_at_once_are_one_training(
    instance: dg.DagsterInstance, town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.submit(*range(8))
    assert run_assets(instance, town.tenant_id, [*PREPARE, "golden_set"]).success
    newest = training_run.through_seq(town.platform, Step(town.tenant_id, "sensor"))
    with town.platform.database.session() as session:
        begun = trainings.start(session, town.tenant_id, through_seq=newest, attempt=1, dagster_run_id=None)
    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    with dg.DagsterInstance.get() as shared:
        shared.add_dynamic_partitions(str(tenant_partitions.name), [town.tenant_id])
    go = tmp_path / "go"
    tags = ("{}", '{"dagster/backfill": "b"}', f'{{"{TAG}": "{begun.run_id}"}}')
    runs = [
        subprocess.Popen([sys.executable, "-c", _RUN, str(go), tag], stdout=subprocess.PIPE, text=True)
        for tag in tags
    ]
    try:
        for run in runs:
            assert run.stdout is not None
            assert run.stdout.readline() == "ready\n"
        go.touch()
        said = Counter(run.communicate(timeout=600)[0].strip().splitlines()[-1] for run in runs)
    finally:
        for run in runs:
            run.kill()
            run.wait()
    assert said == {"trains": 1, "refused": 2}
    with town.platform.database.session() as session:
        rows = trainings.listing(session, town.tenant_id)
    assert [row.state for row in rows].count("training") == 1
