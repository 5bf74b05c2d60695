"""Layouts of lists and files: grants, licences, land, tenders, teachers, signatures, broken names."""

from .countries import lines, templates
from .draft import Draft


def _some(d: Draft, group: str, count: int) -> None:
    known = templates(group)
    for template in d.rng.sample(known, min(count, len(known))):
        d.say(template)


def commissions(d: Draft) -> None:
    """Who sits in which commission."""
    d.heading(
        d.rng.choice(("INTEGRACIÓN DE COMISIONES", "COMISIONES PERMANENTES", "DESIGNACIÓN DE DELEGADOS"))
    )
    _some(d, "commission", 5)
    for _ in range(3):
        d.say("{commission}:\nPresidente: <o1.full>\nVicepresidente: <o2.full>\nVocal: <o3.full>")


def appointments(d: Draft) -> None:
    """Oaths and appointments."""
    d.heading(d.rng.choice(("JURAMENTACIONES", "NOMBRAMIENTOS", "TOMA DE PROTESTA")))
    _some(d, "oath", 9)


def tenders(d: Draft) -> None:
    """Tenders, with those who represent the companies."""
    d.heading(d.rng.choice(("LICITACIONES", "APERTURA DE SOBRES", "CONTRATACIÓN")))
    _some(d, "tender", 9)


def tender_table(d: Draft) -> None:
    """A flattened table: bidder, representative, amount."""
    d.heading("OFERENTE    REPRESENTANTE LEGAL    MONTO")
    gap = d.rng.choice(("    ", "\t", " | "))
    form = d.rng.choice(("whole", "full_caps", "last_first"))
    for company in d.rng.sample(lines("companies"), 8):
        d.say(f"[[{company}]]{gap}<c1.{form}>{gap}{{amount}}")


def petitions(d: Draft) -> None:
    """Files opened by private citizens."""
    d.heading(
        d.rng.choice(
            ("SOLICITUDES VARIAS", "LICENCIAS URBANÍSTICAS", "Peticiones particulares", "MENSAJES RECIBIDOS")
        )
    )
    _some(d, "petition", 10)


def petition_rows(d: Draft) -> None:
    """Number, file, who asked, what for."""
    bar = d.rng.choice((" - ", "; ", "\t", " | "))
    form = d.rng.choice(("whole", "comma", "full_caps", "last_first", "comma_caps"))
    things = (
        "poda",
        "conexión de agua",
        "kiosco",
        "exención",
        "vado",
        "nicho",
        "taxi",
        "obra menor",
        "rebaja de tasa",
    )
    for number in range(1, d.rng.randint(10, 15)):
        d.say(bar.join((str(number), "{ref}", f"<c1.{form}>", d.rng.choice(things), "{street}")))


def beneficiaries(d: Draft) -> None:
    """Numbered beneficiaries, with identity numbers; families share surnames."""
    d.heading(
        d.rng.choice(("LISTA DE BENEFICIARIOS", "NÓMINA DE BECADOS", "ADJUDICATARIOS DE VIVIENDA", "PADRÓN"))
    )
    form = d.rng.choice(("whole", "last_first_caps", "comma", "full_caps", "last_first"))
    tail = d.rng.choice((", {id}", " {amount} {money}", " – {id} – {amount}", "", ", {age} años"))
    number = 0
    for who in d.people(d.rng.randint(8, 12)):
        number += 1
        d.say(f"{number}. <c1.{form}>{tail}", c1=who)
        if d.rng.random() < 0.25:
            number += 1
            d.say(f"{number}. <c1.{form}>{tail}", c1=d.sibling(who))


def beneficiaries_semicolons(d: Draft) -> None:
    """Beneficiaries in one run, parted by semicolons or commas."""
    form = d.rng.choice(("whole", "comma", "full_caps"))
    names = "; ".join(f"<c{number}.{form}>" for number in range(1, d.rng.randint(10, 16)))
    d.say(f"Se aprueba la ayuda a las siguientes personas: {names}.")
    d.say("Quedan en lista de espera <c1.full>, <c2.full> y la familia <c3.sur2>.")


def teachers(d: Draft) -> None:
    """Teachers and other staff."""
    d.heading(d.rng.choice(("PERSONAL DOCENTE", "MOVIMIENTO DE PERSONAL", "EDUCACIÓN")))
    _some(d, "teacher", 9)


def condolences(d: Draft) -> None:
    """Condolences."""
    d.heading(d.rng.choice(("VOTOS DE PESAR", "CONDOLENCIAS", "MINUTO DE SILENCIO")))
    _some(d, "condolence", 9)


def correspondence(d: Draft) -> None:
    """Letters received."""
    d.heading(d.rng.choice(("CORRESPONDENCIA RECIBIDA", "ASUNTOS ENTRADOS", "Notas particulares")))
    _some(d, "correspondence", 10)


def land(d: Draft) -> None:
    """Land, with the owners of the land around."""
    d.heading(d.rng.choice(("DOMINIOS PLENOS", "TÍTULOS DE PROPIEDAD", "DESLINDES")))
    _some(d, "land", 7)


def prizes(d: Draft) -> None:
    """Pupils, athletes, honours."""
    _some(d, "sport", 6)
    _some(d, "honour", 4)


def corrections(d: Draft) -> None:
    """Corrections of a name in earlier minutes, substitutes."""
    _some(d, "correction", 4)
    _some(d, "correction", 4)
    _some(d, "substitution", 4)


def sanctions(d: Draft) -> None:
    """Fines, debtors."""
    _some(d, "sanction", 5)
    form = d.rng.choice(("comma_caps", "last_first", "whole"))
    for _ in range(6):
        d.say(f"Boleta {{ref}} <c1.{form}> {{id}} {{amount}}")


def worn_scan(d: Draft) -> None:
    """As scanned: titles worn down, no accents."""
    for who in d.council:
        female = ("D~ ", "Da. ", "DONA ", "D.* ", "Sra, ", "D' ")
        title = d.rng.choice(female if who.female else ("D. ", "Dn. ", "Sr.. ", "S r. ", "D, "))
        form = d.rng.choice(("worn", "worn_caps"))
        d.say(f"{title}<o1.{form}>", o1=who)


def split_names(d: Draft) -> None:
    """Names broken by the end of a line or of a page."""
    d.say("Asisten los señores <o1.split>, <o2.split_indent>, <o3.split> y <o4.split_hyphen>.")
    for form in ("split", "split_indent", "split_hyphen", "split_last"):
        d.say(
            f"{{c1:El señor|La señora}} <c1.{form}> pide permiso; "
            "lo apoya {c2:el señor|la señora} <c2.split>."
        )
    d.say("Se nombra a <c1.split>, <c2.split_hyphen> y <c3.split> para el comité {of_place}.")


def signatures_office(d: Draft) -> None:
    """Name over office."""
    form = d.rng.choice(("full_caps", "whole", "capsur"))
    line = d.rng.choice(("", "______________________\n", "......................\n", "\n"))
    title = d.rng.choice(("", "{LABEL:title} "))
    for label, who, office in (
        ("m1", d.mayor, "{m1:mayor}"),
        ("k1", d.secretary, "{k1:secretary}"),
        *(("o1", member, "{o1:member}") for member in d.council),
    ):
        d.say(f"{line}{title.replace('LABEL', label)}<{label}.{form}>\n{office}", **{label: who})


def signatures_fdo(d: Draft) -> None:
    """``Fdo.:``, one or two in a line."""
    mark = d.rng.choice(("Fdo.: ", "Fdo. ", "Firmado: ", "(Fdo.) ", "Fdo.-"))
    people = d.council[: len(d.council) // 2 * 2]
    d.say(
        "V.º B.º {m1:EL ALCALDE|LA ALCALDESA}        {k1:EL SECRETARIO|LA SECRETARIA}\n"
        f"{mark}<m1.whole>        {mark}<k1.whole>",
        m1=d.mayor,
        k1=d.secretary,
    )
    for first, second in zip(people[::2], people[1::2], strict=True):
        d.say(f"{mark}<o1.whole>\t\t{mark}<o2.whole>", o1=first, o2=second)


def signatures_rubric(d: Draft) -> None:
    """Rubrics, and names in a run as copied into the book of minutes."""
    mark = d.rng.choice(("(f) ", "f) ", "F. ", "Rúbrica. ", "(rúbrica) ", "s/f "))
    for who in d.council:
        d.say(f"{mark}<o1.{d.rng.choice(('full', 'initial_sur', 'full_caps'))}>", o1=who)
    d.say("Hay firmas ilegibles y una que dice <c1.sur>. Es copia fiel: <s1.full>.")
    d.say("Aparecen las firmas de: <o1.full>. <o2.full>. <o3.full>. <o4.full>. Hay sellos.")


def signatures_digital(d: Draft) -> None:
    """Stamps of electronic signatures."""
    for who in [d.mayor, d.secretary, *d.council[:6]]:
        d.say(
            d.rng.choice(
                (
                    "Firmado digitalmente por: <o1.last_first_caps> {id} hard\n"
                    "Motivo: Soy el autor del documento\nFecha: {date} {hour}",
                    "Firmado electrónicamente por <o1.whole> el {date} a las {hour}",
                    "FIRMADO POR <o1.full_caps> - {id} ({date})",
                    "Validar en la sede. Firmante: <o1.comma>. Cargo: {o1:mayor}.",
                )
            ),
            o1=who,
        )


def page_feet(d: Draft) -> None:
    """Names in heads and feet of pages, between the prose."""
    who = d.secretary
    foot = d.rng.choice(
        (
            "Acta {n} – Pág. %d – Sec. <k1.initial_sur>",
            "Pág. %d. Transcribió: <k1.middle>",
            "%d/{n} <k1.full_caps>, {k1:secretary}",
        )
    )
    for page in range(1, 6):
        d.say(d.rng.choice(lines("prose")))
        d.say(foot % page, k1=who)
    _some(d, "note", 4)


def history(d: Draft) -> None:
    """A preamble without people."""
    d.heading(d.rng.choice(("RESEÑA HISTÓRICA", "EXPOSICIÓN DE MOTIVOS", "Antecedentes")))
    for template in d.rng.sample(lines("history"), 9):
        d.say(template)
