"""The folder that trainings wait in: who is gone is forgotten, and what a tenant left is not followed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from astra_learn_assets_tests.trainer.examples import line, write
from trainer import confine, spool
from trainer.__main__ import main
from trainer.errors import BadUsage, NotBelieved


def _left(work: Path, secret: Path | None = None) -> Path:
    """What an honest process leaves."""
    adapter = work / spool.ADAPTER
    adapter.mkdir(parents=True)
    for name in ("adapter_model.safetensors", "adapter_config.json", "metrics.json", "train_log.jsonl"):
        (adapter / name).write_text("{}")
    (work / spool.ANSWERS).write_text("{}")
    (work / spool.REPORT).write_text('{"judged": true}')
    return work


def test_what_an_honest_process_leaves_is_believed(tmp_path: Path) -> None:
    assert spool.believed(_left(tmp_path / "work")) == {"judged": True}


def test_links_pipes_folders_and_other_names_of_a_file_are_not_believed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("another's")

    def linked(at: Path) -> None:
        at.unlink(missing_ok=True)
        at.symlink_to(secret)

    def named(at: Path) -> None:
        at.unlink(missing_ok=True)
        os.link(secret, at)

    def pipe(at: Path) -> None:
        at.unlink(missing_ok=True)
        os.mkfifo(at)

    def folder(at: Path) -> None:
        at.unlink(missing_ok=True)
        at.mkdir()

    places = ("adapter/adapter_config.json", "adapter/more", "answers.jsonl")
    for number, make in enumerate((linked, named, pipe, folder)):
        for place in places:
            work = _left(tmp_path / f"{number}{place.replace('/', '')}")
            make(work / place)
            with pytest.raises(NotBelieved, match="no plain file"):
                spool.believed(work)
    work = _left(tmp_path / "report")
    linked(work / spool.REPORT)
    with pytest.raises(NotBelieved, match="no report"):
        spool.believed(work)
    for said in ("[1]", "nothing", ""):
        (work / spool.REPORT).unlink()
        (work / spool.REPORT).write_text(said)
        with pytest.raises(NotBelieved):
            spool.believed(work)
    work = _left(tmp_path / "whole")
    (work / spool.ADAPTER).rename(work / "elsewhere")
    (work / spool.ADAPTER).symlink_to(work / "elsewhere")
    with pytest.raises(NotBelieved, match="no adapter folder"):
        spool.believed(work)


def test_an_evaluation_leaves_answers_and_no_adapter(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / spool.REPORT).write_text('{"examples": 4}')
    with pytest.raises(NotBelieved, match="no file of answers"):
        spool.believed(work, trained=False)
    (work / spool.ANSWERS).symlink_to(work / spool.REPORT)
    with pytest.raises(NotBelieved, match="no file of answers"):
        spool.believed(work, trained=False)
    (work / spool.ANSWERS).unlink()
    (work / spool.ANSWERS).write_text("{}")
    assert spool.believed(work, trained=False) == {"examples": 4}
    with pytest.raises(NotBelieved, match="no adapter folder"):
        spool.believed(work)


def test_a_folder_is_handed_in_as_a_copy_of_it(tmp_path: Path) -> None:
    spool.prepare(tmp_path / "spool")
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}")
    files = {f"{spool.ADAPTERS}/champion": adapter}
    with spool.hand_in(tmp_path / "spool", {"tenant": "alfa"}, files) as waiting:
        copied = waiting.at("waiting") / spool.WORK / spool.ADAPTERS / "champion" / "adapter_config.json"
        assert copied.read_text() == "{}"


def test_who_begins_gives_back_what_another_had_begun_and_leaves_what_waits(tmp_path: Path) -> None:
    spool.prepare(tmp_path)
    data = write(tmp_path / "corpus.jsonl", [line(1)])
    with (
        spool.hand_in(tmp_path, {"tenant": "alfa"}, {spool.CORPUS: data}) as begun,
        spool.hand_in(tmp_path, {"tenant": "beta"}, {spool.CORPUS: data}) as waits,
    ):
        assert spool.claim(tmp_path) == begun
        spool.give_back(tmp_path, {"status": 12})
        assert json.loads((begun.at("done") / spool.RESULT).read_text()) == {"status": 12}
        assert spool.claim(tmp_path) == waits


def test_no_link_is_followed_on_the_way_to_a_log(tmp_path: Path) -> None:
    (tmp_path / "another").mkdir()
    (tmp_path / "another" / "train_log.jsonl").write_text("secret")
    work = tmp_path / "work"
    work.mkdir()
    (work / "adapter.partial").symlink_to(tmp_path / "another")
    with pytest.raises(OSError, match=r".+"):
        spool.read_plain(work, "adapter.partial", "train_log.jsonl")
    (work / "log").symlink_to(tmp_path / "another" / "train_log.jsonl")
    with pytest.raises(OSError, match=r".+"):
        spool.read_plain(work, "log")


def test_a_training_goes_from_hand_to_hand_once_and_is_gone_with_its_caller(tmp_path: Path) -> None:
    spool.prepare(tmp_path / "spool")
    data = write(tmp_path / "corpus.jsonl", [line(1)])
    with spool.hand_in(tmp_path / "spool", {"tenant": "alfa"}, {spool.CORPUS: data}) as waiting:
        assert spool.is_wanted(waiting.at("waiting"))
        claimed = spool.claim(tmp_path / "spool")
        assert claimed == waiting
        assert spool.claim(tmp_path / "spool") is None
        assert (waiting.at("running") / spool.WORK / spool.CORPUS).read_bytes() == data.read_bytes()
        assert spool.asked(waiting.at("running")) == {"tenant": "alfa"}
        spool.end(waiting, {"status": 0})
        assert json.loads((waiting.at("done") / spool.RESULT).read_text()) == {"status": 0}
    assert not waiting.at("done").exists()
    spool.end(waiting, {"status": 0})  # to nobody


def test_a_training_whose_caller_is_gone_is_swept_and_never_claimed(tmp_path: Path) -> None:
    spool.prepare(tmp_path)
    for state in spool.STATES:
        (tmp_path / state / "left").mkdir()
        (tmp_path / state / "left" / spool.JOB).write_text("{}")
    assert spool.claim(tmp_path) is None
    assert not (tmp_path / "waiting" / "left").exists()
    spool.sweep(tmp_path)
    assert not any((tmp_path / state / "left").exists() for state in spool.STATES)


def test_one_process_serves_a_spool_and_others_are_told_who(tmp_path: Path) -> None:
    spool.prepare(tmp_path)
    assert spool.serves(tmp_path) is None
    with spool.serving(tmp_path, {"base": "one"}):
        assert spool.serves(tmp_path) == {"base": "one"}
        with (
            pytest.raises(BadUsage, match="served already, with one"),
            spool.serving(tmp_path, {"base": "two"}),
        ):
            raise AssertionError("two serve it")
    assert spool.serves(tmp_path) is None


def test_nobody_looks_into_a_spool_but_its_owner(tmp_path: Path) -> None:
    spool.prepare(tmp_path / "spool")
    assert {
        place.stat().st_mode & 0o777 for place in (tmp_path / "spool", *(tmp_path / "spool").iterdir())
    } == {0o700}


def _serve(folder: Path, base: str) -> int:
    return main(["serve-queue", "--spool", str(folder), "--base", base, "--device", "cpu"])


def test_where_nothing_keeps_tenants_apart_nobody_is_served_unless_asked_so(
    tmp_path: Path, base: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(confine, "landlock_version", lambda: 2)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert _serve(tmp_path / "spool", base) == 9
    said = capsys.readouterr().err
    assert "Linux 6.2" in said
    assert "--unconfined" in said


def test_a_spool_that_every_tenant_could_read_is_refused(
    base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    inside = Path(confine.__file__).parent / "spool"
    try:
        assert _serve(inside, base) == 2
    finally:
        for folder in (*inside.glob("*"), inside):
            folder.rmdir()
    assert "every tenant's process reads" in capsys.readouterr().err


def _readable(_: Any) -> set[str]:
    return {str(place) for place in confine.everybody_reads(confine.Limits([], []))}


def test_no_folder_of_people_or_secrets_is_read_by_everybody(tmp_path: Path) -> None:
    readable = _readable(tmp_path)
    assert not {"/", "/etc", "/home", "/root", "/run", "/tmp", "/var", "/var/run", str(Path.cwd())} & readable
