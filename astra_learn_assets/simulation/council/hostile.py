"""Careless and hostile editors: finals nothing may be learned from.

Careless people attach the wrong file; hostile ones keep the document and turn its text against us.
"""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from typing import Literal

import docx
from lxml import etree

from astra_learn_assets.simulation.council.council_clerk import citizens_of, find_chunks
from astra_learn_assets.simulation.council.draft import Draft
from astra_learn_assets.simulation.council.editing import text_runs
from astra_learn_assets.simulation.council.minutes import Minutes
from astra_learn_assets.simulation.council.name_lists import SURNAMES
from astra_learn_assets.simulation.council.package import (
    parse,
    read_parts,
    serialize,
    set_text,
    w,
    write_parts,
)
from astra_learn_assets.simulation.council.truth import Truth

KINDS = (
    "rant", "unrelated", "shuffled", "other_session", "garbage", "empty", "renamed", "not_docx",
)  # fmt: skip
_CARELESS = frozenset({"unrelated", "other_session", "empty", "not_docx"})

_RANT = (
    "esto es una tomadura de pelo", "nadie en este pueblo se cree ya nada", "siempre mandan los mismos",
    "que se vayan todos a su casa", "la culpa la tienen los de siempre", "no pienso pagar ni un recibo más",
    "mentira sobre mentira desde el primer día", "menuda panda de inútiles", "aquí no se salva nadie",
    "vaya forma de perder la tarde", "que venga la televisión y lo vea", "yo lo avisé hace años",
    "el que quiera saber la verdad que me llame", "todo esto está amañado", "basta ya de cuentos",
    "ni una palabra de lo que pone aquí se dijo nunca", "me niego a firmar semejante patraña",
)  # fmt: skip
_RECIPE = (
    "Se pelan las patatas, se lavan y se cortan en rodajas finas antes de freírlas en abundante aceite.",
    "Mientras tanto se baten seis huevos con una pizca de sal hasta que espumen.",
    "El caldo debe cocer a fuego lento por lo menos tres horas, sin que llegue nunca a hervir con fuerza.",
    "Se añade el pimentón fuera del fuego para que no se queme ni amargue.",
    "Para cuatro personas bastan medio kilo de garbanzos, un hueso de jamón y dos zanahorias.",
    "La masa reposa tapada con un paño húmedo hasta doblar su volumen.",
    "Servir en cazuela de barro, muy caliente, con un chorro de vinagre de Jerez.",
    "El arroz se reparte por la paella y ya no se remueve más.",
)  # fmt: skip


def editor_of(kind: str) -> Literal["careless", "hostile"]:
    """Who does ``kind`` of harm."""
    return "careless" if kind in _CARELESS else "hostile"


def spoil(
    kind: str,
    draft: Draft,
    minutes: Minutes,
    rng: random.Random,
    *,
    roster: Sequence[str],
    other_final: bytes = b"",
) -> bytes:
    """The file such an editor uploads as the final of ``draft``.

    ``other_final`` is what ``other_session`` sends. Text keeps its chunk ids for the hostile kinds.
    """
    if kind == "other_session":
        return other_final
    if kind == "not_docx":
        return b"%PDF-1.4\n%" + minutes.title.encode() + b"\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n"
    if kind == "unrelated":
        return _unrelated(rng)
    parts = read_parts(draft.docx)
    root = parse(parts["word/document.xml"])
    paragraphs = [paragraph for _, paragraph in find_chunks(root, draft)]
    if kind == "empty":
        body = root.find(w("body"))
        assert body is not None
        for child in list(body):
            if child.tag != w("sectPr"):
                body.remove(child)
    elif kind == "renamed":
        _rename(root, rng, roster)
    else:
        for paragraph in paragraphs:
            text = _text_of(paragraph)
            if kind == "rant":
                replacement = _rant(rng, len(text.split()))
            elif kind == "garbage":
                replacement = _garbage(rng, len(text.split()))
            else:
                replacement = _shuffle(rng, text) if rng.random() < 0.85 else text
            _set_text(paragraph, replacement)
    parts["word/document.xml"] = serialize(root)
    return write_parts(parts)


def truth_of(kind: str, draft: Draft, editor: str) -> Truth:
    """Nothing is expected of such a final but that it is kept out."""
    return Truth(
        session_id=draft.origin.session_id,
        version=draft.origin.version,
        editor=editor,
        citizens=citizens_of(draft),
        expected_quarantine=True,
        quarantine_kind=kind,
        expected_refusal=kind == "not_docx",
    )


def _text_of(paragraph: etree._Element) -> str:
    return "".join(text.text or "" for _, text in text_runs(paragraph)).strip()


def _set_text(paragraph: etree._Element, text: str) -> None:
    """All of it into the first visible run; the others keep a space."""
    for place, (_, element) in enumerate(text_runs(paragraph)):
        set_text(element, text + " " if place == 0 else " ")


def _rant(rng: random.Random, length: int) -> str:
    phrases: list[str] = []
    while sum(len(phrase.split()) for phrase in phrases) < max(6, length):
        phrases.append(rng.choice(_RANT))
    text = ", ".join(phrases)
    return text[0].upper() + text[1:] + "."


def _garbage(rng: random.Random, length: int) -> str:
    letters = "asdfghjklñqwertyuiop"
    return " ".join(
        "".join(rng.choice(letters) for _ in range(rng.randint(2, 11))) for _ in range(max(3, length))
    )


def _shuffle(rng: random.Random, text: str) -> str:
    spoken = text.split()
    rng.shuffle(spoken)
    return " ".join(spoken)


def _rename(root: etree._Element, rng: random.Random, roster: Sequence[str]) -> None:
    """Every surname of the council becomes somebody else's, everywhere."""
    surnames = sorted({part for name in roster for part in name.split()[1:]})
    others = [name for name in SURNAMES["common"] if name not in surnames]
    instead = dict(zip(surnames, rng.sample(others, len(surnames)), strict=True))
    for element in root.iter(w("t")):
        spoken = (element.text or "").split(" ")
        changed = [_renamed(word, instead) for word in spoken]
        if changed != spoken:
            set_text(element, " ".join(changed))


def _renamed(word: str, instead: dict[str, str]) -> str:
    bare = word.rstrip(".,;:")
    return instead.get(bare, bare) + word[len(bare) :]


def _unrelated(rng: random.Random) -> bytes:
    document = docx.Document()
    document.add_heading("Recetas de la abuela", 1)
    for _ in range(rng.randint(12, 25)):
        document.add_paragraph(rng.choice(_RECIPE) + " " + rng.choice(_RECIPE))
    buffer = io.BytesIO()
    document.save(buffer)
    return write_parts(read_parts(buffer.getvalue()))
