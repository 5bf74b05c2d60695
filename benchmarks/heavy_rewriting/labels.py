"""The labelled changes of ``name_changes.jsonl`` and when a dictionary entry counts as right."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks.heavy_rewriting.lexicon import terms

FILE = Path(__file__).parent / "name_changes.jsonl"
KINDS = ("PERSON", "PLACE", "ORG", "STREET", "OTHER")
_PARTICLES = frozenset(terms("particles.txt"))


@dataclass(frozen=True)
class Entity:
    """A name put right: the words to be replaced as a unit, by what, its kind, and other right answers."""

    wrong: str
    right: str
    kind: str
    accept: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class NameChange:
    """A sentence before and after a clerk's change, and what of it belongs in the dictionary of names."""

    id: str
    before: str
    after: str
    entities: tuple[Entity, ...]
    note: str

    @property
    def unsafe(self) -> bool:
        """The wrong words alone are ordinary ones: an entry must hold the word before them too."""
        return self.note.startswith("unsafe")


def load() -> list[NameChange]:
    """Every labelled change, in the order of the file."""
    changes = []
    for line in FILE.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        entities = tuple(
            Entity(
                e["wrong"],
                e["right"],
                e["kind"],
                tuple((wrong, right) for wrong, right in e.get("accept", ())),
            )
            for e in row["entities"]
        )
        changes.append(NameChange(row["id"], row["before"], row["after"], entities, row["note"]))
    return changes


def is_right(wrong: str, right: str, entity: Entity) -> bool:
    """Whether the entry is this entity's: as labelled, as accepted, or with more unchanged words of the name.

    The words more must stand on both sides alike and be capitalised or a particle:
    ("Nelsy Rojas", "Nelcy Rojas") is right where ("Nelsy", "Nelcy") is labelled, and with "pidió" it is not.
    """
    return any(_widens(wrong, right, *pair) for pair in ((entity.wrong, entity.right), *entity.accept))


def _widens(wrong: str, right: str, core_wrong: str, core_right: str) -> bool:
    for found in re.finditer(rf"(?<!\w){re.escape(core_wrong)}(?!\w)", wrong):
        head, tail = wrong[: found.start()], wrong[found.end() :]
        more = (head + tail).split()
        if right == head + core_right + tail and all(w[0].isupper() or w in _PARTICLES for w in more):
            return True
    return False


def check_labels() -> list[str]:
    """What is broken in the labels; empty when they are sound."""
    changes = load()
    problems = [f"{key}: twice" for key, n in Counter(change.id for change in changes).items() if n > 1]
    problems += [
        f"{text!r}: twice" for text, n in Counter(change.before for change in changes).items() if n > 1
    ]
    for change in changes:
        if change.before == change.after:
            problems.append(f"{change.id}: nothing changes")
        for entity in change.entities:
            problems += [f"{change.id}: {problem}" for problem in _broken(entity, change)]
    return problems


def _broken(entity: Entity, change: NameChange) -> list[str]:
    problems = [] if entity.kind in KINDS else [f"no such kind: {entity.kind}"]
    for wrong, right in ((entity.wrong, entity.right), *entity.accept):
        if wrong == right:
            problems.append(f"{wrong!r} stays as it is")
        if not re.search(rf"(?<!\w){re.escape(wrong)}(?!\w)", change.before):
            problems.append(f"{wrong!r} is no run of whole words of the sentence before")
        if not re.search(rf"(?<!\w){re.escape(right)}(?!\w)", change.after):
            problems.append(f"{right!r} is no run of whole words of the sentence after")
    return problems
