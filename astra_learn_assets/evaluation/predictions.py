"""The file ``python -m trainer evaluate`` writes: one line per golden example, one answer per system.

Reading is strict about form (a broken line raises) and matching is honest about content: what is missing,
repeated or about another golden set is listed, and the gate holds on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from astra_learn_assets.contracts import Example
from astra_learn_assets.datasets import jsonl
from astra_learn_assets.errors import BadJsonl
from astra_learn_assets.spanish.text import normal_form

BASE = "base"
CANDIDATE = "candidate"
CHAMPION = "champion"
BEST = "best"
DRAFT = "draft"
DICTIONARY = "dictionary"


class Answer(BaseModel):
    """One system's text; ``nll`` is the summed negative log-likelihood of the reference's ``tokens``."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    text: str
    nll: float | None = None
    tokens: int | None = Field(None, ge=0)


class Prediction(BaseModel):
    """One line of the file. ``precision``: of the weights that answered (fp32, bf16, nf4)."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    example_id: str
    document_id: str
    input: str
    reference: str
    precision: str | None = None
    predictions: dict[str, Answer | None]


@dataclass(frozen=True)
class Matched:
    """Golden examples with every wanted system's answer, and what does not fit."""

    rows: tuple[Prediction, ...]
    problems: tuple[str, ...]


def load_predictions(data: bytes) -> list[Prediction]:
    """Read a predictions file.

    Raises:
        BadJsonl: naming the first line that is not a prediction.
    """
    rows = []
    for number, line in jsonl.numbered_lines(data):
        record = jsonl.load_object(number, line)
        try:
            rows.append(Prediction.model_validate(record))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            raise BadJsonl(number, f"not a prediction: {field}: {first['msg']}") from None
    return rows


def match(wanted: Sequence[Example], rows: Sequence[Prediction], systems: Sequence[str]) -> Matched:
    """Pair the rows with the ``wanted`` examples; those of the result are complete for all ``systems``."""
    problems = []
    expected = {example.meta.example_id: example for example in wanted}
    counts = Counter(row.example_id for row in rows)
    if repeated := [identity for identity, count in counts.items() if count > 1]:
        problems.append(f"{len(repeated)} examples are predicted twice (first: {min(repeated):.16})")
    if foreign := counts.keys() - expected.keys():
        problems.append(f"{len(foreign)} predictions are of another golden set (first: {min(foreign):.16})")
    if missing := expected.keys() - counts.keys():
        problems.append(f"{len(missing)} golden examples have no prediction (first: {min(missing):.16})")
    complete: dict[str, Prediction] = {}
    lacking: Counter[str] = Counter()
    changed = 0
    for row in rows:
        example = expected.get(row.example_id)
        if example is None:
            continue
        if (
            normal_form(row.reference) != normal_form(example.output)
            or normal_form(row.input) != normal_form(example.input)
            or row.document_id != example.meta.document_id
        ):
            changed += 1
            continue
        absent = [system for system in systems if row.predictions.get(system) is None]
        lacking.update(absent)
        if not absent:
            complete.setdefault(row.example_id, row)
    if changed:
        problems.append(f"{changed} predictions are of another text than the golden set's")
    problems += [f"{system} has no answer to {count} examples" for system, count in sorted(lacking.items())]
    ordered = tuple(complete[identity] for identity in expected if identity in complete)
    return Matched(rows=ordered, problems=tuple(problems))
