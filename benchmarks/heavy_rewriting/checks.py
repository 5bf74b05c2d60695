"""What must hold of every case, whatever the seed, and of every labelled change of a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from benchmarks.heavy_rewriting.model import KINDS, FinalParagraph, Rewriting


def check(case: Rewriting) -> list[str]:
    """What is broken in the case's truth, each with the case's id; empty when it is sound."""
    problems = [*_ids(case), *_order(case), *_splits(case)]
    texts = {paragraph.id: paragraph.text for paragraph in case.draft}
    for paragraph in case.final:
        problems += [f"{problem}: {paragraph.text[:60]!r}" for problem in _paragraph(paragraph, texts, case)]
    return [f"{case.id}: {problem}" for problem in problems]


def _ids(case: Rewriting) -> Iterator[str]:
    drafted = [paragraph.id for paragraph in case.draft]
    if len(set(drafted)) < len(drafted):
        yield "an id stands twice in the draft"
    sources = {source for paragraph in case.final for source in paragraph.sources}
    if unknown := (sources | case.deleted) - set(drafted):
        yield f"ids that the draft does not have: {sorted(unknown)}"
    if both := sources & case.deleted:
        yield f"both a source and deleted: {sorted(both)}"
    if lost := set(drafted) - sources - case.deleted:
        yield f"neither a source nor deleted: {sorted(lost)}"
    typed_over = Counter(paragraph.replaces for paragraph in case.final if paragraph.replaces)
    if twice := [draft_id for draft_id, times in typed_over.items() if times > 1]:
        yield f"typed over twice: {twice}"
    whole = Counter(s for paragraph in case.final if paragraph.kind != "split" for s in paragraph.sources)
    if twice := [draft_id for draft_id, times in whole.items() if times > 1]:
        yield f"a source twice without a split: {twice}"
    for group in case.twins:
        if len(group) < 2 or not set(group) <= set(drafted):
            yield f"no group of twins: {group}"


def _order(case: Rewriting) -> Iterator[str]:
    staying = [paragraph.sources[0] for paragraph in case.final if paragraph.sources and not paragraph.moved]
    if staying != sorted(staying):
        yield "paragraphs that are not moved stand in another order than in the draft"


def _splits(case: Rewriting) -> Iterator[str]:
    at: dict[str, list[int]] = {}
    for position, paragraph in enumerate(case.final):
        if paragraph.kind == "split":
            at.setdefault(paragraph.sources[0], []).append(position)
    for source, positions in at.items():
        if len(positions) < 2 or positions != list(range(positions[0], positions[0] + len(positions))):
            yield f"the pieces of {source} are not two or more that stand together"


def _paragraph(paragraph: FinalParagraph, texts: dict[str, str], case: Rewriting) -> Iterator[str]:
    kind, sources = paragraph.kind, paragraph.sources
    if kind not in KINDS:
        yield f"no such kind: {kind}"
    if not paragraph.text.strip() or "\n" in paragraph.text:
        yield "no text, or more than a line"
    wanted = {"inserted": 0, "replaced": 0}.get(kind, 1)
    if (kind == "merged" and len(sources) < 2) or (kind != "merged" and len(sources) != wanted):
        yield f"{kind} with {len(sources)} sources"
    if list(sources) != sorted(set(sources)):
        yield "sources that are not in the draft's order"
    before = " ".join(texts.get(source, "") for source in sources)
    if kind == "equal" and paragraph.text != before:
        yield "equal, with another text"
    if kind in ("corrected", "rewritten") and paragraph.text == before:
        yield f"{kind}, with the same text"
    if kind in ("inserted", "replaced") and paragraph.text in texts.values():
        yield f"{kind}, with a text of the draft"
    if (kind == "replaced") != (paragraph.replaces is not None):
        yield "typed over nothing, or not said to be typed over"
    if paragraph.replaces is not None and paragraph.replaces not in case.deleted:
        yield "typed over a paragraph that is not deleted"
    if kind == "inserted" and paragraph.kept_id:
        yield "new, with a hidden id"
    if paragraph.teaches and (paragraph.content_change or kind in ("equal", "inserted", "replaced")):
        yield "teaches what was not said"
    if paragraph.moved and not sources:
        yield "moved from nowhere"
