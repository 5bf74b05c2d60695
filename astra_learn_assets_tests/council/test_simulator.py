"""Councils and sessions: the same from the same seed, and varied enough to learn from."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from itertools import combinations

import pytest

from astra_learn_assets.comparator.docx.reader import read_document
from astra_learn_assets.comparator.draft_manifest import parse_manifest
from astra_learn_assets.simulation.council import hostile
from astra_learn_assets.simulation.council.minutes import Sizes
from astra_learn_assets.simulation.council.simulator import Council, make_council
from astra_learn_assets.simulation.substitutions import Table
from astra_learn_assets_tests.council.scoring import session_of

_DIGESTS = """
import hashlib, sys
from astra_learn_assets.simulation.council.simulator import make_council
council = make_council("villaverde", seed=7)
for index in (9, 5, 7):
    session = council.session(index)
    parts = (session.draft_docx, session.final_docx, session.manifest.model_dump_json().encode(),
             repr(session.truth).encode())
    print(hashlib.sha256(b"|".join(parts)).hexdigest())
"""


@pytest.fixture(scope="module")
def council() -> Council:
    return make_council("villaverde", seed=7)


def word_errors(before: str, after: str) -> int:
    """Word Levenshtein distance."""
    left, right = before.split(), after.split()
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(right, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]


def test_a_session_is_the_same_bytes_in_another_process_and_order() -> None:
    outputs = []
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        run = subprocess.run(
            [sys.executable, "-c", _DIGESTS], env=environment, capture_output=True, text=True, check=True
        )
        outputs.append(run.stdout.split())
    assert outputs[0] == outputs[1]
    council = make_council("villaverde", seed=7)
    council.session(2)
    again, once_more = council.session(5), make_council("villaverde", seed=7).session(5)
    assert again == once_more


def test_another_tenant_or_seed_is_another_council(council: Council) -> None:
    assert make_council("villaverde", seed=8).roster != council.roster
    assert make_council("otro-pueblo", seed=7).roster != council.roster


def test_the_demo_councils_are_of_spain_and_ecuador(council: Council) -> None:
    other = make_council("rio-claro", seed=7)
    assert (council.country, council.display_name) == ("es", "Ayuntamiento de Villaverde")
    assert (other.country, other.display_name) == ("ec", "GAD Municipal de Río Claro")
    assert council.blocklist_names == council.roster


def test_a_council_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown country"):
        make_council("villaverde", seed=1, country="xx")
    with pytest.raises(ValueError, match="count from 0"):
        make_council("villaverde", seed=1).session(-1)


def test_no_two_councils_have_the_same_errors() -> None:
    councils = [make_council(f"pueblo-{number}", seed=number) for number in range(24)]
    assert len({council.errors.rates for council in councils}) == 24
    for left, right in combinations(councils, 2):
        assert set(left.errors.style.habits) != set(right.errors.style.habits)
        assert left.errors.confused != right.errors.confused


def test_a_misheard_name_stands_for_one_name_and_is_nobody_elses() -> None:
    for number in range(24):
        council = make_council(f"pueblo-{number}", seed=number)
        wrong = [error.wrong for error in council.entity_errors]
        known = {word for name in (*council.roster, *council.proper_nouns) for word in name.split()}
        assert len(set(wrong)) == len(wrong) >= 8
        assert not known & set(wrong)


def test_sessions_have_the_size_and_the_error_rate_that_was_asked_for() -> None:
    for tenant, seed in (("villaverde", 7), ("rio-claro", 7), ("tercer-pueblo", 11)):
        errors = total = 0
        for index in range(10):
            session = session_of(tenant, seed, index)
            blocks = [
                block
                for block in read_document(session.draft_docx).blocks
                if block.location.part == "body" and not block.location.cells
            ]
            assert 25 <= len(blocks) <= 75
            if session.truth.expected_quarantine:
                continue
            pairs = [pair for pair in session.truth.pairs if pair.route == 1]
            assert 8 <= len(pairs) <= 22
            errors += sum(word_errors(pair.before, pair.after) for pair in pairs)
            total += sum(len(pair.after.split()) for pair in pairs)
        assert 0.08 <= errors / total <= 0.14


def test_sizes_can_be_set() -> None:
    tiny = Sizes(learnable=(3, 3), right=(2, 2), names=(1, 1), pending=(1, 1))
    session = make_council("villaverde", seed=7, sizes=tiny).session(0)
    assert len(session.manifest.chunks) == 7


def test_sentences_of_later_sessions_are_new_and_most_of_their_errors_too(council: Council) -> None:
    """What a table of the early ones knows is a part of what comes later, or there is nothing to learn."""
    early = [session_of(council.tenant_id, 7, index).truth for index in range(5)]
    later = [session_of(council.tenant_id, 7, index).truth for index in range(8, 12)]
    first = [(pair.before, pair.after) for truth in early for pair in truth.pairs if pair.route == 1]
    unseen = [(pair.before, pair.after) for truth in later for pair in truth.pairs if pair.route == 1]
    known = {after for _, after in first}
    assert sum(after in known for _, after in unseen) <= 0.05 * len(unseen)
    table = Table(first)
    wrong = sum(word_errors(before, after) for before, after in unseen)
    left = sum(word_errors(table.apply(before), after) for before, after in unseen)
    assert 0.5 * wrong < left < wrong


def test_the_clerk_corrects_nearly_all_errors_and_makes_a_few(council: Council) -> None:
    wrong = Counter[str]()
    for index in range(6):
        if council.is_clone(index):
            continue
        truth = session_of(council.tenant_id, 7, index).truth
        said = {b.heard: b.clean for b in council.minutes(index).blocks if b.hearing == "learnable"}
        for chunk in truth.chunks:
            if chunk.op in ("equal", "modified") and chunk.before in said:
                wrong["heard"] += word_errors(chunk.before, said[chunk.before])
                wrong["left"] += word_errors(chunk.after or "", said[chunk.before])
    assert 0.01 * wrong["heard"] < wrong["left"] < 0.12 * wrong["heard"]


def test_a_real_share_of_paragraphs_needs_no_correction(council: Council) -> None:
    blocks = [b for index in range(4) for b in council.minutes(index).blocks if b.hearing is not None]
    share = sum(b.heard == b.clean for b in blocks) / len(blocks)
    assert 0.2 < share < 0.5


def test_a_second_version_has_its_own_draft_and_the_sessions_own_id(council: Council) -> None:
    clones = [index for index in range(40) if council.is_clone(index)]
    assert 4 <= len(clones) <= 6
    first, second = council.session(clones[0] - 1), council.session(clones[0])
    assert (first.version, first.cloned_from) == (1, None)
    assert (second.version, second.cloned_from) == (2, first.session_id)
    assert second.session_id == first.session_id
    assert second.document_id != first.document_id
    assert second.draft_docx != first.draft_docx
    assert not {c.chunk_id for c in first.manifest.chunks} & {c.chunk_id for c in second.manifest.chunks}
    shared = {c.before for c in first.truth.chunks} & {c.before for c in second.truth.chunks}
    assert shared, "a clone shares text with the version before it"


def test_every_tenth_session_comes_from_a_careless_or_hostile_editor(council: Council) -> None:
    bad = [index for index in range(80) if council.is_hostile(index)]
    assert len(bad) == 8
    sessions = [council.session(index) for index in bad]
    assert {session.truth.quarantine_kind for session in sessions} == set(hostile.KINDS)
    assert all(session.truth.expected_quarantine and session.editor != "clerk" for session in sessions)
    assert not any(council.session(index).truth.expected_quarantine for index in (0, 1, 2))


def test_the_kind_of_harm_can_be_chosen(council: Council) -> None:
    session = council.session(0, hostile_kind="rant")
    assert session.truth.quarantine_kind == "rant"
    assert session.draft_docx == council.session(0).draft_docx
    with pytest.raises(ValueError, match="unknown kind"):
        council.session(0, hostile_kind="kind")


def test_ids_of_sessions_are_known_without_making_them(council: Council) -> None:
    for index in (0, 4, 5, 7):
        session = council.session(index)
        assert council.session_name(index) == (session.session_id, session.version)


def test_the_manifest_is_one_our_reader_takes(council: Council) -> None:
    for index in range(3):
        session = council.session(index)
        manifest = parse_manifest(session.manifest.model_dump_json().encode())
        assert manifest == session.manifest
        assert {chunk.chunk_id for chunk in manifest.chunks} == {c.chunk_id for c in session.truth.chunks}
