"""The plan that a trial's figures lead to: it fits, it is the fastest, and it says what it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trainer.again import NOTHING, Again
from trainer.budget import GIB, Measured, Plan, Trial, best_plan, seconds_per_token

FIXED, EACH = 6 * GIB, 400_000  # bytes: whatever the pack, and of each of its tokens
UNIT, ATTENTION = 57_000, 20_000


def _measured(*, pack_seconds: float = 0.02, walked: bool = True) -> Measured:
    trials = [Trial(n, FIXED + EACH * n, pack_seconds + 7e-5 * n) for n in (8192, 4096)]
    return Measured(trials, 32, UNIT, ATTENTION, 0.0065, 0.0024, walked=walked)


def _bytes(plan: Plan) -> int:
    kept = (plan.layers - plan.again.units) * UNIT + (plan.layers - plan.again.attentions) * ATTENTION
    return FIXED + plan.pack_tokens * (EACH + kept)


@pytest.mark.parametrize("gib", [8, 10, 12, 15, 22, 40])
def test_the_plan_fits_and_one_more_unit_kept_would_not_be_faster_and_fit(gib: int) -> None:
    measured, sizes = _measured(), [8192, 4096, 2048, 1024]
    plan = best_plan(measured, limit=gib * GIB, sizes=sizes)
    assert plan is not None
    assert _bytes(plan) <= plan.expected + 1 <= gib * GIB + 1
    for size in sizes:
        for units in range(33):
            for attentions in range(33):
                other = replace(plan, pack_tokens=size, again=Again(True, units, attentions))
                if _bytes(other) <= gib * GIB:
                    # what is left of the room may hold one half of a layer that another filling would keep
                    assert seconds_per_token(measured, plan) <= seconds_per_token(measured, other) * 1.01


def test_more_memory_never_makes_it_slower() -> None:
    measured = _measured()
    plans = [best_plan(measured, limit=gib * GIB, sizes=[8192, 4096, 2048]) for gib in range(8, 60)]
    speeds = [seconds_per_token(measured, plan) for plan in plans if plan is not None]
    assert len(speeds) == 52
    assert speeds == sorted(speeds, reverse=True)


def test_where_each_pack_costs_much_packs_stay_large_and_where_nothing_they_shrink_to_keep_more() -> None:
    dear = best_plan(_measured(pack_seconds=0.5), limit=13 * GIB, sizes=[8192, 4096, 2048])
    cheap = best_plan(_measured(pack_seconds=0.0), limit=13 * GIB, sizes=[8192, 4096, 2048])
    assert dear is not None
    assert cheap is not None
    assert dear.pack_tokens == 8192
    assert cheap.pack_tokens == 2048
    assert cheap.again.units < dear.again.units


def test_no_pack_that_fits_is_no_plan() -> None:
    assert best_plan(_measured(), limit=6 * GIB, sizes=[8192, 4096, 2048]) is None


def test_a_plan_that_took_more_than_predicted_is_followed_by_one_that_takes_so_much_less() -> None:
    measured = _measured()
    first = best_plan(measured, limit=15 * GIB, sizes=[4096])
    second = best_plan(measured, limit=15 * GIB, sizes=[4096], error=GIB)
    assert first is not None
    assert second is not None
    assert _bytes(second) <= _bytes(first) - 0.7 * GIB


def test_a_model_that_is_not_walked_has_whole_layers_computed_again() -> None:
    plan = best_plan(_measured(walked=False), limit=12 * GIB, sizes=[4096])
    assert plan is not None
    assert (plan.again.cheap, plan.again.attentions) == (False, 0)
    assert 0 < plan.again.units < 32


def test_the_plan_is_a_sentence_with_its_numbers() -> None:
    plan = Plan(4096, Again(True, 19, 0), 32, int(14.2 * GIB), 15 * GIB)
    assert str(plan) == (
        "packs of 4,096 tokens, norms, 19 of 32 gated units and 0 attentions are computed again; "
        "expected peak 14.2 of 15.0 GiB"
    )
    assert str(Plan(8192)) == "packs of 8,192 tokens, nothing is computed again"
    assert "12 of 32 layers" in str(Plan(4096, Again(units=12), 32))
    assert Plan(8192).again == NOTHING
