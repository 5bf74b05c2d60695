"""The comparison engine against what really happened in simulated sessions of several countries."""

from __future__ import annotations

import pytest

from astra_learn_assets.errors import UploadRefused
from astra_learn_assets.simulation.council import hostile
from astra_learn_assets_tests.council.scoring import Score, compare_session, council_of, session_of

COUNCILS = (("villaverde", 7), ("rio-claro", 7), ("tercer-pueblo", 11))


@pytest.fixture(scope="module")
def score() -> Score:
    total = Score()
    for tenant, seed in COUNCILS:
        for index in range(11):
            session = session_of(tenant, seed, index)
            if session.truth.expected_quarantine:
                continue
            delta = compare_session(session)
            assert delta.quarantined is None, (tenant, index, delta.quarantined)
            total.add(f"{tenant} {index}", session, delta)
    return total


def test_every_chunk_gets_its_operation_and_route(score: Score) -> None:
    assert score.counts["op wanted"] > 650
    assert score.recall("op") >= 0.99, score.disagreements


def test_every_corrected_pair_is_learned_and_nothing_else(score: Score) -> None:
    assert score.counts["pair wanted"] > 400
    assert score.recall("pair") >= 0.97, score.disagreements
    assert score.precision("pair") >= 0.97, score.disagreements


def test_every_name_fix_is_found_and_nothing_else(score: Score) -> None:
    assert score.counts["entity wanted"] > 60
    assert score.recall("entity") >= 0.95, score.disagreements
    assert score.precision("entity") >= 0.95, score.disagreements


def test_new_paragraphs_are_seen_as_new(score: Score) -> None:
    assert score.counts["inserted wanted"] > 10
    assert score.recall("inserted") >= 0.97, score.disagreements
    assert score.precision("inserted") >= 0.97, score.disagreements


@pytest.mark.parametrize("kind", hostile.KINDS)
def test_nothing_is_learned_from_careless_and_hostile_editors(kind: str) -> None:
    for (tenant, seed), index in zip(COUNCILS, (0, 9, 14), strict=True):
        session = council_of(tenant, seed).session(index, hostile_kind=kind)
        if session.truth.expected_refusal:
            with pytest.raises(UploadRefused):
                compare_session(session)
            continue
        delta = compare_session(session)
        assert delta.quarantined, (tenant, index, kind, len(delta.examples))
        assert not delta.examples
        assert not delta.entity_changes
