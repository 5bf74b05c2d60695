"""Predictions of every system on one golden set; what was generated once is not generated again.

A model's answers depend on the model, the examples (prompt included) and the decoder, and on nothing else,
so each model's answers are a file of their own, named by these three. A candidate answers in the process that
trained it (:func:`keep_answers`); an evaluation asks the trainer for what is missing, which in the usual case
is nothing, and lays the files beside each other.

Two models are only comparable when they answered at the same precision: where the trainer now works at
another one than it did for a stored file (a card instead of a processor), all systems answer anew.

The dictionary's answers need no model: the known proper nouns are put right in the draft, as CORE does. CORE
does so whichever model serves, gives back the figures and placeholders that a model changed, and writes the
steady words of the adapter that answered: models are compared by what ``serving.answers`` makes of their
answers, each with its own. What is stored is what the model itself answered.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from astra_learn_assets.contracts import Example
from astra_learn_assets.datasets import jsonl, replay
from astra_learn_assets.datasets.golden import GoldenSet
from astra_learn_assets.datasets.steady import STEADY, Steady, read_steady
from astra_learn_assets.errors import AdapterRefused, BadJsonl, TrainingFailed
from astra_learn_assets.evaluation.predictions import (
    BASE,
    CANDIDATE,
    DICTIONARY,
    Answer,
    Prediction,
    load_predictions,
)
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning.training import process as trainer_process
from astra_learn_assets.learning.training.process import Runner
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry import keys, signature
from astra_learn_assets.serving.answers import as_served, corrected
from astra_learn_assets.store import paths
from astra_learn_assets.store.tables import Adapter

DECODER = 1
"""Grows when ``trainer/evaluate.py`` or what it calls answers differently."""


@dataclass(frozen=True)
class Wanted:
    """Who answers what. ``base``: name and revision; ``adapters``: by their name in the predictions."""

    tenant_id: TenantId
    base: str
    adapters: Mapping[str, Adapter]
    examples: Sequence[Example]
    replacements: Mapping[str, str]

    @property
    def examples_hash(self) -> str:
        """SHA-256 of what is answered."""
        return jsonl.digest(jsonl.dump(self.examples))

    def key(self, system: str) -> str:
        """Where that system's answers lie."""
        digest = self.adapters[system].digest if system in self.adapters else "none"
        return _key(self.tenant_id, self.base, digest, self.examples_hash)


def _key(tenant_id: TenantId, base: str, digest: str, examples_hash: str) -> str:
    content = " ".join([str(DECODER), base, digest, examples_hash])
    return paths.predictions(tenant_id, hashlib.sha256(content.encode()).hexdigest())


def asked(platform: Platform, tenant_id: TenantId, golden_hash: str) -> tuple[Example, ...]:
    """What every system of an evaluation answers: the municipality's golden set, then the general one."""
    golden = GoldenSet.read(platform.vault.read(tenant_id, paths.golden(tenant_id, golden_hash)))
    return (*golden.examples, *replay.generic_set().examples)


def keep_answers(
    platform: Platform, adapter: Adapter, *, base: str, examples: Sequence[Example], answers: bytes
) -> bool:
    """Store what an adapter answered where it was trained, for :func:`predict` to find.

    False, and nothing stored, where the file is not one answer of one system to each example: it is made
    anew then, as if the trainer had not judged. The file names no adapter; the caller knows which it is.
    """
    try:
        rows = load_predictions(answers)
    except BadJsonl:
        return False
    wanted = {(e.meta.example_id, e.input, e.output) for e in examples}
    given = [(row.example_id, row.input, row.reference) for row in rows]
    alone = all(list(row.predictions) == [CANDIDATE] and row.predictions[CANDIDATE] for row in rows)
    if not alone or len(given) != len(wanted) or set(given) != wanted:
        return False
    tenant_id = adapter.tenant_id
    key = _key(tenant_id, base, adapter.digest, jsonl.digest(jsonl.dump(examples)))
    platform.vault.write(tenant_id, key, _dump(rows), overwrite=True)
    return True


def predict(platform: Platform, wanted: Wanted, run: Runner) -> bytes:
    """The predictions file of all systems; the trainer is asked only for what is not stored.

    Raises:
        TrainingFailed: when the trainer ends with an error, or answers something else than was asked.
        AdapterRefused: when an adapter's files are not what was signed.
    """
    systems = [BASE, *wanted.adapters]
    stored = {system: _stored(platform, wanted, system) for system in systems}
    made = {system: rows for system, rows in stored.items() if rows is not None}
    missing = [system for system in systems if system not in made]
    if missing:
        fresh = _generate(platform, wanted, missing, run)
        if {row.precision for rows in made.values() for row in rows} - {row.precision for row in fresh}:
            missing, made = systems, {}
            fresh = _generate(platform, wanted, missing, run)
        for system in missing:
            made[system] = _only(fresh, system)
            platform.vault.write(wanted.tenant_id, wanted.key(system), _dump(made[system]), overwrite=True)
    steady = {system: _steady(platform, adapter) for system, adapter in wanted.adapters.items()}
    return _dump(_beside(wanted, made, steady))


def _steady(platform: Platform, adapter: Adapter) -> tuple[Steady, ...]:
    """The steady substitutions of a stored adapter, as they were signed; some have none."""
    signed = adapter.manifest["files"].get(STEADY)
    if signed is None:
        return ()
    data = platform.objects.get(f"{paths.adapter(adapter.adapter_id)}/{STEADY}")
    if hashlib.sha256(data).hexdigest() != signed:
        raise AdapterRefused(f"{adapter.adapter_id}: {STEADY} is not what was signed")
    return read_steady(data)


def _stored(platform: Platform, wanted: Wanted, system: str) -> list[Prediction] | None:
    """The answers of that model, whatever it was called when it gave them: champions were candidates."""
    key = wanted.key(system)
    if not platform.vault.exists(wanted.tenant_id, key):
        return None
    rows = load_predictions(platform.vault.read(wanted.tenant_id, key))
    if any(len(row.predictions) != 1 for row in rows):
        return None  # not written by us: answer anew
    return [
        row.model_copy(update={"predictions": {system: next(iter(row.predictions.values()))}}) for row in rows
    ]


def _generate(platform: Platform, wanted: Wanted, systems: Sequence[str], run: Runner) -> list[Prediction]:
    with tempfile.TemporaryDirectory(prefix="astra-evaluate-") as work:
        data, out = Path(work, "examples.jsonl"), Path(work, "predictions.jsonl")
        data.write_bytes(jsonl.dump(wanted.examples))
        verify_key = keys.verify_key(platform.settings)
        folders: dict[str, Path] = {}
        for name in systems:
            if name == BASE:
                continue
            folders[name] = Path(work, name)
            platform.objects.get_folder(paths.adapter(wanted.adapters[name].adapter_id), folders[name])
            signature.verify_folder(folders[name], verify_key, tenant_id=wanted.tenant_id)
        command = trainer_process.evaluate_command(
            platform.settings,
            tenant_id=wanted.tenant_id,
            data=data,
            out=out,
            adapters=folders,
            with_base=BASE in systems,
        )
        run(command)
        rows = load_predictions(out.read_bytes())
    for row in rows:
        if any(row.predictions.get(system) is None for system in systems):
            raise TrainingFailed(1, f"the trainer did not answer for all of {', '.join(systems)}")
    return rows


def _only(rows: Sequence[Prediction], system: str) -> list[Prediction]:
    return [row.model_copy(update={"predictions": {system: row.predictions[system]}}) for row in rows]


def _beside(
    wanted: Wanted, made: Mapping[str, Sequence[Prediction]], steady: Mapping[str, Sequence[Steady]]
) -> list[Prediction]:
    """One line an example with everybody's answer; what one system lacks stays away, and the gate says so."""
    by_example: dict[str, Prediction] = {}
    for rows in made.values():
        for row in rows:
            known = by_example.get(row.example_id, row.model_copy(update={"predictions": {}}))
            answers = {**known.predictions, **row.predictions}
            by_example[row.example_id] = known.model_copy(update={"predictions": answers})
    return [_as_served(row, wanted.replacements, steady) for row in by_example.values()]


def _as_served(
    row: Prediction, replacements: Mapping[str, str], steady: Mapping[str, Sequence[Steady]]
) -> Prediction:
    """Everybody's answer as CORE shows it, and the draft with the known names put right and nothing else."""
    answers: dict[str, Answer | None] = {
        system: answer
        and answer.model_copy(
            update={"text": as_served(row.input, answer.text, replacements, steady.get(system, ()))}
        )
        for system, answer in row.predictions.items()
    }
    answers[DICTIONARY] = Answer(text=corrected(row.input, replacements))
    return row.model_copy(update={"predictions": answers})


def _dump(rows: Sequence[Prediction]) -> bytes:
    lines = (json.dumps(row.model_dump(mode="json"), ensure_ascii=False, sort_keys=True) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()
