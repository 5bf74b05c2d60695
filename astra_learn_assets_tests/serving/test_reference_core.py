"""The reference CORE with the real base model: sessions keep their adapter, the next one has the new."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from astra_learn_assets.contracts import DictionaryEntry
from astra_learn_assets.datasets.steady import Steady
from astra_learn_assets.errors import AdapterRefused, BadInput
from astra_learn_assets.hotpath import intake
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import promoter
from astra_learn_assets.learning.training.train import base_folder, base_identity
from astra_learn_assets.platform import Platform
from astra_learn_assets.serving import acknowledgement
from astra_learn_assets.serving.served_adapter import ServedAdapter
from astra_learn_assets.settings import Settings
from astra_learn_assets.simulation.core.torch_engine import TorchEngine
from astra_learn_assets.store import dictionary, paths
from astra_learn_assets_tests.conftest import MakeTenant
from astra_learn_assets_tests.serving.real_adapters import core_of, dictionaries, promoted, published

TENANT = TenantId("villaverde")
TEXT = "se abre la secion a las nueve"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"mlflow_tracking_uri": None})


@pytest.fixture(scope="module")
def engine() -> TorchEngine:
    plain = Settings()
    folder = base_folder(plain)
    assert folder is not None
    return TorchEngine(folder, base_identity(plain), keep=2)


def test_a_running_session_keeps_its_adapter_and_the_next_one_has_what_was_promoted(
    platform: Platform, make_tenant: MakeTenant, engine: TorchEngine, tmp_path: Path
) -> None:
    make_tenant()
    core = core_of(platform, engine, tmp_path / "core")
    with core.session(TENANT) as session:
        without = session.correct(TEXT)
    assert without.adapter_id is None
    first, second = (published(platform, tmp_path, seed) for seed in (1, 2))
    promoted(platform, first)
    with core.session(TENANT) as running:
        before = running.correct(TEXT)
        promoted(platform, second)
        with core.session(TENANT) as fresh:
            new = fresh.correct(TEXT)
        after = running.correct(TEXT)
    assert (before.adapter_id, new.adapter_id) == (first.adapter_id, second.adapter_id)
    assert after == before
    assert len({without.text, before.text, new.text}) == 3
    promoter.rollback(platform, TENANT, by="ana")
    with core.session(TENANT) as session:
        assert session.correct(TEXT) == before
    promoter.rollback(platform, TENANT, by="ana", to="base")
    with core.session(TENANT) as session:
        assert session.correct(TEXT) == without


def test_every_core_says_what_it_has_loaded(
    platform: Platform, make_tenant: MakeTenant, engine: TorchEngine, tmp_path: Path
) -> None:
    make_tenant()
    row = published(platform, tmp_path, 3)
    promoted(platform, row)
    assert acknowledgement.heard(platform.redis, TENANT) == []
    with core_of(platform, engine, tmp_path / "core").session(TENANT):
        pass
    (said,) = acknowledgement.heard(platform.redis, TENANT)
    assert (said.core_id, said.adapter_id) == ("core-1", row.adapter_id)
    platform.redis.hset(acknowledgement.key(TENANT), "core-9", "nonsense")
    assert acknowledgement.heard(platform.redis, TENANT) == [said]
    with pytest.raises(BadInput, match="CORE id"):
        acknowledgement.say(platform.redis, TENANT, row.adapter_id, core_id="a b")


def test_what_is_announced_is_loaded_before_a_session_asks(
    platform: Platform, make_tenant: MakeTenant, engine: TorchEngine, tmp_path: Path
) -> None:
    make_tenant()
    row = published(platform, tmp_path, 4)
    with core_of(platform, engine, tmp_path / "core").watch():
        promoted(platform, row)
        heard = _wait_for_word(platform)
    assert heard == row.adapter_id


def _wait_for_word(platform: Platform) -> str | None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if heard := acknowledgement.heard(platform.redis, TENANT):
            return heard[0].adapter_id
        time.sleep(0.05)
    return None


def test_an_adapter_of_another_base_is_refused_before_it_is_loaded(
    platform: Platform, make_tenant: MakeTenant, engine: TorchEngine, tmp_path: Path
) -> None:
    make_tenant()
    promoted(platform, published(platform, tmp_path, 5))
    folder = base_folder(platform.settings)
    assert folder is not None
    other = TorchEngine.__new__(TorchEngine)
    other.__dict__.update({**engine.__dict__, "_identity": ("other", None)})
    with (
        pytest.raises(AdapterRefused, match="base model"),
        core_of(platform, other, tmp_path / "core").session(TENANT),
    ):
        pass


def test_an_adapter_that_had_to_make_room_is_loaded_again_for_its_session(
    platform: Platform, make_tenant: MakeTenant, engine: TorchEngine, tmp_path: Path
) -> None:
    make_tenant()
    rows = [published(platform, tmp_path, seed) for seed in (6, 7, 8)]
    promoted(platform, rows[0])
    core = core_of(platform, engine, tmp_path / "core")
    with core.session(TENANT) as longest:
        answered = longest.correct(TEXT)
        for row in rows[1:]:
            promoted(platform, row)
            with core.session(TENANT) as session:
                assert session.correct(TEXT).adapter_id == row.adapter_id
        assert longest.correct(TEXT) == answered


class _Careless:
    """An engine that answers quickly and gets every figure wrong."""

    def load(self, served: ServedAdapter) -> bool:
        return True

    def answer(self, served: ServedAdapter | None, text: str) -> str:
        return text.replace("12", "21")


def test_a_session_shows_what_the_gate_judges_and_a_name_from_the_next_paragraph_on(
    platform: Platform, make_tenant: MakeTenant, tmp_path: Path
) -> None:
    make_tenant()
    known = dictionaries(platform)
    core = core_of(platform, _Careless(), tmp_path / "core", known=known)
    entry = DictionaryEntry(
        wrong="Hortega",
        right="Ortega",
        kind="person",
        source_document="f1",
        author="ana",
        created_at=datetime.now(UTC),
    )
    said = "pide la palabra Hortega, que paga 12 euros"
    with known, core.session(TENANT) as session:
        assert session.correct(said).text == said
        with platform.database.session() as transaction:
            version = dictionary.apply(transaction, TENANT, [entry]).version
        intake.relay_now(platform)
        assert known.wait_for(TENANT, version, timeout=30)
        assert session.correct(said).text == said.replace("Hortega", "Ortega")


def test_a_session_writes_the_steady_words_of_its_own_adapter(
    platform: Platform, make_tenant: MakeTenant, tmp_path: Path
) -> None:
    make_tenant()
    core = core_of(platform, _Careless(), tmp_path / "core")
    said = "se vota también hoy"
    with core.session(TENANT) as session:
        assert session.correct(said).text == said
    steady = [Steady("también", "asimismo", 24, 27)]
    promoted(platform, published(platform, tmp_path, 5, steady=steady))
    with core.session(TENANT) as session:
        assert session.correct(said).text == "se vota asimismo hoy"


def test_no_request_fails_while_adapters_change(
    platform: Platform, make_tenant: MakeTenant, engine: TorchEngine, tmp_path: Path
) -> None:
    make_tenant()
    rows = [published(platform, tmp_path, seed) for seed in (9, 10, 11)]
    promoted(platform, rows[0])
    core = core_of(platform, engine, tmp_path / "core")
    ended, failures, answers = threading.Event(), [], []

    def ask() -> None:
        while not ended.is_set():
            try:
                with core.session(TENANT) as session:
                    answers.append(session.correct("uno").adapter_id)
            except Exception as error:  # noqa: BLE001 - every kind of failure is one too many
                failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for row in rows[1:]:
        while not answers or answers[-1] is None:
            time.sleep(0.01)
        promoted(platform, row)
        deadline = time.monotonic() + 120
        while row.adapter_id not in answers and time.monotonic() < deadline:
            time.sleep(0.01)
    ended.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {row.adapter_id for row in rows} == set(answers)
    assert platform.objects.exists(f"{paths.adapter(rows[0].adapter_id)}/manifest.json")
