"""The privacy report as one page of Spanish HTML: no script, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from astra_learn_assets.learning.privacy_report import Leak, PrivacyReport

TITLE = "Informe de privacidad"
_STYLE = """
:root { color-scheme: light dark; --ground: #fff; --text: #1b2430; --line: #c5ccd6; --card: #f2f5f9; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #12161c; --text: #e8ecf2; --line: #46505e; --card: #1c232d; }
}
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
html, body { background: var(--ground); color: var(--text); }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.lead { font-size: 1.1rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; }
.card { background: var(--card); border-radius: .5rem; padding: .75rem 1rem; }
.card b { display: block; font-size: 1.6rem; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
code { font-size: .85em; overflow-wrap: anywhere; }
"""
_KINDS = {
    "PERSONA": "personas",
    "CEDULA": "cédulas y otros documentos de identidad",
    "DNI": "documentos de identidad (DNI)",
    "SALUD": "números de salud",
    "NUMERO": "otros números",
    "PASAPORTE": "pasaportes",
    "TARJETA": "tarjetas",
    "USUARIO": "cuentas de redes sociales",
    "CATASTRO": "referencias catastrales",
    "TELEFONO": "teléfonos",
    "EMAIL": "correos electrónicos",
    "DIRECCION": "direcciones",
    "CUENTA": "cuentas bancarias",
    "MATRICULA": "matrículas",
}
_REVIEWS = {"released": "admitida", "dropped": "descartada", None: "por revisar"}


def report_page(report: PrivacyReport) -> str:
    """The page of one tenant."""
    files, leak = report.files, report.leak
    judged = files.approved + files.refused
    return _document(
        f"""<h1>{TITLE}</h1>
<p>{escape(report.display_name)} (<code>{escape(report.tenant_id)}</code>, país {escape(report.country)})</p>
<p>Hecho el {report.made_at:%d/%m/%Y %H:%M} UTC. No contiene ningún texto de las actas.</p>
<div class="cards">
<div class="card"><b>{files.approved}</b>ficheros de ejemplos aprobados</div>
<div class="card"><b>{files.refused}</b>rechazados: no se entrena con ellos</div>
<div class="card"><b>{files.waiting + files.stale}</b>sin juzgar o por rehacer: no se entrena con ellos</div>
<div class="card"><b>{report.lines}</b>ejemplos en los {judged} ficheros juzgados</div>
</div>
<h2>Fuga estimada</h2>{_leak(leak)}
<h2>Qué se ha enmascarado</h2>{_counts(report.masked, "Nada todavía.")}
{_uncounted(report.uncounted_files)}
<h2>Qué encontró el segundo detector</h2>{_counts(report.residual, "Nada.")}
<h2>Actas apartadas</h2>{_quarantined(report)}
<h2>Detectores</h2>
<p>Política <code>{escape(report.policy)}</code>; términos siempre enmascarados: {report.masked_terms};
términos permitidos: {report.allowed_terms}.</p>
<ul>{"".join(f"<li>{escape(name)}</li>" for name in report.detectors)}</ul>""",
    )


def _leak(leak: Leak) -> str:
    if leak.share is None:
        return "<p>Todavía no se ha hecho ninguna prueba.</p>"
    return f"""<p class="lead">{_percent(leak.share)} (intervalo exacto del 95 %:
de {_percent(leak.low)} a {_percent(leak.high)})</p>
<p>De {leak.canaries} nombres y números inventados y puestos en las propias frases
({leak.batches} pruebas), el primer detector dejó pasar {leak.missed_by_pseudonymizer}, y los dos juntos
{leak.missed}. Una prueba que deja pasar más del {_percent(leak.allowed)} hace que se rechacen sus ficheros.
Mide si los detectores funcionan en este texto, no cuántos nombres verdaderos quedan.</p>"""


def _counts(counts: Mapping[str, int], nothing: str) -> str:
    if not counts:
        return f"<p>{nothing}</p>"
    rows = [(_KINDS.get(kind, kind), str(count)) for kind, count in counts.items()]
    return _table(("Clase", "Veces"), rows)


def _uncounted(files: int) -> str:
    return f"<p>{files} ficheros se juzgaron antes de que se contara.</p>" if files else ""


def _quarantined(report: PrivacyReport) -> str:
    if not report.quarantined:
        return "<p>Ninguna.</p>"
    rows = [
        (
            one.document_id,
            f"{one.since:%d/%m/%Y}",
            one.reason or "",
            _REVIEWS.get(one.review, one.review or ""),
        )
        for one in report.quarantined
    ]
    return _table(("Acta", "Desde", "Motivo", "Revisión"), rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    head = "".join(f"<th>{name}</th>" for name in heads)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide" tabindex="0">{table}</div>'


def _percent(share: float) -> str:
    return f"{share * 100:.2f} %".replace(".", ",")


def _document(body: str) -> str:
    """One file around ``body``, which is HTML already: it is kept with a municipality's papers."""
    return f"""<!doctype html><html lang="es"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(TITLE)}</title><style>{_STYLE}</style></head><body><main>{body}</main></body></html>"""
