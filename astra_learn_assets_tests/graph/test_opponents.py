"""Whom a candidate must not be worse than."""

from __future__ import annotations

from astra_learn_assets.learning.opponents import Served, choose


def served(name: str, over: str | None = None, points: float | None = None, base: float = -1.0) -> Served:
    """An adapter whose verdict measured ``points`` against ``over``, and ``base`` against the base model."""
    return Served(name, f"digest-{name}", f"digest-{over}" if over else None, points, base)


FIRST, SECOND, THIRD = served("a", base=-4.0), served("b", "a", -2.0), served("c", "b", 1.0)


def test_the_first_candidate_of_a_tenant_meets_no_adapter() -> None:
    assert choose([], "new") == (None, None)


def test_a_promoted_candidate_evaluated_again_meets_whom_it_met_the_first_time() -> None:
    after = [FIRST, SECOND, THIRD, served("new", "c", -0.1)]
    assert choose(after, "new") == choose([FIRST, SECOND, THIRD], "new") == ("c", "b")
    assert choose([served("new")], "new") == (None, None)


def test_the_best_is_found_along_the_chain_of_measured_differences() -> None:
    assert choose([FIRST, SECOND, THIRD], "new") == ("c", "b")  # -4, -6, -5
    better = served("d", "c", -3.0)
    assert choose([FIRST, SECOND, THIRD, better], "new") == ("d", None)  # -8: it is the champion
    worse = served("e", "d", 1.9)
    assert choose([FIRST, SECOND, THIRD, better, worse], "new") == ("e", "d")


def test_nine_small_losses_do_not_move_what_they_are_measured_from() -> None:
    chain = [FIRST, *(served(f"s{n}", f"s{n - 1}" if n else "a", 1.5) for n in range(9))]
    assert choose(chain, "new") == ("s8", "a")


def test_without_a_measured_champion_the_difference_to_the_base_counts() -> None:
    unknown = Served("x", "digest-x")
    assert choose([unknown, served("y", None, None, -3.0), served("z", None, None, -1.0)], "n") == (
        "z",
        "y",
    )
    assert choose([unknown, Served("w", "digest-w")], "n") == ("w", "x")


def test_one_adapter_is_never_both_champion_and_best() -> None:
    assert choose([FIRST], "new") == ("a", None)
    assert choose([FIRST, SECOND, FIRST], "new") == ("a", "b")


def test_while_the_base_model_serves_there_is_no_champion_and_still_a_best() -> None:
    assert choose([FIRST, SECOND], "new", in_service=False) == (None, "b")
