"""Proper nouns put right are told from spelling, grammar, numbers and content."""

from __future__ import annotations

import re
from dataclasses import astuple, dataclass
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from astra_learn_assets.comparator.names.breadth import too_broad
from astra_learn_assets.comparator.names.entities import Spellings, judge
from astra_learn_assets.comparator.names.given_names import KnownPeople
from astra_learn_assets.contracts import EntityChange
from astra_learn_assets.spanish import lexicon

CHANGE = re.compile(r"\[([^\[\]>]*)>([^\[\]]*)\]|\{([^{}>]*)>([^{}]*)\}")
DATA = Path(__file__).parent / "data"


def lines_of(*names: str) -> list[str]:
    """The labelled sentences of some sets."""
    return [
        line
        for name in names
        for line in (DATA / name).read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]


OWN = lines_of("entity_changes.txt")
HELD_OUT = lines_of(*(f"entity_changes_held_out_{n}.txt" for n in range(1, 8)))


@dataclass(frozen=True)
class Labelled:
    before: str
    after: str
    entities: tuple[tuple[str, str], ...]
    changes: int


def labelled(line: str) -> Labelled:
    found = list(CHANGE.finditer(line))
    before = CHANGE.sub(lambda m: m[1] if m[1] is not None else m[3], line)
    after = CHANGE.sub(lambda m: m[2] if m[2] is not None else m[4], line)
    entities = tuple((m[1], m[2]) for m in found if m[1] is not None)
    return Labelled(" ".join(before.split()), " ".join(after.split()), entities, len(found))


Words = tuple[str, ...]


def core(wrong: str, right: str) -> tuple[Words, Words]:
    """The words of a change without unchanged ones at its ends."""
    old, new = wrong.casefold().split(), right.casefold().split()
    if old == new:  # only capitals differ
        old, new = wrong.split(), right.split()
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return tuple(w.casefold() for w in old), tuple(w.casefold() for w in new)


def pieces(wrong: str, right: str) -> set[tuple[Words, Words]]:
    """A change split at its unchanged words: "Jhon Jairo Peres" may be put right in two entries."""
    old, new = wrong.casefold().split(), right.casefold().split()
    if old == new:
        old, new = wrong.split(), right.split()
    return {
        (tuple(w.casefold() for w in old[a:b]), tuple(w.casefold() for w in new[c:d]))
        for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if tag != "equal"
    }


@pytest.mark.parametrize(("lines", "least"), [(OWN, 600), (HELD_OUT, 1000)], ids=["own", "held-out"])
def test_precision_and_recall_on_hand_labelled_changes(lines: list[str], least: int) -> None:
    total = true = found = hits = false = 0
    problems: list[str] = []
    for line in lines:
        case = labelled(line)
        total += case.changes
        true += len(case.entities)
        changes = judge(case.before, case.after).changes
        found += len(changes)
        labels = {core(*entity) for entity in case.entities}
        label_pieces = {piece for entity in case.entities for piece in pieces(*entity)}
        said = {core(c.wrong, c.right) for c in changes}
        said_pieces = said | {piece for c in changes for piece in pieces(c.wrong, c.right)}
        missed = [e for e in case.entities if core(*e) not in said and not pieces(*e) <= said_pieces]
        wrong = [
            c
            for c in changes
            if core(c.wrong, c.right) not in labels and not pieces(c.wrong, c.right) <= label_pieces
        ]
        hits += len(case.entities) - len(missed)
        false += len(wrong)
        problems += [f"missed {e} in: {line}" for e in missed]
        problems += [f"false {c.wrong} > {c.right} in: {line}" for c in wrong]
    report = "\n".join(problems)
    assert total >= least, total
    assert hits / true >= 0.95, f"recall {hits / true:.3f} of {true}\n{report}"
    assert 1 - false / found >= 0.97, f"precision {1 - false / found:.3f} of {found}\n{report}"


Entry = tuple[str, str]


def wider(entry: Entry, label: Entry) -> bool:
    """The labelled entry, or the same with more words of the name, or particles, around it on both sides."""
    for found in re.finditer(rf"(?<!\w){re.escape(label[0])}(?!\w)", entry[0]):
        head, tail = entry[0][: found.start()], entry[0][found.end() :]
        more = (head + tail).split()
        if entry[1] == head + label[1] + tail and all(
            word[0].isupper() or word in lexicon.CONNECTORS for word in more
        ):
            return True
    return False


@pytest.mark.parametrize(("name", "least"), [("name_entries.txt", 350), ("name_entries_clerk.txt", 40)])
def test_the_entries_of_the_dictionary_are_the_ones_a_careful_person_would_make(
    name: str, least: int
) -> None:
    true = found = hits = right = 0
    problems: list[str] = []
    for line in lines_of(name):
        before, after, *rest = line.split(" | ")
        choices = [
            [tuple(pair.split(">")) for pair in choice.split(", ")]
            for choice in "".join(rest).rstrip(" |").split("; ")
            if ">" in choice
        ] or [[]]
        said = [(c.wrong, c.right) for c in judge(before, after.rstrip(" |")).changes]
        best = max(
            (
                (
                    sum(any(wider(entry, (w, r)) for w, r in labels) for entry in said),
                    sum(any(wider(entry, (w, r)) for entry in said) for w, r in labels),
                    len(labels),
                )
                for labels in choices
            ),
            key=lambda score: score[0] + score[1] - score[2],
        )
        right, hits, true, found = right + best[0], hits + best[1], true + best[2], found + len(said)
        if best[1] < best[2] or best[0] < len(said):
            problems.append(f"{said} of: {line}")
    report = "\n".join(problems)
    assert true > least
    assert hits / true >= 0.93, f"recall {hits / true:.3f}\n{report}"
    assert right / found >= 0.95, f"precision {right / found:.3f}\n{report}"


def test_what_is_shown_is_what_the_dictionary_takes() -> None:
    for name in ("name_entries.txt", "entity_changes.txt"):
        for line in lines_of(name)[:120]:
            before, after = (line.split(" | ") if " | " in line else [*astuple(labelled(line))])[:2]
            for change in judge(before, after).changes:
                assert too_broad(change) is None
                assert change.wrong != change.right


def test_a_name_that_is_refused_by_the_dictionary_is_a_correction_of_its_sentence() -> None:
    judgement = judge("El portavoz Aznar, de vox, critica.", "El portavoz Aznar, de Vox, critica.")
    assert judgement.changes == ()
    assert judgement.too_broad == ("lower_case",)
    assert not judgement.only_entities


def one(before: str, after: str, **options: object) -> EntityChange:
    changes = judge(before, after, **options).changes  # type: ignore[arg-type]
    assert len(changes) == 1
    return changes[0]


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("el señor Jhon vota", "el señor John vota", "person"),
        ("en la calle Bolibar", "en la calle Bolívar", "place"),
        ("en la calle Doctor Olasabal", "en la calle Doctor Olazábal", "place"),
        ("fondos de la FENP", "fondos de la FEMP", "acronym"),
        ("viaje a la sede en Bruxelas ayer", "viaje a la sede en Bruselas ayer", "place"),
        ("la fundación Nabarro ayuda", "la fundación Navarro ayuda", "organization"),
    ],
)
def test_the_kind_follows_from_the_place(before: str, after: str, kind: str) -> None:
    assert one(before, after).kind == kind


def test_neighbouring_words_of_one_name_are_one_change() -> None:
    change = one("Habla Jhon Peres hoy.", "Habla John Pérez hoy.")
    assert (change.wrong, change.right) == ("Jhon Peres", "John Pérez")


def test_an_ordinary_word_is_never_an_entry_by_itself() -> None:
    change = one("se paga el iba del 21 por ciento", "se paga el IVA del 21 por ciento")
    assert (change.wrong, change.right) == ("el iba", "el IVA")
    change = one("Vive en el barrio flores desde hace años.", "Vive en el barrio Flores desde hace años.")
    assert (change.wrong, change.right) == ("barrio flores", "barrio Flores")


def test_only_entities_is_said_of_texts_that_differ_in_nothing_else() -> None:
    assert judge("El señor Jhon vota.", "El señor John vota.").only_entities
    assert not judge("El señor Jhon bota.", "El señor John vota.").only_entities
    assert not judge("El señor Jhon vota", "El señor John vota.").only_entities
    assert not judge("Igual.", "Igual.").only_entities


def test_the_tenants_dictionary_decides() -> None:
    before, after = "intervino perico ayer", "intervino Perico ayer"
    assert one(before, after, spellings=Spellings.of({"perico": "Perico"})).confidence == 1.0


def test_a_model_may_add_its_opinion() -> None:
    before, after = "Baldomar crece deprisa.", "Valdomar crece deprisa."
    seen: list[str] = []

    def recognize(text: str) -> list[tuple[int, int]]:
        seen.append(text)
        return [(0, 8)]

    assert one(before, after, recognize=recognize).right == "Valdomar"
    assert seen == [after]


def test_headings_in_capitals_are_written_like_names() -> None:
    assert one("DON JHON PÉREZ RUIZ", "DON JOHN PÉREZ RUIZ").right == "John"


def test_another_person_is_content() -> None:
    assert judge("Habla Juan Pérez hoy.", "Habla María Gómez hoy.").changes == ()


TWO_PEOPLE = [
    ("Amalia", "Amelia"),
    ("Octavia", "Octavio"),
    ("Martina", "Martín"),
    ("Mario", "Marino"),
    ("Marta", "María"),
    ("Alejandra", "Alexandra"),
    ("Zulema", "Zulma"),
]


@pytest.mark.parametrize(("wrong", "right"), TWO_PEOPLE)
@pytest.mark.parametrize(
    "text",
    [
        "La concejala {} Ruiz vota a favor.",
        "Interviene doña {} en nombre del grupo.",
        "HABLA DOÑA {} RUIZ PÉREZ",
    ],
)
def test_two_given_names_that_exist_are_two_people_however_alike(text: str, wrong: str, right: str) -> None:
    if text.startswith("HABLA"):
        wrong, right = wrong.upper(), right.upper()
    judgement = judge(text.format(wrong), text.format(right))
    assert judgement.changes == ()
    assert not judgement.only_entities
    assert [change.wrong for change in judgement.waiting] == [wrong]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("Jhon", "John"), ("Ester", "Esther"), ("Sofia", "Sofía"), ("Ximena", "Jimena"), ("Yeison", "Jeison"),
        ("Jessica", "Yésica"), ("Estela", "Estella"), ("Brian", "Bryan"), ("Helena", "Elena"),
    ],
)  # fmt: skip
def test_two_spellings_of_one_given_name_are_one_person(wrong: str, right: str) -> None:
    judgement = judge(f"La concejala {wrong} Ruiz vota.", f"La concejala {right} Ruiz vota.")
    assert [core(change.wrong, change.right) for change in judgement.changes] == [core(wrong, right)]
    assert judgement.waiting == ()


@pytest.mark.parametrize(
    ("before", "after", "entry"),
    [
        ("Ha venido la Lola Ybarra a quejarse.", "Comparece doña Lola Ibarra para quejarse.",
         ("Ybarra", "Ibarra")),
        ("Y el Ledesma ese va y dice que no.", "El señor Lesdema manifiesta su negativa.",
         ("Ledesma", "Lesdema")),
        ("Habla la señora Bandenberg.", "Habla la señora Van den Berg.", ("Bandenberg", "Van den Berg")),
        ("Vota el señor Guamán.", "Vota el señor Huamán.", ("Guamán", "Huamán")),
    ],
)  # fmt: skip
def test_a_name_is_found_in_what_was_rewritten_around_it(
    before: str, after: str, entry: tuple[str, str]
) -> None:
    change = one(before, after)
    assert (change.wrong, change.right) == entry


@pytest.mark.parametrize("wrong", ["Espuso", "Asta", "Tubo", "Aclaro", "Segun"])
def test_a_word_misspelt_at_the_sentences_start_is_no_name_for_the_one_behind_it(wrong: str) -> None:
    right = {"Espuso": "Expuso", "Asta": "Hasta", "Tubo": "Tuvo", "Aclaro": "Aclaró", "Segun": "Según"}[wrong]
    assert judge(f"{wrong} Cano los hechos.", f"{right} Cano los hechos.").changes == ()
    assert one("Según Reyez, no.", "Según Reyes, no.").right == "Reyes"


@pytest.mark.parametrize(("word", "name"), [("vamos", "Ramos"), ("pero", "Pedro"), ("nadie", "Nadia")])
def test_a_word_of_every_day_is_replaced_by_a_name_only_beside_what_says_who_is_meant(
    word: str, name: str
) -> None:
    assert judge(f"Dijo que {word} lo sabe.", f"Dijo que {name} lo sabe.").changes == ()
    assert one(f"Dijo el señor {word} que no.", f"Dijo el señor {name} que no.").wrong == f"señor {word}"


def test_in_the_surnames_place_a_word_is_a_surname() -> None:
    assert one("Vota doña Socorro Amado.", "Vota doña Socorro Amador.").right == "Socorro Amador"
    assert judge("Vota don Amado Gil.", "Vota don Amador Gil.").changes == ()
    assert judge("Vota doña Socorro Amalia.", "Vota doña Socorro Amelia.").changes == ()


AMELIA = ("Vota Amalia Gil.", "Vota Amelia Gil.")


@pytest.mark.parametrize(
    ("roster", "changes"),
    [
        (["Amelia Gil Soto"], 1),
        (["GIL SOTO, AMELIA"], 1),
        (["Amalia Gil Soto"], 0),
        (["Amelia Gil Soto", "Amalia Roca"], 0),
        (["Ana Roca"], 0),
        ([], 0),
    ],
)
def test_the_roster_says_whether_a_given_name_was_misheard(roster: list[str], changes: int) -> None:
    judgement = judge(*AMELIA, people=KnownPeople.of(roster, []))
    assert len(judgement.changes) == changes
    assert len(judgement.waiting) == 1 - changes
    assert judgement.only_entities is bool(changes)


@pytest.mark.parametrize(
    ("corrections", "changes"),
    [
        ([("amalia", "AMELIA")], 1),
        ([("Amalia", "Amelia"), ("Amelia", "Amalia")], 0),
        ([("Amelia", "Amalia")], 0),
        ([("Amalia", "Emilia")], 0),
    ],
)
def test_a_second_correction_says_whether_a_given_name_was_misheard(
    corrections: list[tuple[str, str]], changes: int
) -> None:
    judgement = judge(*AMELIA, people=KnownPeople.of([], corrections))
    assert len(judgement.changes) == changes


def test_text_of_any_kind_is_survived() -> None:
    for before, after in (
        ("", "a"),
        ("a", ""),
        ("....", "¿¿??"),
        ("\u200b\ufeff", "🙂 Ñ"),
        ("A" * 5000, "B" * 5000),
    ):
        judge(before, after)
    long = " ".join(f"Nombre{n}" for n in range(3000))
    assert not judge(long, long.upper()).only_entities


@pytest.mark.parametrize(
    ("before", "after", "entry"),
    [
        ("Habló Carlos Torre.", "Habló Carlos de la Torre.", ("Carlos Torre", "Carlos de la Torre")),
        ("Habló José Luis de Haro.", "Habló José Luis Haro.", ("Luis de Haro", "Luis Haro")),
        ("Habló la señora Torre.", "Habló la señora De la Torre.", ("señora Torre", "señora De la Torre")),
        ("Habló Ana Ponce León.", "Habló Ana Ponce de León.", ("Ponce León", "Ponce de León")),
        ("El bus va a Ejido.", "El bus va a El Ejido.", ("a Ejido", "a El Ejido")),
        ("Es la línea del Escorial.", "Es la línea de El Escorial.", ("del Escorial", "de El Escorial")),
        ("El bus va a la Coruña.", "El bus va a A Coruña.", ("la Coruña", "A Coruña")),
    ],
)
def test_a_particle_or_article_that_was_not_heard_belongs_to_the_name(
    before: str, after: str, entry: tuple[str, str]
) -> None:
    change = one(before, after)
    assert (change.wrong, change.right) == entry
    assert entry[0] not in entry[1]  # else it would grow in a text that is right already


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("El alcalde Torre habló.", "El alcalde de Torre habló."),  # of a town
        ("Se cierra Plaza.", "Se cierra La Plaza."),
        ("Va a Pleno.", "Va a El Pleno."),
        ("Llamó la policía y el INE.", "Llamó la Policía y el INE."),
        ("Está en el museo y en la biblioteca.", "Está en el Museo y en la Biblioteca."),
        ("El Plan General no lo permite.", "La urbanización El Bosque lo permite."),
        ("Habló Carlos.", "Habló de Carlos."),
        ("HABLÓ CARLOS TORRE", "HABLÓ CARLOS DE LA TORRE"),
        ("Dice que Mario.", "Dice Quemario."),
        ("La EPS no paga.", "La IPS no paga."),
        ("Lo paga el SENA.", "Lo paga el SENASA."),
        ("El Ecmo. señor.", "El Excmo. señor."),
        ("Se corta la calle Gral. Mosconi.", "Se corta la calle General Mosconi."),
        ("Habla Francisco Javier Peña.", "Habla Fco. Javier Peña."),
        ("La delegación de cultura aporta.", "La delegación de Cultura aporta."),
        ("La señora Pérez Getafe vota.", "La señora Pérez de Getafe vota."),
        ("Firma Juan José Bueso.", "Firma Juanjo Bueso."),
        ("Firma Toñi Bueso.", "Firma Antonia Bueso."),
        ("Las fiestas patronales siguen.", "Las Fiestas Patronales siguen."),
    ],
)
def test_what_only_looks_like_a_name_put_right_is_none(before: str, after: str) -> None:
    assert judge(before, after).changes == ()


@pytest.mark.parametrize(
    ("before", "after", "entry"),
    [
        ("El Sr. cabello habló.", "El Sr. Cabello habló.", ("Sr. cabello", "Sr. Cabello")),
        ("Ven Cabo de gata.", "Ven Cabo de Gata.", ("Cabo de gata", "Cabo de Gata")),
        ("Habló María del mar Soler.", "Habló María del Mar Soler.", ("María del mar", "María del Mar")),
        ("En la calle de los herreros.", "En la calle de los Herreros.",
         ("calle de los herreros", "calle de los Herreros")),
        ("Lo hacen autocares Peres.", "Lo hacen Autocares Pérez.", ("autocares Peres", "Autocares Pérez")),
        ("Se oyó en la cadena ser.", "Se oyó en la Cadena SER.", ("cadena ser", "Cadena SER")),
        ("Vive en villa nueva de la serena.", "Vive en Villanueva de la Serena.",
         ("villa nueva de la serena", "Villanueva de la Serena")),
        ("Lo pide el colegio san josé y doña Ana.", "Lo pide el Colegio San José y Doña Ana.",
         ("colegio san josé", "Colegio San José")),
        ("Paga la comunidad de madrid.", "Paga la Comunidad de Madrid.",
         ("comunidad de madrid", "Comunidad de Madrid")),
    ],
)  # fmt: skip
def test_an_entry_holds_what_makes_it_a_name(before: str, after: str, entry: tuple[str, str]) -> None:
    change = one(before, after)
    assert (change.wrong, change.right) == entry
