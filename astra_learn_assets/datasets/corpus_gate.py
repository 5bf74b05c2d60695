"""``corpus_gate``: may this exact file be trained on?

The verdict is on the bytes, not on what the builder says about them: everything is read and checked again
from ``corpus.data``, so a corpus that came from elsewhere, or was changed on the way, is judged alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from astra_learn_assets.contracts import Example, GateVerdict
from astra_learn_assets.datasets import jsonl, poisoning, quality, suspicion
from astra_learn_assets.datasets.corpus import Corpus
from astra_learn_assets.datasets.golden import UNCHANGED, GoldenSet, is_golden
from astra_learn_assets.datasets.leakage import GoldenIndex
from astra_learn_assets.datasets.replay import REPLAY
from astra_learn_assets.errors import AstraError

_SHARE_TOLERANCE = 0.02


def corpus_gate(
    corpus: Corpus,
    golden: GoldenSet,
    *,
    replay_share: float,
    minimum: int,
    golden_share: float | None = None,
    limits: poisoning.PoisoningLimits = poisoning.DEFAULT_LIMITS,
    contributors: Mapping[str, str] | None = None,
) -> GateVerdict:
    """Judge a corpus; passes only when every rule holds, and the reason lists all that do not.

    ``minimum``: tenant examples needed; ``replay_share`` of all lines, within 2 points (one line in small
    corpora); ``golden_share``: when given, documents are also tested against the golden hash split;
    ``contributors``: document -> author, as the corpus was built with. ``details`` holds the counts.
    The verdict is on ``corpus.dataset_hash``.
    """
    details: dict[str, float | int | str | bool | None] = {
        "golden_hash": golden.golden_hash,
        "golden_examples": len(golden.examples),
        "minimum": minimum,
        "replay_share_wanted": replay_share,
    }
    try:
        examples = jsonl.load(corpus.data)
        canonical = jsonl.dump(examples) == corpus.data
    except AstraError as error:
        return _verdict(corpus, [f"the file cannot be read: {error}"], details)
    own = [example for example in examples if example.meta.tenant_id == corpus.tenant_id]
    replay = [example for example in examples if example.meta.tenant_id == REPLAY]
    share = len(replay) / len(examples) if examples else 0.0
    details |= {
        "lines": len(examples),
        "tenant_examples": len(own),
        "replay_examples": len(replay),
        "replay_share": round(share, 4),
        "documents": len({example.meta.document_id for example in own}),
    }
    faults = []
    if jsonl.digest(corpus.data) != corpus.dataset_hash:
        faults.append("dataset_hash is not the SHA-256 of the file")
    if not canonical:
        faults.append("the file is not canonical JSONL")
    if len(own) + len(replay) != len(examples):
        faults.append(f"{len(examples) - len(own) - len(replay)} lines are of another municipality")
    if len(own) < minimum:
        faults.append(f"{len(own)} examples, at least {minimum} are needed")
    allowed = max(_SHARE_TOLERANCE, 1 / len(examples) if examples else 0.0)
    if abs(share - replay_share) > allowed:
        faults.append(f"replay is {share:.1%} of the corpus instead of {replay_share:.0%}")
    faults += _content_faults(examples, own, golden, golden_share, details)
    faults += _poisoning_faults(own, limits, contributors, details)
    return _verdict(corpus, faults, details)


def _content_faults(
    examples: list[Example],
    own: list[Example],
    golden: GoldenSet,
    golden_share: float | None,
    details: dict[str, float | int | str | bool | None],
) -> Iterator[str]:
    unseen = GoldenIndex(golden.examples)
    leaks = Counter(leak for example in examples if (leak := unseen.leak(example)))
    if golden_share is not None:
        leaks["golden_document"] += sum(
            is_golden(example.meta.document_id, golden_share)
            and example.meta.document_id not in golden.documents
            for example in own
        )
    details["golden_leaks"] = leaks.total()
    if leaks.total():
        counts = ", ".join(f"{reason} {count}" for reason, count in sorted(leaks.items()) if count)
        yield f"the golden set leaked into the corpus ({counts})"
    repeated = len(examples) - len({example.meta.example_id for example in examples})
    texts = len(own) - len({(example.input, example.output) for example in own})
    details["repeated"] = repeated + texts
    if repeated or texts:
        yield f"{repeated + texts} examples are repeated"
    unfit = Counter(
        reason
        for example in own
        if (reason := "unchanged" if example.meta.route == UNCHANGED else quality.assess(example))
    )
    details["unfit"] = unfit.total()
    if unfit:
        yield "unfit examples: " + ", ".join(f"{reason} {count}" for reason, count in sorted(unfit.items()))


def _poisoning_faults(
    own: list[Example],
    limits: poisoning.PoisoningLimits,
    contributors: Mapping[str, str] | None,
    details: dict[str, float | int | str | bool | None],
) -> Iterator[str]:
    screened = poisoning.screen(own, limits, contributors=contributors)
    trimmed = poisoning.trim_shares(own, limits, contributors=contributors)
    sizes = Counter(example.meta.document_id for example in own)
    details["suspected"] = len(screened.left_out)
    details["hostile_documents"] = len(screened.documents)
    details["largest_document_share"] = round(max(sizes.values(), default=0) / max(len(own), 1), 4)
    if screened.documents:
        yield f"{len(screened.documents)} documents look hostile ({', '.join(sorted(screened.documents))})"
    for reason, count in sorted(Counter(screened.left_out.values()).items()):
        if reason != "hostile_document":
            yield f"{reason} in {count} examples"
    never = Counter(filter(None, map(suspicion.never, own)))
    for reason, count in sorted(never.items()):
        yield f"{reason} in {count} examples"
    over = Counter(trimmed.left_out.values())
    for reason, giver in (("document_share", "document"), ("contributor_share", "editor")):
        if over[reason]:
            yield f"one {giver} gives too much of the corpus ({over[reason]} examples over its share)"


def _verdict(
    corpus: Corpus, faults: list[str], details: dict[str, float | int | str | bool | None]
) -> GateVerdict:
    return GateVerdict(
        gate="corpus_gate",
        tenant_id=corpus.tenant_id,
        digest=corpus.dataset_hash,
        passed=not faults,
        reason="; ".join(faults) if faults else "the corpus keeps all rules",
        details=details,
    )
