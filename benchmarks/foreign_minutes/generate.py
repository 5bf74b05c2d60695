"""Assembles minutes: opening, one layout that carries names, prose, a few names in passing, closing."""

import random
from collections.abc import Callable

from . import lists, rosters, voices
from .countries import Country, countries, lines, templates
from .draft import Draft
from .minutes import Minutes, share_without_people

LAYOUTS: dict[str, Callable[[Draft], None]] = {
    function.__name__: function
    for function in (
        rosters.roster_numbered,
        rosters.roster_capitals,
        rosters.table_two_columns,
        rosters.table_rows,
        rosters.attendance_paragraph,
        rosters.attendance_titled_lines,
        rosters.attendance_by_bloc,
        rosters.attendance_districts,
        rosters.excused_absences,
        rosters.votes_by_line,
        rosters.votes_paragraph,
        rosters.roll_call,
        voices.turns_capitals,
        voices.turns_party,
        voices.turns_member,
        voices.turns_line_alone,
        voices.turns_bare,
        voices.debate_reported,
        voices.citizens_floor,
        voices.citizens_lead,
        voices.hearing_chat,
        voices.bare_surnames,
        voices.lone_given,
        voices.nicknames,
        voices.common_words,
        voices.initials,
        voices.indigenous,
        voices.foreign,
        voices.peninsular,
        voices.particles,
        lists.commissions,
        lists.appointments,
        lists.tenders,
        lists.tender_table,
        lists.petitions,
        lists.petition_rows,
        lists.beneficiaries,
        lists.beneficiaries_semicolons,
        lists.teachers,
        lists.condolences,
        lists.correspondence,
        lists.land,
        lists.prizes,
        lists.corrections,
        lists.sanctions,
        lists.worn_scan,
        lists.split_names,
        lists.signatures_office,
        lists.signatures_fdo,
        lists.signatures_rubric,
        lists.signatures_digital,
        lists.page_feet,
        lists.history,
    )
}
AT_THE_END = frozenset(name for name in LAYOUTS if name.startswith("signatures"))
WITHOUT_PEOPLE = frozenset({"history"})
ONLY_IN = {"peninsular": ("es",), "worn_scan": ("es", "ar", "co", "ve", "cl")}
NAMING: tuple[str, ...] = (
    *("debate", "citizen", "petition", "tender", "oath", "condolence", "teacher", "correspondence", "given"),
    *("bare", "nickname", "initials", "note", "sanction", "sport", "substitution", "honour"),
)
SHARE_WITHOUT_PEOPLE = 0.62


def generate(seed: int, count: int) -> list[Minutes]:
    """``count`` pieces of minutes. Layouts take turns in an order that the seed gives, and so do countries.

    Raises ValueError for a negative count.
    """
    if count < 0:
        raise ValueError(f"count is {count}: give 0 or more")
    rng = random.Random(f"minutes {seed}")
    names, codes = list(LAYOUTS), sorted(countries())
    rng.shuffle(names)
    rng.shuffle(codes)
    made = []
    for number in range(count):
        layout = names[number % len(names)]
        turn = number + number // len(names) * 5
        allowed = [code for code in codes if code in ONLY_IN.get(layout, tuple(codes))]
        country = countries()[allowed[turn % len(allowed)]]
        made.append(_one(random.Random(f"minutes {seed} {number}"), country, layout))
    return made


def _one(rng: random.Random, country: Country, layout: str) -> Minutes:
    """A piece, with as much prose as the share of text without people asks for."""
    state = rng.getstate()
    for paragraphs in range(3, 60):
        rng.setstate(state)
        minutes = _written(rng, country, layout, paragraphs)
        if share_without_people(minutes) >= SHARE_WITHOUT_PEOPLE:
            return minutes
    raise ValueError(f"layout {layout} holds so many names that no amount of prose outweighs them")


def _written(rng: random.Random, country: Country, layout: str, paragraphs: int) -> Minutes:
    d = Draft(rng, country, layout)
    named = layout not in WITHOUT_PEOPLE
    width = rng.choice((72, 88, 100)) if layout == "split_names" or rng.random() < 0.2 else 0
    dashes = country.code in ("ar", "gt", "sv", "cr") and rng.random() < 0.3
    _opening(d, named)
    if layout not in AT_THE_END:
        LAYOUTS[layout](d)
    extra = rng.randint(1, 4) if named else 0
    spots = sorted(rng.sample(range(paragraphs), min(extra, paragraphs)))
    deck = list(lines("prose"))
    rng.shuffle(deck)
    for position in range(paragraphs):
        if rng.random() < 0.3:
            d.heading(rng.choice(lines("headings")))
        for _ in range(rng.randint(1, 4)):
            _prose(d, deck)
        if position in spots:
            d.say(rng.choice(templates(rng.choice(NAMING))), " ")
            _prose(d, deck)
        d.say("-" * rng.randint(6, 40) if dashes else "")
    d.say(rng.choice(lines("closings")))
    if layout in AT_THE_END:
        LAYOUTS[layout](d)
    return d.finish(width)


def _opening(d: Draft, named: bool) -> None:
    kind = d.rng.choice(
        ("ACTA DE LA SESIÓN ORDINARIA", "SESIÓN EXTRAORDINARIA", "ACTA N.º", "Acta", "SESIÓN PÚBLICA")
    )
    d.heading(f"{kind} – {d.council_name.upper()} DE {d.town.upper()}")
    own = [line for line in lines("openings") if line.startswith((f"{d.country.code}|", "*|"))]
    if not named:
        own = [line for line in own if "<" not in line]
    d.say(d.rng.choice(own).partition("|")[2], m1=d.mayor, k1=d.secretary)


def _prose(d: Draft, deck: list[str]) -> None:
    """The next sentence of the deck, its first word protected when it is longer than an article."""
    template = deck.pop() if deck else d.rng.choice(lines("prose"))
    first, gap, rest = template.partition(" ")
    if len(first) > 3 and first.isalpha():
        template = f"[[{first}]]{gap}{rest}"
    d.say(template, " ")
