"""Whom a candidate must not be worse than."""

from __future__ import annotations

from astra_learn_assets.learning.evaluate import opponents


def test_the_first_candidate_of_a_tenant_meets_the_base_model_alone() -> None:
    assert opponents([], "new") == (None, None)


def test_a_promoted_candidate_evaluated_again_meets_whom_it_met_the_first_time() -> None:
    assert opponents(["a", "b", "new"], "new") == opponents(["a", "b"], "new") == ("b", "a")
    assert opponents(["new"], "new") == (None, None)


def test_the_first_champion_stays_as_frozen_baseline() -> None:
    assert opponents(["a", "b", "c"], "new") == ("c", "a")


def test_one_adapter_is_never_both_champion_and_baseline() -> None:
    assert opponents(["a"], "new") == ("a", None)
    assert opponents(["a", "b", "a"], "new") == ("a", None)
