"""What a clerk is told after uploading a final: one model, and the Spanish sentences for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

from astra_learn_assets.contracts import EntityKind, Rejection
from astra_learn_assets.spanish.fold import fix_keys


class LiveEntity(BaseModel):
    """A name fix that every later draft of the municipality gets from now on."""

    model_config = ConfigDict(frozen=True)

    wrong: str
    right: str
    kind: EntityKind


class LeftOut(BaseModel):
    """How many items are not learned for one reason; ``explanation`` is for people, in Spanish."""

    model_config = ConfigDict(frozen=True)

    reason: str
    count: int = Field(ge=1)
    explanation: str = ""


class SubmitSummary(BaseModel):
    """Answer to an upload. ``message`` says it all in Spanish; the fields say it to programs."""

    model_config = ConfigDict(frozen=True)

    artifact_id: str
    base_id: str
    base_replaced: bool = Field(description="The draft named by the caller was not the right base.")
    entities_live: tuple[LiveEntity, ...]
    entities_waiting: tuple[LiveEntity, ...] = Field(
        (),
        description="A name put for another that exists, that is on a roster or that another clerk wrote: "
        "live when another session's final says the same.",
    )
    dictionary_version: int = Field(ge=0)
    pairs_waiting: int = Field(ge=0, description="Corrections of this document that wait for training.")
    left_out: tuple[LeftOut, ...]
    quarantined: str | None = Field(description="Why nothing of this document is learned; null = it is.")
    message: str
    already_received: bool = False
    live_seconds: float | None = Field(
        None, description="From the whole document received to its names live; None: of an older release."
    )
    sent_back: int = Field(
        0,
        description="Of `entities_waiting`, how many were live until others' finals spoke against them.",
    )

    def without(self, wrong: str, right: str) -> SubmitSummary:
        """This summary once a fix that was live waits again, however it was written; the message says so at
        its end."""
        keys = fix_keys(wrong, right)
        back = [one for one in self.entities_live if fix_keys(one.wrong, one.right) == keys]
        if not back:
            return self
        before = self.sent_back
        return self.model_copy(
            update={
                "entities_live": tuple(one for one in self.entities_live if one not in back),
                "entities_waiting": (*self.entities_waiting, *back),
                "message": self.message.removesuffix(went_back(before)) + went_back(before + 1),
                "sent_back": before + 1,
            }
        )


def went_back(count: int) -> str:
    """What the message says at its end when ``count`` names that were live wait again."""
    return {
        0: "",
        1: " Después, 1 de esos nombres ha vuelto a esperar a que otra persona diga lo mismo.",
    }.get(count, f" Después, {count} de esos nombres han vuelto a esperar a que otra persona diga lo mismo.")


_REASONS = {
    "too_broad:common_word": "es una palabra corriente: cambiarla siempre estropearía otros textos",
    "too_broad:lower_case": "la forma errónea no está escrita como un nombre propio",
    "too_broad:too_short": "la forma errónea tiene una sola letra",
    "too_broad:too_long": "el nombre es demasiado largo para el diccionario",
    "too_broad:other_script": "el nombre tiene letras de otro alfabeto",
    "too_broad:accents_lost": "el cambio solo quita tildes",
    "too_broad:empty": "el cambio no contiene letras",
    "too_broad:no_change": "el cambio no altera el nombre",
    "no_chunk": "texto nuevo, sin audio con el que compararlo",
    "duplicate_chunk": "párrafo repetido: el audio ya corresponde a otro párrafo",
    "unknown_chunk": "el párrafo no figura en el manifiesto del borrador",
    "emptied": "el párrafo se vació",
    "no_draft_text": "el borrador no tenía texto en ese párrafo",
    "replaced": "donde estaba el párrafo se escribió otra cosa",
    "too_much_changed": "el documento tiene demasiados cambios",
    "rewritten": "el párrafo se reescribió por completo: ya no dice lo que se oye en el audio",
    "unread_altchunk": "texto importado de otro archivo, que no se ha leído",
    "unread_chart": "texto de un gráfico, que no se ha leído",
    "unread_smartart": "texto de un gráfico SmartArt, que no se ha leído",
    "unread_embedded": "un objeto incrustado de otro programa, que no se ha leído",
    "unread_subdocument": "un subdocumento vinculado, que no se ha leído",
    "quarantined": "el documento entero se ha apartado",
    "too_broad:low_confidence": "no es seguro que el cambio sea la corrección de un nombre",
}


def left_out(rejected: Iterable[Rejection]) -> tuple[LeftOut, ...]:
    """Sum ``rejected`` by reason, most frequent first."""
    counts: Counter[str] = Counter()
    for rejection in rejected:
        counts[rejection.reason] += rejection.count
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(
        LeftOut(reason=reason, count=count, explanation=explain(reason)) for reason, count in ordered if count
    )


def explain(reason: str) -> str:
    """The Spanish explanation of a rejection; the reason itself, readable, when none is written."""
    return _REASONS.get(reason, reason.replace("_", " "))


def sentence(
    *,
    base_replaced: bool,
    entities: int,
    waiting: int,
    contradicting: int = 0,
    pairs: int,
    left: Iterable[LeftOut],
    quarantined: str | None,
    unchanged: bool,
) -> str:
    """The Spanish message of a summary. ``contradicting``: fixes that wait for a second voice."""
    parts = ["Documento recibido."]
    if base_replaced:
        parts.append("Se ha comparado con el borrador de su misma versión, no con el indicado.")
    if quarantined is not None:
        parts.append(f"No se aprenderá nada de él y el diccionario no cambia. {quarantined}")
        return " ".join(parts)
    if unchanged:
        parts.append("Es igual al borrador: no hay nada que corregir.")
        return " ".join(parts)
    parts.append(
        {
            0: "No trae correcciones de nombres.",
            1: "1 nombre corregido ya se aplica a los próximos borradores.",
        }.get(entities, f"{entities} nombres corregidos ya se aplican a los próximos borradores.")
    )
    if waiting:
        parts.append(
            "1 cambio de un nombre de pila por otro espera a que otra sesión lo confirme."
            if waiting == 1
            else f"{waiting} cambios de un nombre de pila por otro esperan a que otra sesión los confirme."
        )
    if contradicting:
        parts.append(
            "1 nombre que se conocía de otra forma, o que no parece mal oído, espera a que otra persona diga "
            "lo mismo en otra sesión."
            if contradicting == 1
            else f"{contradicting} nombres que se conocían de otra forma, o que no parecen mal oídos, "
            "esperan a que otra persona diga lo mismo en otra sesión."
        )
    parts.append(
        {
            0: "No hay correcciones de texto para el próximo entrenamiento.",
            1: "1 corrección de texto espera al próximo entrenamiento.",
        }.get(pairs, f"{pairs} correcciones de texto esperan al próximo entrenamiento.")
    )
    shown = [f"{item.count} por «{item.explanation}»" for item in left]
    if shown:
        rest = f" y {len(shown) - 3} motivos más" if len(shown) > 3 else ""
        parts.append(f"No se usa: {'; '.join(shown[:3])}{rest}.")
    return " ".join(parts)
