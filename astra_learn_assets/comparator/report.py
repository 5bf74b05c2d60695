"""The comparison as a page a clerk can read: draft left, final right, moves drawn as lines.

Self-contained: no script, font or picture from elsewhere, and a policy that forbids fetching any.
All text goes through ``html.escape``. The lines are drawn by a few lines of script after layout.
"""

from __future__ import annotations

from html import escape
from itertools import accumulate

from astra_learn_assets.comparator.names.word_diff import links, tokenize
from astra_learn_assets.contracts import BlockDelta, Delta

_OPERATIONS = {
    "equal": "igual",
    "modified": "corregido",
    "moved": "movido",
    "inserted": "añadido",
    "deleted": "eliminado",
    "split": "dividido",
    "merged": "unido",
}
_ROUTES = {
    1: "se aprende",
    2: "nombre propio: va al diccionario",
    3: "audio pendiente transcrito: se aprende",
}
_REASONS = {
    "no_chunk": "sin audio asociado",
    "duplicate_chunk": "copia de otro párrafo",
    "unknown_chunk": "audio desconocido",
    "rewritten": "reescrito por completo",
    "emptied": "vaciado",
    "no_draft_text": "sin texto en el borrador",
    "quarantined": "documento retenido",
}
_KINDS = {
    "person": "persona",
    "place": "lugar",
    "organization": "entidad",
    "acronym": "sigla",
    "other": "otro",
}
_LONG = 20_000
_SEAM = "<br>¶ "

_STYLE = """
*{box-sizing:border-box}body{font:16px/1.5 system-ui,sans-serif;margin:0;color:#1c2430;background:#f6f7f9}
header{padding:1.2rem 1.5rem;background:#fff;border-bottom:1px solid #d8dde5}
h1{font-size:1.3rem;margin:0 0 .4rem}
.numbers{display:flex;flex-wrap:wrap;gap:.4rem 1.4rem;margin:.3rem 0 0;padding:0;list-style:none}
.warning{background:#fdecea;border-left:4px solid #b3261e;padding:.6rem .9rem;margin:.8rem 0 0}
main{position:relative;padding:1rem 1.5rem;max-width:1500px;margin:auto}
.row{position:relative;display:grid;grid-template-columns:1fr 8rem 1fr;align-items:start;margin:.35rem 0}
.cell{background:#fff;border:1px solid #e1e5eb;border-radius:6px;padding:.5rem .7rem;overflow-wrap:anywhere}
.none{background:none;border-style:dashed}.equal .cell{color:#6b7482}
.op{text-align:center;font-size:.8rem;color:#4a5463;padding:.5rem .2rem}
.op b{display:block;border-radius:4px;background:#e8ebf0;padding:.05rem .2rem}
.modified .op b{background:#fff1cc}.moved .op b{background:#dbe9ff}.inserted .op b{background:#d9f2df}
.deleted .op b{background:#fbdcd9}.split .op b,.merged .op b{background:#ece0fa}
del{background:#fbdcd9;text-decoration-thickness:1px}
ins{background:#d2f0d9;text-decoration:none;border-bottom:1px solid #2c7a3f}
small{color:#5b6675;display:block;margin-top:.25rem}
svg{position:absolute;inset:0;width:100%;height:100%;pointer-events:none}
path{fill:none;stroke-width:2.5;opacity:.7}.cell:target{outline:3px solid #2b6cb0}
table{border-collapse:collapse;margin:.6rem 0}
td,th{border:1px solid #d8dde5;padding:.25rem .6rem;text-align:left;background:#fff}
label{cursor:pointer}body:has(#only:checked) .equal{display:none}
@media print{header{border:0}.equal{display:none}}
"""

_SCRIPT = """
(function(){var c=['#2b6cb0','#b45309','#7c3aed','#0f766e','#be185d'],n=0;
var m=document.querySelector('main'),s=document.querySelector('svg');
function draw(){var o=m.getBoundingClientRect();s.innerHTML='';n=0;
document.querySelectorAll('[data-from]').forEach(function(a){
var b=document.getElementById('origen-'+a.dataset.from);if(!b||!a.offsetParent||!b.offsetParent)return;
var p=b.getBoundingClientRect(),q=a.getBoundingClientRect();
var x=p.right-o.left,y=p.top+p.height/2-o.top,u=q.left-o.left,v=q.top+q.height/2-o.top;
var e=document.createElementNS('http://www.w3.org/2000/svg','path');
e.setAttribute('stroke',c[n++%c.length]);
e.setAttribute('d','M'+x+' '+y+' C'+(x+60)+' '+y+' '+(u-60)+' '+v+' '+u+' '+v);s.appendChild(e);});}
addEventListener('load',draw);addEventListener('resize',draw);
document.getElementById('only').addEventListener('change',draw);})();
"""


def render_html(delta: Delta, *, title: str) -> str:
    """A complete HTML page in Spanish for ``delta``."""
    places = {b.before_index: n for n, b in enumerate(delta.blocks) if b.moved_from is not None}
    rows = [_row(block) for block in delta.blocks]
    # a moved paragraph also leaves a mark where it was, so that its line has two ends
    for index in sorted((i for i in places if i is not None), reverse=True):
        block = delta.blocks[places[index]]
        position = _place_of(delta, index)
        rows.insert(position, _origin(block))
    return (
        '<!doctype html><html lang="es"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        f"{_header(delta, title)}"
        f'<main><svg aria-hidden="true"></svg>'
        '<div class="row"><strong>Borrador</strong><span></span><strong>Acta corregida</strong></div>'
        f"{''.join(rows)}</main><script>{_SCRIPT}</script></body></html>"
    )


def _header(delta: Delta, title: str) -> str:
    metrics = delta.metrics
    numbers = [
        f"Palabras distintas: {100 * metrics.wer:.1f} %".replace(".", ","),
        f"Caracteres distintos: {100 * metrics.cer:.1f} %".replace(".", ","),
        *(
            f"{name.capitalize()}: {metrics.counts[op]}"
            for op, name in _OPERATIONS.items()
            if op in metrics.counts
        ),
        f"Ejemplos para aprender: {len(delta.examples)}",
    ]
    parts = [f"<header><h1>{escape(title)}</h1>"]
    parts.append(f'<ul class="numbers">{"".join(f"<li>{escape(n)}</li>" for n in numbers)}</ul>')
    if delta.base_replaced:
        parts.append(
            "<p>Se ha comparado con el borrador de la misma versión "
            f"({escape(delta.base_id)}), no con el indicado.</p>"
        )
    if delta.quarantined:
        parts.append(
            '<p class="warning" role="alert"><strong>Documento retenido: no se aprende nada de él.</strong> '
            f"{escape(delta.quarantined)}</p>"
        )
    if delta.entity_changes:
        names = "".join(
            f"<tr><td>{escape(c.wrong)}</td><td>{escape(c.right)}</td><td>{_KINDS[c.kind]}</td></tr>"
            for c in delta.entity_changes
        )
        parts.append(f"<table><tr><th>Se oyó</th><th>Se escribe</th><th>Tipo</th></tr>{names}</table>")
    left_out = [r for r in delta.rejected if r.reason != "quarantined"]
    if left_out:
        reasons = ", ".join(f"{_REASONS.get(r.reason, r.reason)} ({r.count})" for r in left_out)
        parts.append(f"<p>No se aprende: {escape(reasons)}.</p>")
    parts.append(
        '<p><label><input type="checkbox" id="only"> Mostrar solo lo que ha cambiado</label></p></header>'
    )
    return "".join(parts)


def _row(block: BlockDelta) -> str:
    before, after = _sides(block)
    moved = block.moved_from is not None
    left = '<div class="cell none"></div>' if block.before is None else f'<div class="cell">{before}</div>'
    link = f' data-from="{block.moved_from}" id="destino-{block.moved_from}"' if moved else ""
    right = (
        '<div class="cell none"></div>' if block.after is None else f'<div class="cell"{link}>{after}</div>'
    )
    name = _OPERATIONS[block.op]
    if moved and block.op != "moved":
        name += " y movido"
    notes = [f"<b>{name}</b>"]
    if block.start_ms is not None:
        notes.append(f"<small>▶ {_clock(block.start_ms)}</small>")
    if block.route is not None:
        notes.append(f"<small>{_ROUTES[block.route]}</small>")
    if moved:
        notes.append(f'<small><a href="#origen-{block.moved_from}">ver dónde estaba</a></small>')
    return f'<div class="row {block.op}">{left}<div class="op">{"".join(notes)}</div>{right}</div>'


def _origin(block: BlockDelta) -> str:
    text = escape((block.before or "")[:120]) + ("…" if len(block.before or "") > 120 else "")
    return (
        f'<div class="row moved"><div class="cell none" id="origen-{block.moved_from}">{text}'
        f'<small>se movió de aquí: <a href="#destino-{block.moved_from}">ver dónde está ahora</a></small>'
        "</div><div></div><div></div></div>"
    )


def _place_of(delta: Delta, index: int) -> int:
    """The row before which the draft's paragraph ``index`` stood."""
    for n, block in enumerate(delta.blocks):
        if block.moved_from is None and block.before_index is not None and block.before_index > index:
            return n
    return len(delta.blocks)


def _sides(block: BlockDelta) -> tuple[str, str]:
    """Both texts with the changed words marked; parts of a split or merge on lines of their own."""
    before, after = block.before or "", block.after or ""
    if block.before is None or block.after is None or before == after or max(len(before), len(after)) > _LONG:
        return _parts(block.before_parts, before), _parts(block.after_parts, after)
    old, new = tokenize(before), tokenize(after)
    changed = links(old, new)
    return (
        _marked(
            before,
            [(old[x.b0].start, old[x.b1 - 1].end) for x in changed if x.b1 > x.b0],
            "del",
            _seams(block.before_parts),
        ),
        _marked(
            after,
            [(new[x.a0].start, new[x.a1 - 1].end) for x in changed if x.a1 > x.a0],
            "ins",
            _seams(block.after_parts),
        ),
    )


def _seams(parts: tuple[str, ...]) -> list[int]:
    """Where in the joined text the second and later parts begin; one space stands between parts."""
    return list(accumulate(len(part) + 1 for part in parts))[:-1]


def _parts(parts: tuple[str, ...], whole: str) -> str:
    return _SEAM.join(escape(part) for part in parts) if parts else escape(whole)


def _marked(text: str, spans: list[tuple[int, int]], tag: str, seams: list[int]) -> str:
    """``text`` with ``spans`` in ``tag`` and a new line at each of ``seams``."""
    marks = [(start, f"<{tag}>") for start, _ in spans] + [(end, f"</{tag}>") for _, end in spans]
    inside = [n for n in seams if any(start < n < end for start, end in spans)]
    marks += [(n, f"</{tag}>{_SEAM}<{tag}>" if n in inside else _SEAM) for n in seams]
    pieces: list[str] = []
    position = 0
    # where a mark ends, the new line comes before the next one begins
    for place, mark in sorted(marks, key=lambda m: (m[0], not m[1].startswith("</"), m[1] != _SEAM)):
        pieces += [escape(text[position:place]), mark]
        position = place
    return "".join(pieces) + escape(text[position:])


def _clock(milliseconds: int) -> str:
    seconds = milliseconds // 1000
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
