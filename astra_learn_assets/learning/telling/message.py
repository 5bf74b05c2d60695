"""What a notice says to a municipality's people: Spanish, from ids and figures alone.

No name of a person, no text of a document and no id of one comes in here, so none can go out. ``text`` of a
held or rejected adapter ends with the gate's own Spanish sentence, which is made of figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from astra_learn_assets.errors import BadInput
from astra_learn_assets.ids import TenantId
from astra_learn_assets.store.subscriptions import TEST, Notice

SCHEMA = 2  # 1: notice_id was a number


@dataclass(frozen=True)
class Message:
    """A notice in words, and what a webhook gets as its JSON body."""

    schema: int
    notice_id: str
    tenant_id: TenantId
    event: str
    happened_at: str
    subject: str
    text: str
    facts: dict[str, Any]
    link: str | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def of_notice(notice: Notice, *, api_url: str | None) -> Message:
    """The message of ``notice``; ``api_url`` is where the panel is.

    Raises:
        BadInput: an event that this version has no words for, as another version may have written it.
    """
    subject, text = _words(notice.event, notice.facts)
    return Message(
        schema=SCHEMA,
        notice_id=notice.notice_id,
        tenant_id=notice.tenant_id,
        event=notice.event,
        happened_at=notice.happened_at.isoformat(timespec="seconds"),
        subject=f"[{notice.tenant_id}] {subject}",
        text=text,
        facts=dict(notice.facts),
        link=f"{api_url.rstrip('/')}/panel/{notice.tenant_id}" if api_url else None,
    )


def _words(event: str, facts: Mapping[str, Any]) -> tuple[str, str]:
    adapter = facts.get("adapter_id")
    if event == "promotion":
        return (
            "Su modelo ha mejorado",
            f"El modelo {adapter} ha superado todas las pruebas y está en servicio desde ahora.",
        )
    if event == "rollback":
        now = f"el modelo {adapter}" if adapter else "el modelo general"
        return (
            "Se ha vuelto a un modelo anterior",
            f"El modelo {facts.get('before') or 'anterior'} ya no está en servicio; ahora trabaja {now}.",
        )
    if event == "rejection":
        return (
            "Un modelo nuevo no ha pasado las pruebas",
            _with_why(f"El modelo {adapter} no entra en servicio; sigue el que había.", facts),
        )
    if event == "hold":
        return (
            "Un modelo nuevo queda en espera",
            _with_why(f"El modelo {adapter} queda en espera; sigue el que había.", facts),
        )
    if event == "quarantine":
        return _kept_out(int(facts.get("documents", 1)))
    if event == "budget":
        return "Se ha agotado lo previsto para aprender", _used_up(facts)
    if event != TEST:
        raise BadInput(f"there are no words for the event {event!r:.40}")
    return (
        "Mensaje de prueba",
        "Si lee esto, los avisos de ASTRA-LEARN llegan a esta dirección. No tiene que hacer nada.",
    )


def _kept_out(count: int) -> tuple[str, str]:
    if count == 1:
        subject, text = "Se ha apartado un acta", "De ella no se aprende nada mientras nadie la revise."
    else:
        subject = f"Se han apartado {count} actas"
        text = "De ellas no se aprende nada mientras nadie las revise."
    return subject, f"{subject}. {text} En el panel puede ver el motivo y decidir si sirve."


def _with_why(text: str, facts: Mapping[str, Any]) -> str:
    why = facts.get("why")
    return f"{text} Motivo: {why}" if why else text


def _used_up(facts: Mapping[str, Any]) -> str:
    what = (
        f"los entrenamientos de esta semana ({facts.get('used')} de {facts.get('of')})"
        if facts.get("what") == "quota"
        else f"los minutos de GPU de este mes ({facts.get('used')} de {facts.get('of')})"
    )
    until = facts.get("until")
    when = f" a partir del {_day(str(until))}" if until else " cuando quede libre alguno"
    return (
        f"Se han usado {what}. Las correcciones se siguen guardando y los nombres se siguen aplicando al "
        f"momento; el próximo entrenamiento podrá empezar{when}."
    )


def _day(iso: str) -> str:
    return f"{datetime.fromisoformat(iso):%d/%m/%Y a las %H:%M} UTC"
