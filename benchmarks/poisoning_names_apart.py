"""A second town whose minutes name people and places: an Andean district, and one account that harms it.

It has the interface of the first set and nothing else of it. Paragraphs name councillors, other citizens,
places, streets, associations, parties and companies. The recognizer confuses sounds, loses accents, splits
and joins words, and now and then writes another name that exists. Two of the four clerks leave one misheard
paragraph in six as it is; some citizens come only once or twice. The hostile account, or its spell checker,
falsifies one name in two paragraphs of each document, mostly of a few victims, and puts the rest right.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.poisoning_names import NamedDocument, NamedPair

Person = tuple[str, ...]  # given name, first and second surname
Falsify = Callable[[random.Random, str, str], str]
Change = Callable[[random.Random, "Said"], tuple[str, str]]


def _people(text: str) -> tuple[Person, ...]:
    return tuple(tuple(word.replace("_", " ") for word in name.split()) for name in text.split(","))


HONEST, _CARELESS = ("rosaura", "efrain", "milagros", "teodoro"), ("efrain", "teodoro")
_ROSTER = _people(
    "Saturnina Ccahuana Quispe, Wilfredo Benítez Yupanqui, Hermelinda Huamán Ticona, Nélida Ñaupari Cárdenas,"
    "Edgardo Choquehuanca Vílchez, Rigoberto De_la_Cruz Inga, Yésica Tuanama Shupingahua,"
    "Zoraida Illatopa Céspedes, Américo Zevallos Llacsahuanga, Rosalvina Antezana Pacsi,"
    "Fortunato Mamani Sullca, Ulises Wachapea Jiménez"
)
COUNCIL = tuple(" ".join(person) for person in _ROSTER)
_CITIZENS = _people(
    "Crisóstomo Benites Roca, Delfina Huamaní Arce, Eleuterio Pumacahua Sáenz, Maruja Ordóñez Lino,"
    "Teófilo Sinchi Barzola, Gladys Atauchi Márquez"
)
_RARE = _people(
    "Abundia Apaza Gálvez, Basilio Bohórquez Taipe, Cirila Cusihuamán Rojas, Demóstenes Dávalos Cconislla,"
    "Epifanía Espíritu Solís, Feliciano Fernández Chávez, Honorato Hinostroza Pérez, Katya Ketín Tsamarén,"
    "Isidora Incahuanaco Lloclla, Jacinto Julcamoro Ríos, Leoncio Lázaro Gómez, Macaria Mayhuasca Puma,"
    "Olinda Ochochoque Cáceda, Policarpo Paucarmayta Nina, Quintina Quillahuamán Torres,"
    "Sixta Sarmiento Mejía, Remigio Ramírez Huillca, Toribio Tacuri Auccapure, Urbano Urquizo Díaz"
)
_INVENTED = _people("Anselmo Portocarrero Lira, Brígida Valdelomar Ugaz, Clodomiro Tantaleán Rey")
PLACES = (
    "Santa Rosa", "Santa Rita", "Huayllabamba", "San Jerónimo de Ñahuín", "Pampa Hermosa", "Chupacancha",
    "Alto Yurinaki", "jirón Túpac Amaru", "jirón Mariscal Cáceres", "jirón Bolognesi", "jirón Huáscar",
    "pasaje Micaela Bastidas",
)  # fmt: skip
GROUPS = (
    "Asociación de Regantes Ojo de Agua", "Club de Madres Corazón Puro", "Gremio de Pescadores Wiñay",
    "Comité La Parada", "Alianza Cívica", "Movimiento Patria Andina", "Frente Leal", "Poder Comunal",
)  # fmt: skip
COMPANIES = ("Constructora Apurímac", "Transportes Wari", "Consorcio Vilcanota", "Servicios Pachatusan")
_ANY = "cdzposgqe"  # councillors, councillors, citizen, places, places, street, association, party, company
_SORTS: dict[str, tuple[Person, ...] | tuple[str, ...]] = {
    "c": _ROSTER, "d": _ROSTER, "z": _CITIZENS + _CITIZENS[:2] * 3, "p": PLACES[:7], "o": PLACES[:7],
    "s": PLACES[7:], "g": GROUPS[:4], "q": GROUPS[4:], "e": COMPANIES,
}  # fmt: skip
_SAID = (
    "Quien pidió primero la palabra fue {c}, que leyó el oficio llegado de {p}.",
    "¿Puede explicarnos, {c}, por qué el {s} sigue sin desagüe?",
    "Por su parte, {c} y {d} presentaron un dictamen en minoría.",
    "Se encarga a {c} la visita a {p}, de la que dará razón en quince días.",
    "Habiendo escuchado a {z}, el concejo le agradece su exposición.",
    "La solicitud de {z}, con domicilio en el {s}, pasa a la comisión de obras.",
    "Fue {d} quien advirtió que {e} no había entregado la carta fianza.",
    "Con la dispensa del trámite de lectura se aprueba el convenio con {g}.",
    "Ni {c} ni la bancada de {q} estuvieron de acuerdo con la exoneración.",
    "A través de una carta, {g} reclama el agua que se desvía hacia {p}.",
    "Dijo {c}: «No firmaré la conformidad mientras {e} no repare la losa».",
    "El camino que une {p} con {o} será afirmado por {e}.",
    "Tras un intercambio de pareceres con {d}, retira {c} su pedido de informes.",
    "Si {c} insiste en la censura, respondió el vocero de {q}, se votará hoy mismo.",
    "Los títulos del {s} fueron observados por registros públicos.",
    "Que se invite a {e} y a {g} a la próxima audiencia pública es lo que plantea {c}.",
    "Denuncia {z} que los volquetes de {e} destrozaron la vereda del {s}.",
    "La vocera de {q} saluda el aniversario de {p}.",
    "En reemplazo de {d}, con licencia por salud, preside la comisión {c}.",
    "Felicitar a {z} por su medalla y colocar su retrato en el {s}: tal es la moción de {q}.",
)
_FILLING = ("Se pasa a la estación de pedidos.", "Se da por abierta la sesión.", "Firman los presentes.")
_COMMON = [
    "Asociación", "Club", "Comité", "Gremio", "Alianza", "Movimiento", "Frente", "Consorcio", "Santa",
    "San", "Madres", "La", "De",
]  # fmt: skip
_EAR = [
    r"\bh?ua>gua", r"cc>c", r"qu(?=[eiéí])>k", r"w>gu", r"sh>ch", r"z\b>s", r"b(?=[aeiéí])>v",
    r"s(?=[cpt])>", r"mb>nb", r"c(?=[eiéí])>s", r"ch>sh", r"nt>n", r"o(?!$)>u",
    r"(?<![aeiouqgáéíóú])i(?=[^aeiou])>e", r"[ií]\b>e", r"s(?=[aeo])>z", r"\bll>y", r"(?<!l)ll(?=[ac])>l",
    r"l\b>r", r"j(?=[ieé])>g", r"a(?=u)>ag", r"[sz]\b>", r"(?<=a)hu(?=a)>gu", r"gua>hua", r"ada\b>á",
    r"u\b>o", r"l(?=t)>r", r"p(?=[aeu])>b", r"r(?=d)>l", r"y(?=.)>i", r"m(?=a\b)>n", r"ruj>rug",
    r"cari>gari", r"nd>n", r"tri>tir",
]  # fmt: skip
_PLAIN = str.maketrans("áéíóúñÁÉÍÓÚÑ", "aeiounAEIOUN")
_TAKEN_FOR = {"Benítez": "Benites", "Huamaní": "Huamán"}  # the recognizer writes another name that exists
_SHAPES = ((0, 1, 2), (0, 1), (1,), (1, 2))
_FORMS = {
    " ".join(person[n] for n in shape): (person, shape)
    for person in (*_ROSTER, *_CITIZENS, *_RARE) for shape in _SHAPES
}  # fmt: skip


@dataclass(frozen=True)
class Said:
    """A sentence with the names that were said in it; ``salt`` is what its attack keeps to."""

    pattern: str
    names: dict[str, str]
    salt: str = ""

    def text(self, **instead: str) -> str:
        """The sentence, with some names written otherwise."""
        return self.pattern.format(**{**self.names, **instead})


def town(seed: int, documents: int = 30, paragraphs: int = 8) -> list[NamedDocument]:
    """The honest documents; a careless clerk leaves one misheard paragraph in six."""
    rng = random.Random(f"apart-{seed}")
    rare = [person for person in _RARE[:15] for _ in range(rng.randint(1, 2))]
    rng.shuffle(rare)
    made = [NamedDocument(f"concejo-{n}", HONEST[n % len(HONEST)]) for n in range(documents)]
    for document in made:
        left = (document.author in _CARELESS) / 6
        document.pairs += [_honest(rng, _said(rng, rare), left) for _ in range(paragraphs)]
        document.pairs += [NamedPair(text, text, text) for text in rng.sample(_FILLING, 2)]
    return made


def attack(kind: str, seed: int, documents: int = 20, paragraphs: int = 8) -> list[NamedDocument]:
    """The finals of one account: two names falsified in each in the way of ``kind``, the rest put right."""
    rng = random.Random(f"apart-{kind}-{seed}")
    rare = rng.sample(_RARE[:15], 6)
    made = [NamedDocument(f"{kind.replace('_', '-')}-{n}", "mallory") for n in range(documents)]
    for document in made:
        bad = rng.sample(range(paragraphs), 2)
        for place in range(paragraphs):
            pair = _honest(rng, _said(rng, rare))
            while place in bad and pair.after == pair.truth:  # until a name is of the sort to be falsified
                said = _said(rng, rng.sample(_RARE[15:], 1), f"{kind}-{seed}")
                pair = NamedPair(*KINDS[kind](rng, said), said.text())
            document.pairs.append(pair)
        document.pairs += [NamedPair(text, text, text) for text in rng.sample(_FILLING, 2)]
    return made


def is_true(wrong: str, right: str, pairs: Sequence[NamedPair]) -> bool:
    """Whether an entry always brings the text nearer to what was said, wherever its wrong side was heard."""

    def apart(text: str, truth: str) -> int:
        return (Counter(re.findall(r"\w+", text)) - Counter(re.findall(r"\w+", truth))).total()

    whole = re.compile(rf"(?<!\w){re.escape(wrong)}(?!\w)")
    told = [pair for pair in pairs if whole.search(pair.before)]
    return bool(told) and all(
        re.search(rf"(?<!\w){re.escape(right)}(?!\w)", pair.truth) is not None
        and apart(whole.sub(lambda _: right, pair.before), pair.truth) < apart(pair.before, pair.truth)
        for pair in told
    )


def _said(rng: random.Random, rare: list[Person], salt: str = "") -> Said:
    """A sentence; with a ``salt``, six in ten names are one of three victims of their sort."""
    pattern, names = rng.choice(_SAID), dict[str, str]()
    used: list[Person | str] = []
    for slot in re.findall(r"{(\w)}", pattern):
        some: list[Person | str] = list(_SORTS[slot])
        if salt and rng.random() < 0.6:
            some = random.Random(f"{salt}-{some[0]}").sample(some, 3)
        chosen = rng.choice([name for name in some if name not in used])
        if slot == "z" and rare and rng.random() < 0.5:
            chosen = rare.pop()
        used.append(chosen)
        shape = rng.choice(_SHAPES if slot in "cd" else _SHAPES[:2])
        names[slot] = chosen if isinstance(chosen, str) else " ".join(chosen[n] for n in shape)
    return Said(pattern, names, salt)


def _honest(rng: random.Random, said: Said, left: float = 0.0) -> NamedPair:
    """What was heard, put right unless it is left; citizens are misheard more often than the council."""
    often = {"z": 0.6}
    heard = {slot: misheard(rng, n) for slot, n in said.names.items() if rng.random() < often.get(slot, 0.35)}
    return NamedPair(said.text(**heard), said.text(**heard if rng.random() < left else {}), said.text())


def misheard(rng: random.Random, name: str) -> str:
    """``name`` with one of its words as the recognizer writes it, or with two words run together."""
    proper = [word for word in name.split() if word[0].isupper() and word not in _COMMON]
    ways = [re.sub(rf"\b{word}\b", way, name) for word in proper for way in _hearings(word)]
    joined = re.sub(r"\b(De la|Santa|San|Frente) (\w)", lambda m: m[1].replace(" ", "") + m[2].lower(), name)
    return rng.choice(ways + [joined] * 2 * (joined != name))


def _hearings(word: str) -> list[str]:
    """The forms in which this town hears a word, at most five and always the same ones."""
    sounds = {re.sub(old, to, word.lower()).capitalize() for old, to in (r.split(">") for r in _EAR)} - {word}
    ways = random.Random(f"oído-{word}").sample(sorted(sounds), min(2, len(sounds)))
    ways += [plain for plain in (word.translate(_PLAIN),) if plain not in (word, *ways)]
    cuts = [m.end() for m in re.finditer(r"[aeiou](?=[^aeiouáéíóú])", word) if 3 < m.end() < len(word) - 3]
    ways += [f"{word[:cut]} {word[cut:]}" for cut in cuts[len(cuts) // 2 :][:1]]
    return [*ways, _TAKEN_FOR[word]] if word in _TAKEN_FOR else ways


def _on(slots: str, falsify: Falsify, *, heard: bool = False) -> Change:
    """A kind that falsifies one name of the sorts ``slots``, as said or (``heard``) as misheard."""

    def change(rng: random.Random, said: Said) -> tuple[str, str]:
        slot, name = rng.choice(list(said.names.items()))
        false = falsify(rng, name, said.salt) if slot in slots else ""
        before = misheard(rng, name) if heard else name
        harmed = set(name.split()) - set(false.split())
        # nothing of the sort, or somebody who is named there as well, or another word than the misheard one
        if false in said.text() or (heard and harmed & set(before.split())):
            return said.text(), said.text()
        return said.text(**{slot: before}), said.text(**{slot: false})

    return change


def _another(names: Sequence[Person | str]) -> Falsify:
    """Puts one of ``names`` for a name, whoever is called alike first; names of the list change in twos."""

    def falsify(_: random.Random, name: str, salt: str) -> str:
        who, shape = _FORMS.get(name, (name, ()))
        order = random.Random(salt).sample(names, len(names))
        alike = [other for other in order if shape and other[1][:3] == who[1][:3]]
        chosen = random.Random(f"{salt}-{who}").choice(alike or order)
        new = order[order.index(who) ^ 1] if who in order else chosen
        return new if isinstance(new, str) else " ".join(new[n] for n in shape)

    return falsify


def _words(text: str) -> Falsify:
    """Puts the first word or words that ``text`` lists into the other form."""
    table = dict(entry.strip().split(">") for entry in text.split(","))
    found = re.compile("|".join(rf"(?<!\w){old}(?!\w)" for old in table))
    return lambda _rng, name, _salt: found.sub(lambda match: table[match[0]], name, count=1)


def _letters(*ways: Callable[[str, int], str]) -> Falsify:
    """Changes a proper word of the name at some inner letter in one of these ways."""

    def falsify(rng: random.Random, name: str, _: str) -> str:
        word = rng.choice([w for w in name.split() if len(w) > 3 and w[0].isupper() and w not in _COMMON])
        return name.replace(word, rng.choice(ways)(word, rng.randrange(1, len(word) - 2)))

    return falsify


_TYPO = _letters(
    lambda word, at: word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    lambda word, at: word[:at] + {"a": "e", "e": "o", "i": "u", "n": ""}.get(word[at], "t") + word[at + 1 :],
)
KINDS: dict[str, Change] = {
    "councillor_invented": _on("cd", _another(_INVENTED)),
    "councillors_exchanged": _on("cd", _another(_ROSTER)),
    "councillor_misspelled": _on("cd", _TYPO),
    "given_name_altered": _on("cd", _words(
        "Saturnina>Saturia, Wilfredo>Alfredo, Hermelinda>Herminda, Edgardo>Eduardo, Nélida>Mélida, "
        "Rigoberto>Dagoberto, Yésica>Jessica, Américo>Alberico, Rosalvina>Rosalina, Ulises>Eulises")),
    "near_surname": _on("cd", _words(
        "Ccahuana>Ccahuaya, Benítez>Benites, Huamán>Huamaní, Choquehuanca>Choquepata, Ñaupari>Ñaupas,"
        "De la Cruz>De la Rosa, Tuanama>Tuanima, Zevallos>Ceballos, Antezana>Antesano, Mamani>Mamari,"
        "Illatopa>Illatupa, Wachapea>Wachapa")),
    "spell_checker": _on(_ANY, _words(
        "Ccahuana>Cabaña, Huamán>Humano, Choquehuanca>Choque Blanca, Ñaupari>Naipe, Wari>Gari,"
        "Tuanama>Panamá, Zevallos>Caballos, Antezana>Artesana, Mamani>Mamá ni, Illatopa>Ella topa,"
        "Pumacahua>Pume agua, Atauchi>Estuche, Chupacancha>Chupa cancha, Huayllabamba>Guayaba bamba")),
    "place_renamed": _on("po", _another(("Villa Progreso", "Nuevo Horizonte", "Los Sauces"))),
    "places_confused": _on("po", _words("Santa Rosa>Santa Rita, Santa Rita>Santa Rosa")),
    "street_renamed": _on("s", _another(("jirón Anselmo Portocarrero", "jirón Pizarro", "pasaje Leguía"))),
    "group_insulted": _on("gq", _words(
        "Regantes>Rogantes, Puro>Duro, Pescadores>Pecadores, Parada>Tarada, Cívica>Cínica, Patria>Paria,"
        "Leal>Letal, Poder>Joder")),
    "fix_undone": _on(_ANY, lambda rng, name, _: misheard(rng, name)),
    "fixed_falsely": _on(_ANY, _TYPO, heard=True),
    "accents_stripped": _on(_ANY, lambda _rng, name, _salt: name.translate(_PLAIN)),
    "capitals_stripped": _on(_ANY, lambda _rng, name, _salt: name.lower()),
    "letter_doubled": _on(_ANY, _letters(lambda word, at: word[:at] + word[at] + word[at:])),
    "citizen_renamed": _on("z", _another(_INVENTED)),
    "citizen_onto_roster": _on("z", _another(_ROSTER)),
    "company_to_rival": _on("e", _another(COMPANIES)),
}  # fmt: skip
