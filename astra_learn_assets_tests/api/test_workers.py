from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from astra_learn_assets.api.app import create_app
from astra_learn_assets.comparator import diff_file
from astra_learn_assets.errors import BadManifest, Unavailable, UploadRefused
from astra_learn_assets.hotpath.comparison_process import Comparison, compare_here
from astra_learn_assets.hotpath.prepared import RawDraft
from astra_learn_assets.hotpath.workers import CompareWorkers, _Line
from astra_learn_assets.platform import Platform
from astra_learn_assets_tests.api.conftest import Issue
from astra_learn_assets_tests.api.files import DOCX, NAME_FIX, DraftFiles, make_draft


def job(final: bytes | None = None, **more: object) -> Comparison:
    files = make_draft()
    given: dict[str, object] = {
        "draft": RawDraft(files.docx, files.manifest),
        "final": files.final(NAME_FIX) if final is None else final,
        "generated_id": "g",
        "final_id": "f",
        "dictionary": None,
        "confidence_minimum": 0.5,
        **more,
    }
    return Comparison(**given)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def workers() -> Iterator[CompareWorkers]:
    pool = CompareWorkers(1)
    yield pool
    pool.close()


def test_a_worker_answers_what_the_engine_answers(workers: CompareWorkers) -> None:
    assert workers(job()) == compare_here(job())


def test_a_worker_has_no_room_for_pandas(workers: CompareWorkers) -> None:
    workers(job())
    (pid,) = workers.pids()
    mapped = Path(f"/proc/{pid}/maps").read_text()
    assert "/pyarrow/" in mapped
    assert "/pandas/" not in mapped


def test_refusals_come_back_as_they_were_raised(workers: CompareWorkers) -> None:
    with pytest.raises(UploadRefused) as refused:
        workers(job(final=b"no"))
    assert refused.value.reason
    other = make_draft("pleno-2").manifest
    with pytest.raises(BadManifest):
        workers(job(draft=RawDraft(make_draft().docx, other)))


def test_a_document_that_takes_too_long_is_refused_and_the_worker_goes_on() -> None:
    hurried = CompareWorkers(1, seconds=0.001)
    try:
        with pytest.raises(UploadRefused) as refused:
            hurried(job())
        assert refused.value.reason == "too_complex"
        hurried.seconds = 30
        assert hurried(job()).delta.entity_changes
    finally:
        hurried.close()


def test_a_worker_that_is_killed_is_replaced(workers: CompareWorkers) -> None:
    workers(job())
    (process,) = workers.pids()
    sent = job()  # made before: on a busy machine that alone takes longer than the worker lives
    os.kill(process, signal.SIGSTOP)  # so that it dies in the middle of the job
    threading.Timer(0.3, os.kill, (process, signal.SIGKILL)).start()
    with pytest.raises(Unavailable):
        workers(sent)
    assert workers(job()).delta.entity_changes
    assert workers.pids() != [process]


def test_a_worker_that_died_while_idle_is_replaced_unnoticed(workers: CompareWorkers) -> None:
    workers(job())
    (process,) = workers.pids()
    os.kill(process, signal.SIGKILL)
    time.sleep(0.2)
    assert workers(job()).delta.entity_changes


def test_eight_clerks_share_two_workers() -> None:
    two = CompareWorkers(2)
    try:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: two(job()), range(16)))
        assert len({answer.diff for answer in answers}) == 1
        assert len(two.pids()) == 2
    finally:
        two.close()
    assert two.pids() == []


def test_the_blocks_travel_only_in_the_file(workers: CompareWorkers) -> None:
    compared = workers(job())
    assert compared.delta.blocks == ()
    whole = diff_file.decode(compared.diff)
    assert whole.blocks
    assert whole.model_copy(update={"blocks": ()}) == compared.delta


def test_the_api_compares_in_workers(api_platform: Platform, issue: Issue, draft: DraftFiles) -> None:
    api_platform.settings = api_platform.settings.model_copy(update={"api_compare_processes": 1})
    with TestClient(create_app(platform=api_platform)) as client:
        answer = client.post(
            "/v1/tenants/villaverde/sessions/pleno-1/versions/1/final",
            content=draft.final(NAME_FIX),
            headers={**issue("editor"), "Content-Type": DOCX},
        )
        metrics = client.get("/metrics").text
    assert answer.status_code == 200
    assert answer.json()["entities_live"]
    assert "astra_compare_seconds_count 1.0" in metrics


def test_the_next_worker_goes_to_who_has_waited_longest_and_not_to_a_newcomer() -> None:
    line = _Line([None])
    line.take(1)
    order: list[int] = []

    def wait(number: int) -> None:
        line.take(5)
        order.append(number)
        line.give(None)

    waiting = [threading.Thread(target=wait, args=(number,)) for number in range(6)]
    for thread in waiting:
        thread.start()
        time.sleep(0.02)
    line.give(None)
    for thread in waiting:
        thread.join()
    assert order == list(range(6))


def test_who_gives_up_waiting_takes_no_place_with_him() -> None:
    line = _Line([])
    with pytest.raises(TimeoutError):
        line.take(0.01)
    line.give(None)
    assert line.take(0.01) is None
