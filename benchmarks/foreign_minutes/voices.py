"""Layouts of speech: turns, citizens who take the floor, bare surnames, lone given names, nicknames."""

from .countries import lines, templates
from .draft import Draft


def _turns(d: Draft, head: str) -> None:
    """Turns of the members, some more than once, ``head`` before the speech."""
    speakers = d.rng.sample(d.council, min(len(d.council), 6))
    for speech in d.rng.sample(lines("turns"), d.rng.randint(9, 14)):
        d.say(head + speech, o1=d.rng.choice(speakers))


def turns_capitals(d: Draft) -> None:
    """``SR. PÉREZ: …``"""
    mark = d.rng.choice((": ", ".- ", " – ", ".— ", ": - "))
    _turns(
        d,
        d.rng.choice(
            ("{o1:SR.|SRA.} <o1.sur_caps>", "{o1:SEÑOR|SEÑORA} <o1.sur_caps>", "{o1:Sr.|Sra.} <o1.sur_caps>")
        )
        + mark,
    )


def turns_party(d: Draft) -> None:
    """``El Sr. Pérez (PSOE): …``"""
    head = d.rng.choice(
        (
            "{o1:El Sr.|La Sra.} <o1.sur> ({o1:party}): ",
            "{o1:Sr.|Sra.} <o1.sur2> ({o1:party}).- ",
            "<o1.short> ({o1:party}): ",
            "{o1:D.|Dª} <o1.short> [{o1:party}] dice: ",
        )
    )
    _turns(d, head)


def turns_member(d: Draft) -> None:
    """``CONCEJAL JUANA PÉREZ. –``"""
    head = d.rng.choice(
        (
            "{o1:CONCEJAL|CONCEJALA} <o1.caps_short>. – ",
            "{o1:Reg.|Reg.} <o1.full>: ",
            "EDIL <o1.caps_short> - ",
            "{o1:title} <o1.whole>: ",
            "Concejal <o1.sur>.— ",
            "{o1:HONORABLE CONCEJAL|HONORABLE CONCEJALA} <o1.full_caps>: ",
        )
    )
    _turns(d, head)


def turns_line_alone(d: Draft) -> None:
    """The name alone on its line, the speech on the next."""
    head = d.rng.choice(
        (
            "{o1:SR.|SRA.} <o1.sur_caps>\n",
            "<o1.caps_short>\n",
            "{o1:Sr.|Sra.} <o1.short>\n",
            "<o1.sur_caps>.-\n",
        )
    )
    d.say("{m1:SR. ALCALDE|SRA. ALCALDESA}\nComenzamos con la revisión del acta.", m1=d.mayor)
    _turns(d, head)


def turns_bare(d: Draft) -> None:
    """The surname alone before a colon or a dash, given name for some."""
    _turns(
        d,
        d.rng.choice(
            (
                "<o1.sur>: ",
                "<o1.sur>.- ",
                "–<o1.sur>: ",
                "<o1.given>: ",
                "<o1.initial_sur>: ",
                "- <o1.short>. ",
            )
        ),
    )


def debate_reported(d: Draft) -> None:
    """A debate told in the third person."""
    for template in d.rng.sample(templates("debate"), 9):
        d.say(template)


def citizens_floor(d: Draft) -> None:
    """Citizens announced as they take the floor."""
    d.heading(
        d.rng.choice(
            ("PARTICIPACIÓN CIUDADANA", "INTERVENCIONES DEL PÚBLICO", "ATENCIÓN AL PÚBLICO", "Audiencias")
        )
    )
    for template in d.rng.sample(templates("citizen"), 10):
        d.say(template)


def citizens_lead(d: Draft) -> None:
    """One lead for all: the citizen's name, then what was said."""
    lead = d.rng.choice(
        (
            "Intervino de la comunidad {c1:el señor|la señora} <c1.full>: ",
            "Hace uso de la palabra {c1:el vecino|la vecina} <c1.full>: ",
            "INTERVIENE LA COMUNIDAD. <c1.full_caps>: ",
            "Vecino/a: <c1.whole> ({id}). ",
            "{c1:Ciudadano|Ciudadana} <c1.full>. ",
            "<c1.given> (público): ",
            "Público — <c1.short>: ",
        )
    )
    d.heading(d.rng.choice(("CABILDO ABIERTO", "AUDIENCIA PÚBLICA", "INTERVENCIÓN DE LA COMUNIDAD")))
    for _ in range(d.rng.randint(8, 12)):
        d.say(lead + d.rng.choice(lines("turns")))


def hearing_chat(d: Draft) -> None:
    """The chat of a hearing on line: hour, name, message."""
    form = d.rng.choice(("short", "whole", "given", "initial_sur"))
    mark = d.rng.choice((": ", " >> ", " - ", "\n"))
    people = d.people(6)
    for number in range(d.rng.randint(9, 13)):
        d.say(
            f"[10:{number * 4 + 2:02d}] <c1.{form}>{mark}{d.rng.choice(lines('turns'))}",
            c1=d.rng.choice(people),
        )


def bare_surnames(d: Draft) -> None:
    """Titles and functions with nothing but a surname."""
    for template in d.rng.sample(templates("bare"), 8):
        d.say(template)
    for title in ("Ing.", "Lic.", "Arq.", "Prof.", "Cnel.", "Mons.", "Subof.", "Dr."):
        d.say(f"{title} <c1.sur>: informa por escrito.")


def lone_given(d: Draft) -> None:
    """Citizens of whom only the first name is said."""
    for template in templates("given"):
        d.say(template)
    d.say("Niños presentes: <c1.given>, <c2.given>, <d3.given>, <c4.given> y <c5.given>.")


def nicknames(d: Draft) -> None:
    """Nicknames, with a surname or without."""
    for template in templates("nickname"):
        d.say(template)
    for template in (
        "Equipo ganador: «<c1.nick>» <c1.sur>, «<c2.nick>» <c2.sur>, «<c3.nick>» <c3.sur>.",
        "<c1.full> ({c1:el|la} <c1.nick>) y <c2.given> «{c2:el|la} <c2.nick>» <c2.sur> limpiarán el canal.",
        "Fue {c1:el|la} <c1.nick> <c1.sur> quien abrió la compuerta, según <c2.given>, alias <c2.nick>.",
        "Testigo: <c1.comma>, (a) «{c1:El|La} <c1.nick>».",
    ):
        d.say(template)


def common_words(d: Draft) -> None:
    """Names that are common words, beside those words."""
    for template in templates("words"):
        d.say(template)
    for who in d.people(4, "w"):
        d.say("{w1:Sr.|Sra.} <w1.sur>: " + d.rng.choice(lines("turns")), w1=who)


def initials(d: Draft) -> None:
    """People kept to their initials."""
    for template in templates("initials"):
        d.say(template)
    for number in range(1, 7):
        d.say(f"Caso {number}. <c1.initials>, {{age}} años. Se concede. Tutela: <c2.initials_sp>")


def indigenous(d: Draft) -> None:
    """Given names and surnames of indigenous tongues."""
    for template in templates("indigenous"):
        d.say(template)
    for who in d.people(5, "i"):
        d.say("– {i1:Hermano|Hermana} <i1.full>, {place}.", i1=who)


def foreign(d: Draft) -> None:
    """Names from elsewhere."""
    for template in templates("foreign"):
        d.say(template)
    for who in d.people(4, "f"):
        d.say("<f1.comma>, {id}: permiso de residencia en trámite.", f1=who)


def peninsular(d: Draft) -> None:
    """Basque, Catalan and Galician names."""
    for template in templates("peninsular"):
        d.say(template)
    people = d.people(5, "v")
    for _ in range(8):
        d.say("{v1:Sr.|Sra.} <v1.sur>: " + d.rng.choice(lines("turns")), v1=d.rng.choice(people))


def particles(d: Draft) -> None:
    """Compound surnames and surnames with particles."""
    people = [d.person("c", "particle") for _ in range(7)]
    for who in people:
        d.say(
            d.rng.choice(
                (
                    "{c1:hon} <c1.full> pide prórroga.",
                    "<c1.comma>; {id}.",
                    "Lo avala <c1.sur>.",
                    "<c1.full_caps>",
                )
            ),
            c1=who,
        )
    for who in d.rng.sample(people, 4):
        d.say(
            d.rng.choice(
                (
                    "{c1:El señor|La señora} <c1.sur> está conforme.",
                    "Firma <c1.initial_sur>.",
                    "Conste: <c1.sur2>.",
                )
            ),
            c1=who,
        )
