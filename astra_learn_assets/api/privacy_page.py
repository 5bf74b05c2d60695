"""The privacy report as one page of Spanish HTML: no script, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from astra_learn_assets.api.page import document
from astra_learn_assets.learning.privacy_report import Leak, PrivacyReport

TITLE = "Informe de privacidad"
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
    return document(
        TITLE,
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
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _percent(share: float) -> str:
    return f"{share * 100:.2f} %".replace(".", ",")
