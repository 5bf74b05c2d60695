"""The page «¿Cómo está aprendiendo mi IA?» as a string: no script, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from astra_learn_assets.learning.status import Champion, LearningStatus, Training

TITLE = "¿Cómo está aprendiendo mi IA?"

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --bad: #b35900; --card: #8881; }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.lead { font-size: 1.1rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; }
.card { background: var(--card); border-radius: .5rem; padding: .75rem 1rem; }
.card b { display: block; font-size: 1.6rem; font-variant-numeric: tabular-nums; }
progress { width: 100%; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
.promoted { color: var(--good); } .rejected, .failed { color: var(--bad); }
code { font-size: .85em; overflow-wrap: anywhere; }
form { display: grid; gap: .5rem; max-width: 24rem; } input, button { font: inherit; padding: .5rem; }
"""

_STATES = {
    "queued": "en cola",
    "training": "entrenando",
    "evaluating": "evaluando",
    "promoted": "en servicio",
    "rejected": "descartado: no mejoraba",
    "failed": "falló",
}
_WHY = {
    "paused": "Los entrenamientos de este municipio están en pausa",
    "quota": "Se ha alcanzado el número de entrenamientos de esta semana",
    "budget": "Se ha agotado el tiempo de cálculo de este mes",
    "permanent": "El último entrenamiento falló por una causa que el equipo técnico tiene que resolver",
    "attempts": "Varios entrenamientos han fallado: el equipo técnico tiene que revisarlos",
    "backoff": "El último entrenamiento falló y se repetirá",
    "maintenance": "Hay trabajos de mantenimiento: el entrenamiento espera",
    "closed_hours": "El entrenamiento empezará en el horario previsto",
}


def login_page(tenant_id: str, *, error: str | None = None) -> str:
    """The form that asks for a key."""
    problem = f'<p class="failed" role="alert">{escape(error)}</p>' if error else ""
    return _page(
        f"""<h1>{TITLE}</h1>
<p>Municipio <code>{escape(tenant_id)}</code>. Introduzca su clave de acceso.</p>{problem}
<form method="post"><label for="key">Clave</label>
<input id="key" name="key" type="password" autocomplete="current-password" required>
<button>Entrar</button></form>"""
    )


def missing_page(tenant_id: str) -> str:
    """There is no such page, or it was erased."""
    return _page(
        f"""<h1>{TITLE}</h1><p role="alert">Esa página no existe o se ha borrado.</p>
<p><a href="/panel/{escape(tenant_id)}">Volver</a></p>"""
    )


def status_page(status: LearningStatus, trainings: Sequence[Training]) -> str:
    """The page of one tenant."""
    threshold = status.train_threshold
    waiting = status.examples_waiting
    champion = status.champion
    served = (
        f"<p>Modelo en servicio: <code>{escape(champion.adapter_id)}</code>, "
        f"desde el {champion.promoted_at:%d/%m/%Y %H:%M} UTC{_trial(champion)}.</p>"
        if champion
        else "<p>Modelo en servicio: el de base, sin entrenamiento propio todavía.</p>"
    )
    kept_out = status.documents.get("quarantined", 0)
    rows = "".join(_row(status.tenant_id, training) for training in trainings)
    table = (
        f"""<div class="wide"><table><thead><tr><th>Fecha</th><th>Resultado</th><th>Ejemplos</th>
<th>Errores antes</th><th>Errores después</th></tr></thead><tbody>{rows}</tbody></table></div>
<p><small>Errores: palabras mal transcritas de cada 100,
medidas en actas que no se usan para entrenar.</small></p>"""
        if rows
        else "<p>Todavía no ha habido ningún entrenamiento.</p>"
    )
    return _page(
        f"""<h1>{TITLE}</h1><p>{escape(status.display_name)}</p>
<p class="lead">{escape(status.message)}</p>
<div class="cards">
<div class="card"><b>{_integer(waiting)}</b>correcciones en espera
<progress max="{threshold}" value="{min(waiting, threshold)}"
aria-label="hasta el próximo entrenamiento"></progress>
de {_integer(threshold)}</div>
<div class="card"><b>{_integer(status.dictionary_entries)}</b>nombres en el diccionario</div>
<div class="card"><b>{_integer(sum(status.documents.values()))}</b>actas revisadas</div>
<div class="card"><b>{_integer(kept_out)}</b>actas apartadas</div>
</div>{_running(status)}{_next(status)}{served}<h2>Entrenamientos</h2>{table}""",
        refresh=True,
    )


def _trial(champion: Champion) -> str:
    if champion.canary_share is None:
        return ""
    return f", a prueba en el {100 * champion.canary_share:.0f} % de las sesiones"


def _running(status: LearningStatus) -> str:
    """How far the training is that runs now."""
    sign = status.progress
    if not status.training_now or sign is None or sign.share is None:
        return ""
    left = "" if sign.eta_seconds is None else f", quedan unos {max(1, round(sign.eta_seconds / 60))} min"
    return (
        f"<p>Entrenamiento en curso: paso {sign.step} de {sign.steps}{left}."
        f'<progress max="1" value="{sign.share:.3f}" aria-label="avance del entrenamiento"></progress></p>'
    )


def _next(status: LearningStatus) -> str:
    """Why the next training starts or does not, where that is not the count alone."""
    said = _WHY.get(status.decision.code)
    if said is None:
        return ""
    until = status.decision.until
    return f"<p>{said}{'' if until is None else f' (hasta el {until:%d/%m/%Y %H:%M} UTC)'}.</p>"


def _row(tenant_id: str, training: Training) -> str:
    state = escape(_STATES.get(training.state, training.state))
    if training.report_digest is not None:
        state = f'<a href="/panel/{escape(tenant_id)}/verdicts/{escape(training.report_digest)}">{state}</a>'
    count = _integer(training.examples) if training.examples is not None else "–"
    return (
        f"<tr><td>{training.created_at:%d/%m/%Y %H:%M}</td>"
        f'<td class="{escape(training.state)}">{state}</td><td>{count}</td>'
        f"<td>{_percent(training.wer_before)}</td><td>{_percent(training.wer_after)}</td></tr>"
    )


def _integer(value: int) -> str:
    return f"{value:,}".replace(",", ".")


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{rate * 100:.1f} %".replace(".", ",")


def _page(body: str, *, refresh: bool = False) -> str:
    return document(TITLE, body, refresh=refresh)


def document(title: str, body: str, *, refresh: bool = False) -> str:
    """A page of ours around ``body``, which is HTML already."""
    again = '<meta http-equiv="refresh" content="30">' if refresh else ""
    return f"""<!doctype html><html lang="es"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">{again}
<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>{body}</main></body></html>"""
