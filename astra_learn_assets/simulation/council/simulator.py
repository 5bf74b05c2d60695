"""A municipality from a seed, and any of its sessions by number, in any order.

    council = make_council("villaverde", seed=7)
    simulated = council.session(12)

Session 12 is the same bytes whether or not session 11 was asked for: each draws from its own
generator, seeded with the council and the number. Every eighth session or so is a second version
(V2) of the one before it; every tenth comes back from a careless or hostile editor.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from astra_learn_assets.contracts import EntityKind, Manifest
from astra_learn_assets.ids import TenantId
from astra_learn_assets.simulation.council import council_clerk, draft, hostile
from astra_learn_assets.simulation.council.errors_model import (
    EntityError,
    ErrorModel,
    draw_rates,
)
from astra_learn_assets.simulation.council.language import Councillor, Facts
from astra_learn_assets.simulation.council.minutes import Minutes, Sizes, retranscribe, write_minutes
from astra_learn_assets.simulation.council.mishearing import mishear, mishear_acronym
from astra_learn_assets.simulation.council.people import draw_person
from astra_learn_assets.simulation.council.towns import COUNTRIES, Town, draw_town
from astra_learn_assets.simulation.council.truth import Truth
from astra_learn_assets.simulation.council.writing import draw_style

Editor = Literal["clerk", "careless", "hostile"]
FIRST_DAY = date(2023, 1, 12)
CLONE_EVERY, CLONE_AT = 8, 5
HOSTILE_EVERY, HOSTILE_AT = 10, 7
_DEMO = {"villaverde": ("Villaverde", "es"), "rio-claro": ("Río Claro", "ec")}


@dataclass(frozen=True)
class SimulatedSession:
    """One session: the draft the Builder made, the final its editor sent back, and the truth.

    A session of version 2 has the ``session_id`` of the version 1 it was cloned from
    (``cloned_from``); that one is the council's session before it.
    """

    session_id: str
    version: int
    cloned_from: str | None
    document_id: str
    draft_docx: bytes
    manifest: Manifest
    final_docx: bytes
    editor: Editor
    truth: Truth


@dataclass(frozen=True)
class Council:
    """A municipality: who sits in it, what its town is called, and what its recognizer gets wrong."""

    tenant_id: TenantId
    display_name: str
    country: str
    seed: int
    facts: Facts
    errors: ErrorModel
    clerk_name: str
    sizes: Sizes
    link_at_end: bool
    raw_asr_text: bool

    @property
    def roster(self) -> tuple[str, ...]:
        """Full names of the mayor and the councillors."""
        return (
            self.facts.mayor.full_name,
            *(member.person.full_name for member in self.facts.councillors),
        )

    @property
    def blocklist_names(self) -> tuple[str, ...]:
        """Names no training data may hold: the roster."""
        return self.roster

    @property
    def proper_nouns(self) -> tuple[str, ...]:
        """Streets, quarters, institutions, acronyms and groups of the town, without article."""
        town = self.facts.town
        return (*town.streets, *town.quarters, *town.institutions, *town.bodies, *town.plans, *town.groups)

    @property
    def entity_errors(self) -> tuple[EntityError, ...]:
        """Proper nouns and how they are misheard."""
        return self.errors.entities

    def is_hostile(self, index: int) -> bool:
        """Whether session ``index`` comes back from a careless or hostile editor."""
        return index % HOSTILE_EVERY == HOSTILE_AT

    def is_clone(self, index: int) -> bool:
        """Whether session ``index`` is version 2 of session ``index - 1``."""
        return index % CLONE_EVERY == CLONE_AT and not self.is_hostile(index)

    def session_name(self, index: int) -> tuple[str, int]:
        """Session id and version of session ``index``; costs nothing."""
        ordinal = index - 1 if self.is_clone(index) else index
        return f"{_day(ordinal).isoformat()}-{ordinal:04d}", 1 + self.is_clone(index)

    def session(self, index: int, *, hostile_kind: str | None = None) -> SimulatedSession:
        """Session ``index`` (from 0); ``hostile_kind`` (of :data:`hostile.KINDS`) replaces its editor.

        Raises:
            ValueError: when ``index`` is negative or ``hostile_kind`` unknown.
        """
        if index < 0:
            raise ValueError(f"session {index}: sessions count from 0")
        if hostile_kind is not None and hostile_kind not in hostile.KINDS:
            raise ValueError(f"unknown kind {hostile_kind!r}: choose one of {', '.join(hostile.KINDS)}")
        session_id, version = self.session_name(index)
        document_id = self._document_id(session_id, version)
        minutes = self.minutes(index)
        built = draft.build_draft(
            minutes,
            draft.Origin(
                tenant_id=self.tenant_id,
                document_id=document_id,
                session_id=session_id,
                version=version,
                government=self.display_name,
                link_at_end=self.link_at_end,
                raw_asr_text=self.raw_asr_text,
            ),
            self._rng("draft", index),
        )
        if hostile_kind is None and self.is_hostile(index):
            kinds = self._rng("hostile kinds").sample(hostile.KINDS, len(hostile.KINDS))
            hostile_kind = kinds[index // HOSTILE_EVERY % len(kinds)]
        rng = self._rng("final", index)
        editor: Editor = "clerk"
        if hostile_kind is None:
            final, truth = council_clerk.correct(built, minutes, rng, clerk=self.clerk_name)
        else:
            editor = hostile.editor_of(hostile_kind)
            other = self.session(self._other(index)).final_docx if hostile_kind == "other_session" else b""
            final = hostile.spoil(hostile_kind, built, minutes, rng, roster=self.roster, other_final=other)
            truth = hostile.truth_of(hostile_kind, built, editor)
        cloned_from = session_id if version > 1 else None
        return SimulatedSession(
            session_id, version, cloned_from, document_id, built.docx, built.manifest, final, editor, truth
        )

    def minutes(self, index: int) -> Minutes:
        """What was said in session ``index`` and what was heard, before it becomes a document."""
        if self.is_clone(index):
            first = self.minutes(index - 1)
            return retranscribe(first, self.facts, self.errors, self._rng("minutes", index), self.sizes)
        return write_minutes(
            self.facts, self.errors, self._rng("minutes", index), _day(index), index + 1, self.sizes
        )

    def _other(self, index: int) -> int:
        """Some other session whose editor is the clerk."""
        return next(
            other
            for other in range(index + 2, index + 30)
            if not self.is_hostile(other) and not self.is_clone(other)
        )

    def _document_id(self, session_id: str, version: int) -> str:
        digest = hashlib.sha256(f"{self.tenant_id}/{session_id}/{version}".encode()).hexdigest()
        return f"acta-{digest[:24]}"

    def _rng(self, purpose: str, index: int | None = None) -> random.Random:
        return _generator(self.tenant_id, self.seed, purpose, index)


def make_council(
    tenant_id: TenantId,
    *,
    seed: int,
    country: str | None = None,
    display_name: str | None = None,
    sizes: Sizes | None = None,
) -> Council:
    """The council of ``tenant_id``: the same for the same arguments, another for another tenant or seed.

    ``country`` is one of es, ec, co, mx, pe, cl, ar; by default the demo tenants' own, else drawn.

    Raises:
        ValueError: when ``country`` is unknown.
    """
    rng = _generator(tenant_id, seed, "council", None)
    name, code = _DEMO.get(tenant_id, (tenant_id.replace("-", " ").title(), rng.choice(sorted(COUNTRIES))))
    code = country or code
    if code not in COUNTRIES:
        raise ValueError(f"unknown country {code!r}: choose one of {', '.join(sorted(COUNTRIES))}")
    facts = _draw_facts(rng, code, name)
    return Council(
        tenant_id=tenant_id,
        display_name=display_name or _display_name(COUNTRIES[code].government, name),
        country=code,
        seed=seed,
        facts=facts,
        errors=ErrorModel(
            key=f"{tenant_id}|{seed}",
            lisping=code == "es",
            rates=draw_rates(rng),
            entities=_draw_entities(rng, facts),
            style=draw_style(rng),
        ),
        clerk_name=draw_person(rng, code, avoid=facts.avoid_surnames).full_name,
        sizes=sizes or Sizes(),
        link_at_end=tenant_id == "villaverde" or (tenant_id not in _DEMO and rng.random() < 0.5),
        raw_asr_text=tenant_id not in _DEMO and rng.random() < 0.3,
    )


def _day(ordinal: int) -> date:
    return FIRST_DAY + timedelta(days=7 * ordinal)


def _generator(tenant_id: TenantId, seed: int, purpose: str, index: int | None) -> random.Random:
    # seeding with text goes through SHA-512 in the standard library: the same on every machine
    return random.Random(f"{tenant_id}|{seed}|{purpose}|{index}")


def _display_name(government: str, name: str) -> str:
    return f"{government} {'del' if government.startswith('GAD') else 'de'} {name}".replace("del ", "de ")


def _draw_facts(rng: random.Random, code: str, municipality: str) -> Facts:
    country = COUNTRIES[code]
    town = draw_town(rng, country)
    used = {*town.street_name_words, *town.society_name_words}
    people = []
    for _ in range(rng.randint(10, 15)):
        person = draw_person(rng, code, avoid=used)
        used |= {person.surname, person.second_surname}
        people.append(person)
    officers = tuple(
        rng.choice(pair)
        for pair in (
            ("el secretario general", "la secretaria general"),
            ("el interventor municipal", "la interventora municipal"),
            ("el tesorero", "la tesorera"),
            ("el arquitecto municipal", "la arquitecta municipal"),
        )
    )
    councillors = tuple(Councillor(person, town.groups[place % 4]) for place, person in enumerate(people[1:]))
    return Facts(country, town, municipality, people[0], councillors, officers, frozenset(used))


def _draw_entities(rng: random.Random, facts: Facts) -> tuple[EntityError, ...]:
    """4 councillors' surnames, 2 streets, 1 society and 2 acronyms, each with its own mishearing."""
    town: Town = facts.town
    surnames = [p for m in facts.councillors for p in (m.person.surname,) if len(p) >= 5]
    chosen = rng.sample(surnames, min(4, len(surnames)))
    taken = {*facts.avoid_surnames, *(w for m in facts.councillors for w in m.person.full_name.split())}
    misheard: list[tuple[str, EntityKind]] = [(name, "person") for name in chosen]
    misheard += [(name, "place") for name in rng.sample(town.street_name_words, 2)]
    misheard += [(name, "organization") for name in rng.sample(town.society_name_words, 1)]
    misheard += [(name, "acronym") for name in rng.sample([*town.bodies, *town.plans], 2)]
    found: list[EntityError] = []
    for right, kind in misheard:
        if kind == "acronym":
            wrong = mishear_acronym(right, rng, avoid={*taken, *town.bodies, *town.plans})
        else:
            wrong = mishear(right, rng, avoid=taken)
        taken.add(wrong)
        found.append(EntityError(right, wrong, kind))
    return tuple(found)
