"""How a stage ended is counted, whatever it ends in; and counting never ends a stage."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.errors import GateRefused, Superseded
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import measured, swaps
from astra_learn_assets.learning.training import run as training_run
from astra_learn_assets.learning.training.run import Step
from astra_learn_assets.platform import Platform
from astra_learn_assets.serving import acknowledgement
from astra_learn_assets.settings import REPOSITORY
from astra_learn_assets.store import promotions, stage_figures
from astra_learn_assets.store.db import Database
from astra_learn_assets_tests.conftest import MakeTenant

TENANT = TenantId("villaverde")


def _counted(platform: Platform) -> dict[tuple[str, str], int]:
    with platform.database.session() as session:
        return {(one.stage, one.result): one.cumulative[-1] for one in stage_figures.tallies(session)}


def _verdict(passed: bool, **details: str) -> GateVerdict:
    return GateVerdict(
        gate="wer_gate", tenant_id=TENANT, digest="a" * 64, passed=passed, reason="x", details=details
    )


def test_every_end_of_a_step_is_counted_as_what_it_was(platform: Platform, make_tenant: MakeTenant) -> None:
    make_tenant()
    step = Step(TENANT, "run-1", None, None, frozenset())

    @training_run.stage("wer_gate", measured.of_verdict)
    def judge(platform: Platform, step: Step, found: GateVerdict | BaseException) -> GateVerdict:
        if isinstance(found, BaseException):
            raise found
        return found

    judge(platform, step, _verdict(True))
    judge(platform, step, _verdict(False, outcome="hold"))
    judge(platform, step, _verdict(False, outcome="reject"))
    for error in (GateRefused("x"), Superseded("x"), ValueError("x"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            judge(platform, step, error)
    assert _counted(platform) == {
        ("wer_gate", "passed"): 1, ("wer_gate", "held"): 1, ("wer_gate", "refused"): 2,
        ("wer_gate", "failed"): 2, ("wer_gate", "interrupted"): 1,
    }  # fmt: skip


def test_a_database_that_takes_no_figure_ends_no_stage(platform: Platform) -> None:
    url = platform.database.engine.url.set(port=1)
    platform.database = Database(url.render_as_string(hide_password=False))
    with measured.stage(platform, "lora_adapter") as seen:
        seen.result = "reused"
    with pytest.raises(ValueError, match="its own"), measured.stage(platform, "lora_adapter"):
        raise ValueError("its own")


def test_every_stage_of_the_list_is_counted_somewhere_and_no_other() -> None:
    named: set[str] = set()
    for path in (REPOSITORY / "astra_learn_assets" / "learning").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        named |= set(re.findall(r'(?:measured|training_run)\.stage\((?:platform, )?"(\w+)"', text))
        named |= set(re.findall(r'stage_figures\.note\(session, "(\w+)"', text))
    assert named == set(stage_figures.RESULTS)


def _served(platform: Platform, since: datetime) -> promotions.Served:
    adapter = promotions.Adapter(adapter_id=f"{TENANT}--{'a' * 16}", tenant_id=TENANT)
    return promotions.Served(TENANT, 7, since, adapter, erased=False)


def test_a_swap_is_counted_once_when_the_first_core_has_said_so(platform: Platform) -> None:
    now = datetime.now(UTC)
    served = [_served(platform, now - timedelta(seconds=20))]
    assert swaps.count(platform, served) == 0, "nobody has it yet"
    acknowledgement.say(platform.redis, TENANT, f"{TENANT}--{'b' * 16}", core_id="core-1")
    assert swaps.count(platform, served) == 0, "that is the one before"
    acknowledgement.say(platform.redis, TENANT, f"{TENANT}--{'a' * 16}", core_id="core-1")
    acknowledgement.say(platform.redis, TENANT, f"{TENANT}--{'a' * 16}", core_id="core-2")
    assert [swaps.count(platform, served) for _ in range(3)] == [1, 0, 0]
    with platform.database.session() as session:
        (tally,) = stage_figures.tallies(session)
    assert (tally.stage, tally.cumulative[-1]) == ("swap", 1)
    assert 19 < tally.seconds < 60


def test_a_promotion_that_nobody_loads_is_asked_about_for_a_day(platform: Platform) -> None:
    now = datetime.now(UTC)
    acknowledgement.say(platform.redis, TENANT, f"{TENANT}--{'a' * 16}", core_id="core-1")
    assert swaps.count(platform, [_served(platform, now - timedelta(days=2))], now) == 0
    assert swaps.count(platform, [promotions.Served(TENANT, None, None, None, erased=False)], now) == 0
    back = now + timedelta(minutes=5)  # CORE's clock is behind: it has loaded what was not promoted yet
    assert swaps.count(platform, [_served(platform, back)], back) == 0
