"""Layouts of attendance: rosters, tables, paragraphs, absences, votes."""

from collections.abc import Callable

from .countries import templates
from .draft import Draft
from .people import Person

PRESENT = ("Presente", "PRESENTE", "Sí", "A", "Presente", "✓", "Ausente", "Con licencia", "P")


def roster_numbered(d: Draft) -> None:
    """``11-APELLIDO, NOMBRE A.``, by blocs."""
    number = 0
    mark = d.rng.choice(("-", ".-", ") ", "- ", ".- ", ". "))
    form = d.rng.choice(("comma_initial", "comma_caps", "comma_mixed"))
    for chunk in _chunks(d.council, d.rng.randint(3, 6)):
        d.heading(f"BLOQUE {d.country.pick(d.rng, 'parties').upper()}")
        for who in chunk:
            number += 1
            d.say(f"{number}{mark}<o1.{form}>", o1=who)


def roster_capitals(d: Draft) -> None:
    """Surnames first in capitals, with leaders of dots and a state."""
    d.heading(d.rng.choice(("NÓMINA DE ASISTENCIA", "LISTA DE ASISTENCIA", "PASE DE LISTA")))
    form = d.rng.choice(("last_caps_first", "last_first_caps", "comma_mixed"))
    dots = d.rng.choice((" ................ ", "\t", "    ", " : ", " ______ "))
    for who in d.council:
        d.say(f"<o1.{form}>{dots}{d.rng.choice(PRESENT)}", o1=who)


def table_two_columns(d: Draft) -> None:
    """Two columns of names flattened into one line each."""
    d.heading(
        d.rng.choice(
            ("REGIDORES PROPIETARIOS        REGIDORES SUPLENTES", "TITULARES    SUPLENTES", "ASISTENTES")
        )
    )
    gap = d.rng.choice(("        ", "\t", "  ", " ", "   |   "))
    form = d.rng.choice(("whole", "full_caps", "comma", "last_caps_first"))
    for pair in _chunks(d.council + d.people(3, "o"), 2):
        template = gap.join(f"<o{i}.{form}>" for i in range(1, len(pair) + 1))
        d.say(template, **{f"o{i}": who for i, who in enumerate(pair, 1)})


def table_rows(d: Draft) -> None:
    """A table with cells parted by bars or tabulators: number, name, office, signature."""
    bar = d.rng.choice((" | ", "|", "\t", "; "))
    d.heading(bar.join(("N.º", "NOMBRE Y APELLIDOS", "CARGO", "FIRMA")))
    form = d.rng.choice(("whole", "last_first", "full_caps", "comma"))
    for number, who in enumerate([d.mayor, *d.council, d.secretary], 1):
        office = "mayor" if who is d.mayor else "secretary" if who is d.secretary else "member"
        d.say(bar.join((str(number), f"<o1.{form}>", f"{{o1:{office}}}", "")), o1=who)


def attendance_paragraph(d: Draft) -> None:
    """``Asisten: los concejales …`` in one paragraph."""
    intro = d.rng.choice(
        (
            "Asisten: los {members} ",
            "Con la asistencia de los señores {members} ",
            "Se encuentran presentes: ",
            "Miembros presentes: ",
            "ASISTEN LOS SIGUIENTES {members}: ",
            "Concurren los {members} que se expresan: ",
        )
    )
    hon = d.rng.choice(("{LABEL:hon} ", "", "{LABEL:title} ", "{LABEL:Sr.|Sra.} "))
    form = d.rng.choice(("full", "whole", "capsur", "full_caps", "comma"))
    joint = "; " if form == "comma" else d.rng.choice((", ", "; ", ", "))
    _enumerate(d, intro, joint, lambda label: f"{hon.replace('LABEL', label)}<{label}.{form}>")


def attendance_titled_lines(d: Draft) -> None:
    """One line a person, honorific before the name and office after a comma or a dash."""
    d.heading(
        d.rng.choice(
            ("SEÑORES ASISTENTES:", "ASISTENTES", "CON LA PRESENCIA DE:", "PRESIDENCIA Y CONCEJALES")
        )
    )
    joint = d.rng.choice((", ", " – ", " - ", ".- ", "\n"))
    caps = d.rng.choice(("full", "full_caps", "whole"))
    d.say(f"{{m1:hon}} <m1.{caps}>{joint}{{m1:mayor}}", m1=d.mayor)
    for position, who in enumerate(d.council):
        tail = f"{joint}{{o1:member}}" if position % 2 == 0 or joint == "\n" else "."
        d.say(f"{{o1:hon}} <o1.{caps}>{tail}", o1=who)
    d.say(f"{{k1:title}} <k1.{caps}>{joint}{{k1:secretary}}, que da fe", k1=d.secretary)


def attendance_by_bloc(d: Draft) -> None:
    """Surname, given name; of each party in a line."""
    for chunk in _chunks(d.council, d.rng.randint(2, 5)):
        template = "; ".join(f"<o{i}.comma>" for i in range(1, len(chunk) + 1))
        d.say(f"Por {{party}}: {template}.", **{f"o{i}": who for i, who in enumerate(chunk, 1)})


def attendance_districts(d: Draft) -> None:
    """Syndics and delegates by district, owners and substitutes."""
    d.heading(d.rng.choice(("SÍNDICOS Y SÍNDICAS", "DELEGADOS POR DISTRITO", "POR LA SINDICATURA")))
    for number, pair in enumerate(_chunks(d.people(d.rng.randint(8, 12), "o"), 2), 1):
        own, other = (pair * 2)[:2]
        if own is other:
            d.say(f"Distrito {number}: <o1.full>, {{o1:propietario|propietaria}}. Suplencia vacante.", o1=own)
        else:
            d.say(
                f"Distrito {number}: <o1.full>, {{o1:propietario|propietaria}}. <o2.full>, suplente.",
                o1=own,
                o2=other,
            )


def excused_absences(d: Draft) -> None:
    """Who is missing and why; who came late."""
    d.heading(d.rng.choice(("AUSENTES", "EXCUSAS", "Faltan con aviso", "INASISTENCIAS JUSTIFICADAS")))
    d.say(
        "Faltan con aviso los {members} {o1:Sr.|Sra.} <o1.full>, {o2:Sr.|Sra.} <o2.full> "
        "y {o3:Sr.|Sra.} <o3.full>."
    )
    d.say("AUSENTE: <o1.full_caps> (*)")
    for template in d.rng.sample(templates("excuse"), 4):
        d.say(template)
    d.say("(*) Se incorpora a las {hour} <o1.sur2>; (+) sustituye a <o2.sur2>.")


def votes_by_line(d: Draft) -> None:
    """Nominal vote, a line each."""
    d.heading(d.rng.choice(("VOTACIÓN NOMINAL", "RESULTADO DE LA VOTACIÓN", "SE VOTA")))
    form = d.rng.choice(("sur2", "sur_caps", "full", "full_caps", "initial_sur", "comma", "sur2_caps"))
    mark = d.rng.choice((": ", " — ", "\t", " ........ ", " - "))
    title = d.rng.choice(("", "{o1:member} ", "{o1:Sr.|Sra.} ", "{o1:title} "))
    for who in d.council:
        vote = d.rng.choice(
            ("a favor", "A FAVOR", "en contra", "sí", "abstención", "Apruebo", "por la afirmativa")
        )
        d.say(f"{title}<o1.{form}>{mark}{vote}", o1=who)
    d.say("Total: {n} votos a favor y {n} en contra.")


def votes_paragraph(d: Draft) -> None:
    """Nominal vote in running text, by surname."""
    half = max(2, len(d.council) // 2)
    form = d.rng.choice(("sur", "sur2", "short", "initial_sur"))
    hon = d.rng.choice(("", "{LABEL:Sr.|Sra.} ", "{LABEL:hon} "))

    def name(label: str) -> str:
        return f"{hon.replace('LABEL', label)}<{label}.{form}>"

    _enumerate(d, "Votan por la afirmativa los {members} ", ", ", name, d.council[:half])
    _enumerate(d, "Votos en contra: ", ", ", name, d.council[half:])
    d.say("Fundamentan el voto <o1.sur2> y <o2.sur2>. {o3:Ausente|Ausente} en la votación: <o3.full>.")


def roll_call(d: Draft) -> None:
    """The secretary calls; each answers."""
    d.heading("LLAMADO A LISTA")
    mark = d.rng.choice(
        (" –Presente.", " (presente)", "... Presente", " R/ Presente.", ", ¡presente!", " contestó a lista")
    )
    ask = d.rng.choice(
        (
            "¿{o1:Concejal|Concejala} <o1.full>?",
            "{o1:member} <o1.full>:",
            "<o1.comma_mixed>",
            "<o1.full_caps>",
        )
    )
    for who in d.council:
        d.say(ask + mark, o1=who)
    d.say(
        "{k1:El señor secretario|La señora secretaria} informa que hay quórum y que falta <o1.sur>.",
        k1=d.secretary,
    )


def _chunks(items: list[Person], size: int) -> list[list[Person]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _enumerate(
    d: Draft, intro: str, joint: str, name: Callable[[str], str], who: list[Person] | None = None
) -> None:
    people = d.council if who is None else who
    labels = [f"o{number}" for number in range(1, len(people) + 1)]
    names = [name(label) for label in labels]
    text = joint.join(names[:-1]) + " y " + names[-1] if len(names) > 1 else names[0]
    d.say(f"{intro}{text}.", **dict(zip(labels, people, strict=True)))
