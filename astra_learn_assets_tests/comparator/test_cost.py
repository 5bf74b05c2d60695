"""What a file costs grows with its size and no faster, whatever it is made of; or it is refused."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from astra_learn_assets.comparator.docx import reader
from astra_learn_assets.comparator.docx.reader import read_document
from astra_learn_assets.comparator.engine import compare
from astra_learn_assets.errors import UploadRefused
from astra_learn_assets_tests.comparator.attacks import ATTACKS, Files, mixture
from astra_learn_assets_tests.comparator.packages import p, package, t

GROWTH = 2.5  # for twice the size
SETTLED = 2_000  # steps that any comparison takes
TRIES = 8  # other work disturbs a measurement upwards only, so the best of some tries is near the truth


def cost(files: Files) -> float:
    """Processor seconds of a comparison that is not refused."""
    start = time.process_time()
    compare(*files, generated_id="g", final_id="f")
    return time.process_time() - start


def assert_linear(make: Callable[[int], Files], n: int) -> None:
    small, large = make(n), make(2 * n)
    try:
        cost(large)
    except UploadRefused:
        with pytest.raises(UploadRefused):  # refused at once, before it has cost
            cost(large)
        return
    best_small, best_large = cost(small), cost(large)
    for _ in range(TRIES):
        if best_large <= GROWTH * best_small + 0.02:
            return
        best_small, best_large = min(best_small, cost(small)), min(best_large, cost(large))
    assert best_large <= GROWTH * best_small + 0.02


def steps(files: Files) -> int | None:
    """Calls that a comparison makes, of Python and of C: the same on any machine, whatever else it does; None
    when the files are refused. What one call of C costs it does not say: the slow tests do."""
    reader._known_styles.clear()
    count = 0

    def see(_frame: FrameType, _event: str, _argument: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(see)
    try:
        compare(*files, generated_id="g", final_id="f")
    except UploadRefused:
        return None
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("kind", ATTACKS)
def test_twice_the_attack_takes_at_most_two_and_a_half_times_the_steps(kind: str) -> None:
    make, n = ATTACKS[kind]
    n //= 1_000 if kind == "nested_controls" else 40  # 20 controls around 280 ids are refused early
    small, large = make(n), make(2 * n)
    steps(large)  # words that are remembered are remembered for both
    before, after = steps(small), steps(large)
    assert before is not None
    assert after is None or after <= GROWTH * before + SETTLED


@pytest.mark.parametrize("seed", range(3))
def test_twice_any_mixture_of_attacks_takes_at_most_two_and_a_half_times_the_steps(seed: int) -> None:
    small, large = mixture(100, seed), mixture(200, seed)
    steps(large)
    before, after = steps(small), steps(large)
    assert before is not None
    assert after is None or after <= GROWTH * before + SETTLED


@pytest.mark.slow  # it reads the processor's clock: for a machine that does nothing else
@pytest.mark.parametrize("kind", ATTACKS)
def test_twice_the_attack_costs_at_most_two_and_a_half_times_as_much(kind: str) -> None:
    make, n = ATTACKS[kind]
    assert_linear(make, n // 8)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_twice_any_mixture_of_attacks_costs_at_most_two_and_a_half_times_as_much(seed: int) -> None:
    assert_linear(lambda n: mixture(n, seed), 1_200)


@pytest.mark.parametrize(
    "kind",
    [
        "unclosed_fields",
        "bookmarks_over_paragraphs",
        "styles_in_a_row",
        "nested_controls",
        "long_paragraph",
        "row_of_alike_cells",
        "alike_paragraphs",
    ],
)
def test_an_attack_of_full_size_ends_within_three_hundred_megabytes_or_is_refused(kind: str) -> None:
    command = [sys.executable, "-m", "astra_learn_assets_tests.comparator.attacks", kind]
    done = subprocess.run(
        [*command, str(2 * ATTACKS[kind][1])],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    result, _, megabytes = done.stdout.split()
    assert result in ("compared", "too_complex", "too_long", "suspicious")
    assert int(megabytes) < 300


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (p(t("palabra " * 25_001)), "too_long"),
        (p(t("palabra " * 20_000)) * 4, "too_long"),
        (p(t("palabra " * 300)) * 2_001, "too_long"),
        (p("a" * 10_001), "too_long"),
        (p("a") * 20_001, "too_complex"),
        (p() * 100_001, "too_complex"),
    ],
)
def test_beyond_any_minutes_the_clerk_reads_why_it_was_refused(body: str, reason: str) -> None:
    data = package(body)
    with pytest.raises(UploadRefused) as raised:
        compare(data, data, generated_id="g", final_id="f")
    assert raised.value.reason == reason
    assert "Div" in str(raised.value)  # what to do: divide it


def test_two_documents_that_share_nothing_are_refused_before_it_has_cost() -> None:
    own = ["".join(p(f"{side} {i}") for i in range(5_001)) for side in ("uno", "otro")]
    with pytest.raises(UploadRefused) as raised:
        compare(package(own[0]), package(own[1]), generated_id="g", final_id="f")
    assert raised.value.reason == "too_complex"
    shorter = package("".join(p(f"otro {i}") for i in range(100)))
    assert compare(package(own[0]), shorter, generated_id="g", final_id="f").examples == ()


def test_as_many_paragraphs_as_are_let_in_are_read() -> None:
    assert len(read_document(package(p("a") * 12_000)).blocks) == 12_000
    with pytest.raises(UploadRefused, match="complejo"):
        read_document(package(p("a") * 12_001))


def test_more_changes_than_can_be_looked_at_one_by_one_are_held_back_not_learned() -> None:
    files = ATTACKS["alike_paragraphs"][0](5_000)
    delta = compare(*files, generated_id="g", final_id="f")
    assert delta.quarantined is not None
    assert "demasiados cambios" in delta.quarantined
    assert delta.examples == ()
    assert delta.entity_changes == ()
