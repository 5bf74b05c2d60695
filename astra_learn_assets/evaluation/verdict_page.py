"""A verdict as a page for people: who was compared, how sure that is, what got better and worse, the past.

    page = render(verdict, report, shown=choose(rows), past=[Past(...), ...])

Spanish, self-contained: no script, font or picture from elsewhere, and a policy that forbids fetching any.
The examples are of the golden set, so anonymized; all text goes through ``html.escape``. Intervals are drawn
to one scale, with what the gate tolerates as a line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.datasets.word_changes import changed_stretches
from astra_learn_assets.evaluation.predictions import CANDIDATE, Prediction
from astra_learn_assets.evaluation.results import EvaluationReport, Rise
from astra_learn_assets.evaluation.word_errors import compare

SHOWN = 8
_OUTCOMES = {
    "promote": ("Entra en servicio", "good"),
    "reject": ("Rechazado", "bad"),
    "hold": ("En espera", "wait"),
}
_SYSTEMS = {
    "candidate": "Este adaptador",
    "champion": "El que está en servicio",
    "best": "El mejor que hubo",
    "base": "Modelo de base",
    "dictionary": "Solo el diccionario",
    "draft": "El borrador, sin tocar",
}
_MEASURES = {
    "wer": "palabras",
    "strict": "palabras, signos y mayúsculas",
    "cer": "caracteres",
    "entities": "nombres y cifras",
    "clean": "texto que ya estaba bien",
    "generic": "texto de ningún municipio",
}
_WIDTH, _ROW = 520, 26
_STYLE = """
*{box-sizing:border-box}body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:70rem;padding:1.5rem;
color:#1c2430;background:#fff}h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}
.good{color:#1a7f37}.bad{color:#b3261e}.wait{color:#8a5300}.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #d8dde5;vertical-align:top}
del{background:#fbdcd9}ins{background:#d2f0d9;text-decoration:none}code{font-size:.85em;overflow-wrap:anywhere}
article{border:1px solid #d8dde5;border-radius:6px;padding:.6rem .9rem;margin:.6rem 0;overflow-wrap:anywhere}
article p{margin:.25rem 0}small{color:#5b6675}svg text{font:13px system-ui,sans-serif}
"""


@dataclass(frozen=True)
class Shown:
    """One golden example. ``gained``: errors of the draft less those of the candidate; below 0: new ones."""

    document_id: str
    draft: str
    reference: str
    answer: str
    gained: int


@dataclass(frozen=True)
class Past:
    """One earlier verdict of the tenant, or this one. Rates are errors per word."""

    adapter_id: str
    outcome: str
    at: datetime
    candidate: float | None
    champion: float | None


def choose(rows: Iterable[Prediction], *, number: int = SHOWN) -> list[Shown]:
    """The examples that lost and gained most, worst first; what did not change is not among them."""
    judged: list[Shown] = []
    for row in rows:
        answer = row.predictions.get(CANDIDATE)
        if answer is None:
            continue
        before = compare(row.reference, row.input).words.errors
        after = compare(row.reference, answer.text).words.errors
        judged.append(Shown(row.document_id, row.input, row.reference, answer.text, before - after))
    judged.sort(key=lambda one: (one.gained, one.document_id, one.draft))
    worst = [one for one in judged if one.gained < 0][:number]
    best = [one for one in reversed(judged) if one.gained > 0][:number]
    return [*worst, *best]


def render(
    verdict: GateVerdict,
    report: EvaluationReport,
    *,
    adapter_id: str,
    shown: Sequence[Shown] = (),
    past: Sequence[Past] = (),
) -> str:
    """The whole page."""
    name, tone = _OUTCOMES[str(verdict.details.get("outcome", "reject"))]
    worst = [one for one in shown if one.gained < 0]
    best = [one for one in shown if one.gained > 0]
    return (
        '<!doctype html><html lang="es"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<title>{escape(name)}: {escape(adapter_id)}</title><style>{_STYLE}</style></head><body><main>"
        f'<h1 class="{tone}">{escape(name)}</h1>'
        f"<p><code>{escape(adapter_id)}</code>, municipio {escape(verdict.tenant_id)}</p>"
        f"<p>{escape(str(verdict.details.get('reason_es') or verdict.reason))}</p>"
        f"{_size(report)}{_table(report)}{_intervals(verdict, report)}"
        f"<h2>Lo que empeora</h2>{_examples(worst, 'Ningún párrafo ha empeorado.')}"
        f"<h2>Lo que mejora</h2>{_examples(best, 'Ningún párrafo ha mejorado.')}"
        f"{_history(past)}{_identity(verdict, report)}</main></body></html>"
    )


def _size(report: EvaluationReport) -> str:
    said = (
        f"Medido en {report.words} palabras de {report.documents} actas que no se usan para entrenar, "
        f"de ellas {report.clean_words} que ya estaban bien."
    )
    faults = "".join(f"<li>{escape(problem)}</li>" for problem in report.problems)
    return f"<p>{said}</p>" + (f'<ul class="bad">{faults}</ul>' if faults else "")


def _table(report: EvaluationReport) -> str:
    rows = "".join(
        f"<tr><th>{_SYSTEMS[name]}</th><td>{_percent(one.wer)}</td><td>{_percent(one.cer)}</td>"
        f"<td>{_percent(one.entity_error_rate)}</td><td>{_percent(one.clean_wer)}</td>"
        f"<td>{_percent(one.generic_wer)}</td><td>{_percent(one.exact)}</td></tr>"
        for name, one in sorted(report.systems.items(), key=lambda item: list(_SYSTEMS).index(item[0]))
    )
    return (
        '<h2>Errores de cada cien</h2><div class="wide"><table><thead><tr><th></th><th>Palabras</th>'
        "<th>Caracteres</th><th>Nombres y cifras</th><th>Daño en texto correcto</th><th>Otro texto</th>"
        f"<th>Párrafos exactos</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _intervals(verdict: GateVerdict, report: EvaluationReport) -> str:
    """Every comparison as a point with its interval, left of the middle what is better."""
    tolerance = verdict.details.get("tolerance_points")
    limit = float(tolerance) if isinstance(tolerance, int | float) else 2.0
    rises = [
        (f"{_SYSTEMS[system]}: {_MEASURES[measure]}", rise)
        for system, measures in report.comparisons.items()
        for measure, rise in measures.items()
    ]
    if not rises:
        return ""
    reach = max(limit, *(abs(value) for _, rise in rises for value in (rise.low, rise.high)))

    def at(value: float) -> float:
        return round(_WIDTH / 2 + value / reach * (_WIDTH / 2 - 8), 1)

    lines = "".join(_interval(number, name, rise, at) for number, (name, rise) in enumerate(rises))
    height = _ROW * len(rises) + 8
    return (
        "<h2>Diferencia con cada uno, en puntos, con su intervalo del 95 %</h2>"
        "<p><small>A la izquierda de la línea continua, mejor; más a la derecha de la discontinua "
        f"({_points(limit)}) no se admite.</small></p>"
        f'<div class="wide"><svg role="img" aria-label="Intervalos" width="{_WIDTH + 480}" height="{height}">'
        f'<line x1="{at(0)}" x2="{at(0)}" y1="0" y2="{height}" stroke="#1c2430"/>'
        f'<line x1="{at(limit)}" x2="{at(limit)}" y1="0" y2="{height}" stroke="#b3261e" '
        f'stroke-dasharray="4 4"/>{lines}</svg></div>'
    )


def _interval(number: int, name: str, rise: Rise, at: Callable[[float], float]) -> str:
    y = _ROW * number + _ROW // 2 + 4
    low, middle, high = (at(value) for value in (rise.low, rise.difference, rise.high))
    said = f"{name} {_points(rise.difference)} [{_points(rise.low)}, {_points(rise.high)}]"
    return (
        f'<line x1="{low}" x2="{high}" y1="{y}" y2="{y}" stroke="#2b6cb0" stroke-width="2"/>'
        f'<circle cx="{middle}" cy="{y}" r="4" fill="#2b6cb0"/>'
        f'<text x="{_WIDTH + 12}" y="{y + 4}">{escape(said)}</text>'
    )


def _examples(shown: Sequence[Shown], none: str) -> str:
    if not shown:
        return f"<p>{none}</p>"
    return "".join(
        f"<article><p><b>Borrador</b> {_against(one.reference, one.draft)}</p>"
        f"<p><b>Adaptador</b> {_against(one.reference, one.answer)}</p>"
        f"<p><b>Correcto</b> {escape(one.reference)}</p>"
        f"<small>{one.gained:+d} palabras bien; acta <code>{escape(one.document_id)}</code></small></article>"
        for one in shown
    )


def _against(reference: str, text: str) -> str:
    """``text`` with the words marked that are not the reference's."""
    words = text.split()
    pieces: list[str] = []
    position = 0
    for _, _, start, end in changed_stretches(reference.split(), words):
        pieces.append(escape(" ".join(words[position:start])))
        pieces.append(f"<del>{escape(' '.join(words[start:end]))}</del>" if end > start else "<del> </del>")
        position = end
    pieces.append(escape(" ".join(words[position:])))
    return " ".join(piece for piece in pieces if piece)


def _history(past: Sequence[Past]) -> str:
    if not past:
        return ""
    rows = "".join(
        f"<tr><td>{one.at:%d/%m/%Y %H:%M}</td><td><code>{escape(one.adapter_id)}</code></td>"
        f'<td class="{_OUTCOMES[one.outcome][1]}">{_OUTCOMES[one.outcome][0]}</td>'
        f"<td>{_percent(one.candidate)}</td><td>{_percent(one.champion)}</td></tr>"
        for one in past
    )
    return (
        '<h2>Historia</h2><div class="wide"><table><thead><tr><th>Fecha (UTC)</th><th>Adaptador</th>'
        "<th>Veredicto</th><th>Sus errores</th><th>Errores del que servía</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _identity(verdict: GateVerdict, report: EvaluationReport) -> str:
    known = {
        "adaptador": verdict.digest,
        "conjunto de prueba": report.golden_hash,
        "texto genérico": report.generic_hash,
        "respuestas": report.predictions_sha256,
        "en servicio": report.champion_digest,
        "corpus": verdict.details.get("dataset_hash"),
        "modelo de base": verdict.details.get("base"),
        "reglas": verdict.details.get("gate_version"),
    }
    rows = "".join(
        f"<tr><th>{name}</th><td><code>{escape(str(value))}</code></td></tr>"
        for name, value in known.items()
        if value is not None
    )
    return f'<h2>De qué es este veredicto</h2><div class="wide"><table>{rows}</table></div>'


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{100 * rate:.2f} %".replace(".", ",")


def _points(value: float) -> str:
    return f"{value:+.2f}".replace(".", ",")
