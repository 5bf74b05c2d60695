"""A promotion that is killed at any step ends, after what always follows, where an undisturbed one ends.

The promoting process is another one and kills itself with SIGKILL, so nothing is cleaned up: no handler
runs, no transaction is rolled back by us, no connection is closed in order.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from astra_learn_assets.learning import announcing, lineage, promoter
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import promotions
from astra_learn_assets.store.tables import Adapter
from astra_learn_assets_tests.registry.conftest import TENANT
from astra_learn_assets_tests.registry.test_promoter import _announced, _current, _judge, _promoted, _publish
from astra_learn_assets_tests.serving.real_adapters import store_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # a process is started and killed at each step


# In the order in which they come; what is in parentheses is committed before the next begins.
STEPS: tuple[tuple[ModuleType, str], ...] = (
    (promoter, "_require_authority"),
    (promoter, "fetch_verified"),
    (lineage, "register"),
    (promotions, "add"),
    (promoter, "_follow"),
    (announcing, "announcement"),
    (announcing, "_record"),
    (lineage, "set_champion"),
)


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _promote(settings: Settings, adapter_id: str, place: str, name: str, after: bool) -> None:
    """In a process of its own, which dies as it begins the step or when it has just done it."""
    module = importlib.import_module(place)
    real: Callable[..., object] = getattr(module, name)

    def act(*given: Any, **named: Any) -> object:
        made = real(*given, **named)
        _die()
        return made

    setattr(module, name, act if after else _die)
    with Platform.open(settings) as opened:
        promoter.promote(opened, TENANT, adapter_id, promoted_by="killed")


def _killed(platform: Platform, adapter_id: str, place: ModuleType, name: str, *, after: bool) -> None:
    # not forked: the object store's threads would be missing in the child, which would wait for them for ever
    arguments = (platform.settings, adapter_id, place.__name__, name, after)
    child = multiprocessing.get_context("spawn").Process(target=_promote, args=arguments)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL, f"{name} was never reached"


def _shown(platform: Platform, cache: Path) -> dict[str, object]:
    """What everybody believes: table, flag, record in the store, MLflow, and a CORE that starts now."""
    core = store_of(platform, cache)
    said, recorded = _announced(platform), announcing.recorded(platform, TENANT)
    with platform.database.session() as session:
        rows = promotions.history(session, TENANT)
    return {
        "table": _current(platform),
        "flag": said.adapter_id if said else None,
        "record": recorded.adapter_id if recorded else None,
        "mlflow": lineage.champion(platform.settings, TENANT),
        "core": core.current(TENANT).adapter_id,
        "rows": [row.adapter_id for row in rows],
    }


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(len(STEPS)), ids=[name for _, name in STEPS])
def test_a_promotion_killed_at_any_step_is_whole_after_its_repetition(
    town: Platform, tmp_path: Path, step: int, after: bool
) -> None:
    old, new = _two(town, tmp_path)
    place, name = STEPS[step]
    _killed(town, new.adapter_id, place, name, after=after)
    # nobody repeats it: the sensor's tick leaves everybody with the same one, the old or the new
    announcing.republish(town)
    promoter.repair_aliases(town, {})
    alone = _shown(town, tmp_path / "core-1")
    assert len({alone[who] for who in ("table", "flag", "record", "mlflow", "core")}) == 1, alone
    assert alone["table"] in (old.adapter_id, new.adapter_id)
    # Dagster runs the step again
    promoter.promote(town, TENANT, new.adapter_id, promoted_by="again")
    ended = _shown(town, tmp_path / "core-2")
    everybody = dict.fromkeys(("table", "flag", "record", "mlflow", "core"), new.adapter_id)
    assert ended == {**everybody, "rows": [new.adapter_id, old.adapter_id]}


def _two(platform: Platform, tmp_path: Path) -> tuple[Adapter, Adapter]:
    old = _promoted(platform, tmp_path, 1)
    new = _publish(platform, tmp_path, 2)
    _judge(platform, new)
    return old, new
