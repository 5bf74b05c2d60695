# ruff: noqa: E501  (tables: one form, one line)
"""Municipal sentences with spans: hand-written templates filled by :class:`NameFactory`.

A template is text with ``[a|b|]`` choices (no nesting) and ``{SLOT}``; :data:`SLOTS` says which slot
carries which label. Titles and articles stay outside the span. Headings, institutions, streets named
after people and capitalised ordinary words are there as negatives.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Iterator

from astra_learn_assets.making.ner.invented_names import NameFactory

Span = tuple[int, int, str]
Sentence = tuple[str, list[Span]]

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{([A-Z]+)\}")
_LABEL = {
    "F": "PER",
    "G": "PER",
    "S": "PER",
    "R": "PER",
    "Q": "PER",
    "N": "PER",
    "LOC": "LOC",
    "STREET": "LOC",
    "ORG": "ORG",
}

_TITLE = (
    "[don|doña|Don|Doña|D.|Dña.|Dª|D.ª|Sr.|Sra.|el Sr.|la Sra.|el señor|la señora|señor|señora|el señor don|la señora doña|"
    "Sr. D.|Sra. Dª|Sra. Dña.|el concejal|la concejala|el alcalde|la alcaldesa|el vecino|la vecina|el edil|la edil|"
    "el regidor|la regidora|el portavoz|la portavoz|el secretario|la secretaria|la interventora|el síndico|el diputado|"
    "el ingeniero|la arquitecta|el doctor|la doctora|Dr.|Dra.|Lic.|Ing.|Abg.|Arq.|Econ.|Mtro.|Prof.|Tlgo.|Crnl.|C.|"
    "el licenciado|la licenciada|la abogada|el C.|la ciudadana|el ciudadano|el compañero|la compañera|mi compañera|"
    "el economista|la técnica municipal|el maestro|la profesora|el comandante|el párroco|sor|fray|el concejal don|"
    "la concejala doña|la señora concejala|el señor alcalde don|la vicealcaldesa|el vicealcalde|la prefecta|el intendente]"
)
_SPEAKS = (
    "[interviene|toma la palabra|tiene la palabra|responde|contesta|pregunta|añade|manifiesta que|explica que|dice que|"
    "expone que|indica que|señala que|solicita que|propone que|recuerda que|vota en contra|se abstiene|se ausenta de la sala|"
    "se incorpora a la sesión|agradece la respuesta|insiste en que|lee la moción|presenta la propuesta|retira la enmienda]"
)
_RUEGO = (
    "[se arregle la acera|falta iluminación|el presupuesto no alcanza|se limpie el parque|el agua no llega|hay ruidos por la noche|"
    "se revise la tasa|no está de acuerdo con el informe|el expediente está incompleto|se convoque la comisión|las obras van con retraso]"
)

TEMPLATES = (
    f"{_TITLE} {{F}} {_SPEAKS} {_RUEGO}.",
    f"{_TITLE} {{S}} {_SPEAKS} {_RUEGO}.",
    f"{_TITLE} {{G}} {_SPEAKS} {_RUEGO}.",
    f"A continuación {_SPEAKS} {_TITLE} {{F}}[, del {{ORG}}|, en representación de {{ORG}}|].",
    f"[Seguidamente|Acto seguido|En primer lugar|Por último|Para finalizar] {_SPEAKS} {_TITLE} {{F}}.",
    f"Tiene la palabra {_TITLE} {{S}}.",
    "Tiene la palabra [el señor|la señora] {N}, [por el|del] {ORG}.",
    "Tiene la palabra [el señor |la señora |don |]{Q}.",
    "Gracias, {G}[.|, por tus palabras.|, adelante.|, te cedo la palabra.]",
    "[Muchas gracias|Gracias], [señor|señora|don|doña] {S}.",
    "{G}, [por favor, termina ya|tienes la palabra|puedes responder|te ruego brevedad|no has contestado a la pregunta].",
    "[Yo|Nosotros] ya se lo dije a {G} y a {G}, {RUEGO}.",
    "Como [dijo|comentó|explicó|bien dice] {G}, {RUEGO}.",
    "Como [dijo|comentó|explicó] {F} en la sesión anterior, {RUEGO}.",
    "[Según|De acuerdo con] {F}, {RUEGO}.",
    "{F}: {RUEGO}.", "{N}: {RUEGO}.", "{S}: {RUEGO}.", "{G}: [Buenas tardes|Sí|No|Gracias|A favor|En contra].",
    "SR. {S}: {RUEGO}.", "SRA. {S}: {RUEGO}.", "Sr. {S}.- {RUEGO}.", "Sra. {S}.- {RUEGO}.", "- {F}. {RUEGO}.",
    "SR. ALCALDE: {RUEGO}.", "SEÑORA SECRETARIA: {RUEGO}.", "EL SR. ALCALDE-PRESIDENTE: {RUEGO}.",
    "Asisten [los señores|las señoras|los concejales|los siguientes concejales]: {F}, {F}, {F} y {F}.",
    "Asistentes: {F}; {F}; {F}; {F}.", "Concejales: D. {F}, D.ª {F}, D. {F}, Dña. {F}.",
    "Presentes: {R}; {R}; {R}.", "{R} | {R} | {R}", "1. {R}\n2. {R}\n3. {R}", "- {F}\n- {F}\n- {F}", "{F}\n{F}\n{F}",
    "D. {F} ({ORG})\nDª {F} ({ORG})\nD. {F} ({ORG})", "D.{F} y Dª.{F}", "D.{F}, concejal de {ORG}", "Sr.{F} y Sra.{S}",
    "Excusan su asistencia [D. |Dña. |]{F} y [D. |Dña. |]{F}.", "Ausente: {F}.", "[Preside|Presidenta|Alcalde|Secretaria|Interventor]: {F}.",
    "ALCALDE-PRESIDENTE: {F}", "SECRETARIA GENERAL: {F}", "Fdo.: {F}", "Fdo. {F}", "EL ALCALDE, {F}", "Firmado: {F}.", "La Secretaria, Fdo.: {F}.",
    "Se da cuenta del escrito presentado por [D. |Dña. |don |doña |]{F}, con [DNI|cédula|NIF|C.I.|CURP|RUT] {ID}[, domiciliado en {STREET}|].",
    "{F}, mayor de edad, con [DNI|cédula de ciudadanía|documento|cédula N.º|RUC|NIE] {ID} y domicilio en {STREET}, solicita licencia.",
    "Solicitante: {F}. Teléfono: {PHONE}. Correo: {EMAIL}.", "Nombre: {G}. Apellidos: {S}.", "Nombre y apellidos: {F}", "Interesado: {F}",
    "Visto el expediente de {F} sobre [licencia de obra|vado|terraza|subvención] en {STREET}.",
    "La vecina {F}, de {STREET}, pide que {RUEGO}.", "Los hermanos {S} reclaman la finca.", "La familia {S} vive en {STREET}.",
    "[El hijo|La hija|La madre|El padre|La viuda|El marido|La esposa|El nieto] de {F} reclama que {RUEGO}.",
    "El matrimonio formado por {F} y {F} recurre la sanción.", "[Los herederos|Herederos] de {F} reclaman la indemnización.",
    "Se aprueba con los votos a favor de {S}, {S} y {S} y la abstención de {S}.",
    "Votan a favor: {F}, {F} y {F}. Votan en contra: {S}.", "Votos a favor: {S}, {S}, {S}, {S}.", "A favor {G}, {G} y {G}; en contra {G}.",
    f"Mociona {_TITLE} {{F}} y apoya {_TITLE} {{F}}.", f"Con el apoyo de {_TITLE} {{S}} se somete a votación la moción.",
    "Se nombra a {F} [tesorera|jefe de servicio|representante|vocal] de {ORG}.", "Se designa a {F} y a {F} como vocales.",
    "El pleno felicita a {F} por su [jubilación|premio|trabajo] y da el pésame a la familia de {F}.",
    "Pésame por el fallecimiento de {F}[, vecino de {LOC}|].", "El contrato se adjudica a {F} por {MONEY} euros.", "El contrato se adjudica a {ORG} por {MONEY} euros.",
    "[He hablado|Hablé|Estuve reunido|Me reuní] con {F} y [con|] {G} en {LOC}.", "Ayer llamé a {G} y no contestó.", "¿Dónde está {G}?", "No, {G}, eso no es verdad.",
    "[Que conste en acta|Quiero decir] que {G} no [estaba|vino|firmó|quiso].", "Esto lo lleva {G} desde hace años.", "Lo ha dicho {S} muchas veces.",
    "[El informe|La propuesta|El dictamen] de {S} dice que {RUEGO}.", "El presupuesto que trajo {S} no cuadra.", "Ni {S} ni {S} han contestado.",
    "Buenas tardes, soy {F}, [vivo en {STREET}|presidenta de {ORG}|vecino de {LOC}].", "Me llamo {F} y vengo de {LOC}.", "Mi nombre es {F}.", "Hola, soy {G}.",
    "Se concede la palabra a {F}, quien dice: {RUEGO}.", "El señor alcalde, {F}, abre la sesión en {LOC}.", "La alcaldesa de {LOC}, {F}, abre la sesión.",
    "El presidente de {ORG}, {F}, [saluda|responde|firma el convenio].", "{ORG}, representada por {F}, firma el convenio con {ORG}.",
    "{F} ({ORG}) pregunta por {STREET}.", "[La concejala de Cultura|El concejal de Deportes|La delegada de Festejos], {F}, informa.", "{F}, [concejal de Hacienda|vecina|técnico|abogada], informa.",
    f"{_TITLE} {{S}} y {_TITLE} {{S}} [coinciden|discuten|se ausentan].", "el concejal {N} dijo que la calle estaba cortada", "dice {N} que {RUEGO}", "gracias {Q} tiene la palabra {Q}",
    "pues mira {Q} yo creo que {RUEGO}", "el señor {N} y la señora {N} votan a favor", "tiene la palabra {N} del {ORG}", "don {N} y doña {N} están conformes",
    # negatives: places, streets, organisations
    "Las obras de {STREET} [van con retraso|empiezan en marzo|se adjudican a {ORG}].", "Se corta el tráfico en {STREET} y {STREET}.", "El autobús de {LOC} a {LOC} para en {STREET}.",
    "La {ORG} informa favorablemente.", "El {ORG} presenta una moción sobre {STREET}.", "Se firma convenio entre {ORG} y {ORG}.", "Dictamen de la {ORG}.",
    "El {ORG} votará a favor y el {ORG} se abstendrá.", "Subvención a {ORG} por {MONEY} euros.", "Se visita {LOC} y {LOC}.", "El municipio de {LOC} limita con {LOC}.",
    "El parque {STREET} y el {ORG} necesitan reparaciones.", "Rehabilitación del {ORG} de {LOC}.", "Viajaron a {LOC}, {LOC} y {LOC}.", "Fiestas de {LOC} en honor a San Roque.",
    "La ley de {LOC} y el convenio con {ORG}.", "El mercadillo de {LOC} pasa a {STREET}.", "{ORG} pide a {ORG} más medios.", "Ruta {LOC}-{LOC}.",
    # negatives: headings and ordinary capitals
    "ORDEN DEL DÍA", "RUEGOS Y PREGUNTAS", "ACTA DE LA SESIÓN ORDINARIA", "PRIMERO.- Aprobación del acta anterior.", "SEGUNDO. Dación de cuenta de decretos de Alcaldía.",
    "Punto [1|2|3|4|5]º: [Aprobación del Acta|Modificación de Créditos|Informe de Alcaldía|Ordenanza Fiscal|Presupuesto General|Ruegos y Preguntas].",
    "[Buenas|Muy buenas] [tardes|días|noches] a [todos|todas|todos y todas].", "Muchas gracias[, señor alcalde|, señora presidenta|, señorías|, compañeros|, secretaria|].",
    "Se levanta la sesión a las [veinte|diecinueve|21:30] horas[, de todo lo cual doy fe|].", "En {LOC}, a [doce|tres|28] de [enero|Marzo|julio] de [2023|dos mil veinticuatro].",
    "El Pleno acuerda por unanimidad que {RUEGO}.", "El Alcalde y la Secretaria firman el Acta.", "Visto el Informe de Intervención y de Secretaría, {RUEGO}.",
    "[Ruegos|Preguntas|Mociones|Dictámenes|Urgencias|Asuntos|Presidencia|Hacienda|Cultura|Votación|Debate|Acuerdo|Considerando|Resuelve].", "SE ACUERDA: {RUEGO}.", "ACUERDO: {RUEGO}.", "Resultado de la votación: aprobado.",
    "La [Ordenanza|Ley|Ordenanza Fiscal] [{NUM}/2021|reguladora de la Tasa de Basuras|de Bases de Régimen Local] [entra en vigor|se modifica].", "Real Decreto {NUM}/2020, de 5 de marzo.",
    "El Plan General de Ordenación Urbana y el Catastro.", "Semana Santa, Navidad, Carnaval y Feria de Agosto.", "Código Orgánico de Organización Territorial, Autonomía y Descentralización (COOTAD).",
    "Constitución Española, artículo {NUM}.", "Internet, Facebook y WhatsApp.", "Señor Alcalde, señores Concejales: {RUEGO}.", "Señora Presidenta, {RUEGO}.", "Excelentísimo Ayuntamiento Pleno.",
    "SEÑOR PRESIDENTE: Muchas gracias.", "Sí. [Gracias|De acuerdo|Adelante|Claro]. {RUEGO}.", "No. [Bueno|Mire|Vamos|Perdón], {RUEGO}.", "El señor secretario lee el orden del día.", "La señora interventora informa.",
    "Don dinero.", "[El lunes|El martes|En enero|En Abril] {RUEGO}.", "El Impuesto sobre Bienes Inmuebles (IBI) sube un {NUM} %.", "El covid y la Covid-19.", "La Virgen del Carmen y la Inmaculada Concepción.",
    "Los Reyes Magos y Papá Noel.", "RÉGIMEN INTERIOR", "MOCIÓN DEL {ORG} SOBRE LIMPIEZA", "PROPUESTA DE ACUERDO", "CONVOCATORIA DE SESIÓN EXTRAORDINARIA", "LECTURA Y APROBACIÓN DEL ACTA ANTERIOR",
)  # fmt: skip


class Grammar:
    """Endless labelled sentences; the same seed gives the same ones."""

    def __init__(self, rng: random.Random, names: NameFactory) -> None:
        self.rng = rng
        self.names = names

    def _choose(self, text: str) -> str:
        text = text.replace("{RUEGO}", _RUEGO)
        while _CHOICE.search(text):
            text = _CHOICE.sub(lambda m: self.rng.choice(m[1].split("|")), text)
        return text

    def _fill(self, slot: str) -> str:
        rng, names = self.rng, self.names
        if slot in ("F", "Q", "N"):
            value = names.full() if slot == "F" or rng.random() < 0.5 else names.surnames()
            if slot == "Q" and rng.random() < 0.5:
                value = names.given()
            return value.lower() if slot in ("N", "Q") and rng.random() < 0.5 else value
        if slot == "G":
            return names.given()
        if slot == "S":
            return names.surnames()
        if slot == "R":
            value = names.reversed() if rng.random() < 0.6 else names.full()
            return _bare(value).upper() if rng.random() < 0.5 else value
        if slot == "LOC":
            return names.place()
        if slot == "STREET":
            return names.street()
        if slot == "ORG":
            return names.organisation()
        number = "".join(rng.choice("0123456789") for _ in range(9))
        return {
            "ID": f"{number[:8]}{rng.choice('ABCDEFGHJKLMN')}" if rng.random() < 0.5 else number,
            "PHONE": f"6{number[:2]} {number[2:5]} {number[5:8]}",
            "EMAIL": f"{_bare(names.given().split()[0]).lower()}{number[:2]}@correo.es",
            "MONEY": f"{number[:2]}.{number[2:5]}",
            "NUM": number[:2],
        }[slot]

    def sentence(self) -> Sentence:
        """One sentence with its spans, the case left as printed."""
        template = self._choose(self.rng.choice(TEMPLATES))
        text, spans, last = "", [], 0
        for match in _SLOT.finditer(template):
            text += template[last : match.start()]
            last = match.end()
            value = self._fill(match[1])
            if match[1] in _LABEL:
                spans.append((len(text), len(text) + len(value), _LABEL[match[1]]))
            text += value
        text += template[last:]
        if text[0].islower() and self.rng.random() < 0.7:
            text = text[0].upper() + text[1:]
        return text, spans


def _bare(text: str) -> str:
    """``text`` without accents (``ñ`` kept), same length for precomposed input."""
    decomposed = unicodedata.normalize("NFD", text.replace("ñ", "\0").replace("Ñ", "\1"))
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", bare).replace("\0", "ñ").replace("\1", "Ñ")


def recase(rng: random.Random, sentence: Sentence) -> Sentence:
    """The sentence as some office types it: mostly as is, else capitals, lower case, without accents."""
    text, spans = sentence
    roll = rng.random()
    if roll < 0.62:
        return sentence
    if roll < 0.72:
        changed = _bare(text).upper()
    elif roll < 0.76:
        changed = text.upper()
    elif roll < 0.86:
        changed = re.sub(r"[.,;:]", " ", text.lower()) if rng.random() < 0.5 else text.lower()
    elif roll < 0.90:
        changed = _bare(text)
    elif roll < 0.95:
        changed = _each_name(
            text, spans, lambda name: _bare(name).upper() if rng.random() < 0.6 else name.upper()
        )
    else:
        changed = _each_name(text, spans, str.lower)
    return (changed, spans) if len(changed) == len(text) else sentence


def _each_name(text: str, spans: list[Span], change: object) -> str:
    out = list(text)
    for start, end, label in spans:
        if label == "PER" and callable(change):
            new = change(text[start:end])
            if len(new) == end - start:
                out[start:end] = new
    return "".join(out)


def sentences(seed: int, *, held_out: bool = False, invented: float = 0.3) -> Iterator[Sentence]:
    """Labelled municipal sentences without end; ``held_out`` uses names that training never draws."""
    rng = random.Random(seed)
    grammar = Grammar(rng, NameFactory(rng, held_out=held_out, invented=invented))
    while True:
        yield recase(rng, grammar.sentence())
